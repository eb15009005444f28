//! Requests to the authorization server: one at a time, a second apart, and never a
//! second time without knowing what became of the first.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};

use super::buffers::Buffers;
use super::{Transport, body, innermost, server_name, text};
use crate::ledger::Outcome;
use crate::{Connection, Error, ErrorKind};

/// How long an answer with tokens may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read: tokens are a few kilobytes.
const LIMIT: usize = 1 << 20;

/// A request to the authorization server that brought nothing to read.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It never left: another attempt is as good as the first.
    Unsent(Error),
    /// It left, and nobody knows what became of it: what it carried may be spent.
    Unknown(Error),
    /// The server said that it cannot answer just now.
    Failed(Error),
    /// The answer is none that an authorization server gives.
    Odd(Error),
}

impl Unanswered {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Unsent(error) | Self::Unknown(error) | Self::Failed(error) | Self::Odd(error) => {
                error
            }
        }
    }
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the authorization server gave no answer")
    }
}

impl std::error::Error for Unanswered {}

impl Transport {
    /// Sends a request once, when the pace of the authorization server allows. An answer
    /// is given back where it is JSON with status 200, 400 or 401.
    ///
    /// Neither request nor answer is logged: both are secrets.
    pub(crate) async fn post(
        &self,
        connection: &Connection,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Unanswered> {
        let path = request.uri().path().to_owned();
        let (admission, _) = self.slot(&self.token_asker).await.map_err(Unanswered::Unsent)?;
        let http = self.token_http.to(&connection.inputs.auth_url).map_err(Unanswered::Unsent)?;
        let mut request = reqwest::Request::try_from(request).map_err(|source| {
            let error = Error::new(
                ErrorKind::Configuration,
                "the authorization server's address is not usable",
            );
            Unanswered::Unsent(error.with_source(source.without_url()))
        })?;
        *request.timeout_mut() = Some(TIMEOUT);
        if let Some(value) = request.headers_mut().get_mut(AUTHORIZATION) {
            value.set_sensitive(true);
        }
        let mut record = self.traffic().begin_token_request(&connection.name, &path);
        let started = Instant::now();
        let answer = self.answer(connection, http, request, &mut record).await;
        let outcome = match &answer {
            Ok(_) | Err(Unanswered::Odd(_)) => Outcome::Answered,
            Err(Unanswered::Failed(error)) if error.kind() == ErrorKind::Throttled => {
                Outcome::Throttled(error.to_string())
            }
            Err(_) => Outcome::Failed,
        };
        self.tell(&self.token_asker, admission, outcome, None).await;
        let kind = match &answer {
            Ok(response) if response.status() == 200 => None,
            Ok(_) => Some(ErrorKind::Authentication),
            Err(_) => Some(ErrorKind::Unavailable),
        };
        self.traffic().finish(record.finished(started.elapsed(), kind));
        answer
    }

    async fn answer(
        &self,
        connection: &Connection,
        http: &reqwest::Client,
        request: reqwest::Request,
        record: &mut super::RequestRecord,
    ) -> Result<http::Response<Vec<u8>>, Unanswered> {
        let server = server_name(&connection.auth_url());
        let lost = |source: reqwest::Error| {
            let unsent = source.is_connect();
            let (cause, source) = innermost(source);
            let error = Error::new(
                ErrorKind::Unavailable,
                format!("no complete answer from {server}, which gives tokens: {cause}"),
            )
            .with_hint("try again when the server can be reached")
            .with_source(source);
            if unsent { Unanswered::Unsent(error) } else { Unanswered::Unknown(error) }
        };
        let response = http.execute(request).await.map_err(lost)?;
        let status = response.status().as_u16();
        record.status = Some(status);
        let headers = response.headers().clone();
        // Secrets are not left in memory that is used again.
        let body = body::read(response, LIMIT, &Buffers::default()).await;
        let body = body.map_err(|failure| match failure {
            body::Failure::Broken(source) => lost(source),
            body::Failure::TooLarge => Unanswered::Odd(odd(&server, "more than anybody can read")),
        })?;
        record.bytes = body.len() as u64;
        let words = |what: &str| format!("{server}, which gives tokens, {what}");
        match status {
            200 | 400 | 401 => {
                let html = text(&headers, &CONTENT_TYPE).is_some_and(|kind| kind.contains("html"));
                if html {
                    return Err(Unanswered::Odd(odd(&server, "a page instead of JSON")));
                }
                let mut answer = http::Response::new(body.into());
                *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
                let json = http::HeaderValue::from_static("application/json");
                answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
                Ok(answer)
            }
            429 => Err(Unanswered::Failed(
                Error::new(ErrorKind::Throttled, words("was asked too often"))
                    .with_hint("try again in a minute; nothing is lost"),
            )),
            500..600 => Err(Unanswered::Failed(
                Error::new(ErrorKind::Unavailable, words(&format!("failed with status {status}")))
                    .with_hint("try again later; nothing is lost"),
            )),
            300..400 => {
                let target = text(&headers, &LOCATION);
                let target = target.and_then(|target| connection.auth_url().join(target).ok());
                let host = target.as_ref().and_then(url::Url::host_str).unwrap_or("nowhere");
                Err(Unanswered::Odd(odd(
                    &server,
                    &format!("a redirect to {host}, which is not followed"),
                )))
            }
            _ => Err(Unanswered::Odd(odd(&server, &format!("the unexpected status {status}")))),
        }
    }
}

fn odd(server: &str, what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("{server}, which gives tokens, answered with {what}"))
        .with_hint("check `auth_url`; a proxy or a captive portal may stand in between")
}
