//! `email_campaign_summaries`: what each sent campaign achieved.

use crate::{Endpoint, Envelope, Field, Order, Paging};

const COUNTS: &[&str] = &["unique_counts"];

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "email_campaign_summaries",
    description: "What each sent campaign achieved, in unique contacts; join email_campaigns for the name.",
    path: "/reports/summary_reports/email_campaign_summaries",
    scope: "campaign_data",
    envelope: Envelope::Array("bulk_email_campaign_summaries"),
    paging: Paging::Links { maximum: 500 },
    key: &["campaign_id"],
    order: Some(Order { column: "last_sent_date", descending: true }),
    estimated_rows: 500,
    fields: &[
        Field::identifier("campaign_id", "The campaign, as in email_campaigns."),
        Field::text("campaign_type", "The kind of campaign, such as NEWSLETTER."),
        Field::timestamp("last_sent_date", "When the campaign was last sent."),
        Field::integer("unique_counts_sends", "Contacts it was sent to.").at(COUNTS, "sends"),
        Field::integer("unique_counts_opens", "Contacts that opened it.").at(COUNTS, "opens"),
        Field::integer("unique_counts_clicks", "Contacts that clicked in it.").at(COUNTS, "clicks"),
        Field::integer("unique_counts_forwards", "Contacts that forwarded it.")
            .at(COUNTS, "forwards"),
        Field::integer("unique_counts_optouts", "Contacts that unsubscribed by it.")
            .at(COUNTS, "optouts"),
        Field::integer("unique_counts_abuse", "Contacts that reported it as spam.")
            .at(COUNTS, "abuse"),
        Field::integer("unique_counts_bounces", "Contacts whose address bounced it.")
            .at(COUNTS, "bounces"),
        Field::integer("unique_counts_not_opened", "Contacts that got it and did not open it.")
            .at(COUNTS, "not_opened"),
    ],
    ..Endpoint::PLAIN
};
