//! What a predicate says about columns, as far as requests can use it.
//!
//! Everything here is a function of values. The soundness argument has two halves.
//! An [`Interval`] that is derived from a predicate *contains* every value for which the
//! predicate can be true: what is not understood restricts nothing, `AND` intersects,
//! `OR` takes the hull. So a request restricted to it misses no row. And an interval is
//! called exact only where the predicate is true for *exactly* the values in it and for
//! no null: comparisons of one column with a literal, and conjunctions of those. So a
//! scan that drops the rows outside of an exact interval may do without the predicate.

mod interval;
mod restriction;

pub use interval::Interval;
pub use restriction::{Restriction, restriction};
