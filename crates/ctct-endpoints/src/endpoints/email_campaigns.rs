//! `email_campaigns`: the account's e-mail campaigns, drafts and removed ones too.

use crate::{Endpoint, Envelope, Field, KeyBinding, KeyRequest, Order, Paging, RangeParameter};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    table: "email_campaigns",
    description: "The e-mail campaigns of the account, drafts and removed ones too.",
    path: "/emails",
    scope: "campaign_data",
    envelope: Envelope::Array("campaigns"),
    paging: Paging::Links { maximum: 500 },
    key: &["campaign_id"],
    ranges: &[RangeParameter { column: "updated_at", after: "after_date", before: "before_date" }],
    keys: &[KeyBinding { column: "campaign_id", request: KeyRequest::LookUp }],
    order: Some(Order { column: "updated_at", descending: true }),
    watermark: Some("updated_at"),
    estimated_rows: 500,
    fields: &[
        Field::identifier("campaign_id", "Identifies the campaign."),
        Field::text("name", "The campaign's name, unique in the account."),
        Field::text("current_status", "Draft, Scheduled, Executing, Done, Error or Removed."),
        Field::text("type", "The kind of campaign, such as NEWSLETTER."),
        Field::integer("type_code", "The kind of campaign as a number, such as 10."),
        Field::timestamp("created_at", "When the campaign was created."),
        Field::timestamp("updated_at", "When the campaign changed."),
    ],
    ..Endpoint::PLAIN
};
