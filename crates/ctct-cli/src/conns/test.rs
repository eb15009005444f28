//! `ctct conns test`: whether a connection works, for a request or a few.

use arrow::array::{Array, AsArray, RecordBatch};
use datafusion::prelude::SessionContext;

use crate::arguments::Arguments;
use crate::exit::Failure;
use crate::report::Report;
use crate::setup::{Setup, set_up};
use crate::{auth, output};

/// The column that says whose account it is.
const ACCOUNT_NAME: &str = "organization_name";

/// The table that says whose account it is, for one request.
fn usual() -> Option<&'static str> {
    let named = ctct_endpoints::all().iter().find(|table| table.field(ACCOUNT_NAME).is_some());
    named.map(|table| table.table)
}

/// Tries tables one after the other, with a request each.
pub(super) async fn test(
    name: Option<&str>,
    endpoints: &[String],
    arguments: &Arguments,
    report: &Report,
) -> Result<(), Failure> {
    let setup = set_up(arguments, name).await?;
    let Some(connection) = &setup.connection else { return Err(auth::no_connection()) };
    let usual: Vec<String> = usual().map(str::to_owned).into_iter().collect();
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
    let tells_account = usual() == Some(table);
    // One column is enough to see whether the table can be read.
    let endpoint = ctct_endpoints::find(table);
    let first = endpoint.and_then(|endpoint| endpoint.fields.first()).map(|field| field.name);
    let column = if tells_account { ACCOUNT_NAME } else { first.unwrap_or("*") };
    let sql = format!("SELECT {column} FROM {table} LIMIT 1");
    let session: &SessionContext = &setup.session;
    let failed = |error| Failure::of_statement(&error, session);
    let batches = session.sql(&sql).await.map_err(failed)?.collect().await.map_err(failed)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if tells_account {
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
        None => "`ctct conns discover` lists the tables".to_owned(),
    };
    Failure::with_hint(1, format!("there is no table {table}"), hint)
}
