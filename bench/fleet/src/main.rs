//! A simulated fleet: what 10 to 10,000 consumers do behind one JetStream stream, and where partitions begin.
//!
//! A fleet is a [`case`]: its parts, each of one stream and its nodes, are simulated apart ([`simulation`]). What happens
//! at the server is in [`stream`], what happens at a consumer in [`node`], what goes wrong in [`crash`]. What comes of it are [`rows`], and of these
//! the tables that people read ([`report`]).

mod args;
mod case;
mod crash;
mod histogram;
mod measure;
mod node;
mod random;
mod report;
mod rows;
mod settings;
mod simulation;
mod stream;
mod tally;
#[cfg(test)]
mod tests;
mod wire;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use crate::args::{Args, Simulate};
use crate::case::{CONSUMERS, Case, OWN};
use crate::rows::Row;
use crate::settings::Settings;

/// Where the rows of the committed report are, from the root of the project.
const ROWS: &str = "bench/results/fleet/latest.json";
const REPORT: &str = "REPORT.md";

/// Where the costs of the server come from, for the header.
const MEASURED: &str = "nats-server 2.9.10, 2 virtual CPUs of an AMD EPYC that others used too, 2026-11-23";

fn main() -> ExitCode {
    let done = match Args::parse(lexopt::Parser::from_env()) {
        Ok(Args::Help) => {
            print!("{}", args::HELP);
            Ok(())
        }
        Ok(Args::Simulate(simulate)) => self::simulate(&simulate),
        Ok(Args::Beside(simulate)) => beside(&simulate),
        Ok(Args::Measure { replicas }) => measure::run(replicas),
        Ok(Args::Report { rows, page, check }) => self::report(&rows, page.as_deref(), check),
        Err(error) => {
            eprintln!("fleet: {error}; `--help` lists what there is");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet: {error}");
            ExitCode::FAILURE
        }
    }
}

fn simulate(simulate: &Simulate) -> Result<(), String> {
    let cases = if simulate.is_own { own(simulate) } else { case::all(&simulate.settings, simulate.load) };
    let tallies = case::run(&cases, |case, tally| {
        let Case { consumers, streams, variant, .. } = case;
        eprintln!("{consumers} consumers, {streams} streams {variant}: {:.0} jobs/s", tally.jobs_per_s());
    });
    let rows: Vec<Row> = cases.iter().zip(&tallies).map(|(case, tally)| Row::of(case, tally)).collect();
    let header = rows::header(&simulate.settings, simulate.load, MEASURED);
    let out = simulate.out.clone().or_else(|| (!simulate.is_own).then(|| PathBuf::from(ROWS)));
    let Some(out) = out else {
        print!("{}", report::text(&header, &rows));
        return Ok(());
    };
    write(&out, &rows::text(&header, &rows))?;
    report(&out, simulate.page.as_deref(), false)
}

/// The caller's fleets behind one real stream each, which one machine can do while they are small.
fn beside(simulate: &Simulate) -> Result<(), String> {
    let without_crashes = Settings { between_crashes_ns: None, ..simulate.settings.clone() };
    let mut fleets = own(&Simulate { settings: without_crashes, ..simulate.clone() })
        .into_iter()
        .map(|case| case.with_streams(1));
    fleets.try_for_each(|case| measure::beside(&case.settings, simulate.load))
}

/// The caller's fleets, each behind the streams that were asked for, or behind those that it needs.
fn own(simulate: &Simulate) -> Vec<Case> {
    let sizes = if simulate.consumers.is_empty() { CONSUMERS.to_vec() } else { simulate.consumers.clone() };
    let case = |consumers| {
        let case = Case::new(OWN, consumers, simulate.load, &simulate.settings);
        let case = Case { keys: simulate.keys, ..case };
        match simulate.streams {
            Some(streams) => case.with_streams(streams),
            None => case.partitioned(),
        }
    };
    sizes.into_iter().map(case).collect()
}

/// The report beside the rows, and the page's tables: written, or compared with what is there.
fn report(rows: &Path, page: Option<&Path>, check: bool) -> Result<(), String> {
    let (header, parsed) = rows::parse(&read(rows)?)?;
    let text = report::text(&header, &parsed);
    let beside = rows.with_file_name(REPORT);
    let mut files = vec![(beside, format!("# A simulated fleet\n\n{text}"))];
    if let Some(page) = page {
        let replaced = report::replaced(&read(page)?, &text);
        files.push((page.to_owned(), replaced.map_err(|error| format!("{}: {error}", page.display()))?));
    }
    for (path, text) in files {
        if !check {
            write(&path, &text)?;
        } else if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            return Err(format!("{} is not as {} has it", path.display(), rows.display()));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.map_err(|error: io::Error| format!("{} cannot be written: {error}", path.display()))
}
