//! The columns of a table on the server, and the types that their values are read as.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use tokio_postgres::Client;

use crate::{Error, Ident, Result};

/// As what the values of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadAs {
    Boolean,
    /// All whole numbers.
    BigInt,
    /// Floating point, and numbers whose digits nobody limited.
    Double,
    /// Numbers with so many digits, and so many of them behind the point.
    Decimal(u8, i8),
    /// A point in time.
    Timestamp,
    /// A time of a clock on some wall.
    LocalTimestamp,
    Date,
    Bytes,
    TextArray,
    /// Text, and the text of whatever else there is: identifiers, JSON, enumerations.
    Text,
}

/// The most digits that a decimal of 128 bits has.
const DECIMAL_DIGITS: i32 = 38;

impl ReadAs {
    /// Of a type by its name in the server's catalog, with the modifier that its column has.
    fn of(name: &str, modifier: i32) -> Self {
        match name {
            "bool" => Self::Boolean,
            "int2" | "int4" | "int8" => Self::BigInt,
            "float4" | "float8" => Self::Double,
            "numeric" => Self::of_numeric(modifier),
            "timestamptz" => Self::Timestamp,
            "timestamp" => Self::LocalTimestamp,
            "date" => Self::Date,
            "bytea" => Self::Bytes,
            "_text" | "_varchar" | "_bpchar" | "_name" => Self::TextArray,
            _ => Self::Text,
        }
    }

    /// The modifier holds both counts, and four bytes of the server's own.
    fn of_numeric(modifier: i32) -> Self {
        if modifier < 4 {
            return Self::Double;
        }
        let (precision, scale) = ((modifier - 4) >> 16 & 0xffff, (modifier - 4) & 0x7ff);
        match (u8::try_from(precision), i8::try_from(scale)) {
            (Ok(digits), Ok(behind)) if precision <= DECIMAL_DIGITS && scale <= precision => {
                Self::Decimal(digits, behind)
            }
            _ => Self::Double,
        }
    }

    /// The type that the server gives the values in.
    pub(super) fn sent_as(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::BigInt => "bigint",
            Self::Double => "double precision",
            Self::Timestamp => "timestamp with time zone",
            Self::LocalTimestamp => "timestamp without time zone",
            Self::Date => "date",
            Self::Bytes => "bytea",
            Self::TextArray => "text[]",
            // The digits of a decimal are its text.
            Self::Decimal(..) | Self::Text => "text",
        }
    }

    fn arrow(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::BigInt => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Decimal(digits, behind) => DataType::Decimal128(digits, behind),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::LocalTimestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Date => DataType::Date32,
            Self::Bytes => DataType::Binary,
            Self::TextArray => DataType::new_list(DataType::Utf8, true),
            Self::Text => DataType::Utf8,
        }
    }
}

/// A column of a table on the server, or of a query over one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadColumn {
    /// Its name here.
    pub(super) name: String,
    /// What the server evaluates for it.
    pub(super) expression: String,
    pub(super) read_as: ReadAs,
    pub(super) nullable: bool,
}

/// The columns as a schema.
pub(super) fn schema(columns: &[ReadColumn]) -> SchemaRef {
    let fields = columns
        .iter()
        .map(|column| Field::new(&column.name, column.read_as.arrow(), column.nullable));
    Schema::new(fields.collect::<Vec<_>>()).into()
}

/// What the server's catalog says of a table.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) columns: Vec<ReadColumn>,
    /// How many rows there were when the server last looked.
    pub(super) rows: Option<usize>,
}

/// A domain has the type that it is made of, and that one's modifier.
const DESCRIBE: &str = "\
SELECT a.attname::text, coalesce(base.typname, t.typname)::text, \
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, \
       NOT a.attnotnull, c.reltuples::float8 \
FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
LEFT JOIN pg_catalog.pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype \
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
ORDER BY a.attnum";

/// What a table or a view has; none where there is none of that name.
pub(super) async fn describe(
    client: &Client,
    schema: &str,
    table: &str,
) -> Result<Option<Described>> {
    let found = client.query(DESCRIBE, &[&schema, &table]).await?;
    let Some(first) = found.first() else { return Ok(None) };
    let rows = rows_of(first.get(4));
    let column = |row: &tokio_postgres::Row| {
        let name: String = row.get(0);
        let expression = Ident::new(&name)?.to_string();
        let read_as = ReadAs::of(row.get(1), row.get(2));
        Ok::<_, Error>(ReadColumn { name, expression, read_as, nullable: row.get(3) })
    };
    let columns = found.iter().map(column).collect::<Result<_>>()?;
    Ok(Some(Described { columns, rows }))
}

/// A table that was never looked at has -1 rows, and a view none.
fn rows_of(estimate: f64) -> Option<usize> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, above nought"
    )]
    (estimate > 0.0).then_some(estimate as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_digits_keep_them_and_others_are_floating() {
        // numeric(10, 2), numeric(38, 0), numeric(50, 3), numeric.
        let modifier = |precision: i32, scale: i32| (precision << 16 | scale) + 4;
        assert_eq!(ReadAs::of("numeric", modifier(10, 2)), ReadAs::Decimal(10, 2));
        assert_eq!(ReadAs::of("numeric", modifier(38, 0)), ReadAs::Decimal(38, 0));
        assert_eq!(ReadAs::of("numeric", modifier(50, 3)), ReadAs::Double);
        assert_eq!(ReadAs::of("numeric", -1), ReadAs::Double);
        assert_eq!((rows_of(-1.0), rows_of(0.0), rows_of(12.0)), (None, None, Some(12)));
    }
}
