//! Makes of a rows file what people read: REPORT.md, the plots, and the README's section.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::against;
use crate::plots::{self, Plot};
use crate::readme;
use crate::report::{self, PLOTS};
use crate::results::Results;
use crate::workloads::WORKLOADS;

const REPORT: &str = "REPORT.md";

/// What is to be made, and of what.
#[derive(Debug)]
pub(crate) struct Publish {
    /// The report and the plots lie beside it.
    pub(crate) rows: PathBuf,
    /// The README whose section is made too.
    pub(crate) readme: Option<PathBuf>,
    /// An earlier rows file, to compare with.
    pub(crate) against: Option<PathBuf>,
    /// Writes nothing: an error unless all is there, and as the rows have it.
    pub(crate) check: bool,
}

impl Publish {
    /// The report and the plots of these rows, and nothing else.
    pub(crate) fn of(rows: &Path) -> Self {
        Publish { rows: rows.to_owned(), readme: None, against: None, check: false }
    }
}

pub(crate) fn run(publish: &Publish) -> Result<(), String> {
    let results = Results::read(&publish.rows)?;
    if let Some(old) = &publish.against {
        println!("{}", against::comparison(&Results::read(old)?, &results));
    }
    let dir = publish.rows.parent().unwrap_or(Path::new(""));
    let plots = plots::all(&results)?;
    let mut files = report_and_plots(&results, &plots, dir);
    let stale = stale(dir, &files)?;
    if let Some(path) = &publish.readme {
        let section = readme::section(&results, &plots, &plots_from(path, dir)?);
        let readme = readme::replaced(&read(path)?, &section);
        files.insert(path.clone(), readme.map_err(|error| format!("{}: {error}", path.display()))?);
    }
    if publish.check { check(&files, &stale) } else { write(&files, &stale) }
}

/// The report and its plots, by where they go.
fn report_and_plots(results: &Results, plots: &[Plot], dir: &Path) -> BTreeMap<PathBuf, String> {
    let about = |name: &str| WORKLOADS.iter().find(|workload| workload.name == name).map(|found| found.about);
    let report = (dir.join(REPORT), report::text(results, plots, about));
    let plots = plots.iter().map(|plot| (dir.join(PLOTS).join(&plot.file), plot.svg.clone()));
    plots.chain([report]).collect()
}

/// Plots that the last report has shown and this one does not. Others in the folder are not ours.
fn stale(dir: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>, String> {
    let path = dir.join(REPORT);
    let last = if path.exists() { read(&path)? } else { String::new() };
    let link = format!("]({PLOTS}/");
    let shown = last.split(&link).skip(1).filter_map(|rest| rest.split_once(')')).map(|(file, _)| file);
    let paths = shown.filter(|file| !file.contains('/')).map(|file| dir.join(PLOTS).join(file));
    Ok(paths.filter(|path| !files.contains_key(path) && path.exists()).collect())
}

/// The plots beside the rows, as a link in the README reaches them.
fn plots_from(readme: &Path, dir: &Path) -> Result<String, String> {
    let here = |dir: &Path| if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir.to_owned() };
    let real = |dir: PathBuf| fs::canonicalize(&dir).map_err(|error| format!("{}: {error}", dir.display()));
    let top = real(here(readme.parent().unwrap_or(dir)))?;
    let rows = real(here(dir))?;
    let below = rows.strip_prefix(&top).map_err(|_| format!("{} is not above the rows", top.display()))?;
    Ok(below.join(PLOTS).display().to_string())
}

fn check(files: &BTreeMap<PathBuf, String>, stale: &[PathBuf]) -> Result<(), String> {
    let differs = files.iter().filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(text));
    let wrong: Vec<String> =
        differs.map(|(path, _)| path).chain(stale).map(|path| path.display().to_string()).collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("not as the rows have it, so run this again without --check: {}", wrong.join(", ")))
    }
}

fn write(files: &BTreeMap<PathBuf, String>, stale: &[PathBuf]) -> Result<(), String> {
    let failed =
        |path: &Path, error: std::io::Error| format!("{} cannot be written: {error}", path.display());
    for path in stale {
        fs::remove_file(path).map_err(|error| failed(path, error))?;
    }
    for (path, text) in files {
        let dir = path.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(dir).and_then(|()| fs::write(path, text)).map_err(|error| failed(path, error))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::ROWS;

    /// A folder of its own, gone with the test.
    #[derive(Debug)]
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("millpond-bench-{}-{name}", std::process::id()));
            fs::create_dir_all(dir.join("results")).expect("a folder for the test");
            fs::write(dir.join("README.md"), "above\n<!-- bench -->\n<!-- /bench -->\nbelow\n")
                .expect("a README");
            let folder = Folder(dir);
            folder.rows(ROWS);
            folder
        }

        fn rows(&self, rows: &str) {
            fs::write(self.0.join("results/latest.json"), rows).expect("the rows");
        }

        fn run(&self, check: bool) -> Result<(), String> {
            let rows = self.0.join("results/latest.json");
            run(&Publish { rows, readme: Some(self.0.join("README.md")), against: None, check })
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_written_passes_the_check_until_the_rows_change() {
        let folder = Folder::new("check");
        let error = folder.run(true).expect_err("nothing is written yet");
        assert!(error.contains("REPORT.md") && error.contains("README.md"), "{error}");
        folder.run(false).expect("it can be written");
        folder.run(true).expect("it is as the rows have it");
        let readme = fs::read_to_string(folder.0.join("README.md")).expect("the README");
        assert!(readme.contains("](results/plots/throughput-spawn-join-w2.svg)"), "{readme}");
        folder.rows(&ROWS.replace("300.0", "400.0"));
        folder.run(true).expect_err("the rows have changed");
    }

    #[test]
    fn plots_of_the_last_report_go_and_those_of_others_stay() {
        let folder = Folder::new("stale");
        folder.run(false).expect("it can be written");
        let plots = folder.0.join("results/plots");
        fs::write(plots.join("mine.svg"), "").expect("a file of somebody else");
        let rows: Vec<&str> = ROWS.lines().filter(|row| !row.contains("spawn-join")).collect();
        folder.rows(&rows.join("\n"));
        let error = folder.run(true).expect_err("a plot is stale");
        assert!(error.contains("throughput-spawn-join-w2.svg"), "{error}");
        folder.run(false).expect("it can be written");
        assert!(!plots.join("throughput-spawn-join-w2.svg").exists());
        assert!(plots.join("mine.svg").exists());
        folder.run(true).expect("it is as the rows have it");
    }
}
