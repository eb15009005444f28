//! `segments`: saved questions about contacts.

use crate::{Endpoint, Envelope, Field, Paging};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "segments",
    description: "Saved selections of contacts; deleted ones are left out.",
    path: "/segments",
    scope: "contact_data",
    envelope: Envelope::Array("segments"),
    paging: Paging::Links { maximum: 1000 },
    key: &["segment_id"],
    detail: Some("segment_id"),
    estimated_rows: 20,
    fields: &[
        Field::identifier("segment_id", "Identifies the segment; a number in the API."),
        Field::text("name", "The segment's name."),
        Field::timestamp("created_at", "When the segment was created."),
        Field::timestamp("edited_at", "When its name or its criteria changed."),
        Field::text("segment_criteria", "What its contacts have in common, as JSON.").in_detail(),
    ],
    ..Endpoint::PLAIN
};
