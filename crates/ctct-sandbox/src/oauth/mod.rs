//! The authorization server: consent in a browser, codes, tokens, devices.
//!
//! Its errors are objects of `error` and `error_description` (RFC 6749). What the
//! documentation leaves open is strict here: a spent refresh token that comes again ends
//! its chain, redirect addresses are compared to the letter.

mod application;
mod authority;
mod jwt;
mod pages;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;
use axum::routing::{get, post};

pub use application::{Application, CLIENT_SECRET};
use authority::Authority;

use crate::Token;
use crate::api::{Page, Service, finish_page};

/// The path under which everything but the activation page lies.
pub(crate) const PATH: &str = "/oauth2/default/v1";
/// The scopes that exist.
const SCOPES: [&str; 5] =
    ["account_read", "account_update", "contact_data", "campaign_data", "offline_access"];

/// The authorization server of a sandbox.
#[derive(Debug)]
pub(crate) struct Oauth {
    authority: Mutex<Authority>,
    /// The access tokens that it gave.
    issued: Mutex<HashMap<String, Token>>,
    /// Who is signed in: the account's user, and the account's number.
    user: String,
    account: String,
}

type Parameters = HashMap<String, String>;

impl Oauth {
    pub(crate) fn new(application: Application, seed: u64) -> Self {
        Self {
            authority: Mutex::new(Authority::new(application)),
            issued: Mutex::default(),
            user: format!("june.{seed}@example.com"),
            account: format!("a07e1a5b-0000-4000-8000-{:012x}", seed & 0xffff_ffff_ffff),
        }
    }

    /// The access token with this value.
    pub(crate) fn token(&self, value: &str) -> Option<Token> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).get(value).cloned()
    }

    /// Ends every token, as the account's owner can in its settings.
    pub(crate) fn revoke(&self) {
        self.authority().revoke();
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Ends every access token, and leaves the refresh tokens.
    pub(crate) fn expire_access_tokens(&self) {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn authority(&self) -> MutexGuard<'_, Authority> {
        self.authority.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The paths of the authorization server.
pub(crate) fn router() -> Router<Arc<Service>> {
    let path = |end: &str| format!("{PATH}/{end}");
    Router::new()
        .route(&path("authorize"), get(ask).post(answer))
        .route(&path("token"), post(token::token))
        .route(&path("device/authorize"), post(token::device))
        .route(&path("keys"), get(keys))
        .route("/activate", get(activate).post(decide))
}

/// The parameters of the query and of a form in the body.
fn parameters(uri: &Uri, body: &[u8]) -> Parameters {
    let query = uri.query().unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(body));
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn scopes(parameters: &Parameters) -> Vec<String> {
    let text = parameters.get("scope").map(String::as_str).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// What an application asks for, if a browser may be sent back with an answer at all.
struct Asked<'a> {
    redirect_uri: &'a str,
    state: Option<&'a str>,
    challenge: Option<&'a str>,
    scopes: Vec<String>,
}

impl<'a> Asked<'a> {
    /// Reads and checks the parameters; an error is the sentence of a page.
    fn read(parameters: &'a Parameters, application: &Application) -> Result<Self, &'static str> {
        let get = |name: &str| parameters.get(name).map(String::as_str);
        if get("client_id") != Some(application.client_id.as_str()) {
            return Err("The application is not known: check the client_id.");
        }
        let redirect_uri = get("redirect_uri").unwrap_or_default();
        if !application.redirect_uris.iter().any(|known| known == redirect_uri) {
            return Err("The redirect_uri is not one that the application is registered with.");
        }
        let (state, challenge) = (get("state"), get("code_challenge"));
        Ok(Self { redirect_uri, state, challenge, scopes: scopes(parameters) })
    }

    /// What is wrong with the request, in a way that the application is told.
    fn error(&self, parameters: &Parameters) -> Option<(&'static str, &'static str)> {
        let get = |name: &str| parameters.get(name).map(String::as_str);
        if get("response_type") != Some("code") {
            return Some(("unsupported_response_type", "The response type is not supported."));
        }
        if self.state.is_none_or(str::is_empty) {
            return Some((
                "invalid_request",
                "The authentication request has an invalid 'state' parameter.",
            ));
        }
        if self.challenge.is_some() && get("code_challenge_method") != Some("S256") {
            return Some(("invalid_request", "The 'code_challenge_method' must be S256."));
        }
        let known = |scope: &String| SCOPES.contains(&scope.as_str());
        if self.scopes.is_empty() || !self.scopes.iter().all(known) {
            return Some((
                "invalid_scope",
                "One or more scopes are not configured for the authorization server resource.",
            ));
        }
        None
    }

    /// Sends the browser back with these parameters and the state.
    fn back(&self, parameters: &[(&str, &str)]) -> Page {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        if let Some(state) = self.state {
            query.append_pair("state", state);
        }
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        let mut page = Page::html(302, String::new());
        let target = format!("{}{separator}{}", self.redirect_uri, query.finish());
        if let Ok(target) = HeaderValue::try_from(target) {
            page.headers.push((LOCATION, target));
        }
        page
    }
}

async fn ask(State(service): State<Arc<Service>>, request: Request) -> Response {
    let parameters = parameters(request.uri(), &[]);
    let application = service.oauth.authority().application.clone();
    let page = match Asked::read(&parameters, &application) {
        Err(sentence) => Page::html(400, pages::told("This request is not valid", sentence)),
        Ok(asked) => match asked.error(&parameters) {
            Some((error, description)) => {
                asked.back(&[("error", error), ("error_description", description)])
            }
            None => Page::html(200, pages::consent(&service.oauth.user, &asked.scopes, &[])),
        },
    };
    finish_page(&service, "GET", request.uri(), page)
}

/// The consent form keeps the query of its page, so that the answer comes with all of it.
async fn answer(State(service): State<Arc<Service>>, uri: Uri, body: Bytes) -> Response {
    let parameters = parameters(&uri, &body);
    let now = service.clock.now().timestamp();
    let mut authority = service.oauth.authority();
    let application = authority.application.clone();
    let page = match Asked::read(&parameters, &application) {
        Err(sentence) => Page::html(400, pages::told("This request is not valid", sentence)),
        Ok(asked) => match asked.error(&parameters) {
            Some((error, description)) => {
                asked.back(&[("error", error), ("error_description", description)])
            }
            None if parameters.get("decision").is_some_and(|decision| decision == "allow") => {
                let scopes = asked.scopes.clone();
                let code = authority.code(asked.redirect_uri, asked.challenge, scopes, now);
                asked.back(&[("code", &code)])
            }
            None => asked.back(&[
                ("error", "access_denied"),
                ("error_description", "The resource owner denied the request."),
            ]),
        },
    };
    drop(authority);
    finish_page(&service, "POST", &uri, page)
}

async fn activate(State(service): State<Arc<Service>>, request: Request) -> Response {
    let parameters = parameters(request.uri(), &[]);
    let now = service.clock.now().timestamp();
    let page = match parameters.get("user_code") {
        None => Page::html(200, pages::activate()),
        Some(user_code) => match service.oauth.authority().waiting_device(user_code, now) {
            None => Page::html(400, pages::told("No such code", "The code is not valid any more.")),
            Some(scopes) => Page::html(
                200,
                pages::consent(&service.oauth.user, &scopes, &[("user_code", user_code)]),
            ),
        },
    };
    finish_page(&service, "GET", request.uri(), page)
}

async fn decide(State(service): State<Arc<Service>>, uri: Uri, body: Bytes) -> Response {
    let parameters = parameters(&uri, &body);
    let now = service.clock.now().timestamp();
    let user_code = parameters.get("user_code").map(String::as_str).unwrap_or_default();
    let allowed = parameters.get("decision").is_some_and(|decision| decision == "allow");
    let waited = service.oauth.authority().decide(user_code, allowed, now);
    let page = match (waited, allowed) {
        (false, _) => {
            Page::html(400, pages::told("No such code", "The code is not valid any more."))
        }
        (true, true) => {
            Page::html(200, pages::told("Device activated", "You can close this page."))
        }
        (true, false) => Page::html(200, pages::told("Access denied", "You can close this page.")),
    };
    finish_page(&service, "POST", &uri, page)
}

async fn keys(State(service): State<Arc<Service>>, request: Request) -> Response {
    finish_page(&service, "GET", request.uri(), Page::json(200, &jwt::key_set()))
}

/// Name and secret of a client that authenticates with them.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    use base64::Engine;
    let value = headers.get(axum::http::header::AUTHORIZATION)?.to_str().ok()?;
    let encoded = value.strip_prefix("Basic ")?;
    let text = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (name, secret) = text.split_once(':')?;
    Some((name.to_owned(), secret.to_owned()))
}
