//! Where values stand along an axis, and what is written there.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::Ranged;

use crate::units::tick;

/// The axis has a part of its length free at each end, so that no line runs along the frame.
const FREE: f64 = 0.04;

/// With more decades than these, the steps between them would crowd the axis.
const DECADES_WITH_STEPS: f64 = 3.0;

/// Places and words; in what the lines' points are given in, a logarithm where the axis is logarithmic.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Axis {
    /// An axis that has a tick at each of these places.
    pub(super) fn with_ticks(name: &str, ticks: Vec<(f64, String)>) -> Self {
        let places = || ticks.iter().map(|(place, _)| *place);
        let from = places().fold(f64::INFINITY, f64::min);
        let to = places().fold(f64::NEG_INFINITY, f64::max);
        Axis { name: name.to_owned(), ticks, from, to }
    }

    /// A logarithmic axis for values of this unit, all above zero.
    pub(super) fn logarithmic(name: &str, unit: &str, values: impl Iterator<Item = f64> + Clone) -> Self {
        let from = values.clone().fold(f64::INFINITY, f64::min).log10();
        let to = values.fold(f64::NEG_INFINITY, f64::max).log10();
        // Half a decade at least, or a flat line would have no ticks.
        let (from, to) = if to - from < 0.5 { (from - 0.25, to + 0.25) } else { (from, to) };
        let steps: &[f64] = if to - from > DECADES_WITH_STEPS { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let decades = from.floor() as i32..=to.ceil() as i32;
        let values = decades.flat_map(|decade| steps.iter().map(move |step| (*step, decade)));
        let ticks =
            values.map(|(step, decade)| step * 10f64.powi(decade)).map(|value| (value.log10(), value));
        let ticks = ticks.filter(|(place, _)| (from..=to).contains(place));
        Axis {
            name: name.to_owned(),
            ticks: ticks.map(|(place, value)| (place, tick(value, unit))).collect(),
            from,
            to,
        }
    }

    /// What stands at a tick.
    pub(super) fn words(&self, place: f64) -> String {
        let near = |other: &f64| (other - place).abs() < 1e-9;
        self.ticks.iter().find(|(other, _)| near(other)).map_or(String::new(), |(_, words)| words.clone())
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        let Range { start: from, end: to } = self.range();
        start + ((value - from) / (to - from) * f64::from(end - start)).round() as i32
    }

    /// The ticks alone: there is no finer mesh.
    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let ticks = if hint.weight().allow_light_points() { &[][..] } else { &self.ticks[..] };
        ticks.iter().map(|(place, _)| *place).collect()
    }

    fn range(&self) -> Range<f64> {
        let free = (self.to - self.from).max(f64::EPSILON) * FREE;
        self.from - free..self.to + free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[f64], unit: &str) -> Vec<String> {
        let axis = Axis::logarithmic("", unit, values.iter().copied());
        axis.ticks.into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn a_long_axis_has_the_decades_and_a_short_one_the_steps() {
        assert_eq!(words(&[1.0, 20_000.0], "us"), ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms"]);
        assert_eq!(words(&[15.0, 120.0], "ns/job"), ["20", "50", "100"]);
    }

    #[test]
    fn a_flat_line_has_ticks_too() {
        assert!(!words(&[70.0], "ns/job").is_empty());
    }
}
