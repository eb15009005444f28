//! `GET /reports/email_reports/{campaign_activity_id}/tracking/…` and `…/links`.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::account::{Account, Activity, Campaign, Event, OPT_OUT_REASONS, time, value};

const BOUNCE_CODES: [&str; 7] = ["B", "D", "F", "S", "V", "X", "Z"];

/// A report: the name in its path, the word in its rows, and its events.
struct Report {
    path: &'static str,
    kind: &'static str,
    events: fn(&Activity) -> &[Event],
}

const REPORTS: &[Report] = &[
    Report { path: "sends", kind: "em_sends", events: |activity| &activity.happened.sends },
    Report { path: "opens", kind: "em_opens", events: |activity| &activity.happened.opens },
    Report {
        path: "unique_opens",
        kind: "em_opens",
        events: |activity| &activity.happened.unique_opens,
    },
    Report {
        path: "didnotopens",
        kind: "em_didnotopens",
        events: |activity| &activity.happened.did_not_opens,
    },
    Report { path: "clicks", kind: "em_clicks", events: |activity| &activity.happened.clicks },
    Report {
        path: "forwards",
        kind: "em_forwards",
        events: |activity| &activity.happened.forwards,
    },
    Report { path: "optouts", kind: "em_optouts", events: |activity| &activity.happened.optouts },
    Report { path: "bounces", kind: "em_bounces", events: |activity| &activity.happened.bounces },
];

#[derive(Debug, Serialize)]
struct Page<'a> {
    tracking_activities: Vec<Row<'a>>,
    /// Left out where the activity was not sent.
    #[serde(rename = "_links", skip_serializing_if = "Option::is_none")]
    links: Option<Links>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    contact_id: String,
    campaign_activity_id: &'a str,
    tracking_activity_type: &'static str,
    email_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_out_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bounce_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_email_address: Option<String>,
    created_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

/// Why an e-mail came back.
pub(super) fn bounce_code(event: &Event) -> &'static str {
    BOUNCE_CODES[event.chance as usize % BOUNCE_CODES.len()]
}

fn row<'a>(account: &Account, activity: &'a Activity, report: &Report, event: &Event) -> Row<'a> {
    let facts = account.facts(event.contact);
    let person = account.person(event.contact, &facts);
    let link = activity.link_of(event).filter(|_| report.path == "clicks");
    let reason = OPT_OUT_REASONS.get(event.chance as usize % (OPT_OUT_REASONS.len() + 1));
    let shows_device = matches!(report.path, "opens" | "unique_opens" | "clicks");
    let has_bounced = report.path == "bounces";
    Row {
        contact_id: person.contact_id,
        campaign_activity_id: &activity.id,
        tracking_activity_type: report.kind,
        // Some have another address by now.
        current_email_address: has_bounced.then(|| match event.chance % 3 {
            0 => format!("new.{}", person.email_address),
            _ => person.email_address.clone(),
        }),
        email_address: person.email_address,
        first_name: person.first_name,
        last_name: person.last_name,
        device_type: event.device.filter(|_| shows_device),
        url_id: link.map(|(id, _)| id.as_str()),
        link_url: link.map(|(_, url)| url.as_str()),
        opt_out_reason: reason.filter(|_| report.path == "optouts").copied(),
        bounce_code: has_bounced.then(|| bounce_code(event)),
        created_time: time::milliseconds(event.at),
        deleted_at: facts.deleted.map(time::day),
    }
}

fn activity<'a>(
    service: &'a Service,
    call: &Call,
) -> Result<(&'a Campaign, &'a Activity), Refusal> {
    let id = call.path.get("campaign_activity_id").map_or("", String::as_str);
    let found = service.account.activity(id);
    found.ok_or(Refusal::NotFound("reportingsvc", "campaign_activity_id was not found."))
}

pub(super) fn report(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let name = call.path.get("report").map_or("", String::as_str);
    let report = REPORTS.iter().find(|report| report.path == name).ok_or(Refusal::UnknownPath)?;
    let (campaign, activity) = activity(service, call)?;
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let limit = query.number("limit", 500, 500)?;
    let offset = if continued { query.number("o", 0, usize::MAX)? } else { 0 };
    if campaign.sent.is_none() {
        return Ok(Answer::ok(&Page { tracking_activities: Vec::new(), links: None }));
    }
    let url = query.get("url_id").filter(|_| report.path == "clicks");
    let codes: Vec<&str> = query.all("bounce_code").filter(|_| report.path == "bounces").collect();
    if codes.iter().any(|code| !BOUNCE_CODES.contains(code)) {
        return Err(Refusal::Invalid("bounce_code"));
    }
    let wanted = |event: &&Event| {
        let link = || activity.link_of(event).map(|(id, _)| id.as_str());
        (url.is_none() || link() == url)
            && (codes.is_empty() || codes.contains(&bounce_code(event)))
    };
    let events: Vec<&Event> = (report.events)(activity).iter().filter(wanted).collect();
    let (shown, more) = cursor::page(&events, offset, limit);
    let rows = shown.iter().map(|event| row(&service.account, activity, report, event));
    let links = if more {
        let mut next = CursorQuery::default()
            .with("limit", limit)
            .with("o", offset + limit)
            .with_some("url_id", url);
        for code in &codes {
            next = next.with("bounce_code", code);
        }
        let path = format!("/v3/reports/email_reports/{}/tracking/{name}", activity.id);
        Links::to(&path, "next", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&Page { tracking_activities: rows.collect(), links: Some(links) }))
}

/// All rows of a report, of all activities.
pub(crate) fn report_values(account: &Account, path: &str) -> Vec<Value> {
    let Some(report) = REPORTS.iter().find(|report| report.path == path) else { return Vec::new() };
    let activities = account.campaigns().iter().flat_map(|campaign| &campaign.activities);
    let rows = activities.flat_map(|activity| {
        let events = (report.events)(activity).iter();
        events.map(move |event| value(&row(account, activity, report, event)))
    });
    rows.collect()
}

#[derive(Debug, Serialize)]
struct LinksPage<'a> {
    campaign_activity_id: &'a str,
    link_click_counts: Vec<LinkRow<'a>>,
}

#[derive(Debug, Serialize)]
struct LinkRow<'a> {
    link_url: &'a str,
    url_id: &'a str,
    unique_clicks: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_id: Option<&'a str>,
}

fn links_page<'a>(account: &'a Account, activity: &'a Activity, unclicked: bool) -> LinksPage<'a> {
    let rows = activity.links.iter().enumerate().map(|(place, (url_id, link_url))| {
        let clicks = activity
            .happened
            .clicks
            .iter()
            .filter(|click| activity.link_of(click).is_some_and(|(id, _)| id == url_id));
        let contacts: HashSet<u32> = clicks.map(|click| click.contact).collect();
        // The second link puts whoever clicks it on a list.
        let list = account.lists.first().filter(|_| place == 1);
        LinkRow {
            link_url,
            url_id,
            unique_clicks: contacts.len(),
            list_action: list.map(|_| "add"),
            list_id: list.map(|list| list.id.as_str()),
        }
    });
    let shown = rows.filter(|row| unclicked || row.unique_clicks > 0);
    LinksPage { campaign_activity_id: &activity.id, link_click_counts: shown.collect() }
}

pub(super) fn links(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let unclicked = call.query.flag("no_clicks")?;
    let (_, activity) = activity(service, call)?;
    Ok(Answer::ok(&links_page(&service.account, activity, unclicked)))
}

/// The links of all activities, clicked or not.
pub(crate) fn link_values(account: &Account) -> Vec<Value> {
    let activities = account.campaigns().iter().flat_map(|campaign| &campaign.activities);
    activities.map(|activity| value(&links_page(account, activity, true))).collect()
}
