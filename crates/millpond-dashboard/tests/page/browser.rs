//! A browser with the page open.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tools::ensure;
use crate::webdriver::{Driver, capabilities};

/// Held by the one browser at a time: each takes a few hundred MiB and a core to start.
static ALONE: Mutex<()> = Mutex::new(());

/// A browser. Dropping it closes it.
pub(crate) struct Browser {
    session: String,
    driver: Driver,
    _profile: TempDir,
    _alone: MutexGuard<'static, ()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

impl Browser {
    /// Opens the page, and returns once it shows figures.
    pub(crate) fn open(url: &str) -> Browser {
        let browser = Browser::start();
        browser.go(url);
        browser
    }

    fn start() -> Browser {
        // Ended by the other test's browser; a test that fails drops its own.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        ensure("chromium", "chromium");
        let driver = Driver::start();
        let profile = tempfile::tempdir().expect("a temporary folder");
        let folder = format!("--user-data-dir={}", profile.path().display());
        let session = driver.call("POST", "/session", &capabilities(&folder)).expect("chromium starts");
        let session = session["sessionId"].as_str().expect("a session has an id").to_owned();
        Browser { session, driver, _profile: profile, _alone: alone }
    }

    pub(crate) fn go(&self, url: &str) {
        self.call("POST", "/url", &json!({"url": url}));
        self.wait("document.documentElement.dataset.sequence");
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        self.driver.call(method, &path, body).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The value of an expression, on the page.
    pub(crate) fn eval(&self, expression: &str) -> Value {
        self.run(&format!("return {expression};"))
    }

    pub(crate) fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true, and gives its value. The test's limit ends what never is.
    pub(crate) fn wait(&self, expression: &str) -> Value {
        loop {
            let value = self.eval(expression);
            if !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0 {
                return value;
            }
            thread::yield_now();
        }
    }

    /// The text of an element.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.eval(&format!("document.querySelector({}).textContent", json!(selector)));
        text.as_str().expect("an element has text").to_owned()
    }

    /// By Chromium's own protocol.
    pub(crate) fn devtools(&self, command: &str, params: Value) -> Value {
        self.call("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": params}))
    }

    /// Like a phone's or a monitor's: the page gets all of the width.
    pub(crate) fn resize(&self, width: u32) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": true});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
        self.wait(&format!("innerWidth === {width}"));
        // The charts follow the width when the browser tells them of it.
        let drawn = format!(
            "[...document.querySelectorAll('.plot svg')].every(svg => Number(svg.getAttribute('viewBox').split(' ')[2]) === svg.clientWidth) && innerWidth === {width}"
        );
        self.wait(&drawn);
    }

    /// What the system is set to, as far as the page can tell.
    pub(crate) fn prefer(&self, scheme: Scheme) {
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": value}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features}));
        self.wait(&format!("document.documentElement.dataset.theme === '{value}'"));
    }

    /// Presses a key where the focus is. Others than characters have their code points of the WebDriver protocol.
    pub(crate) fn press(&self, key: char) {
        let actions = json!([{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
        ]}]);
        self.call("POST", "/actions", &json!({"actions": actions}));
    }

    /// What the browser complains of: scripts that fail, and what the page's policy does not let in.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().expect("a list").iter();
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session; the driver's own end follows.
        let _ = self.driver.call("DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}

pub(crate) const TAB: char = '\u{e004}';
pub(crate) const ENTER: char = '\u{e007}';
pub(crate) const SPACE: char = ' ';
pub(crate) const LEFT: char = '\u{e012}';
pub(crate) const END: char = '\u{e010}';
