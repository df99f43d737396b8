//! A cgroup with a quota of one CPU, and the test that must start one worker in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Duration;

use crate::command::Command;
use crate::step::{Outcome, Stop};
use crate::suites;
use crate::workspace::{Workspace, cargo, read, write};

/// Where a kernel's users have agreed to mount the groups; the standard library looks nowhere else either.
const MOUNT: &str = "/sys/fs/cgroup";
/// One CPU: as much time as there is in a period of the kernel's default length.
const QUOTA_US: &str = "100000";
const PERIOD_US: &str = "100000";

pub(crate) fn quota_is_respected(workspace: &Workspace) -> Outcome {
    if thread::available_parallelism().is_ok_and(|cpus| cpus.get() == 1) {
        return Err(Stop::NotChecked("there is one CPU here, with or without a quota".to_owned()));
    }
    let group = Group::make().map_err(Stop::NotChecked)?;
    let test = "test -p millpond --test limits";
    workspace.cargo().words(test).arg("--no-run").run()?;
    let inside = group.enter(cargo()).dir(&workspace.root).words(test);
    Ok(suites::run_some(inside.words("-- --ignored default_worker_count_respects_the_cgroup_quota"), 1)?)
}

/// A cgroup of our own, removed in the end.
#[derive(Debug)]
struct Group(PathBuf);

impl Group {
    /// As deep as may be: below the group we are in, or else below one above it. Version 2 holds processes in leaves
    /// only, so there the second is the rule.
    fn make() -> Result<Self, String> {
        let memberships = read(Path::new("/proc/self/cgroup"))?;
        let Some((mount, path)) = own(&memberships) else {
            return Err("this kernel has no cgroups that limit CPU time".to_owned());
        };
        let mut reason = format!("no cgroup is mounted at {}", mount.display());
        for parent in path.ancestors().map(|path| mount.join(path.strip_prefix("/").unwrap_or(path))) {
            match Self::below(&parent) {
                Ok(group) => return Ok(group),
                Err(error) if parent.is_dir() => reason = error,
                Err(_) => {}
            }
        }
        Err(reason)
    }

    fn below(parent: &Path) -> Result<Self, String> {
        let dir = parent.join(format!("millpond-xtask-{}", process::id()));
        fs::create_dir(&dir).map_err(|error| format!("{} cannot be made: {error}", dir.display()))?;
        let group = Group(dir);
        if group.0.join("cpu.max").exists() {
            group.set("cpu.max", &format!("{QUOTA_US} {PERIOD_US}"))?;
        } else {
            group.set("cpu.cfs_period_us", PERIOD_US)?;
            group.set("cpu.cfs_quota_us", QUOTA_US)?;
        }
        // To set a quota is one right, and to move a process another.
        group.enter("true").text()?;
        Ok(group)
    }

    fn set(&self, name: &str, value: &str) -> Result<(), String> {
        write(&self.0.join(name), value)
    }

    /// `program` in the group: a shell moves itself there and then becomes it.
    fn enter(&self, program: impl AsRef<OsStr>) -> Command {
        let move_and_become = r#"echo $$ > "$0/cgroup.procs" && exec "$@""#;
        Command::new("sh").arg("-c").arg(move_and_become).arg(&self.0).arg(program)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process leaves its group some time after its parent heard of its end: a second is ample.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        eprintln!("xtask: {} cannot be removed; do it by hand: rmdir {0:?}", self.0.display());
    }
}

/// Where the groups that limit CPU time are mounted, and which of them we are in. Version 1 comes first: where both
/// are mounted it has the CPU.
fn own(memberships: &str) -> Option<(PathBuf, &Path)> {
    let groups = || memberships.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let version1 = groups().find(|(controllers, _)| controllers.split(',').any(|name| name == "cpu"));
    if let Some((_, path)) = version1 {
        return Some((Path::new(MOUNT).join("cpu"), Path::new(path)));
    }
    let (_, path) = groups().find(|(controllers, _)| controllers.is_empty())?;
    Some((MOUNT.into(), Path::new(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_has_the_cpu_where_both_are_mounted() {
        let (mount, path) = own("2:cpuacct,cpu:/a/b\n1:name=systemd:/\n0::/c\n").expect("there are both");
        assert_eq!((mount.as_path(), path), (Path::new("/sys/fs/cgroup/cpu"), Path::new("/a/b")));
    }

    #[test]
    fn version_2_is_one_tree() {
        let (mount, path) = own("1:name=systemd:/\n0::/user.slice/x:y\n").expect("there is version 2");
        assert_eq!((mount.as_path(), path), (Path::new("/sys/fs/cgroup"), Path::new("/user.slice/x:y")));
        assert_eq!(own("4:memory:/\n"), None);
    }
}
