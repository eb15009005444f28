//! What a test tells the sandbox over HTTP, under `/sandbox`: not part of the API.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Service;
use crate::Fault;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

/// The paths: `POST /sandbox/faults` with a fault, `DELETE /sandbox/faults`,
/// `POST /sandbox/clock` with `advance_seconds`, `GET /sandbox/traffic`.
pub(super) fn router() -> Router<Arc<Service>> {
    Router::new()
        .route("/sandbox/faults", post(add_fault).delete(clear_faults))
        .route("/sandbox/clock", post(advance))
        .route("/sandbox/traffic", get(traffic))
}

type Told = (StatusCode, String);

fn refused(error: &serde_json::Error) -> Told {
    (StatusCode::BAD_REQUEST, json!({ "error": error.to_string() }).to_string())
}

async fn add_fault(State(service): State<Arc<Service>>, body: Bytes) -> Told {
    match serde_json::from_slice::<Fault>(&body) {
        Ok(fault) => {
            service.faults.push(fault);
            (StatusCode::NO_CONTENT, String::new())
        }
        Err(error) => refused(&error),
    }
}

async fn clear_faults(State(service): State<Arc<Service>>) -> Told {
    service.faults.clear();
    (StatusCode::NO_CONTENT, String::new())
}

async fn advance(State(service): State<Arc<Service>>, body: Bytes) -> Told {
    match serde_json::from_slice::<Advance>(&body) {
        Ok(Advance { advance_seconds }) => {
            service.clock.advance(TimeDelta::seconds(advance_seconds));
            (StatusCode::OK, json!({ "now": service.clock.now().to_rfc3339() }).to_string())
        }
        Err(error) => refused(&error),
    }
}

async fn traffic(State(service): State<Arc<Service>>) -> Told {
    let (today, throttled, most_in_a_second) = service.counts.seen();
    let told: Value = json!({
        "requests_today": today,
        "throttled": throttled,
        "most_in_a_second": most_in_a_second,
    });
    (StatusCode::OK, told.to_string())
}
