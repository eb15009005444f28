//! What a sandbox is made from.

use std::net::{Ipv4Addr, SocketAddr};

use chrono::{DateTime, Utc};

use crate::{Application, Limits};

/// The API key of the sandbox's application.
pub const CLIENT_ID: &str = "5a4db0c5-0000-4000-8000-000000000000";

/// The token that may do everything in a sandbox with default settings.
pub const ACCESS_TOKEN: &str = "sandbox-access-token";

/// What a sandbox is made from; the same settings give the same account.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 lets the system choose.
    pub address: SocketAddr,
    /// What all of the account's data is derived from.
    pub seed: u64,
    /// How many contacts the account has, deleted ones included.
    pub contacts: u32,
    /// How many e-mail campaigns the account has.
    pub campaigns: u32,
    /// The sandbox's time when it starts; the account's history is the three years before.
    pub starts_at: DateTime<Utc>,
    /// The tokens that are accepted, beside those that a login gives.
    pub tokens: Vec<Token>,
    /// The application that people log in with.
    pub application: Application,
    /// How often the API key may ask; unlimited unless a test wants otherwise.
    pub limits: Limits,
    /// Whether `*_after` and `*_before` include the bound itself, which the
    /// documentation does not say.
    pub inclusive_bounds: bool,
    /// Lets contacts come, go and change before each page of them, in a way that this number
    /// chooses; none for an account that holds still.
    pub churn: Option<u64>,
    /// Which forms answers have, where the documentation shows more than one.
    pub variants: Variants,
    /// Keeps each page once it was made, in memory: for measuring what reads them.
    pub keep_pages: bool,
}

/// Forms of answers that the documentation or live answers show beside the specified one.
/// That `expires_in` may be a text is a setting of the [`Application`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Variants {
    /// Counts of summary reports are texts.
    pub text_counts: bool,
    /// The percentages of summary reports are texts inside of an array.
    pub array_percents: bool,
    /// Figures of activities are called `em_opens.all.mobile`.
    pub dotted_keys: bool,
    /// Times of the account's addresses end in `Z`, not in `+0000`.
    pub zulu_times: bool,
}

/// A bearer token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What the `Authorization` header carries.
    pub value: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it stops being accepted, by the sandbox's clock; never without one.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Token {
    /// A token for all scopes that never expires.
    pub fn unlimited(value: &str) -> Self {
        let scopes = ["account_read", "contact_data", "campaign_data", "offline_access"];
        Self {
            value: value.to_owned(),
            scopes: scopes.map(str::to_owned).to_vec(),
            expires_at: None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            contacts: 5_000,
            campaigns: 40,
            starts_at: DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default(),
            tokens: vec![Token::unlimited(ACCESS_TOKEN)],
            application: Application::default(),
            limits: Limits::default(),
            inclusive_bounds: false,
            churn: None,
            variants: Variants::default(),
            keep_pages: false,
        }
    }
}
