//! `GET /contact_tags`.

use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::account::{Tag, time};

/// What the links of tags name: a path of the service behind the gateway, which
/// nobody outside can call.
const INTERNAL_PATH: &str = "/contacts-service/v3/accounts/1139004455667/contact_tags";

#[derive(Debug, Serialize)]
struct Page<'a> {
    tags: Vec<Row<'a>>,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    tag_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts_count: Option<u32>,
    created_at: String,
    updated_at: String,
    tag_source: &'a str,
}

impl<'a> Row<'a> {
    pub(crate) fn new(tag: &'a Tag, contacts_count: Option<u32>) -> Self {
        Self {
            tag_id: &tag.id,
            name: tag.name,
            contacts_count,
            created_at: time::seconds(tag.created),
            updated_at: time::seconds(tag.updated),
            tag_source: "Contact",
        }
    }
}

pub(super) fn list(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "cursor")?;
    let limit = query.number("limit", 50, 500)?;
    let with_count = query.flag("include_count")?;
    let tags = &service.account.tags;
    // The cursor names the last tag that was shown; tags stand in the order of their identifiers.
    let skip = match query.get("next").filter(|_| continued) {
        Some(last) => tags.partition_point(|tag| tag.id.as_str() <= last),
        None => 0,
    };
    let (shown, more) = cursor::page(tags, skip, limit);
    let members = with_count.then(|| service.members());
    let counts = members.as_ref().map(|members| &members.with_tag);
    let rows = shown.iter().enumerate();
    let rows =
        rows.map(|(row, tag)| Row::new(tag, counts.map(|counts| counts[skip + row]))).collect();
    let links = match shown.last().filter(|_| more) {
        Some(last) => {
            let next = CursorQuery::default()
                .with_some("include_count", with_count.then_some("true"))
                .with("limit", limit)
                .with("next", &last.id);
            Links::to(INTERNAL_PATH, "cursor", &next.text())
        }
        None => Links::default(),
    };
    Ok(Answer::ok(&Page { tags: rows, links }))
}
