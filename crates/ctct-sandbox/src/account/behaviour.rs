//! What single contacts got and did, over all e-mails and landing pages.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::contact::SmsPermission;
use super::engagement::{Event, Happened};
use super::{Account, Include, time, value};

/// Something that one contact got or did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deed<'a> {
    /// The word by which the API selects such things.
    pub(crate) kind: &'static str,
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) activity_id: &'a str,
    pub(crate) activity_name: &'a str,
}

/// The events of one kind that happened with an e-mail.
type Events = fn(&Happened) -> &Vec<Event>;

/// The e-mail reports by the API's word for what they list.
const MAILED: &[(&str, Events)] = &[
    ("em_sends", |happened| &happened.sends),
    ("em_opens", |happened| &happened.opens),
    ("em_clicks", |happened| &happened.clicks),
    ("em_bounces", |happened| &happened.bounces),
    ("em_optouts", |happened| &happened.optouts),
    ("em_forwards", |happened| &happened.forwards),
];

/// Where deeds are: the contact's, by the places of what they are about.
pub(super) type Index = HashMap<u32, Vec<Place>>;

/// Where one deed is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    kind: &'static str,
    at: i64,
    /// The campaign and its activity; or the landing page alone.
    of: (usize, Option<usize>),
}

/// Finds all deeds of all contacts, each contact's latest first.
pub(super) fn index(account: &Account) -> Index {
    let mut index = Index::new();
    let mut put = |events: &[Event], kind, of| {
        for event in events {
            index.entry(event.contact).or_default().push(Place { kind, at: event.at, of });
        }
    };
    for (campaign, found) in account.campaigns().iter().enumerate() {
        for (activity, found) in found.activities.iter().enumerate() {
            for (kind, events) in MAILED {
                put(events(&found.happened), kind, (campaign, Some(activity)));
            }
        }
    }
    for (page, found) in account.landing_pages().iter().enumerate() {
        put(&found.opens, "p_contact_open", (page, None));
        put(&found.clicks, "p_contact_click", (page, None));
        put(&found.adds, "p_contact_add", (page, None));
        put(&found.updates, "p_contact_update", (page, None));
    }
    for deeds in index.values_mut() {
        deeds.sort_by_key(|place| std::cmp::Reverse(place.at));
    }
    index
}

impl Account {
    /// What a contact got and did, the latest first.
    pub(crate) fn deeds(&self, contact: u32) -> Vec<Deed<'_>> {
        let places = self.behaviour().get(&contact).map(Vec::as_slice).unwrap_or_default();
        let deed = |place: &Place| {
            let (activity_id, activity_name) = match place.of {
                (campaign, Some(activity)) => {
                    let campaign = self.campaigns().get(campaign)?;
                    (&campaign.activities.get(activity)?.id, &campaign.name)
                }
                (page, None) => {
                    let page = self.landing_pages().get(page)?;
                    (&page.id, &page.name)
                }
            };
            Some(Deed { kind: place.kind, at: place.at, activity_id, activity_name })
        };
        places.iter().filter_map(deed).collect()
    }

    /// What a contact did with each e-mail that was sent to it within a time, in milliseconds
    /// and with both ends; the last sent first.
    pub(crate) fn summary_of(&self, contact: u32, within: (i64, i64)) -> Vec<Value> {
        let deeds = self.deeds(contact);
        let sent = deeds.iter().filter(|deed| deed.kind == "em_sends");
        let sent = sent.filter(|deed| (within.0..=within.1).contains(&deed.at));
        let row = |send: &Deed<'_>| {
            let count = |kind: &str| {
                let same =
                    |deed: &&Deed<'_>| deed.kind == kind && deed.activity_id == send.activity_id;
                deeds.iter().filter(same).count()
            };
            json!({
                "campaign_activity_id": send.activity_id,
                "start_on": time::milliseconds(send.at),
                "em_bounces": count("em_bounces"),
                "em_clicks": count("em_clicks"),
                "em_forwards": count("em_forwards"),
                "em_opens": count("em_opens"),
                "em_sends": count("em_sends"),
                "em_unsubscribes": count("em_optouts"),
            })
        };
        sent.map(row).collect()
    }

    /// How often a contact opens and clicks, of the e-mails sent to it within a time.
    pub(crate) fn rates_of(&self, contact: u32, within: (i64, i64)) -> Value {
        let summary = self.summary_of(contact, within);
        let did = |what: &str| summary.iter().filter(|row| row[what] != json!(0)).count();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let rate = |count: usize| match summary.len() {
            0 => 0.0,
            all => (count as f64 / all as f64 * 100.0).round() / 100.0,
        };
        json!({
            "contact_id": self.contact_id(contact),
            "included_activities_count": summary.len(),
            "average_open_rate": rate(did("em_opens")),
            "average_click_rate": rate(did("em_clicks")),
        })
    }

    /// How a contact agreed to get text messages, and left again; nothing for most.
    pub(crate) fn sms_history(&self, contact: u32) -> Vec<Value> {
        let facts = self.facts(contact);
        let Some(permission) = facts.sms else { return Vec::new() };
        let row = value(&self.contact_row(contact, &facts, Include::default()));
        let channel = &row["sms_channel"];
        let consent = &channel["sms_channel_consents"][0];
        let entry = |number: u32, state: &str, when: &Value, how: &str, medium: &str| {
            let mut details = json!({
                "state": state,
                "source": if state == "E" { "C" } else { "S" },
                "consent_type": consent["consent_type"],
                // With a space and an offset without its colon.
                "consent_action_time": when.as_str().map(time::spaced),
                "consent_action_type": how,
                "consent_medium_type": medium,
            });
            if state == "E" {
                details["source_consent_timestamp"] = when.clone();
                details["source_sms_number"] = channel["sms_address"].clone();
                details["advertised_frequency"] = json!(4);
                details["advertised_interval"] = json!("M");
            }
            json!({
                "contact_id": row["contact_id"],
                "sms_channel_id": channel["sms_channel_id"],
                "sms_channel_history_id": super::identifier::numbered(self.seed, contact, number),
                "insert_time": when,
                "history_details": details,
            })
        };
        let agreed = entry(1, "E", &consent["opt_in_date"], "confirmed_opt_in", "LF");
        match permission {
            SmsPermission::Pending => Vec::new(),
            SmsPermission::Explicit => vec![agreed],
            SmsPermission::OptedOut => {
                vec![agreed, entry(2, "O", &consent["opt_out_date"], "opt_out", "MD")]
            }
        }
    }
}
