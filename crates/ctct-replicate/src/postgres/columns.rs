//! The columns of a target table: their names, types and what is said of them.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, Schema};
use ctct_endpoints::{Endpoint, Kind};

use crate::replication::Casing;
use crate::{Error, Ident, Result};

/// The types that columns have in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PgType {
    Text,
    BigInt,
    Double,
    Boolean,
    Timestamp,
    Date,
    TextArray,
    Json,
}

impl PgType {
    /// The type's name in a statement.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::BigInt => "bigint",
            Self::Double => "double precision",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp with time zone",
            Self::Date => "date",
            Self::TextArray => "text[]",
            Self::Json => "jsonb",
        }
    }

    /// The type of a name, as the server's catalog has it, or as people write it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "text" | "string" | "varchar" | "character varying" => Self::Text,
            "bigint" | "integer" | "int" | "int8" => Self::BigInt,
            "double precision" | "double" | "float" | "float8" | "decimal" | "numeric" => {
                Self::Double
            }
            "boolean" | "bool" => Self::Boolean,
            "timestamp with time zone" | "timestamptz" | "timestamp" | "datetime" => {
                Self::Timestamp
            }
            "date" => Self::Date,
            "text[]" => Self::TextArray,
            "jsonb" | "json" => Self::Json,
            _ => return None,
        })
    }

    /// The type that has the values of both without loss; text has all of them.
    pub(crate) fn widened(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::BigInt, Self::Double) | (Self::Double, Self::BigInt) => Self::Double,
            (Self::Date, Self::Timestamp) | (Self::Timestamp, Self::Date) => Self::Timestamp,
            (Self::TextArray, Self::Json) | (Self::Json, Self::TextArray) => Self::Json,
            _ => Self::Text,
        }
    }

    fn of(data_type: &DataType, kind: Option<&Kind>) -> Self {
        match (data_type, kind) {
            (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, Some(Kind::Json)) => {
                Self::Json
            }
            (DataType::Boolean, _) => Self::Boolean,
            (DataType::Float16 | DataType::Float32 | DataType::Float64, _) => Self::Double,
            (DataType::Timestamp(..), _) => Self::Timestamp,
            (DataType::Date32 | DataType::Date64, _) => Self::Date,
            (DataType::List(item), _) if *item.data_type() == DataType::Utf8 => Self::TextArray,
            (data_type, _) if data_type.is_integer() => Self::BigInt,
            (data_type, _) if data_type.is_nested() => Self::Json,
            _ => Self::Text,
        }
    }
}

/// A column of a target table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// The column that it is filled from.
    pub(crate) source: String,
    pub(crate) name: Ident,
    pub(crate) pg_type: PgType,
    /// What it is, for people.
    pub(crate) comment: Option<String>,
}

/// The columns of a table that is filled from this schema.
///
/// # Errors
/// Where two columns would have one name, or a name is none that PostgreSQL keeps.
pub(crate) fn of_schema(
    schema: &Schema,
    endpoint: Option<&Endpoint>,
    casing: Casing,
) -> Result<Vec<Column>> {
    let mut known = BTreeSet::new();
    let mut columns = Vec::new();
    for field in schema.fields() {
        let declared = endpoint.and_then(|endpoint| endpoint.field(field.name()));
        let name = Ident::new(&cased(field.name(), casing))?;
        if !known.insert(name.clone()) {
            return Err(Error::configuration(format!(
                "two columns would be called {}",
                name.as_str()
            ))
            .with_hint("leave one out with `select`, or choose another `column_casing`"));
        }
        columns.push(Column {
            source: field.name().clone(),
            name,
            pg_type: PgType::of(field.data_type(), declared.map(|field| &field.kind)),
            comment: declared.map(|field| field.description.to_owned()),
        });
    }
    Ok(columns)
}

pub(crate) fn cased(name: &str, casing: Casing) -> String {
    match casing {
        Casing::Source => name.to_owned(),
        Casing::Upper => name.to_uppercase(),
        Casing::Lower => name.to_lowercase(),
        Casing::Snake => {
            let mut snake = String::new();
            let mut before = '_';
            for letter in name.chars() {
                let starts = letter.is_uppercase() && before.is_lowercase();
                if (starts || !letter.is_alphanumeric()) && !snake.ends_with('_') {
                    snake.push('_');
                }
                if letter.is_alphanumeric() {
                    snake.extend(letter.to_lowercase());
                }
                before = letter;
            }
            snake.trim_matches('_').to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_values_are_json_and_lists_of_texts_are_arrays() {
        let contacts = ctct_endpoints::find("contacts").expect("declared");
        let schema = datafusion_ctct::arrow_schema(contacts);
        let columns = of_schema(&schema, Some(contacts), Casing::Source).expect("columns");
        let of = |name: &str| columns.iter().find(|c| c.source == name).map(|c| c.pg_type.name());
        assert_eq!(of("updated_at"), Some("timestamp with time zone"));
        assert_eq!(of("deleted_at"), Some("date"));
        assert_eq!(of("birthday_day"), Some("bigint"));
        assert_eq!(of("list_memberships"), Some("text[]"));
        assert_eq!((of("notes"), of("custom")), (Some("jsonb"), Some("jsonb")));
        assert!(columns.iter().all(|column| column.comment.is_some()));
    }

    #[test]
    fn names_that_become_one_are_refused() {
        use arrow::datatypes::Field;
        let fields = ["emailAddress", "email_address"].map(|n| Field::new(n, DataType::Utf8, true));
        let schema = Schema::new(fields.to_vec());
        assert!(of_schema(&schema, None, Casing::Source).is_ok());
        let error = of_schema(&schema, None, Casing::Snake).expect_err("one name");
        assert!(error.to_string().contains("email_address"), "{error}");
        assert_eq!(cased("Say \"Hi\", ok", Casing::Snake), "say_hi_ok");
    }

    #[test]
    fn types_are_widened_and_never_narrowed() {
        for one in TYPES {
            assert_eq!(PgType::parse(one.name()), Some(*one));
            for other in TYPES {
                let wide = one.widened(*other);
                assert_eq!(wide, other.widened(*one));
                assert_eq!(wide.widened(*one), wide);
            }
        }
    }

    const TYPES: &[PgType] = &[
        PgType::Text,
        PgType::BigInt,
        PgType::Double,
        PgType::Boolean,
        PgType::Timestamp,
        PgType::Date,
        PgType::TextArray,
        PgType::Json,
    ];
}
