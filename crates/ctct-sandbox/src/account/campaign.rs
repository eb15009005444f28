//! E-mail campaigns and what they achieved.

use serde::Serialize;

use super::contact::History;
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
    /// Identifier and role of each of its activities.
    pub(crate) activities: Vec<(String, &'static str)>,
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
pub(super) fn campaigns(seed: u64, count: u32, contacts: u32, history: History) -> Vec<Campaign> {
    let mut campaigns: Vec<Campaign> =
        (0..count).map(|index| campaign(seed, index, count, contacts, history)).collect();
    campaigns.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| a.id.cmp(&b.id)));
    campaigns
}

fn campaign(seed: u64, index: u32, count: u32, contacts: u32, history: History) -> Campaign {
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
    let progress = f64_of(created - start) / f64_of(end - start);
    let sent = was_sent.then(|| (sent_at, counts(&mut rng, contacts, progress)));
    let resent = sent.is_some() && chance(&mut rng, 250);
    let roles = ["primary_email", "permalink"].into_iter().chain(resent.then_some("resend"));
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
        activities: roles.map(|role| (identifier::campaign_side(&mut rng), role)).collect(),
    }
}

/// A funnel that narrows: nobody opens what bounced, and nobody clicks unopened mail.
fn counts(rng: &mut fastrand::Rng, contacts: u32, progress: f64) -> Counts {
    let part = |whole: u32, share: f64| -> u32 {
        // A share of at most one of a number that was a u32 is one again.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part of a u32"
        )]
        let part = (f64::from(whole) * share.clamp(0.0, 1.0)) as u32;
        part
    };
    let audience = part(contacts, 0.1 + 0.5 * progress);
    let sends = part(audience, 0.6 + 0.4 * rng.f64());
    let bounces = part(sends, 0.05 * rng.f64());
    let arrived = sends - bounces;
    let opens = part(arrived, 0.15 + 0.45 * rng.f64());
    Counts {
        sends,
        opens,
        clicks: part(opens, 0.4 * rng.f64()),
        forwards: part(opens, 0.02 * rng.f64()),
        optouts: part(opens, 0.02 * rng.f64()),
        abuse: part(arrived, 0.001 * rng.f64()),
        bounces,
        not_opened: arrived - opens,
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a few years are far below 2^53")]
fn f64_of(milliseconds: i64) -> f64 {
    milliseconds as f64
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
        let activities =
            self.activities.iter().map(|(id, role)| ActivityRow { campaign_activity_id: id, role });
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
    use super::*;

    #[test]
    fn funnels_narrow_and_add_up() {
        let history = History { start: 1_672_531_200, end: 1_767_225_600 };
        let campaigns = campaigns(1, 40, 5_000, history);
        assert_eq!(campaigns.len(), 40);
        for status in ["Draft", "Scheduled", "Executing", "Done", "Error", "Removed"] {
            assert!(campaigns.iter().any(|campaign| campaign.status == status), "{status}");
        }
        for campaign in &campaigns {
            assert!(campaign.created <= campaign.updated && campaign.updated < history.end * 1_000);
            let Some((at, counts)) = campaign.sent else { continue };
            assert!(campaign.created < at && at <= campaign.updated, "{}", campaign.name);
            assert_eq!(counts.sends, counts.opens + counts.not_opened + counts.bounces);
            assert!(counts.clicks <= counts.opens && counts.optouts <= counts.opens);
            assert!(counts.sends > 0 && counts.sends <= 5_000);
        }
        assert!(campaigns.is_sorted_by(|a, b| a.updated >= b.updated));
    }
}
