//! The system tables of what is declared: `endpoints` and `columns`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use ctct_client::Client;
use ctct_endpoints::{Endpoint, Field, Source, all};
use datafusion::common::Result;

use crate::schema::arrow_type;

/// A row for each table.
pub(super) fn endpoints(_clients: &[Arc<Client>]) -> Result<RecordBatch> {
    let texts = |value: &dyn Fn(&Endpoint) -> Option<String>| -> ArrayRef {
        Arc::new(all().iter().map(value).collect::<StringArray>())
    };
    let page_size = all().iter().map(|endpoint| endpoint.paging.maximum().map(i64::from));
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("table_name", texts(&|endpoint| Some(endpoint.table.to_owned())), false),
        ("description", texts(&|endpoint| Some(endpoint.description.to_owned())), false),
        ("path", texts(&|endpoint| Some(endpoint.path.to_owned())), false),
        ("scope", texts(&|endpoint| Some(endpoint.scope.to_owned())), false),
        ("primary_key", texts(&|endpoint| Some(endpoint.key.join(", "))), false),
        ("pushed_down", texts(&|endpoint| Some(pushed_down(endpoint))), false),
        ("walks", texts(&|endpoint| endpoint.parent.map(|parent| parent.table.to_owned())), true),
        ("incremental_by", texts(&|endpoint| endpoint.watermark.map(str::to_owned)), true),
        ("page_size", Arc::new(page_size.collect::<Int64Array>()), true),
        ("requests", texts(&|endpoint| Some(endpoint.cost())), false),
    ])?)
}

/// Which columns narrow the requests, each with what its conditions become.
fn pushed_down(endpoint: &Endpoint) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for column in endpoint.pushed_columns() {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let places = columns
        .iter()
        .filter_map(|column| Some(format!("{column} -> {}", endpoint.pushed_to(column)?)));
    places.collect::<Vec<_>>().join("; ")
}

/// A row for each column of each table.
pub(super) fn columns(_clients: &[Arc<Client>]) -> Result<RecordBatch> {
    let columns: Vec<(&Endpoint, i64, &Field)> = all()
        .iter()
        .flat_map(|endpoint| {
            (1..).zip(endpoint.fields).map(move |(at, field)| (endpoint, at, field))
        })
        .collect();
    let texts = |value: &dyn Fn(&Endpoint, &Field) -> Option<String>| -> ArrayRef {
        Arc::new(columns.iter().map(|(of, _, field)| value(of, field)).collect::<StringArray>())
    };
    let places = columns.iter().map(|(_, at, _)| *at);
    let is_key = columns.iter().map(|(of, _, field)| Some(of.key.contains(&field.name)));
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("table_name", texts(&|of, _| Some(of.table.to_owned())), false),
        ("column_name", texts(&|_, field| Some(field.name.to_owned())), false),
        ("position", Arc::new(Int64Array::from_iter_values(places)), false),
        ("data_type", texts(&|_, field| Some(arrow_type(&field.kind).to_string())), false),
        ("description", texts(&|_, field| Some(field.description.to_owned())), false),
        ("is_key", Arc::new(is_key.collect::<BooleanArray>()), false),
        ("pushed_to", texts(&|of, field| of.pushed_to(field.name)), true),
        ("asked_for_by", texts(&asked_for_by), true),
        ("api_field", texts(&|_, field| api_field(field)), true),
    ])?)
}

/// What a query that reads the column asks the API for beside the rows.
fn asked_for_by(endpoint: &Endpoint, field: &Field) -> Option<String> {
    let request =
        field.on_request.map(|request| format!("{}={}", request.parameter, request.value));
    let further = match field.source {
        Source::Detail => endpoint.detail.map(|key| format!("GET {}/{{{key}}}", endpoint.path)),
        Source::Definition(_) => {
            endpoint.definitions.map(|known| format!("GET of {}", known.table))
        }
        Source::Answer | Source::Request => None,
    };
    let both: Vec<String> = request.into_iter().chain(further).collect();
    (!both.is_empty()).then(|| both.join(", "))
}

/// Where the value stands in a row's JSON; none where it stands in none.
fn api_field(field: &Field) -> Option<String> {
    let path: Vec<&str> = field.path().filter(|name| !name.is_empty()).collect();
    matches!(field.source, Source::Answer | Source::Detail).then(|| path.join("."))
}
