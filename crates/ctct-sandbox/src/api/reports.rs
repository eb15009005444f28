//! `GET /reports/summary_reports/email_campaign_summaries`.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::Variants;
use crate::account::{Counts, SummaryRow, value};

/// The kinds of campaigns that the real cursor lists.
const CAMPAIGN_TYPES: &str = "14,15,16,10,11,12,17,18,19,20,21,22,23,24,25,26,57";

#[derive(Debug, Serialize)]
struct Page<'a> {
    bulk_email_campaign_summaries: &'a [SummaryRow<'a>],
    aggregate_percents: Percents,
    #[serde(rename = "_links")]
    links: Links,
}

/// Rates over the campaigns of one page.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Percents {
    click: f64,
    open: f64,
    did_not_open: f64,
    bounce: f64,
    unsubscribe: f64,
}

pub(super) fn email_campaign_summaries(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "next")?;
    let limit = query.number("limit", 50, 500)?;
    let offset = if continued { query.number("o", 0, usize::MAX)? } else { 0 };
    let summaries = service.account.summaries();
    let (rows, more) = cursor::page(&summaries, offset, limit);
    let links = if more {
        // The commas of this cursor are not escaped.
        let next = CursorQuery::default().with("limit", limit).with("o", offset + limit).text();
        let next = format!("campaign_types={CAMPAIGN_TYPES}&{next}");
        Links::to("/v3/reports/summary_reports/email_campaign_summaries", "next", &next)
    } else {
        Links::default()
    };
    let page = Page {
        bulk_email_campaign_summaries: rows,
        aggregate_percents: percents(rows.iter().map(SummaryRow::counts)),
        links,
    };
    let variants = service.variants;
    if variants.text_counts || variants.array_percents {
        return Ok(Answer::ok(&other_forms(value(&page), variants)));
    }
    Ok(Answer::ok(&page))
}

/// The page with counts as texts, and with percentages as texts inside of an array.
fn other_forms(mut page: Value, variants: Variants) -> Value {
    let as_texts = |of: &mut Value| {
        for number in of.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
            *number = number.to_string().into();
        }
    };
    if variants.text_counts {
        let rows = page["bulk_email_campaign_summaries"].as_array_mut();
        rows.into_iter().flatten().for_each(|row| as_texts(&mut row["unique_counts"]));
    }
    if variants.array_percents {
        let mut percents = page["aggregate_percents"].take();
        as_texts(&mut percents);
        page["aggregate_percents"] = Value::Array(vec![percents]);
    }
    page
}

/// Opens are counted over what arrived, clicks over what was opened.
fn percents(counts: impl Iterator<Item = Counts>) -> Percents {
    let total = counts.fold(Counts::default(), |sum, next| Counts {
        sends: sum.sends + next.sends,
        opens: sum.opens + next.opens,
        clicks: sum.clicks + next.clicks,
        optouts: sum.optouts + next.optouts,
        bounces: sum.bounces + next.bounces,
        not_opened: sum.not_opened + next.not_opened,
        ..sum
    });
    let arrived = total.sends - total.bounces;
    let rate = |part: u32, whole: u32| {
        let percent = if whole == 0 { 0.0 } else { f64::from(part) * 100.0 / f64::from(whole) };
        (percent * 100.0).round() / 100.0
    };
    Percents {
        click: rate(total.clicks, total.opens),
        open: rate(total.opens, arrived),
        did_not_open: rate(total.not_opened, arrived),
        bounce: rate(total.bounces, total.sends),
        unsubscribe: rate(total.optouts, arrived),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_are_those_of_the_documented_example() {
        let counts = Counts {
            sends: 902,
            opens: 341,
            clicks: 99,
            optouts: 3,
            bounces: 21,
            not_opened: 540,
            ..Counts::default()
        };
        let expected = Percents {
            click: 29.03,
            open: 38.71,
            did_not_open: 61.29,
            bounce: 2.33,
            unsubscribe: 0.34,
        };
        assert_eq!(percents([counts].into_iter()), expected);
        assert_eq!(percents([].into_iter()), Percents::default());
    }
}
