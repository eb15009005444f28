//! Rows of the server as a batch.

use std::error::Error as StdError;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, ListBuilder,
    RecordBatch, RecordBatchOptions, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, SchemaRef};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type, accepts};

use super::column::{ReadAs, ReadColumn};
use crate::{Error, ErrorKind, Result};

/// The server counts from the first day of 2000.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

type Failed = Box<dyn StdError + Sync + Send>;

/// A point in time, in microseconds since 1970.
struct Moment(i64);

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        let since = i64::from_be_bytes(raw.try_into()?);
        match since.checked_add(EPOCH_MICROS) {
            Some(at) if since != i64::MIN => Ok(Self(at)),
            _ => Err("an infinite time".into()),
        }
    }

    accepts!(TIMESTAMP, TIMESTAMPTZ);
}

/// A day, counted from the first one of 1970.
struct Day(i32);

impl<'a> FromSql<'a> for Day {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        let since = i32::from_be_bytes(raw.try_into()?);
        match since.checked_add(EPOCH_DAYS) {
            Some(day) if since != i32::MIN => Ok(Self(day)),
            _ => Err("an infinite date".into()),
        }
    }

    accepts!(DATE);
}

/// The rows as a batch.
///
/// # Errors
/// Where a value has no form here: a time without end, a number that is none.
pub(super) fn batch(
    rows: &[Row],
    columns: &[ReadColumn],
    schema: SchemaRef,
) -> Result<RecordBatch> {
    let arrays = columns.iter().enumerate().map(|(place, column)| {
        array(rows, place, column.read_as).map_err(|source| {
            Error::new(
                ErrorKind::Query,
                format!("a value of the column {} has no form here: {source}", column.name),
            )
            .with_hint("leave such rows out, or make a view that shows the value as text")
            .with_source(source)
        })
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new_with_options(schema, arrays, &options).map_err(|source| {
        Error::new(ErrorKind::Query, format!("the rows do not fit together: {source}"))
            .with_source(source)
    })
}

fn values<'a, T: FromSql<'a>>(rows: &'a [Row], place: usize) -> Result<Vec<Option<T>>, Failed> {
    let said = |error: tokio_postgres::Error| error.into_source().unwrap_or("unreadable".into());
    rows.iter().map(|row| row.try_get(place).map_err(said)).collect()
}

fn array(rows: &[Row], place: usize, read_as: ReadAs) -> Result<ArrayRef, Failed> {
    let moments = || -> Result<TimestampMicrosecondArray, Failed> {
        let values = values::<Moment>(rows, place)?;
        Ok(values.into_iter().map(|value| value.map(|moment| moment.0)).collect())
    };
    Ok(match read_as {
        ReadAs::Boolean => Arc::new(BooleanArray::from(values::<bool>(rows, place)?)),
        ReadAs::BigInt => Arc::new(Int64Array::from(values::<i64>(rows, place)?)),
        ReadAs::Double => Arc::new(Float64Array::from(values::<f64>(rows, place)?)),
        ReadAs::Timestamp => Arc::new(moments()?.with_timezone("UTC")),
        ReadAs::LocalTimestamp => Arc::new(moments()?),
        ReadAs::Date => {
            let days = values::<Day>(rows, place)?;
            Arc::new(days.into_iter().map(|day| day.map(|day| day.0)).collect::<Date32Array>())
        }
        ReadAs::Bytes => Arc::new(BinaryArray::from(values::<&[u8]>(rows, place)?)),
        ReadAs::Text => Arc::new(StringArray::from(values::<&str>(rows, place)?)),
        ReadAs::Decimal(digits, behind) => {
            let texts = StringArray::from(values::<&str>(rows, place)?);
            let exactly = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(&texts, &DataType::Decimal128(digits, behind), &exactly)?
        }
        ReadAs::TextArray => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for value in values::<Vec<Option<&str>>>(rows, place)? {
                lists.append_option(value);
            }
            Arc::new(lists.finish())
        }
    })
}
