//! `custom_fields`: the definitions of the account's own contact fields.

use crate::{Endpoint, Envelope, Field, Kind, Paging};

const METADATA: &[&str] = &["metadata"];

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "custom_fields",
    description: "The definitions of the account's own contact fields.",
    path: "/contact_custom_fields",
    scope: "contact_data",
    envelope: Envelope::Array("custom_fields"),
    paging: Paging::Links { maximum: 100 },
    key: &["custom_field_id"],
    estimated_rows: 20,
    fields: &[
        Field::identifier("custom_field_id", "Identifies the field."),
        Field::text("label", "The name that people see."),
        Field::text("name", "The unique name made from the label."),
        Field::text(
            "type",
            "string, date, datetime, single_select, multi_select, currency, text_area, number or boolean.",
        ),
        Field::integer("version", "1 keeps dates as text, 2 as dates."),
        Field::text("metadata_display_type", "How choices are shown: radio, dropdown, checkbox.")
            .at(METADATA, "display_type"),
        Field::boolean("metadata_allow_negative", "Whether a number may be negative.")
            .at(METADATA, "allow_negative"),
        Field::integer("metadata_decimal_places", "How many decimal places a number has.")
            .at(METADATA, "decimal_places"),
        Field::text("metadata_currency_code", "The currency's three letters.")
            .at(METADATA, "currency_code"),
        Field::boolean("metadata_integer", "Whether only whole numbers are allowed.")
            .at(METADATA, "integer"),
        Field::text("metadata_display_format", "How a date is shown.")
            .at(METADATA, "display_format"),
        Field::new(
            "choices",
            Kind::List(&Kind::Struct(CHOICE)),
            "The choices of a field that offers choices.",
        ),
        Field::timestamp("created_at", "When the field was created."),
        Field::timestamp("updated_at", "When the field changed."),
    ],
    ..Endpoint::PLAIN
};

const CHOICE: &[Field] = &[
    Field::identifier("custom_field_id", "The field that the choice belongs to."),
    Field::identifier("choice_id", "Identifies the choice; a number or text in the API."),
    Field::text("choice_label", "The name that people see."),
    Field::integer("display_order", "The place in the list of choices."),
    Field::timestamp("created_at", "When the choice was created."),
    Field::timestamp("updated_at", "When the choice changed."),
    Field::date("deleted_at", "The day on which the choice was removed."),
];
