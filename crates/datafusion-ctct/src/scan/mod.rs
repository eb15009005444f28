//! A scan: what it is, which requests it sends, and how its rows come.

mod estimate;
mod exec;
mod metrics;
mod plan;
mod seen;
mod spec;
mod stream;

pub use estimate::Estimate;
pub use exec::CtctScanExec;
pub use plan::{Access, RequestPlan};
pub use spec::ScanSpec;
pub(crate) use stream::usable;
