//! A connection to PostgreSQL.

use std::fmt;

use ctct_client::TargetSettings;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, ErrorKind, Result};

/// Where a PostgreSQL is, and who we are there.
#[derive(Clone)]
pub struct Target {
    /// The connection's name.
    pub name: String,
    /// The schema of tables whose object names none.
    pub schema: String,
    config: Config,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

const KEYS: &[&str] = &[
    "type", "url", "host", "port", "user", "username", "password", "database", "dbname", "schema",
    "sslmode",
];

impl Target {
    /// The target that these settings describe: a `url`, or `host`, `port`, `user`,
    /// `password`, `database`, `sslmode`; and `schema`.
    ///
    /// # Errors
    /// Where a setting is not known or has no meaning; never showing one.
    pub fn new(name: &str, settings: &TargetSettings) -> Result<Self> {
        let wrong = |what: &str| {
            Error::configuration(format!("target {name}: {what}"))
                .with_hint(format!("`ctct conns set {name} type=postgres url=postgres://user:password@host/database` sets it"))
        };
        if let Some(unknown) = settings.keys().find(|key| !KEYS.contains(key)) {
            return Err(wrong(&format!("there is no setting `{unknown}`")));
        }
        let mut config = match settings.address() {
            Some(address) => address.parse::<Config>().map_err(|_| wrong("the address is none"))?,
            None => Config::new(),
        };
        if let Some(host) = settings.get("host") {
            config.host(host);
        }
        if let Some(port) = settings.get("port") {
            config.port(port.parse().map_err(|_| wrong("`port` should be a number"))?);
        }
        if let Some(user) = settings.get("user").or_else(|| settings.get("username")) {
            config.user(user);
        }
        if let Some(password) = settings.get("password") {
            config.password(password);
        }
        if let Some(database) = settings.get("database").or_else(|| settings.get("dbname")) {
            config.dbname(database);
        }
        match settings.get("sslmode").as_deref() {
            None => {}
            Some("disable") => drop(config.ssl_mode(SslMode::Disable)),
            Some("allow" | "prefer") => drop(config.ssl_mode(SslMode::Prefer)),
            Some("require" | "verify-ca" | "verify-full") => {
                config.ssl_mode(SslMode::Require);
            }
            Some(_) => return Err(wrong("`sslmode` should be disable, prefer or require")),
        }
        if config.get_hosts().is_empty() {
            return Err(wrong("neither `url` nor `host` is set"));
        }
        config.application_name("ctct");
        let schema = settings.get("schema").unwrap_or_else(|| "public".to_owned());
        Ok(Self { name: name.to_owned(), schema, config })
    }

    /// Opens a connection. Times are exchanged in UTC.
    ///
    /// # Errors
    /// Where the server cannot be reached or does not let us in.
    pub async fn connect(&self) -> Result<Client> {
        let unreachable = |source: tokio_postgres::Error| {
            let said = Error::from(source);
            Error::new(ErrorKind::Target, format!("target {}: {said}", self.name))
                .with_hint(format!("see what `ctct conns list` has for {}", self.name))
                .with_source(said)
        };
        let client = if self.config.get_ssl_mode() == SslMode::Disable {
            let (client, connection) = self.config.connect(NoTls).await.map_err(unreachable)?;
            spawn(connection);
            client
        } else {
            let (client, connection) = self.config.connect(tls()?).await.map_err(unreachable)?;
            spawn(connection);
            client
        };
        client.batch_execute("SET TIME ZONE 'UTC'; SET client_min_messages = warning").await?;
        Ok(client)
    }
}

/// Runs a connection until its client is dropped, which ends the task.
fn spawn<S, T>(connection: tokio_postgres::Connection<S, T>)
where
    tokio_postgres::Connection<S, T>:
        Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    drop(tokio::runtime::Handle::current().spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("the connection to PostgreSQL ended: {error}");
        }
    }));
}

/// TLS with the roots that the system trusts.
fn tls() -> Result<MakeRustlsConnect> {
    use rustls_platform_verifier::ConfigVerifierExt;
    drop(rustls::crypto::ring::default_provider().install_default());
    let config = rustls::ClientConfig::with_platform_verifier().map_err(|source| {
        Error::new(ErrorKind::Target, "TLS could not be set up").with_source(source)
    })?;
    Ok(MakeRustlsConnect::new(config))
}
