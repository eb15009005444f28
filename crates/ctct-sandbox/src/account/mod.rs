//! The made-up account: everything that the API shows, derived from a seed.

mod behaviour;
mod campaign;
mod changes;
mod contact;
mod contact_row;
mod engagement;
mod happening;
mod identifier;
mod landing_page;
mod names;
mod organization;
mod others;
mod random;
mod reference;
pub(crate) mod time;

use std::sync::OnceLock;

use chrono::Months;
use serde_json::Value;

pub(crate) use behaviour::Deed;
pub(crate) use campaign::{Activity, Campaign, CampaignRow, Counts, SummaryRow};
pub use changes::Change;
pub(crate) use changes::Changes;
pub(crate) use contact::{Facts, Permission};
pub(crate) use contact_row::{ContactRow, Include};
pub(crate) use engagement::{Event, Role};
pub(crate) use happening::{Happening, Registration};
pub(crate) use landing_page::LandingPage;
pub(crate) use names::OPT_OUT_REASONS;
pub(crate) use organization::Organization;
pub(crate) use reference::{CustomField, List, Segment, Tag};

use crate::Settings;
use contact::{History, Popularity};
use engagement::Audience;

/// What of an account [`Sandbox::rows`](crate::Sandbox::rows) gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Collection {
    /// Contacts that are not deleted, with everything that can be included.
    Contacts,
    /// Deleted contacts, in the same way.
    DeletedContacts,
    /// Active lists for e-mail, with the number of their members.
    ContactLists,
    /// Active lists for text messages, in the same way.
    SmsLists,
    /// Deleted lists for e-mail, in the same way.
    DeletedContactLists,
    /// Tags, with the number of their contacts.
    ContactTags,
    /// Segments, with their criteria.
    Segments,
    /// Custom field definitions.
    CustomFields,
    /// E-mail campaigns.
    EmailCampaigns,
    /// E-mail campaigns with their activities.
    EmailCampaignDetails,
    /// How many contacts there are, one row.
    ContactCounts,
    /// What happened with all activities, by the name in the report's path.
    EmailReport(&'static str),
    /// The links of all activities.
    EmailLinks,
    /// The account's own addresses.
    AccountEmails,
    /// Where the account is.
    AccountPhysicalAddress,
    /// What the user may do.
    UserPrivileges,
    /// The figures of sent campaigns.
    EmailCampaignStats,
    /// The figures of activities of sent campaigns.
    EmailActivityStats,
    /// Activities that can be read, with everything that can be included.
    EmailActivities,
    /// What belongs to activities, each row with the activity's identifier, by the name in its
    /// path.
    EmailActivityPart(&'static str),
    /// All that contacts that are not deleted got and did.
    ContactActivity,
    /// What these contacts did with each e-mail, each row with the contact's identifier.
    ContactActivitySummary,
    /// How often these contacts open and click, over five years.
    ContactOpenAndClickRates,
    /// How these contacts agreed to get text messages.
    SmsEngagementHistory,
    /// What contacts did on landing pages, by the name in the report's path.
    LandingPageReport(&'static str),
    /// Summary reports of text messages.
    SmsCampaignSummaries,
    /// Events.
    Events,
    /// Events with everything about them.
    EventDetails,
    /// Registrations, each with the identifiers of its event and track.
    EventRegistrations,
    /// The same with everything about them.
    EventRegistrationDetails,
    /// Automations.
    Automations,
    /// Automations with their definitions.
    AutomationDetails,
    /// Profiles on social networks, with everything that can be included.
    SocialProfiles,
    /// Accounts on social networks.
    SocialConnections,
    /// Groups of hashtags.
    SocialHashtagGroups,
    /// Bulk jobs.
    Activities,
    /// The contacts of all segments, each with the segment's identifier.
    SegmentContacts,
    /// Summary reports of sent campaigns.
    EmailCampaignSummaries,
    /// The account itself, with its extra fields.
    AccountSummary,
}

/// The whole account; contacts are made on demand.
#[derive(Debug)]
pub(crate) struct Account {
    /// How many contacts the account was made with.
    made: u32,
    changes: Changes,
    pub(crate) lists: Vec<List>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) custom_fields: Vec<CustomField>,
    seed: u64,
    campaign_count: u32,
    campaigns: OnceLock<Vec<Campaign>>,
    landing_pages: OnceLock<Vec<LandingPage>>,
    behaviour: OnceLock<behaviour::Index>,
    happenings: OnceLock<Vec<Happening>>,
    audience: OnceLock<Audience>,
    history: History,
    list_shares: Vec<u32>,
    tag_shares: Vec<u32>,
}

impl Account {
    pub(crate) fn new(settings: &Settings) -> Self {
        let end = settings.starts_at;
        let start = end.checked_sub_months(Months::new(36)).unwrap_or(end);
        let history = History { start: start.timestamp(), end: end.timestamp() };
        let seed = settings.seed;
        let lists = reference::lists(seed, history);
        let tags = reference::tags(seed, history);
        Self {
            made: settings.contacts,
            changes: Changes::default(),
            list_shares: lists.iter().map(|list| list.share).collect(),
            tag_shares: tags.iter().map(|tag| tag.share).collect(),
            lists,
            tags,
            segments: reference::segments(seed, history),
            custom_fields: reference::custom_fields(seed, history),
            campaign_count: settings.campaigns,
            campaigns: OnceLock::new(),
            landing_pages: OnceLock::new(),
            behaviour: OnceLock::new(),
            happenings: OnceLock::new(),
            audience: OnceLock::new(),
            seed,
            history,
        }
    }

    /// How many contacts there are by now, deleted ones included.
    pub(crate) fn contacts(&self) -> u32 {
        self.made + self.changes.created()
    }

    /// What happened to contacts since the account was made.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What filters look at, of the contact with this index.
    pub(crate) fn facts(&self, index: u32) -> Facts {
        self.changes.apply(index, self.made, || self.made_facts(index))
    }

    /// The same, as the account was made.
    fn made_facts(&self, index: u32) -> Facts {
        let popular = Popularity { lists: &self.list_shares, tags: &self.tag_shares };
        Facts::of(self.seed, index, self.history, popular)
    }

    /// The contact with this identifier, deleted or not.
    pub(crate) fn contact_by_id(&self, identifier: &str) -> Option<u32> {
        identifier::contact_index(self.seed, identifier).filter(|index| *index < self.contacts())
    }

    /// The contact with this e-mail address, deleted or not.
    pub(crate) fn contact_by_mail(&self, address: &str) -> Option<u32> {
        let index = contact_row::mail_index(address).filter(|index| *index < self.contacts())?;
        let has_it = self.facts(index).permission.is_some()
            && contact_row::mail_address(self.seed, index).eq_ignore_ascii_case(address);
        has_it.then_some(index)
    }

    /// The campaigns, the last changed first; made when they are first asked for.
    pub(crate) fn campaigns(&self) -> &[Campaign] {
        self.campaigns.get_or_init(|| {
            campaign::campaigns(self.seed, self.campaign_count, self.audience(), self.history)
        })
    }

    fn audience(&self) -> &Audience {
        self.audience.get_or_init(|| Audience::new(self.made, |index| self.made_facts(index)))
    }

    /// The landing pages; made when they are first asked for, as what follows.
    pub(crate) fn landing_pages(&self) -> &[LandingPage] {
        self.landing_pages.get_or_init(|| {
            let has_number = |index| self.made_facts(index).sms.is_some();
            landing_page::landing_pages(self.seed, self.audience(), has_number, self.history)
        })
    }

    fn behaviour(&self) -> &behaviour::Index {
        self.behaviour.get_or_init(|| behaviour::index(self))
    }

    /// The events that people come to.
    pub(crate) fn happenings(&self) -> &[Happening] {
        self.happenings.get_or_init(|| happening::happenings(self.seed, self.made, self.history))
    }

    /// The summaries of text messages, the last sent first, each with when that was.
    pub(crate) fn sms_summaries(&self) -> Vec<(i64, Value)> {
        others::sms_summaries(self.seed, self.history)
    }

    /// The bulk jobs of the last ten days.
    pub(crate) fn jobs(&self) -> Vec<Value> {
        others::jobs(self.seed, self.history)
    }

    /// The automations: each in a list of them, and alone.
    pub(crate) fn automations(&self) -> Vec<(Value, Value)> {
        others::automations(self.seed, self.history)
    }

    /// The identifier of the contact with this index.
    pub(crate) fn contact_id(&self, index: u32) -> String {
        identifier::of_contact(self.seed, index)
    }

    /// A campaign and one of its activities, by the activity's identifier.
    pub(crate) fn activity(&self, identifier: &str) -> Option<(&Campaign, &Activity)> {
        let all = self.campaigns().iter();
        let mut all =
            all.flat_map(|campaign| campaign.activities.iter().map(move |a| (campaign, a)));
        all.find(|(_, activity)| activity.id == identifier)
    }

    /// When the account's history ends, in seconds since 1970.
    pub(crate) fn history_end(&self) -> i64 {
        self.history.end
    }

    /// Summary reports, the last sent first, as the API lists them.
    pub(crate) fn summaries(&self) -> Vec<SummaryRow<'_>> {
        let mut sent: Vec<_> = self.campaigns().iter().filter(|c| c.sent.is_some()).collect();
        sent.sort_by_key(|campaign| {
            (campaign.sent.map(|(at, _)| std::cmp::Reverse(at)), campaign.id.as_str())
        });
        sent.into_iter().filter_map(Campaign::summary).collect()
    }

    /// The account's own details.
    pub(crate) fn organization(&self) -> Organization {
        Organization::new(self.seed)
    }

    /// Each contact's index and facts, those that `wanted` accepts.
    pub(crate) fn select(&self, wanted: impl Fn(u32, &Facts) -> bool) -> Vec<u32> {
        (0..self.contacts()).filter(|index| wanted(*index, &self.facts(*index))).collect()
    }

    /// The contacts as JSON with everything included, deleted or not deleted.
    pub(crate) fn contact_values(&self, deleted: bool) -> impl Iterator<Item = Value> {
        (0..self.contacts()).filter_map(move |index| {
            let facts = self.facts(index);
            (facts.deleted.is_some() == deleted)
                .then(|| value(&self.contact_row(index, &facts, Include::ALL)))
        })
    }
}

/// Profiles, connections and hashtags on social networks.
pub(crate) mod social {
    pub(crate) use super::others::{hashtag_groups, social_connections, social_profiles};
}

/// Anything of ours as JSON; plain data always can be.
pub(crate) fn value(row: &impl serde::Serialize) -> Value {
    serde_json::to_value(row).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_settings_give_the_same_account() {
        let first = Account::new(&Settings::default());
        let second = Account::new(&Settings::default());
        let some = |account: &Account| account.contact_values(false).take(200).collect::<Vec<_>>();
        assert_eq!(some(&first), some(&second));
        let other = Account::new(&Settings { seed: 2, ..Settings::default() });
        assert_ne!(some(&first), some(&other));
    }

    #[test]
    fn a_larger_account_has_the_smaller_ones_contacts() {
        let small = Account::new(&Settings { contacts: 100, ..Settings::default() });
        let large = Account::new(&Settings { contacts: 10_000_000, ..Settings::default() });
        let small: Vec<_> = small.contact_values(false).collect();
        let large: Vec<_> = large.contact_values(false).take(small.len()).collect();
        assert_eq!(small, large);
    }

    #[test]
    fn what_is_included_does_not_change_the_rest() {
        let account = Account::new(&Settings::default());
        let facts = account.facts(17);
        let all = value(&account.contact_row(17, &facts, Include::ALL));
        let plain = value(&account.contact_row(17, &facts, Include::default()));
        let plain = plain.as_object().expect("an object");
        assert!(plain.iter().all(|(name, value)| all.get(name) == Some(value)));
        assert!(!plain.contains_key("taggings"));
    }

    #[test]
    fn contacts_are_found_by_what_identifies_them() {
        let account = Account::new(&Settings::default());
        for contact in account.contact_values(false).take(300) {
            let id = contact["contact_id"].as_str().expect("every contact has one");
            let index = account.contact_by_id(id).expect("found");
            if let Some(address) = contact["email_address"]["address"].as_str() {
                assert_eq!(account.contact_by_mail(address), Some(index));
            }
        }
        assert_eq!(account.contact_by_mail("nobody@example.com"), None);
        assert_eq!(account.contact_by_mail("mara.999999@example.com"), None);
    }
}
