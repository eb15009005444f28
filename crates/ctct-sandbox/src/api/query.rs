//! The parameters of a call, whether they come in the query or inside a cursor.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::answer::Refusal;

/// Names and values, in the order in which they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a query string; `name[]=a&name[]=b` is read as `name=a,b`.
    pub(super) fn parse(text: &str) -> Self {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match name.strip_suffix("[]") {
                Some(name) => match pairs.iter_mut().find(|(known, _)| known == name) {
                    Some((_, values)) => {
                        values.push(',');
                        values.push_str(&value);
                    }
                    None => pairs.push((name.to_owned(), value.into_owned())),
                },
                None => pairs.push((name.into_owned(), value.into_owned())),
            }
        }
        Self { pairs }
    }

    /// A parameter's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that is repeated.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.pairs.iter().filter(move |(known, _)| known == name);
        pairs.map(|(_, value)| value.as_str())
    }

    /// The members of a comma-separated list; none where the parameter was not sent.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let values = self.get(name)?.split(',').map(str::trim);
        Some(values.filter(|value| !value.is_empty()).collect())
    }

    /// A list whose members are all among the known ones.
    pub(super) fn list_of(
        &self,
        name: &'static str,
        known: &[&str],
    ) -> Result<Option<Vec<&str>>, Refusal> {
        let list = self.list(name);
        let valid = list.as_ref().is_none_or(|list| list.iter().all(|value| known.contains(value)));
        if valid { Ok(list) } else { Err(Refusal::Invalid(name)) }
    }

    /// `true` or `false`; false where it was not sent.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Refusal> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::Invalid(name)),
        }
    }

    /// A whole number in `1..=maximum`.
    pub(super) fn number(
        &self,
        name: &'static str,
        default: usize,
        maximum: usize,
    ) -> Result<usize, Refusal> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| (1..=maximum).contains(number));
        number.ok_or(Refusal::Invalid(name))
    }

    /// A date or a point in time, in microseconds since 1970.
    pub(super) fn time(&self, name: &'static str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        microseconds(text).map(Some).ok_or(Refusal::Invalid(name))
    }
}

/// Reads ISO 8601 in the forms that the documentation shows: a date, or date and time
/// with or without a fraction, and with `Z`, `+00:00`, `-0500` or no offset.
fn microseconds(text: &str) -> Option<i64> {
    const WITH_OFFSET: &str = "%Y-%m-%dT%H:%M:%S%.f%z";
    const WITHOUT_OFFSET: &str = "%Y-%m-%dT%H:%M:%S%.f";
    let instant = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, WITH_OFFSET))
        .map(|time| time.to_utc())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, WITHOUT_OFFSET).map(|time| time.and_utc())
        });
    let instant = instant.ok().or_else(|| {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(date.and_hms_opt(0, 0, 0)?.and_utc())
    });
    instant.map(|instant| instant.timestamp_micros())
}

/// A range of time whose bounds are, or are not, part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TimeRange {
    pub(super) after: Option<i64>,
    pub(super) before: Option<i64>,
    pub(super) inclusive: bool,
}

impl TimeRange {
    /// Whether a time, in microseconds, lies within.
    pub(super) fn contains(&self, at: i64) -> bool {
        let (after, before) = (self.after, self.before);
        if self.inclusive {
            after.is_none_or(|after| at >= after) && before.is_none_or(|before| at <= before)
        } else {
            after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
        }
    }

    /// Whether there is any bound.
    pub(super) fn is_bounded(&self) -> bool {
        self.after.is_some() || self.before.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_forms_of_dates_are_read() {
        let midnight = Some(1_522_454_400_000_000);
        for text in [
            "2018-3-31",
            "2018-03-31",
            "2018-03-31T00:00:00Z",
            "2018-03-31T00:00:00.000Z",
            "2018-03-31T00:00:00",
            "2018-03-30T19:00:00-0500",
            "2018-03-31T02:00:00+02:00",
        ] {
            assert_eq!(microseconds(text), midnight, "{text}");
        }
        // An offset's plus sign that was not escaped arrives as a space.
        for text in ["", "soon", "2018-03-31T02:00:00 02:00", "2018-13-01"] {
            assert_eq!(microseconds(text), None, "{text}");
        }
    }

    #[test]
    fn arrays_of_a_cursor_are_lists() {
        let query = Query::parse("limit=5&next=2&status%5B%5D=all&include%5B%5D=a&include%5B%5D=b");
        assert_eq!(query.list("include"), Some(vec!["a", "b"]));
        assert_eq!(query.list("status"), Some(vec!["all"]));
        assert_eq!(query.number("next", 1, usize::MAX), Ok(2));
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        let query = Query::parse("limit=0&flag=yes&status=active,gone");
        assert_eq!(query.number("limit", 50, 500), Err(Refusal::Invalid("limit")));
        assert_eq!(query.flag("flag"), Err(Refusal::Invalid("flag")));
        assert_eq!(query.list_of("status", &["active"]), Err(Refusal::Invalid("status")));
    }
}
