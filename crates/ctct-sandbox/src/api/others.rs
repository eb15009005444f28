//! Text messages, bulk jobs, automations and social networks.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::account::social;

const STATES: &[&str] = &["processing", "completed", "cancelled", "failed", "timed_out"];
/// How many groups of hashtags a page has at most.
const GROUPS: usize = 5;

pub(super) fn sms_campaign_summaries(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let start = query.time("start_at")?.ok_or(Refusal::Invalid("start_at"))?;
    let end = query.time("end_at")?.unwrap_or(i64::MAX);
    let limit = query.number("limit", 50, 50)?;
    let offset = if continued { query.number("o", 0, usize::MAX)? } else { 0 };
    let all = service.account.sms_summaries().into_iter();
    let within = all.filter(|(at, _)| (start..=end).contains(&(at * 1_000)));
    let rows: Vec<Value> = within.map(|(_, row)| row).collect();
    let (shown, more) = cursor::page(&rows, offset, limit);
    let links = if more {
        let next = CursorQuery::default()
            .with("limit", limit)
            .with("o", offset + limit)
            .with_some("start_at", query.get("start_at"))
            .with_some("end_at", query.get("end_at"));
        Links::to("/v3/reports/summary_reports/sms_campaign_summaries", "next", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&json!({
        "bulk_sms_campaign_summaries": shown,
        "aggregate_percents": { "deliver": 97.1, "click": 17.6, "bounce": 2.9, "unsubscribe": 0.9 },
        "_links": links,
    })))
}

pub(super) fn jobs(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "cursor")?;
    let limit = query.number("limit", 50, 500)?;
    let offset = if continued { query.number("o", 0, usize::MAX)? } else { 0 };
    let state = query.get("state");
    if state.is_some_and(|state| !STATES.contains(&state)) {
        return Err(Refusal::Invalid("state"));
    }
    let mut jobs = service.account.jobs();
    jobs.retain(|job| state.is_none_or(|state| job["state"] == state));
    let (shown, more) = cursor::page(&jobs, offset, limit);
    let links = if more {
        let next = CursorQuery::default().with("limit", limit).with("o", offset + limit);
        Links::to("/v3/activities", "cursor", &next.with_some("state", state).text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&json!({ "activities": shown, "_links": links })))
}

pub(super) fn job(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let id = call.path.get("activity_id").map_or("", String::as_str);
    let found = service.account.jobs().into_iter().find(|job| job["activity_id"] == id);
    let nothing = Refusal::NotFound("contacts.api", "activity_id was not found.");
    Ok(Answer::ok(&found.ok_or(nothing)?))
}

/// The specification has a status of its own for this one.
#[expect(clippy::unnecessary_wraps, reason = "an endpoint like all others")]
pub(super) fn automations(service: &Service, _call: &Call) -> Result<Answer, Refusal> {
    let rows: Vec<Value> = service.account.automations().into_iter().map(|(row, _)| row).collect();
    Ok(Answer::with_status(209, &json!({ "flow_summaries": rows })))
}

pub(super) fn automation(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let id = call.path.get("automation_flow_id").map_or("", String::as_str);
    let mut all = service.account.automations().into_iter();
    let found = all.find(|(row, _)| row["id"] == id);
    let nothing = Refusal::NotFound("automations.api", "automation_flow_id was not found.");
    Ok(Answer::ok(&found.ok_or(nothing)?.1))
}

pub(super) fn social_profiles(_service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let mut include = call.query.all("include");
    let accessible = match (include.next(), include.next()) {
        (None, _) => false,
        (Some("accessible"), None) => true,
        _ => return Err(Refusal::Invalid("include")),
    };
    let mut profiles = social::social_profiles();
    for profile in &mut profiles {
        if let Some(members) = profile.as_object_mut().filter(|_| !accessible) {
            members.retain(|name, _| name != "accessible" && name != "settings");
        }
    }
    Ok(Answer::ok(&profiles))
}

#[expect(clippy::unnecessary_wraps, reason = "an endpoint like all others")]
pub(super) fn social_connections(_service: &Service, _call: &Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(&json!({ "connections": social::social_connections() })))
}

pub(super) fn hashtag_groups(_service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let limit = call.query.number("limit", GROUPS, GROUPS)?;
    // Pages are counted from 0 here.
    let number = match call.query.get("page") {
        Some("0") | None => 0,
        Some(_) => call.query.number("page", 1, usize::MAX)?,
    };
    let groups = social::hashtag_groups();
    let (shown, more) = cursor::page(&groups, number.saturating_mul(limit), limit);
    let links = if more {
        let next = format!("/v3/social/hashtags/groups?limit={limit}&page={}", number + 1);
        json!({ "next": { "href": next } })
    } else {
        json!({})
    };
    Ok(Answer::ok(&json!({
        "hashtag_groups": shown,
        "page": {
            "page": number, "size": shown.len(), "total_elements": groups.len(),
            "total_pages": groups.len().div_ceil(limit),
        },
        "_links": links,
    })))
}
