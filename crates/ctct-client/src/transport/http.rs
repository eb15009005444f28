//! What speaks HTTP to one server.

use std::sync::OnceLock;
use std::time::Duration;

use url::Url;

use crate::connection::is_loopback;
use crate::{Error, ErrorKind, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may stay silent in the midst of an answer.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// How long an answer may take in all, however busily it trickles.
const TOTAL_TIMEOUT: Duration = Duration::from_mins(5);

/// What speaks to a server, made at the first request, because reading the root certificates
/// takes a while.
#[derive(Debug, Default)]
pub(super) struct Http(OnceLock<reqwest::Client>);

impl Http {
    /// What speaks to this server, which is the same one each time.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] where TLS or a proxy cannot be set up.
    pub(super) fn to(&self, server: &Url) -> Result<&reqwest::Client> {
        if let Some(http) = self.0.get() {
            return Ok(http);
        }
        let http = client(server)?;
        Ok(self.0.get_or_init(|| http))
    }
}

fn client(server: &Url) -> Result<reqwest::Client> {
    // Whoever embeds this crate may have installed a provider of their own; then
    // installing ours fails, and theirs is used.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut builder = reqwest::Client::builder();
    if is_loopback(server) {
        // A proxy cannot reach this machine by its loopback address.
        builder = builder.no_proxy();
    }
    if server.scheme() == "http" {
        // Nobody shows a certificate here.
        builder = builder.tls_certs_only([]);
    }
    builder
        .user_agent(concat!("ctct/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Retries are made by the transport, where they are counted.
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .build()
        .map_err(|source| {
            Error::new(ErrorKind::Configuration, "TLS or the proxy could not be set up")
                .with_source(source.without_url())
        })
}
