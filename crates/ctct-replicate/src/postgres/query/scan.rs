//! The leaf of a plan that reads a query of the server.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as DataFusionResult, Statistics, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::TryStreamExt;
use tokio_postgres::Client;

use super::column::{ReadColumn, schema};
use super::rows::batch;
use crate::{Result, Target};

/// Reads a query of the server, a batch at a time.
///
/// The server is asked for the next rows when they are wanted, so dropping the stream ends the
/// reading; and nothing is asked before the first poll.
#[derive(Debug, Clone)]
pub(super) struct PostgresScanExec {
    target: Arc<Target>,
    columns: Arc<[ReadColumn]>,
    sql: String,
    rows: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PostgresScanExec {
    /// Reads what `sql` gives: these columns, about so many rows.
    pub(super) fn new(
        target: Arc<Target>,
        columns: Vec<ReadColumn>,
        sql: String,
        rows: Option<usize>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema(&columns)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Self {
            target,
            columns: columns.into(),
            sql,
            rows,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

/// A query that is being read.
struct Cursor {
    client: Client,
    columns: Arc<[ReadColumn]>,
    schema: SchemaRef,
    fetch: String,
}

impl Cursor {
    async fn open(scan: PostgresScanExec, rows: usize) -> Result<Self> {
        let client = scan.target.connect().await?;
        client
            .batch_execute(&format!(
                "BEGIN READ ONLY; DECLARE ctct NO SCROLL CURSOR FOR {}",
                scan.sql
            ))
            .await?;
        let schema = schema(&scan.columns);
        Ok(Self { client, columns: scan.columns, schema, fetch: format!("FETCH {rows} FROM ctct") })
    }

    async fn next(&self) -> Result<Option<RecordBatch>> {
        let rows = self.client.query(&self.fetch, &[]).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        batch(&rows, &self.columns, Arc::clone(&self.schema)).map(Some)
    }
}

impl DisplayAs for PostgresScanExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "PostgresScanExec: {}, {}", self.target.name, self.sql)
            }
            DisplayFormatType::TreeRender => {
                writeln!(f, "{}", self.target.name)?;
                writeln!(f, "{}", self.sql)
            }
        }
    }
}

impl ExecutionPlan for PostgresScanExec {
    fn name(&self) -> &'static str {
        "PostgresScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    // Deprecated, and still required.
    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn reset_state(self: Arc<Self>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Arc::new(Self { metrics, ..self.as_ref().clone() }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a scan has one partition, not {partition}");
        }
        let rows = context.session_config().batch_size();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let scan = self.clone();
        let opening = async move { Cursor::open(scan, rows).await };
        let batches = futures::stream::once(opening).map_ok(move |cursor| {
            let metrics = metrics.clone();
            futures::stream::try_unfold(cursor, move |cursor| {
                let metrics = metrics.clone();
                async move {
                    let next = cursor.next().await?;
                    Ok(next.map(|batch| {
                        metrics.record_output(batch.num_rows());
                        (batch, cursor)
                    }))
                }
            })
        });
        let batches = batches
            .try_flatten()
            .map_err(|error: crate::Error| DataFusionError::External(Box::new(error)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        _arguments: &StatisticsArgs,
    ) -> DataFusionResult<Arc<Statistics>> {
        let statistics = Statistics::new_unknown(&self.schema());
        Ok(Arc::new(match self.rows {
            Some(rows) => statistics.with_num_rows(Precision::Inexact(rows)),
            None => statistics,
        }))
    }
}
