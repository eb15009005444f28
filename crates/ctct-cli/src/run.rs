//! Running statements: from SQL to what is written.

use std::io::{IsTerminal, Read};
use std::time::Instant;

use arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

use crate::arguments::{Arguments, Format, Source};
use crate::auth;
use crate::budget;
use crate::exit::Failure;
use crate::output::{self, Sink, Style};
use crate::progress::Progress;
use crate::quota;
use crate::report::Report;
use crate::script::{self, Statement};
use crate::setup::{Setup, set_up};
use crate::shell;

/// Runs the scripts, or the shell where there are none.
///
/// `name` is the connection to use where the command says so itself.
pub(crate) async fn run(
    arguments: &Arguments,
    name: Option<&str>,
    sources: Vec<Source>,
    report: &Report,
) -> Result<(), Failure> {
    let binary = arguments.format.is_binary();
    if binary && std::io::stdout().is_terminal() {
        return Err(Failure::with_hint(
            2,
            "this format is not for a terminal".to_owned(),
            "write it to a file: ctct … > result, or use COPY … TO 'file'".to_owned(),
        ));
    }
    if arguments.is_shell() {
        return shell::run(arguments, name, *report).await;
    }
    let setup = set_up(arguments, name).await?;
    let showing = Showing::of(arguments);
    let mut scripts = Vec::new();
    for source in sources {
        let (name, text) = read(source)?;
        let statements = statements(&setup.session, &text).map_err(|f| f.at(name.as_deref()))?;
        scripts.push((name, statements));
    }
    let mut written = 0;
    for (name, statements) in scripts {
        for statement in statements {
            let place = name.as_ref().map(|name| format!("{name}:{}", statement.line));
            if arguments.echo || (name.is_some() && report.is_watched()) {
                comment(&statement, *report);
            }
            if binary && written > 0 && returns_rows(&setup.session, &statement).await {
                return Err(Failure::other(ONE_RESULT).at(place.as_deref()));
            }
            let run = async || execute(&setup, &statement.sql, &showing, arguments, report).await;
            let outcome = auth::with_login(&setup, arguments, report, run).await;
            let done = outcome.map_err(|failure| failure.at(place.as_deref()))?;
            written += u32::from(done.is_query);
        }
    }
    Ok(())
}

/// Why a second result has no place.
const ONE_RESULT: &str = "a file of this format holds the result of one statement";

/// The text of a script, and its name where it has one.
fn read(source: Source) -> Result<(Option<String>, String), Failure> {
    match source {
        Source::Text(text) => Ok((None, text)),
        Source::File(path) => {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Failure::other(format!("{name} cannot be read: {error}")))?;
            Ok((Some(name), text))
        }
        Source::Input => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| {
                Failure::other(format!("standard input cannot be read: {error}"))
            })?;
            Ok((Some("standard input".to_owned()), text))
        }
    }
}

/// A script's statements. All are parsed before the first one runs: a slip in the last
/// line costs no request.
fn statements(session: &SessionContext, text: &str) -> Result<Vec<Statement>, Failure> {
    let failed = |error| Failure::of_statement(&error, session);
    let statements = script::split(text).map_err(|error| failed(error).in_statement(text))?;
    let dialect = session.state().config().options().sql_parser.dialect;
    for statement in &statements {
        let parsed = session.state().sql_to_statement(&statement.sql, &dialect);
        // A parser counts its lines within the statement.
        let place = (statements.len() > 1).then(|| format!("statement at line {}", statement.line));
        parsed.map_err(|error| failed(error).in_statement(&statement.sql).at(place.as_deref()))?;
    }
    Ok(statements)
}

fn comment(statement: &Statement, report: Report) {
    report.note("");
    for line in &statement.comment {
        report.aside(line);
    }
}

async fn returns_rows(session: &SessionContext, statement: &Statement) -> bool {
    let plan = session.state().create_logical_plan(&statement.sql).await;
    plan.is_ok_and(|plan| is_query(&plan))
}

/// Whether a statement's rows are what was asked for, and not just a report of what it did.
fn is_query(plan: &LogicalPlan) -> bool {
    !matches!(
        plan,
        LogicalPlan::Ddl(_)
            | LogicalPlan::Copy(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Statement(_)
    )
}

/// How results are shown, and where they go.
#[derive(Debug, Clone)]
pub(crate) struct Showing {
    pub(crate) style: Style,
    pub(crate) sink: Sink,
    /// Whether each statement ends with a line about it, where somebody watches.
    pub(crate) timed: bool,
}

impl Showing {
    /// As the command line says.
    pub(crate) fn of(arguments: &Arguments) -> Self {
        Self { style: Style::of(arguments), sink: Sink::Standard, timed: true }
    }
}

/// A statement that was run.
#[derive(Debug, Default)]
pub(crate) struct Executed {
    /// Whether its rows were what was asked for.
    pub(crate) is_query: bool,
    /// The first of them.
    pub(crate) kept: Vec<RecordBatch>,
}

/// Runs one statement and writes its result.
pub(crate) async fn execute(
    setup: &Setup,
    sql: &str,
    showing: &Showing,
    arguments: &Arguments,
    report: &Report,
) -> Result<Executed, Failure> {
    let (format, sink) = (showing.style.format, &showing.sink);
    let session = &setup.session;
    let failed = |error| Failure::of_statement(&error, session).in_statement(sql);
    let (started, sent) = (Instant::now(), setup.traffic.sent());
    let watched = report.is_watched();
    let mut progress = Progress::start(watched, &setup.traffic, setup.connection.as_ref());
    let plan = session.state().create_logical_plan(sql).await.map_err(failed)?;
    let query = is_query(&plan);
    if query && format.is_binary() && sink.is_begun() {
        return Err(Failure::with_hint(
            1,
            ONE_RESULT.to_owned(),
            "\\o FILE writes the next one to another file".to_owned(),
        ));
    }
    let mut cost = None;
    if let LogicalPlan::Explain(_) = plan {
        cost = budget::estimate(setup, &plan).await;
    } else if !matches!(plan, LogicalPlan::Ddl(_) | LogicalPlan::Statement(_)) {
        progress.stop();
        budget::admit(setup, arguments, &plan).await?;
        progress = Progress::start(watched, &setup.traffic, setup.connection.as_ref());
    }
    let explained = matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_));
    let inserted = matches!(plan, LogicalPlan::Dml(_));
    if let LogicalPlan::Copy(copy) = plan {
        let copied = datafusion_ctct::copy(session, copy).await.map_err(failed)?;
        progress.stop();
        finish(setup, Some(copied.rows), (sent, started), showing, *report);
        return match copied.incomplete {
            None => Ok(Executed { is_query: query, ..Executed::default() }),
            Some(incomplete) => {
                report.note(&format!(
                    "{} holds the {} rows that were read; it is incomplete",
                    incomplete.path,
                    quota::thousands(copied.rows)
                ));
                Err(failed(incomplete.reason))
            }
        };
    }
    let plan_of_query = (query && !explained).then(|| plan.clone());
    let frame = session.execute_logical_plan(plan).await.map_err(failed)?;
    // Results that are written as they come would be torn apart by the line.
    let streams = query && !explained && !matches!(format, Format::Table | Format::Markdown);
    if streams && sink.is_terminal() {
        progress.stop();
    }
    let mut kept = Vec::new();
    let rows = if explained && format == Format::Table {
        output::plans(&frame.collect().await.map_err(failed)?, sink)?;
        if let (Some(cost), Some(connection)) = (cost, &setup.connection) {
            let words = format!("-- {}", budget::in_words(&cost, setup, connection));
            output::line_to(sink, &words)?;
        }
        None
    } else if query {
        let total = async || match plan_of_query {
            Some(plan) => budget::counted(setup, plan).await,
            None => None,
        };
        let stream = frame.execute_stream().await.map_err(failed)?;
        let written = output::write(stream, &showing.style, sink, || progress.stop(), total).await;
        let written = written.map_err(|error| unwritten(error, session).in_statement(sql))?;
        kept = written.kept;
        Some(written.rows)
    } else {
        let done = frame.collect().await.map_err(failed)?;
        inserted.then(|| output::count_of(&done)).flatten()
    };
    progress.stop();
    finish(setup, rows, (sent, started), showing, *report);
    Ok(Executed { is_query: query, kept })
}

/// Says what a statement brought and cost, if somebody watches.
fn finish(
    setup: &Setup,
    rows: Option<u64>,
    (sent, started): (u64, Instant),
    showing: &Showing,
    report: Report,
) {
    if report.is_watched() && showing.timed {
        let requests = setup.traffic.sent() - sent;
        let mut summary = summary(rows, requests, started.elapsed().as_secs_f64());
        if let Some(left) = quota::left_today(setup) {
            summary = format!("{summary}, {left}");
        }
        report.aside(&summary);
    }
}

/// Writes the result of one query as usual, without anything around it.
pub(crate) async fn print(setup: &Setup, sql: &str, format: Format) -> Result<(), Failure> {
    let (style, sink) = (Style::plain(format), Sink::Standard);
    print_styled(setup, sql, &Showing { style, sink, timed: false }).await
}

/// The same as results are shown.
pub(crate) async fn print_styled(
    setup: &Setup,
    sql: &str,
    showing: &Showing,
) -> Result<(), Failure> {
    let session = &setup.session;
    let frame = session.sql(sql).await;
    let frame = frame.map_err(|error| Failure::of_statement(&error, session))?;
    write(frame, &showing.style, &showing.sink, session).await
}

/// Writes one batch as a result.
pub(crate) async fn print_batch(batch: RecordBatch, format: Format) -> Result<(), Failure> {
    let session = SessionContext::new();
    let frame = session.read_batch(batch);
    let frame = frame.map_err(|error| Failure::of_statement(&error, &session))?;
    write(frame, &Style::plain(format), &Sink::Standard, &session).await
}

async fn write(
    frame: DataFrame,
    style: &Style,
    sink: &Sink,
    session: &SessionContext,
) -> Result<(), Failure> {
    let stream = frame.execute_stream().await;
    let stream = stream.map_err(|error| Failure::of_statement(&error, session))?;
    let written = output::write(stream, style, sink, || {}, async || None).await;
    written.map(|_| ()).map_err(|error| unwritten(error, session))
}

/// The failure of a result that was not written.
fn unwritten(error: output::WriteError, session: &SessionContext) -> Failure {
    match error {
        output::WriteError::Query(error) => Failure::of_statement(&error, session),
        output::WriteError::Output(error) => error.into(),
    }
}

fn summary(rows: Option<u64>, requests: u64, seconds: f64) -> String {
    let plural = |count: u64, noun: &str| match count {
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", quota::thousands(count)),
    };
    let rows = rows.map_or_else(|| "done".to_owned(), |rows| plural(rows, "row"));
    format!("{rows}, {}, {seconds:.2} s", plural(requests, "request"))
}
