//! The figures in the chapters are those of the bench: each stands in its report.

use std::path::Path;

const REPORTS: [&str; 2] = ["bench/results/REPORT.md", "bench/results/serve/REPORT.md"];
const CHAPTERS: [&str; 3] = ["choosing", "balance", "performance"];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of a row of a table.
fn cells(row: &str) -> Vec<&str> {
    row.trim().trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches(['*', '`', ' '])).collect()
}

/// The lines of `text` between two others, each beginning so.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> impl Iterator<Item = &'a str> {
    let (begin, end) = (begin.to_owned(), end.to_owned());
    text.lines()
        .skip_while(move |line| *line != begin)
        .skip(1)
        .take_while(move |line| !line.starts_with(&end))
}

/// Whether each figure of a row is the median of its contender in the report's table. The row ends in the table's name, on the
/// system's allocator unless it says otherwise, and in figures: `contender median; contender median`.
fn stands_in_a_report(row: &str, reports: &[String]) -> bool {
    let cells = cells(row);
    let [.., table, figures] = cells[..] else { return false };
    let allocator = if table.contains("allocator") { "" } else { ", system allocator" };
    let heading = format!("### {table}{allocator}");
    let measured = |figure: &str| {
        let Some((contender, median)) = figure.split_once(' ') else { return false };
        reports.iter().any(|report| {
            between(report, &heading, "#").any(|line| match self::cells(line)[..] {
                [name, value, ..] => name == contender && value == median,
                _ => false,
            })
        })
    };
    figures.split("; ").all(measured)
}

#[test]
fn each_figure_of_a_chapter_stands_in_the_report_of_the_bench() {
    let reports = REPORTS.map(read);
    for chapter in CHAPTERS {
        let text = read(&format!("guide/src/{chapter}.md"));
        let rows: Vec<_> =
            between(&text, "<!-- figures -->", "<!-- end -->").filter(|line| line.starts_with('|')).collect();
        assert!(rows.len() > 2, "{chapter}.md has no table of figures");
        for row in &rows[2..] {
            assert!(
                stands_in_a_report(row, &reports),
                "guide/src/{chapter}.md has a figure that no report of the bench has: {row}"
            );
        }
    }
}

#[test]
fn a_figure_that_was_never_measured_is_noticed() {
    let reports =
        ["### a: 2 workers, system allocator\n\n| **millpond** | 15.8 ns/job | more |\n### b\n".to_owned()];
    let row = |table: &str, figures: &str| {
        stands_in_a_report(&format!("| text | `{table}` | {figures} |"), &reports)
    };
    assert!(row("a: 2 workers", "millpond 15.8 ns/job"));
    assert!(!row("a: 2 workers", "millpond 15.7 ns/job"));
    assert!(!row("a: 2 workers", "millpond 15.8 ns/job; tokio 15.8 ns/job"));
    assert!(!row("a: 1 worker", "millpond 15.8 ns/job"));
}
