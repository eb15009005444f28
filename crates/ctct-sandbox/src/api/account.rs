//! `GET /account/…`: the account itself, its addresses, and what its user may do.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, Refusal};
use super::{Call, Service};
use crate::account::{Account, value};

pub(super) fn summary(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let extra = call.query.list_of("extra_fields", &["physical_address", "company_logo"])?;
    let extra = extra.unwrap_or_default();
    let mut organization = service.account.organization();
    if !extra.contains(&"physical_address") {
        organization.physical_address = None;
    }
    if !extra.contains(&"company_logo") {
        organization.company_logo = None;
    }
    Ok(Answer::ok(&organization))
}

#[expect(clippy::unnecessary_wraps, reason = "an endpoint like all others")]
pub(super) fn physical_address(service: &Service, _call: &Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(&service.account.organization().physical_address))
}

/// One of the account's own addresses.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the API's names")]
struct Address {
    email_address: &'static str,
    email_id: u32,
    confirm_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_time: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_source_type: Option<&'static str>,
    roles: &'static [&'static str],
    pending_roles: &'static [&'static str],
}

const ADDRESSES: &[Address] = &[
    Address {
        email_address: "owner@harborlanebooks.example",
        email_id: 1,
        confirm_status: "CONFIRMED",
        // Times of this endpoint have an offset without a colon.
        confirm_time: Some("2023-01-16T12:32:49.766+0000"),
        confirm_source_type: Some("SITE_OWNER"),
        roles: &["CONTACT", "BILLING", "REPLY_TO"],
        pending_roles: &[],
    },
    Address {
        email_address: "news@harborlanebooks.example",
        email_id: 2,
        confirm_status: "UNCONFIRMED",
        confirm_time: None,
        confirm_source_type: None,
        roles: &[],
        pending_roles: &["OTHER"],
    },
];

pub(super) fn emails(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let query = &call.query;
    let filters = ["confirm_status", "role_code", "email_address"];
    let mut sent = filters.iter().filter_map(|name| Some((*name, query.get(name)?)));
    // One filter at a time.
    let (filter, another) = (sent.next(), sent.next());
    if another.is_some() {
        return Err(Refusal::Invalid("email_address"));
    }
    let starts = |word: &str, wanted: &str| {
        word == wanted || (wanted.len() == 1 && word.starts_with(wanted))
    };
    let shown = ADDRESSES.iter().filter(|address| match filter {
        Some(("confirm_status", wanted)) => starts(address.confirm_status, wanted),
        Some(("role_code", wanted)) => address.roles.iter().any(|role| starts(role, wanted)),
        Some((_, wanted)) => address.email_address == wanted,
        None => true,
    });
    let mut shown = value(&shown.collect::<Vec<_>>());
    if service.variants.zulu_times {
        for address in shown.as_array_mut().into_iter().flatten() {
            if let Some(time) = address["confirm_time"].as_str() {
                address["confirm_time"] = time.replace("+0000", "Z").into();
            }
        }
    }
    Ok(Answer::ok(&shown))
}

/// The account's own addresses.
pub(crate) fn account_emails(_account: &Account) -> Vec<Value> {
    ADDRESSES.iter().map(value).collect()
}

#[derive(Debug, Serialize)]
struct Privilege {
    privilege_id: u32,
    privilege_name: &'static str,
}

const PRIVILEGES: &[Privilege] = &[
    Privilege { privilege_id: 10, privilege_name: "contacts:read" },
    Privilege { privilege_id: 11, privilege_name: "contacts:write" },
    Privilege { privilege_id: 12, privilege_name: "contacts:lists:read" },
    Privilege { privilege_id: 30, privilege_name: "campaign:create" },
    Privilege { privilege_id: 31, privilege_name: "campaign:read" },
    Privilege { privilege_id: 52, privilege_name: "ui:campaign:metrics" },
    Privilege { privilege_id: 60, privilege_name: "account:read" },
];

#[expect(clippy::unnecessary_wraps, reason = "an endpoint like all others")]
pub(super) fn privileges(_service: &Service, _call: &Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(&PRIVILEGES))
}

/// What the user may do.
pub(crate) fn privilege_values() -> Vec<Value> {
    PRIVILEGES.iter().map(value).collect()
}
