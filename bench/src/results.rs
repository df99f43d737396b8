//! A rows file, read back: what the machine was, and one table a case.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::measure::RATE_UNIT;
use crate::units::counted;

/// What `params` holds beside the variant of a workload.
const COMMON_PARAMS: [&str; 3] = ["metric", "allocator", "size"];

/// For files from before each row named its allocator.
const DEFAULT_ALLOCATOR: &str = "system";

/// All that a run has measured.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) header: Header,
    /// In the order of the file.
    pub(crate) tables: Vec<Table>,
}

/// What the figures were taken on. Any field may be missing: not every machine tells all.
#[derive(Debug)]
pub(crate) struct Header(Map<String, Value>);

/// A case: what is common to contenders that are beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) workload: String,
    pub(crate) workers: u64,
    /// Such as `capacity=1024`; empty for a workload without variants.
    pub(crate) variant: String,
    pub(crate) allocator: String,
    pub(crate) size: String,
}

/// A case, and all contenders in it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) case: Case,
    /// In the order of the file.
    pub(crate) entries: Vec<Entry>,
}

/// One contender in one case.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) contender: String,
    /// The one that the workload is about first. Those of its successful runs, if it failed later.
    pub(crate) figures: Vec<Figure>,
    /// Why it was given up.
    pub(crate) failed: Option<String>,
}

/// One metric of one contender. All are costs, but for rates.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) metric: String,
    pub(crate) unit: String,
    pub(crate) median: f64,
    pub(crate) runs: Vec<f64>,
    /// How many times millpond's cost this is.
    pub(crate) ratio: Option<f64>,
}

impl Results {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path);
        let text = text.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rows: Vec<Value> = serde_json::from_str(text).map_err(|error| format!("no rows: {error}"))?;
        let mut rows = rows.into_iter();
        let Some(Value::Object(header)) = rows.next() else { return Err("it has no header".to_owned()) };
        let header = Header(header);
        let allocator = header.words("allocator").unwrap_or(DEFAULT_ALLOCATOR.to_owned());
        let mut results = Results { header, tables: Vec::new() };
        for (index, row) in rows.enumerate() {
            // People count from one, and the header is the first.
            results.add(&row, &allocator).map_err(|error| format!("row {}: {error}", index + 2))?;
        }
        Ok(results)
    }

    /// In the order of the file, each once.
    pub(crate) fn workloads(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for table in &self.tables {
            if !names.contains(&table.case.workload.as_str()) {
                names.push(&table.case.workload);
            }
        }
        names
    }

    pub(crate) fn of_workload(&self, name: &str) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(move |table| table.case.workload == name)
    }

    /// What a reader must know of figures that have no spread.
    pub(crate) fn caution(&self) -> Option<&'static str> {
        let mut primaries = self.tables.iter().flat_map(|table| &table.entries).filter_map(Entry::primary);
        primaries.all(|figure| figure.runs.len() == 1).then_some(
            "Each case was measured once, so there is no spread: figures that differ by less than half may not differ at all.",
        )
    }

    fn add(&mut self, row: &Value, allocator: &str) -> Result<(), String> {
        let entry = self.entry(Case::of(row, allocator)?, text(row, "contender")?);
        match &row["failed"] {
            Value::Null => entry.figures.push(Figure::of(row)?),
            failed => entry.failed = Some(words(failed)),
        }
        Ok(())
    }

    fn entry(&mut self, case: Case, contender: String) -> &mut Entry {
        let table = position_or_push(
            &mut self.tables,
            |table| table.case == case,
            || Table { case: case.clone(), entries: Vec::new() },
        );
        position_or_push(
            &mut table.entries,
            |entry| entry.contender == contender,
            || Entry { contender: contender.clone(), figures: Vec::new(), failed: None },
        )
    }
}

impl Header {
    /// A field as words; none if it is missing or null.
    pub(crate) fn words(&self, field: &str) -> Option<String> {
        self.0.get(field).filter(|value| !value.is_null()).map(words)
    }

    /// What a workload does, or did when it was measured.
    pub(crate) fn about(&self, workload: &str) -> Option<String> {
        self.0.get("workloads")?.get(workload).map(words)
    }

    /// A field that lists several.
    pub(crate) fn list(&self, field: &str) -> Vec<String> {
        self.0.get(field).and_then(Value::as_array).into_iter().flatten().map(words).collect()
    }
}

impl Case {
    fn of(row: &Value, allocator: &str) -> Result<Self, String> {
        let params = row["params"].as_object().ok_or("it has no `params`")?;
        let param = |name: &str| params.get(name).map(words);
        let variant = params.iter().filter(|(name, _)| !COMMON_PARAMS.contains(&name.as_str()));
        let variant: Vec<String> = variant.map(|(name, value)| format!("{name}={}", words(value))).collect();
        Ok(Case {
            workload: text(row, "workload")?,
            workers: row["workers"].as_u64().ok_or("it has no `workers`")?,
            variant: variant.join(", "),
            allocator: param("allocator").unwrap_or(allocator.to_owned()),
            size: param("size").unwrap_or_default(),
        })
    }

    /// What is set: workers, variant and allocator.
    pub(crate) fn settings(&self) -> String {
        let workers = counted(self.workers, "worker");
        let allocator = format!("{} allocator", self.allocator);
        let words = [workers, self.variant.replace('=', " "), allocator];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// The variant's name and value, where that value is a number.
    pub(crate) fn number(&self) -> Option<(&str, f64)> {
        let (name, value) = self.variant.split_once('=')?;
        Some((name, value.parse().ok()?))
    }
}

impl Entry {
    /// The figure that the workload is about, unless the contender failed.
    pub(crate) fn primary(&self) -> Option<&Figure> {
        if self.failed.is_some() { None } else { self.figures.first() }
    }
}

impl Figure {
    fn of(row: &Value) -> Result<Self, String> {
        let median = row["value"].as_f64().ok_or("its `value` is no number")?;
        let runs = row["runs"].as_array().into_iter().flatten();
        let runs: Option<Vec<f64>> = runs.map(Value::as_f64).collect();
        Ok(Figure {
            metric: text(&row["params"], "metric")?,
            unit: text(row, "unit")?,
            median,
            runs: runs.filter(|runs| !runs.is_empty()).ok_or("its `runs` are no numbers")?,
            ratio: row["ratio_to_millpond"].as_f64(),
        })
    }

    /// A rate; of all others, less is better.
    pub(crate) fn more_is_better(&self) -> bool {
        self.unit == RATE_UNIT
    }

    pub(crate) fn lowest(&self) -> f64 {
        self.runs.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn highest(&self) -> f64 {
        self.runs.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Whether some run of one could have been a run of the other.
    pub(crate) fn overlaps(&self, other: &Figure) -> bool {
        self.lowest() <= other.highest() && other.lowest() <= self.highest()
    }
}

fn position_or_push<T>(list: &mut Vec<T>, is: impl FnMut(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let index = list.iter().position(is).unwrap_or_else(|| {
        list.push(new());
        list.len() - 1
    });
    &mut list[index]
}

fn text(row: &Value, field: &str) -> Result<String, String> {
    row[field].as_str().map(str::to_owned).ok_or_else(|| format!("it has no `{field}`"))
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{file, results, row};

    #[test]
    fn rows_become_tables_in_the_order_of_the_file() {
        let results = results();
        assert_eq!(results.workloads(), ["spawn-join", "channel"]);
        let [first, second] = &results.tables[..] else { panic!("{:?}", results.tables) };
        assert_eq!(first.entries.len(), 3);
        assert_eq!(first.entries[0].figures.len(), 2);
        assert_eq!(
            (second.case.variant.as_str(), second.case.allocator.as_str()),
            ("capacity=1024", "mimalloc")
        );
        assert_eq!(second.case.number(), Some(("capacity", 1024.0)));
    }

    #[test]
    fn a_failure_keeps_its_reason_and_has_no_primary_figure() {
        let rayon = &results().tables[0].entries[2];
        assert_eq!(rayon.failed.as_deref(), Some("it hung | badly"));
        assert!(rayon.primary().is_none());
    }

    #[test]
    fn a_header_may_lack_anything() {
        let header = results().header;
        assert_eq!(header.words("cores").as_deref(), Some("2"));
        assert_eq!(header.words("governor"), None);
        assert_eq!(header.words("load_average"), None);
        assert_eq!(header.list("warnings"), ["the load is 3.1"]);
        assert!(header.list("allocators").is_empty());
    }

    #[test]
    fn rows_without_an_allocator_have_the_header_s() {
        let row = r#"{"workload":"local","contender":"monoio","workers":1,"params":{"metric":"wall"},"value":1,"unit":"ns/job","runs":[1]}"#;
        let allocator = |header: &str| {
            let results = Results::parse(&format!("[{header},{row}]")).expect("one row");
            results.tables[0].case.allocator.clone()
        };
        assert_eq!(allocator(r#"{"allocator":"mimalloc"}"#), "mimalloc");
        assert_eq!(allocator("{}"), "system");
    }

    #[test]
    fn a_wrong_row_is_named() {
        let error = |text: &str| Results::parse(text).map(|_| ()).expect_err("it is wrong");
        assert!(error("{}").starts_with("no rows"));
        assert_eq!(error("[]"), "it has no header");
        let row = r#"{"workload":"w","contender":"c","workers":1,"params":{"metric":"wall"},"value":null}"#;
        assert_eq!(error(&format!("[{{}},{row}]")), "row 2: its `value` is no number");
    }

    #[test]
    fn figures_without_a_spread_come_with_a_caution() {
        assert_eq!(results().caution(), None);
        let once = file(&[row("compute", "", "tokio", ("wall", 300.0, "ns/job"))]);
        assert!(once.caution().is_some_and(|caution| caution.contains("measured once")));
    }

    #[test]
    fn the_rows_tell_what_a_workload_did() {
        let told = Results::parse(r#"[{"workloads":{"compute":"5 M jobs"}}]"#).expect("a header is enough");
        assert_eq!(told.header.about("compute").as_deref(), Some("5 M jobs"));
        assert_eq!(told.header.about("channel"), None);
    }
}
