//! A connection that can be read from.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ctct_endpoints::Endpoint;
use tokio::sync::oneshot;
use url::Url;

use crate::transport::{Transport, on_network_thread};
use crate::{Connection, Request, Result, RetryPolicy, Spent, Traffic};

/// Sends requests for one connection.
///
/// Cheap to create: nothing is resolved, read or sent before the first request.
#[derive(Debug)]
pub struct Client {
    pub(crate) connection: Arc<Connection>,
    pub(crate) transport: Arc<Transport>,
    retries: RetryPolicy,
}

impl Client {
    /// A client that shares log, limits and pace with all clients of `traffic`.
    pub fn new(connection: Connection, traffic: Arc<Traffic>) -> Self {
        let transport = Arc::new(Transport::new(&connection, traffic));
        Self { connection: Arc::new(connection), transport, retries: RetryPolicy::default() }
    }

    /// The same client with other rules for retries.
    #[must_use]
    pub fn with_retries(mut self, policy: RetryPolicy) -> Self {
        self.retries = policy;
        self
    }

    /// The connection that is read.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Where the API is.
    pub fn base_url(&self) -> &Url {
        &self.connection.inputs.base_url
    }

    /// What the client shares with others.
    pub fn traffic(&self) -> &Arc<Traffic> {
        self.transport.traffic()
    }

    /// About how many rows an endpoint's path has: as many as when that was last known, by
    /// any process of the machine, else as many as an ordinary account has.
    pub fn estimated_rows(&self, endpoint: &Endpoint) -> u64 {
        // What a path has for one key is not what it has in all.
        let known = match endpoint.parent {
            None => self.traffic().ledger().row_count(&self.connection, &counted(endpoint)),
            Some(_) => None,
        };
        known.unwrap_or(endpoint.estimated_rows)
    }

    /// The time between two requests; none where they are not spaced.
    pub fn period(&self) -> Option<Duration> {
        self.transport.period()
    }

    /// Remembers how many rows an endpoint's path has in all.
    pub fn note_rows(&self, endpoint: &Endpoint, rows: u64) {
        self.traffic().ledger().keep_row_count(&self.connection, &counted(endpoint), rows);
    }

    /// Sends a request, again where that can help, and gives the answer's body.
    ///
    /// What it cost is added to `spent`, also where it fails. Dropping the future
    /// stops at once; nothing is sent afterwards.
    ///
    /// # Errors
    /// Of any [kind](crate::ErrorKind) but `Configuration`; see there.
    pub async fn get(&self, request: &Request, spent: &mut Spent) -> Result<Bytes> {
        self.get_and_tell(request, spent, None).await
    }

    /// The same; `leaves` hears when the request has had its slot and leaves. Until then it
    /// only waits for the pace, and another one asked for meanwhile would wait behind it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_and_tell(
        &self,
        request: &Request,
        spent: &mut Spent,
        leaves: Option<oneshot::Sender<()>>,
    ) -> Result<Bytes> {
        let (transport, connection) = (Arc::clone(&self.transport), Arc::clone(&self.connection));
        let (request, retries) = (request.clone(), self.retries);
        let (body, cost) = on_network_thread(async move {
            let mut cost = Spent::default();
            let body = transport.get(&connection, &request, retries, &mut cost, leaves).await;
            (body, cost)
        })
        .await?;
        *spent += cost;
        body
    }
}

/// What has a number of rows: a path with the parameters that all requests for it have.
fn counted(endpoint: &Endpoint) -> String {
    let fixed = endpoint.fixed.iter().map(|(name, value)| format!("{name}={value}"));
    let fixed = fixed.collect::<Vec<_>>().join("&");
    if fixed.is_empty() { endpoint.path.to_owned() } else { format!("{}?{fixed}", endpoint.path) }
}
