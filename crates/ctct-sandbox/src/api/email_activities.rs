//! `GET /emails/activities/{campaign_activity_id}` and what is below it.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::{Call, Service};
use crate::account::{Account, Activity, Campaign, Role, time};

const INCLUDES: &[&str] =
    &["physical_address_in_footer", "permalink_url", "html_content", "document_properties"];

const SENDER: &str = "news@harborlanebooks.example";

/// The activity that a call is about: not one of a removed campaign.
fn found<'a>(service: &'a Service, call: &Call) -> Result<(&'a Campaign, &'a Activity), Refusal> {
    let id = call.path.get("campaign_activity_id").map_or("", String::as_str);
    let found = service.account.activity(id).filter(|(campaign, _)| campaign.status != "Removed");
    found.ok_or(Refusal::NotFound("campaigns.api", "campaign_activity_id was not found."))
}

/// A number that an activity has for good.
fn chance(activity: &Activity) -> u32 {
    activity.id.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or_default()
}

fn subject(campaign: &Campaign, activity: &Activity) -> String {
    match activity.role {
        Role::Resend => format!("Did you see it? {}", campaign.name),
        _ => format!("Harbor Lane: {}", campaign.name),
    }
}

fn row(account: &Account, campaign: &Campaign, activity: &Activity, include: &[&str]) -> Value {
    let chance = chance(activity);
    let is_custom = campaign.kind == "CUSTOM_CODE_EMAIL";
    let list = |place: usize| account.lists.get(place).map(|list| list.id.as_str());
    let mut row = json!({
        "campaign_activity_id": activity.id,
        "campaign_id": campaign.id,
        "role": activity.role.word(),
        "current_status": campaign.status.to_uppercase(),
        "format_type": if is_custom { 5 } else { 3 },
        "from_email": SENDER,
        "from_name": "Harbor Lane Books",
        "reply_to_email": "owner@harborlanebooks.example",
        "subject": subject(campaign, activity),
        "contact_list_ids": [],
        "segment_ids": [],
    });
    // To a segment or to lists, never to both.
    match account.segments.first().filter(|_| chance.is_multiple_of(5)) {
        Some(segment) => row["segment_ids"] = json!([segment.id]),
        None => row["contact_list_ids"] = json!([list(0), list(2)]),
    }
    if !chance.is_multiple_of(3) {
        row["preheader"] = json!("You don't want to miss this.");
    }
    if let Some(document) = &activity.document {
        row["document_id"] = json!(document);
    }
    for part in include {
        match *part {
            "permalink_url" => {
                row["permalink_url"] = json!(format!("https://conta.cc/{}", &activity.id[..7]));
            }
            "html_content" if is_custom => row["html_content"] = json!(html(campaign)),
            "physical_address_in_footer" => row["physical_address_in_footer"] = footer(chance),
            "document_properties" => row["document_properties"] = properties(chance),
            _ => {}
        }
    }
    row
}

fn html(campaign: &Campaign) -> String {
    format!(
        "<html><body>[[trackingImage]]<h1>{}</h1>\n<p>\"Hello\"</p></body></html>",
        campaign.name
    )
}

fn footer(chance: u32) -> Value {
    let mut footer = json!({
        "address_line1": "14 Lantern Row",
        "address_line2": "Unit 1",
        "address_line3": "Harbor side",
        "address_optional": "Beside the lighthouse",
        "city": "Gloucester",
        "country_code": "US",
        "country_name": "United States",
        "organization_name": "Harbor Lane Books",
        "postal_code": "01930",
        "state_code": "MA",
        "state_name": "Massachusetts",
    });
    if chance.is_multiple_of(11) {
        footer["state_non_us_name"] = json!("Victoria");
    }
    footer
}

fn properties(chance: u32) -> Value {
    let flag = |bit: u32| if chance >> bit & 1 == 1 { "true" } else { "false" };
    json!({
        "style_content": ".white{color: #ffffff;}",
        "letter_format": "XHTML",
        "greeting_salutation": "Dear",
        "greeting_name_type": "F",
        "greeting_secondary": "Greetings!",
        "subscribe_link_enabled": flag(1),
        "subscribe_link_name": "Join us",
        "text_content": "<Text><Greeting/></Text>",
        "permission_reminder_enabled": flag(2),
        "permission_reminder": "You get this because you asked for it.",
        "view_as_webpage_enabled": flag(3),
        "view_as_webpage_text": "Nothing to see?",
        "view_as_webpage_link_name": "Open it in a browser",
        "forward_email_link_enabled": flag(4),
        "forward_email_link_name": "Pass it on",
    })
}

pub(super) fn one(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let include = call.query.list_of("include", INCLUDES)?.unwrap_or_default();
    let (campaign, activity) = found(service, call)?;
    Ok(Answer::ok(&row(&service.account, campaign, activity, &include)))
}

/// What is below an activity's path: the name there, and the answer; none where there is
/// nothing of it.
type Part = fn(&Account, &Campaign, &Activity) -> Option<Value>;

const PARTS: &[(&str, Part)] = &[
    ("schedules", schedules),
    ("send_history", send_history),
    ("non_opener_resends", non_opener_resends),
    ("abtest", ab_test),
    ("previews", preview),
];

pub(super) fn part(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let name = call.path.get("part").map_or("", String::as_str);
    let (_, part) = PARTS.iter().find(|(known, _)| *known == name).ok_or(Refusal::UnknownPath)?;
    let (campaign, activity) = found(service, call)?;
    let nothing = Refusal::NotFound("campaigns.api", "There is none for the activity.");
    let answer = part(&service.account, campaign, activity).ok_or(nothing)?;
    Ok(Answer::ok(&answer))
}

#[expect(clippy::unnecessary_wraps, reason = "a part like all others")]
fn schedules(account: &Account, campaign: &Campaign, activity: &Activity) -> Option<Value> {
    let is_scheduled = campaign.status == "Scheduled" && activity.role == Role::Primary;
    let at = account.history_end() + i64::from(chance(activity) % 240 + 1) * 3_600;
    let scheduled =
        is_scheduled.then(|| json!({ "scheduled_date": time::milliseconds(at * 1_000) }));
    Some(Value::from_iter(scheduled))
}

#[expect(clippy::unnecessary_wraps, reason = "a part like all others")]
fn send_history(account: &Account, campaign: &Campaign, activity: &Activity) -> Option<Value> {
    let chance = chance(activity);
    let to = row(account, campaign, activity, &[]);
    let entry = |count: usize, at: i64, status: &str, reason: u32| {
        json!({
            "send_id": 1,
            "contact_list_ids": to["contact_list_ids"],
            "segment_ids": to["segment_ids"],
            "count": count,
            "run_date": time::milliseconds(at),
            "send_status": status,
            "reason_code": reason,
        })
    };
    let sends = &activity.happened.sends;
    let sent = match (campaign.status, activity.role, sends.first()) {
        (_, Role::Permalink, _) => None,
        (_, _, Some(last)) => Some(entry(sends.len(), last.at, "COMPLETED", 0)),
        ("Error", Role::Primary, None) => {
            Some(entry(0, campaign.updated, "ERRORED", chance % 12 + 1))
        }
        _ => None,
    };
    Some(Value::from_iter(sent))
}

#[expect(clippy::unnecessary_wraps, reason = "a part like all others")]
fn non_opener_resends(_: &Account, campaign: &Campaign, activity: &Activity) -> Option<Value> {
    let chance = chance(activity);
    let resend = campaign.activities.iter().find(|other| other.role == Role::Resend);
    let delay = |mut row: Value| {
        if chance.is_multiple_of(2) {
            row["delay_days"] = json!(chance % 10 + 1);
        } else {
            row["delay_minutes"] = json!(720 + chance % 1_000);
        }
        row
    };
    let first = activity.role == Role::Primary;
    let row = match (resend, campaign.status) {
        (Some(resend), _) if first => Some(delay(json!({
            "resend_subject": subject(campaign, resend),
            "resend_date": resend.happened.sends.first().map(|send| time::milliseconds(send.at)),
            "resend_request_id": chance.to_string(),
            "resend_status": "DONE",
        }))),
        (None, "Draft") if first && chance.is_multiple_of(2) => Some(delay(json!({
            "resend_subject": format!("Once more: {}", campaign.name),
            "resend_request_id": "DRAFT",
            "resend_status": "DRAFT",
        }))),
        _ => None,
    };
    let row = row.map(|mut row| {
        // A time that is not known is left out.
        if let Some(members) = row.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        row
    });
    Some(Value::from_iter(row))
}

fn ab_test(_: &Account, campaign: &Campaign, activity: &Activity) -> Option<Value> {
    let chance = chance(activity);
    let hours = [6, 12, 24, 48][chance as usize / 4 % 4];
    (activity.role == Role::Primary && chance.is_multiple_of(4)).then(|| {
        json!({
            "alternative_subject": format!("Or rather: {}", campaign.name),
            "test_size": 20 + chance % 30,
            "winner_wait_duration": hours,
        })
    })
}

#[expect(clippy::unnecessary_wraps, reason = "a part like all others")]
fn preview(account: &Account, campaign: &Campaign, activity: &Activity) -> Option<Value> {
    let row = row(account, campaign, activity, &[]);
    let mut preview = json!({
        "campaign_activity_id": activity.id,
        "from_email": row["from_email"],
        "from_name": row["from_name"],
        "reply_to_email": row["reply_to_email"],
        "subject": row["subject"],
        "preview_html_content": html(campaign),
        "preview_text_content": format!("{}\n", campaign.name),
    });
    if !row["preheader"].is_null() {
        preview["preheader"] = row["preheader"].clone();
    }
    Some(preview)
}

/// The activities that can be read.
fn all(account: &Account) -> impl Iterator<Item = (&Campaign, &Activity)> {
    let there = account.campaigns().iter().filter(|campaign| campaign.status != "Removed");
    there.flat_map(|campaign| campaign.activities.iter().map(move |activity| (campaign, activity)))
}

/// All activities with everything that can be included.
pub(crate) fn activity_values(account: &Account) -> Vec<Value> {
    all(account).map(|(campaign, activity)| row(account, campaign, activity, INCLUDES)).collect()
}

/// What is below the activities' paths under a name, each row with its activity.
pub(crate) fn part_values(account: &Account, name: &str) -> Vec<Value> {
    let Some((_, part)) = PARTS.iter().find(|(known, _)| *known == name) else { return Vec::new() };
    let mut rows = Vec::new();
    for (campaign, activity) in all(account) {
        let found = match part(account, campaign, activity) {
            Some(Value::Array(found)) => found,
            found => found.into_iter().collect(),
        };
        for mut row in found {
            row["campaign_activity_id"] = json!(activity.id);
            rows.push(row);
        }
    }
    rows
}
