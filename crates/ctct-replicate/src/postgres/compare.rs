//! Rows of the source beside those of the target: what differs.

use arrow::array::RecordBatch;
use tokio_postgres::{GenericClient, Transaction};

use super::load::{STAGE, Stage, same, without_key};
use super::tables::{DELETED, list};
use crate::{Ident, Result, TableName};

/// How rows that were looked at differ, by their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    /// The source has them, the target does not.
    pub(crate) missing: Vec<String>,
    /// Both have them, with different values.
    pub(crate) different: Vec<String>,
}

/// A key as people read it.
fn shown(key: &[Ident], alias: &str) -> String {
    let parts: Vec<String> = key.iter().map(|column| format!("{alias}.{column}::text")).collect();
    format!("concat_ws(' ', {})", parts.join(", "))
}

impl Stage {
    /// Compares rows with those of the table for which a condition holds and that are not marked
    /// as gone. Nothing is kept of it once the transaction ends.
    pub(crate) async fn compare(
        &self,
        transaction: &Transaction<'_>,
        batches: &[RecordBatch],
        among: &str,
    ) -> Result<Compared> {
        for batch in batches {
            self.copy(transaction, batch).await?;
        }
        without_key(transaction, STAGE, &self.key, &self.table).await?;
        let (shown, same) = (shown(&self.key, "stage"), same(&self.key, "stage", "kept"));
        let names: Vec<Ident> = self.columns.iter().map(|column| column.name.clone()).collect();
        let of = |alias: &str| {
            names.iter().map(|name| format!("{alias}.{name}")).collect::<Vec<_>>().join(", ")
        };
        let joined = format!(
            "SELECT DISTINCT {shown} FROM {STAGE} AS stage LEFT JOIN \
             (SELECT * FROM {} WHERE NOT \"{DELETED}\" AND {among}) AS kept ON {same}",
            self.table
        );
        let missing = format!("{joined} WHERE kept.\"{DELETED}\" IS NULL ORDER BY 1");
        let different = format!(
            "{joined} WHERE kept.\"{DELETED}\" IS NOT NULL \
             AND ROW({}) IS DISTINCT FROM ROW({}) ORDER BY 1",
            of("stage"),
            of("kept")
        );
        Ok(Compared {
            missing: texts(transaction, &missing).await?,
            different: texts(transaction, &different).await?,
        })
    }
}

/// How many rows of a table are not marked as gone, where a condition holds.
pub(crate) async fn count(
    client: &impl GenericClient,
    table: &TableName,
    condition: &str,
) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM {table} WHERE NOT \"{DELETED}\" AND {condition}");
    let rows: i64 = client.query_one(&sql, &[]).await?.get(0);
    Ok(u64::try_from(rows).unwrap_or(0))
}

/// Keys of rows that are not marked as gone, as text: others for each seed.
pub(crate) async fn sample(
    client: &impl GenericClient,
    table: &TableName,
    key: &[Ident],
    condition: &str,
    (seed, rows): (&str, usize),
) -> Result<Vec<Vec<String>>> {
    let texts: Vec<String> = key.iter().map(|column| format!("{column}::text")).collect();
    let sql = format!(
        "SELECT {} FROM {table} WHERE NOT \"{DELETED}\" AND {condition} \
         ORDER BY md5($1 || concat_ws(' ', {})) LIMIT {rows}",
        texts.join(", "),
        list(key)
    );
    let found = client.query(&sql, &[&seed]).await?;
    Ok(found.iter().map(|row| (0..key.len()).map(|place| row.get(place)).collect()).collect())
}

async fn texts(transaction: &Transaction<'_>, sql: &str) -> Result<Vec<String>> {
    let rows = transaction.query(sql, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
