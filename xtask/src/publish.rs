//! The crates that go to crates.io: what is in each, and whether cargo would take it.

use serde_json::Value;

use crate::metadata::Package;
use crate::readme;
use crate::step::{Outcome, Step};
use crate::workspace::Workspace;

/// In the order in which they depend on each other.
pub(crate) const PUBLISHED: [&str; 4] =
    ["millpond-macros", "millpond", "millpond-dashboard", "millpond-nats"];

/// Needs no network, and no more than a moment.
pub(crate) const CONTENTS: Step = Step {
    name: "package",
    holds: "each published crate has its licences, what crates.io shows, and no file too many",
    run: contents,
    gate: false,
};

/// Builds each crate as it comes out of its package. Uncommitted files are refused, as at a release.
pub(crate) const DRY_RUN: Step =
    Step { name: "publish", holds: "cargo would publish every crate", run: dry_run, gate: false };

/// What a manifest says to crates.io and docs.rs. No `repository`: the project has no public address yet.
const METADATA: [&str; 9] = [
    "/description",
    "/license",
    "/readme",
    "/documentation",
    "/keywords/0",
    "/categories/0",
    "/rust_version",
    "/edition",
    "/metadata/docs/rs/targets/0",
];

/// Without them it is no package, or one that nobody may use.
const NEEDED: [&str; 5] = ["Cargo.toml", "README.md", "LICENSE-APACHE", "LICENSE-MIT", "src/lib.rs"];

/// What cargo adds by itself.
const ADDED: [&str; 3] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml.orig"];

fn contents(workspace: &Workspace) -> Outcome {
    let mut faults = published_by_mistake(workspace);
    for name in PUBLISHED {
        let package = workspace.metadata.member(name)?;
        faults.extend(METADATA.iter().filter(|field| is_empty(package, field)).map(|field| {
            format!("the manifest of {name} has no `{}`", field.trim_start_matches('/').replace('/', "."))
        }));
        let list = workspace.cargo().words("package --list --allow-dirty -p").arg(name).text()?;
        let files: Vec<&str> = list.lines().collect();
        println!("{name}: {} files", files.len());
        faults.extend(file_faults(&files).into_iter().map(|fault| format!("{name}: {fault}")));
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            if workspace.read(licence)? != workspace.read(&format!("crates/{name}/{licence}"))? {
                faults.push(format!("{name}: {licence} is not the project's"));
            }
        }
        let readme = workspace.read(&format!("crates/{name}/README.md"))?;
        faults.extend(readme::faults(&readme).into_iter().map(|fault| format!("{name}: README.md{fault}")));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ").into()) }
}

/// A member that is neither in the list nor marked by `publish = false`, or both.
fn published_by_mistake(workspace: &Workspace) -> Vec<String> {
    let wrong = workspace.metadata.members().filter(|member| {
        let refused = member.field("/publish").as_array().is_some_and(Vec::is_empty);
        refused == PUBLISHED.contains(&member.name())
    });
    wrong
        .map(|member| format!("{}: `publish` is not as xtask's list of crates has it", member.name()))
        .collect()
}

fn is_empty(package: Package<'_>, field: &str) -> bool {
    matches!(package.field(field), Value::Null) || package.field(field) == ""
}

fn file_faults(files: &[&str]) -> Vec<String> {
    let missing = NEEDED.iter().filter(|file| !files.contains(file)).map(|file| format!("{file} is missing"));
    let needless = files.iter().filter(|file| !belongs(file)).map(|file| format!("{file} is needless"));
    missing.chain(needless).collect()
}

/// Code, examples, and pages to read.
fn belongs(file: &str) -> bool {
    let page = file.starts_with("docs/") && file.ends_with(".md");
    page || file.starts_with("src/")
        || file.starts_with("examples/")
        || NEEDED.contains(&file)
        || ADDED.contains(&file)
}

fn dry_run(workspace: &Workspace) -> Outcome {
    let publish = workspace.cargo().words("publish --dry-run");
    let publish = PUBLISHED.iter().fold(publish, |publish, name| publish.arg("-p").arg(name));
    Ok(publish.run()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_its_code_its_licences_and_its_page() {
        let whole: Vec<&str> =
            NEEDED.iter().chain(&ADDED).copied().chain(["src/a/b.rs", "docs/a.md"]).collect();
        assert_eq!(file_faults(&whole), [""; 0]);
        let faulty: Vec<&str> =
            whole.iter().copied().filter(|file| *file != "LICENSE-MIT").chain(["docs/a.png"]).collect();
        assert_eq!(file_faults(&faulty), ["LICENSE-MIT is missing", "docs/a.png is needless"]);
    }
}
