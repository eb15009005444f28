//! A target table that fits the rows of its stream.

use tokio_postgres::GenericClient;

use crate::plan::StreamPlan;
use crate::postgres::{Column, adapt, columns_of, describe};
use crate::{Ident, Result};

/// Makes a stream's table where there is none, and fit for its columns where there is: the
/// columns that can be written.
pub(super) async fn fitted(plan: &StreamPlan, client: &impl GenericClient) -> Result<Vec<Column>> {
    let table = &plan.table;
    let adds = plan.settings.add_new_columns != Some(false);
    let is_new = columns_of(client, table).await?.is_none();
    let columns = adapt(client, table, &plan.columns, &plan.key_names, adds).await?;
    if is_new {
        let said = describe(table, &plan.columns, &plan.about, &indexed(plan));
        client.batch_execute(&said).await?;
    }
    Ok(columns)
}

/// The columns that have indexes: the one by which changes are found, and those that were named.
pub(super) fn indexed(plan: &StreamPlan) -> Vec<Ident> {
    let named = plan.settings.table_keys.iter().flatten();
    let wanted = named.chain(&plan.update_key);
    let mut columns: Vec<Ident> = Vec::new();
    for wanted in wanted {
        let found = plan.columns.iter().find(|column| column.source == *wanted);
        if let Some(found) = found.filter(|found| !columns.contains(&found.name)) {
            columns.push(found.name.clone());
        }
    }
    columns
}
