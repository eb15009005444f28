//! What else an account has, in the API's shape: text messages, bulk jobs, automations,
//! social networks.

use serde_json::{Value, json};

use super::contact::History;
use super::identifier;
use super::random::{Purpose, rng};
use super::time;

/// More than a page of the API has.
const TEXT_MESSAGES: u32 = 57;

/// The summaries of text messages, the last sent first; each with when that was, in
/// milliseconds.
pub(super) fn sms_summaries(seed: u64, history: History) -> Vec<(i64, Value)> {
    let (start, end) = (history.start, history.end);
    let one = |number: u32| {
        let mut rng = rng(seed, Purpose::TextMessage, number);
        let sent = end - (end - start) / i64::from(TEXT_MESSAGES + 1) * i64::from(number + 1);
        let sends = rng.u32(50..400);
        let delivers = sends - rng.u32(0..9);
        let clicks = rng.u32(0..delivers / 3);
        let mut counts = json!({
            "sends": sends, "delivers": delivers, "clicks": clicks, "optouts": rng.u32(0..4),
        });
        // Not every one tells.
        if number.is_multiple_of(2) {
            counts["opens"] = json!(clicks + rng.u32(0..30));
        }
        let row = json!({
            "campaign_id": identifier::campaign_side(&mut rng),
            "campaign_name": format!("Text {}", TEXT_MESSAGES - number),
            "last_sent_date": time::milliseconds_with_offset(sent * 1_000),
            "unique_counts": counts,
            "campaign_type": "SMS",
        });
        (sent * 1_000, row)
    };
    (0..TEXT_MESSAGES).map(one).collect()
}

/// The bulk jobs of the last ten days.
pub(super) fn jobs(seed: u64, history: History) -> Vec<Value> {
    const STATES: &[&str] = &[
        "completed",
        "processing",
        "initialized",
        "failed",
        "cancelled",
        "timed_out",
        "completed",
    ];
    let one = |(state, number): (&&str, u32)| {
        let mut rng = rng(seed, Purpose::Job, number);
        let id = identifier::contact_side(&mut rng);
        let created = (history.end - 86_400 * i64::from(number + 1)) * 1_000 + 108;
        let total = rng.u32(100..3_000);
        let is_import = number.is_multiple_of(2);
        let done = match *state {
            "completed" => 100,
            "initialized" => 0,
            _ => 40,
        };
        let mut status = json!({
            "items_total_count": total, "items_completed_count": total * done / 100,
        });
        if is_import {
            status["person_count"] = json!(total);
            status["error_count"] = json!(rng.u32(0..5));
            status["correctable_count"] = json!(rng.u32(0..5));
            status["cannot_add_to_list_count"] = json!(rng.u32(0..5));
        } else {
            status["list_count"] = json!(rng.u32(1..4));
        }
        let mut job = json!({
            "activity_id": id, "state": state, "created_at": time::milliseconds(created),
            "updated_at": time::milliseconds(created + 90_000), "percent_done": done,
            "activity_errors": [], "status": status,
            "_links": { "self": { "href": format!("/v3/activities/{id}") } },
        });
        if *state != "initialized" {
            job["started_at"] = json!(time::milliseconds(created + 1_500));
        }
        if *state == "completed" {
            job["completed_at"] = json!(time::milliseconds(created + 80_000));
            job["_links"]["results"] = json!({ "href": format!("/v3/contact_exports/{id}") });
        }
        if *state == "failed" {
            job["activity_errors"] = json!(["The file has no column for an address."]);
        }
        if is_import {
            job["source_file_name"] = json!(format!("contacts-{number}.csv"));
        }
        job
    };
    STATES.iter().zip(0..).map(one).collect()
}

/// The automations: each in a list of them, and alone.
pub(super) fn automations(seed: u64, history: History) -> Vec<(Value, Value)> {
    const FLOWS: &[(&str, &str, &str, &str)] = &[
        ("Welcome series", "Welcome new subscribers", "ACTIVE", "list_join"),
        ("Birthday", "A gift card for the day", "ACTIVE", "birthday"),
        ("Come back", "For those who were not here for long", "DRAFT", "engagement_level"),
        ("Thank you", "After an order", "PAUSED", "purchase"),
    ];
    let one = |((name, description, status, action), number): (&(&str, &str, &str, &str), u32)| {
        let mut rng = rng(seed, Purpose::Automation, number);
        let id = identifier::campaign_side(&mut rng);
        let template = identifier::campaign_side(&mut rng);
        let at = |after: i64| time::milliseconds_utc((history.start + after) * 1_000 + 20);
        let tags = json!([{
            "display_value": "All from-scratch paths", "key": "GOAL", "value": "goal_undefined",
        }]);
        let mut row = json!({
            "active_state": status, "created_by_id": "123456789", "created_date": at(0),
            "description": description, "draft_state": "PROMOTED", "id": id, "name": name,
            "status": status, "structured_tags": tags, "template_id": template,
            "update_date": at(7_200),
        });
        let definition = json!({
            "state": status,
            "trigger": {
                "trigger_def": {
                    "action_name": action, "type": "Action", "unique_by": "contact_id",
                    "parameters": [{
                        "operator": "EQUALS", "parameter_name": "list_ids", "type": "LIST",
                        "parameter_list_value": ["general"],
                    }],
                },
                "trigger_version": "1.0.0",
            },
            "workflow": {
                "workflow_def": {
                    "parameters": { "automation_flow_id": id, "automation_flow_name": name },
                    "status": "SCHEDULED",
                    "tasks": [{
                        "id": "first", "kind": "TIMER", "name": "Wait",
                        "timeout": { "amount": 10.0, "time_unit": "HOURS" },
                        "child_tasks": [{ "id": "second", "kind": "TASK", "name": "Send" }],
                    }],
                    "upgradable": true,
                },
            },
        });
        let mut details = json!({
            "id": id, "name": name, "description": description, "structured_tags": tags,
            "status": status, "draft_definition": definition, "name_explicitly_set": number > 1,
        });
        if *status != "DRAFT" {
            row["promoted_by_id"] = json!("123456789");
            row["promoted_date"] = json!(at(3_600));
            details["active_definition"] = definition;
        }
        (row, details)
    };
    FLOWS.iter().zip(0..).map(one).collect()
}

fn network_account(network: &str, number: u32) -> Value {
    let mut account = json!({
        "display_name": "Harbor Lane Books", "network": network,
        "image_url": format!("https://{network}.example/{number}.jpg"),
        "network_account_id": format!("n-{number}"), "username": "harborlane",
    });
    // Not all networks tell.
    if network == "linkedin" {
        account["account_url"] = json!("https://linkedin.example/harborlane");
    }
    account
}

/// The profiles on social networks, with what is only said on request.
pub(crate) fn social_profiles() -> Vec<Value> {
    let one = |(network, number): (&str, u32)| {
        let mut profile = json!({
            "account_info": network_account(network, number), "connected": number != 2,
            "image_url": format!("https://{network}.example/profile{number}.jpg"),
            "name": format!("Harbor Lane Books on {network}"), "network": network,
            "network_profile_id": format!("p-{number}"), "network_user_id": format!("u-{number}"),
            "profile_id": format!("profile-{number}"),
            "url": format!("https://www.{network}.example/harborlane"),
            "accessible": number != 2,
        });
        if network == "instagram" {
            profile["handle"] = json!("harborlane");
            profile["settings"] = json!({ "comments": { "allowed": true } });
        }
        profile
    };
    ["facebook", "instagram", "linkedin"].into_iter().zip(0..).map(one).collect()
}

/// The accounts on social networks.
pub(crate) fn social_connections() -> Vec<Value> {
    let one = |(network, number): (&str, u32)| {
        let fine = network != "linkedin";
        let mut status = json!({
            "has_token": true, "is_active_user": fine, "rate_limited": false,
            "token_has_scopes": true, "token_is_valid": fine,
        });
        if !fine {
            status["error"] = json!("The token was revoked.");
            status["status"] = json!(401);
        }
        json!({ "account_info": network_account(network, number), "connection_status": status })
    };
    ["facebook", "instagram", "linkedin"].into_iter().zip(0..).map(one).collect()
}

/// The groups of hashtags, more than a page has.
pub(crate) fn hashtag_groups() -> Vec<Value> {
    const GROUPS: &[(&str, &[&str])] = &[
        ("Books", &["books", "reading", "bookshop"]),
        ("Poetry", &["poetry", "spokenword"]),
        ("Harbour", &["harbour", "gloucester"]),
        ("Kids", &["picturebooks"]),
        ("Sale", &["sale", "bargain"]),
        ("Music", &["music"]),
        ("Nothing yet", &[]),
    ];
    let one = |((name, tags), number): (&(&str, &[&str]), u32)| {
        json!({
            "hashtag_group_id": format!("hg-{number}"), "hashtag_group_name": name,
            "hashtag_names": tags,
        })
    };
    GROUPS.iter().zip(1..).map(one).collect()
}
