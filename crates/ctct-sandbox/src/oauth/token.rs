//! The endpoints that programs ask: tokens, and codes for devices.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::authority::{DEVICE_SECONDS, Denied, Granted};
use super::{Oauth, Parameters, SCOPES, basic, jwt, parameters, scopes};
use crate::Token;
use crate::api::{Page, Service, answer_faults};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// `POST token`: parameters in the query or in a form, as both are documented.
pub(super) async fn token(
    State(service): State<Arc<Service>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parameters = parameters(&uri, &body);
    let client = basic(&headers);
    answer_faults(&service, "POST", &uri, || {
        let limited = !service.oauth.authority().arrive();
        if limited {
            return throttled();
        }
        match granted(&service.oauth, &parameters, client, service.clock.now().timestamp()) {
            Ok(granted) => tokens(&service, granted),
            Err(denied) => refused(denied),
        }
    })
    .await
}

/// `POST device/authorize`.
pub(super) async fn device(State(service): State<Arc<Service>>, uri: Uri, body: Bytes) -> Response {
    let parameters = parameters(&uri, &body);
    let address = service.address.get().map(ToString::to_string).unwrap_or_default();
    answer_faults(&service, "POST", &uri, || {
        let mut authority = service.oauth.authority();
        if !authority.arrive() {
            return throttled();
        }
        if parameters.get("client_id") != Some(&authority.application.client_id) {
            return refused(Denied("invalid_client", "Client authentication failed."));
        }
        let scopes = scopes(&parameters);
        if scopes.is_empty() || !scopes.iter().all(|scope| SCOPES.contains(&scope.as_str())) {
            return refused(Denied("invalid_scope", "One or more scopes are not configured."));
        }
        let interval = authority.application.device_interval;
        let now = service.clock.now().timestamp();
        let (device_code, user_code) = authority.device(scopes, now);
        let verification = format!("http://{address}/activate");
        Page::json(
            200,
            &json!({
                "device_code": device_code,
                "user_code": user_code,
                "verification_uri": verification,
                "verification_uri_complete": format!("{verification}?user_code={user_code}"),
                "expires_in": DEVICE_SECONDS,
                "interval": interval,
            }),
        )
    })
    .await
}

/// What the parameters are good for. `client` is a name and a secret that were sent.
fn granted(
    oauth: &Oauth,
    parameters: &Parameters,
    client: Option<(String, String)>,
    now: i64,
) -> Result<Granted, Denied> {
    let mut authority = oauth.authority();
    let get = |name: &str| parameters.get(name).map(String::as_str);
    let known = authority.application.client_id.clone();
    let confidential = match client {
        Some((name, secret)) => {
            if name != known || secret != authority.application.client_secret {
                return Err(Denied(
                    "invalid_client",
                    "The client secret supplied for a confidential client is invalid.",
                ));
            }
            true
        }
        None if get("client_id") == Some(known.as_str()) => false,
        None => return Err(Denied("invalid_client", "No client credentials found.")),
    };
    let needed = |name: &'static str| {
        get(name).ok_or(Denied("invalid_request", "The token request is missing a parameter."))
    };
    match get("grant_type") {
        Some("authorization_code") => {
            let (code, redirect) = (needed("code")?, needed("redirect_uri")?);
            authority.exchange(code, redirect, get("code_verifier"), confidential, now)
        }
        Some("refresh_token") => authority.refresh(needed("refresh_token")?, now),
        Some(DEVICE_GRANT) => authority.poll(needed("device_code")?, now),
        _ => {
            Err(Denied("unsupported_grant_type", "The authorization grant type is not supported."))
        }
    }
}

/// The answer that carries new tokens.
fn tokens(service: &Service, granted: Granted) -> Page {
    let (oauth, now) = (&service.oauth, service.clock.now());
    let (client_id, seconds, as_text) = {
        let application = &oauth.authority().application;
        let seconds = application.access_token_seconds;
        (application.client_id.clone(), seconds, application.expires_in_as_text)
    };
    let expires_at = now + TimeDelta::seconds(seconds);
    let claims = json!({
        "ver": 1,
        "jti": format!("AT.{:016x}", fastrand::u64(..)),
        "iss": "https://identity.constantcontact.com/oauth2/aus1lm3ry9mF7x2Ja0h8",
        "aud": "https://api.cc.email/v3",
        "iat": now.timestamp(),
        "exp": expires_at.timestamp(),
        "cid": client_id,
        "uid": "00u1sandbox0000000000",
        "scp": granted.scopes,
        "sub": oauth.user,
        "platform_user_id": oauth.account,
    });
    let Some(access_token) = jwt::sign(&claims) else {
        return Page::json(500, &json!({ "error": "server_error" }));
    };
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": if as_text { Value::from(seconds.to_string()) } else { Value::from(seconds) },
        "access_token": access_token,
        "scope": granted.scopes.join(" "),
    });
    if let Some(refresh_token) = granted.refresh_token {
        body["refresh_token"] = refresh_token.into();
    }
    let token =
        Token { value: access_token.clone(), scopes: granted.scopes, expires_at: Some(expires_at) };
    let mut issued = oauth.issued.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    issued.retain(|_, token| token.expires_at.is_none_or(|end| now < end));
    issued.insert(access_token, token);
    Page::json(200, &body)
}

fn refused(Denied(error, description): Denied) -> Page {
    let status = if error == "invalid_client" { 401 } else { 400 };
    Page::json(status, &json!({ "error": error, "error_description": description }))
}

fn throttled() -> Page {
    Page::json(429, &json!({ "error_key": "throttled", "error_message": "Too Many Requests" }))
}
