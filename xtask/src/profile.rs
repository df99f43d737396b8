//! The release profile, which must stay cargo's own.
//!
//! With several codegen units a constant vtable can be emitted more than once, and then a waker is not equal to its
//! clone. A receiver that compares the two wakes itself for ever: a core burns while the pool is idle. One codegen
//! unit hides that, and so does a build without optimisation.

use crate::step::Outcome;
use crate::suites;
use crate::workspace::{Workspace, read};

/// Settings that bring the codegen units together.
const HIDING: [&str; 3] = ["codegen-units", "lto", "incremental"];

pub(crate) fn is_default(workspace: &Workspace) -> Outcome {
    let manifest = workspace.read("Cargo.toml")?;
    let config = read(&workspace.root.join(".cargo/config.toml"))?;
    for (file, text) in [("Cargo.toml", manifest), (".cargo/config.toml", config)] {
        if let Some(line) = overriding(&text) {
            return Err(
                format!("{file} has `{line}` in a profile: wakers must be right in the default one").into()
            );
        }
    }
    Ok(())
}

/// The tests that tell a right waker from a wrong one, optimised.
pub(crate) fn wakers_and_idle(workspace: &Workspace) -> Outcome {
    is_default(workspace)?;
    let test = workspace.cargo().words("test --release -p millpond --test idle --test wakers --no-fail-fast");
    Ok(suites::run(test)?)
}

/// The first line of a manifest that brings the codegen units of a release build together.
fn overriding(manifest: &str) -> Option<&str> {
    let mut in_profile = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_profile = line.starts_with("[profile.release");
        }
        let key = line.split(['=', ' ']).next().unwrap_or_default();
        let dotted = key.strip_prefix("profile.release.").or(key.strip_prefix("release."));
        if HIDING.contains(&key) && in_profile || dotted.is_some_and(|key| HIDING.contains(&key)) {
            return Some(line);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_of_the_release_profile_is_found() {
        let manifest = "[workspace]\n[profile.release]\ndebug = true\ncodegen-units = 1\n";
        assert_eq!(overriding(manifest), Some("codegen-units = 1"));
        assert_eq!(overriding("[profile.release.package.monoio]\ncodegen-units=1"), Some("codegen-units=1"));
        assert_eq!(overriding("[profile]\nrelease.lto = true"), Some("release.lto = true"));
        assert_eq!(overriding("profile.release.lto = true"), Some("profile.release.lto = true"));
    }

    #[test]
    fn other_profiles_and_other_settings_may_change() {
        assert_eq!(overriding("[profile.bench]\ncodegen-units = 1\n[profile.release]\ndebug = 1\n"), None);
        assert_eq!(overriding("# codegen-units = 1\n[package]\nlto = 1\n"), None);
    }
}
