//! From a predicate of a logical plan to the domains of its columns.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::{Between, BinaryExpr, Case, Cast, Expr, Operator};

use super::domain::Analysis;
use super::literal::{Compared, compared, holds_any, one_of};

/// What a predicate says of the columns that it speaks of.
///
/// ```
/// use datafusion::prelude::{col, lit};
/// use datafusion_ctct::predicate::{Domain, analyse};
///
/// let found = analyse(&col("name").in_list(vec![lit("a"), lit("b")], false));
/// let keys = Domain::Keys(["a".to_owned(), "b".to_owned()].into());
/// assert_eq!((found.domains.get("name"), found.exact), (Some(&keys), true));
/// assert!(analyse(&col("name").is_null()).domains.is_all());
/// ```
pub fn analyse(predicate: &Expr) -> Analysis {
    match predicate {
        Expr::Literal(ScalarValue::Boolean(Some(true)), _) => Analysis::always(),
        Expr::Literal(ScalarValue::Boolean(_) | ScalarValue::Null, _) => Analysis::never(),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            analyse(left).and(analyse(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            analyse(left).or(analyse(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let swapped = || op.swap().and_then(|op| comparison(right, op, left));
            comparison(left, *op, right).or_else(swapped).unwrap_or_else(Analysis::unknown)
        }
        Expr::Between(Between { expr, negated: false, low, high }) => {
            let low = comparison(expr, Operator::GtEq, low);
            let high = comparison(expr, Operator::LtEq, high);
            let unknown = Analysis::unknown;
            low.unwrap_or_else(unknown).and(high.unwrap_or_else(unknown))
        }
        Expr::InList(InList { expr, list, negated: false }) => match column(expr) {
            Some(side) => one_of(&side, list.iter().map(literal)),
            None => Analysis::unknown(),
        },
        Expr::Case(Case { expr: None, when_then_expr, else_expr }) => {
            let results = when_then_expr.iter().map(|(_, then)| then).chain(else_expr);
            // Without an ELSE the rest is null, which is not true.
            results.fold(Analysis::never(), |all, result| all.or(analyse(result))).inexact()
        }
        Expr::ScalarFunction(function) => member(function).unwrap_or_else(Analysis::unknown),
        _ => Analysis::unknown(),
    }
}

fn comparison(side: &Expr, operator: Operator, other: &Expr) -> Option<Analysis> {
    Some(compared(&column(side)?, operator, literal(other)?))
}

/// `array_has(column, x)` and `array_has_any(column, [x, …])`.
fn member(function: &ScalarFunction) -> Option<Analysis> {
    let [Expr::Column(column), members] = function.args.as_slice() else { return None };
    match function.func.name() {
        "array_has" => Some(holds_any(&column.name, [literal(members)])),
        "array_has_any" => {
            let members = members_of(members)?;
            Some(holds_any(&column.name, members.iter().map(Some)))
        }
        _ => None,
    }
}

/// The values of a list that is written out.
fn members_of(list: &Expr) -> Option<Vec<ScalarValue>> {
    match list {
        Expr::Literal(ScalarValue::List(list), _) => {
            let values = list.value(0);
            (0..values.len())
                .map(|index| ScalarValue::try_from_array(&values, index).ok())
                .collect()
        }
        Expr::ScalarFunction(function) if function.func.name() == "make_array" => {
            function.args.iter().map(|member| literal(member).cloned()).collect()
        }
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(literal, _) => Some(literal),
        _ => None,
    }
}

fn column(expr: &Expr) -> Option<Compared> {
    match expr {
        Expr::Column(column) => Some(Compared::plain(&column.name)),
        Expr::Cast(Cast { expr, field }) => {
            let Expr::Column(column) = expr.as_ref() else { return None };
            Compared::cast(&column.name, field.data_type())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{cast, col, lit};

    use datafusion::arrow::datatypes::{DataType, TimeUnit};

    use super::*;
    use crate::predicate::{Domain, Interval};

    fn micros(value: i64) -> Expr {
        lit(ScalarValue::TimestampMicrosecond(Some(value), Some("UTC".into())))
    }

    fn nanos(value: i64) -> Expr {
        lit(ScalarValue::TimestampNanosecond(Some(value), Some("UTC".into())))
    }

    fn found(expr: &Expr) -> Option<(Interval, bool)> {
        let found = analyse(expr);
        if found.domains.is_impossible() {
            return Some((Interval::NONE, found.exact));
        }
        match found.domains.get("t") {
            Some(Domain::Interval(interval)) => Some((*interval, found.exact)),
            _ => None,
        }
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
        let other = col("name").like(lit("x"));
        assert_eq!(found(&t().gt(micros(1)).and(other.clone())), Some((Interval::from(2), false)));
        assert_eq!(found(&t().eq(micros(1)).or(t().eq(micros(9)))), Some((between(1, 9), false)));
        assert_eq!(
            found(&t().in_list(vec![micros(1), micros(9)], false)),
            Some((between(1, 9), false))
        );
        assert_eq!(found(&t().gt(micros(1)).or(other)), None);
        // Neighbours leave no gap.
        assert_eq!(
            found(&t().lt(micros(5)).or(t().eq(micros(5)))),
            Some((Interval::up_to(5), true))
        );
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
            t().in_list(vec![micros(1), col("u")], false),
            t().in_list(vec![micros(1)], true),
            Expr::Not(Box::new(t().gt(micros(1)))),
            cast(t(), DataType::Timestamp(TimeUnit::Second, None)).gt(micros(1)),
            cast(t(), DataType::Date32).gt(micros(1)),
        ] {
            assert_eq!(found(&expr), None, "{expr}");
        }
    }
}
