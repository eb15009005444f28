//! Where results are written: standard output or a file, buffered, and remembering why it could
//! not be written.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Where results go.
#[derive(Debug, Clone)]
pub(crate) enum Sink {
    /// Standard output.
    Standard,
    /// A file that is open.
    File(Arc<File>),
}

impl Sink {
    /// Whether people see what is written as it comes.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self, Self::Standard) && io::stdout().is_terminal()
    }

    /// Whether this is a file that has something in it.
    pub(crate) fn is_begun(&self) -> bool {
        match self {
            Self::Standard => false,
            Self::File(file) => file.metadata().is_ok_and(|file| file.len() > 0),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard => io::stdout().write(bytes),
            Self::File(file) => file.as_ref().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard => io::stdout().flush(),
            Self::File(file) => file.as_ref().flush(),
        }
    }
}

/// What results are written with.
#[derive(Debug)]
pub(super) struct Output {
    buffer: BufWriter<Sink>,
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
    pub(super) fn new(sink: &Sink) -> Self {
        Self { buffer: BufWriter::new(sink.clone()), failure: OutputFailure::default() }
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
