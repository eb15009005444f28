//! PostgreSQL as a target, and as a place to query.

mod columns;
mod compare;
mod connect;
mod encode;
mod load;
mod query;
mod reject;
mod state;
mod tables;

pub(crate) use columns::{Column, PgType, of_schema};
pub(crate) use compare::{Compared, count, sample};
pub use connect::Target;
pub(crate) use encode::Encoder;
pub(crate) use load::{Loaded, Stage, copy, same, upsert, without_key};
pub use query::with_targets;
pub(crate) use reject::Rejects;
pub(crate) use state::{Lease, Progress, StreamState, state_of};
pub(crate) use tables::{
    CHANGED, DELETED, adapt, columns_of, create as create_table, describe, grants_of, list, names,
};
