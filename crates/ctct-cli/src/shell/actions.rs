//! What the commands of the shell do.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use console::Term;
use ctct_client::Client;

use super::command::{self, Command};
use super::{DEEPEST, Next, Shell};
use crate::arguments::Expanded;
use crate::exit::Failure;
use crate::output::{self, Rows, Shape, Sink};
use crate::quota;
use crate::run::Showing;

impl Shell {
    /// Does what a command says.
    pub(super) async fn run_command(&mut self, text: &str) -> Next {
        let command = match text.trim_end_matches(';').trim().to_lowercase().as_str() {
            "quit" | "exit" => Ok(Command::Quit),
            "help" => Ok(Command::Help),
            _ => command::parse(text),
        };
        let done = match command {
            Ok(Command::Quit) => return Next::Leave,
            Ok(command) => self.carry_out(command).await,
            Err((message, hint)) => Err(match hint {
                Some(hint) => Failure::with_hint(1, message, hint),
                None => Failure::other(message),
            }),
        };
        done.unwrap_or_else(|failure| {
            self.report.failure(&failure);
            Next::Failed
        })
    }

    async fn carry_out(&mut self, command: Command) -> Result<Next, Failure> {
        match command {
            Command::Describe(_)
            | Command::Views
            | Command::Functions
            | Command::Connections
            | Command::Requests => {
                return tokio::select! {
                    biased;
                    done = self.inspect(&command) => done.map(|()| Next::GoOn),
                    _ = tokio::signal::ctrl_c() => {
                        self.report.note("cancelled");
                        Ok(Next::Cancelled)
                    }
                };
            }
            Command::Connect(name) => self.connect(name.as_deref())?,
            Command::Go { expanded } => return self.again(expanded).await,
            Command::Watch(pause) => return self.watch(pause).await,
            Command::Edit => self.edit()?,
            Command::Include(path) => {
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    Failure::other(format!("{} cannot be read: {error}", path.display()))
                })?;
                if self.depth >= DEEPEST {
                    let shown = path.display();
                    return Err(Failure::other(format!("{shown} is run within itself")));
                }
                self.depth += 1;
                let next = Box::pin(self.run_text(&text, Some(&path))).await;
                self.depth -= 1;
                return Ok(next);
            }
            Command::Output(None) => {
                self.showing.sink = Sink::Standard;
                self.report.note("results are shown here again");
            }
            Command::Output(Some((path, forced))) => {
                self.showing.sink = opened(&path, forced)?;
                self.report.note(&format!("results go to {} from now on", path.display()));
            }
            Command::Once(path, forced) => {
                let sink = opened(&path, forced)?;
                self.once = Some(Showing { sink, ..self.showing.clone() });
            }
            Command::Chart { shape, columns } => self.chart(shape, &columns)?,
            Command::Quota => {
                let connection =
                    self.setup.connection.as_ref().ok_or_else(crate::auth::no_connection)?;
                for line in quota::lines(&connection.name, &self.setup.traffic.quota(connection)) {
                    output::line_to(&self.showing.sink, &line)?;
                }
            }
            Command::Help => output::line(command::help().trim_end())?,
            Command::Quit => return Ok(Next::Leave),
            setting => self.set(setting)?,
        }
        Ok(Next::GoOn)
    }

    /// Changes how results are shown, and says how that is now.
    fn set(&mut self, command: Command) -> Result<(), Failure> {
        let style = &mut self.showing.style;
        let said = match command {
            Command::Expanded(wanted) => {
                style.expanded = wanted.unwrap_or(match style.expanded {
                    Expanded::On => Expanded::Auto,
                    Expanded::Auto | Expanded::Off => Expanded::On,
                });
                match style.expanded {
                    Expanded::On => "rows are shown line by line",
                    Expanded::Off => "rows are shown as a table",
                    Expanded::Auto => "rows are shown line by line where a few are too wide",
                }
                .to_owned()
            }
            Command::Timing(wanted) => {
                self.showing.timed = wanted.unwrap_or(!self.showing.timed);
                let how = if self.showing.timed { "ends" } else { "does not end" };
                format!("a statement {how} with its rows, requests and time")
            }
            Command::Format(wanted) => {
                let wanted = wanted.unwrap_or(style.format);
                if wanted.is_binary() && self.showing.sink.is_terminal() {
                    return Err(Failure::with_hint(
                        1,
                        "this format is not for a terminal".to_owned(),
                        "\\o FILE first, or COPY … TO 'file'".to_owned(),
                    ));
                }
                style.format = wanted;
                format!("results are written as {}", format!("{wanted:?}").to_lowercase())
            }
            Command::MaxRows(wanted) => {
                if wanted.is_some() {
                    style.rows = Rows::of(wanted);
                }
                match style.rows {
                    Rows::Most(most) => format!("tables end after {most} rows"),
                    Rows::All => "tables have all rows".to_owned(),
                    Rows::Usual => "tables end after 1,000 rows on a terminal".to_owned(),
                }
            }
            Command::Null(text) => {
                style.null = text;
                let shown =
                    style.null.as_deref().unwrap_or("NULL in tables, and as nothing in CSV");
                format!("a null is shown as {shown}")
            }
            Command::Pager(wanted) => {
                style.paged = wanted.unwrap_or(!style.paged);
                let how = if style.paged { "page by page" } else { "at once" };
                format!("long tables are shown {how}")
            }
            other => return Err(Failure::other(format!("{other:?} sets nothing"))),
        };
        self.report.note(&said);
        Ok(())
    }

    /// Uses another connection of this machine; what was created stays with the first one.
    fn connect(&mut self, name: Option<&str>) -> Result<(), Failure> {
        let Some(name) = name else {
            let shown = self.setup.connection.as_ref().map_or("none", |used| used.name.as_str());
            self.report.note(&format!("the connection is {shown}"));
            return Ok(());
        };
        if self.arguments.sandbox {
            return Err(Failure::other("the sandbox has one connection only"));
        }
        let mut found = crate::setup::connections();
        let Some(connection) = found.choose(Some(name))?.cloned() else {
            return Err(crate::auth::no_connection());
        };
        let schema = connection.schema_name();
        let state = self.setup.session.state_ref();
        state.write().config_mut().options_mut().catalog.default_schema = schema;
        let client = Client::new(connection.clone(), Arc::clone(&self.setup.traffic));
        self.setup.client = Some(Arc::new(client));
        self.setup.connection = Some(connection);
        self.learn();
        self.greet();
        Ok(())
    }

    fn last_statement(&self) -> Result<String, Failure> {
        self.last.clone().ok_or_else(|| Failure::other("no statement was run yet"))
    }

    async fn again(&mut self, expanded: bool) -> Result<Next, Failure> {
        let sql = self.last_statement()?;
        let mut showing = self.once.take().unwrap_or_else(|| self.showing.clone());
        if expanded {
            showing.style.expanded = Expanded::On;
        }
        Ok(self.run_statement(&sql, Some(&showing), None).await)
    }

    /// Runs the last statement every few seconds.
    async fn watch(&mut self, pause: Duration) -> Result<Next, Failure> {
        let sql = self.last_statement()?;
        let mut showing = self.showing.clone();
        // A pager would wait for somebody.
        showing.style.paged = false;
        loop {
            let next = self.run_statement(&sql, Some(&showing), None).await;
            if next == Next::Cancelled {
                return Ok(Next::GoOn);
            }
            if next != Next::GoOn {
                return Ok(next);
            }
            let at = chrono::Local::now().format("%H:%M:%S");
            let every = pause.as_secs_f64();
            self.report.aside(&format!("{at}, again in {every} s; Ctrl-C ends it"));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = tokio::signal::ctrl_c() => return Ok(Next::GoOn),
            }
        }
    }

    /// Opens the last statement in an editor; what comes back is on the next line, to be looked at
    /// once more and run.
    fn edit(&mut self) -> Result<(), Failure> {
        let unusable =
            |error: std::io::Error| Failure::other(format!("the editor cannot be used: {error}"));
        let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok());
        let editor =
            editor.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "vi".to_owned());
        let mut words = editor.split_whitespace();
        let program = words.next().unwrap_or("vi");
        let file =
            tempfile::Builder::new().prefix("ctct-").suffix(".sql").tempfile().map_err(unusable)?;
        let begun = self.last.as_ref().map(|last| format!("{last};\n")).unwrap_or_default();
        std::fs::write(file.path(), begun).map_err(unusable)?;
        let status = std::process::Command::new(program).args(words).arg(file.path()).status();
        let status = status.map_err(|error| {
            Failure::with_hint(
                1,
                format!("the editor {program} cannot be started: {error}"),
                "$EDITOR names another one".to_owned(),
            )
        })?;
        if status.success() {
            let text = std::fs::read_to_string(file.path()).map_err(unusable)?;
            text.trim_end().clone_into(&mut self.begun);
        }
        Ok(())
    }

    /// Draws the last result.
    fn chart(&self, shape: Option<Shape>, columns: &[String]) -> Result<(), Failure> {
        let width = Term::stdout().size_checked().map_or(80, |(_, columns)| columns.min(120));
        let coloured = self.report.is_coloured() && self.showing.sink.is_terminal();
        let drawn = output::chart(&self.kept, shape, columns, width, coloured);
        let text = drawn.map_err(|message| {
            let hint = "\\chart bar NAME NUMBER draws these columns of the last result".to_owned();
            Failure::with_hint(1, message, hint)
        })?;
        Ok(output::line_to(&self.showing.sink, text.trim_end())?)
    }
}

/// A file for results, which only its owner reads; one that is there stays, unless it need not.
fn opened(path: &Path, forced: bool) -> Result<Sink, Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    if forced {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => Ok(Sink::File(Arc::new(file))),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Failure::with_hint(
            1,
            format!("{} is there already", path.display()),
            format!("\\o! {} overwrites it", path.display()),
        )),
        Err(error) => Err(Failure::other(format!("{} cannot be written: {error}", path.display()))),
    }
}
