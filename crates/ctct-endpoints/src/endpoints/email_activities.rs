//! What an e-mail of a campaign is made of, and when it goes out: `email_activities`,
//! `email_schedules`, `email_send_history`, `email_non_opener_resends`, `email_ab_tests`,
//! `email_previews`.

use crate::{Endpoint, Envelope, Field, Kind, OnRequest, Parent, Without};

/// Every activity of every campaign. Of removed ones the API knows nothing any more, and
/// says that it has not found them.
const OF_ACTIVITY: Parent = Parent {
    column: "campaign_activity_id",
    table: "email_campaign_activities",
    key: "campaign_activity_id",
    ..Parent::PLAIN
};

/// Activities that are sent: the web page of a campaign is not.
const OF_SENT: Parent =
    Parent { without: Some(Without { column: "role", values: &["permalink"] }), ..OF_ACTIVITY };

/// What is set up for the first e-mail of a campaign alone.
const OF_PRIMARY: Parent = Parent {
    without: Some(Without { column: "role", values: &["permalink", "resend"] }),
    ..OF_ACTIVITY
};

const ACTIVITY: Field =
    Field::identifier("campaign_activity_id", "The activity, as in email_campaign_activities.");

const FOOTER: &[&str] = &["physical_address_in_footer"];
const PROPERTIES: &[&str] = &["document_properties"];

const fn included(value: &'static str) -> OnRequest {
    OnRequest { parameter: "include", value }
}

const fn footer(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::text(name, description).at(FOOTER, member).when(included("physical_address_in_footer"))
}

const fn property(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::text(name, description).at(PROPERTIES, member).when(included("document_properties"))
}

pub(super) const ACTIVITIES: Endpoint = Endpoint {
    table: "email_activities",
    description: "Each e-mail of each campaign: subject, sender, recipients, content.",
    path: "/emails/activities/{campaign_activity_id}",
    scope: "campaign_data",
    key: &["campaign_activity_id"],
    parent: Some(OF_ACTIVITY),
    estimated_rows: 1_000,
    fields: &[
        ACTIVITY,
        Field::identifier("campaign_id", "The campaign, as in email_campaigns."),
        Field::text("role", "primary_email, permalink (the web page) or resend."),
        Field::text("current_status", "DRAFT, SCHEDULED, EXECUTING, DONE, ERROR or REMOVED."),
        Field::text("subject", "The subject line."),
        Field::text("preheader", "The line that mail programs show after the subject."),
        Field::text("from_name", "The sender's name."),
        Field::text("from_email", "The sender's address."),
        Field::text("reply_to_email", "The address that answers go to."),
        Field::integer("format_type", "How it was made: 1 to 5; 5 is custom code."),
        Field::new(
            "contact_list_ids",
            Kind::List(&Kind::Identifier),
            "The lists that it goes to, as in contact_lists.",
        ),
        Field::new(
            "segment_ids",
            Kind::List(&Kind::Identifier),
            "The segment that it goes to, as in segments.",
        ),
        Field::identifier("document_id", "The document that it was made from."),
        Field::text("permalink_url", "Where the web page of it is.")
            .when(included("permalink_url")),
        Field::text("html_content", "The content, for custom code.").when(included("html_content")),
        footer("footer_organization_name", "organization_name", "Whose address the footer has."),
        footer("footer_address_line1", "address_line1", "The first line of that address."),
        footer("footer_address_line2", "address_line2", "The second line of that address."),
        footer("footer_address_line3", "address_line3", "The third line of that address."),
        footer("footer_address_optional", "address_optional", "What else helps to find it."),
        footer("footer_city", "city", "The city of that address."),
        footer("footer_state_code", "state_code", "The state's two letters, in the US."),
        footer("footer_state_name", "state_name", "The state's name, in the US."),
        footer("footer_state_non_us_name", "state_non_us_name", "The state, elsewhere."),
        footer("footer_postal_code", "postal_code", "The postal code of that address."),
        footer("footer_country_code", "country_code", "The country's two letters."),
        footer("footer_country_name", "country_name", "The country's name."),
        property("style_content", "style_content", "The style sheet, for XHTML letters."),
        property("letter_format", "letter_format", "HTML or XHTML."),
        property("greeting_salutation", "greeting_salutation", "The word before the name."),
        property(
            "greeting_name_type",
            "greeting_name_type",
            "Which name follows: F (first), L (last), B (both) or N (none).",
        ),
        property(
            "greeting_secondary",
            "greeting_secondary",
            "The greeting where no name is known.",
        ),
        property("subscribe_link_enabled", "subscribe_link_enabled", "Whether it may be joined."),
        property("subscribe_link_name", "subscribe_link_name", "The words of the link for that."),
        property("text_content", "text_content", "The content as text."),
        property(
            "permission_reminder_enabled",
            "permission_reminder_enabled",
            "Whether it says why the contact gets it.",
        ),
        property("permission_reminder", "permission_reminder", "The words that say why."),
        property(
            "view_as_webpage_enabled",
            "view_as_webpage_enabled",
            "Whether it leads to its web page.",
        ),
        property("view_as_webpage_text", "view_as_webpage_text", "The words before that link."),
        property(
            "view_as_webpage_link_name",
            "view_as_webpage_link_name",
            "The words of that link.",
        ),
        property(
            "forward_email_link_enabled",
            "forward_email_link_enabled",
            "Whether it has a link to forward it by.",
        ),
        property("forward_email_link_name", "forward_email_link_name", "The words of that link."),
    ],
    ..Endpoint::PLAIN
};

pub(super) const SCHEDULES: Endpoint = Endpoint {
    table: "email_schedules",
    description: "When each scheduled e-mail will be sent.",
    path: "/emails/activities/{campaign_activity_id}/schedules",
    scope: "campaign_data",
    envelope: Envelope::Bare,
    key: &["campaign_activity_id", "scheduled_date"],
    parent: Some(OF_SENT),
    estimated_rows: 10,
    fields: &[ACTIVITY.of_request(), Field::timestamp("scheduled_date", "When it will be sent.")],
    ..Endpoint::PLAIN
};

pub(super) const SEND_HISTORY: Endpoint = Endpoint {
    table: "email_send_history",
    description: "Each time that an e-mail was sent: to whom, and how that went.",
    path: "/emails/activities/{campaign_activity_id}/send_history",
    scope: "campaign_data",
    envelope: Envelope::Bare,
    key: &["campaign_activity_id", "send_id"],
    parent: Some(OF_SENT),
    estimated_rows: 600,
    fields: &[
        ACTIVITY.of_request(),
        Field::identifier("send_id", "Counts the times that this e-mail was sent, from 1."),
        Field::timestamp("run_date", "When it was sent."),
        Field::text("send_status", "COMPLETED or ERRORED."),
        Field::integer("reason_code", "0 where it was sent; otherwise why it was not, 1 to 12."),
        Field::integer("count", "How many contacts it was sent to."),
        Field::new(
            "contact_list_ids",
            Kind::List(&Kind::Identifier),
            "The lists that it was sent to, as in contact_lists.",
        ),
        Field::new(
            "segment_ids",
            Kind::List(&Kind::Identifier),
            "The segments that it was sent to, as in segments.",
        ),
    ],
    ..Endpoint::PLAIN
};

pub(super) const NON_OPENER_RESENDS: Endpoint = Endpoint {
    table: "email_non_opener_resends",
    description: "Which e-mails are sent once more to those who do not open them.",
    path: "/emails/activities/{campaign_activity_id}/non_opener_resends",
    scope: "campaign_data",
    envelope: Envelope::Bare,
    // There is one at most for a campaign.
    key: &["campaign_activity_id"],
    parent: Some(OF_PRIMARY),
    estimated_rows: 100,
    fields: &[
        ACTIVITY.of_request(),
        Field::text("resend_subject", "The subject line of the second e-mail."),
        Field::integer("delay_days", "After how many days it follows, where that is set in days."),
        Field::integer("delay_minutes", "After how many minutes, where that is set in minutes."),
        Field::timestamp("resend_date", "When it was sent."),
        Field::identifier("resend_request_id", "Identifies the resend; DRAFT while it is none."),
        Field::text("resend_status", "Where the resend stands, such as DRAFT."),
    ],
    ..Endpoint::PLAIN
};

pub(super) const AB_TESTS: Endpoint = Endpoint {
    table: "email_ab_tests",
    description: "Which e-mails try two subject lines.",
    path: "/emails/activities/{campaign_activity_id}/abtest",
    scope: "campaign_data",
    key: &["campaign_activity_id"],
    parent: Some(OF_PRIMARY),
    estimated_rows: 40,
    fields: &[
        ACTIVITY.of_request(),
        Field::text("alternative_subject", "The second subject line."),
        Field::integer("test_size", "How many per cent of the contacts the test is made with."),
        Field::integer("winner_wait_duration", "After how many hours the better one goes to all."),
    ],
    ..Endpoint::PLAIN
};

pub(super) const PREVIEWS: Endpoint = Endpoint {
    table: "email_previews",
    description: "How each e-mail will look.",
    path: "/emails/activities/{campaign_activity_id}/previews",
    scope: "campaign_data",
    key: &["campaign_activity_id"],
    parent: Some(OF_ACTIVITY),
    estimated_rows: 1_000,
    fields: &[
        ACTIVITY,
        Field::text("subject", "The subject line."),
        Field::text("preheader", "The line that mail programs show after the subject."),
        Field::text("from_name", "The sender's name."),
        Field::text("from_email", "The sender's address."),
        Field::text("reply_to_email", "The address that answers go to."),
        Field::text("preview_html_content", "The e-mail as HTML."),
        Field::text("preview_text_content", "The e-mail as text."),
    ],
    ..Endpoint::PLAIN
};
