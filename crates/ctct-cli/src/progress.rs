//! What a statement is doing, on one line of a terminal, while it runs.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion_ctct::{Activity, Connection, Traffic, WaitingFor};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::echo::Unechoed;
use crate::quota::thousands;

/// Nothing is shown of what is over sooner than this.
const PATIENCE: Duration = Duration::from_millis(700);
const REFRESH: Duration = Duration::from_millis(120);

/// Shows what is being done until it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    refreshing: tokio::task::JoinSet<()>,
    /// The terminal as it was, once the line has gone.
    unechoed: Option<Unechoed>,
}

impl Progress {
    /// Starts to watch, if somebody does.
    pub(crate) fn start(
        watched: bool,
        traffic: &Arc<Traffic>,
        connection: Option<&Connection>,
    ) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let mut refreshing = tokio::task::JoinSet::new();
        if let Some(connection) = connection.filter(|_| watched) {
            let (bar, traffic, connection) = (bar.clone(), Arc::clone(traffic), connection.clone());
            refreshing.spawn(async move { refresh(&bar, &traffic, &connection).await });
        }
        let unechoed = (!refreshing.is_empty()).then(Unechoed::new);
        Self { bar, refreshing, unechoed }
    }

    /// Takes the line away, before something else is written.
    pub(crate) fn stop(&mut self) {
        self.refreshing.abort_all();
        self.bar.finish_and_clear();
        self.unechoed = None;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn refresh(bar: &ProgressBar, traffic: &Traffic, connection: &Connection) {
    let (before, started) = (traffic.activity(), Instant::now());
    tokio::time::sleep(PATIENCE).await;
    let style = ProgressStyle::with_template("{spinner} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_draw_target(ProgressDrawTarget::stderr());
    loop {
        let activity = traffic.activity();
        let left = traffic.quota(connection).left();
        bar.set_message(message(&before, &activity, left, started.elapsed()));
        bar.tick();
        tokio::time::sleep(REFRESH).await;
    }
}

/// What one statement has done since it started.
fn message(before: &Activity, now: &Activity, left: u64, elapsed: Duration) -> String {
    let rows = now.rows - before.rows;
    let announced = now.announced - before.announced;
    let of = if announced > 0 { format!(" of {}", thousands(announced)) } else { String::new() };
    let mut text = format!(
        "{}{of} rows, {} pages, {} requests, {} left today",
        thousands(rows),
        thousands(now.pages - before.pages),
        thousands(now.requests - before.requests),
        thousands(left)
    );
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = rows.saturating_mul(1_000) / milliseconds;
    if rate > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, ", {} rows/s", thousands(rate));
    }
    if rate > 0 && announced > rows {
        let _ = write!(text, ", {} s to go", thousands((announced - rows).div_ceil(rate)));
    }
    if let Some(waiting) = &now.waiting {
        let seconds = waiting.left().as_secs_f64();
        // The pace is what usually is waited for: its tenths of a second say nothing.
        match waiting.reason {
            WaitingFor::Pace if seconds < 1.0 => text.push_str(" (pace)"),
            reason => {
                let _ = write!(text, " ({reason}, {seconds:.0} s)");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use datafusion_ctct::Waiting;

    use super::*;

    #[test]
    fn the_line_says_what_is_done_and_what_is_waited_for() {
        let before = Activity { requests: 2, pages: 2, rows: 700, ..Activity::default() };
        let mut now = Activity { requests: 5, pages: 4, rows: 1_700, ..Activity::default() };
        let shown = |now: &Activity| message(&before, now, 9_995, Duration::from_secs(2));
        assert_eq!(shown(&now), "1,000 rows, 2 pages, 3 requests, 9,995 left today, 500 rows/s");
        now.announced = 3_100;
        assert_eq!(
            shown(&now),
            "1,000 of 3,100 rows, 2 pages, 3 requests, 9,995 left today, 500 rows/s, 5 s to go"
        );
        now.waiting = Some(Waiting {
            reason: WaitingFor::Retry { number: 2, of: 4 },
            until: Instant::now() + Duration::from_secs(9),
        });
        assert!(shown(&now).ends_with(" (retry 2 of 4, 9 s)"), "{}", shown(&now));
    }
}
