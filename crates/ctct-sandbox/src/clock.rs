//! The sandbox's own time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

/// A clock that starts at a given time, runs on, and can be moved.
#[derive(Debug)]
pub struct Clock {
    starts_at: DateTime<Utc>,
    started: Instant,
    moved: AtomicI64,
}

impl Clock {
    pub(crate) fn new(starts_at: DateTime<Utc>) -> Self {
        Self { starts_at, started: Instant::now(), moved: AtomicI64::new(0) }
    }

    /// The sandbox's time.
    pub fn now(&self) -> DateTime<Utc> {
        let ran = TimeDelta::from_std(self.started.elapsed()).unwrap_or_default();
        let moved = TimeDelta::milliseconds(self.moved.load(Ordering::Relaxed));
        self.starts_at + ran + moved
    }

    /// Moves the clock, back where `by` is negative.
    pub fn advance(&self, by: TimeDelta) {
        self.moved.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}
