//! From arguments and environment to a session.

use std::sync::Arc;

use ctct_sandbox::Sandbox;
use datafusion::prelude::SessionContext;
use datafusion_ctct::{
    Connection, Ledger, Pace, SessionBuilder, Traffic, from_environment, state_folder,
};

use crate::arguments::Arguments;
use crate::exit::Failure;
use crate::sandbox;

/// The name of a connection where nobody chose one.
const USUAL_NAME: &str = "CONSTANT_CONTACT";

/// What a run works with.
pub(crate) struct Setup {
    pub(crate) session: SessionContext,
    pub(crate) traffic: Arc<Traffic>,
    /// The connection in use, where there is one.
    pub(crate) connection: Option<Connection>,
    /// The sandbox lives as long as the session.
    _sandbox: Option<Sandbox>,
}

/// Finds the connection to use and opens a session over it. Nothing is sent.
pub(crate) async fn set_up(arguments: &Arguments) -> Result<Setup, Failure> {
    let mut traffic = Traffic::new(Arc::new(ledger(arguments)), command(arguments));
    if let Some(limit) = arguments.max_requests {
        traffic = traffic.with_limit(limit);
    }
    let traffic = Arc::new(traffic);
    let mut builder = SessionBuilder::new().with_traffic(Arc::clone(&traffic));
    let mut running = None;
    let mut connections = Vec::new();
    if arguments.sandbox {
        let name = arguments.conn.as_deref().unwrap_or(USUAL_NAME);
        let (sandbox, connection) = sandbox::start(name, arguments.account).await?;
        running = Some(sandbox);
        connections.push(connection);
    } else {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut found = from_environment(variables);
        let chosen = found.choose(arguments.conn.as_deref())?.map(|chosen| chosen.name.clone());
        // The one in use comes first: it is the default schema.
        let (first, others): (Vec<_>, Vec<_>) = found
            .all()
            .iter()
            .cloned()
            .partition(|connection| Some(&connection.name) == chosen.as_ref());
        connections.extend(first.into_iter().chain(others));
    }
    let in_use = connections.first().cloned();
    for connection in connections {
        builder = builder.with_connection(with_pace(connection, arguments)?);
    }
    let session = builder.build().map_err(|error| Failure::other(error.to_string()))?;
    Ok(Setup { session, traffic, connection: in_use, _sandbox: running })
}

/// The ledger of this machine; a sandbox that ends with the process has its own.
fn ledger(arguments: &Arguments) -> Ledger {
    let folder = state_folder(|name| std::env::var_os(name));
    match folder.filter(|_| !arguments.sandbox) {
        Some(folder) => Ledger::open(folder.join("ledger.sqlite")),
        None => Ledger::in_memory(),
    }
}

/// What requests are counted under.
fn command(arguments: &Arguments) -> &'static str {
    if arguments.is_shell() { "shell" } else { "query" }
}

fn with_pace(connection: Connection, arguments: &Arguments) -> Result<Connection, Failure> {
    match &arguments.requests_per_second {
        Some(text) => {
            let pace = Pace::parse(text, &connection.inputs.base_url)?;
            Ok(connection.with_pace(pace))
        }
        None => Ok(connection),
    }
}
