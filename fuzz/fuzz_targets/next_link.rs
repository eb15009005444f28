//! Any link to the next page: our own server and path, or an error.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ctct_client::fuzzing::next_link(data));
