//! The rows, as the bench has them: one for each figure of each fleet, after a header that says what all share.

use serde_json::{Value, json};

use crate::case::Case;
use crate::settings::Settings;
use crate::tally::Tally;

const WORKLOAD: &str = "fleet";

/// What is told of one fleet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) table: String,
    pub(crate) variant: String,
    pub(crate) consumers: u64,
    pub(crate) streams: u64,
    pub(crate) workers: u64,
    /// In the order of [`FIGURES`].
    pub(crate) figures: Vec<f64>,
}

/// A figure's name and unit.
pub(crate) const FIGURES: [(&str, &str); 14] = [
    ("jobs", "1/s"),
    ("published", "1/s"),
    ("workers' limit", "1/s"),
    ("stream busy", "%"),
    ("wait mean", "ms"),
    ("wait p50", "ms"),
    ("wait p99", "ms"),
    ("longest wait", "ms"),
    ("redelivered", "per million"),
    ("done twice", "jobs"),
    ("unacked at most", "messages"),
    ("pulls waiting at most", "requests"),
    ("pulls refused", "1/s"),
    ("growth", "1/s"),
];

impl Row {
    pub(crate) fn of(case: &Case, tally: &Tally) -> Self {
        let ms = |ns: u64| ns as f64 / 1e6;
        let figures = [
            tally.jobs_per_s(),
            case.settings.offered_per_s,
            case.settings.workers_per_s(),
            tally.utilisation() * 100.0,
            tally.wait.mean() / 1e6,
            ms(tally.wait.quantile(0.5)),
            ms(tally.wait.quantile(0.99)),
            ms(tally.wait.longest()),
            tally.redelivered_per_million(),
            tally.repeated as f64,
            tally.most_pending as f64,
            tally.most_waiting as f64,
            tally.refused_per_s(),
            tally.growth_per_s(),
        ];
        Row {
            table: case.table.to_owned(),
            variant: case.variant.clone(),
            consumers: case.consumers as u64,
            streams: case.streams as u64,
            workers: case.settings.workers as u64,
            figures: figures.map(rounded).to_vec(),
        }
    }

    pub(crate) fn figure(&self, name: &str) -> f64 {
        let index = FIGURES.iter().position(|(known, _)| *known == name);
        index.and_then(|index| self.figures.get(index)).copied().unwrap_or(f64::NAN)
    }

    fn params(&self, metric: &str) -> Value {
        let mut params = json!({"consumers": self.consumers, "streams": self.streams, "metric": metric});
        if !self.variant.is_empty() {
            params["variant"] = self.variant.clone().into();
        }
        params
    }
}

/// Digits that say something, and the same text on each machine.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// What all rows share.
pub(crate) fn header(settings: &Settings, load: f64, measured: &str) -> Value {
    let costs = settings.costs;
    json!({
        "workloads": {WORKLOAD: "a simulated fleet of consumers behind JetStream streams"},
        "simulated": true,
        "seed": settings.seed,
        "load": load,
        "workers": settings.workers,
        "job": settings.job.name(),
        "job_ms": settings.job.mean_ns() / 1e6,
        "overhead_us": settings.overhead_ns / 1e3,
        "server_us": {
            "publish": costs.publish_ns as f64 / 1e3,
            "deliver": costs.deliver_ns as f64 / 1e3,
            "ack": costs.ack_ns as f64 / 1e3,
            "pull": costs.pull_ns as f64 / 1e3,
        },
        "server_measured": measured,
        "stream_jobs_per_s": settings.stream_per_s().round(),
        "round_trip_ms": settings.round_trip_ns as f64 / 1e6,
        "at_hand": settings.at_hand(),
        "max_ack_pending": settings.max_ack_pending,
        "max_waiting": settings.max_waiting,
        "ack_wait_s": settings.ack_wait_ns as f64 / 1e9,
        "between_crashes_s": settings.between_crashes_ns.map(|ns| ns / 1e9),
        "restart_s": settings.restart_ns as f64 / 1e9,
        "simulated_s": settings.span_ns as f64 / 1e9,
    })
}

/// One row a line, as a JSON array.
pub(crate) fn text(header: &Value, rows: &[Row]) -> String {
    let figures = rows.iter().flat_map(|row| {
        FIGURES.iter().zip(&row.figures).map(move |((metric, unit), value)| {
            json!({
                "workload": WORKLOAD,
                "contender": row.table,
                "workers": row.workers,
                "params": row.params(metric),
                "value": value,
                "unit": unit,
                "runs": [value],
                "ratio_to_millpond": null,
            })
        })
    });
    let lines: Vec<String> =
        std::iter::once(header.clone()).chain(figures).map(|row| row.to_string()).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// Header and rows of what [`text`] wrote.
pub(crate) fn parse(text: &str) -> Result<(Value, Vec<Row>), String> {
    let all: Vec<Value> = serde_json::from_str(text).map_err(|error| format!("no rows: {error}"))?;
    let (header, lines) = all.split_first().ok_or("it has no header")?;
    let rows = lines.chunks(FIGURES.len()).map(row).collect::<Option<_>>();
    Ok((header.clone(), rows.ok_or("its rows are not those of a fleet")?))
}

fn row(lines: &[Value]) -> Option<Row> {
    let first = lines.first()?;
    let params = &first["params"];
    let named = lines.iter().zip(FIGURES).all(|(line, (metric, _))| line["params"]["metric"] == metric);
    let figures: Vec<f64> = lines.iter().map(|line| line["value"].as_f64()).collect::<Option<_>>()?;
    (named && figures.len() == FIGURES.len()).then_some(())?;
    Some(Row {
        table: first["contender"].as_str()?.to_owned(),
        variant: params["variant"].as_str().unwrap_or_default().to_owned(),
        consumers: params["consumers"].as_u64()?,
        streams: params["streams"].as_u64()?,
        workers: first["workers"].as_u64()?,
        figures,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let settings = Settings::default();
        let one = Case::new("one stream", 10, 0.8, &settings);
        let other = Case { variant: "jobs: \"Pareto\"".to_owned(), ..one.clone().with_streams(3) };
        let rows = [one, other].map(|case| Row::of(&case, &Tally::new(1)));
        let header = header(&settings, 0.8, "here");
        assert_eq!(parse(&text(&header, &rows)), Ok((header, rows.to_vec())));
    }

    #[test]
    fn rows_of_something_else_are_refused() {
        assert!(parse("{}").is_err_and(|error| error.starts_with("no rows: ")));
        assert_eq!(parse("[]"), Err("it has no header".to_owned()));
        let row = r#"{"workload":"fleet","params":{"metric":"wall"},"value":1}"#;
        assert_eq!(parse(&format!("[{{}},{row}]")), Err("its rows are not those of a fleet".to_owned()));
    }
}
