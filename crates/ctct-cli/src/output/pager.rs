//! What is longer than the terminal, page by page.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use console::Term;

/// The pager of people who have set none: it leaves what fits, keeps colours, and shows the text
/// still when it has ended.
const USUAL: &str = "less -FIRX";

/// Shows a text on the terminal, page by page where it is longer than that. Where there is no
/// pager all of it is written at once.
pub(super) fn show(text: &str) -> io::Result<()> {
    let rows = Term::stdout().size_checked().map_or(usize::MAX, |(rows, _)| usize::from(rows));
    if text.lines().count() >= rows && page(text).is_ok() {
        return Ok(());
    }
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

fn page(text: &str) -> io::Result<()> {
    let chosen = ["CTCT_PAGER", "PAGER"].iter().find_map(|name| std::env::var(name).ok());
    let command = chosen.filter(|command| !command.trim().is_empty());
    let command = command.as_deref().unwrap_or(USUAL);
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else { return Err(io::ErrorKind::NotFound.into()) };
    let mut pager = Command::new(program).args(words).stdin(Stdio::piped()).spawn()?;
    if let Some(mut input) = pager.stdin.take() {
        // Whoever has seen enough leaves before the end.
        drop(input.write_all(text.as_bytes()));
    }
    pager.wait()?;
    Ok(())
}
