//! A plan node that makes of a client's error the end of the rows.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
    SendableRecordBatchStream,
};
use futures::{StreamExt, future};

use crate::diagnose::client_error;

/// The error that ended the rows, if one did.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended(Arc<Mutex<Option<DataFusionError>>>);

impl Ended {
    /// The error, once.
    pub(super) fn take(&self) -> Option<DataFusionError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: DataFusionError) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert(error);
    }
}

/// Passes rows on, and ends where the account cannot be read any further.
///
/// Errors of anything else stay errors.
#[derive(Debug)]
pub(super) struct KeepRowsExec {
    input: Arc<dyn ExecutionPlan>,
    ended: Ended,
}

impl KeepRowsExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, ended: Ended) -> Self {
        Self { input, ended }
    }
}

impl DisplayAs for KeepRowsExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeepRowsExec")
    }
}

impl ExecutionPlan for KeepRowsExec {
    fn name(&self) -> &'static str {
        "KeepRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self::new(input, self.ended.clone()))),
            Err(children) => internal_err!("one input is needed, not {}", children.len()),
        }
    }

    // Deprecated, and still required.
    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(options))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let ended = self.ended.clone();
        let rows = input.scan((), move |(), batch| {
            future::ready(match batch {
                Err(error) if client_error(&error).is_some() => {
                    ended.set(error);
                    None
                }
                batch => Some(batch),
            })
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
