//! `contacts`: the people of an account, everyone but deleted ones.

use crate::{
    CountParameter, Defined, Definitions, Endpoint, Envelope, Field, KeyBinding, KeyRequest, Kind,
    OnRequest, Paging, RangeParameter, Window,
};

pub(super) const EMAIL: &[&str] = &["email_address"];
pub(super) const SMS: &[&str] = &["sms_channel"];

/// Set in contacts that were deleted.
pub(super) const DELETED: Field = Field::date("deleted_at", "When the contact was deleted.");

/// By which status the API selects contacts with a permission: by the same word. Which
/// permissions its status `active` covers is documented nowhere.
const STATUSES: &[(&str, &str)] = &[
    ("not_set", "not_set"),
    ("pending_confirmation", "pending_confirmation"),
    ("temp_hold", "temp_hold"),
    ("unsubscribed", "unsubscribed"),
];

/// How `GET /contacts` counts.
pub(super) const CONTACTS_COUNT: CountParameter =
    CountParameter { parameter: "include_count", member: "contacts_count" };

/// When the contact was added, which never changes.
pub(super) const WINDOW: Window = Window {
    field: Field::timestamp("contact_created_at", "When the contact was added.")
        .at(&[], "created_at"),
    after: "created_after",
    before: "created_before",
};

/// Values of custom fields name their fields, and choices, by identifiers.
pub(super) const CUSTOM_FIELDS: Definitions = Definitions {
    table: "custom_fields",
    identifier: "custom_field_id",
    name: "name",
    kind: "type",
    choices: "choices",
    choice: "choice_id",
    label: "choice_label",
    list: Some("custom_fields"),
    value: "value",
    chosen: "choice_ids",
};

pub(super) const fn include(value: &'static str) -> OnRequest {
    OnRequest { parameter: "include", value }
}

// `email_opt_out_date` answers to parameters that the specification calls
// "unsubscribed after" and "before"; both exist since February 2023.
const RANGES: &[RangeParameter] = &[
    RangeParameter { column: "updated_at", after: "updated_after", before: "updated_before" },
    RangeParameter { column: "created_at", after: "created_after", before: "created_before" },
    RangeParameter { column: "email_opt_out_date", after: "optout_after", before: "optout_before" },
];

const FIELDS: &[Field] = &[
        Field::identifier("contact_id", "Identifies the contact."),
        Field::text("email_address", "The e-mail address; contacts reached by SMS only have none.")
            .at(EMAIL, "address"),
        Field::text(
            "email_permission_to_send",
            "explicit, implicit, not_set, pending_confirmation, temp_hold or unsubscribed.",
        )
        .at(EMAIL, "permission_to_send"),
        Field::timestamp("email_created_at", "When the e-mail address was added.")
            .at(EMAIL, "created_at"),
        Field::timestamp(
            "email_updated_at",
            "When the e-mail address or its permission changed; the contact's own updated_at does not move then.",
        )
        .at(EMAIL, "updated_at"),
        Field::text("email_opt_in_source", "Who opted the address in: Contact or Account.")
            .at(EMAIL, "opt_in_source"),
        Field::timestamp("email_opt_in_date", "When the address was opted in.")
            .at(EMAIL, "opt_in_date"),
        Field::text("email_opt_out_source", "Who unsubscribed the address: Contact or Account.")
            .at(EMAIL, "opt_out_source"),
        Field::timestamp("email_opt_out_date", "When the address was unsubscribed.")
            .at(EMAIL, "opt_out_date"),
        Field::text("email_opt_out_reason", "The reason that the contact gave for leaving.")
            .at(EMAIL, "opt_out_reason"),
        Field::text("email_confirm_status", "pending, confirmed or off.")
            .at(EMAIL, "confirm_status"),
        Field::text("first_name", "The first name."),
        Field::text("last_name", "The last name."),
        Field::text("job_title", "The job title."),
        Field::text("company_name", "The company the contact works for."),
        Field::integer("birthday_month", "The month of birth, 1 to 12."),
        Field::integer("birthday_day", "The day of birth, 1 to 31."),
        Field::text("anniversary", "An anniversary, in whichever form it was entered."),
        Field::text("update_source", "Who last changed the contact: Contact or Account."),
        Field::text("create_source", "Who added the contact: Contact or Account."),
        Field::timestamp("created_at", "When the contact was added; never changes."),
        Field::timestamp(
            "updated_at",
            "When the contact's own values changed; memberships and permission do not move it.",
        ),
        Field::date("deleted_at", "The day on which the contact was deleted."),
        Field::new(
            "custom_fields",
            Kind::List(&Kind::Struct(CUSTOM_FIELD)),
            "The values of the account's own fields.",
        )
        .when(include("custom_fields")),
        Field::new("custom", Kind::Map, "The same by the fields' names: custom['favourite_genre'].")
            .when(include("custom_fields"))
            .defined(Defined::ByName),
        Field::new(
            "phone_numbers",
            Kind::List(&Kind::Struct(PHONE_NUMBER)),
            "Up to three phone numbers.",
        )
        .when(include("phone_numbers")),
        Field::new(
            "street_addresses",
            Kind::List(&Kind::Struct(STREET_ADDRESS)),
            "Up to three street addresses.",
        )
        .when(include("street_addresses")),
        Field::new(
            "list_memberships",
            Kind::List(&Kind::Identifier),
            "The list_id of each list that the contact is on.",
        )
        .when(include("list_memberships")),
        Field::new(
            "taggings",
            Kind::List(&Kind::Identifier),
            "The tag_id of each tag that the contact has.",
        )
        .when(include("taggings")),
        Field::new("notes", Kind::List(&Kind::Struct(NOTE)), "Notes, the newest first.")
            .when(include("notes")),
        Field::identifier("sms_channel_id", "Identifies the contact's SMS channel.")
            .at(SMS, "sms_channel_id"),
        Field::text("sms_address", "The mobile number, without the country's code.")
            .at(SMS, "sms_address"),
        Field::text("sms_dial_code", "The country's dial code.").at(SMS, "dial_code"),
        Field::text("sms_country_code", "The country's two letters.").at(SMS, "country_code"),
        Field::text("sms_update_source", "Who last changed the SMS details.")
            .at(SMS, "update_source"),
        Field::text("sms_create_source", "Who added the SMS details.").at(SMS, "create_source"),
        Field::new(
            "sms_channel_consents",
            Kind::List(&Kind::Struct(SMS_CONSENT)),
            "What the contact consented to receive by SMS.",
        )
        .at(SMS, "sms_channel_consents"),
    ];

/// The rest of the contacts: the API keeps those that were deleted.
pub(super) const DELETED_CONTACTS: Endpoint = Endpoint {
    table: "deleted_contacts",
    description: "The contacts that were deleted, as far as the API still knows them.",
    path: "/contacts",
    fixed: &[("status", "deleted")],
    scope: "contact_data",
    envelope: Envelope::Array("contacts"),
    paging: Paging::Links { maximum: 500 },
    key: &["contact_id"],
    ranges: RANGES,
    count: Some(CONTACTS_COUNT),
    window: Some(WINDOW),
    watermark: Some("updated_at"),
    estimated_rows: 2_000,
    definitions: Some(CUSTOM_FIELDS),
    fields: FIELDS,
    ..Endpoint::PLAIN
};

pub(super) const COUNTS: Endpoint = Endpoint {
    table: "contact_counts",
    description: "How many contacts the account has, by permission: one row.",
    path: "/contacts/counts",
    scope: "contact_data",
    envelope: Envelope::Object,
    paging: Paging::Single,
    fields: &[
        Field::integer("total", "All contacts."),
        Field::integer("explicit", "Those who agreed to get mail."),
        Field::integer("implicit", "Those whose agreement is taken for granted."),
        Field::integer("pending", "Those who have still to confirm."),
        Field::integer("unsubscribed", "Those who left."),
        Field::integer("new_subscriber", "Those who came within the last 30 days.")
            .when(include("new_subscriber")),
    ],
    ..Endpoint::PLAIN
};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "contacts",
    description: "The people of the account, everyone but deleted ones.",
    path: "/contacts",
    scope: "contact_data",
    envelope: Envelope::Array("contacts"),
    paging: Paging::Links { maximum: 500 },
    key: &["contact_id"],
    ranges: RANGES,
    keys: &[
        KeyBinding { column: "contact_id", request: KeyRequest::LookUp },
        KeyBinding { column: "email_address", request: KeyRequest::Equal { parameter: "email" } },
        KeyBinding {
            column: "email_permission_to_send",
            request: KeyRequest::Named { parameter: "status", names: STATUSES },
        },
        KeyBinding {
            column: "list_memberships",
            request: KeyRequest::List { parameter: "lists", maximum: 25 },
        },
        KeyBinding {
            column: "taggings",
            request: KeyRequest::List { parameter: "tags", maximum: 50 },
        },
    ],
    // A contact that is looked up, or found by its status, may have been deleted.
    always_null: Some(DELETED),
    count: Some(CONTACTS_COUNT),
    window: Some(WINDOW),
    watermark: Some("updated_at"),
    // Whoever unsubscribes does not move updated_at, and whoever is deleted is not here.
    further_watermarks: &["email_opt_out_date"],
    gone: Some("deleted_contacts"),
    estimated_rows: 50_000,
    definitions: Some(CUSTOM_FIELDS),
    fields: FIELDS,
    ..Endpoint::PLAIN
};

const CUSTOM_FIELD: &[Field] = &[
    Field::identifier("custom_field_id", "The field, as in the table custom_fields."),
    Field::text("value", "The value, always as text."),
    Field::new(
        "choice_ids",
        Kind::List(&Kind::Identifier),
        "The choices, for fields that offer choices.",
    ),
];

const PHONE_NUMBER: &[Field] = &[
    Field::identifier("phone_number_id", "Identifies the phone number."),
    Field::text("phone_number", "The number as entered."),
    Field::text("kind", "home, work, mobile or other."),
    Field::timestamp("created_at", "When the number was added."),
    Field::timestamp("updated_at", "When the number changed."),
    Field::text("update_source", "Who last changed the number: Contact or Account."),
    Field::text("create_source", "Who added the number: Contact or Account."),
];

const STREET_ADDRESS: &[Field] = &[
    Field::identifier("street_address_id", "Identifies the address."),
    Field::text("kind", "home, work or other."),
    Field::text("street", "Street and number."),
    Field::text("city", "City."),
    Field::text("state", "State or province."),
    Field::text("postal_code", "Postal code."),
    Field::text("country", "Country."),
    Field::timestamp("created_at", "When the address was added."),
    Field::timestamp("updated_at", "When the address changed."),
];

const NOTE: &[Field] = &[
    Field::identifier("note_id", "Identifies the note."),
    Field::timestamp("created_at", "When the note was written."),
    Field::text("content", "The note."),
];

const SMS_CONSENT: &[Field] = &[
    Field::text("sms_consent_permission", "explicit, opt_out or pending_confirmation."),
    Field::text("consent_type", "What was consented to; promotional_sms so far."),
    Field::timestamp("opt_in_date", "When the contact opted in."),
    Field::timestamp("opt_out_date", "When the contact opted out."),
    Field::text("advertised_frequency", "How many messages were announced per interval."),
    Field::text("advertised_interval", "daily, weekly or monthly."),
    Field::timestamp("created_at", "When the consent was recorded."),
    Field::timestamp("updated_at", "When the consent changed."),
];
