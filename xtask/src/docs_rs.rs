//! The documentation as docs.rs builds it: by a nightly rustdoc, with every feature, and with badges for what needs one.

use std::path::{Path, PathBuf};

use crate::shown;
use crate::step::{Outcome, Step, Stop};
use crate::workspace::{Workspace, read, toolchains};

pub(crate) const STEP: Step = Step {
    name: "docs-rs",
    holds: "docs.rs can build every page, what needs a feature says so, and each public item is shown at work",
    run,
    gate: false,
};

/// What docs.rs shows, by the names of the crates.
const CRATES: [&str; 4] = ["millpond-macros", "millpond", "millpond-dashboard", "millpond-nats"];

/// Whose items have examples. A macro's stand where it is re-exported.
const WITH_EXAMPLES: [&str; 3] = ["millpond", "millpond-dashboard", "millpond-nats"];

/// Pages of items behind a feature, and the feature.
const BADGES: [(&str, &str); 3] = [
    ("millpond/attr.main.html", "macros"),
    ("millpond/attr.test.html", "macros"),
    ("millpond_dashboard/struct.Dashboard.html", "server"),
];

fn run(workspace: &Workspace) -> Outcome {
    if !toolchains().iter().any(|toolchain| toolchain.starts_with("nightly")) {
        return Err(Stop::NotChecked(
            "docs.rs builds by a nightly toolchain, and none is installed".to_owned(),
        ));
    }
    let target = workspace.target.join("docs-rs");
    let doc = workspace.cargo_of("nightly").env("RUSTDOCFLAGS", "--cfg docsrs -D warnings");
    let doc = doc.words("doc --no-deps --all-features --target-dir").arg(&target);
    CRATES.iter().fold(doc, |doc, name| doc.arg("-p").arg(name)).run()?;
    let mut faults = without_badge(&target.join("doc"))?;
    for name in WITH_EXAMPLES {
        faults.extend(shown::without_example(&read(&described(workspace, &target, name)?)?)?);
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n  ").into()) }
}

fn without_badge(pages: &Path) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for (page, feature) in BADGES {
        let text = read(&pages.join(page))?;
        let badge = format!("<code>{feature}</code>");
        if !text.contains("Available on") || !text.contains(&badge) {
            faults.push(format!("{page} does not say that it needs the feature `{feature}`"));
        }
    }
    Ok(faults)
}

/// The file in which rustdoc describes all that a crate shows.
fn described(workspace: &Workspace, target: &Path, name: &str) -> Result<PathBuf, String> {
    let rustdoc = workspace.cargo_of("nightly").words("rustdoc --all-features --lib -p").arg(name);
    let rustdoc = rustdoc.arg("--target-dir").arg(target);
    rustdoc.words("-- -Z unstable-options --output-format json").run()?;
    Ok(target.join("doc").join(name.replace('-', "_")).with_extension("json"))
}
