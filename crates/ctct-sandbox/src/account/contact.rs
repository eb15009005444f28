//! The facts of a contact: all that filters look at, cheap enough for ten million of them.

use fastrand::Rng;

use super::random::{Purpose, chance, moment, rng};

/// Since when contacts can be reached by SMS only, in seconds before the account's end.
const SMS_ONLY_ERA: i64 = 230 * 86_400;
/// How many imports brought many contacts at one moment.
const IMPORTS: u32 = 12;
/// How many changes touched many contacts at one moment.
const BULK_CHANGES: u32 = 6;

/// Whether the account may write to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Explicit,
    Implicit,
    NotSet,
    PendingConfirmation,
    TempHold,
    Unsubscribed,
}

impl Permission {
    /// The API's word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Implicit => "implicit",
            Self::NotSet => "not_set",
            Self::PendingConfirmation => "pending_confirmation",
            Self::TempHold => "temp_hold",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// Whether the account may send SMS to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SmsPermission {
    Explicit,
    OptedOut,
    Pending,
}

/// The history that an account's data lies in, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl History {
    fn length(self) -> i64 {
        self.end - self.start
    }

    /// The moment of the `number`-th of so many events, spread over the history.
    fn event(self, number: u32, of: u32) -> i64 {
        self.start + self.length() * (2 * i64::from(number) + 1) / (2 * i64::from(of))
    }
}

/// What filters look at. Times are in seconds since 1970; memberships are bit sets
/// over the account's lists and tags.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) deleted: Option<i64>,
    /// None for a contact without an e-mail address.
    pub(crate) permission: Option<Permission>,
    pub(crate) opted_out: Option<i64>,
    pub(crate) sms: Option<SmsPermission>,
    pub(crate) lists: u64,
    pub(crate) tags: u64,
    /// A contact with nothing but what every contact has.
    pub(crate) bare: bool,
}

/// How popular each list and each tag is, in members per mille of contacts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Popularity<'a> {
    pub(crate) lists: &'a [u32],
    pub(crate) tags: &'a [u32],
}

impl Facts {
    /// The facts of the contact with this index.
    pub(crate) fn of(seed: u64, index: u32, history: History, popular: Popularity<'_>) -> Self {
        let mut rng = rng(seed, Purpose::ContactFacts, index);
        let sms_only = chance(&mut rng, 20);
        let bare = !sms_only && chance(&mut rng, 30);
        let first = if sms_only { history.end - SMS_ONLY_ERA } else { history.start };
        let created = if !sms_only && chance(&mut rng, 150) {
            history.event(rng.u32(0..IMPORTS), IMPORTS)
        } else {
            moment(&mut rng, first, history.end)
        };
        let mut updated = last_change(&mut rng, created, history);
        let mut permission = (!sms_only).then(|| draw_permission(&mut rng));
        let mut opted_out = (permission == Some(Permission::Unsubscribed))
            .then(|| moment(&mut rng, created, history.end));
        let deleted = chance(&mut rng, 40).then(|| moment(&mut rng, created, history.end));
        if let Some(at) = deleted {
            updated = at;
            if permission.is_some() {
                permission = Some(Permission::Unsubscribed);
                opted_out = Some(at);
            }
        }
        let sms = (sms_only || (!bare && chance(&mut rng, 80))).then(|| draw_sms(&mut rng));
        // Whoever is deleted is on no list and has no tag any more.
        let member = deleted.is_none() && !bare;
        let lists = if member { draw_set(&mut rng, popular.lists) } else { 0 };
        let tags = if member { draw_set(&mut rng, popular.tags) } else { 0 };
        Self { created, updated, deleted, permission, opted_out, sms, lists, tags, bare }
    }

    /// The word by which the `status` parameter selects the contact.
    pub(crate) fn status(&self) -> &'static str {
        match (self.deleted, self.permission) {
            (Some(_), _) => "deleted",
            (None, Some(Permission::Explicit | Permission::Implicit)) => "active",
            (None, Some(permission)) => permission.word(),
            (None, None) => "not_set",
        }
    }

    /// The word by which the `sms_status` parameter selects the contact.
    pub(crate) fn sms_status(&self) -> &'static str {
        match self.sms {
            Some(SmsPermission::Explicit) => "explicit",
            Some(SmsPermission::OptedOut) => "unsubscribed",
            Some(SmsPermission::Pending) => "pending_confirmation",
            None => "not_set",
        }
    }
}

fn last_change(rng: &mut Rng, created: i64, history: History) -> i64 {
    match rng.u32(0..100) {
        0..45 => created,
        45..60 => history.event(rng.u32(0..BULK_CHANGES), BULK_CHANGES).max(created),
        _ => moment(rng, created, history.end),
    }
}

fn draw_permission(rng: &mut Rng) -> Permission {
    match rng.u32(0..100) {
        0..60 => Permission::Implicit,
        60..82 => Permission::Explicit,
        82..91 => Permission::Unsubscribed,
        91..94 => Permission::NotSet,
        94..97 => Permission::PendingConfirmation,
        _ => Permission::TempHold,
    }
}

fn draw_sms(rng: &mut Rng) -> SmsPermission {
    match rng.u32(0..10) {
        0..8 => SmsPermission::Explicit,
        8 => SmsPermission::OptedOut,
        _ => SmsPermission::Pending,
    }
}

fn draw_set(rng: &mut Rng, per_mille: &[u32]) -> u64 {
    per_mille
        .iter()
        .enumerate()
        .filter(|(_, share)| chance(rng, **share))
        .fold(0, |set, (position, _)| set | (1 << position))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const HISTORY: History = History { start: 1_672_531_200, end: 1_767_225_600 };
    const POPULAR: Popularity<'_> = Popularity { lists: &[700, 100], tags: &[50] };

    fn facts(count: u32) -> Vec<Facts> {
        (0..count).map(|index| Facts::of(1, index, HISTORY, POPULAR)).collect()
    }

    #[test]
    fn every_kind_of_contact_exists() {
        let all = facts(5_000);
        let mut statuses: HashMap<_, u32> = HashMap::new();
        for contact in &all {
            *statuses.entry(contact.status()).or_default() += 1;
        }
        for status in
            ["active", "deleted", "not_set", "pending_confirmation", "temp_hold", "unsubscribed"]
        {
            assert!(
                statuses.get(status).is_some_and(|count| *count > 50),
                "{status}: {statuses:?}"
            );
        }
        assert!(
            all.iter().any(|contact| contact.permission.is_none() && contact.deleted.is_none())
        );
        assert!(all.iter().any(|contact| contact.bare && contact.deleted.is_none()));
    }

    #[test]
    fn times_lie_in_order_within_the_history() {
        for contact in facts(5_000) {
            assert!(HISTORY.start <= contact.created && contact.created <= contact.updated);
            assert!(contact.updated < HISTORY.end);
            assert!(contact.opted_out.is_none_or(|at| at >= contact.created && at < HISTORY.end));
            assert_eq!(
                contact.opted_out.is_some(),
                contact.permission == Some(Permission::Unsubscribed)
            );
        }
    }

    #[test]
    fn many_contacts_changed_at_one_moment() {
        let mut moments: HashMap<_, u32> = HashMap::new();
        for contact in facts(5_000) {
            *moments.entry(contact.updated).or_default() += 1;
        }
        assert!(moments.values().filter(|count| **count > 20).count() >= 12);
    }
}
