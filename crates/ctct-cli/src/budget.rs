//! What a statement may cost: said beforehand, and asked about where it is much.

use std::io::IsTerminal;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion_ctct::{Connection, Estimate, Pace};

use crate::arguments::Arguments;
use crate::exit::Failure;
use crate::pasted::Pasted;
use crate::quota::thousands;
use crate::report::Report;
use crate::setup::Setup;

/// One statement takes at most this part of a day's requests, unless somebody agrees.
const SHARE: u64 = 5;

/// What a plan will cost; none where it cannot be told, or where nothing is asked of
/// anybody.
pub(crate) async fn estimate(setup: &Setup, plan: &LogicalPlan) -> Option<Estimate> {
    let plan = match plan {
        LogicalPlan::Explain(explain) => explain.plan.as_ref(),
        other => other,
    };
    // What cannot be planned says so itself when it is run.
    let plan = setup.session.state().create_physical_plan(plan).await.ok()?;
    Some(Estimate::of(&plan)).filter(|estimate| estimate.scans > 0)
}

/// How many rows a query has in all, where at most one request tells.
pub(crate) async fn counted(setup: &Setup, plan: LogicalPlan) -> Option<u64> {
    let rows = datafusion::functions_aggregate::expr_fn::count(datafusion::prelude::lit(1));
    let count = LogicalPlanBuilder::from(plan).aggregate(Vec::<Expr>::new(), [rows]).ok()?;
    let count = count.build().ok()?;
    if estimate(setup, &count).await.is_some_and(|estimate| estimate.requests > 1) {
        return None;
    }
    // An estimate may be wrong, and a count is not worth more.
    setup.traffic.set_ceiling(Some(1));
    let found = setup.session.execute_logical_plan(count).await.ok()?.collect().await.ok()?;
    let count = found.first()?.column(0).as_primitive_opt::<Int64Type>()?;
    u64::try_from(count.iter().next()??).ok()
}

/// Lets a statement begin, or not, and bounds what it may send.
pub(crate) async fn admit(
    setup: &Setup,
    arguments: &Arguments,
    plan: &LogicalPlan,
) -> Result<(), Failure> {
    setup.traffic.set_ceiling(None);
    let Some(connection) = setup.connection.as_ref().filter(|_| !arguments.sandbox) else {
        return Ok(());
    };
    if arguments.yes || arguments.max_requests.is_some() {
        return Ok(());
    }
    let ceiling = u64::from(connection.inputs.requests_per_day) / SHARE;
    let Some(estimate) = estimate(setup, plan).await else { return Ok(()) };
    // What may well be less begins, and ends at the ceiling if it is not.
    if estimate.requests > ceiling && !estimate.at_most {
        let cost = format!("this takes {}", in_words(&estimate, setup, connection));
        if arguments.no_input || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal()
        {
            return Err(Failure::with_hint(
                1,
                format!("{cost}, which is more than a fifth of a day's requests"),
                "--yes lets it go on, LIMIT and conditions make it less; EXPLAIN shows what is sent".to_owned(),
            ));
        }
        Report::question(&format!("{cost}. Go on? [y/N] "));
        // Whoever cannot be read does not agree; Ctrl-C ends the waiting.
        let answer = Pasted::new().next().await.and_then(Result::ok).unwrap_or_default();
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Failure::Told { code: 1 });
        }
        return Ok(());
    }
    setup.traffic.set_ceiling(Some(ceiling));
    Ok(())
}

/// An estimate in words: requests, the part of what is left today, the shortest time.
pub(crate) fn in_words(estimate: &Estimate, setup: &Setup, connection: &Connection) -> String {
    let left = setup.traffic.quota(connection).left();
    let about = if estimate.at_most { "at most" } else { "about" };
    let noun = if estimate.requests == 1 { "request" } else { "requests" };
    let mut words = format!("{about} {} {noun}", thousands(estimate.requests));
    if estimate.requests > 0 {
        let part = match estimate.requests.saturating_mul(100).checked_div(left) {
            Some(0) => "less than 1 %".to_owned(),
            Some(percent) => format!("{} %", thousands(percent)),
            None => "more than all".to_owned(),
        };
        words = format!("{words} ({part} of the {} left today)", thousands(left));
    }
    if let Pace::PerSecond(rate) = connection.inputs.pace {
        let seconds = shortest(estimate.requests, rate);
        if seconds >= 1 {
            words = format!("{words}, {} at the shortest", duration(seconds));
        }
    }
    words
}

/// Seconds between the first request and the last one.
fn shortest(requests: u64, rate: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rough figure, and never negative"
    )]
    let seconds = (requests.saturating_sub(1) as f64 / rate).round() as u64;
    seconds
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rough_and_short() {
        assert_eq!([duration(99), duration(121), duration(7_300)], ["99 s", "3 min", "3 h"]);
        assert_eq!([shortest(0, 3.0), shortest(1, 3.0), shortest(100, 3.0)], [0, 0, 33]);
    }
}
