//! From arguments and environment to a session.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ctct_client::{Places, TokenStore, config_folder};
use ctct_sandbox::Sandbox;
use datafusion::prelude::SessionContext;
use datafusion_ctct::catalog::CATALOG;
use datafusion_ctct::{
    Client, Connection, Connections, Ledger, Pace, SessionBuilder, Traffic, state_folder,
};

use crate::arguments::{Arguments, Command};
use crate::exit::Failure;
use crate::sandbox;

/// The name of a connection where nobody chose one.
pub(crate) const USUAL_NAME: &str = "CONSTANT_CONTACT";

/// What a run works with.
pub(crate) struct Setup {
    pub(crate) session: SessionContext,
    pub(crate) traffic: Arc<Traffic>,
    /// The connection in use, where there is one.
    pub(crate) connection: Option<Connection>,
    /// What asks over it.
    pub(crate) client: Option<Arc<Client>>,
    /// The schemas of databases that can be queried beside it.
    pub(crate) targets: Vec<String>,
    /// The sandbox lives as long as the session.
    _sandbox: Option<Sandbox>,
}

/// What all of this process shares, for the end of the process.
static TRAFFIC: OnceLock<Arc<Traffic>> = OnceLock::new();

/// The longest that the end of the process waits for tokens that are on their way.
const PATIENCE: Duration = Duration::from_secs(35);

/// Waits for what must not be cut off.
pub(crate) async fn settled() {
    if let Some(traffic) = TRAFFIC.get() {
        // Longer than an answer may take: then nothing can be done any more.
        drop(tokio::time::timeout(PATIENCE, traffic.settled()).await);
    }
}

/// Where connections are looked for.
pub(crate) fn places() -> Places {
    let working_folder = std::env::current_dir().unwrap_or_default();
    Places::new(|name| std::env::var_os(name), &working_folder)
}

/// The file that the shell runs when it starts.
pub(crate) fn start_up_file() -> Option<PathBuf> {
    config_folder(|name| std::env::var_os(name)).map(|folder| folder.join("ctctrc"))
}

/// The file with what was typed into the shell.
pub(crate) fn history_file() -> Option<PathBuf> {
    state_folder(|name| std::env::var_os(name)).map(|folder| folder.join("history"))
}

/// All connections of this machine.
pub(crate) fn connections() -> Connections {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    places().connections(variables)
}

/// A client of a connection, for its login.
pub(crate) fn client(connection: &Connection) -> Client {
    Client::new(connection.clone(), traffic(false, "login", None))
}

/// Finds the connection to use and opens a session over it. Nothing is sent. `name` is
/// the connection that the command itself names.
pub(crate) async fn set_up(arguments: &Arguments, name: Option<&str>) -> Result<Setup, Failure> {
    let traffic = traffic(arguments.sandbox, command(arguments), arguments.max_requests);
    let mut builder = SessionBuilder::new().with_traffic(Arc::clone(&traffic));
    let mut running = None;
    let mut connections = Vec::new();
    let name = name.or(arguments.conn.as_deref());
    let mut found = self::connections();
    if arguments.sandbox {
        let (sandbox, connection) =
            sandbox::start(name.unwrap_or(USUAL_NAME), arguments.account).await?;
        running = Some(sandbox);
        connections.push(connection);
    } else {
        let chosen = found.choose(name)?.map(|chosen| chosen.name.clone());
        // The one in use comes first: it is the default schema.
        let (first, others): (Vec<_>, Vec<_>) = found
            .all()
            .iter()
            .cloned()
            .partition(|connection| Some(&connection.name) == chosen.as_ref());
        connections.extend(first.into_iter().chain(others));
    }
    let connections: Vec<Connection> = connections
        .into_iter()
        .map(|connection| with_pace(connection, arguments))
        .collect::<Result<_, _>>()?;
    let in_use = connections.first().cloned();
    let client = in_use.clone().map(|used| Arc::new(Client::new(used, Arc::clone(&traffic))));
    for connection in connections {
        builder = builder.with_connection(connection);
    }
    let session = ctct_replicate::with_targets(builder, found.targets())
        .map_err(|error| Failure::other(error.to_string()))?;
    let targets = session.catalog_names().into_iter().filter(|name| name != CATALOG).collect();
    Ok(Setup { session, traffic, connection: in_use, client, targets, _sandbox: running })
}

/// What all requests of this process share.
fn traffic(sandbox: bool, command: &str, limit: Option<u64>) -> Arc<Traffic> {
    let mut traffic = Traffic::new(Arc::new(ledger(sandbox)), command);
    if command == "run" {
        // Nobody watches: the connection's reserve is left to people.
        traffic = traffic.unattended();
    }
    if let Some(limit) = limit {
        traffic = traffic.with_limit(limit);
    }
    if let Some(folder) = state_folder(|name| std::env::var_os(name)) {
        traffic = traffic.with_tokens(TokenStore::new(folder.join("tokens")));
    }
    let traffic = Arc::new(traffic);
    // The first of a process is the one that works; others only look.
    drop(TRAFFIC.set(Arc::clone(&traffic)));
    traffic
}

/// The ledger of this machine; a sandbox that ends with the process has its own.
fn ledger(sandbox: bool) -> Ledger {
    let folder = state_folder(|name| std::env::var_os(name));
    match folder.filter(|_| !sandbox) {
        Some(folder) => Ledger::open(folder.join("ledger.sqlite")),
        None => Ledger::in_memory(),
    }
}

/// What requests are counted under.
fn command(arguments: &Arguments) -> &'static str {
    match arguments.command {
        Some(Command::Run(_)) => "run",
        _ if arguments.is_shell() => "shell",
        _ => "query",
    }
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
