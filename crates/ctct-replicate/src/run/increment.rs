//! Reading what changed: by times of change where the API has them, and by key into the table.

use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;

use super::Context;
use super::complete::{SAFETY, Then, begins_anew};
use super::fit::fitted;
use super::report::Event;
use super::source::{Part, Source};
use super::stream::Writing;
use crate::plan::{Reads, StreamPlan, changing_root};
use crate::postgres::{Progress, Stage, StreamState};
use crate::{Mode, Result};
use ctct_endpoints::{Endpoint, find};
use datafusion_ctct::KnownDefinitions;

const SECOND: i64 = 1_000_000;
/// How far before the watermark a reading begins: what was stamped before it may have become
/// visible only after.
const OVERLAP: i64 = 3_600 * SECOND;
/// The same for rows that are gone, of which only the day is known.
const OVERLAP_OF_GONE: i64 = 48 * OVERLAP;
/// How long reports go on growing after their campaign last changed.
const TRAILING: i64 = 30 * 86_400 * SECOND;

/// A reading of a run.
struct Feed {
    of: &'static Endpoint,
    column: &'static str,
    /// Whether its rows are gone from the source.
    is_gone: bool,
}

/// The readings that together find all changes of a table.
fn feeds(endpoint: &'static Endpoint) -> Vec<Feed> {
    let columns = endpoint.watermark.iter().chain(endpoint.further_watermarks);
    let mut feeds: Vec<Feed> =
        columns.map(|column| Feed { of: endpoint, column, is_gone: false }).collect();
    let gone = endpoint.gone.and_then(find);
    feeds.extend(gone.and_then(|of| Some(Feed { of, column: of.watermark?, is_gone: true })));
    feeds
}

/// Whether a stream is read by its changes: where those can be found, and unless it is time to
/// read all of it.
pub(super) fn is_due(context: &Context<'_>, plan: &StreamPlan, state: &StreamState) -> bool {
    let can = match &plan.reads {
        Reads::Pages(endpoint) => endpoint.watermark.is_some(),
        // Without a watermark all of them are read first.
        Reads::Parents(endpoint) => changing_root(endpoint).is_some() && state.watermark.is_some(),
        Reads::Query(_) => plan.update_key.is_some(),
    };
    let is_old = context.options.full_every.is_some_and(|every| {
        let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX);
        let last = state.complete_at.or(state.watermark);
        last.is_some_and(|last| context.server_now().saturating_sub(last) > every)
    });
    can && !is_old
}

/// Reads what changed since the watermark, or a range, and writes it by key.
pub(super) async fn run(
    context: &Context<'_>,
    plan: &StreamPlan,
    writing: &mut Writing<'_>,
) -> Result<()> {
    let columns = fitted(plan, writing.client).await?;
    let rejects = Arc::clone(writing.rejects);
    let stage =
        Stage::open(writing.client, &plan.table, &columns, &plan.key_names, rejects).await?;
    let lease = &mut *writing.lease;
    let what = match plan.range {
        Some((first, last)) => format!("{} from {first} to {last}", plan.name),
        None => format!("changes of {}", plan.name),
    };
    let goes_on = lease.state.progress.as_ref().is_some_and(|progress| progress.what == what);
    if !goes_on {
        let soon = context.server_now().saturating_add(24 * OVERLAP);
        if lease.state.watermark.is_some_and(|watermark| watermark > soon) {
            tracing::warn!(
                "the state of {} is of a time that is still to come; all is read again",
                plan.table.plain()
            );
            lease.state.watermark = None;
        }
        let lower = match plan.range {
            Some((first, _)) => Some(first.timestamp_micros()),
            None => Some(begin(context, lease.state.watermark)),
        };
        lease.state.progress = Some(Progress { what, lower, ..Progress::default() });
    }
    let feeds = match (&plan.reads, plan.mode) {
        (Reads::Pages(endpoint), Mode::Incremental) => feeds(endpoint),
        _ => Vec::new(),
    };
    let count = feeds.len().max(1);
    let mut known = KnownDefinitions::default();
    while let Some(at) = writing.lease.state.progress.as_ref().map(|progress| progress.feed) {
        let mut reading = Reading { stage: &stage, feed: feeds.get(at), count, known: &mut known };
        match read(context, plan, writing, &mut reading).await {
            Err(error) if begins_anew(&error) && writing.lease.state.goes_on_with_a_page() => {
                tracing::warn!(
                    "{}: a page cannot be gone on from any more; the reading begins again",
                    plan.name
                );
                let progress = writing.lease.state.progress.get_or_insert_default();
                (progress.next, progress.came, progress.announced) = (None, 0, None);
            }
            other => other?,
        }
    }
    Ok(())
}

/// What one reading of a run works with.
struct Reading<'a> {
    stage: &'a Stage,
    feed: Option<&'a Feed>,
    /// How many readings the run has.
    count: usize,
    /// What the readings before have read of definitions.
    known: &'a mut KnownDefinitions,
}

/// Goes on to the next reading; after the last one all changes are in the target.
fn next_feed(plan: &StreamPlan, state: &mut StreamState, count: usize) {
    let Some(progress) = state.progress.take() else { return };
    if progress.feed + 1 < count {
        state.progress = Some(Progress {
            what: progress.what,
            began: progress.began,
            lower: progress.lower,
            feed: progress.feed + 1,
            ..Progress::default()
        });
    } else if plan.mode == Mode::Incremental {
        // Never back: a clock that was wrong costs a reading, and no row.
        state.watermark = state.watermark.max(Some(progress.began - SAFETY));
    }
}

/// From when changes are read.
fn begin(context: &Context<'_>, watermark: Option<i64>) -> i64 {
    let first = context.options.first().timestamp_micros();
    watermark.map_or(first, |watermark| watermark.saturating_sub(OVERLAP))
}

/// Reads one feed to its end, each piece kept with the place where the next one is.
async fn read(
    context: &Context<'_>,
    plan: &StreamPlan,
    writing: &mut Writing<'_>,
    reading: &mut Reading<'_>,
) -> Result<()> {
    let Writing { client, lease, report, .. } = writing;
    let &mut Reading { stage, feed, count, .. } = reading;
    let is_gone = feed.is_some_and(|feed| feed.is_gone);
    loop {
        let progress = lease.state.progress.clone().unwrap_or_default();
        let lower = progress.lower.map(|lower| match (&plan.reads, is_gone) {
            (_, true) => lower - OVERLAP_OF_GONE,
            (Reads::Parents(_), _) => lower - TRAILING,
            _ => lower,
        });
        let upper = plan.range.map(|(_, last)| last.timestamp_micros());
        let column = match (feed, &plan.update_key) {
            (Some(feed), _) => Some(feed.column.to_owned()),
            (None, Some(column)) => Some(column.clone()),
            (None, None) => None,
        };
        let column = column.or_else(|| matches!(plan.reads, Reads::Parents(_)).then(String::new));
        let part = Part {
            of: feed.map(|feed| feed.of),
            within: column.map(|column| (column, lower, upper)),
            from: progress.next.clone(),
            after: progress.after.clone(),
            known: reading.known.clone(),
        };
        let started = Instant::now();
        let mut source = Source::open(context, plan, &part).await?;
        let mut then = Then::GoOn;
        while let Some(mut piece) = source.next().await? {
            let transaction = client.transaction().await?;
            let mut rows = 0;
            while let Some(batch) = piece.rows.next().await {
                let batch = batch?;
                rows += batch.num_rows() as u64;
                stage.copy(&transaction, &batch).await?;
            }
            let loaded = match (is_gone, context.options.hard_deletes) {
                (true, true) => stage.delete(&transaction).await?,
                _ => stage.upsert(&transaction, is_gone).await?,
            };
            let progress = lease.state.progress.get_or_insert_default();
            if progress.began == 0 {
                let elapsed = i64::try_from(started.elapsed().as_micros()).unwrap_or(0);
                progress.began = context.server_now() - elapsed;
            }
            then = progress.note(&piece);
            if then == Then::Done {
                next_feed(plan, &mut lease.state, count);
            }
            lease.keep(&transaction).await?;
            transaction.commit().await?;
            report.rows += rows;
            report.add(loaded);
            let of = piece.announced;
            (context.observe)(Event::Kept { stream: plan.name.clone(), rows: report.rows, of });
        }
        *reading.known = source.known();
        match then {
            Then::Again => {}
            Then::Done => return Ok(()),
            // Of parents and queries nobody knew which piece was the last.
            Then::GoOn => {
                let progress = lease.state.progress.get_or_insert_default();
                if progress.began == 0 {
                    progress.began = context.server_now();
                }
                next_feed(plan, &mut lease.state, count);
                let transaction = client.transaction().await?;
                lease.keep(&transaction).await?;
                transaction.commit().await?;
                return Ok(());
            }
        }
    }
}
