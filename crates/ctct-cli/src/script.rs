//! A script as its statements, each with the place where it stands.

use datafusion::common::{DataFusionError, Result};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer, Whitespace};

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The SQL, without the semicolon.
    pub(crate) sql: String,
    /// The line, counted from 1, on which it starts.
    pub(crate) line: u64,
    /// The lines of the `--` comment before it.
    pub(crate) comment: Vec<String>,
}

/// Splits a script at its semicolons; strings, quoted names and comments may hold some.
///
/// # Errors
/// Where a string, a quoted name or a comment does not end.
pub(crate) fn split(script: &str) -> Result<Vec<Statement>> {
    let tokens = Tokenizer::new(&GenericDialect {}, script)
        .tokenize_with_location()
        .map_err(|error| DataFusionError::SQL(Box::new(error.into()), None))?;
    let lines: Vec<&str> = script.split('\n').collect();
    let mut statements = Vec::new();
    let mut comment = Vec::new();
    let mut start: Option<Location> = None;
    for token in &tokens {
        match &token.token {
            Token::Whitespace(Whitespace::SingleLineComment { comment: text, .. }) => {
                if start.is_none() {
                    comment.push(text.trim().to_owned());
                }
            }
            Token::Whitespace(_) => {}
            Token::SemiColon => {
                if let Some(from) = start.take() {
                    let sql = between(&lines, from, Some(token.span.start));
                    let comment = std::mem::take(&mut comment);
                    statements.push(Statement { sql, line: from.line, comment });
                }
            }
            _ => {
                start.get_or_insert(token.span.start);
            }
        }
    }
    if let Some(from) = start {
        let sql = between(&lines, from, None);
        statements.push(Statement { sql, line: from.line, comment });
    }
    Ok(statements)
}

/// The text from one location up to another; columns are counted in characters.
fn between(lines: &[&str], from: Location, to: Option<Location>) -> String {
    let index = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = to.map_or(lines.len().saturating_sub(1), |to| index(to.line));
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate().skip(index(from.line)) {
        if number > last {
            break;
        }
        let skip = if number == index(from.line) { index(from.column) } else { 0 };
        let end = match to {
            Some(to) if number == last => index(to.column),
            _ => usize::MAX,
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text.extend(line.chars().take(end).skip(skip));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<String> {
        split(script).expect("whole").into_iter().map(|statement| statement.sql).collect()
    }

    #[test]
    fn semicolons_separate_only_where_they_stand_alone() {
        assert_eq!(texts("SELECT 1; SELECT 2"), ["SELECT 1", "SELECT 2"]);
        assert_eq!(texts("SELECT ';' AS \"a;b\" -- ;\n, 2;"), ["SELECT ';' AS \"a;b\" -- ;\n, 2"]);
        assert_eq!(texts("/* ; */ SELECT 'é;ü';;; \n"), ["SELECT 'é;ü'"]);
        assert!(texts(" -- nothing\n ; ").is_empty());
        assert!(split("SELECT 'open").is_err());
    }

    #[test]
    fn statements_know_their_line_and_comment() {
        let statements =
            split("-- First,\n-- a count.\nSELECT\n 1;\n\n-- Second.\nSELECT 2").expect("whole");
        assert_eq!(statements[0].line, 3);
        assert_eq!(statements[0].sql, "SELECT\n 1");
        assert_eq!(statements[0].comment, ["First,", "a count."]);
        assert_eq!((statements[1].line, statements[1].comment.join(" ").as_str()), (7, "Second."));
    }
}
