//! How a run can fail, and with which exit code.

use std::process::ExitCode;

use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;
use datafusion_ctct::{Diagnosis, Error, ErrorKind, client_error};

use crate::excerpt;

/// Why a run ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong.
    Said {
        /// The exit code.
        code: u8,
        /// What happened, and what to do next.
        diagnosis: Box<Diagnosis>,
        /// The line that it is about, with marks below the place.
        excerpt: Option<String>,
    },
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// Whoever read our output stopped reading; nothing is wrong with that.
    Unread,
    /// What went wrong has been said already.
    Told {
        /// The exit code.
        code: u8,
    },
}

impl Failure {
    /// An error of no special kind.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self::said(1, Diagnosis::from(message.into()))
    }

    /// An error with an exit code, and what to do next.
    pub(crate) fn with_hint(code: u8, message: String, hint: String) -> Self {
        Self::said(code, Diagnosis::from(message).with_hint(hint))
    }

    /// A mistake on the command line.
    pub(crate) fn usage(message: &str) -> Self {
        Self::said(2, Diagnosis::from(message))
    }

    /// A failure with its exit code.
    pub(crate) fn said(code: u8, diagnosis: Diagnosis) -> Self {
        Self::Said { code, diagnosis: Box::new(diagnosis), excerpt: None }
    }

    /// The same failure, when it has been said already.
    pub(crate) fn silent(self) -> Self {
        match self {
            Self::Said { code, .. } => Self::Told { code },
            other => other,
        }
    }

    /// The exit code of a kind of error.
    pub(crate) fn code_of(kind: ErrorKind) -> u8 {
        code(kind)
    }

    /// An error of a statement.
    pub(crate) fn of_statement(error: &DataFusionError, session: &SessionContext) -> Self {
        // What a place beside the API says has a hint of its own.
        if let DataFusionError::External(source) = error.find_root()
            && let Some(found) = source.downcast_ref::<ctct_replicate::Error>()
        {
            return Self::of_replication(found);
        }
        let code = client_error(error).map_or(1, |error| code(error.kind()));
        Self::said(code, Diagnosis::of(error, session))
    }

    /// The same failure, showing the place in the statement that it is about.
    pub(crate) fn in_statement(self, sql: &str) -> Self {
        let Self::Said { code, diagnosis, .. } = self else { return self };
        let named = || excerpt::place_of(sql, diagnosis.about.as_deref()?);
        let place = diagnosis.place.or_else(named);
        let excerpt = place.and_then(|place| excerpt::excerpt(sql, place));
        Self::Said { code, diagnosis, excerpt }
    }

    /// The same failure, naming where the statement stands.
    pub(crate) fn at(self, place: Option<&str>) -> Self {
        match (self, place) {
            (Self::Said { code, mut diagnosis, excerpt }, Some(place)) => {
                diagnosis.message = format!("{place}: {}", diagnosis.message);
                Self::Said { code, diagnosis, excerpt }
            }
            (failure, _) => failure,
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Said { code, .. } | Self::Told { code } => ExitCode::from(*code),
            Self::Interrupted => ExitCode::from(130),
            Self::Unread => ExitCode::SUCCESS,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = error.hint().map(str::to_owned);
        let diagnosis = Diagnosis { hint, ..Diagnosis::from(error.to_string()) };
        Self::said(code(error.kind()), diagnosis)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::other(format!("the result could not be written: {error}")),
        }
    }
}

fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Authentication => 4,
        ErrorKind::QuotaExhausted => 5,
        ErrorKind::Unavailable | ErrorKind::Throttled => 6,
        _ => 1,
    }
}
