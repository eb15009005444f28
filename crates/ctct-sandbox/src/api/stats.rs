//! `GET /reports/stats/email_campaigns/{campaign_ids}` and
//! `GET /reports/stats/email_campaign_activities/{campaign_activity_ids}`.

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::{Call, Service};
use crate::account::{Account, Activity, Campaign, Event, Role, time, value};

/// How many campaigns a call may name.
const MAXIMUM: usize = 150;

#[derive(Debug, Serialize)]
struct Page<'a> {
    errors: [(); 0],
    results: Vec<Row<'a>>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    campaign_id: &'a str,
    stats: Stats,
    percents: Percents,
    last_refresh_time: String,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the API's names")]
struct Stats {
    em_bounces: u32,
    em_clicks: u32,
    em_clicks_all: usize,
    em_clicks_all_computer: usize,
    em_clicks_all_mobile: usize,
    em_clicks_all_tablet: usize,
    em_clicks_all_other: usize,
    em_clicks_all_none: usize,
    em_forwards: u32,
    em_not_opened: u32,
    em_opens: u32,
    em_opens_all: usize,
    em_opens_all_computer: usize,
    em_opens_all_mobile: usize,
    em_opens_all_tablet: usize,
    em_opens_all_other: usize,
    em_opens_all_none: usize,
    em_optouts: u32,
    em_sends: u32,
}

#[derive(Debug, Serialize)]
struct Percents {
    bounce: f64,
    click: f64,
    desktop_click: f64,
    desktop_open: f64,
    did_not_open: f64,
    mobile_click: f64,
    mobile_open: f64,
    open: f64,
    unsubscribe: f64,
}

/// A part of a whole in percent, to one decimal.
#[expect(clippy::cast_precision_loss, reason = "numbers of contacts are far below 2^53")]
fn percent(part: usize, whole: usize) -> f64 {
    let percent = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    (percent * 10.0).round() / 10.0
}

impl<'a> Row<'a> {
    /// The figures of a campaign; none of one that was not sent.
    fn new(account: &Account, campaign: &'a Campaign) -> Option<Self> {
        let (_, counts) = campaign.sent?;
        let activities = &campaign.activities;
        let opens: Vec<&Event> =
            activities.iter().flat_map(|activity| &activity.happened.opens).collect();
        let clicks: Vec<&Event> =
            activities.iter().flat_map(|activity| &activity.happened.clicks).collect();
        let on = |events: &[&Event], device: Option<&str>| {
            events.iter().filter(|event| event.device == device).count()
        };
        let number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let sends = number(counts.sends);
        let arrived = sends - number(counts.bounces);
        let mobile = |events: &[&Event]| on(events, Some("mobile")) + on(events, Some("tablet"));
        Some(Self {
            campaign_id: &campaign.id,
            percents: Percents {
                bounce: percent(number(counts.bounces), sends),
                click: percent(number(counts.clicks), number(counts.opens)),
                desktop_click: percent(on(&clicks, Some("computer")), clicks.len()),
                desktop_open: percent(on(&opens, Some("computer")), opens.len()),
                did_not_open: percent(number(counts.not_opened), arrived),
                mobile_click: percent(mobile(&clicks), clicks.len()),
                mobile_open: percent(mobile(&opens), opens.len()),
                open: percent(number(counts.opens), arrived),
                unsubscribe: percent(number(counts.optouts), arrived),
            },
            stats: Stats {
                em_bounces: counts.bounces,
                em_clicks: counts.clicks,
                em_clicks_all: clicks.len(),
                em_clicks_all_computer: on(&clicks, Some("computer")),
                em_clicks_all_mobile: on(&clicks, Some("mobile")),
                em_clicks_all_tablet: on(&clicks, Some("tablet")),
                em_clicks_all_other: on(&clicks, Some("other")),
                em_clicks_all_none: on(&clicks, None),
                em_forwards: counts.forwards,
                em_not_opened: counts.not_opened,
                em_opens: counts.opens,
                em_opens_all: opens.len(),
                em_opens_all_computer: on(&opens, Some("computer")),
                em_opens_all_mobile: on(&opens, Some("mobile")),
                em_opens_all_tablet: on(&opens, Some("tablet")),
                em_opens_all_other: on(&opens, Some("other")),
                em_opens_all_none: on(&opens, None),
                em_optouts: counts.optouts,
                em_sends: counts.sends,
            },
            last_refresh_time: time::milliseconds(account.history_end() * 1_000),
        })
    }
}

/// One campaign that has no figures spoils the answer for all.
pub(super) fn email_campaigns(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let ids = call.path.get("campaign_ids").map_or("", String::as_str);
    let ids: Vec<&str> = ids.split(',').collect();
    if ids.len() > MAXIMUM {
        return Err(Refusal::Invalid("campaign_ids"));
    }
    let account = &service.account;
    let found = ids.iter().map(|id| {
        let campaign = account.campaigns().iter().find(|campaign| campaign.id == *id);
        campaign.and_then(|campaign| Row::new(account, campaign))
    });
    match found.collect::<Option<Vec<_>>>() {
        Some(results) => Ok(Answer::ok(&Page { errors: [], results })),
        None => Err(Refusal::NoStats),
    }
}

/// The figures of all campaigns that have any.
pub(crate) fn stats_values(account: &Account) -> Vec<Value> {
    let rows = account.campaigns().iter().filter_map(|campaign| Row::new(account, campaign));
    rows.map(|row| value(&row)).collect()
}

/// How many activities a call may name.
const ACTIVITIES: usize = 10;

/// The figures of an activity; none of one that was not sent.
fn activity_row(account: &Account, campaign: &Campaign, activity: &Activity) -> Option<Value> {
    let (_, counts) = campaign.sent.filter(|_| activity.role != Role::Permalink)?;
    let happened = &activity.happened;
    let contacts = |events: &[Event]| {
        events.iter().map(|event| event.contact).collect::<std::collections::HashSet<_>>().len()
    };
    let mut stats = json!({
        "em_bounces": contacts(&happened.bounces),
        "em_clicks": contacts(&happened.clicks),
        "em_clicks_all": happened.clicks.len(),
        "em_forwards": contacts(&happened.forwards),
        "em_not_opened": happened.did_not_opens.len(),
        "em_opens": happened.unique_opens.len(),
        "em_opens_all": happened.opens.len(),
        "em_optouts": contacts(&happened.optouts),
        "em_sends": happened.sends.len(),
        "em_abuse": if activity.role == Role::Primary { counts.abuse } else { 0 },
    });
    for (name, events) in [("em_clicks_all", &happened.clicks), ("em_opens_all", &happened.opens)] {
        for device in ["computer", "mobile", "tablet", "other"] {
            let count = events.iter().filter(|event| event.device == Some(device)).count();
            stats[format!("{name}_{device}")] = count.into();
        }
        let unknown = events.iter().filter(|event| event.device.is_none()).count();
        stats[format!("{name}_none")] = unknown.into();
    }
    for (name, codes) in BOUNCES {
        let of_kind = |event: &&Event| codes.contains(&super::tracking::bounce_code(event));
        stats[*name] = happened.bounces.iter().filter(of_kind).count().into();
    }
    Some(json!({
        "campaign_id": campaign.id,
        "campaign_activity_id": activity.id,
        "stats": stats,
        "last_refresh_time": time::milliseconds(account.history_end() * 1_000),
    }))
}

/// Kinds of bounces, by the codes that the report of bounces has for them.
const BOUNCES: &[(&str, &[&str])] = &[
    ("em_bounces_blocked", &["Z"]),
    ("em_bounces_mailbox_full", &["F"]),
    ("em_bounces_nonexistent_address", &["B"]),
    ("em_bounces_other", &["X"]),
    ("em_bounces_suspended", &["S"]),
    ("em_bounces_undeliverable", &["D"]),
    ("em_bounces_vacation", &["V"]),
];

/// Whether a text has the form of an identifier.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

/// What has no figures is told beside the figures of the others; what is no identifier
/// spoils the answer for all.
pub(super) fn email_campaign_activities(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let ids = call.path.get("campaign_activity_ids").map_or("", String::as_str);
    let ids: Vec<&str> = ids.split(',').collect();
    if ids.len() > ACTIVITIES {
        return Err(Refusal::Invalid("campaign_activity_ids"));
    }
    if !ids.iter().all(|id| is_uuid(id)) {
        return Err(Refusal::NoStats);
    }
    let account = &service.account;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for id in ids {
        let found = account.activity(id);
        match found.and_then(|(campaign, activity)| activity_row(account, campaign, activity)) {
            Some(row) => results.push(row),
            None => errors.push(json!({
                "error_key": "reportingsvc.not_found.invalid_path_param.campaign_activity_ids.",
                "error_message": format!("Could not find campaign activity stats for {id}."),
            })),
        }
    }
    if service.variants.dotted_keys {
        results.iter_mut().for_each(dot);
    }
    Ok(Answer::ok(&json!({ "errors": errors, "results": results })))
}

/// Writes names as the guide does: `em_opens.all.mobile`.
fn dot(row: &mut Value) {
    let Some(stats) = row["stats"].as_object_mut() else { return };
    let renamed = std::mem::take(stats).into_iter().map(|(name, value)| {
        let dotted = match name.split_once("_all") {
            Some((before, after)) => format!("{before}.all{}", after.replace('_', ".")),
            None => name,
        };
        (dotted, value)
    });
    *stats = renamed.collect();
}

/// The figures of all activities that have any.
pub(crate) fn activity_stats_values(account: &Account) -> Vec<Value> {
    let all = account.campaigns().iter();
    let all = all.flat_map(|campaign| campaign.activities.iter().map(move |a| (campaign, a)));
    all.filter_map(|(campaign, activity)| activity_row(account, campaign, activity)).collect()
}
