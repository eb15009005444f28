//! The reports of what contacts did with an e-mail: `email_opens`.

use crate::{Endpoint, Envelope, Field, Order, Paging, Parent, Without};

/// A report is kept of activities that were sent: the web page of a campaign is not.
const OF_ACTIVITY: Parent = Parent {
    column: "campaign_activity_id",
    parameter: None,
    table: "email_campaign_activities",
    key: "campaign_activity_id",
    without: Some(Without { column: "role", values: &["permalink"] }),
    keys_at_once: 1,
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

pub(super) const OPENS: Endpoint = Endpoint {
    estimated_rows: 100_000,
    fields: &[
        ACTIVITY,
        CONTACT,
        Field::timestamp("created_time", "When the e-mail was opened."),
        TYPE,
        ADDRESS,
        FIRST_NAME,
        LAST_NAME,
        DEVICE,
        DELETED,
    ],
    ..tracking(
        "email_opens",
        "/reports/email_reports/{campaign_activity_id}/tracking/opens",
        "Each time that a contact opened an e-mail.",
    )
};
