//! The place in a statement that an error is about, shown below its line.

use unicode_width::UnicodeWidthStr;

use crate::lex::{Kind, pieces};
use crate::report::harmless;
use datafusion_ctct::Place;

/// The longest part of a line that is shown, in columns.
const WIDTH: usize = 100;

/// The line of a statement that has the place, and marks below it.
pub(crate) fn excerpt(sql: &str, place: Place) -> Option<String> {
    let lines: Vec<&str> = sql.split('\n').collect();
    let at = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let line: String = lines.get(at)?.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let column = usize::try_from(place.column).ok()?.saturating_sub(1);
    let length = line.chars().count();
    let column = column.min(length);
    let marked = usize::try_from(place.length).unwrap_or(1).clamp(1, (length - column).max(1));
    // Of a long line, what is around the place.
    let skipped = if length > WIDTH { column.saturating_sub(WIDTH / 2) } else { 0 };
    let part = |from: usize, count: usize| line.chars().skip(from).take(count).collect::<String>();
    let (front, back) = (if skipped > 0 { "… " } else { "" }, length > skipped + WIDTH);
    let shown = format!("{front}{}{}", part(skipped, WIDTH), if back { " …" } else { "" });
    let before = harmless(&format!("{front}{}", part(skipped, column - skipped)));
    let marked = harmless(&part(column, marked.min(WIDTH / 2)));
    let number = if lines.len() > 1 { format!("{} │ ", at + 1) } else { "  ".to_owned() };
    Some(format!(
        "{number}{}\n{}{}",
        harmless(&shown),
        " ".repeat(number.width() + before.width()),
        "^".repeat(marked.width().max(1))
    ))
}

/// Where a name stands in a statement, if it stands there.
pub(crate) fn place_of(sql: &str, name: &str) -> Option<Place> {
    let found = pieces(sql).into_iter().find(|piece| {
        matches!(piece.kind, Kind::Word | Kind::Name { .. })
            && piece.name().is_some_and(|known| known.eq_ignore_ascii_case(name))
    })?;
    let (before, _) = sql.split_at(found.start);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Some(Place {
        line: number(line),
        column: number(column),
        length: number(found.text.chars().count()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u64, column: u64, length: u64) -> Place {
        Place { line, column, length }
    }

    #[test]
    fn marks_stand_below_the_place() {
        assert_eq!(
            excerpt("SELECT emial FROM contacts", at(1, 8, 5)).as_deref(),
            Some("  SELECT emial FROM contacts\n         ^^^^^")
        );
        assert_eq!(
            excerpt("SELECT 1,\n\t'日本', nmae\nFROM x", at(2, 8, 4)).as_deref(),
            Some("2 │  '日本', nmae\n             ^^^^")
        );
        // Behind the end, where something is missing.
        assert_eq!(excerpt("SELECT", at(1, 99, 1)).as_deref(), Some("  SELECT\n        ^"));
        assert_eq!(excerpt("SELECT", at(7, 1, 1)), None);
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let sql = format!("SELECT {}, wrong, {} FROM t", "a, ".repeat(80), "b, ".repeat(80));
        let place = place_of(&sql, "wrong").expect("it is there");
        let shown = excerpt(&sql, place).expect("an excerpt");
        let (line, marks) = shown.split_once('\n').expect("two lines");
        assert!(line.chars().count() < 110, "{line}");
        let marked: String =
            line.chars().zip(marks.chars()).filter(|(_, m)| *m == '^').map(|(c, _)| c).collect();
        assert_eq!(marked, "wrong");
    }

    #[test]
    fn names_are_found_outside_of_texts() {
        assert_eq!(place_of("SELECT 'nmae' AS x,\n \"NMAE\" FROM t", "nmae"), Some(at(2, 2, 6)));
        assert_eq!(place_of("SELECT 1", "nmae"), None);
    }
}
