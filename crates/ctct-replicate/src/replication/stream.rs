//! What a replication file says of a stream, or of all streams.

use std::collections::BTreeMap;

use serde_json::Value;

use super::yaml::Section;
use crate::Result;

/// How a stream is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// All rows into a new table, which then takes the place of the old one.
    #[default]
    FullRefresh,
    /// Rows that changed since the last run, by key.
    Incremental,
    /// All rows into the table as it is.
    Truncate,
    /// All rows after those of earlier runs, with the time of the run.
    Snapshot,
    /// Rows of a range, by key; where incremental runs go on does not change.
    Backfill,
}

impl Mode {
    /// All modes and their names.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::FullRefresh, "full-refresh"),
        (Self::Incremental, "incremental"),
        (Self::Truncate, "truncate"),
        (Self::Snapshot, "snapshot"),
        (Self::Backfill, "backfill"),
    ];

    /// The mode of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(mode, _)| mode)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(mode, _)| *mode == self).map_or("", |(_, name)| name)
    }
}

/// How columns are called in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Casing {
    /// As in the source.
    #[default]
    Source,
    /// In capitals.
    Upper,
    /// In small letters.
    Lower,
    /// In small letters with underscores.
    Snake,
}

/// What is said of a stream; nothing of what is not said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamSettings {
    /// How it is written.
    pub mode: Option<Mode>,
    /// Where it goes: `schema.table`, with variables in braces.
    pub object: Option<String>,
    /// The columns; those with a `-` before them are left out of all.
    pub select: Option<Vec<String>>,
    /// A condition in SQL.
    pub where_sql: Option<String>,
    /// The stream is this query.
    pub sql: Option<String>,
    /// The columns that tell rows apart.
    pub primary_key: Option<Vec<String>>,
    /// The column by which changes are found.
    pub update_key: Option<String>,
    /// How many rows are read at most.
    pub limit: Option<u64>,
    /// Whether nested values become columns; here they always are.
    pub flatten: Option<bool>,
    /// The first and the last moment of a backfill, separated by a comma.
    pub range: Option<String>,
    /// Whether new columns of the source are added to the target.
    pub add_new_columns: Option<bool>,
    /// How columns are called.
    pub column_casing: Option<Casing>,
    /// Whether a table that is there is left alone.
    pub ignore_existing: Option<bool>,
    /// What runs in the target before the first row.
    pub pre_sql: Option<String>,
    /// What runs in the target after the last row.
    pub post_sql: Option<String>,
    /// Columns by which the target has indexes.
    pub table_keys: Option<Vec<String>>,
    /// Whether the stream is left out.
    pub disabled: Option<bool>,
    /// What runs can be narrowed by.
    pub tags: Option<Vec<String>>,
    /// Types that columns are cast to.
    pub columns: Option<BTreeMap<String, String>>,
}

const KEYS: &[&str] = &[
    "mode",
    "object",
    "select",
    "where",
    "sql",
    "primary_key",
    "update_key",
    "source_options",
    "target_options",
    "disabled",
    "tags",
    "columns",
];

impl StreamSettings {
    pub(super) fn read(section: &Section<'_>) -> Result<Self> {
        section.only(KEYS)?;
        let mode = section.text("mode")?.map(|name| {
            let names = Mode::ALL.map(|(_, name)| name).join(", ");
            Mode::parse(&name)
                .ok_or_else(|| section.wrong(Some("mode"), &format!("one of {names}")))
        });
        let source = section.section_or_empty("source_options")?;
        source.only(&["limit", "flatten", "range"])?;
        let target = section.section_or_empty("target_options")?;
        target.only(&[
            "add_new_columns",
            "column_casing",
            "table_keys",
            "ignore_existing",
            "pre_sql",
            "post_sql",
        ])?;
        let casing = target.text("column_casing")?.map(|name| match name.as_str() {
            "source" => Ok(Casing::Source),
            "upper" => Ok(Casing::Upper),
            "lower" | "target" | "normalize" => Ok(Casing::Lower),
            "snake" => Ok(Casing::Snake),
            _ => Err(target.wrong(Some("column_casing"), "source, upper, lower or snake")),
        });
        Ok(Self {
            mode: mode.transpose()?,
            object: section.text("object")?,
            select: section.texts("select")?,
            where_sql: section.text("where")?,
            sql: section.text("sql")?,
            primary_key: section.texts("primary_key")?,
            update_key: section.text("update_key")?,
            limit: source.number("limit")?,
            flatten: source.flag("flatten")?,
            range: source.text("range")?,
            add_new_columns: target.flag("add_new_columns")?,
            column_casing: casing.transpose()?,
            ignore_existing: target.flag("ignore_existing")?,
            pre_sql: target.text("pre_sql")?,
            post_sql: target.text("post_sql")?,
            table_keys: table_keys(&target)?,
            disabled: section.flag("disabled")?,
            tags: section.texts("tags")?,
            columns: casts(section)?,
        })
    }

    /// The same, with what `defaults` say of what is not said here.
    #[must_use]
    pub fn or(self, defaults: &Self) -> Self {
        let d = defaults.clone();
        Self {
            mode: self.mode.or(d.mode),
            object: self.object.or(d.object),
            select: self.select.or(d.select),
            where_sql: self.where_sql.or(d.where_sql),
            sql: self.sql.or(d.sql),
            primary_key: self.primary_key.or(d.primary_key),
            update_key: self.update_key.or(d.update_key),
            limit: self.limit.or(d.limit),
            flatten: self.flatten.or(d.flatten),
            range: self.range.or(d.range),
            add_new_columns: self.add_new_columns.or(d.add_new_columns),
            column_casing: self.column_casing.or(d.column_casing),
            ignore_existing: self.ignore_existing.or(d.ignore_existing),
            pre_sql: self.pre_sql.or(d.pre_sql),
            post_sql: self.post_sql.or(d.post_sql),
            table_keys: self.table_keys.or(d.table_keys),
            disabled: self.disabled.or(d.disabled),
            tags: self.tags.or(d.tags),
            columns: self.columns.or(d.columns),
        }
    }
}

/// Columns to index: a list, or lists by kind of key, of which all become indexes.
fn table_keys(section: &Section<'_>) -> Result<Option<Vec<String>>> {
    match section.get("table_keys") {
        Some(Value::Object(_)) => {
            let kinds = section.section_or_empty("table_keys")?;
            let mut all = Vec::new();
            for (kind, _) in kinds.members() {
                all.extend(kinds.texts(kind)?.unwrap_or_default());
            }
            Ok(Some(all))
        }
        _ => section.texts("table_keys"),
    }
}

/// Types by column: a mapping.
fn casts(section: &Section<'_>) -> Result<Option<BTreeMap<String, String>>> {
    let Some(columns) = section.section("columns")? else { return Ok(None) };
    let casts = columns
        .members()
        .map(|(name, _)| Ok((name.to_owned(), columns.text(name)?.unwrap_or_default())));
    casts.collect::<Result<_>>().map(Some)
}
