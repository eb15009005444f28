//! What the API answers, and its two shapes of errors.

use serde::Serialize;
use serde_json::json;

/// An answer: status, further headers, and a JSON body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Status 200 with this body.
    pub(super) fn ok(body: &impl Serialize) -> Self {
        Self::with_status(200, body)
    }

    /// Any status with this body.
    pub(super) fn with_status(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self { status, headers: &[], body },
            Err(_) => Refusal::Broken.into(),
        }
    }
}

/// Why the API does not answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A parameter, named here, has no valid value.
    Invalid(&'static str),
    /// No such thing; the key's prefix and the message.
    NotFound(&'static str, &'static str),
    /// A campaign without figures, among those that figures were asked of.
    NoStats,
    /// No token, or one that is not accepted.
    Unauthorized,
    /// A token that does not cover this.
    Privileges,
    /// A path that the gateway does not know.
    UnknownPath,
    /// A path that does not take this method.
    Method,
    /// A content type other than JSON.
    MediaType,
    /// Too many requests in this second.
    Throttled,
    /// Too many requests on this day.
    QuotaExceeded,
    /// The sandbox itself failed.
    Broken,
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        // Errors of authorization are an object, errors of the services an array.
        let object =
            |key: &str, message: &str| json!({ "error_key": key, "error_message": message });
        let array = |key: &str, message: &str| json!([object(key, message)]);
        let (status, body) = match refusal {
            Refusal::Invalid(parameter) => {
                let message = format!("{parameter} does not have a valid value");
                (400, array("contacts.api.validation.error", &message))
            }
            Refusal::NotFound(service, message) => {
                (404, array(&format!("{service}.not_found"), message))
            }
            Refusal::NoStats => (
                404,
                array(
                    "reportingsvc.not_found.invalid_path_param.campaign_ids.",
                    "Could not find any campaign stats for all requested campaigns.",
                ),
            ),
            Refusal::Unauthorized => (401, object("unauthorized", "Unauthorized")),
            Refusal::Privileges => (
                403,
                object("access_denied", "Request forbidden due to insufficient user privileges."),
            ),
            Refusal::UnknownPath => (403, json!({ "message": "Forbidden" })),
            Refusal::Method => (405, array("http.status.method_not_allowed", "Method Not Allowed")),
            Refusal::MediaType => (
                415,
                array(
                    "http.status.unsupported_media_type",
                    "Content-Type must be application/json",
                ),
            ),
            Refusal::Throttled => (429, object("throttled", "Too Many Requests")),
            Refusal::QuotaExceeded => (429, object("quota_exceeded", "Limit Exceeded")),
            Refusal::Broken => {
                (500, array("contacts.api.internal_server_error", "Internal Server Error"))
            }
        };
        let headers: &[_] = match status {
            401 => &[
                ("x-amzn-errortype", "UnauthorizedException"),
                ("www-authenticate", "Bearer realm=api.cc.email"),
            ],
            _ => &[],
        };
        Self { status, headers, body: body.to_string().into_bytes() }
    }
}
