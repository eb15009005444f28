//! A connection that can be read from.

use std::sync::Arc;

use ctct_endpoints::Endpoint;
use url::Url;

use crate::transport::Transport;
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
        let known = self.traffic().ledger().row_count(&self.connection, endpoint.path);
        known.unwrap_or(endpoint.estimated_rows)
    }

    /// Remembers how many rows an endpoint's path has in all.
    pub fn note_rows(&self, endpoint: &Endpoint, rows: u64) {
        self.traffic().ledger().keep_row_count(&self.connection, endpoint.path, rows);
    }

    /// Sends a request, again where that can help, and gives the answer's body.
    ///
    /// What it cost is added to `spent`, also where it fails. Dropping the future
    /// stops at once; nothing is sent afterwards.
    ///
    /// # Errors
    /// Of any [kind](crate::ErrorKind) but `Configuration`; see there.
    pub async fn get(&self, request: &Request, spent: &mut Spent) -> Result<Vec<u8>> {
        self.transport.get(&self.connection, request, self.retries, spent).await
    }
}
