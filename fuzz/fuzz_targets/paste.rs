//! Whatever somebody pastes: the answer to their login, or an error.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ctct_client::fuzzing::paste(data));
