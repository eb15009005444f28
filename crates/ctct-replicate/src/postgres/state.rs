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
    COMMENT ON SCHEMA \"_ctct\" IS 'What ctct knows of its replications; without it they start anew.'";

/// How far a stream has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StreamState {
    /// Up to when all changes are in the target, in microseconds since 1970.
    pub(crate) watermark: Option<i64>,
    /// When all rows were last read, likewise.
    pub(crate) complete_at: Option<i64>,
    /// Where the run stands that is under way, or was cut off.
    pub(crate) progress: Option<Progress>,
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
    /// Whether all of it was read, and what is left is to put it in place.
    pub(crate) is_read: bool,
}

/// The right to write a table, which one run has at a time.
pub(crate) struct Lease {
    target: String,
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
        let state = serde_json::from_str(&text).unwrap_or_else(|_| {
            tracing::warn!("the state of {target} cannot be read; all is read again");
            StreamState::default()
        });
        Ok(Self { target, epoch, state })
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
                "UPDATE \"_ctct\".\"state\" SET state = $1::text::jsonb, version = $2, updated_at = now()
                 WHERE target = $3 AND epoch = $4",
                &[&text, &VERSION, &self.target, &self.epoch],
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
