//! What single contacts did: `contact_activity`, `contact_open_and_click_rates`,
//! `contact_activity_summary`.

use crate::{
    Endpoint, Envelope, Field, KeyBinding, KeyRequest, OnRequest, Order, Paging, Parent, Period,
};

pub(super) const OF_CONTACT: Parent =
    Parent { column: "contact_id", table: "contacts", key: "contact_id", ..Parent::PLAIN };

const CONTACT: Field = Field::identifier("contact_id", "The contact.");
const FROM: Field =
    Field::timestamp("period_start", "Since when; set it with period_start >= '…'.").of_request();
const TO: Field =
    Field::timestamp("period_end", "Until when; set it with period_end <= '…'.").of_request();

/// What the API asks for by, and the words that its rows may have for it: the reports of
/// landing pages write three of them with another ending.
const TYPES: &[(&str, &str)] = &[
    ("em_bounces", "em_bounces"),
    ("em_clicks", "em_clicks"),
    ("em_forwards", "em_forwards"),
    ("em_opens", "em_opens"),
    ("em_optouts", "em_optouts"),
    ("em_sends", "em_sends"),
    ("p_contact_add", "p_contact_add"),
    ("p_contact_adds", "p_contact_add"),
    ("p_contact_click", "p_contact_click"),
    ("p_contact_clicks", "p_contact_click"),
    ("p_contact_open", "p_contact_open"),
    ("p_contact_opens", "p_contact_open"),
    ("p_contact_update", "p_contact_update"),
    ("p_contact_updates", "p_contact_update"),
];

pub(super) const ACTIVITY: Endpoint = Endpoint {
    table: "contact_activity",
    description: "Everything that contacts got and did: e-mails and landing pages.",
    path: "/reports/contact_reports/{contact_id}/activity_details",
    // One of two parameters has to name the types; names of activities cost the server time,
    // and come unless they are declined.
    fixed: &[
        (
            "tracking_activities_list",
            "em_bounces,em_clicks,em_forwards,em_opens,em_optouts,em_sends,p_contact_add,\
             p_contact_click,p_contact_open,p_contact_update",
        ),
        ("include_campaign_activity_names", "false"),
    ],
    scope: "contact_data",
    envelope: Envelope::Array("tracking_activities"),
    paging: Paging::Links { maximum: 100 },
    // Nothing else identifies an event.
    key: &["contact_id", "campaign_activity_id", "tracking_activity_type", "created_time"],
    keys: &[KeyBinding {
        column: "tracking_activity_type",
        request: KeyRequest::Named { parameter: "tracking_activities_list", names: TYPES },
    }],
    parent: Some(OF_CONTACT),
    order: Some(Order { column: "created_time", descending: true }),
    estimated_rows: 500_000,
    fields: &[
        CONTACT,
        Field::identifier(
            "campaign_activity_id",
            "The e-mail, as in email_campaign_activities, or the landing page.",
        ),
        Field::timestamp("created_time", "When it happened."),
        Field::text("tracking_activity_type", "What happened, such as em_opens."),
        Field::text("campaign_activity_name", "The name of the activity.")
            .when(OnRequest { parameter: "include_campaign_activity_names", value: "true" }),
    ],
    ..Endpoint::PLAIN
};

pub(super) const OPEN_AND_CLICK_RATES: Endpoint = Endpoint {
    table: "contact_open_and_click_rates",
    description: "How often each contact opens and clicks, over at most five years.",
    path: "/reports/contact_reports/{contact_id}/open_and_click_rates",
    scope: "contact_data",
    key: &["contact_id"],
    parent: Some(OF_CONTACT),
    period: Some(Period {
        from: "period_start",
        to: "period_end",
        start: "start",
        end: "end",
        months: Some(60),
    }),
    estimated_rows: 50_000,
    fields: &[
        CONTACT,
        FROM,
        TO,
        Field::integer("included_activities_count", "How many e-mails this is computed from."),
        Field::number("average_open_rate", "What part of them was opened, 0 to 1."),
        Field::number("average_click_rate", "In what part of them something was clicked, 0 to 1."),
    ],
    ..Endpoint::PLAIN
};

const CAMPAIGNS: &[&str] = &["campaign_activities"];

const fn count(name: &'static str, description: &'static str) -> Field {
    Field::integer(name, description).at(CAMPAIGNS, name)
}

pub(super) const ACTIVITY_SUMMARY: Endpoint = Endpoint {
    table: "contact_activity_summary",
    description: "What each contact did with each of the last 200 e-mails that it got.",
    path: "/reports/contact_reports/{contact_id}/activity_summary",
    scope: "contact_data",
    envelope: Envelope::Object,
    paging: Paging::FixedLinks { rows: 200 },
    list: Some(CAMPAIGNS),
    key: &["contact_id", "campaign_activity_id"],
    parent: Some(OF_CONTACT),
    period: Some(Period {
        from: "period_start",
        to: "period_end",
        start: "start",
        end: "end",
        months: None,
    }),
    estimated_rows: 500_000,
    fields: &[
        CONTACT,
        Field::identifier("campaign_activity_id", "The e-mail, as in email_campaign_activities.")
            .at(CAMPAIGNS, "campaign_activity_id"),
        FROM,
        TO,
        Field::timestamp("start_on", "When it was last sent to the contact.")
            .at(CAMPAIGNS, "start_on"),
        count("em_sends", "How often it was sent to the contact."),
        count("em_opens", "How often the contact opened it."),
        count("em_clicks", "How often the contact clicked in it."),
        count("em_forwards", "How often the contact forwarded it."),
        count("em_bounces", "How often it came back."),
        count("em_unsubscribes", "How often the contact unsubscribed by it."),
    ],
    ..Endpoint::PLAIN
};
