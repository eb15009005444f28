//! The keys of a parent's rows, as many at a time as a request takes.

use std::collections::HashSet;

use arrow::array::{Array, AsArray, RecordBatch};
use datafusion::common::Result;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::StreamExt;

use super::plan::{Key, Walk};
use super::reader::Reading;
use super::stream::Scan;
use crate::schema::arrow_schema;

/// The keys of a parent's rows, read as they are asked for.
pub(super) struct Keys {
    walk: Walk,
    rows: Option<SendableRecordBatchStream>,
    /// Keys that were read and not given away.
    waiting: Vec<Key>,
    /// A parent that is listed twice has its rows once.
    known: HashSet<Key>,
}

impl Keys {
    /// The keys that a walk finds; none where the parent does not have its columns.
    pub(super) fn new(of: &Reading, walk: &Walk) -> Option<Self> {
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
        Some(Self { walk: walk.clone(), rows, waiting: Vec::new(), known: HashSet::new() })
    }

    /// The next keys that make up one request; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Key>>> {
        while self.waiting.len() < self.walk.keys_at_once
            && let Some(rows) = &mut self.rows
        {
            match rows.next().await {
                Some(rows) => self.take(&rows?),
                None => self.rows = None,
            }
        }
        let several = self.walk.keys_at_once.min(self.waiting.len());
        let keys: Vec<Key> = self.waiting.drain(..several).collect();
        Ok(Some(keys).filter(|keys| !keys.is_empty()))
    }

    fn take(&mut self, rows: &RecordBatch) {
        let texts = |place: usize| rows.columns().get(place)?.as_string_opt::<i32>();
        let parts: Vec<_> = (0..self.walk.parts).filter_map(texts).collect();
        let others = texts(self.walk.parts);
        for row in 0..rows.num_rows() {
            let other =
                others.filter(|others| others.is_valid(row)).map(|others| others.value(row));
            let has_nothing = self.walk.without.is_some_and(|without| without.matches(other));
            let key =
                parts.iter().map(|part| part.is_valid(row).then(|| part.value(row).to_owned()));
            if let Some(key) = key.collect::<Option<Key>>().filter(|_| !has_nothing)
                && self.known.insert(key.clone())
            {
                self.waiting.push(key);
            }
        }
    }
}
