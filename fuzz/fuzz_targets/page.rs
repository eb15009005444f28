//! Any body of a page: rows that fit their schema, or an error.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datafusion_ctct::fuzzing::page(data));
