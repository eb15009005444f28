//! The declarations, one file each, and the way to find them.

mod account;
mod account_summary;
mod contact_details;
mod contact_lists;
mod contact_tags;
mod contacts;
mod custom_fields;
mod email_campaign_activities;
mod email_campaign_summaries;
mod email_campaigns;
mod email_reports;
mod email_stats;
mod segment_contacts;
mod segments;

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
        contact_lists::ENDPOINT,
        contact_tags::ENDPOINT,
        segments::ENDPOINT,
        segment_contacts::ENDPOINT,
        custom_fields::ENDPOINT,
        email_campaigns::ENDPOINT,
        email_campaign_activities::ENDPOINT,
        email_campaign_summaries::ENDPOINT,
        email_stats::CAMPAIGNS,
        email_reports::SENDS,
        email_reports::OPENS,
        email_reports::UNIQUE_OPENS,
        email_reports::DID_NOT_OPENS,
        email_reports::CLICKS,
        email_reports::LINKS,
        email_reports::FORWARDS,
        email_reports::OPTOUTS,
        email_reports::BOUNCES,
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

    use crate::{Envelope, Kind, Paging, all};

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
                let of_event = endpoint.order.is_some_and(|order| order.column == *key);
                let expected = if of_event { Kind::Timestamp } else { Kind::Identifier };
                assert_eq!(kind, Some(expected), "{}", endpoint.table);
            }
            for range in endpoint.ranges {
                let field = endpoint.field(range.column);
                assert_eq!(field.map(|f| f.kind), Some(Kind::Timestamp), "{}", endpoint.table);
            }
            if let Some(watermark) = endpoint.watermark {
                assert!(endpoint.range(watermark).is_some(), "{}", endpoint.table);
            }
        }
    }

    #[test]
    fn only_a_table_of_one_row_goes_without_a_key() {
        for endpoint in all() {
            let one_row = endpoint.envelope == Envelope::Object && endpoint.parent.is_none();
            assert_eq!(endpoint.key.is_empty(), one_row, "{}", endpoint.table);
            if endpoint.envelope == Envelope::Object {
                assert_eq!(endpoint.paging, Paging::Single, "{}", endpoint.table);
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
            assert_eq!(braces, usize::from(parent.parameter.is_none()), "{}", endpoint.table);
            assert!(parent.keys_at_once > 0, "{}", endpoint.table);
            let column = endpoint.field(parent.column).expect("a column for the key");
            assert_eq!(column.kind, Kind::Identifier, "{}", endpoint.table);
            // Which of several keys a row belongs to only the row can say.
            assert!(parent.keys_at_once == 1 || !column.of_request, "{}", endpoint.table);
            let other = crate::find(parent.table).expect("a parent");
            let names = [Some(parent.key), parent.without.map(|without| without.column)];
            for name in names.into_iter().flatten() {
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
    fn a_selected_column_asks_for_its_group_once() {
        let contacts = crate::find("contacts").expect("declared");
        let requests = contacts.on_request(["notes", "contact_id", "taggings", "notes"]);
        let values: Vec<_> = requests.iter().map(|request| request.value).collect();
        assert_eq!(values, ["notes", "taggings"]);
        assert!(requests.iter().all(|request| request.parameter == "include"));
    }
}
