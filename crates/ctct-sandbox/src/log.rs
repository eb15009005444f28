//! What was asked of the sandbox.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// How many requests are remembered.
const REMEMBERED: usize = 100_000;

/// One request, as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    /// When it was answered, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The method, such as `GET`.
    pub method: String,
    /// The path, with `/v3`.
    pub path: String,
    /// The query as it was sent; empty for none.
    pub query: String,
    /// The status of the answer.
    pub status: u16,
}

/// The requests of a sandbox, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    requests: Mutex<VecDeque<LoggedRequest>>,
}

impl Log {
    pub(crate) fn push(&self, request: LoggedRequest) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() == REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(request);
    }

    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
