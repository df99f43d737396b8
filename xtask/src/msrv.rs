//! The oldest Rust that builds millpond and its dashboard: `rust-version` in the workspace manifest.

use crate::metadata::Package;
use crate::step::{Outcome, Stop};
use crate::workspace::{Workspace, toolchains};

/// What users build. The last has all that the first is built with too.
const PACKAGES: [&str; 2] = ["millpond", "millpond-dashboard"];

/// No package that they are built with says that it needs a newer Rust than millpond states.
pub(crate) fn stated(workspace: &Workspace) -> Outcome {
    let ours = parse(own(workspace.metadata.member("millpond")?)?)?;
    let built = workspace.metadata.built_with(workspace.metadata.member("millpond-dashboard")?);
    let mut newer = Vec::new();
    let mut mute = Vec::new();
    for package in &built {
        let name = format!("{} {}", package.name(), package.version());
        match package.rust_version() {
            None => mute.push(name),
            Some(theirs) if parse(theirs)? > ours => newer.push(format!("{name} needs Rust {theirs}")),
            Some(_) => {}
        }
    }
    println!("{} packages; {} state no rust-version: {}", built.len(), mute.len(), mute.join(", "));
    if newer.is_empty() { Ok(()) } else { Err(newer.join("; ").into()) }
}

/// That Rust builds it, where it is installed.
pub(crate) fn builds(workspace: &Workspace) -> Outcome {
    let version = own(workspace.metadata.member("millpond")?)?;
    let wanted = parse(version)?;
    let Some(toolchain) = toolchains().into_iter().find(|name| parse_toolchain(name) == Some(wanted)) else {
        return Err(Stop::NotChecked(format!(
            "no toolchain {version} is installed; `rustup toolchain install {version}` gets it"
        )));
    };
    for package in PACKAGES {
        let check = workspace.cargo_of(&toolchain).words("check --all-features -p").arg(package);
        check.arg("--target-dir").arg(workspace.target.join("msrv")).run()?;
    }
    Ok(())
}

fn own(millpond: Package<'_>) -> Result<&str, String> {
    millpond.rust_version().ok_or("millpond states no rust-version".to_owned())
}

/// Major and minor: a patch release brings nothing that a crate could need.
fn parse(version: &str) -> Result<(u32, u32), String> {
    let mut parts = version.split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        (Some(Ok(major)), None) => Ok((major, 0)),
        _ => Err(format!("`{version}` is no version of Rust")),
    }
}

/// The version in a name such as `1.85.0-x86_64-unknown-linux-gnu`; none in `stable-…`.
fn parse_toolchain(name: &str) -> Option<(u32, u32)> {
    parse(name.split('-').next()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(parse("1.85"), Ok((1, 85)));
        assert_eq!(parse("1.85.1"), parse("1.85"));
        assert!(parse("1.9") < parse("1.85"));
        assert!(parse("stable").is_err());
    }

    #[test]
    fn a_toolchain_is_known_by_its_version() {
        assert_eq!(parse_toolchain("1.85.0-x86_64-unknown-linux-gnu"), Some((1, 85)));
        assert_eq!(parse_toolchain("1.85-aarch64-unknown-linux-gnu"), Some((1, 85)));
        assert_eq!(parse_toolchain("stable-x86_64-unknown-linux-gnu"), None);
    }
}
