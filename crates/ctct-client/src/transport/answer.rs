//! From status and body to a result: which answers are errors, and of which kind.

use bytes::Bytes;
use serde_json::Value;

use super::retry::Failure;
use crate::{Connection, Error, ErrorKind, Request};

/// How much of a server's own words is shown.
const SHOWN: usize = 300;

/// What an answer amounts to.
#[derive(Debug)]
pub(super) enum Answer {
    /// What was asked for.
    Body(Bytes),
    /// An error, and whether another attempt can help.
    Refusal(Failure, Error),
}

/// What an answer says before its body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) status: u16,
    pub(super) location: Option<&'a str>,
    pub(super) content_type: Option<&'a str>,
}

/// What a server says about an error, in any of the forms that it uses.
#[derive(Debug, Default, PartialEq, Eq)]
struct ServerWords {
    key: Option<String>,
    text: Option<String>,
}

/// The statuses of answers that have what was asked for. The second one is no standard's:
/// the specification has it for automations.
const SUCCESSES: [u16; 2] = [200, 209];

pub(super) fn judge(
    connection: &Connection,
    request: &Request,
    head: &Head<'_>,
    body: Bytes,
) -> Answer {
    let (status, location) = (head.status, head.location);
    if SUCCESSES.contains(&status) {
        return match head.content_type {
            Some(other) if !is_json(other) => {
                Answer::Refusal(Failure::Final, not_json(request, other))
            }
            _ => Answer::Body(body),
        };
    }
    if (300..400).contains(&status) {
        return Answer::Refusal(Failure::Final, redirected(connection, request, location));
    }
    let words = ServerWords::read(&body);
    let said = words.to_string();
    let asked = format!("GET {}", request.path);
    let refuse = |failure, kind, message: String| {
        Answer::Refusal(failure, Error::new(kind, format!("{message}{said}")))
    };
    match status {
        202 => Answer::Refusal(
            Failure::NotReady,
            Error::new(ErrorKind::Unavailable, format!("the answer to {asked} is not ready yet"))
                .with_hint("the server is still computing it; ask again in a while"),
        ),
        401 => Answer::Refusal(
            Failure::Final,
            Error::new(
                ErrorKind::Authentication,
                format!("the access token of connection {} was refused{said}", connection.name),
            )
            .with_hint(format!(
                "a token lasts a day: put a fresh `access_token` into the `secrets` of {}",
                connection.origin
            )),
        ),
        403 => match refuse(Failure::Final, ErrorKind::Forbidden, format!("{asked} is not allowed")) {
            Answer::Refusal(failure, error) => Answer::Refusal(
                failure,
                error.with_hint("the token's scopes, or the privileges of the user who gave it, do not cover this"),
            ),
            body @ Answer::Body(_) => body,
        },
        404 => refuse(Failure::Final, ErrorKind::NotFound, format!("{asked} found nothing")),
        429 => match words.key.as_deref() {
            Some("throttled" | "mashery.not.authorized.over.qps") => {
                refuse(Failure::Throttled, ErrorKind::Throttled, format!("{asked} came too fast"))
            }
            Some("quota_exceeded" | "mashery.not.authorized.over.ratelimit") => Answer::Refusal(
                Failure::Final,
                Error::new(
                    ErrorKind::QuotaExhausted,
                    format!("the day's requests of this API key are used up{said}"),
                )
                .with_hint("they are renewed at 00:00 UTC; what was read so far is kept"),
            ),
            _ => refuse(Failure::TooMany, ErrorKind::Throttled, format!("{asked} was one too many")),
        },
        400..500 => {
            refuse(Failure::Final, ErrorKind::InvalidRequest, format!("{asked} was refused with status {status}"))
        }
        500..600 => {
            refuse(Failure::Server, ErrorKind::Unavailable, format!("{asked} failed on the server with status {status}"))
        }
        _ => refuse(Failure::Final, ErrorKind::Protocol, format!("{asked} was answered with the unexpected status {status}")),
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.is_empty() || kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
}

fn not_json(request: &Request, content_type: &str) -> Error {
    let kind = harmless(content_type.split(';').next().unwrap_or_default());
    Error::new(
        ErrorKind::Protocol,
        format!("GET {} was answered with {kind}, not JSON", request.path),
    )
    .with_hint("check `base_url`; a proxy or a captive portal may stand in between")
}

fn redirected(connection: &Connection, request: &Request, location: Option<&str>) -> Error {
    let target = location.and_then(|location| connection.inputs.base_url.join(location).ok());
    let host = target.as_ref().and_then(|url| url.host_str()).unwrap_or("nowhere");
    Error::new(
        ErrorKind::Protocol,
        format!("GET {} was redirected to {host}, and redirects are not followed", request.path),
    )
    .with_hint("check `base_url`; a proxy or a captive portal may stand in between")
}

impl ServerWords {
    fn read(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self::default();
        };
        let object = match &value {
            Value::Array(items) => items.first().unwrap_or(&Value::Null),
            other => other,
        };
        let member = |names: [&str; 3]| {
            names.iter().find_map(|name| object.get(name)?.as_str()).map(harmless)
        };
        Self {
            key: member(["error_key", "error", "code"]),
            text: member(["error_message", "error_description", "message"]),
        }
    }
}

impl std::fmt::Display for ServerWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.text, &self.key) {
            (Some(text), Some(key)) => write!(f, ": {text} [{key}]"),
            (Some(said), None) | (None, Some(said)) => write!(f, ": {said}"),
            (None, None) => Ok(()),
        }
    }
}

/// A server's words, short and without control characters.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use proptest::strategy::Strategy as _;

    use super::*;

    const BODIES: &[&str] = &[
        r#"{"error_key":"throttled","error_message":"Too Many Requests"}"#,
        r#"[{"error_key":"throttled","error_message":"Too Many Requests"}]"#,
        r#"{"error_key":"quota_exceeded","error_message":"Limit Exceeded"}"#,
        r#"[{"error_key":"quota_exceeded"}]"#,
        r#"{"error_key":7,"error_message":["x"]}"#,
        "[[[[]]]]",
        r#"{"message":null}"#,
        r#"{"error":"invalid_grant","error_description":"\u0000\u001b[2J"}"#,
        "<html><body>502</body></html>",
        "",
    ];

    fn refusal(status: u16, body: &str) -> (Failure, Error) {
        let connection = Connection::new("SHOP", "c", "https://api.cc.email/v3").expect("valid");
        let request = Request { path: "/contacts".into(), query: "cursor=hidden".into() };
        let head = Head { status, location: None, content_type: None };
        match judge(&connection, &request, &head, Bytes::copy_from_slice(body.as_bytes())) {
            Answer::Refusal(failure, error) => (failure, error),
            Answer::Body(_) => panic!("{status} is no success"),
        }
    }

    #[test]
    fn every_form_of_error_body_is_understood() {
        for (body, key, text) in [
            (r#"{"error_key":"k","error_message":"t"}"#, Some("k"), Some("t")),
            (
                r#"[{"error_key":"k","error_message":"t"},{"error_key":"second"}]"#,
                Some("k"),
                Some("t"),
            ),
            (r#"{"message":"Forbidden"}"#, None, Some("Forbidden")),
            (
                r#"{"error":"invalid_grant","error_description":"t"}"#,
                Some("invalid_grant"),
                Some("t"),
            ),
            ("<html>Bad gateway</html>", None, None),
            ("", None, None),
            ("[]", None, None),
            ("17", None, None),
        ] {
            let words = ServerWords::read(body.as_bytes());
            assert_eq!((words.key.as_deref(), words.text.as_deref()), (key, text), "{body}");
        }
        assert_eq!(ServerWords::read(&[0xff, 0xfe]), ServerWords::default());
    }

    #[test]
    fn statuses_become_kinds() {
        for (status, kind, failure) in [
            (400, ErrorKind::InvalidRequest, Failure::Final),
            (401, ErrorKind::Authentication, Failure::Final),
            (403, ErrorKind::Forbidden, Failure::Final),
            (404, ErrorKind::NotFound, Failure::Final),
            (415, ErrorKind::InvalidRequest, Failure::Final),
            (500, ErrorKind::Unavailable, Failure::Server),
            (503, ErrorKind::Unavailable, Failure::Server),
            (204, ErrorKind::Protocol, Failure::Final),
            (302, ErrorKind::Protocol, Failure::Final),
        ] {
            let (found, error) = refusal(status, "");
            assert_eq!((error.kind(), found), (kind, failure), "{status}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }

    #[test]
    fn the_two_limits_are_told_apart() {
        let (failure, error) =
            refusal(429, r#"{"error_key":"throttled","error_message":"Too Many Requests"}"#);
        assert_eq!((failure, error.kind()), (Failure::Throttled, ErrorKind::Throttled));
        let (failure, error) =
            refusal(429, r#"{"error_key":"quota_exceeded","error_message":"Limit Exceeded"}"#);
        assert_eq!((failure, error.kind()), (Failure::Final, ErrorKind::QuotaExhausted));
        let (failure, _) = refusal(429, "<html>");
        assert_eq!(failure, Failure::TooMany);
    }

    #[test]
    fn only_json_is_taken_for_an_answer() {
        let connection = Connection::new("SHOP", "c", "https://api.cc.email/v3").expect("valid");
        let request = Request { path: "/contacts".into(), query: String::new() };
        let is_body = |content_type| {
            let head = Head { status: 200, location: None, content_type };
            matches!(judge(&connection, &request, &head, Bytes::new()), Answer::Body(_))
        };
        assert!(is_body(None) && is_body(Some("application/json")) && is_body(Some("")));
        assert!(
            is_body(Some("Application/JSON; charset=utf-8"))
                && is_body(Some("application/hal+json"))
        );
        assert!(!is_body(Some("text/html")) && !is_body(Some("application/octet-stream")));
    }

    proptest::proptest! {
        /// Any status with any body: the right kind, and never a panic or a cursor.
        #[test]
        fn b_t4_any_status_with_any_body_has_its_kind(
            status in 100..1000_u16,
            body in proptest::prelude::prop_oneof![
                proptest::collection::vec(proptest::num::u8::ANY, 0..200),
                proptest::sample::select(BODIES).prop_map(|body| body.as_bytes().to_vec()),
            ],
        ) {
            use proptest::prelude::*;
            let connection = Connection::new("SHOP", "c", "https://api.cc.email/v3").expect("valid");
            let request = Request { path: "/contacts".into(), query: "cursor=hidden".into() };
            let head = Head { status, location: None, content_type: None };
            let throttled = body.windows(9).any(|window| window == b"throttled");
            let used_up = body.windows(14).any(|window| window == b"quota_exceeded");
            match judge(&connection, &request, &head, body.into()) {
                Answer::Body(_) => prop_assert!(SUCCESSES.contains(&status)),
                Answer::Refusal(failure, error) => {
                    let expected = match status {
                        401 => ErrorKind::Authentication,
                        403 => ErrorKind::Forbidden,
                        404 => ErrorKind::NotFound,
                        429 if used_up => ErrorKind::QuotaExhausted,
                        429 => ErrorKind::Throttled,
                        400..500 => ErrorKind::InvalidRequest,
                        202 | 500..600 => ErrorKind::Unavailable,
                        _ => ErrorKind::Protocol,
                    };
                    prop_assert_eq!(failure == Failure::NotReady, status == 202);
                    prop_assert_eq!(error.kind(), expected);
                    prop_assert_eq!(failure == Failure::Throttled, status == 429 && throttled);
                    prop_assert_eq!(failure == Failure::Server, (500..600).contains(&status));
                    prop_assert!(!error.to_string().contains("hidden"));
                    prop_assert!(!error.to_string().chars().any(char::is_control));
                }
            }
        }
    }

    #[test]
    fn a_servers_words_are_made_harmless() {
        let (_, error) = refusal(400, "{\"message\":\"a\\u001b[31mb\"}");
        assert!(error.to_string().ends_with(": a[31mb"), "{error}");
        let long = format!("{{\"message\":\"{}\"}}", "x".repeat(10_000));
        assert!(refusal(400, &long).1.to_string().len() < 500);
    }
}
