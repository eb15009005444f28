//! Whether and when a failed attempt is made again: a decision without I/O.

use std::time::{Duration, Instant};

/// How often, and for how long, a request is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries of an attempt that the server failed, or that did not reach it.
    pub failures: u32,
    /// The shortest wait before a retry.
    pub shortest: Duration,
    /// The longest wait before a retry.
    pub longest: Duration,
    /// No retry starts later than this after the first attempt.
    pub budget: Duration,
}

impl Default for RetryPolicy {
    /// Four retries within three minutes: long enough for a server that restarts,
    /// short enough that a person is still there to read why it failed.
    fn default() -> Self {
        Self {
            failures: 4,
            shortest: Duration::from_millis(200),
            longest: Duration::from_secs(15),
            budget: Duration::from_mins(3),
        }
    }
}

/// What went wrong, as far as it matters for trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing, or half an answer, came back.
    Unreachable,
    /// The server failed (5xx).
    Server,
    /// Too many requests in this second.
    Throttled,
    /// Too many requests of a kind that is not told.
    TooMany,
    /// The server is still at work on the answer (202).
    NotReady,
    /// Trying again does not help.
    Final,
}

/// A second that is too full is over after a second.
const THROTTLED_WAIT: Duration = Duration::from_secs(1);
/// A segment of some size takes a while to be found.
const NOT_READY_WAIT: Duration = Duration::from_millis(500);
/// An unexplained refusal for too many requests may be the day's: few tries.
const TOO_MANY_RETRIES: u32 = 2;

/// The retries of one request.
pub(super) struct Retries {
    policy: RetryPolicy,
    started: Instant,
    failed: u32,
    throttled: u32,
    previous: Duration,
}

impl Retries {
    pub(super) fn new(policy: RetryPolicy) -> Self {
        Self { policy, started: Instant::now(), failed: 0, throttled: 0, previous: policy.shortest }
    }

    /// How many retries were granted so far.
    pub(super) fn made(&self) -> u32 {
        self.failed + self.throttled
    }

    /// The wait before the next attempt; none to give up. `asked` is how long the server
    /// asked to wait, and `random` is in `0..1`.
    pub(super) fn after(
        &mut self,
        failure: Failure,
        asked: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        let allowed = match failure {
            Failure::Final => return None,
            Failure::Throttled | Failure::NotReady => u32::MAX,
            Failure::TooMany => TOO_MANY_RETRIES,
            Failure::Unreachable | Failure::Server => self.policy.failures,
        };
        let wait = match failure {
            // Not a failure of anybody: the pace was too fast. It waits out the second
            // and some more, so that several waiting processes do not return as one.
            Failure::Throttled => THROTTLED_WAIT.mul_f64(1.0 + random / 2.0),
            // The answer is computed meanwhile: a second at first, then longer.
            Failure::NotReady => self.backoff(random).max(NOT_READY_WAIT),
            _ => self.backoff(random),
        }
        .max(asked.unwrap_or_default());
        if self.failed >= allowed || self.started.elapsed() + wait > self.policy.budget {
            return None;
        }
        match failure {
            Failure::Throttled | Failure::NotReady => self.throttled += 1,
            _ => self.failed += 1,
        }
        Some(wait)
    }

    /// Decorrelated jitter: between the shortest wait and three times the previous one.
    fn backoff(&mut self, random: f64) -> Duration {
        let highest = self.previous.mul_f64(3.0).min(self.policy.longest).max(self.policy.shortest);
        let spread = highest.saturating_sub(self.policy.shortest);
        let wait = self.policy.shortest + spread.mul_f64(random);
        self.previous = wait;
        wait
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waits(failure: Failure, random: f64, most: usize) -> Vec<Duration> {
        let mut retries = Retries::new(RetryPolicy::default());
        std::iter::from_fn(|| retries.after(failure, None, random)).take(most).collect()
    }

    #[test]
    fn each_failure_has_its_number_of_retries() {
        assert_eq!(waits(Failure::Server, 0.5, 99).len(), 4);
        assert_eq!(waits(Failure::Unreachable, 0.5, 99).len(), 4);
        assert_eq!(waits(Failure::TooMany, 0.5, 99).len(), 2);
        assert_eq!(waits(Failure::Final, 0.5, 99).len(), 0);
    }

    #[test]
    fn a_throttled_request_waits_out_the_second_and_is_no_failure() {
        let mut retries = Retries::new(RetryPolicy::default());
        for _ in 0..10 {
            let wait = retries.after(Failure::Throttled, None, 0.0).expect("goes on");
            assert!(wait >= Duration::from_secs(1));
        }
        assert!(retries.after(Failure::Server, None, 0.5).is_some(), "failures are counted apart");
    }

    #[test]
    fn the_budget_ends_everything() {
        let policy = RetryPolicy { budget: Duration::from_millis(900), ..RetryPolicy::default() };
        assert_eq!(Retries::new(policy).after(Failure::Throttled, None, 0.0), None);
        assert!(Retries::new(policy).after(Failure::Server, None, 0.0).is_some());
    }

    #[test]
    fn what_the_server_asks_for_is_waited_for_within_the_budget() {
        let minute = Some(Duration::from_mins(1));
        let mut retries = Retries::new(RetryPolicy::default());
        assert_eq!(retries.after(Failure::Server, minute, 0.5), minute);
        let hour = Some(Duration::from_hours(1));
        assert_eq!(retries.after(Failure::Server, hour, 0.5), None);
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bounds(randoms in proptest::collection::vec(0.0..1.0_f64, 4)) {
            let policy = RetryPolicy::default();
            let mut retries = Retries::new(policy);
            for random in randoms {
                let wait = retries.after(Failure::Server, None, random).expect("within the number");
                prop_assert!(wait >= policy.shortest && wait <= policy.longest);
            }
        }
    }
}
