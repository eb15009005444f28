//! What ctct says of itself: topics, completions for shells, and the manual page.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;
use datafusion_ctct::likely;

use crate::arguments::Arguments;
use crate::exit::Failure;
use crate::output;
use crate::shell;

const EXIT_CODES: &str = "\
Exit codes
    0  done
    1  an error: of a statement, a setting, a file
    2  usage: an option or a value that is not known
    3  some streams of a replication failed, or are partial; or a verification found differences
    4  log in first: ctct auth login
    5  the day's requests are used up; what was read is kept, and the same command goes on tomorrow
    6  temporary: the server or the network fails, or another run has the table; try again
  130  interrupted; 143 ended

A script ends at its first error. Where whoever reads the output leaves (| head), ctct ends with 0
and sends nothing more.";

const CONNECTIONS: &str = "\
Connections
  In Constant Contact's developer portal (https://developer.constantcontact.com), under My
  Applications, make one: Authorization Code Flow, or PKCE; long-lived or rotating tokens are both
  good. Its API key is the client_id. Keep the redirect address https://localhost, or make it
  http://127.0.0.1:8888/ and set inputs='{ redirect_uri: \"http://127.0.0.1:8888/\" }'.

  ctct conns set CONSTANT_CONTACT type=api spec=constant-contact secrets=-
  ctct auth login
  ctct conns test

  Connections are in env.yaml of ctct's folder, in .env.sling, in ~/.sling/env.yaml or in variables
  of the environment; ctct conns list shows which there are, and where each one is from.";

/// What can be asked about, beside commands.
const TOPICS: &[&str] = &["exit-codes", "shell", "connections"];

/// Explains a topic, or a command, or all.
pub(crate) fn explain(topic: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = topic.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        ["exit-codes" | "exit_codes" | "exit", ..] => EXIT_CODES.to_owned(),
        ["connections", ..] => CONNECTIONS.to_owned(),
        ["shell", ..] => shell::help(),
        words => help_of(words)?,
    };
    Ok(output::line(text.trim_end())?)
}

/// The help of a command; of ctct itself where none is named.
fn help_of(words: &[&str]) -> Result<String, Failure> {
    let mut command = Arguments::command();
    command.build();
    let mut found = &mut command;
    for word in words {
        let known: Vec<String> =
            found.get_subcommands().map(|known| known.get_name().to_owned()).collect();
        let Some(next) = found.find_subcommand_mut(word) else {
            let all = known.iter().map(String::as_str).chain(TOPICS.iter().copied());
            let hint = match likely(word, all.clone()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("there are {}", all.collect::<Vec<_>>().join(", ")),
            };
            return Err(Failure::with_hint(2, format!("there is no help about {word}"), hint));
        };
        found = next;
    }
    Ok(found.render_help().to_string())
}

/// Writes what a shell needs to complete commands and options.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "ctct", &mut text);
    std::io::stdout().write_all(&text)?;
    Ok(())
}

/// Writes the manual page.
pub(crate) fn manual() -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut text)?;
    std::io::stdout().write_all(&text)?;
    Ok(())
}
