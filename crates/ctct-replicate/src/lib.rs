//! Constant Contact into PostgreSQL, by the replication files that people have.
//!
//! # Owns
//! The replication's YAML ([`Replication`]), the plan of a run ([`Plan`]), how far its streams
//! have come, and the target.
//!
//! # Does not own
//! How pages are asked for and decoded (`datafusion-ctct`), connections (`ctct-client`), and
//! what people see (`ctct-cli`).
//!
//! # Invariants
//! Rows and state are committed in one transaction, so a run that is killed goes on where it
//! stood. A watermark moves when all that lies before it is in the target, and never before. A
//! table is written by one run at a time, and one that lost its right commits nothing.
//! Identifiers are [`Ident`]s: there is no other way into a statement.

mod error;
mod ident;
mod plan;
mod postgres;
mod replication;
mod run;
mod verify;

pub use error::{Error, ErrorKind, Result};
pub use ident::{Ident, TableName};
pub use plan::{Overrides, Plan, StreamPlan, plan};
pub use postgres::{Target, with_targets};
pub use replication::{Casing, Mode, Moment, Names, Replication, StreamSettings, object_name};
pub use run::{Event, Options, Outcome, StreamReport, run};
pub use verify::{Finding, Verification, verify};
