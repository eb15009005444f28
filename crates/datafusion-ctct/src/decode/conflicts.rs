//! Finding out which fields of a page do not have their declared type.

use super::page::decode;
use super::shape::Shape;

/// The columns whose values in this answer do not all have their declared type.
///
/// Each column is decoded alone; that is slow, and done only for a page that could
/// not be decoded as a whole.
pub(super) fn conflicting_columns(shape: &Shape, body: &[u8]) -> Vec<&'static str> {
    let fails = |column: &&&'static ctct_endpoints::Field| {
        decode(&shape.with_columns(vec![**column]), body, false).is_err()
    };
    shape.columns().iter().filter(fails).map(|column| column.name).collect()
}
