//! The account's own details.

use serde::Serialize;

use super::random::{Purpose, rng};

/// The account, in the API's shape.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the API's names")]
pub(crate) struct Organization {
    contact_email: &'static str,
    contact_phone: &'static str,
    country_code: &'static str,
    encoded_account_id: String,
    first_name: &'static str,
    last_name: &'static str,
    organization_name: &'static str,
    organization_phone: &'static str,
    state_code: &'static str,
    time_zone_id: &'static str,
    website: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) physical_address: Option<PhysicalAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) company_logo: Option<CompanyLogo>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PhysicalAddress {
    address_line1: &'static str,
    city: &'static str,
    state_code: &'static str,
    postal_code: &'static str,
    country_code: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct CompanyLogo {
    url: &'static str,
    internal_id: &'static str,
}

impl Organization {
    /// The account with everything that can be asked for.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = rng(seed, Purpose::Account, 0);
        let code: String = (0..12).map(|_| rng.alphanumeric().to_ascii_lowercase()).collect();
        Self {
            contact_email: "owner@harborlanebooks.example",
            contact_phone: "5550100001",
            country_code: "US",
            encoded_account_id: format!("a{code}"),
            first_name: "June",
            last_name: "Alder",
            organization_name: "Harbor Lane Books",
            organization_phone: "555-010-0001",
            state_code: "MA",
            time_zone_id: "US/Eastern",
            website: "https://harborlanebooks.example",
            physical_address: Some(PhysicalAddress {
                address_line1: "14 Lantern Row",
                city: "Gloucester",
                state_code: "MA",
                postal_code: "01930",
                country_code: "US",
            }),
            company_logo: Some(CompanyLogo {
                url: "https://files.constantcontact.com/0000000000/logo.png",
                internal_id: "ACCOUNT.IMAGE.5",
            }),
        }
    }
}
