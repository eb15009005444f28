//! Connections, and the one way to the network, for Constant Contact's V3 API.
//!
//! # Owns
//! Where a [`Connection`] is found, how it is parsed and kept ([`Places`]); how somebody
//! logs in ([`AuthorizationRequest`]) and stays logged in ([`TokenStore`]); how a [`Request`] is built
//! from an endpoint's declaration; how a [`PageChain`] goes from page to page; how a
//! [`Client`] sends, retries and logs requests; how a [`Ledger`] counts and spaces them
//! for all processes of the machine; and how an answer that is an error becomes an
//! [`Error`].
//!
//! # Does not own
//! SQL, Arrow, and what the rows of an answer mean (`datafusion-ctct`).
//!
//! # Invariants
//! Everything that is sent goes through [`Client::get`], which counts attempts.
//! Tokens go to the connection's origin only, over TLS unless that origin is this very
//! machine. No error, log or `Debug` output holds a token, a cursor or a full URL.
//!
//! # Example
//! ```no_run
//! use std::sync::Arc;
//!
//! use ctct_client::{Client, Connection, PageChain, Request, Spent, Traffic};
//!
//! # async fn read() -> ctct_client::Result<()> {
//! let connection = Connection::new("SHOP", "my-api-key", "https://api.cc.email/v3")?
//!     .with_access_token("…".to_owned());
//! let client = Client::new(connection, Arc::new(Traffic::default()));
//! let lists = ctct_endpoints::find("contact_lists").expect("declared");
//! let pages = PageChain::new(client.base_url().clone(), Request::first(lists, &[], 1_000));
//! if let Some(request) = pages.request() {
//!     let body = client.get(request, &mut Spent::default()).await?;
//!     println!("{} bytes", body.len());
//! }
//! # Ok(())
//! # }
//! ```

mod auth;
mod client;
mod clock;
mod connection;
mod error;
mod files;
mod folders;
#[cfg(any(feature = "fuzzing", test))]
#[doc(hidden)]
pub mod fuzzing;
mod ledger;
mod likely;
mod pages;
mod request;
mod transport;

pub use auth::{
    AuthorizationAnswer, AuthorizationRequest, DevicePrompt, ListenAt, Listener, LoggedOut,
    LoginKind, LoginStatus, Return, SCOPES, TokenStore,
};
pub use client::Client;
pub use clock::Clock;
pub use connection::{
    Connection, Connections, DEFAULT_AUTH_URL, DEFAULT_BASE_URL, Inputs, Pace, Places, Setting,
    Target, TargetSettings, from_environment, holds_connection, is_open_to_others, setting_value,
};
pub use error::{Error, ErrorKind, Result};
pub use folders::{config_folder, state_folder};
pub use ledger::{Ledger, Quota};
pub use likely::likely;
pub use pages::{PageChain, cursor_link};
pub use request::Request;
pub use transport::{Activity, RequestRecord, RetryPolicy, Spent, Traffic, Waiting, WaitingFor};
