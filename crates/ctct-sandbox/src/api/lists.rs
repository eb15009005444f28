//! `GET /contact_lists`.

use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::account::{List, time};

#[derive(Debug, Serialize)]
struct Page<'a> {
    lists: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lists_count: Option<usize>,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    list_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    favorite: bool,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    membership_count: Option<u32>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(list: &'a List, membership_count: Option<u32>) -> Self {
        let written = if list.offset_times { time::with_offset } else { time::seconds };
        Self {
            list_id: &list.id,
            name: list.name,
            description: list.description,
            favorite: list.favorite,
            created_at: time::seconds(list.created),
            updated_at: written(list.updated),
            deleted_at: list.deleted.map(written),
            membership_count,
        }
    }
}

pub(super) fn list(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "cursor")?;
    let number = if continued { query.number("next", 1, usize::MAX)? } else { 1 };
    let limit = query.number("limit", 50, 1000)?;
    let with_count = query.flag("include_count")?;
    query.flag("include_sms_membership_count")?;
    let statuses = query.list_of("status", &["all", "active", "deleted"])?;
    let channel = query.get("channel_type");
    if channel.is_some_and(|channel| !["email", "sms"].contains(&channel)) {
        return Err(Refusal::Invalid("channel_type"));
    }
    let members = query.get("include_membership_count").map(|_| service.members());
    let counts = match query.get("include_membership_count") {
        None => None,
        Some("all") => members.as_ref().map(|members| &members.all_on_list),
        Some("active") => members.as_ref().map(|members| &members.active_on_list),
        Some(_) => return Err(Refusal::Invalid("include_membership_count")),
    };

    let wanted_status = |list: &List| {
        let status = if list.deleted.is_some() { "deleted" } else { "active" };
        let statuses = statuses.as_deref().unwrap_or(&["active"]);
        statuses.iter().any(|wanted| *wanted == "all" || *wanted == status)
    };
    let name = query.get("name");
    let found: Vec<(usize, &List)> = service
        .account
        .lists
        .iter()
        .enumerate()
        .filter(|(_, list)| wanted_status(list) && list.channel == channel.unwrap_or("email"))
        .filter(|(_, list)| name.is_none_or(|name| list.name == name))
        .collect();
    let (rows, more) = cursor::page(&found, (number - 1).saturating_mul(limit), limit);
    let lists = rows
        .iter()
        .map(|(position, list)| Row::new(list, counts.map(|counts| counts[*position])))
        .collect();
    let links = if more {
        let next = CursorQuery::default()
            .with_some("status", query.get("status"))
            .with_some("name", name)
            .with_some("channel_type", channel)
            .with_some("include_membership_count", query.get("include_membership_count"))
            .with_some("include_count", with_count.then_some("true"))
            .with("limit", limit)
            .with("next", number + 1);
        Links::to("/v3/contact_lists", "cursor", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&Page { lists, lists_count: with_count.then_some(found.len()), links }))
}
