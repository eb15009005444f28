//! `GET /account/summary`.

use super::answer::{Answer, Refusal};
use super::{Call, Service};

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
