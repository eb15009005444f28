//! The schemas and tables of a server.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ctct_client::TargetSettings;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result as DataFusionResult};

use super::column::describe;
use super::table::PostgresTable;
use crate::{Ident, Result, TableName, Target};

/// A server's schemas, whichever there are: which ones is asked when a table is read.
#[derive(Debug)]
pub(super) struct TargetCatalog {
    name: String,
    settings: TargetSettings,
}

/// The tables of one schema of a server.
///
/// Nothing is asked of the server until a table is looked up. The names of its tables are known
/// from then on; before that it shows none, so that listing all tables waits for no server.
#[derive(Debug)]
pub(super) struct TargetSchema {
    name: String,
    settings: TargetSettings,
    /// None for the one that tables are in where nothing is said.
    schema: Option<String>,
    known: Mutex<BTreeSet<String>>,
}

impl TargetCatalog {
    /// The catalog of a target with this name.
    pub(super) fn new(name: impl Into<String>, settings: TargetSettings) -> Self {
        Self { name: name.into(), settings }
    }
}

impl CatalogProvider for TargetCatalog {
    fn schema_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let schema = TargetSchema::new(&self.name, self.settings.clone());
        Some(Arc::new(TargetSchema { schema: Some(name.to_owned()), ..schema }))
    }
}

impl TargetSchema {
    /// The schema that a target's tables are in where nothing else is said.
    pub(super) fn new(name: impl Into<String>, settings: TargetSettings) -> Self {
        Self { name: name.into(), settings, schema: None, known: Mutex::default() }
    }

    async fn find(&self, table: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let target = Target::new(&self.name, &self.settings)?;
        let schema = self.schema.as_ref().unwrap_or(&target.schema);
        let (Ok(schema), Ok(table)) = (Ident::new(schema), Ident::new(table)) else {
            return Ok(None);
        };
        let client = target.connect().await?;
        let Some(described) = describe(&client, schema.as_str(), table.as_str()).await? else {
            // Whoever mistyped a name is told of one that is like it.
            let names = client.query(NAMES, &[&schema.as_str()]).await?;
            let names = names.iter().map(|row| row.get::<_, String>(0));
            self.known.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
            return Ok(None);
        };
        let name = TableName { schema, table };
        Ok(Some(Arc::new(PostgresTable::new(Arc::new(target), name, described))))
    }
}

const NAMES: &str = "\
SELECT c.relname::text FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

#[async_trait]
impl SchemaProvider for TargetSchema {
    fn table_names(&self) -> Vec<String> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    async fn table(&self, name: &str) -> DataFusionResult<Option<Arc<dyn TableProvider>>> {
        let found = self.find(name).await;
        found.map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}
