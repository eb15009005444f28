//! Results, as they are written to standard output.

mod columns;
mod standard;
mod table;

use std::io::{self, IsTerminal, Write};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::csv;
use arrow::datatypes::{SchemaRef, UInt64Type};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json::writer::{JsonArray, JsonFormat, LineDelimited, WriterBuilder};
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use futures::StreamExt;

use crate::arguments::Format;
use standard::Output;

/// How many rows of a table are shown on a terminal.
const SHOWN_ON_TERMINAL: usize = 1_000;
/// Rows of a row group of Parquet: a whole group is held in memory while it is
/// written, and contacts are wide: at this size a copy of a million of them stays well
/// below 200 MB.
const ROW_GROUP: usize = 65_536;

/// Why a result was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The query failed.
    Query(DataFusionError),
    /// Writing failed.
    Output(io::Error),
}

impl From<ArrowError> for WriteError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::Output(error),
            other => Self::Query(other.into()),
        }
    }
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Writes the batches of a query as they come, and says how many rows there were.
///
/// Only tables for people are collected first, because their columns must be measured;
/// on a terminal they end after a thousand rows, and so does the query. `ready` is called
/// before the first of a table is written.
pub(crate) async fn write(
    stream: SendableRecordBatchStream,
    format: Format,
    ready: impl FnOnce(),
) -> Result<u64, WriteError> {
    let output = Output::new();
    let failure = output.failure();
    // Some writers wrap an error of the output in words of their own.
    let written = write_to(output, stream, format, ready).await;
    written.map_err(|error| failure.take().map_or(error, WriteError::Output))
}

async fn write_to(
    output: Output,
    stream: SendableRecordBatchStream,
    format: Format,
    ready: impl FnOnce(),
) -> Result<u64, WriteError> {
    let schema = stream.schema();
    match format {
        Format::Table | Format::Markdown => table(output, stream, format, ready).await,
        Format::Csv | Format::Tsv => {
            let schema = columns::text_schema(&schema);
            let delimiter = if format == Format::Tsv { b'\t' } else { b',' };
            let writer = csv::WriterBuilder::new().with_delimiter(delimiter).with_header(true);
            let mut writer = writer.build(output);
            // The header is written with the first batch, also where it is empty.
            writer.write(&RecordBatch::new_empty(schema))?;
            let rows = each(stream, |batch| Ok(writer.write(&columns::as_text(batch)?)?)).await?;
            writer.into_inner().flush()?;
            Ok(rows)
        }
        Format::Json => json::<JsonArray>(output, stream, "\n").await,
        Format::Ndjson => json::<LineDelimited>(output, stream, "").await,
        Format::Arrow => {
            let mut writer = StreamWriter::try_new(output, &schema)?;
            let rows = each(stream, |batch| Ok(writer.write(batch)?)).await?;
            writer.into_inner()?.flush()?;
            Ok(rows)
        }
        Format::Parquet => parquet(output, stream, schema).await,
    }
}

/// Writes one line.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut output = Output::new();
    writeln!(output, "{text}")?;
    output.flush()
}

/// Writes the plans that `EXPLAIN` answers with, line by line, without a table around them.
pub(crate) fn plans(batches: &[RecordBatch]) -> io::Result<()> {
    let mut output = Output::new();
    for batch in batches {
        let column = |name| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        let (Some(kinds), Some(plans)) = (column("plan_type"), column("plan")) else { continue };
        for (kind, plan) in kinds.iter().zip(plans) {
            if batch.num_rows() > 1 {
                writeln!(output, "-- {}", kind.unwrap_or_default())?;
            }
            writeln!(output, "{}", plan.unwrap_or_default().trim_end())?;
        }
    }
    output.flush()
}

/// The number that `COPY` and its like answer with.
pub(crate) fn count_of(batches: &[RecordBatch]) -> Option<u64> {
    let counts = batches.first()?.column_by_name("count")?.as_primitive_opt::<UInt64Type>()?;
    counts.is_valid(0).then(|| counts.value(0))
}

async fn each(
    mut stream: SendableRecordBatchStream,
    mut write: impl FnMut(&RecordBatch) -> Result<(), WriteError>,
) -> Result<u64, WriteError> {
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(WriteError::Query)?;
        rows += batch.num_rows() as u64;
        write(&batch)?;
    }
    Ok(rows)
}

async fn json<F: JsonFormat>(
    output: Output,
    stream: SendableRecordBatchStream,
    end: &str,
) -> Result<u64, WriteError> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, F>(output);
    let rows = each(stream, |batch| Ok(writer.write(batch)?)).await?;
    writer.finish()?;
    let mut output = writer.into_inner();
    output.write_all(end.as_bytes())?;
    output.flush()?;
    Ok(rows)
}

async fn parquet(
    output: Output,
    stream: SendableRecordBatchStream,
    schema: SchemaRef,
) -> Result<u64, WriteError> {
    let failed = |error| WriteError::Query(DataFusionError::ParquetError(Box::new(error)));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let mut writer = ArrowWriter::try_new(output, schema, Some(properties)).map_err(failed)?;
    let rows = each(stream, |batch| writer.write(batch).map_err(failed)).await?;
    writer.into_inner().map_err(failed)?.flush()?;
    Ok(rows)
}

async fn table(
    mut output: Output,
    mut stream: SendableRecordBatchStream,
    format: Format,
    ready: impl FnOnce(),
) -> Result<u64, WriteError> {
    let terminal = io::stdout().is_terminal();
    let most = if terminal { SHOWN_ON_TERMINAL } else { usize::MAX };
    let schema = stream.schema();
    let mut batches = Vec::new();
    let mut rows = 0;
    let mut more = false;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(WriteError::Query)?;
        let wanted = batch.num_rows().min(most - rows);
        more = wanted < batch.num_rows();
        rows += wanted;
        batches.push(batch.slice(0, wanted));
        if more {
            break;
        }
    }
    let text = if format == Format::Markdown {
        table::markdown(&schema, &batches)?
    } else {
        let width = comfy_table::Table::new().width().filter(|_| terminal);
        table::bordered(&schema, &batches, width)?
    };
    ready();
    output.write_all(text.as_bytes())?;
    if more {
        writeln!(output, "… the first {rows} rows; --format csv writes all, LIMIT asks for fewer")?;
    }
    output.flush()?;
    Ok(rows as u64)
}
