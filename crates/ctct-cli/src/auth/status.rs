//! What there is to tell about a login.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use chrono::{DateTime, Utc};
use ctct_client::{Client, LoginKind, LoginStatus};

use crate::arguments::Format;
use crate::exit::Failure;
use crate::report::harmless;
use crate::{output, run};

/// A login that ends within so many days is worth a word.
const SOON: i64 = 30;

/// A login in a few words, for a list.
pub(crate) fn in_short(status: &LoginStatus) -> String {
    match status.kind {
        LoginKind::LoggedOut => "not logged in".to_owned(),
        LoginKind::ConfiguredAccessToken => "access token in its configuration".to_owned(),
        LoginKind::ConfiguredRefreshToken => "refresh token in its configuration".to_owned(),
        LoginKind::LoggedIn => match &status.user {
            Some(user) => format!("logged in as {}", harmless(user)),
            None => "logged in".to_owned(),
        },
    }
}

/// What is said after a login.
pub(super) fn logged_in(name: &str, status: &LoginStatus) -> String {
    let mut text = format!("{name} is {}.", in_short(status));
    if status.days_left.is_none() {
        text.push_str(
            " Without the scope offline_access there is no refresh token: this login ends within a day.",
        );
    }
    text
}

/// Shows everything, and no secret.
pub(super) async fn show(client: &Client, format: Format) -> Result<(), Failure> {
    let status = client.login_status().await?;
    if format != Format::Table {
        let batch = batch(client, &status).map_err(|error| Failure::other(error.to_string()))?;
        return run::print_batch(batch, format).await;
    }
    for line in lines(client, &status) {
        output::line(&line)?;
    }
    Ok(())
}

fn lines(client: &Client, status: &LoginStatus) -> Vec<String> {
    let connection = client.connection();
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
    let mut lines = vec![format!("{}: {}", connection.name, in_short(status))];
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("  {name:<13} {}", harmless(&value)));
        }
    };
    line("account", status.account.clone());
    line("configured in", Some(connection.origin.clone()));
    line("application", Some(connection.client_id.clone()));
    line("scopes", Some(status.scopes.join(" ")).filter(|scopes| !scopes.is_empty()));
    line("logged in", status.logged_in_at.map(time));
    line("renewed", status.renewed_at.filter(|at| status.logged_in_at != Some(*at)).map(time));
    line("access token", access(status));
    line("refresh token", refresh(status));
    line(
        "kept in",
        status.place.as_ref().map(|place| format!("{} (for you alone)", place.display())),
    );
    match status.kind {
        LoginKind::LoggedOut => line("next", Some(format!("ctct auth login {}", connection.name))),
        LoginKind::ConfiguredAccessToken => {
            line(
                "note",
                Some(
                    "it lasts a day, and nobody renews it; `ctct auth login` does better"
                        .to_owned(),
                ),
            );
        }
        LoginKind::ConfiguredRefreshToken => {
            line("note", Some("it is used for the first time with the next request".to_owned()));
        }
        LoginKind::LoggedIn => {}
    }
    lines
}

fn access(status: &LoginStatus) -> Option<String> {
    (status.kind == LoginKind::LoggedIn).then(|| match status.access_expires_at {
        Some(at) if at <= Utc::now() => "has ended; the next request renews it".to_owned(),
        Some(at) => format!("until {}, and renewed before", at.format("%Y-%m-%d %H:%M UTC")),
        None => "used until it is refused".to_owned(),
    })
}

fn refresh(status: &LoginStatus) -> Option<String> {
    if status.kind != LoginKind::LoggedIn {
        return None;
    }
    let Some(days) = status.days_left else {
        return Some(
            "none: the scope offline_access was not given, so the login ends within a day"
                .to_owned(),
        );
    };
    let kind = match status.rotates {
        Some(true) => "good once and renewed with each use",
        Some(false) => "long-lived",
        None => "not used yet",
    };
    let mut text = format!("{kind}; ends if it is not used for {} days", days.max(0));
    if days <= SOON {
        text.push_str(" (soon: any request, or `ctct auth refresh`, keeps it alive)");
    }
    Some(text)
}

fn batch(client: &Client, status: &LoginStatus) -> Result<RecordBatch, arrow::error::ArrowError> {
    let connection = client.connection();
    let text = |value: Option<String>| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
    let time = |at: Option<DateTime<Utc>>| {
        text(at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)))
    };
    RecordBatch::try_from_iter_with_nullable([
        ("connection", text(Some(connection.name.clone())), false),
        ("login", text(Some(in_short(status))), false),
        ("account", text(status.account.clone()), true),
        ("user", text(status.user.clone()), true),
        ("scopes", text(Some(status.scopes.join(" "))), false),
        ("configured_in", text(Some(connection.origin.clone())), false),
        ("client_id", text(Some(connection.client_id.clone())), false),
        ("logged_in_at", time(status.logged_in_at), true),
        ("renewed_at", time(status.renewed_at), true),
        ("access_expires_at", time(status.access_expires_at), true),
        ("refresh_days_left", Arc::new(Int64Array::from(vec![status.days_left])), true),
        ("kept_in", text(status.place.as_ref().map(|place| place.display().to_string())), true),
    ])
}
