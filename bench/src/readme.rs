//! The project README's section of figures: the main workloads beside the best known contenders, and one plot.

use crate::plots::{Place, Plot};
use crate::results::{Case, Entry, Figure, Results, Table};
use crate::units::{counted, quantity, shown};

const START: &str = "<!-- bench -->";
const END: &str = "<!-- /bench -->";

/// One setting tells enough there; the report has all.
const WORKERS: u64 = 2;
const ALLOCATOR: &str = "system";

/// The workload whose plot is shown.
const PLOTTED: &str = "spawn-join";

/// A column, and the contenders that stand for it. Like is compared with like: pools with a pool, loops that receive with
/// such loops, and no driver that runs on a worker, which for some workloads need not leave its thread.
#[derive(Debug)]
struct Column {
    title: &'static str,
    /// Of several settings the cheapest counts.
    pools: &'static [&'static str],
    channels: &'static [&'static str],
}

const COLUMNS: [Column; 6] = [
    Column { title: "millpond", pools: &["millpond"], channels: &["millpond-channel"] },
    Column { title: "tokio", pools: &["tokio", "tokio-blocking", "tokio+hyper"], channels: &[] },
    Column { title: "compio-dispatcher", pools: &["compio-dispatcher"], channels: &[] },
    Column {
        title: "monoio by hand",
        pools: &["flume+monoio", "monoio"],
        channels: &["flume", "flume-drain"],
    },
    Column { title: "rayon", pools: &["rayon"], channels: &[] },
    Column { title: "std-threads", pools: &["std-threads", "std+flume"], channels: &[] },
];

/// The workload of the channels; all others are of pools.
const CHANNEL: &str = "channel";

/// Workloads in the order of the table, and what a figure of them is. No metrics: the first.
const ROWS: [(&str, &str, &[&str]); 9] = [
    ("spawn-join", "a trivial job, spawned and awaited", &[]),
    ("compute", "a typed job, sent and not awaited", &[]),
    ("channel", "a message to a receiving loop", &[]),
    ("round-trip", "one job at a time on an idle pool", &["p50", "p99"]),
    ("stranded", "longest wait beside a worker that computes for 900 ms", &[]),
    ("skew", "jobs of very different sizes, in the least time possible", &[]),
    ("skew-io", "the same jobs, each waiting first", &[]),
    ("files", "files read and hashed", &[]),
    ("serve", "an HTTP request on a keep-alive connection", &[]),
];

/// The section with its markers. `dir` is the folder of the plots as the README reaches it.
pub(crate) fn section(results: &Results, plots: &[Plot], dir: &str) -> String {
    let mut out = format!("{START}\n\n{}\n", table(results));
    out += &format!("{}\n", stamp(results));
    let is_shown =
        |plot: &&Plot| matches!(&plot.place, Place::Case(case) if case.workload == PLOTTED && is_shown(case));
    if let Some(plot) = plots.iter().find(is_shown) {
        out += &format!("\n![{}]({dir}/{})\n", plot.alt, plot.file);
    }
    format!("{out}\n{END}")
}

/// `readme` with its section of figures replaced.
pub(crate) fn replaced(readme: &str, section: &str) -> Result<String, String> {
    let missing = |marker: &str| format!("it has no `{marker}`");
    let (before, rest) = readme.split_once(START).ok_or_else(|| missing(START))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| missing(END))?;
    Ok(format!("{before}{section}{after}"))
}

fn is_shown(case: &Case) -> bool {
    case.workers == WORKERS && case.allocator == ALLOCATOR
}

fn table(results: &Results) -> String {
    let titles = COLUMNS.map(|column| column.title).join(" | ");
    let mut out = format!("| | {titles} |\n|---|{}\n", "---:|".repeat(COLUMNS.len()));
    for (workload, words, metrics) in ROWS {
        for table in results.of_workload(workload).filter(|table| is_shown(&table.case)) {
            let variant = table.case.variant.replace('=', " ");
            let named = if variant.is_empty() { String::new() } else { format!(", {variant}") };
            let firsts = [""];
            for metric in if metrics.is_empty() { &firsts[..] } else { metrics } {
                let named_metric = if metric.is_empty() { first_percentile(table) } else { metric };
                let which = if named_metric.is_empty() { String::new() } else { format!(", {named_metric}") };
                out += &format!(
                    "| {words} (`{workload}`{named}{which}) | {} |\n",
                    cells(table, metric).join(" | ")
                );
            }
        }
    }
    out
}

/// The name of the first figure where that is a percentile: of which, the words of the row do not tell.
fn first_percentile(table: &Table) -> &str {
    let first = table.entries.iter().find_map(Entry::primary).map_or("", |figure| &figure.metric);
    let is_percentile = first.strip_prefix('p').is_some_and(|rest| rest.parse::<f64>().is_ok());
    if is_percentile { first } else { "" }
}

/// A figure for each column, with its ratio to millpond's; the cheapest is bold, whoever it is.
fn cells(table: &Table, metric: &str) -> Vec<String> {
    let figures = COLUMNS.map(|column| column.figure(table, metric));
    let costs = || figures.iter().flatten().map(|figure| figure.median);
    let cheapest = costs().fold(f64::INFINITY, f64::min);
    let ours = figures[0].map(|figure| figure.median).filter(|cost| *cost > 0.0);
    let cell = |(index, figure): (usize, &Option<&Figure>)| {
        let Some(figure) = figure else { return "—".to_owned() };
        let value = quantity(figure.median, shown_unit(&figure.unit));
        let value = if figure.median <= cheapest { format!("**{value}**") } else { value };
        match ours {
            Some(ours) if index > 0 => format!("{value}, {} ×", shown(figure.median / ours)),
            _ => value,
        }
    };
    figures.iter().enumerate().map(cell).collect()
}

/// Of what a part is told, and for each of what, stands in front of the row.
fn shown_unit(unit: &str) -> &str {
    if unit.starts_with("of ") { "" } else { unit.split('/').next().unwrap_or_default() }
}

impl Column {
    fn figure<'a>(&self, table: &'a Table, metric: &str) -> Option<&'a Figure> {
        let contenders = if table.case.workload == CHANNEL { self.channels } else { self.pools };
        let figures = contenders.iter().filter_map(|name| {
            let entry =
                table.entries.iter().find(|entry| entry.contender == *name && entry.failed.is_none())?;
            let named = |figure: &&Figure| figure.metric == metric;
            if metric.is_empty() { entry.primary() } else { entry.figures.iter().find(named) }
        });
        figures.min_by(|left, right| left.median.total_cmp(&right.median))
    }
}

/// Under which circumstances, so that nobody takes the figures for laws.
fn stamp(results: &Results) -> String {
    let header = &results.header;
    let words = |field: &str| header.words(field);
    let cores = words("cores").and_then(|cores| cores.parse().ok()).map(|cores| counted(cores, "core"));
    let machine = [
        words("cpu"),
        cores,
        words("kernel").map(|kernel| format!("Linux {kernel}")),
        words("toolchain"),
        words("commit").map(|commit| format!("commit {commit}")),
        words("date").map(|date| date.chars().take_while(|letter| *letter != 'T').collect()),
    ];
    let machine: Vec<String> = machine.into_iter().flatten().collect();
    let mut out = format!(
        "Costs, so less is better, with their ratio to millpond's: medians on {}, {ALLOCATOR} allocator. Of several \
         settings the best counts; — where one takes no part. {}.\n",
        counted(WORKERS, "worker"),
        machine.join("; "),
    );
    out += &results.caution().map_or(String::new(), |caution| format!("{caution}\n"));
    let warnings = header.list("warnings");
    if !warnings.is_empty() {
        out += &format!("Not quite as it should have been: {}.\n", warnings.join("; "));
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failure, file, results, row};
    use crate::plots;

    #[test]
    fn the_section_has_table_stamp_and_plot() {
        let results = results();
        let plots = plots::all(&results).expect("they can be drawn");
        let section = section(&results, &plots, "bench/results/plots");
        let row = "(`spawn-join`) | **100 ns** | 300 ns, 3.00 × | — | — | — | — |\n";
        assert!(section.contains(row), "{section}");
        assert!(
            section.contains("A CPU; 2 cores; Linux 6.1; rustc 1.95; commit c0ffee; 2026-01-02.\n"),
            "{section}"
        );
        assert!(section.contains("the load is 3.1"));
        assert!(section.contains("](bench/results/plots/throughput-spawn-join-w2.svg)\n"));
        assert!(!section.contains("`channel`"), "another allocator, another number of workers");
    }

    #[test]
    fn a_rival_s_best_setting_counts_and_the_cheapest_is_bold() {
        let results = file(&[
            row("channel", "capacity=1024", "millpond-channel", ("wall", 50.0, "ns/job")),
            row("channel", "capacity=1024", "flume", ("wall", 80.0, "ns/job")),
            row("channel", "capacity=1024", "flume-drain", ("wall", 40.0, "ns/job")),
            failure("stranded", "tokio", "it hung"),
            row("skew", "", "tokio", ("makespan", 1.4, "of bound")),
            row("round-trip", "", "rayon", ("p50", 20_000.0, "us")),
            row("round-trip", "", "rayon", ("p99", 30.0, "us")),
            row("serve", "load=even", "monoio", ("wall", 7000.0, "ns/request")),
            row("serve", "load=skewed", "tokio+hyper", ("p99", 900.0, "us")),
        ]);
        let section = section(&results, &[], "plots");
        assert!(
            section
                .contains("(`channel`, capacity 1024) | 50.0 ns | — | — | **40.0 ns**, 0.80 × | — | — |\n")
        );
        assert!(section.contains("(`round-trip`, p50) | — | — | — | — | **20.0 ms** | — |\n"), "{section}");
        assert!(section.contains("(`skew`) | — | **1.40** |"));
        assert!(section.contains("(`serve`, load even) | — | — | — | **7000 ns** | — | — |\n"), "{section}");
        assert!(section.contains("(`serve`, load skewed, p99) | — | **900 µs** |"), "{section}");
        assert!(section.contains("(`stranded`) | — | — | — | — | — | — |\n"));
        assert!(!section.contains("!["));
    }

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let readme = format!("before\n{START}\nold\n{END}\nafter\n");
        let section = format!("{START}\nnew\n{END}");
        let new = replaced(&readme, &section).expect("both markers are there");
        assert_eq!(new, format!("before\n{section}\nafter\n"));
        assert_eq!(replaced(&new, &section).as_ref(), Ok(&new));
        assert_eq!(replaced("nothing", &section), Err(format!("it has no `{START}`")));
        assert_eq!(replaced(START, &section), Err(format!("it has no `{END}`")));
    }
}
