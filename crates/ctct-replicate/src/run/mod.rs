//! Running a plan, stream after stream.

mod complete;
mod fit;
mod guard;
mod increment;
mod place;
mod report;
pub(crate) mod source;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use datafusion::prelude::SessionContext;
use datafusion_ctct::Client;

use crate::plan::Plan;
use crate::postgres::Target;
use crate::{Error, Moment};
pub use report::{Event, Outcome, StreamReport};

/// How a plan is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// When the run began.
    pub at: Moment,
    /// The name of the run in the target's log.
    pub run_id: String,
    /// The day from which a first incremental run reads; a year ago where none is set.
    pub anchor: Option<Moment>,
    /// Whether rows that are gone from the source are deleted, not marked.
    pub hard_deletes: bool,
    /// Whether most rows of a table may go at once, which is refused otherwise.
    pub accept_deletes: bool,
    /// After how long a stream that is read by changes is read as a whole once more.
    pub full_every: Option<Duration>,
    /// Whether to wait where the day's requests are used up.
    pub wait: bool,
}

impl Options {
    /// The moment from which a first incremental run reads.
    pub(crate) fn first(&self) -> Moment {
        self.anchor.unwrap_or(self.at - chrono::Duration::days(365))
    }
}

/// What a run works with.
pub(crate) struct Context<'a> {
    pub(crate) client: Arc<Client>,
    pub(crate) session: &'a SessionContext,
    pub(crate) target: &'a Target,
    pub(crate) options: &'a Options,
    pub(crate) observe: &'a (dyn Fn(Event) + Sync),
}

impl Context<'_> {
    /// The server's time, as far as its answers told, in microseconds since 1970.
    pub(crate) fn server_now(&self) -> i64 {
        self.client.traffic().server_now().timestamp_micros()
    }
}

/// Runs the streams of a plan, one after the other. One that fails keeps none of the others
/// from running; where the day's requests are used up, the rest is not begun. `observe` hears
/// of what happens.
pub async fn run(
    plan: &Plan,
    client: Arc<Client>,
    session: &SessionContext,
    target: &Target,
    options: &Options,
    observe: &(dyn Fn(Event) + Sync),
) -> Vec<StreamReport> {
    let context = Context { client, session, target, options, observe };
    let mut reports: Vec<StreamReport> = Vec::new();
    for stream in &plan.streams {
        let is_over = reports.iter().any(|report| report.outcome.is_quota());
        let report = if is_over {
            StreamReport::new(stream, Outcome::Skipped)
        } else {
            stream::run(&context, stream).await
        };
        observe(Event::Ended(report.clone()));
        reports.push(report);
    }
    reports
}

/// Waits until the day's requests are renewed, telling how long that is.
async fn until_renewal(context: &Context<'_>, error: &Error) {
    let now = context.client.traffic().server_now();
    let midnight = now.date_naive().succ_opt().and_then(|day| day.and_hms_opt(0, 1, 0));
    let renewal: DateTime<Utc> = midnight.map_or(now, |at| at.and_utc());
    (context.observe)(Event::Waiting { until: renewal, why: error.to_string() });
    let wait = (renewal - now).to_std().unwrap_or_default();
    tokio::time::sleep(wait).await;
}
