//! The catalog `ctct`: a schema for each connection, `views` and `system`.

mod connection_schema;
mod declared;
mod endpoint_table;
mod system;
mod views;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ctct_client::Client;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider};

pub use connection_schema::ConnectionSchema;
pub use endpoint_table::EndpointTable;
pub use system::SystemSchema;
pub use views::{VIEWS, View, ViewSchema};

/// The name of the catalog.
pub const CATALOG: &str = "ctct";
/// The schema of the system tables.
pub const SYSTEM: &str = "system";
/// The schema of the views.
pub const VIEW_SCHEMA: &str = "views";
/// The default schema where there is no connection.
pub const NO_CONNECTION: &str = "public";

/// The catalog `ctct`.
pub struct CtctCatalog {
    schemas: BTreeMap<String, Arc<dyn SchemaProvider>>,
    views: Arc<ViewSchema>,
}

impl CtctCatalog {
    /// A catalog with a schema for each client, named as its connection in lower case, and with
    /// `others` as they are named. Views are there as soon as there is a connection that they
    /// could read.
    pub fn new(
        clients: &[Arc<Client>],
        others: impl IntoIterator<Item = (String, Arc<dyn SchemaProvider>)>,
    ) -> Self {
        let mut schemas: BTreeMap<String, Arc<dyn SchemaProvider>> = others.into_iter().collect();
        schemas.insert(NO_CONNECTION.to_owned(), Arc::new(MemorySchemaProvider::new()));
        for client in clients {
            let schema = Arc::new(ConnectionSchema::new(Arc::clone(client)));
            schemas.insert(client.connection().schema_name(), schema);
        }
        let views = Arc::new(ViewSchema::default());
        if !clients.is_empty() {
            schemas.insert(VIEW_SCHEMA.to_owned(), Arc::clone(&views) as _);
        }
        schemas.insert(SYSTEM.to_owned(), Arc::new(SystemSchema::new(clients.to_vec())));
        Self { schemas, views }
    }

    /// The views, which the session has to plan.
    pub(crate) fn views(&self) -> &Arc<ViewSchema> {
        &self.views
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
