//! `account_summary`: the one account that the connection belongs to.

use crate::{Endpoint, Envelope, Field, OnRequest, Paging};

const ADDRESS: &[&str] = &["physical_address"];
const LOGO: &[&str] = &["company_logo"];

const fn extra(value: &'static str) -> OnRequest {
    OnRequest { parameter: "extra_fields", value }
}

const fn address(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::text(name, description).at(ADDRESS, member).when(extra("physical_address"))
}

const fn logo(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::text(name, description).at(LOGO, member).when(extra("company_logo"))
}

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "account_summary",
    description: "The account that the connection belongs to: one row.",
    path: "/account/summary",
    scope: "account_read",
    envelope: Envelope::Object,
    paging: Paging::Single,
    estimated_rows: 1,
    fields: &[
        Field::identifier("encoded_account_id", "Identifies the account."),
        Field::identifier("encoded_partner_id", "The partner that set the account up."),
        Field::text("organization_name", "The organisation's name."),
        Field::text("organization_phone", "The organisation's phone number."),
        Field::text("first_name", "The owner's first name."),
        Field::text("last_name", "The owner's last name."),
        Field::text("contact_email", "The owner's e-mail address."),
        Field::text("contact_phone", "The owner's phone number."),
        Field::text("country_code", "The country's two letters."),
        Field::text("state_code", "The state's two letters."),
        Field::text("time_zone_id", "The account's time zone, such as US/Eastern."),
        Field::text("website", "The organisation's web site."),
        address("physical_address_line1", "address_line1", "The first line of the address."),
        address("physical_address_line2", "address_line2", "The second line of the address."),
        address("physical_address_line3", "address_line3", "The third line of the address."),
        address("physical_address_city", "city", "The city of the address."),
        address("physical_address_state_code", "state_code", "The state, in the US and Canada."),
        address("physical_address_state_name", "state_name", "The state, elsewhere."),
        address("physical_address_postal_code", "postal_code", "The postal code of the address."),
        address("physical_address_country_code", "country_code", "The country of the address."),
        logo("company_logo_url", "url", "Where the logo is kept."),
        logo("company_logo_external_url", "external_url", "Where a logo kept elsewhere is."),
        logo("company_logo_internal_id", "internal_id", "Identifies the logo in the account."),
    ],
    ..Endpoint::PLAIN
};
