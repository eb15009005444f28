//! The built-in sandbox: inside this process, or served to others.

use ctct_sandbox::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, Limits, Sandbox, Settings};
use datafusion_ctct::{Connection, Pace};

use crate::arguments::{SandboxAccount, SandboxAction, SandboxCommand};
use crate::exit::Failure;
use crate::report::Report;

/// Starts a sandbox in this process, and a connection to it that need not be paced.
pub(crate) async fn start(
    name: &str,
    account: SandboxAccount,
) -> Result<(Sandbox, Connection), Failure> {
    let settings = settings(account);
    let sandbox = Sandbox::start(settings)
        .await
        .map_err(|error| Failure::other(format!("the sandbox could not be started: {error}")))?;
    let mut connection = Connection::new(name, CLIENT_ID, &sandbox.base_url())?
        .with_access_token(ACCESS_TOKEN.to_owned())
        .with_pace(Pace::Unlimited);
    "the built-in sandbox".clone_into(&mut connection.origin);
    Ok((sandbox, connection))
}

/// Serves a sandbox until somebody interrupts it.
pub(crate) async fn serve(command: &SandboxCommand, report: &Report) -> Result<(), Failure> {
    let SandboxAction::Serve { listen, account } = &command.action;
    let settings = Settings { address: *listen, ..settings(*account) };
    let sandbox = Sandbox::start(settings)
        .await
        .map_err(|error| Failure::other(format!("cannot listen on {listen}: {error}")))?;
    report.note(&format!(
        "The sandbox serves {} contacts at {} until Ctrl-C. In another terminal:\n",
        account.sandbox_contacts,
        sandbox.base_url()
    ));
    // What is to be pasted is the only output, so that `eval "$(…)"` works, too.
    let connection = format!(
        "export CONSTANT_CONTACT='{{ type: api, spec: constant-contact, secrets: {{ client_id: {CLIENT_ID}, \
         client_secret: {CLIENT_SECRET}, access_token: {ACCESS_TOKEN} }}, inputs: {{ base_url: \"{}\", \
         auth_url: \"{}\", requests_per_second: unlimited }} }}'",
        sandbox.base_url(),
        sandbox.auth_url()
    );
    crate::output::line(&connection)?;
    report.note("\nTo try a login, leave access_token out, and then: ctct auth login");
    std::future::pending().await
}

fn settings(account: SandboxAccount) -> Settings {
    Settings {
        contacts: account.sandbox_contacts,
        seed: account.sandbox_seed,
        limits: Limits { per_second: account.sandbox_per_second, per_day: account.sandbox_per_day },
        ..Settings::default()
    }
}
