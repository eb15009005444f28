//! What a scan reads: the contract between planner, scan, `EXPLAIN` and whoever sends
//! scans elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::predicate::Interval;

/// What a scan reads. It can be sent to another machine: it names its connection and
/// holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanSpec {
    /// The endpoint's table.
    pub endpoint: String,
    /// The connection's name.
    pub connection: String,
    /// The columns of the result, in its order.
    pub columns: Vec<String>,
    /// Where the values of time columns lie; rows outside, and nulls, are not wanted.
    pub domains: BTreeMap<String, Interval>,
    /// How many rows are wanted at most.
    pub fetch: Option<usize>,
}

impl ScanSpec {
    /// The columns that must be read: those of the result, and then those that only
    /// the domains need.
    pub fn read_columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        for column in self.domains.keys() {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        columns
    }

    /// Whether no row can be wanted.
    pub fn is_impossible(&self) -> bool {
        self.fetch == Some(0) || self.domains.values().any(Interval::is_empty)
    }
}
