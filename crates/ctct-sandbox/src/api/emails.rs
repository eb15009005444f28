//! `GET /emails` and `GET /emails/{campaign_id}`.

use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::query::TimeRange;
use super::{Call, Service};
use crate::account::{Campaign, CampaignRow};

#[derive(Debug, Serialize)]
struct Page<'a> {
    #[serde(rename = "_links")]
    links: Links,
    campaigns: Vec<CampaignRow<'a>>,
}

pub(super) fn list(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let number = if continued { query.number("next", 1, usize::MAX)? } else { 1 };
    let limit = query.number("limit", 50, 500)?;
    let updated = TimeRange {
        after: query.time("after_date")?,
        before: query.time("before_date")?,
        inclusive: service.inclusive_bounds,
    };
    let campaigns = service.account.campaigns().iter();
    let found: Vec<&Campaign> =
        campaigns.filter(|campaign| updated.contains(campaign.updated * 1_000)).collect();
    let (rows, more) = cursor::page(&found, (number - 1).saturating_mul(limit), limit);
    let links = if more {
        let next = CursorQuery::default()
            .with("limit", limit)
            .with("next", number + 1)
            .with_some("after_date", query.get("after_date"))
            .with_some("before_date", query.get("before_date"));
        Links::to("/v3/emails", "next", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&Page { links, campaigns: rows.iter().map(|row| row.row(false)).collect() }))
}

pub(super) fn one(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let id = call.path.get("campaign_id").map_or("", String::as_str);
    let found = service.account.campaigns().iter().find(|campaign| campaign.id == id);
    let campaign = found.ok_or(Refusal::NotFound("campaigns.api", "campaign_id was not found."))?;
    Ok(Answer::ok(&campaign.row(true)))
}
