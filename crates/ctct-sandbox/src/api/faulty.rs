//! Answers with their faults: what leaves the sandbox in the end.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, stream};
use serde_json::Value;

use super::answer::{Answer, Refusal};
use crate::fault::FaultKind;

/// The answer that a request gets instead of its own, where the fault knows one.
pub(super) fn instead(fault: &FaultKind) -> Option<Answer> {
    match fault {
        FaultKind::Throttled => Some(Refusal::Throttled.into()),
        FaultKind::QuotaExceeded => Some(Refusal::QuotaExceeded.into()),
        FaultKind::TokenExpired => Some(Refusal::Unauthorized.into()),
        FaultKind::CursorExpired => Some(Refusal::Invalid("cursor").into()),
        _ => None,
    }
}

/// The answer with what the fault makes of it.
pub(super) fn response(answer: Answer, fault: Option<FaultKind>) -> Response<Body> {
    let whole = |status: u16, body: Vec<u8>| {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in answer.headers {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        response
    };
    let Answer { status, body, .. } = answer;
    match fault {
        Some(FaultKind::Answer { status, body, headers }) => {
            let mut response = whole(status, body.into_bytes());
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) =
                    (HeaderName::try_from(name), HeaderValue::try_from(value))
                {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Some(FaultKind::Html) => {
            let page =
                "<html><head><title>502 Bad Gateway</title></head><body>CloudFront</body></html>";
            let mut response = whole(502, page.into());
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
        Some(FaultKind::Redirect { location }) => {
            let mut response = whole(302, Vec::new());
            if let Ok(location) = HeaderValue::try_from(location) {
                response.headers_mut().insert(LOCATION, location);
            }
            response
        }
        Some(FaultKind::Reset) => broken(whole(status, Vec::new()), &body, None),
        Some(FaultKind::Truncated) => broken(whole(status, Vec::new()), &body, Some(body.len())),
        Some(FaultKind::SlowBody { pieces, milliseconds }) => {
            slow(whole(status, Vec::new()), &body, pieces, Duration::from_millis(milliseconds))
        }
        Some(FaultKind::BadJson) => {
            let half = body.len() / 2;
            whole(status, body.into_iter().take(half).collect())
        }
        Some(FaultKind::Bomb { mebibytes }) => bomb(whole(200, Vec::new()), mebibytes),
        Some(FaultKind::WrongTypes) => whole(status, edited(&body, wrong_types)),
        Some(FaultKind::NextLink { href }) => whole(
            status,
            edited(&body, |page| page["_links"]["next"]["href"] = Value::String(href)),
        ),
        Some(FaultKind::EmptyPage) => whole(status, edited(&body, empty)),
        Some(FaultKind::Reversed) => whole(status, edited(&body, reverse)),
        _ => whole(status, body),
    }
}

/// The first half of the body, and then the end of the connection.
fn broken(mut response: Response<Body>, body: &[u8], announced: Option<usize>) -> Response<Body> {
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    let pieces = stream::iter([Ok(half)]).chain(stream::once(async {
        // What was sent must be on its way before the connection breaks.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    }));
    *response.body_mut() = Body::from_stream(pieces);
    if let Some(length) = announced {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

fn slow(mut response: Response<Body>, body: &[u8], pieces: u32, pause: Duration) -> Response<Body> {
    let size = body.len().div_ceil(usize::try_from(pieces.max(1)).unwrap_or(1)).max(1);
    let pieces: Vec<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
    let pieces = stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(piece)
    });
    *response.body_mut() = Body::from_stream(pieces);
    response
}

/// Blanks between brackets, compressed to almost nothing.
fn bomb(mut response: Response<Body>, mebibytes: u32) -> Response<Body> {
    use std::io::Write;
    let blanks = vec![b' '; 1 << 20];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..mebibytes {
        // Writing to a vector cannot fail.
        drop(encoder.write_all(&blanks));
    }
    *response.body_mut() = Body::from(encoder.finish().unwrap_or_default());
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

fn edited(body: &[u8], edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    match serde_json::from_slice(body) {
        Ok(mut page) => {
            edit(&mut page);
            page.to_string().into_bytes()
        }
        Err(_) => body.to_vec(),
    }
}

fn wrong_types(value: &mut Value) {
    match value {
        Value::String(text)
            if text.len() >= 20 && text.as_bytes()[4] == b'-' && text.contains(':') =>
        {
            "soon".clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(wrong_types),
        Value::Object(members) => members.values_mut().for_each(wrong_types),
        _ => {}
    }
}

fn reverse(page: &mut Value) {
    let Some(members) = page.as_object_mut() else { return };
    members.values_mut().filter_map(Value::as_array_mut).for_each(|rows| rows.reverse());
}

fn empty(page: &mut Value) {
    let Some(members) = page.as_object_mut() else { return };
    for rows in members.values_mut().filter_map(Value::as_array_mut) {
        rows.clear();
    }
}
