//! What a predicate says about columns, as far as requests can use it.
//!
//! Everything here is a function of values. [`Domain`] and [`Domains`] say where the values
//! lie of every row for which a predicate can be true; the module that defines them argues
//! why no row is lost. Two thin front ends derive them: [`analyse`] from predicates of a
//! logical plan, and another one from the filters that joins and scalar subqueries leave
//! for a scan in a physical plan.

mod domain;
mod interval;
mod literal;
mod logical;
mod physical;

pub use domain::{Analysis, Domain, Domains};
pub use interval::Interval;
pub use logical::analyse;
pub(crate) use physical::{analyse_physical, analyse_present};
