//! Small programs that embed ctct: `cargo run -p ctct-examples --example embed`.
