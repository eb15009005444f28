//! What contacts did on landing pages: `landing_page_opens`, `landing_page_unique_opens`,
//! `landing_page_clicks`, `landing_page_adds`, `landing_page_updates`,
//! `landing_page_sms_optins`.

use crate::{Endpoint, Envelope, Field, Order, Paging, Parent};

/// The API lists landing pages nowhere: they are known by what contacts did on them.
const OF_LANDING_PAGE: Parent = Parent {
    column: "campaign_activity_id",
    table: "contact_activity",
    key: "campaign_activity_id",
    distinct: Some(10),
    only: Some((
        "tracking_activity_type",
        &[
            "p_contact_add",
            "p_contact_adds",
            "p_contact_click",
            "p_contact_clicks",
            "p_contact_open",
            "p_contact_opens",
            "p_contact_update",
            "p_contact_updates",
        ],
    )),
    ..Parent::PLAIN
};

const PAGE: Field = Field::identifier("campaign_activity_id", "The landing page.");
const CONTACT: Field = Field::identifier("contact_id", "The contact.");
const TYPE: Field = Field::text("tracking_activity_type", "What happened, in the API's word.");
const ADDRESS: Field = Field::text("email_address", "The contact's address.");
const FIRST_NAME: Field = Field::text("first_name", "The contact's first name.");
const LAST_NAME: Field = Field::text("last_name", "The contact's last name.");
const DEVICE: Field = Field::text("device_type", "computer, mobile, tablet or other.");
const DELETED: Field = Field::date("deleted_at", "The day on which the contact was deleted.");

const SMS: &[&str] = &["sms_channel"];
const COUNTRY: Field =
    Field::text("sms_country_code", "The country of the contact's number.").at(SMS, "country_code");
const STATE: Field = Field::text(
    "sms_state",
    "E (may be written to), O (opted out), P (not confirmed), N (not set), T, I or D.",
)
.at(SMS, "state");
const INTERNATIONAL: Field =
    Field::text("sms_number_international", "The number as written abroad.")
        .at(SMS, "formatted_international");
const NATIONAL: Field = Field::text("sms_number_national", "The number as written at home.")
    .at(SMS, "formatted_national");

const fn when(description: &'static str) -> Field {
    Field::timestamp("created_time", description)
}

/// A report with a row for each event, the latest first.
const fn report(table: &'static str, path: &'static str, description: &'static str) -> Endpoint {
    Endpoint {
        table,
        description,
        path,
        scope: "campaign_data",
        envelope: Envelope::Array("tracking_activities"),
        paging: Paging::Links { maximum: 500 },
        // Nothing else identifies an event.
        key: &["campaign_activity_id", "contact_id", "created_time"],
        parent: Some(OF_LANDING_PAGE),
        order: Some(Order { column: "created_time", descending: true }),
        estimated_rows: 2_000,
        ..Endpoint::PLAIN
    }
}

const WITH_DEVICE: &[Field] = &[
    PAGE,
    CONTACT,
    when("When the page was opened."),
    TYPE,
    ADDRESS,
    FIRST_NAME,
    LAST_NAME,
    DEVICE,
    DELETED,
    COUNTRY,
    STATE,
    INTERNATIONAL,
    NATIONAL,
];

const PLAIN: &[Field] = &[
    PAGE,
    CONTACT,
    when("When it happened."),
    TYPE,
    ADDRESS,
    FIRST_NAME,
    LAST_NAME,
    DELETED,
    COUNTRY,
    STATE,
    INTERNATIONAL,
    NATIONAL,
];

pub(super) const OPENS: Endpoint = Endpoint {
    fields: WITH_DEVICE,
    ..report(
        "landing_page_opens",
        "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_contact_opens",
        "Each time that a known contact opened a landing page.",
    )
};

pub(super) const UNIQUE_OPENS: Endpoint = Endpoint {
    fields: WITH_DEVICE,
    ..report(
        "landing_page_unique_opens",
        "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_opens",
        "Each contact that opened a landing page.",
    )
};

pub(super) const CLICKS: Endpoint = Endpoint {
    key: &["campaign_activity_id", "contact_id", "url_id", "created_time"],
    fields: &[
        PAGE,
        CONTACT,
        when("When the link was clicked."),
        Field::identifier("url_id", "Identifies the link."),
        Field::text("link_url", "Where the link leads."),
        TYPE,
        ADDRESS,
        FIRST_NAME,
        LAST_NAME,
        DEVICE,
        DELETED,
        COUNTRY,
        STATE,
        INTERNATIONAL,
        NATIONAL,
    ],
    ..report(
        "landing_page_clicks",
        "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_clicks",
        "Each contact that clicked a link of a landing page, for each link.",
    )
};

pub(super) const ADDS: Endpoint = Endpoint {
    fields: PLAIN,
    ..report(
        "landing_page_adds",
        "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_adds",
        "Each contact that a landing page brought.",
    )
};

pub(super) const UPDATES: Endpoint = Endpoint {
    fields: PLAIN,
    ..report(
        "landing_page_updates",
        "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_updates",
        "Each contact that changed its own values on a landing page.",
    )
};

pub(super) const SMS_OPTINS: Endpoint = Endpoint {
    fields: PLAIN,
    ..report(
        "landing_page_sms_optins",
        "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_sms_optins",
        "Each contact that agreed on a landing page to get text messages.",
    )
};
