//! `GET /contacts` and `GET /contacts/{contact_id}`.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::contact_filter::ContactFilter;
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Query, Service};
use crate::account::{ContactRow, Include, Permission, value};

#[derive(Debug, Serialize)]
struct Page<'a> {
    contacts: Vec<ContactRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts_count: Option<usize>,
    #[serde(rename = "_links")]
    links: Links,
}

pub(super) fn list(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "cursor")?;
    // The cursor of contacts is a page number: whoever reads on while contacts come and
    // go misses some and sees others twice, as with the real one.
    let number = if continued { query.number("next", 1, usize::MAX)? } else { 1 };
    let limit = query.number("limit", 50, 500)?;
    let include = include(&query)?;
    let with_count = query.flag("include_count")?;
    let filter = ContactFilter::parse(service, &query)?;
    if let Some(segment) = filter.segment()
        && service.is_first_ask(segment)
    {
        return Ok(Answer::with_status(202, &json!({ "status": "processing" })));
    }

    service.churn();
    let selected = select(service, &filter);
    let (indexes, more) = cursor::page(&selected, (number - 1).saturating_mul(limit), limit);
    let account = &service.account;
    let contacts = indexes
        .iter()
        .map(|index| account.contact_row(*index, &account.facts(*index), include))
        .collect();
    let links = if more {
        let next = CursorQuery::default().with("limit", limit).with("next", number + 1);
        let next = filter.write(next).with_list("include", include.names());
        let next = next.with_some("include_count", with_count.then_some("true"));
        Links::to("/v3/contacts", "cursor", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&Page { contacts, contacts_count: with_count.then_some(selected.len()), links }))
}

/// How many contacts there are, by permission.
#[derive(Debug, Default, Serialize)]
struct Counts {
    total: u32,
    explicit: u32,
    implicit: u32,
    pending: u32,
    unsubscribed: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_subscriber: Option<u32>,
}

fn count(service: &Service, with_new: bool) -> Counts {
    const MONTH: i64 = 30 * 86_400;
    let account = &service.account;
    let since = service.clock.now().timestamp() - MONTH;
    let mut counts = Counts { new_subscriber: with_new.then_some(0), ..Counts::default() };
    for index in 0..account.contacts() {
        let facts = account.facts(index);
        if facts.deleted.is_some() {
            continue;
        }
        counts.total += 1;
        match facts.permission.map(Permission::word) {
            Some("explicit") => counts.explicit += 1,
            Some("implicit") => counts.implicit += 1,
            Some("pending_confirmation") => counts.pending += 1,
            Some("unsubscribed") => counts.unsubscribed += 1,
            _ => {}
        }
        if facts.created >= since
            && let Some(new) = &mut counts.new_subscriber
        {
            *new += 1;
        }
    }
    counts
}

pub(super) fn counts(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let include = call.query.list_of("include", &["new_subscriber"])?;
    Ok(Answer::ok(&count(service, include.is_some_and(|include| !include.is_empty()))))
}

/// How many contacts there are, with everything that can be asked for.
pub(crate) fn count_values(service: &Service) -> serde_json::Value {
    value(&count(service, true))
}

pub(super) fn one(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let include = include(&call.query)?;
    let id = call.path.get("contact_id").map_or("", String::as_str);
    let index = service
        .account
        .contact_by_id(id)
        .ok_or(Refusal::NotFound("contacts.api", "contact_id is in an invalid format."))?;
    Ok(Answer::ok(&service.account.contact_row(index, &service.account.facts(index), include)))
}

fn select(service: &Service, filter: &ContactFilter) -> Arc<Vec<u32>> {
    let account = &service.account;
    if filter.is_by_email() {
        let found =
            filter.with_email().filter(|index| filter.accepts(*index, &account.facts(*index)));
        return Arc::new(found.into_iter().collect());
    }
    let text = filter.write(CursorQuery::default()).text();
    service.selection(&text, || account.select(|index, facts| filter.accepts(index, facts)))
}

fn include(query: &Query) -> Result<Include, Refusal> {
    Include::parse(query.get("include").unwrap_or_default()).ok_or(Refusal::Invalid("include"))
}
