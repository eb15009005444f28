//! Automations: `automations` and `automation_details`.

use crate::{Endpoint, Envelope, Field, Kind, Parent};

const TAG: &[Field] = &[
    Field::text("key", "What the tag says something of, such as GOAL."),
    Field::text("value", "What it says, in a word."),
    Field::text("display_value", "The same for people."),
];

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "automations",
    description: "The automations of the account.",
    path: "/automations/workflows",
    scope: "campaign_data",
    envelope: Envelope::Array("flow_summaries"),
    key: &["id"],
    estimated_rows: 20,
    fields: &[
        Field::identifier("id", "Identifies the automation."),
        Field::text("name", "Its name."),
        Field::text("description", "What it is for."),
        Field::text("status", "Where it stands, such as ACTIVE."),
        Field::text("active_state", "Where the definition stands that runs."),
        Field::text("draft_state", "Where the definition stands that is worked at."),
        Field::timestamp("created_date", "When it was made."),
        Field::identifier("created_by_id", "The user who made it."),
        Field::timestamp("update_date", "When it last changed."),
        Field::timestamp("promoted_date", "When the definition that runs was put to work."),
        Field::identifier("promoted_by_id", "The user who did that."),
        Field::identifier("template_id", "The template that it was made from."),
        Field::new("structured_tags", Kind::List(&Kind::Struct(TAG)), "What it is tagged with."),
    ],
    ..Endpoint::PLAIN
};

pub(super) const DETAILS: Endpoint = Endpoint {
    table: "automation_details",
    description: "What starts each automation, and what it then does.",
    path: "/automations/workflows/{automation_flow_id}",
    scope: "campaign_data",
    envelope: Envelope::Object,
    key: &["id"],
    parent: Some(Parent { column: "id", table: "automations", key: "id", ..Parent::PLAIN }),
    estimated_rows: 20,
    fields: &[
        Field::identifier("id", "The automation, as in automations."),
        Field::text("name", "Its name."),
        Field::boolean("name_explicitly_set", "Whether somebody chose the name."),
        Field::text("description", "What it is for."),
        Field::text("status", "Where it stands, such as ACTIVE."),
        Field::new("structured_tags", Kind::List(&Kind::Struct(TAG)), "What it is tagged with."),
        // Steps hold steps: no table has their form.
        Field::json("active_definition", "Trigger and steps that run, as JSON."),
        Field::json("draft_definition", "Trigger and steps that are worked at, as JSON."),
    ],
    ..Endpoint::PLAIN
};
