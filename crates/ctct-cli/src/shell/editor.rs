//! The line that is being edited: completion, highlighting, hints, and when it is complete.

use std::borrow::Cow;
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, Context, EditMode, Editor, Helper};

use super::command;
use super::completion::{Completion, complete};
use super::input;
use super::vocabulary::{KEYWORDS, Vocabulary};
use crate::lex::{Kind, pieces};

/// What is said on a new line of a statement.
const UNFINISHED: &str = "  a semicolon ends the statement, Ctrl-C gives it up";
/// How many statements are remembered.
const REMEMBERED: usize = 2_000;

/// What edits lines.
pub(super) struct Line {
    editor: Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
}

impl Line {
    /// An editor that remembers in this file, where there is one.
    pub(super) fn new(
        vocabulary: Arc<RwLock<Vocabulary>>,
        history: Option<PathBuf>,
        coloured: bool,
    ) -> Result<Self, ReadlineError> {
        let vi = std::env::var("CTCT_EDIT_MODE").is_ok_and(|mode| mode == "vi");
        let config = Config::builder()
            .max_history_size(REMEMBERED)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .edit_mode(if vi { EditMode::Vi } else { EditMode::Emacs })
            .color_mode(if coloured { ColorMode::Forced } else { ColorMode::Disabled })
            .bracketed_paste(true);
        let config = config.history_ignore_dups(true)?.build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Assistant {
            vocabulary,
            files: FilenameCompleter::new(),
            history: HistoryHinter::new(),
            coloured,
            typed: Cell::new(false),
        }));
        if let Some(path) = &history {
            // There is none the first time.
            drop(editor.load_history(path));
        }
        Ok(Self { editor, history })
    }

    /// The next statement or command; `begun` is there already.
    pub(super) fn read(&mut self, prompt: &str, begun: &str) -> Result<String, ReadlineError> {
        self.editor.readline_with_initial(prompt, (begun, ""))
    }

    /// Whether something was on the line that was given up last.
    pub(super) fn was_typed(&self) -> bool {
        self.editor.helper().is_some_and(|helper| helper.typed.replace(false))
    }

    /// Remembers what was typed, unless it begins with a space or looks like a secret.
    pub(super) fn remember(&mut self, text: &str) {
        if !input::is_to_be_kept(text) {
            return;
        }
        // A history that cannot grow is no reason to stop.
        drop(self.editor.add_history_entry(text));
        let Some(path) = &self.history else { return };
        if let Some(folder) = path.parent() {
            drop(std::fs::create_dir_all(folder));
        }
        if let Err(error) = self.editor.append_history(path) {
            tracing::debug!("the history cannot be written: {error}");
        }
    }
}

/// What helps with a line.
struct Assistant {
    vocabulary: Arc<RwLock<Vocabulary>>,
    files: FilenameCompleter,
    history: HistoryHinter,
    coloured: bool,
    /// Whether something is on the line.
    typed: Cell<bool>,
}

impl Helper for Assistant {}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let known = self.vocabulary.read().unwrap_or_else(PoisonError::into_inner);
        match complete(line, position, &known) {
            Completion::File => self.files.complete(line, position, context),
            Completion::Words { start, words } => {
                let pair = |word: String| Pair { display: word.clone(), replacement: word };
                Ok((start, words.into_iter().map(pair).collect()))
            }
        }
    }
}

/// What is suggested behind the cursor.
struct Suggestion {
    shown: String,
    /// Whether the right arrow takes it.
    taken: bool,
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.taken.then_some(&self.shown)
    }
}

impl Hinter for Assistant {
    type Hint = Suggestion;

    fn hint(&self, line: &str, position: usize, context: &Context<'_>) -> Option<Suggestion> {
        self.typed.set(!line.trim().is_empty());
        if line.trim().is_empty() || position < line.len() {
            return None;
        }
        if line.ends_with('\n') {
            // Whoever wonders why nothing happens.
            return Some(Suggestion { shown: UNFINISHED.to_owned(), taken: false });
        }
        if let Some(follows) = command::follows(line) {
            return Some(Suggestion { shown: format!(" {follows}"), taken: false });
        }
        let shown = self.history.hint(line, position, context)?;
        (!shown.contains('\n')).then_some(Suggestion { shown, taken: true })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        if self.coloured { Cow::Owned(highlighted(line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        if self.coloured {
            Cow::Owned(format!("\x1b[1m{prompt}\x1b[0m"))
        } else {
            Cow::Borrowed(prompt)
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.coloured {
            Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
        } else {
            Cow::Borrowed(hint)
        }
    }

    fn highlight_char(&self, _line: &str, _position: usize, kind: CmdKind) -> bool {
        self.coloured && kind != CmdKind::MoveCursor
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if input::is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// SQL with colours.
fn highlighted(line: &str) -> String {
    let is_keyword = |word: &str| {
        let word = word.to_uppercase();
        KEYWORDS.iter().any(|known| known.split(' ').any(|part| part == word))
    };
    let mut text = String::with_capacity(line.len() * 2);
    for piece in pieces(line) {
        let colour = match piece.kind {
            Kind::Word if is_keyword(piece.text) => "\x1b[34;1m",
            Kind::Text { .. } => "\x1b[32m",
            Kind::Number => "\x1b[36m",
            Kind::Comment { .. } => "\x1b[2m",
            Kind::Name { .. } => "\x1b[35m",
            _ => {
                text += piece.text;
                continue;
            }
        };
        text += colour;
        text += piece.text;
        text += "\x1b[0m";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_no_letter() {
        let line = "SELECT \"a\", 'it''s', 1 -- é\n  FROM t WHERE x = 'open";
        let shown = highlighted(line);
        let mut plain = String::new();
        let mut rest = shown.as_str();
        while let Some((before, after)) = rest.split_once('\x1b') {
            plain += before;
            rest = after.split_once('m').map_or("", |(_, rest)| rest);
        }
        plain += rest;
        assert_eq!(plain, line);
        assert!(shown.starts_with("\x1b[34;1mSELECT\x1b[0m"), "{shown:?}");
    }
}
