//! The one way to the network: paced, counted, retried, bounded.

mod activity;
mod answer;
mod body;
mod buffers;
mod http;
mod network;
mod post;
mod retry;
mod retry_after;
mod traffic;

use std::error::Error as StdError;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

pub use activity::{Activity, Waiting, WaitingFor};
pub(crate) use network::on_network_thread;
pub(crate) use post::Unanswered;
pub use retry::RetryPolicy;
pub use traffic::{RequestRecord, Traffic};

use crate::auth::Keeper;
use crate::ledger::{Admission, Asker, Outcome};
use crate::{Connection, Error, ErrorKind, Request, Result};
use answer::{Answer, Head};
use buffers::Buffers;
use http::Http;
use retry::{Failure, Retries};

/// What requests cost: the figures of a scan's metrics.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Attempts that were sent, retries included.
    pub requests: u64,
    /// Attempts that were sent because an earlier one failed.
    pub retries: u64,
    /// Bytes of the answers' bodies, after decompression.
    pub bytes: u64,
    /// Time spent waiting for the pace.
    pub pace_wait: Duration,
    /// Time spent waiting before retries.
    pub retry_wait: Duration,
    /// Time from sending to the last byte of the answer.
    pub network: Duration,
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.retries += other.retries;
        self.bytes += other.bytes;
        self.pace_wait += other.pace_wait;
        self.retry_wait += other.retry_wait;
        self.network += other.network;
    }
}

/// Sends requests; one for each connection.
#[derive(Debug)]
pub(crate) struct Transport {
    http: Http,
    /// The authorization server's.
    token_http: Http,
    buffers: Buffers,
    asker: Asker,
    /// Who asks the authorization server, which has a pace of its own.
    token_asker: Asker,
    keeper: Keeper,
    traffic: Arc<Traffic>,
}

/// Why an attempt failed, and whether another one can help.
struct Attempt {
    failure: Failure,
    error: Error,
    /// What the server asked for.
    retry_after: Option<Duration>,
}

/// What came back.
struct Received {
    answer: Answer,
    /// What the server asked to wait.
    retry_after: Option<Duration>,
    /// How far the server's clock is ahead, in microseconds.
    ahead: Option<i64>,
}

impl Attempt {
    fn last(error: Error) -> Self {
        Self { failure: Failure::Final, error, retry_after: None }
    }
}

impl Transport {
    pub(crate) fn new(connection: &Connection, traffic: Arc<Traffic>) -> Self {
        Self {
            http: Http::default(),
            token_http: Http::default(),
            buffers: Buffers::default(),
            asker: traffic.asker(connection),
            token_asker: traffic.token_asker(connection),
            keeper: Keeper::default(),
            traffic,
        }
    }

    pub(crate) fn period(&self) -> Option<Duration> {
        self.asker.period()
    }

    pub(crate) fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    pub(crate) async fn get(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        request: &Request,
        policy: RetryPolicy,
        spent: &mut Spent,
        mut leaves: Option<oneshot::Sender<()>>,
    ) -> Result<Bytes> {
        let mut retries = Retries::new(policy);
        let mut token = self.bearer(connection).await?;
        let mut renewed = false;
        loop {
            let attempt = match self.attempt(connection, request, &token, spent, &mut leaves).await
            {
                Ok(body) => return Ok(body),
                Err(attempt) => attempt,
            };
            if attempt.error.is_authentication() && Keeper::can_renew(connection) {
                if renewed {
                    return Err(refused_all_the_same(connection, &attempt.error));
                }
                tracing::debug!(path = request.path, "the access token was refused");
                token = self.renew(connection, Some(token)).await?;
                renewed = true;
                continue;
            }
            let wait = retries
                .after(attempt.failure, attempt.retry_after, fastrand::f64())
                // What was throttled or is not ready has not failed: it costs no retry.
                .filter(|_| {
                    matches!(attempt.failure, Failure::Throttled | Failure::NotReady)
                        || self.traffic.may_retry()
                });
            let Some(wait) = wait else {
                let error = attempt.error;
                return Err(match retries.made() {
                    0 => error,
                    made => error
                        .with_context("connection", &connection.name)
                        .with_context("attempts", (made + 1).to_string()),
                });
            };
            tracing::debug!(path = request.path, ?wait, "trying again: {}", attempt.error);
            let reason = match attempt.failure {
                Failure::Throttled => WaitingFor::Throttled,
                Failure::NotReady => WaitingFor::Answer,
                _ => WaitingFor::Retry { number: retries.made(), of: policy.failures },
            };
            spent.retries += 1;
            spent.retry_wait += wait;
            self.wait(reason, wait).await;
        }
    }

    async fn attempt(
        &self,
        connection: &Connection,
        request: &Request,
        token: &SecretString,
        spent: &mut Spent,
        leaves: &mut Option<oneshot::Sender<()>>,
    ) -> Result<Bytes, Attempt> {
        let http = self.http.to(&connection.inputs.base_url).map_err(Attempt::last)?;
        let get = http.get(full_url(connection, request)).header(ACCEPT, "application/json");
        let get = get.bearer_auth(token.expose_secret());

        self.traffic.check_limit().map_err(Attempt::last)?;
        let (admission, wait) = self.slot(&self.asker).await.map_err(Attempt::last)?;
        spent.pace_wait += wait;
        let mut record = self.traffic.begin(&connection.name, request).map_err(Attempt::last)?;
        spent.requests += 1;
        if let Some(leaves) = leaves.take() {
            // Nobody listens any more: then nobody needs to know.
            let _ = leaves.send(());
        }
        let started = Instant::now();
        let outcome = self.receive(connection, request, get, &mut record, spent).await;
        let outcome = self.learn(admission, outcome).await;
        let took = started.elapsed();
        spent.network += took;
        let kind = outcome.as_ref().err().map(|attempt| attempt.error.kind());
        self.traffic.finish(record.finished(took, kind));
        outcome
    }

    /// Waits for the request's slot, and says how long that took.
    async fn slot(&self, asker: &Asker) -> Result<(Admission, Duration)> {
        let (ledger, asker) = (Arc::clone(self.traffic.ledger()), asker.clone());
        // Another process may hold the ledger for a moment.
        let admission = tokio::task::spawn_blocking(move || ledger.admit(&asker)).await;
        let admission = admission.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the request could not be counted")
                .with_source(error)
        })??;
        self.traffic.set_ahead(admission.ahead);
        let wait = u64::try_from(admission.slot - self.traffic.ledger().clock().now()).unwrap_or(0);
        let wait = Duration::from_micros(wait);
        if !wait.is_zero() {
            self.wait(WaitingFor::Pace, wait).await;
        }
        Ok((admission, wait))
    }

    async fn wait(&self, reason: WaitingFor, wait: Duration) {
        self.traffic.set_waiting(Some(Waiting { reason, until: Instant::now() + wait }));
        tokio::time::sleep(wait).await;
        self.traffic.set_waiting(None);
    }

    /// Tells the ledger what came of a request.
    async fn learn(
        &self,
        admission: Admission,
        outcome: Result<Received, Attempt>,
    ) -> Result<Bytes, Attempt> {
        let (result, ahead) = match outcome {
            Ok(Received { answer, retry_after, ahead }) => {
                let result = match answer {
                    Answer::Body(body) => Ok(body),
                    Answer::Refusal(failure, error) => Err(Attempt { failure, error, retry_after }),
                };
                (result, ahead)
            }
            Err(attempt) => (Err(attempt), None),
        };
        if let Some(ahead) = ahead {
            self.traffic.set_ahead(ahead);
        }
        let learned = match &result {
            Err(attempt) => match (attempt.failure, attempt.error.kind()) {
                (Failure::Throttled, _) => Outcome::Throttled(attempt.error.to_string()),
                (_, ErrorKind::QuotaExhausted) => Outcome::QuotaExceeded(attempt.error.to_string()),
                (Failure::Unreachable | Failure::Server, _) => Outcome::Failed,
                _ => Outcome::Answered,
            },
            Ok(_) => Outcome::Answered,
        };
        self.tell(&self.asker, admission, learned, ahead).await;
        result
    }

    /// Tells the ledger what it does not know yet.
    async fn tell(
        &self,
        asker: &Asker,
        admission: Admission,
        learned: Outcome,
        ahead: Option<i64>,
    ) {
        if !self.traffic.ledger().is_news(asker, admission, &learned, ahead) {
            return;
        }
        let (ledger, asker) = (Arc::clone(self.traffic.ledger()), asker.clone());
        let learning = tokio::task::spawn_blocking(move || {
            ledger.learn(&asker, admission, &learned, ahead);
        });
        if let Err(error) = learning.await {
            tracing::debug!("the ledger learned nothing: {error}");
        }
    }

    /// Sends a request and judges what comes back.
    async fn receive(
        &self,
        connection: &Connection,
        request: &Request,
        get: reqwest::RequestBuilder,
        record: &mut RequestRecord,
        spent: &mut Spent,
    ) -> Result<Received, Attempt> {
        let response = get.send().await.map_err(|source| unreachable(connection, source))?;
        let status = response.status().as_u16();
        record.status = Some(status);
        let headers = response.headers().clone();
        let server_now =
            text(&headers, &DATE).and_then(|date| httpdate::parse_http_date(date).ok());
        let body = body::read(response, body::LIMIT, &self.buffers).await;
        let body = body.map_err(|failure| match failure {
            body::Failure::TooLarge => Attempt::last(too_large(request)),
            body::Failure::Broken(source) => unreachable(connection, source),
        })?;
        record.bytes = body.len() as u64;
        spent.bytes += body.len() as u64;
        let retry_after = text(&headers, &RETRY_AFTER).and_then(|value| {
            retry_after::retry_after(value, server_now.unwrap_or_else(SystemTime::now))
        });
        let head = Head {
            status,
            location: text(&headers, &LOCATION),
            content_type: text(&headers, &CONTENT_TYPE),
        };
        let ahead = server_now.and_then(|theirs| {
            let theirs = theirs.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            Some(i64::try_from(theirs.as_micros()).ok()? - self.traffic.ledger().clock().now())
        });
        Ok(Received { answer: answer::judge(connection, request, &head, body), retry_after, ahead })
    }
}

/// The error that an answer amounts to, for the fuzzer.
#[cfg(any(feature = "fuzzing", test))]
pub(crate) fn judge_anything(
    connection: &Connection,
    request: &Request,
    status: u16,
    body: &[u8],
) -> Option<Error> {
    let head = Head { status, location: None, content_type: None };
    match answer::judge(connection, request, &head, Bytes::copy_from_slice(body)) {
        Answer::Body(_) => None,
        Answer::Refusal(_, error) => Some(error),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn full_url(connection: &Connection, request: &Request) -> url::Url {
    let mut url = connection.inputs.base_url.clone();
    let path = format!("{}{}", url.path().trim_end_matches('/'), request.path);
    url.set_path(&path);
    url.set_query(Some(request.query.as_str()).filter(|query| !query.is_empty()));
    url
}

fn refused_all_the_same(connection: &Connection, error: &Error) -> Error {
    Error::new(ErrorKind::Authentication, format!("{error}, although it was had just now")).with_hint(format!(
        "the application may be deactivated, or another one than that of the login; see `ctct auth status {0}`, \
         or log in again: ctct auth login {0}",
        connection.name
    ))
}

fn too_large(request: &Request) -> Error {
    let mebibytes = body::LIMIT >> 20;
    Error::new(
        ErrorKind::Protocol,
        format!("the answer to GET {} is larger than {mebibytes} MiB", request.path),
    )
}

/// No answer, or half of one.
fn unreachable(connection: &Connection, source: reqwest::Error) -> Attempt {
    let (cause, source) = innermost(source);
    let server = server_name(&connection.inputs.base_url);
    let error =
        Error::new(ErrorKind::Unavailable, format!("no complete answer from {server}: {cause}"))
            .with_hint("nothing is lost; try again when the server can be reached")
            .with_source(source);
    Attempt { failure: Failure::Unreachable, error, retry_after: None }
}

/// The cause that people need to read, which is the innermost, and the error without its
/// address.
fn innermost(source: reqwest::Error) -> (String, reqwest::Error) {
    let timed_out = source.is_timeout();
    let source = source.without_url();
    let mut cause: &dyn StdError = &source;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let cause = if timed_out { "it took too long".to_owned() } else { cause.to_string() };
    (cause, source)
}

fn server_name(url: &url::Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or("the server").to_owned(),
    }
}
