//! Which contacts a call asks for.

use super::answer::Refusal;
use super::cursor::CursorQuery;
use super::query::{Query, TimeRange};
use super::service::Service;
use crate::account::{Facts, time};

const STATUSES: &[&str] =
    &["all", "active", "deleted", "not_set", "pending_confirmation", "temp_hold", "unsubscribed"];
const SMS_STATUSES: &[&str] =
    &["all", "explicit", "unsubscribed", "pending_confirmation", "not_set"];
const MAXIMUM_LISTS: usize = 25;
const MAXIMUM_TAGS: usize = 50;

/// The parameters of `GET /contacts` that select contacts; several are all to hold.
#[derive(Debug)]
pub(super) struct ContactFilter {
    /// None for the default, which is everyone but deleted contacts.
    statuses: Option<Vec<String>>,
    sms_statuses: Option<Vec<String>>,
    email: Option<String>,
    email_index: Option<u32>,
    /// Identifiers as sent, and the set of lists that they name: on any of them.
    lists: Option<(Vec<String>, u64)>,
    tags: Option<(Vec<String>, u64)>,
    segment: Option<(u32, u32)>,
    created: TimeRange,
    updated: TimeRange,
    opted_out: TimeRange,
}

impl ContactFilter {
    pub(super) fn parse(service: &Service, query: &Query) -> Result<Self, Refusal> {
        let account = &service.account;
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let range = |after, before| -> Result<TimeRange, Refusal> {
            let inclusive = service.inclusive_bounds;
            Ok(TimeRange { after: query.time(after)?, before: query.time(before)?, inclusive })
        };
        let set = |name: &'static str, most, identifiers: Vec<&str>| {
            let Some(asked) = query.list(name) else { return Ok(None) };
            if asked.len() > most {
                return Err(Refusal::Invalid(name));
            }
            let positions = identifiers.iter().enumerate().filter(|(_, id)| asked.contains(id));
            let set = positions.fold(0_u64, |set, (position, _)| set | (1 << position));
            Ok(Some((owned(asked), set)))
        };
        let email = query.get("email").map(str::to_owned);
        Ok(Self {
            statuses: query.list_of("status", STATUSES)?.map(owned),
            sms_statuses: query.list_of("sms_status", SMS_STATUSES)?.map(owned),
            email_index: email.as_deref().and_then(|address| account.contact_by_mail(address)),
            email,
            lists: set(
                "lists",
                MAXIMUM_LISTS,
                account.lists.iter().map(|l| l.id.as_str()).collect(),
            )?,
            tags: set("tags", MAXIMUM_TAGS, account.tags.iter().map(|t| t.id.as_str()).collect())?,
            segment: segment(service, query)?,
            created: range("created_after", "created_before")?,
            updated: range("updated_after", "updated_before")?,
            opted_out: range("optout_after", "optout_before")?,
        })
    }

    /// The number of the segment that is asked for.
    pub(super) fn segment(&self) -> Option<u32> {
        self.segment.map(|(id, _)| id)
    }

    /// Whether an address is asked for, which one contact has at most.
    pub(super) fn is_by_email(&self) -> bool {
        self.email.is_some()
    }

    /// The contact whose address is asked for, if there is one.
    pub(super) fn with_email(&self) -> Option<u32> {
        self.email_index
    }

    /// Whether a contact is asked for.
    pub(super) fn accepts(&self, index: u32, facts: &Facts) -> bool {
        let microseconds = |seconds: i64| seconds * 1_000_000;
        self.accepts_status(facts)
            && self.sms_statuses.as_ref().is_none_or(|wanted| {
                wanted.iter().any(|status| status == "all" || status == facts.sms_status())
            })
            && self.email.as_ref().is_none_or(|_| self.email_index == Some(index))
            && self.lists.as_ref().is_none_or(|(_, set)| facts.lists & set != 0)
            && self.tags.as_ref().is_none_or(|(_, set)| facts.tags & set != 0)
            && self.segment.is_none_or(|(_, remainder)| index % 7 == remainder)
            && self.created.contains(microseconds(facts.created))
            && self.updated.contains(microseconds(facts.updated))
            && (!self.opted_out.is_bounded()
                || facts.opted_out.is_some_and(|at| self.opted_out.contains(microseconds(at))))
    }

    fn accepts_status(&self, facts: &Facts) -> bool {
        match &self.statuses {
            None => facts.deleted.is_none(),
            Some(wanted) => wanted.iter().any(|status| status == "all" || status == facts.status()),
        }
    }

    /// The filter as it stands in a cursor, behind limit and page.
    pub(super) fn write(&self, cursor: CursorQuery) -> CursorQuery {
        fn of(list: Option<&Vec<String>>) -> impl Iterator<Item = &str> {
            list.into_iter().flatten().map(String::as_str)
        }
        let written = |at: Option<i64>| {
            // The fraction is kept: a cursor must select what its first page selected.
            at.map(|at| {
                let whole = at.div_euclid(1_000_000);
                let fraction = at.rem_euclid(1_000_000);
                let second = time::seconds(whole);
                let second = second.trim_end_matches('Z');
                match fraction {
                    0 => format!("{second}+00:00"),
                    _ => format!("{second}.{fraction:06}+00:00"),
                }
            })
        };
        cursor
            .with_list("status", of(self.statuses.as_ref()))
            .with_some("email", self.email.as_ref())
            .with_list("lists", of(self.lists.as_ref().map(|(ids, _)| ids)))
            .with_some("segment_id", self.segment())
            .with_list("tags", of(self.tags.as_ref().map(|(ids, _)| ids)))
            .with_some("updated_after", written(self.updated.after))
            .with_some("updated_before", written(self.updated.before))
            .with_some("created_after", written(self.created.after))
            .with_some("created_before", written(self.created.before))
            .with_some("optout_after", written(self.opted_out.after))
            .with_some("optout_before", written(self.opted_out.before))
            .with_list("sms_status", of(self.sms_statuses.as_ref()))
    }
}

/// The segment that is asked for and its contacts' remainder. It goes with `limit` only.
fn segment(service: &Service, query: &Query) -> Result<Option<(u32, u32)>, Refusal> {
    const ALONE: &[&str] = &[
        "status",
        "email",
        "lists",
        "tags",
        "updated_after",
        "updated_before",
        "created_after",
        "created_before",
        "optout_after",
        "optout_before",
        "include",
        "sms_status",
        "include_count",
    ];
    let Some(text) = query.get("segment_id") else { return Ok(None) };
    if ALONE.iter().any(|name| query.get(name).is_some()) {
        return Err(Refusal::Invalid("segment_id"));
    }
    let id: u32 = text.parse().map_err(|_| Refusal::Invalid("segment_id"))?;
    let found = service.account.segments.iter().find(|segment| segment.id == id);
    let segment =
        found.ok_or(Refusal::NotFound("contacts.api", "segment_id could not be found."))?;
    Ok(Some((id, segment.remainder)))
}
