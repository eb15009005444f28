//! `GET /segments`.

use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::account::{Segment, time};

#[derive(Debug, Serialize)]
struct Page<'a> {
    segments: Vec<Row<'a>>,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    name: &'a str,
    segment_id: u32,
    created_at: String,
    edited_at: String,
}

impl<'a> Row<'a> {
    pub(crate) fn new(segment: &'a Segment) -> Self {
        Self {
            name: segment.name,
            segment_id: segment.id,
            created_at: time::milliseconds(segment.created),
            edited_at: time::milliseconds(segment.edited),
        }
    }
}

pub(super) fn list(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "cursor")?;
    let number = if continued { query.number("next", 1, usize::MAX)? } else { 1 };
    let limit = query.number("limit", 1000, 1000)?;
    let mut segments: Vec<&Segment> = service.account.segments.iter().collect();
    let sort_by = query.get("sort_by").unwrap_or("date");
    match sort_by {
        "date" => segments.sort_by_key(|segment| std::cmp::Reverse(segment.edited)),
        "name" => segments.sort_by_key(|segment| segment.name),
        _ => return Err(Refusal::Invalid("sort_by")),
    }
    let (rows, more) = cursor::page(&segments, (number - 1).saturating_mul(limit), limit);
    let links = if more {
        let next = CursorQuery::default().with("sort_by", sort_by);
        let next = next.with("limit", limit).with("next", number + 1);
        Links::to("/v3/segments", "cursor", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&Page {
        segments: rows.iter().map(|segment| Row::new(segment)).collect(),
        links,
    }))
}
