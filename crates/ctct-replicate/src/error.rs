//! The one error of this crate: what happened, to what, and what to do next.

use std::error::Error as StdError;
use std::fmt;

use datafusion::common::DataFusionError;
use datafusion_ctct::client_error;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can react to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The replication's file, or a setting, is wrong.
    Configuration,
    /// The API could not be read; its own [kind](ctct_client::ErrorKind) says why.
    Source(ctct_client::ErrorKind),
    /// A query of a stream is wrong, or failed.
    Query,
    /// The target could not be reached or written.
    Target,
    /// Another run is writing the same table.
    Busy,
}

/// What went wrong, without secrets and without values of rows.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind; the message starts in lower case and has no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { inner: Box::new(Inner { kind, message, hint: None, source: None }) }
    }

    /// A mistake in the replication's file.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// The same error, saying first what it is about.
    #[must_use]
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.inner.message = format!("{what}: {}", self.inner.message);
        self
    }

    /// What a caller can react to.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// What to do next, where that is known.
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// Whether the day's requests are used up: the same run goes on when they are renewed.
    pub fn is_quota(&self) -> bool {
        self.kind() == ErrorKind::Source(ctct_client::ErrorKind::QuotaExhausted)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("message", &self.inner.message)
            .field("hint", &self.inner.hint)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_ref().map(|source| source.as_ref() as _)
    }
}

impl From<ctct_client::Error> for Error {
    fn from(error: ctct_client::Error) -> Self {
        let hint = error.hint().map(str::to_owned);
        let found = Self::new(ErrorKind::Source(error.kind()), error.to_string());
        let found = found.with_source(error);
        match hint {
            Some(hint) => found.with_hint(hint),
            None => found,
        }
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        let (kind, message, hint) = match client_error(&error) {
            Some(of_client) => (
                ErrorKind::Source(of_client.kind()),
                of_client.to_string(),
                of_client.hint().map(str::to_owned),
            ),
            None => (ErrorKind::Query, error.strip_backtrace(), None),
        };
        let found = Self::new(kind, message).with_source(error);
        match hint {
            Some(hint) => found.with_hint(hint),
            None => found,
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        // The detail of a server's error holds values of rows; its message does not.
        let message = match error.as_db_error() {
            Some(found) => format!("PostgreSQL refused it: {}", found.message()),
            None if error.is_closed() => "the connection to PostgreSQL was closed".to_owned(),
            None => format!("PostgreSQL: {error}"),
        };
        Self::new(ErrorKind::Target, message).with_source(error)
    }
}
