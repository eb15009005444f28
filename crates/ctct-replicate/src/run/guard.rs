//! Whether so many rows are gone from the source that it is more likely to be a mistake.

use tokio_postgres::Transaction;

use crate::plan::StreamPlan;
use crate::postgres::{DELETED, columns_of, same};
use crate::{Error, ErrorKind, Result, TableName};

/// As few rows as these may go in any case.
const FEW: i64 = 20;

/// Whether a run may take away that many of so many rows without being told to: half of them,
/// or a few.
fn is_plausible(gone: i64, there: i64) -> bool {
    gone <= FEW || gone <= there.saturating_sub(gone)
}

/// Refuses to go on where most rows of a table are not among those that were read: an account
/// that is another one, or was emptied, is not to empty the table, too.
///
/// # Errors
/// Where it is so.
pub(super) async fn guard(
    plan: &StreamPlan,
    transaction: &Transaction<'_>,
    beside: &TableName,
) -> Result<()> {
    let (table, key) = (&plan.table, &plan.key_names);
    let has_marks =
        columns_of(transaction, table).await?.is_some_and(|columns| columns.contains_key(DELETED));
    if !has_marks || key.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM {beside} AS new WHERE {})), \
         count(*) FROM {table} AS kept WHERE NOT kept.\"{DELETED}\"",
        same(key, "new", "kept")
    );
    let counts = transaction.query_one(&sql, &[]).await?;
    let (gone, there): (i64, i64) = (counts.get(0), counts.get(1));
    if is_plausible(gone, there) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Target,
        format!("{gone} of the {there} rows of {} are gone from the source; none was touched", table.plain()),
    )
    .with_hint("see whether the connection is the right one; where they are to go, run again with --accept-deletes"))
}

#[cfg(test)]
mod tests {
    use super::is_plausible;

    #[test]
    fn a_few_rows_or_half_of_them_may_go() {
        for (gone, there) in [(0, 0), (20, 20), (500, 1_000)] {
            assert!(is_plausible(gone, there), "{gone} of {there}");
        }
        for (gone, there) in [(21, 21), (501, 1_000), (i64::MAX, i64::MAX)] {
            assert!(!is_plausible(gone, there), "{gone} of {there}");
        }
    }
}
