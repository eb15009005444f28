//! The V3 API: which path leads where, and what every answer has in common.

mod account;
mod answer;
mod contact_filter;
mod contact_reports;
mod contacts;
mod control;
mod cursor;
mod custom_fields;
mod email_activities;
mod emails;
mod events;
mod faulty;
mod landing_pages;
mod lists;
mod others;
mod query;
mod reports;
mod segments;
mod service;
mod stats;
mod tags;
mod tracking;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, DATE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use serde_json::Value;

use answer::{Answer, Refusal};
use query::Query;
pub(crate) use service::Service;

use crate::account::{Include, value};
use crate::fault::FaultKind;
use crate::limits::Exceeded;
use crate::log::LoggedRequest;
pub(crate) use account::{account_emails, privilege_values};
pub(crate) use contact_reports::{deed_values, rate_values, sms_history_values, summary_values};
pub(crate) use contacts::count_values;
pub(crate) use email_activities::{activity_values, part_values};
pub(crate) use events::{event_values, registration_values};
pub(crate) use landing_pages::landing_page_values;
pub(crate) use stats::{activity_stats_values, stats_values};
pub(crate) use tracking::{link_values, report_values};

/// The rows of the endpoints that are not paged through here but compared with.
pub(crate) fn list_values(service: &Service, channel: &str, deleted: bool) -> Vec<Value> {
    let members = service.members();
    let counts = &members.all_on_list;
    let all = service.account.lists.iter().zip(counts);
    let is_shown =
        |list: &crate::account::List| list.deleted.is_some() == deleted && list.channel == channel;
    let shown = all.filter(|(list, _)| is_shown(list));
    shown.map(|(list, count)| value(&lists::Row::new(list, Some(*count)))).collect()
}

/// See [`list_values`].
pub(crate) fn tag_values(service: &Service) -> Vec<Value> {
    let members = service.members();
    let all = service.account.tags.iter().zip(&members.with_tag);
    all.map(|(tag, count)| value(&tags::Row::new(tag, Some(*count)))).collect()
}

/// See [`list_values`].
pub(crate) fn segment_values(service: &Service) -> Vec<Value> {
    service.account.segments.iter().map(segments::details).collect()
}

/// See [`list_values`].
pub(crate) fn segment_contact_values(service: &Service) -> Vec<Value> {
    let account = &service.account;
    let of_segment = |segment: &crate::account::Segment| {
        let (id, remainder) = (segment.id, segment.remainder);
        let indexes =
            account.select(|index, facts| index % 7 == remainder && facts.deleted.is_none());
        indexes.into_iter().map(move |index| {
            let facts = account.facts(index);
            let mut row = value(&account.contact_row(index, &facts, Include::default()));
            row["segment_id"] = id.into();
            row
        })
    };
    account.segments.iter().flat_map(of_segment).collect()
}

/// What an endpoint gets: the parameters of the path and of the query.
struct Call {
    path: HashMap<String, String>,
    query: Query,
}

/// An endpoint: a function of the account and the call.
type Endpoint = fn(&Service, &Call) -> Result<Answer, Refusal>;

/// All paths of the API that the sandbox serves.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .merge(contact_routes())
        .merge(campaign_routes())
        .merge(other_routes())
        .fallback(gateway)
        .merge(control::router())
        .merge(crate::oauth::router())
        .with_state(service)
}

type Routes = Router<Arc<Service>>;

fn contact_routes() -> Routes {
    let contact = |report, at| {
        let path = format!("/v3/reports/contact_reports/{{contact_id}}/{report}");
        Router::new().route(&path, endpoint("contact_data", at))
    };
    Router::new()
        .route("/v3/contacts", endpoint("contact_data", contacts::list))
        .route("/v3/contacts/counts", endpoint("contact_data", contacts::counts))
        .route("/v3/contacts/{contact_id}", endpoint("contact_data", contacts::one))
        .route("/v3/contact_lists", endpoint("contact_data", lists::list))
        .route("/v3/contact_tags", endpoint("contact_data", tags::list))
        .route("/v3/segments", endpoint("contact_data", segments::list))
        .route("/v3/segments/{segment_id}", endpoint("contact_data", segments::one))
        .route("/v3/contact_custom_fields", endpoint("contact_data", custom_fields::list))
        .route(
            "/v3/contacts/sms_engagement_history/{contact_id}",
            endpoint("contact_data", contact_reports::sms_engagement_history),
        )
        .merge(contact("activity_details", contact_reports::activity_details))
        .merge(contact("activity_summary", contact_reports::activity_summary))
        .merge(contact("open_and_click_rates", contact_reports::open_and_click_rates))
        .route("/v3/activities", endpoint("contact_data", others::jobs))
        .route("/v3/activities/{activity_id}", endpoint("contact_data", others::job))
}

fn campaign_routes() -> Routes {
    let summaries = "/v3/reports/summary_reports/email_campaign_summaries";
    let activity = "/v3/emails/activities/{campaign_activity_id}";
    Router::new()
        .route("/v3/emails", endpoint("campaign_data", emails::list))
        .route("/v3/emails/{campaign_id}", endpoint("campaign_data", emails::one))
        .route(activity, endpoint("campaign_data", email_activities::one))
        .route(
            "/v3/emails/activities/{campaign_activity_id}/{part}",
            endpoint("campaign_data", email_activities::part),
        )
        .route(
            "/v3/reports/email_reports/{campaign_activity_id}/tracking/{report}",
            endpoint("campaign_data", tracking::report),
        )
        .route(
            "/v3/reports/email_reports/{campaign_activity_id}/links",
            endpoint("campaign_data", tracking::links),
        )
        .route(
            "/v3/reports/stats/email_campaigns/{campaign_ids}",
            endpoint("campaign_data", stats::email_campaigns),
        )
        .route(
            "/v3/reports/stats/email_campaign_activities/{campaign_activity_ids}",
            endpoint("campaign_data", stats::email_campaign_activities),
        )
        .route(summaries, endpoint("campaign_data", reports::email_campaign_summaries))
        .route(
            "/v3/reports/summary_reports/sms_campaign_summaries",
            endpoint("campaign_data", others::sms_campaign_summaries),
        )
        .route(
            "/v3/reports/landing_pages/campaign_details/{campaign_activity_id}/{report}",
            endpoint("campaign_data", landing_pages::report),
        )
        .route("/v3/events", endpoint("campaign_data", events::list))
        .route("/v3/events/{event_id}", endpoint("campaign_data", events::one))
        .route(
            "/v3/events/{event_id}/tracks/{track_id}/registrations",
            endpoint("campaign_data", events::registrations),
        )
        .route(
            "/v3/events/{event_id}/tracks/{track_id}/registrations/{registration_id}",
            endpoint("campaign_data", events::registration),
        )
}

fn other_routes() -> Routes {
    Router::new()
        .route("/v3/automations/workflows", endpoint("campaign_data", others::automations))
        .route(
            "/v3/automations/workflows/{automation_flow_id}",
            endpoint("campaign_data", others::automation),
        )
        .route("/v3/social/profiles", endpoint("campaign_data", others::social_profiles))
        .route("/v3/social/connections", endpoint("campaign_data", others::social_connections))
        .route("/v3/social/hashtags/groups", endpoint("campaign_data", others::hashtag_groups))
        .route("/v3/account/summary", endpoint("account_read", account::summary))
        .route(
            "/v3/account/summary/physical_address",
            endpoint("account_read", account::physical_address),
        )
        .route("/v3/account/emails", endpoint("account_read", account::emails))
        .route("/v3/account/user/privileges", endpoint("", account::privileges))
}

fn endpoint(scope: &'static str, endpoint: Endpoint) -> MethodRouter<Arc<Service>> {
    let refused = |State(service): State<Arc<Service>>, request: Request| async move {
        finish(&service, request.method().as_str(), request.uri(), Refusal::Method.into(), None)
    };
    get(move |State(service): State<Arc<Service>>, parameters: RawPathParams, request: Request| {
        let path = parameters.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let path: HashMap<_, _> = path.collect();
        async move {
            let fault = service.faults.next(request.uri().path());
            let delay = fault.as_ref().map(crate::FaultKind::delay).unwrap_or_default();
            tokio::time::sleep(delay).await;
            if let Some(answer) = limited(&service).or(fault.as_ref().and_then(faulty::instead)) {
                return finish(&service, "GET", request.uri(), answer, None);
            }
            let uri = request.uri().to_string();
            if let Some(body) = service.kept_page(&uri) {
                let answer = Answer { status: 200, headers: &[], body: body.to_vec() };
                return finish(&service, "GET", request.uri(), answer, fault);
            }
            let worker = Arc::clone(&service);
            let headers = request.headers().clone();
            let query = Query::parse(request.uri().query().unwrap_or_default());
            // Making a page is work for a processor: it must not keep the server from
            // answering others.
            let answered = tokio::task::spawn_blocking(move || {
                check_headers(&worker, &headers, scope)?;
                endpoint(&worker, &Call { path, query })
            });
            let answer = match answered.await {
                Ok(Ok(answer)) => {
                    service.keep_page(&uri, &answer.body);
                    answer
                }
                Ok(Err(refusal)) => refusal.into(),
                Err(_) => Refusal::Broken.into(),
            };
            finish(&service, "GET", request.uri(), answer, fault)
        }
    })
    .fallback(refused)
}

/// An answer that is no row of the API: a page for a browser, or a token.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
}

impl Page {
    pub(crate) fn html(status: u16, text: String) -> Self {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        Self { status, headers: vec![(CONTENT_TYPE, kind)], body: text.into_bytes() }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        let kind = HeaderValue::from_static("application/json;charset=UTF-8");
        let cache = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self {
            status,
            headers: vec![(CONTENT_TYPE, kind), cache],
            body: value.to_string().into_bytes(),
        }
    }
}

/// Sends a page as it is.
pub(crate) fn finish_page(service: &Service, method: &str, uri: &Uri, page: Page) -> Response {
    let mut response = Response::new(Body::from(page.body));
    *response.status_mut() = StatusCode::from_u16(page.status).unwrap_or_default();
    response.headers_mut().extend(page.headers);
    log(service, method, uri, page.status, response)
}

/// Sends what `answer` gives, with the faults that are waiting for its path.
pub(crate) async fn answer_faults(
    service: &Service,
    method: &str,
    uri: &Uri,
    answer: impl FnOnce() -> Page,
) -> Response {
    let fault = service.faults.next(uri.path());
    let delay = fault.as_ref().map(FaultKind::delay).unwrap_or_default();
    // A late answer is one that the server has given, and that is on its way.
    let page = match fault.as_ref().and_then(faulty::instead) {
        Some(instead) => return finish(service, method, uri, instead, None),
        None if matches!(
            fault,
            Some(FaultKind::Answer { .. } | FaultKind::Html | FaultKind::Redirect { .. })
        ) =>
        {
            Page::json(200, &Value::Null)
        }
        None => answer(),
    };
    tokio::time::sleep(delay).await;
    match fault {
        None | Some(FaultKind::Latency { .. }) => finish_page(service, method, uri, page),
        fault => {
            let answer = Answer { status: page.status, headers: &[], body: page.body };
            finish(service, method, uri, answer, fault)
        }
    }
}

/// Whatever the gateway does not know it forbids, whoever asks.
async fn gateway(State(service): State<Arc<Service>>, request: Request) -> Response {
    finish(&service, request.method().as_str(), request.uri(), Refusal::UnknownPath.into(), None)
}

/// The gateway counts whatever arrives, before anything else.
fn limited(service: &Service) -> Option<Answer> {
    let day = service.clock.now().date_naive();
    match service.counts.arrive(service.limits, day) {
        Ok(()) => None,
        Err(Exceeded::Second) => Some(Refusal::Throttled.into()),
        Err(Exceeded::Day) => Some(Refusal::QuotaExceeded.into()),
    }
}

fn check_headers(service: &Service, headers: &HeaderMap, scope: &str) -> Result<(), Refusal> {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let token = token.and_then(|token| service.token(token)).ok_or(Refusal::Unauthorized)?;
    if !scope.is_empty() && !token.scopes.iter().any(|held| held == scope) {
        return Err(Refusal::Privileges);
    }
    // Absent is fine, empty is not.
    match headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default()) {
        None | Some("*/*") => Ok(()),
        Some(kind) if kind.starts_with("application/json") => Ok(()),
        Some(_) => Err(Refusal::MediaType),
    }
}

fn finish(
    service: &Service,
    method: &str,
    uri: &Uri,
    answer: Answer,
    fault: Option<FaultKind>,
) -> Response {
    let status = answer.status;
    log(service, method, uri, status, faulty::response(answer, fault))
}

/// Notes an answer, and dates it by the sandbox's clock.
fn log(
    service: &Service,
    method: &str,
    uri: &Uri,
    status: u16,
    mut response: Response,
) -> Response {
    let now = service.clock.now();
    service.log.push(LoggedRequest {
        at: now,
        method: method.to_owned(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        status: if response.status().is_success() { status } else { response.status().as_u16() },
    });
    if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now.into())) {
        response.headers_mut().insert(DATE, date);
    }
    response
}
