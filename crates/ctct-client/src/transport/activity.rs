//! What a process is doing just now, for whoever watches.

use std::time::{Duration, Instant};

/// What a process is doing just now.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// Requests that were sent, retries included.
    pub requests: u64,
    /// Pages that were read.
    pub pages: u64,
    /// Rows that the pages held.
    pub rows: u64,
    /// Rows that scans announced with their first pages, where they did.
    pub announced: u64,
    /// What is waited for; none while a request is under way, or nothing is.
    pub waiting: Option<Waiting>,
}

/// What is waited for, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Why.
    pub reason: WaitingFor,
    /// Until when.
    pub until: Instant,
}

/// Why nothing is sent just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// The pace: the next slot is not there yet.
    Pace,
    /// The server said that it was asked too fast.
    Throttled,
    /// The server is still at work on the answer.
    Answer,
    /// A failed request is about to be tried again.
    Retry {
        /// Which retry this will be, from 1.
        number: u32,
        /// How many there are at most.
        of: u32,
    },
}

impl Waiting {
    /// How long there is still to wait.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

impl std::fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pace => f.write_str("pace"),
            Self::Throttled => f.write_str("throttled"),
            Self::Answer => f.write_str("the server is still at work"),
            Self::Retry { number, of } => write!(f, "retry {number} of {of}"),
        }
    }
}
