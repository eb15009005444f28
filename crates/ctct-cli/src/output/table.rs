//! Tables for people: bordered, line by line, or in Markdown.

use std::fmt::Write;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use unicode_width::UnicodeWidthStr;

use super::Style;
use super::columns::as_text;
use crate::arguments::Expanded;
use crate::report::turns;

/// Columns narrower than this are no pleasure to read.
const NARROWEST: usize = 12;
/// Where columns are left out, the others are at most as wide as this.
const WIDEST: usize = 20;
/// So many rows that do not fit are shown line by line; of more, columns are left out.
const LINE_BY_LINE: usize = 10;

/// A table with borders, as wide as it needs.
///
/// Where it must fit into `width` and does not, its cells are wrapped. Where there are too many
/// columns for that, a few rows are shown as lines of name and value, and of many the columns in
/// the middle are left out.
pub(super) fn bordered(
    schema: &Schema,
    batches: &[RecordBatch],
    style: &Style,
    width: Option<u16>,
) -> Result<String, ArrowError> {
    if schema.fields().is_empty() {
        return Ok(String::new());
    }
    let rows = rows(batches, style)?;
    let names: Vec<String> = schema.fields().iter().map(|field| harmless(field.name())).collect();
    let sides = schema.fields().iter().map(|field| alignment(field.data_type())).collect();
    let shape = Shape { names, sides, rows };
    if style.expanded == Expanded::On {
        return Ok(shape.vertical());
    }
    let Some(width) = width.map(usize::from) else { return Ok(shape.table(None)) };
    let needed: usize = shape.widths().iter().map(|width| width + 3).sum::<usize>() + 1;
    if needed <= width {
        return Ok(shape.table(None));
    }
    if shape.names.len() * NARROWEST <= width {
        return Ok(shape.table(Some(width)));
    }
    if style.expanded == Expanded::Auto && shape.rows.len() <= LINE_BY_LINE {
        return Ok(shape.vertical());
    }
    let (of, shape) = (shape.names.len(), shape.narrowed(width));
    let shown = shape.names.len() - 1;
    let mut text = shape.table(None);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "… {shown} of {of} columns; \\x on or --expanded on shows all, line by line"
    );
    Ok(text)
}

/// What a table shows, as text.
struct Shape {
    names: Vec<String>,
    sides: Vec<CellAlignment>,
    rows: Vec<Vec<String>>,
}

impl Shape {
    /// How wide each column is, in columns of the terminal.
    fn widths(&self) -> Vec<usize> {
        let of = |(place, name): (usize, &String)| {
            let cells = self.rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.width());
            cells.chain([name.width()]).max().unwrap_or(0)
        };
        self.names.iter().enumerate().map(of).collect()
    }

    /// With borders, and wrapped where it is too wide.
    fn table(&self, width: Option<usize>) -> String {
        let mut table = Table::new();
        table.load_preset("││──├─┼┤│    ┬┴┌┐└┘");
        table.set_header(&self.names);
        for row in &self.rows {
            let cells = row.iter().zip(&self.sides);
            table.add_row(cells.map(|(text, side)| Cell::new(text).set_alignment(*side)));
        }
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        }
        let mut text = table.trim_fmt();
        text.push('\n');
        text
    }

    /// The first and the last columns, as many as fit, and one between them for the others.
    fn narrowed(self, width: usize) -> Self {
        let widths: Vec<usize> = self.widths().into_iter().map(|own| own.min(WIDEST)).collect();
        let count = widths.len();
        let mut room = width.saturating_sub(5);
        let (mut first, mut last) = (0, count);
        while first < last {
            // The first ones say what a row is: they get two places of three.
            let is_front = first <= 2 * (count - last);
            let own = if is_front { widths.get(first) } else { widths.get(last - 1) };
            let needed = own.map_or(0, |own| own + 3);
            if needed > room && first > 0 {
                break;
            }
            room = room.saturating_sub(needed);
            if is_front {
                first += 1;
            } else {
                last -= 1;
            }
        }
        let some = |cells: Vec<String>| -> Vec<String> {
            let (front, rest) = cells.split_at(first.min(cells.len()));
            let (_, back) = rest.split_at((last - first).min(rest.len()));
            let between = ["…".to_owned()];
            front.iter().chain(&between).chain(back).map(|cell| shortened(cell)).collect()
        };
        let sides = self.sides;
        let (front, back) = (sides.iter().take(first), sides.iter().skip(last));
        Self {
            names: some(self.names),
            sides: front.copied().chain([CellAlignment::Left]).chain(back.copied()).collect(),
            rows: self.rows.into_iter().map(some).collect(),
        }
    }

    /// Every row as lines of name and value.
    fn vertical(&self) -> String {
        let widest = self.names.iter().map(|name| name.width()).max().unwrap_or(0);
        let mut text = String::new();
        // Writing to a string cannot fail.
        for (number, row) in self.rows.iter().enumerate() {
            let _ = writeln!(text, "─[ row {} ]─{}", number + 1, "─".repeat(widest));
            for (name, value) in self.names.iter().zip(row) {
                let _ = writeln!(text, "{name}{} │ {value}", " ".repeat(widest - name.width()));
            }
        }
        text
    }
}

/// A cell that is as wide as a narrowed table has room for.
fn shortened(cell: &str) -> String {
    if cell.width() <= WIDEST {
        return cell.to_owned();
    }
    let mut kept = String::new();
    for letter in cell.chars() {
        kept.push(letter);
        if kept.width() >= WIDEST {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

/// A table in Markdown.
pub(super) fn markdown(
    schema: &Schema,
    batches: &[RecordBatch],
    style: &Style,
) -> Result<String, ArrowError> {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|");
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let fields = schema.fields();
    let mut text = line(fields.iter().map(|field| escaped(&harmless(field.name()))).collect());
    let rules = fields.iter().map(|field| match alignment(field.data_type()) {
        CellAlignment::Right => "---:".to_owned(),
        _ => "---".to_owned(),
    });
    text.push_str(&line(rules.collect()));
    for row in rows(batches, style)? {
        text.push_str(&line(row.iter().map(|cell| escaped(cell)).collect()));
    }
    Ok(text)
}

fn alignment(data_type: &DataType) -> CellAlignment {
    if data_type.is_numeric() { CellAlignment::Right } else { CellAlignment::Left }
}

fn rows(batches: &[RecordBatch], style: &Style) -> Result<Vec<Vec<String>>, ArrowError> {
    // Times as people write them; the zone is always UTC and stays visible as Z.
    let options = FormatOptions::new()
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.fZ"));
    let mut rows = Vec::new();
    for batch in batches {
        let batch = as_text(batch)?;
        let formatters = batch.columns().iter();
        let formatters = formatters
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let cells = formatters.iter().zip(batch.columns()).map(|(formatter, column)| {
                // A column of nothing but nulls has no list of them.
                if column.is_null(row) || *column.data_type() == DataType::Null {
                    return Ok(harmless(style.null_in_table()));
                }
                Ok(harmless(&formatter.value(row).try_to_string()?))
            });
            rows.push(cells.collect::<Result<Vec<_>, ArrowError>>()?);
        }
    }
    Ok(rows)
}

/// Text that cannot steer a terminal or break a line: control characters and marks
/// that change the direction of writing are shown as what they are.
pub(super) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            hostile if hostile.is_control() || turns(hostile) => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(hostile));
            }
            ordinary => shown.push(ordinary),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, ListArray, StringArray, TimestampMicrosecondArray};
    use arrow::datatypes::Int64Type;

    use super::*;
    use crate::arguments::Format;

    fn batch() -> RecordBatch {
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1)]), None]);
        let times = TimestampMicrosecondArray::from(vec![Some(1_730_314_595_000_000), None]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("name", Arc::new(StringArray::from(vec!["a|\u{1b}[31m\u{202e}b\nc", ""]))),
            ("count", Arc::new(Int64Array::from(vec![Some(5), None]))),
            ("list", Arc::new(lists)),
            ("at", Arc::new(times.with_timezone("UTC"))),
        ];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }

    fn shown(expanded: Expanded, width: Option<u16>) -> String {
        let style = Style { expanded, ..Style::plain(Format::Table) };
        let batch = batch();
        bordered(&batch.schema(), std::slice::from_ref(&batch), &style, width).expect("formats")
    }

    #[test]
    fn what_is_hostile_is_shown_and_not_done() {
        let text = shown(Expanded::Auto, None);
        let expected = "\
┌──────────────────────────┬───────┬──────┬──────────────────────┐
│ name                     │ count │ list │ at                   │
├──────────────────────────┼───────┼──────┼──────────────────────┤
│ a|\\u{1b}[31m\\u{202e}b\\nc │     5 │ [1]  │ 2024-10-30 18:56:35Z │
│                          │  NULL │ NULL │ NULL                 │
└──────────────────────────┴───────┴──────┴──────────────────────┘
";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn what_does_not_fit_is_wrapped_or_shown_line_by_line() {
        let auto = |width| shown(Expanded::Auto, Some(width));
        assert_eq!(auto(120), shown(Expanded::Auto, None));
        assert!(auto(60).lines().all(|line| line.chars().count() <= 60), "{}", auto(60));
        let expected = "\
─[ row 1 ]──────
name  │ a|\\u{1b}[31m\\u{202e}b\\nc
count │ 5
list  │ [1]
at    │ 2024-10-30 18:56:35Z
";
        assert!(auto(40).starts_with(expected), "{}", auto(40));
        assert!(shown(Expanded::On, None).starts_with(expected));
        let narrow = shown(Expanded::Off, Some(40));
        let expected = "\
┌──────────────────────┬───┐
│ name                 │ … │
";
        assert!(narrow.starts_with(expected), "{narrow}");
        assert!(
            narrow.ends_with("… 1 of 4 columns; \\x on or --expanded on shows all, line by line\n")
        );
    }

    #[test]
    fn of_many_columns_the_middle_is_left_out() {
        let columns = (0..40).map(|n| {
            let text = format!("value {n} {}", "w".repeat(n * 2));
            let array: ArrayRef = Arc::new(StringArray::from(vec![text; 30]));
            (format!("column_{n}"), array)
        });
        let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let style = Style::plain(Format::Table);
        let text = bordered(&batch.schema(), &[batch], &style, Some(100)).expect("formats");
        let first = text.lines().nth(1).expect("a header");
        assert!(text.lines().all(|line| line.width() <= 100), "{text}");
        assert!(first.contains("column_0 ") && first.contains("column_39"), "{text}");
        assert!(text.contains("wwww…"), "{text}");
    }

    #[test]
    fn markdown_keeps_its_columns() {
        let (batch, style) = (batch(), Style::plain(Format::Markdown));
        let text = markdown(&batch.schema(), &[batch], &style).expect("formats");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "| name | count | list | at |");
        assert_eq!(lines[1], "| --- | ---: | --- | --- |");
        assert!(lines[2].starts_with("| a\\|\\\\u{1b}[31m"), "{}", lines[2]);
        assert_eq!(lines.len(), 4);
    }
}
