//! Any status with any body: an answer or an error, and never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ctct_client::fuzzing::error_body(data));
