//! Every row and every column of every table is what the sandbox made.

use std::collections::BTreeMap;

use chrono::DateTime;
use ctct_endpoints::{Endpoint, Field, Kind};
use ctct_sandbox::{Collection, Settings};
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
    ("contact_lists", Collection::ContactLists),
    ("contact_tags", Collection::ContactTags),
    ("segments", Collection::Segments),
    ("segment_contacts", Collection::SegmentContacts),
    ("custom_fields", Collection::CustomFields),
    ("email_campaigns", Collection::EmailCampaigns),
    ("email_campaign_activities", Collection::EmailCampaignDetails),
    ("email_campaign_summaries", Collection::EmailCampaignSummaries),
    ("email_campaign_stats", Collection::EmailCampaignStats),
    ("email_sends", Collection::EmailReport("sends")),
    ("email_opens", Collection::EmailReport("opens")),
    ("email_unique_opens", Collection::EmailReport("unique_opens")),
    ("email_did_not_opens", Collection::EmailReport("didnotopens")),
    ("email_clicks", Collection::EmailReport("clicks")),
    ("email_links", Collection::EmailLinks),
    ("email_forwards", Collection::EmailReport("forwards")),
    ("email_optouts", Collection::EmailReport("optouts")),
    ("email_bounces", Collection::EmailReport("bounces")),
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
                .expect("a time of the sandbox");
            json!(instant.timestamp_micros())
        }
        (Kind::List(item), Value::Array(values)) => {
            values.iter().map(|value| expected(value, item)).collect()
        }
        (Kind::Struct(members), Value::Object(_)) => row(value, members),
        (Kind::Text | Kind::Identifier | Kind::Date, Value::String(_))
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

/// The rows that a value of the API holds: itself, or one for each member of its list,
/// which then stands in the list's place.
fn members(value: &Value, endpoint: &Endpoint) -> Vec<Value> {
    let Some(list) = endpoint.list else { return vec![value.clone()] };
    let members = value[list].as_array().cloned().unwrap_or_default();
    let one = |member: Value| {
        let mut row = value.clone();
        row[list] = if member.is_object() { member } else { json!({ "": member }) };
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
        (Kind::Struct(fields), Value::Object(members)) => Value::Object(
            fields
                .iter()
                .map(|field| (field.name.to_owned(), actual(&members[field.name], &field.kind)))
                .collect(),
        ),
        _ => value.clone(),
    }
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
    let account = account(Settings::default()).await;
    let tables: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    let declared: Vec<&str> = ctct_endpoints::all().iter().map(|endpoint| endpoint.table).collect();
    assert_eq!(tables, declared, "every table is compared");
    for (table, collection) in TABLES {
        let endpoint = ctct_endpoints::find(table).expect("declared");
        let made = account.sandbox.rows(*collection);
        assert!(!made.is_empty(), "{table} is empty");
        let made = made.iter().flat_map(|value| members(value, endpoint));
        let made = made.map(|value| row(&value, endpoint.fields)).collect();
        let whole = Kind::Struct(endpoint.fields);
        let read = rows(&account.session, &format!("SELECT * FROM {table}")).await;
        let read = read.iter().map(|row| actual(row, &whole)).collect();
        let (made, read) = (by_key(endpoint, made), by_key(endpoint, read));
        assert_eq!(read.len(), made.len(), "rows of {table}");
        for (key, expected) in made {
            assert_eq!(read.get(&key), Some(&expected), "{table} {key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_has_a_value_somewhere() {
    let account = account(Settings::default()).await;
    for endpoint in ctct_endpoints::all() {
        let counts: Vec<String> =
            endpoint.fields.iter().map(|field| format!("count({0}) AS {0}", field.name)).collect();
        let sql = format!("SELECT {} FROM {}", counts.join(", "), endpoint.table);
        let row = rows(&account.session, &sql).await.remove(0);
        for (column, count) in row.as_object().expect("a row") {
            // Contacts are those that are not deleted, lists those that are active; and
            // this shop has neither a partner nor a long address.
            let never = matches!(
                (endpoint.table, column.as_str()),
                // Only contacts that went after the last e-mail was sent could have opened one
                // and be deleted: the sandbox's have none of these.
                ("contacts" | "contact_lists", "deleted_at")
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
            assert_eq!(count.as_i64() == Some(0), never, "{}.{column}", endpoint.table);
        }
    }
}
