//! `GET /contact_custom_fields`.

use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::cursor::{self, CursorQuery, Links};
use super::{Call, Service};
use crate::account::CustomField;

#[derive(Debug, Serialize)]
struct Page<'a> {
    custom_fields: &'a [CustomField],
    #[serde(rename = "_links")]
    links: Links,
}

pub(super) fn list(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let (query, continued) = cursor::resolve(&call.query, "cursor")?;
    let number = if continued { query.number("next", 1, usize::MAX)? } else { 1 };
    let limit = query.number("limit", 50, 100)?;
    let fields = &service.account.custom_fields;
    let (custom_fields, more) = cursor::page(fields, (number - 1).saturating_mul(limit), limit);
    let links = if more {
        let next = CursorQuery::default().with("limit", limit).with("next", number + 1);
        Links::to("/v3/contact_custom_fields", "cursor", &next.text())
    } else {
        Links::default()
    };
    Ok(Answer::ok(&Page { custom_fields, links }))
}
