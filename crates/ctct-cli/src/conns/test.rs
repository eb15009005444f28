//! `ctct conns test`: whether a connection works, for a request or a few.

use arrow::array::{Array, AsArray, RecordBatch};
use datafusion::prelude::SessionContext;

use crate::arguments::Arguments;
use crate::exit::Failure;
use crate::report::Report;
use crate::setup::{Setup, set_up};
use crate::{auth, output};

/// The table that costs one request and says whose account it is.
const USUAL: &str = "account_summary";

/// Tries tables one after the other, with a request each.
pub(super) async fn test(
    name: Option<&str>,
    endpoints: &[String],
    arguments: &Arguments,
    report: &Report,
) -> Result<(), Failure> {
    let setup = set_up(arguments, name).await?;
    let Some(connection) = &setup.connection else { return Err(auth::no_connection()) };
    let usual = [USUAL.to_owned()];
    let tables = if endpoints.is_empty() { &usual[..] } else { endpoints };
    for table in tables {
        if ctct_endpoints::find(table).is_none() {
            return Err(unknown(table));
        }
    }
    let mut failed = None;
    for table in tables {
        let outcome =
            auth::with_login(&setup, arguments, report, || try_table(&setup, table)).await;
        match outcome {
            Ok(said) => output::line(&format!("{}: {table} ok{said}", connection.name))?,
            // The others may work all the same: scopes differ.
            Err(failure) if tables.len() > 1 => {
                output::line(&format!("{}: {table} failed", connection.name))?;
                report.failure(&failure);
                failed = Some(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    match failed {
        None => Ok(()),
        Some(failure) => Err(failure.silent()),
    }
}

async fn try_table(setup: &Setup, table: &str) -> Result<String, Failure> {
    let column = if table == USUAL { "organization_name" } else { "*" };
    let sql = format!("SELECT {column} FROM {table} LIMIT 1");
    let session: &SessionContext = &setup.session;
    let failed = |error| Failure::of_statement(&error, session);
    let batches = session.sql(&sql).await.map_err(failed)?.collect().await.map_err(failed)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if table == USUAL {
        let name = batches.first().and_then(|batch| {
            let names = batch.column(0).as_string_opt::<i32>()?;
            (!names.is_empty() && names.is_valid(0)).then(|| names.value(0).to_owned())
        });
        return Ok(name
            .map(|name| format!(" ({})", crate::report::harmless(&name)))
            .unwrap_or_default());
    }
    Ok(if rows == 0 { " (no rows)".to_owned() } else { String::new() })
}

fn unknown(table: &str) -> Failure {
    let names: Vec<&str> = ctct_endpoints::all().iter().map(|table| table.table).collect();
    let hint = match ctct_client::likely(table, names.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("the tables are {}", names.join(", ")),
    };
    Failure::with_hint(1, format!("there is no table {table}"), hint)
}
