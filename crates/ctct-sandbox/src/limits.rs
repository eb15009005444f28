//! The two limits of an API key, enforced for real.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::NaiveDate;

/// How often an API key may ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests in any second, sliding and by the calendar; no limit without.
    pub per_second: Option<u32>,
    /// Requests on a day of the sandbox's clock, in UTC; no limit without.
    pub per_day: Option<u32>,
}

/// What was counted so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// When the requests of the last second arrived.
    recent: VecDeque<Instant>,
    /// The calendar's second, counted from the first request, and its requests.
    second: (u64, u32),
    first: Option<Instant>,
    day: Option<NaiveDate>,
    today: u32,
    throttled: u32,
    most_in_a_second: u32,
}

/// Which limit a request exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Second,
    Day,
}

impl Counts {
    /// Counts a request that arrives now, on this day of the sandbox's clock.
    pub(crate) fn arrive(&self, limits: Limits, day: NaiveDate) -> Result<(), Exceeded> {
        let now = Instant::now();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.day != Some(day) {
            inner.day = Some(day);
            inner.today = 0;
        }
        if limits.per_day.is_some_and(|most| inner.today >= most) {
            return Err(Exceeded::Day);
        }
        // A request that is refused for its second has been a request of the day all the same.
        inner.today += 1;
        let first = *inner.first.get_or_insert(now);
        let calendar = now.duration_since(first).as_secs();
        if inner.second.0 != calendar {
            inner.second = (calendar, 0);
        }
        inner.second.1 += 1;
        while inner
            .recent
            .front()
            .is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1))
        {
            inner.recent.pop_front();
        }
        inner.recent.push_back(now);
        let sliding = u32::try_from(inner.recent.len()).unwrap_or(u32::MAX);
        let within = sliding.max(inner.second.1);
        inner.most_in_a_second = inner.most_in_a_second.max(within);
        if limits.per_second.is_some_and(|most| within > most) {
            inner.throttled += 1;
            return Err(Exceeded::Second);
        }
        Ok(())
    }

    /// Requests of the current day, refusals for a second, and the most that one second saw.
    pub(crate) fn seen(&self) -> (u32, u32, u32) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.today, inner.throttled, inner.most_in_a_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, number).expect("a day")
    }

    #[test]
    fn a_second_takes_no_more_than_its_share() {
        let counts = Counts::default();
        let limits = Limits { per_second: Some(4), per_day: None };
        let outcomes: Vec<_> = (0..6).map(|_| counts.arrive(limits, day(1)).is_ok()).collect();
        assert_eq!(outcomes, [true, true, true, true, false, false]);
        assert_eq!(counts.seen(), (6, 2, 6));
    }

    #[test]
    fn a_day_starts_anew_at_its_midnight() {
        let counts = Counts::default();
        let limits = Limits { per_second: None, per_day: Some(2) };
        assert!(counts.arrive(limits, day(1)).is_ok() && counts.arrive(limits, day(1)).is_ok());
        assert_eq!(counts.arrive(limits, day(1)), Err(Exceeded::Day));
        assert_eq!(counts.arrive(limits, day(2)), Ok(()));
    }
}
