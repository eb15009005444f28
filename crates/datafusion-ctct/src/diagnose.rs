//! What to tell people about an error: what happened, and what to do next.

use std::error::Error as StdError;

use ctct_client::{Error, likely};
use datafusion::common::{Column, DataFusionError, SchemaError, Span};
use datafusion::prelude::SessionContext;

use crate::catalog::{CATALOG, VIEW_SCHEMA};

/// An error in words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What happened, to what; without a full stop.
    pub message: String,
    /// What to do next, where that is known.
    pub hint: Option<String>,
    /// Where in the statement it is, where that is known.
    pub place: Option<Place>,
    /// A name in the statement that it is about.
    pub about: Option<String>,
}

/// A place in a statement, in lines and characters that are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The first character.
    pub column: u64,
    /// How many characters.
    pub length: u64,
}

impl Place {
    fn of(span: Span) -> Self {
        let length = if span.start.line == span.end.line {
            span.end.column.saturating_sub(span.start.column)
        } else {
            1
        };
        Self { line: span.start.line, column: span.start.column, length: length.max(1) }
    }

    /// The place that a parser names at the end of its message, which is left without it.
    fn said_in(message: &mut String) -> Option<Self> {
        let at = message.rfind(" at Line: ")?;
        let numbers = message.split_off(at);
        let mut numbers =
            numbers.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
        Some(Self { line: numbers.next()?, column: numbers.next()?, length: 1 })
    }
}

impl From<&str> for Diagnosis {
    fn from(message: &str) -> Self {
        Self::from(message.to_owned())
    }
}

impl From<String> for Diagnosis {
    fn from(message: String) -> Self {
        Self { message, hint: None, place: None, about: None }
    }
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
            let found = Self::from(error.to_string());
            return Self { hint: error.hint().map(str::to_owned), ..found };
        }
        let found = match error.find_root() {
            DataFusionError::SchemaError(schema, _) => of_schema_error(schema),
            DataFusionError::Plan(message) => of_plan_error(message, session),
            DataFusionError::SQL(parser, _) => of_parser_error(&plain(parser)),
            other => Self::from(plain(other)),
        };
        let spans = error.diagnostic().and_then(|known| known.span);
        Self { place: found.place.or(spans.map(Place::of)), ..found }
    }

    /// The same with what to do next.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same, about a name of the statement.
    fn about(self, name: &str) -> Self {
        Self { about: Some(name.to_owned()), ..self }
    }
}

/// What a parser says, which names a place, or the end.
fn of_parser_error(message: &str) -> Diagnosis {
    let mut message = message.to_owned();
    let place = Place::said_in(&mut message);
    let hint = message
        .ends_with("found: EOF")
        .then(|| "the statement ends too early; a comma or a bracket may be too many".to_owned());
    Diagnosis { hint, place, ..Diagnosis::from(message.replace("found: EOF", "found its end")) }
}

fn of_schema_error(error: &SchemaError) -> Diagnosis {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let names = || valid_fields.iter().map(|column| column.name.as_str());
            // Another table may have just that one.
            let other = valid_fields.iter().find(|column| column.name == field.name);
            let hint = match likely(&field.name, names()) {
                _ if other.is_some_and(|column| column.relation.is_some()) => {
                    let meant = other.map(Column::flat_name).unwrap_or_default();
                    format!("did you mean {meant}?")
                }
                Some(meant) => format!("did you mean {meant}?"),
                None if valid_fields.is_empty() => {
                    "there is nothing to choose columns from".to_owned()
                }
                None => {
                    let names: Vec<&str> = names().collect();
                    match names.get(..SHOWN_NAMES) {
                        Some(some) => {
                            format!("some columns are {}; DESCRIBE lists all", some.join(", "))
                        }
                        None => format!("the columns are {}", names.join(", ")),
                    }
                }
            };
            let place = field.relation.as_ref().map(|table| format!(" in {}", table.table()));
            let place = place.unwrap_or_default();
            let message = format!("there is no column {}{place}", field.name);
            Diagnosis::from(message).with_hint(hint).about(&field.name)
        }
        SchemaError::AmbiguousReference { field } => {
            Diagnosis::from(format!("the column {} is in several of the tables", field.name))
                .with_hint(format!(
                    "write the table's name before it, as in contacts.{}",
                    field.name
                ))
                .about(&field.name)
        }
        other => Diagnosis::from(plain(other)),
    }
}

fn of_plan_error(message: &str, session: &SessionContext) -> Diagnosis {
    let missing = message
        .strip_prefix("table '")
        .and_then(|rest| rest.strip_suffix("' not found"))
        .map(|name| name.split('.').map(str::to_owned).collect::<Vec<_>>());
    let Some([catalog, schema, table]) = missing.as_deref() else {
        return of_other_plan_error(message);
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
    Diagnosis::from(format!("there is no table {table}{place}")).with_hint(hint).about(table)
}

/// Of a function that is not known the planner says which ones are like it.
fn of_other_plan_error(message: &str) -> Diagnosis {
    let function = message
        .strip_prefix("Invalid function '")
        .and_then(|rest| rest.split_once("'."))
        .map(|(name, rest)| (name, rest.trim()));
    let Some((name, rest)) = function else { return Diagnosis::from(plain(&message)) };
    let meant = rest.strip_prefix("Did you mean '").and_then(|meant| meant.strip_suffix("'?"));
    let found = Diagnosis::from(format!("there is no function {name}")).about(name);
    // The planner names the nearest one, however far it is.
    match meant.and_then(|meant| likely(name, [meant])) {
        Some(meant) => found.with_hint(format!("did you mean {meant}?")),
        None => found,
    }
}

/// The tables, as many as can be taken in at a glance.
fn listed(tables: &[String]) -> String {
    match tables.get(..SHOWN_NAMES) {
        Some(some) => format!("some tables are {}; SHOW TABLES lists all", some.join(", ")),
        None => format!("the tables are {}", tables.join(", ")),
    }
}

/// How many tables, or columns, a hint names.
const SHOWN_NAMES: usize = 12;

/// What DataFusion puts before its messages, and says nothing to people.
const PREFIXES: &[&str] = &[
    "sql parser error: ",
    "Error during planning: ",
    "Execution error: ",
    "Arrow error: ",
    "Parser error: ",
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
