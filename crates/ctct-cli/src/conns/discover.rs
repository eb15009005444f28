//! `ctct conns discover`: the tables, without asking the server anything.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use ctct_endpoints::Endpoint;
use datafusion_ctct::arrow_schema;
use glob::Pattern;

use crate::arguments::Arguments;
use crate::exit::Failure;
use crate::{run, setup};

/// Lists the tables that match, or their columns.
pub(super) async fn discover(
    name: Option<&str>,
    pattern: Option<&str>,
    columns: bool,
    arguments: &Arguments,
) -> Result<(), Failure> {
    if let Some(name) = name.filter(|_| !arguments.sandbox) {
        // Every connection has the same tables; one that is not there has none.
        setup::connections().choose(Some(name))?;
    }
    let pattern = Pattern::new(pattern.unwrap_or("*"))
        .map_err(|error| Failure::usage(&format!("--pattern: {}", error.msg)))?;
    let tables: Vec<&Endpoint> =
        ctct_endpoints::all().iter().filter(|table| pattern.matches(table.table)).collect();
    if tables.is_empty() {
        return Err(Failure::with_hint(
            1,
            format!("no table matches {}", pattern.as_str()),
            "without --pattern all of them are listed".to_owned(),
        ));
    }
    let batch = if columns { of_columns(&tables) } else { of_tables(&tables) };
    let batch = batch.map_err(|error| Failure::other(error.to_string()))?;
    run::print_batch(batch, arguments.format).await
}

fn of_tables(tables: &[&Endpoint]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let texts = |value: fn(&Endpoint) -> Option<String>| -> ArrayRef {
        Arc::new(tables.iter().map(|table| value(table)).collect::<StringArray>())
    };
    let incremental: BooleanArray =
        tables.iter().map(|table| Some(table.watermark.is_some())).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("table", texts(|table| Some(table.table.to_owned())), false),
        ("description", texts(|table| Some(table.description.to_owned())), false),
        ("incremental", Arc::new(incremental) as ArrayRef, false),
        (
            "pushed_down",
            texts(|table| Some(pushed_down(table)).filter(|text| !text.is_empty())),
            true,
        ),
        ("key", texts(|table| Some(table.key.join(", "))), false),
        ("scope", texts(|table| Some(table.scope.to_owned())), false),
    ])
}

fn pushed_down(table: &Endpoint) -> String {
    table.pushed_columns().collect::<Vec<_>>().join(", ")
}

fn of_columns(tables: &[&Endpoint]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut rows: Vec<(String, String, String, bool, bool)> = Vec::new();
    for table in tables {
        for field in arrow_schema(table).fields() {
            let pushed = table.pushed_columns().any(|column| column == field.name());
            let key = table.key.contains(&field.name().as_str());
            rows.push((
                table.table.to_owned(),
                field.name().clone(),
                field.data_type().to_string(),
                key,
                pushed,
            ));
        }
    }
    let texts = |value: fn(&(String, String, String, bool, bool)) -> &String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
    };
    let flags = |value: fn(&(String, String, String, bool, bool)) -> bool| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(value(row))).collect::<BooleanArray>())
    };
    RecordBatch::try_from_iter_with_nullable([
        ("table", texts(|row| &row.0), false),
        ("column", texts(|row| &row.1), false),
        ("type", texts(|row| &row.2), false),
        ("key", flags(|row| row.3), false),
        ("pushed_down", flags(|row| row.4), false),
    ])
}
