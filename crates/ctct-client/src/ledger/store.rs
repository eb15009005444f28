//! The ledger's tables in SQLite.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::rules::KeyState;

/// How long a process waits for another one's transaction, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// Counts are kept for this many days of each key: not by the calendar, because a server
/// may have another one.
const FORGET: &str = "
    DELETE FROM usage WHERE day NOT IN (
        SELECT day FROM usage AS other WHERE other.client_id = usage.client_id
        GROUP BY day ORDER BY day DESC LIMIT 31
    )";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS usage (
        client_id TEXT NOT NULL,
        day INTEGER NOT NULL,
        command TEXT NOT NULL,
        used INTEGER NOT NULL,
        PRIMARY KEY (client_id, day, command)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS key_state (
        client_id TEXT PRIMARY KEY,
        next_slot INTEGER NOT NULL,
        slow_until INTEGER NOT NULL,
        closed_day INTEGER,
        failures INTEGER NOT NULL,
        rest_until INTEGER NOT NULL,
        ahead INTEGER NOT NULL,
        said TEXT,
        said_at INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS row_counts (
        client_id TEXT NOT NULL,
        connection TEXT NOT NULL,
        path TEXT NOT NULL,
        rows INTEGER NOT NULL,
        PRIMARY KEY (client_id, connection, path)
    ) WITHOUT ROWID;
    PRAGMA user_version = 2;";
const VERSION: i64 = 2;

/// An open database.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) connection: Connection,
}

impl Store {
    /// The database in this file, which exists (and may be empty).
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        // Readers and a writer at once. A killed process loses nothing that it committed;
        // a power cut may lose the last counts, and then nobody's quota is far off.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Self::with_tables(connection)
    }

    /// A database that ends with the process.
    pub(super) fn in_memory() -> rusqlite::Result<Self> {
        Self::with_tables(Connection::open_in_memory()?)
    }

    fn with_tables(connection: Connection) -> rusqlite::Result<Self> {
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version < VERSION {
            connection.execute_batch(TABLES)?;
        }
        connection.execute_batch(FORGET)?;
        Ok(Self { connection })
    }

    /// Runs a change that no other process can come between.
    pub(super) fn change<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = change(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }
}

/// What is known of a key; the default for a new one.
pub(super) fn key_state(connection: &Connection, client_id: &str) -> rusqlite::Result<KeyState> {
    let mut statement = connection.prepare_cached(
        "SELECT next_slot, slow_until, closed_day, failures, rest_until, ahead, said, said_at
         FROM key_state WHERE client_id = ?1",
    )?;
    let found = statement.query_row([client_id], |row| {
        let (said, said_at): (Option<String>, Option<i64>) = (row.get(6)?, row.get(7)?);
        Ok(KeyState {
            next_slot: row.get(0)?,
            slow_until: row.get(1)?,
            closed_day: row.get(2)?,
            failures: row.get(3)?,
            rest_until: row.get(4)?,
            ahead: row.get(5)?,
            said: said.zip(said_at),
        })
    });
    found.optional().map(Option::unwrap_or_default)
}

/// Keeps what is known of a key.
pub(super) fn keep_key_state(
    connection: &Connection,
    client_id: &str,
    state: &KeyState,
) -> rusqlite::Result<()> {
    let (said, said_at) = state.said.clone().unzip();
    let mut statement = connection.prepare_cached(
        "INSERT INTO key_state VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (client_id) DO UPDATE SET
           next_slot = excluded.next_slot, slow_until = excluded.slow_until,
           closed_day = excluded.closed_day, failures = excluded.failures,
           rest_until = excluded.rest_until, ahead = excluded.ahead,
           said = excluded.said, said_at = excluded.said_at",
    )?;
    statement.execute(params![
        client_id,
        state.next_slot,
        state.slow_until,
        state.closed_day,
        state.failures,
        state.rest_until,
        state.ahead,
        said,
        said_at
    ])?;
    Ok(())
}

/// How many rows a path had when it was last read to its end, or counted.
pub(super) fn row_count(
    connection: &Connection,
    client_id: &str,
    name: &str,
    path: &str,
) -> rusqlite::Result<Option<u64>> {
    let mut statement = connection.prepare_cached(
        "SELECT rows FROM row_counts WHERE client_id = ?1 AND connection = ?2 AND path = ?3",
    )?;
    let rows: Option<i64> =
        statement.query_row(params![client_id, name, path], |row| row.get(0)).optional()?;
    Ok(rows.and_then(|rows| u64::try_from(rows).ok()))
}

/// Keeps how many rows a path has.
pub(super) fn keep_row_count(
    connection: &Connection,
    client_id: &str,
    name: &str,
    path: &str,
    rows: u64,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO row_counts VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (client_id, connection, path) DO UPDATE SET rows = excluded.rows",
    )?;
    statement.execute(params![client_id, name, path, i64::try_from(rows).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// How many requests of a key each command has sent on a day, the most first.
pub(super) fn used_by_command(
    connection: &Connection,
    client_id: &str,
    day: i64,
) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT command, used FROM usage WHERE client_id = ?1 AND day = ?2 ORDER BY used DESC, command",
    )?;
    let rows = statement.query_map(params![client_id, day], |row| {
        let used: i64 = row.get(1)?;
        Ok((row.get(0)?, u64::try_from(used).unwrap_or(0)))
    })?;
    rows.collect()
}

/// Counts requests of a command on a day.
pub(super) fn count(
    connection: &Connection,
    client_id: &str,
    day: i64,
    command: &str,
    requests: i64,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO usage VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (client_id, day, command) DO UPDATE SET used = used + excluded.used",
    )?;
    statement.execute(params![client_id, day, command, requests])?;
    Ok(())
}

/// Moves requests of a command from one day to another: as many as are there, and at most
/// `requests`. What another process has moved already is not there any more.
pub(super) fn move_day(
    connection: &Connection,
    client_id: &str,
    from: i64,
    to: i64,
    command: &str,
    requests: i64,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT used FROM usage WHERE client_id = ?1 AND day = ?2 AND command = ?3",
    )?;
    let there: Option<i64> =
        statement.query_row(params![client_id, from, command], |row| row.get(0)).optional()?;
    let moved = there.unwrap_or(0).min(requests);
    if moved > 0 {
        count(connection, client_id, from, command, -moved)?;
        count(connection, client_id, to, command, moved)?;
    }
    Ok(())
}
