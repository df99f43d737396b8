//! REPORT.md: the machine, who is ahead, and a table for each case.

use crate::plots::{Place, Plot};
use crate::results::{Entry, Figure, Header, Results, Table};
use crate::standing::{Kind, Standing, standings};
use crate::units::{counted, quantity, range, shown};

/// Where the plots lie beside the report.
pub(crate) const PLOTS: &str = "plots";

/// What the header tells, in the order of the report.
const MACHINE: [(&str, &str); 12] = [
    ("cpu", "CPU"),
    ("cores", "cores"),
    ("kernel", "kernel"),
    ("governor", "governor"),
    ("load_average", "load average before"),
    ("toolchain", "toolchain"),
    ("optimised", "optimised"),
    ("commit", "commit"),
    ("date", "date"),
    ("size", "size"),
    ("rounds", "rounds"),
    ("runs", "runs"),
];

const ABOUT: &str = "\
Made from the rows of a run. All figures but rates (`requests/s`) are costs: less is better. The first is the median over
the runs, with the lowest and the highest; × is its ratio to millpond's, so above 1 millpond is cheaper; the others are
medians.
Contenders whose names begin with `limit-` or `floor` are no rivals but what the machine allows.
";

/// The whole report. `about` says in a sentence what a workload is, where the rows do not.
pub(crate) fn text(
    results: &Results,
    plots: &[Plot],
    about: impl Fn(&str) -> Option<&'static str>,
) -> String {
    let mut out = format!("# millpond beside its rivals: results\n\n{ABOUT}\n{}\n", machine(&results.header));
    out += &summary(results);
    for workload in results.workloads() {
        out += &format!("\n## {workload}\n\n");
        let told = results.header.about(workload);
        if let Some(about) = told.or_else(|| about(workload).map(str::to_owned)) {
            out += &format!("{}.\n\n", capitalised(&about));
        }
        out += &embedded(plots, &Place::Workload(workload.to_owned()));
        for table in results.of_workload(workload) {
            out += &format!("### {workload}: {}\n\n{}\n", table.case.settings(), rows(table));
            out += &embedded(plots, &Place::Case(table.case.clone()));
        }
    }
    format!("{}\n", out.trim_end())
}

fn machine(header: &Header) -> String {
    let mut out = "| | |\n|---|---|\n".to_owned();
    for (field, name) in MACHINE {
        if let Some(words) = header.words(field) {
            out += &format!("| {name} | {} |\n", cell(&words));
        }
    }
    let allocators = header.list("allocators");
    if !allocators.is_empty() {
        out += &format!("| allocators | {} |\n", cell(&allocators.join(", ")));
    }
    for warning in header.list("warnings") {
        out += &format!("\n> **Warning:** {}\n", one_line(&warning));
    }
    out
}

/// Where millpond is behind, and what failed: nobody should have to look for it.
fn summary(results: &Results) -> String {
    let standings = standings(results);
    let behind: Vec<(&Standing<'_>, String)> =
        standings.iter().filter_map(|standing| Some((standing, standing.behind()?))).collect();
    let close = behind.iter().filter(|(standing, _)| standing.is_within_the_spread()).count();
    let mut out = "## Where millpond stands\n\n".to_owned();
    out += &format!(
        "Of {} with a rival (by the first figure, and by p99 where there is one), millpond's best contender is ahead \
         in {}, within the spread of whoever is ahead in {close}, and behind in {}.\n",
        counted(standings.len() as u64, "comparison"),
        standings.len() - behind.len(),
        behind.len() - close,
    );
    out += &results.caution().map_or(String::new(), |caution| format!("{caution}\n"));
    if !behind.is_empty() {
        out += "\n";
    }
    for (standing, words) in behind {
        let (case, metric) = (&standing.table.case, standing.metric);
        out += &format!("- **{}**, {}, {metric}: {words}\n", case.workload, case.settings());
    }
    out + &failures(results)
}

fn failures(results: &Results) -> String {
    let lines = results.tables.iter().flat_map(|table| {
        table.entries.iter().filter_map(|entry| {
            let (case, why) = (&table.case, one_line(entry.failed.as_deref()?));
            Some(format!("- `{}` in **{}**, {}: {why}\n", entry.contender, case.workload, case.settings()))
        })
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { String::new() } else { format!("\nFailed:\n\n{}", lines.concat()) }
}

fn rows(table: &Table) -> String {
    let mut out = "| contender | median | min – max | × millpond | other metrics |\n".to_owned();
    out += "|---|---:|---:|---:|---|\n";
    let mut entries: Vec<&Entry> = table.entries.iter().collect();
    let cost = |entry: &Entry| entry.primary().map_or(f64::INFINITY, |figure| figure.median);
    entries.sort_by(|left, right| cost(left).total_cmp(&cost(right)));
    for entry in entries {
        out += &row(entry);
    }
    out
}

fn row(entry: &Entry) -> String {
    let name = match Kind::of(&entry.contender) {
        Kind::Millpond => format!("**{}**", entry.contender),
        Kind::Limit => format!("*{}*", entry.contender),
        Kind::Rival => entry.contender.clone(),
    };
    if let Some(why) = &entry.failed {
        return format!("| {name} | failed | | | {} |\n", cell(why));
    }
    let Some((first, others)) = entry.figures.split_first() else { return format!("| {name} | | | | |\n") };
    let ratio = first.ratio.map_or(String::new(), shown);
    let others: Vec<String> = others.iter().map(other).collect();
    let spread = range(first.lowest(), first.highest(), &first.unit);
    let median = quantity(first.median, &first.unit);
    format!("| {name} | {median} | {spread} | {ratio} | {} |\n", cell(&others.join("; ")))
}

fn other(figure: &Figure) -> String {
    format!("{} {}", figure.metric, quantity(figure.median, &figure.unit))
}

fn embedded(plots: &[Plot], place: &Place) -> String {
    let plots = plots.iter().filter(|plot| plot.place == *place);
    plots.map(|plot| format!("![{}]({PLOTS}/{})\n\n", plot.alt, plot.file)).collect()
}

/// What cannot end a table's cell.
fn cell(words: &str) -> String {
    one_line(words).replace('|', "\\|")
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::results;
    use crate::plots;

    fn fixture() -> String {
        let results = results();
        let plots = plots::all(&results).expect("they can be drawn");
        text(&results, &plots, |name| (name == "channel").then_some("typed jobs"))
    }

    #[test]
    fn the_machine_and_its_warnings_come_first() {
        let report = fixture();
        assert!(report.contains("| kernel | 6.1 |\n"));
        assert!(!report.contains("governor"), "what is null is left out");
        assert!(report.contains("> **Warning:** the load is 3.1\n"));
    }

    #[test]
    fn the_summary_says_where_millpond_is_behind_and_what_failed() {
        let report = fixture();
        let line =
            "- **channel**, 1 worker, capacity 1024, mimalloc allocator, wall: behind `kanal` by 25 %, ";
        assert!(report.contains(line), "{report}");
        assert!(
            report.contains("is ahead in 1, within the spread of whoever is ahead in 0, and behind in 1.")
        );
        assert!(
            report.contains("- `rayon` in **spawn-join**, 2 workers, system allocator: it hung | badly\n")
        );
    }

    #[test]
    fn a_table_is_sorted_and_failures_are_last() {
        let report = fixture();
        let table = "\
| **millpond** | 100 ns/job | 95.0 – 110 ns/job | 1.00 | cpu 150 ns/job |
| tokio | 300 ns/job | 290 – 310 ns/job | 3.00 |  |
| rayon | failed | | | it hung \\| badly |
";
        assert!(report.contains(table), "{report}");
    }

    #[test]
    fn plots_are_embedded_below_their_table() {
        let report = fixture();
        let plot = report.find("](plots/throughput-spawn-join-w2.svg)").expect("it is embedded");
        assert!(report.find("### spawn-join: 2 workers").expect("a heading") < plot);
        assert!(plot < report.find("## channel\n\nTyped jobs.\n").expect("a heading with a sentence"));
    }
}
