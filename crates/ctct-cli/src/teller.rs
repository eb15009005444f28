//! How a replication goes on, for people: a bar on a terminal, now and then a line elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ctct_replicate::{Event, Outcome, StreamReport};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::quota::thousands;
use crate::report::Report;

/// How often a line tells how far a stream has come, where there is no bar.
const SAID_EVERY: Duration = Duration::from_secs(10);
/// How often the bar turns.
const TURNS_EVERY: Duration = Duration::from_millis(120);

/// Tells people how a run goes on.
pub(crate) struct Teller {
    report: Report,
    quiet: bool,
    /// When it last told of rows.
    said: Mutex<Instant>,
    /// What a terminal shows of the stream that is being read.
    bar: Option<ProgressBar>,
}

impl Teller {
    pub(crate) fn new(report: Report, quiet: bool) -> Self {
        let bar = report
            .is_watched()
            .then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
        Self { report, quiet, said: Mutex::new(Instant::now()), bar }
    }

    pub(crate) fn tell(&self, event: Event) {
        if self.quiet {
            return;
        }
        match (event, &self.bar) {
            (Event::Began { stream, resumed }, None) => {
                let how = if resumed { " goes on where it stood" } else { "" };
                self.report.note(&format!("{stream}{how} …"));
            }
            (Event::Began { stream, resumed }, Some(bar)) => {
                if resumed {
                    bar.suspend(|| self.report.note(&format!("{stream} goes on where it stood")));
                }
                bar.reset();
                bar.unset_length();
                bar.set_style(style("{spinner} {msg}, {elapsed}"));
                bar.set_message(stream);
                bar.enable_steady_tick(TURNS_EVERY);
            }
            (Event::Kept { stream, rows, of }, None) => {
                let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                if said.elapsed() >= SAID_EVERY {
                    *said = Instant::now();
                    self.report.note(&format!("{stream}: {}", far(rows, of)));
                }
            }
            (Event::Kept { stream, rows, of }, Some(bar)) => {
                if let Some(of) = of.filter(|of| *of > 0) {
                    bar.set_length(of.max(rows));
                    bar.set_style(style("{spinner} {msg} [{bar:24}] {elapsed}, {eta} to go"));
                }
                bar.set_position(rows);
                bar.set_message(format!("{stream}: {}", far(rows, of)));
            }
            (Event::Waiting { until, why }, bar) => {
                let text = format!("{why}; waiting until {}", until.format("%F %H:%M UTC"));
                match bar {
                    Some(bar) => {
                        bar.suspend(|| self.report.note(&text));
                        bar.set_style(style("{spinner} {msg}"));
                        bar.set_message(text);
                    }
                    None => self.report.note(&text),
                }
            }
            (Event::Ended(ended), Some(bar)) => {
                bar.suspend(|| self.report.aside(&ending(&ended)));
            }
            (Event::Ended(_), None) => {}
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// How far a stream has come.
fn far(rows: u64, of: Option<u64>) -> String {
    let of = of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
    format!("{}{of} rows", thousands(rows))
}

/// The line that a stream leaves.
fn ending(ended: &StreamReport) -> String {
    let what = match &ended.outcome {
        Outcome::Done => String::new(),
        other => format!(", {}", other.word()),
    };
    format!(
        "{}: {} rows, {} requests, {:.1} s{what}",
        ended.stream,
        thousands(ended.rows),
        thousands(ended.requests),
        ended.took.as_secs_f64()
    )
}
