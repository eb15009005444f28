//! What is said to people: on standard error, never among the data.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::arguments::Colours;
use crate::exit::Failure;

/// Says things on standard error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    quiet: bool,
    terminal: bool,
    colour: bool,
}

impl Report {
    pub(crate) fn new(quiet: bool, colours: Colours) -> Self {
        let terminal = io::stderr().is_terminal();
        Self { quiet, terminal, colour: has_colours(colours, terminal) }
    }

    /// Whether messages have colours.
    pub(crate) fn is_coloured(self) -> bool {
        self.colour
    }

    /// The same report, saying less.
    pub(crate) fn quietly(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// Whether somebody watches, and wants to be told things.
    pub(crate) fn is_watched(self) -> bool {
        self.terminal && !self.quiet
    }

    /// Says why a run failed, and gives its exit code.
    pub(crate) fn failure(self, failure: &Failure) -> ExitCode {
        if let Failure::Said { diagnosis, excerpt, .. } = failure {
            let label = self.paint("error", "31;1");
            Self::line(format_args!("{label}: {}", harmless(&diagnosis.message)));
            if let Some(excerpt) = excerpt {
                let (line, marks) = excerpt.split_once('\n').unwrap_or((excerpt, ""));
                Self::line(format_args!("{line}\n{}", self.paint(marks, "31;1")));
            }
            if let Some(hint) = &diagnosis.hint {
                let label = self.paint("hint", "36");
                Self::line(format_args!("{label}: {}", harmless(hint)));
            }
        }
        failure.code()
    }

    /// Says something that may be left out.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            Self::line(format_args!("{text}"));
        }
    }

    /// Says something that somebody should look at.
    pub(crate) fn warning(self, text: &str) {
        if !self.quiet {
            Self::line(format_args!("{}: {text}", self.paint("warning", "33")));
        }
    }

    /// Asks something; the answer is typed behind it.
    pub(crate) fn question(text: &str) {
        // Where standard error is gone there is nobody left to ask.
        drop(write!(io::stderr().lock(), "{text}"));
    }

    /// Whether somebody sits in front of this machine, as far as that can be told.
    pub(crate) fn may_open_a_browser(self) -> bool {
        self.terminal || std::env::var_os("BROWSER").is_some()
    }

    /// An address that a terminal may make a link of, also where it breaks the line.
    pub(crate) fn link(self, url: &str) -> String {
        if self.colour { format!("\x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\") } else { url.to_owned() }
    }

    /// Says something in the background.
    pub(crate) fn aside(self, text: &str) {
        if !self.quiet {
            Self::line(format_args!("{}", self.paint(text, "2")));
        }
    }

    /// Shows the warnings of all crates from now on.
    pub(crate) fn install_warnings(self) {
        let level = if self.quiet { Level::ERROR } else { Level::WARN };
        // For whoever looks for a fault: error, warn, info, debug or trace.
        let asked = std::env::var("CTCT_LOG").ok().and_then(|level| level.parse().ok());
        let level: Level = asked.unwrap_or(level);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(io::stderr)
            .event_format(Warnings { label: self.paint("warning", "33") })
            .finish();
        // Fails only where somebody was faster, who then shows them.
        drop(tracing::subscriber::set_global_default(subscriber));
    }

    fn line(text: fmt::Arguments<'_>) {
        // Where standard error is gone there is nobody left to tell.
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    fn paint(self, text: &str, style: &str) -> String {
        if self.colour { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Whether what is written has colours: as somebody says, or by what the environment says, or
/// where a terminal shows it.
fn has_colours(colours: Colours, terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_forced = ["FORCE_COLOR", "CLICOLOR_FORCE"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0"));
    match colours {
        Colours::Always => true,
        Colours::Never => false,
        Colours::Auto if is_set("NO_COLOR") => false,
        Colours::Auto if is_forced => true,
        Colours::Auto => terminal && std::env::var_os("TERM").is_none_or(|value| value != "dumb"),
    }
}

/// Text from elsewhere, unable to steer a terminal or to turn the direction of writing.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !(c.is_control() || turns(*c))).collect()
}

/// Whether a sign changes the direction in which others are written.
pub(crate) fn turns(sign: char) -> bool {
    matches!(
        sign,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Events as lines of their message.
struct Warnings {
    label: String,
}

impl<S, N> FormatEvent<S, N> for Warnings
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match *event.metadata().level() {
            Level::ERROR | Level::WARN => write!(writer, "{}: ", self.label)?,
            level => {
                write!(
                    writer,
                    "{} {}: ",
                    level.as_str().to_lowercase(),
                    event.metadata().target()
                )?;
            }
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
