//! The time that a request is about, where it must be about one.

use chrono::{DateTime, Months, SecondsFormat, Utc};
use ctct_endpoints::Period;

use crate::predicate::{Domain, Domains, Interval};

const SECOND: i64 = 1_000_000;
/// Before there was anything to report on.
const EARLIEST: &str = "2000-01-01T00:00:00Z";

/// A bound of a period, as the request has it and as the rows show it.
pub(super) struct Bound {
    pub(super) parameter: &'static str,
    pub(super) column: &'static str,
    pub(super) text: String,
}

/// The period that a scan asks about, its beginning first. `began` is when the scan began, by
/// the server's clock in microseconds; before it has, bounds that depend on it are words.
pub(super) fn bounds(period: &Period, domains: &Domains, began: Option<i64>) -> [Bound; 2] {
    let within = |column: &str| match domains.get(column) {
        Some(Domain::Interval(interval)) => *interval,
        _ => Interval::ALL,
    };
    // Whole seconds that lie within.
    let first =
        within(period.from).lower.map(|at| at.div_euclid(SECOND) + i64::from(at % SECOND != 0));
    let last = within(period.to).upper.or(began).map(|at| at.div_euclid(SECOND));
    let end = last.and_then(|at| DateTime::from_timestamp(at, 0));
    let start = match (first, period.months) {
        (Some(first), _) => DateTime::from_timestamp(first, 0).map(written),
        (None, None) => Some(EARLIEST.to_owned()),
        (None, Some(months)) => {
            end.and_then(|end| end.checked_sub_months(Months::new(months))).map(written)
        }
    };
    let earlier = || format!("{}-months-before", period.months.unwrap_or_default());
    [
        Bound { parameter: period.start, column: period.from, text: start.unwrap_or_else(earlier) },
        Bound {
            parameter: period.end,
            column: period.to,
            text: end.map_or_else(|| "now".to_owned(), written),
        },
    ]
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Period =
        Period { from: "f", to: "t", start: "start", end: "end", months: Some(60) };
    const JUNE: i64 = 1_748_736_000 * SECOND;

    fn texts(period: &Period, domains: &Domains, began: Option<i64>) -> [String; 2] {
        bounds(period, domains, began).map(|bound| bound.text)
    }

    #[test]
    fn what_is_left_open_is_filled_in() {
        let none = Domains::default();
        assert_eq!(texts(&RATES, &none, None), ["60-months-before", "now"]);
        let filled = ["2020-06-01T00:00:00Z", "2025-06-01T00:00:00Z"];
        assert_eq!(texts(&RATES, &none, Some(JUNE + 7)), filled);
        let whole = Period { months: None, ..RATES };
        assert_eq!(texts(&whole, &none, Some(JUNE))[0], EARLIEST);
    }

    #[test]
    fn bounds_lie_within_what_was_asked_for() {
        let from = Domains::of("f", Domain::Interval(Interval::from(JUNE + 1)));
        let to = Domains::of("t", Domain::Interval(Interval::up_to(JUNE + 9 * SECOND - 1)));
        let both = from.clone().intersect(to.clone());
        assert_eq!(
            texts(&RATES, &both, Some(JUNE)),
            ["2025-06-01T00:00:01Z", "2025-06-01T00:00:08Z"]
        );
        assert_eq!(texts(&RATES, &to, None)[0], "2020-06-01T00:00:08Z");
        assert_eq!(texts(&RATES, &from, None), ["2025-06-01T00:00:01Z", "now"]);
    }
}
