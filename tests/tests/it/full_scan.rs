//! Every row and every column of every table is what the sandbox made.

use std::collections::BTreeMap;

use chrono::DateTime;
use ctct_endpoints::{Endpoint, Field, Kind};
use ctct_sandbox::{Collection, Settings, Variants};
use ctct_tests::account;
use serde_json::{Value, json};

use crate::support::rows;

/// The tables, and where the sandbox has their rows.
const TABLES: &[(&str, Collection)] = &[
    ("contacts", Collection::Contacts),
    ("deleted_contacts", Collection::DeletedContacts),
    ("contact_counts", Collection::ContactCounts),
    ("contact_list_memberships", Collection::Contacts),
    ("contact_taggings", Collection::Contacts),
    ("contact_custom_field_values", Collection::Contacts),
    ("contact_phone_numbers", Collection::Contacts),
    ("contact_street_addresses", Collection::Contacts),
    ("contact_notes", Collection::Contacts),
    ("contact_sms_consents", Collection::Contacts),
    ("contact_activity", Collection::ContactActivity),
    ("contact_activity_summary", Collection::ContactActivitySummary),
    ("contact_open_and_click_rates", Collection::ContactOpenAndClickRates),
    ("sms_engagement_history", Collection::SmsEngagementHistory),
    ("contact_lists", Collection::ContactLists),
    ("sms_lists", Collection::SmsLists),
    ("deleted_contact_lists", Collection::DeletedContactLists),
    ("contact_tags", Collection::ContactTags),
    ("segments", Collection::Segments),
    ("segment_contacts", Collection::SegmentContacts),
    ("custom_fields", Collection::CustomFields),
    ("email_campaigns", Collection::EmailCampaigns),
    ("email_campaign_activities", Collection::EmailCampaignDetails),
    ("email_activities", Collection::EmailActivities),
    ("email_schedules", Collection::EmailActivityPart("schedules")),
    ("email_send_history", Collection::EmailActivityPart("send_history")),
    ("email_non_opener_resends", Collection::EmailActivityPart("non_opener_resends")),
    ("email_ab_tests", Collection::EmailActivityPart("abtest")),
    ("email_previews", Collection::EmailActivityPart("previews")),
    ("email_campaign_summaries", Collection::EmailCampaignSummaries),
    ("email_campaign_stats", Collection::EmailCampaignStats),
    ("email_activity_stats", Collection::EmailActivityStats),
    ("email_sends", Collection::EmailReport("sends")),
    ("email_opens", Collection::EmailReport("opens")),
    ("email_unique_opens", Collection::EmailReport("unique_opens")),
    ("email_did_not_opens", Collection::EmailReport("didnotopens")),
    ("email_clicks", Collection::EmailReport("clicks")),
    ("email_links", Collection::EmailLinks),
    ("email_forwards", Collection::EmailReport("forwards")),
    ("email_optouts", Collection::EmailReport("optouts")),
    ("email_bounces", Collection::EmailReport("bounces")),
    ("landing_page_opens", Collection::LandingPageReport("p_contact_opens")),
    ("landing_page_unique_opens", Collection::LandingPageReport("p_unique_contact_opens")),
    ("landing_page_clicks", Collection::LandingPageReport("p_unique_contact_clicks")),
    ("landing_page_adds", Collection::LandingPageReport("p_unique_contact_adds")),
    ("landing_page_updates", Collection::LandingPageReport("p_unique_contact_updates")),
    ("landing_page_sms_optins", Collection::LandingPageReport("p_unique_contact_sms_optins")),
    ("sms_campaign_summaries", Collection::SmsCampaignSummaries),
    ("events", Collection::Events),
    ("event_details", Collection::EventDetails),
    ("event_registrations", Collection::EventRegistrations),
    ("event_registration_details", Collection::EventRegistrationDetails),
    ("automations", Collection::Automations),
    ("automation_details", Collection::AutomationDetails),
    ("social_profiles", Collection::SocialProfiles),
    ("social_connections", Collection::SocialConnections),
    ("social_hashtag_groups", Collection::SocialHashtagGroups),
    ("activities", Collection::Activities),
    ("account_summary", Collection::AccountSummary),
    ("account_physical_address", Collection::AccountPhysicalAddress),
    ("account_emails", Collection::AccountEmails),
    ("user_privileges", Collection::UserPrivileges),
];

/// What a column must hold for a value of the API.
fn expected(value: &Value, kind: &Kind) -> Value {
    match (kind, value) {
        (_, Value::Null) => Value::Null,
        (Kind::Identifier, Value::Number(number)) => json!(number.to_string()),
        (Kind::Timestamp, Value::String(text)) => {
            let instant = DateTime::parse_from_rfc3339(text)
                .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
                .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z"))
                .expect("a time of the sandbox");
            json!(instant.timestamp_micros())
        }
        (Kind::List(item), Value::Array(values)) => {
            values.iter().map(|value| expected(value, item)).collect()
        }
        (Kind::Struct(members), Value::Object(_)) => row(value, members),
        (Kind::Json, _)
        | (Kind::Map, Value::Object(_))
        | (Kind::Text | Kind::Identifier | Kind::Date, Value::String(_))
        | (Kind::Integer | Kind::Number, Value::Number(_))
        | (Kind::Boolean, Value::Bool(_)) => value.clone(),
        (kind, value) => panic!("the sandbox made {value} for {kind:?}"),
    }
}

fn row(value: &Value, fields: &[Field]) -> Value {
    let column = |field: &Field| {
        let found = field.path().try_fold(value, |value, name| value.get(name));
        (field.name.to_owned(), expected(found.unwrap_or(&Value::Null), &field.kind))
    };
    Value::Object(fields.iter().map(column).collect())
}

/// The definitions of custom fields, by their identifiers.
fn definitions(sandbox: &ctct_sandbox::Sandbox) -> BTreeMap<String, Value> {
    let all = sandbox.rows(Collection::CustomFields).into_iter();
    all.map(|one| (one["custom_field_id"].as_str().unwrap_or_default().to_owned(), one)).collect()
}

/// A custom value in words: the labels of its choices, or its text.
fn said(definition: &Value, value: &Value) -> Value {
    let Some(chosen) = value["choice_ids"].as_array() else { return value["value"].clone() };
    let choices = definition["choices"].as_array().cloned().unwrap_or_default();
    let label = |id: &Value| {
        let id = id.as_str().and_then(|id| id.parse::<u64>().ok());
        let found = choices.iter().find(|choice| choice["choice_id"].as_u64() == id);
        found.expect("a choice")["choice_label"].as_str().unwrap_or_default().to_owned()
    };
    json!(chosen.iter().map(label).collect::<Vec<_>>().join(", "))
}

/// What is made of rows and definitions, put where the columns look for it.
fn with_definitions(endpoint: &Endpoint, mut row: Value, known: &BTreeMap<String, Value>) -> Value {
    let of = |value: &Value| &known[value["custom_field_id"].as_str().unwrap_or_default()];
    match endpoint.definitions.map(|definitions| definitions.list) {
        None => {}
        Some(Some(list)) => {
            let values = row[list].as_array().cloned().unwrap_or_default();
            let pair = |value: &Value| {
                let definition = of(value);
                (
                    definition["name"].as_str().unwrap_or_default().to_owned(),
                    said(definition, value),
                )
            };
            row["custom"] = Value::Object(values.iter().map(pair).collect());
        }
        Some(None) => {
            let value = row["custom_fields"].clone();
            let definition = of(&value);
            let text = value["value"].as_str().unwrap_or_default();
            let kind = definition["type"].as_str().unwrap_or_default();
            row["field_name"] = definition["name"].clone();
            row["field_type"] = definition["type"].clone();
            match kind {
                "number" | "currency" => row["number_value"] = json!(text.parse::<f64>().ok()),
                "boolean" => row["boolean_value"] = json!(text == "true"),
                "date" => row["date_value"] = json!(text),
                "datetime" => {
                    row["date_value"] = json!(text[..10]);
                    row["time_value"] = json!(text);
                }
                _ => row["text_value"] = said(definition, &value),
            }
        }
    }
    row
}

/// The rows that a value of the API holds: itself, or one for each member of its list,
/// which then stands in the list's place.
fn members(value: &Value, endpoint: &Endpoint) -> Vec<Value> {
    let Some(list) = endpoint.list else { return vec![value.clone()] };
    let place = format!("/{}", list.join("/"));
    let members = value.pointer(&place).and_then(Value::as_array).cloned().unwrap_or_default();
    let one = |member: Value| {
        let mut row = value.clone();
        let member = if member.is_object() { member } else { json!({ "": member }) };
        row.pointer_mut(&place).into_iter().for_each(|list| *list = member.clone());
        row
    };
    members.into_iter().map(one).collect()
}

/// Times as numbers, in whichever form they were written.
fn actual(value: &Value, kind: &Kind) -> Value {
    match (kind, value) {
        (Kind::Timestamp, Value::String(text)) => {
            json!(DateTime::parse_from_rfc3339(text).expect("a time").timestamp_micros())
        }
        (Kind::List(item), Value::Array(values)) => {
            values.iter().map(|value| actual(value, item)).collect()
        }
        (Kind::Json, Value::String(text)) => serde_json::from_str(text).expect("JSON"),
        (Kind::Struct(fields), Value::Object(members)) => Value::Object(
            fields
                .iter()
                .map(|field| (field.name.to_owned(), actual(&members[field.name], &field.kind)))
                .collect(),
        ),
        _ => value.clone(),
    }
}

/// What a request is about nothing but the request knows: shown elsewhere.
fn without_period(endpoint: &Endpoint, mut row: Value) -> Value {
    if let Some(columns) = row.as_object_mut() {
        columns.retain(|column, _| !endpoint.is_of_period(column));
    }
    row
}

fn by_key(endpoint: &Endpoint, rows: Vec<Value>) -> BTreeMap<String, Value> {
    let count = rows.len();
    let key = |row: &Value| endpoint.key.iter().map(|column| row[column].to_string()).collect();
    let rows: BTreeMap<String, Value> = rows.into_iter().map(|row| (key(&row), row)).collect();
    assert_eq!(rows.len(), count, "{} has a key twice", endpoint.table);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_of_every_table_is_the_sandboxs() {
    let account = account(smaller()).await;
    compare_all(&account).await;
}

/// What the documentation shows beside what it specifies is read as the same.
#[tokio::test(flavor = "multi_thread")]
async fn every_value_is_the_same_in_other_forms() {
    let variants =
        Variants { text_counts: true, array_percents: true, dotted_keys: true, zulu_times: true };
    let account = account(Settings { variants, contacts: 100, ..smaller() }).await;
    compare_all(&account).await;
}

/// Whether a table is read contact by contact.
fn is_of_contacts(endpoint: &Endpoint) -> bool {
    endpoint.parent.is_some_and(|parent| {
        parent.table == "contacts" || ctct_endpoints::find(parent.table).is_some_and(is_of_contacts)
    })
}

/// Small enough to be read contact by contact.
fn smaller() -> Settings {
    Settings { contacts: 600, ..Settings::default() }
}

async fn compare_all(account: &ctct_tests::Account) {
    let known = definitions(&account.sandbox);
    let tables: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    let declared: Vec<&str> = ctct_endpoints::all().iter().map(|endpoint| endpoint.table).collect();
    assert_eq!(tables, declared, "every table is compared");
    for (table, collection) in TABLES {
        let endpoint = ctct_endpoints::find(table).expect("declared");
        let made = account.sandbox.rows(*collection);
        let made = made.iter().flat_map(|value| members(value, endpoint));
        let made = made.map(|value| with_definitions(endpoint, value, &known));
        let made = made.map(|value| row(&value, endpoint.fields));
        let made = made.map(|value| without_period(endpoint, value)).collect();
        let whole = Kind::Struct(endpoint.fields);
        let read = rows(&account.session, &format!("SELECT * FROM {table}")).await;
        let read = read.iter().map(|row| actual(row, &whole));
        let read = read.map(|value| without_period(endpoint, value)).collect();
        let (made, read) = (by_key(endpoint, made), by_key(endpoint, read));
        assert_eq!(read.len(), made.len(), "rows of {table}");
        for (key, expected) in made {
            assert_eq!(read.get(&key), Some(&expected), "{table} {key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_has_a_value_somewhere() {
    let (large, small) = (account(Settings::default()).await, account(smaller()).await);
    let mut wrong = Vec::new();
    for endpoint in ctct_endpoints::all() {
        let account = if is_of_contacts(endpoint) { &small } else { &large };
        let counts: Vec<String> =
            endpoint.fields.iter().map(|field| format!("count({0}) AS {0}", field.name)).collect();
        let sql = format!("SELECT {} FROM {}", counts.join(", "), endpoint.table);
        let row = rows(&account.session, &sql).await.remove(0);
        for (column, count) in row.as_object().expect("a row") {
            // Contacts are those that are not deleted, lists those that are active; and
            // this shop has neither a partner nor a long address.
            let never = matches!(
                (endpoint.table, column.as_str()),
                // On landing pages of the sandbox those who did more are still there.
                (
                    "contacts"
                    | "contact_lists"
                    | "sms_lists"
                    | "landing_page_clicks"
                    | "landing_page_adds"
                    | "landing_page_updates"
                    | "landing_page_sms_optins",
                    "deleted_at",
                )
                    | (
                        "account_summary",
                        "encoded_partner_id"
                            | "company_logo_external_url"
                            | "physical_address_line2"
                            | "physical_address_line3"
                            | "physical_address_state_name",
                    )
                    | (
                        "account_physical_address",
                        "address_line2" | "address_line3" | "state_name",
                    )
                    // Whoever is deleted left by the account's hand, and gave no reason; and
                    // is on no list and has no tag any more, which is an empty list.
                    | ("deleted_contacts", "email_opt_out_reason")
                    // Not in use yet, says the specification.
                    | ("email_links", "link_tag")
            );
            if (count.as_i64() == Some(0)) != never {
                wrong.push(format!("{}.{column}", endpoint.table));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
