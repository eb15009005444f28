//! What to tell people about an error: what happened, and what to do next.

use std::error::Error as StdError;

use ctct_client::{Error, likely};
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::prelude::SessionContext;

use crate::catalog::{CATALOG, VIEW_SCHEMA};

/// An error in words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What happened, to what; without a full stop.
    pub message: String,
    /// What to do next, where that is known.
    pub hint: Option<String>,
}

/// The error of a client somewhere inside of another error.
pub fn client_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref::<Error>() {
            return Some(found);
        }
        // A shared error does not show the one inside as its source.
        if let Some(DataFusionError::Shared(shared)) = current.downcast_ref::<DataFusionError>() {
            return client_error(shared.as_ref());
        }
        cause = current.source();
    }
    None
}

impl Diagnosis {
    /// Explains an error of a statement in this session.
    pub fn of(error: &DataFusionError, session: &SessionContext) -> Self {
        if let Some(error) = client_error(error) {
            return Self { message: error.to_string(), hint: error.hint().map(str::to_owned) };
        }
        match error.find_root() {
            DataFusionError::SchemaError(schema, _) => of_schema_error(schema),
            DataFusionError::Plan(message) => of_plan_error(message, session),
            DataFusionError::SQL(parser, _) => Self { message: plain(parser), hint: None },
            other => Self { message: plain(other), hint: None },
        }
    }
}

fn of_schema_error(error: &SchemaError) -> Diagnosis {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let names = || valid_fields.iter().map(|column| column.name.as_str());
            let hint = match likely(&field.name, names()) {
                Some(meant) => format!("did you mean {meant}?"),
                None if valid_fields.is_empty() => {
                    "there is nothing to choose columns from".to_owned()
                }
                None => {
                    let names: Vec<&str> = names().collect();
                    format!("the columns are {}", names.join(", "))
                }
            };
            let place = field.relation.as_ref().map(|table| format!(" in {}", table.table()));
            let place = place.unwrap_or_default();
            let message = format!("there is no column {}{place}", field.name);
            Diagnosis { message, hint: Some(hint) }
        }
        SchemaError::AmbiguousReference { field } => Diagnosis {
            message: format!("the column {} is in several of the tables", field.name),
            hint: Some(format!("write the table's name before it, as in contacts.{}", field.name)),
        },
        other => Diagnosis { message: plain(other), hint: None },
    }
}

fn of_plan_error(message: &str, session: &SessionContext) -> Diagnosis {
    let missing = message
        .strip_prefix("table '")
        .and_then(|rest| rest.strip_suffix("' not found"))
        .map(|name| name.split('.').map(str::to_owned).collect::<Vec<_>>());
    let Some([catalog, schema, table]) = missing.as_deref() else {
        return Diagnosis { message: plain(&message), hint: None };
    };
    let tables = session
        .catalog(catalog)
        .and_then(|catalog| catalog.schema(schema))
        .map(|schema| schema.table_names())
        .unwrap_or_default();
    let views = session.catalog(CATALOG).and_then(|catalog| catalog.schema(VIEW_SCHEMA));
    let views = views.filter(|_| schema != VIEW_SCHEMA).map(|schema| schema.table_names());
    let views = views.unwrap_or_default();
    let hint = match likely(table, tables.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None if views.contains(table) => format!("did you mean {CATALOG}.{VIEW_SCHEMA}.{table}?"),
        None if ctct_endpoints::find(table).is_some() && tables.is_empty() => {
            "no connection is in use; `ctct conns set --help` shows how to set one, or try --sandbox"
                .to_owned()
        }
        None if tables.is_empty() => "SHOW TABLES lists the tables".to_owned(),
        None => listed(&tables),
    };
    let place = if session.catalog(catalog).is_some_and(|c| c.schema(schema).is_some()) {
        String::new()
    } else {
        format!(" (there is no schema {catalog}.{schema})")
    };
    Diagnosis { message: format!("there is no table {table}{place}"), hint: Some(hint) }
}

/// The tables, as many as can be taken in at a glance.
fn listed(tables: &[String]) -> String {
    match tables.get(..SHOWN_TABLES) {
        Some(some) => format!("some tables are {}; SHOW TABLES lists all", some.join(", ")),
        None => format!("the tables are {}", tables.join(", ")),
    }
}

/// How many tables a hint names.
const SHOWN_TABLES: usize = 12;

/// What DataFusion puts before its messages, and says nothing to people.
const PREFIXES: &[&str] = &[
    "sql parser error: ",
    "Error during planning: ",
    "Execution error: ",
    "Arrow error: ",
    "External error: ",
    "Schema error: ",
    "This feature is not implemented: ",
    "Invalid or Unsupported Configuration: ",
];

/// A message without its prefixes and backtrace.
fn plain(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let text = text.split("\n\nbacktrace:").next().unwrap_or_default();
    let mut shown = text.trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| shown.strip_prefix(prefix)) {
        shown = rest;
    }
    shown.to_owned()
}
