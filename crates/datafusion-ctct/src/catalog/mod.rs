//! The catalog `ctct`: a schema for each connection, and `system`.

mod connection_schema;
mod endpoint_table;
mod system;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ctct_client::Client;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider};

pub use connection_schema::ConnectionSchema;
pub use endpoint_table::EndpointTable;
pub use system::SystemSchema;

/// The name of the catalog.
pub const CATALOG: &str = "ctct";
/// The schema of the system tables.
pub const SYSTEM: &str = "system";
/// The default schema where there is no connection.
pub const NO_CONNECTION: &str = "public";

/// The catalog `ctct`.
pub struct CtctCatalog {
    schemas: BTreeMap<String, Arc<dyn SchemaProvider>>,
}

impl CtctCatalog {
    /// A catalog with a schema for each client, named as its connection in lower case.
    pub fn new(clients: &[Arc<Client>]) -> Self {
        let mut schemas: BTreeMap<String, Arc<dyn SchemaProvider>> = BTreeMap::new();
        schemas.insert(NO_CONNECTION.to_owned(), Arc::new(MemorySchemaProvider::new()));
        for client in clients {
            let schema = Arc::new(ConnectionSchema::new(Arc::clone(client)));
            schemas.insert(client.connection().schema_name(), schema);
        }
        schemas.insert(SYSTEM.to_owned(), Arc::new(SystemSchema::new(clients.to_vec())));
        Self { schemas }
    }
}

impl fmt::Debug for CtctCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtctCatalog").field("schemas", &self.schema_names()).finish()
    }
}

impl CatalogProvider for CtctCatalog {
    fn schema_names(&self) -> Vec<String> {
        self.schemas.keys().cloned().collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.schemas.get(name).cloned()
    }
}
