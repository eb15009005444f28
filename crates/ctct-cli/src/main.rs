//! `ctct`: SQL over Constant Contact, from the command line.

mod arguments;
mod auth;
mod budget;
mod conns;
mod echo;
mod excerpt;
mod exit;
mod help;
mod lex;
mod output;
mod pasted;
mod progress;
mod quota;
mod replicate;
mod report;
mod run;
mod sandbox;
mod script;
mod setup;
mod shell;
mod teller;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use arguments::{Arguments, Command};
use exit::Failure;
use report::Report;

fn main() -> ExitCode {
    let matches = Arguments::command().get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let report = Report::new(arguments.quiet, arguments.color);
    report.install_warnings();
    let scripts = arguments::scripts(&arguments, &matches);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report.failure(&Failure::other(format!("no runtime: {error}"))),
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = start(&arguments, scripts, &report) => outcome,
            // The shell listens for itself while a statement runs.
            () = interrupted(), if !arguments.is_shell() => Err(Failure::Interrupted),
        }
    });
    // New tokens that are on their way must be stored: the old ones are spent.
    runtime.block_on(setup::settled());
    // Whatever still waits for an answer need not be waited for.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report.failure(&failure),
    }
}

async fn start(
    arguments: &Arguments,
    scripts: Vec<arguments::Source>,
    report: &Report,
) -> Result<(), Failure> {
    match &arguments.command {
        Some(Command::Auth(command)) => auth::auth(command, arguments, report).await,
        Some(Command::Conns(command)) => conns::conns(command, arguments, report).await,
        Some(Command::Run(command)) => replicate::replicate(command, arguments, report).await,
        Some(Command::Quota) => quota::show(arguments).await,
        Some(Command::Sandbox(command)) => sandbox::serve(command, report).await,
        Some(Command::Completions { shell }) => help::completions(*shell),
        Some(Command::Man) => help::manual(),
        Some(Command::Help { topic }) => help::explain(topic),
        None => run::run(arguments, None, scripts, report).await,
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can interrupt us: wait for the work alone.
        std::future::pending::<()>().await;
    }
}
