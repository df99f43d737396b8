//! The programs that tests talk to, from Debian's packages: installed where that is allowed, and never skipped.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::command::Command;

/// A program, and the Debian package that has it.
type Tool = (&'static str, &'static str);

/// The clients of the tests `http`; the server behind the tests `proxy`, and its own clients; the browser of the dashboard's
/// page, and what reads its metrics; the server of the tests of `millpond-nats`. The packages of the servers start services
/// too, unless the machine's policy is against it. The tests start servers of their own, and do not mind them.
const TOOLS: [Tool; 11] = [
    ("curl", "curl"),
    ("wrk", "wrk"),
    ("h2load", "nghttp2-client"),
    ("redis-server", "redis-server"),
    ("redis-cli", "redis-tools"),
    ("redis-benchmark", "redis-tools"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("promtool", "prometheus"),
    ("prometheus", "prometheus"),
    ("nats-server", "nats-server"),
];

/// Where Debian has servers, which is in root's path alone. The tests look there too.
const SYSTEM: &str = "/usr/sbin";

/// What apt-get is told, here and in the line for those who have to do it themselves.
const OPTIONS: &str = "--yes --no-install-recommends";

/// Sees to it that they are there. Root gets them from apt; anyone else an error with the line that does it.
pub(crate) fn ensure() -> Result<(), String> {
    let path = path();
    let packages = missing(&TOOLS, &path);
    if packages.is_empty() {
        return Ok(());
    }
    if !is_root() || !is_there("apt-get", &path) {
        return Err(refusal(&packages));
    }
    install(&packages).map_err(|error| format!("{}: {error}", refusal(&packages)))?;
    let still = missing(&TOOLS, &path);
    if still.is_empty() { Ok(()) } else { Err(format!("apt-get was content, and yet {}", refusal(&still))) }
}

fn path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([SYSTEM.into()]);
    env::join_paths(folders).expect("parts of a path can be joined again")
}

/// The lists of packages are fetched only if the install fails with those at hand: they may be new enough.
fn install(packages: &[&str]) -> Result<(), String> {
    apt_get("install", packages)
        .or_else(|_| apt_get("update", &[]).and_then(|()| apt_get("install", packages)))
}

fn apt_get(verb: &str, packages: &[&str]) -> Result<(), String> {
    let apt_get = Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").arg(verb);
    let apt_get = if packages.is_empty() { apt_get } else { apt_get.words(OPTIONS) };
    apt_get.args(packages).run()
}

/// The packages of those that are not there, each once.
fn missing(tools: &[Tool], path: &OsStr) -> Vec<&'static str> {
    let absent = tools.iter().filter(|(program, _)| !is_there(program, path));
    let mut packages: Vec<&str> = absent.map(|(_, package)| *package).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn is_there(program: &str, path: &OsStr) -> bool {
    env::split_paths(path).any(|folder: PathBuf| folder.join(program).is_file())
}

/// By `id`, which is everywhere: `std` has no such question.
fn is_root() -> bool {
    Command::new("id").arg("-u").text().is_ok_and(|id| id.trim() == "0")
}

fn refusal(packages: &[&str]) -> String {
    let list = packages.join(" ");
    format!("tests need programs that are not here; `sudo apt-get install {OPTIONS} {list}` installs them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_missing_once_however_many_of_its_programs_are() {
        let folder = env::current_exe().expect("a test knows where it is");
        let (folder, here) = (folder.parent().expect("in a folder"), folder.file_name().expect("a name"));
        let here: &'static str = here.to_str().expect("cargo names it in ASCII").to_owned().leak();
        let tools = [("no-such-b", "pair"), (here, "present"), ("no-such-a", "pair"), ("no-such-c", "alone")];
        assert_eq!(missing(&tools, folder.as_os_str()), ["alone", "pair"]);
        assert_eq!(missing(&tools[1..2], OsStr::new("")), ["present"]);
    }

    #[test]
    fn the_refusal_is_a_line_to_type() {
        let line = "`sudo apt-get install --yes --no-install-recommends curl wrk`";
        assert!(refusal(&["curl", "wrk"]).contains(line), "{}", refusal(&["curl", "wrk"]));
    }
}
