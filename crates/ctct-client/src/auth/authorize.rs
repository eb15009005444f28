//! What a browser is sent to, and what it must bring back.

use oauth2::{CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::exchange::oauth_client;
use super::paste;
use crate::{Connection, Error, ErrorKind, Result};

/// The scopes that reading every table takes; `offline_access` keeps somebody logged in.
pub const SCOPES: [&str; 4] = ["account_read", "contact_data", "campaign_data", "offline_access"];

/// A login that has begun: an address to open, and what belongs to its answer.
///
/// `Debug` shows no secret.
#[derive(Clone)]
pub struct AuthorizationRequest {
    pub(super) url: String,
    pub(super) redirect_uri: String,
    pub(super) state: SecretString,
    pub(super) verifier: SecretString,
}

/// The form in which a login waits for its second step.
#[derive(Serialize, Deserialize)]
struct Pending {
    url: String,
    redirect_uri: String,
    state: String,
    verifier: String,
    begun_at: i64,
}

/// What a browser brought back, checked to belong to its request.
#[derive(Debug, Clone)]
pub struct AuthorizationAnswer {
    pub(super) code: SecretString,
}

impl AuthorizationRequest {
    /// A new request for these scopes: the address holds a challenge and a state that are
    /// good for this request only.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] where the connection's addresses are not URLs.
    pub fn new(connection: &Connection, scopes: &[String]) -> Result<Self> {
        let redirect_uri = connection.inputs.redirect_uri.clone();
        let redirect = RedirectUrl::new(redirect_uri.clone()).map_err(|source| {
            Error::new(ErrorKind::Configuration, "`inputs.redirect_uri` is not a URL")
                .with_source(source)
        })?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = oauth_client(connection)?.set_redirect_uri(redirect);
        let scopes = scopes.iter().map(|scope| Scope::new(scope.clone()));
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        Ok(Self {
            // A plus sign that is meant is written %2B already; one that stands for a
            // space is not understood by every part of the server.
            url: url.as_str().replace('+', "%20"),
            redirect_uri,
            state: state.into_secret().into(),
            verifier: verifier.into_secret().into(),
        })
    }

    /// The address to open in a browser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Reads what somebody pasted: the address that the browser ended at, or the part of
    /// it that matters. A bare code is taken only where `allow_bare_code` says so, because
    /// nothing tells that it belongs to this login.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`], saying what is wrong with it;
    /// [`ErrorKind::Authentication`] where it says that access was not given.
    pub fn answer(&self, pasted: &str, allow_bare_code: bool) -> Result<AuthorizationAnswer> {
        let code = paste::read(pasted, &self.redirect_uri, &self.state, allow_bare_code)?;
        Ok(AuthorizationAnswer { code })
    }

    /// The request as text, for its second step in another process. The text is secret.
    pub(super) fn to_text(&self, now: i64) -> Result<SecretString> {
        let pending = Pending {
            url: self.url.clone(),
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.expose_secret().to_owned(),
            verifier: self.verifier.expose_secret().to_owned(),
            begun_at: now,
        };
        serde_json::to_string(&pending).map(SecretString::from).map_err(|source| {
            Error::new(ErrorKind::Storage, "the login cannot be written down").with_source(source)
        })
    }

    /// Reads what [`to_text`](Self::to_text) wrote, and when.
    pub(super) fn from_text(text: &str) -> Option<(Self, i64)> {
        let pending: Pending = serde_json::from_str(text).ok()?;
        let request = Self {
            url: pending.url,
            redirect_uri: pending.redirect_uri,
            state: pending.state.into(),
            verifier: pending.verifier.into(),
        };
        Some((request, pending.begun_at))
    }
}

impl std::fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let mut connection =
            Connection::new("SHOP", "my key", "https://api.cc.email/v3").expect("valid");
        connection.client_secret = Some("S3CRET".into());
        connection
    }

    #[test]
    fn the_address_is_what_the_documentation_asks_for() {
        let scopes = SCOPES.map(str::to_owned);
        let request = AuthorizationRequest::new(&connection(), &scopes).expect("valid");
        let url = url::Url::parse(request.url()).expect("a URL");
        assert_eq!(
            (url.host_str(), url.path()),
            (Some("authz.constantcontact.com"), "/oauth2/default/v1/authorize")
        );
        let get = |name: &str| {
            url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
        };
        assert_eq!(get("response_type").as_deref(), Some("code"));
        assert_eq!(get("client_id").as_deref(), Some("my key"));
        assert_eq!(get("redirect_uri").as_deref(), Some("https://localhost"), "to the letter");
        assert_eq!(get("code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(
            get("scope").as_deref(),
            Some("account_read contact_data campaign_data offline_access")
        );
        assert!(request.url().contains("account_read%20contact_data"), "{}", request.url());
        let other = AuthorizationRequest::new(&connection(), &scopes).expect("valid");
        assert_ne!(request.state.expose_secret(), other.state.expose_secret());
        assert!(!request.url().contains(request.verifier.expose_secret()));
        assert!(!request.url().contains("S3CRET"));
    }

    #[test]
    fn a_request_waits_as_text() {
        let request = AuthorizationRequest::new(&connection(), &[]).expect("valid");
        let text = request.to_text(7).expect("text");
        let (back, begun) = AuthorizationRequest::from_text(text.expose_secret()).expect("read");
        assert_eq!((back.url(), begun), (request.url(), 7));
        assert_eq!(back.verifier.expose_secret(), request.verifier.expose_secret());
        assert!(AuthorizationRequest::from_text("{}").is_none());
    }
}
