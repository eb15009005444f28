//! What can go wrong between a server and its clients, on request.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A fault, and the requests that it befalls.
///
/// Requests to paths that start with `path` are counted; after `skip` of them the next
/// `times` suffer the fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// What the path starts with, with `/v3`; everything where it is not given.
    #[serde(default)]
    pub path: String,
    /// How many requests are spared first.
    #[serde(default)]
    pub skip: u32,
    /// How many requests suffer.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The answer comes later.
    Latency {
        /// How much later.
        milliseconds: u64,
    },
    /// Another answer, with headers such as `Retry-After`.
    Answer {
        /// Its status.
        status: u16,
        /// Its body.
        body: String,
        /// Names and values of its headers.
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// The gateway's refusal for a second that is too full.
    Throttled,
    /// The gateway's refusal for a day that is used up.
    QuotaExceeded,
    /// The token is not accepted any more.
    TokenExpired,
    /// A gateway's page of HTML with status 502.
    Html,
    /// The connection breaks in the middle of the body.
    Reset,
    /// The body ends early, though `Content-Length` announced all of it.
    Truncated,
    /// The body comes in pieces with pauses between them.
    SlowBody {
        /// How many pieces.
        pieces: u32,
        /// How long each pause is.
        milliseconds: u64,
    },
    /// The body is cut off and says it is complete.
    BadJson,
    /// Every text of the body that looks like a time is replaced by a word.
    WrongTypes,
    /// The link to the next page is replaced.
    NextLink {
        /// By this.
        href: String,
    },
    /// The rows are left out, and the link to the next page stays.
    EmptyPage,
    /// The rows come in reverse.
    Reversed,
    /// The cursor is not accepted, as after it expired.
    CursorExpired,
    /// A redirect.
    Redirect {
        /// Where to.
        location: String,
    },
    /// A small body that is compressed from this many bytes.
    Bomb {
        /// Mebibytes of it, uncompressed.
        mebibytes: u32,
    },
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Mutex<VecDeque<Fault>>,
}

impl Faults {
    pub(crate) fn push(&self, fault: Fault) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    pub(crate) fn clear(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault that a request suffers: of the first one that is meant for its path.
    pub(crate) fn next(&self, path: &str) -> Option<FaultKind> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let position = waiting.iter().position(|fault| path.starts_with(&fault.path))?;
        let fault = waiting.get_mut(position)?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let kind = fault.kind.clone();
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            waiting.remove(position);
        }
        Some(kind)
    }
}

impl FaultKind {
    /// How much later an answer comes.
    pub(crate) fn delay(&self) -> Duration {
        match self {
            Self::Latency { milliseconds } => Duration::from_millis(*milliseconds),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_befalls_the_requests_that_it_is_meant_for() {
        let faults = Faults::default();
        let fault =
            Fault { kind: FaultKind::Reset, path: "/v3/contacts".into(), skip: 1, times: 2 };
        faults.push(fault);
        let suffered = |path: &str| faults.next(path).is_some();
        assert!(!suffered("/v3/emails"));
        assert!(!suffered("/v3/contacts"), "spared");
        assert!(suffered("/v3/contacts") && suffered("/v3/contacts/1"));
        assert!(!suffered("/v3/contacts"), "over");
    }

    #[test]
    fn faults_are_written_as_json() {
        let text = r#"{"kind":{"latency":{"milliseconds":5}},"path":"/v3/emails"}"#;
        let fault: Fault = serde_json::from_str(text).expect("a fault");
        assert_eq!(fault.kind.delay(), Duration::from_millis(5));
        assert_eq!((fault.skip, fault.times), (0, 1));
        assert_eq!(serde_json::from_str::<Fault>(r#"{"kind":"reset"}"#).expect("a fault").path, "");
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"reset","tmes":3}"#).is_err());
    }
}
