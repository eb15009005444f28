//! The `Retry-After` header, should it ever come: it is neither documented nor observed.

use std::time::{Duration, SystemTime};

/// No server is believed that wants to be left alone for longer than this.
const LONGEST: Duration = Duration::from_mins(5);

/// How long the server asks to wait, in seconds or until a date by its own clock.
///
/// What cannot be read, or lies in the past, asks for nothing.
pub(super) fn retry_after(value: &str, server_now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(server_now).ok()?,
    };
    (!wait.is_zero()).then(|| wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_absurd_ones_are_not_obeyed() {
        let now = httpdate::parse_http_date("Thu, 01 Jan 2026 00:00:00 GMT").expect("a date");
        for (value, expected) in [
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("Thu, 01 Jan 2026 00:00:30 GMT", Some(30)),
            ("99999999", Some(300)),
            ("Fri, 02 Jan 2026 00:00:00 GMT", Some(300)),
            ("0", None),
            ("-5", None),
            ("Wed, 31 Dec 2025 23:59:59 GMT", None),
            ("soon", None),
            ("", None),
            ("18446744073709551616", None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        }
    }
}
