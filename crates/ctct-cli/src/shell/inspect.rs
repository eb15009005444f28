//! What there is: tables, columns, views, functions, connections, and what was sent.

use super::Shell;
use super::command::Command;
use super::completion::quoted;
use crate::arguments::Format;
use crate::exit::Failure;
use crate::output::{self, Style};
use crate::run::{Showing, print_styled};
use datafusion::common::TableReference;
use datafusion_ctct::catalog::{CATALOG, VIEW_SCHEMA, VIEWS};
use datafusion_ctct::likely;

/// A text as SQL writes it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An expression that has the names of SQL for those of Arrow.
fn type_names(of: &str) -> String {
    format!(
        "CASE WHEN {of} IN ('Utf8', 'LargeUtf8', 'Utf8View') THEN 'text' \
         WHEN {of} = 'Int64' THEN 'bigint' WHEN {of} = 'Float64' THEN 'double' \
         WHEN {of} = 'Boolean' THEN 'boolean' WHEN {of} = 'Date32' THEN 'date' \
         WHEN {of} LIKE 'Timestamp(%UTC%' THEN 'timestamp (UTC)' \
         WHEN {of} LIKE 'Timestamp(%' THEN 'timestamp' \
         WHEN {of} LIKE 'List(%Struct(%' THEN 'list of objects' \
         WHEN {of} LIKE 'List(%Utf8%' THEN 'list of texts' ELSE {of} END"
    )
}

impl Shell {
    /// Shows the result of a question of the shell's own.
    async fn ask(&self, sql: &str) -> Result<(), Failure> {
        let format = Some(self.showing.style.format).filter(|format| !format.is_binary());
        let format = format.unwrap_or(Format::Table);
        let style = Style { format, ..self.showing.style.clone() };
        let showing = Showing { style, ..self.showing.clone() };
        print_styled(&self.setup, sql, &showing).await
    }

    /// Shows what a command asks about.
    pub(super) async fn inspect(&self, command: &Command) -> Result<(), Failure> {
        match command {
            Command::Describe(Some(table)) => self.describe(table).await,
            Command::Describe(None) => self.tables().await,
            Command::Views => self.views().await,
            Command::Functions => self.functions().await,
            Command::Connections => self.connections().await,
            _ => self.requests().await,
        }
    }

    /// Lists the tables of the connection, and what the session made beside them.
    async fn tables(&self) -> Result<(), Failure> {
        let schema = self.usual_schema();
        self.ask(&format!(
            "SELECT t.table_name AS \"table\", coalesce(e.description, lower(t.table_type)) AS description, \
             e.requests AS requests \
             FROM {CATALOG}.information_schema.tables t \
             LEFT JOIN {CATALOG}.system.endpoints e ON e.table_name = t.table_name \
             WHERE t.table_catalog = '{CATALOG}' AND t.table_schema = {} ORDER BY 1",
            literal(&schema)
        ))
        .await
    }

    /// Lists the views.
    async fn views(&self) -> Result<(), Failure> {
        let schema = self.usual_schema();
        let rows: Vec<String> = VIEWS
            .iter()
            .map(|view| {
                format!(
                    "({}, {})",
                    literal(&format!("{VIEW_SCHEMA}.{}", view.name)),
                    literal(view.description())
                )
            })
            .collect();
        self.ask(&format!(
            "SELECT * FROM (VALUES {}) AS v(\"view\", description) UNION ALL \
             SELECT table_name, 'made in this session' FROM {CATALOG}.information_schema.tables \
             WHERE table_catalog = '{CATALOG}' AND table_schema = {} AND table_type = 'VIEW' ORDER BY 1",
            rows.join(", "),
            literal(&schema)
        ))
        .await
    }

    /// Lists the functions.
    async fn functions(&self) -> Result<(), Failure> {
        self.ask(&format!(
            "SELECT DISTINCT function_name AS \"function\", function_type AS kind, description \
             FROM (SELECT routine_name AS function_name, function_type, description \
                   FROM {CATALOG}.information_schema.routines) ORDER BY 1"
        ))
        .await
    }

    /// Lists the connections, and the databases that can be queried beside them.
    async fn connections(&self) -> Result<(), Failure> {
        let targets = self.setup.targets.iter().map(|name| {
            let name = literal(name);
            format!(
                " UNION ALL SELECT {name}, {name}, 'a PostgreSQL, to query and to write to', NULL"
            )
        });
        let beside: String = targets.collect();
        self.ask(&format!(
            "SELECT name, schema, origin, credentials FROM {CATALOG}.system.connections{beside}"
        ))
        .await
    }

    /// Lists what the last statement sent.
    async fn requests(&self) -> Result<(), Failure> {
        self.ask(&format!(
            "SELECT number, path, query, status, bytes, milliseconds, failure \
             FROM {CATALOG}.system.requests WHERE number > {} ORDER BY number",
            self.sent
        ))
        .await
    }

    fn usual_schema(&self) -> String {
        self.setup.session.state().config_options().catalog.default_schema.clone()
    }

    /// Says what a table is, what it has, and what it costs.
    async fn describe(&self, name: &str) -> Result<(), Failure> {
        let reference = TableReference::parse_str(name.trim_end_matches(';'));
        let table = reference.table();
        let is_own = reference.schema().is_none_or(|schema| schema == self.usual_schema());
        if let Some(endpoint) = ctct_endpoints::find(table).filter(|_| is_own) {
            let sink = &self.showing.sink;
            output::line_to(sink, &format!("{}: {}", endpoint.table, endpoint.description))?;
            output::line_to(sink, &format!("GET {}; {}", endpoint.path, endpoint.cost()))?;
            return self
                .ask(&format!(
                    "SELECT column_name AS \"column\", {} AS type, \
                     CASE WHEN is_key THEN 'key' ELSE '' END AS key, \
                     coalesce(pushed_to, '') AS \"pushed down as\", \
                     coalesce(asked_for_by, '') AS \"asked for by\", description \
                     FROM {CATALOG}.system.columns WHERE table_name = {} ORDER BY position",
                    type_names("data_type"),
                    literal(endpoint.table)
                ))
                .await;
        }
        let session = &self.setup.session;
        let provider = session.table_provider(reference.clone()).await.map_err(|error| {
            let failure = Failure::of_statement(&error, session);
            self.meant(table, failure)
        })?;
        let rows: Vec<String> = provider
            .schema()
            .fields()
            .iter()
            .map(|field| {
                let nullable = if field.is_nullable() { "" } else { "not null" };
                let kind = type_names(&literal(&field.data_type().to_string()));
                format!("({}, {kind}, '{nullable}')", literal(field.name()))
            })
            .collect();
        if rows.is_empty() {
            return Ok(output::line_to(&self.showing.sink, &format!("{name} has no columns"))?);
        }
        self.ask(&format!(
            "SELECT * FROM (VALUES {}) AS c(\"column\", type, nulls)",
            rows.join(", ")
        ))
        .await
    }

    /// The failure of a table that is not there, with one that is like it.
    fn meant(&self, table: &str, failure: Failure) -> Failure {
        let schema = self.usual_schema();
        let catalog = self.setup.session.catalog(CATALOG);
        let tables = catalog.and_then(|catalog| catalog.schema(&schema)).map(|s| s.table_names());
        let tables = tables.unwrap_or_default();
        let views = VIEWS.iter().map(|view| format!("{VIEW_SCHEMA}.{}", view.name));
        let names: Vec<String> = tables.iter().map(|name| quoted(name)).chain(views).collect();
        match likely(table, names.iter().map(String::as_str)) {
            Some(meant) => Failure::with_hint(
                1,
                format!("there is no table {table}"),
                format!("did you mean {meant}?"),
            ),
            None => failure,
        }
    }
}
