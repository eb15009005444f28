//! What a scan reads: the contract between planner, scan, `EXPLAIN` and whoever sends
//! scans elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::predicate::{Domain, Domains};

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
    /// Where the values of columns lie; rows outside, and nulls, are not wanted.
    pub domains: Domains,
    /// How many rows are wanted at most.
    pub fetch: Option<usize>,
    /// Whether rows are dropped by conditions that are not said here.
    #[serde(default)]
    pub filtered: bool,
    /// When the scan began, by the server's clock in microseconds since 1970; none before.
    #[serde(default)]
    pub began: Option<i64>,
    /// Tables and columns of them that other scans of the same statement read from the same
    /// pages: what is asked for serves all of them.
    #[serde(default)]
    pub beside: BTreeMap<String, BTreeSet<String>>,
}

impl ScanSpec {
    /// The columns that must be read: those of the result, and then those that only
    /// the domains need. The members of a list are looked at by whoever asked for them.
    pub fn read_columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        for (column, domain) in self.domains.iter() {
            if !matches!(domain, Domain::HoldsAny(_)) && !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }

    /// Whether some rows of the pages may not be wanted.
    pub(super) fn drops_rows(&self) -> bool {
        self.filtered || !self.domains.is_all()
    }

    /// Whether no row can be wanted.
    pub fn is_impossible(&self) -> bool {
        self.fetch == Some(0) || self.domains.is_impossible()
    }
}
