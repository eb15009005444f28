//! Who got an e-mail, and what they did with it: figures and single events are one.

use super::campaign::Counts;
use super::contact::Facts;
use super::random::{Purpose, chance, rng};

/// In very large accounts the first so many contacts get the e-mails.
const MAILED: u32 = 200_000;
/// Of those that open an e-mail at all, so many per cent need no second one.
const FIRST_TIME: u32 = 80;

/// The contacts that can be written to, and since and until when, in seconds since 1970.
#[derive(Debug)]
pub(super) struct Audience {
    reachable: Vec<(u32, i64, i64)>,
}

impl Audience {
    /// The audience among so many contacts.
    pub(super) fn new(contacts: u32, facts: impl Fn(u32) -> Facts) -> Self {
        let reachable = (0..contacts.min(MAILED)).filter_map(|index| {
            let facts = facts(index);
            facts.permission?;
            Some((index, facts.created, facts.deleted.unwrap_or(i64::MAX)))
        });
        Self { reachable: reachable.collect() }
    }

    /// A part of those that could be reached at a time, in no order.
    pub(super) fn draw(&self, at: i64, share: f64, rng: &mut fastrand::Rng) -> Vec<u32> {
        let there = self.reachable.iter().filter(|(_, since, until)| *since < at && at <= *until);
        let mut there: Vec<u32> = there.map(|(index, ..)| *index).collect();
        rng.shuffle(&mut there);
        there.truncate(part(there.len(), share));
        there
    }
}

/// A part of a number, rounded down.
pub(super) fn part(whole: usize, share: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of at most one of a number of contacts"
    )]
    let part = (whole as f64 * share.clamp(0.0, 1.0)) as usize;
    part
}

/// What kind of e-mail of a campaign an activity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Primary,
    /// The web page, which is sent to nobody.
    Permalink,
    /// The same once more, to those that had not opened it.
    Resend,
}

impl Role {
    /// The API's word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Primary => "primary_email",
            Self::Permalink => "permalink",
            Self::Resend => "resend",
        }
    }
}

/// Something that happened with an e-mail to a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// The contact's index.
    pub(crate) contact: u32,
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
    /// With which device; the API leaves out what it did not see.
    pub(crate) device: Option<&'static str>,
    /// A number to choose by what else is to be said of it.
    pub(crate) chance: u32,
}

/// All that happened with one e-mail, the latest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Happened {
    pub(crate) sends: Vec<Event>,
    pub(crate) opens: Vec<Event>,
    pub(crate) unique_opens: Vec<Event>,
    pub(crate) did_not_opens: Vec<Event>,
    pub(crate) clicks: Vec<Event>,
    pub(crate) forwards: Vec<Event>,
    pub(crate) optouts: Vec<Event>,
    pub(crate) bounces: Vec<Event>,
}

impl Happened {
    /// What happened with an activity of a campaign that was sent to these recipients, at a
    /// time in milliseconds.
    pub(super) fn new(
        rng: &mut fastrand::Rng,
        (role, has_resend): (Role, bool),
        recipients: &[u32],
        counts: &Counts,
        (sent, end): (i64, i64),
    ) -> Self {
        let places = Places::new(counts);
        let mut next_seed = || rng.u64(..);
        let of = |places: std::ops::Range<usize>| recipients.get(places).unwrap_or_default();
        let opened = places.openers(role, has_resend);
        let few = |count: u32| {
            let end = opened.start.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
            // Whoever passes an e-mail on, or leaves by it, has read the first one.
            if role == Role::Primary { opened.start..end.min(opened.end) } else { 0..0 }
        };
        let (mailed, returned) = match role {
            Role::Primary => (0..recipients.len(), 0..places.bounced),
            Role::Permalink => (0..0, 0..0),
            // Those who got the first one, and had not opened it.
            Role::Resend => (opened.start..recipients.len(), 0..0),
        };
        let opens = events(next_seed(), of(opened.clone()), sent, end, 400);
        let mut unique_opens = opens.clone();
        unique_opens.reverse();
        let mut known = std::collections::HashSet::new();
        unique_opens.retain(|event| known.insert(event.contact));
        unique_opens.reverse();
        let sends = at_once(next_seed(), of(mailed.clone()), sent);
        let bounces = at_once(next_seed(), of(returned.clone()), sent + 45_000);
        let without: std::collections::HashSet<u32> =
            of(returned).iter().chain(of(opened.clone())).copied().collect();
        let did_not_opens =
            sends.iter().filter(|event| !without.contains(&event.contact)).cloned().collect();
        let mut later = |contacts: &[u32], often| events(next_seed(), contacts, sent, end, often);
        Self {
            clicks: later(of(places.clickers(role, has_resend)), 250),
            forwards: later(of(few(counts.forwards)), 0),
            optouts: later(of(few(counts.optouts)), 0),
            sends,
            opens,
            unique_opens,
            did_not_opens,
            bounces,
        }
    }
}

/// An event for each recipient at about one time, the latest first.
fn at_once(seed: u64, recipients: &[u32], at: i64) -> Vec<Event> {
    let event = |contact: &u32| {
        let mut rng = rng(seed, Purpose::Event, *contact);
        let at = (at + rng.i64(0..900)) / 1_000 * 1_000;
        Event { contact: *contact, at, device: None, chance: rng.u32(..) }
    };
    let mut all: Vec<Event> = recipients.iter().map(event).collect();
    all.sort_by_key(|event| (std::cmp::Reverse(event.at), event.contact));
    all
}

/// The places of contacts among a campaign's recipients. Those that bounced come first,
/// then those that opened it, those that clicked before those that did not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) bounced: usize,
    pub(super) opened: usize,
    pub(super) clicked: usize,
}

impl Places {
    pub(super) fn new(counts: &Counts) -> Self {
        let number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let (bounced, opened) = (number(counts.bounces), number(counts.opens));
        Self { bounced, opened, clicked: number(counts.clicks) }
    }

    /// Of those that opened, how many opened the first e-mail, where there was a second one.
    fn first_time(&self, has_resend: bool) -> usize {
        if has_resend { (self.opened * FIRST_TIME as usize).div_ceil(100) } else { self.opened }
    }

    /// The places of those that opened an activity.
    pub(super) fn openers(&self, role: Role, has_resend: bool) -> std::ops::Range<usize> {
        let first = self.bounced + self.first_time(has_resend);
        match role {
            Role::Primary => self.bounced..first,
            Role::Permalink => 0..0,
            Role::Resend => first..self.bounced + self.opened,
        }
    }

    /// The places of those that clicked in an activity.
    pub(super) fn clickers(&self, role: Role, has_resend: bool) -> std::ops::Range<usize> {
        let openers = self.openers(role, has_resend);
        let end = (self.bounced + self.clicked).clamp(openers.start, openers.end);
        openers.start..end
    }
}

/// The events of these recipients of an activity, the latest first: each has one, and some
/// have more.
pub(super) fn events(seed: u64, recipients: &[u32], sent: i64, end: i64, often: u32) -> Vec<Event> {
    const DEVICES: [Option<&str>; 12] = [
        Some("mobile"),
        Some("mobile"),
        Some("mobile"),
        Some("mobile"),
        Some("mobile"),
        Some("computer"),
        Some("computer"),
        Some("computer"),
        Some("computer"),
        Some("tablet"),
        Some("other"),
        None,
    ];
    let mut all = Vec::new();
    for contact in recipients {
        let mut rng = rng(seed, Purpose::Event, *contact);
        loop {
            // Most within hours, some after days, and none in the future.
            let hours = if chance(&mut rng, 800) { 12 } else { 120 };
            let latest = (sent + hours * 3_600_000).min(end - 1);
            let at = super::random::moment(&mut rng, sent + 1_000, latest);
            let device = DEVICES[rng.usize(0..DEVICES.len())];
            let at = at / 1_000 * 1_000;
            all.push(Event { contact: *contact, at, device, chance: rng.u32(..) });
            if !chance(&mut rng, often) {
                break;
            }
        }
    }
    all.sort_by_key(|event| (std::cmp::Reverse(event.at), event.contact));
    // Nothing but contact and time tells two events apart.
    all.dedup_by_key(|event| (event.at, event.contact));
    all
}
