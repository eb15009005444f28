//! From a filter of a physical plan to the domains of its columns: what joins and scalar
//! subqueries leave for a scan, read when the scan is first polled.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions, StructArray};
use datafusion::arrow::datatypes::Schema;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNullExpr,
    Literal,
};
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

use super::domain::Analysis;
use super::literal::{Compared, compared, one_of};

/// What a filter says of the columns that it speaks of, as far as it is known by now.
///
/// A filter that is still to be filled says nothing: nobody waits for it, because some are
/// filled only by the rows that they would filter.
pub(crate) fn analyse_physical(filter: &Arc<dyn PhysicalExpr>) -> Analysis {
    analyse_with(filter, None)
}

/// The same of rows that all have a value in a column.
pub(crate) fn analyse_present(filter: &Arc<dyn PhysicalExpr>, present: &str) -> Analysis {
    analyse_with(filter, Some(present))
}

fn analyse_with(filter: &Arc<dyn PhysicalExpr>, present: Option<&str>) -> Analysis {
    let analyse = |filter: &Arc<dyn PhysicalExpr>| analyse_with(filter, present);
    if let Some(dynamic) = filter.downcast_ref::<DynamicFilterPhysicalExpr>() {
        return dynamic.current().map_or_else(|_| Analysis::unknown(), |now| analyse(&now));
    }
    if let Some(null) = filter.downcast_ref::<IsNullExpr>() {
        let column = null.arg().downcast_ref::<Column>();
        return match column {
            Some(column) if present == Some(column.name()) => Analysis::never(),
            _ => Analysis::unknown(),
        };
    }
    if let Some(binary) = filter.downcast_ref::<BinaryExpr>() {
        let (left, right) = (binary.left(), binary.right());
        return match binary.op() {
            Operator::And => analyse(left).and(analyse(right)),
            Operator::Or => analyse(left).or(analyse(right)),
            operator => {
                let swapped = || operator.swap().and_then(|op| comparison(right, op, left));
                comparison(left, *operator, right)
                    .or_else(swapped)
                    .unwrap_or_else(Analysis::unknown)
            }
        };
    }
    if let Some(list) = filter.downcast_ref::<InListExpr>().filter(|list| !list.negated()) {
        let Some(side) = column(list.expr()) else { return rows_in(list) };
        let members = list.list().iter();
        let literals = members.map(|member| member.downcast_ref::<Literal>().map(Literal::value));
        return one_of(&side, literals);
    }
    if let Some(case) = filter.downcast_ref::<CaseExpr>() {
        // Joins of several partitions say in one branch each what may lie in it.
        let results = case.when_then_expr().iter().map(|(_, then)| then).chain(case.else_expr());
        return results.fold(Analysis::never(), |all, result| all.or(analyse(result))).inexact();
    }
    match filter.downcast_ref::<Literal>().map(Literal::value) {
        Some(ScalarValue::Boolean(Some(true))) => Analysis::always(),
        Some(ScalarValue::Boolean(_) | ScalarValue::Null) => Analysis::never(),
        _ => Analysis::unknown(),
    }
}

/// What a list of rows says of their columns, which is how joins of several keys say it.
fn rows_in(list: &InListExpr) -> Analysis {
    let row = list.expr().downcast_ref::<ScalarFunctionExpr>();
    let Some(row) = row.filter(|row| row.name() == "struct") else { return Analysis::unknown() };
    let members: Option<Vec<_>> = list
        .list()
        .iter()
        .map(|member| match member.downcast_ref::<Literal>().map(Literal::value) {
            Some(ScalarValue::Struct(values)) => Some(values),
            _ => None,
        })
        .collect();
    let Some(members) = members else { return Analysis::unknown() };
    let of_column = |(place, part): (usize, &Arc<dyn PhysicalExpr>)| {
        let Some(side) = column(part) else { return Analysis::unknown() };
        let value = |row: &&Arc<StructArray>| {
            ScalarValue::try_from_array(row.columns().get(place)?, 0).ok()
        };
        let values: Vec<Option<ScalarValue>> = members.iter().map(value).collect();
        one_of(&side, values.iter().map(Option::as_ref))
    };
    let columns = row.args().iter().enumerate().map(of_column);
    // Each column has these values, but not in any combination.
    columns.fold(Analysis::always(), Analysis::and).inexact()
}

fn comparison(
    side: &Arc<dyn PhysicalExpr>,
    operator: Operator,
    other: &Arc<dyn PhysicalExpr>,
) -> Option<Analysis> {
    Some(compared(&column(side)?, operator, &value(other)?))
}

/// A literal, or the result of a scalar subquery, which is known before its scan is polled.
fn value(expr: &Arc<dyn PhysicalExpr>) -> Option<ScalarValue> {
    if let Some(literal) = expr.downcast_ref::<Literal>() {
        return Some(literal.value().clone());
    }
    if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        return value(cast.expr())?.cast_to(cast.cast_type()).ok();
    }
    expr.downcast_ref::<ScalarSubqueryExpr>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options);
    match expr.evaluate(&row.ok()?).ok()? {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(_) => None,
    }
}

fn column(expr: &Arc<dyn PhysicalExpr>) -> Option<Compared> {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return Some(Compared::plain(column.name()));
    }
    let cast = expr.downcast_ref::<CastExpr>()?;
    Compared::cast(cast.expr().downcast_ref::<Column>()?.name(), cast.cast_type())
}
