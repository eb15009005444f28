//! A DataFusion session with the defaults that Constant Contact needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use ctct_client::{Client, Connection, RetryPolicy, Traffic};
use datafusion::catalog::SchemaProvider;
use datafusion::common::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::catalog::{CATALOG, CtctCatalog, NO_CONNECTION};
use crate::nested_text::{NestedTextForCsv, nested_to_text_function};
use crate::scan::ShareAnswers;

/// Builds a session whose catalog `ctct` holds the tables of connections.
///
/// The first connection's schema is the default one, so `SELECT * FROM contacts` reads
/// it; the others are reached as `other_connection.contacts`.
#[derive(Debug, Default)]
pub struct SessionBuilder {
    connections: Vec<Connection>,
    traffic: Arc<Traffic>,
    retries: RetryPolicy,
    config: SessionConfig,
    schemas: BTreeMap<String, Arc<dyn SchemaProvider>>,
}

impl SessionBuilder {
    /// A session without any connection yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection. The first one is the default.
    #[must_use]
    pub fn with_connection(mut self, connection: Connection) -> Self {
        self.connections.push(connection);
        self
    }

    /// Shares the request log, the limit of requests and the pace with other users of
    /// `traffic`.
    #[must_use]
    pub fn with_traffic(mut self, traffic: Arc<Traffic>) -> Self {
        self.traffic = traffic;
        self
    }

    /// Sets how failed requests are tried again.
    #[must_use]
    pub fn with_retries(mut self, retries: RetryPolicy) -> Self {
        self.retries = retries;
        self
    }

    /// Starts from this configuration instead of DataFusion's own.
    #[must_use]
    pub fn with_config(mut self, config: SessionConfig) -> Self {
        self.config = config;
        self
    }

    /// Puts another schema beside those of the connections, as a place to query. One of a
    /// connection's name gives way to the connection.
    #[must_use]
    pub fn with_schema(mut self, name: &str, schema: Arc<dyn SchemaProvider>) -> Self {
        self.schemas.insert(name.to_lowercase(), schema);
        self
    }

    /// The session. Nothing is read or sent to build it.
    ///
    /// # Errors
    /// Where a function cannot be registered.
    pub fn build(self) -> Result<SessionContext> {
        let clients: Vec<Arc<Client>> = self
            .connections
            .into_iter()
            .map(|connection| {
                let client = Client::new(connection, Arc::clone(&self.traffic));
                Arc::new(client.with_retries(self.retries))
            })
            .collect();
        let default = clients.first().map(|client| client.connection().schema_name());
        let config = with_defaults(self.config)
            .with_create_default_catalog_and_schema(false)
            .with_default_catalog_and_schema(CATALOG, default.as_deref().unwrap_or(NO_CONNECTION));
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .with_optimizer_rules(optimizer_rules())
            .with_analyzer_rule(Arc::new(NestedTextForCsv))
            .with_physical_optimizer_rule(Arc::new(ShareAnswers))
            .build();
        let session = SessionContext::new_with_state(state);
        let catalog = CtctCatalog::new(&clients, self.schemas);
        let views = Arc::clone(catalog.views());
        session.register_catalog(CATALOG, Arc::new(catalog));
        session.register_udf(nested_to_text_function());
        let session = session.enable_url_table();
        let state = session.state_weak_ref();
        views.plan_with(move || state.upgrade().map(|state| state.read().clone()));
        Ok(session)
    }
}

/// DataFusion's rules but for the one that leaves out parts of an ORDER BY that others
/// are thought to determine: in 55.2 it takes the key of a grouped input for a key also
/// after a join has multiplied its rows, and the result comes unsorted.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    rules.retain(|rule| rule.name() != "eliminate_duplicated_expr");
    rules
}

/// How many keys of a join's smaller side are still told one by one to the scan of the
/// larger one, and how many bytes they may take.
const JOIN_KEYS: usize = 50_000;
const JOIN_KEY_BYTES: usize = 8 << 20;
/// Rows of a row group of Parquet: a whole group is held in memory while it is
/// written, and contacts are wide: at this size a copy of five million of them stays well
/// below 200 MB.
const ROW_GROUP: usize = 16_384;
/// Bytes of a column's page, and of its dictionary.
const COLUMN_BUFFER: usize = 256 << 10;

fn with_defaults(config: SessionConfig) -> SessionConfig {
    let mut config = config
        // A round-robin above a scan reads ahead without end: a LIMIT above a filter
        // would not stop the requests.
        .with_round_robin_repartition(false)
        .with_information_schema(true);
    let options = config.options_mut();
    // Errors name the place in the statement.
    options.sql_parser.collect_spans = true;
    options.execution.hash_join_buffering_capacity = 0;
    options.execution.parquet.max_row_group_size = ROW_GROUP;
    // Statistics of each page stay in memory up to the end of the file; groups are small
    // enough to be skipped by their own.
    options.execution.parquet.statistics_enabled = Some("chunk".to_owned());
    // A table of contacts has ninety columns in the end, and each has a page and a dictionary
    // of its own in memory.
    options.execution.parquet.data_pagesize_limit = COLUMN_BUFFER;
    options.execution.parquet.dictionary_page_size_limit = COLUMN_BUFFER;
    options.explain.physical_plan_only = true;
    options.optimizer.hash_join_inlist_pushdown_max_distinct_values = JOIN_KEYS;
    options.optimizer.hash_join_inlist_pushdown_max_size = JOIN_KEY_BYTES;
    config
}
