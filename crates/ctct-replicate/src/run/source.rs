//! Where the rows of a stream come from, in pieces that are kept together.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use chrono::{DateTime, SecondsFormat, Utc};
use ctct_client::Request;
use ctct_endpoints::{Endpoint, find};
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion_ctct::predicate::{Domain, Domains, Interval};
use datafusion_ctct::{KnownDefinitions, Pages, ScanSpec};
use futures::{StreamExt, TryStreamExt, stream};

use super::Context;
use crate::ident::literal;
use crate::plan::{Reads, StreamPlan, incremented};
use crate::{Error, ErrorKind, Ident, Result};

/// The pieces of a reading.
pub(super) enum Source<'a> {
    Pages(Box<Pages>),
    Parents { context: &'a Context<'a>, plan: &'a StreamPlan, keys: VecDeque<Vec<Vec<String>>> },
    Query(Option<SendableRecordBatchStream>),
}

/// Rows that are kept together, and how far they bring the reading.
pub(super) struct Piece {
    pub(super) rows: SendableRecordBatchStream,
    /// The page to read next; none where this was the last, or there are no pages.
    pub(super) next: Option<Request>,
    /// The last key whose rows these are.
    pub(super) after: Option<Vec<String>>,
    /// How many rows the answer had, where it is a page.
    pub(super) answered: Option<u64>,
    /// How many rows the whole reading has, where a page told.
    pub(super) announced: Option<u64>,
}

/// What part of a stream is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// The endpoint, where it is another one than the stream's own.
    pub(super) of: Option<&'static Endpoint>,
    /// The column that is restricted, and to which times, in microseconds since 1970.
    pub(super) within: Option<(String, Option<i64>, Option<i64>)>,
    /// The page to begin with.
    pub(super) from: Option<Request>,
    /// The key whose successors are read.
    pub(super) after: Option<Vec<String>>,
    /// The definitions that earlier readings of the run have read.
    pub(super) known: KnownDefinitions,
}

impl<'a> Source<'a> {
    /// Opens a reading. What is read of parents is asked for here.
    pub(super) async fn open(
        context: &'a Context<'a>,
        plan: &'a StreamPlan,
        part: &Part,
    ) -> Result<Self> {
        match &plan.reads {
            Reads::Pages(endpoint) => {
                let endpoint = part.of.unwrap_or(endpoint);
                let columns = plan.columns.iter().map(|column| column.source.clone()).collect();
                let domains = part.within.as_ref().map(|(column, lower, upper)| {
                    let interval = Interval { lower: *lower, upper: *upper };
                    Domains::of(column, Domain::Interval(interval))
                });
                let spec = ScanSpec {
                    endpoint: endpoint.table.to_owned(),
                    connection: context.client.connection().name.clone(),
                    columns,
                    domains: domains.unwrap_or_default(),
                    fetch: None,
                    filtered: false,
                    began: None,
                    beside: std::collections::BTreeMap::default(),
                };
                let pages = Pages::new(Arc::clone(&context.client), endpoint, spec)?;
                let pages = pages.ok_or_else(|| {
                    Error::new(ErrorKind::Query, format!("{} has no pages", endpoint.table))
                })?;
                let pages = pages.knowing(&part.known);
                Ok(Self::Pages(Box::new(match &part.from {
                    Some(request) => pages.from(request.clone()),
                    None => pages,
                })))
            }
            Reads::Parents(endpoint) => {
                let since = part.within.as_ref().and_then(|(_, lower, _)| *lower);
                let mut keys = parent_keys(context, plan, endpoint, since).await?;
                if let Some(after) = &part.after {
                    keys.retain(|key| key > after);
                }
                let at_once = endpoint.parent.map_or(1, |parent| parent.keys_at_once);
                let keys = keys.chunks(at_once).map(<[_]>::to_vec).collect();
                Ok(Self::Parents { context, plan, keys })
            }
            Reads::Query(sql) => {
                let sql = increment(sql, plan, part.within.as_ref())?;
                let frame = context.session.sql(&sql).await?;
                Ok(Self::Query(Some(frame.execute_stream().await?)))
            }
        }
    }

    /// The definitions that were read so far.
    pub(super) fn known(&self) -> KnownDefinitions {
        match self {
            Self::Pages(pages) => pages.known(),
            Self::Parents { .. } | Self::Query(_) => KnownDefinitions::default(),
        }
    }

    /// The next piece; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Piece>> {
        match self {
            Self::Pages(pages) => {
                let Some(page) = pages.next().await? else { return Ok(None) };
                Ok(Some(Piece {
                    rows: single(page.rows),
                    next: page.next,
                    after: None,
                    answered: Some(page.answered),
                    announced: page.announced,
                }))
            }
            Self::Parents { context, plan, keys } => {
                let Some(some) = keys.pop_front() else { return Ok(None) };
                let sql = rows_of(plan, &some)?;
                let rows = context.session.sql(&sql).await?.execute_stream().await?;
                let after = some.last().cloned();
                Ok(Some(Piece { rows, next: None, after, answered: None, announced: None }))
            }
            Self::Query(rows) => Ok(rows.take().map(|rows| Piece {
                rows,
                next: None,
                after: None,
                answered: None,
                announced: None,
            })),
        }
    }
}

/// One batch as a stream.
fn single(batch: RecordBatch) -> SendableRecordBatchStream {
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    let schema = batch.schema();
    Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter([Ok(batch)]).boxed()))
}

/// The query of the rows that belong to some keys of a parent.
fn rows_of(plan: &StreamPlan, keys: &[Vec<String>]) -> Result<String> {
    let Reads::Parents(endpoint) = &plan.reads else { return Ok(String::new()) };
    let columns: Vec<String> = plan
        .columns
        .iter()
        .map(|column| Ident::new(&column.source).map(|name| name.to_string()))
        .collect::<Result<_>>()?;
    let parts = endpoint.parent.iter().flat_map(ctct_endpoints::Parent::columns).enumerate();
    let conditions = parts.map(|(place, column)| {
        let mut values: Vec<String> =
            keys.iter().filter_map(|key| key.get(place)).map(|value| literal(value)).collect();
        values.dedup();
        format!("\"{column}\" IN ({})", values.join(", "))
    });
    let conditions = conditions.collect::<Vec<_>>().join(" AND ");
    Ok(format!("SELECT {} FROM {} WHERE {conditions}", columns.join(", "), plan.source))
}

/// The keys of the parents of an endpoint, sorted; `since` keeps those whose root changed.
async fn parent_keys(
    context: &Context<'_>,
    plan: &StreamPlan,
    endpoint: &Endpoint,
    since: Option<i64>,
) -> Result<Vec<Vec<String>>> {
    let Some(sql) = keys_query(plan, endpoint, since) else { return Ok(Vec::new()) };
    let batches: Vec<RecordBatch> =
        context.session.sql(&sql).await?.execute_stream().await?.try_collect().await?;
    let mut keys = Vec::new();
    for batch in &batches {
        let texts: Vec<_> =
            batch.columns().iter().filter_map(|column| column.as_string_opt::<i32>()).collect();
        for row in 0..batch.num_rows() {
            let key =
                texts.iter().map(|text| text.is_valid(row).then(|| text.value(row).to_owned()));
            keys.extend(key.collect::<Option<Vec<String>>>());
        }
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}

/// The query of the keys of an endpoint's parents.
fn keys_query(plan: &StreamPlan, endpoint: &Endpoint, since: Option<i64>) -> Option<String> {
    let parent = endpoint.parent?;
    let table = find(parent.table)?;
    let prefix = plan.source.rsplit_once('.').map(|(prefix, _)| prefix)?;
    let of = |table: &str| format!("{prefix}.\"{table}\"");
    let columns: Vec<String> = parent.parent_columns().map(|key| format!("\"{key}\"")).collect();
    let mut conditions = Vec::new();
    if let Some(without) = parent.without {
        let values: Vec<String> = without.values.iter().map(|value| literal(value)).collect();
        conditions.push(format!(
            "(\"{0}\" IS NULL OR lower(\"{0}\") NOT IN ({1}))",
            without.column,
            values.join(", ")
        ));
    }
    if let Some((column, values)) = parent.only {
        let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
        conditions.push(format!("\"{column}\" IN ({})", values.join(", ")));
    }
    if let Some(since) = since {
        conditions.extend(changed_since(table, &of, since));
    }
    let conditions = if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(" AND "))
    };
    Some(format!("SELECT DISTINCT {} FROM {}{conditions}", columns.join(", "), of(table.table)))
}

/// The condition that a table's rows, or the rows that they belong to, changed since a time.
fn changed_since(table: &Endpoint, of: &dyn Fn(&str) -> String, since: i64) -> Option<String> {
    if let Some(watermark) = table.watermark.filter(|_| table.parent.is_none()) {
        return Some(format!("\"{watermark}\" >= {}", timestamp(since)));
    }
    let parent = table.parent?;
    let above = find(parent.table)?;
    let condition = changed_since(above, of, since)?;
    Some(format!(
        "\"{}\" IN (SELECT \"{}\" FROM {} WHERE {condition})",
        parent.column,
        parent.key,
        of(above.table)
    ))
}

/// A time as it stands in a query.
pub(crate) fn timestamp(microseconds: i64) -> String {
    let at: DateTime<Utc> = DateTime::from_timestamp_micros(microseconds).unwrap_or_default();
    format!("TIMESTAMP '{}'", at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// A query with the condition of an increment.
fn increment(
    sql: &str,
    plan: &StreamPlan,
    within: Option<&(String, Option<i64>, Option<i64>)>,
) -> Result<String> {
    let mut conditions = Vec::new();
    if let Some((column, lower, upper)) = within {
        let column = Ident::new(column)?;
        conditions.extend(lower.map(|lower| format!("{column} >= {}", timestamp(lower))));
        conditions.extend(upper.map(|upper| format!("{column} <= {}", timestamp(upper))));
    }
    let all = if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" AND ") };
    let lower = within.and_then(|(_, lower, _)| *lower);
    let mut query =
        if sql.contains("{incremental_where_cond}") || sql.contains("{incremental_value}") {
            incremented(sql, &all, lower)
        } else if conditions.is_empty() {
            sql.to_owned()
        } else {
            format!("SELECT * FROM ({sql}) AS increment WHERE {all}")
        };
    if let Some(limit) = plan.settings.limit {
        query = format!("SELECT * FROM ({query}) AS some LIMIT {limit}");
    }
    Ok(query)
}
