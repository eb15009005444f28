//! `GET /reports/email_reports/{campaign_activity_id}/tracking/opens`.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::account::{Account, Activity, Event, time, value};

#[derive(Debug, Serialize)]
struct Page {
    tracking_activities: Vec<Row>,
    /// Left out where the activity was not sent.
    #[serde(rename = "_links", skip_serializing_if = "Option::is_none")]
    links: Option<Links>,
}

#[derive(Debug, Serialize)]
struct Row {
    contact_id: String,
    campaign_activity_id: String,
    tracking_activity_type: &'static str,
    email_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_type: Option<&'static str>,
    created_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

fn row(account: &Account, activity: &Activity, kind: &'static str, event: &Event) -> Row {
    let facts = account.facts(event.contact);
    let person = account.person(event.contact, &facts);
    Row {
        contact_id: person.contact_id,
        campaign_activity_id: activity.id.clone(),
        tracking_activity_type: kind,
        email_address: person.email_address,
        first_name: person.first_name.map(str::to_owned),
        last_name: person.last_name.map(str::to_owned),
        device_type: event.device,
        created_time: time::milliseconds(event.at),
        deleted_at: facts.deleted.map(time::day),
    }
}

pub(super) fn opens(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let id = call.path.get("campaign_activity_id").map_or("", String::as_str);
    let account = &service.account;
    let (campaign, activity) = account
        .activity(id)
        .ok_or(Refusal::NotFound("reportingsvc", "campaign_activity_id was not found."))?;
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let limit = query.number("limit", 500, 500)?;
    let offset = if continued { query.number("o", 0, usize::MAX)? } else { 0 };
    if campaign.sent.is_none() {
        return Ok(Answer::ok(&Page { tracking_activities: Vec::new(), links: None }));
    }
    let (shown, more) = cursor::page(&activity.opens, offset, limit);
    let rows = shown.iter().map(|event| row(account, activity, "em_opens", event)).collect();
    let links = if more {
        let next = CursorQuery::default().with("limit", limit).with("o", offset + limit);
        let path = format!("/v3/reports/email_reports/{id}/tracking/opens");
        Links::to(&path, "next", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&Page { tracking_activities: rows, links: Some(links) }))
}

/// All opens of the account.
pub(crate) fn open_values(account: &Account) -> Vec<Value> {
    let activities = account.campaigns().iter().flat_map(|campaign| &campaign.activities);
    let opens =
        activities.flat_map(|activity| activity.opens.iter().map(move |open| (activity, open)));
    opens.map(|(activity, open)| value(&row(account, activity, "em_opens", open))).collect()
}
