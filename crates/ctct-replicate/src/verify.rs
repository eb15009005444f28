//! Whether a target has what its source has: by counts, and by a sample of rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use ctct_client::Client;
use datafusion::prelude::SessionContext;
use datafusion_ctct::Estimate;
use futures::TryStreamExt;

use crate::ident::literal;
use crate::plan::{Reads, StreamPlan};
use crate::postgres::{
    Column, Compared, Rejects, Stage, Target, columns_of, count, sample, state_of,
};
use crate::run::source::timestamp;
use crate::{Error, ErrorKind, Ident, Mode, Options, Plan, Result};

/// How many rows are looked at from either side.
const ROWS: usize = 50;
/// How many requests the look-up of the target's sample may take; it is made smaller where it
/// would take more, and left out for tables that cannot be asked by key.
const REQUESTS: u64 = 6;
const FEW: usize = 5;

/// What was found of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// How many rows the source has.
    pub source: u64,
    /// How many the target has; none where there is no such table.
    pub target: Option<u64>,
    /// How many rows were looked at, value by value.
    pub looked_at: u64,
    /// The keys of those that only the source has.
    pub missing: Vec<String>,
    /// The keys of those whose values differ.
    pub different: Vec<String>,
    /// The keys of those that only the target has.
    pub stray: Vec<String>,
}

impl Finding {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.target == Some(self.source)
            && [&self.missing, &self.different, &self.stray].iter().all(|keys| keys.is_empty())
    }
}

/// What became of the look at a stream.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The stream's name.
    pub stream: String,
    /// Where it went.
    pub table: String,
    /// What was found.
    pub found: std::result::Result<Finding, Arc<Error>>,
    /// How many requests it took.
    pub requests: u64,
}

/// Compares the targets of a plan with their sources, and writes nothing. The name of the run
/// chooses the rows of the sample.
///
/// Rows that changed since the last run differ, as they should: whoever wants to know whether
/// all is well runs first, and verifies then.
pub async fn verify(
    plan: &Plan,
    client: &Client,
    session: &SessionContext,
    target: &Target,
    options: &Options,
) -> Vec<Verification> {
    let mut verifications = Vec::new();
    for stream in &plan.streams {
        let requests = client.traffic().sent();
        let look = Look { plan: stream, session, target, options };
        let found = look
            .run()
            .await
            .map_err(|error| Arc::new(error.about(&format!("stream {}", stream.name))));
        verifications.push(Verification {
            stream: stream.name.clone(),
            table: stream.table.plain(),
            found,
            requests: client.traffic().sent() - requests,
        });
    }
    verifications
}

/// What the look at one stream works with.
struct Look<'a> {
    plan: &'a StreamPlan,
    session: &'a SessionContext,
    target: &'a Target,
    options: &'a Options,
}

impl Look<'_> {
    async fn run(&self) -> Result<Finding> {
        let plan = self.plan;
        let mut client = self.target.connect().await?;
        let query = plan.query()?;
        let Some(known) = columns_of(&client, &plan.table).await? else {
            let source = self.count(&query, None).await?;
            return Ok(Finding { source, ..Finding::default() });
        };
        let is_complete = state_of(&client, &plan.table).await?.complete_at.is_some();
        let within = self.within(is_complete);
        let (of_source, of_target) = self.conditions(within.as_ref())?;
        let mut finding = Finding {
            source: self.count(&query, of_source.as_deref()).await?,
            target: Some(count(&client, &plan.table, &of_target).await?),
            ..Finding::default()
        };
        if plan.key_names.is_empty() || finding.source == 0 {
            return Ok(finding);
        }
        let most = if plan.needs_detail() { FEW } else { ROWS };
        let some = match &of_source {
            Some(condition) => format!("SELECT * FROM ({query}) AS source WHERE {condition}"),
            None => query.clone(),
        };
        let some = self.rows(&format!("SELECT * FROM ({some}) AS some LIMIT {most}")).await?;
        // Columns that the next run will add are not there to be compared.
        let columns: Vec<Column> = plan
            .columns
            .iter()
            .filter_map(|column| {
                let there = known.get(column.name.as_str())?;
                Some(Column { pg_type: there.unwrap_or(column.pg_type), ..column.clone() })
            })
            .collect();
        let rejects = Arc::new(Rejects::new(&self.options.run_id, &plan.name, &plan.table));
        let stage = Stage::open(&client, &plan.table, &columns, &plan.key_names, rejects).await?;
        let compared = self.compare(&mut client, &stage, &some).await?;
        finding.note(&some, compared);

        let sampled = (self.options.run_id.as_str(), most);
        let keys = sample(&client, &plan.table, &plan.key_names, &of_target, sampled).await?;
        let few = &keys[..keys.len().min(FEW)];
        for keys in [&keys, few] {
            let Some(some) = self.look_up(&query, keys).await? else { continue };
            let compared = self.compare(&mut client, &stage, &some).await?;
            finding.note(&some, compared);
            let came = self.keys_of(&some)?;
            let stray = keys.iter().map(|key| key.join(" ")).filter(|key| !came.contains(key));
            finding.stray.extend(stray);
            break;
        }
        Ok(finding)
    }

    /// Between which times the rows lie that the target should have, where not all: those of a
    /// backfill, and those since the anchor where a table was never read as a whole.
    fn within(&self, is_complete: bool) -> Option<(String, i64, Option<i64>)> {
        let column = self.plan.update_key.clone()?;
        if let Some((first, last)) = self.plan.range {
            return Some((column, first.timestamp_micros(), Some(last.timestamp_micros())));
        }
        let by_changes = self.plan.mode == Mode::Incremental
            && !is_complete
            && !matches!(self.plan.reads, Reads::Parents(_));
        by_changes.then(|| (column, self.options.first().timestamp_micros(), None))
    }

    /// The condition of the rows that the last snapshot has.
    fn last_snapshot(&self) -> Option<String> {
        (self.plan.mode == Mode::Snapshot).then(|| {
            format!(
                "\"_ctct_snapshot_at\" = (SELECT max(\"_ctct_snapshot_at\") FROM {})",
                self.plan.table
            )
        })
    }

    /// The same for the source, and for the target. What is read of a snapshot is its last one.
    fn conditions(
        &self,
        within: Option<&(String, i64, Option<i64>)>,
    ) -> Result<(Option<String>, String)> {
        let plan = self.plan;
        if let Some(last) = self.last_snapshot() {
            return Ok((None, last));
        }
        let Some((column, lower, upper)) = within else { return Ok((None, "true".to_owned())) };
        let condition = |column: &Ident, time: &dyn Fn(i64) -> String| {
            let upper = upper.map(|upper| format!(" AND {column} <= {}", time(upper)));
            format!("{column} >= {}{}", time(*lower), upper.unwrap_or_default())
        };
        // PostgreSQL would read a time without its zone in the session's.
        let zoned = |at: i64| timestamp(at).replacen("TIMESTAMP", "TIMESTAMPTZ", 1);
        let there = plan.columns.iter().find(|known| known.source == *column);
        let there = there.map_or_else(|| "true".to_owned(), |there| condition(&there.name, &zoned));
        Ok((Some(condition(&Ident::new(column)?, &timestamp)), there))
    }

    /// How many rows the source has.
    async fn count(&self, query: &str, condition: Option<&str>) -> Result<u64> {
        let condition = condition.map(|all| format!(" WHERE {all}")).unwrap_or_default();
        let sql = format!("SELECT count(*) FROM ({query}) AS source{condition}");
        let counted = self.rows(&sql).await?;
        let number = counted.first().and_then(|batch| {
            let column = batch.columns().first()?.as_primitive_opt::<Int64Type>()?;
            column.values().first().copied()
        });
        let all = u64::try_from(number.unwrap_or(0)).unwrap_or(0);
        Ok(self.plan.settings.limit.map_or(all, |limit| all.min(limit)))
    }

    /// The source's rows of some keys, where few requests find them.
    async fn look_up(&self, query: &str, keys: &[Vec<String>]) -> Result<Option<Vec<RecordBatch>>> {
        let names = self.key_columns()?;
        let all = match names.as_slice() {
            [_] if !keys.is_empty() => {
                let values: Vec<String> = keys.iter().flatten().map(|key| literal(key)).collect();
                format!("{} IN ({})", names[0], values.join(", "))
            }
            _ => return Ok(None),
        };
        let sql = format!("SELECT * FROM ({query}) AS source WHERE {all}");
        let physical = self.session.sql(&sql).await?.create_physical_plan().await?;
        if Estimate::of(&physical).requests > REQUESTS {
            return Ok(None);
        }
        self.rows(&sql).await.map(Some)
    }

    async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        Ok(self.session.sql(sql).await?.execute_stream().await?.try_collect().await?)
    }

    async fn compare(
        &self,
        client: &mut tokio_postgres::Client,
        stage: &Stage,
        rows: &[RecordBatch],
    ) -> Result<Compared> {
        let transaction = client.transaction().await?;
        let among = self.last_snapshot().unwrap_or_else(|| "true".to_owned());
        let compared = stage.compare(&transaction, rows, &among).await?;
        transaction.rollback().await?;
        Ok(compared)
    }

    /// The key's columns by the names that the source has.
    fn key_columns(&self) -> Result<Vec<Ident>> {
        let of = |key: &Ident| self.plan.columns.iter().find(|column| column.name == *key);
        self.plan.key_names.iter().filter_map(of).map(|column| Ident::new(&column.source)).collect()
    }

    /// The keys of rows, as the target writes them.
    fn keys_of(&self, batches: &[RecordBatch]) -> Result<BTreeSet<String>> {
        let mut keys = BTreeSet::new();
        for name in self.key_columns()? {
            for batch in batches {
                let Some(column) = batch.column_by_name(name.as_str()) else { continue };
                let texts = arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8);
                let texts = texts.map_err(|source| {
                    Error::new(ErrorKind::Query, "a key has no form as text").with_source(source)
                })?;
                keys.extend(texts.as_string::<i32>().iter().flatten().map(str::to_owned));
            }
        }
        Ok(keys)
    }
}

impl Finding {
    fn note(&mut self, looked_at: &[RecordBatch], compared: Compared) {
        self.looked_at += looked_at.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
        for (all, some) in
            [(&mut self.missing, compared.missing), (&mut self.different, compared.different)]
        {
            for key in some {
                if !all.contains(&key) {
                    all.push(key);
                }
            }
        }
    }
}
