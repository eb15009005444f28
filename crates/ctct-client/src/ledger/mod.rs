//! The ledger: what every process of this machine has sent with an API key today, and
//! when the next request may leave.
//!
//! The API tells neither how many requests are left nor how fast it may be asked, so
//! they are counted here. The count is a lower bound of the server's: other machines may
//! use the same key. Every attempt is counted before it is sent, in the transaction that
//! gives it its slot, so a process that is killed has counted all that it sent.
//!
//! Where the file cannot be used, a warning says so, and counting goes on in memory.

mod file;
mod quota;
mod refusal;
mod rules;
mod store;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::ErrorCode;

use crate::{Clock, Connection, Pace, Result};
pub use quota::Quota;
use refusal::refused;
pub(crate) use rules::Outcome;
use rules::{KeyState, Limits, SECOND};
use store::Store;

/// At the documented limit and above it, requests are spaced this much wider than the
/// limit itself: they leave evenly, but the network does not deliver them so.
const MARGIN: f64 = 1.1;
const DOCUMENTED_LIMIT: f64 = 4.0;
/// The authorization server takes one request a second; the network needs a margin.
const TOKEN_PERIOD: i64 = 1_100_000;
/// Clocks that differ by more than this differ about the day, and not just at midnight.
const HALF_DAY: i64 = 43_200 * SECOND;

/// Counts requests and spaces them, for all processes that open the same file.
#[derive(Debug)]
pub struct Ledger {
    path: Option<PathBuf>,
    clock: Clock,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// None only while even a database in memory cannot be had.
    store: Option<Store>,
    /// What was last known of each key, for the day that the file fails.
    remembered: HashMap<String, (KeyState, u64)>,
}

/// Who asks: which key, under which limits, for which command.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asker {
    client_id: String,
    command: String,
    limits: Limits,
}

/// A request that may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admission {
    /// When it may leave, in microseconds since 1970 by this machine's clock.
    pub(crate) slot: i64,
    /// How far the server's clock is thought to be ahead, in microseconds.
    pub(crate) ahead: i64,
    /// The server's day on which it was counted, as far as that was known.
    pub(crate) day: i64,
}

impl Asker {
    /// The time between two of its requests; none where they are not spaced.
    pub(crate) fn period(&self) -> Option<Duration> {
        let period = self.limits.period?;
        Some(Duration::from_micros(u64::try_from(period).unwrap_or_default()))
    }

    /// Somebody who runs `command` over `connection`; `unattended` commands leave the
    /// connection's reserve to people.
    pub(crate) fn new(connection: &Connection, command: &str, unattended: bool) -> Self {
        let inputs = &connection.inputs;
        Self {
            client_id: connection.client_id.clone(),
            command: command.to_owned(),
            limits: Limits {
                period: period(inputs.pace),
                per_day: u64::from(inputs.requests_per_day),
                reserve: if unattended { u64::from(inputs.quota_reserve) } else { 0 },
            },
        }
    }
}

impl Asker {
    /// Somebody who asks the authorization server for tokens: it takes one request a
    /// second, and its requests are none of the API's day.
    pub(crate) fn of_tokens(connection: &Connection, command: &str) -> Self {
        Self {
            client_id: format!("{} tokens", connection.client_id),
            command: command.to_owned(),
            limits: Limits { period: Some(TOKEN_PERIOD), per_day: u64::MAX, reserve: 0 },
        }
    }
}

impl Ledger {
    /// The ledger in this file, which is made if it is not there.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let store = open_or_replace(&path);
        let inner = Inner { store: store.or_else(memory), remembered: HashMap::new() };
        Self { path: Some(path), clock: Clock::default(), inner: Mutex::new(inner) }
    }

    /// A ledger that only this process knows.
    pub fn in_memory() -> Self {
        let inner = Inner { store: memory(), remembered: HashMap::new() };
        Self { path: None, clock: Clock::default(), inner: Mutex::new(inner) }
    }

    /// The same ledger by another clock, for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The clock that days and slots are told by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Counts a request and gives it its slot.
    ///
    /// # Errors
    /// [`QuotaExhausted`](crate::ErrorKind::QuotaExhausted) where the day is used up or the rest is reserved,
    /// [`Unavailable`](crate::ErrorKind::Unavailable) while a failing server is left alone.
    pub(crate) fn admit(&self, asker: &Asker) -> Result<Admission> {
        let now = self.clock.now();
        let key = &asker.client_id;
        let outcome = self.with(|inner| {
            let Some(store) = inner.store.as_mut() else { return Ok(None) };
            let (state, used, outcome) = store.change(|transaction| {
                let mut state = store::key_state(transaction, key)?;
                let day = state.server_day(now);
                let used = total(&store::used_by_command(transaction, key, day)?);
                let outcome = state.admit(used, &asker.limits, now);
                if outcome.is_ok() {
                    store::count(transaction, key, day, &asker.command, 1)?;
                    store::keep_key_state(transaction, key, &state)?;
                }
                Ok((state, used + u64::from(outcome.is_ok()), outcome))
            })?;
            inner.remembered.insert(key.clone(), (state.clone(), used));
            Ok(Some((state, used, outcome)))
        });
        match outcome {
            Some((state, _, Ok(slot))) => {
                Ok(Admission { slot, ahead: state.ahead, day: state.server_day(now) })
            }
            Some((state, used, Err(refusal))) => {
                Err(refused(refusal, &state, used, &asker.limits, now))
            }
            // Not even memory: the pace of one request a period is kept by whoever asks.
            None => {
                let slot = now + asker.limits.period.unwrap_or(0);
                Ok(Admission { slot, ahead: 0, day: KeyState::default().server_day(now) })
            }
        }
    }

    /// Learns what came of a request, and how far the server's clock is ahead.
    ///
    /// A request that was counted on another day than the server's own is moved to that:
    /// before its first answer nobody knows what day the server has.
    pub(crate) fn learn(
        &self,
        asker: &Asker,
        admission: Admission,
        outcome: &Outcome,
        ahead: Option<i64>,
    ) {
        let now = self.clock.now();
        let key = &asker.client_id;
        let day = ahead.map(|ahead| KeyState { ahead, ..KeyState::default() }.server_day(now));
        let moved = day.filter(|day| *day != admission.day);
        self.with(|inner| {
            let Some(store) = inner.store.as_mut() else { return Ok(None) };
            let known = store::key_state(&store.connection, key)?;
            let mut state = known.clone();
            learn(&mut state, outcome, ahead, now);
            if state == known && moved.is_none() {
                return Ok(Some(()));
            }
            store.change(|transaction| {
                // Others may have changed it since.
                let mut state = store::key_state(transaction, key)?;
                let first = state.ahead == 0 && ahead.is_some_and(|ahead| ahead.abs() > HALF_DAY);
                learn(&mut state, outcome, ahead, now);
                if let Some(day) = moved {
                    // Until now nobody knew the server's day: whatever was counted before,
                    // also by processes that were killed since, belongs to it.
                    let requests = if first { i64::MAX } else { 1 };
                    store::move_day(
                        transaction,
                        key,
                        admission.day,
                        day,
                        &asker.command,
                        requests,
                    )?;
                }
                store::keep_key_state(transaction, key, &state)
            })?;
            Ok(Some(()))
        });
    }

    /// Whether [`learn`](Self::learn) would learn anything, as far as this process knows:
    /// most answers are no news.
    pub(crate) fn is_news(
        &self,
        asker: &Asker,
        admission: Admission,
        outcome: &Outcome,
        ahead: Option<i64>,
    ) -> bool {
        let now = self.clock.now();
        let inner = self.lock();
        let Some((known, _)) = inner.remembered.get(&asker.client_id) else { return true };
        let mut state = known.clone();
        learn(&mut state, outcome, ahead, now);
        let day = ahead.map(|ahead| KeyState { ahead, ..KeyState::default() }.server_day(now));
        state != *known || day.is_some_and(|day| day != admission.day)
    }

    /// How many rows a path of a connection had when that was last known.
    pub(crate) fn row_count(&self, connection: &Connection, path: &str) -> Option<u64> {
        let (key, name) = (&connection.client_id, &connection.name);
        self.with(|inner| match inner.store.as_ref() {
            Some(store) => store::row_count(&store.connection, key, name, path),
            None => Ok(None),
        })
    }

    /// Remembers how many rows a path of a connection has, unless that is known already.
    pub(crate) fn keep_row_count(&self, connection: &Connection, path: &str, rows: u64) {
        let (key, name) = (&connection.client_id, &connection.name);
        self.with(|inner| {
            let Some(store) = inner.store.as_mut() else { return Ok(None) };
            if store::row_count(&store.connection, key, name, path)? == Some(rows) {
                return Ok(Some(()));
            }
            store
                .change(|transaction| store::keep_row_count(transaction, key, name, path, rows))?;
            Ok(Some(()))
        });
    }

    /// What a connection's key has used of its day.
    pub fn quota(&self, connection: &Connection) -> Quota {
        let now = self.clock.now();
        let key = &connection.client_id;
        let (state, by_command) = self
            .with(|inner| {
                let Some(store) = inner.store.as_ref() else { return Ok(None) };
                let state = store::key_state(&store.connection, key)?;
                let day = state.server_day(now);
                let used = store::used_by_command(&store.connection, key, day)?;
                Ok(Some((state, used)))
            })
            .unwrap_or_default();
        let day = state.server_day(now);
        Quota {
            client_id: key.clone(),
            day: date(day),
            used: total(&by_command),
            by_command,
            limit: u64::from(connection.inputs.requests_per_day),
            reserve: u64::from(connection.inputs.quota_reserve),
            closed: state.closed_day == Some(day),
            renews_at: instant(state.day_ends(now)),
            said: state.said.map(|(said, at)| (said, instant(at))),
        }
    }

    /// Runs something on the database, on another one if this one fails.
    fn with<T>(&self, run: impl Fn(&mut Inner) -> rusqlite::Result<Option<T>>) -> Option<T> {
        let mut inner = self.lock();
        for _ in 0..3 {
            match run(&mut inner) {
                Ok(value) => return value,
                Err(error) => self.replace(&mut inner, &error),
            }
        }
        None
    }

    /// A new file for a broken one, memory where no file can be used.
    fn replace(&self, inner: &mut Inner, error: &rusqlite::Error) {
        inner.store = None;
        let broken = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        );
        if let Some(path) = self.path.as_deref().filter(|_| broken) {
            set_aside(path);
            inner.store = open_or_replace(path);
        }
        if inner.store.is_some() {
            return;
        }
        tracing::warn!(
            "the request ledger cannot be written ({error}); counting goes on in memory, for this run only"
        );
        inner.store = memory();
        let remembered = inner.remembered.clone();
        if let Some(store) = inner.store.as_mut() {
            let carried = store.change(|transaction| {
                for (key, (state, used)) in &remembered {
                    store::keep_key_state(transaction, key, state)?;
                    let day = state.server_day(self.clock.now());
                    let used = i64::try_from(*used).unwrap_or(i64::MAX);
                    store::count(transaction, key, day, "before", used)?;
                }
                Ok(())
            });
            if let Err(error) = carried {
                tracing::warn!("the counts so far are lost: {error}");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // SQLite rolls back what a panicking holder left unfinished.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn learn(state: &mut KeyState, outcome: &Outcome, ahead: Option<i64>, now: i64) {
    // The header has whole seconds: smaller differences are noise.
    if let Some(ahead) = ahead.filter(|ahead| (ahead - state.ahead).abs() > 2 * SECOND) {
        state.ahead = ahead;
    }
    state.learn(outcome, now);
}

/// The database in a file; a broken one is set aside. None where there can be none.
fn open_or_replace(path: &Path) -> Option<Store> {
    let open = || -> Result<Store, String> {
        file::prepare(path).map_err(|error| error.to_string())?;
        Store::open(path).map_err(|error| error.to_string())
    };
    let first = file::prepare(path).map_err(|error| error.to_string()).and_then(|()| {
        match Store::open(path) {
            Err(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                ) =>
            {
                set_aside(path);
                open()
            }
            other => other.map_err(|error| error.to_string()),
        }
    });
    match first {
        Ok(store) => Some(store),
        Err(error) => {
            tracing::warn!(
                "the request ledger {} cannot be used ({error}); counting goes on in memory, for this run only",
                path.display()
            );
            None
        }
    }
}

fn set_aside(path: &Path) {
    match file::set_aside(path) {
        Ok(aside) => tracing::warn!(
            "the request ledger was broken and is kept as {}; a new one starts at 0",
            aside.display()
        ),
        Err(error) => tracing::warn!("the broken request ledger cannot be renamed: {error}"),
    }
}

fn memory() -> Option<Store> {
    match Store::in_memory() {
        Ok(store) => Some(store),
        Err(error) => {
            tracing::warn!("requests cannot be counted: {error}");
            None
        }
    }
}

fn period(pace: Pace) -> Option<i64> {
    let seconds = match pace {
        Pace::Unlimited => return None,
        Pace::PerSecond(rate) if rate < DOCUMENTED_LIMIT => 1.0 / rate,
        Pace::PerSecond(rate) => MARGIN / rate,
    };
    #[expect(clippy::cast_possible_truncation, reason = "rates are far from the limits of i64")]
    let microseconds = (seconds * 1e6).round() as i64;
    Some(microseconds)
}

fn total(by_command: &[(String, u64)]) -> u64 {
    by_command.iter().map(|(_, used)| used).sum()
}

fn instant(microseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(microseconds).unwrap_or_default()
}

fn date(day: i64) -> NaiveDate {
    instant(day.saturating_mul(86_400 * SECOND)).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn connection() -> Connection {
        let mut connection =
            Connection::new("A", "key", "http://127.0.0.1:1/v3").expect("loopback");
        connection.inputs.pace = Pace::Unlimited;
        connection.inputs.requests_per_day = 10;
        connection
    }

    fn asker(command: &str) -> Asker {
        Asker::new(&connection(), command, false)
    }

    #[test]
    fn all_who_open_the_file_share_one_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state/ledger.sqlite");
        let (first, second) = (Ledger::open(&path), Ledger::open(&path));
        for _ in 0..6 {
            first.admit(&asker("query")).expect("admitted");
        }
        for _ in 0..4 {
            second.admit(&asker("run")).expect("admitted");
        }
        for ledger in [&first, &second, &Ledger::open(&path)] {
            let error = ledger.admit(&asker("query")).expect_err("used up");
            assert_eq!(error.kind(), ErrorKind::QuotaExhausted);
            let quota = ledger.quota(&connection());
            assert_eq!((quota.used, quota.left()), (10, 0));
            assert_eq!(quota.by_command, [("query".to_owned(), 6), ("run".to_owned(), 4)]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state/ledger.sqlite");
        std::fs::create_dir(folder.path().join("state")).expect("made");
        std::fs::write(&path, "").expect("written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("set");
        let ledger = Ledger::open(&path);
        ledger.admit(&asker("query")).expect("admitted");
        for entry in std::fs::read_dir(folder.path().join("state")).expect("readable") {
            let entry = entry.expect("an entry");
            let mode = entry.metadata().expect("metadata").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
        }
    }

    #[test]
    fn a_broken_file_is_set_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        std::fs::write(
            &path,
            "this is not a database, and long enough to be seen as such".repeat(20),
        )
        .expect("written");
        let ledger = Ledger::open(&path);
        ledger.admit(&asker("query")).expect("admitted");
        assert_eq!(Ledger::open(&path).quota(&connection()).used, 1, "a new file counts");
        let aside = folder.path().join("ledger.sqlite.broken-1");
        assert!(std::fs::read_to_string(aside).expect("kept").starts_with("this is not"));
    }

    #[test]
    fn a_file_that_breaks_while_it_is_used_loses_no_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        let ledger = Ledger::open(&path);
        ledger.admit(&asker("query")).expect("admitted");
        ledger.lock().store = Some(Store { connection: broken() });
        for _ in 0..9 {
            ledger.admit(&asker("query")).expect("admitted all the same");
        }
        let error = ledger.admit(&asker("query")).expect_err("what was counted before counts");
        assert_eq!(error.kind(), ErrorKind::QuotaExhausted);
        assert_eq!(Ledger::open(&path).quota(&connection()).used, 1, "the file was left alone");
    }

    /// A database whose tables are not what they should be.
    fn broken() -> rusqlite::Connection {
        let connection = rusqlite::Connection::open_in_memory().expect("opened");
        connection.execute_batch("CREATE TABLE usage (x)").expect("made");
        connection
    }

    #[test]
    fn a_full_disk_is_said_and_counting_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        let ledger = Ledger::open(&path);
        for _ in 0..3 {
            ledger.admit(&asker("query")).expect("admitted");
        }
        // As many pages as there are, and not one more.
        ledger
            .lock()
            .store
            .as_ref()
            .expect("open")
            .connection
            .execute_batch("PRAGMA max_page_count = 1; CREATE TABLE filler (x); ")
            .expect_err("the disk is full");
        let long = "x".repeat(100_000);
        for _ in 0..7 {
            ledger.admit(&asker(&long)).expect("admitted");
        }
        let error = ledger.admit(&asker(&long)).expect_err("the count went on");
        assert_eq!(error.kind(), ErrorKind::QuotaExhausted);
        assert_eq!(Ledger::open(&path).quota(&connection()).used, 3, "the disk was full");
    }

    #[test]
    fn a_closed_day_is_closed_for_everybody() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        let (first, second) = (Ledger::open(&path), Ledger::open(&path));
        let admission = first.admit(&asker("query")).expect("admitted");
        first.learn(
            &asker("query"),
            admission,
            &Outcome::QuotaExceeded("Limit Exceeded".into()),
            None,
        );
        let error = second.admit(&asker("query")).expect_err("closed");
        assert!(error.hint().is_some_and(|hint| hint.contains("00:00 UTC")), "{error:?}");
        let quota = second.quota(&connection());
        assert!(quota.closed && quota.left() == 0);
        assert_eq!(quota.said.map(|(said, _)| said).as_deref(), Some("Limit Exceeded"));
    }

    #[test]
    fn a_request_is_counted_on_the_servers_day() {
        let ledger = Ledger::in_memory();
        let admission = ledger.admit(&asker("query")).expect("admitted");
        let two_days = 2 * 86_400 * SECOND;
        ledger.learn(&asker("query"), admission, &Outcome::Answered, Some(-two_days));
        let quota = ledger.quota(&connection());
        assert_eq!(quota.used, 1);
        assert_eq!(quota.day, instant(ledger.clock.now() - two_days).date_naive());
        let admission = ledger.admit(&asker("query")).expect("admitted");
        ledger.learn(&asker("query"), admission, &Outcome::Answered, Some(-two_days));
        assert_eq!(ledger.quota(&connection()).used, 2);
    }

    #[test]
    fn rates_become_periods_with_a_margin_at_the_limit() {
        assert_eq!(period(Pace::PerSecond(3.0)), Some(333_333));
        assert_eq!(period(Pace::PerSecond(4.0)), Some(275_000));
        assert_eq!(period(Pace::PerSecond(10.0)), Some(110_000));
        assert_eq!(period(Pace::Unlimited), None);
    }
}
