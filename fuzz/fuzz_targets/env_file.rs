//! Any `env.yaml`: changed as it was meant, or left alone.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ctct_client::fuzzing::env_file(data));
