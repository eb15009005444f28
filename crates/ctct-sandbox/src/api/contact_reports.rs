//! `GET /reports/contact_reports/{contact_id}/…`.

use chrono::{DateTime, Months};
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::query::Query;
use super::{Call, Service};
use crate::account::{Deed, time};

const TYPES: &[&str] = &[
    "em_sends",
    "em_opens",
    "em_clicks",
    "em_bounces",
    "em_optouts",
    "em_forwards",
    "p_contact_open",
    "p_contact_click",
    "p_contact_add",
    "p_contact_update",
];

/// How many e-mails a page of summaries has.
const SUMMARIES: usize = 200;

pub(super) fn contact(service: &Service, call: &Call) -> Result<u32, Refusal> {
    let id = call.path.get("contact_id").map_or("", String::as_str);
    let index = service.account.contact_by_id(id);
    index.ok_or(Refusal::NotFound("contacts.api", "contact_id is in an invalid format."))
}

fn row(service: &Service, contact: u32, deed: &Deed<'_>, with_names: bool) -> Value {
    let mut row = json!({
        "contact_id": service.account.contact_id(contact),
        "campaign_activity_id": deed.activity_id,
        "created_time": time::milliseconds(deed.at),
        "tracking_activity_type": deed.kind,
    });
    if with_names {
        row["campaign_activity_name"] = json!(deed.activity_name);
    }
    row
}

pub(super) fn activity_details(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let listed = query.list_of("tracking_activities_list", TYPES)?;
    let repeated: Vec<&str> = query.all("tracking_activity_type").collect();
    let types = match (listed, repeated.as_slice()) {
        (Some(listed), []) if !listed.is_empty() => listed,
        (None, [_, ..]) if repeated.iter().all(|kind| TYPES.contains(kind)) => repeated,
        // One of the two, and not both.
        _ => return Err(Refusal::Invalid("tracking_activities_list")),
    };
    let with_names = match query.get("include_campaign_activity_names") {
        None => true,
        Some(_) => query.flag("include_campaign_activity_names")?,
    };
    let limit = query.number("limit", 100, 100)?;
    let offset = if continued { query.number("o", 0, usize::MAX)? } else { 0 };
    let contact = contact(service, call)?;
    let deeds = service.account.deeds(contact);
    let deeds: Vec<_> = deeds.iter().filter(|deed| types.contains(&deed.kind)).collect();
    let (shown, more) = cursor::page(&deeds, offset, limit);
    let rows: Vec<Value> =
        shown.iter().map(|deed| row(service, contact, deed, with_names)).collect();
    let links = if more {
        let next = CursorQuery::default()
            .with("limit", limit)
            .with("o", offset + limit)
            .with("tracking_activities_list", types.join(","))
            .with("include_campaign_activity_names", with_names);
        let id = service.account.contact_id(contact);
        let path = format!("/v3/reports/contact_reports/{id}/activity_details");
        Links::to(&path, "next", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&json!({ "tracking_activities": rows, "_links": links })))
}

/// The time that a call asks about, in milliseconds; both ends are required.
fn within(query: &Query) -> Result<(i64, i64), Refusal> {
    let start = query.time("start")?.ok_or(Refusal::Invalid("start"))?;
    let end = query.time("end")?.ok_or(Refusal::Invalid("end"))?;
    Ok((start.div_euclid(1_000), end.div_euclid(1_000)))
}

pub(super) fn activity_summary(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let offset = if continued { query.number("o", 0, usize::MAX)? } else { 0 };
    let contact = contact(service, call)?;
    let summary = service.account.summary_of(contact, within(&query)?);
    let (shown, more) = cursor::page(&summary, offset, SUMMARIES);
    let id = service.account.contact_id(contact);
    let links = if more {
        let next = CursorQuery::default()
            .with("limit", SUMMARIES)
            .with("o", offset + SUMMARIES)
            .with_some("start", query.get("start"))
            .with_some("end", query.get("end"));
        Links::to(
            &format!("/v3/reports/contact_reports/{id}/activity_summary"),
            "next",
            &next.text(),
        )
    } else {
        Links::default()
    };
    Ok(Answer::ok(&json!({ "contact_id": id, "campaign_activities": shown, "_links": links })))
}

pub(super) fn open_and_click_rates(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let contact = contact(service, call)?;
    let within = within(&call.query)?;
    let day = |at: i64| DateTime::from_timestamp_millis(at).unwrap_or_default();
    if day(within.0).checked_add_months(Months::new(60)).is_none_or(|last| last < day(within.1)) {
        return Err(Refusal::Invalid("start"));
    }
    Ok(Answer::ok(&service.account.rates_of(contact, within)))
}

pub(super) fn sms_engagement_history(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(&service.account.sms_history(contact(service, call)?)))
}

/// The contacts that are not deleted.
fn contacts(service: &Service) -> Vec<u32> {
    service.account.select(|_, facts| facts.deleted.is_none())
}

/// All that contacts got and did.
pub(crate) fn deed_values(service: &Service) -> Vec<Value> {
    let of_contact = |contact: &u32| {
        let deeds = service.account.deeds(*contact);
        deeds.iter().map(|deed| row(service, *contact, deed, true)).collect::<Vec<_>>()
    };
    contacts(service).iter().flat_map(of_contact).collect()
}

/// What contacts did with each e-mail.
pub(crate) fn summary_values(service: &Service) -> Vec<Value> {
    let of_contact = |contact: u32| {
        let summary = service.account.summary_of(contact, (i64::MIN, i64::MAX));
        let id = service.account.contact_id(contact);
        json!({ "contact_id": id, "campaign_activities": summary })
    };
    contacts(service).into_iter().map(of_contact).collect()
}

/// How often contacts open and click, over all time.
pub(crate) fn rate_values(service: &Service) -> Vec<Value> {
    let all = contacts(service).into_iter();
    all.map(|contact| service.account.rates_of(contact, (i64::MIN, i64::MAX))).collect()
}

/// How contacts agreed to get text messages.
pub(crate) fn sms_history_values(service: &Service) -> Vec<Value> {
    contacts(service).iter().flat_map(|contact| service.account.sms_history(*contact)).collect()
}
