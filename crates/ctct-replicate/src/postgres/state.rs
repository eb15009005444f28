//! How far streams have come: kept in the target, and changed together with its rows.

use ctct_client::Request;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Transaction};

use crate::ident::fingerprint;
use crate::{Error, ErrorKind, Result, TableName};

/// The form in which states are kept. A later one is not understood, an earlier one is.
const VERSION: i32 = 1;

const TABLES: &str = "
    CREATE SCHEMA IF NOT EXISTS \"_ctct\";
    CREATE TABLE IF NOT EXISTS \"_ctct\".\"state\" (
        target text PRIMARY KEY,
        stream text NOT NULL,
        version integer NOT NULL,
        epoch bigint NOT NULL,
        state jsonb NOT NULL,
        updated_at timestamp with time zone NOT NULL DEFAULT now()
    );
    CREATE TABLE IF NOT EXISTS \"_ctct\".\"runs\" (
        run_id text NOT NULL,
        stream text NOT NULL,
        target text NOT NULL,
        mode text NOT NULL,
        started_at timestamp with time zone NOT NULL,
        ended_at timestamp with time zone NOT NULL DEFAULT now(),
        rows_read bigint NOT NULL,
        inserted bigint NOT NULL,
        updated bigint NOT NULL,
        deleted bigint NOT NULL,
        requests bigint NOT NULL,
        outcome text NOT NULL
    );
    ALTER TABLE \"_ctct\".\"runs\" ADD COLUMN IF NOT EXISTS rejected bigint NOT NULL DEFAULT 0;
    CREATE TABLE IF NOT EXISTS \"_ctct\".\"rejected\" (
        run_id text NOT NULL,
        stream text NOT NULL,
        target text NOT NULL,
        key text,
        reason text NOT NULL,
        rejected_at timestamp with time zone NOT NULL DEFAULT now()
    );
    COMMENT ON SCHEMA \"_ctct\" IS 'What ctct knows of its replications; without it they start anew.'";

/// How far a stream has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StreamState {
    /// Up to when all changes are in the target, in microseconds since 1970.
    pub(crate) watermark: Option<i64>,
    /// When all rows were last read, likewise.
    pub(crate) complete_at: Option<i64>,
    /// Which table that was, by PostgreSQL's number of it.
    pub(crate) relation: Option<i64>,
    /// Where the run stands that is under way, or was cut off.
    pub(crate) progress: Option<Progress>,
}

impl StreamState {
    /// Whether the run that is under way has a page to go on from.
    pub(crate) fn goes_on_with_a_page(&self) -> bool {
        self.progress.as_ref().is_some_and(|progress| progress.next.is_some())
    }

    /// Forgets what the table is said to have, where it is not the one that was written, but one
    /// made or restored meanwhile: whether that was so.
    fn forget_another(&mut self, relation: Option<i64>) -> bool {
        let is_another = self.relation.is_some() && self.relation != relation;
        if is_another {
            (self.watermark, self.complete_at) = (None, None);
            // What was read of all rows lies beside the table, and is as good as it was.
            self.progress = self.progress.take().filter(Progress::is_of_all);
        }
        self.relation = relation;
        is_another
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// What the run reads, so that a run of another kind does not go on from here.
    pub(crate) what: String,
    /// When the run began, by the server's clock in microseconds since 1970.
    pub(crate) began: i64,
    /// Which of several readings it is in.
    pub(crate) feed: usize,
    /// From when that reads, likewise.
    pub(crate) lower: Option<i64>,
    /// The page to read next; none at the beginning of a reading.
    pub(crate) next: Option<Request>,
    /// The last key of a parent whose rows are in the target.
    pub(crate) after: Option<Vec<String>>,
    /// How many rows came of this reading.
    pub(crate) came: u64,
    /// How many its first page announced.
    pub(crate) announced: Option<u64>,
    /// How often this reading began again because rows moved.
    pub(crate) again: u32,
    /// How many rows of it the table beside the target refused.
    pub(crate) rejected: u64,
    /// Whether all of it was read, and what is left is to put it in place.
    pub(crate) is_read: bool,
}

impl Progress {
    /// What a reading of all rows is called.
    pub(crate) const ALL: &str = "all of ";

    fn is_of_all(&self) -> bool {
        self.what.starts_with(Self::ALL)
    }
}

/// How far a table has come, without the right to write it; nothing is known of one that no run
/// has written.
pub(crate) async fn state_of(client: &Client, table: &TableName) -> Result<StreamState> {
    let there = "SELECT to_regclass('_ctct.state') IS NOT NULL";
    if !client.query_one(there, &[]).await?.get::<_, bool>(0) {
        return Ok(StreamState::default());
    }
    let sql = "SELECT state::text FROM \"_ctct\".\"state\" WHERE target = $1";
    let found = client.query_opt(sql, &[&table.plain()]).await?;
    let state = found.and_then(|row| serde_json::from_str(row.get(0)).ok());
    Ok(state.unwrap_or_default())
}

/// The right to write a table, which one run has at a time.
pub(crate) struct Lease {
    /// The table as people read it, which is the key of the state, and as SQL names it.
    target: String,
    name: String,
    epoch: i64,
    pub(crate) state: StreamState,
}

impl Lease {
    /// Takes the right to write a table, for as long as the connection lives.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] where another run has it.
    pub(crate) async fn take(client: &Client, stream: &str, table: &TableName) -> Result<Self> {
        let target = table.plain();
        // Two that make the tables at once would stand in each other's way.
        client.batch_execute("SELECT pg_advisory_lock(7203914)").await?;
        let made = client.batch_execute(TABLES).await;
        client.batch_execute("SELECT pg_advisory_unlock(7203914)").await?;
        made?;
        let lock = fingerprint(&format!("ctct {table}")).cast_signed();
        let free = client.query_one("SELECT pg_try_advisory_lock($1)", &[&lock]).await?;
        if !free.get::<_, bool>(0) {
            return Err(Error::new(
                ErrorKind::Busy,
                format!("another run is writing {target} now"),
            )
            .with_hint(
                "wait until it has ended; `SELECT * FROM _ctct.runs` lists those that have",
            ));
        }
        let row = client
            .query_one(
                "INSERT INTO \"_ctct\".\"state\" AS kept (target, stream, version, epoch, state)
                 VALUES ($1, $2, $3, 1, '{}')
                 ON CONFLICT (target) DO UPDATE SET epoch = kept.epoch + 1, stream = excluded.stream
                 RETURNING version, epoch, state::text",
                &[&target, &stream, &VERSION],
            )
            .await?;
        let (version, epoch, text): (i32, i64, String) = (row.get(0), row.get(1), row.get(2));
        if version > VERSION {
            return Err(Error::new(
                ErrorKind::Target,
                format!("the state of {target} was written by a later ctct"),
            )
            .with_hint("use that one, or delete the row of _ctct.state to start anew"));
        }
        let mut state: StreamState = serde_json::from_str(&text).unwrap_or_else(|_| {
            tracing::warn!("the state of {target} cannot be read; all is read again");
            StreamState::default()
        });
        let name = table.to_string();
        let there = client.query_one("SELECT to_regclass($1)::oid::bigint", &[&name]).await?;
        if state.forget_another(there.get(0)) {
            tracing::warn!("{target} is not the table that was written last; all is read again");
        }
        Ok(Self { target, name, epoch, state })
    }

    /// Keeps the state, in the transaction that has the rows.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] where another run has the right meanwhile: then nothing may be
    /// committed.
    pub(crate) async fn keep(&self, transaction: &Transaction<'_>) -> Result<()> {
        let text = serde_json::to_string(&self.state).map_err(|source| {
            Error::new(ErrorKind::Target, "the state has no form as JSON").with_source(source)
        })?;
        let kept = transaction
            .execute(
                "UPDATE \"_ctct\".\"state\" SET version = $2, updated_at = now(),
                   state = $1::text::jsonb
                     || jsonb_build_object('relation', to_regclass($5)::oid::bigint)
                 WHERE target = $3 AND epoch = $4",
                &[&text, &VERSION, &self.target, &self.epoch, &self.name],
            )
            .await?;
        if kept == 1 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Busy,
            format!("another run has taken over {}; this one wrote nothing more", self.target),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_another_one_is_read_again() {
        let progress = |what: &str| Some(Progress { what: what.to_owned(), ..Progress::default() });
        let kept = StreamState {
            watermark: Some(5),
            complete_at: Some(4),
            relation: Some(16_384),
            progress: progress("changes of contacts"),
        };
        let mut same = kept.clone();
        assert!(!same.forget_another(Some(16_384)));
        assert_eq!(same, kept);
        for relation in [None, Some(16_999)] {
            let mut another = kept.clone();
            assert!(another.forget_another(relation));
            assert_eq!(another, StreamState { relation, ..StreamState::default() });
        }
        let mut whole = StreamState { progress: progress("all of contacts"), ..kept };
        assert!(whole.forget_another(None));
        assert!(whole.progress.is_some());
    }
}
