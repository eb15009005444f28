//! A login, step by step: say what will happen, open a browser, wait for what comes back.

use std::path::Path;
use std::time::Duration;

use ctct_client::{
    AuthorizationAnswer, AuthorizationRequest, Client, DevicePrompt, Error, Listener, LoginStatus,
    Return,
};

use super::{browser, wanted};
use crate::arguments::LoginOptions;
use crate::exit::Failure;
use crate::pasted::Pasted;
use crate::report::{Report, harmless};

/// An authorization code is good for five minutes; nobody takes longer to allow it.
const PATIENCE: Duration = Duration::from_mins(5);

/// Logs the client's connection in.
pub(super) async fn log_in(
    client: &Client,
    options: &LoginOptions,
    no_input: bool,
    report: &Report,
) -> Result<LoginStatus, Failure> {
    let scopes = wanted(&options.scopes);
    if options.device {
        return Ok(client.device_login(&scopes, |prompt| show_device(&prompt, *report)).await?);
    }
    let request = AuthorizationRequest::new(client.connection(), &scopes)?;
    let redirect_uri = &client.connection().inputs.redirect_uri;
    let listener = match Return::of(redirect_uri, options.tls_listener)? {
        Return::Paste => None,
        Return::Listen(at) => match Listener::bind(at).await {
            Ok(listener) => Some(listener),
            Err(error) if options.tls_listener || no_input => return Err(error.into()),
            // Pasting works all the same.
            Err(error) => {
                report.warning(&format!("{error}; the address will have to be pasted"));
                None
            }
        },
    };
    if listener.is_none() && no_input {
        return Err(Failure::with_hint(
            4,
            format!("a login that ends at {redirect_uri} needs somebody to paste an address"),
            "use `ctct auth url` and `ctct auth finish`".to_owned(),
        ));
    }
    write_url(&request, options.url_file.as_deref())?;
    explain(&request, redirect_uri, listener.is_some(), options, *report);
    let answer = answer(&request, listener, options, no_input, *report).await?;
    Ok(client.finish_login(&request, &answer).await?)
}

/// Writes the address into a file, where it can be copied without a terminal's line breaks.
pub(super) fn write_url(
    request: &AuthorizationRequest,
    path: Option<&Path>,
) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    std::fs::write(path, format!("{}\n", request.url()))
        .map_err(|error| Failure::other(format!("{} cannot be written: {error}", path.display())))
}

/// Says beforehand what will happen, and shows the address on a line of its own.
fn explain(
    request: &AuthorizationRequest,
    redirect_uri: &str,
    listening: bool,
    options: &LoginOptions,
    report: Report,
) {
    let opened = !options.no_browser && report.may_open_a_browser() && browser::open(request.url());
    let where_to = if opened {
        "A browser opens to allow the access. If it does not, open this address:"
    } else {
        "Open this address in a browser, and allow the access:"
    };
    report.note(&format!("{where_to}\n\n{}\n", report.link(request.url())));
    if options.tls_listener {
        report.note(
            "The browser will then warn that the certificate of this machine is not known. It is made for this \
             login alone: go on to the page (Advanced, Proceed).",
        );
    }
    if listening {
        report.note(&format!(
            "Waiting for the browser to come back to {redirect_uri}. If it cannot (another machine, a container), \
             paste the whole address that it ended at:"
        ));
    } else {
        report.note(
            "The browser will then say that it cannot connect: that is expected. Copy its whole address and \
             paste it here:",
        );
    }
}

/// Whatever comes first: the browser, or what is pasted.
async fn answer(
    request: &AuthorizationRequest,
    listener: Option<Listener>,
    options: &LoginOptions,
    no_input: bool,
    report: Report,
) -> Result<AuthorizationAnswer, Failure> {
    let listening = listener.is_some();
    let came_back = async {
        match listener {
            Some(listener) => listener.answer(request).await,
            None => std::future::pending().await,
        }
    };
    let pasted = async {
        if no_input {
            return std::future::pending().await;
        }
        pasted(request, options.allow_bare_code, listening, report).await
    };
    tokio::select! {
        answer = came_back => Ok(answer?),
        answer = pasted => answer,
        () = tokio::time::sleep(PATIENCE) => Err(Failure::with_hint(
            4,
            "nobody allowed the access within five minutes".to_owned(),
            "start again: ctct auth login".to_owned(),
        )),
    }
}

/// What somebody pastes, until it is the answer.
async fn pasted(
    request: &AuthorizationRequest,
    allow_bare_code: bool,
    listening: bool,
    report: Report,
) -> Result<AuthorizationAnswer, Failure> {
    let mut input = Pasted::new();
    let mut last: Option<Error> = None;
    while let Some(piece) = input.next().await {
        let piece = piece
            .map_err(|error| Failure::other(format!("standard input cannot be read: {error}")))?;
        if piece.trim().is_empty() {
            continue;
        }
        match request.answer(&piece, allow_bare_code) {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is_authentication() => return Err(error.into()),
            Err(error) => {
                report.warning(&harmless(&error.to_string()));
                report.note(&format!(
                    "Once more: {}:",
                    error.hint().unwrap_or("paste the whole address")
                ));
                last = Some(error);
            }
        }
    }
    // Nothing more can be pasted; a browser may still come back.
    match last {
        Some(error) => Err(error.into()),
        None if listening => std::future::pending().await,
        None => Err(Failure::with_hint(
            4,
            "nothing was pasted".to_owned(),
            "where nobody can paste, use `ctct auth url` and `ctct auth finish`".to_owned(),
        )),
    }
}

fn show_device(prompt: &DevicePrompt, report: Report) {
    report.note(&format!(
        "Open this address on any machine, and type the code {}:\n\n{}\n\nWaiting for the access to be allowed…",
        harmless(&prompt.code),
        report.link(&harmless(prompt.complete_address.as_ref().unwrap_or(&prompt.address))),
    ));
}
