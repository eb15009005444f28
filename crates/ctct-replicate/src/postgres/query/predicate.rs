//! Conditions as the server evaluates them, where it does so exactly as a query here would.
//!
//! What is left out is left out for a reason. The order of texts is the server's locale's, so
//! they are compared byte by byte. Floating point has a negative nought here, which is less than
//! nought, and is the same there. Patterns and functions differ in too many corners.

use chrono::{DateTime, Days, NaiveDate};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};

use super::column::{ReadAs, ReadColumn};
use crate::ident::literal as quoted;

/// A condition as SQL that is true, false and null where this one is; none where there is none.
pub(super) fn condition(expr: &Expr, columns: &[ReadColumn]) -> Option<String> {
    let of = |expr: &Expr| condition(expr, columns);
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            Some(format!("({} AND {})", of(left)?, of(right)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Some(format!("({} OR {})", of(left)?, of(right)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let swapped = || comparison(right, op.swap()?, left, columns);
            comparison(left, *op, right, columns).or_else(swapped)
        }
        Expr::Not(inner) => Some(format!("(NOT {})", of(inner)?)),
        Expr::IsNull(inner) => Some(format!("({} IS NULL)", column(inner, columns)?.expression)),
        Expr::IsNotNull(inner) => {
            Some(format!("({} IS NOT NULL)", column(inner, columns)?.expression))
        }
        Expr::Column(_) => {
            let column = column(expr, columns)?;
            (column.read_as == ReadAs::Boolean).then(|| column.expression.clone())
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let low = comparison(expr, Operator::GtEq, low, columns)?;
            let high = comparison(expr, Operator::LtEq, high, columns)?;
            let both = format!("({low} AND {high})");
            Some(if *negated { format!("(NOT {both})") } else { both })
        }
        Expr::InList(InList { expr, list, negated }) => {
            let column = column(expr, columns)?;
            let members: Option<Vec<String>> =
                list.iter().map(|member| value(member, column.read_as)).collect();
            let not = if *negated { "NOT " } else { "" };
            Some(format!("({} {not}IN ({}))", compared(column, false)?, members?.join(", ")))
        }
        _ => None,
    }
}

fn comparison(
    side: &Expr,
    operator: Operator,
    other: &Expr,
    columns: &[ReadColumn],
) -> Option<String> {
    let ordered = match operator {
        Operator::Eq | Operator::NotEq => false,
        Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => true,
        _ => return None,
    };
    let column = column(side, columns)?;
    let value = value(other, column.read_as)?;
    Some(format!("({} {operator} {value})", compared(column, ordered)?))
}

fn column<'a>(expr: &Expr, columns: &'a [ReadColumn]) -> Option<&'a ReadColumn> {
    let Expr::Column(name) = expr else { return None };
    columns.iter().find(|column| column.name == name.name)
}

/// The column as it is compared; none where it is not comparable in the same way.
fn compared(column: &ReadColumn, ordered: bool) -> Option<String> {
    let expression = &column.expression;
    Some(match column.read_as {
        ReadAs::Boolean
        | ReadAs::BigInt
        | ReadAs::Timestamp
        | ReadAs::LocalTimestamp
        | ReadAs::Date => expression.clone(),
        ReadAs::Text if ordered => format!("{expression}::text COLLATE \"C\""),
        ReadAs::Text => format!("{expression}::text"),
        ReadAs::Double | ReadAs::Decimal(..) | ReadAs::Bytes | ReadAs::TextArray => return None,
    })
}

/// A literal of the column's own type as the server writes it.
fn value(expr: &Expr, read_as: ReadAs) -> Option<String> {
    let Expr::Literal(literal, _) = expr else { return None };
    Some(match (read_as, literal) {
        (ReadAs::Boolean, ScalarValue::Boolean(Some(value))) => value.to_string(),
        (ReadAs::BigInt, ScalarValue::Int64(Some(value))) => format!("'{value}'::bigint"),
        (
            ReadAs::Text,
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)),
        ) if !text.contains('\0') => quoted(text),
        (ReadAs::Date, ScalarValue::Date32(Some(days))) => {
            let days = Days::new(u64::try_from(*days).ok()?);
            format!("'{}'::date", NaiveDate::default().checked_add_days(days)?)
        }
        (ReadAs::Timestamp, ScalarValue::TimestampMicrosecond(Some(at), Some(zone)))
            if &**zone == "UTC" || &**zone == "+00:00" =>
        {
            format!("'{}Z'::timestamptz", moment(*at)?)
        }
        (ReadAs::LocalTimestamp, ScalarValue::TimestampMicrosecond(Some(at), None)) => {
            format!("'{}'::timestamp", moment(*at)?)
        }
        _ => return None,
    })
}

/// A time in a form that both read alike: years of four digits.
fn moment(micros: i64) -> Option<String> {
    let at = DateTime::from_timestamp_micros(micros)?.naive_utc();
    let text = at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    text.starts_with(|first: char| first.is_ascii_digit()).then_some(text).filter(|t| t.len() == 26)
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn said(expr: &Expr) -> Option<String> {
        let column = |name: &str, read_as| ReadColumn {
            name: name.to_owned(),
            expression: format!("\"{name}\""),
            read_as,
            nullable: true,
        };
        let columns = [
            column("n", ReadAs::BigInt),
            column("t", ReadAs::Text),
            column("at", ReadAs::Timestamp),
            column("day", ReadAs::Date),
            column("f", ReadAs::Double),
            column("b", ReadAs::Boolean),
        ];
        condition(expr, &columns)
    }

    #[test]
    fn conditions_are_written_in_the_columns_own_type() {
        let at = ScalarValue::TimestampMicrosecond(Some(1), Some("UTC".into()));
        for (expr, expected) in [
            (lit(5_i64).lt(col("n")), r#"("n" > '5'::bigint)"#),
            (col("t").eq(lit("o'x\\")), r#"("t"::text = E'o''x\\')"#),
            (col("t").gt_eq(lit("m")), r#"("t"::text COLLATE "C" >= 'm')"#),
            (col("at").gt(lit(at)), r#"("at" > '1970-01-01T00:00:00.000001Z'::timestamptz)"#),
            (
                col("day").eq(lit(ScalarValue::Date32(Some(20_000)))),
                r#"("day" = '2024-10-04'::date)"#,
            ),
            (col("b").and(col("t").is_null()), r#"("b" AND ("t" IS NULL))"#),
            (
                Expr::Not(Box::new(col("n").in_list(vec![lit(1_i64), lit(2_i64)], false))),
                r#"(NOT ("n" IN ('1'::bigint, '2'::bigint)))"#,
            ),
            (
                col("n").between(lit(-1_i64), lit(2_i64)),
                r#"(("n" >= '-1'::bigint) AND ("n" <= '2'::bigint))"#,
            ),
        ] {
            assert_eq!(said(&expr).as_deref(), Some(expected), "{expr}");
        }
    }

    #[test]
    fn what_would_differ_stays_here() {
        for expr in [
            col("f").gt(lit(0.0)),
            col("t").like(lit("a%")),
            col("t").eq(lit("a\0b")),
            col("t").eq(col("t")),
            col("n").eq(lit("5")),
            col("n").eq(lit(ScalarValue::Int64(None))),
            col("at")
                .gt(lit(ScalarValue::TimestampMicrosecond(Some(i64::MAX / 8), Some("UTC".into())))),
            col("n").gt(lit(1_i64)).or(col("f").gt(lit(0.0))),
        ] {
            assert_eq!(said(&expr), None, "{expr}");
        }
    }
}
