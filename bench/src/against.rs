//! Two rows files: which figures moved by more than their runs scatter.

use crate::results::{Case, Entry, Figure, Results};
use crate::units::{quantity, shown};

/// One figure in both files.
#[derive(Debug)]
struct Pair<'a> {
    case: &'a Case,
    contender: &'a str,
    old: &'a Figure,
    new: &'a Figure,
}

/// A Markdown list: what moved, the furthest first; how many did not; and what is only in one of the two.
pub(crate) fn comparison(old: &Results, new: &Results) -> String {
    let mut moved = pairs(old, new);
    let common = moved.len();
    moved.retain(|pair| !pair.old.overlaps(pair.new));
    moved.sort_by(|left, right| right.distance().total_cmp(&left.distance()));
    let mut out = format!("{} of {common} figures moved; the runs of the others overlap.\n", moved.len());
    if pairs(old, new).iter().any(|pair| pair.old.runs.len().min(pair.new.runs.len()) == 1) {
        out += "Some were run only once, so that nothing is known of their spread.\n";
    }
    let size =
        |results: &Results| results.tables.first().map(|table| table.case.size.clone()).unwrap_or_default();
    if size(old) != size(new) {
        out += &format!("Only equal sizes are compared: the old is {}, the new {}.\n", size(old), size(new));
    }
    out += &list("", moved.iter().map(Pair::line).collect());
    out += &list("Only in the old:\n", missing(old, new));
    out + &list("Only in the new:\n", missing(new, old))
}

fn list(title: &str, lines: Vec<String>) -> String {
    if lines.is_empty() { String::new() } else { format!("\n{title}{}", lines.concat()) }
}

/// In the order of `new`.
fn pairs<'a>(old: &'a Results, new: &'a Results) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for (case, entry) in entries(new) {
        let Some(before) = find(old, case, &entry.contender) else { continue };
        for new in &entry.figures {
            let old = before.figures.iter().find(|old| (&old.metric, &old.unit) == (&new.metric, &new.unit));
            pairs.extend(old.map(|old| Pair { case, contender: &entry.contender, old, new }));
        }
    }
    pairs
}

/// What `of` has and `other` has not: contenders, figures of a contender in both, and failures.
fn missing(of: &Results, other: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    for (case, entry) in entries(of) {
        let name = named(case, &entry.contender);
        let Some(counterpart) = find(other, case, &entry.contender) else {
            lines.push(format!("- {name}\n"));
            continue;
        };
        let known = |metric: &str| counterpart.figures.iter().any(|figure| figure.metric == metric);
        let unknown = entry.figures.iter().filter(|figure| !known(&figure.metric));
        lines.extend(unknown.map(|figure| format!("- {name}: {}\n", figure.metric)));
        if let (Some(why), None) = (&entry.failed, &counterpart.failed) {
            lines.push(format!("- {name}: failed: {why}\n"));
        }
    }
    lines
}

fn entries(results: &Results) -> impl Iterator<Item = (&Case, &Entry)> {
    results.tables.iter().flat_map(|table| table.entries.iter().map(|entry| (&table.case, entry)))
}

fn find<'a>(results: &'a Results, case: &Case, contender: &str) -> Option<&'a Entry> {
    entries(results)
        .find(|(other, entry)| *other == case && entry.contender == contender)
        .map(|(_, entry)| entry)
}

fn named(case: &Case, contender: &str) -> String {
    format!("`{contender}` in **{}**, {}", case.workload, case.settings())
}

impl Pair<'_> {
    fn ratio(&self) -> f64 {
        self.new.median / self.old.median
    }

    /// Twice and half are equally far.
    fn distance(&self) -> f64 {
        self.ratio().ln().abs()
    }

    fn line(&self) -> String {
        let (old, new) = (self.old, self.new);
        let medians = format!("{} → {}", quantity(old.median, &old.unit), quantity(new.median, &new.unit));
        let is_better = (new.median < old.median) != new.more_is_better();
        let which = if is_better { "better" } else { "worse" };
        let name = named(self.case, self.contender);
        // From nothing there is no ratio.
        let ratio = if old.median > 0.0 { format!(", × {}", shown(self.ratio())) } else { String::new() };
        format!("- {name}: {} {medians}{ratio}, {which}\n", new.metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{ROWS, failure, file, results, row};

    #[test]
    fn a_file_has_not_moved_from_itself() {
        let comparison = comparison(&results(), &results());
        assert_eq!(comparison, "0 of 7 figures moved; the runs of the others overlap.\n");
    }

    #[test]
    fn what_moved_is_sorted_by_how_far() {
        let new = ROWS.replace(
            r#""value":300.0,"unit":"ns/job","runs":[300.0,290.0,310.0]"#,
            r#""value":200.0,"unit":"ns/job","runs":[200.0]"#,
        );
        let new = new.replace(
            r#""value":10.0,"unit":"ns/job","runs":[10.0,10.0,11.0]"#,
            r#""value":20.0,"unit":"ns/job","runs":[20.0]"#,
        );
        let comparison = comparison(&results(), &Results::parse(&new).expect("rows"));
        let expected = "\
2 of 7 figures moved; the runs of the others overlap.
Some were run only once, so that nothing is known of their spread.

- `limit-line-transfer` in **channel**, 1 worker, capacity 1024, mimalloc allocator: wall 10.0 ns/job → 20.0 ns/job, × 2.00, worse
- `tokio` in **spawn-join**, 2 workers, system allocator: wall 300 ns/job → 200 ns/job, × 0.67, better
";
        assert_eq!(comparison, expected);
    }

    #[test]
    fn a_rate_that_grew_is_better() {
        let rate = |rate: f64| file(&[row("serve", "load=even", "tokio", ("rate", rate, "requests/s"))]);
        let comparison = comparison(&rate(1000.0), &rate(2000.0));
        assert!(
            comparison.contains("rate 1000 requests/s → 2000 requests/s, × 2.00, better\n"),
            "{comparison}"
        );
    }

    #[test]
    fn other_sizes_are_not_compared() {
        let quick = Results::parse(&ROWS.replace(r#""size":"full"}"#, r#""size":"quick"}"#)).expect("rows");
        let comparison = comparison(&results(), &quick);
        assert!(comparison.contains("the old is full, the new quick.\n"), "{comparison}");
    }

    #[test]
    fn what_is_only_in_one_is_named() {
        let old = file(&[
            row("local", "", "monoio", ("wall", 1.0, "ns/job")),
            row("local", "", "compio", ("wall", 1.0, "ns/job")),
        ]);
        let new = file(&[
            failure("local", "monoio", "a wrong sum"),
            row("local", "", "monoio", ("cpu", 1.0, "ns/job")),
        ]);
        let expected = "\
0 of 0 figures moved; the runs of the others overlap.

Only in the old:
- `monoio` in **local**, 2 workers, system allocator: wall
- `compio` in **local**, 2 workers, system allocator

Only in the new:
- `monoio` in **local**, 2 workers, system allocator: cpu
- `monoio` in **local**, 2 workers, system allocator: failed: a wrong sum
";
        assert_eq!(comparison(&old, &new), expected);
    }
}
