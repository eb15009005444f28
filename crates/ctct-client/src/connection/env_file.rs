//! The connections in an `env.yaml`, and in variables of the same form.

use serde_json::Value;

use super::{Connection, parse};
use crate::Error;

/// The variable that the documentation uses.
pub(super) const USUAL_NAME: &str = "CONSTANT_CONTACT";

/// One thing that was found in a place.
#[derive(Debug)]
pub(super) enum Found {
    /// A connection to Constant Contact.
    Connection(Box<Connection>),
    /// Something of this name that should be one.
    Broken(String, Error),
    /// A place of which nothing can be read.
    Unreadable(Error),
    /// A connection that data is written to.
    Target(Target),
}

/// A connection that data is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name under which it was configured.
    pub name: String,
    /// Where it was configured, in words.
    pub origin: String,
    /// What it is, such as `postgres`.
    pub kind: String,
    /// Its address and whatever else was set.
    pub settings: TargetSettings,
}

/// The settings of a connection that data is written to: an address, or its parts.
///
/// They may hold a password; `Debug` shows nothing of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TargetSettings(Value);

impl TargetSettings {
    /// The address, where it is given as one.
    pub fn address(&self) -> Option<&str> {
        self.0.as_str().or_else(|| self.0.get("url")?.as_str())
    }

    /// A setting as text; numbers are written out.
    pub fn get(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// The names of what was set.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.as_object().into_iter().flat_map(|settings| settings.keys().map(String::as_str))
    }
}

impl std::fmt::Debug for TargetSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TargetSettings(…)")
    }
}

/// The connections in the text of an `env.yaml`. Those of other kinds than ours are
/// nobody's business here.
pub(super) fn read(file: &str, text: &str) -> Vec<Found> {
    let root = match parse::yaml(text) {
        Ok(root) => root,
        Err(error) => return vec![Found::Unreadable(parse::at(file, error))],
    };
    let Some(connections) = root.get("connections").and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, value) in connections {
        let origin = format!("connection {name} in {file}");
        let text_of = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        if text_of("spec") == "constant-contact" || (name == USUAL_NAME && text_of("type") == "api")
        {
            let line = |place: &str| line_of(text, name, place);
            found.push(match parse::connection_of(name, &origin, value, &line) {
                Ok(connection) => Found::Connection(Box::new(connection)),
                Err(error) => Found::Broken(name.clone(), error),
            });
        } else if let Some(kind) = target_kind(value) {
            let settings = TargetSettings(value.clone());
            found.push(Found::Target(Target { name: name.clone(), origin, kind, settings }));
        }
    }
    found
}

/// The connection in a variable: it has the usual name (`CONSTANT_CONTACT`), or its value
/// speaks of `constant-contact`. Other variables are not even parsed, but for addresses
/// of databases.
pub(super) fn of_variable(name: &str, origin: &str, value: &str) -> Option<Found> {
    if name.eq_ignore_ascii_case(USUAL_NAME) || value.contains("constant-contact") {
        return Some(match Connection::parse(name, origin, value) {
            Ok(connection) => Found::Connection(Box::new(connection)),
            Err(error) => Found::Broken(name.to_owned(), error),
        });
    }
    let (kind, settings) = match value.split_once("://").map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => ("postgres".to_owned(), Value::from(value)),
        _ if value.trim_start().starts_with('{') && value.contains("postgres") => {
            let parsed = parse::yaml(value).ok()?;
            (target_kind(&parsed)?, parsed)
        }
        _ => return None,
    };
    let settings = TargetSettings(settings);
    Some(Found::Target(Target { name: name.to_owned(), origin: origin.to_owned(), kind, settings }))
}

/// Whether a variable holds a connection, and so perhaps secrets, which no other program
/// that is started needs to see.
pub fn holds_connection(name: &str, value: &str) -> bool {
    of_variable(name, "", value).is_some()
}

fn target_kind(value: &Value) -> Option<String> {
    let address = value.as_str().or_else(|| value.get("url")?.as_str()).unwrap_or_default();
    let by_address =
        ["postgres://", "postgresql://"].iter().any(|scheme| address.starts_with(scheme));
    match value.get("type").and_then(Value::as_str) {
        Some("postgres" | "postgresql") => Some("postgres".to_owned()),
        None if by_address => Some("postgres".to_owned()),
        _ => None,
    }
}

/// The line on which a key of a connection stands, such as `inputs.anchor_date`.
fn line_of(text: &str, connection: &str, place: &str) -> Option<usize> {
    use std::str::FromStr;
    let document = yaml_edit::YamlFile::from_str(text).ok()?.document()?;
    let mut mapping = document.as_mapping()?.get_mapping("connections")?;
    let path: Vec<&str> =
        std::iter::once(connection).chain(place.split('.').filter(|key| !key.is_empty())).collect();
    let mut line = None;
    for (depth, key) in path.iter().enumerate() {
        let Some(entry) = mapping.find_entry_by_key(*key) else { break };
        let at = entry.key_node()?.byte_range().start;
        line = Some(text.get(..usize::try_from(at).ok()?)?.matches('\n').count() + 1);
        if depth + 1 < path.len() {
            let Some(inner) = mapping.get_mapping(*key) else { break };
            mapping = inner;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# mine\nconnections:\n  SHOP:\n    type: api\n    spec: constant-contact\n    secrets:\n      client_id: \"abc\"\n    inputs:\n      # from then on\n      anchor_date: \"2020-13-01\"\n  PG: { type: postgres, url: \"postgres://u:S3CRET@h/db\" }\n  MINE: postgres://u:S3CRET@h/db\n  S3: { type: s3, bucket: b }\n  OTHER: { type: api, spec: shopify, secrets: { x: y } }\nvariables:\n  a: 1\n";

    fn told(text: &str) -> Vec<String> {
        let told = read("env.yaml", text).into_iter().map(|found| match found {
            Found::Connection(connection) => {
                format!("{} of {}", connection.name, connection.origin)
            }
            Found::Broken(name, error) => format!("{name}: {error}"),
            Found::Unreadable(error) => error.to_string(),
            Found::Target(target) => format!("{} is {}", target.name, target.kind),
        });
        told.collect()
    }

    #[test]
    fn mistakes_name_their_line() {
        let shown = told(FILE);
        assert_eq!(
            shown,
            [
                "MINE is postgres",
                "PG is postgres",
                "SHOP: connection SHOP in env.yaml, line 10: `inputs.anchor_date`: a date like 2020-01-31 is expected",
            ]
        );
        let missing = told(
            "connections:\n  A:\n    type: api\n    spec: constant-contact\n    secrets:\n      client_secret: S3CRET\n",
        );
        assert_eq!(
            missing,
            ["A: connection A in env.yaml, line 5: `secrets.client_id` is missing"]
        );
        let broken = told("connections:\n  A: { type: api, secrets: { client_id: \"S3CRET }\n");
        assert!(broken[0].starts_with("env.yaml: not valid YAML or JSON at line"), "{broken:?}");
        assert!(!format!("{shown:?}{missing:?}{broken:?}").contains("S3CRET"));
    }

    #[test]
    fn other_connections_are_left_alone() {
        assert!(told("").is_empty() && told("connections:\n").is_empty() && told("[1]").is_empty());
        let good = FILE.replace("2020-13-01", "2020-01-01");
        assert_eq!(told(&good)[2], "SHOP of connection SHOP in env.yaml");
    }

    #[test]
    fn addresses_of_databases_are_targets() {
        let kind = |value: &str| match of_variable("X", "x", value) {
            Some(Found::Target(target)) => Some(target.kind),
            _ => None,
        };
        assert_eq!(kind("postgres://u:p@h/db").as_deref(), Some("postgres"));
        assert_eq!(kind("{ type: postgres, host: h }").as_deref(), Some("postgres"));
        assert_eq!(kind("mysql://u@h/db"), None);
        assert_eq!(kind("{ not yaml, postgres"), None);
    }
}
