//! The table of any declared endpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use ctct_client::Client;
use ctct_endpoints::Endpoint;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::TableType;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use crate::predicate::{Analysis, Domains, analyse};
use crate::scan::{CtctScanExec, ScanSpec, usable};
use crate::schema::arrow_schema;

/// The table of an endpoint, read over one connection.
#[derive(Debug)]
pub struct EndpointTable {
    endpoint: &'static Endpoint,
    client: Arc<Client>,
    schema: SchemaRef,
}

impl EndpointTable {
    /// The endpoint's table.
    pub fn new(endpoint: &'static Endpoint, client: Arc<Client>) -> Self {
        Self { endpoint, client, schema: arrow_schema(endpoint) }
    }

    /// What a predicate says of columns that requests can be restricted by.
    fn pushed(&self, predicate: &Expr) -> Analysis {
        analyse(predicate).only(|column, domain| usable(self.endpoint, column, domain))
    }
}

// The key is not declared as a constraint: the planner would take rows to be unique by
// it also where `unnest` has multiplied them, and leave out parts of an ORDER BY.
#[async_trait]
impl TableProvider for EndpointTable {
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
        let pushed = filters.iter().map(|filter| match self.pushed(filter) {
            // The scan drops every row outside of the domains itself.
            found if found.exact && !found.domains.is_all() => TableProviderFilterPushDown::Exact,
            found if !found.domains.is_all() => TableProviderFilterPushDown::Inexact,
            _ => TableProviderFilterPushDown::Unsupported,
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
        let name =
            |index: usize| self.endpoint.fields.get(index).map(|field| field.name.to_owned());
        let columns = match projection {
            Some(indexes) => indexes.iter().filter_map(|index| name(*index)).collect(),
            None => self.endpoint.fields.iter().map(|field| field.name.to_owned()).collect(),
        };
        let pushed = filters.iter().map(|filter| self.pushed(filter).domains);
        let domains = pushed.fold(Domains::default(), Domains::intersect);
        let spec = ScanSpec {
            endpoint: self.endpoint.table.to_owned(),
            connection: self.client.connection().name.clone(),
            columns,
            domains,
            fetch: limit,
            filtered: false,
            began: None,
            beside: BTreeMap::default(),
        };
        Ok(Arc::new(CtctScanExec::try_new(spec, self.endpoint, Arc::clone(&self.client))?))
    }
}
