//! The one way to the network: paced, counted, retried, bounded.

mod answer;
mod body;
mod pace;
mod retry;
mod traffic;

use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, DATE};
use secrecy::ExposeSecret;

pub use retry::RetryPolicy;
pub use traffic::{RequestRecord, Traffic};

use crate::{Connection, Error, ErrorKind, Request, Result};
use answer::Answer;
use pace::Pacer;
use retry::{Failure, Retries};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may stay silent in the midst of an answer.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

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

/// Sends requests; one for each connection.
#[derive(Debug)]
pub(crate) struct Transport {
    /// Made at the first request, because reading the root certificates takes a while.
    http: OnceLock<reqwest::Client>,
    pacer: Arc<Pacer>,
    retries: RetryPolicy,
    traffic: Arc<Traffic>,
}

/// Why an attempt failed, and whether another one can help.
struct Attempt {
    failure: Failure,
    error: Error,
}

impl Transport {
    pub(crate) fn new(connection: &Connection, traffic: Arc<Traffic>) -> Self {
        let pacer = traffic.pacer(&connection.client_id, connection.inputs.pace);
        Self { http: OnceLock::new(), pacer, retries: RetryPolicy::default(), traffic }
    }

    pub(crate) fn set_retries(&mut self, policy: RetryPolicy) {
        self.retries = policy;
    }

    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    pub(crate) async fn get(
        &self,
        connection: &Connection,
        request: &Request,
        spent: &mut Spent,
    ) -> Result<Vec<u8>> {
        let mut retries = Retries::new(self.retries);
        loop {
            let attempt = match self.attempt(connection, request, spent).await {
                Ok(body) => return Ok(body),
                Err(attempt) => attempt,
            };
            let Some(wait) = retries.after(attempt.failure, fastrand::f64()) else {
                let error = attempt.error;
                return Err(match retries.made() {
                    0 => error,
                    made => error
                        .with_context("connection", &connection.name)
                        .with_context("attempts", (made + 1).to_string()),
                });
            };
            tracing::debug!(path = request.path, ?wait, "trying again: {}", attempt.error);
            spent.retries += 1;
            spent.retry_wait += wait;
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        connection: &Connection,
        request: &Request,
        spent: &mut Spent,
    ) -> Result<Vec<u8>, Attempt> {
        let last = |error| Attempt { failure: Failure::Final, error };
        let token = connection.access_token.as_ref().ok_or_else(|| last(no_token(connection)))?;
        let http = self.http(&connection.inputs.base_url).map_err(last)?;
        let url = full_url(connection, request);
        let get = http.get(url).header(ACCEPT, "application/json");
        let get = get.bearer_auth(token.expose_secret());

        spent.pace_wait += self.pacer.ready().await;
        let mut record = self.traffic.begin(&connection.name, request).map_err(last)?;
        spent.requests += 1;
        let started = Instant::now();
        let outcome = self.exchange(connection, request, get, &mut record, spent).await;
        let took = started.elapsed();
        spent.network += took;
        self.traffic.finish(record.finished(took, outcome.as_ref().err().map(|a| a.error.kind())));
        outcome
    }

    async fn exchange(
        &self,
        connection: &Connection,
        request: &Request,
        get: reqwest::RequestBuilder,
        record: &mut RequestRecord,
        spent: &mut Spent,
    ) -> Result<Vec<u8>, Attempt> {
        let response = get.send().await.map_err(|source| unreachable(connection, source))?;
        let status = response.status().as_u16();
        record.status = Some(status);
        if let Some(date) = response.headers().get(DATE).and_then(|date| date.to_str().ok()) {
            self.traffic.see_server_date(date);
        }
        let location =
            response.headers().get("location").and_then(|l| l.to_str().ok()).map(str::to_owned);
        let body = body::read(response, body::LIMIT).await.map_err(|failure| match failure {
            body::Failure::TooLarge => {
                Attempt { failure: Failure::Final, error: too_large(request) }
            }
            body::Failure::Broken(source) => unreachable(connection, source),
        })?;
        record.bytes = body.len() as u64;
        spent.bytes += body.len() as u64;
        match answer::judge(connection, request, status, location.as_deref(), body) {
            Answer::Body(body) => Ok(body),
            Answer::Refusal(failure, error) => Err(Attempt { failure, error }),
        }
    }

    fn http(&self, base: &url::Url) -> Result<&reqwest::Client> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        // Whoever embeds this crate may have installed a provider of their own; then
        // installing ours fails, and theirs is used.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = reqwest::Client::builder();
        if crate::connection::is_loopback(base) {
            // A proxy cannot reach this machine by its loopback address.
            builder = builder.no_proxy();
        }
        let http = builder
            .user_agent(concat!("ctct/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build()
            .map_err(|source| {
                Error::new(ErrorKind::Configuration, "TLS or the proxy could not be set up")
                    .with_source(source.without_url())
            })?;
        Ok(self.http.get_or_init(|| http))
    }
}

fn full_url(connection: &Connection, request: &Request) -> url::Url {
    let mut url = connection.inputs.base_url.clone();
    let path = format!("{}{}", url.path().trim_end_matches('/'), request.path);
    url.set_path(&path);
    url.set_query(Some(request.query.as_str()).filter(|query| !query.is_empty()));
    url
}

fn no_token(connection: &Connection) -> Error {
    Error::new(
        ErrorKind::Authentication,
        format!("connection {} has no access token", connection.name),
    )
    .with_hint(format!("put an `access_token` into the `secrets` of {}", connection.origin))
}

fn too_large(request: &Request) -> Error {
    let mebibytes = body::LIMIT >> 20;
    Error::new(
        ErrorKind::Protocol,
        format!("the answer to GET {} is larger than {mebibytes} MiB", request.path),
    )
}

/// No answer, or half of one. The cause that people need to read is the innermost.
fn unreachable(connection: &Connection, source: reqwest::Error) -> Attempt {
    let timed_out = source.is_timeout();
    let source = source.without_url();
    let mut cause: &dyn StdError = &source;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let cause = if timed_out { "it took too long".to_owned() } else { cause.to_string() };
    let server = match (connection.inputs.base_url.host_str(), connection.inputs.base_url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or("the server").to_owned(),
    };
    let error =
        Error::new(ErrorKind::Unavailable, format!("no complete answer from {server}: {cause}"))
            .with_hint("nothing is lost; try again when the server can be reached")
            .with_source(source);
    Attempt { failure: Failure::Unreachable, error }
}
