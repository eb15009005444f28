//! The names of target tables: what stands in braces is filled in.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ctct_client::likely;

use crate::{Error, Ident, Result, TableName};

/// What the variables of an object stand for.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The stream.
    pub stream: &'a str,
    /// The connection that is read.
    pub source: &'a str,
    /// The connection that is written.
    pub target: &'a str,
    /// The schema where the object names none.
    pub schema: &'a str,
}

/// When a run began.
pub type Moment = DateTime<Utc>;

/// The table that an object names, such as `constant_contact.{stream_name}`.
///
/// ```
/// use ctct_replicate::{Names, object_name};
///
/// let names = Names { stream: "contacts", source: "SHOP", target: "PG", schema: "public" };
/// let at = "2026-03-09T08:07:06Z".parse().unwrap();
/// let table = object_name("crm.{source_name}_{stream_name}_{YYYY}", names, at, &Default::default())?;
/// assert_eq!(table.plain(), "crm.shop_contacts_2026");
/// assert_eq!(object_name("{stream_name}", names, at, &Default::default())?.plain(), "public.contacts");
/// # Ok::<(), ctct_replicate::Error>(())
/// ```
///
/// # Errors
/// Where a variable is not known, or the name is none that PostgreSQL keeps.
pub fn object_name(
    object: &str,
    names: Names<'_>,
    at: Moment,
    env: &BTreeMap<String, String>,
) -> Result<TableName> {
    // What stands between quotes, or comes from a variable, may have dots of its own.
    let mut parts: Vec<String> = vec![String::new()];
    let mut rest = object;
    let mut quoted = false;
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        rest = after;
        let last = parts.len() - 1;
        match next {
            '"' if quoted && after.starts_with('"') => {
                parts[last].push('"');
                rest = &after[1..];
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            '{' => {
                let (name, others) = after.split_once('}').ok_or_else(|| {
                    Error::configuration(format!("`object` {object} has a brace without an end"))
                })?;
                parts[last].push_str(&variable(name, names, at, env)?);
                rest = others;
            }
            other => parts[last].push(other),
        }
    }
    let (schema, table) = match parts.as_slice() {
        [table] => (names.schema, table),
        [schema, table] => (schema.as_str(), table),
        _ => {
            return Err(Error::configuration(format!(
                "`object` {object} should be a schema and a table, separated by a dot"
            ))
            .with_hint("a name with a dot in it is written in double quotes"));
        }
    };
    Ok(TableName { schema: Ident::new(schema)?, table: Ident::new(table)? })
}

fn variable(
    name: &str,
    names: Names<'_>,
    at: Moment,
    env: &BTreeMap<String, String>,
) -> Result<String> {
    let time = |form: &str| Some(at.format(form).to_string());
    let found = match name {
        "stream_name" | "stream_table" => Some(names.stream.to_owned()),
        "stream_table_lower" | "stream_name_lower" => Some(names.stream.to_lowercase()),
        "stream_table_upper" | "stream_name_upper" => Some(names.stream.to_uppercase()),
        "source_name" | "source_account" => Some(names.source.to_lowercase()),
        "target_name" => Some(names.target.to_lowercase()),
        "target_schema" | "stream_schema" => Some(names.schema.to_owned()),
        "run_timestamp" => time("%Y_%m_%d_%H%M%S"),
        "YYYY" => time("%Y"),
        "YY" => time("%y"),
        "MM" => time("%m"),
        "MMM" => time("%b"),
        "DD" => time("%d"),
        "DDD" => time("%j"),
        "HH" => time("%H"),
        "mm" => time("%M"),
        "ss" => time("%S"),
        other => env.get(other).cloned(),
    };
    found.ok_or_else(|| {
        const KNOWN: [&str; 13] = [
            "stream_name",
            "source_name",
            "target_name",
            "target_schema",
            "run_timestamp",
            "YYYY",
            "YY",
            "MM",
            "MMM",
            "DD",
            "HH",
            "mm",
            "ss",
        ];
        let error = Error::configuration(format!("`object` has the unknown variable {{{name}}}"));
        match likely(name, KNOWN) {
            Some(meant) => error.with_hint(format!("did you mean {{{meant}}}?")),
            None => error
                .with_hint(format!("the variables are {}, and those of `env`", KNOWN.join(", "))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(object: &str, stream: &str) -> Result<String> {
        let names = Names { stream, source: "S", target: "T", schema: "public" };
        let at = "2026-03-09T08:07:06Z".parse().expect("a time");
        object_name(object, names, at, &BTreeMap::new()).map(|table| table.plain())
    }

    #[test]
    fn what_comes_from_a_variable_never_becomes_another_part() {
        assert_eq!(named("a.{stream_name}", "b.c").expect("valid"), "a.b.c");
        assert_eq!(named("\"a.b\".\"c\"\"d\"", "x").expect("valid"), "a.b.c\"d");
        assert_eq!(named("x_{run_timestamp}", "s").expect("valid"), "public.x_2026_03_09_080706");
    }

    #[test]
    fn what_cannot_be_a_name_is_told() {
        for object in ["a.b.c", "{nothing}", "{stream_name", "a.", ".b", "a.{stream_name}\0"] {
            assert!(named(object, "s").is_err(), "{object}");
        }
        assert!(named("{stream_name}", &"x".repeat(300)).is_err());
    }
}
