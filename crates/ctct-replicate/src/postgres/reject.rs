//! Rows that the target refuses: kept aside with the reason, so that the others get in.

use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;

use super::{Column, Encoder, copy, list};
use crate::ident::literal;
use crate::{Error, ErrorKind, Ident, Result, TableName};

/// With so many rows refused something else is wrong than the rows.
const MOST: u64 = 1_000;
/// The longest key that is kept, in characters.
const KEY: usize = 500;
/// The longest key that an index of the server takes for certain, in bytes.
const KEY_BYTES: usize = 2_600;

/// Where refused rows of a stream are noted.
#[derive(Debug)]
pub(crate) struct Rejects {
    run_id: String,
    stream: String,
    target: String,
    count: AtomicU64,
}

impl Rejects {
    /// Of a run of a stream into a table.
    pub(crate) fn new(run_id: &str, stream: &str, table: &TableName) -> Self {
        let text = str::to_owned;
        let (run_id, stream, target) = (text(run_id), text(stream), table.plain());
        Self { run_id, stream, target, count: AtomicU64::new(0) }
    }

    /// How many rows were refused so far.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The beginning of the statement that notes a refused row: its key and the reason follow.
    fn insert(&self) -> String {
        format!(
            "INSERT INTO \"_ctct\".\"rejected\" (run_id, stream, target, key, reason) VALUES ({}, {}, {}, ",
            literal(&self.run_id),
            literal(&self.stream),
            literal(&self.target)
        )
    }

    async fn note(&self, transaction: &Transaction<'_>, key: &str, reason: &Error) -> Result<()> {
        let reason = reason.to_string();
        let sql = format!("{}{}, {})", self.insert(), literal(key), literal(&reason));
        transaction.batch_execute(&sql).await?;
        self.add(1, &reason)
    }

    fn add(&self, rows: u64, reason: &str) -> Result<()> {
        let before = self.count.fetch_add(rows, Ordering::Relaxed);
        if before + rows <= MOST {
            return Ok(());
        }
        let message = format!("more than {MOST} rows were refused: {reason}");
        Err(Error::new(ErrorKind::Target, message).with_hint(
            "so many have one reason: a constraint or a trigger of the table, or its types",
        ))
    }

    /// Copies rows to the end of a table but for those that it has no form for.
    pub(crate) async fn copy(
        &self,
        transaction: &Transaction<'_>,
        table: &str,
        (columns, key): (&[Column], &[Ident]),
        encoder: &Encoder,
        rows: &RecordBatch,
    ) -> Result<()> {
        let mut pieces = vec![rows.clone()];
        while let Some(piece) = pieces.pop() {
            transaction.batch_execute("SAVEPOINT ctct_rows").await?;
            let refused = match copy(transaction, table, columns, encoder, &piece).await {
                Ok(()) => {
                    transaction.batch_execute("RELEASE SAVEPOINT ctct_rows").await?;
                    continue;
                }
                Err(error) if is_of_rows(&error) => error,
                Err(error) => return Err(error),
            };
            transaction.batch_execute("ROLLBACK TO SAVEPOINT ctct_rows").await?;
            match piece.num_rows() {
                0 | 1 => self.note(transaction, &key_of(&piece, columns, key), &refused).await?,
                rows => {
                    // The first half is looked at first: what comes last of one key counts.
                    pieces.push(piece.slice(rows / 2, rows - rows / 2));
                    pieces.push(piece.slice(0, rows / 2));
                }
            }
        }
        Ok(())
    }

    /// Carries out a statement over the rows of a table, in their order; where some are refused,
    /// over each row alone, so that the others get in. The statement gives two counts, which are
    /// added up.
    pub(crate) async fn put(
        &self,
        transaction: &Transaction<'_>,
        (from, order): (&str, &str),
        key: &[Ident],
        statement: &(dyn Fn(&str) -> String + Sync),
    ) -> Result<(u64, u64)> {
        transaction.batch_execute("SAVEPOINT ctct_rows").await?;
        let counts = match transaction.query_one(&statement(from), &[]).await {
            Ok(counts) => {
                transaction.batch_execute("RELEASE SAVEPOINT ctct_rows").await?;
                counts
            }
            Err(error) => {
                let error = Error::from(error);
                if !is_of_rows(&error) {
                    return Err(error);
                }
                transaction.batch_execute("ROLLBACK TO SAVEPOINT ctct_rows").await?;
                transaction.batch_execute(&self.one_by_one(from, order, key, statement)).await?;
                let sql = "SELECT * FROM pg_temp.ctct_one_by_one()";
                let counts = transaction.query_one(sql, &[]).await?;
                self.add(count(counts.get(2)), &error.to_string())?;
                counts
            }
        };
        Ok((count(counts.get(0)), count(counts.get(1))))
    }

    /// Makes a key of a table's columns, without the rows whose keys are too long for one.
    pub(crate) async fn add_key(
        &self,
        transaction: &Transaction<'_>,
        table: &TableName,
        key: &[Ident],
    ) -> Result<()> {
        let sql = format!("ALTER TABLE {table} ADD PRIMARY KEY ({})", list(key));
        transaction.batch_execute("SAVEPOINT ctct_rows").await?;
        let error = match transaction.batch_execute(&sql).await {
            Ok(()) => return Ok(()),
            Err(error) if error.code() == Some(&SqlState::PROGRAM_LIMIT_EXCEEDED) => error.into(),
            Err(error) => return Err(error.into()),
        };
        transaction.batch_execute("ROLLBACK TO SAVEPOINT ctct_rows").await?;
        let lengths: Vec<String> =
            key.iter().map(|column| format!("octet_length({column}::text)")).collect();
        let too_long = format!("{} > {KEY_BYTES}", lengths.join(" + "));
        let taken = format!("SELECT {} FROM {table} WHERE {too_long}", shown(key));
        for row in transaction.query(&taken, &[]).await? {
            self.note(transaction, row.get(0), &error).await?;
        }
        // What this transaction deletes would be put into the index all the same.
        transaction
            .batch_execute(&format!(
                "CREATE TEMPORARY TABLE \"_ctct_kept\" ON COMMIT DROP AS SELECT * FROM {table} WHERE NOT ({too_long}); \
                 TRUNCATE {table}; INSERT INTO {table} SELECT * FROM \"_ctct_kept\"; \
                 DROP TABLE \"_ctct_kept\"; {sql}"
            ))
            .await?;
        Ok(())
    }

    /// A function that carries out a statement row by row.
    fn one_by_one(
        &self,
        from: &str,
        order: &str,
        key: &[Ident],
        statement: &(dyn Fn(&str) -> String + Sync),
    ) -> String {
        let of_row = statement(&format!("(SELECT ctid, * FROM {from} WHERE ctid = $1) AS one"));
        let key = shown(key);
        let body = format!(
            "DECLARE place tid; one bigint; other bigint; known text; \
             BEGIN inserted := 0; updated := 0; refused := 0; \
             FOR place IN SELECT ctid FROM {from} ORDER BY {order} LOOP \
               BEGIN EXECUTE {of_row} INTO one, other USING place; \
                 inserted := inserted + one; updated := updated + other; \
               EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN \
                 refused := refused + 1; SELECT {key} INTO known FROM {from} WHERE ctid = place; \
                 {insert}known, SQLERRM); \
               END; \
             END LOOP; END",
            of_row = literal(&of_row),
            insert = self.insert(),
        );
        format!(
            "CREATE OR REPLACE FUNCTION pg_temp.ctct_one_by_one(OUT inserted bigint, OUT updated bigint, OUT refused bigint) \
             LANGUAGE plpgsql AS {}",
            literal(&body)
        )
    }
}

/// Whether the rows are why a statement failed, and not the server, the table or the statement:
/// a value out of range, a constraint, a key that is too long for an index.
fn is_of_rows(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let state = source
        .and_then(|source| source.downcast_ref::<tokio_postgres::Error>())
        .and_then(|error| error.code());
    state
        .is_some_and(|state| ["22", "23", "54"].iter().any(|class| state.code().starts_with(class)))
}

/// The expression of a key as people read it.
fn shown(key: &[Ident]) -> String {
    let keys: Vec<String> = key.iter().map(|column| format!("{column}::text")).collect();
    match keys.as_slice() {
        [] => "NULL".to_owned(),
        keys => format!("left(concat_ws(' ', {}), {KEY})", keys.join(", ")),
    }
}

/// The key of the first row, for people.
fn key_of(rows: &RecordBatch, columns: &[Column], key: &[Ident]) -> String {
    let options = FormatOptions::default();
    let parts = key.iter().filter_map(|name| {
        let column = columns.iter().find(|column| column.name == *name)?;
        let values = rows.column_by_name(&column.source)?;
        let shown = ArrayFormatter::try_new(values, &options).ok()?;
        Some(shown.value(0).to_string())
    });
    parts.collect::<Vec<_>>().join(" ").chars().take(KEY).collect()
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}
