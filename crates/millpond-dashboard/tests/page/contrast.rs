//! Text is told from its ground in both themes, by the measure of WCAG 2.2, level AA.

use serde_json::Value;

use crate::browser::{Browser, Scheme};
use crate::common::unhung;
use crate::load::{Shown, show, some_of_each, stall};

/// Texts whose contrast is below 4.5 (3 where it is large), and lines of charts below 3.
const FAINT: &str = include_str!("faint.js");

/// Each verdict, with its colours.
const LEVELS: [&str; 4] = ["ok", "warn", "bad", "none"];
const STATES: [&str; 5] = ["wait", "live", "late", "lost", "paused"];

#[test]
fn everything_can_be_read_in_both_themes() {
    unhung("everything_can_be_read_in_both_themes", || {
        let Shown { dashboard, pool } = show(4);
        let browser = Browser::open(&dashboard.url());
        some_of_each(&pool);
        stall(&pool, "grindstone");
        browser.wait("document.querySelector('.stall')");
        // It stands still, so that each state can be put on.
        browser.run(
            "document.querySelectorAll('.stall details').forEach(details => details.open = true); \
             document.getElementById('pause').click()",
        );
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.prefer(scheme);
            for (level, state) in LEVELS.iter().cycle().zip(STATES) {
                browser.run(&format!(
                    "document.getElementById('verdict').dataset.level = '{level}'; \
                     document.getElementById('connection').dataset.state = '{state}'"
                ));
                // Colours may take a moment to change.
                browser.wait("document.getAnimations().length === 0");
                let found = browser.run(FAINT);
                assert!(found["looked"].as_u64() > Some(100), "{found}");
                assert_eq!(found["faint"], Value::Array(Vec::new()), "{scheme:?}, {level}, {state}");
            }
        }
    });
}
