//! Literals, and what a comparison with one says.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;

use super::Interval;
use super::domain::{Analysis, Domain};

const MICROSECONDS_PER_DAY: i128 = 86_400_000_000;

/// To which units a column is taken before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Its own, or for times a finer one: the order of all values is kept.
    Own,
    /// Whole days: everything within a day is equal.
    Day,
}

/// A column that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) column: String,
    pub(super) unit: Unit,
}

impl Compared {
    /// A column as it is.
    pub(super) fn plain(column: &str) -> Self {
        Self { column: column.to_owned(), unit: Unit::Own }
    }

    /// A column that was cast to this type; none where the cast does not keep the order of
    /// all values, or a known unit.
    pub(super) fn cast(column: &str, to: &DataType) -> Option<Self> {
        let unit = match to {
            DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, zone)
                if zone.as_deref().is_none_or(is_utc) =>
            {
                Unit::Own
            }
            DataType::Date32 => Unit::Day,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Unit::Own,
            _ => return None,
        };
        Some(Self { column: column.to_owned(), unit })
    }
}

/// What a comparison of a column with a literal says.
pub(super) fn compared(side: &Compared, operator: Operator, literal: &ScalarValue) -> Analysis {
    if literal.is_null() {
        // A comparison with null is null, whatever the row holds.
        return match operator {
            Operator::Eq | Operator::Gt | Operator::GtEq | Operator::Lt | Operator::LtEq => {
                Analysis::never()
            }
            _ => Analysis::unknown(),
        };
    }
    if let (Some(text), Operator::Eq, Unit::Own) = (text(literal), operator, side.unit) {
        return Analysis::exactly(&side.column, Domain::Keys([text].into()));
    }
    let Some(literal) = Instant::of(literal, side.unit) else { return Analysis::unknown() };
    let interval = match operator {
        Operator::Eq => literal.starting_at().intersect(literal.ending_with()),
        Operator::Gt => literal.after(),
        Operator::GtEq => literal.starting_at(),
        Operator::Lt => literal.before(),
        Operator::LtEq => literal.ending_with(),
        _ => return Analysis::unknown(),
    };
    Analysis::exactly(&side.column, Domain::Interval(interval))
}

/// What `column IN (…)` says.
pub(super) fn one_of<'a>(
    side: &Compared,
    literals: impl IntoIterator<Item = Option<&'a ScalarValue>>,
) -> Analysis {
    let mut all = Analysis::never();
    let mut keys = BTreeSet::new();
    for literal in literals {
        let Some(literal) = literal else { return Analysis::unknown() };
        match text(literal).filter(|_| side.unit == Unit::Own) {
            // Thousands of keys come from a join: they are collected at once.
            Some(key) => drop(keys.insert(key)),
            None => all = all.or(compared(side, Operator::Eq, literal)),
        }
    }
    if keys.is_empty() { all } else { all.or(Analysis::exactly(&side.column, Domain::Keys(keys))) }
}

/// What `array_has_any(column, …)` says: for the request only, because the list itself is
/// looked at elsewhere.
pub(super) fn holds_any<'a>(
    column: &str,
    literals: impl IntoIterator<Item = Option<&'a ScalarValue>>,
) -> Analysis {
    let mut keys = BTreeSet::new();
    for literal in literals {
        match literal.and_then(text) {
            Some(key) => drop(keys.insert(key)),
            None => return Analysis::unknown(),
        }
    }
    Analysis { exact: false, ..Analysis::exactly(column, Domain::HoldsAny(keys)) }
}

/// The text of a literal, whatever form of text it has.
pub(super) fn text(literal: &ScalarValue) -> Option<String> {
    match literal {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => Some(text.clone()),
        ScalarValue::Dictionary(_, value) => text(value),
        _ => None,
    }
}

/// In other zones a time without a zone means something else.
fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "+00:00" | "Z")
}

/// A literal as a stretch of nanoseconds, the first inside and the last one outside:
/// a nanosecond long for a point in time, a day long for a day.
#[derive(Debug, Clone, Copy)]
struct Instant {
    start: i128,
    end: i128,
}

impl Instant {
    fn of(literal: &ScalarValue, unit: Unit) -> Option<Self> {
        let point = |nanoseconds: i128| Self { start: nanoseconds, end: nanoseconds + 1 };
        let scaled = |value: &Option<i64>, zone: &Option<_>, factor: i128| {
            let zone: &Option<std::sync::Arc<str>> = zone;
            let utc = zone.as_deref().is_none_or(is_utc);
            value
                .filter(|_| utc && unit == Unit::Own)
                .map(|value| point(i128::from(value) * factor))
        };
        match literal {
            ScalarValue::TimestampSecond(value, zone) => scaled(value, zone, 1_000_000_000),
            ScalarValue::TimestampMillisecond(value, zone) => scaled(value, zone, 1_000_000),
            ScalarValue::TimestampMicrosecond(value, zone) => scaled(value, zone, 1_000),
            ScalarValue::TimestampNanosecond(value, zone) => scaled(value, zone, 1),
            ScalarValue::Date32(Some(day)) if unit == Unit::Day => {
                let start = i128::from(*day) * MICROSECONDS_PER_DAY * 1_000;
                Some(Self { start, end: start + MICROSECONDS_PER_DAY * 1_000 })
            }
            _ => None,
        }
    }

    /// The points from the literal on.
    fn starting_at(self) -> Interval {
        at_or_after(self.start)
    }

    /// The points after the literal.
    fn after(self) -> Interval {
        at_or_after(self.end)
    }

    /// The points up to the literal.
    fn ending_with(self) -> Interval {
        earlier_than(self.end)
    }

    /// The points before the literal.
    fn before(self) -> Interval {
        earlier_than(self.start)
    }
}

/// The microseconds at or after a nanosecond.
fn at_or_after(nanosecond: i128) -> Interval {
    let first = -(-nanosecond).div_euclid(1_000);
    match i64::try_from(first) {
        Ok(first) => Interval::from(first),
        Err(_) if first < 0 => Interval::ALL,
        Err(_) => Interval::NONE,
    }
}

/// The microseconds before a nanosecond.
fn earlier_than(nanosecond: i128) -> Interval {
    let last = (nanosecond - 1).div_euclid(1_000);
    match i64::try_from(last) {
        Ok(last) => Interval::up_to(last),
        Err(_) if last < 0 => Interval::NONE,
        Err(_) => Interval::ALL,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bounds_in_nanoseconds_agree_with_arithmetic(at in -50_i64..50, bound in -50_000_i64..50_000) {
            let bound = i128::from(bound);
            let nanosecond = i128::from(at) * 1_000;
            prop_assert_eq!(at_or_after(bound).contains(at), nanosecond >= bound);
            prop_assert_eq!(earlier_than(bound).contains(at), nanosecond < bound);
        }
    }
}
