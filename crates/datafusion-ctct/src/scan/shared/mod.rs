//! What the scans of one statement share: answers that more than one of them asks for.

mod answers;
mod plan;
mod spill;

pub(super) use answers::{Answers, Received};
pub(crate) use plan::ShareAnswers;
pub(super) use plan::SharedAnswers;
