//! A scan: what it is, which requests it sends, and how its rows come.

mod chain;
mod definitions;
mod estimate;
mod exec;
mod keys;
mod metrics;
mod order;
mod pages;
mod plan;
mod reader;
mod seen;
mod shared;
mod spec;
mod stream;
mod tally;
mod windows;

pub use definitions::KnownDefinitions;
pub use estimate::Estimate;
pub use exec::CtctScanExec;
pub use pages::{Page, Pages};
pub use plan::{Access, EstimatedRows, RequestPlan, Start, Walk};
pub(crate) use shared::ShareAnswers;
pub use spec::ScanSpec;
pub(crate) use stream::usable;
