//! The page when its server goes and comes back, when it is paused, and where a token is asked for.

use millpond_dashboard::Dashboard;

use crate::browser::{Browser, ENTER};
use crate::common::unhung;
use crate::load::{Shown, show};

#[test]
fn the_page_says_that_it_lost_its_server_and_finds_it_again() {
    unhung("the_page_says_that_it_lost_its_server_and_finds_it_again", || {
        let Shown { dashboard, pool } = show(1);
        let (url, addr) = (dashboard.url(), dashboard.local_addr());
        let browser = Browser::open(&url);
        let pill = "document.getElementById('connection').textContent";
        browser.wait(&format!("{pill} === 'Live'"));
        dashboard.shutdown_blocking();
        browser.wait(&format!("{pill} === 'Reconnecting'"));
        let _again = Dashboard::builder().name("born again").serve(&pool, addr).expect("the port is free");
        browser.wait(&format!("{pill} === 'Live'"));
        browser.wait("document.getElementById('name').textContent === 'born again'");
    });
}

#[test]
fn a_paused_page_stands_still() {
    unhung("a_paused_page_stands_still", || {
        let Shown { dashboard, pool: _pool } = show(1);
        let browser = Browser::open(&dashboard.url());
        let sequence = "Number(document.documentElement.dataset.sequence)";
        browser.run("document.getElementById('pause').focus()");
        browser.press(ENTER);
        browser.wait("document.getElementById('connection').textContent === 'Paused'");
        let stopped = browser.eval(sequence).as_u64().expect("a number");
        // Two more states have come for it.
        browser.wait(&format!("history.at(-1).uptime - latest.uptime_s > 1.5 && {sequence} === {stopped}"));
        browser.press(ENTER);
        browser.wait(&format!("{sequence} > {stopped} + 1"));
        assert_eq!(browser.text("#connection"), "Live");
    });
}

#[test]
fn a_page_that_was_opened_with_the_token_reads_with_it() {
    unhung("a_page_that_was_opened_with_the_token_reads_with_it", || {
        let Shown { dashboard: _, pool } = show(1);
        let dashboard = Dashboard::builder().token("a-token-for-tests-only").serve(&pool, "0.0.0.0:0");
        let dashboard = dashboard.expect("a dashboard starts");
        let browser = Browser::open(&dashboard.url());
        assert_eq!(browser.text("#connection"), "Live");
        let links = browser.eval("[...document.querySelectorAll('footer a')].map(a => a.search)");
        assert_eq!(
            links,
            serde_json::json!(["?token=a-token-for-tests-only", "?token=a-token-for-tests-only"])
        );
        assert_eq!(browser.complaints(), [""; 0], "the browser complains");
    });
}
