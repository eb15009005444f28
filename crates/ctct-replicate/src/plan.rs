//! What a run will do, decided before anything is read or written.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use ctct_client::likely;
use ctct_endpoints::{Endpoint, find};
use datafusion::prelude::SessionContext;
use datafusion_ctct::Estimate;
use datafusion_ctct::catalog::CATALOG;

use crate::postgres::{Column, PgType, create_table, of_schema};
use crate::replication::{Mode, Moment, Names, Replication, StreamSettings, object_name};
use crate::run::source::timestamp;
use crate::{Error, Ident, Result, TableName};

/// What is said on the command line, and counts more than the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The streams that are run; all where none is named.
    pub streams: Vec<String>,
    /// The mode of all streams.
    pub mode: Option<Mode>,
    /// How many rows of each stream are read at most.
    pub limit: Option<u64>,
    /// The range of backfills.
    pub range: Option<String>,
}

/// What a run will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The streams, in the order in which they run.
    pub streams: Vec<StreamPlan>,
}

/// What a run will do with one stream.
#[derive(Debug, Clone)]
pub struct StreamPlan {
    /// The stream's name.
    pub name: String,
    /// How it is written.
    pub mode: Mode,
    /// Where it goes.
    pub table: TableName,
    pub(crate) reads: Reads,
    pub(crate) columns: Vec<Column>,
    /// The columns that tell rows apart, as the target has them.
    pub(crate) key_names: Vec<Ident>,
    /// The column by which changes are found, where one is.
    pub(crate) update_key: Option<String>,
    pub(crate) range: Option<(Moment, Moment)>,
    pub(crate) settings: StreamSettings,
    /// What the table is, for people.
    pub(crate) about: String,
    /// The table in SQL.
    pub(crate) source: String,
    /// About how many requests all of it takes.
    pub requests: u64,
    /// Whether it may well be fewer.
    pub at_most: bool,
}

/// How a stream is read.
#[derive(Debug, Clone)]
pub(crate) enum Reads {
    /// Page after page, each of which is kept as it comes.
    Pages(&'static Endpoint),
    /// For one parent after the other.
    Parents(&'static Endpoint),
    /// As a query, all of which is kept at its end.
    Query(String),
}

/// A walk of more rows than these takes more requests than there are.
pub(crate) const MOST_ROWS: u64 = 10_000;

/// Plans a run. Nothing is sent. `schema` is the source's schema in the session.
///
/// # Errors
/// Where the file names what is not there, or asks for what cannot be.
pub async fn plan(
    replication: &Replication,
    session: &SessionContext,
    schema: &str,
    target_schema: &str,
    at: Moment,
    overrides: &Overrides,
) -> Result<Plan> {
    let mut streams: Vec<StreamPlan> = Vec::new();
    for stream in replication.expand(&overrides.streams)? {
        let names = Names {
            stream: &stream.name,
            source: &replication.source,
            target: &replication.target,
            schema: target_schema,
        };
        let mut settings = stream.settings;
        settings.mode = overrides.mode.or(settings.mode);
        settings.limit = overrides.limit.or(settings.limit);
        settings.range = overrides.range.clone().or(settings.range);
        let object = settings.object.clone().unwrap_or_else(|| "{stream_name}".to_owned());
        let table = object_name(&object, names, at, &replication.env)
            .map_err(|error| error.about(&format!("stream {}", stream.name)))?;
        if let Some(other) = streams.iter().find(|other| other.table == table) {
            return Err(Error::configuration(format!(
                "the streams {} and {} both go to {}",
                other.name,
                stream.name,
                table.plain()
            ))
            .with_hint("give one of them another `object`, such as crm.{stream_name}"));
        }
        let planned = plan_stream(&stream.name, settings, table, session, schema, &replication.env);
        streams
            .push(planned.await.map_err(|error| error.about(&format!("stream {}", stream.name)))?);
    }
    Ok(Plan { streams })
}

async fn plan_stream(
    name: &str,
    settings: StreamSettings,
    table: TableName,
    session: &SessionContext,
    schema: &str,
    env: &BTreeMap<String, String>,
) -> Result<StreamPlan> {
    let mode = settings.mode.unwrap_or_default();
    let endpoint = find(name).filter(|_| settings.sql.is_none());
    let source = match (&settings.sql, endpoint) {
        (Some(sql), _) => format!("({})", filled(sql, env).trim().trim_end_matches(';')),
        (None, _) => {
            format!("{}.{}.{}", Ident::new(CATALOG)?, Ident::new(schema)?, Ident::new(name)?)
        }
    };
    // The condition of an increment stands for all rows until it is known.
    let whole = of_all_rows(&source);
    let all = session.sql(&format!("SELECT * FROM {whole} AS source")).await?;
    let all: Vec<String> = all.schema().fields().iter().map(|field| field.name().clone()).collect();
    let selected = selected(&all, settings.select.as_deref())?;
    let columns_sql: Vec<String> = selected
        .iter()
        .map(|name| Ident::new(name).map(|name| name.to_string()))
        .collect::<Result<_>>()?;
    let mut query = format!("SELECT {} FROM {source} AS source", columns_sql.join(", "));
    if let Some(condition) = &settings.where_sql {
        query = format!("{query} WHERE ({})", filled(condition, env));
    }
    let update_key = settings
        .update_key
        .clone()
        .or_else(|| endpoint.and_then(|endpoint| endpoint.watermark).map(str::to_owned));
    let reads = match endpoint {
        Some(endpoint)
            if finds_changes(endpoint, mode, update_key.as_deref())
                && settings.where_sql.is_none()
                && settings.limit.is_none()
                && !endpoint.needs_detail(selected.iter().map(String::as_str)) =>
        {
            match endpoint.parent {
                Some(_) => Reads::Parents(endpoint),
                None => Reads::Pages(endpoint),
            }
        }
        _ => Reads::Query(query.clone()),
    };
    let frame = session.sql(&of_all_rows(&query)).await?;
    let mut columns =
        of_schema(frame.schema().as_arrow(), endpoint, settings.column_casing.unwrap_or_default())?;
    cast(&mut columns, &settings)?;
    let key_names = key_of(&columns, &settings, endpoint)?;
    let by_key = matches!(mode, Mode::Incremental | Mode::Backfill);
    if by_key && key_names.is_empty() && endpoint.is_none() {
        return Err(Error::configuration(format!("`{}` needs a `primary_key`", mode.name())));
    }
    let range = range_of(mode, &settings, update_key.is_some())?;
    let physical = frame.create_physical_plan().await?;
    let estimate = Estimate::of(&physical);
    let about = endpoint.map_or_else(
        || format!("The query of the stream {name}."),
        |endpoint| endpoint.description.to_owned(),
    );
    Ok(StreamPlan {
        name: name.to_owned(),
        mode,
        table,
        reads,
        columns,
        key_names,
        update_key,
        range,
        settings,
        about,
        source,
        requests: estimate.requests,
        at_most: estimate.at_most || by_key,
    })
}

/// Whether the requests of a table can be restricted to what a mode reads; otherwise a query
/// reads more, and drops the rest.
fn finds_changes(endpoint: &Endpoint, mode: Mode, update_key: Option<&str>) -> bool {
    match (mode, update_key) {
        (Mode::Backfill, Some(column)) => endpoint.range(column).is_some(),
        (Mode::Incremental, Some(column)) => endpoint.watermark == Some(column),
        _ => true,
    }
}

/// Gives columns the types that the file casts them to.
fn cast(columns: &mut [Column], settings: &StreamSettings) -> Result<()> {
    for (column, cast) in settings.columns.iter().flatten() {
        let found = columns.iter_mut().find(|known| known.source == *column);
        let found = found.ok_or_else(|| {
            Error::configuration(format!(
                "`columns` names {column}, which is not among the columns"
            ))
        })?;
        found.pg_type = PgType::parse(cast).ok_or_else(|| {
            Error::configuration(format!("`columns` casts {column} to the unknown type {cast}"))
                .with_hint(
                    "text, bigint, double, boolean, timestamp, date, text[] and jsonb are known",
                )
        })?;
    }
    Ok(())
}

/// The columns that tell rows apart: those of the file, else those of the table.
fn key_of(
    columns: &[Column],
    settings: &StreamSettings,
    endpoint: Option<&Endpoint>,
) -> Result<Vec<Ident>> {
    let of_table = || endpoint.map(|endpoint| endpoint.key).unwrap_or_default().iter();
    let key: Vec<String> = match &settings.primary_key {
        Some(key) => key.clone(),
        None => of_table().map(|column| (*column).to_owned()).collect(),
    };
    let name = |column: &String| {
        let found = columns.iter().find(|known| known.source == *column);
        found.map(|found| found.name.clone()).ok_or_else(|| {
            Error::configuration(format!("the key's column {column} is not among the columns"))
                .with_hint("add it to `select`, or set `primary_key`")
        })
    };
    key.iter().map(name).collect()
}

/// The range that a backfill reads.
fn range_of(
    mode: Mode,
    settings: &StreamSettings,
    has_update_key: bool,
) -> Result<Option<(Moment, Moment)>> {
    if mode != Mode::Backfill {
        return Ok(None);
    }
    if !has_update_key {
        return Err(Error::configuration(
            "`backfill` needs an `update_key`, which the table has none of",
        ));
    }
    let range = settings.range.as_ref().ok_or_else(|| {
        Error::configuration("`backfill` needs a range")
            .with_hint("--range 2024-01-01,2024-06-30, or `source_options: { range: … }`")
    })?;
    moments(range).map(Some)
}

impl StreamPlan {
    /// The statement that makes the table where there is none.
    pub fn ddl(&self) -> String {
        create_table(&self.table, &self.columns, &self.key_names)
    }

    /// The query of all rows that the stream stands for, by the names that the source has.
    pub(crate) fn query(&self) -> Result<String> {
        let sql = match &self.reads {
            Reads::Query(sql) => of_all_rows(sql),
            Reads::Pages(_) | Reads::Parents(_) => {
                let names: Vec<String> = self
                    .columns
                    .iter()
                    .map(|column| Ident::new(&column.source).map(|name| name.to_string()))
                    .collect::<Result<_>>()?;
                format!("SELECT {} FROM {}", names.join(", "), self.source)
            }
        };
        Ok(sql)
    }

    /// Whether each row takes a request of its own.
    pub(crate) fn needs_detail(&self) -> bool {
        let names = self.columns.iter().map(|column| column.source.as_str());
        find(&self.name).is_some_and(|endpoint| endpoint.needs_detail(names))
    }

    /// What will be read, in words.
    pub fn reading(&self) -> String {
        match (&self.reads, self.mode) {
            (Reads::Pages(endpoint), Mode::Incremental) if endpoint.watermark.is_some() => {
                let columns = endpoint.watermark.iter().chain(endpoint.further_watermarks);
                let columns: Vec<&str> = columns.copied().collect();
                let gone = endpoint.gone.map(|table| format!(", and {table}")).unwrap_or_default();
                format!("what changed by {}{gone}", columns.join(" and "))
            }
            (Reads::Parents(endpoint), Mode::Incremental) if changing_root(endpoint).is_some() => {
                let root = changing_root(endpoint).map_or("", |root| root.table);
                format!("the rows of {root} that changed")
            }
            (_, Mode::Incremental) => "all, of which what differs is written".to_owned(),
            (_, Mode::Backfill) => "a range".to_owned(),
            _ => "all".to_owned(),
        }
    }
}

/// The table at the end of an endpoint's parents, where changes of its rows can be found, and
/// where they say that rows of the endpoint may have changed.
pub(crate) fn changing_root(endpoint: &Endpoint) -> Option<&'static Endpoint> {
    let mut root = find(endpoint.parent?.table)?;
    while let Some(parent) = root.parent {
        root = find(parent.table)?;
    }
    (root.watermark.is_some() && root.estimated_rows <= MOST_ROWS).then_some(root)
}

/// The columns that `select` names, or all but those that it leaves out.
fn selected(all: &[String], select: Option<&[String]>) -> Result<Vec<String>> {
    let Some(select) = select else { return Ok(all.to_vec()) };
    let known = |name: &str| {
        if all.iter().any(|column| column == name) {
            return Ok(());
        }
        let error = Error::configuration(format!("`select` names {name}, which is no column"));
        Err(match likely(name, all.iter().map(String::as_str)) {
            Some(meant) => error.with_hint(format!("did you mean {meant}?")),
            None => error.with_hint(format!("the columns are {}", all.join(", "))),
        })
    };
    let (without, with): (Vec<&String>, Vec<&String>) =
        select.iter().partition(|name| name.starts_with('-'));
    for name in &without {
        known(name.trim_start_matches('-'))?;
    }
    for name in with.iter().filter(|name| name.as_str() != "*") {
        known(name)?;
    }
    let everything = with.is_empty() || with.iter().any(|name| name.as_str() == "*");
    let left_out = |column: &String| without.iter().any(|name| name[1..] == **column);
    let columns = if everything { all.iter().collect() } else { with };
    Ok(columns.into_iter().filter(|column| !left_out(column)).cloned().collect())
}

/// A query whose increment is everything.
fn of_all_rows(sql: &str) -> String {
    incremented(sql, "1 = 1", None)
}

/// A query with an increment's condition, and the time at which it begins, in their places.
pub(crate) fn incremented(sql: &str, condition: &str, lower: Option<i64>) -> String {
    sql.replace("{incremental_where_cond}", condition)
        .replace("{incremental_value}", &timestamp(lower.unwrap_or(0)))
}

/// A query with the values of `env` in the place of `{name}`.
fn filled(sql: &str, env: &BTreeMap<String, String>) -> String {
    env.iter().fold(sql.to_owned(), |sql, (name, value)| sql.replace(&format!("{{{name}}}"), value))
}

/// The first and the last moment of a range such as `2024-01-01,2024-06-30`; a day ends with
/// its last second.
pub(crate) fn moments(range: &str) -> Result<(Moment, Moment)> {
    let wrong = || {
        Error::configuration(format!("the range {range} should be two dates or times"))
            .with_hint("such as 2024-01-01,2024-06-30")
    };
    let (first, last) = range.split_once(',').ok_or_else(wrong)?;
    let moment = |text: &str, end: bool| {
        let text = text.trim();
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let of_day = day.and_then(|day| {
            if end { day.and_hms_micro_opt(23, 59, 59, 999_999) } else { day.and_hms_opt(0, 0, 0) }
        });
        let exact = || DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
        of_day.map(|at| at.and_utc()).or_else(exact).ok_or_else(wrong)
    };
    let (first, last): (DateTime<Utc>, DateTime<Utc>) =
        (moment(first, false)?, moment(last, true)?);
    if first > last { Err(wrong()) } else { Ok((first, last)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_or_left_out() {
        let all = ["a", "b", "c"].map(str::to_owned);
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            selected(&all, Some(&names)).map(|columns| columns.concat())
        };
        assert_eq!(of(&["c", "a"]).expect("valid"), "ca");
        assert_eq!(of(&["-b"]).expect("valid"), "ac");
        assert_eq!(of(&["*", "-a"]).expect("valid"), "bc");
        assert!(of(&["d"]).is_err() && of(&["-d"]).is_err());
    }

    #[test]
    fn a_day_is_a_range_to_its_end() {
        let (first, last) = moments("2024-01-01, 2024-01-02").expect("valid");
        assert_eq!((last - first).num_seconds(), 2 * 86_400 - 1);
        for range in ["2024-01-01", "b,a", "2024-01-02,2024-01-01"] {
            assert!(moments(range).is_err(), "{range}");
        }
    }

    #[test]
    fn reports_follow_their_campaigns_and_contacts_are_too_many() {
        let root =
            |table: &str| changing_root(find(table).expect("declared")).map(|root| root.table);
        assert_eq!(root("email_opens"), Some("email_campaigns"));
        assert_eq!(root("email_campaign_activities"), Some("email_campaigns"));
        assert_eq!(root("contact_activity"), None);
        assert_eq!(root("segment_contacts"), None);
    }
}
