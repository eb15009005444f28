//! What the token endpoint answers, read tolerantly: the documentation shows a lifetime
//! once as a number and once as text.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::grant::Account;

/// A token never lasts longer, by the documentation. A server that says more is believed
/// as far as this.
const LONGEST_SECONDS: i64 = 86_400;

/// The body of an answer with tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TokenAnswer {
    access_token: AccessToken,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<i64>,
    #[serde(default)]
    refresh_token: Option<RefreshToken>,
    #[serde(default, rename = "scope", deserialize_with = "scopes", skip_serializing)]
    scopes: Option<Vec<Scope>>,
    #[serde(default = "bearer", skip)]
    kind: BasicTokenType,
}

/// What an answer gives.
#[derive(Clone)]
pub(super) struct Tokens {
    pub(super) access_token: SecretString,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) scopes: Vec<String>,
    /// Seconds that the access token lasts from now; none where nobody knows.
    pub(super) lifetime: Option<i64>,
    pub(super) account: Option<Account>,
}

/// What an access token says of itself. It is not verified: the server that gave it is
/// trusted, and nothing but names and times is taken from it.
#[derive(Debug, Default, Deserialize)]
struct Claims {
    iat: Option<i64>,
    exp: Option<i64>,
    sub: Option<String>,
    platform_user_id: Option<String>,
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

fn scopes<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Scope>>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.map(|text| text.split_whitespace().map(|scope| Scope::new(scope.to_owned())).collect()))
}

impl TokenResponse for TokenAnswer {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.kind
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scopes.as_ref()
    }
}

impl TokenAnswer {
    /// What the answer gives; none where its access token is empty.
    pub(super) fn into_tokens(self) -> Option<Tokens> {
        let text = self.access_token.secret();
        if text.trim().is_empty() {
            return None;
        }
        let claims = claims(text);
        // A lifetime that is no lifetime would make every request wait for a refresh: such
        // a token is used until it is refused.
        let told = self.expires_in.filter(|seconds| *seconds > 0);
        let signed = claims.exp.zip(claims.iat).map(|(exp, iat)| exp.saturating_sub(iat));
        let lifetime = match (told, signed.filter(|seconds| *seconds > 0)) {
            (Some(told), Some(signed)) => Some(told.min(signed)),
            (told, signed) => told.or(signed),
        };
        let account = claims.platform_user_id.filter(|id| !id.trim().is_empty());
        Some(Tokens {
            account: account.map(|id| Account { id, user: claims.sub }),
            scopes: self.scopes.iter().flatten().map(|scope| scope.to_string()).collect(),
            lifetime: lifetime.map(|seconds| seconds.min(LONGEST_SECONDS)),
            access_token: SecretString::from(text.clone()),
            refresh_token: self.refresh_token.map(|token| token.into_secret().into()),
        })
    }
}

/// What a JSON Web Token says; nothing where it is none.
fn claims(token: &str) -> Claims {
    let part = token.split('.').nth(1).unwrap_or_default();
    let decoded = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).unwrap_or_default();
    serde_json::from_slice(&decoded).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(text: &str) -> Option<Tokens> {
        serde_json::from_str::<TokenAnswer>(text).ok()?.into_tokens()
    }

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn lifetimes_are_read_in_every_form() {
        for (expires_in, lifetime) in [
            ("28800", Some(28_800)),
            ("\"28800\"", Some(28_800)),
            ("0", None),
            ("-5", None),
            ("null", None),
            ("\"soon\"", None),
            ("99999999999", Some(86_400)),
            ("1e3", None),
        ] {
            let tokens =
                read(&format!("{{\"access_token\":\"a\",\"expires_in\":{expires_in},\"x\":[1]}}"));
            assert_eq!(tokens.expect("read").lifetime, lifetime, "{expires_in}");
        }
        assert_eq!(read("{\"access_token\":\"a\"}").expect("read").lifetime, None);
    }

    #[test]
    fn the_token_itself_knows_its_account_and_its_end() {
        let token = jwt(r#"{"iat":1000,"exp":4600,"platform_user_id":"p-1","sub":"june"}"#);
        let text =
            format!("{{\"access_token\":\"{token}\",\"expires_in\":86400,\"scope\":\"a b\"}}");
        let tokens = read(&text).expect("read");
        assert_eq!(tokens.lifetime, Some(3_600), "the shorter of the two");
        assert_eq!(tokens.account, Some(Account { id: "p-1".into(), user: Some("june".into()) }));
        assert_eq!(tokens.scopes, ["a", "b"]);
        assert_eq!(tokens.access_token.expose_secret(), token);
        for odd in ["a.b", "a.!!.c", "..", &jwt("[]"), &jwt("{\"exp\":\"x\"}")] {
            let tokens = read(&format!("{{\"access_token\":\"{odd}\"}}")).expect("no JWT, a token");
            assert_eq!((tokens.lifetime, tokens.account), (None, None), "{odd}");
        }
    }

    #[test]
    fn what_has_no_access_token_is_no_answer() {
        for text in [
            "{}",
            "{\"access_token\":\"\"}",
            "{\"access_token\":7}",
            "<html>",
            "{\"access_token\":\"a\"",
            "[]",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
