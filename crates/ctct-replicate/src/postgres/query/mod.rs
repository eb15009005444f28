//! PostgreSQL as a place to query: its tables beside those of Constant Contact.
//!
//! # Owns
//! The [catalog](TargetCatalog) of a server, how a table of it is [read](scan::PostgresScanExec),
//! and what of a query the server does itself: conditions, limits, and totals over a whole table.
//!
//! # Does not own
//! Writing: every statement runs in a transaction that can only read.

mod aggregate;
mod catalog;
mod column;
mod predicate;
mod rows;
mod scan;
mod table;

use std::sync::Arc;

use ctct_client::Target;
use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;
use datafusion_ctct::SessionBuilder;
use datafusion_ctct::catalog::CATALOG;

use aggregate::AggregateInPostgres;
use catalog::{TargetCatalog, TargetSchema};

/// The session, in which the tables of these targets can be queried, too: as
/// `my_postgres.table` where they are in the target's own schema, and as
/// `my_postgres.schema.table` wherever they are. Nothing is asked of any server yet.
///
/// # Errors
/// Where the session itself cannot be made.
pub fn with_targets(
    builder: SessionBuilder,
    targets: &[Target],
) -> Result<SessionContext, DataFusionError> {
    let targets = || targets.iter().filter(|target| target.kind == "postgres");
    let builder = targets().fold(builder, |builder, target| {
        let schema = TargetSchema::new(&target.name, target.settings.clone());
        builder.with_schema(&target.name, Arc::new(schema))
    });
    let session = builder.build()?;
    for target in targets() {
        let name = target.name.to_lowercase();
        if name != CATALOG {
            let catalog = TargetCatalog::new(&target.name, target.settings.clone());
            session.register_catalog(name, Arc::new(catalog));
        }
    }
    session.add_optimizer_rule(Arc::new(AggregateInPostgres));
    Ok(session)
}
