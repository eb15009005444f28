//! `GET /reports/landing_pages/campaign_details/{campaign_activity_id}/…`.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::account::{Account, Event, Include, LandingPage, time, value};

/// A report: the name in its path, the word in its rows, and its events.
type Report = (&'static str, &'static str, fn(&LandingPage) -> &Vec<Event>);

const REPORTS: &[Report] = &[
    ("p_contact_opens", "p_contact_opens", |page| &page.opens),
    ("p_unique_contact_opens", "p_contact_opens", |page| &page.unique_opens),
    ("p_unique_contact_clicks", "p_contact_click", |page| &page.clicks),
    ("p_unique_contact_adds", "p_contact_adds", |page| &page.adds),
    ("p_unique_contact_updates", "p_contact_updates", |page| &page.updates),
    ("p_unique_contact_sms_optins", "p_contact_sms_optins", |page| &page.sms_optins),
];

fn row(account: &Account, page: &LandingPage, report: &Report, event: &Event) -> Value {
    let (path, kind, _) = report;
    let facts = account.facts(event.contact);
    let person = account.person(event.contact, &facts);
    let mut row = json!({
        "contact_id": person.contact_id,
        "campaign_activity_id": page.id,
        "tracking_activity_type": kind,
        "email_address": person.email_address,
        "created_time": time::milliseconds(event.at),
    });
    let mut put = |name: &str, part: Option<Value>| {
        if let Some(part) = part {
            row[name] = part;
        }
    };
    put("first_name", person.first_name.map(Value::from));
    put("last_name", person.last_name.map(Value::from));
    put("deleted_at", facts.deleted.map(|at| time::day(at).into()));
    if path.ends_with("opens") || path.ends_with("clicks") {
        put("device_type", event.device.map(Value::from));
    }
    if let Some((id, url)) = page.link_of(event).filter(|_| path.ends_with("clicks")) {
        put("url_id", Some(id.clone().into()));
        put("link_url", Some(url.clone().into()));
    }
    let contact = value(&account.contact_row(event.contact, &facts, Include::default()));
    if let Some(number) = contact["sms_channel"]["sms_address"].as_str() {
        let (area, rest) = number.split_at(3);
        let (middle, last) = rest.split_at(3);
        put(
            "sms_channel",
            Some(json!({
                "country_code": "US",
                "state": match facts.sms_status() {
                    "explicit" => "E",
                    "unsubscribed" => "O",
                    _ => "P",
                },
                "formatted_international": format!("+1 {area}-{middle}-{last}"),
                "formatted_national": format!("({area}) {middle}-{last}"),
            })),
        );
    }
    row
}

pub(super) fn report(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let name = call.path.get("report").map_or("", String::as_str);
    let report = REPORTS.iter().find(|(path, ..)| *path == name).ok_or(Refusal::UnknownPath)?;
    let id = call.path.get("campaign_activity_id").map_or("", String::as_str);
    let page = service.account.landing_pages().iter().find(|page| page.id == id);
    let page =
        page.ok_or(Refusal::NotFound("reportingsvc", "campaign_activity_id was not found."))?;
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let limit = query.number("limit", 50, 500)?;
    let offset = if continued { query.number("o", 0, usize::MAX)? } else { 0 };
    let words = query.get("contacts_filter").map(str::to_lowercase);
    let rows = (report.2)(page).iter().map(|event| row(&service.account, page, report, event));
    let rows: Vec<Value> = rows
        .filter(|row| {
            let names = ["first_name", "last_name", "email_address"];
            let holds = |words: &String| {
                names.iter().any(|name| {
                    row[*name].as_str().is_some_and(|name| name.to_lowercase().contains(words))
                })
            };
            words.as_ref().is_none_or(holds)
        })
        .collect();
    let (shown, more) = cursor::page(&rows, offset, limit);
    let links = if more {
        let next = CursorQuery::default()
            .with("limit", limit)
            .with("o", offset + limit)
            .with_some("contacts_filter", query.get("contacts_filter"));
        let path = format!("/v3/reports/landing_pages/campaign_details/{id}/{name}");
        Links::to(&path, "next", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&json!({ "tracking_activities": shown, "_links": links })))
}

/// All rows of a report, of all landing pages.
pub(crate) fn landing_page_values(account: &Account, path: &str) -> Vec<Value> {
    let Some(report) = REPORTS.iter().find(|(known, ..)| *known == path) else { return Vec::new() };
    let pages = account.landing_pages().iter();
    pages
        .flat_map(|page| (report.2)(page).iter().map(|event| row(account, page, report, event)))
        .collect()
}
