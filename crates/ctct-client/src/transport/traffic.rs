//! What all clients of a process share: ledger, log, limit, retry budget, and what they
//! are doing just now.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::activity::{Activity, Waiting};
use crate::ledger::{self, Ledger};
use crate::{Connection, Error, ErrorKind, Quota, Request, Result, TokenStore};

/// How many requests are remembered: all of a day's.
const REMEMBERED: usize = 10_000;
/// Retries that are granted before any request succeeded.
const FIRST_RETRIES: u64 = 10;
/// A success earns this part of a retry: in the long run at most a fifth more requests
/// are sent than are answered.
const SUCCESSES_PER_RETRY: u64 = 5;

/// One attempt to get an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Its number among the API's requests, counted from 1 since the process started; a
    /// request for tokens has the number of the request before it.
    pub number: u64,
    /// The connection's name.
    pub connection: String,
    /// The path below the API's base.
    pub path: String,
    /// The parameters, without cursors.
    pub query: String,
    /// When it was sent, by the server's clock as far as that is known.
    pub started: DateTime<Utc>,
    /// The answer's status; none where there was no answer.
    pub status: Option<u16>,
    /// The size of the answer's body, after decompression.
    pub bytes: u64,
    /// How long it took to the answer's last byte.
    pub took: Duration,
    /// What kind of failure it was, if it was one.
    pub failure: Option<ErrorKind>,
}

impl RequestRecord {
    pub(super) fn finished(mut self, took: Duration, failure: Option<ErrorKind>) -> Self {
        self.took = took;
        self.failure = failure;
        self
    }
}

/// What all clients of a process share.
#[derive(Debug)]
pub struct Traffic {
    ledger: Arc<Ledger>,
    command: String,
    unattended: bool,
    sent: AtomicU64,
    limit: u64,
    /// How many may be sent in all before the statement that runs has had its share.
    ceiling: AtomicU64,
    /// How far the server's clock is ahead of ours, in microseconds.
    ahead: AtomicI64,
    /// Fifths of a retry that may still be made.
    retry_budget: AtomicU64,
    records: Mutex<VecDeque<RequestRecord>>,
    activity: Mutex<Activity>,
    tokens: Option<TokenStore>,
    /// How many things are going on that must not be cut off.
    busy: watch::Sender<usize>,
}

/// Something that must not be cut off, such as a refresh of tokens, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Busy {
    count: watch::Sender<usize>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.count.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Default for Traffic {
    /// Traffic that only this process counts.
    fn default() -> Self {
        Self::new(Arc::new(Ledger::in_memory()), "program")
    }
}

impl Traffic {
    /// Traffic of a command that is counted in this ledger.
    pub fn new(ledger: Arc<Ledger>, command: impl Into<String>) -> Self {
        Self {
            ledger,
            command: command.into(),
            unattended: false,
            sent: AtomicU64::new(0),
            limit: u64::MAX,
            ceiling: AtomicU64::new(u64::MAX),
            ahead: AtomicI64::new(0),
            retry_budget: AtomicU64::new(FIRST_RETRIES * SUCCESSES_PER_RETRY),
            records: Mutex::default(),
            activity: Mutex::default(),
            tokens: None,
            busy: watch::Sender::new(0),
        }
    }

    /// The same traffic, with logins that are kept in this store.
    #[must_use]
    pub fn with_tokens(mut self, tokens: TokenStore) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Waits until nothing goes on that must not be cut off: a refresh whose answer has to
    /// be stored. Whoever is about to end the process waits for this, if only for a while.
    pub async fn settled(&self) {
        // Fails only where the sender is gone, which is this very value's.
        drop(self.busy.subscribe().wait_for(|count| *count == 0).await);
    }

    /// The same traffic, ended with an error after `limit` requests.
    #[must_use]
    pub fn with_limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// The same traffic of a command that nobody waits for: it leaves the last requests
    /// of a day (`quota_reserve`) to people.
    #[must_use]
    pub fn unattended(mut self) -> Self {
        self.unattended = true;
        self
    }

    /// Ends what is sent from now on with an error after so many requests; none for no end.
    pub fn set_ceiling(&self, requests: Option<u64>) {
        let ceiling = requests.map_or(u64::MAX, |requests| self.sent().saturating_add(requests));
        self.ceiling.store(ceiling, Ordering::Relaxed);
    }

    /// How many requests were sent, retries included.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The finished requests, the oldest first; at most the last ten thousand.
    pub fn records(&self) -> Vec<RequestRecord> {
        lock(&self.records).iter().cloned().collect()
    }

    /// What is being done just now.
    pub fn activity(&self) -> Activity {
        let mut activity = lock(&self.activity).clone();
        activity.requests = self.sent();
        activity
    }

    /// Tells how many rows a page brought, for whoever watches.
    pub fn note_page(&self, rows: u64) {
        let mut activity = lock(&self.activity);
        activity.pages += 1;
        activity.rows += rows;
    }

    /// Tells how many rows a scan will bring, for whoever watches; none where nobody knows.
    pub fn note_announced(&self, rows: Option<u64>) {
        lock(&self.activity).announced += rows.unwrap_or(0);
    }

    /// What a connection's key has used of its day.
    pub fn quota(&self, connection: &Connection) -> Quota {
        self.ledger.quota(connection)
    }

    /// The time by the server's clock, as its last answer told it; before any answer,
    /// the time by ours.
    pub fn server_now(&self) -> DateTime<Utc> {
        let microseconds =
            self.ledger.clock().now().saturating_add(self.ahead.load(Ordering::Relaxed));
        DateTime::from_timestamp_micros(microseconds).unwrap_or_default()
    }

    /// Where logins are kept.
    pub(crate) fn tokens(&self) -> Option<&TokenStore> {
        self.tokens.as_ref()
    }

    /// Something begins that must not be cut off.
    pub(crate) fn busy(&self) -> Busy {
        self.busy.send_modify(|count| *count += 1);
        Busy { count: self.busy.clone() }
    }

    pub(super) fn token_asker(&self, connection: &Connection) -> ledger::Asker {
        ledger::Asker::of_tokens(connection, &self.command)
    }

    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(super) fn asker(&self, connection: &Connection) -> ledger::Asker {
        ledger::Asker::new(connection, &self.command, self.unattended)
    }

    pub(super) fn set_ahead(&self, microseconds: i64) {
        self.ahead.store(microseconds, Ordering::Relaxed);
    }

    /// Notes what is waited for; none for nothing any more.
    pub(super) fn set_waiting(&self, waiting: Option<Waiting>) {
        lock(&self.activity).waiting = waiting;
    }

    /// Whether the limit of requests is not reached yet.
    pub(super) fn check_limit(&self) -> Result<()> {
        if self.sent() >= self.ceiling.load(Ordering::Relaxed) {
            return Err(Error::new(
                ErrorKind::LimitReached,
                "the statement has had its share of the day's requests",
            )
            .with_hint("--yes lets it have more, --max-requests sets another limit"));
        }
        if self.sent() < self.limit {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::LimitReached,
            format!("the limit of {} requests is reached", self.limit),
        )
        .with_hint("raise --max-requests, or ask for less; EXPLAIN shows what a query sends"))
    }

    /// Counts a request that is about to be sent, unless the limit is reached.
    pub(super) fn begin(&self, connection: &str, request: &Request) -> Result<RequestRecord> {
        // Another scan of the statement may have sent one since it was asked.
        let most = self.limit.min(self.ceiling.load(Ordering::Relaxed));
        let counted = self.sent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sent| {
            (sent < most).then_some(sent + 1)
        });
        let Ok(before) = counted else {
            self.check_limit()?;
            return Err(Error::new(ErrorKind::LimitReached, "the limit of requests is reached"));
        };
        let query = request.redacted_query();
        Ok(self.record(before + 1, connection, &request.path, query))
    }

    /// Notes a request for tokens: it is none of the API's, and does not count as one.
    pub(super) fn begin_token_request(&self, connection: &str, path: &str) -> RequestRecord {
        self.record(self.sent(), connection, path, String::new())
    }

    fn record(&self, number: u64, connection: &str, path: &str, query: String) -> RequestRecord {
        RequestRecord {
            number,
            connection: connection.to_owned(),
            path: path.to_owned(),
            query,
            started: self.server_now(),
            status: None,
            bytes: 0,
            took: Duration::ZERO,
            failure: None,
        }
    }

    pub(super) fn finish(&self, record: RequestRecord) {
        if record.failure.is_none() {
            // Full again at what it started with: a long good run earns no storm.
            let most = FIRST_RETRIES * SUCCESSES_PER_RETRY;
            let earn = |budget: u64| Some((budget + 1).min(most));
            let _ = self.retry_budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earn);
        }
        let mut records = lock(&self.records);
        if records.len() == REMEMBERED {
            records.pop_front();
        }
        records.push_back(record);
    }

    /// Whether a failed request may be tried again as far as all requests of the
    /// process are concerned.
    pub(super) fn may_retry(&self) -> bool {
        let spend = |budget: u64| budget.checked_sub(SUCCESSES_PER_RETRY);
        self.retry_budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
    }
}

/// A lock whose holder panicked still guards what is whole: entries are pushed complete.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request { path: "/contacts".into(), query: "cursor=abc&limit=5".into() }
    }

    #[test]
    fn the_limit_refuses_before_anything_is_sent() {
        let traffic = Traffic::default().with_limit(1);
        let record = traffic.begin("A", &request()).expect("the first");
        assert_eq!((record.number, record.query.as_str()), (1, "cursor=…&limit=5"));
        let error = traffic.begin("A", &request()).expect_err("one too many");
        assert_eq!(error.kind(), ErrorKind::LimitReached);
        assert_eq!(traffic.sent(), 1);
    }

    #[test]
    fn a_statement_has_its_share_and_not_one_more() {
        let traffic = Traffic::default();
        drop(traffic.begin("A", &request()).expect("of an earlier statement"));
        traffic.set_ceiling(Some(1));
        // Two scans have asked at the same time, and the other one sends first.
        traffic.check_limit().expect("there is one left");
        drop(traffic.begin("A", &request()).expect("the one"));
        let error = traffic.begin("A", &request()).expect_err("one too many");
        assert_eq!((error.kind(), traffic.sent()), (ErrorKind::LimitReached, 2));
        assert!(error.to_string().contains("its share"), "{error}");
    }

    #[test]
    fn the_log_keeps_the_newest() {
        let traffic = Traffic::default();
        for _ in 0..REMEMBERED + 3 {
            let record = traffic.begin("A", &request()).expect("no limit");
            traffic.finish(record);
        }
        let records = traffic.records();
        assert_eq!(records.len(), REMEMBERED);
        assert_eq!(records.first().map(|record| record.number), Some(4));
    }

    #[test]
    fn retries_are_a_fifth_of_the_successes_and_a_few() {
        let traffic = Traffic::default();
        let granted = (0..1_000).filter(|_| traffic.may_retry()).count();
        assert_eq!(granted, 10);
        for _ in 0..25 {
            let record = traffic.begin("A", &request()).expect("no limit");
            traffic.finish(record);
        }
        assert_eq!((0..1_000).filter(|_| traffic.may_retry()).count(), 5);
    }
}
