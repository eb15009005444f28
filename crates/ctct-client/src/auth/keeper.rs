//! The token that a request carries: had from where it is kept, renewed shortly before its
//! end or once after it was refused, by one among any number of tasks and processes.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::DateTime;
use secrecy::{ExposeSecret, SecretString};

use super::exchange::{self, NoTokens};
use super::grant::{Grant, mark};
use super::stop::stop_point;
use super::store::{Interrupted, Locked, TokenStore};
use crate::transport::Transport;
use crate::{Connection, Error, ErrorKind, Result};

/// Keeps the tokens of one connection.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    known: Mutex<Option<Grant>>,
    /// Held while this process renews: a burst of tasks waits here, and not at the file.
    gate: tokio::sync::Mutex<()>,
}

impl Keeper {
    /// Whether the connection's token can be renewed at all.
    pub(crate) fn can_renew(connection: &Connection) -> bool {
        connection.access_token.is_none() || connection.refresh_token.is_some()
    }

    /// What is known of the login, without looking again.
    pub(super) fn known(&self) -> Option<Grant> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn know(&self, grant: Option<Grant>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = grant;
    }
}

/// Runs something that waits for files.
pub(super) async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(run).await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Unavailable, "the tokens could not be looked at")
            .with_source(error))
    })
}

/// Where the connection's tokens are kept.
pub(super) fn store(transport: &Transport) -> Result<TokenStore> {
    transport.traffic().tokens().cloned().ok_or_else(|| {
        Error::new(ErrorKind::Configuration, "there is no folder to keep tokens in").with_hint(
            "set HOME or CTCT_HOME, or put an `access_token` into the connection's `secrets`",
        )
    })
}

/// What the connection is logged in with: what is stored, unless the connection's own
/// refresh token is another one than that began with.
pub(super) fn stored(
    store: &TokenStore,
    connection: &Connection,
    read: impl Fn(&str) -> Result<Option<Grant>>,
    now: i64,
) -> Result<Option<Grant>> {
    let account = store.account_of(&connection.client_id, &connection.name)?;
    let stored = account.map(|account| read(&account)).transpose()?.flatten();
    let Some(refresh_token) = &connection.refresh_token else { return Ok(stored) };
    let seed = mark(refresh_token);
    Ok(stored.filter(|grant| grant.seed.as_ref() == Some(&seed)).or_else(|| {
        let access_token = connection.access_token.as_ref();
        Some(Grant::seeded(
            &connection.client_id,
            &connection.name,
            refresh_token,
            access_token,
            now,
        ))
    }))
}

impl Transport {
    /// The token for the next request.
    pub(crate) async fn bearer(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
    ) -> Result<SecretString> {
        if let Some(token) =
            connection.access_token.as_ref().filter(|_| !Keeper::can_renew(connection))
        {
            return Ok(token.clone());
        }
        let now = self.seconds();
        if let Some(grant) = self.keeper().known().filter(|grant| grant.is_fresh(now)) {
            return Ok(grant.access_token);
        }
        // Another process may have renewed it long ago.
        let tokens = store(self).map_err(|error| match &connection.refresh_token {
            Some(_) => error,
            // Whoever embeds this, and keeps no logins, gives tokens.
            None => no_token(connection),
        })?;
        let owner = Arc::clone(connection);
        let found = blocking(move || {
            let read = |account: &str| tokens.read(&owner.client_id, account);
            stored(&tokens, &owner, read, now)
        });
        let found = found.await?.ok_or_else(|| not_logged_in(connection))?;
        if found.is_fresh(now) {
            let token = found.access_token.clone();
            self.keeper().know(Some(found));
            return Ok(token);
        }
        let alive = found.is_alive(now).then(|| found.access_token.clone());
        self.keeper().know(Some(found));
        match (self.renew(connection, None).await, alive) {
            // It is still good for a while; the next request tries again.
            (Err(error), Some(token)) if error.kind() != ErrorKind::Authentication => {
                tracing::warn!("the access token could not be renewed yet: {error}");
                Ok(token)
            }
            (outcome, _) => outcome,
        }
    }

    /// A token other than the refused one.
    ///
    /// Runs to its end whatever becomes of the caller: what is begun may have spent the
    /// refresh token, and its successor must be stored.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        refused: Option<SecretString>,
    ) -> Result<SecretString> {
        let (transport, connection) = (Arc::clone(self), Arc::clone(connection));
        let renewing = async move { transport.renew_alone(&connection, refused).await };
        let renewed = tokio::runtime::Handle::current().spawn(renewing).await;
        renewed.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Unavailable, "renewing the access token was given up")
                .with_source(error))
        })
    }

    async fn renew_alone(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        refused: Option<SecretString>,
    ) -> Result<SecretString> {
        let _alone = self.keeper().gate.lock().await;
        let usable = |grant: &Grant, now| {
            let same = refused.as_ref().is_some_and(|refused| {
                refused.expose_secret() == grant.access_token.expose_secret()
            });
            !same && grant.is_fresh(now)
        };
        if let Some(grant) = self.keeper().known().filter(|grant| usable(grant, self.seconds())) {
            return Ok(grant.access_token);
        }
        let tokens = store(self)?;
        let (owner, now) = (Arc::clone(connection), self.seconds());
        let (locked, grant, interrupted) = blocking(move || {
            let locked = tokens.lock(&owner.client_id)?;
            let account = tokens.account_of(&owner.client_id, &owner.name)?;
            let mut interrupted = locked.recover(account.as_deref())?;
            if account.is_some() {
                // A first renewal begins before anybody knows the account.
                interrupted = interrupted.or(locked.recover(None)?);
            }
            let grant = stored(&tokens, &owner, |account| locked.read(account), now)?;
            Ok((locked, grant.map(|grant| (grant, account)), interrupted))
        })
        .await?;
        let Some((grant, account)) = grant else {
            self.keeper().know(None);
            return Err(not_logged_in(connection));
        };
        if usable(&grant, now) {
            let token = grant.access_token.clone();
            self.keeper().know(Some(grant));
            return Ok(token);
        }
        self.refresh(connection, locked, grant, account, interrupted).await
    }

    /// Spends the refresh token, with the lock held and a place for its successor.
    async fn refresh(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        locked: Locked,
        grant: Grant,
        account: Option<String>,
        interrupted: Option<Interrupted>,
    ) -> Result<SecretString> {
        let Some(refresh_token) = grant.refresh_token.clone() else {
            return Err(Error::new(
                ErrorKind::Authentication,
                format!("the login of connection {} has ended", connection.name),
            )
            .with_hint(format!(
                "it came without a refresh token (scope offline_access); log in again: ctct auth login {}",
                connection.name
            )));
        };
        let now = self.seconds();
        let note = Interrupted { refresh_began_at: now, spending: mark(&refresh_token) };
        let _busy = self.traffic().busy();
        let (locked, reservation) = blocking(move || {
            let reservation = locked.reserve(account.as_deref(), &note)?;
            Ok((locked, reservation))
        })
        .await?;
        tracing::debug!("renewing the access token of connection {}", connection.name);
        stop_point("before-post");
        let answer = exchange::of_refresh_token(self, connection, &refresh_token).await;
        stop_point("after-post");
        let owner = Arc::clone(connection);
        match answer {
            Ok(new) => {
                let renewed = grant.refreshed(new, self.seconds());
                self.keeper().know(Some(renewed.clone()));
                let token = renewed.access_token.clone();
                let stored = blocking(move || {
                    // First, so that a grant that is stored is found, whatever comes between.
                    locked.link(&owner.name, Some(&renewed.account.id))?;
                    locked.store(reservation, &renewed)
                });
                if let Err(error) = stored.await {
                    tracing::warn!(
                        "{error}; this run goes on, but connection {} has to log in again after it",
                        connection.name
                    );
                }
                Ok(token)
            }
            Err(NoTokens::Refused { code, words }) if code == "invalid_grant" => {
                self.keeper().know(None);
                let (account, spent) = (grant.account.id.clone(), grant.refresh_mark());
                blocking(move || {
                    reservation.release();
                    locked.forget(&account, spent.as_deref())
                })
                .await?;
                Err(login_ended(connection, &grant, interrupted, &words))
            }
            // What it spent, if anything, is noted in the reservation.
            Err(NoTokens::Unknown(error)) => Err(error),
            Err(kept) => {
                blocking(move || {
                    reservation.release();
                    Ok(())
                })
                .await?;
                let refused = format!("renewing the login of connection {}", connection.name);
                Err(kept.into_error(
                    &refused,
                    "check `client_id` and `client_secret`; the login is kept",
                ))
            }
        }
    }

    /// Seconds since 1970 by this machine's clock.
    pub(super) fn seconds(&self) -> i64 {
        self.traffic().ledger().clock().now() / 1_000_000
    }
}

fn no_token(connection: &Connection) -> Error {
    Error::new(ErrorKind::Authentication, format!("connection {} has no access token", connection.name)).with_hint(
        "put an `access_token` into its `secrets`, or name a folder that can keep a login (HOME or CTCT_HOME)",
    )
}

pub(super) fn not_logged_in(connection: &Connection) -> Error {
    Error::new(
        ErrorKind::Authentication,
        format!("connection {} is not logged in", connection.name),
    )
    .with_hint(format!("log in once: ctct auth login {}", connection.name))
}

/// The refresh token is dead; why, as far as that can be known.
fn login_ended(
    connection: &Connection,
    grant: &Grant,
    interrupted: Option<Interrupted>,
    words: &str,
) -> Error {
    let name = &connection.name;
    let same = |note: &Interrupted| {
        note.spending.is_empty() || Some(&note.spending) == grant.refresh_mark().as_ref()
    };
    let message = match interrupted.filter(same) {
        Some(note) => {
            let when = match DateTime::from_timestamp(note.refresh_began_at, 0) {
                Some(at) if note.refresh_began_at > 0 => {
                    format!(" at {}", at.format("%Y-%m-%d %H:%M:%S UTC"))
                }
                _ => String::new(),
            };
            format!(
                "the login of connection {name} has ended: renewing it was interrupted{when}, after the refresh \
                 token was spent and before the new one was stored"
            )
        }
        None if words.is_empty() => format!("the login of connection {name} has ended"),
        None => format!("the login of connection {name} has ended: {words}"),
    };
    let hint = if connection.refresh_token.is_some() {
        format!(
            "put a new `refresh_token` into the `secrets` of {}, or log in: ctct auth login {name}",
            connection.origin
        )
    } else {
        format!("log in again: ctct auth login {name}")
    };
    Error::new(ErrorKind::Authentication, message).with_hint(hint)
}
