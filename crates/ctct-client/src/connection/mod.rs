//! A connection: the account to read, and how to reach it.

mod edit;
mod env_file;
mod found;
mod keep;
mod parse;
mod places;

use std::fmt;

use chrono::NaiveDate;
use secrecy::SecretString;
use url::Url;

pub use edit::Setting;
#[cfg(any(feature = "fuzzing", test))]
pub(crate) use edit::set as edit_file;
pub use env_file::{Target, TargetSettings, holds_connection};
pub use found::{Connections, from_environment};
pub(crate) use parse::is_loopback;
pub use parse::setting_value;
pub use places::{Places, is_open_to_others};

/// Where tokens are had, unless a connection says otherwise.
pub const DEFAULT_AUTH_URL: &str = "https://authz.constantcontact.com/oauth2/default/v1";

/// Where the API is, unless a connection says otherwise.
pub const DEFAULT_BASE_URL: &str = "https://api.cc.email/v3";

/// One account of Constant Contact, with what is needed to read it.
///
/// `Debug` shows no secret.
#[derive(Clone)]
pub struct Connection {
    /// The name under which it was configured, such as `CONSTANT_CONTACT`.
    pub name: String,
    /// Where it was configured, in words, such as `environment variable CONSTANT_CONTACT`.
    pub origin: String,
    /// The application's API key. Quota and pace are counted per key.
    pub client_id: String,
    /// The application's secret; none for a public client.
    pub client_secret: Option<SecretString>,
    /// The token that requests carry.
    pub access_token: Option<SecretString>,
    /// The token that new access tokens are had with.
    pub refresh_token: Option<SecretString>,
    /// What is not secret.
    pub inputs: Inputs,
}

/// The settings of a connection that are not secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The day from which a first incremental replication reads.
    pub anchor_date: Option<NaiveDate>,
    /// The redirect address that the application is registered with.
    pub redirect_uri: String,
    /// How fast requests may follow one another.
    pub pace: Pace,
    /// How many requests the key has per UTC day.
    pub requests_per_day: u32,
    /// How many requests of a day unattended commands, such as replications, leave to people.
    pub quota_reserve: u32,
    /// Where the API is: `https`, or a loopback address.
    pub base_url: Url,
    /// Where tokens are had: `https`, or a loopback address.
    pub auth_url: Url,
}

/// How fast requests may follow one another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Evenly spaced, this many a second.
    PerSecond(f64),
    /// As fast as the server answers; for servers on this machine only.
    Unlimited,
}

impl Pace {
    /// A pace as people write it: a number of requests a second, above 0 and up to 10,
    /// or `unlimited`, which is for a server at a loopback address only.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for anything else.
    pub fn parse(text: &str, base_url: &Url) -> crate::Result<Self> {
        parse::pace(text, base_url)
    }
}

impl Connection {
    /// A connection with the documented defaults: 3 requests a second, 10,000 a day.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) where `base_url` is
    /// neither `https` nor a loopback address.
    pub fn new(name: &str, client_id: &str, base_url: &str) -> crate::Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            origin: "this program".to_owned(),
            client_id: client_id.to_owned(),
            client_secret: None,
            access_token: None,
            refresh_token: None,
            inputs: Inputs {
                anchor_date: None,
                redirect_uri: "https://localhost".to_owned(),
                pace: Pace::PerSecond(3.0),
                requests_per_day: 10_000,
                quota_reserve: 500,
                base_url: parse::safe_url(base_url)?,
                auth_url: parse::safe_url(DEFAULT_AUTH_URL)?,
            },
        })
    }

    /// The same connection with this access token.
    #[must_use]
    pub fn with_access_token(mut self, token: impl Into<SecretString>) -> Self {
        self.access_token = Some(token.into());
        self
    }

    /// The same connection at this pace.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.inputs.pace = pace;
        self
    }

    /// The connection that a YAML or JSON text describes.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), naming `origin` and the
    /// place in the text; never the text itself, which holds secrets.
    ///
    /// ```
    /// use ctct_client::Connection;
    ///
    /// let text = "{ type: api, spec: constant-contact, secrets: { client_id: abc } }";
    /// let connection = Connection::parse("CONSTANT_CONTACT", "an example", text)?;
    /// assert_eq!(connection.schema_name(), "constant_contact");
    /// # Ok::<(), ctct_client::Error>(())
    /// ```
    pub fn parse(name: &str, origin: &str, text: &str) -> crate::Result<Self> {
        parse::connection(name, origin, text)
    }

    /// Where tokens are had.
    pub(crate) fn auth_url(&self) -> Url {
        self.inputs.auth_url.clone()
    }

    /// The name of the SQL schema that holds the connection's tables.
    pub fn schema_name(&self) -> String {
        self.name.to_lowercase()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .field("client_id", &self.client_id)
            .field("inputs", &self.inputs)
            .finish_non_exhaustive()
    }
}
