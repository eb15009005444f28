//! Rows on their way into a table: copied beside it first, then put in place by key.

use std::sync::Arc;

use futures::SinkExt;
use tokio_postgres::{GenericClient, Transaction};

use super::tables::{CHANGED, DELETED, list, names};
use super::{Column, Encoder, Rejects};
use crate::{Ident, Result, TableName};
use arrow::array::RecordBatch;

/// What became of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
}

impl std::ops::AddAssign for Loaded {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
    }
}

/// How rows of a table are written that a key tells apart.
pub(crate) struct Stage {
    pub(super) table: TableName,
    pub(super) columns: Vec<Column>,
    pub(super) key: Vec<Ident>,
    encoder: Encoder,
    rejects: Arc<Rejects>,
}

/// The temporary table of a connection, which each transaction leaves empty.
pub(super) const STAGE: &str = "\"_ctct_stage\"";
/// In which order rows came.
const PLACE: &str = "\"_ctct_place\"";

impl Stage {
    /// Prepares a connection for rows of these columns.
    pub(crate) async fn open(
        client: &impl GenericClient,
        table: &TableName,
        columns: &[Column],
        key: &[Ident],
        rejects: Arc<Rejects>,
    ) -> Result<Self> {
        let parts: Vec<String> = columns
            .iter()
            .map(|column| format!("{} {}", column.name, column.pg_type.name()))
            .chain([format!("{PLACE} bigint GENERATED ALWAYS AS IDENTITY")])
            .collect();
        client
            .batch_execute(&format!(
                "DROP TABLE IF EXISTS {STAGE}; CREATE TEMPORARY TABLE {STAGE} ({}) ON COMMIT DELETE ROWS",
                parts.join(", ")
            ))
            .await?;
        Ok(Self {
            table: table.clone(),
            columns: columns.to_vec(),
            key: key.to_vec(),
            encoder: Encoder::new(columns)?,
            rejects,
        })
    }

    /// Copies rows beside the table.
    pub(crate) async fn copy(
        &self,
        transaction: &Transaction<'_>,
        rows: &RecordBatch,
    ) -> Result<()> {
        let named = (self.columns.as_slice(), self.key.as_slice());
        self.rejects.copy(transaction, STAGE, named, &self.encoder, rows).await
    }

    /// Puts the copied rows in place: new ones, and those that differ from what is there. What
    /// came last of one key counts; rows without a key have no place. Where `deleted`, the rows
    /// are gone from the source.
    pub(crate) async fn upsert(
        &self,
        transaction: &Transaction<'_>,
        deleted: bool,
    ) -> Result<Loaded> {
        without_key(transaction, STAGE, &self.key, &self.table).await?;
        let statement =
            |from: &str| upsert(&self.table, &self.columns, &self.key, from, PLACE, deleted);
        let (inserted, updated) =
            self.rejects.put(transaction, (STAGE, PLACE), &self.key, &statement).await?;
        // A row that goes is one that was there; one that was not never mattered.
        Ok(if deleted {
            Loaded { inserted, deleted: updated, updated: 0 }
        } else {
            Loaded { inserted, updated, deleted: 0 }
        })
    }

    /// Deletes what has the keys of the copied rows.
    pub(crate) async fn delete(&self, transaction: &Transaction<'_>) -> Result<Loaded> {
        let matching = same(&self.key, "stage", "kept");
        let sql =
            format!("DELETE FROM {} AS kept USING {STAGE} AS stage WHERE {matching}", self.table);
        let deleted = transaction.execute(&sql, &[]).await?;
        Ok(Loaded { deleted, ..Loaded::default() })
    }
}

/// Copies rows to the end of a table.
pub(crate) async fn copy(
    client: &Transaction<'_>,
    table: &str,
    columns: &[Column],
    encoder: &Encoder,
    rows: &RecordBatch,
) -> Result<()> {
    let sql = format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", names(columns));
    let sink = client.copy_in(&sql).await?;
    futures::pin_mut!(sink);
    sink.send(encoder.encode(rows)?).await?;
    sink.finish().await?;
    Ok(())
}

/// Takes away rows that lack a part of their key, and says so: nothing tells them from one
/// another, and the table has no place for them.
pub(crate) async fn without_key(
    transaction: &Transaction<'_>,
    from: &str,
    key: &[Ident],
    table: &TableName,
) -> Result<()> {
    let missing: Vec<String> = key.iter().map(|column| format!("{column} IS NULL")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let sql = format!("DELETE FROM {from} WHERE {}", missing.join(" OR "));
    let rows = transaction.execute(&sql, &[]).await?;
    if rows > 0 {
        tracing::warn!(
            "{rows} rows for {} lack a part of their key ({}) and are left out",
            table.plain(),
            key.iter().map(Ident::as_str).collect::<Vec<_>>().join(", ")
        );
    }
    Ok(())
}

/// The condition that two rows have the same key.
pub(crate) fn same(key: &[Ident], one: &str, other: &str) -> String {
    let parts: Vec<String> =
        key.iter().map(|column| format!("{one}.{column} = {other}.{column}")).collect();
    parts.join(" AND ")
}

/// The statement that puts rows of another table in place by key, and counts what it did.
pub(crate) fn upsert(
    table: &TableName,
    columns: &[Column],
    key: &[Ident],
    from: &str,
    order: &str,
    deleted: bool,
) -> String {
    let names: Vec<Ident> = columns.iter().map(|column| column.name.clone()).collect();
    let (all, key_list) = (list(&names), list(key));
    let present: Vec<String> = key.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    let others: Vec<&Ident> = names.iter().filter(|name| !key.contains(name)).collect();
    let of = |alias: &str, flag: &str| {
        let values = others.iter().map(|name| format!("{alias}.{name}"));
        values.chain([flag.to_owned()]).collect::<Vec<_>>().join(", ")
    };
    let set: Vec<String> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let set = set.into_iter().chain([
        format!("\"{DELETED}\" = excluded.\"{DELETED}\""),
        format!("\"{CHANGED}\" = now()"),
    ]);
    format!(
        "WITH written AS (\
           INSERT INTO {table} AS kept ({all}, \"{DELETED}\") \
           SELECT DISTINCT ON ({key_list}) {all}, {deleted} FROM {from} WHERE {present} \
           ORDER BY {key_list}, {order} DESC \
           ON CONFLICT ({key_list}) DO UPDATE SET {set} \
           WHERE ({there}) IS DISTINCT FROM ({new}) \
           RETURNING (xmax = 0) AS is_new) \
         SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written",
        present = present.join(" AND "),
        set = set.collect::<Vec<_>>().join(", "),
        there = of("kept", &format!("kept.\"{DELETED}\"")),
        new = of("excluded", &format!("excluded.\"{DELETED}\"")),
    )
}
