//! The oldest Rust that builds each crate: its `rust-version`. That of the workspace manifest, but for the crate for NATS,
//! which needs what `async-nats` needs.

use crate::metadata::Package;
use crate::step::{Outcome, Stop};
use crate::workspace::{Workspace, toolchains};

/// What users build.
const PACKAGES: [&str; 3] = ["millpond", "millpond-dashboard", "millpond-nats"];

/// No package that one of them is built with says that it needs a newer Rust than that one states.
pub(crate) fn stated(workspace: &Workspace) -> Outcome {
    let mut newer = Vec::new();
    for name in PACKAGES {
        let package = workspace.metadata.member(name)?;
        newer.extend(needing_newer(package, &workspace.metadata.built_with(package))?);
    }
    if newer.is_empty() { Ok(()) } else { Err(newer.join("; ").into()) }
}

fn needing_newer(package: Package<'_>, built: &[Package<'_>]) -> Result<Vec<String>, String> {
    let ours = parse(own(package)?)?;
    let mut newer = Vec::new();
    let mut mute = Vec::new();
    for other in built {
        let name = format!("{} {}", other.name(), other.version());
        match other.rust_version() {
            None => mute.push(name),
            Some(theirs) if parse(theirs)? > ours => {
                newer.push(format!(
                    "{name} needs Rust {theirs}, and {} says {}",
                    package.name(),
                    own(package)?
                ));
            }
            Some(_) => {}
        }
    }
    println!(
        "{}: {} packages; {} state no rust-version: {}",
        package.name(),
        built.len(),
        mute.len(),
        mute.join(", ")
    );
    Ok(newer)
}

/// That Rust builds it, where it is installed. All of them are tried before one that is not there is told.
pub(crate) fn builds(workspace: &Workspace) -> Outcome {
    let mut missing = Vec::new();
    for name in PACKAGES {
        let version = own(workspace.metadata.member(name)?)?;
        let wanted = parse(version)?;
        let Some(toolchain) = toolchains().into_iter().find(|name| parse_toolchain(name) == Some(wanted))
        else {
            missing.push(format!(
                "no toolchain {version} is installed for {name}; `rustup toolchain install {version}` gets it"
            ));
            continue;
        };
        let check = workspace.cargo_of(&toolchain).words("check --all-features -p").arg(name);
        check.arg("--target-dir").arg(workspace.target.join("msrv")).run()?;
    }
    if missing.is_empty() { Ok(()) } else { Err(Stop::NotChecked(missing.join("; "))) }
}

fn own(package: Package<'_>) -> Result<&str, String> {
    package.rust_version().ok_or_else(|| format!("{} states no rust-version", package.name()))
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
