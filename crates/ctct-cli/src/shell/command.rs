//! The commands of the shell: the letters of psql, and the dots of `DuckDB`.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use datafusion_ctct::likely;

use crate::arguments::{Expanded, Format};
use crate::output::Shape;

/// Something that the shell does itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    /// Lists tables, or describes one.
    Describe(Option<String>),
    Views,
    Connections,
    /// Uses another connection.
    Connect(Option<String>),
    /// Shows rows line by line; none turns it over.
    Expanded(Option<Expanded>),
    Timing(Option<bool>),
    Edit,
    Include(PathBuf),
    /// Sends results to a file from now on, or no longer.
    Output(Option<(PathBuf, bool)>),
    /// The same for the next result alone.
    Once(PathBuf, bool),
    /// Runs the last statement again, line by line where that is asked for.
    Go {
        expanded: bool,
    },
    Watch(Duration),
    Format(Option<Format>),
    MaxRows(Option<usize>),
    Null(Option<String>),
    Pager(Option<bool>),
    Quota,
    Requests,
    Chart {
        shape: Option<Shape>,
        columns: Vec<String>,
    },
    Functions,
    Help,
    Quit,
}

/// What may follow a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expects {
    Table,
    Connection,
    File,
    One(&'static [&'static str]),
    Other,
}

/// A command as people find it.
struct Entry {
    names: &'static [&'static str],
    follows: &'static str,
    says: &'static str,
    expects: Expects,
}

const fn entry(
    names: &'static [&'static str],
    follows: &'static str,
    says: &'static str,
    expects: Expects,
) -> Entry {
    Entry { names, follows, says, expects }
}

const ON_OFF: Expects = Expects::One(&["on", "off"]);
const FORMATS: Expects =
    Expects::One(&["table", "csv", "tsv", "json", "ndjson", "markdown", "arrow", "parquet"]);

/// In the order in which help lists them; the first name is the one that is shown.
const ENTRIES: &[Entry] = &[
    entry(
        &["\\d", "\\dt", ".tables", ".schema"],
        "[TABLE]",
        "lists the tables, or describes one",
        Expects::Table,
    ),
    entry(&["\\dv", ".views"], "", "lists the views", Expects::Other),
    entry(&["\\df", ".functions"], "", "lists the functions", Expects::Other),
    entry(&["\\l", ".databases", ".connections"], "", "lists the connections", Expects::Other),
    entry(
        &["\\c", "\\connect", ".connect"],
        "[NAME]",
        "uses another connection",
        Expects::Connection,
    ),
    entry(&["\\g", ".again"], "", "runs the last statement again", Expects::Other),
    entry(&["\\gx"], "", "the same, line by line", Expects::Other),
    entry(
        &["\\watch", ".watch"],
        "[SECONDS]",
        "runs it every few seconds, until Ctrl-C",
        Expects::Other,
    ),
    entry(
        &["\\e", "\\edit", ".edit"],
        "",
        "opens the last statement in your editor",
        Expects::Other,
    ),
    entry(&["\\i", "\\include", ".read"], "FILE", "runs a file", Expects::File),
    entry(
        &["\\o", "\\out", ".output"],
        "[FILE]",
        "writes results to a file, or here again; \\o! overwrites",
        Expects::File,
    ),
    entry(&["\\once", ".once"], "FILE", "writes the next result to a file", Expects::File),
    entry(
        &["\\x", ".expanded"],
        "[on|off|auto]",
        "rows as lines of name and value",
        Expects::One(&["on", "off", "auto"]),
    ),
    entry(
        &["\\format", ".mode"],
        "[FORMAT]",
        "table, csv, tsv, json, ndjson, markdown, arrow, parquet",
        FORMATS,
    ),
    entry(&["\\maxrows", ".maxrows"], "[N]", "the most rows of a table; 0 for all", Expects::Other),
    entry(
        &["\\pset", ".nullvalue"],
        "null [TEXT] | pager [on|off]",
        "what stands for a null; whether long tables are paged",
        Expects::One(&["null", "pager"]),
    ),
    entry(
        &["\\timing", ".timer"],
        "[on|off]",
        "rows, requests and time after each statement",
        ON_OFF,
    ),
    entry(
        &["\\chart", ".chart"],
        "[bar|line] [COLUMN …]",
        "draws the last result",
        Expects::One(&["bar", "line"]),
    ),
    entry(&["\\requests", ".requests"], "", "what the last statement sent", Expects::Other),
    entry(&["\\quota", ".quota"], "", "what is left of the day's requests", Expects::Other),
    entry(&["\\h", "\\?", "\\help", ".help"], "", "this", Expects::Other),
    entry(&["\\q", "\\quit", ".quit", ".exit"], "", "leaves; so does Ctrl-D", Expects::Other),
];

/// All names of commands.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().flat_map(|entry| entry.names.iter().copied())
}

fn find(name: &str) -> Option<&'static Entry> {
    let name = name.strip_suffix('!').unwrap_or(name);
    ENTRIES.iter().find(|entry| entry.names.contains(&name))
}

/// What may follow a command of this name.
pub(super) fn expects(name: &str) -> Expects {
    find(name).map_or(Expects::Other, |entry| entry.expects)
}

/// What follows a command, for whoever has just typed its name.
pub(super) fn follows(name: &str) -> Option<&'static str> {
    find(name).map(|entry| entry.follows).filter(|follows| !follows.is_empty())
}

/// The list of commands.
pub(super) fn help() -> String {
    let mut text = "A statement ends with a semicolon; Ctrl-C gives it up. Commands:\n".to_owned();
    for entry in ENTRIES {
        let dot = entry.names.iter().find(|name| name.starts_with('.')).copied().unwrap_or("");
        let (first, others) = entry.names.split_first().unwrap_or((&"", &[]));
        debug_assert!(!others.contains(first));
        let usage = format!("{first} {}", entry.follows);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {usage:<36} {:<58} {dot}", entry.says);
    }
    text + "Tab completes, the right arrow takes what is suggested; a line that begins with a space is not kept."
}

/// Why a command is none.
pub(super) type Wrong = (String, Option<String>);

/// Reads a command.
///
/// # Errors
/// The message, and what was probably meant.
pub(super) fn parse(line: &str) -> Result<Command, Wrong> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let Some(entry) = find(name) else { return Err(unknown(name)) };
    let (first, forced) = (entry.names.first().copied().unwrap_or_default(), name.ends_with('!'));
    let word = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let usage = || (format!("{name} is followed by {}", entry.follows), None);
    Ok(match first {
        "\\d" => Command::Describe(word(rest)),
        "\\dv" => Command::Views,
        "\\df" => Command::Functions,
        "\\l" => Command::Connections,
        "\\c" => Command::Connect(word(rest)),
        "\\g" => Command::Go { expanded: false },
        "\\gx" => Command::Go { expanded: true },
        "\\watch" => Command::Watch(seconds(rest)?),
        "\\e" => Command::Edit,
        "\\i" => Command::Include(path(rest).ok_or_else(usage)?),
        "\\o" => Command::Output(path(rest).map(|path| (path, forced))),
        "\\once" => Command::Once(path(rest).ok_or_else(usage)?, forced),
        "\\x" => Command::Expanded(chosen(name, rest, Expanded::value_variants())?),
        "\\format" => Command::Format(chosen(name, rest, Format::value_variants())?),
        "\\maxrows" => match rest {
            "" => Command::MaxRows(None),
            number => Command::MaxRows(Some(number.parse().map_err(|_| usage())?)),
        },
        "\\pset" => return setting(name, rest),
        "\\timing" => Command::Timing(switch(rest)?),
        "\\chart" => chart(rest),
        "\\requests" => Command::Requests,
        "\\quota" => Command::Quota,
        "\\q" => Command::Quit,
        _ => Command::Help,
    })
}

fn unknown(name: &str) -> Wrong {
    let meant = likely(name, names()).map(|meant| format!("did you mean {meant}?"));
    let all = || "\\? lists the commands".to_owned();
    (format!("there is no command {name}"), Some(meant.unwrap_or_else(all)))
}

/// A file's name, with or without quotes.
fn path(text: &str) -> Option<PathBuf> {
    let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(text);
    (!inner.is_empty()).then(|| PathBuf::from(inner))
}

fn switch(text: &str) -> Result<Option<bool>, Wrong> {
    match text {
        "" => Ok(None),
        "on" => Ok(Some(true)),
        "off" => Ok(Some(false)),
        other => Err((format!("{other} is neither on nor off"), None)),
    }
}

/// One of the values of an option.
fn chosen<T: ValueEnum>(name: &str, text: &str, all: &[T]) -> Result<Option<T>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(found) = T::from_str(text, true) {
        return Ok(Some(found));
    }
    let names =
        all.iter().filter_map(T::to_possible_value).map(|value| value.get_name().to_owned());
    let names: Vec<String> = names.collect();
    let hint = match likely(text, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("there are {}", names.join(", ")),
    };
    Err((format!("{name} has no {text}"), Some(hint)))
}

/// The time between two runs: two seconds where nobody says; a second at the least.
fn seconds(text: &str) -> Result<Duration, Wrong> {
    if text.is_empty() {
        return Ok(Duration::from_secs(2));
    }
    let seconds: Option<f64> = text.parse().ok();
    match seconds.filter(|seconds| (1.0..=86_400.0).contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs_f64(seconds)),
        None => Err(("\\watch is followed by seconds, from 1 on".to_owned(), None)),
    }
}

fn setting(name: &str, rest: &str) -> Result<Command, Wrong> {
    let word = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    if name == ".nullvalue" {
        return Ok(Command::Null(word(rest)));
    }
    match rest.split_once(char::is_whitespace).unwrap_or((rest, "")) {
        ("null", text) => Ok(Command::Null(word(text.trim()))),
        ("pager", text) => Ok(Command::Pager(switch(text.trim())?)),
        _ => Err(("\\pset sets null or pager".to_owned(), None)),
    }
}

fn chart(rest: &str) -> Command {
    let mut words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
    let shape = match words.first().map(String::as_str) {
        Some("bar") => Some(Shape::Bar),
        Some("line") => Some(Shape::Line),
        _ => None,
    };
    if shape.is_some() {
        words.remove(0);
    }
    Command::Chart { shape, columns: words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_dots_are_the_same_commands() {
        for (one, other) in [
            ("\\d", ".tables"),
            ("\\d contacts", ".schema contacts"),
            ("\\l", ".databases"),
            ("\\i x.sql", ".read 'x.sql'"),
            ("\\o out.csv", ".output out.csv"),
            ("\\format csv", ".mode csv"),
            ("\\timing off", ".timer off"),
            ("\\pset null -", ".nullvalue -"),
            ("\\x", ".expanded;"),
            ("\\q", ".exit"),
        ] {
            assert_eq!(parse(one).expect(one), parse(other).expect(other));
        }
        assert_eq!(parse("\\watch 5"), Ok(Command::Watch(Duration::from_secs(5))));
        assert_eq!(parse("\\o! x"), Ok(Command::Output(Some(("x".into(), true)))));
        assert_eq!(
            parse("\\chart line day opens"),
            Ok(Command::Chart {
                shape: Some(Shape::Line),
                columns: vec!["day".to_owned(), "opens".to_owned()]
            })
        );
    }

    #[test]
    fn what_is_no_command_names_the_nearest() {
        let hint = |line: &str| parse(line).expect_err(line).1.unwrap_or_default();
        assert_eq!(hint("\\timng"), "did you mean \\timing?");
        assert_eq!(hint(".tabels"), "did you mean .tables?");
        assert_eq!(hint("\\format cvs"), "did you mean csv?");
        assert_eq!(hint("\\zzzzzz"), "\\? lists the commands");
        assert!(parse("\\watch 0.1").is_err() && parse("\\maxrows many").is_err());
        assert!(parse("\\i").is_err() && parse("\\timing maybe").is_err());
    }

    #[test]
    fn every_name_is_one_commands_and_can_be_read() {
        let mut all: Vec<&str> = names().collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
        for entry in ENTRIES {
            let line = match entry.expects {
                Expects::File => format!("{} x", entry.names[0]),
                Expects::One(words) => format!("{} {}", entry.names[0], words[0]),
                _ => entry.names[0].to_owned(),
            };
            assert!(parse(&line).is_ok(), "{line}");
            assert!(help().contains(entry.says));
        }
    }
}
