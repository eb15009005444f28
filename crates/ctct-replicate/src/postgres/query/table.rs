//! A table of the server as a table here.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::TableType;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use super::column::{Described, ReadColumn, schema};
use super::predicate::condition;
use super::scan::PostgresScanExec;
use crate::{TableName, Target};

/// Rows of a table on the server, or totals over them.
#[derive(Debug, Clone)]
pub(super) struct PostgresTable {
    pub(super) target: Arc<Target>,
    pub(super) name: TableName,
    /// What the rows have: a table's columns, or totals over it.
    pub(super) columns: Vec<ReadColumn>,
    /// What always holds for them.
    pub(super) among: Vec<String>,
    rows: Option<usize>,
    schema: SchemaRef,
}

/// One row of so many is thought to be kept by a condition, as DataFusion thinks of filters.
const KEPT_BY_A_CONDITION: usize = 5;

impl PostgresTable {
    /// The table that the server described.
    pub(super) fn new(target: Arc<Target>, name: TableName, described: Described) -> Self {
        let Described { columns, rows } = described;
        let schema = schema(&columns);
        Self { target, name, columns, among: Vec::new(), rows, schema }
    }

    /// Totals over the rows for which conditions hold.
    pub(super) fn totals(&self, columns: Vec<ReadColumn>, among: Vec<String>) -> Self {
        let schema = schema(&columns);
        Self { columns, among, rows: Some(1), schema, ..self.clone() }
    }

    fn sql(&self, columns: &[ReadColumn], among: &[String], limit: Option<usize>) -> String {
        let expressions: Vec<String> = columns
            .iter()
            .map(|column| format!("{}::{}", column.expression, column.read_as.sent_as()))
            .collect();
        let among = match among {
            [] => String::new(),
            conditions => format!(" WHERE {}", conditions.join(" AND ")),
        };
        let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        format!("SELECT {} FROM {}{among}{limit}", expressions.join(", "), self.name)
    }
}

#[async_trait]
impl TableProvider for PostgresTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushed = filters.iter().map(|filter| match condition(filter, &self.columns) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        });
        Ok(pushed.collect())
    }

    async fn scan(
        &self,
        _session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns: Vec<ReadColumn> = match projection {
            Some(places) => {
                places.iter().filter_map(|place| self.columns.get(*place)).cloned().collect()
            }
            None => self.columns.clone(),
        };
        let conditions = filters.iter().filter_map(|filter| condition(filter, &self.columns));
        let among: Vec<String> = self.among.iter().cloned().chain(conditions).collect();
        let kept = filters.iter().fold(self.rows, |rows, _| rows.map(|r| r / KEPT_BY_A_CONDITION));
        let rows = match (kept, limit) {
            (Some(rows), Some(limit)) => Some(rows.min(limit)),
            (rows, limit) => rows.or(limit),
        };
        let sql = self.sql(&columns, &among, limit);
        Ok(Arc::new(PostgresScanExec::new(Arc::clone(&self.target), columns, sql, rows)))
    }
}
