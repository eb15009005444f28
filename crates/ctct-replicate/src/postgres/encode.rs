//! Batches in PostgreSQL's binary form.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::{Bytes, BytesMut};
use datafusion_ctct::nested_to_text;
use pgpq::ArrowToPostgresBinaryEncoder;
use pgpq::encoders::{EncoderBuilder, StringEncoderBuilder};
use pgpq::pg_schema::PostgresType;

use super::{Column, PgType};
use crate::{Error, ErrorKind, Result};

/// Writes batches in the form that `COPY … (FORMAT binary)` reads.
pub(crate) struct Encoder {
    columns: Vec<Column>,
    schema: SchemaRef,
    builders: HashMap<String, EncoderBuilder>,
}

impl Encoder {
    pub(crate) fn new(columns: &[Column]) -> Result<Self> {
        // Names within a batch say nothing; places do.
        let fields = columns
            .iter()
            .enumerate()
            .map(|(place, column)| Field::new(place.to_string(), arrow_type(column.pg_type), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut builders = HashMap::new();
        for (field, column) in schema.fields().iter().zip(columns) {
            let builder = match column.pg_type {
                PgType::Json => {
                    StringEncoderBuilder::new_with_output(Arc::clone(field), PostgresType::Jsonb)
                        .map(EncoderBuilder::String)
                }
                _ => EncoderBuilder::try_new(Arc::clone(field)),
            };
            builders.insert(field.name().clone(), builder.map_err(unwritable)?);
        }
        Ok(Self { columns: columns.to_vec(), schema, builders })
    }

    /// A whole copy of the rows, found by the columns' sources.
    pub(crate) fn encode(&self, rows: &RecordBatch) -> Result<Bytes> {
        let columns = self.columns.iter().map(|column| {
            let found = rows.column_by_name(&column.source);
            match found {
                Some(values) => converted(values, column.pg_type),
                None => {
                    Ok(arrow::array::new_null_array(&arrow_type(column.pg_type), rows.num_rows()))
                }
            }
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(unwritable)?;
        let mut encoder =
            ArrowToPostgresBinaryEncoder::try_new_with_encoders(&self.schema, &self.builders)
                .map_err(unwritable)?;
        let mut out = BytesMut::new();
        encoder.write_header(&mut out).map_err(unwritable)?;
        encoder.write_batch(&batch, &mut out).map_err(unwritable)?;
        encoder.write_footer(&mut out).map_err(unwritable)?;
        Ok(out.freeze())
    }
}

fn unwritable(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Target, "rows could not be put into PostgreSQL's form")
        .with_source(source)
}

fn arrow_type(pg_type: PgType) -> DataType {
    match pg_type {
        PgType::Text | PgType::Json => DataType::Utf8,
        PgType::BigInt => DataType::Int64,
        PgType::Double => DataType::Float64,
        PgType::Boolean => DataType::Boolean,
        PgType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        PgType::Date => DataType::Date32,
        PgType::TextArray => DataType::new_list(DataType::Utf8, true),
    }
}

/// Values in the Arrow type that a PostgreSQL type is written from.
fn converted(values: &ArrayRef, pg_type: PgType) -> Result<ArrayRef> {
    let values = match pg_type {
        PgType::Json | PgType::Text if values.data_type().is_nested() => {
            nested_to_text(values).map_err(unwritable)?
        }
        _ if *values.data_type() == arrow_type(pg_type) => Arc::clone(values),
        _ => cast(values, &arrow_type(pg_type)).map_err(unwritable)?,
    };
    Ok(match pg_type {
        PgType::Text => without_nul(&values, "\0", "\u{fffd}"),
        // JSON has a form for it that PostgreSQL does not take.
        PgType::Json => without_nul(&values, "\\u0000", "\\ufffd"),
        PgType::TextArray => {
            let lists = values.as_list::<i32>();
            let items = without_nul(lists.values(), "\0", "\u{fffd}");
            let DataType::List(field) = lists.data_type() else { return Ok(values) };
            Arc::new(arrow::array::ListArray::new(
                Arc::clone(field),
                lists.offsets().clone(),
                items,
                lists.nulls().cloned(),
            ))
        }
        _ => values,
    })
}

/// Texts without what PostgreSQL has no form for: as good as never is there any.
fn without_nul(values: &ArrayRef, nul: &str, instead: &str) -> ArrayRef {
    let texts = values.as_string::<i32>();
    if !texts.iter().flatten().any(|text| text.contains(nul)) {
        return Arc::clone(values);
    }
    tracing::warn!("a text has a NUL, which PostgreSQL has no form for; it became another sign");
    let texts = texts.iter().map(|text| text.map(|text| text.replace(nul, instead)));
    Arc::new(texts.collect::<StringArray>())
}
