//! Pictures of a rows file, as SVG. Each kind is a file that picks its figures; `bars` and `lines` draw them.

mod axis;
mod balance;
mod bars;
mod latency;
mod lines;
mod palette;
mod scale;
mod sheet;
mod throughput;

use crate::results::{Case, Results};

/// An SVG file, and where it belongs.
#[derive(Debug)]
pub(crate) struct Plot {
    /// Its name in the folder of plots.
    pub(crate) file: String,
    /// What it shows, for those who cannot see it.
    pub(crate) alt: String,
    pub(crate) place: Place,
    pub(crate) svg: String,
}

/// What a plot is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One table.
    Case(Case),
    /// All tables of a workload, or several of them.
    Workload(String),
}

/// All plots that the rows allow, in the order of the tables.
pub(crate) fn all(results: &Results) -> Result<Vec<Plot>, String> {
    let mut plots = Vec::new();
    for table in &results.tables {
        for plot in [throughput::plot(table)?, latency::plot(table)?, balance::plot(table)?] {
            plots.extend(plot);
        }
    }
    plots.extend(scale::plots(results)?);
    Ok(plots)
}

/// The name of a case's file: `kind-workload-w2-capacity-1024-mimalloc.svg`. The system's allocator goes without saying.
fn file_of(kind: &str, case: &Case) -> String {
    let variant = case.variant.replace(", ", "-").replace(['=', '/', ' '], "-");
    let workers = format!("w{}", case.workers);
    file_named(&[kind, &case.workload, &workers, &variant, named_allocator(case)])
}

fn file_named(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    format!("{}.svg", parts.join("-"))
}

fn named_allocator(case: &Case) -> &str {
    if case.allocator == "system" { "" } else { &case.allocator }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{file, results, row};

    fn names(results: &Results) -> Vec<String> {
        all(results).expect("they can be drawn").into_iter().map(|plot| plot.file).collect()
    }

    #[test]
    fn each_table_has_the_plots_that_its_rows_allow() {
        let expected = ["throughput-spawn-join-w2.svg", "throughput-channel-w1-capacity-1024-mimalloc.svg"];
        assert_eq!(names(&results()), expected);
        let results = file(&[
            row("round-trip", "gap=0", "millpond", ("p50", 5.0, "us")),
            row("round-trip", "gap=0", "millpond", ("p99", 9.0, "us")),
            row("spread", "", "tokio", ("busiest", 1.1, "of fair share")),
            row("stranded", "", "tokio", ("longest wait", 900.0, "us")),
            row("serve", "load=even", "tokio", ("wall", 9000.0, "ns/request")),
            row("serve", "load=even", "tokio", ("p50", 500.0, "us")),
            row("serve", "load=even", "tokio", ("p99", 900.0, "us")),
            row("serve", "load=even", "tokio", ("connections", 1.2, "of fair share")),
            row("serve", "load=even", "tokio", ("busy", 1.1, "of fair share")),
            row("scale-depth", "depth=1000", "tokio", ("wall", 90.0, "ns/job")),
            row("scale-depth", "depth=10000", "tokio", ("wall", 95.0, "ns/job")),
        ]);
        let expected = [
            "latency-round-trip-w2-gap-0.svg",
            "balance-spread-w2.svg",
            "throughput-serve-w2-load-even.svg",
            "latency-serve-w2-load-even.svg",
            "balance-serve-w2-load-even.svg",
            "scale-depth-w2.svg",
        ];
        assert_eq!(names(&results), expected);
    }

    #[test]
    fn rates_and_latencies_have_their_own_units_and_each_bar_its_name() {
        let results = file(&[
            row("serve", "load=even", "tokio", ("wall", 9000.0, "ns/request")),
            row("serve", "load=even", "tokio", ("p50", 500.0, "us")),
            row("serve", "load=even", "tokio", ("p99", 900.0, "us")),
            row("serve", "load=even", "tokio", ("connections", 1.25, "of fair share")),
            row("serve", "load=even", "tokio", ("busy", 1.5, "of fair share")),
        ]);
        let plots = all(&results).expect("they can be drawn");
        let [throughput, latency, balance] = &plots[..] else { panic!("{plots:?}") };
        assert!(throughput.svg.contains("111 k/s") && throughput.svg.contains("thousand requests a second"));
        assert!(latency.svg.contains("500 µs") && !latency.svg.contains("request"));
        assert!(balance.svg.contains("1.25 connections") && balance.svg.contains("1.50 busy"));
    }

    #[test]
    fn the_same_rows_give_the_same_bytes() {
        let svg = || all(&results()).expect("they can be drawn").remove(0).svg;
        assert_eq!(svg(), svg());
        assert!(svg().contains("tokio") && svg().contains("rayon"), "who failed is named too");
    }
}
