//! What ctct promises, tested from the outside: one program, so that it is linked once.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed"
)]

mod auth_browser;
mod auth_login;
mod auth_secrets;
mod auth_tokens;
mod browser;
mod canonical;
mod cli;
mod clocks;
mod conns;
mod declarations;
mod details;
mod differential;
mod errors;
mod full_scan;
mod keyed;
mod logins;
mod ordered;
mod predicates;
mod readme;
mod replicate;
mod replicate_bench;
mod replicate_cuts;
mod replicate_late;
mod replicate_query;
mod replicate_soak;
mod replicate_trouble;
mod replicate_wire;
mod requests;
mod sandbox;
mod sandbox_shapes;
mod shared_scans;
mod shell;
mod shell_shows;
mod support;
mod transport;
mod transport_processes;
mod views;
mod windows;
