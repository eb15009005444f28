//! Text messages: `sms_campaign_summaries` and `sms_engagement_history`.

use super::contact_reports::OF_CONTACT;
use crate::{Endpoint, Envelope, Field, Order, Paging, RangeParameter};

const COUNTS: &[&str] = &["unique_counts"];

const fn count(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::integer(name, description).at(COUNTS, member)
}

pub(super) const CAMPAIGN_SUMMARIES: Endpoint = Endpoint {
    table: "sms_campaign_summaries",
    description: "What each text message that was sent achieved.",
    path: "/reports/summary_reports/sms_campaign_summaries",
    // The API insists on a beginning: this is before there were any.
    fixed: &[("start_at", "2000-01-01T00:00:00Z")],
    scope: "campaign_data",
    envelope: Envelope::Array("bulk_sms_campaign_summaries"),
    paging: Paging::Links { maximum: 50 },
    key: &["campaign_id"],
    ranges: &[RangeParameter { column: "last_sent_date", after: "start_at", before: "end_at" }],
    order: Some(Order { column: "last_sent_date", descending: true }),
    estimated_rows: 50,
    fields: &[
        Field::identifier("campaign_id", "Identifies the campaign."),
        Field::text("campaign_name", "The campaign's name."),
        Field::text("campaign_type", "The campaign's type, such as SMS."),
        Field::timestamp("last_sent_date", "When it was last sent."),
        count("unique_counts_sends", "sends", "Contacts it was sent to."),
        count("unique_counts_delivers", "delivers", "Contacts it reached."),
        count("unique_counts_opens", "opens", "Contacts that opened it."),
        count("unique_counts_clicks", "clicks", "Contacts that clicked in it."),
        count("unique_counts_optouts", "optouts", "Contacts that opted out by it."),
    ],
    ..Endpoint::PLAIN
};

const DETAILS: &[&str] = &["history_details"];

const fn detail(field: Field, member: &'static str) -> Field {
    field.at(DETAILS, member)
}

pub(super) const ENGAGEMENT_HISTORY: Endpoint = Endpoint {
    table: "sms_engagement_history",
    description: "How each contact agreed to get text messages, and left again.",
    path: "/contacts/sms_engagement_history/{contact_id}",
    scope: "contact_data",
    envelope: Envelope::Bare,
    key: &["sms_channel_history_id"],
    parent: Some(OF_CONTACT),
    estimated_rows: 10_000,
    fields: &[
        Field::identifier("sms_channel_history_id", "Identifies the entry."),
        Field::identifier("contact_id", "The contact."),
        Field::identifier("sms_channel_id", "The contact's channel for text messages."),
        Field::timestamp("insert_time", "When the entry was made."),
        detail(Field::text("state", "E (agreed) or O (opted out)."), "state"),
        detail(Field::text("source", "Who: A (account), C (contact) or S (system)."), "source"),
        detail(Field::text("consent_type", "To what, such as promotional_sms."), "consent_type"),
        detail(
            Field::timestamp("consent_action_time", "When the contact's consent changed."),
            "consent_action_time",
        ),
        detail(
            Field::text("consent_action_type", "How, such as confirmed_opt_in or opt_out."),
            "consent_action_type",
        ),
        detail(
            Field::text(
                "consent_medium_type",
                "By which means: MD (mobile device), LF (form) and others.",
            ),
            "consent_medium_type",
        ),
        detail(
            Field::text("source_consent_timestamp", "When the source says that it changed."),
            "source_consent_timestamp",
        ),
        detail(
            Field::text("source_sms_number", "The number that the source names."),
            "source_sms_number",
        ),
        detail(
            Field::integer("advertised_frequency", "How many messages were announced."),
            "advertised_frequency",
        ),
        detail(
            Field::text("advertised_interval", "In which time: D, W or M."),
            "advertised_interval",
        ),
    ],
    ..Endpoint::PLAIN
};
