//! `ctct auth`: logging in and out, and the login that a first query begins by itself.

mod browser;
mod login;
mod status;

use std::io::{IsTerminal, Read};
use std::path::Path;

use ctct_client::{AuthorizationRequest, Client, ErrorKind, LoginKind, SCOPES};
use secrecy::{ExposeSecret, SecretString};

use crate::arguments::{Arguments, AuthAction, AuthCommand, LoginOptions};
use crate::exit::Failure;
use crate::report::Report;
use crate::setup::Setup;
use crate::{output, setup};

pub(crate) use status::in_short;

/// Does what was asked for.
pub(crate) async fn auth(
    command: &AuthCommand,
    arguments: &Arguments,
    report: &Report,
) -> Result<(), Failure> {
    if arguments.sandbox {
        return Err(Failure::with_hint(
            2,
            "the built-in sandbox needs no login".to_owned(),
            "to try one: ctct sandbox serve, in another terminal".to_owned(),
        ));
    }
    let name = match &command.action {
        AuthAction::Login { name, .. }
        | AuthAction::Url { name, .. }
        | AuthAction::Finish { name, .. }
        | AuthAction::Status { name }
        | AuthAction::Refresh { name }
        | AuthAction::Logout { name }
        | AuthAction::Export { name, .. }
        | AuthAction::Import { name, .. } => name.as_deref().or(arguments.conn.as_deref()),
    };
    let mut connections = setup::connections();
    let connection = connections.choose(name)?.ok_or_else(no_connection)?;
    let client = setup::client(connection);
    match &command.action {
        AuthAction::Login { options, .. } => {
            check_can_log_in(&client)?;
            let status = login::log_in(&client, options, arguments.no_input, report).await?;
            report.note(&status::logged_in(&connection.name, &status));
            Ok(())
        }
        AuthAction::Url { scopes, url_file, .. } => {
            check_can_log_in(&client)?;
            let request = AuthorizationRequest::new(client.connection(), &wanted(scopes))?;
            client.begin_login(&request).await?;
            login::write_url(&request, url_file.as_deref())?;
            output::line(request.url())?;
            report.note(&format!(
                "Open this address in any browser and allow the access. The browser then ends at a page that it \
                 cannot show: that is expected. Copy its whole address, and give it to:\n  ctct auth finish {}",
                connection.name
            ));
            Ok(())
        }
        AuthAction::Finish { file, allow_bare_code, .. } => {
            let pasted =
                read_secret(file.as_deref(), "the address that the browser ended at", *report)?;
            let request = client.begun_login().await?;
            let answer = request.answer(pasted.expose_secret(), *allow_bare_code)?;
            let status = client.finish_login(&request, &answer).await?;
            report.note(&status::logged_in(&connection.name, &status));
            Ok(())
        }
        AuthAction::Status { .. } => status::show(&client, arguments.format).await,
        AuthAction::Refresh { .. } => {
            let status = client.refresh_login().await?;
            report.note(&status::logged_in(&connection.name, &status));
            Ok(())
        }
        AuthAction::Logout { .. } => log_out(&client, report).await,
        AuthAction::Export { moves, .. } => export(&client, *moves, report).await,
        AuthAction::Import { file, .. } => {
            let text = read_secret(file.as_deref(), "what `ctct auth export` wrote", *report)?;
            let status = client.import_login(&text).await?;
            report.note(&status::logged_in(&connection.name, &status));
            Ok(())
        }
    }
}

/// Runs something; where it fails because nobody has logged in yet, and somebody is there
/// to do it, logs in first and runs it once more. Nothing was sent the first time.
pub(crate) async fn with_login<T>(
    setup: &Setup,
    arguments: &Arguments,
    report: &Report,
    run: impl AsyncFn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let sent = setup.traffic.sent();
    let failure = match run().await {
        Err(failure) if failure.is_authentication() && setup.traffic.sent() == sent => failure,
        outcome => return outcome,
    };
    let attended = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let Some(connection) = setup.connection.as_ref().filter(|_| attended && !arguments.no_input)
    else {
        return Err(failure);
    };
    let client = Client::new(connection.clone(), std::sync::Arc::clone(&setup.traffic));
    let logged_out = connection.access_token.is_none()
        && connection.refresh_token.is_none()
        && client.login_status().await.is_ok_and(|status| status.kind == LoginKind::LoggedOut);
    if !logged_out {
        return Err(failure);
    }
    report.note(&format!("Connection {} is not logged in yet.", connection.name));
    let status = login::log_in(&client, &LoginOptions::default(), false, report).await?;
    report.note(&status::logged_in(&connection.name, &status));
    run().await
}

/// Logs in a connection that was just set.
pub(crate) async fn log_in_first(
    client: &Client,
    arguments: &Arguments,
    report: Report,
) -> Result<(), Failure> {
    let status =
        login::log_in(client, &LoginOptions::default(), arguments.no_input, &report).await?;
    report.note(&status::logged_in(&client.connection().name, &status));
    Ok(())
}

/// The failure of whoever needs a connection where there is none.
pub(crate) fn no_connection() -> Failure {
    Failure::with_hint(
        1,
        "no connection is configured".to_owned(),
        "`ctct conns set --help` shows how to set one; --sandbox needs none".to_owned(),
    )
}

/// The scopes to ask for.
fn wanted(scopes: &[String]) -> Vec<String> {
    if scopes.is_empty() { SCOPES.map(str::to_owned).to_vec() } else { scopes.to_vec() }
}

/// A configured access token would count instead of the login.
fn check_can_log_in(client: &Client) -> Result<(), Failure> {
    let connection = client.connection();
    if connection.access_token.is_none() || connection.refresh_token.is_some() {
        return Ok(());
    }
    Err(Failure::with_hint(
        1,
        format!(
            "connection {} has an `access_token` in its configuration, which would count instead of a login",
            connection.name
        ),
        format!("take it out of {} first", connection.origin),
    ))
}

async fn log_out(client: &Client, report: &Report) -> Result<(), Failure> {
    let name = client.connection().name.clone();
    let gone = client.log_out().await?;
    if !gone.removed {
        report.note(&format!("{name} was not logged in"));
        return Ok(());
    }
    if gone.shared_with.is_empty() {
        report.note(&format!(
            "{name}: its tokens are removed from this machine. Constant Contact documents no way to revoke them: \
             an access token stays good for a day at most, a refresh token until it is not used for 180 days."
        ));
    } else {
        report.note(&format!(
            "{name} is logged out; {} goes on with the same account's tokens",
            gone.shared_with.join(", ")
        ));
    }
    Ok(())
}

async fn export(client: &Client, moves: bool, report: &Report) -> Result<(), Failure> {
    let name = &client.connection().name;
    if std::io::stdout().is_terminal() {
        return Err(Failure::with_hint(
            2,
            "a login is not for a terminal to show".to_owned(),
            format!("write it to a file: ctct auth export {name} > login.json"),
        ));
    }
    let text = client.export_login().await?;
    output::line(text.expose_secret())?;
    if moves {
        client.log_out().await?;
        report.note(&format!("{name} is logged out here; its login is in what was written"));
    } else {
        report.warning(
            "use this login on one machine only: whoever renews rotating tokens first logs everybody else out; \
             --move removes it here",
        );
    }
    Ok(())
}

/// A secret from a file, or from standard input.
fn read_secret(file: Option<&Path>, what: &str, report: Report) -> Result<SecretString, Failure> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::other(format!("{} cannot be read: {error}", path.display()))
        })?;
        return Ok(text.into());
    }
    if std::io::stdin().is_terminal() {
        report.note(&format!("Paste {what}, and end with Enter and Ctrl-D:"));
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::other(format!("standard input cannot be read: {error}")))?;
    Ok(text.into())
}

impl Failure {
    /// Whether somebody has to log in first.
    fn is_authentication(&self) -> bool {
        matches!(self, Self::Said { code, .. } if *code == Self::code_of(ErrorKind::Authentication))
    }
}
