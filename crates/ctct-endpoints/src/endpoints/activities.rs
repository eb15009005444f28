//! `activities`: the bulk jobs of the last ten days.

use crate::{Endpoint, Envelope, Field, KeyBinding, KeyRequest, Kind, Paging};

const STATUS: &[&str] = &["status"];

const fn items(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::integer(name, description).at(STATUS, member)
}

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "activities",
    description: "Imports, exports and other bulk jobs of the last ten days.",
    path: "/activities",
    scope: "contact_data",
    envelope: Envelope::Array("activities"),
    paging: Paging::Links { maximum: 500 },
    key: &["activity_id"],
    keys: &[
        KeyBinding { column: "activity_id", request: KeyRequest::LookUp },
        KeyBinding {
            column: "state",
            request: KeyRequest::OneOf {
                parameter: "state",
                values: &["processing", "completed", "cancelled", "failed", "timed_out"],
            },
        },
    ],
    estimated_rows: 50,
    fields: &[
        Field::identifier("activity_id", "Identifies the job."),
        Field::text("state", "initialized, processing, completed, cancelled, failed or timed_out."),
        Field::integer("percent_done", "How much of it is done."),
        Field::timestamp("created_at", "When it was asked for."),
        Field::timestamp("started_at", "When it began."),
        Field::timestamp("completed_at", "When it ended."),
        Field::timestamp("updated_at", "When it last changed."),
        Field::text("source_file_name", "The file that it read."),
        Field::new("activity_errors", Kind::List(&Kind::Text), "What went wrong."),
        items("items_total_count", "items_total_count", "How many items it has."),
        items("items_completed_count", "items_completed_count", "How many of them are done."),
        items("person_count", "person_count", "How many contacts an import has."),
        items("error_count", "error_count", "How many of them cannot be imported."),
        items("correctable_count", "correctable_count", "How many would be, once corrected."),
        items(
            "cannot_add_to_list_count",
            "cannot_add_to_list_count",
            "How many cannot be put on a list, because they left.",
        ),
        items("list_count", "list_count", "How many lists it touches."),
        Field::text("link_self", "The path of the job.").at(&["_links", "self"], "href"),
        Field::text("link_results", "The path of what it made.").at(&["_links", "results"], "href"),
    ],
    ..Endpoint::PLAIN
};
