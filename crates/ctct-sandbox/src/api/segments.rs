//! `GET /segments` and `GET /segments/{segment_id}`.

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::account::{Segment, time, value};

#[derive(Debug, Serialize)]
struct Page<'a> {
    segments: Vec<Row<'a>>,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    segment_id: u32,
    created_at: String,
    edited_at: String,
}

impl<'a> Row<'a> {
    fn new(segment: &'a Segment) -> Self {
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

/// A segment with its criteria, which are JSON inside of a text.
pub(super) fn details(segment: &Segment) -> Value {
    let criteria = json!({
        "version": "1.0.0",
        "criteria": {
            "type": "and",
            "group": [{ "source": "contacts", "field": "remainder", "op": "eq", "value": segment.remainder }],
        },
    });
    let mut row = value(&Row::new(segment));
    row["segment_criteria"] = criteria.to_string().into();
    row
}

pub(super) fn one(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let id = call.path.get("segment_id").and_then(|id| id.parse::<u32>().ok());
    let found = service.account.segments.iter().find(|segment| Some(segment.id) == id);
    let segment = found.ok_or(Refusal::NotFound("segments.api", "segment_id was not found."))?;
    Ok(Answer::ok(&details(segment)))
}
