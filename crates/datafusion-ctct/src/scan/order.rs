//! The order in which the server gives rows: kept as long as it is seen to be kept, and used
//! to stop where nothing more can be wanted.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use ctct_endpoints::Order;
use datafusion::physical_expr::PhysicalExpr;

use crate::predicate::{Domain, Domains, Interval, analyse_present};

/// How far the documented order of one chain of pages was kept.
#[derive(Debug, Clone)]
pub(super) struct OrderWatch {
    order: Order,
    /// Where its column stands in a page.
    column: usize,
    last: Option<i64>,
    broken: bool,
}

impl OrderWatch {
    /// Watches the column of a page that stands here.
    pub(super) fn new(order: Order, column: usize) -> Self {
        Self { order, column, last: None, broken: false }
    }

    /// The next page is the first one once more.
    pub(super) fn start_again(&mut self) {
        self.last = None;
    }

    /// Looks at the next page; false where it is the first to break the order.
    pub(super) fn looks_at(&mut self, page: &RecordBatch) -> bool {
        if self.broken {
            return true;
        }
        let Some(times) = page.column(self.column).as_primitive_opt::<TimestampMicrosecondType>()
        else {
            return true;
        };
        let follows = |before: i64, after: i64| {
            if self.order.descending { after <= before } else { after >= before }
        };
        // A row without a time has no place in an order.
        let mut kept = times.null_count() == 0;
        for time in times.values() {
            kept &= self.last.is_none_or(|last| follows(last, *time));
            self.last = Some(*time);
        }
        self.broken = !kept;
        kept
    }

    /// Whether the order was kept so far, and no row that follows in it lies within.
    pub(super) fn has_left(&self, wanted: &Wanted<'_>) -> bool {
        let Some(last) = self.last.filter(|_| !self.broken) else { return false };
        wanted.interval(self.order.column).is_some_and(|interval| {
            let behind = if self.order.descending {
                interval.lower.is_some_and(|lower| last < lower)
            } else {
                interval.upper.is_some_and(|upper| last > upper)
            };
            behind || interval.is_empty()
        })
    }
}

/// What of a column is wanted, as far as it is known by now: what the scan was told, and what
/// those above it have learned from the rows that it gave them.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) domains: &'a Domains,
    pub(super) hints: &'a [Arc<dyn PhysicalExpr>],
}

impl Wanted<'_> {
    /// In which range the times lie that are wanted; none where nothing says so.
    fn interval(&self, column: &str) -> Option<Interval> {
        // No page had a row without a time, or the order would be broken.
        let hinted = self.hints.iter().map(|hint| analyse_present(hint, column).domains);
        let all = hinted.fold(self.domains.clone(), Domains::intersect);
        match all.get(column) {
            _ if all.is_impossible() => Some(Interval::NONE),
            Some(Domain::Interval(interval)) => Some(*interval),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, TimestampMicrosecondArray};

    use super::*;

    fn page(times: &[Option<i64>]) -> RecordBatch {
        let column: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times.to_vec()));
        RecordBatch::try_from_iter([("at", column)]).expect("one column")
    }

    fn watch() -> OrderWatch {
        OrderWatch::new(Order { column: "at", descending: true }, 0)
    }

    fn from(lower: i64) -> Domains {
        Domains::of("at", Domain::Interval(Interval::from(lower)))
    }

    #[test]
    fn the_rest_is_left_where_order_allows_it() {
        let mut watch = watch();
        let left = |watch: &OrderWatch, lower| {
            watch.has_left(&Wanted { domains: &from(lower), hints: &[] })
        };
        assert!(!left(&watch, 5), "nothing was seen");
        assert!(watch.looks_at(&page(&[Some(9), Some(7), Some(7)])));
        assert!(!left(&watch, 7), "more of the same may follow");
        assert!(left(&watch, 8));
        assert!(!watch.has_left(&Wanted { domains: &Domains::default(), hints: &[] }));
        assert!(watch.looks_at(&page(&[Some(7), Some(3)])));
        assert!(left(&watch, 4));
    }

    #[test]
    fn what_breaks_the_order_ends_the_trust_in_it() {
        for broken in [[Some(3), Some(4)], [Some(4), None]] {
            let mut watch = watch();
            assert!(!watch.looks_at(&page(&broken)));
            assert!(watch.looks_at(&page(&[Some(1)])), "it is said once");
            assert!(!watch.has_left(&Wanted { domains: &from(100), hints: &[] }));
        }
        let mut watch = watch();
        assert!(watch.looks_at(&page(&[Some(4)])));
        assert!(!watch.looks_at(&page(&[Some(5)])), "from one page to the next");
    }
}
