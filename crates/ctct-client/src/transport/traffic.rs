//! What all clients of a process share: the log of requests, their limit, and the pace.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};

use super::pace::Pacer;
use crate::{Error, ErrorKind, Pace, Request, Result};

/// How many requests are remembered: all of a day's.
const REMEMBERED: usize = 10_000;

/// One attempt to get an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Its number, counted from 1 since the process started.
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
    sent: AtomicU64,
    limit: u64,
    /// How far the server's clock is ahead of ours.
    ahead: AtomicI64,
    records: Mutex<VecDeque<RequestRecord>>,
    pacers: Mutex<HashMap<String, Arc<Pacer>>>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self::with_limit(None)
    }
}

impl Traffic {
    /// Traffic that ends with an error after `limit` requests; without one, never.
    pub fn with_limit(limit: Option<u64>) -> Self {
        Self {
            sent: AtomicU64::new(0),
            limit: limit.unwrap_or(u64::MAX),
            ahead: AtomicI64::new(0),
            records: Mutex::default(),
            pacers: Mutex::default(),
        }
    }

    /// How many requests were sent, retries included.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The finished requests, the oldest first; at most the last ten thousand.
    pub fn records(&self) -> Vec<RequestRecord> {
        lock(&self.records).iter().cloned().collect()
    }

    /// The time by the server's clock, as its last answer told it; before any answer,
    /// the time by ours.
    pub fn server_now(&self) -> DateTime<Utc> {
        let ahead = TimeDelta::milliseconds(self.ahead.load(Ordering::Relaxed));
        Utc::now().checked_add_signed(ahead).unwrap_or_else(Utc::now)
    }

    /// The pacer of an API key; all clients with one key share the pace of the first.
    pub(super) fn pacer(&self, client_id: &str, pace: Pace) -> Arc<Pacer> {
        let mut pacers = lock(&self.pacers);
        let pacer =
            pacers.entry(client_id.to_owned()).or_insert_with(|| Arc::new(Pacer::new(pace)));
        Arc::clone(pacer)
    }

    /// Counts a request that is about to be sent, unless the limit is reached.
    pub(super) fn begin(&self, connection: &str, request: &Request) -> Result<RequestRecord> {
        let counted = self.sent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sent| {
            (sent < self.limit).then_some(sent + 1)
        });
        let Ok(before) = counted else {
            return Err(Error::new(
                ErrorKind::LimitReached,
                format!("the limit of {} requests is reached", self.limit),
            )
            .with_hint("raise --max-requests, or ask for less; EXPLAIN shows what a query sends"));
        };
        Ok(RequestRecord {
            number: before + 1,
            connection: connection.to_owned(),
            path: request.path.clone(),
            query: request.redacted_query(),
            started: self.server_now(),
            status: None,
            bytes: 0,
            took: Duration::ZERO,
            failure: None,
        })
    }

    pub(super) fn finish(&self, record: RequestRecord) {
        let mut records = lock(&self.records);
        if records.len() == REMEMBERED {
            records.pop_front();
        }
        records.push_back(record);
    }

    pub(super) fn see_server_date(&self, date: &str) {
        let Ok(theirs) = httpdate::parse_http_date(date) else { return };
        let ours = SystemTime::now();
        let ahead = match theirs.duration_since(ours) {
            Ok(ahead) => i64::try_from(ahead.as_millis()).unwrap_or(0),
            Err(behind) => -i64::try_from(behind.duration().as_millis()).unwrap_or(0),
        };
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

/// A lock whose holder panicked still guards a log that is whole: entries are
/// pushed complete.
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
        let traffic = Traffic::with_limit(Some(1));
        let record = traffic.begin("A", &request()).expect("the first");
        assert_eq!((record.number, record.query.as_str()), (1, "cursor=…&limit=5"));
        let error = traffic.begin("A", &request()).expect_err("one too many");
        assert_eq!(error.kind(), ErrorKind::LimitReached);
        assert_eq!(traffic.sent(), 1);
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
    fn the_servers_clock_is_followed() {
        let traffic = Traffic::default();
        traffic.see_server_date("Thu, 01 Jan 2026 00:00:00 GMT");
        let midnight = DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z").expect("valid");
        assert!((traffic.server_now().timestamp() - midnight.timestamp()).abs() < 60);
        traffic.see_server_date("soon");
        assert!((traffic.server_now().timestamp() - midnight.timestamp()).abs() < 60);
    }
}
