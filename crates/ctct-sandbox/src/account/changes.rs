//! What happens to contacts after the account was made.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::contact::{Facts, Permission};

/// Something that happens to contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A contact is added.
    Create,
    /// A contact, named by its identifier, is deleted.
    Delete(String),
    /// A contact's own values change.
    Update(String),
    /// A contact unsubscribes, which does not move its `updated_at`.
    Unsubscribe(String),
    /// A contact subscribes again, which does not move its `updated_at` either: that is of the
    /// contact's own values, and not of the state of its address.
    Resubscribe(String),
    /// A deleted contact is there again, on the first list, as when somebody whose address is
    /// known fills in a sign-up form.
    Restore(String),
}

/// What happened to single contacts, laid over what they were made as.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// How much happened: whoever keeps what was found forgets it when this grows.
    version: AtomicU64,
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// When each added contact came, in seconds since 1970.
    created: Vec<i64>,
    deleted: HashMap<u32, i64>,
    updated: HashMap<u32, i64>,
    opted_out: HashMap<u32, i64>,
    opted_in: HashSet<u32>,
    restored: HashMap<u32, i64>,
}

impl Changes {
    /// How much happened so far.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// How many contacts were added.
    pub(super) fn created(&self) -> u32 {
        if self.version() == 0 {
            return 0;
        }
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        u32::try_from(kept.created.len()).unwrap_or(u32::MAX)
    }

    /// Adds a contact.
    pub(crate) fn create(&self, at: i64) {
        self.change(|kept| kept.created.push(at));
    }

    /// Deletes a contact.
    pub(crate) fn delete(&self, index: u32, at: i64) {
        self.change(|kept| kept.deleted.extend([(index, at)]));
    }

    /// Changes a contact's own values.
    pub(crate) fn update(&self, index: u32, at: i64) {
        self.change(|kept| kept.updated.extend([(index, at)]));
    }

    /// Unsubscribes a contact.
    pub(crate) fn unsubscribe(&self, index: u32, at: i64) {
        self.change(|kept| kept.opted_out.extend([(index, at)]));
    }

    /// Subscribes a contact again.
    pub(crate) fn resubscribe(&self, index: u32) {
        self.change(|kept| {
            kept.opted_out.remove(&index);
            kept.opted_in.insert(index);
        });
    }

    /// Brings a deleted contact back.
    pub(crate) fn restore(&self, index: u32, at: i64) {
        self.change(|kept| {
            kept.deleted.remove(&index);
            kept.opted_out.remove(&index);
            kept.restored.insert(index, at);
        });
    }

    fn change(&self, how: impl FnOnce(&mut Kept)) {
        how(&mut self.kept.write().unwrap_or_else(PoisonError::into_inner));
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// The facts of a contact by now, of an account that was made with so many.
    pub(super) fn apply(&self, index: u32, made: u32, facts: impl FnOnce() -> Facts) -> Facts {
        let mut facts = facts();
        if self.version() == 0 {
            return facts;
        }
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(added) = index.checked_sub(made) {
            let at = usize::try_from(added).ok().and_then(|added| kept.created.get(added));
            let at = at.copied().unwrap_or(facts.created);
            (facts.created, facts.updated) = (at, at);
            (facts.deleted, facts.opted_out) = (None, None);
            if facts.permission == Some(Permission::Unsubscribed) {
                facts.permission = Some(Permission::Explicit);
            }
        }
        let restored = kept.restored.get(&index);
        if restored.is_some() {
            (facts.deleted, facts.lists) = (None, 1);
        }
        if (restored.is_some() || kept.opted_in.contains(&index)) && facts.permission.is_some() {
            (facts.permission, facts.opted_out) = (Some(Permission::Explicit), None);
        }
        if let Some(at) = restored.max(kept.updated.get(&index)) {
            facts.updated = *at;
        }
        if let Some(at) = kept.opted_out.get(&index)
            && facts.permission.is_some()
        {
            facts.permission = Some(Permission::Unsubscribed);
            facts.opted_out = Some(*at);
        }
        if let Some(at) = kept.deleted.get(&index) {
            (facts.deleted, facts.updated) = (Some(*at), *at);
            (facts.lists, facts.tags) = (0, 0);
            if facts.permission.is_some() {
                facts.permission = Some(Permission::Unsubscribed);
                facts.opted_out = facts.opted_out.or(Some(*at));
            }
        }
        facts
    }
}
