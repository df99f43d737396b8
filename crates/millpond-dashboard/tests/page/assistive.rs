//! The page by keyboard, and as a screen reader gets it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::browser::{Browser, END, ENTER, LEFT, SPACE, Scheme, TAB};
use crate::common::unhung;
use crate::load::{Shown, show, some_of_each, stall};

fn page() -> (Shown, Browser) {
    let shown = show(4);
    let browser = Browser::open(&shown.dashboard.url());
    some_of_each(&shown.pool);
    stall(&shown.pool, "grindstone");
    browser.wait("document.querySelector('.stall')");
    (shown, browser)
}

/// Goes through the page by Tab, from its beginning to its end: what has the focus each time, and whether one sees it.
fn tour(browser: &Browser) -> Vec<String> {
    browser.run("document.activeElement.blur(); window.scrollTo(0, 0)");
    let mut stops = Vec::new();
    loop {
        browser.press(TAB);
        let stop = browser.eval(
            "(() => { const e = document.activeElement, s = getComputedStyle(e); return { \
             name: e.id || e.getAttribute('aria-label') || e.textContent.trim(), body: e === document.body, \
             seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && !/, 0\\)$/.test(s.outlineColor) || e.matches('.skip') && e.getBoundingClientRect().top >= 0 }; })()",
        );
        let name = stop["name"].as_str().expect("a name").to_owned();
        if stop["body"] == true || stops.first() == Some(&name) {
            return stops;
        }
        assert_eq!(stop["seen"], true, "the focus is not seen on {name}");
        stops.push(name);
        assert!(stops.len() < 100, "Tab goes round in {stops:?}");
    }
}

#[test]
fn every_control_is_reached_by_tab_and_shows_it() {
    unhung("every_control_is_reached_by_tab_and_shows_it", || {
        let (_shown, browser) = page();
        let stops = tour(&browser);
        let controls = "[...document.querySelectorAll('button, a, summary, [tabindex=\"0\"]')].filter(e => e.checkVisibility()).map(e => e.id || e.getAttribute('aria-label') || e.textContent.trim())";
        let controls = browser.eval(controls);
        let controls: BTreeSet<&str> =
            controls.as_array().expect("a list").iter().map(|name| name.as_str().expect("a name")).collect();
        let stops: BTreeSet<&str> = stops.iter().map(String::as_str).collect();
        assert!(controls.is_subset(&stops), "{:?} are not reached", controls.difference(&stops));
        for needed in ["theme", "pause", "json-link", "metrics-link"] {
            assert!(stops.contains(needed), "{needed} is not in {stops:?}");
        }
    });
}

#[test]
fn the_theme_is_switched_by_keyboard_and_remembered() {
    unhung("the_theme_is_switched_by_keyboard_and_remembered", || {
        let (shown, browser) = page();
        let ground = "getComputedStyle(document.documentElement).backgroundColor";
        // The system's, until one is chosen.
        browser.prefer(Scheme::Dark);
        let dark = browser.eval(ground);
        browser.prefer(Scheme::Light);
        let light = browser.eval(ground);
        assert_ne!(dark, light);
        for key in [SPACE, ENTER] {
            while browser.eval("document.activeElement.id") != "theme" {
                browser.press(TAB);
            }
            let before = browser.eval("document.getElementById('theme').getAttribute('aria-checked')");
            browser.press(key);
            browser
                .wait(&format!("document.getElementById('theme').getAttribute('aria-checked') !== {before}"));
        }
        assert_eq!(browser.eval(ground), light);
        browser.press(SPACE);
        assert_eq!(browser.wait(ground), dark);
        browser.go(&shown.dashboard.url());
        assert_eq!(browser.eval(ground), dark, "the choice is forgotten");
        assert_eq!(browser.eval("document.getElementById('theme').getAttribute('aria-checked')"), "true");
    });
}

#[test]
fn charts_are_read_back_in_time_by_keyboard() {
    unhung("charts_are_read_back_in_time_by_keyboard", || {
        let (_shown, browser) = page();
        browser.wait("history.length >= 3");
        browser.run("document.querySelector('.plot').focus()");
        let text = "document.activeElement.getAttribute('aria-valuetext')";
        assert!(browser.eval(text).as_str().is_some_and(|text| text.starts_with("now: ended ")));
        browser.press(LEFT);
        let back = browser.eval(text);
        assert!(back.as_str().is_some_and(|text| text.contains("s ago: ended ")), "{back}");
        assert!(
            browser.eval("document.querySelectorAll('.plot .cursor').length") == 4,
            "all charts go along"
        );
        browser.press(END);
        assert!(browser.eval(text).as_str().is_some_and(|text| text.starts_with("now: ")));
    });
}

/// The nodes of Chromium's accessibility tree that are not ignored: role, name, and whether they take the focus.
fn tree(browser: &Browser) -> Vec<(String, String, bool)> {
    browser.devtools("Accessibility.enable", json!({}));
    let tree = browser.devtools("Accessibility.getFullAXTree", json!({}));
    let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
    let nodes = tree["nodes"].as_array().expect("a list").iter().filter(|node| node["ignored"] != true);
    nodes
        .map(|node| {
            let properties = node["properties"].as_array().into_iter().flatten();
            let takes_focus = properties
                .clone()
                .any(|property| property["name"] == "focusable" && property["value"]["value"] == true);
            (text(&node["role"]), text(&node["name"]), takes_focus)
        })
        .collect()
}

#[test]
fn a_screen_reader_finds_its_way() {
    unhung("a_screen_reader_finds_its_way", || {
        let (_shown, browser) = page();
        browser.run("document.querySelectorAll('.stall details').forEach(details => details.open = true)");
        browser.wait("history.length >= 2");
        let nodes = tree(&browser);
        let names = |wanted: &str| -> Vec<&str> {
            nodes.iter().filter(|(role, ..)| role == wanted).map(|(_, name, _)| name.as_str()).collect()
        };
        for landmark in ["banner", "main", "contentinfo"] {
            assert_eq!(names(landmark).len(), 1, "{landmark}: {nodes:?}");
        }
        let headings = names("heading");
        for heading in [
            "How the pool is",
            "Now",
            "Jobs a second",
            "Queue wait",
            "Poll time",
            "Workers",
            "Stalls",
            "grindstone",
        ] {
            assert!(headings.contains(&heading), "{heading} is not in {headings:?}");
        }
        assert!(headings[0].starts_with("millpond"), "{headings:?}");
        let charts: Vec<&str> = names("image").into_iter().chain(names("img")).collect();
        let charts =
            charts.into_iter().chain(names("graphics-document")).filter(|name| name.contains("the last "));
        assert_eq!(charts.count(), 4, "{nodes:?}");
        // A state of its own for each, and no more than the one that speaks by itself.
        assert_eq!((names("switch"), names("status").len()), (vec!["Dark"], 1));
        assert!(names("button").contains(&"Pause"));
        for (role, name, takes_focus) in &nodes {
            let is_root = ["RootWebArea", "main"].contains(&role.as_str());
            assert!(!takes_focus || is_root || !name.is_empty(), "a {role} takes the focus and has no name");
        }
        assert_eq!(browser.eval("document.documentElement.lang"), "en");
        // Rows and columns of the one table have heads.
        assert_eq!((names("rowheader").len(), names("columnheader").len()), (10, 4), "{nodes:?}");
    });
}

#[test]
fn a_screen_reader_is_not_talked_to_each_second() {
    unhung("a_screen_reader_is_not_talked_to_each_second", || {
        let (_shown, browser) = page();
        // Of a slider that has the focus each new value is spoken, too.
        browser.run(
            "window.said = 0; window.valued = 0; const plot = document.querySelector('.plot'); plot.focus(); new MutationObserver(() => window.valued++).observe(plot, { attributes: true, attributeFilter: ['aria-valuetext', 'aria-valuenow'] }); new MutationObserver(() => window.said++).observe(document.getElementById('announcer'), { childList: true, characterData: true, subtree: true }); window.from = Number(document.documentElement.dataset.sequence)",
        );
        browser.wait("Number(document.documentElement.dataset.sequence) >= window.from + 4");
        assert!(browser.eval("window.said").as_u64() <= Some(1));
        assert_eq!(browser.eval("window.valued"), 0);
        browser.press(LEFT);
        browser.wait("window.valued > 0");
        let live = browser.eval("[...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')].map(e => e.id)");
        assert_eq!(live, json!(["announcer"]));
    });
}

#[test]
fn nothing_moves_for_who_does_not_want_it() {
    unhung("nothing_moves_for_who_does_not_want_it", || {
        let (_shown, browser) = page();
        let moving = "[...document.querySelectorAll('*')].flatMap(e => [e, '::before', '::after'].map(part => getComputedStyle(e, part === e ? null : part))).some(s => parseFloat(s.transitionDuration) > 0 || s.animationName !== 'none')";
        assert_eq!(browser.eval(moving), true, "there is something to stop");
        let features = json!([{"name": "prefers-reduced-motion", "value": "reduce"}]);
        browser.devtools("Emulation.setEmulatedMedia", json!({"features": features}));
        browser.wait("matchMedia('(prefers-reduced-motion: reduce)').matches");
        assert_eq!(browser.eval(moving), false);
    });
}
