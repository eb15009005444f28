//! Evenly spaced requests.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::Pace;

/// At the documented limit and above it, requests are spaced this much wider than
/// the limit itself: they leave evenly, but the network does not deliver them so.
const MARGIN: f64 = 1.04;
const DOCUMENTED_LIMIT: f64 = 4.0;

/// Lets requests through one at a time, evenly spaced, without any burst.
#[derive(Debug)]
pub(super) struct Pacer {
    limiter: Option<DefaultDirectRateLimiter>,
}

impl Pacer {
    pub(super) fn new(pace: Pace) -> Self {
        let quota = period(pace).and_then(Quota::with_period);
        Self { limiter: quota.map(|quota| RateLimiter::direct(quota.allow_burst(NonZeroU32::MIN))) }
    }

    /// Waits for the next place, and says how long that took.
    pub(super) async fn ready(&self) -> Duration {
        let Some(limiter) = &self.limiter else { return Duration::ZERO };
        let started = Instant::now();
        while let Err(early) = limiter.check() {
            tokio::time::sleep(early.wait_time_from(DefaultClock::default().now())).await;
        }
        started.elapsed()
    }
}

fn period(pace: Pace) -> Option<Duration> {
    match pace {
        Pace::Unlimited => None,
        Pace::PerSecond(rate) if rate < DOCUMENTED_LIMIT => {
            Some(Duration::from_secs_f64(1.0 / rate))
        }
        Pace::PerSecond(rate) => Some(Duration::from_secs_f64(MARGIN / rate)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_sees_more_than_the_limit() {
        // Evenly spaced, so the fullest closed second holds one more than its periods.
        for rate in [1.0, 3.0, 4.0, 10.0] {
            let period = period(Pace::PerSecond(rate)).expect("paced").as_secs_f64();
            let fullest = (1.0 / period).floor() + 1.0;
            let allowed = if rate < DOCUMENTED_LIMIT { DOCUMENTED_LIMIT } else { rate };
            assert!(fullest <= allowed, "{rate}: {fullest}");
        }
        assert_eq!(period(Pace::Unlimited), None);
    }

    #[tokio::test]
    async fn the_second_request_waits_for_its_place() {
        let pacer = Pacer::new(Pace::PerSecond(10.0));
        let started = Instant::now();
        for _ in 0..3 {
            pacer.ready().await;
        }
        assert!(started.elapsed() >= Duration::from_millis(200));
        assert_eq!(Pacer::new(Pace::Unlimited).ready().await, Duration::ZERO);
    }
}
