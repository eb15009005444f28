//! The figures of campaigns and of their activities: `email_campaign_stats` and
//! `email_activity_stats`.

use crate::{Endpoint, Envelope, Field, Paging, Parent, Without};

const STATS: &[&str] = &["stats"];
const PERCENTS: &[&str] = &["percents"];

const fn stat(name: &'static str, description: &'static str) -> Field {
    Field::integer(name, description).at(STATS, name)
}

const fn percent(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::number(name, description).at(PERCENTS, member)
}

pub(super) const CAMPAIGNS: Endpoint = Endpoint {
    table: "email_campaign_stats",
    description: "The figures of each sent campaign, by device and in percent.",
    path: "/reports/stats/email_campaigns/{campaign_ids}",
    scope: "campaign_data",
    envelope: Envelope::Array("results"),
    paging: Paging::Single,
    key: &["campaign_id"],
    parent: Some(Parent {
        column: "campaign_id",
        table: "email_campaigns",
        key: "campaign_id",
        // There are no figures of what was not sent, and one such campaign would spoil the
        // request for all.
        without: Some(Without { column: "current_status", values: &["draft", "scheduled"] }),
        keys_at_once: 150,
        ..Parent::PLAIN
    }),
    estimated_rows: 400,
    fields: &[
        Field::identifier("campaign_id", "The campaign, as in email_campaigns."),
        stat("em_sends", "Contacts it was sent to."),
        stat("em_opens", "Contacts that opened it."),
        stat("em_clicks", "Contacts that clicked in it."),
        stat("em_forwards", "Contacts that forwarded it."),
        stat("em_optouts", "Contacts that unsubscribed by it."),
        stat("em_bounces", "Contacts whose address bounced it."),
        stat("em_not_opened", "Contacts that got it and did not open it."),
        stat("em_opens_all", "Opens, repeated ones too."),
        stat("em_opens_all_computer", "Opens on computers."),
        stat("em_opens_all_mobile", "Opens on mobile phones."),
        stat("em_opens_all_tablet", "Opens on tablets."),
        stat("em_opens_all_other", "Opens on other devices."),
        stat("em_opens_all_none", "Opens of which the device is not known."),
        stat("em_clicks_all", "Clicks, repeated ones too."),
        stat("em_clicks_all_computer", "Clicks on computers."),
        stat("em_clicks_all_mobile", "Clicks on mobile phones."),
        stat("em_clicks_all_tablet", "Clicks on tablets."),
        stat("em_clicks_all_other", "Clicks on other devices."),
        stat("em_clicks_all_none", "Clicks of which the device is not known."),
        percent("percents_open", "open", "Of those that got it, how many opened it."),
        percent("percents_click", "click", "Of those that opened it, how many clicked."),
        percent(
            "percents_did_not_open",
            "did_not_open",
            "Of those that got it, how many did not open it.",
        ),
        percent("percents_bounce", "bounce", "Of those it was sent to, how many bounced."),
        percent(
            "percents_unsubscribe",
            "unsubscribe",
            "Of those that got it, how many unsubscribed.",
        ),
        percent(
            "percents_desktop_open",
            "desktop_open",
            "Of the opens, how many were on computers.",
        ),
        percent(
            "percents_mobile_open",
            "mobile_open",
            "Of the opens, how many were on phones and tablets.",
        ),
        percent(
            "percents_desktop_click",
            "desktop_click",
            "Of the clicks, how many were on computers.",
        ),
        percent(
            "percents_mobile_click",
            "mobile_click",
            "Of the clicks, how many were on phones and tablets.",
        ),
        Field::timestamp("last_refresh_time", "When the figures were computed."),
    ],
    ..Endpoint::PLAIN
};

pub(super) const ACTIVITIES: Endpoint = Endpoint {
    table: "email_activity_stats",
    description: "The figures of each activity that was sent, by device and kind of bounce.",
    path: "/reports/stats/email_campaign_activities/{campaign_activity_ids}",
    scope: "campaign_data",
    envelope: Envelope::Array("results"),
    // The guide and live answers write em_opens.all.mobile.
    dotted: true,
    key: &["campaign_activity_id"],
    parent: Some(Parent { keys_at_once: 10, ..super::email_reports::OF_ACTIVITY }),
    estimated_rows: 500,
    fields: &[
        Field::identifier("campaign_activity_id", "The activity, as in email_campaign_activities."),
        Field::identifier("campaign_id", "The campaign, as in email_campaigns."),
        stat("em_sends", "Contacts it was sent to."),
        stat("em_opens", "Contacts that opened it."),
        stat("em_clicks", "Contacts that clicked in it."),
        stat("em_forwards", "Contacts that forwarded it."),
        stat("em_optouts", "Contacts that unsubscribed by it."),
        stat("em_bounces", "Contacts whose address bounced it."),
        stat("em_not_opened", "Contacts that got it and did not open it."),
        stat("em_opens_all", "Opens, repeated ones too."),
        stat("em_opens_all_computer", "Opens on computers."),
        stat("em_opens_all_mobile", "Opens on mobile phones."),
        stat("em_opens_all_tablet", "Opens on tablets."),
        stat("em_opens_all_other", "Opens on other devices."),
        stat("em_opens_all_none", "Opens of which the device is not known."),
        stat("em_clicks_all", "Clicks, repeated ones too."),
        stat("em_clicks_all_computer", "Clicks on computers."),
        stat("em_clicks_all_mobile", "Clicks on mobile phones."),
        stat("em_clicks_all_tablet", "Clicks on tablets."),
        stat("em_clicks_all_other", "Clicks on other devices."),
        stat("em_clicks_all_none", "Clicks of which the device is not known."),
        stat("em_abuse", "Contacts that complained about it."),
        stat("em_bounces_blocked", "Bounced because the receiving system blocked it."),
        stat("em_bounces_mailbox_full", "Bounced because the mailbox was full."),
        stat("em_bounces_nonexistent_address", "Bounced because there is no such address."),
        stat("em_bounces_other", "Bounced for a reason that is not known."),
        stat("em_bounces_suspended", "Bounced because the address had bounced too often."),
        stat("em_bounces_undeliverable", "Bounced because it could not be delivered."),
        stat("em_bounces_vacation", "Answered by an out-of-office reply."),
        Field::timestamp("last_refresh_time", "When the figures were computed."),
    ],
    ..Endpoint::PLAIN
};
