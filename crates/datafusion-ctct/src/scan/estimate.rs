//! What a whole plan will cost, before anything is sent.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;

use super::CtctScanExec;

/// About how many requests a plan will send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// Requests of all scans together.
    pub requests: u64,
    /// How many scans there are.
    pub scans: usize,
    /// Whether it may well be fewer: rows are restricted by nobody knows how much.
    pub at_most: bool,
}

impl Estimate {
    /// The cost of a plan. Nothing is sent.
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut estimate = Self::default();
        estimate.add(plan);
        estimate
    }

    fn add(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        if let Some(scan) = plan.downcast_ref::<CtctScanExec>() {
            let requests = scan.request_plan();
            self.requests = self.requests.saturating_add(requests.requests);
            self.scans += 1;
            self.at_most |= requests.at_most || scan.is_narrowed();
        }
        for child in plan.children() {
            self.add(child);
        }
    }
}
