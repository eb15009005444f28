//! The leaf of a plan that reads one endpoint.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use chrono::{DateTime, SecondsFormat};
use ctct_client::Client;
use ctct_endpoints::Endpoint;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};

use super::stream::PageScan;
use super::{RequestPlan, ScanSpec};
use crate::predicate::Interval;
use crate::schema::arrow_schema;

/// Reads one endpoint over one connection, page after page.
///
/// Nothing is sent before the first poll; dropping the stream, or having as many rows
/// as are wanted, ends the requests.
#[derive(Debug, Clone)]
pub struct CtctScanExec {
    spec: ScanSpec,
    endpoint: &'static Endpoint,
    client: Arc<Client>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl CtctScanExec {
    /// A scan of `endpoint` over `client`.
    ///
    /// # Errors
    /// Where the specification names columns that the endpoint does not have.
    pub fn try_new(
        spec: ScanSpec,
        endpoint: &'static Endpoint,
        client: Arc<Client>,
    ) -> Result<Self> {
        let schema = result_schema(endpoint, &spec)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Ok(Self {
            spec,
            endpoint,
            client,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// What is read.
    pub fn spec(&self) -> &ScanSpec {
        &self.spec
    }

    /// The requests that will be sent.
    pub fn request_plan(&self) -> RequestPlan {
        RequestPlan::new(self.endpoint, &self.spec)
    }
}

fn result_schema(endpoint: &Endpoint, spec: &ScanSpec) -> Result<SchemaRef> {
    let all = arrow_schema(endpoint);
    for column in spec.read_columns() {
        all.index_of(column)?;
    }
    let fields = spec.columns.iter().map(|column| all.field_with_name(column).cloned());
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>, _>>()?)))
}

impl DisplayAs for CtctScanExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.request_plan();
        let request = match &plan.first {
            Some(request) => format!("GET {request}"),
            None => format!("nothing of {}", self.endpoint.path),
        };
        let domains = self.spec.domains.iter();
        let filter: Vec<String> = domains.map(|(column, domain)| shown(column, domain)).collect();
        let filter = filter.join(" AND ");
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "CtctScanExec: {request}, {}", plan.estimate())?;
                write!(f, ", connection={}", self.spec.connection)?;
                let all = self.endpoint.fields.iter().map(|field| field.name);
                if self.spec.columns.iter().map(String::as_str).eq(all) {
                    write!(f, ", columns=all")?;
                } else {
                    write!(f, ", columns=[{}]", self.spec.columns.join(", "))?;
                }
                if !filter.is_empty() {
                    write!(f, ", filter={filter}")?;
                }
                match self.spec.fetch {
                    Some(fetch) => write!(f, ", fetch={fetch}"),
                    None => Ok(()),
                }
            }
            DisplayFormatType::TreeRender => {
                writeln!(f, "{request}")?;
                writeln!(f, "{}", plan.estimate())?;
                if !filter.is_empty() {
                    writeln!(f, "filter={filter}")?;
                }
                match self.spec.fetch {
                    Some(fetch) => writeln!(f, "fetch={fetch}"),
                    None => Ok(()),
                }
            }
        }
    }
}

fn shown(column: &str, domain: &Interval) -> String {
    if domain.is_empty() {
        return format!("{column} never");
    }
    let time = |at: i64| match DateTime::from_timestamp_micros(at) {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        None => at.to_string(),
    };
    match (domain.lower, domain.upper) {
        (Some(lower), Some(upper)) if lower == upper => format!("{column} = {}", time(lower)),
        (lower, upper) => {
            let lower = lower.map(|lower| format!("{column} >= {}", time(lower)));
            let upper = upper.map(|upper| format!("{column} <= {}", time(upper)));
            lower.into_iter().chain(upper).collect::<Vec<_>>().join(" AND ")
        }
    }
}

impl ExecutionPlan for CtctScanExec {
    fn name(&self) -> &'static str {
        "CtctScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    // Deprecated, and still required.
    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        let fresh = Self { metrics: ExecutionPlanMetricsSet::new(), ..self.as_ref().clone() };
        Ok(Arc::new(fresh))
    }

    fn execute(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a scan has one partition, not {partition}");
        }
        let client = Arc::clone(&self.client);
        let scan = PageScan::new(client, self.endpoint, &self.spec, &self.metrics, partition);
        Ok(scan.into_stream(self.schema()))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        _arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let estimated = usize::try_from(self.endpoint.estimated_rows).unwrap_or(usize::MAX);
        let rows = self.spec.fetch.map_or(estimated, |fetch| estimated.min(fetch));
        let statistics = Statistics::new_unknown(&self.schema());
        Ok(Arc::new(statistics.with_num_rows(Precision::Inexact(rows))))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let spec = ScanSpec { fetch: limit, ..self.spec.clone() };
        Some(Arc::new(Self { spec, ..self.clone() }))
    }

    fn fetch(&self) -> Option<usize> {
        self.spec.fetch
    }
}
