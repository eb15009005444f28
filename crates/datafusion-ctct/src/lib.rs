//! Constant Contact as DataFusion tables.
//!
//! # Owns
//! The [catalog](catalog::CtctCatalog), the table provider for every declared endpoint,
//! which predicates are pushed down, the plan of a scan's requests, the scan itself,
//! JSON to Arrow, what `EXPLAIN` shows, the system tables, and the
//! [defaults of a session](SessionBuilder).
//!
//! # Does not own
//! HTTP (`ctct-client`), and files, terminals and arguments (`ctct-cli`).
//!
//! # Invariants
//! Planning sends nothing. A scan is described by one serialisable [`ScanSpec`] that
//! holds no token. A predicate is declared exact only where the scan applies it exactly
//! itself. A page that does not fit its declaration is read again leniently, with a
//! warning, or is an error; rows are never dropped.
//!
//! # Example
//! ```no_run
//! use datafusion_ctct::{Connection, SessionBuilder};
//!
//! # async fn query() -> Result<(), Box<dyn std::error::Error>> {
//! let connection = Connection::new("SHOP", "my-api-key", "https://api.cc.email/v3")?
//!     .with_access_token("…".to_owned());
//! let session = SessionBuilder::new().with_connection(connection).build()?;
//! let recent = session
//!     .sql("SELECT email_address FROM contacts WHERE updated_at >= now() - interval '1 day'")
//!     .await?;
//! recent.show().await?;
//! # Ok(())
//! # }
//! ```

pub mod catalog;
mod copy;
mod decode;
mod diagnose;
#[cfg(any(feature = "fuzzing", test))]
#[doc(hidden)]
pub mod fuzzing;
mod nested_text;
pub mod predicate;
mod scan;
mod schema;
mod session;

pub use copy::{Copied, Incomplete, copy};
pub use ctct_client::{
    Activity, Client, Clock, Connection, Connections, Error, ErrorKind, Inputs, Ledger, Pace,
    Quota, RequestRecord, RetryPolicy, Traffic, Waiting, WaitingFor, from_environment, likely,
    state_folder,
};
pub use diagnose::{Diagnosis, Place, client_error};
pub use nested_text::nested_to_text;
pub use scan::{
    Access, CtctScanExec, Estimate, EstimatedRows, KnownDefinitions, Page, Pages, RequestPlan,
    ScanSpec, Start, Walk,
};
pub use schema::{arrow_schema, arrow_type};
pub use session::SessionBuilder;
