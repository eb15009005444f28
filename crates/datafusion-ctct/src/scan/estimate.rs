//! What a whole plan will cost, before anything is sent.

use std::collections::HashSet;
use std::sync::Arc;

use ctct_client::Request;
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
        estimate.add(plan, &mut HashSet::new());
        estimate
    }

    fn add(&mut self, plan: &Arc<dyn ExecutionPlan>, shared: &mut HashSet<(String, Request)>) {
        if let Some(scan) = plan.downcast_ref::<CtctScanExec>() {
            let requests = scan.request_plan();
            self.scans += 1;
            // Scans that share their answers ask for the same pages once.
            let only = requests.only_start().filter(|_| scan.is_sharing());
            let connection = || scan.spec().connection.clone();
            let is_new =
                only.is_none_or(|start| shared.insert((connection(), start.request.clone())));
            if is_new {
                self.requests = self.requests.saturating_add(requests.requests);
            }
            self.at_most |= requests.at_most || scan.is_narrowed();
        }
        for child in plan.children() {
            self.add(child, shared);
        }
    }
}
