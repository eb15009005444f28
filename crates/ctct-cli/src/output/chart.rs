//! A result as a chart in the terminal.

use std::fmt::Write;

use arrow::array::{Array, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::DateTime;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::{Direction, Rect};
use ratatui_core::style::{Color, Style};
use ratatui_core::symbols::Marker;
use ratatui_core::widgets::Widget;
use ratatui_widgets::barchart::{Bar, BarChart, BarGroup};
use ratatui_widgets::chart::{Axis, Chart, Dataset, GraphType};
use unicode_width::UnicodeWidthStr;

use super::table::harmless;

/// The most bars, and the widest label.
const BARS: usize = 40;
const LABEL: usize = 28;
/// How high a line chart is.
const HEIGHT: u16 = 16;
/// Lines in a chart that can still be told apart.
const COLOURS: &[Color] = &[Color::Cyan, Color::Yellow, Color::Magenta, Color::Green];

/// What a chart looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A bar for each row.
    Bar,
    /// A line through all rows.
    Line,
}

/// One kind of number for each row.
struct Series {
    name: String,
    values: Vec<Option<f64>>,
}

/// The rows as a chart that is `width` columns wide: of the first column that can name a row,
/// or stand on the axis, against the columns of numbers, or those that are named.
///
/// # Errors
/// In words, where there is nothing to draw.
pub(crate) fn chart(
    batches: &[RecordBatch],
    shape: Option<Shape>,
    columns: &[String],
    width: u16,
    coloured: bool,
) -> Result<String, String> {
    let Some(first) = batches.first() else {
        return Err("there are no rows to draw".to_owned());
    };
    let schema = first.schema();
    let batch = arrow::compute::concat_batches(&schema, batches).map_err(|e| e.to_string())?;
    let (across, up) = chosen(&schema, columns)?;
    let series: Vec<Series> = up
        .iter()
        .take(COLOURS.len())
        .map(|place| {
            let values = numbers(batch.column(*place)).unwrap_or_default();
            Series { name: harmless(schema.field(*place).name()), values }
        })
        .collect();
    if !series.iter().any(|one| one.values.iter().flatten().next().is_some()) {
        return Err("there is no number among the rows to draw".to_owned());
    }
    let labels = labels(&batch, across);
    let axis =
        across.map(|place| batch.column(place)).filter(|column| is_scale(column.data_type()));
    let usual = if axis.is_some() && batch.num_rows() > 2 { Shape::Line } else { Shape::Bar };
    match shape.unwrap_or(usual) {
        Shape::Bar => bars(&labels, &series, width, coloured),
        Shape::Line => {
            let places = axis.and_then(|column| numbers(column));
            Ok(lines(&labels, places, axis.map(Array::data_type), &series, width, coloured))
        }
    }
}

/// Which column names the rows, and which are drawn.
fn chosen(schema: &Schema, columns: &[String]) -> Result<(Option<usize>, Vec<usize>), String> {
    let find = |name: &String| {
        schema.index_of(name).map_err(|_| {
            let all: Vec<&str> =
                schema.fields().iter().map(|field| field.name().as_str()).collect();
            format!("the result has no column {name}; it has {}", all.join(", "))
        })
    };
    let is_number = |place: usize| schema.field(place).data_type().is_numeric();
    let all = || 0..schema.fields().len();
    if let [across, rest @ ..] = columns {
        let across = find(across)?;
        let up = match rest {
            [] => all().filter(|place| *place != across && is_number(*place)).collect(),
            some => some.iter().map(find).collect::<Result<Vec<_>, _>>()?,
        };
        return Ok((Some(across), up));
    }
    // What is no number names the rows; where all are numbers the first one does.
    let names =
        all().find(|place| !is_number(*place) && !schema.field(*place).data_type().is_nested());
    let across = names.or_else(|| (schema.fields().len() > 1).then_some(0));
    Ok((across, all().filter(|place| Some(*place) != across && is_number(*place)).collect()))
}

/// Whether values have distances between them.
fn is_scale(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type.is_temporal()
}

fn numbers(values: &dyn Array) -> Option<Vec<Option<f64>>> {
    let values = match values.data_type() {
        // Through the whole number that a time or a day is.
        DataType::Timestamp(..) | DataType::Date64 => cast(values, &DataType::Int64).ok()?,
        DataType::Date32 => cast(values, &DataType::Int32).ok()?,
        _ => cast(values, &DataType::Float64).ok()?,
    };
    let values = cast(&values, &DataType::Float64).ok()?;
    let values = values.as_any().downcast_ref::<Float64Array>()?;
    Some(values.iter().map(|value| value.filter(|value| value.is_finite())).collect())
}

/// The names of the rows.
fn labels(batch: &RecordBatch, across: Option<usize>) -> Vec<String> {
    let number = |row: usize| (row + 1).to_string();
    let Some(column) = across.map(|place| batch.column(place)) else {
        return (0..batch.num_rows()).map(number).collect();
    };
    let options = FormatOptions::new()
        .with_null("NULL")
        .with_timestamp_format(Some("%Y-%m-%d %H:%M"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M"));
    let Ok(formatter) = ArrayFormatter::try_new(column, &options) else {
        return (0..batch.num_rows()).map(number).collect();
    };
    let shown = |row| harmless(&formatter.value(row).to_string());
    (0..batch.num_rows()).map(|row| cut(&shown(row))).collect()
}

fn cut(label: &str) -> String {
    let mut kept = label.to_owned();
    while kept.width() > LABEL {
        kept.pop();
        if kept.width() < LABEL {
            kept.push('…');
            break;
        }
    }
    kept
}

/// A number as people read it, without digits that say nothing.
fn shown(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), crate::quota::thousands);
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{part}")
}

/// A bar for each row, its name before it and its number behind it.
fn bars(
    labels: &[String],
    series: &[Series],
    width: u16,
    coloured: bool,
) -> Result<String, String> {
    let Some(first) = series.first() else { return Err("there is nothing to draw".to_owned()) };
    let rows: Vec<(&String, f64)> = labels
        .iter()
        .zip(&first.values)
        .map(|(label, value)| (label, value.unwrap_or(0.0)))
        .collect();
    if rows.iter().any(|(_, value)| *value < 0.0) {
        return Err("a bar has no length below nought; try \\chart line".to_owned());
    }
    let most = rows.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let names = rows.iter().map(|(label, _)| label.width()).max().unwrap_or(0);
    let texts = rows.iter().map(|(_, value)| shown(*value).width()).max().unwrap_or(0);
    let room = usize::from(width).saturating_sub(names + texts + 2).max(10);
    let shown_rows = rows.len().min(BARS);
    let bars = rows.iter().take(BARS).map(|(_, value)| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between nought and a million"
        )]
        let part = (value / most.max(f64::MIN_POSITIVE) * 1e6) as u64;
        Bar::default().value(part).text_value(String::new())
    });
    let group = BarGroup::default().bars(&bars.collect::<Vec<_>>());
    let drawn = BarChart::default()
        .direction(Direction::Horizontal)
        .bar_width(1)
        .bar_gap(0)
        .max(1_000_000)
        .bar_style(Style::new().fg(Color::Cyan))
        .data(group);
    let area = Rect::new(0, 0, to_u16(room), to_u16(shown_rows));
    let mut buffer = Buffer::empty(area);
    drawn.render(area, &mut buffer);
    let mut text = format!("{}\n", first.name);
    for (line, (label, value)) in drawn_lines(&buffer, coloured).iter().zip(&rows) {
        let space = " ".repeat(names - label.width());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{label}{space} {line} {}", shown(*value));
    }
    if rows.len() > BARS {
        let _ = writeln!(text, "… the first {BARS} of {} rows", rows.len());
    }
    Ok(text)
}

/// Lines through the rows, between their least and their greatest.
fn lines(
    labels: &[String],
    places: Option<Vec<Option<f64>>>,
    axis: Option<&DataType>,
    series: &[Series],
    width: u16,
    coloured: bool,
) -> String {
    #[expect(clippy::cast_precision_loss, reason = "the number of a row among a thousand")]
    let numbered = || (0..labels.len()).map(|row| Some(row as f64)).collect();
    let has_places = places.is_some();
    let places: Vec<Option<f64>> = places.unwrap_or_else(numbered);
    let points: Vec<Vec<(f64, f64)>> = series
        .iter()
        .map(|one| {
            let both = places.iter().zip(&one.values);
            let mut points: Vec<_> = both.filter_map(|(x, y)| Some(((*x)?, (*y)?))).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points
        })
        .collect();
    let range = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let values = points.iter().flatten().map(of);
        let (least, most) = values.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        if least < most { [least, most] } else { [least - 1.0, most + 1.0] }
    };
    let (across, mut up) = (range(&|point| point.0), range(&|point| point.1));
    // From nought on, where that shows the proportions and wastes no room.
    if up[0] > 0.0 && up[0] < up[1] * 0.7 {
        up[0] = 0.0;
    }
    let name_of = |value: f64| match axis {
        Some(data_type) if has_places => on_axis(value, data_type),
        _ => labels
            .iter()
            .zip(&places)
            .find(|(_, place)| **place == Some(value))
            .map_or_else(|| shown(value), |(label, _)| label.clone()),
    };
    let datasets = series.iter().zip(&points).zip(COLOURS).map(|((one, points), colour)| {
        Dataset::default()
            .name(one.name.clone())
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(Style::new().fg(*colour))
            .data(points)
    });
    let middle = f64::midpoint(up[0], up[1]);
    let chart = Chart::new(datasets.collect())
        .x_axis(Axis::default().bounds(across).labels(across.map(name_of)))
        .y_axis(Axis::default().bounds(up).labels([up[0], middle, up[1]].map(shown)));
    let chart = if series.len() == 1 { chart.legend_position(None) } else { chart };
    let area = Rect::new(0, 0, width, HEIGHT);
    let mut buffer = Buffer::empty(area);
    chart.render(area, &mut buffer);
    let mut text = String::new();
    if let [only] = series {
        text += &only.name;
        text.push('\n');
    }
    for line in drawn_lines(&buffer, coloured) {
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A place on an axis of this type.
fn on_axis(value: f64, data_type: &DataType) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "it was a whole number before")]
    let whole = value as i64;
    let at = match data_type {
        DataType::Date32 => DateTime::from_timestamp(whole.saturating_mul(86_400), 0),
        DataType::Date64 => DateTime::from_timestamp_millis(whole),
        DataType::Timestamp(unit, _) => {
            use arrow::datatypes::TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
            match unit {
                Second => DateTime::from_timestamp(whole, 0),
                Millisecond => DateTime::from_timestamp_millis(whole),
                Microsecond => DateTime::from_timestamp_micros(whole),
                Nanosecond => Some(DateTime::from_timestamp_nanos(whole)),
            }
        }
        _ => None,
    };
    at.map_or_else(|| shown(value), |at| at.format("%Y-%m-%d").to_string())
}

fn to_u16(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// The lines of what was drawn.
fn drawn_lines(buffer: &Buffer, coloured: bool) -> Vec<String> {
    let area = buffer.area;
    let line = |row: u16| {
        let mut text = String::new();
        let mut now = Color::Reset;
        for column in 0..area.width {
            let Some(cell) = buffer.cell((column, row)) else { continue };
            if coloured && cell.fg != now {
                now = cell.fg;
                text += match now {
                    Color::Cyan => "\x1b[36m",
                    Color::Yellow => "\x1b[33m",
                    Color::Magenta => "\x1b[35m",
                    Color::Green => "\x1b[32m",
                    _ => "\x1b[0m",
                };
            }
            text += cell.symbol();
        }
        let shown = text.trim_end().to_owned();
        if now == Color::Reset { shown } else { format!("{shown}\x1b[0m") }
    };
    (0..area.height).map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};

    use super::*;

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    fn whole(values: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn drawn(columns: Vec<(&str, ArrayRef)>, shape: Option<Shape>) -> Result<String, String> {
        let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
        chart(&[batch], shape, &[], 50, false)
    }

    #[test]
    fn rows_with_names_become_bars() {
        let columns = vec![
            ("list", texts(&["News", "VIP \u{1b}[31m", "Gone"])),
            ("n", whole(&[1_200, 600, 0])),
        ];
        let text = drawn(columns, None).expect("a chart");
        let expected = "\
n
News           █████████████████████████████ 1,200
VIP \\u{1b}[31m ██████████████ 600
Gone            0
";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn rows_over_time_become_a_line() {
        let days: ArrayRef = Arc::new(Date32Array::from_iter_values(19_723..19_753));
        let count: Vec<i64> = (0..30).map(|n| n * n).collect();
        let text = drawn(vec![("day", days), ("opens", whole(&count))], None).expect("a chart");
        assert!(text.starts_with("opens\n841"), "{text}");
        assert!(text.contains("2024-01-01") && text.contains("2024-01-30"), "{text}");
        assert!(text.lines().all(|line| line.width() <= 50), "{text}");
        assert!(text.contains(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "{text}");
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        let error =
            drawn(vec![("a", texts(&["x"])), ("b", texts(&["y"]))], None).expect_err("text");
        assert!(error.contains("no number"), "{error}");
        let error =
            drawn(vec![("a", texts(&["x"])), ("n", whole(&[-1]))], None).expect_err("below");
        assert!(error.contains("below nought"), "{error}");
        assert!(chart(&[], None, &[], 50, false).is_err());
        let batch = RecordBatch::try_from_iter([("n", whole(&[1]))]).expect("one column");
        let error = chart(&[batch], None, &["m".to_owned()], 50, false).expect_err("no m");
        assert!(error.contains("no column m; it has n"), "{error}");
        assert_eq!([shown(1234.5), shown(-0.25), shown(3.0)], ["1,234.5", "-0.25", "3"]);
    }
}
