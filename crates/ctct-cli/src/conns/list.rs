//! `ctct conns list`: what is configured, and where.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use crate::arguments::{Arguments, Format};
use crate::exit::Failure;
use crate::report::{Report, harmless};
use crate::{auth, output, run, setup};

/// Lists all connections; shows no secret and sends nothing.
pub(super) async fn list(arguments: &Arguments, report: Report) -> Result<(), Failure> {
    let connections = setup::connections();
    let mut rows: Vec<[Option<String>; 4]> = Vec::new();
    let row = |name: &str, kind: &str, origin: &str, note: Option<String>| {
        [Some(name.to_owned()), Some(kind.to_owned()), Some(origin.to_owned()), note]
    };
    for connection in connections.all() {
        let status = setup::client(connection).login_status().await;
        let note = match status {
            Ok(status) => auth::in_short(&status),
            Err(error) => error.to_string(),
        };
        rows.push(row(&connection.name, "constant-contact", &connection.origin, Some(note)));
    }
    for target in connections.targets() {
        rows.push(row(
            &target.name,
            &target.kind,
            &target.origin,
            Some("for writing to".to_owned()),
        ));
    }
    for (name, origin) in connections.shadowed() {
        let note = "another one of this name counts".to_owned();
        rows.push(row(name, "(not used)", origin, Some(note)));
    }
    let broken = connections.errors().count();
    if rows.is_empty() && broken == 0 && arguments.format == Format::Table {
        return output::line(
            "No connection yet. `ctct conns set --help` shows how to set one; ctct --sandbox needs none.",
        )
        .map_err(Failure::from);
    }
    if !rows.is_empty() || arguments.format != Format::Table {
        let column = |index: usize| -> ArrayRef {
            Arc::new(rows.iter().map(|row| row[index].clone()).collect::<StringArray>())
        };
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("name", column(0), false),
            ("type", column(1), false),
            ("origin", column(2), false),
            ("login", column(3), true),
        ]);
        let batch = batch.map_err(|error| Failure::other(error.to_string()))?;
        run::print_batch(batch, arguments.format).await?;
    }
    for (_, error) in connections.errors() {
        report.warning(&harmless(&error.to_string()));
    }
    Ok(())
}
