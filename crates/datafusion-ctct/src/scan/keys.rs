//! The keys of a parent's rows, as many at a time as a request takes.

use std::collections::HashSet;

use arrow::array::{Array, AsArray, RecordBatch};
use ctct_endpoints::Parent;
use datafusion::common::Result;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::StreamExt;

use super::plan::Walk;
use super::reader::Reading;
use super::stream::Scan;
use crate::schema::arrow_schema;

/// The keys of a parent's rows, read as they are asked for.
pub(super) struct Keys {
    parent: Parent,
    rows: Option<SendableRecordBatchStream>,
    /// Keys that were read and not given away.
    waiting: Vec<String>,
    /// A parent that is listed twice has its rows once.
    known: HashSet<String>,
}

impl Keys {
    /// The keys that a walk finds; none where the endpoint has no parent.
    pub(super) fn new(of: &Reading, walk: &Walk) -> Option<Self> {
        let parent = of.endpoint.parent?;
        let schema = arrow_schema(walk.parent);
        let columns = walk.spec.columns.iter().filter_map(|column| schema.index_of(column).ok());
        let schema = schema.project(&columns.collect::<Vec<_>>()).ok()?;
        let scan = Scan {
            client: of.client.clone(),
            endpoint: walk.parent,
            spec: walk.spec.clone(),
            hints: Vec::new(),
            conditions: Vec::new(),
            answers: of.answers.clone(),
            metrics: of.metrics.of_parent(),
        };
        let rows = Some(scan.into_stream(schema.into()));
        Some(Self { parent, rows, waiting: Vec::new(), known: HashSet::new() })
    }

    /// The next keys that make up one request; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<String>>> {
        while self.waiting.len() < self.parent.keys_at_once
            && let Some(rows) = &mut self.rows
        {
            match rows.next().await {
                Some(rows) => self.take(&rows?),
                None => self.rows = None,
            }
        }
        let several = self.parent.keys_at_once.min(self.waiting.len());
        let keys: Vec<String> = self.waiting.drain(..several).collect();
        Ok(Some(keys).filter(|keys| !keys.is_empty()))
    }

    fn take(&mut self, rows: &RecordBatch) {
        let keys = rows.column(0).as_string::<i32>();
        let others = rows.columns().get(1).and_then(|column| column.as_string_opt::<i32>());
        for (row, key) in keys.iter().enumerate() {
            let other =
                others.filter(|others| others.is_valid(row)).map(|others| others.value(row));
            let has_nothing = self.parent.without.is_some_and(|without| without.matches(other));
            if let Some(key) = key.filter(|_| !has_nothing)
                && self.known.insert(key.to_owned())
            {
                self.waiting.push(key.to_owned());
            }
        }
    }
}
