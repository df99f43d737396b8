//! The table that the program prints.

use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// In the order of the workers.
    pub(crate) workers: Vec<Row>,
    pub(crate) total: Row,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) connections: u64,
    pub(crate) open: u64,
    pub(crate) no_upstream: u64,
    pub(crate) reset: u64,
    pub(crate) to_upstream: u64,
    pub(crate) to_client: u64,
}

impl FromStr for Table {
    type Err = String;

    /// Checks on the way that the total is the sum.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        if !lines.next().is_some_and(|head| head.starts_with("worker ")) {
            return Err("it has no head".to_owned());
        }
        let mut rows = lines.map(Row::parse).collect::<Result<Vec<_>, _>>()?;
        let total = rows.pop().ok_or("it has no total")?;
        let sum = rows.iter().fold(Row::default(), |sum, row| sum.plus(row));
        if sum == total { Ok(Self { workers: rows, total }) } else { Err(format!("the sum is {sum:?}")) }
    }
}

impl Row {
    fn parse(line: &str) -> Result<Self, String> {
        let cells = line.split_whitespace().skip(1).map(|cell| cell.replace(',', "").parse::<u64>());
        let cells = cells.collect::<Result<Vec<_>, _>>().map_err(|error| format!("{line}: {error}"))?;
        let [connections, open, no_upstream, reset, to_upstream, to_client] = cells[..] else {
            return Err(format!("{line}: not six numbers"));
        };
        Ok(Self { connections, open, no_upstream, reset, to_upstream, to_client })
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            open: self.open + other.open,
            no_upstream: self.no_upstream + other.no_upstream,
            reset: self.reset + other.reset,
            to_upstream: self.to_upstream + other.to_upstream,
            to_client: self.to_client + other.to_client,
        }
    }
}
