//! The lists inside of contacts, each as a table of its own: `contact_list_memberships`,
//! `contact_taggings`, `contact_custom_field_values`, `contact_phone_numbers`,
//! `contact_street_addresses`, `contact_notes` and `contact_sms_consents`. They read the pages
//! of contacts.

use super::contacts::{CONTACTS_COUNT, CUSTOM_FIELDS, DELETED, SMS, WINDOW, include};
use crate::{
    Defined, Definitions, Endpoint, Envelope, Field, KeyBinding, KeyRequest, Kind, Paging,
};

const BY_CONTACT: KeyBinding = KeyBinding { column: "contact_id", request: KeyRequest::LookUp };
const CONTACT_ID: Field = Field::identifier("contact_id", "The contact.");

/// The table of a list inside of contacts.
const fn table(
    table: &'static str,
    description: &'static str,
    list: &'static [&'static str],
) -> Endpoint {
    Endpoint {
        table,
        description,
        path: "/contacts",
        scope: "contact_data",
        envelope: Envelope::Array("contacts"),
        paging: Paging::Links { maximum: 500 },
        keys: &[BY_CONTACT],
        always_null: Some(DELETED),
        list: Some(list),
        // Of contacts, not of what they hold.
        count: Some(CONTACTS_COUNT),
        window: Some(WINDOW),
        estimated_rows: 50_000,
        ..Endpoint::PLAIN
    }
}

const LISTS: &[&str] = &["list_memberships"];

pub(super) const LIST_MEMBERSHIPS: Endpoint = Endpoint {
    key: &["contact_id", "list_id"],
    keys: &[
        BY_CONTACT,
        KeyBinding {
            column: "list_id",
            request: KeyRequest::List { parameter: "lists", maximum: 25 },
        },
    ],
    fields: &[
        CONTACT_ID,
        Field::identifier("list_id", "A list that the contact is on.")
            .at(LISTS, "")
            .when(include("list_memberships")),
    ],
    ..table("contact_list_memberships", "Which contact is on which list.", LISTS)
};

const TAGS: &[&str] = &["taggings"];

pub(super) const TAGGINGS: Endpoint = Endpoint {
    key: &["contact_id", "tag_id"],
    keys: &[
        BY_CONTACT,
        KeyBinding {
            column: "tag_id",
            request: KeyRequest::List { parameter: "tags", maximum: 50 },
        },
    ],
    fields: &[
        CONTACT_ID,
        Field::identifier("tag_id", "A tag that the contact has.")
            .at(TAGS, "")
            .when(include("taggings")),
    ],
    ..table("contact_taggings", "Which contact has which tag.", TAGS)
};

const fn defined(field: Field, how: Defined) -> Field {
    field.when(include("custom_fields")).defined(how)
}

const VALUES: &[&str] = &["custom_fields"];

pub(super) const CUSTOM_FIELD_VALUES: Endpoint = Endpoint {
    key: &["contact_id", "custom_field_id"],
    fields: &[
        CONTACT_ID,
        Field::identifier("custom_field_id", "The field, as in the table custom_fields.")
            .at(VALUES, "custom_field_id")
            .when(include("custom_fields")),
        Field::text("value", "The value, always as text.")
            .at(VALUES, "value")
            .when(include("custom_fields")),
        Field::new(
            "choice_ids",
            Kind::List(&Kind::Identifier),
            "The choices, for fields that offer choices.",
        )
        .at(VALUES, "choice_ids")
        .when(include("custom_fields")),
        defined(Field::text("field_name", "The field's name."), Defined::Name),
        defined(Field::text("field_type", "The field's type, such as date."), Defined::Kind),
        defined(
            Field::text("text_value", "The value of a text; the labels of choices."),
            Defined::Text,
        ),
        defined(
            Field::number("number_value", "The value of a number or an amount."),
            Defined::Number,
        ),
        defined(
            Field::date("date_value", "The day of a date, or of a date and time."),
            Defined::Date,
        ),
        defined(Field::timestamp("time_value", "The value of a date and time."), Defined::Time),
        defined(
            Field::boolean("boolean_value", "The value of what is true or false."),
            Defined::Boolean,
        ),
    ],
    definitions: Some(Definitions { list: None, ..CUSTOM_FIELDS }),
    ..table(
        "contact_custom_field_values",
        "The values of the account's own fields, one row for each contact and field.",
        VALUES,
    )
};

const PHONES: &[&str] = &["phone_numbers"];

const fn phone(field: Field, member: &'static str) -> Field {
    field.at(PHONES, member).when(include("phone_numbers"))
}

pub(super) const PHONE_NUMBERS: Endpoint = Endpoint {
    key: &["phone_number_id"],
    fields: &[
        CONTACT_ID,
        phone(
            Field::identifier("phone_number_id", "Identifies the phone number."),
            "phone_number_id",
        ),
        phone(Field::text("phone_number", "The number as entered."), "phone_number"),
        phone(Field::text("kind", "home, work, mobile or other."), "kind"),
        phone(Field::timestamp("created_at", "When the number was added."), "created_at"),
        phone(Field::timestamp("updated_at", "When the number changed."), "updated_at"),
        phone(
            Field::text("update_source", "Who last changed the number: Contact or Account."),
            "update_source",
        ),
        phone(
            Field::text("create_source", "Who added the number: Contact or Account."),
            "create_source",
        ),
    ],
    ..table("contact_phone_numbers", "The phone numbers of contacts.", PHONES)
};

const ADDRESSES: &[&str] = &["street_addresses"];

const fn address(field: Field, member: &'static str) -> Field {
    field.at(ADDRESSES, member).when(include("street_addresses"))
}

pub(super) const STREET_ADDRESSES: Endpoint = Endpoint {
    key: &["street_address_id"],
    fields: &[
        CONTACT_ID,
        address(
            Field::identifier("street_address_id", "Identifies the address."),
            "street_address_id",
        ),
        address(Field::text("kind", "home, work or other."), "kind"),
        address(Field::text("street", "Street and number."), "street"),
        address(Field::text("city", "City."), "city"),
        address(Field::text("state", "State or province."), "state"),
        address(Field::text("postal_code", "Postal code."), "postal_code"),
        address(Field::text("country", "Country."), "country"),
        address(Field::timestamp("created_at", "When the address was added."), "created_at"),
        address(Field::timestamp("updated_at", "When the address changed."), "updated_at"),
    ],
    ..table("contact_street_addresses", "The street addresses of contacts.", ADDRESSES)
};

const NOTES: &[&str] = &["notes"];

pub(super) const NOTES_TABLE: Endpoint = Endpoint {
    key: &["note_id"],
    fields: &[
        CONTACT_ID,
        Field::identifier("note_id", "Identifies the note.")
            .at(NOTES, "note_id")
            .when(include("notes")),
        Field::timestamp("created_at", "When the note was written.")
            .at(NOTES, "created_at")
            .when(include("notes")),
        Field::text("content", "The note.").at(NOTES, "content").when(include("notes")),
    ],
    ..table("contact_notes", "The notes about contacts.", NOTES)
};

const CONSENTS: &[&str] = &["sms_channel", "sms_channel_consents"];

/// By which status the API selects contacts whose consent is this: by the same word, but for
/// what it calls unsubscribed in one place and opted out in the other. There is one type of
/// consent, so a contact has one at most.
const SMS_STATUSES: &[(&str, &str)] = &[
    ("explicit", "explicit"),
    ("opt_out", "unsubscribed"),
    ("pending_confirmation", "pending_confirmation"),
];

pub(super) const SMS_CONSENTS: Endpoint = Endpoint {
    key: &["contact_id", "consent_type"],
    keys: &[
        BY_CONTACT,
        KeyBinding {
            column: "sms_consent_permission",
            request: KeyRequest::Named { parameter: "sms_status", names: SMS_STATUSES },
        },
    ],
    fields: &[
        CONTACT_ID,
        Field::text("sms_address", "The mobile number, without the country's code.")
            .at(SMS, "sms_address"),
        Field::text("sms_consent_permission", "explicit, opt_out or pending_confirmation.")
            .at(CONSENTS, "sms_consent_permission"),
        Field::text("consent_type", "What was consented to; promotional_sms so far.")
            .at(CONSENTS, "consent_type"),
        Field::timestamp("opt_in_date", "When the contact opted in.").at(CONSENTS, "opt_in_date"),
        Field::timestamp("opt_out_date", "When the contact opted out.")
            .at(CONSENTS, "opt_out_date"),
        Field::text("advertised_frequency", "How many messages were announced per interval.")
            .at(CONSENTS, "advertised_frequency"),
        Field::text("advertised_interval", "daily, weekly or monthly.")
            .at(CONSENTS, "advertised_interval"),
        Field::timestamp("created_at", "When the consent was recorded.").at(CONSENTS, "created_at"),
        Field::timestamp("updated_at", "When the consent changed.").at(CONSENTS, "updated_at"),
    ],
    ..table("contact_sms_consents", "What contacts agreed to get by text message.", CONSENTS)
};
