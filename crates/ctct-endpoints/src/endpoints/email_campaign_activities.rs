//! `email_campaign_activities`: the parts of each campaign, which reports are about.

use crate::{Endpoint, Envelope, Field, Paging, Parent};

const ACTIVITIES: &[&str] = &["campaign_activities"];

/// Each activity of each campaign; reports are kept of those that were sent.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "email_campaign_activities",
    description: "The activities of each campaign: the e-mail, its web page, its resend.",
    path: "/emails/{campaign_id}",
    scope: "campaign_data",
    envelope: Envelope::Object,
    paging: Paging::Single,
    list: Some(ACTIVITIES),
    key: &["campaign_activity_id"],
    parent: Some(Parent {
        column: "campaign_id",
        table: "email_campaigns",
        key: "campaign_id",
        ..Parent::PLAIN
    }),
    estimated_rows: 1_000,
    fields: &[
        Field::identifier("campaign_activity_id", "Identifies the activity.")
            .at(ACTIVITIES, "campaign_activity_id"),
        Field::identifier("campaign_id", "The campaign, as in email_campaigns."),
        Field::text("role", "primary_email, permalink (the web page) or resend.")
            .at(ACTIVITIES, "role"),
        Field::identifier("document_id", "The document that the activity was made from.")
            .at(ACTIVITIES, "document_id"),
    ],
    ..Endpoint::PLAIN
};
