//! The one error of this crate: what happened, to what, and what to do next.

use std::error::Error as StdError;
use std::fmt;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can react to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A connection's settings are missing or malformed.
    Configuration,
    /// There is no token, or the server refused it.
    Authentication,
    /// The token is good, but it may not do this.
    Forbidden,
    /// What was asked for does not exist.
    NotFound,
    /// The server found the request wrong.
    InvalidRequest,
    /// Too many requests at once, even after waiting.
    Throttled,
    /// The day's requests are used up.
    QuotaExhausted,
    /// The caller's own limit of requests is reached.
    LimitReached,
    /// The server could not be reached, or failed, for the whole of the retries.
    Unavailable,
    /// The server's answer is not what its documentation says.
    Protocol,
    /// A file of ctct's own cannot be read or written.
    Storage,
}

/// What went wrong, without secrets, cursors or full URLs.
///
/// `Display` is one line; [`hint`](Self::hint) is the next step, and
/// [`source`](StdError::source) the cause.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind; the message starts in lower case and has no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                hint: None,
                context: Vec::new(),
                source: None,
            }),
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// Adds a fact of the circumstances, shown as `name: value`.
    #[must_use]
    pub fn with_context(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.inner.context.push((name, value.into()));
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
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

    /// The facts of the circumstances, in the order in which they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.inner.context
    }

    /// Whether somebody has to log in, or to provide a token, first.
    pub fn is_authentication(&self) -> bool {
        self.kind() == ErrorKind::Authentication
    }

    /// Whether the same request may succeed a little later.
    pub fn is_temporary(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::Throttled)
    }

    /// Whether the day's requests are used up.
    pub fn is_quota(&self) -> bool {
        self.kind() == ErrorKind::QuotaExhausted
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)?;
        let mut separator = " (";
        for (name, value) in &self.inner.context {
            write!(f, "{separator}{name}: {value}")?;
            separator = ", ";
        }
        if !self.inner.context.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("message", &self.inner.message)
            .field("hint", &self.inner.hint)
            .field("context", &self.inner.context)
            .field("source", &self.inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
