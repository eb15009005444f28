//! Reading all of a stream: into a table beside the target, which then takes its place, or is
//! put into it.

use futures::StreamExt;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

use super::Context;
use super::fit::{fitted, indexed};
use super::guard::guard;
use super::report::{Event, StreamReport};
use super::source::{Part, Source};
use crate::plan::StreamPlan;
use crate::postgres::{
    CHANGED, DELETED, Encoder, Lease, Loaded, Progress, adapt, columns_of, copy, create_table,
    describe, grants_of, list, same, upsert, without_key,
};
use crate::{Error, Ident, Mode, Result, TableName};

/// How often a reading begins again because rows moved meanwhile.
const READINGS: u32 = 5;
/// What lies so shortly before the end of a run may not be visible yet, in microseconds.
pub(super) const SAFETY: i64 = 120 * 1_000_000;

/// Reads all of a stream. A run that was cut off goes on with the page, or the parent, that
/// comes next.
pub(super) async fn run(
    context: &Context<'_>,
    plan: &StreamPlan,
    client: &mut Client,
    lease: &mut Lease,
    report: &mut StreamReport,
) -> Result<()> {
    let beside = plan.table.beside("__ctct_new");
    let what = format!(
        "{}{} {:?}",
        Progress::ALL,
        plan.name,
        plan.columns.iter().map(|c| &c.name).collect::<Vec<_>>()
    );
    let there = columns_of(client, &beside).await?.is_some();
    let goes_on = lease.state.progress.as_ref().is_some_and(|progress| progress.what == what);
    if !(there && goes_on) {
        begin(plan, client, lease, &beside, &what).await?;
    }
    let encoder = Encoder::new(&plan.columns)?;
    if !lease.state.progress.as_ref().is_some_and(|progress| progress.is_read) {
        match read(context, plan, client, lease, report, (&beside, &encoder)).await {
            Err(error) if begins_anew(&error) && lease.state.goes_on_with_a_page() => {
                tracing::warn!(
                    "{}: a page cannot be gone on from any more; the reading begins again",
                    plan.name
                );
                begin(plan, client, lease, &beside, &what).await?;
                read(context, plan, client, lease, report, (&beside, &encoder)).await?;
            }
            other => other?,
        }
    }

    let transaction = client.transaction().await?;
    without_key(&transaction, &beside.to_string(), &plan.key_names, &plan.table).await?;
    without_doubles(&transaction, &beside, &plan.key_names).await?;
    let compares = matches!(plan.mode, Mode::Incremental | Mode::Backfill);
    if compares
        && !context.options.accept_deletes
        && let Err(error) = guard(plan, &transaction, &beside).await
    {
        transaction.rollback().await?;
        return forget(client, lease, &beside).await.and(Err(error));
    }
    let loaded = match plan.mode {
        Mode::Snapshot => append(context, plan, &transaction, &beside).await?,
        Mode::Truncate => refill(plan, &transaction, &beside).await?,
        Mode::Incremental | Mode::Backfill => compare(context, plan, &transaction, &beside).await?,
        Mode::FullRefresh => replace(plan, &transaction, &beside).await?,
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
    client: &mut Client,
    lease: &mut Lease,
    beside: &TableName,
    what: &str,
) -> Result<()> {
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
    client: &mut Client,
    lease: &mut Lease,
    report: &mut StreamReport,
    (beside, encoder): (&TableName, &Encoder),
) -> Result<()> {
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
            let mut rows = 0;
            while let Some(batch) = piece.rows.next().await {
                let batch = batch?;
                rows += batch.num_rows() as u64;
                copy(&transaction, &beside.to_string(), &plan.columns, encoder, &batch).await?;
            }
            let progress = lease.state.progress.get_or_insert_default();
            if progress.began == 0 {
                let elapsed = i64::try_from(started.elapsed().as_micros()).unwrap_or(0);
                progress.began = context.server_now() - elapsed;
            }
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

/// Keeps the last of rows that came twice, because others moved while they were read.
async fn without_doubles(
    transaction: &Transaction<'_>,
    table: &TableName,
    key: &[Ident],
) -> Result<()> {
    if key.is_empty() {
        return Ok(());
    }
    let keys = list(key);
    transaction
        .batch_execute(&format!(
            "DELETE FROM {table} AS one USING (
               SELECT {keys}, max(ctid) AS last FROM {table} GROUP BY {keys} HAVING count(*) > 1
             ) AS several WHERE {} AND one.ctid <> several.last",
            same(key, "one", "several")
        ))
        .await?;
    Ok(())
}

/// Puts a new table in the place of the old one.
async fn replace(
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
) -> Result<Loaded> {
    let table = &plan.table;
    let grants = grants_of(transaction, table).await?;
    if columns_of(transaction, table).await?.is_some() {
        transaction.batch_execute("SAVEPOINT old").await?;
        match transaction.batch_execute(&format!("DROP TABLE {table}")).await {
            Ok(()) => {}
            // Views stand on it: they stay, and so does the table.
            Err(error) if error.code() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
                transaction.batch_execute("ROLLBACK TO SAVEPOINT old").await?;
                return refill(plan, transaction, beside).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let rows = transaction.query_one(&format!("SELECT count(*) FROM {beside}"), &[]).await?;
    if !plan.key_names.is_empty() {
        let keys = list(&plan.key_names);
        transaction
            .batch_execute(&format!("ALTER TABLE {beside} ADD PRIMARY KEY ({keys})"))
            .await?;
    }
    transaction.batch_execute(&format!("ALTER TABLE {beside} RENAME TO {}", table.table)).await?;
    transaction.batch_execute(&describe(table, &plan.columns, &plan.about, &indexed(plan))).await?;
    transaction.batch_execute(&grants).await?;
    let inserted = u64::try_from(rows.get::<_, i64>(0)).unwrap_or(0);
    Ok(Loaded { inserted, ..Loaded::default() })
}

/// Empties a table and fills it.
async fn refill(
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
) -> Result<Loaded> {
    let table = &plan.table;
    let columns = fitted(plan, transaction).await?;
    let names: Vec<Ident> = columns.iter().map(|column| column.name.clone()).collect();
    let names = list(&names);
    transaction.batch_execute(&format!("TRUNCATE {table}")).await?;
    let sql = format!("INSERT INTO {table} ({names}) SELECT {names} FROM {beside}");
    let inserted = transaction.execute(&sql, &[]).await?;
    transaction.batch_execute(&format!("DROP TABLE {beside}")).await?;
    Ok(Loaded { inserted, ..Loaded::default() })
}

/// When the rows of a snapshot were read.
const SNAPSHOT_AT: &str = "_ctct_snapshot_at";

/// Adds the rows to those of earlier runs.
async fn append(
    context: &Context<'_>,
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
) -> Result<Loaded> {
    let table = &plan.table;
    let adds = plan.settings.add_new_columns != Some(false);
    let is_new = columns_of(transaction, table).await?.is_none();
    let columns = adapt(transaction, table, &plan.columns, &[], adds).await?;
    transaction
        .batch_execute(&format!(
            "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS \"{SNAPSHOT_AT}\" timestamp with time zone"
        ))
        .await?;
    if is_new {
        let mut by = indexed(plan);
        by.push(Ident::new(SNAPSHOT_AT)?);
        let said = describe(table, &plan.columns, &plan.about, &by);
        transaction.batch_execute(&said).await?;
    }
    let names: Vec<Ident> = columns.iter().map(|column| column.name.clone()).collect();
    let names = list(&names);
    let sql = format!(
        "INSERT INTO {table} ({names}, \"{SNAPSHOT_AT}\") SELECT {names}, $1 FROM {beside}"
    );
    let inserted = transaction.execute(&sql, &[&context.options.at]).await?;
    transaction.batch_execute(&format!("DROP TABLE {beside}")).await?;
    Ok(Loaded { inserted, ..Loaded::default() })
}

/// Writes what differs from the rows that are there, and takes away what is not among them.
async fn compare(
    context: &Context<'_>,
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
) -> Result<Loaded> {
    let table = &plan.table;
    let columns = fitted(plan, transaction).await?;
    let key = &plan.key_names;
    let mut loaded = Loaded::default();
    let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
    if key.is_empty() {
        // Without a key all rows are one: they are as they were, or they are new.
        let names: Vec<Ident> = columns.iter().map(|column| column.name.clone()).collect();
        let names = list(&names);
        let differs = format!(
            "SELECT EXISTS (SELECT {names} FROM {beside} EXCEPT ALL SELECT {names} FROM {table}) \
             OR EXISTS (SELECT {names} FROM {table} EXCEPT ALL SELECT {names} FROM {beside})"
        );
        if transaction.query_one(&differs, &[]).await?.get::<_, bool>(0) {
            loaded.deleted = transaction.execute(&format!("DELETE FROM {table}"), &[]).await?;
            let sql = format!("INSERT INTO {table} ({names}) SELECT {names} FROM {beside}");
            loaded.inserted = transaction.execute(&sql, &[]).await?;
        }
    } else {
        let sql = upsert(table, &columns, key, &beside.to_string(), "ctid", false);
        let written = transaction.query_one(&sql, &[]).await?;
        (loaded.inserted, loaded.updated) = (count(written.get(0)), count(written.get(1)));
        let gone = format!(
            "NOT EXISTS (SELECT 1 FROM {beside} AS new WHERE {})",
            same(key, "new", "kept")
        );
        let sql = if context.options.hard_deletes {
            format!("DELETE FROM {table} AS kept WHERE {gone}")
        } else {
            format!(
                "UPDATE {table} AS kept SET \"{DELETED}\" = true, \"{CHANGED}\" = now() \
                 WHERE NOT kept.\"{DELETED}\" AND {gone}"
            )
        };
        loaded.deleted = transaction.execute(&sql, &[]).await?;
    }
    transaction.batch_execute(&format!("DROP TABLE {beside}")).await?;
    Ok(loaded)
}

/// Whether a reading that goes on from a page has to begin anew.
pub(super) fn begins_anew(error: &Error) -> bool {
    // A cursor that is not accepted any more.
    error.kind() == crate::ErrorKind::Source(ctct_client::ErrorKind::InvalidRequest)
}
