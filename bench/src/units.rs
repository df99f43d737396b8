//! Figures as people read them.

/// From here on a time is told in the next larger unit.
const LARGEST_SHOWN: f64 = 10_000.0;

/// The names of times in the rows, each a thousand times the one before; and how they are written.
const TIMES: [(&str, &str); 4] = [("ns", "ns"), ("us", "µs"), ("ms", "ms"), ("s", "s")];

/// What stands behind a count, for each thousand times.
const THOUSANDS: [&str; 4] = ["", "k", "M", "G"];

/// Three digits, or all that are before the point.
pub(crate) fn shown(value: f64) -> String {
    match value.abs() {
        less if less < 10.0 => format!("{value:.2}"),
        less if less < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A value with its unit; a long time in a unit that suits it.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    let (value, unit) = scaled(value, unit);
    format!("{} {unit}", shown(value)).trim_end().to_owned()
}

/// From the lowest to the highest, in the unit that suits the highest.
pub(crate) fn range(low: f64, high: f64, unit: &str) -> String {
    let (scaled_high, scaled_unit) = scaled(high, unit);
    let low = if high == 0.0 { low } else { low / high * scaled_high };
    format!("{} – {} {scaled_unit}", shown(low), shown(scaled_high)).trim_end().to_owned()
}

/// How much more than `base` it is, as a share of `base`.
pub(crate) fn percent_above(value: f64, base: f64) -> String {
    match (value / base - 1.0) * 100.0 {
        small if small < 10.0 => format!("{small:.1} %"),
        large => format!("{large:.0} %"),
    }
}

/// `1 worker`, `2 workers`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A round value at an axis, as short as it can be. A time tells its unit, as it depends on the size.
pub(crate) fn tick(value: f64, unit: &str) -> String {
    let time = TIMES.iter().position(|(name, _)| *name == unit);
    let names = if time.is_some() { TIMES.map(|(_, name)| name) } else { THOUSANDS };
    let (mut value, mut scale) = (value, time.unwrap_or_default());
    while value >= 1e3 && scale + 1 < names.len() {
        value /= 1e3;
        scale += 1;
    }
    format!("{value} {}", names[scale]).trim_end().to_owned()
}

fn scaled(mut value: f64, unit: &str) -> (f64, String) {
    let (base, per) = unit.split_at(unit.find('/').unwrap_or(unit.len()));
    let Some(mut scale) = TIMES.iter().position(|(name, _)| *name == base) else {
        return (value, unit.to_owned());
    };
    while value.abs() >= LARGEST_SHOWN && scale + 1 < TIMES.len() {
        value /= 1e3;
        scale += 1;
    }
    (value, format!("{}{per}", TIMES[scale].1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_time_changes_its_unit_and_a_short_one_does_not() {
        assert_eq!(quantity(181.4, "ns/job"), "181 ns/job");
        assert_eq!(quantity(25_000.0, "ns/job"), "25.0 µs/job");
        assert_eq!(quantity(899_500.0, "us"), "900 ms");
        assert_eq!(quantity(12e6, "s"), "12000000 s");
    }

    #[test]
    fn a_range_has_one_unit() {
        assert_eq!(range(9_900.0, 20_700.0, "ns/job"), "9.90 – 20.7 µs/job");
        assert_eq!(range(0.0, 0.0, "us"), "0.00 – 0.00 µs");
    }

    #[test]
    fn what_is_no_time_keeps_its_unit() {
        assert_eq!(quantity(20_000.0, "B/job"), "20000 B/job");
        assert_eq!(quantity(1.034, "of fair share"), "1.03 of fair share");
        assert_eq!(quantity(2.0, ""), "2.00");
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!(tick(0.5, "us"), "0.5 µs");
        assert_eq!(tick(200_000.0, "us"), "200 ms");
        assert_eq!(tick(100_000_000.0, ""), "100 M");
        assert_eq!(tick(20.0, "ns/job"), "20");
    }

    #[test]
    fn shares_above_a_base() {
        assert_eq!(percent_above(105.0, 100.0), "5.0 %");
        assert_eq!(percent_above(250.0, 100.0), "150 %");
    }
}
