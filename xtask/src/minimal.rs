//! Whether each published crate builds with the oldest dependencies that its manifest allows: somebody has them in a lock
//! file, and the manifest says that they will do.
//!
//! In a copy, as cargo would write those versions into `Cargo.lock`. Without dev-dependencies, which no user builds and which
//! would lend their versions.

use std::fs;
use std::path::Path;

use crate::publish::PUBLISHED;
use crate::step::{Outcome, Step};
use crate::workspace::{Workspace, read, write};

pub(crate) const STEP: Step = Step {
    name: "minimal-versions",
    holds: "each published crate builds with the oldest versions that its manifest allows",
    run,
    gate: false,
};

/// Sections of a manifest that only tests and the like need.
const NOT_FOR_USERS: [&str; 4] = ["[dev-dependencies", "[[test]]", "[[example]]", "[[bench]]"];

fn run(workspace: &Workspace) -> Outcome {
    let copy = workspace.scratch("minimal-versions")?;
    for name in PUBLISHED {
        copy_crate(&workspace.root, &copy, name)?;
    }
    for name in PUBLISHED {
        write(&copy.join("Cargo.toml"), root_manifest(&workspace.read("Cargo.toml")?, name)?)?;
        let _ = fs::remove_file(copy.join("Cargo.lock"));
        // Only the choice of versions is nightly's; the compiler is told of nothing.
        let choose = workspace.cargo().env("RUSTC_BOOTSTRAP", "1").dir(&copy);
        choose.words("update --quiet -Z direct-minimal-versions").run()?;
        let check = workspace.cargo().dir(&copy).words("check --locked --all-features -p").arg(name);
        check.arg("--target-dir").arg(workspace.target.join("minimal-versions")).run()?;
    }
    Ok(())
}

/// The code and the manifest, as far as a user builds them.
fn copy_crate(root: &Path, copy: &Path, name: &str) -> Result<(), String> {
    let (from, to) = (root.join("crates").join(name), copy.join("crates").join(name));
    copy_folder(&from.join("src"), &to.join("src"))?;
    write(&to.join("README.md"), read(&from.join("README.md"))?)?;
    write(&to.join("Cargo.toml"), for_users(&read(&from.join("Cargo.toml"))?))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error| format!("{} cannot be copied: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to).map_err(failed)?;
        }
    }
    Ok(())
}

/// A workspace of this crate and what it depends on, with the settings that members share.
fn root_manifest(whole: &str, name: &str) -> Result<String, String> {
    let shared = whole.find("[workspace.package]").ok_or("the root manifest has no [workspace.package]")?;
    Ok(format!("[workspace]\nresolver = \"3\"\nmembers = [\"crates/{name}\"]\n\n{}", &whole[shared..]))
}

fn for_users(manifest: &str) -> String {
    let mut keep = true;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            keep = !NOT_FOR_USERS.iter().any(|section| line.starts_with(section));
        }
        keep
    });
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_users_build_is_left_of_a_manifest() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n[dev-dependencies]\nc = \"1\"\n\
                        [[test]]\nname = \"t\"\n[lints]\nworkspace = true\n";
        assert_eq!(
            for_users(manifest),
            "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n[lints]\nworkspace = true\n"
        );
    }
}
