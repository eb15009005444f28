//! `contact_lists`, `sms_lists` and `deleted_contact_lists`: the lists that contacts are, or
//! were, members of.

use crate::{CountParameter, Endpoint, Envelope, Field, KeyBinding, KeyRequest, OnRequest, Paging};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "contact_lists",
    description: "The lists that contacts are members of, to get e-mail.",
    path: "/contact_lists",
    scope: "contact_data",
    envelope: Envelope::Array("lists"),
    // The text of the specification says 500, its schema and the guide say 1000.
    paging: Paging::Links { maximum: 1000 },
    key: &["list_id"],
    keys: &[KeyBinding { column: "name", request: KeyRequest::Equal { parameter: "name" } }],
    count: Some(CountParameter { parameter: "include_count", member: "lists_count" }),
    estimated_rows: 50,
    fields: &[
        Field::identifier("list_id", "Identifies the list."),
        Field::text("name", "The list's name."),
        Field::text("description", "What the list is for."),
        Field::boolean("favorite", "Whether the account marked the list as a favourite."),
        Field::timestamp("created_at", "When the list was created."),
        Field::timestamp("updated_at", "When the list changed."),
        Field::timestamp("deleted_at", "When the list was deleted."),
        Field::integer("membership_count", "How many contacts are on the list, mailable or not.")
            .when(OnRequest { parameter: "include_membership_count", value: "all" }),
    ],
    ..Endpoint::PLAIN
};

/// The API gives the lists of one channel at a time.
pub(super) const SMS: Endpoint = Endpoint {
    table: "sms_lists",
    description: "The lists that contacts are members of, to get text messages.",
    fixed: &[("channel_type", "sms")],
    estimated_rows: 5,
    ..ENDPOINT
};

pub(super) const DELETED: Endpoint = Endpoint {
    table: "deleted_contact_lists",
    description: "The lists for e-mail that were deleted, as far as the API still knows them.",
    fixed: &[("status", "deleted")],
    estimated_rows: 5,
    ..ENDPOINT
};
