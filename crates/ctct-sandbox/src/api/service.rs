//! What all endpoints share: the account, the clock, the log, and what was counted.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Bytes;

use crate::account::{Account, Change};
use crate::fault::Faults;
use crate::limits::Counts;
use crate::log::Log;
use crate::oauth::Oauth;
use crate::{Clock, Limits, Settings, Token, Variants};

/// How many selections of contacts are kept, four bytes for each contact in each.
const SELECTIONS: usize = 32;

/// A filter's text and the indexes of the contacts that it selects.
type Selection = (String, Arc<Vec<u32>>);

/// The sandbox behind its endpoints.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) account: Account,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    pub(crate) inclusive_bounds: bool,
    pub(crate) variants: Variants,
    pub(crate) faults: Faults,
    pub(crate) counts: Counts,
    pub(crate) limits: Limits,
    pub(crate) oauth: Oauth,
    /// Where the sandbox listens, once it does.
    pub(crate) address: OnceLock<SocketAddr>,
    tokens: Vec<Token>,
    churn: Option<Mutex<fastrand::Rng>>,
    /// Bodies of pages by path and query, where they are kept.
    pages: Option<Mutex<HashMap<String, Bytes>>>,
    /// What was counted, and how much had happened to contacts before.
    members: Mutex<Option<(u64, Arc<MemberCounts>)>>,
    selections: Mutex<Vec<Selection>>,
    segments_asked: Mutex<HashSet<u32>>,
}

/// How many contacts are on each list and have each tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MemberCounts {
    pub(crate) all_on_list: Vec<u32>,
    pub(crate) active_on_list: Vec<u32>,
    pub(crate) with_tag: Vec<u32>,
}

impl Service {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            account: Account::new(settings),
            clock: Clock::new(settings.starts_at),
            log: Log::default(),
            inclusive_bounds: settings.inclusive_bounds,
            variants: settings.variants,
            faults: Faults::default(),
            counts: Counts::default(),
            limits: settings.limits,
            oauth: Oauth::new(settings.application.clone(), settings.seed),
            address: OnceLock::new(),
            tokens: settings.tokens.clone(),
            pages: settings.keep_pages.then(Mutex::default),
            churn: settings.churn.map(|seed| Mutex::new(fastrand::Rng::with_seed(seed))),
            members: Mutex::default(),
            selections: Mutex::default(),
            segments_asked: Mutex::default(),
        }
    }

    /// The token with this value, if it is accepted now.
    pub(crate) fn token(&self, value: &str) -> Option<Token> {
        let now = self.clock.now();
        let issued = self.oauth.token(value);
        let known = issued.or_else(|| self.tokens.iter().find(|t| t.value == value).cloned());
        known.filter(|token| token.expires_at.is_none_or(|end| now < end))
    }

    /// How many contacts are on each list and have each tag; counted once for each state of
    /// the account.
    pub(crate) fn members(&self) -> Arc<MemberCounts> {
        let version = self.account.changes().version();
        let mut kept = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, counts)) = kept.as_ref()
            && *known == version
        {
            return Arc::clone(counts);
        }
        let counts = Arc::new(self.count_members());
        *kept = Some((version, Arc::clone(&counts)));
        counts
    }

    fn count_members(&self) -> MemberCounts {
        let mut counts = MemberCounts {
            all_on_list: vec![0; self.account.lists.len()],
            active_on_list: vec![0; self.account.lists.len()],
            with_tag: vec![0; self.account.tags.len()],
        };
        for index in 0..self.account.contacts() {
            let facts = self.account.facts(index);
            count(&mut counts.all_on_list, facts.lists);
            count(&mut counts.with_tag, facts.tags);
            if facts.status() == "active" {
                count(&mut counts.active_on_list, facts.lists);
            }
        }
        counts
    }

    /// Lets something happen to contacts now; whether there is such a contact.
    pub(crate) fn change(&self, change: &Change) -> bool {
        let (changes, now) = (self.account.changes(), self.clock.now().timestamp());
        let known = |identifier: &str| {
            let index = self.account.contact_by_id(identifier)?;
            self.account.facts(index).deleted.is_none().then_some(index)
        };
        match change {
            Change::Create => {
                changes.create(now);
                true
            }
            Change::Delete(id) => known(id).map(|index| changes.delete(index, now)).is_some(),
            Change::Update(id) => known(id).map(|index| changes.update(index, now)).is_some(),
            Change::Unsubscribe(id) => {
                known(id).map(|index| changes.unsubscribe(index, now)).is_some()
            }
            Change::Resubscribe(id) => known(id).map(|index| changes.resubscribe(index)).is_some(),
            Change::Restore(id) => {
                let index = self.account.contact_by_id(id);
                let gone = index.filter(|index| self.account.facts(*index).deleted.is_some());
                gone.map(|index| changes.restore(index, now)).is_some()
            }
        }
    }

    /// The body of a page that was kept.
    pub(super) fn kept_page(&self, uri: &str) -> Option<Bytes> {
        let pages = self.pages.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(uri).cloned()
    }

    /// Keeps the body of a page, where that is wanted.
    pub(super) fn keep_page(&self, uri: &str, body: &[u8]) {
        if let Some(pages) = &self.pages {
            let mut pages = pages.lock().unwrap_or_else(PoisonError::into_inner);
            pages.insert(uri.to_owned(), Bytes::copy_from_slice(body));
        }
    }

    /// Lets a few things happen to contacts, where that is wanted.
    pub(super) fn churn(&self) {
        let Some(churn) = &self.churn else { return };
        let mut rng = churn.lock().unwrap_or_else(PoisonError::into_inner);
        let (changes, now) = (self.account.changes(), self.clock.now().timestamp());
        for _ in 0..rng.u32(0..3) {
            let index = rng.u32(0..self.account.contacts().max(1));
            let is_there = self.account.facts(index).deleted.is_none();
            match rng.u32(0..8) {
                0..3 => changes.create(now),
                3..6 if is_there => changes.delete(index, now),
                6 if is_there => changes.update(index, now),
                7 if is_there => changes.unsubscribe(index, now),
                _ => {}
            }
        }
    }

    /// The contacts that a filter selects, found once for all pages of a scan.
    pub(super) fn selection(&self, filter: &str, find: impl FnOnce() -> Vec<u32>) -> Arc<Vec<u32>> {
        // What was found before something happened is not found again.
        let filter = format!("{} {filter}", self.account.changes().version());
        let mut selections = self.selections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(position) = selections.iter().position(|(known, _)| *known == filter) {
            let hit = selections.remove(position);
            let found = Arc::clone(&hit.1);
            selections.push(hit);
            return found;
        }
        let found = Arc::new(find());
        if selections.len() == SELECTIONS {
            selections.remove(0);
        }
        selections.push((filter, Arc::clone(&found)));
        found
    }

    /// Whether a segment is asked for the first time: then its contacts are not ready yet.
    pub(super) fn is_first_ask(&self, segment: u32) -> bool {
        self.segments_asked.lock().unwrap_or_else(PoisonError::into_inner).insert(segment)
    }
}

fn count(counts: &mut [u32], set: u64) {
    for (position, count) in counts.iter_mut().enumerate() {
        *count += u32::from(set & (1 << position) != 0);
    }
}
