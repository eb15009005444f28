//! Reading all of a stream: into a table beside the target, which then takes its place, or is
//! put into it.

use futures::StreamExt;
use tokio_postgres::Client;

use super::Context;
use super::guard::guard;
use super::place::{append, compare, drop_beside, refill, replace, without_doubles, without_gone};
use super::report::Event;
use super::source::{Part, Source};
use super::stream::Writing;
use crate::plan::StreamPlan;
use crate::postgres::{Encoder, Lease, Progress, columns_of, create_table, without_key};
use crate::{Error, Mode, Result, TableName};

/// How often a reading begins again because rows moved meanwhile.
const READINGS: u32 = 5;
/// What lies so shortly before the end of a run may not be visible yet, in microseconds.
pub(super) const SAFETY: i64 = 120 * 1_000_000;

/// Reads all of a stream. A run that was cut off goes on with the page, or the parent, that
/// comes next.
pub(super) async fn run(
    context: &Context<'_>,
    plan: &StreamPlan,
    writing: &mut Writing<'_>,
) -> Result<()> {
    let beside = plan.table.beside("__ctct_new");
    let what = format!(
        "{}{} {:?}",
        Progress::ALL,
        plan.name,
        plan.columns.iter().map(|c| &c.name).collect::<Vec<_>>()
    );
    let there = columns_of(writing.client, &beside).await?.is_some();
    let goes_on =
        writing.lease.state.progress.as_ref().is_some_and(|progress| progress.what == what);
    if !(there && goes_on) {
        begin(plan, writing, &beside, &what).await?;
    }
    let encoder = Encoder::new(&plan.columns)?;
    if !writing.lease.state.progress.as_ref().is_some_and(|progress| progress.is_read) {
        match read(context, plan, writing, (&beside, &encoder)).await {
            Err(error) if begins_anew(&error) && writing.lease.state.goes_on_with_a_page() => {
                tracing::warn!(
                    "{}: a page cannot be gone on from any more; the reading begins again",
                    plan.name
                );
                begin(plan, writing, &beside, &what).await?;
                read(context, plan, writing, (&beside, &encoder)).await?;
            }
            other => other?,
        }
    }

    let Writing { client, lease, rejects, report } = writing;
    let transaction = client.transaction().await?;
    without_key(&transaction, &beside.to_string(), &plan.key_names, &plan.table).await?;
    without_doubles(&transaction, &beside, &plan.key_names).await?;
    // What was refused is not gone: only a reading that has all rows tells which ones are.
    let is_whole = lease.state.progress.as_ref().is_none_or(|progress| progress.rejected == 0);
    let compares = matches!(plan.mode, Mode::Incremental | Mode::Backfill);
    if compares
        && is_whole
        && !context.options.accept_deletes
        && let Err(error) = guard(plan, &transaction, &beside).await
    {
        transaction.rollback().await?;
        return forget(client, lease, &beside).await.and(Err(error));
    }
    let loaded = match plan.mode {
        Mode::Snapshot => append(context, plan, &transaction, &beside, rejects).await?,
        Mode::Truncate => refill(plan, &transaction, &beside, rejects).await?,
        Mode::Incremental | Mode::Backfill => {
            let mut loaded = compare(plan, &transaction, &beside, rejects).await?;
            if is_whole {
                loaded.deleted += without_gone(context, plan, &transaction, &beside).await?;
            }
            drop_beside(&transaction, &beside).await?;
            loaded
        }
        Mode::FullRefresh => replace(plan, &transaction, &beside, rejects).await?,
    };
    let began = lease.state.progress.take().map(|progress| progress.began);
    lease.state.complete_at = began;
    lease.state.watermark = began.map(|began| began - SAFETY);
    lease.keep(&transaction).await?;
    transaction.commit().await?;
    report.add(loaded);
    Ok(())
}

/// Begins a reading with an empty table beside the target.
async fn begin(
    plan: &StreamPlan,
    writing: &mut Writing<'_>,
    beside: &TableName,
    what: &str,
) -> Result<()> {
    let Writing { client, lease, .. } = writing;
    let transaction = client.transaction().await?;
    transaction.batch_execute(&format!("DROP TABLE IF EXISTS {beside}")).await?;
    transaction.batch_execute(&create_table(beside, &plan.columns, &[])).await?;
    lease.state.progress = Some(Progress { what: what.to_owned(), ..Progress::default() });
    lease.keep(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Throws away what was read, so that the next run reads it again.
async fn forget(client: &mut Client, lease: &mut Lease, beside: &TableName) -> Result<()> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(&format!("DROP TABLE IF EXISTS {beside}")).await?;
    lease.state.progress = None;
    lease.keep(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Reads the pieces that are still to come, each kept with the place where the next one is.
async fn read(
    context: &Context<'_>,
    plan: &StreamPlan,
    writing: &mut Writing<'_>,
    (beside, encoder): (&TableName, &Encoder),
) -> Result<()> {
    let Writing { client, lease, rejects, report } = writing;
    let (named, into) = ((plan.columns.as_slice(), plan.key_names.as_slice()), beside.to_string());
    loop {
        let progress = lease.state.progress.clone().unwrap_or_default();
        let part =
            Part { from: progress.next.clone(), after: progress.after.clone(), ..Part::default() };
        // By the server's clock, before its first answer.
        let started = std::time::Instant::now();
        let mut source = Source::open(context, plan, &part).await?;
        let mut then = Then::GoOn;
        while let Some(mut piece) = source.next().await? {
            let transaction = client.transaction().await?;
            let (mut rows, refused) = (0, rejects.count());
            while let Some(batch) = piece.rows.next().await {
                let batch = batch?;
                rows += batch.num_rows() as u64;
                rejects.copy(&transaction, &into, named, encoder, &batch).await?;
            }
            let progress = lease.state.progress.get_or_insert_default();
            if progress.began == 0 {
                let elapsed = i64::try_from(started.elapsed().as_micros()).unwrap_or(0);
                progress.began = context.server_now() - elapsed;
            }
            progress.rejected += rejects.count() - refused;
            then = progress.note(&piece);
            progress.is_read = then == Then::Done;
            lease.keep(&transaction).await?;
            transaction.commit().await?;
            report.rows += rows;
            let of = piece.announced;
            (context.observe)(Event::Kept { stream: plan.name.clone(), rows: report.rows, of });
        }
        let progress = lease.state.progress.get_or_insert_default();
        if progress.began == 0 {
            progress.began = context.server_now();
        }
        match then {
            Then::Again => {
                tracing::debug!("{}: rows moved; reading again", plan.name);
            }
            Then::Done | Then::GoOn => return Ok(()),
        }
    }
}

/// What is to follow a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The next one, where there is one.
    GoOn,
    /// The reading begins again: rows moved while it went on.
    Again,
    /// Nothing: it was the last page.
    Done,
}

impl Progress {
    /// Notes a piece that is kept. After the last page as many rows must have come as were
    /// announced, from the first page to the last; otherwise the reading begins again, a few
    /// times at most.
    pub(super) fn note(&mut self, piece: &super::source::Piece) -> Then {
        self.came += piece.answered.unwrap_or(0);
        let announced = *self.announced.get_or_insert(piece.announced.unwrap_or(self.came));
        self.next.clone_from(&piece.next);
        if piece.after.is_some() {
            self.after.clone_from(&piece.after);
        }
        if piece.answered.is_none() || piece.next.is_some() {
            return Then::GoOn;
        }
        let is_settled = piece.announced.is_none_or(|last| announced == last && self.came == last);
        if is_settled {
            return Then::Done;
        }
        if self.again + 1 == READINGS {
            tracing::warn!(
                "rows came and went all the time while they were read; run again for a settled copy"
            );
            return Then::Done;
        }
        self.again += 1;
        (self.next, self.came, self.announced) = (None, 0, None);
        Then::Again
    }
}

/// Whether a reading that goes on from a page has to begin anew.
pub(super) fn begins_anew(error: &Error) -> bool {
    // A cursor that is not accepted any more.
    error.kind() == crate::ErrorKind::Source(ctct_client::ErrorKind::InvalidRequest)
}
