//! What a login gave: tokens, whose they are, and when they were had.

use std::fmt;

use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::response::Tokens;

/// The version of the file's form.
const VERSION: u32 = 1;
/// A refresh token that is not used for this long ends, by the vendor's word.
pub(super) const UNUSED_DAYS: i64 = 180;
/// An access token is renewed when less than this is left of it: a page that is being
/// read must not outlive it.
const MARGIN_SECONDS: i64 = 300;

/// Whose data a login gives access to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    /// The account's identifier; the connection's name where the token does not tell.
    pub(super) id: String,
    /// The user who logged in, where the token tells.
    pub(super) user: Option<String>,
}

/// The tokens of one application for one account. Times are in seconds since 1970 by
/// this machine's clock, and only ever compared with each other: a wrong clock is wrong
/// for all of them.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Grant {
    version: u32,
    pub(super) client_id: String,
    pub(super) account: Account,
    #[serde(with = "secret")]
    pub(super) access_token: SecretString,
    #[serde(with = "optional_secret", default)]
    pub(super) refresh_token: Option<SecretString>,
    pub(super) scopes: Vec<String>,
    /// When the access token was had.
    pub(super) received_at: i64,
    /// How long it lasted then, in seconds; none where the server did not tell.
    pub(super) lifetime: Option<i64>,
    pub(super) logged_in_at: i64,
    /// Whether a refresh gave another refresh token; none before the first one.
    pub(super) rotates: Option<bool>,
    /// The mark of the configured refresh token that this began with.
    #[serde(default)]
    pub(super) seed: Option<String>,
    /// The mark of the refresh token that this one came from.
    #[serde(default)]
    pub(super) previous: Option<String>,
}

impl Grant {
    /// What a login gave at `now`.
    pub(super) fn new(client_id: &str, connection: &str, tokens: Tokens, now: i64) -> Self {
        let account =
            tokens.account.unwrap_or_else(|| Account { id: connection.to_lowercase(), user: None });
        Self {
            version: VERSION,
            client_id: client_id.to_owned(),
            account,
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            scopes: tokens.scopes,
            received_at: now,
            lifetime: tokens.lifetime,
            logged_in_at: now,
            rotates: None,
            seed: None,
            previous: None,
        }
    }

    /// A grant of which only the configured refresh token is known yet.
    pub(super) fn seeded(
        client_id: &str,
        connection: &str,
        refresh_token: &SecretString,
        access_token: Option<&SecretString>,
        now: i64,
    ) -> Self {
        Self {
            version: VERSION,
            client_id: client_id.to_owned(),
            account: Account { id: connection.to_lowercase(), user: None },
            access_token: access_token.cloned().unwrap_or_default(),
            refresh_token: Some(refresh_token.clone()),
            scopes: Vec::new(),
            received_at: now,
            lifetime: None,
            logged_in_at: now,
            rotates: None,
            seed: Some(mark(refresh_token)),
            previous: None,
        }
    }

    /// The grant after a refresh at `now`. An answer without a refresh token keeps the old
    /// one, as long-lived tokens are kept.
    pub(super) fn refreshed(&self, tokens: Tokens, now: i64) -> Self {
        let before = self.refresh_token.as_ref();
        let after = tokens.refresh_token.filter(|token| !token.expose_secret().is_empty());
        let rotated = match (before, &after) {
            (Some(before), Some(after)) => before.expose_secret() != after.expose_secret(),
            _ => false,
        };
        Self {
            version: VERSION,
            client_id: self.client_id.clone(),
            account: tokens.account.unwrap_or_else(|| self.account.clone()),
            access_token: tokens.access_token,
            refresh_token: after.or_else(|| self.refresh_token.clone()),
            scopes: if tokens.scopes.is_empty() { self.scopes.clone() } else { tokens.scopes },
            received_at: now,
            lifetime: tokens.lifetime,
            logged_in_at: self.logged_in_at,
            rotates: Some(rotated),
            seed: self.seed.clone(),
            previous: before.map(mark),
        }
    }

    /// Whether the access token can be used at `now`, as far as anybody knows. One whose
    /// lifetime nobody told is used until it is refused.
    pub(super) fn is_fresh(&self, now: i64) -> bool {
        !self.access_token.expose_secret().is_empty()
            && self.left(now).is_none_or(|left| left > self.margin())
    }

    /// Whether the access token may still be accepted, if only for a moment.
    pub(super) fn is_alive(&self, now: i64) -> bool {
        !self.access_token.expose_secret().is_empty() && self.left(now).is_none_or(|left| left > 0)
    }

    /// Seconds that are left of the access token. A clock that was set back since tells
    /// nothing.
    pub(super) fn left(&self, now: i64) -> Option<i64> {
        let lifetime = self.lifetime?;
        (now >= self.received_at).then(|| lifetime - (now - self.received_at))
    }

    /// Days that are left of the refresh token, if nobody uses it.
    pub(super) fn days_left(&self, now: i64) -> i64 {
        UNUSED_DAYS - (now - self.received_at).max(0) / 86_400
    }

    /// A mark of the refresh token: tells two apart, and tells nothing about either.
    pub(super) fn refresh_mark(&self) -> Option<String> {
        self.refresh_token.as_ref().map(mark)
    }

    fn margin(&self) -> i64 {
        self.lifetime.map_or(0, |lifetime| MARGIN_SECONDS.min(lifetime / 10))
    }

    /// The file's text.
    pub(super) fn to_text(&self) -> serde_json::Result<SecretString> {
        serde_json::to_string_pretty(self).map(SecretString::from)
    }

    /// Reads a file's text; an error says what is wrong, and shows nothing of it.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        let grant: Self = serde_json::from_str(text).map_err(|error| {
            format!("it is not what ctct writes (line {}, column {})", error.line(), error.column())
        })?;
        if grant.version > VERSION {
            return Err("it was written by a newer ctct".to_owned());
        }
        Ok(grant)
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("client_id", &self.client_id)
            .field("account", &self.account)
            .field("scopes", &self.scopes)
            .field("received_at", &self.received_at)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Tells two secrets apart without telling either.
pub(super) fn mark(secret: &SecretString) -> String {
    let digest = digest(&SHA256, secret.expose_secret().as_bytes());
    digest.as_ref().iter().take(16).fold(String::new(), |mark, byte| format!("{mark}{byte:02x}"))
}

mod secret {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &SecretString, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.expose_secret())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<SecretString, D::Error> {
        String::deserialize(from).map(SecretString::from)
    }
}

mod optional_secret {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the form that serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<SecretString>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ExposeSecret::expose_secret).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<SecretString>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(access: &str, refresh: Option<&str>, lifetime: Option<i64>) -> Tokens {
        Tokens {
            access_token: access.into(),
            refresh_token: refresh.map(Into::into),
            scopes: vec!["contact_data".into()],
            lifetime,
            account: None,
        }
    }

    #[test]
    fn a_grant_survives_its_file_and_shows_no_secret() {
        let grant =
            Grant::new("key", "SHOP", tokens("S3CRET-A", Some("S3CRET-R"), Some(86_400)), 1_000);
        let text = grant.to_text().expect("text");
        let back = Grant::from_text(text.expose_secret()).expect("read back");
        assert_eq!(back.access_token.expose_secret(), "S3CRET-A");
        assert_eq!(back.refresh_mark(), grant.refresh_mark());
        assert!(!format!("{back:?} {:?}", grant.refresh_mark()).contains("S3CRET"));
        let broken = Grant::from_text(&text.expose_secret()[..40]).expect_err("cut off");
        assert!(!broken.contains("S3CRET"), "{broken}");
        let newer = text.expose_secret().replace("\"version\": 1", "\"version\": 2");
        assert!(Grant::from_text(&newer).expect_err("newer").contains("newer"));
    }

    #[test]
    fn a_token_is_renewed_shortly_before_its_end() {
        let grant = Grant::new("key", "SHOP", tokens("a", Some("r"), Some(86_400)), 1_000);
        assert!(grant.is_fresh(1_000) && grant.is_fresh(1_000 + 86_400 - 301));
        let late = 1_000 + 86_400 - 300;
        assert!(!grant.is_fresh(late) && grant.is_alive(late) && !grant.is_alive(late + 300));
        assert!(grant.is_fresh(0), "a clock that was set back tells nothing");
        let untold = Grant::new("key", "SHOP", tokens("a", Some("r"), None), 1_000);
        assert!(untold.is_fresh(i64::MAX), "used until it is refused");
    }

    #[test]
    fn a_refresh_keeps_what_the_answer_does_not_bring() {
        let grant = Grant::new("key", "SHOP", tokens("a", Some("r1"), None), 0);
        let kept = grant.refreshed(tokens("b", None, None), 10);
        assert_eq!((kept.refresh_mark(), kept.rotates), (grant.refresh_mark(), Some(false)));
        let empty = grant.refreshed(tokens("b", Some(""), None), 10);
        assert_eq!(empty.refresh_mark(), grant.refresh_mark());
        let next = grant.refreshed(tokens("b", Some("r2"), None), 10);
        assert_eq!((next.rotates, next.previous.clone()), (Some(true), grant.refresh_mark()));
        assert_eq!(next.days_left(10 + 86_400 * 30), 150);
    }
}
