//! Totals over a whole table, which the server has at hand: `count`, `min` and `max`.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, TableScan, TableScanBuilder,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::column::{ReadAs, ReadColumn};
use super::predicate::condition;
use super::table::PostgresTable;

/// Leaves `count`, `min` and `max` over all rows of a table on a server to the server: the last
/// time that something changed is then one row to fetch, and not one for each.
#[derive(Debug, Default)]
pub(super) struct AggregateInPostgres;

impl OptimizerRule for AggregateInPostgres {
    fn name(&self) -> &'static str {
        "aggregate_in_postgres"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match on_server(&plan)? {
            Some(totals) => Ok(Transformed::yes(totals)),
            None => Ok(Transformed::no(plan)),
        }
    }
}

/// The plan that has the totals from the server; none where it is not one of totals, or the
/// server would not count the same rows.
fn on_server(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Aggregate(Aggregate { input, group_expr, aggr_expr, schema, .. }) = plan
    else {
        return Ok(None);
    };
    let LogicalPlan::TableScan(scan) = input.as_ref() else { return Ok(None) };
    if !group_expr.is_empty() || scan.fetch.is_some() {
        return Ok(None);
    }
    let provider = source_as_provider(&scan.source)?;
    let Some(table) = provider.downcast_ref::<PostgresTable>() else { return Ok(None) };
    let Some((columns, among)) = totals(aggr_expr, table, scan, schema.field_names()) else {
        return Ok(None);
    };
    let source = provider_as_source(Arc::new(table.totals(columns, among)));
    let scan = TableScanBuilder::new(scan.table_name.clone(), source).build()?;
    let name = scan.table_name.clone();
    let shown = schema.iter().map(|(qualifier, field)| {
        let column = Expr::Column(Column::new(Some(name.clone()), field.name()));
        column.alias_qualified(qualifier.cloned(), field.name())
    });
    let shown: Vec<Expr> = shown.collect();
    LogicalPlanBuilder::from(LogicalPlan::TableScan(scan)).project(shown)?.build().map(Some)
}

/// The columns of totals, and which rows they are over.
fn totals(
    expressions: &[Expr],
    table: &PostgresTable,
    scan: &TableScan,
    names: Vec<String>,
) -> Option<(Vec<ReadColumn>, Vec<String>)> {
    let among: Option<Vec<String>> =
        scan.filters.iter().map(|filter| condition(filter, &table.columns)).collect();
    let columns: Option<Vec<ReadColumn>> = expressions
        .iter()
        .zip(names)
        .map(|(expression, name)| total(expression, name, &table.columns))
        .collect();
    Some((columns?, among?))
}

fn total(expression: &Expr, name: String, columns: &[ReadColumn]) -> Option<ReadColumn> {
    let Expr::AggregateFunction(AggregateFunction { func, params }) = expression.clone().unalias()
    else {
        return None;
    };
    if params.distinct || params.filter.is_some() || !params.order_by.is_empty() {
        return None;
    }
    let [argument] = params.args.as_slice() else { return None };
    let column = match argument {
        Expr::Column(column) => columns.iter().find(|known| known.name == column.name),
        _ => None,
    };
    let (expression, read_as) = match (func.name(), argument, column) {
        ("count", Expr::Literal(literal, _), _) if !literal.is_null() => {
            ("count(*)".to_owned(), ReadAs::BigInt)
        }
        ("count", _, Some(column)) => (format!("count({})", column.expression), ReadAs::BigInt),
        // Texts and floating point numbers have another order there.
        (extreme @ ("min" | "max"), _, Some(column)) => match column.read_as {
            ReadAs::BigInt | ReadAs::Timestamp | ReadAs::LocalTimestamp | ReadAs::Date => {
                (format!("{extreme}({})", column.expression), column.read_as)
            }
            _ => return None,
        },
        _ => return None,
    };
    let nullable = func.name() != "count";
    Some(ReadColumn { name, expression, read_as, nullable })
}
