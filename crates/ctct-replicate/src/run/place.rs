//! What was read of all rows, put in place of a table or into it.

use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;

use super::Context;
use super::fit::{fitted, indexed};
use crate::plan::StreamPlan;
use crate::postgres::{
    CHANGED, DELETED, Loaded, Rejects, adapt, columns_of, describe, grants_of, list, names, same,
    upsert,
};
use crate::{Ident, Result, TableName};

/// Keeps the last of rows that came twice, because others moved while they were read.
pub(super) async fn without_doubles(
    transaction: &Transaction<'_>,
    table: &TableName,
    key: &[Ident],
) -> Result<()> {
    if key.is_empty() {
        return Ok(());
    }
    let keys = list(key);
    transaction
        .batch_execute(&format!(
            "DELETE FROM {table} AS one USING (
               SELECT {keys}, max(ctid) AS last FROM {table} GROUP BY {keys} HAVING count(*) > 1
             ) AS several WHERE {} AND one.ctid <> several.last",
            same(key, "one", "several")
        ))
        .await?;
    Ok(())
}

/// Puts a new table in the place of the old one.
pub(super) async fn replace(
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
    rejects: &Rejects,
) -> Result<Loaded> {
    let table = &plan.table;
    let grants = grants_of(transaction, table).await?;
    if columns_of(transaction, table).await?.is_some() {
        transaction.batch_execute("SAVEPOINT old").await?;
        match transaction.batch_execute(&format!("DROP TABLE {table}")).await {
            Ok(()) => {}
            // Views stand on it: they stay, and so does the table.
            Err(error) if error.code() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
                transaction.batch_execute("ROLLBACK TO SAVEPOINT old").await?;
                return refill(plan, transaction, beside, rejects).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if !plan.key_names.is_empty() {
        rejects.add_key(transaction, beside, &plan.key_names).await?;
    }
    let rows = transaction.query_one(&format!("SELECT count(*) FROM {beside}"), &[]).await?;
    transaction.batch_execute(&format!("ALTER TABLE {beside} RENAME TO {}", table.table)).await?;
    transaction.batch_execute(&describe(table, &plan.columns, &plan.about, &indexed(plan))).await?;
    transaction.batch_execute(&grants).await?;
    let inserted = u64::try_from(rows.get::<_, i64>(0)).unwrap_or(0);
    Ok(Loaded { inserted, ..Loaded::default() })
}

/// Empties a table and fills it.
pub(super) async fn refill(
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
    rejects: &Rejects,
) -> Result<Loaded> {
    let table = &plan.table;
    let columns = fitted(plan, transaction).await?;
    let names = names(&columns);
    transaction.batch_execute(&format!("TRUNCATE {table}")).await?;
    let statement = |from: &str| inserted(table, &names, &names, from);
    let from = (beside.to_string(), plan.key_names.as_slice());
    let (inserted, _) = rejects.put(transaction, (&from.0, "ctid"), from.1, &statement).await?;
    drop_beside(transaction, beside).await?;
    Ok(Loaded { inserted, ..Loaded::default() })
}

/// The statement that adds rows of another table, and counts them.
fn inserted(table: &TableName, into: &str, values: &str, from: &str) -> String {
    format!(
        "WITH written AS (INSERT INTO {table} ({into}) SELECT {values} FROM {from} RETURNING 1) \
         SELECT count(*), 0::bigint FROM written"
    )
}

/// When the rows of a snapshot were read.
const SNAPSHOT_AT: &str = "_ctct_snapshot_at";

/// Adds the rows to those of earlier runs.
pub(super) async fn append(
    context: &Context<'_>,
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
    rejects: &Rejects,
) -> Result<Loaded> {
    let table = &plan.table;
    let adds = plan.settings.add_new_columns != Some(false);
    let is_new = columns_of(transaction, table).await?.is_none();
    let columns = adapt(transaction, table, &plan.columns, &[], adds).await?;
    transaction
        .batch_execute(&format!(
            "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS \"{SNAPSHOT_AT}\" timestamp with time zone"
        ))
        .await?;
    if is_new {
        let mut by = indexed(plan);
        by.push(Ident::new(SNAPSHOT_AT)?);
        let said = describe(table, &plan.columns, &plan.about, &by);
        transaction.batch_execute(&said).await?;
    }
    let names = names(&columns);
    let into = format!("{names}, \"{SNAPSHOT_AT}\"");
    let values = format!("{names}, '{}'::timestamptz", context.options.at.to_rfc3339());
    let statement = |from: &str| inserted(table, &into, &values, from);
    let from = beside.to_string();
    let (inserted, _) =
        rejects.put(transaction, (&from, "ctid"), &plan.key_names, &statement).await?;
    drop_beside(transaction, beside).await?;
    Ok(Loaded { inserted, ..Loaded::default() })
}

/// Writes what differs from the rows that are there.
pub(super) async fn compare(
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
    rejects: &Rejects,
) -> Result<Loaded> {
    let table = &plan.table;
    let columns = fitted(plan, transaction).await?;
    let key = &plan.key_names;
    let mut loaded = Loaded::default();
    let from = beside.to_string();
    if key.is_empty() {
        // Without a key all rows are one: they are as they were, or they are new.
        let names = names(&columns);
        let differs = format!(
            "SELECT EXISTS (SELECT {names} FROM {beside} EXCEPT ALL SELECT {names} FROM {table}) \
             OR EXISTS (SELECT {names} FROM {table} EXCEPT ALL SELECT {names} FROM {beside})"
        );
        if transaction.query_one(&differs, &[]).await?.get::<_, bool>(0) {
            loaded.deleted = transaction.execute(&format!("DELETE FROM {table}"), &[]).await?;
            let statement = |from: &str| inserted(table, &names, &names, from);
            (loaded.inserted, _) =
                rejects.put(transaction, (&from, "ctid"), &[], &statement).await?;
        }
    } else {
        let statement = |from: &str| upsert(table, &columns, key, from, "ctid", false);
        (loaded.inserted, loaded.updated) =
            rejects.put(transaction, (&from, "ctid"), key, &statement).await?;
    }
    Ok(loaded)
}

/// Takes away what is not among the rows that were read, and counts it.
pub(super) async fn without_gone(
    context: &Context<'_>,
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
) -> Result<u64> {
    let (table, key) = (&plan.table, &plan.key_names);
    if key.is_empty() {
        return Ok(0);
    }
    let gone =
        format!("NOT EXISTS (SELECT 1 FROM {beside} AS new WHERE {})", same(key, "new", "kept"));
    let sql = if context.options.hard_deletes {
        format!("DELETE FROM {table} AS kept WHERE {gone}")
    } else {
        format!(
            "UPDATE {table} AS kept SET \"{DELETED}\" = true, \"{CHANGED}\" = now() \
             WHERE NOT kept.\"{DELETED}\" AND {gone}"
        )
    };
    Ok(transaction.execute(&sql, &[]).await?)
}

/// Drops the table beside the target, once its rows are there.
pub(super) async fn drop_beside(transaction: &Transaction<'_>, beside: &TableName) -> Result<()> {
    Ok(transaction.batch_execute(&format!("DROP TABLE {beside}")).await?)
}
