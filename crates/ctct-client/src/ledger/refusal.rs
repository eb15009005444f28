//! A refusal in words.

use super::instant;
use super::rules::{KeyState, Limits, Refusal};
use crate::{Error, ErrorKind};

/// The error of a request that may not leave, when `used` have left on the day.
pub(super) fn refused(
    refusal: Refusal,
    state: &KeyState,
    used: u64,
    limits: &Limits,
    now: i64,
) -> Error {
    let renewed = instant(state.day_ends(now)).format("%Y-%m-%d %H:%M UTC");
    let clock = |at: i64| instant(at).format("%H:%M:%S UTC").to_string();
    match refusal {
        Refusal::UsedUp { said: true } => Error::new(
            ErrorKind::QuotaExhausted,
            "the server said that the day's requests of this API key are used up; nothing was sent",
        )
        .with_hint(format!("they are renewed at {renewed}; what was read so far is kept")),
        Refusal::UsedUp { said: false } => Error::new(
            ErrorKind::QuotaExhausted,
            format!("all {used} requests of the day were sent; nothing more was"),
        )
        .with_hint(format!("they are renewed at {renewed}; `ctct quota` shows what used them")),
        Refusal::Reserved => Error::new(
            ErrorKind::QuotaExhausted,
            format!(
                "{used} requests of the day were sent, and the last {} are kept for people",
                limits.reserve
            ),
        )
        .with_hint(format!(
            "they are renewed at {renewed}; `quota_reserve` says how many are kept"
        )),
        Refusal::Resting { until } => Error::new(
            ErrorKind::Unavailable,
            format!("the server failed {} times in a row, and is left alone", state.failures),
        )
        .with_hint(format!("the next attempt is made after {}", clock(until))),
    }
}
