//! What only a request knows of the rows of its answer.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};
use chrono::DateTime;
use ctct_endpoints::{Field, Kind};

/// The values of columns that stand in a request and not in its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    values: Vec<(&'static str, String)>,
}

impl Asked {
    /// The same, with the value of one more column.
    pub(crate) fn with(mut self, column: &'static str, value: String) -> Self {
        self.values.push((column, value));
        self
    }

    /// A column's value, once for each row; nulls where the request does not know it.
    pub(super) fn column(&self, column: &Field, rows: usize) -> ArrayRef {
        let value = self.values.iter().find(|(name, _)| *name == column.name);
        let value = value.map(|(_, value)| value.as_str());
        if column.kind == Kind::Timestamp {
            let at = value.and_then(|value| DateTime::parse_from_rfc3339(value).ok());
            let at = at.map(|at| at.timestamp_micros());
            let times: TimestampMicrosecondArray = std::iter::repeat_n(at, rows).collect();
            return Arc::new(times.with_timezone("UTC"));
        }
        Arc::new(std::iter::repeat_n(value, rows).collect::<StringArray>())
    }
}
