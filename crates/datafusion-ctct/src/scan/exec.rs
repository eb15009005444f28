//! The leaf of a plan that reads one endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use chrono::{DateTime, SecondsFormat};
use ctct_client::Client;
use ctct_endpoints::{Endpoint, Kind};
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, SchedulingType, apply_expression_roots,
};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};

use super::metrics::ScanMetrics;
use super::shared::SharedAnswers;
use super::stream::{Scan, usable};
use super::{RequestPlan, ScanSpec};
use crate::predicate::{Domain, Interval};
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
    /// Filters of joins and subqueries above, which they apply themselves: what they say is
    /// read at the first poll, and saves requests.
    hints: Vec<Arc<dyn PhysicalExpr>>,
    /// Conditions that the API knows nothing of: the scan drops the rows itself, so that a
    /// LIMIT or a sort above sees each page as it comes.
    conditions: Vec<Arc<dyn PhysicalExpr>>,
    /// The answers that other scans of the statement may ask for, too.
    answers: Option<Arc<SharedAnswers>>,
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
            hints: Vec::new(),
            conditions: Vec::new(),
            answers: None,
        })
    }

    /// What is read.
    pub fn spec(&self) -> &ScanSpec {
        &self.spec
    }

    /// The requests that will be sent, as far as they are known before anything is read.
    pub fn request_plan(&self) -> RequestPlan {
        RequestPlan::new(self.endpoint, &self.spec, &|endpoint| {
            self.client.estimated_rows(endpoint)
        })
    }

    /// About how many rows there will be, as far as that matters for the order of joins: the
    /// side that has fewer is read first, and its keys narrow the other one.
    fn estimated_rows(&self) -> usize {
        // A path's rows are the table's, unless these are the members of a list.
        let all = match self.endpoint.list {
            Some(_) => self.endpoint.estimated_rows,
            None => self.client.estimated_rows(self.endpoint),
        };
        let all = usize::try_from(all).unwrap_or(usize::MAX);
        let mut rows = all;
        let mut has_keys = self.endpoint.parent.is_none();
        for (column, domain) in self.spec.domains.iter() {
            rows = match domain {
                Domain::Keys(keys) if self.endpoint.key == [column] => rows.min(keys.len()),
                _ => rows / KEPT_BY_A_CONDITION,
            };
            has_keys |= self.endpoint.is_key_of_parent(column);
        }
        for _ in &self.conditions {
            rows /= KEPT_BY_A_CONDITION;
        }
        // A table that is read by keys is to be read when they are known.
        if !has_keys {
            rows = rows.max(all).saturating_mul(COST_WITHOUT_KEYS);
        }
        rows.max(1)
    }

    /// The endpoint that is read.
    pub(super) fn endpoint(&self) -> &'static Endpoint {
        self.endpoint
    }

    /// The same scan, asking also for what others read from the same pages.
    pub(super) fn beside(&self, beside: BTreeMap<String, BTreeSet<String>>) -> Self {
        let spec = ScanSpec { beside, ..self.spec.clone() };
        Self { spec, ..self.clone() }
    }

    /// The same scan, sharing its answers with others of its statement.
    pub(super) fn sharing(
        &self,
        answers: Arc<SharedAnswers>,
        beside: BTreeMap<String, BTreeSet<String>>,
    ) -> Self {
        Self { answers: Some(answers), ..self.beside(beside) }
    }

    /// Whether other scans of the statement may have the same answers.
    pub(super) fn is_sharing(&self) -> bool {
        self.answers.is_some()
    }

    /// Whether joins and subqueries will narrow the requests.
    pub(super) fn is_narrowed(&self) -> bool {
        !self.narrowing_columns().is_empty()
    }

    /// The columns by which joins and subqueries will narrow the requests.
    fn narrowing_columns(&self) -> Vec<&'static str> {
        let pending = self.hints.iter().filter(|hint| is_pending(hint));
        let hinted: Vec<String> =
            pending.flat_map(collect_columns).map(|column| column.name().to_owned()).collect();
        let fields = self.endpoint.fields.iter().filter(|field| match field.kind {
            Kind::Timestamp => usable(self.endpoint, field.name, &Domain::Interval(Interval::ALL)),
            Kind::Text | Kind::Identifier => {
                usable(self.endpoint, field.name, &Domain::Keys(BTreeSet::new()))
            }
            _ => false,
        });
        fields
            .map(|field| field.name)
            .filter(|name| hinted.iter().any(|hinted| hinted == name))
            .collect()
    }
}

/// Whether a filter will say more once the query runs than it says in its plan.
fn is_pending(filter: &Arc<dyn PhysicalExpr>) -> bool {
    let pending = |part: &Arc<dyn PhysicalExpr>| {
        Ok(part.is::<DynamicFilterPhysicalExpr>() || part.is::<ScalarSubqueryExpr>())
    };
    filter.exists(pending).unwrap_or(false)
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
        let request = plan.shown(self.endpoint);
        let narrowing = self.narrowing_columns().join(", ");
        let domains = self.spec.domains.iter();
        let filter: Vec<String> = domains.map(|(column, domain)| shown(column, domain)).collect();
        let never = self.spec.domains.is_impossible();
        let filter = if never { "never".to_owned() } else { filter.join(" AND ") };
        let conditions = self.conditions.iter().map(|one| fmt_sql(one.as_ref()).to_string());
        let conditions = conditions.collect::<Vec<_>>().join(" AND ");
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
                if !conditions.is_empty() {
                    write!(f, ", here={conditions}")?;
                }
                if !narrowing.is_empty() {
                    write!(f, ", narrowed by=[{narrowing}]")?;
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
                if !conditions.is_empty() {
                    writeln!(f, "here={conditions}")?;
                }
                if !narrowing.is_empty() {
                    writeln!(f, "narrowed by={narrowing}")?;
                }
                match self.spec.fetch {
                    Some(fetch) => writeln!(f, "fetch={fetch}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// One row of so many is thought to be kept by a condition, as DataFusion thinks of filters.
const KEPT_BY_A_CONDITION: usize = 5;
/// A table whose parent would have to be walked is thought to be larger by this.
const COST_WITHOUT_KEYS: usize = 50;
/// How many keys of a filter are written out.
const SHOWN_KEYS: usize = 3;

fn shown(column: &str, domain: &Domain) -> String {
    let listed = |keys: &BTreeSet<String>| {
        let more = keys.len().saturating_sub(SHOWN_KEYS);
        let mut shown: Vec<&str> = keys.iter().take(SHOWN_KEYS).map(String::as_str).collect();
        let more = format!("{more} more");
        if keys.len() > SHOWN_KEYS {
            shown.push(&more);
        }
        shown.join(", ")
    };
    match domain {
        Domain::Interval(interval) => shown_interval(column, interval),
        Domain::Keys(keys) if keys.len() == 1 => format!("{column} = {}", listed(keys)),
        Domain::Keys(keys) => format!("{column} in ({})", listed(keys)),
        Domain::HoldsAny(keys) => format!("{column} holds any of ({})", listed(keys)),
    }
}

fn shown_interval(column: &str, domain: &Interval) -> String {
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
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        // A join fills its filter only where somebody is seen to hold it.
        apply_expression_roots(self.hints.iter().chain(&self.conditions), visit)
    }

    fn handle_child_pushdown_result(
        &self,
        _phase: FilterPushdownPhase,
        filters: ChildPushdownResult,
        _options: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let mut scan = self.clone();
        let take = |filter: Arc<dyn PhysicalExpr>| {
            // What is still to be filled whoever made it goes on applying; and what is asked
            // of the first few rows is not asked of the rows before.
            if is_pending(&filter) || self.spec.fetch.is_some() {
                scan.hints.push(filter);
                return PushedDown::No;
            }
            scan.conditions.push(filter);
            scan.spec.filtered = true;
            PushedDown::Yes
        };
        let filters = filters.parent_filters.into_iter();
        let answers: Vec<PushedDown> = filters.map(|filter| filter.filter).map(take).collect();
        let is_new = !answers.is_empty();
        let result: FilterPushdownPropagation<Arc<dyn ExecutionPlan>> =
            FilterPushdownPropagation::with_parent_pushdown_result(answers);
        if is_new { Ok(result.with_updated_node(Arc::new(scan))) } else { Ok(result) }
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
        // The filters belong to the joins of an earlier run.
        let metrics = ExecutionPlanMetricsSet::new();
        let fresh = Self { metrics, hints: Vec::new(), ..self.as_ref().clone() };
        Ok(Arc::new(fresh))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a scan has one partition, not {partition}");
        }
        let scan = Scan {
            client: Arc::clone(&self.client),
            endpoint: self.endpoint,
            spec: self.spec.clone(),
            hints: self.hints.clone(),
            conditions: self.conditions.clone(),
            answers: self.answers.as_ref().map(|answers| answers.of(&context)),
            metrics: ScanMetrics::new(&self.metrics, partition),
        };
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
        let estimated = self.estimated_rows();
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
