//! The first time: no connection yet, and two ways on.

use std::io::IsTerminal;

use console::Term;

use crate::arguments::Arguments;
use crate::conns;
use crate::exit::Failure;
use crate::report::Report;
use crate::setup::{Setup, USUAL_NAME, client, set_up};
use crate::{auth, setup};

const WELCOME: &str = "\
ctct asks Constant Contact in SQL. There is no connection yet; two ways on:
  s      a made-up account, nothing to sign up for (later: ctct --sandbox)
  a      your account: make an application in the developer portal, and have its
         API key at hand (ctct help connections says where, step by step)
  Enter  neither: files can be queried, SELECT * FROM 'file.parquet';";

/// Says how to go on without a connection, and does it where somebody wants that.
pub(super) async fn offer(
    setup: Setup,
    arguments: &mut Arguments,
    report: Report,
) -> Result<Setup, Failure> {
    report.note(WELCOME);
    if arguments.no_input || !std::io::stdin().is_terminal() {
        return Ok(setup);
    }
    let terminal = Term::stderr();
    loop {
        Report::question("s, a or Enter: ");
        // Whoever leaves here wants the shell without a connection.
        let answer = terminal.read_line().unwrap_or_default();
        match answer.trim().to_lowercase().as_str() {
            "" => return Ok(setup),
            "s" | "sandbox" => {
                arguments.sandbox = true;
                return set_up(arguments, None).await;
            }
            "a" | "account" => {
                if set_account_up(&terminal, arguments, report).await? {
                    return set_up(arguments, Some(USUAL_NAME)).await;
                }
            }
            other => report.note(&format!("{other:?} is neither s nor a")),
        }
    }
}

/// Asks for the key of an application, keeps it, and logs in.
async fn set_account_up(
    terminal: &Term,
    arguments: &Arguments,
    report: Report,
) -> Result<bool, Failure> {
    let read = |line: std::io::Result<String>| line.unwrap_or_default().trim().to_owned();
    Report::question("API key (client_id): ");
    let key = read(terminal.read_line());
    if key.is_empty() {
        return Ok(false);
    }
    Report::question("Secret, which is not shown (Enter where there is none, with PKCE): ");
    let secret = read(terminal.read_secure_line());
    let path =
        conns::keep_account(&key, Some(secret.as_str()).filter(|secret| !secret.is_empty()))?;
    report.note(&format!("{USUAL_NAME} is set in {}", path.display()));
    let mut found = setup::connections();
    let Some(connection) = found.choose(Some(USUAL_NAME))? else { return Ok(false) };
    match auth::log_in_first(&client(connection), arguments, report).await {
        Ok(()) => Ok(true),
        Err(failure) => {
            report.failure(&failure);
            report.note("ctct auth login tries again; what is set stays");
            Ok(true)
        }
    }
}
