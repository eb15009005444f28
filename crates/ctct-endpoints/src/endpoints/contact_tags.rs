//! `contact_tags`: the tags that contacts can have.

use crate::{Endpoint, Envelope, Field, OnRequest, Paging};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "contact_tags",
    description: "The tags that contacts can have.",
    path: "/contact_tags",
    scope: "contact_data",
    envelope: Envelope::Array("tags"),
    paging: Paging::Links { maximum: 500 },
    key: &["tag_id"],
    estimated_rows: 100,
    fields: &[
        Field::identifier("tag_id", "Identifies the tag."),
        Field::text("name", "The tag's name."),
        Field::integer("contacts_count", "How many contacts have the tag.")
            .when(OnRequest { parameter: "include_count", value: "true" }),
        Field::timestamp("created_at", "When the tag was created."),
        Field::timestamp("updated_at", "When the tag changed."),
        Field::text("tag_source", "What tags contacts with it."),
    ],
    ..Endpoint::PLAIN
};
