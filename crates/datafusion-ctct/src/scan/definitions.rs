//! Columns that say values with the words of their definitions: a custom field's name, the
//! labels of choices, a date as a date.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, ListArray, MapBuilder,
    RecordBatch, StringArray, StringBuilder, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Date32Type, Field as ArrowField, Schema, SchemaRef};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use ctct_endpoints::{Defined, Definitions, Endpoint, Field, find};
use datafusion::common::{HashMap, Result, exec_err};
use futures::StreamExt;

use super::ScanSpec;
use super::reader::Reading;
use super::stream::Scan;
use crate::schema::{arrow_schema, arrow_type};

/// What is known of one definition.
#[derive(Debug, Clone, Default)]
struct Definition {
    name: String,
    kind: String,
    labels: HashMap<String, String>,
}

/// Makes the columns of a scan that are made from definitions.
pub(super) struct Definer {
    declared: Definitions,
    columns: Vec<&'static Field>,
    known: HashMap<String, Definition>,
    read: Times,
}

/// Definitions that were read, for a later reading that need not read them again.
#[derive(Debug, Clone, Default)]
pub struct KnownDefinitions {
    table: &'static str,
    known: HashMap<String, Definition>,
    read: Times,
}

/// How often the definitions were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Times {
    /// Not yet: no value has named one.
    #[default]
    Never,
    /// Once, and the scans of a statement share that.
    Once,
    /// Once more, because a value named one that was not there: somebody may have added it
    /// meanwhile.
    Twice,
}

/// The columns of values, wherever they stand.
struct Values<'a> {
    identifiers: &'a StringArray,
    texts: Option<&'a StringArray>,
    chosen: Option<(&'a ListArray, &'a StringArray)>,
}

/// A value: the definition that it names, its text, its choices.
struct Value<'a> {
    identifier: &'a str,
    text: Option<&'a str>,
    chosen: Vec<&'a str>,
}

impl Definer {
    /// What makes these columns of an endpoint; none where it has no such columns.
    pub(super) fn new(endpoint: &'static Endpoint, columns: &[&str]) -> Option<Self> {
        let declared = endpoint.definitions?;
        let fields = columns.iter().filter_map(|column| endpoint.field(column));
        let columns: Vec<_> = fields.filter(|field| field.definition().is_some()).collect();
        let known = HashMap::new();
        (!columns.is_empty()).then_some(Self { declared, columns, known, read: Times::Never })
    }

    /// What was read.
    pub(super) fn known(&self) -> KnownDefinitions {
        KnownDefinitions { table: self.declared.table, known: self.known.clone(), read: self.read }
    }

    /// Takes what another has read of the same definitions.
    pub(super) fn take(&mut self, other: &KnownDefinitions) {
        if other.table == self.declared.table {
            self.known.clone_from(&other.known);
            // A value that names another one still has them read once more.
            self.read = other.read;
        }
    }

    /// The columns of an answer that these are made from.
    pub(super) fn sources(&self) -> Vec<&'static str> {
        match self.declared.list {
            Some(list) => vec![list],
            None => vec![self.declared.identifier, self.declared.value, self.declared.chosen],
        }
    }

    /// The schema of rows that have these columns after their own.
    pub(super) fn schema(&self, rows: &Schema) -> SchemaRef {
        let added = self
            .columns
            .iter()
            .map(|field| Arc::new(ArrowField::new(field.name, arrow_type(&field.kind), true)));
        Arc::new(Schema::new(rows.fields().iter().cloned().chain(added).collect::<Vec<_>>()))
    }

    /// Reads the definitions: the first time as the statement's other scans have read them,
    /// where it shares answers.
    pub(super) async fn read(&mut self, of: &Reading, times: Times) -> Result<()> {
        self.read = times;
        let Some(table) = find(self.declared.table) else { return Ok(()) };
        let declared = &self.declared;
        let columns = [declared.identifier, declared.name, declared.kind, declared.choices];
        let schema = arrow_schema(table);
        let places: Vec<usize> =
            columns.iter().filter_map(|column| schema.index_of(column).ok()).collect();
        let scan = Scan {
            client: Arc::clone(&of.client),
            endpoint: table,
            spec: ScanSpec {
                endpoint: table.table.to_owned(),
                connection: of.spec.connection.clone(),
                columns: columns.map(str::to_owned).to_vec(),
                domains: crate::predicate::Domains::default(),
                fetch: None,
                filtered: false,
                began: of.spec.began,
                beside: std::collections::BTreeMap::default(),
            },
            hints: Vec::new(),
            conditions: Vec::new(),
            answers: of.answers.clone().filter(|_| times == Times::Once),
            metrics: of.metrics.of_parent(),
        };
        let mut pages = scan.into_stream(Arc::new(schema.project(&places)?));
        self.known.clear();
        while let Some(rows) = pages.next().await {
            self.learn(&rows?);
        }
        Ok(())
    }

    /// How often the definitions will have been read once they are read for these rows; none
    /// where what is known is enough.
    pub(super) fn wants_reading(&self, rows: &RecordBatch) -> Option<Times> {
        let next = match self.read {
            Times::Never => Times::Once,
            Times::Once => Times::Twice,
            Times::Twice => return None,
        };
        let names_unknown = |values: &StructArray| {
            let values = Values::of(&self.declared, values);
            let mut names = values.iter().flat_map(|values| values.identifiers).flatten();
            names.any(|name| !self.known.contains_key(name))
        };
        let lacks = match self.declared.list {
            None => names_unknown(&StructArray::from(rows.clone())),
            Some(list) => rows
                .column_by_name(list)
                .and_then(|lists| lists.as_list_opt::<i32>()?.values().as_struct_opt())
                .is_some_and(names_unknown),
        };
        lacks.then_some(next)
    }

    fn learn(&mut self, rows: &RecordBatch) {
        let text = |column: usize, row: usize| {
            let texts = rows.column(column).as_string_opt::<i32>()?;
            texts.is_valid(row).then(|| texts.value(row).to_owned())
        };
        for row in 0..rows.num_rows() {
            let Some(identifier) = text(0, row) else { continue };
            let labels = rows.column(3).as_list_opt::<i32>().filter(|lists| lists.is_valid(row));
            let labels = labels.map(|lists| self.labels(lists.value(row).as_struct()));
            let definition = Definition {
                name: text(1, row).unwrap_or_else(|| identifier.clone()),
                kind: text(2, row).unwrap_or_default(),
                labels: labels.unwrap_or_default(),
            };
            self.known.insert(identifier, definition);
        }
    }

    fn labels(&self, choices: &StructArray) -> HashMap<String, String> {
        let texts =
            |name: &str| choices.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        let (Some(ids), Some(labels)) = (texts(self.declared.choice), texts(self.declared.label))
        else {
            return HashMap::new();
        };
        let pairs = ids.iter().zip(labels.iter());
        pairs.filter_map(|(id, label)| Some((id?.to_owned(), label?.to_owned()))).collect()
    }

    /// The rows with these columns after their own.
    pub(super) fn add(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = rows.columns().to_vec();
        for field in &self.columns {
            columns.push(self.column(field, rows)?);
        }
        Ok(RecordBatch::try_new(self.schema(&rows.schema()), columns)?)
    }

    fn column(&self, field: &Field, rows: &RecordBatch) -> Result<ArrayRef> {
        if let Some(list) = self.declared.list {
            let lists = rows.column_by_name(list).and_then(|lists| lists.as_list_opt::<i32>());
            let Some(lists) = lists else {
                return exec_err!("{} has no list {list}", self.declared.table);
            };
            return self.by_name(lists);
        }
        let values = StructArray::from(rows.clone());
        let values = Values::of(&self.declared, &values);
        let each = (0..rows.num_rows()).map(|row| {
            let value = values.as_ref()?.get(row)?;
            Some((self.known.get(value.identifier)?, value))
        });
        let texts = |of: TextOf<'_>| -> ArrayRef {
            let mut texts = StringBuilder::new();
            for known in each.clone() {
                let known = known.as_ref();
                texts.append_option(known.and_then(|(definition, value)| of(definition, value)));
            }
            Arc::new(texts.finish())
        };
        let typed = |kinds: &'static [&'static str]| {
            each.clone().map(move |known| {
                let (definition, value) = known?;
                value.text.filter(|_| kinds.contains(&definition.kind.as_str()))
            })
        };
        Ok(match field.definition() {
            Some(Defined::Name) => texts(&|definition, _| Some((&definition.name).into())),
            Some(Defined::Kind) => texts(&|definition, _| Some((&definition.kind).into())),
            Some(Defined::Number) => {
                let numbers = typed(&["number", "currency"]);
                Arc::new(numbers.map(|text| text?.trim().parse().ok()).collect::<Float64Array>())
            }
            Some(Defined::Boolean) => {
                let flags = typed(&["boolean"]);
                Arc::new(flags.map(|text| truth(text?)).collect::<BooleanArray>())
            }
            Some(Defined::Date) => {
                let days = typed(&["date", "datetime"]);
                let days = days.map(|text| day(text?).map(Date32Type::from_naive_date));
                Arc::new(days.collect::<Date32Array>())
            }
            Some(Defined::Time) => {
                let times = typed(&["datetime"]).map(|text| Some(time(text?)?.timestamp_micros()));
                Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
            }
            _ => texts(&|definition, value| {
                let is_typed = ["number", "currency", "boolean", "date", "datetime"];
                let is_text = !is_typed.contains(&definition.kind.as_str());
                said(definition, value).filter(|_| is_text)
            }),
        })
    }

    /// The values of each row by the names of their definitions, the first one where several
    /// have a name.
    fn by_name(&self, lists: &ListArray) -> Result<ArrayRef> {
        let values = lists.values().as_struct_opt();
        let values = values.and_then(|values| Values::of(&self.declared, values));
        let unknown = Definition::default();
        let mut map = MapBuilder::new(Some(names()), StringBuilder::new(), StringBuilder::new());
        let mut put: Vec<&str> = Vec::new();
        for row in 0..lists.len() {
            put.clear();
            let members = values
                .iter()
                .flat_map(|values| members_of(lists, row).filter_map(|place| values.get(place)));
            for value in members {
                let definition = self.known.get(value.identifier);
                // What nobody defines keeps its identifier: a value is never lost.
                let name = definition.map_or(value.identifier, |definition| &definition.name);
                if !put.contains(&name) {
                    put.push(name);
                    map.keys().append_value(name);
                    map.values().append_option(said(definition.unwrap_or(&unknown), &value));
                }
            }
            map.append(lists.is_valid(row))?;
        }
        Ok(Arc::new(map.finish()))
    }
}

/// What a definition and a value have of a text.
type TextOf<'f> = &'f dyn for<'v> Fn(&'v Definition, &'v Value<'_>) -> Option<Cow<'v, str>>;

impl<'a> Values<'a> {
    /// The columns of these values; none where they name no definitions.
    fn of(declared: &Definitions, values: &'a StructArray) -> Option<Self> {
        let texts = |name: &str| values.column_by_name(name)?.as_string_opt::<i32>();
        let chosen = || {
            let lists = values.column_by_name(declared.chosen)?.as_list_opt::<i32>()?;
            Some((lists, lists.values().as_string_opt::<i32>()?))
        };
        Some(Self {
            identifiers: texts(declared.identifier)?,
            texts: texts(declared.value),
            chosen: chosen(),
        })
    }

    /// A value; none where it names no definition.
    fn get(&self, row: usize) -> Option<Value<'a>> {
        let text = |texts: &'a StringArray| texts.is_valid(row).then(|| texts.value(row));
        let chosen = |(lists, ids): (&'a ListArray, &'a StringArray)| -> Vec<&'a str> {
            let places = members_of(lists, row).filter(|place| ids.is_valid(*place));
            places.map(|place| ids.value(place)).collect()
        };
        Some(Value {
            identifier: text(self.identifiers)?,
            text: self.texts.and_then(text),
            chosen: self.chosen.map(chosen).unwrap_or_default(),
        })
    }
}

/// Where the members of a row's list stand; nowhere where it has none.
fn members_of(lists: &ListArray, row: usize) -> impl Iterator<Item = usize> + use<> {
    let ends = lists.value_offsets();
    let ends = ends.get(row).zip(ends.get(row + 1)).filter(|_| lists.is_valid(row));
    let (first, end) = ends.map_or((0, 0), |(first, end)| (*first, *end));
    (first..end).filter_map(|place| usize::try_from(place).ok())
}

/// A value in words: the labels of its choices, or its text where it has none.
fn said<'a>(definition: &'a Definition, value: &Value<'a>) -> Option<Cow<'a, str>> {
    let labels = value.chosen.iter().map(|id| definition.labels.get(*id).map(String::as_str));
    match labels.collect::<Option<Vec<_>>>().unwrap_or_default().as_slice() {
        [] => value.text.map(Cow::Borrowed),
        [label] => Some(Cow::Borrowed(label)),
        labels => Some(labels.join(", ").into()),
    }
}

/// The names of a map's members.
fn names() -> arrow::array::MapFieldNames {
    arrow::array::MapFieldNames {
        entry: "entries".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The day of a date, or of a time; older fields keep dates as people of the US write them.
fn day(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let written = |form| NaiveDate::parse_from_str(text, form).ok();
    written("%Y-%m-%d").or_else(|| written("%m/%d/%Y")).or_else(|| Some(time(text)?.date_naive()))
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let with_offset = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let without = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok();
    with_offset.ok().map(|at| at.to_utc()).or_else(|| Some(without()?.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_in_the_forms_that_are_documented() {
        let expected = NaiveDate::from_ymd_opt(2026, 3, 9);
        for text in ["2026-03-09", "03/09/2026", "2026-03-09T23:00:00Z", " 2026-03-09 "] {
            assert_eq!(day(text), expected, "{text}");
        }
        for text in ["", "soon", "2026-13-01"] {
            assert_eq!((day(text), time(text)), (None, None), "{text}");
        }
        let instant = time("2026-03-09T18:00:00-0500").expect("a time");
        assert_eq!(instant.to_rfc3339(), "2026-03-09T23:00:00+00:00");
    }

    #[test]
    fn choices_are_said_by_their_labels_as_long_as_all_are_known() {
        let labels = [("1".to_owned(), "Music".to_owned()), ("3".to_owned(), "Art".to_owned())];
        let definition =
            Definition { labels: labels.into_iter().collect(), ..Definition::default() };
        let said = |chosen: &[&'static str]| {
            let value = Value { identifier: "f", text: Some("raw"), chosen: chosen.into() };
            said(&definition, &value).map(Cow::into_owned)
        };
        assert_eq!(said(&["3", "1"]).as_deref(), Some("Art, Music"));
        assert_eq!(said(&["3", "4"]).as_deref(), Some("raw"));
        assert_eq!(said(&[]).as_deref(), Some("raw"));
    }
}
