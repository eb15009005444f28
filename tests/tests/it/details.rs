//! What takes more than pages: keys of several parts, details of rows, periods, definitions.

use std::collections::BTreeMap;

use ctct_sandbox::{Collection, Fault, FaultKind, Settings};
use ctct_tests::{Account, account};
use serde_json::{Value, json};

use crate::support::{asked, batches, number, rows, text};

async fn shop() -> Account {
    account(Settings { contacts: 400, ..Settings::default() }).await
}

/// The event with the most registrations, and how many it has.
fn busiest(account: &Account) -> (String, usize) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in account.sandbox.rows(Collection::EventRegistrations) {
        *counts.entry(text(&one, "event_id").to_owned()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).expect("an event that is registered for")
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_key_come_from_the_query_or_from_the_parent() {
    let account = shop().await;
    let (event, count) = busiest(&account);
    assert!(count > 100, "more than a page");
    // The track is known to the event alone.
    let sql = format!("SELECT * FROM event_registrations WHERE event_id = '{event}'");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (count, 3), "{requests:?}");
    assert_eq!(requests[0], format!("/v3/events/{event}?"));
    let track = text(&found[0], "track_id").to_owned();
    assert!(requests[1].starts_with(&format!("/v3/events/{event}/tracks/{track}/registrations?")));

    let sql = format!("{sql} AND track_id = '{track}' AND payment_status = 'REFUNDED'");
    let (refunded, requests) = asked(&account, &sql).await;
    assert!(!refunded.is_empty() && refunded.len() < 100);
    assert_eq!(requests.len(), 1, "all parts are known, and so is the state");
    assert!(requests[0].contains("payment_status=REFUNDED"), "{requests:?}");

    // Of one part there may be several values.
    let ids: Vec<String> =
        refunded.iter().map(|one| format!("'{}'", text(one, "registration_id"))).collect();
    let sql = format!(
        "SELECT registration_id, order_payment_status FROM event_registration_details \
         WHERE event_id = '{event}' AND track_id = '{track}' AND registration_id IN ({}, 'nobody')",
        ids.join(", ")
    );
    let (details, requests) = asked(&account, &sql).await;
    assert_eq!((details.len(), requests.len()), (ids.len(), ids.len() + 1));
    assert!(details.iter().all(|one| one["order_payment_status"] == "REFUNDED"));

    let sql = format!(
        "SELECT d.order_number FROM event_registrations r \
         JOIN event_registration_details d USING (event_id, track_id, registration_id) \
         WHERE r.event_id = '{event}' AND r.payment_status = 'REFUNDED'"
    );
    let (joined, requests) = asked(&account, &sql).await;
    assert_eq!(joined.len(), ids.len());
    assert_eq!(requests.len(), 2 + ids.len(), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn details_are_asked_for_row_by_row_and_only_where_they_are_read() {
    let account = shop().await;
    let (found, requests) = asked(&account, "SELECT segment_id, name FROM segments").await;
    assert_eq!((found.len(), requests.len()), (5, 1));
    let (found, requests) = asked(&account, "SELECT * FROM segments").await;
    assert_eq!((found.len(), requests.len()), (5, 6));
    assert!(found.iter().all(|one| text(one, "segment_criteria").contains("\"criteria\"")));
    let sql = "SELECT segment_criteria FROM segments WHERE segment_id IN ('21', '99')";
    let (found, requests) = asked(&account, sql).await;
    assert_eq!((found.len(), requests.len()), (1, 6), "which are there the list says alone");
    let (found, requests) = asked(&account, "SELECT segment_criteria FROM segments LIMIT 2").await;
    assert_eq!((found.len(), requests.len()), (2, 3));
    let sql = "EXPLAIN SELECT segment_criteria FROM segments";
    let (plan, requests) = asked(&account, sql).await;
    let plan = plan[0]["plan"].to_string();
    assert!(plan.contains("GET /segments/{segment_id} for each segment_id of segments"), "{plan}");
    assert!(requests.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn activities_of_removed_campaigns_are_not_there_any_more() {
    let account = shop().await;
    let campaigns = account.sandbox.rows(Collection::EmailCampaignDetails);
    let of = |removed: bool| {
        let them = campaigns.iter().filter(|c| (c["current_status"] == "Removed") == removed);
        them.map(|c| c["campaign_activities"].as_array().map_or(0, Vec::len)).sum::<usize>()
    };
    assert!(of(true) > 0);
    let (found, requests) = asked(&account, "SELECT subject FROM email_activities").await;
    assert_eq!(found.len(), of(false));
    assert_eq!(requests.len(), 1 + campaigns.len() + of(true) + of(false));
    // Content is asked for where it is read.
    let activity = account.sandbox.rows(Collection::EmailActivities).remove(0);
    let id = text(&activity, "campaign_activity_id");
    let sql = format!(
        "SELECT html_content, permalink_url FROM email_activities WHERE campaign_activity_id = '{id}'"
    );
    let (_, requests) = asked(&account, &sql).await;
    let expected = format!("/v3/emails/activities/{id}?include=html_content,permalink_url");
    assert_eq!(requests, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_of_the_period_that_is_asked_about() {
    let account = shop().await;
    let deed = account.sandbox.rows(Collection::ContactActivity).remove(0);
    let id = text(&deed, "contact_id");
    // It is the server's, also where its first answer is the one that tells who there is.
    let (found, _) =
        asked(&account, "SELECT period_end FROM contact_open_and_click_rates LIMIT 1").await;
    let today = account.sandbox.now().format("%Y-%m-%d").to_string();
    assert!(text(&found[0], "period_end").starts_with(&today), "{found:?}");
    let rates = format!("SELECT * FROM contact_open_and_click_rates WHERE contact_id = '{id}'");
    let (found, requests) = asked(&account, &rates).await;
    let path = format!("/v3/reports/contact_reports/{id}/open_and_click_rates");
    let now = account.sandbox.now().format("%Y-%m-%dT%H:").to_string();
    assert!(requests[0].starts_with(&format!("{path}?start=2021-01-01T00:")), "{requests:?}");
    assert!(requests[0].contains(&format!("end={now}")), "{requests:?}");
    assert!(text(&found[0], "period_start").starts_with("2021-01-01T00:"));

    let within = "period_start >= '2025-03-01' AND period_end < '2025-06-01'";
    let (found, requests) = asked(&account, &format!("{rates} AND {within}")).await;
    assert_eq!(requests, [format!("{path}?start=2025-03-01T00:00:00Z&end=2025-05-31T23:59:59Z")]);
    let sent = format!(
        "SELECT count(*) FROM contact_activity WHERE contact_id = '{id}' \
         AND tracking_activity_type = 'em_sends' \
         AND created_time >= '2025-03-01' AND created_time < '2025-06-01'"
    );
    let sent = number(&account.session, &sent).await;
    assert_eq!(found[0]["included_activities_count"], json!(sent));

    let sql = format!(
        "SELECT campaign_activity_id, em_sends, start_on FROM contact_activity_summary \
         WHERE contact_id = '{id}' AND {within}"
    );
    let (summary, requests) = asked(&account, &sql).await;
    assert_eq!((summary.len(), requests.len()), (usize::try_from(sent).expect("few"), 1));

    // What is not known before it is asked is told in words.
    let (plan, requests) = asked(&account, &format!("EXPLAIN {rates}")).await;
    let plan = plan[0]["plan"].to_string();
    assert!(plan.contains("start=60-months-before&end=now"), "{plan}");
    assert!(requests.is_empty());
    // Longer than the API allows: it says so.
    let sql = format!("{rates} AND period_start >= '2010-01-01'");
    let error = account.session.sql(&sql).await.expect("planned").collect().await;
    assert!(error.expect_err("refused").to_string().contains("start does not have a valid value"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_contacts_did_is_narrowed_by_type_and_named_on_request() {
    let account = shop().await;
    let deed = account.sandbox.rows(Collection::ContactActivity).remove(0);
    let id = text(&deed, "contact_id");
    let path = format!("/v3/reports/contact_reports/{id}/activity_details");
    let of_contact = format!("FROM contact_activity WHERE contact_id = '{id}'");
    let sql = format!(
        "SELECT created_time {of_contact} AND tracking_activity_type IN ('em_opens', 'em_clicks')"
    );
    let (_, requests) = asked(&account, &sql).await;
    let expected = format!(
        "{path}?include_campaign_activity_names=false&tracking_activities_list=em_clicks,em_opens&limit=100"
    );
    assert_eq!(requests, [expected]);
    let (found, requests) =
        asked(&account, &format!("SELECT campaign_activity_name {of_contact}")).await;
    assert!(requests[0].contains("include_campaign_activity_names=true"), "{requests:?}");
    assert!(found.iter().all(|row| !text(row, "campaign_activity_name").is_empty()));
    // The latest come first.
    let sql = format!("SELECT * {of_contact} ORDER BY created_time DESC LIMIT 1");
    let (_, requests) = asked(&account, &sql).await;
    assert_eq!(requests.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn landing_pages_are_known_by_what_happened_on_them() {
    let account = account(Settings { contacts: 120, ..Settings::default() }).await;
    let made = account.sandbox.rows(Collection::LandingPageReport("p_contact_opens"));
    let page = text(&made[0], "campaign_activity_id");
    let sql = format!("SELECT * FROM landing_page_opens WHERE campaign_activity_id = '{page}'");
    let (found, requests) = asked(&account, &sql).await;
    let of_page = made.iter().filter(|row| text(row, "campaign_activity_id") == page).count();
    assert_eq!((found.len(), requests.len()), (of_page, 1));
    let contacts = account.sandbox.rows(Collection::Contacts).len();
    let (found, requests) = asked(&account, "SELECT * FROM landing_page_opens").await;
    assert_eq!(found.len(), made.len());
    // The contacts, what each of them did, and the three pages.
    assert_eq!(requests.len(), 1 + contacts + 3);
    let walked = requests.iter().find(|request| request.contains("activity_details"));
    let types = "p_contact_add,p_contact_click,p_contact_open,p_contact_update";
    assert!(walked.is_some_and(|request| request.contains(types)), "{walked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_the_api_does_not_know_are_not_sent() {
    let account = shop().await;
    let jobs = account.sandbox.rows(Collection::Activities);
    for (state, sent) in [("completed", true), ("initialized", false), ("nonsense", false)] {
        let sql = format!("SELECT activity_id FROM activities WHERE state = '{state}'");
        let (found, requests) = asked(&account, &sql).await;
        let expected = jobs.iter().filter(|job| job["state"] == state).count();
        assert_eq!((found.len(), requests.len()), (expected, 1), "{state}");
        assert_eq!(requests[0].contains(&format!("state={state}")), sent, "{requests:?}");
    }
    let id = text(&jobs[2], "activity_id");
    let sql = format!("SELECT state FROM activities WHERE activity_id = '{id}'");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!(found[0]["state"], jobs[2]["state"]);
    assert_eq!(requests, [format!("/v3/activities/{id}?")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_followed_by_cursors_and_by_numbers() {
    let account = shop().await;
    let (found, requests) = asked(&account, "SELECT event_id FROM events").await;
    assert_eq!((found.len(), requests.len()), (103, 2));
    let (found, requests) =
        asked(&account, "SELECT name FROM events WHERE status = 'ACTIVE'").await;
    assert!(!found.is_empty());
    assert_eq!(requests, ["/v3/events?event_status=ACTIVE&limit=100"]);
    let (found, requests) = asked(&account, "SELECT * FROM social_hashtag_groups").await;
    assert_eq!((found.len(), requests.len()), (7, 2));
    let sql = "SELECT * FROM sms_campaign_summaries WHERE last_sent_date >= '2025-06-01'";
    let (found, requests) = asked(&account, sql).await;
    assert_eq!(
        requests,
        [
            "/v3/reports/summary_reports/sms_campaign_summaries?start_at=2025-05-31T23:59:59Z&limit=50"
        ]
    );
    let (all, requests) = asked(&account, "SELECT * FROM sms_campaign_summaries").await;
    assert!(all.len() > 50 && all.len() > found.len());
    assert_eq!(requests.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_are_read_by_their_names() {
    let account = shop().await;
    let fields = account.sandbox.rows(Collection::CustomFields);
    let field = |name: &str| fields.iter().find(|field| field["name"] == name).expect("defined");
    let (level, genre) = (field("membership_level"), field("favourite_genre"));
    let poetry = genre["choices"].as_array().into_iter().flatten();
    let poetry =
        poetry.clone().find(|choice| choice["choice_label"] == "Poetry").expect("a choice");
    let made = account.sandbox.rows(Collection::Contacts);
    let value = |contact: &Value, of: &Value| {
        let values = contact["custom_fields"].as_array().cloned().unwrap_or_default();
        values.into_iter().find(|value| value["custom_field_id"] == of["custom_field_id"])
    };
    let reads_poetry = |contact: &&Value| {
        value(contact, genre)
            .is_some_and(|value| value["choice_ids"] == json!([poetry["choice_id"].to_string()]))
    };
    let sql = "SELECT contact_id, custom['membership_level'] AS level FROM contacts \
               WHERE custom['favourite_genre'] = 'Poetry' ORDER BY contact_id";
    let (found, requests) = asked(&account, sql).await;
    let mut expected: Vec<Value> = made
        .iter()
        .filter(reads_poetry)
        .map(|contact| {
            let level = value(contact, level).map_or(Value::Null, |value| value["value"].clone());
            json!({ "contact_id": contact["contact_id"], "level": level })
        })
        .collect();
    expected.sort_by_key(|row| text(row, "contact_id").to_owned());
    assert!(expected.len() > 5);
    assert_eq!(found, expected);
    // The definitions once, the contacts once, and nothing else.
    assert_eq!(requests.len(), 2, "{requests:?}");
    let (_, requests) = asked(&account, "SELECT contact_id, custom_fields FROM contacts").await;
    assert_eq!(requests.len(), 1, "nobody asked for names");

    let sql = "SELECT v.field_name, v.number_value, v.date_value, v.boolean_value, c.custom \
               FROM contact_custom_field_values v JOIN contacts c USING (contact_id)";
    let (joined, requests) = asked(&account, sql).await;
    assert_eq!(requests.len(), 2, "both share both: {requests:?}");
    for row in &joined {
        let by_name = &row["custom"][text(row, "field_name")];
        assert!(by_name.is_string(), "{row}");
        if let Some(number) = row["number_value"].as_f64() {
            assert_eq!(by_name.as_str().and_then(|text| text.parse::<f64>().ok()), Some(number));
        }
        if let Some(day) = row["date_value"].as_str() {
            assert!(by_name.as_str().is_some_and(|text| text.starts_with(day)), "{row}");
        }
    }
    for typed in ["number_value", "date_value", "boolean_value"] {
        assert!(joined.iter().any(|row| !row[typed].is_null()), "{typed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_was_not_there_yet_is_looked_for_once_more() {
    let account = shop().await;
    let nothing = |times| Fault {
        kind: FaultKind::Answer {
            status: 200,
            body: r#"{"custom_fields":[],"_links":{}}"#.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        },
        path: "/v3/contact_custom_fields".to_owned(),
        skip: 0,
        times,
    };
    let sql = "SELECT custom FROM contacts WHERE cardinality(map_keys(custom)) > 0";
    let (expected, _) = asked(&account, sql).await;
    account.sandbox.inject(nothing(1));
    let (found, requests) = asked(&account, sql).await;
    assert_eq!((found, requests.len()), (expected.clone(), 3));
    // One that stays unknown keeps its identifier.
    account.sandbox.inject(nothing(2));
    let (found, requests) = asked(&account, sql).await;
    assert_eq!((found.len(), requests.len()), (expected.len(), 3));
    let names = found.iter().flat_map(|row| row["custom"].as_object().into_iter().flatten());
    assert!(names.clone().count() > 0);
    assert!(names.map(|(name, _)| name).all(|name| name.len() == 36));
}

#[tokio::test(flavor = "multi_thread")]
async fn maps_are_written_in_every_format() {
    let account = shop().await;
    let folder = tempfile::tempdir().expect("a folder");
    for format in ["csv", "json", "parquet"] {
        let path = folder.path().join(format!("contacts.{format}"));
        let sql = format!(
            "COPY (SELECT contact_id, custom FROM contacts WHERE custom['interests'] IS NOT NULL) TO '{}'",
            path.display()
        );
        batches(&account.session, &sql).await;
        let back = format!("SELECT count(*) AS rows FROM '{}'", path.display());
        assert!(rows(&account.session, &back).await[0]["rows"].as_i64() > Some(0), "{format}");
    }
    let csv = std::fs::read_to_string(folder.path().join("contacts.csv")).expect("a file");
    assert!(csv.contains(r#"""interests"":"#), "{}", csv.lines().nth(1).unwrap_or_default());
}
