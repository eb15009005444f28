//! `ctct conns`: connections, and what they lead to.

mod discover;
mod list;
mod settings;
mod test;

use ctct_client::Places;

use crate::arguments::{Arguments, ConnsAction, ConnsCommand, Source};
use crate::exit::Failure;
use crate::report::Report;
use crate::{run, setup};

/// Does what was asked for.
pub(crate) async fn conns(
    command: &ConnsCommand,
    arguments: &Arguments,
    report: &Report,
) -> Result<(), Failure> {
    match &command.action {
        ConnsAction::Set { name, settings } => set(name, settings, *report),
        ConnsAction::Unset { name } => unset(name, *report),
        ConnsAction::List => list::list(arguments, *report).await,
        ConnsAction::Test { name, endpoints } => {
            test::test(name.as_deref(), endpoints, arguments, report).await
        }
        ConnsAction::Discover { name, pattern, columns } => {
            discover::discover(name.as_deref(), pattern.as_deref(), *columns, arguments).await
        }
        ConnsAction::Exec { name, sql } => {
            let sources = vec![Source::Text(sql.clone())];
            run::run(arguments, Some(name), sources, report).await
        }
    }
}

/// Keeps the key of an application as the usual connection, and says where.
pub(crate) fn keep_account(key: &str, secret: Option<&str>) -> Result<std::path::PathBuf, Failure> {
    let path = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    let mut settings = vec![
        (path(&["type"]), "api".into()),
        (path(&["spec"]), "constant-contact".into()),
        (path(&["secrets", "client_id"]), key.into()),
    ];
    if let Some(secret) = secret {
        settings.push((path(&["secrets", "client_secret"]), secret.into()));
    }
    Ok(setup::places().set(setup::USUAL_NAME, &settings)?)
}

fn set(name: &str, settings: &[String], report: Report) -> Result<(), Failure> {
    let read = settings::read(settings)?;
    let places = setup::places();
    let path = places.set(name, &read.all)?;
    let mut connections = setup::connections();
    let known = connections
        .all()
        .iter()
        .map(|c| c.name.as_str())
        .chain(connections.targets().iter().map(|t| t.name.as_str()));
    let name = &known
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .unwrap_or(name)
        .to_owned();
    report.note(&format!("{name} is set in {}", path.display()));
    if read.secret_on_the_command_line {
        report.warning(
            "others of this machine can see a command line while it runs, and the shell's history keeps it; \
             for secrets, secrets=@FILE or secrets=- is better",
        );
    }
    for path in &read.open_files {
        report.warning(&format!("others can read {path}; mend it with: chmod 600"));
    }
    said_elsewhere(&places, name, report);
    // A target cannot log in, and a connection with a token need not.
    if let Ok(Some(connection)) = connections.choose(Some(name))
        && connection.access_token.is_none()
        && connection.refresh_token.is_none()
    {
        report.note(&format!("Next: ctct auth login {}", connection.name));
    }
    Ok(())
}

/// Says where a setting comes from that counts instead of what was just written.
fn said_elsewhere(places: &Places, name: &str, report: Report) {
    let ours = places.env_file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let connections = setup::connections();
    let in_use = connections.all().iter().find(|c| c.name.eq_ignore_ascii_case(name));
    if let Some(other) = in_use.filter(|connection| !connection.origin.contains(&ours)) {
        report.warning(&format!("{name} is also in {}, and that is what counts", other.origin));
    }
}

fn unset(name: &str, report: Report) -> Result<(), Failure> {
    let places = setup::places();
    let connections = setup::connections();
    let known = connections.all().iter().find(|c| c.name.eq_ignore_ascii_case(name));
    let Some(path) = places.unset(name)? else {
        let hint = match known {
            Some(connection) => {
                format!("it is in {}, which ctct does not write", connection.origin)
            }
            None => "`ctct conns list` shows all of them".to_owned(),
        };
        return Err(Failure::with_hint(
            1,
            format!("ctct's env.yaml has no connection {name}"),
            hint,
        ));
    };
    report.note(&format!("{name} is no longer in {}", path.display()));
    let connections = setup::connections();
    if let Some(other) = connections.all().iter().find(|c| c.name.eq_ignore_ascii_case(name)) {
        report.note(&format!("It is still in {}.", other.origin));
    }
    Ok(())
}
