//! The tables of one connection, and what a session puts beside them.

use std::sync::Arc;

use async_trait::async_trait;
use ctct_client::Client;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::TableType;

use super::EndpointTable;

/// A schema with a table for every declared endpoint. Tables and views that a session
/// creates stand beside them, and live as long as the session.
#[derive(Debug)]
pub struct ConnectionSchema {
    client: Arc<Client>,
    created: MemorySchemaProvider,
}

impl ConnectionSchema {
    /// The schema of a connection.
    pub fn new(client: Arc<Client>) -> Self {
        Self { client, created: MemorySchemaProvider::new() }
    }
}

#[async_trait]
impl SchemaProvider for ConnectionSchema {
    fn table_names(&self) -> Vec<String> {
        let declared = ctct_endpoints::all().iter().map(|endpoint| endpoint.table.to_owned());
        declared.chain(self.created.table_names()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match ctct_endpoints::find(name) {
            Some(endpoint) => {
                Ok(Some(Arc::new(EndpointTable::new(endpoint, Arc::clone(&self.client)))))
            }
            None => self.created.table(name).await,
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        match ctct_endpoints::find(name) {
            Some(_) => Ok(Some(TableType::Base)),
            None => self.created.table_type(name).await,
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        ctct_endpoints::find(name).is_some() || self.created.table_exist(name)
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        if ctct_endpoints::find(&name).is_some() {
            return plan_err!("the table {name} is Constant Contact's; choose another name");
        }
        self.created.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if ctct_endpoints::find(name).is_some() {
            return plan_err!("the table {name} is Constant Contact's and cannot be dropped");
        }
        self.created.deregister_table(name)
    }
}
