//! `COPY … TO` a local file, which has its name only once it is complete.
//!
//! A file is written beside its place, as `name.incomplete.parquet`, and renamed at the
//! end. Where the account's requests run out, or the server fails, in the midst of it,
//! the rows that were read are kept under that name: the requests for them were spent.

mod keep_rows;
mod place;

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::CopyTo;
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::{ExecutionPlan, ReplaceChildrenOptions, collect};
use datafusion::prelude::SessionContext;

use keep_rows::{Ended, KeepRowsExec};
use place::Place;

/// What came of a copy.
#[derive(Debug)]
pub struct Copied {
    /// How many rows the file holds.
    pub rows: u64,
    /// Where an incomplete file is, and why it is incomplete; none for a complete one.
    pub incomplete: Option<Incomplete>,
}

/// A file that holds some of the rows.
#[derive(Debug)]
pub struct Incomplete {
    /// Where it is.
    pub path: String,
    /// Why it is incomplete.
    pub reason: DataFusionError,
}

/// Runs a `COPY … TO`.
///
/// What is copied to a folder, or to anything that is not a local file, is copied as
/// DataFusion does it.
///
/// # Errors
/// Where nothing was written.
pub async fn copy(session: &SessionContext, copy: CopyTo) -> Result<Copied> {
    let Some(place) = Place::of(&copy) else {
        let frame = session.execute_logical_plan(LogicalPlan::Copy(copy)).await?;
        let rows = count(&frame.collect().await?);
        return Ok(Copied { rows, incomplete: None });
    };
    let beside = CopyTo { output_url: place.incomplete_url(), ..copy };
    let state = session.state();
    let plan = state.create_physical_plan(&LogicalPlan::Copy(beside)).await?;
    let ended = Ended::default();
    let plan = keeping_rows(plan, &ended)?;
    let outcome = collect(plan, session.task_ctx()).await;
    match (outcome, ended.take()) {
        (Ok(batches), None) => {
            place.finish()?;
            Ok(Copied { rows: count(&batches), incomplete: None })
        }
        (Ok(batches), Some(reason)) if count(&batches) > 0 => {
            let incomplete = Incomplete { path: place.incomplete_path(), reason };
            Ok(Copied { rows: count(&batches), incomplete: Some(incomplete) })
        }
        (Ok(_), Some(error)) | (Err(error), _) => {
            place.discard();
            Err(error)
        }
    }
}

/// The plan with its sink told of the end of the rows where they end with an error.
fn keeping_rows(plan: Arc<dyn ExecutionPlan>, ended: &Ended) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(sink) = plan.downcast_ref::<DataSinkExec>() else { return Ok(plan) };
    let input = Arc::clone(sink.input());
    let input: Arc<dyn ExecutionPlan> = Arc::new(KeepRowsExec::new(input, ended.clone()));
    plan.replace_children(vec![input], ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep))
}

fn count(batches: &[RecordBatch]) -> u64 {
    let counts = batches.iter().filter_map(|batch| {
        batch.column_by_name("count")?.as_primitive_opt::<UInt64Type>().cloned()
    });
    counts.flat_map(|column| column.iter().flatten().collect::<Vec<_>>()).sum()
}
