//! The guide: a book that mdBook renders, of chapters whose code is run by tests.

mod links;
mod page;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::Command;
use crate::step::{Outcome, Step, Stop};
use crate::workspace::{Workspace, read, write};
use crate::{publish, suites, tools};

use links::Site;

/// The release that the book was written with. A newer one may render links otherwise: move it by hand.
const MDBOOK: &str = "0.5.4";

pub(crate) const STEP: Step = Step {
    name: "guide",
    holds: "the guide can be built, its links lead somewhere, and its code is that of tests",
    run: built_and_linked,
    gate: false,
};

/// All that the chapters show is run.
pub(crate) fn code_runs(workspace: &Workspace) -> Outcome {
    Ok(suites::run_some(workspace.cargo().words("test -p millpond-guide --no-fail-fast"), 2)?)
}

fn built_and_linked(workspace: &Workspace) -> Outcome {
    none(sources::faults(&workspace.root)?)?;
    document(workspace)?;
    let book = build(workspace)?;
    none(lost_links(workspace, &book)?)?;
    println!("the guide is in {}", book.join("index.html").display());
    Ok(())
}

fn none(faults: Vec<String>) -> Result<(), String> {
    for fault in &faults {
        println!("{fault}");
    }
    match faults.as_slice() {
        [] => Ok(()),
        [first, rest @ ..] => Err(format!("{first} (and {} faults more, above)", rest.len())),
    }
}

/// The pages that the guide's links to docs.rs name. Those of private items, which an earlier build may have left, go first.
fn document(workspace: &Workspace) -> Result<(), String> {
    let mut doc = workspace.cargo().words("doc --no-deps");
    for name in publish::PUBLISHED {
        let _ = fs::remove_dir_all(workspace.target.join("doc").join(name.replace('-', "_")));
        doc = doc.arg("-p").arg(name);
    }
    doc.run()
}

/// Renders the book, into an empty folder.
fn build(workspace: &Workspace) -> Result<PathBuf, Stop> {
    // Without its search and its server, which are most of its weight.
    let mdbook = tools::installed_with(workspace, "mdbook", MDBOOK, "--no-default-features")?;
    let book = workspace.target.join("guide");
    if book.exists() {
        fs::remove_dir_all(&book)
            .map_err(|error| format!("{} cannot be removed: {error}", book.display()))?;
    }
    Command::new(mdbook).dir(&workspace.root).words("build guide --dest-dir").arg(&book).run()?;
    Ok(book)
}

fn lost_links(workspace: &Workspace, book: &Path) -> Result<Vec<String>, String> {
    let doc = workspace.target.join("doc");
    let text = |path: &Path| {
        let bytes = fs::read(path).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut site = Site::new(book.to_owned(), workspace.root.clone(), doc, &text);
    let mut faults = Vec::new();
    for page in pages(&workspace.root)? {
        faults.extend(site.faults(&page)?);
        lead_to_markdown(&book.join(page))?;
    }
    Ok(faults)
}

/// The page of each chapter. The others that mdBook writes hold the same links once more.
fn pages(root: &Path) -> Result<Vec<String>, String> {
    let summary = read(&root.join("guide/src/SUMMARY.md"))?;
    let names = summary.lines().filter_map(|line| line.rsplit_once("](")?.1.strip_suffix(".md)"));
    Ok(names.map(|name| format!("{name}.html")).collect())
}

/// Gives links to the project's own pages their ending back: see [`links`].
fn lead_to_markdown(page: &Path) -> Result<(), String> {
    let html = read(page)?;
    let mended = with_markdown_links(&html);
    if mended == html { Ok(()) } else { write(page, mended) }
}

/// Links that leave the book climb two folders: it lies as deep in the target folder as its chapters in the project.
fn with_markdown_links(html: &str) -> String {
    const LEAVES: &str = "href=\"../../";
    let mut parts = html.split(LEAVES);
    let mut mended = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (link, rest) = part.split_once('"').unwrap_or((part, ""));
        mended += &format!("{LEAVES}{}\"{rest}", link.replacen(".html", ".md", 1));
    }
    mended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_the_projects_pages_get_their_ending_back_and_others_keep_theirs() {
        let html = "<a href=\"../../A.html#b\">A</a> <a href=\"a.html\">a</a> <a href=\"../../b.rs\">b</a>";
        let mended = "<a href=\"../../A.md#b\">A</a> <a href=\"a.html\">a</a> <a href=\"../../b.rs\">b</a>";
        assert_eq!(with_markdown_links(html), mended);
    }

    #[test]
    fn the_first_fault_is_told_with_the_number_of_the_others() {
        assert_eq!(none(vec![]), Ok(()));
        let faults = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(none(faults), Err("a (and 2 faults more, above)".to_owned()));
    }
}
