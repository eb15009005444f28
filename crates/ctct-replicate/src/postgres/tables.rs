//! Making and changing target tables.

use std::collections::BTreeMap;

use tokio_postgres::GenericClient;

use super::{Column, PgType};
use crate::ident::literal;
use crate::{Error, ErrorKind, Ident, Result, TableName};

/// Whether a row is gone from the source.
pub(crate) const DELETED: &str = "_ctct_deleted";
/// When a row last changed here.
pub(crate) const CHANGED: &str = "_ctct_changed_at";

/// The statements that make a table of these columns. Without a key rows may repeat.
pub(crate) fn create(table: &TableName, columns: &[Column], key: &[Ident]) -> String {
    let mut parts: Vec<String> =
        columns.iter().map(|column| format!("{} {}", column.name, column.pg_type.name())).collect();
    parts.push(format!("\"{DELETED}\" boolean NOT NULL DEFAULT false"));
    parts.push(format!("\"{CHANGED}\" timestamp with time zone NOT NULL DEFAULT now()"));
    if !key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", list(key)));
    }
    format!("CREATE TABLE {table} ({})", parts.join(", "))
}

/// The statements that say what the columns are, and index some of them.
pub(crate) fn describe(
    table: &TableName,
    columns: &[Column],
    about: &str,
    indexed: &[Ident],
) -> String {
    let mut statements = vec![format!("COMMENT ON TABLE {table} IS {}", literal(about))];
    for column in columns {
        if let Some(comment) = &column.comment {
            statements.push(format!(
                "COMMENT ON COLUMN {table}.{} IS {}",
                column.name,
                literal(comment)
            ));
        }
    }
    for column in indexed {
        statements.push(format!("CREATE INDEX ON {table} ({column})"));
    }
    statements.join("; ")
}

/// Names separated by commas.
pub(crate) fn list(names: &[Ident]) -> String {
    names.iter().map(Ident::to_string).collect::<Vec<_>>().join(", ")
}

/// The names of columns as a list.
pub(crate) fn names(columns: &[Column]) -> String {
    let names: Vec<Ident> = columns.iter().map(|column| column.name.clone()).collect();
    list(&names)
}

/// The columns of a table and their types; none where there is no such table.
pub(crate) async fn columns_of(
    client: &impl GenericClient,
    table: &TableName,
) -> Result<Option<BTreeMap<String, Option<PgType>>>> {
    let sql = "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a \
               WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";
    let name = table.to_string();
    let found = client.query(sql, &[&name]).await?;
    let exists = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&name]).await?;
    if !exists.get::<_, bool>(0) {
        return Ok(None);
    }
    let columns = found.iter().map(|row| {
        let (name, pg_type): (String, String) = (row.get(0), row.get(1));
        (name, PgType::parse(&pg_type))
    });
    Ok(Some(columns.collect()))
}

/// The statements that give others the rights on a table that they have now: they are for one
/// that takes its place, and its name.
pub(crate) async fn grants_of(client: &impl GenericClient, table: &TableName) -> Result<String> {
    let name = table.to_string();
    let sql = "SELECT format('GRANT %s ON %s TO %s%s', held.privilege_type, $1::text,
                 CASE held.grantee WHEN 0 THEN 'PUBLIC'
                   ELSE quote_ident(pg_get_userbyid(held.grantee)) END,
                 CASE WHEN held.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
               FROM pg_class c, aclexplode(c.relacl) AS held
               WHERE c.oid = to_regclass($1::text) AND held.grantee <> c.relowner";
    let rows = client.query(sql, &[&name]).await?;
    Ok(rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("; "))
}

/// Makes a table fit for rows with these columns: adds those that are missing, widens those
/// that are too narrow, drops none.
pub(crate) async fn adapt(
    client: &impl GenericClient,
    table: &TableName,
    columns: &[Column],
    key: &[Ident],
    adds: bool,
) -> Result<Vec<Column>> {
    let Some(known) = columns_of(client, table).await? else {
        client.batch_execute(&create(table, columns, key)).await?;
        return Ok(columns.to_vec());
    };
    let mut kept = Vec::new();
    for column in columns {
        match known.get(column.name.as_str()) {
            None if adds => {
                let (name, pg_type) = (&column.name, column.pg_type.name());
                client
                    .batch_execute(&format!("ALTER TABLE {table} ADD COLUMN {name} {pg_type}"))
                    .await?;
                tracing::warn!("{} has a new column {}", table.plain(), name.as_str());
                kept.push(column.clone());
            }
            None => tracing::warn!(
                "{} has no column {}, and `add_new_columns` is off: it is left out",
                table.plain(),
                column.name.as_str()
            ),
            Some(None) => {
                return Err(Error::new(
                    ErrorKind::Target,
                    format!(
                        "the column {} of {} has a type that ctct does not write",
                        column.name.as_str(),
                        table.plain()
                    ),
                )
                .with_hint(
                    "cast it under `columns`, leave it out with `select`, or change the table",
                ));
            }
            Some(Some(there)) => {
                let wide = there.widened(column.pg_type);
                if wide != *there {
                    let (name, to) = (&column.name, wide.name());
                    client
                        .batch_execute(&format!(
                            "ALTER TABLE {table} ALTER COLUMN {name} TYPE {to} USING {name}::{to}"
                        ))
                        .await?;
                    tracing::warn!("{}.{} is now {to}", table.plain(), name.as_str());
                }
                kept.push(Column { pg_type: wide, ..column.clone() });
            }
        }
    }
    for ours in [
        format!(
            "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS \"{DELETED}\" boolean NOT NULL DEFAULT false"
        ),
        format!(
            "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS \"{CHANGED}\" timestamp with time zone NOT NULL DEFAULT now()"
        ),
    ] {
        client.batch_execute(&ours).await?;
    }
    Ok(kept)
}
