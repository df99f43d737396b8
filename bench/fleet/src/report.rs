//! What people read of the rows: tables in Markdown, for a report of their own and for the page of fleets.

use std::fmt::Write;

use serde_json::Value;

use crate::case::{ONE_STREAM, OWN, PARTITIONS, SETTINGS, THE_END};
use crate::rows::Row;

const START: &str = "<!-- fleet -->";
const END: &str = "<!-- /fleet -->";

/// A backlog that grows by more than this share of what is published has no end.
const GROWS_FROM: f64 = 0.01;

/// All tables, each below its title.
pub(crate) fn text(header: &Value, rows: &[Row]) -> String {
    let mut out = format!("{}\n", assumptions(header));
    for (table, title) in [
        (ONE_STREAM, "Behind one stream"),
        (THE_END, "Where one stream ends"),
        (PARTITIONS, "Behind as many streams as leave each of them room"),
        (SETTINGS, "One thing changed at a time"),
        (OWN, "With settings of your own"),
    ] {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.table == table).collect();
        if !rows.is_empty() {
            let _ = write!(out, "\n**{title}**\n\n{}", self::table(&rows));
        }
    }
    out
}

fn table(rows: &[&Row]) -> String {
    let has_variants = rows.iter().any(|row| !row.variant.is_empty());
    let mut out = if has_variants { "| what " } else { "" }.to_owned();
    out += "| consumers | streams | workers could | published | done | stream busy | wait p50 | p99 | \
            again, of 1 M | unacked | pulls waiting | refused |\n";
    out += if has_variants { "|---" } else { "" };
    out += "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    for row in rows {
        if has_variants {
            let _ = write!(out, "| {} ", row.variant);
        }
        let _ = writeln!(out, "| {} |", cells(row).join(" | "));
    }
    out
}

fn cells(row: &Row) -> [String; 12] {
    let rate = |name: &str| format!("{}/s", count(row.figure(name)));
    let grows = row.figure("growth") > GROWS_FROM * row.figure("published");
    let wait = |name: &str| if grows { "grows".to_owned() } else { milliseconds(row.figure(name)) };
    let refused = row.figure("pulls refused");
    [
        count(row.consumers as f64),
        row.streams.to_string(),
        rate("workers' limit"),
        rate("published"),
        rate("jobs"),
        format!("{:.0} %", row.figure("stream busy")),
        wait("wait p50"),
        wait("wait p99"),
        format!("{:.1}", row.figure("redelivered")),
        count(row.figure("unacked at most")),
        count(row.figure("pulls waiting at most")),
        if refused == 0.0 { "0".to_owned() } else { rate("pulls refused") },
    ]
}

/// What the tables assume, in a sentence.
fn assumptions(header: &Value) -> String {
    let number = |path: &str| header.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let crashes = header["between_crashes_s"].as_f64();
    let crashes = crashes.map_or("no node crashes".to_owned(), |s| {
        format!("each node crashes every {} min and is back after {} s", s / 60.0, number("/restart_s"))
    });
    format!(
        "Seed {}; {} workers a node; jobs of {} ms ({}), published at random at {} % of what the workers can do; server \
         time of a publish {} us, a delivery {} us, an ack {} us, a pull request {} us, so one stream does {}/s at most; \
         round trip {} ms; a node has up to {} messages at hand; `max_ack_pending` {}, `max_waiting` {}, `ack_wait` {} s; \
         {crashes}; {} s counted, or as long as ten crashes take, up to an hour.",
        number("/seed"),
        number("/workers"),
        number("/job_ms"),
        header["job"].as_str().unwrap_or_default(),
        number("/load") * 100.0,
        number("/server_us/publish"),
        number("/server_us/deliver"),
        number("/server_us/ack"),
        number("/server_us/pull"),
        count(number("/stream_jobs_per_s")),
        number("/round_trip_ms"),
        number("/at_hand"),
        exact(number("/max_ack_pending")),
        exact(number("/max_waiting")),
        number("/ack_wait_s"),
        number("/simulated_s"),
    )
}

/// `page` with what stands between its markers replaced.
pub(crate) fn replaced(page: &str, text: &str) -> Result<String, String> {
    let missing = |marker: &str| format!("it has no `{marker}`");
    let (before, rest) = page.split_once(START).ok_or_else(|| missing(START))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| missing(END))?;
    Ok(format!("{before}{START}\n\n{text}\n{END}{after}"))
}

fn milliseconds(ms: f64) -> String {
    match ms {
        short if short < 10.0 => format!("{short:.1} ms"),
        middle if middle < 10_000.0 => format!("{middle:.0} ms"),
        long => format!("{:.0} s", long / 1e3),
    }
}

/// A count, to three digits.
fn count(value: f64) -> String {
    let digits = (value.abs().max(1.0).log10().floor() as i32 - 2).max(0);
    let unit = 10f64.powi(digits);
    exact((value / unit).round() * unit)
}

/// A whole number, its thousands set apart.
fn exact(value: f64) -> String {
    let whole = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_three_digits_and_their_thousands_apart() {
        assert_eq!(count(0.0), "0");
        assert_eq!(count(999.6), "1,000");
        assert_eq!(count(159_529.0), "160,000");
        assert_eq!(count(1_994_110.0), "1,990,000");
    }

    #[test]
    fn a_page_keeps_what_is_around_its_markers() {
        let page =
            replaced("a\n<!-- fleet -->\nold\n<!-- /fleet -->\nb", "new\n").expect("both markers are there");
        assert_eq!(page, "a\n<!-- fleet -->\n\nnew\n\n<!-- /fleet -->\nb");
        assert_eq!(replaced("a", "new"), Err("it has no `<!-- fleet -->`".to_owned()));
    }
}
