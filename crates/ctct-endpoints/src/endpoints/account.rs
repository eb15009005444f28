//! What belongs to the account: `account_emails`, `account_physical_address`,
//! `user_privileges`.

use crate::{Endpoint, Envelope, Field, Kind, Paging};

pub(super) const EMAILS: Endpoint = Endpoint {
    table: "account_emails",
    description: "The addresses that the account may write from, or has still to confirm.",
    path: "/account/emails",
    scope: "account_read",
    envelope: Envelope::Bare,
    paging: Paging::Single,
    key: &["email_id"],
    estimated_rows: 5,
    fields: &[
        Field::identifier("email_id", "Identifies the address; a number in the API."),
        Field::text("email_address", "The address."),
        Field::text("confirm_status", "CONFIRMED or UNCONFIRMED."),
        Field::timestamp("confirm_time", "When it was confirmed."),
        Field::text("confirm_source_type", "Who confirmed it, such as SITE_OWNER."),
        Field::new("roles", Kind::List(&Kind::Text), "What it is for, such as CONTACT."),
        Field::new("pending_roles", Kind::List(&Kind::Text), "What it will be for."),
    ],
    ..Endpoint::PLAIN
};

pub(super) const PHYSICAL_ADDRESS: Endpoint = Endpoint {
    table: "account_physical_address",
    description: "Where the account's organisation is: one row.",
    path: "/account/summary/physical_address",
    scope: "account_read",
    envelope: Envelope::Object,
    paging: Paging::Single,
    fields: &[
        Field::text("address_line1", "The first line of the address."),
        Field::text("address_line2", "The second line of the address."),
        Field::text("address_line3", "The third line of the address."),
        Field::text("city", "City."),
        Field::text("state_code", "The state, in the US and Canada."),
        Field::text("state_name", "The state, elsewhere."),
        Field::text("postal_code", "Postal code."),
        Field::text("country_code", "The country's two letters."),
    ],
    ..Endpoint::PLAIN
};

pub(super) const PRIVILEGES: Endpoint = Endpoint {
    table: "user_privileges",
    description: "What the user who gave the token may do.",
    path: "/account/user/privileges",
    scope: "",
    envelope: Envelope::Bare,
    paging: Paging::Single,
    key: &["privilege_id"],
    estimated_rows: 40,
    fields: &[
        Field::identifier("privilege_id", "Identifies the privilege; a number in the API."),
        Field::text("privilege_name", "Its name, such as contacts:read."),
    ],
    ..Endpoint::PLAIN
};
