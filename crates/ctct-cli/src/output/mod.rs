//! Results, as they are written to standard output.

mod chart;
mod columns;
mod pager;
mod sink;
mod style;
mod table;

use std::io::{self, Write};

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
use crate::quota::thousands;
pub(crate) use chart::{Shape, chart};
use sink::Output;
pub(crate) use sink::Sink;
pub(crate) use style::{Rows, Style};

/// How many rows of a result are kept for a chart of it.
const KEPT: usize = 1_000;
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

/// A result that was written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// How many rows.
    pub(crate) rows: u64,
    /// The first of them.
    pub(crate) kept: Vec<RecordBatch>,
}

impl Written {
    /// Counts rows, and keeps some.
    fn note(&mut self, batch: &RecordBatch) {
        let there = usize::try_from(self.rows).unwrap_or(usize::MAX);
        if there < KEPT && batch.num_rows() > 0 {
            self.kept.push(batch.slice(0, batch.num_rows().min(KEPT - there)));
        }
        self.rows += batch.num_rows() as u64;
    }
}

/// Writes the batches of a query as they come.
///
/// Only tables for people are collected first, because their columns must be measured;
/// on a terminal they end after a thousand rows, and so does the query. `ready` is called
/// before the first of a table is written; `total` says how many rows there are in all, where
/// not all are shown and that is easily told.
pub(crate) async fn write(
    stream: SendableRecordBatchStream,
    style: &Style,
    sink: &Sink,
    ready: impl FnOnce(),
    total: impl AsyncFnOnce() -> Option<u64>,
) -> Result<Written, WriteError> {
    if matches!(style.format, Format::Table | Format::Markdown) {
        return table(stream, style, sink, ready, total).await;
    }
    let output = Output::new(sink);
    let failure = output.failure();
    // Some writers wrap an error of the output in words of their own.
    let written = write_to(output, stream, style).await;
    written.map_err(|error| failure.take().map_or(error, WriteError::Output))
}

async fn write_to(
    output: Output,
    stream: SendableRecordBatchStream,
    style: &Style,
) -> Result<Written, WriteError> {
    let schema = stream.schema();
    match style.format {
        Format::Table | Format::Markdown | Format::Csv | Format::Tsv => {
            let schema = columns::text_schema(&schema);
            let delimiter = if style.format == Format::Tsv { b'\t' } else { b',' };
            let writer = csv::WriterBuilder::new()
                .with_delimiter(delimiter)
                .with_header(true)
                .with_null(style.null.clone().unwrap_or_default());
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
    line_to(&Sink::Standard, text)
}

/// Writes one line to where results go.
pub(crate) fn line_to(sink: &Sink, text: &str) -> io::Result<()> {
    let mut output = Output::new(sink);
    writeln!(output, "{text}")?;
    output.flush()
}

/// Writes the plans that `EXPLAIN` answers with, line by line, without a table around them.
pub(crate) fn plans(batches: &[RecordBatch], sink: &Sink) -> io::Result<()> {
    let mut output = Output::new(sink);
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
) -> Result<Written, WriteError> {
    let mut written = Written::default();
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(WriteError::Query)?;
        written.note(&batch);
        write(&batch)?;
    }
    Ok(written)
}

async fn json<F: JsonFormat>(
    output: Output,
    stream: SendableRecordBatchStream,
    end: &str,
) -> Result<Written, WriteError> {
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
) -> Result<Written, WriteError> {
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
    mut stream: SendableRecordBatchStream,
    style: &Style,
    sink: &Sink,
    ready: impl FnOnce(),
    total: impl AsyncFnOnce() -> Option<u64>,
) -> Result<Written, WriteError> {
    let terminal = sink.is_terminal();
    let most = style.rows.most(terminal);
    let schema = stream.schema();
    let mut written = Written::default();
    let (mut batches, mut rows, mut more) = (Vec::new(), 0, false);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(WriteError::Query)?;
        let wanted = batch.num_rows().min(most - rows);
        more = wanted < batch.num_rows();
        rows += wanted;
        let batch = batch.slice(0, wanted);
        written.note(&batch);
        batches.push(batch);
        if more {
            break;
        }
    }
    // Whoever was to bring more need not.
    drop(stream);
    let mut text = if style.format == Format::Markdown {
        table::markdown(&schema, &batches, style)?
    } else {
        let width = console::Term::stdout().size_checked().map(|(_, columns)| columns);
        table::bordered(&schema, &batches, style, width.filter(|_| terminal))?
    };
    if more {
        let of = total().await.map(|total| format!(" of {}", thousands(total))).unwrap_or_default();
        let shown = thousands(written.rows);
        text.extend([
            &format!("… the first {shown}{of} rows; "),
            "\\maxrows 0 or --maxrows 0 shows all, LIMIT asks for fewer\n",
        ]);
    }
    ready();
    if terminal && style.paged {
        pager::show(&text)?;
        return Ok(written);
    }
    let mut output = Output::new(sink);
    output.write_all(text.as_bytes())?;
    output.flush()?;
    Ok(written)
}
