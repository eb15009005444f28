//! The interactive shell.

use datafusion_ctct::Connection;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::arguments::Arguments;
use crate::auth;
use crate::exit::Failure;
use crate::report::Report;
use crate::run::execute;
use crate::script;
use crate::setup::Setup;

const HELP: &str = "\
  SELECT …;          a statement ends with a semicolon
  SHOW TABLES;       the tables
  DESCRIBE contacts; the columns of one
  EXPLAIN SELECT …;  what a query would send
  \\q                 leaves (so does Ctrl-D)";

/// Reads and runs statements until somebody leaves.
pub(crate) async fn run(
    setup: &Setup,
    arguments: &Arguments,
    report: &Report,
) -> Result<(), Failure> {
    let mut editor = DefaultEditor::new()
        .map_err(|error| Failure::other(format!("the terminal cannot be read: {error}")))?;
    match &setup.connection {
        Some(connection) if arguments.sandbox => {
            let name = &connection.name;
            report.note(&format!("A made-up account as connection {name}. \\? helps, \\q leaves."));
        }
        Some(connection) => {
            report.note(&format!("Connection {}. \\? helps, \\q leaves.", connection.name));
        }
        None => report.note(
            "No connection yet: `ctct conns set --help` shows how to set one; ctct --sandbox needs none.\n\
             Files can be queried: SELECT * FROM 'file.parquet';",
        ),
    }
    let prompt = setup.connection.as_ref().map_or("ctct".to_owned(), Connection::schema_name);
    let mut text = String::new();
    loop {
        let prompt = if text.is_empty() { format!("{prompt}> ") } else { "   ...> ".to_owned() };
        let line = match editor.readline(&prompt) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                text.clear();
                continue;
            }
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => {
                return Err(Failure::other(format!("the terminal cannot be read: {error}")));
            }
        };
        if text.is_empty() {
            match line.trim().trim_end_matches(';') {
                "" => continue,
                "\\q" | "quit" | "exit" => return Ok(()),
                "\\?" | "help" => {
                    report.note(HELP);
                    continue;
                }
                _ => {}
            }
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
        if script::is_complete(&text) {
            // A history that cannot grow is no reason to stop.
            drop(editor.add_history_entry(text.as_str()));
            statements(setup, &text, arguments, report).await;
            text.clear();
        }
    }
}

/// Runs what was typed; a failure ends it, and not the shell.
async fn statements(setup: &Setup, text: &str, arguments: &Arguments, report: &Report) {
    let statements = match script::split(text) {
        Ok(statements) => statements,
        Err(error) => {
            report.failure(&Failure::of_statement(&error, &setup.session));
            return;
        }
    };
    for statement in statements {
        let run = async || execute(setup, &statement.sql, arguments, report).await;
        let outcome = tokio::select! {
            outcome = auth::with_login(setup, arguments, report, run) => outcome,
            _ = tokio::signal::ctrl_c() => {
                report.note("cancelled");
                return;
            }
        };
        if let Err(failure) = outcome {
            report.failure(&failure);
            return;
        }
    }
}
