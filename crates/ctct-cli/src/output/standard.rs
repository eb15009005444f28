//! Standard output, buffered, that remembers why it could not be written.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Standard output.
#[derive(Debug)]
pub(super) struct Output {
    buffer: BufWriter<Stdout>,
    failure: OutputFailure,
}

/// Why an output could not be written, once it could not.
#[derive(Debug, Clone, Default)]
pub(super) struct OutputFailure(Arc<Mutex<Option<io::ErrorKind>>>);

impl OutputFailure {
    /// The failure, if there was one.
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().map(io::Error::from)
    }
}

impl Output {
    pub(super) fn new() -> Self {
        Self { buffer: BufWriter::new(io::stdout()), failure: OutputFailure::default() }
    }

    /// What tells later whether this output failed.
    pub(super) fn failure(&self) -> OutputFailure {
        self.failure.clone()
    }

    fn remember<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &outcome {
            let mut failure = self.failure.0.lock().unwrap_or_else(PoisonError::into_inner);
            *failure = Some(error.kind());
        }
        outcome
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let outcome = self.buffer.write(bytes);
        self.remember(outcome)
    }

    fn flush(&mut self) -> io::Result<()> {
        let outcome = self.buffer.flush();
        self.remember(outcome)
    }
}
