//! What a scan cost.

use ctct_client::Spent;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, Time,
};

/// What a scan cost, as `EXPLAIN ANALYZE` shows it.
pub(super) struct ScanMetrics {
    pub(super) baseline: BaselineMetrics,
    pub(super) requests: Count,
    pub(super) retries: Count,
    pub(super) pages: Count,
    pub(super) bytes: Count,
    pub(super) conflicts: Count,
    pub(super) windows: Count,
    pub(super) pace_wait: Time,
    pub(super) retry_wait: Time,
    pub(super) network_time: Time,
    pub(super) decode_time: Time,
}

impl ScanMetrics {
    pub(super) fn new(set: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let counter = |name: &'static str| MetricBuilder::new(set).counter(name, partition);
        let time = |name: &'static str| MetricBuilder::new(set).subset_time(name, partition);
        Self {
            baseline: BaselineMetrics::new(set, partition),
            requests: counter("requests"),
            retries: counter("retries"),
            pages: counter("pages"),
            bytes: counter("bytes"),
            conflicts: counter("type_conflicts"),
            windows: counter("windows"),
            pace_wait: time("pace_wait"),
            retry_wait: time("retry_wait"),
            network_time: time("network_time"),
            decode_time: time("decode_time"),
        }
    }

    /// The metrics of a parent that is read for its keys: what it costs is this scan's, and
    /// its rows are not.
    pub(super) fn of_parent(&self) -> Self {
        Self {
            baseline: BaselineMetrics::new(&ExecutionPlanMetricsSet::new(), 0),
            requests: self.requests.clone(),
            retries: self.retries.clone(),
            pages: self.pages.clone(),
            bytes: self.bytes.clone(),
            conflicts: self.conflicts.clone(),
            windows: self.windows.clone(),
            pace_wait: self.pace_wait.clone(),
            retry_wait: self.retry_wait.clone(),
            network_time: self.network_time.clone(),
            decode_time: self.decode_time.clone(),
        }
    }

    /// Adds what one request cost.
    pub(super) fn add(&self, spent: &Spent) {
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        self.requests.add(count(spent.requests));
        self.retries.add(count(spent.retries));
        self.bytes.add(count(spent.bytes));
        self.pace_wait.add_duration(spent.pace_wait);
        self.retry_wait.add_duration(spent.retry_wait);
        self.network_time.add_duration(spent.network);
    }
}
