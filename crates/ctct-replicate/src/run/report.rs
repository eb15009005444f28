//! What a run tells while it goes on, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::plan::StreamPlan;
use crate::postgres::Loaded;
use crate::{Error, Mode};

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// A stream began.
    Began {
        /// Its name.
        stream: String,
        /// Whether it goes on where an earlier run stood.
        resumed: bool,
    },
    /// Rows of a stream were kept.
    Kept {
        /// Its name.
        stream: String,
        /// How many rows came so far.
        rows: u64,
        /// How many there will be, where the server told.
        of: Option<u64>,
    },
    /// The day's requests are used up, and the run waits.
    Waiting {
        /// Until when.
        until: DateTime<Utc>,
        /// Why, in words.
        why: String,
    },
    /// A stream ended.
    Ended(StreamReport),
}

/// How a stream ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// All that was to be read is in the target.
    Done,
    /// All but some rows, which the target refused, are in it.
    Partial,
    /// It was left alone, because its table is there and is to be left alone.
    Left,
    /// It did not begin, because the day's requests were used up before.
    Skipped,
    /// It failed; what was kept stays.
    Failed(Arc<Error>),
}

impl Outcome {
    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Left => "left alone",
            Self::Skipped => "not begun",
            Self::Failed(error) if error.is_quota() => "quota used up",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether the day's requests ended it.
    pub fn is_quota(&self) -> bool {
        matches!(self, Self::Skipped) || matches!(self, Self::Failed(error) if error.is_quota())
    }

    /// Whether something is missing in the target.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Skipped | Self::Partial)
    }
}

/// What became of a stream.
#[derive(Debug, Clone)]
pub struct StreamReport {
    /// Its name.
    pub stream: String,
    /// Where it went.
    pub table: String,
    /// How it was written.
    pub mode: Mode,
    /// How many rows came.
    pub rows: u64,
    /// How many of them are new.
    pub inserted: u64,
    /// How many changed what was there.
    pub updated: u64,
    /// How many are gone.
    pub deleted: u64,
    /// How many the target refused; its table `_ctct.rejected` has their keys, and why.
    pub rejected: u64,
    /// How many requests were sent.
    pub requests: u64,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

impl StreamReport {
    pub(super) fn new(plan: &StreamPlan, outcome: Outcome) -> Self {
        Self {
            stream: plan.name.clone(),
            table: plan.table.plain(),
            mode: plan.mode,
            rows: 0,
            inserted: 0,
            updated: 0,
            deleted: 0,
            rejected: 0,
            requests: 0,
            took: Duration::ZERO,
            outcome,
        }
    }

    pub(super) fn add(&mut self, loaded: Loaded) {
        self.inserted += loaded.inserted;
        self.updated += loaded.updated;
        self.deleted += loaded.deleted;
    }
}
