//! Who is ahead: millpond's best beside every rival, in each case.

use crate::results::{Entry, Figure, Results, Table};
use crate::units::percent_above;

/// Compared beside the first figure, where a case has it: a median tells nothing of the tail.
const TAIL: &str = "p99";

/// What a contender stands for beside the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Millpond,
    /// What the machine allows; no product, so no rival.
    Limit,
    Rival,
}

/// millpond's place in one table by one metric.
#[derive(Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) table: &'a Table,
    pub(crate) metric: &'a str,
    /// Contender and figure of the cheapest of millpond's; none if all of them failed.
    pub(crate) ours: Option<(&'a str, &'a Figure)>,
    /// All that are cheaper, the cheapest first.
    pub(crate) ahead: Vec<(&'a str, &'a Figure)>,
}

/// In the order of the tables. Those in which millpond has no rival are left out.
pub(crate) fn standings(results: &Results) -> Vec<Standing<'_>> {
    results.tables.iter().flat_map(of_table).collect()
}

fn of_table(table: &Table) -> Vec<Standing<'_>> {
    let entries = || table.entries.iter();
    let takes_part = |kind: Kind| entries().any(|entry| Kind::of(&entry.contender) == kind);
    if !takes_part(Kind::Millpond) || !takes_part(Kind::Rival) {
        return Vec::new();
    }
    let first = entries().filter(|entry| Kind::of(&entry.contender) != Kind::Limit).find_map(Entry::primary);
    let Some(first) = first.map(|figure| figure.metric.as_str()) else { return Vec::new() };
    let has_tail = entries().any(|entry| cost(entry, TAIL).is_some());
    let mut metrics = vec![first];
    metrics.extend((has_tail && first != TAIL).then_some(TAIL));
    metrics.into_iter().map(|metric| Standing::of(table, metric)).collect()
}

/// The figure of a contender that did not fail.
fn cost<'a>(entry: &'a Entry, metric: &str) -> Option<&'a Figure> {
    let figures = if entry.failed.is_none() { &entry.figures[..] } else { &[] };
    figures.iter().find(|figure| figure.metric == metric)
}

impl Kind {
    pub(crate) fn of(contender: &str) -> Self {
        if contender.starts_with("millpond") {
            Kind::Millpond
        } else if contender.starts_with("limit-") || contender.starts_with("floor") {
            Kind::Limit
        } else {
            Kind::Rival
        }
    }
}

impl<'a> Standing<'a> {
    fn of(table: &'a Table, metric: &'a str) -> Self {
        let sorted = |kind: Kind| {
            let entries = table.entries.iter().filter(|entry| Kind::of(&entry.contender) == kind);
            let costs = entries.filter_map(|entry| Some((entry.contender.as_str(), cost(entry, metric)?)));
            let mut costs: Vec<(&str, &Figure)> = costs.collect();
            costs.sort_by(|(_, left), (_, right)| left.median.total_cmp(&right.median));
            costs
        };
        let ours = sorted(Kind::Millpond).first().copied();
        let mut ahead = sorted(Kind::Rival);
        ahead.retain(|(_, theirs)| ours.is_some_and(|(_, ours)| theirs.median < ours.median));
        Standing { table, metric, ours, ahead }
    }

    /// Whether each rival ahead might as well not be, as far as the runs tell.
    pub(crate) fn is_within_the_spread(&self) -> bool {
        self.ahead.iter().all(|(_, theirs)| self.ours.is_some_and(|(_, ours)| ours.overlaps(theirs)))
    }

    /// Such as "behind `kanal` by 12 %"; none where millpond is ahead.
    pub(crate) fn behind(&self) -> Option<String> {
        let Some((_, ours)) = self.ours else { return Some("millpond has no figure".to_owned()) };
        let gaps = self.ahead.iter().map(|(contender, theirs)| {
            let gap = percent_above(ours.median, theirs.median);
            let note = if ours.overlaps(theirs) { " (within the spread)" } else { "" };
            format!("`{contender}` by {gap}{note}")
        });
        let gaps: Vec<String> = gaps.collect();
        (!gaps.is_empty()).then(|| format!("behind {}", gaps.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failure, file, results, row};

    #[test]
    fn rivals_ahead_are_named_with_their_gap_and_limits_are_not() {
        let results = results();
        let [spawn_join, channel] = &standings(&results)[..] else { panic!("two cases have rivals") };
        assert_eq!(spawn_join.behind(), None);
        let behind = channel.behind().expect("kanal is ahead");
        assert_eq!(behind, "behind `kanal` by 25 %, `flume` by 4.2 % (within the spread)");
        assert!(!channel.is_within_the_spread());
    }

    #[test]
    fn without_a_figure_of_ours_nothing_is_claimed() {
        let results = file(&[
            failure("compute", "millpond", "a wrong sum"),
            row("compute", "", "tokio", ("wall", 300.0, "ns/job")),
        ]);
        assert_eq!(standings(&results)[0].behind().as_deref(), Some("millpond has no figure"));
    }

    #[test]
    fn a_table_without_rivals_has_no_standing() {
        let results = file(&[
            row("local", "", "millpond", ("wall", 30.0, "ns/job")),
            row("local", "", "limit-malloc", ("wall", 20.0, "ns/job")),
        ]);
        assert!(standings(&results).is_empty());
    }

    #[test]
    fn the_tail_is_compared_too() {
        let percentiles = |contender: &str, p50: f64, p99: f64| {
            [("p50", p50), ("p99", p99)]
                .map(|(name, value)| row("round-trip", "", contender, (name, value, "us")))
        };
        let results = file(&[percentiles("millpond", 5.0, 30.0), percentiles("tokio", 6.0, 20.0)].concat());
        let [median, tail] = &standings(&results)[..] else { panic!("two metrics are compared") };
        assert_eq!((median.metric, median.behind()), ("p50", None));
        assert_eq!((tail.metric, tail.behind().as_deref()), ("p99", Some("behind `tokio` by 50 %")));
    }

    #[test]
    fn kinds_go_by_the_name() {
        assert_eq!(Kind::of("millpond-join"), Kind::Millpond);
        assert_eq!(Kind::of("limit-nop"), Kind::Limit);
        assert_eq!(Kind::of("floor-same-cpu"), Kind::Limit);
        assert_eq!(Kind::of("flume+monoio"), Kind::Rival);
    }
}
