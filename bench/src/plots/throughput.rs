//! How much is done in a second: bars of the workloads whose first figure is the time that one job takes.

use super::bars::{Bar, Bars, Length};
use super::sheet::Title;
use super::{Place, Plot, file_of};
use crate::results::{Figure, Table};
use crate::units::shown;

const WORKLOADS: [&str; 3] = ["spawn-join", "compute", "channel"];
const UNIT: &str = "ns/job";

pub(super) fn plot(table: &Table) -> Result<Option<Plot>, String> {
    if !WORKLOADS.contains(&table.case.workload.as_str()) {
        return Ok(None);
    }
    let bars = table.entries.iter().filter_map(|entry| match entry.primary() {
        Some(figure) if figure.unit == UNIT && figure.lowest() > 0.0 => {
            let length = millions_a_second(figure);
            let words = format!("{} M/s", shown(length.value));
            Some(Bar { contender: entry.contender.clone(), length: Some(length), words })
        }
        Some(_) => None,
        None => Some(Bar { contender: entry.contender.clone(), length: None, words: "failed".to_owned() }),
    });
    let mut bars: Vec<Bar> = bars.collect();
    if bars.iter().all(|bar| bar.length.is_none()) {
        return Ok(None);
    }
    let value = |bar: &Bar| bar.length.map_or(0.0, |length| length.value);
    bars.sort_by(|left, right| value(right).total_cmp(&value(left)));
    let text = format!("{}: million jobs a second", table.case.workload);
    let title = Title { text: text.clone(), below: format!("{}; more is better", table.case.settings()) };
    Ok(Some(Plot {
        file: file_of("throughput", &table.case),
        alt: format!("{text}, {}", table.case.settings()),
        place: Place::Case(table.case.clone()),
        svg: Bars { title, bars, mark: None }.draw()?,
    }))
}

/// The longest time is the lowest rate.
fn millions_a_second(figure: &Figure) -> Length {
    let rate = |nanos: f64| 1e3 / nanos;
    Length { value: rate(figure.median), low: rate(figure.highest()), high: rate(figure.lowest()) }
}
