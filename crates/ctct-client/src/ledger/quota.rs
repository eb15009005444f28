//! What an API key has used of its day.

use chrono::{DateTime, NaiveDate, Utc};

/// What an API key has used of its day, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// The API key.
    pub client_id: String,
    /// The server's day, in UTC.
    pub day: NaiveDate,
    /// Requests sent on that day, by all processes of this machine.
    pub used: u64,
    /// Requests of that day for each command, the most first.
    pub by_command: Vec<(String, u64)>,
    /// Requests that the key has a day.
    pub limit: u64,
    /// Requests that unattended commands leave to people.
    pub reserve: u64,
    /// Whether the server itself said that the day is used up.
    pub closed: bool,
    /// When the next day starts, by this machine's clock.
    pub renews_at: DateTime<Utc>,
    /// The server's last complaint, and when it made it.
    pub said: Option<(String, DateTime<Utc>)>,
}

impl Quota {
    /// Requests that are left, as far as this machine knows.
    pub fn left(&self) -> u64 {
        if self.closed { 0 } else { self.limit.saturating_sub(self.used) }
    }
}
