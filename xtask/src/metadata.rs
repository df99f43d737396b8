//! What cargo knows about the packages: `cargo metadata`, as far as the steps ask.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::command::Command;

/// The answer of `cargo metadata`, for the machine's own target and all features.
#[derive(Debug)]
pub(crate) struct Metadata(Value);

/// One package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package<'a>(&'a Value);

impl Metadata {
    /// `cargo` is cargo without arguments, in the workspace.
    pub(crate) fn read(cargo: Command) -> Result<Self, String> {
        let target = host()?;
        let json =
            cargo.words("metadata --format-version 1 --all-features --filter-platform").arg(target).text()?;
        Self::parse(&json)
    }

    fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json)
            .map(Metadata)
            .map_err(|error| format!("`cargo metadata` wrote no JSON: {error}"))
    }

    pub(crate) fn target_directory(&self) -> Result<PathBuf, String> {
        let path = self.0["target_directory"].as_str();
        path.map(PathBuf::from).ok_or("`cargo metadata` names no target folder".to_owned())
    }

    /// The workspace's package of this name.
    pub(crate) fn member(&self, name: &str) -> Result<Package<'_>, String> {
        self.members()
            .find(|package| package.name() == name)
            .ok_or_else(|| format!("the workspace has no package called {name}"))
    }

    /// The workspace's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = Package<'_>> {
        self.packages().filter(|package| package.0["source"].is_null())
    }

    /// `package` and all that a user of it builds: its normal and build dependencies, theirs, and so on.
    pub(crate) fn built_with(&self, package: Package<'_>) -> Vec<Package<'_>> {
        let mut ids = BTreeSet::new();
        let mut open = vec![package.id()];
        while let Some(id) = open.pop() {
            if ids.insert(id) {
                open.extend(self.dependencies(id));
            }
        }
        self.packages().filter(|package| ids.contains(package.id())).collect()
    }

    fn dependencies<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a str> {
        let node = array(&self.0["resolve"]["nodes"]).find(|node| node["id"] == *id);
        let edges = node.into_iter().flat_map(|node| array(&node["deps"]));
        edges
            .filter(|edge| array(&edge["dep_kinds"]).any(|kind| kind["kind"] != "dev"))
            .map(|edge| text(&edge["pkg"]))
    }

    fn packages(&self) -> impl Iterator<Item = Package<'_>> {
        array(&self.0["packages"]).map(Package)
    }
}

impl<'a> Package<'a> {
    pub(crate) fn name(self) -> &'a str {
        text(&self.0["name"])
    }

    pub(crate) fn version(self) -> &'a str {
        text(&self.0["version"])
    }

    /// What stands at this JSON pointer; null if nothing does.
    pub(crate) fn field(self, pointer: &str) -> &'a Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The oldest Rust that it says it builds with, if it says so.
    pub(crate) fn rust_version(self) -> Option<&'a str> {
        self.0["rust_version"].as_str()
    }

    /// Its integration tests, by the names that `cargo test --test` knows, but for those that need a feature.
    pub(crate) fn tests(self) -> impl Iterator<Item = &'a str> {
        let tests =
            array(&self.0["targets"]).filter(|target| array(&target["kind"]).any(|kind| kind == "test"));
        tests
            .filter(|test| array(&test["required-features"]).next().is_none())
            .map(|target| text(&target["name"]))
    }

    fn id(self) -> &'a str {
        text(&self.0["id"])
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The target that rustc builds for when it is not told.
pub(crate) fn host() -> Result<String, String> {
    let about = Command::new("rustc").arg("-vV").text()?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or("`rustc -vV` names no host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integration_tests_are_told_from_the_rest() {
        let metadata = Metadata::parse(
            r#"{"packages": [{"name": "a", "source": null, "targets": [
                 {"kind": ["lib"], "name": "a"}, {"kind": ["test"], "name": "limits"},
                 {"kind": ["test"], "name": "tracing", "required-features": ["tracing"]},
                 {"kind": ["example"], "name": "hello"}]}]}"#,
        )
        .expect("it is JSON");
        let tests: Vec<&str> = metadata.member("a").expect("it is a member").tests().collect();
        assert_eq!(tests, ["limits"]);
    }

    #[test]
    fn what_only_tests_need_is_not_built_with_a_package() {
        let metadata = Metadata::parse(
            r#"{"packages": [
                 {"id": "a#1", "name": "a", "version": "1.0.0", "source": null, "rust_version": "1.85"},
                 {"id": "b#1", "name": "b", "version": "1.0.0", "source": "registry", "rust_version": null},
                 {"id": "c#1", "name": "c", "version": "1.0.0", "source": "registry", "rust_version": "1.70"},
                 {"id": "d#1", "name": "d", "version": "1.0.0", "source": "registry", "rust_version": "1.90"}],
                "resolve": {"nodes": [
                 {"id": "a#1", "deps": [{"pkg": "b#1", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
                                        {"pkg": "d#1", "dep_kinds": [{"kind": "dev"}]}]},
                 {"id": "b#1", "deps": [{"pkg": "c#1", "dep_kinds": [{"kind": "build"}]}]},
                 {"id": "c#1", "deps": []}, {"id": "d#1", "deps": []}]}}"#,
        )
        .expect("it is JSON");
        let package = metadata.member("a").expect("it is a member");
        let built: Vec<&str> = metadata.built_with(package).into_iter().map(Package::name).collect();
        assert_eq!(built, ["a", "b", "c"]);
        assert!(metadata.member("b").is_err());
    }
}
