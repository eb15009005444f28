//! Columns for formats that are text only: lists and objects become JSON.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use datafusion_ctct::nested_to_text;

/// The schema of [`as_text`].
pub(super) fn text_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        nested if nested.is_nested() => Field::new(field.name(), DataType::Utf8, true),
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The batch with lists and objects as JSON text.
pub(super) fn as_text(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        nested if nested.is_nested() => nested_to_text(column),
        _ => Ok(Arc::clone(column)),
    });
    let schema = text_schema(&batch.schema());
    RecordBatch::try_new_with_options(
        schema,
        columns.collect::<Result<_, _>>()?,
        &arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
    )
}
