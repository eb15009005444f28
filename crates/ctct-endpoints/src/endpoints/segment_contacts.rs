//! `segment_contacts`: who is in a segment.

use super::contacts;
use crate::{Endpoint, Envelope, Field, Paging, Parent};

/// The API lets `segment_id` go with `limit` only: neither a count nor what else a contact
/// has can be asked for, and no part of a segment.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "segment_contacts",
    description: "Which contact is in which segment.",
    path: "/contacts",
    scope: "contact_data",
    envelope: Envelope::Array("contacts"),
    paging: Paging::Links { maximum: 500 },
    key: &["segment_id", "contact_id"],
    parent: Some(Parent {
        column: "segment_id",
        parameter: Some("segment_id"),
        table: "segments",
        key: "segment_id",
        ..Parent::PLAIN
    }),
    estimated_rows: 50_000,
    fields: &[
        Field::identifier("segment_id", "The segment, as in segments.").of_request(),
        Field::identifier("contact_id", "The contact."),
        Field::text("email_address", "The e-mail address.").at(contacts::EMAIL, "address"),
        Field::text("email_permission_to_send", "As in contacts.")
            .at(contacts::EMAIL, "permission_to_send"),
        Field::text("first_name", "The first name."),
        Field::text("last_name", "The last name."),
        Field::timestamp("created_at", "When the contact was added; never changes."),
        Field::timestamp("updated_at", "When the contact's own values changed."),
    ],
    ..Endpoint::PLAIN
};
