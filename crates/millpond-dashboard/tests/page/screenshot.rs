//! The pictures of `docs/`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;

use crate::browser::{Browser, Scheme};
use crate::tools::Service;

const WIDTH_PX: u32 = 1400;
/// What a browser's picture may weigh. Fewer colours make half of it, which is for a repository.
const PICTURE_BYTES_MAX: usize = 400_000;

#[test]
#[ignore = "writes docs/*.png anew, in about two minutes; CONTRIBUTING.md says how"]
fn pictures_of_the_demo() {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    let demo = profile.join("examples/demo");
    assert!(
        demo.is_file(),
        "{demo:?} is missing: build it with `cargo build --release -p millpond-dashboard --example demo`"
    );
    let mut service = Service::start(demo, &["127.0.0.1:0", "4"], |command| {
        command.stdout(Stdio::piped());
    });
    let mut url = String::new();
    let stdout = service.child().stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut url).expect("it says where it is");
    let browser = Browser::open(url.trim_end());
    browser.resize(WIDTH_PX);
    // A wave and a half, and a stall not long ago.
    browser.wait("history.length >= 75 && stalls.length && Date.now() - stalls.at(-1).noticed_ms < 8000 && latest.busy > .25 && latest.busy < .9");
    browser.run("document.querySelector('.stall details').open = true");
    for (scheme, name) in [(Scheme::Light, "light.png"), (Scheme::Dark, "dark.png")] {
        browser.prefer(scheme);
        browser.wait("document.getAnimations().length === 0");
        save(&browser, &docs().join(name));
    }
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn save(browser: &Browser, path: &Path) {
    let height = browser.eval("document.body.scrollHeight");
    let clip = json!({"x": 0, "y": 0, "width": WIDTH_PX, "height": height, "scale": 1});
    let shot = browser.devtools(
        "Page.captureScreenshot",
        json!({"format": "png", "captureBeyondViewport": true, "clip": clip}),
    );
    let picture = from_base64(shot["data"].as_str().expect("a picture"));
    assert!(picture.len() < PICTURE_BYTES_MAX, "{} has {} bytes", path.display(), picture.len());
    fs::create_dir_all(docs()).expect("a folder");
    fs::write(path, picture).expect("a file");
}

fn from_base64(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}

fn digit(byte: u8) -> u32 {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    value.into()
}
