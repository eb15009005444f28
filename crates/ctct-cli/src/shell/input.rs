//! What was typed: statements, commands, and both on one line.

use crate::lex::{Kind, Piece, pieces};

/// Something to do, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// Statements, separated by semicolons.
    Statements(String),
    /// A backslash or dot command, or a word that means one.
    Command(String),
}

/// Whether what is typed can be done now: a command can at the end of its line, and a statement
/// when it ends with a semicolon or a command.
pub(super) fn is_complete(text: &str) -> bool {
    let trimmed = text.trim();
    if trimmed.is_empty() || is_command(trimmed) || is_bare_word(trimmed) {
        return true;
    }
    let pieces = pieces(text);
    let last = pieces.iter().rev().find(|piece| piece.is_said());
    let is_open = pieces.last().is_some_and(|last| {
        matches!(last.kind, Kind::Text { is_closed: false } | Kind::Name { is_closed: false })
            || (last.text.starts_with("/*") && last.kind == Kind::Comment { is_closed: false })
    });
    !is_open && (last.is_none_or(|last| last.text == ";") || command_in(&pieces).is_some())
}

/// What is to be done, in its order: lines of a file, or what was typed at once.
pub(super) fn parts(text: &str) -> Vec<Input> {
    let mut parts = Vec::new();
    let mut open = String::new();
    for line in text.split('\n') {
        let is_new = open.trim().is_empty();
        if is_new && (is_command(line.trim()) || is_bare_word(line.trim())) {
            parts.push(Input::Command(line.trim().to_owned()));
            open.clear();
            continue;
        }
        if !open.is_empty() {
            open.push('\n');
        }
        open.push_str(line);
        if is_complete(&open) {
            parts.extend(one(&std::mem::take(&mut open)));
        }
    }
    if !open.trim().is_empty() {
        parts.extend(one(&open));
    }
    parts
}

/// Statements, and the command that follows them on their line.
fn one(text: &str) -> Vec<Input> {
    let all = pieces(text);
    if all.iter().all(|piece| !piece.is_said()) {
        return Vec::new();
    }
    let Some(at) = command_in(&all) else { return vec![Input::Statements(text.to_owned())] };
    let (statements, command) = text.split_at(at);
    let statements = statements.trim();
    let mut parts = Vec::new();
    if !statements.is_empty() {
        parts.push(Input::Statements(statements.to_owned()));
    }
    // The statement itself has been run when its command is.
    if !matches!(command.trim(), "\\g" | "\\g;") || statements.is_empty() {
        parts.push(Input::Command(command.trim().to_owned()));
    }
    parts
}

/// Where a command begins that follows a statement: SQL has no backslash outside of texts.
fn command_in(pieces: &[Piece<'_>]) -> Option<usize> {
    pieces.windows(2).find_map(|pair| match pair {
        [sign, word] if sign.text == "\\" && word.kind == Kind::Word => Some(sign.start),
        _ => None,
    })
}

fn is_command(text: &str) -> bool {
    text.starts_with('\\')
        || text.strip_prefix('.').is_some_and(|rest| rest.starts_with(char::is_alphabetic))
}

/// Words that people type to leave, or to be helped.
fn is_bare_word(text: &str) -> bool {
    let word = text.trim_end_matches(';').trim().to_lowercase();
    matches!(word.as_str(), "quit" | "exit" | "help")
}

/// Whether something typed is remembered: not where it begins with a space, and not where it
/// holds what looks like a secret.
pub(super) fn is_to_be_kept(text: &str) -> bool {
    const SECRETS: &[&str] = &[
        "client_secret",
        "access_token",
        "refresh_token",
        "password",
        "passwd",
        "secrets",
        "bearer ",
    ];
    let small = text.to_lowercase();
    let is_address = small.contains("://") && small.split("://").skip(1).any(has_password);
    !text.starts_with(char::is_whitespace)
        && !text.trim().is_empty()
        && !is_address
        && !SECRETS.iter().any(|secret| small.contains(secret))
}

/// Whether an address has a password before its host.
fn has_password(address: &str) -> bool {
    let authority = address.split(['/', '?', '#', '\'', '"', ' ']).next().unwrap_or_default();
    authority.split_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Input {
        Input::Statements(text.to_owned())
    }

    fn command(text: &str) -> Input {
        Input::Command(text.to_owned())
    }

    #[test]
    fn a_statement_goes_on_until_its_semicolon() {
        for (text, complete) in [
            ("SELECT 1;", true),
            ("SELECT 1", false),
            ("SELECT ';", false),
            ("SELECT ';'", false),
            ("SELECT 1; -- x", true),
            ("SELECT /* ; ", false),
            ("SELECT 1; /* open", false),
            ("SELECT 1 \\gx", true),
            ("SELECT '\\gx", false),
            ("\\d contacts", true),
            (".tables", true),
            (".5", false),
            ("quit", true),
            ("  ", true),
        ] {
            assert_eq!(is_complete(text), complete, "{text}");
        }
    }

    #[test]
    fn a_file_is_done_in_its_order() {
        assert_eq!(
            parts(
                "-- First\nSELECT 1,\n '\\d';\n\\timing off\n.mode csv\nSELECT 2; SELECT 3;\nSELECT 4 \\gx\n\nSELECT 5"
            ),
            [
                statements("SELECT 1,\n '\\d';"),
                command("\\timing off"),
                command(".mode csv"),
                statements("SELECT 2; SELECT 3;"),
                statements("SELECT 4"),
                command("\\gx"),
                statements("SELECT 5"),
            ]
        );
        assert_eq!(parts("SELECT 1 \\g"), [statements("SELECT 1")]);
        assert_eq!(parts("help;"), [command("help;")]);
        assert_eq!(parts(" -- nothing\n"), []);
    }

    #[test]
    fn secrets_are_not_remembered() {
        for text in [
            " SELECT 1;",
            "SET client_secret = 'x';",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'https://u:p@host/x';",
            "SELECT 'Bearer abc';",
            "",
        ] {
            assert!(!is_to_be_kept(text), "{text}");
        }
        assert!(is_to_be_kept("SELECT * FROM contacts WHERE email_address = 'a@example.com';"));
        assert!(is_to_be_kept("SELECT * FROM 'https://host/a@b';"));
    }
}
