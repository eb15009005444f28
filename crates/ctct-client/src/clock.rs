//! Where the time comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use chrono::TimeDelta;

/// This machine's clock, which a test can move.
///
/// Clones move together. Time always runs on: what is moved is only where it stands.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Microseconds by which the clock was moved.
    moved: Arc<AtomicI64>,
}

impl Clock {
    /// Moves the clock, back where `by` is negative.
    pub fn advance(&self, by: TimeDelta) {
        let by = by.num_microseconds().unwrap_or(0);
        self.moved.fetch_add(by, Ordering::Relaxed);
    }

    /// Microseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        now.saturating_add(self.moved.load(Ordering::Relaxed))
    }
}
