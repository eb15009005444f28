//! The declarations, one file each, and the way to find them.

mod account;
mod account_summary;
mod activities;
mod automations;
mod contact_details;
mod contact_lists;
mod contact_reports;
mod contact_tags;
mod contacts;
mod custom_fields;
mod email_activities;
mod email_campaign_activities;
mod email_campaign_summaries;
mod email_campaigns;
mod email_reports;
mod email_stats;
mod event_parts;
mod events;
mod landing_pages;
mod segment_contacts;
mod segments;
mod sms;
mod social;

use crate::Endpoint;

/// Every declared endpoint, in the order in which they are listed to people.
pub fn all() -> &'static [Endpoint] {
    const ALL: &[Endpoint] = &[
        contacts::ENDPOINT,
        contacts::DELETED_CONTACTS,
        contacts::COUNTS,
        contact_details::LIST_MEMBERSHIPS,
        contact_details::TAGGINGS,
        contact_details::CUSTOM_FIELD_VALUES,
        contact_details::PHONE_NUMBERS,
        contact_details::STREET_ADDRESSES,
        contact_details::NOTES_TABLE,
        contact_details::SMS_CONSENTS,
        contact_reports::ACTIVITY,
        contact_reports::ACTIVITY_SUMMARY,
        contact_reports::OPEN_AND_CLICK_RATES,
        sms::ENGAGEMENT_HISTORY,
        contact_lists::ENDPOINT,
        contact_lists::SMS,
        contact_lists::DELETED,
        contact_tags::ENDPOINT,
        segments::ENDPOINT,
        segment_contacts::ENDPOINT,
        custom_fields::ENDPOINT,
        email_campaigns::ENDPOINT,
        email_campaign_activities::ENDPOINT,
        email_activities::ACTIVITIES,
        email_activities::SCHEDULES,
        email_activities::SEND_HISTORY,
        email_activities::NON_OPENER_RESENDS,
        email_activities::AB_TESTS,
        email_activities::PREVIEWS,
        email_campaign_summaries::ENDPOINT,
        email_stats::CAMPAIGNS,
        email_stats::ACTIVITIES,
        email_reports::SENDS,
        email_reports::OPENS,
        email_reports::UNIQUE_OPENS,
        email_reports::DID_NOT_OPENS,
        email_reports::CLICKS,
        email_reports::LINKS,
        email_reports::FORWARDS,
        email_reports::OPTOUTS,
        email_reports::BOUNCES,
        landing_pages::OPENS,
        landing_pages::UNIQUE_OPENS,
        landing_pages::CLICKS,
        landing_pages::ADDS,
        landing_pages::UPDATES,
        landing_pages::SMS_OPTINS,
        sms::CAMPAIGN_SUMMARIES,
        events::EVENTS,
        events::DETAILS,
        events::REGISTRATIONS,
        events::REGISTRATION_DETAILS,
        automations::ENDPOINT,
        automations::DETAILS,
        social::PROFILES,
        social::CONNECTIONS,
        social::HASHTAG_GROUPS,
        activities::ENDPOINT,
        account_summary::ENDPOINT,
        account::PHYSICAL_ADDRESS,
        account::EMAILS,
        account::PRIVILEGES,
    ];
    ALL
}

/// The endpoint whose table has this name.
pub fn find(table: &str) -> Option<&'static Endpoint> {
    all().iter().find(|endpoint| endpoint.table == table)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::{Envelope, Field, Kind, Paging, Source, all};

    #[test]
    fn tables_and_columns_have_names_of_their_own() {
        let tables: BTreeSet<_> = all().iter().map(|endpoint| endpoint.table).collect();
        assert_eq!(tables.len(), all().len());
        for endpoint in all() {
            let names: BTreeSet<_> = endpoint.fields.iter().map(|field| field.name).collect();
            assert_eq!(names.len(), endpoint.fields.len(), "columns of {}", endpoint.table);
            let paths: BTreeSet<Vec<_>> =
                endpoint.fields.iter().map(|field| field.path().collect()).collect();
            assert_eq!(paths.len(), endpoint.fields.len(), "paths of {}", endpoint.table);
        }
    }

    #[test]
    fn names_are_written_as_sql_needs_them_without_quotes() {
        let plain = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        for endpoint in all() {
            assert!(plain(endpoint.table), "{}", endpoint.table);
            for field in endpoint.fields {
                assert!(plain(field.name), "{}.{}", endpoint.table, field.name);
            }
        }
    }

    #[test]
    fn keys_ranges_and_watermarks_name_columns_of_the_right_kind() {
        for endpoint in all() {
            for key in endpoint.key {
                let kind = endpoint.field(key).map(|field| field.kind);
                let fits = matches!(kind, Some(Kind::Identifier | Kind::Timestamp | Kind::Text));
                assert!(fits, "{}.{key} is {kind:?}", endpoint.table);
            }
            for range in endpoint.ranges {
                let field = endpoint.field(range.column);
                assert_eq!(field.map(|f| f.kind), Some(Kind::Timestamp), "{}", endpoint.table);
            }
            for watermark in endpoint.watermark.iter().chain(endpoint.further_watermarks) {
                assert!(endpoint.range(watermark).is_some(), "{}", endpoint.table);
            }
            if let Some(gone) = endpoint.gone {
                let gone = crate::find(gone).expect("a table");
                assert_eq!(gone.fields, endpoint.fields, "{}", endpoint.table);
                assert!(endpoint.watermark.is_some() && gone.watermark == endpoint.watermark);
            }
        }
    }

    #[test]
    fn only_a_table_of_one_row_goes_without_a_key() {
        for endpoint in all() {
            let one_row = endpoint.envelope == Envelope::Object && endpoint.parent.is_none();
            assert_eq!(endpoint.key.is_empty(), one_row, "{}", endpoint.table);
            if endpoint.envelope == Envelope::Object {
                let one_page = endpoint.paging == Paging::Single || endpoint.list.is_some();
                assert!(one_page, "{}", endpoint.table);
            }
        }
    }

    #[test]
    fn parents_have_a_place_for_their_keys() {
        for endpoint in all() {
            let braces = endpoint.path.matches('{').count();
            let Some(parent) = endpoint.parent else {
                assert_eq!(braces, 0, "{}", endpoint.table);
                continue;
            };
            let places = usize::from(parent.parameter.is_none()) + parent.with.len();
            assert_eq!(braces, places, "{}", endpoint.table);
            assert!(parent.keys_at_once > 0, "{}", endpoint.table);
            assert!(parent.keys_at_once == 1 || parent.with.is_empty(), "{}", endpoint.table);
            for column in parent.columns() {
                let column = endpoint.field(column).expect("a column for the key");
                assert_eq!(column.kind, Kind::Identifier, "{}", endpoint.table);
                // Which of several keys a row belongs to only the row can say.
                let unknown = column.is_of_request() && parent.keys_at_once > 1;
                assert!(!unknown, "{}", endpoint.table);
            }
            let other = crate::find(parent.table).expect("a parent");
            let without = parent.without.map(|without| without.column);
            let only = parent.only.map(|(column, _)| column);
            for name in parent.parent_columns().chain(without).chain(only) {
                assert!(other.field(name).is_some(), "{}: {name}", endpoint.table);
            }
        }
    }

    #[test]
    fn order_and_windows_are_of_times() {
        for endpoint in all() {
            if let Some(order) = endpoint.order {
                let field = endpoint.field(order.column);
                assert_eq!(field.map(|f| f.kind), Some(Kind::Timestamp), "{}", endpoint.table);
            }
            if let Some(window) = endpoint.window {
                assert_eq!(window.field.kind, Kind::Timestamp, "{}", endpoint.table);
                // Sizes of windows are known by their counts, and their rows by their keys.
                assert!(endpoint.count.is_some() && !endpoint.key.is_empty());
                let column = endpoint.field(window.field.name);
                assert!(column.is_none(), "{}: the name is taken", endpoint.table);
            }
        }
    }

    #[test]
    fn what_only_a_request_knows_is_a_key_or_a_period() {
        for endpoint in all() {
            for field in endpoint.fields.iter().filter(|field| field.is_of_request()) {
                let known =
                    endpoint.is_key_of_parent(field.name) || endpoint.is_of_period(field.name);
                assert!(known, "{}.{}", endpoint.table, field.name);
            }
            if let Some(period) = endpoint.period {
                for column in [period.from, period.to] {
                    let field = endpoint.field(column).expect("a column for the bound");
                    assert!(field.is_of_request() && field.kind == Kind::Timestamp);
                }
            }
        }
    }

    #[test]
    fn definitions_and_details_are_where_they_are_said_to_be() {
        for endpoint in all() {
            let sources = endpoint.fields.iter().map(|field| field.source);
            let details = sources.clone().filter(|source| *source == Source::Detail).count();
            assert_eq!(details > 0, endpoint.detail.is_some(), "{}", endpoint.table);
            let defined = sources.filter(|source| matches!(source, Source::Definition(_))).count();
            assert_eq!(defined > 0, endpoint.definitions.is_some(), "{}", endpoint.table);
            let Some(definitions) = endpoint.definitions else { continue };
            let table = crate::find(definitions.table).expect("a table of definitions");
            let columns =
                [definitions.identifier, definitions.name, definitions.kind, definitions.choices];
            assert!(columns.iter().all(|column| table.field(column).is_some()));
            let values = match definitions.list.and_then(|list| endpoint.field(list)) {
                None => endpoint.fields,
                Some(Field { kind: Kind::List(Kind::Struct(members)), .. }) => members,
                Some(other) => panic!("{} is no list of objects", other.name),
            };
            for member in [definitions.identifier, definitions.value, definitions.chosen] {
                let found = values.iter().any(|field| field.name == member);
                assert!(found, "{}: {member}", endpoint.table);
            }
        }
    }

    #[test]
    fn a_selected_column_asks_for_its_group_once() {
        let contacts = crate::find("contacts").expect("declared");
        let requests = contacts.on_request(["notes", "contact_id", "taggings", "notes"]);
        let values: Vec<_> = requests.iter().map(|request| request.value).collect();
        assert_eq!(values, ["notes", "taggings"]);
        assert!(requests.iter().all(|request| request.parameter == "include"));
    }
}
