//! The limits that the cgroups of this process set, in version 1, version 2, or both side by side. A limit holds for
//! all groups below, so each reader takes the lowest from the own group up to the mount's root.
//!
//! Every reader takes the root of the file tree it reads, so that tests bring trees of their own.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// How many CPUs' worth of time all processes of the group get together; `None` if that is not limited.
pub(crate) fn cpu_quota(root: &Path) -> Option<f64> {
    own_groups(root, "cpu").iter().filter_map(|group| quota_of(group)).reduce(f64::min)
}

/// How many threads all processes of the group may have together; `None` if that is not limited.
pub(crate) fn pids_max(root: &Path) -> Option<u64> {
    own_groups(root, "pids").iter().filter_map(|group| read(group, "pids.max")?.parse().ok()).min()
}

/// The quota that one group sets itself. "max" (version 2) and -1 (version 1) stand for none, and neither is a number
/// of microseconds.
fn quota_of(group: &Path) -> Option<f64> {
    let (quota, period) = match read(group, "cpu.max") {
        Some(line) => line.split_once(' ').map(|(quota, period)| (quota.to_owned(), period.to_owned()))?,
        None => (read(group, "cpu.cfs_quota_us")?, read(group, "cpu.cfs_period_us")?),
    };
    let quota: u64 = quota.parse().ok()?;
    let period: u64 = period.parse().ok()?;
    (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

/// The directories of the groups this process is in for `controller`, in each hierarchy that may limit it.
fn own_groups(root: &Path, controller: &str) -> Vec<PathBuf> {
    let memberships = read(root, "proc/self/cgroup").unwrap_or_default();
    let mounts = read(root, "proc/self/mountinfo").unwrap_or_default();
    let mut groups = Vec::new();
    for line in memberships.lines() {
        // "4:cpu,cpuacct:/docker/1f" in version 1, "0::/user.slice" in version 2.
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        if !controllers.is_empty() && controllers.split(',').all(|name| name != controller) {
            continue;
        }
        let version2 = controllers.is_empty();
        let mounted =
            mounts.lines().filter_map(Mount::parse).find(|mount| mount.carries(controller, version2));
        groups.extend(mounted.into_iter().flat_map(|mount| mount.groups(root, Path::new(path))));
    }
    groups
}

/// One line of `/proc/self/mountinfo`.
#[derive(Debug)]
struct Mount<'a> {
    /// The group that is mounted: in a container often not the first, but the container's own.
    root: &'a Path,
    /// Where it is mounted.
    point: &'a Path,
    /// `cgroup` for version 1, `cgroup2` for version 2.
    kind: &'a str,
    /// The controllers of a version 1 hierarchy, among other options.
    options: &'a str,
}

impl<'a> Mount<'a> {
    /// "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu"
    fn parse(line: &'a str) -> Option<Mount<'a>> {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3).map(Path::new);
        let mut kind = kind.split(' ');
        Some(Mount { root: place.next()?, point: place.next()?, kind: kind.next()?, options: kind.nth(1)? })
    }

    fn carries(&self, controller: &str, version2: bool) -> bool {
        match self.kind {
            "cgroup2" => version2,
            "cgroup" => !version2 && self.options.split(',').any(|option| option == controller),
            _ => false,
        }
    }

    /// The directory of the group `path` and of each group above it that this mount shows.
    fn groups(&self, root: &Path, path: &Path) -> Vec<PathBuf> {
        let mut group = under(root, self.point);
        let mut groups = vec![group.clone()];
        // A group outside the mount (a container that sees the host's names, or "/.." seen from a namespace below)
        // leaves the mount's own group, which is then the nearest one in sight.
        let inside = path.strip_prefix(self.root).unwrap_or(Path::new(""));
        if inside.components().all(|part| matches!(part, Component::Normal(_))) {
            for part in inside {
                group.push(part);
                groups.push(group.clone());
            }
        }
        groups
    }
}

/// An absolute path of the tree that begins at `root`.
fn under(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// A small file's text without the newline at its end.
fn read(directory: &Path, name: &str) -> Option<String> {
    Some(fs::read_to_string(directory.join(name)).ok()?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A file tree with these files in it.
    fn tree(files: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const V2_MOUNT: (&str, &str) = (
        "proc/self/mountinfo",
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
    );

    const HYBRID_MOUNTS: (&str, &str) = (
        "proc/self/mountinfo",
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
         31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
         32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
         40 31 0:37 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
         41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
    );

    #[test]
    fn version_2_takes_the_lowest_quota_on_the_way_up() {
        let root = tree(&[
            V2_MOUNT,
            ("proc/self/cgroup", "0::/a/b/c\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu pids\n"),
            ("sys/fs/cgroup/a/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n"),
            ("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/b/c/d/cpu.max", "1000 100000\n"),
            ("sys/fs/cgroup/a/pids.max", "100\n"),
            ("sys/fs/cgroup/a/b/pids.max", "max\n"),
        ]);
        assert_eq!(cpu_quota(root.path()), Some(1.5));
        assert_eq!(pids_max(root.path()), Some(100));
    }

    #[test]
    fn a_container_reads_its_own_root_group() {
        let root = tree(&[
            V2_MOUNT,
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cpu.max", "50000 100000\n"),
            ("sys/fs/cgroup/pids.max", "7\n"),
        ]);
        assert_eq!(cpu_quota(root.path()), Some(0.5));
        assert_eq!(pids_max(root.path()), Some(7));
    }

    #[test]
    fn a_group_outside_the_mount_leaves_the_mounts_own() {
        let root = tree(&[
            V2_MOUNT,
            ("proc/self/cgroup", "0::/../../elsewhere\n"),
            ("sys/fs/cgroup/cpu.max", "200000 100000\n"),
            ("elsewhere/cpu.max", "100000 100000\n"),
        ]);
        assert_eq!(cpu_quota(root.path()), Some(2.0));
    }

    #[test]
    fn a_hybrid_host_has_its_quota_in_version_1() {
        let root = tree(&[
            HYBRID_MOUNTS,
            ("proc/self/cgroup", "9:name=systemd:/x\n8:pids:/x\n1:cpu,cpuacct:/x/y\n0::/x\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "300000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us", "25000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_period_us", "10000\n"),
            ("sys/fs/cgroup/pids/x/pids.max", "33\n"),
        ]);
        assert_eq!(cpu_quota(root.path()), Some(2.5));
        assert_eq!(pids_max(root.path()), Some(33));
    }

    #[test]
    fn a_version_1_container_mounts_its_own_group() {
        let mounts = "32 31 0:29 /docker/1f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n";
        let root = tree(&[
            ("proc/self/mountinfo", mounts),
            ("proc/self/cgroup", "1:cpu:/docker/1f\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(cpu_quota(root.path()), Some(1.0));
    }

    #[test]
    fn no_quota_is_none_and_so_is_garbage() {
        let unlimited = [
            ("proc/self/cgroup", "0::/\n"),
            V2_MOUNT,
            ("sys/fs/cgroup/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/pids.max", "max\n"),
        ];
        let garbage = ["", "\n", "100000", "x y", "0 100000", "100000 0", "-5 100000", "1e5 100000"];
        assert_eq!(cpu_quota(tree(&unlimited).path()), None);
        assert_eq!(pids_max(tree(&unlimited).path()), None);
        for text in garbage {
            let root = tree(&[V2_MOUNT, unlimited[0], ("sys/fs/cgroup/cpu.max", text)]);
            assert_eq!(cpu_quota(root.path()), None, "cpu.max holds {text:?}");
        }
    }

    #[test]
    fn a_machine_without_cgroups_or_proc_has_no_limits() {
        let bare = tree(&[]);
        let unmounted = tree(&[("proc/self/cgroup", "garbage\n1:cpu\n1:cpu:/a\n0::/a\n")]);
        let unreadable = tree(&[("proc/self/cgroup", "0::/a\n"), ("proc/self/mountinfo", "30 23\n - \n\n")]);
        for root in [bare, unmounted, unreadable] {
            assert_eq!(cpu_quota(root.path()), None);
            assert_eq!(pids_max(root.path()), None);
        }
    }
}
