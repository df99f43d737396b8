//! Paths that name nothing, and paths that try to get out.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::{Folder, Got, VERSIONS};

const SECRET: &str = "root:x:0:0";

#[test]
fn no_path_leads_out_of_the_folder() {
    let folder = Folder::new();
    fs::write(folder.outside("secret"), SECRET).expect("a file");
    fs::create_dir(folder.path("sub")).expect("a folder");
    symlink(folder.outside("secret"), folder.path("absolute")).expect("a link");
    symlink("../secret", folder.path("relative")).expect("a link");
    symlink("..", folder.path("up")).expect("a link");
    symlink("/", folder.path("root")).expect("a link");
    symlink("/proc/self/cwd", folder.path("magic")).expect("a link");
    let server = folder.serve();
    for version in VERSIONS {
        for path in [
            "/../secret",
            "/sub/../../secret",
            "/..%2fsecret",
            "/%2e%2e/secret",
            "/%2E%2E%2Fsecret",
            "/.%2e/secret",
            "/sub/..",
            "/sub/%2e%2e/",
            "//secret",
            "/./absolute",
            "/absolute",
            "/relative",
            "/up/secret",
            "/root/etc/passwd",
            "/root",
            "/magic/Cargo.toml",
            "/absolute%00.html",
            "/%2fetc%2fpasswd",
            "//etc/passwd",
            "/\\..\\secret",
            "/..;/secret",
        ] {
            let got = server.get(version, path, &[]);
            assert_eq!(got.status, 404, "{path}: {got:?}");
            assert!(!String::from_utf8_lossy(&got.body).contains("root:"), "{path}");
        }
    }
}

#[test]
fn links_that_stay_inside_are_followed() {
    let folder = Folder::new();
    folder.file("sub/a", "content");
    symlink("sub/a", folder.path("link")).expect("a link");
    symlink("../sub", folder.path("sub/self")).expect("a link");
    let server = folder.serve();
    server.get(VERSIONS[0], "/link", &[]).assert(200, "content");
    server.get(VERSIONS[0], "/sub/self/self/a", &[]).assert(200, "content");
}

#[test]
fn names_that_begin_with_a_dot_are_not_served() {
    let folder = Folder::new();
    for name in [".htpasswd", ".git/config", "sub/.env"] {
        folder.file(name, SECRET);
    }
    let server = folder.serve();
    for path in ["/.htpasswd", "/%2ehtpasswd", "/.git/config", "/.git/", "/sub/.env"] {
        server.get(VERSIONS[0], path, &[]).assert(404, "404 Not Found\n");
    }
}

#[test]
fn a_path_is_decoded_once_and_need_not_be_text() {
    let folder = Folder::new();
    folder.file("a b+c", "blank");
    folder.file("100%25", "percent");
    folder.file("straße", "UTF-8");
    folder.file(OsStr::from_bytes(b"\xff\xfe"), "no text");
    folder.file("a..b", "dots inside");
    folder.file("sub/a", "inside");
    let server = folder.serve();
    for version in VERSIONS {
        server.get(version, "/sub/a", &[]).assert(200, "inside");
        server.get(version, "/sub%2fa", &[]).assert(404, "404 Not Found\n");
        server.get(version, "/a%20b+c", &[]).assert(200, "blank");
        server.get(version, "/100%2525", &[]).assert(200, "percent");
        server.get(version, "/stra%C3%9Fe?query=ignored", &[]).assert(200, "UTF-8");
        server.get(version, "/%ff%FE", &[]).assert(200, "no text");
        server.get(version, "/a..b", &[]).assert(200, "dots inside");
        for malformed in ["/%", "/%2", "/%zz", "/a%+1"] {
            server.get(version, malformed, &[]).assert(400, "400 Bad Request\n");
        }
    }
}

#[test]
fn what_is_no_file_is_not_there() {
    let folder = Folder::new();
    mknodat(CWD, folder.path("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    let _socket = UnixListener::bind(folder.path("socket")).expect("a socket");
    symlink("loop", folder.path("loop")).expect("a link");
    folder.file("a", "a");
    let server = folder.serve();
    let long = format!("/{}", "n".repeat(300));
    for path in ["/fifo", "/socket", "/loop", "/missing", "/a/b", "/missing/b", &long] {
        server.get(VERSIONS[0], path, &[]).assert(404, "404 Not Found\n");
    }
}

#[test]
fn a_file_that_may_not_be_read_is_403() {
    let folder = Folder::new();
    let path = folder.file("a", SECRET);
    fs::set_permissions(&path, Permissions::from_mode(0o000)).expect("a file of ours");
    let server = folder.serve_as_anyone();
    server.get(VERSIONS[0], "/a", &[]).assert(403, "403 Forbidden\n");
}

#[test]
fn http_1_1_without_a_single_host_is_400() {
    let server = Folder::new().serve();
    for hosts in ["", "Host: a\r\nHost: b\r\n"] {
        let answer = server.send(format!("GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"));
        Got::parse(&answer).assert(400, "400 Bad Request\n");
    }
    let answer = server.send("GET /missing HTTP/1.0\r\n\r\n");
    Got::parse(&answer).assert(404, "404 Not Found\n");
}
