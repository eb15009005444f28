//! From a predicate on a time column to the interval that it restricts the column to.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, Operator};

use super::Interval;

const MICROSECONDS_PER_DAY: i128 = 86_400_000_000;

/// What a predicate says about one time column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    /// The column.
    pub column: String,
    /// Where every value lies for which the predicate is true.
    pub interval: Interval,
    /// Whether the predicate is true for exactly those values, and for no null.
    pub exact: bool,
}

/// What the predicate says about one time column; none where it says nothing that is
/// understood, or speaks of several columns.
///
/// ```
/// use datafusion::prelude::{col, lit};
/// use datafusion::common::ScalarValue;
/// use datafusion_ctct::predicate::{Interval, restriction};
///
/// let literal = lit(ScalarValue::TimestampMicrosecond(Some(5), Some("UTC".into())));
/// let found = restriction(&col("updated_at").gt(literal)).expect("understood");
/// assert_eq!((found.interval, found.exact), (Interval::from(6), true));
/// assert_eq!(restriction(&col("updated_at").is_null()), None);
/// ```
pub fn restriction(predicate: &Expr) -> Option<Restriction> {
    match predicate {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            let (left, right) = (restriction(left), restriction(right));
            match (left, right) {
                // One side alone restricts, but does not say all.
                (Some(one), None) | (None, Some(one)) => Some(Restriction { exact: false, ..one }),
                (Some(left), Some(right)) if left.column == right.column => Some(Restriction {
                    interval: left.interval.intersect(right.interval),
                    exact: left.exact && right.exact,
                    column: left.column,
                }),
                _ => None,
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let (left, right) = (restriction(left)?, restriction(right)?);
            (left.column == right.column).then(|| Restriction {
                interval: left.interval.hull(right.interval),
                exact: false,
                column: left.column,
            })
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            comparison(left, *op, right).or_else(|| comparison(right, op.swap()?, left))
        }
        Expr::Between(Between { expr, negated: false, low, high }) => {
            let low = comparison(expr, Operator::GtEq, low)?;
            let high = comparison(expr, Operator::LtEq, high)?;
            Some(Restriction { interval: low.interval.intersect(high.interval), ..low })
        }
        Expr::InList(InList { expr, list, negated: false }) => {
            let members = list.iter().map(|value| comparison(expr, Operator::Eq, value));
            let hull = members.reduce(|hull, next| {
                let (hull, next) = (hull?, next?);
                Some(Restriction { interval: hull.interval.hull(next.interval), ..hull })
            })??;
            Some(Restriction { exact: false, ..hull })
        }
        _ => None,
    }
}

fn comparison(side: &Expr, operator: Operator, other: &Expr) -> Option<Restriction> {
    let (column, unit) = time_column(side)?;
    let Expr::Literal(literal, _) = other else { return None };
    let literal = Instant::of(literal, unit)?;
    let interval = match operator {
        Operator::Eq => literal.starting_at().intersect(literal.ending_with()),
        Operator::Gt => literal.after(),
        Operator::GtEq => literal.starting_at(),
        Operator::Lt => literal.before(),
        Operator::LtEq => literal.ending_with(),
        _ => return None,
    };
    Some(Restriction { column, interval, exact: true })
}

/// To which units a column is taken before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Its own, or a finer one: the order of all values is kept.
    Time,
    /// Whole days: everything within a day is equal.
    Day,
}

/// The column that is compared, and to which unit it was cast.
fn time_column(expr: &Expr) -> Option<(String, Unit)> {
    match expr {
        Expr::Column(column) => Some((column.name.clone(), Unit::Time)),
        Expr::Cast(Cast { expr, field }) => {
            let Expr::Column(column) = expr.as_ref() else { return None };
            let unit = match field.data_type() {
                DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, zone)
                    if zone.as_deref().is_none_or(is_utc) =>
                {
                    Unit::Time
                }
                DataType::Date32 => Unit::Day,
                _ => return None,
            };
            Some((column.name.clone(), unit))
        }
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
                .filter(|_| utc && unit == Unit::Time)
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
    use datafusion::prelude::{cast, col, lit};
    use proptest::prelude::*;

    use super::*;

    fn micros(value: i64) -> Expr {
        lit(ScalarValue::TimestampMicrosecond(Some(value), Some("UTC".into())))
    }

    fn nanos(value: i64) -> Expr {
        lit(ScalarValue::TimestampNanosecond(Some(value), Some("UTC".into())))
    }

    fn found(expr: &Expr) -> Option<(Interval, bool)> {
        restriction(expr).map(|found| (found.interval, found.exact))
    }

    fn between(lower: i64, upper: i64) -> Interval {
        Interval { lower: Some(lower), upper: Some(upper) }
    }

    #[test]
    fn comparisons_are_exact_either_way_round() {
        let t = || col("t");
        for (expr, expected) in [
            (t().gt(micros(5)), Interval::from(6)),
            (t().gt_eq(micros(5)), Interval::from(5)),
            (t().lt(micros(5)), Interval::up_to(4)),
            (t().lt_eq(micros(5)), Interval::up_to(5)),
            (t().eq(micros(5)), between(5, 5)),
            (micros(5).lt(t()), Interval::from(6)),
            (micros(5).gt_eq(t()), Interval::up_to(5)),
            (t().between(micros(3), micros(5)), between(3, 5)),
            (t().gt(micros(3)).and(t().lt(micros(5))), between(4, 4)),
        ] {
            assert_eq!(found(&expr), Some((expected, true)), "{expr}");
        }
    }

    #[test]
    fn finer_literals_round_to_the_microseconds_inside() {
        let t = || cast(col("t"), DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())));
        for (expr, expected) in [
            (t().gt_eq(nanos(5_001)), Interval::from(6)),
            (t().gt(nanos(5_000)), Interval::from(6)),
            (t().gt(nanos(4_999)), Interval::from(5)),
            (t().lt(nanos(5_000)), Interval::up_to(4)),
            (t().lt(nanos(5_001)), Interval::up_to(5)),
            (t().eq(nanos(5_000)), between(5, 5)),
            (t().gt_eq(nanos(-5_001)), Interval::from(-5)),
        ] {
            assert_eq!(found(&expr), Some((expected, true)), "{expr}");
        }
        assert!(found(&t().eq(nanos(5_001))).expect("understood").0.is_empty());
    }

    #[test]
    fn days_are_all_their_microseconds() {
        let day = || cast(col("t"), DataType::Date32);
        let literal = || lit(ScalarValue::Date32(Some(1)));
        let length = 86_400_000_000;
        for (expr, expected) in [
            (day().eq(literal()), between(length, 2 * length - 1)),
            (day().gt(literal()), Interval::from(2 * length)),
            (day().lt_eq(literal()), Interval::up_to(2 * length - 1)),
            (day().lt(literal()), Interval::up_to(length - 1)),
        ] {
            assert_eq!(found(&expr), Some((expected, true)), "{expr}");
        }
    }

    #[test]
    fn what_is_not_all_said_is_not_exact() {
        let t = || col("t");
        let other = col("name").eq(lit("x"));
        assert_eq!(found(&t().gt(micros(1)).and(other.clone())), Some((Interval::from(2), false)));
        assert_eq!(found(&t().eq(micros(1)).or(t().eq(micros(9)))), Some((between(1, 9), false)));
        assert_eq!(
            found(&t().in_list(vec![micros(1), micros(9)], false)),
            Some((between(1, 9), false))
        );
        assert_eq!(found(&t().gt(micros(1)).or(other)), None);
    }

    #[test]
    fn what_is_not_understood_restricts_nothing() {
        let t = || col("t");
        let new_york = ScalarValue::TimestampMicrosecond(Some(1), Some("America/New_York".into()));
        for expr in [
            t().is_null(),
            t().not_eq(micros(1)),
            t().gt(col("u")),
            t().gt(lit(new_york)),
            t().gt(lit(ScalarValue::TimestampMicrosecond(None, Some("UTC".into())))),
            t().in_list(vec![micros(1), col("u")], false),
            t().in_list(vec![micros(1)], true),
            Expr::Not(Box::new(t().gt(micros(1)))),
            cast(t(), DataType::Timestamp(TimeUnit::Second, None)).gt(micros(1)),
            cast(t(), DataType::Date32).gt(micros(1)),
            t().gt(micros(1)).and(col("u").gt(micros(1))),
        ] {
            assert_eq!(found(&expr), None, "{expr}");
        }
    }

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
