//! Logging in and out, and what there is to tell about a login.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use oauth2::StandardDeviceAuthorizationResponse;
use secrecy::{ExposeSecret, SecretString};

use super::authorize::{AuthorizationAnswer, AuthorizationRequest};
use super::exchange::{self, NoTokens};
use super::grant::{Grant, mark};
use super::keeper::{self, Keeper, blocking};
use super::response::Tokens;
use super::store::{Interrupted, Locked};
use crate::{Client, Connection, Error, ErrorKind, Result};

/// A login that was begun is good for this long.
const PENDING_SECONDS: i64 = 3_600;

/// What there is to tell about a connection's login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginStatus {
    /// How the connection is let in.
    pub kind: LoginKind,
    /// The account's identifier, where the token tells it.
    pub account: Option<String>,
    /// The user who logged in, where the token tells.
    pub user: Option<String>,
    /// What the token may be used for; empty where nobody told.
    pub scopes: Vec<String>,
    /// When the access token ends; none where nobody told.
    pub access_expires_at: Option<DateTime<Utc>>,
    /// When somebody logged in.
    pub logged_in_at: Option<DateTime<Utc>>,
    /// When the tokens were renewed last.
    pub renewed_at: Option<DateTime<Utc>>,
    /// Days after which the login ends if it is not used; none without a refresh token.
    pub days_left: Option<i64>,
    /// Whether each refresh token is good once; none before the first renewal.
    pub rotates: Option<bool>,
    /// The file that holds the tokens.
    pub place: Option<PathBuf>,
}

/// How a connection is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginKind {
    /// Somebody logged in.
    LoggedIn,
    /// By the access token in its configuration, which nobody renews.
    ConfiguredAccessToken,
    /// By the refresh token in its configuration, which was not used yet.
    ConfiguredRefreshToken,
    /// Not at all yet.
    LoggedOut,
}

/// What a device login shows its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePrompt {
    /// The address to open on any other machine.
    pub address: String,
    /// The code to type there.
    pub code: String,
    /// The address that has the code in it, where there is one.
    pub complete_address: Option<String>,
}

/// What is left of a login that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOut {
    /// Whether there were tokens to remove.
    pub removed: bool,
    /// Other connections that go on with the same account's tokens.
    pub shared_with: Vec<String>,
}

impl Client {
    /// What there is to tell about the connection's login. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the tokens cannot be read.
    pub async fn login_status(&self) -> Result<LoginStatus> {
        let now = self.transport.seconds();
        let grant =
            if Keeper::can_renew(&self.connection) { self.stored(now).await? } else { None };
        let kind = match &grant {
            None if self.connection.access_token.is_some() => LoginKind::ConfiguredAccessToken,
            None => LoginKind::LoggedOut,
            Some(grant)
                if grant.previous.is_none() && grant.seed.is_some() && grant.lifetime.is_none() =>
            {
                LoginKind::ConfiguredRefreshToken
            }
            Some(_) => LoginKind::LoggedIn,
        };
        Ok(status(kind, grant.as_ref().filter(|_| kind == LoginKind::LoggedIn), self, now))
    }

    /// Tokens for what a browser brought back; the connection is logged in then.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] where the server refuses the code,
    /// [`ErrorKind::Storage`], with nothing sent, where tokens cannot be stored.
    pub async fn finish_login(
        &self,
        request: &AuthorizationRequest,
        answer: &AuthorizationAnswer,
    ) -> Result<LoginStatus> {
        let (transport, connection) = (Arc::clone(&self.transport), Arc::clone(&self.connection));
        let (request, answer) = (request.clone(), answer.clone());
        self.log_in_with(async move {
            exchange::of_code(
                &transport,
                &connection,
                &request.redirect_uri,
                &answer.code,
                &request.verifier,
            )
            .await
        })
        .await
    }

    /// Logs in by a code that is typed on another machine. `show` is told what to show.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] where access was not given in time.
    pub async fn device_login(
        &self,
        scopes: &[String],
        show: impl FnOnce(DevicePrompt) + Send,
    ) -> Result<LoginStatus> {
        let device = exchange::device(&self.transport, &self.connection, scopes).await;
        let device = device.map_err(|failure| {
            failure.into_error("a device's login", "the application must allow the device flow")
        })?;
        show(prompt(&device));
        let (transport, connection) = (Arc::clone(&self.transport), Arc::clone(&self.connection));
        self.log_in_with(async move { exchange::of_device(&transport, &connection, &device).await })
            .await
    }

    /// Renews the tokens now.
    ///
    /// # Errors
    /// As for a request that needs a token.
    pub async fn refresh_login(&self) -> Result<LoginStatus> {
        if !Keeper::can_renew(&self.connection) {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("connection {} has an access token in its configuration, which cannot be renewed", self.connection.name),
            )
            .with_hint(format!("take `access_token` out of {} and log in", self.connection.origin)));
        }
        let now = self.transport.seconds();
        let stored =
            self.stored(now).await?.ok_or_else(|| keeper::not_logged_in(&self.connection))?;
        self.transport.renew(&self.connection, Some(stored.access_token)).await?;
        self.login_status().await
    }

    /// Removes the connection's tokens from this machine.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where they cannot be removed.
    pub async fn log_out(&self) -> Result<LoggedOut> {
        let tokens = keeper::store(&self.transport)?;
        let connection = Arc::clone(&self.connection);
        self.transport.keeper().know(None);
        blocking(move || {
            let locked = tokens.lock(&connection.client_id)?;
            let account = tokens.account_of(&connection.client_id, &connection.name)?;
            let Some(account) = account else {
                return Ok(LoggedOut { removed: false, shared_with: Vec::new() });
            };
            locked.link(&connection.name, None)?;
            let shared_with = locked.linked(&account)?;
            if !shared_with.is_empty() {
                return Ok(LoggedOut { removed: true, shared_with });
            }
            Ok(LoggedOut { removed: locked.forget(&account, None)?, shared_with })
        })
        .await
    }

    /// The login as text, to be taken to another machine. The text is secret.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] where there is no login.
    pub async fn export_login(&self) -> Result<SecretString> {
        let now = self.transport.seconds();
        let grant =
            self.stored(now).await?.ok_or_else(|| keeper::not_logged_in(&self.connection))?;
        grant.to_text().map_err(|source| {
            Error::new(ErrorKind::Storage, "the login cannot be written down").with_source(source)
        })
    }

    /// Takes over a login that was exported elsewhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] where the text is no login of this application.
    pub async fn import_login(&self, text: &SecretString) -> Result<LoginStatus> {
        let wrong = |why: String| {
            Error::new(ErrorKind::InvalidRequest, format!("this is no login: {why}"))
                .with_hint("give what `ctct auth export` wrote")
        };
        let mut grant = Grant::from_text(text.expose_secret().trim()).map_err(wrong)?;
        if grant.client_id != self.connection.client_id {
            return Err(wrong("it is of another application (client_id)".to_owned()));
        }
        grant.seed = self.connection.refresh_token.as_ref().map(mark);
        let locked = self.lock_and_prove().await?;
        self.keep(locked, grant).await
    }

    /// Begins a login whose answer another process will bring.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where that cannot be written down.
    pub async fn begin_login(&self, request: &AuthorizationRequest) -> Result<()> {
        let tokens = keeper::store(&self.transport)?;
        let text = request.to_text(self.transport.seconds())?;
        let connection = Arc::clone(&self.connection);
        blocking(move || tokens.lock(&connection.client_id)?.begin(&connection.name, &text)).await
    }

    /// The login that was begun last, for its answer. It is good for an hour.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] where none was begun.
    pub async fn begun_login(&self) -> Result<AuthorizationRequest> {
        let tokens = keeper::store(&self.transport)?;
        let connection = Arc::clone(&self.connection);
        let text =
            blocking(move || tokens.lock(&connection.client_id)?.begun(&connection.name)).await?;
        let now = self.transport.seconds();
        text.and_then(|text| AuthorizationRequest::from_text(text.expose_secret()))
            .filter(|(_, begun_at)| (now - begun_at).abs() < PENDING_SECONDS)
            .map(|(request, _)| request)
            .ok_or_else(|| {
                Error::new(ErrorKind::InvalidRequest, "no login was begun within the last hour")
                    .with_hint(format!("begin with: ctct auth url {}", self.connection.name))
            })
    }

    async fn stored(&self, now: i64) -> Result<Option<Grant>> {
        let Ok(tokens) = keeper::store(&self.transport) else { return Ok(None) };
        let connection = Arc::clone(&self.connection);
        blocking(move || {
            let read = |account: &str| tokens.read(&connection.client_id, account);
            keeper::stored(&tokens, &connection, read, now)
        })
        .await
    }

    /// Proves that tokens can be stored before anything is spent for them.
    async fn lock_and_prove(&self) -> Result<Locked> {
        let tokens = keeper::store(&self.transport)?;
        let connection = Arc::clone(&self.connection);
        blocking(move || {
            let locked = tokens.lock(&connection.client_id)?;
            let note = Interrupted { refresh_began_at: 0, spending: "login".to_owned() };
            let reservation = locked.reserve(None, &note)?;
            reservation.release();
            Ok(locked)
        })
        .await
    }

    /// Has tokens and stores them. What is begun runs to its end.
    async fn log_in_with(
        &self,
        had: impl Future<Output = Result<Tokens, NoTokens>> + Send + 'static,
    ) -> Result<LoginStatus> {
        drop(self.lock_and_prove().await?);
        let busy = self.traffic().busy();
        let tokens = tokio::runtime::Handle::current().spawn(had).await;
        let tokens = tokens.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the login was given up").with_source(error)
        })?;
        let tokens = tokens.map_err(|failure| {
            let name = &self.connection.name;
            failure.into_error(
                &format!("the login of connection {name}"),
                "a code is good for five minutes, and once; if the client is what is refused, check \
                 `client_id`, `client_secret` and `redirect_uri`",
            )
        })?;
        let now = self.transport.seconds();
        let mut grant = Grant::new(&self.connection.client_id, &self.connection.name, tokens, now);
        // A login supersedes the refresh token of the configuration, until that changes.
        grant.seed = self.connection.refresh_token.as_ref().map(mark);
        let locked = self.lock_and_prove().await?;
        let status = self.keep(locked, grant).await;
        drop(busy);
        status
    }

    async fn keep(&self, locked: Locked, grant: Grant) -> Result<LoginStatus> {
        let (connection, stored) = (Arc::clone(&self.connection), grant.clone());
        blocking(move || {
            let account = &stored.account.id;
            let note = Interrupted { refresh_began_at: 0, spending: "login".to_owned() };
            let reservation = locked.reserve(Some(account), &note)?;
            locked.store(reservation, &stored)?;
            locked.link(&connection.name, Some(account))?;
            locked.end(&connection.name)
        })
        .await?;
        let now = self.transport.seconds();
        let status = status(LoginKind::LoggedIn, Some(&grant), self, now);
        self.transport.keeper().know(Some(grant));
        Ok(status)
    }
}

fn status(kind: LoginKind, grant: Option<&Grant>, client: &Client, now: i64) -> LoginStatus {
    let at = |seconds: i64| DateTime::from_timestamp(seconds, 0);
    let connection: &Connection = &client.connection;
    let known = grant.filter(|grant| {
        grant.account.user.is_some() || grant.account.id != connection.name.to_lowercase()
    });
    let place = keeper::store(&client.transport).ok();
    LoginStatus {
        kind,
        account: known.map(|grant| grant.account.id.clone()),
        user: grant.and_then(|grant| grant.account.user.clone()),
        scopes: grant.map(|grant| grant.scopes.clone()).unwrap_or_default(),
        access_expires_at: grant.and_then(|grant| at(grant.received_at + grant.lifetime?)),
        logged_in_at: grant.and_then(|grant| at(grant.logged_in_at)),
        renewed_at: grant.and_then(|grant| at(grant.received_at)),
        days_left: grant
            .and_then(|grant| grant.refresh_token.as_ref().map(|_| grant.days_left(now))),
        rotates: grant.and_then(|grant| grant.rotates),
        place: grant
            .zip(place)
            .map(|(grant, store)| store.place(&grant.client_id, &grant.account.id)),
    }
}

fn prompt(device: &StandardDeviceAuthorizationResponse) -> DevicePrompt {
    DevicePrompt {
        address: device.verification_uri().to_string(),
        code: device.user_code().secret().clone(),
        complete_address: device
            .verification_uri_complete()
            .map(|address| address.secret().clone()),
    }
}
