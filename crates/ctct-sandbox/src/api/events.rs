//! `GET /events` and what is below it.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery};
use super::query::Query;
use super::{Call, Service};
use crate::account::{Happening, Registration};

const STATUSES: &[&str] = &["ACTIVE", "DRAFT", "COMPLETE", "DELETED", "CANCELLED", "ERROR"];
const PAGE: usize = 100;

/// A page in the manner of the event service: cursors beside links.
fn page(path: &str, rows: &[Value], query: &Query, continued: bool) -> Result<Answer, Refusal> {
    let limit = query.number("limit", PAGE, PAGE)?;
    let offset = if continued { query.number("o", 0, usize::MAX)? } else { 0 };
    let (shown, more) = cursor::page(rows, offset, limit);
    let kept = ["event_status", "registration_status", "payment_status", "search_text"];
    let cursor = |offset: usize| {
        let next = CursorQuery::default().with("limit", limit).with("o", offset);
        let next = kept.iter().fold(next, |next, name| next.with_some(name, query.get(name)));
        cursor::encoded(&next.text())
    };
    let next = more.then(|| cursor(offset + limit));
    let previous = (offset > 0).then(|| cursor(offset.saturating_sub(limit).max(1)));
    let href =
        |parameter: &str, cursor: &str| json!({ "href": format!("{path}?{parameter}={cursor}") });
    let mut links = json!({ "self": { "href": format!("{path}?limit={limit}") } });
    if let Some(next) = &next {
        links["next"] = href("next", next);
    }
    if let Some(previous) = &previous {
        links["prev"] = href("prev", previous);
    }
    let mut page = json!({ "records": shown, "total_records": rows.len(), "_links": links });
    for (name, cursor) in [("next_cursor", next), ("prev_cursor", previous)] {
        if let Some(cursor) = cursor {
            page[name] = cursor.into();
        }
    }
    Ok(Answer::ok(&page))
}

pub(super) fn list(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let status = query.get("event_status");
    if status.is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(Refusal::Invalid("event_status"));
    }
    let all = service.account.happenings().iter();
    let wanted = all.filter(|event| status.is_none_or(|status| event.status == status));
    let rows: Vec<Value> = wanted.map(Happening::row).collect();
    page("/v3/events", &rows, &query, continued)
}

fn happening<'a>(service: &'a Service, call: &Call) -> Result<&'a Happening, Refusal> {
    let id = call.path.get("event_id").map_or("", String::as_str);
    let found = service.account.happenings().iter().find(|event| event.id == id);
    found.ok_or(Refusal::NotFound("events.api", "event_id was not found."))
}

pub(super) fn one(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let with_settings = call.query.flag("include")?;
    Ok(Answer::ok(&happening(service, call)?.details(with_settings)))
}

/// The event whose track a call names.
fn track<'a>(service: &'a Service, call: &Call) -> Result<&'a Happening, Refusal> {
    let event = happening(service, call)?;
    match call.path.get("track_id") {
        Some(track) if *track == event.track => Ok(event),
        _ => Err(Refusal::NotFound("events.api", "track_id was not found.")),
    }
}

pub(super) fn registrations(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let event = track(service, call)?;
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let (status, payment) = (query.get("registration_status"), query.get("payment_status"));
    let wanted = |one: &&Registration| {
        status.is_none_or(|status| one.status == status)
            && payment.is_none_or(|payment| one.payment == payment)
    };
    let all = event.registrations.iter().filter(wanted);
    let rows: Vec<Value> = all.map(|one| one.row(&service.account, event)).collect();
    let path = format!("/v3/events/{}/tracks/{}/registrations", event.id, event.track);
    page(&path, &rows, &query, continued)
}

pub(super) fn registration(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let event = track(service, call)?;
    let id = call.path.get("registration_id").map_or("", String::as_str);
    let found = event.registrations.iter().find(|one| one.id == id);
    let found = found.ok_or(Refusal::NotFound("events.api", "registration_id was not found."))?;
    Ok(Answer::ok(&found.details(&service.account)))
}

/// All events, in a list of them or alone.
pub(crate) fn event_values(service: &Service, alone: bool) -> Vec<Value> {
    let all = service.account.happenings().iter();
    all.map(|event| if alone { event.details(true) } else { event.row() }).collect()
}

/// All registrations, in a list of them or alone.
pub(crate) fn registration_values(service: &Service, alone: bool) -> Vec<Value> {
    let account = &service.account;
    let mut rows = Vec::new();
    for event in account.happenings() {
        for one in &event.registrations {
            let mut row = if alone { one.details(account) } else { one.row(account, event) };
            row["event_id"] = json!(event.id);
            row["track_id"] = json!(event.track);
            rows.push(row);
        }
    }
    rows
}
