//! Nothing sticks out, and nothing lies on anything else: on a phone and on a monitor, with one worker and with many.

use serde_json::Value;

use crate::browser::Browser;
use crate::common::unhung;
use crate::load::{Shown, show, some_of_each, stall};

/// What sticks out of the page, or is cut short in its own box; and which neighbours overlap.
const FAULTS: &str = include_str!("faults.js");

#[track_caller]
fn assert_well_laid_out(browser: &Browser, what: &str) {
    for width in [380, 620, 621, 860, 1180, 1400, 2000] {
        browser.resize(width);
        let faults = browser.run(FAULTS);
        assert_eq!(faults, Value::Array(Vec::new()), "{what} at {width} px");
    }
}

#[test]
fn the_page_fits_phones_and_monitors() {
    unhung("the_page_fits_phones_and_monitors", || {
        for workers in [1, 4, 64] {
            let Shown { dashboard, pool } = show(workers);
            let browser = Browser::open(&dashboard.url());
            assert_well_laid_out(&browser, &format!("{workers} workers at rest"));
            some_of_each(&pool);
            stall(&pool, "a_job_with_a_name_so_long_that_nobody_would_give_it_to_a_child");
            browser.wait("document.querySelector('.stall')");
            browser
                .run("document.querySelectorAll('.stall details').forEach(details => details.open = true)");
            assert_well_laid_out(&browser, &format!("{workers} workers with work"));
        }
    });
}

/// Numbers as large as they get in years.
const LARGE: &str = "
const large = JSON.parse(JSON.stringify(latest));
large.uptime_s = 98765432.1;
large.queue = { shared: 65535, waiting: 123456789, capacity: 65536, fill: .99998 };
for (const jobs of [large.jobs, large.blocking, large.block_on]) for (const name in jobs) jobs[name] = 987654321098;
for (const name in large.rates) large.rates[name] = 98765432.1;
for (const histogram of [large.queue_wait, large.poll_time]) Object.assign(histogram, { count: 98765432, p50_ns: 123456, p90_ns: 98765432, p99_ns: 5432109876, max_ns: 98765432109 });
large.stalls = 1234567;
for (const worker of large.workers) Object.assign(worker, { busy: 1, tasks: 1234567, queued: 9876543, started_rate: 98765432, polls_rate: 98765432, stalls: 12345 });
large.window_s = 1;
paused = true;
remember(large);
show(large);
";

#[test]
fn large_numbers_fit_as_well() {
    unhung("large_numbers_fit_as_well", || {
        for workers in [4, 64] {
            let Shown { dashboard, pool: _pool } = show(workers);
            let browser = Browser::open(&dashboard.url());
            browser.run(LARGE);
            assert_well_laid_out(&browser, &format!("{workers} workers with large numbers"));
        }
    });
}
