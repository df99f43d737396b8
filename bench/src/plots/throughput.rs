//! How much is done in a second: bars of the workloads whose first figure is the time that one job takes.

use super::bars::{Bar, Bars, Length};
use super::sheet::Title;
use super::{Place, Plot, file_of};
use crate::results::{Entry, Figure, Table};
use crate::units::shown;

const WORKLOADS: [&str; 4] = ["spawn-join", "compute", "channel", "serve"];

/// How a rate is told, by the unit of the time that it is made of.
#[derive(Clone, Copy, Debug)]
struct Rate {
    unit: &'static str,
    words: &'static str,
    short: &'static str,
    /// In a second, where each takes a nanosecond.
    most: f64,
}

const RATES: [Rate; 2] = [
    Rate { unit: "ns/job", words: "million jobs a second", short: "M/s", most: 1e3 },
    Rate { unit: "ns/request", words: "thousand requests a second", short: "k/s", most: 1e6 },
];

pub(super) fn plot(table: &Table) -> Result<Option<Plot>, String> {
    if !WORKLOADS.contains(&table.case.workload.as_str()) {
        return Ok(None);
    }
    let first = table.entries.iter().find_map(Entry::primary);
    let rate = RATES.iter().find(|rate| first.is_some_and(|figure| figure.unit == rate.unit));
    let Some(rate) = rate else { return Ok(None) };
    let bars = table.entries.iter().filter_map(|entry| match entry.primary() {
        Some(figure) if figure.unit == rate.unit && figure.lowest() > 0.0 => {
            let length = rate.of(figure);
            let words = format!("{} {}", shown(length.value), rate.short);
            Some(Bar { contender: entry.contender.clone(), length: Some(length), words })
        }
        Some(_) => None,
        None => Some(Bar { contender: entry.contender.clone(), length: None, words: "failed".to_owned() }),
    });
    let mut bars: Vec<Bar> = bars.collect();
    let value = |bar: &Bar| bar.length.map_or(0.0, |length| length.value);
    bars.sort_by(|left, right| value(right).total_cmp(&value(left)));
    let text = format!("{}: {}", table.case.workload, rate.words);
    let title = Title { text: text.clone(), below: format!("{}; more is better", table.case.settings()) };
    Ok(Some(Plot {
        file: file_of("throughput", &table.case),
        alt: format!("{text}, {}", table.case.settings()),
        place: Place::Case(table.case.clone()),
        svg: Bars { title, bars, mark: None }.draw()?,
    }))
}

impl Rate {
    /// The longest time is the lowest rate.
    fn of(&self, figure: &Figure) -> Length {
        let rate = |nanos: f64| self.most / nanos;
        Length { value: rate(figure.median), low: rate(figure.highest()), high: rate(figure.lowest()) }
    }
}
