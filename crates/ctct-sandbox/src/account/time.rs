//! Points in time, in the forms in which the API writes them.

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};

fn utc(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

/// `2024-10-30T18:56:35Z`: contacts, lists, tags.
pub(crate) fn seconds(at: i64) -> String {
    utc(at).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `2018-02-06T22:09:15.000Z`: campaigns, segments, reports; `at` in milliseconds.
pub(crate) fn milliseconds(at: i64) -> String {
    DateTime::from_timestamp_millis(at)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `2016-03-03T10:56:29-05:00`: some lists and custom fields.
pub(crate) fn with_offset(at: i64) -> String {
    let hours = FixedOffset::west_opt(5 * 3_600);
    hours.map_or_else(|| seconds(at), |offset| utc(at).with_timezone(&offset).to_rfc3339())
}

/// `2024-04-02T17:13:13.000-04:00`: text messages; `at` in milliseconds.
pub(crate) fn milliseconds_with_offset(at: i64) -> String {
    let time = DateTime::from_timestamp_millis(at).unwrap_or_default();
    FixedOffset::west_opt(4 * 3_600).map_or_else(
        || milliseconds(at),
        |offset| time.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Millis, true),
    )
}

/// `2025-09-25T20:06:50.020+00:00`: automations; `at` in milliseconds.
pub(crate) fn milliseconds_utc(at: i64) -> String {
    let time = DateTime::from_timestamp_millis(at).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, false)
}

/// `2023-01-23 06:09:23 -0800`: when somebody agreed to get text messages.
pub(crate) fn spaced(instant: &str) -> String {
    let read = DateTime::parse_from_rfc3339(instant).unwrap_or_default();
    let hours = FixedOffset::west_opt(8 * 3_600).unwrap_or_else(|| *read.offset());
    read.with_timezone(&hours).format("%Y-%m-%d %H:%M:%S %z").to_string()
}

/// `2015-08-10`: the day of a deletion.
pub(crate) fn day(at: i64) -> String {
    utc(at).format("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_written_as_the_api_writes_it() {
        assert_eq!(seconds(1_730_314_595), "2024-10-30T18:56:35Z");
        assert_eq!(milliseconds(1_730_314_595_456), "2024-10-30T18:56:35.456Z");
        assert_eq!(with_offset(1_730_314_595), "2024-10-30T13:56:35-05:00");
        assert_eq!(day(1_730_314_595), "2024-10-30");
        assert_eq!(milliseconds_with_offset(1_730_314_595_456), "2024-10-30T14:56:35.456-04:00");
        assert_eq!(milliseconds_utc(1_730_314_595_020), "2024-10-30T18:56:35.020+00:00");
        assert_eq!(spaced("2024-10-30T18:56:35Z"), "2024-10-30 10:56:35 -0800");
    }
}
