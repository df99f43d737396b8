//! The live page of the server's own pool.

use crate::support::{Folder, Got, client, program};

#[test]
fn the_dashboard_shows_the_pool_that_serves() {
    let folder = Folder::new();
    folder.file("a", "a");
    let mut server = folder.serve_with(&["--dashboard", "127.0.0.1:0"]);
    let url = server.line();
    let url = url.strip_prefix("the pool is shown at ").unwrap_or_else(|| panic!("{url:?} names no address"));
    for _ in 0..3 {
        server.get("--http1.1", "/a", &[]).assert(200, "a");
    }
    let json = get(&format!("{url}json"));
    let json: serde_json::Value = serde_json::from_slice(&json.body).expect("JSON");
    assert_eq!(json["name"], "http");
    // Each answer came on a connection of its own, and there is the one that this came by.
    assert!(json["jobs"]["accepted"].as_u64() >= Some(4), "{json}");
    assert_eq!(json["workers"].as_array().map(Vec::len), Some(2), "{json}");
    let page = get(url);
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{page:?}");
    // The page's readers are none of the server's.
    assert_eq!(server.stop().served, 3);
}

#[test]
fn a_dashboard_for_all_the_world_is_refused() {
    let folder = Folder::new();
    let mut command = program();
    command.args(["--addr", "127.0.0.1:0", "--dashboard", "0.0.0.0:0"]).arg(folder.path(""));
    let output = command.output().expect("the program runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("--dashboard 0.0.0.0:0") && complaint.contains("token"), "{complaint}");
}

fn get(url: &str) -> Got {
    let output =
        client("curl").args(["--silent", "--show-error", "--include", url]).output().expect("curl runs");
    assert!(output.status.success(), "{output:?}");
    Got::parse(&output.stdout)
}
