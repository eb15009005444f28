//! One chain of pages, from its first request to its last.

use ctct_client::{Client, Error, ErrorKind, PageChain, Request};

use super::order::OrderWatch;
use super::plan::Start;
use super::seen::{RowKeys, SeenRows};
use super::tally::Tally;
use crate::predicate::Interval;

/// How often a chain starts again after its cursor was not accepted any more.
const NEW_STARTS: u32 = 3;
/// How often a chain is read whose rows came and went meanwhile.
const READINGS: u32 = 5;

/// One chain of pages.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) start: Start,
    /// The part of a larger answer that it reads.
    pub(super) window: Option<Interval>,
    pub(super) order: Option<OrderWatch>,
    pub(super) seen: SeenRows,
    pub(super) tally: Tally,
    /// Since when, by the server's clock, the present reading goes on.
    pub(super) began: i64,
    pages: PageChain,
    new_starts: u32,
    readings: u32,
}

/// What is to become of a chain whose last page came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// All its rows came.
    Complete,
    /// Rows came or went meanwhile: it is read once more.
    Again,
    /// Rows came and went all the time, or the server counts more than it gives.
    Unsettled,
}

impl Chain {
    /// A chain that has sent nothing yet.
    pub(super) fn new(client: &Client, start: Start, keys: RowKeys) -> Self {
        Self {
            pages: PageChain::new(client.base_url().clone(), start.request.clone()),
            start,
            window: None,
            order: None,
            seen: SeenRows::new(keys),
            tally: Tally::default(),
            began: 0,
            new_starts: 0,
            readings: 1,
        }
    }

    /// The request for the next page; none when all pages were read.
    pub(super) fn request(&self) -> Option<&Request> {
        self.pages.request()
    }

    /// Which reading of the chain this is: from 1.
    pub(super) fn reading(&self) -> u32 {
        self.readings + self.new_starts
    }

    /// Whether no page has come yet, of this reading.
    pub(super) fn is_at_start(&self) -> bool {
        self.pages.is_at_start()
    }

    /// How many rows there are still to come, as far as the server told.
    pub(super) fn left(&self) -> u64 {
        self.tally.announced.unwrap_or(0).saturating_sub(self.tally.came)
    }

    /// Goes on to the page that a link leads to.
    pub(super) fn advance(&mut self, next_link: Option<&str>) -> Result<(), Error> {
        self.pages.advance(next_link)
    }

    /// What is to become of the chain at its end; where it is read again, it is at its start.
    pub(super) fn end(&mut self, client: &Client) -> End {
        if self.tally.is_settled() {
            return End::Complete;
        }
        if self.seen.brought_nothing_new() {
            // Whatever moved, nothing was missed, unless the server goes on counting more.
            return if self.tally.is_short() { End::Unsettled } else { End::Complete };
        }
        if !self.seen.can_start_again() || self.readings == READINGS {
            return End::Unsettled;
        }
        self.readings += 1;
        self.restart(client);
        End::Again
    }

    /// Starts again from the first page, where the server no longer accepts a cursor:
    /// nobody documents how long one lives. Whether it does.
    pub(super) fn recovers(&mut self, error: &Error, client: &Client) -> bool {
        let expired = error.kind() == ErrorKind::InvalidRequest && !self.is_at_start();
        if !expired || !self.seen.can_start_again() || self.new_starts == NEW_STARTS {
            return false;
        }
        tracing::warn!("a cursor was not accepted any more; reading starts again ({error})");
        self.new_starts += 1;
        self.restart(client);
        true
    }

    fn restart(&mut self, client: &Client) {
        self.seen.start_again();
        self.tally = Tally::default();
        self.order.iter_mut().for_each(OrderWatch::start_again);
        self.pages = PageChain::new(client.base_url().clone(), self.start.request.clone());
    }
}
