//! The names that can be completed: what is declared, and what a session has beside it.

use std::collections::BTreeMap;

use datafusion::execution::FunctionRegistry;
use datafusion::prelude::SessionContext;
use datafusion_ctct::catalog::CATALOG;

/// The words of SQL that people type most.
pub(super) const KEYWORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "JOIN",
    "LEFT JOIN",
    "RIGHT JOIN",
    "FULL JOIN",
    "CROSS JOIN",
    "ON",
    "USING",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS NULL",
    "IS NOT NULL",
    "LIKE",
    "ILIKE",
    "BETWEEN",
    "EXISTS",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "DISTINCT",
    "ASC",
    "DESC",
    "NULLS LAST",
    "UNION ALL",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WITH",
    "VALUES",
    "INTERVAL",
    "DATE",
    "TIMESTAMP",
    "TRUE",
    "FALSE",
    "NULL",
    "COPY",
    "TO",
    "CREATE TABLE",
    "CREATE VIEW",
    "CREATE EXTERNAL TABLE",
    "STORED AS",
    "LOCATION",
    "INSERT INTO",
    "DROP TABLE",
    "DROP VIEW",
    "DESCRIBE",
    "EXPLAIN",
    "ANALYZE",
    "SHOW TABLES",
    "OVER",
    "PARTITION BY",
    "EXCLUDE",
    "QUALIFY",
    "ROLLUP",
];

/// The names of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Vocabulary {
    /// The schema whose tables need no prefix.
    pub(super) usual: String,
    /// Tables by schema, each with its columns, as far as they are known.
    pub(super) schemas: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    pub(super) functions: Vec<String>,
}

impl Vocabulary {
    /// What is declared: known at once, without asking anybody.
    pub(super) fn declared(session: &SessionContext, targets: &[String]) -> Self {
        let state = session.state();
        let usual = state.config_options().catalog.default_schema.clone();
        let declared: BTreeMap<String, Vec<String>> = ctct_endpoints::all()
            .iter()
            .map(|endpoint| {
                let columns = endpoint.fields.iter().map(|field| field.name.to_owned());
                (endpoint.table.to_owned(), columns.collect())
            })
            .collect();
        let catalog = session.catalog(CATALOG);
        let names = catalog.as_ref().map(|catalog| catalog.schema_names()).unwrap_or_default();
        let schemas = names.into_iter().map(|name| {
            let schema = catalog.as_ref().and_then(|catalog| catalog.schema(&name));
            // What a target has is asked of it when it is named, and never to complete a word.
            let is_target = targets.contains(&name);
            let tables = schema.filter(|_| !is_target).map(|schema| schema.table_names());
            let tables = tables.unwrap_or_default().into_iter().map(|table| {
                let columns = declared.get(&table).cloned().unwrap_or_default();
                (table, columns)
            });
            (name, tables.collect())
        });
        let schemas = schemas.collect();
        let mut functions: Vec<String> = state.udfs().into_iter().collect();
        functions.extend(state.udafs());
        functions.extend(state.udwfs());
        functions.sort();
        functions.dedup();
        functions.retain(|name| name.starts_with(|first: char| first.is_alphabetic()));
        Self { usual, schemas, functions }
    }

    /// The same, with the columns of what the session made itself, and of views: these have to be
    /// planned, which sends nothing.
    pub(super) async fn completed(mut self, session: &SessionContext, targets: &[String]) -> Self {
        let Some(catalog) = session.catalog(CATALOG) else { return self };
        for (name, tables) in &mut self.schemas {
            if targets.contains(name) {
                continue;
            }
            let Some(schema) = catalog.schema(name) else { continue };
            for (table, columns) in tables.iter_mut().filter(|(_, columns)| columns.is_empty()) {
                if let Ok(Some(provider)) = schema.table(table).await {
                    let schema = provider.schema();
                    *columns = schema.fields().iter().map(|field| field.name().clone()).collect();
                }
            }
        }
        self
    }

    /// The columns of a table, by the parts of its name.
    pub(super) fn columns(&self, table: &[String]) -> &[String] {
        let (schema, table) = match table {
            [table] => (&self.usual, table),
            [schema, table] | [_, schema, table] => (schema, table),
            _ => return &[],
        };
        self.schemas.get(schema).and_then(|tables| tables.get(table)).map_or(&[], Vec::as_slice)
    }
}
