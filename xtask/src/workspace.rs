//! Where the project lies, where it is built, and the cargo that builds it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::command::Command;
use crate::metadata::Metadata;
use crate::step::{Outcome, Stop};

/// The project on this machine.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the workspace manifest.
    pub(crate) root: PathBuf,
    /// cargo's target folder: everything that a step writes lies in it.
    pub(crate) target: PathBuf,
    pub(crate) metadata: Metadata,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self, String> {
        let here = env::var_os("CARGO_MANIFEST_DIR").map_or(env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = here.parent().ok_or("xtask lies in no workspace")?.to_owned();
        let metadata = Metadata::read(Command::new(cargo()).dir(&root))?;
        Ok(Workspace { target: metadata.target_directory()?, root, metadata })
    }

    /// The cargo that runs xtask, in the root of the project.
    pub(crate) fn cargo(&self) -> Command {
        with_the_projects_profiles(Command::new(cargo())).dir(&self.root)
    }

    /// The cargo of another toolchain that rustup knows.
    pub(crate) fn cargo_of(&self, toolchain: &str) -> Command {
        Command::new("rustup").args(["run", toolchain, "cargo"]).dir(&self.root)
    }

    pub(crate) fn read(&self, path: &str) -> Result<String, String> {
        read(&self.root.join(path))
    }

    /// A new empty folder. It stays until the next run, for a look at what a step left.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf, String> {
        let dir = self.target.join("xtask").join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir)
                .map_err(|error| format!("{} cannot be removed: {error}", dir.display()))?;
        }
        fs::create_dir_all(&dir).map_err(|error| format!("{} cannot be made: {error}", dir.display()))?;
        Ok(dir)
    }
}

pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// The names of the files of `folder` with this ending, in order.
pub(crate) fn files(folder: &Path, ending: &str) -> Result<Vec<String>, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort_unstable();
    Ok(names)
}

pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), String> {
    fs::write(path, contents).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// The cargo that runs xtask.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or("cargo".into())
}

/// The environment must not change what the manifest may not: see [`crate::profile`].
fn with_the_projects_profiles(cargo: Command) -> Command {
    let names = env::vars_os().map(|(name, _)| name);
    let profile = names.filter(|name| name.to_string_lossy().starts_with("CARGO_PROFILE_"));
    profile.fold(cargo, Command::without_env)
}

/// The toolchains that rustup has installed, by their full names; none where there is no rustup.
pub(crate) fn toolchains() -> Vec<String> {
    let listed = Command::new("rustup").args(["toolchain", "list"]).text();
    listed.unwrap_or_default().lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect()
}

/// Not checked, where no toolchain has sanitizers.
pub(crate) fn sanitizers_are_there() -> Outcome {
    if toolchains().iter().any(|toolchain| toolchain.starts_with("nightly")) {
        return Ok(());
    }
    Err(Stop::NotChecked("only a nightly toolchain has sanitizers, and none is installed".to_owned()))
}
