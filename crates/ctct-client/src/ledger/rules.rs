//! When a request may leave: decisions as functions of values, without clock or storage.
//!
//! Times are in microseconds since 1970, by this machine's clock unless a name says
//! otherwise. All processes of a machine share one [`KeyState`] per API key and apply
//! these rules to it one after the other; what follows from the rules for one process
//! therefore holds for all of them together.

/// A second.
pub(super) const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// After this many failures in a row nothing is sent for a while.
pub(super) const FAILURES_ALLOWED: u32 = 5;
/// How long nothing is sent then, at first; it doubles with every further failure.
const FIRST_REST: i64 = 5 * SECOND;
const LONGEST_REST: i64 = 300 * SECOND;
/// How long a lone request may take to find out whether the server is well again.
const PROBE: i64 = 30 * SECOND;
/// How long, and by how much, a throttled key goes slower.
const SLOW_FOR: i64 = 60 * SECOND;
const SLOW_FACTOR: i64 = 2;
/// No honest queue is longer than this: a later slot was made by a clock that has been
/// set back since.
const LONGEST_QUEUE: i64 = 120 * SECOND;

/// What is known of an API key, by all processes of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeyState {
    /// When the next request may leave.
    pub(super) next_slot: i64,
    /// Until when requests are spaced wider.
    pub(super) slow_until: i64,
    /// The server's day that the server declared used up, counted from 1970.
    pub(super) closed_day: Option<i64>,
    /// Failures since the last answer.
    pub(super) failures: u32,
    /// Until when nothing is sent, after too many failures.
    pub(super) rest_until: i64,
    /// How far the server's clock is ahead of this machine's.
    pub(super) ahead: i64,
    /// The server's last complaint, and when it made it.
    pub(super) said: Option<(String, i64)>,
}

/// What a key is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// The time between two requests; none for as fast as the server answers.
    pub(super) period: Option<i64>,
    /// Requests per day of the server.
    pub(super) per_day: u64,
    /// Requests of a day that this asker leaves to others.
    pub(super) reserve: u64,
}

/// Why a request may not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The day's requests are used up, by our count or by the server's word.
    UsedUp {
        /// Whether the server said so.
        said: bool,
    },
    /// What is left of the day is kept for people.
    Reserved,
    /// The server failed too often; when the next attempt may be made.
    Resting {
        /// By this machine's clock.
        until: i64,
    },
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server answered, whatever it said.
    Answered,
    /// The server failed, or could not be reached.
    Failed,
    /// Too many requests in a second.
    Throttled(String),
    /// The day's requests are used up.
    QuotaExceeded(String),
}

impl KeyState {
    /// The server's day, counted from 1970.
    pub(super) fn server_day(&self, now: i64) -> i64 {
        (now + self.ahead).div_euclid(DAY)
    }

    /// When the server's day ends, by this machine's clock.
    pub(super) fn day_ends(&self, now: i64) -> i64 {
        (self.server_day(now) + 1) * DAY - self.ahead
    }

    /// Takes the next slot for a request, when `used` have left today.
    ///
    /// Slots are a period apart and are given once, so that in no stretch of time more
    /// requests leave than periods begin in it, and one.
    pub(super) fn admit(&mut self, used: u64, limits: &Limits, now: i64) -> Result<i64, Refusal> {
        if self.closed_day == Some(self.server_day(now)) {
            return Err(Refusal::UsedUp { said: true });
        }
        if used >= limits.per_day {
            return Err(Refusal::UsedUp { said: false });
        }
        if used.saturating_add(limits.reserve) >= limits.per_day {
            return Err(Refusal::Reserved);
        }
        if self.failures >= FAILURES_ALLOWED {
            if now < self.rest_until && self.rest_until - now <= LONGEST_REST {
                return Err(Refusal::Resting { until: self.rest_until });
            }
            // One request finds out; the others wait for what it finds.
            self.rest_until = now + PROBE;
        }
        let Some(period) = limits.period else { return Ok(now) };
        let slowed = now < self.slow_until && self.slow_until - now <= SLOW_FOR;
        let period = if slowed { period * SLOW_FACTOR } else { period };
        if self.next_slot - now > LONGEST_QUEUE {
            self.next_slot = now;
        }
        let slot = self.next_slot.max(now);
        self.next_slot = slot + period;
        Ok(slot)
    }

    /// Learns from what came of a request.
    pub(super) fn learn(&mut self, outcome: &Outcome, now: i64) {
        match outcome {
            Outcome::Answered => {
                self.failures = 0;
                self.rest_until = 0;
            }
            Outcome::Failed => {
                self.failures = self.failures.saturating_add(1);
                let beyond = self.failures.saturating_sub(FAILURES_ALLOWED);
                if self.failures >= FAILURES_ALLOWED {
                    let rest = FIRST_REST << beyond.min(10);
                    self.rest_until = now + rest.min(LONGEST_REST);
                }
            }
            Outcome::Throttled(said) => {
                self.failures = 0;
                self.slow_until = now + SLOW_FOR;
                // The second that is too full is over in a second, for everybody.
                self.next_slot = self.next_slot.max(now + SECOND);
                self.said = Some((said.clone(), now));
            }
            Outcome::QuotaExceeded(said) => {
                self.failures = 0;
                self.closed_day = Some(self.server_day(now));
                self.said = Some((said.clone(), now));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { period: Some(275_000), per_day: 100, reserve: 0 };

    #[test]
    fn slots_are_a_period_apart_and_never_in_the_past() {
        let mut state = KeyState::default();
        let slots: Vec<i64> =
            (0..4).map(|_| state.admit(0, &LIMITS, 1_000).expect("admitted")).collect();
        assert_eq!(slots, [1_000, 276_000, 551_000, 826_000]);
        assert_eq!(state.admit(0, &LIMITS, 9_000_000), Ok(9_000_000));
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nobody() {
        let hour = 3_600 * SECOND;
        let mut state =
            KeyState { next_slot: hour, rest_until: hour, slow_until: hour, ..KeyState::default() };
        assert_eq!(state.admit(0, &LIMITS, 0), Ok(0));
        state.failures = FAILURES_ALLOWED;
        assert_eq!(state.admit(0, &LIMITS, SECOND), Ok(SECOND));
    }

    #[test]
    fn the_day_ends_by_the_servers_clock() {
        let mut state = KeyState { ahead: -2 * DAY, ..KeyState::default() };
        let now = 10 * DAY + 5;
        state.learn(&Outcome::QuotaExceeded("Limit Exceeded".into()), now);
        assert_eq!(state.closed_day, Some(8));
        assert_eq!(state.admit(0, &LIMITS, now), Err(Refusal::UsedUp { said: true }));
        assert_eq!(state.day_ends(now), 11 * DAY);
        assert!(state.admit(0, &LIMITS, 11 * DAY).is_ok());
    }

    #[test]
    fn the_last_requests_of_a_day_are_kept_for_people() {
        let unattended = Limits { reserve: 10, ..LIMITS };
        let mut state = KeyState::default();
        assert!(state.admit(89, &unattended, 0).is_ok());
        assert_eq!(state.admit(90, &unattended, 0), Err(Refusal::Reserved));
        assert!(state.admit(99, &LIMITS, 0).is_ok());
        assert_eq!(state.admit(100, &LIMITS, 0), Err(Refusal::UsedUp { said: false }));
    }

    #[test]
    fn a_failing_server_is_left_alone_and_then_probed_by_one() {
        let mut state = KeyState::default();
        for _ in 0..FAILURES_ALLOWED {
            state.learn(&Outcome::Failed, 0);
        }
        let rest = Err(Refusal::Resting { until: FIRST_REST });
        assert_eq!(state.admit(0, &LIMITS, SECOND), rest);
        assert!(state.admit(0, &LIMITS, FIRST_REST).is_ok(), "the probe");
        assert!(matches!(state.admit(0, &LIMITS, FIRST_REST), Err(Refusal::Resting { .. })));
        state.learn(&Outcome::Failed, FIRST_REST);
        assert_eq!(state.rest_until, 3 * FIRST_REST, "the next rest is longer");
        state.learn(&Outcome::Answered, 3 * FIRST_REST);
        assert!(state.admit(0, &LIMITS, 3 * FIRST_REST).is_ok());
    }

    #[test]
    fn a_throttled_key_waits_out_the_second_and_goes_slower_for_a_minute() {
        let mut state = KeyState::default();
        state.learn(&Outcome::Throttled("Too Many Requests".into()), 0);
        assert_eq!(state.admit(0, &LIMITS, 0), Ok(SECOND));
        assert_eq!(state.admit(0, &LIMITS, 0), Ok(SECOND + 550_000));
        let later = SLOW_FOR + SECOND;
        assert_eq!(state.admit(0, &LIMITS, later), Ok(later));
        assert_eq!(state.admit(0, &LIMITS, later), Ok(later + 275_000));
    }

    proptest! {
        /// Whoever asks, and whenever: no stretch of time holds more slots than periods
        /// begin in it, and one.
        #[test]
        fn no_window_is_too_full(gaps in proptest::collection::vec(0..600_000_i64, 1..60)) {
            let mut state = KeyState::default();
            let mut now = 0;
            let mut slots = Vec::new();
            for gap in gaps {
                now += gap;
                slots.push(state.admit(0, &LIMITS, now).expect("admitted"));
            }
            for (index, first) in slots.iter().enumerate() {
                let within = slots[index..].iter().filter(|slot| **slot - first <= SECOND).count();
                prop_assert!(within <= 4, "{within} in one second");
            }
        }
    }
}
