//! The interactive shell.

mod actions;
mod command;
mod completion;
mod editor;
mod input;
mod inspect;
mod vocabulary;
mod welcome;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use arrow::array::RecordBatch;
use datafusion_ctct::Connection;
use rustyline::error::ReadlineError;

use crate::arguments::Arguments;
use crate::auth;
use crate::exit::Failure;
use crate::report::Report;
use crate::run::{Showing, execute};
use crate::script;
use crate::setup::{self, Setup, set_up};
use editor::Line;
use input::Input;
use vocabulary::Vocabulary;

/// The commands of the shell, for people.
pub(crate) fn help() -> String {
    command::help()
}

/// A shell that is open.
struct Shell {
    setup: Setup,
    arguments: Arguments,
    report: Report,
    showing: Showing,
    /// Where the next result alone goes.
    once: Option<Showing>,
    vocabulary: Arc<RwLock<Vocabulary>>,
    /// The statement that was run last.
    last: Option<String>,
    /// The first rows of its result.
    kept: Vec<RecordBatch>,
    /// How many requests had been sent before it.
    sent: u64,
    /// What the next line begins with.
    begun: String,
    /// How many files are being run, one within the other.
    depth: u32,
}

/// The most files within one another: one that names itself would have no end.
const DEEPEST: u32 = 16;

/// What comes after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Leave,
    /// Somebody pressed Ctrl-C.
    Cancelled,
    /// Something failed, and was said.
    Failed,
}

/// Reads and runs statements until somebody leaves.
pub(crate) async fn run(
    arguments: &Arguments,
    name: Option<&str>,
    report: Report,
) -> Result<(), Failure> {
    let mut setup = set_up(arguments, name).await?;
    let mut arguments = arguments.clone();
    if setup.connection.is_none() {
        setup = welcome::offer(setup, &mut arguments, report).await?;
    }
    let vocabulary = Vocabulary::declared(&setup.session, &setup.targets);
    let mut shell = Shell {
        showing: Showing::of(&arguments),
        setup,
        arguments,
        report,
        once: None,
        vocabulary: Arc::new(RwLock::new(vocabulary)),
        last: None,
        kept: Vec::new(),
        sent: 0,
        begun: String::new(),
        depth: 0,
    };
    shell.learn();
    shell.greet();
    match shell.run_start_up_file().await? {
        Next::Leave => Ok(()),
        _ => shell.read_lines().await,
    }
}

impl Shell {
    /// Learns in the background what has to be planned to be known.
    fn learn(&self) {
        let (session, targets) = (self.setup.session.clone(), self.setup.targets.clone());
        let vocabulary = Arc::clone(&self.vocabulary);
        drop(tokio::runtime::Handle::current().spawn(async move {
            let known = Vocabulary::declared(&session, &targets).completed(&session, &targets);
            let known = known.await;
            *vocabulary.write().unwrap_or_else(PoisonError::into_inner) = known;
        }));
    }

    fn greet(&self) {
        let Some(connection) = &self.setup.connection else { return };
        let what =
            if self.arguments.sandbox { "A made-up account as connection" } else { "Connection" };
        self.report.note(&format!("{what} {}. \\? helps, \\q leaves.", connection.name));
    }

    /// Runs the file that somebody wants to be run first.
    async fn run_start_up_file(&mut self) -> Result<Next, Failure> {
        if self.arguments.no_rc {
            return Ok(Next::GoOn);
        }
        let path = match &self.arguments.rc {
            Some(path) => path.clone(),
            None => match setup::start_up_file().filter(|path| path.exists()) {
                Some(path) => path,
                None => return Ok(Next::GoOn),
            },
        };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::other(format!("{} cannot be read: {error}", path.display()))
        })?;
        // Settings say nothing of themselves when the shell starts.
        let report = self.report;
        self.report = report.quietly();
        let next = self.run_text(&text, Some(&path)).await;
        self.report = report;
        if next == Next::Failed {
            self.report.warning(&format!("{} was given up at its first error", path.display()));
        }
        Ok(next)
    }

    async fn read_lines(&mut self) -> Result<(), Failure> {
        let unreadable =
            |error: ReadlineError| Failure::other(format!("the terminal cannot be read: {error}"));
        let vocabulary = Arc::clone(&self.vocabulary);
        let mut line = Line::new(vocabulary, setup::history_file(), self.report.is_coloured())
            .map_err(unreadable)?;
        let mut given_up = false;
        loop {
            let begun = std::mem::take(&mut self.begun);
            let text = match line.read(&self.prompt(), &begun) {
                Ok(text) => text,
                // What was begun is given up, and nothing else.
                Err(ReadlineError::Interrupted) if line.was_typed() => continue,
                Err(ReadlineError::Interrupted) if given_up => return Err(Failure::Interrupted),
                Err(ReadlineError::Interrupted) => {
                    given_up = true;
                    self.report.note("Ctrl-C once more leaves; so does Ctrl-D");
                    continue;
                }
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(unreadable(error)),
            };
            line.remember(text.trim_end());
            given_up = match self.run_text(&text, None).await {
                Next::Leave => return Ok(()),
                Next::Cancelled => true,
                Next::GoOn | Next::Failed => false,
            };
        }
    }

    fn prompt(&self) -> String {
        let name = self.setup.connection.as_ref().map(Connection::schema_name);
        format!("{}> ", name.as_deref().unwrap_or("ctct"))
    }

    /// Does what a text says, in its order, until something fails.
    async fn run_text(&mut self, text: &str, file: Option<&Path>) -> Next {
        for part in input::parts(text) {
            let next = match part {
                Input::Statements(text) => self.run_statements(&text, file).await,
                Input::Command(text) => self.run_command(&text).await,
            };
            if next != Next::GoOn {
                return next;
            }
        }
        Next::GoOn
    }

    async fn run_statements(&mut self, text: &str, file: Option<&Path>) -> Next {
        let statements = match script::split(text) {
            Ok(statements) => statements,
            Err(error) => {
                let failure = Failure::of_statement(&error, &self.setup.session);
                self.report.failure(&failure.in_statement(text));
                return Next::Failed;
            }
        };
        for statement in statements {
            let showing = self.once.take();
            let next = self.run_statement(&statement.sql, showing.as_ref(), file).await;
            if next != Next::GoOn {
                return next;
            }
        }
        Next::GoOn
    }

    /// Runs one statement; Ctrl-C gives it up, and not the shell.
    async fn run_statement(
        &mut self,
        sql: &str,
        showing: Option<&Showing>,
        file: Option<&Path>,
    ) -> Next {
        self.last = Some(sql.to_owned());
        self.sent = self.setup.traffic.sent();
        let showing = showing.unwrap_or(&self.showing);
        let (setup, arguments, report) = (&self.setup, &self.arguments, &self.report);
        let run = async || execute(setup, sql, showing, arguments, report).await;
        let outcome = tokio::select! {
            // A pager that has just ended was told of the same Ctrl-C.
            biased;
            outcome = auth::with_login(setup, arguments, report, run) => Some(outcome),
            _ = tokio::signal::ctrl_c() => None,
        };
        // By now the line about its progress has gone, too.
        let Some(outcome) = outcome else {
            self.report.note("cancelled");
            return Next::Cancelled;
        };
        match outcome {
            Ok(executed) => {
                if !executed.kept.is_empty() || executed.is_query {
                    self.kept = executed.kept;
                }
                if !executed.is_query {
                    self.learn();
                }
                Next::GoOn
            }
            Err(Failure::Interrupted) => Next::Cancelled,
            Err(failure) => {
                let place = file.map(|path| path.display().to_string());
                self.report.failure(&failure.at(place.as_deref()));
                Next::Failed
            }
        }
    }
}
