//! What ctct promises, tested from the outside: one program, so that it is linked once.

mod cli;
mod declarations;
mod errors;
mod full_scan;
mod predicates;
mod requests;
mod sandbox;
mod sandbox_shapes;
mod support;
