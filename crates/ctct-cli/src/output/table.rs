//! Tables for people: bordered, or in Markdown.

use std::fmt::Write;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::columns::as_text;

const NULL: &str = "NULL";

/// Columns narrower than this are no pleasure to read.
const NARROWEST: usize = 12;

/// A table with borders, as wide as it needs. Where it must fit into `width` and does not,
/// its cells are wrapped; where there are too many columns for that, every row is shown
/// as lines of name and value.
pub(super) fn bordered(
    schema: &Schema,
    batches: &[RecordBatch],
    width: Option<u16>,
) -> Result<String, ArrowError> {
    if schema.fields().is_empty() {
        return Ok(String::new());
    }
    let rows = rows(batches)?;
    let mut table = Table::new();
    table.load_preset("││──├─┼┤│    ┬┴┌┐└┘");
    table.set_header(schema.fields().iter().map(|field| harmless(field.name())));
    for row in &rows {
        let cells = row
            .iter()
            .zip(schema.fields())
            .map(|(text, field)| Cell::new(text).set_alignment(alignment(field.data_type())));
        table.add_row(cells);
    }
    if let Some(width) = width.map(usize::from) {
        let needed = table.lines().next().map_or(0, |border| border.chars().count());
        if needed > width && schema.fields().len() * NARROWEST > width {
            return Ok(vertical(schema, &rows));
        }
        if needed > width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        }
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    Ok(text)
}

/// Every row as lines of name and value.
fn vertical(schema: &Schema, rows: &[Vec<String>]) -> String {
    let names: Vec<String> = schema.fields().iter().map(|field| harmless(field.name())).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (number, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "─[ row {} ]─{}", number + 1, "─".repeat(widest));
        for (name, value) in names.iter().zip(row) {
            let _ = writeln!(text, "{name:widest$} │ {value}");
        }
    }
    text
}

/// A table in Markdown.
pub(super) fn markdown(schema: &Schema, batches: &[RecordBatch]) -> Result<String, ArrowError> {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|");
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let fields = schema.fields();
    let mut text = line(fields.iter().map(|field| escaped(&harmless(field.name()))).collect());
    let rules = fields.iter().map(|field| match alignment(field.data_type()) {
        CellAlignment::Right => "---:".to_owned(),
        _ => "---".to_owned(),
    });
    text.push_str(&line(rules.collect()));
    for row in rows(batches)? {
        text.push_str(&line(row.iter().map(|cell| escaped(cell)).collect()));
    }
    Ok(text)
}

fn alignment(data_type: &DataType) -> CellAlignment {
    if data_type.is_numeric() { CellAlignment::Right } else { CellAlignment::Left }
}

fn rows(batches: &[RecordBatch]) -> Result<Vec<Vec<String>>, ArrowError> {
    // Times as people write them; the zone is always UTC and stays visible as Z.
    let options = FormatOptions::new()
        .with_null(NULL)
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
                if column.is_null(row) {
                    return Ok(NULL.to_owned());
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
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            '\u{200e}'
            | '\u{200f}'
            | '\u{061c}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            control if control.is_control() => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(control));
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

    #[test]
    fn what_is_hostile_is_shown_and_not_done() {
        let batch = batch();
        let text = bordered(&batch.schema(), std::slice::from_ref(&batch), None).expect("formats");
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
        let batch = batch();
        let shown = |width| {
            bordered(&batch.schema(), std::slice::from_ref(&batch), Some(width)).expect("formats")
        };
        assert_eq!(
            shown(120),
            bordered(&batch.schema(), std::slice::from_ref(&batch), None).expect("formats")
        );
        assert!(shown(60).lines().all(|line| line.chars().count() <= 60), "{}", shown(60));
        let expected = "\
─[ row 1 ]──────
name  │ a|\\u{1b}[31m\\u{202e}b\\nc
count │ 5
list  │ [1]
at    │ 2024-10-30 18:56:35Z
";
        assert!(shown(40).starts_with(expected), "{}", shown(40));
    }

    #[test]
    fn markdown_keeps_its_columns() {
        let batch = batch();
        let text = markdown(&batch.schema(), std::slice::from_ref(&batch)).expect("formats");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "| name | count | list | at |");
        assert_eq!(lines[1], "| --- | ---: | --- | --- |");
        assert!(lines[2].starts_with("| a\\|\\\\u{1b}[31m"), "{}", lines[2]);
        assert_eq!(lines.len(), 4);
    }
}
