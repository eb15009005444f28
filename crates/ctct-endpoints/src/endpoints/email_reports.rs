//! The reports of what contacts did with an e-mail: `email_sends`, `email_opens`,
//! `email_unique_opens`, `email_did_not_opens`, `email_clicks`, `email_forwards`,
//! `email_optouts`, `email_bounces`; and `email_links`, which its links are.

use crate::{Endpoint, Envelope, Field, KeyBinding, KeyRequest, Order, Paging, Parent, Without};

/// A report is kept of activities that were sent: the web page of a campaign is not.
pub(super) const OF_ACTIVITY: Parent = Parent {
    column: "campaign_activity_id",
    table: "email_campaign_activities",
    key: "campaign_activity_id",
    without: Some(Without { column: "role", values: &["permalink"] }),
    ..Parent::PLAIN
};

/// A report with a row for each event, the latest first.
const fn tracking(table: &'static str, path: &'static str, description: &'static str) -> Endpoint {
    Endpoint {
        table,
        description,
        path,
        scope: "campaign_data",
        envelope: Envelope::Array("tracking_activities"),
        paging: Paging::Links { maximum: 500 },
        // Nothing else identifies an event.
        key: &["campaign_activity_id", "contact_id", "created_time"],
        parent: Some(OF_ACTIVITY),
        order: Some(Order { column: "created_time", descending: true }),
        ..Endpoint::PLAIN
    }
}

const ACTIVITY: Field =
    Field::identifier("campaign_activity_id", "The activity, as in email_campaign_activities.");
const CONTACT: Field = Field::identifier("contact_id", "The contact.");
const TYPE: Field = Field::text("tracking_activity_type", "What happened, in the API's word.");
const ADDRESS: Field = Field::text("email_address", "The address that the e-mail was sent to.");
const FIRST_NAME: Field = Field::text("first_name", "The contact's first name.");
const LAST_NAME: Field = Field::text("last_name", "The contact's last name.");
const DEVICE: Field = Field::text("device_type", "computer, mobile, tablet or other.");
const DELETED: Field = Field::date("deleted_at", "The day on which the contact was deleted.");

/// A report of what is known of the contact alone.
const fn plain(
    table: &'static str,
    path: &'static str,
    when: &'static [Field],
    rows: u64,
    description: &'static str,
) -> Endpoint {
    Endpoint { fields: when, estimated_rows: rows, ..tracking(table, path, description) }
}

macro_rules! people {
    ($when:literal) => {
        &[
            ACTIVITY,
            CONTACT,
            Field::timestamp("created_time", $when),
            TYPE,
            ADDRESS,
            FIRST_NAME,
            LAST_NAME,
            DELETED,
        ]
    };
}

macro_rules! devices {
    ($when:literal) => {
        &[
            ACTIVITY,
            CONTACT,
            Field::timestamp("created_time", $when),
            TYPE,
            ADDRESS,
            FIRST_NAME,
            LAST_NAME,
            DEVICE,
            DELETED,
        ]
    };
}

pub(super) const SENDS: Endpoint = plain(
    "email_sends",
    "/reports/email_reports/{campaign_activity_id}/tracking/sends",
    people!("When the e-mail was sent."),
    500_000,
    "Each contact that an e-mail was sent to.",
);

pub(super) const OPENS: Endpoint = plain(
    "email_opens",
    "/reports/email_reports/{campaign_activity_id}/tracking/opens",
    devices!("When the e-mail was opened."),
    100_000,
    "Each time that a contact opened an e-mail.",
);

pub(super) const UNIQUE_OPENS: Endpoint = plain(
    "email_unique_opens",
    "/reports/email_reports/{campaign_activity_id}/tracking/unique_opens",
    devices!("When the e-mail was opened; whether the first or the last time is not documented."),
    70_000,
    "Each contact that opened an e-mail.",
);

pub(super) const DID_NOT_OPENS: Endpoint = plain(
    "email_did_not_opens",
    "/reports/email_reports/{campaign_activity_id}/tracking/didnotopens",
    people!("When the e-mail was sent."),
    300_000,
    "Each contact that got an e-mail and did not open it.",
);

pub(super) const FORWARDS: Endpoint = plain(
    "email_forwards",
    "/reports/email_reports/{campaign_activity_id}/tracking/forwards",
    people!("When the e-mail was forwarded."),
    1_000,
    "Each time that a contact forwarded an e-mail.",
);

pub(super) const CLICKS: Endpoint = Endpoint {
    estimated_rows: 20_000,
    // A contact may click two links in one second.
    key: &["campaign_activity_id", "contact_id", "url_id", "created_time"],
    keys: &[KeyBinding { column: "url_id", request: KeyRequest::Equal { parameter: "url_id" } }],
    fields: &[
        ACTIVITY,
        CONTACT,
        Field::timestamp("created_time", "When the link was clicked."),
        Field::identifier("url_id", "The link, as in email_links."),
        Field::text("link_url", "Where the link leads to."),
        TYPE,
        ADDRESS,
        FIRST_NAME,
        LAST_NAME,
        DEVICE,
        DELETED,
    ],
    ..tracking(
        "email_clicks",
        "/reports/email_reports/{campaign_activity_id}/tracking/clicks",
        "Each time that a contact clicked a link in an e-mail.",
    )
};

pub(super) const OPTOUTS: Endpoint = Endpoint {
    estimated_rows: 2_000,
    fields: &[
        ACTIVITY,
        CONTACT,
        Field::timestamp("created_time", "When the contact unsubscribed."),
        Field::text("opt_out_reason", "The reason that the contact gave."),
        TYPE,
        ADDRESS,
        FIRST_NAME,
        LAST_NAME,
        DELETED,
    ],
    ..tracking(
        "email_optouts",
        "/reports/email_reports/{campaign_activity_id}/tracking/optouts",
        "Each contact that unsubscribed by an e-mail.",
    )
};

pub(super) const BOUNCES: Endpoint = Endpoint {
    estimated_rows: 10_000,
    keys: &[KeyBinding {
        column: "bounce_code",
        request: KeyRequest::Repeated {
            parameter: "bounce_code",
            values: &["B", "D", "F", "S", "V", "X", "Z"],
        },
    }],
    fields: &[
        ACTIVITY,
        CONTACT,
        Field::timestamp("created_time", "When the e-mail bounced."),
        Field::text(
            "bounce_code",
            "Why: B (no such address), D (undeliverable), F (full), S (suspended), V (on vacation), X or Z (blocked or other).",
        ),
        Field::text("current_email_address", "The contact's address by now."),
        TYPE,
        ADDRESS,
        FIRST_NAME,
        LAST_NAME,
        DELETED,
    ],
    ..tracking(
        "email_bounces",
        "/reports/email_reports/{campaign_activity_id}/tracking/bounces",
        "Each contact whose address bounced an e-mail.",
    )
};

const LINKS_LIST: &[&str] = &["link_click_counts"];

pub(super) const LINKS: Endpoint = Endpoint {
    table: "email_links",
    description: "The links of each e-mail, and how many contacts clicked them.",
    path: "/reports/email_reports/{campaign_activity_id}/links",
    // Links that nobody clicked, too.
    fixed: &[("no_clicks", "true")],
    scope: "campaign_data",
    envelope: Envelope::Object,
    paging: Paging::Single,
    list: Some(LINKS_LIST),
    key: &["campaign_activity_id", "url_id"],
    parent: Some(OF_ACTIVITY),
    estimated_rows: 3_000,
    fields: &[
        ACTIVITY,
        Field::identifier("url_id", "Identifies the link.").at(LINKS_LIST, "url_id"),
        Field::text("link_url", "Where the link leads to.").at(LINKS_LIST, "link_url"),
        Field::integer("unique_clicks", "Contacts that clicked it.")
            .at(LINKS_LIST, "unique_clicks"),
        Field::text("list_action", "What clicking it does to a list: add.")
            .at(LINKS_LIST, "list_action"),
        Field::identifier("list_id", "The list that it does that to.").at(LINKS_LIST, "list_id"),
        Field::text("link_tag", "Tells links with one address apart; not in use yet.")
            .at(LINKS_LIST, "link_tag"),
    ],
    ..Endpoint::PLAIN
};
