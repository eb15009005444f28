//! E-mail campaigns and what they achieved.

use serde::Serialize;

use super::contact::History;
use super::engagement::{Audience, Event, Happened, Role, part};
use super::identifier;
use super::names;
use super::random::{Purpose, chance, moment, pick, rng};
use super::time;

/// An e-mail campaign. Times are in milliseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct Campaign {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) type_code: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    /// When it was last sent, and to what effect; none for a campaign that was not.
    pub(crate) sent: Option<(i64, Counts)>,
    pub(crate) activities: Vec<Activity>,
}

/// An e-mail of a campaign, or its web page.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) id: String,
    pub(crate) role: Role,
    /// What it was made from, for some.
    pub(crate) document: Option<String>,
    pub(crate) happened: Happened,
    /// Identifier and address of each of its links.
    pub(crate) links: Vec<(String, String)>,
}

impl Activity {
    /// The link that was clicked.
    pub(crate) fn link_of(&self, click: &Event) -> Option<&(String, String)> {
        let places = u32::try_from(self.links.len()).ok().filter(|places| *places > 0)?;
        self.links.get(usize::try_from(click.chance % places).ok()?)
    }
}

/// How many contacts did what with a campaign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) sends: u32,
    pub(crate) opens: u32,
    pub(crate) clicks: u32,
    pub(crate) forwards: u32,
    pub(crate) optouts: u32,
    pub(crate) abuse: u32,
    pub(crate) bounces: u32,
    pub(crate) not_opened: u32,
}

/// The account's campaigns, the last changed first, as the API lists them.
pub(super) fn campaigns(
    seed: u64,
    count: u32,
    audience: &Audience,
    history: History,
) -> Vec<Campaign> {
    let mut campaigns: Vec<Campaign> =
        (0..count).map(|index| campaign(seed, index, count, audience, history)).collect();
    campaigns.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| a.id.cmp(&b.id)));
    campaigns
}

fn campaign(seed: u64, index: u32, count: u32, audience: &Audience, history: History) -> Campaign {
    const MONTHS: &[&str] = &[
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let mut rng = rng(seed, Purpose::Campaign, index);
    let (subject, type_code, kind) = names::CAMPAIGNS[rng.usize(0..names::CAMPAIGNS.len())];
    let (start, end) = (history.start * 1_000, history.end * 1_000);
    // Campaigns come one after the other, the history long, a day before its end at last.
    let length = end - start - 86_400_000;
    let created =
        start + length * i64::from(index) / i64::from(count.max(1)) + rng.i64(0..3_600_000);
    let status = match index * 40 / count.max(1) % 40 {
        5 | 17 | 33 | 38 => "Draft",
        36 | 39 => "Scheduled",
        9 | 25 => "Removed",
        21 => "Error",
        37 => "Executing",
        _ => "Done",
    };
    let was_sent =
        matches!(status, "Done" | "Executing") || (status == "Removed" && index % 2 == 1);
    let sent_at = moment(&mut rng, created + 1_000, (created + 5 * 86_400_000).min(end));
    let share = 0.3 + 0.5 * rng.f64();
    let recipients =
        if was_sent { audience.draw(sent_at / 1_000, share, &mut rng) } else { Vec::new() };
    let counts = was_sent.then(|| counts(&mut rng, recipients.len()));
    let resent = was_sent && chance(&mut rng, 250);
    let roles = [Role::Primary, Role::Permalink].into_iter().chain(resent.then_some(Role::Resend));
    let activities = roles.map(|role| {
        let id = identifier::campaign_side(&mut rng);
        let document = (role == Role::Primary && chance(&mut rng, 500))
            .then(|| identifier::campaign_side(&mut rng));
        let links = match role {
            Role::Permalink => Vec::new(),
            _ => links(&mut rng),
        };
        let happened = match &counts {
            None => Happened::default(),
            Some(counts) => {
                let role = (role, resent);
                Happened::new(&mut rng, role, &recipients, counts, (sent_at, end))
            }
        };
        Activity { id, role, document, happened, links }
    });
    let activities = activities.collect();
    let sent = counts.map(|counts| (sent_at, counts));
    Campaign {
        id: identifier::campaign_side(&mut rng),
        name: format!("{} {subject} {}", pick(&mut rng, MONTHS), index + 1),
        status,
        kind,
        type_code,
        created,
        updated: moment(
            &mut rng,
            if was_sent { sent_at } else { created },
            end.min(sent_at + 86_400_000),
        ),
        sent,
        activities,
    }
}

fn links(rng: &mut fastrand::Rng) -> Vec<(String, String)> {
    const PAGES: &[&str] = &["new", "events", "sale", "about"];
    let first = rng.u64(1_100_000_000_000..1_200_000_000_000);
    let count = rng.u64(2..=4);
    (first..first + count)
        .zip(PAGES)
        .map(|(id, page)| (id.to_string(), format!("https://harborlanebooks.example/{page}")))
        .collect()
}

/// A funnel that narrows: nobody opens what bounced, and nobody clicks unopened mail.
fn counts(rng: &mut fastrand::Rng, sends: usize) -> Counts {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let bounces = part(sends, 0.05 * rng.f64());
    let arrived = sends - bounces;
    let opens = part(arrived, 0.15 + 0.45 * rng.f64());
    Counts {
        sends: number(sends),
        opens: number(opens),
        clicks: number(part(opens, 0.4 * rng.f64())),
        forwards: number(part(opens, 0.02 * rng.f64())),
        optouts: number(part(opens, 0.02 * rng.f64())),
        abuse: number(part(arrived, 0.001 * rng.f64())),
        bounces: number(bounces),
        not_opened: number(arrived - opens),
    }
}

/// A campaign in a list of campaigns; the API sorts the members by name.
#[derive(Debug, Serialize)]
pub(crate) struct CampaignRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign_activities: Option<Vec<ActivityRow<'a>>>,
    campaign_id: &'a str,
    created_at: String,
    current_status: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    type_code: i64,
    updated_at: String,
}

#[derive(Debug, Serialize)]
struct ActivityRow<'a> {
    campaign_activity_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_id: Option<&'a str>,
    role: &'a str,
}

/// What a sent campaign achieved.
#[derive(Debug, Serialize)]
pub(crate) struct SummaryRow<'a> {
    campaign_id: &'a str,
    campaign_type: &'a str,
    last_sent_date: String,
    unique_counts: Counts,
}

impl SummaryRow<'_> {
    /// The figures alone.
    pub(crate) fn counts(&self) -> Counts {
        self.unique_counts
    }
}

impl Campaign {
    /// The campaign as the API shows it, with its activities where one campaign is asked for.
    pub(crate) fn row(&self, with_activities: bool) -> CampaignRow<'_> {
        let activities = self.activities.iter().map(|activity| ActivityRow {
            campaign_activity_id: &activity.id,
            document_id: activity.document.as_deref(),
            role: activity.role.word(),
        });
        CampaignRow {
            campaign_activities: with_activities.then(|| activities.collect()),
            campaign_id: &self.id,
            created_at: time::milliseconds(self.created),
            current_status: self.status,
            name: &self.name,
            kind: self.kind,
            type_code: self.type_code,
            updated_at: time::milliseconds(self.updated),
        }
    }

    /// The campaign's summary report; none for one that was not sent.
    pub(crate) fn summary(&self) -> Option<SummaryRow<'_>> {
        self.sent.map(|(at, unique_counts)| SummaryRow {
            campaign_id: &self.id,
            campaign_type: self.kind,
            last_sent_date: time::milliseconds(at),
            unique_counts,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Settings;
    use crate::account::Account;

    #[test]
    fn funnels_narrow_and_add_up() {
        let account = Account::new(&Settings::default());
        let (campaigns, end) = (account.campaigns(), 1_767_225_600_000);
        assert_eq!(campaigns.len(), 40);
        for status in ["Draft", "Scheduled", "Executing", "Done", "Error", "Removed"] {
            assert!(campaigns.iter().any(|campaign| campaign.status == status), "{status}");
        }
        for campaign in campaigns {
            assert!(campaign.created <= campaign.updated && campaign.updated < end);
            let Some((at, counts)) = campaign.sent else { continue };
            assert!(campaign.created < at && at <= campaign.updated, "{}", campaign.name);
            assert_eq!(counts.sends, counts.opens + counts.not_opened + counts.bounces);
            assert!(counts.clicks <= counts.opens && counts.optouts <= counts.opens);
            assert!(counts.sends <= 5_000, "{}", campaign.name);
            // Single events and figures are one.
            let openers = campaign.activities.iter().flat_map(|activity| &activity.happened.opens);
            let openers: BTreeSet<u32> = openers.map(|event| event.contact).collect();
            assert_eq!(openers.len(), counts.opens as usize, "{}", campaign.name);
            let clickers =
                campaign.activities.iter().flat_map(|activity| &activity.happened.clicks);
            let clickers: BTreeSet<u32> = clickers.map(|event| event.contact).collect();
            assert!(clickers.is_subset(&openers));
            assert_eq!(clickers.len(), counts.clicks as usize, "{}", campaign.name);
            let primary = &campaign.activities[0].happened;
            assert_eq!(primary.sends.len(), counts.sends as usize);
            assert_eq!(primary.bounces.len(), counts.bounces as usize);
            for activity in &campaign.activities {
                let happened = &activity.happened;
                let opened = happened.unique_opens.len();
                let rest = happened.bounces.len() + opened + happened.did_not_opens.len();
                assert_eq!(happened.sends.len(), rest, "sent, and then one of three");
                assert!(activity.happened.opens.is_sorted_by(|a, b| a.at >= b.at));
                assert!(
                    activity.happened.opens.iter().all(|event| at < event.at && event.at < end)
                );
                assert!(activity.role != Role::Permalink || activity.happened.opens.is_empty());
            }
        }
        assert!(campaigns.is_sorted_by(|a, b| a.updated >= b.updated));
    }
}
