//! Changing an `env.yaml` that people edit, too: their comments, order and unknown keys
//! stay where they are.

use std::str::FromStr;

use serde_json::{Map, Value};
use yaml_edit::{Mapping, YamlFile};

use super::parse;
use crate::{Error, ErrorKind, Result};

/// A setting of a connection: where it goes, such as `["secrets", "client_id"]`, and what
/// it is.
pub type Setting = (Vec<String>, Value);

/// The text with these settings of a connection, which is made if it is not there. A
/// mapping replaces the whole mapping that was there.
///
/// # Errors
/// [`ErrorKind::Configuration`] where the text is not valid, or of a form that cannot be
/// changed without changing anything else.
pub(crate) fn set(text: &str, name: &str, settings: &[Setting]) -> Result<String> {
    let mut wanted = tree(text)?;
    let file = open(text)?;
    let root = root(&file)?;
    let connections = child(&root, "connections")?;
    let connection = child(&connections, name)?;
    let aim = entry(entry(&mut wanted, "connections"), name);
    for (path, value) in settings {
        let Some((key, above)) = path.split_last() else { continue };
        let (mut mapping, mut aim) = (connection.clone(), &mut *aim);
        for step in above {
            mapping = child(&mapping, step)?;
            aim = entry(aim, step);
        }
        put(&mapping, key, value)?;
        *entry(aim, key) = value.clone();
    }
    checked(&file, &wanted)
}

/// The text without a connection; none where there is no such connection.
///
/// # Errors
/// As for [`set`].
pub(super) fn unset(text: &str, name: &str) -> Result<Option<String>> {
    let mut wanted = tree(text)?;
    let there = wanted.get_mut("connections").and_then(Value::as_object_mut);
    if there.and_then(|connections| connections.remove(name)).is_none() {
        return Ok(None);
    }
    let file = open(text)?;
    let connections = root(&file)?.get_mapping("connections").ok_or_else(by_hand)?;
    connections.remove(name);
    if connections.is_empty() {
        // An empty mapping is written as such, and not as nothing.
        if let Some(connections) = wanted.get_mut("connections") {
            *connections = Value::Null;
        }
    }
    checked(&file, &wanted).map(Some)
}

/// The text's data; an empty mapping for an empty text.
fn tree(text: &str) -> Result<Value> {
    match parse::yaml(text)? {
        Value::Null => Ok(Value::Object(Map::new())),
        root @ Value::Object(_) => Ok(root),
        _ => Err(Error::new(
            ErrorKind::Configuration,
            "a mapping with the key `connections` is expected",
        )),
    }
}

fn open(text: &str) -> Result<YamlFile> {
    let blank =
        text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let text = if blank {
        // Comments alone are no document yet.
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        format!("{text}{end}connections:\n")
    } else {
        text.to_owned()
    };
    YamlFile::from_str(&text).map_err(|_| by_hand())
}

fn root(file: &YamlFile) -> Result<Mapping> {
    let document = file.document().ok_or_else(by_hand)?;
    document.as_mapping().ok_or_else(by_hand)
}

/// The mapping below a key, which is made if there is none.
fn child(mapping: &Mapping, key: &str) -> Result<Mapping> {
    if let Some(child) = mapping.get_mapping(key) {
        return Ok(child);
    }
    mapping.remove(key);
    mapping.entry(key).or_insert_mapping();
    mapping.get_mapping(key).ok_or_else(by_hand)
}

fn put(mapping: &Mapping, key: &str, value: &Value) -> Result<()> {
    match value {
        Value::Object(members) => {
            let inner = child(mapping, key)?;
            let old: Vec<String> =
                inner.keys().filter_map(|node| Some(node.as_scalar()?.as_string())).collect();
            for gone in old.iter().filter(|old| !members.contains_key(*old)) {
                inner.remove(gone.as_str());
            }
            for (key, value) in members {
                put(&inner, key, value)?;
            }
        }
        Value::String(text) => mapping.set(key, text.as_str()),
        Value::Bool(value) => mapping.set(key, *value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => mapping.set(key, number),
            (None, Some(number)) => mapping.set(key, number),
            (None, None) => return Err(by_hand()),
        },
        Value::Null => drop(mapping.remove(key)),
        Value::Array(_) => {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("`{key}` does not take a list"),
            ));
        }
    }
    Ok(())
}

fn entry<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    &mut value[key]
}

/// The file's text, if it says what was wanted and nothing else.
fn checked(file: &YamlFile, wanted: &Value) -> Result<String> {
    let text = file.to_string();
    let said = parse::yaml(&text).unwrap_or_default();
    if without_empty(&said) == without_empty(wanted) { Ok(text) } else { Err(by_hand()) }
}

/// The data without members that are nothing.
fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().map(|(key, value)| (key.clone(), without_empty(value)));
            let empty =
                |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
            Value::Object(kept.filter(|(_, value)| !empty(value)).collect())
        }
        other => other.clone(),
    }
}

fn by_hand() -> Error {
    Error::new(ErrorKind::Configuration, "the file is of a form that only people can change")
        .with_hint("nothing was written; change it in an editor")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "# top\nvariables:\n  a: 1   # keep me\n\nconnections:\n  # the shop\n  SHOP:\n    type: api   # aligned\n    spec: constant-contact\n    secrets:\n      # from the portal\n      client_id: \"abc\"\n      client_secret: old\n    x_unknown: [1,  2]\n\n  # a database\n  PG: { type: postgres, url: \"postgres://u:p@h/db\" }\n# end\n";

    fn setting(path: &str, value: &str) -> Setting {
        (path.split('.').map(str::to_owned).collect(), parse::yaml(value).expect("a value"))
    }

    #[test]
    fn comments_and_unknown_keys_stay() {
        let settings = [
            setting("secrets", "{ client_id: new }"),
            setting("inputs.anchor_date", "\"2020-01-01\""),
        ];
        let text = set(FILE, "SHOP", &settings).expect("set");
        for kept in [
            "# top",
            "a: 1   # keep me",
            "# the shop",
            "type: api   # aligned",
            "# from the portal",
            "x_unknown: [1,  2]",
            "# a database",
            "PG: { type: postgres",
            "# end",
        ] {
            assert!(text.contains(kept), "{kept} in {text}");
        }
        assert!(text.contains("client_id: new") && !text.contains("client_secret"), "{text}");
        assert!(text.contains("anchor_date:"), "{text}");
        let without = unset(&text, "SHOP").expect("unset").expect("it was there");
        assert!(!without.contains("SHOP") && without.contains("PG: { type"), "{without}");
        assert!(unset(&text, "NONE").expect("read").is_none());
    }

    #[test]
    fn a_file_is_begun() {
        let settings = [
            setting("type", "api"),
            setting("spec", "constant-contact"),
            setting("secrets", "{ client_id: \"1e5\" }"),
        ];
        for text in
            ["", "# only a comment", "connections:\n", "connections: {}\n", "variables:\n  a: 1\n"]
        {
            let made = set(text, "SHOP", &settings).expect(text);
            let tree = parse::yaml(&made).expect("valid");
            assert_eq!(tree["connections"]["SHOP"]["secrets"]["client_id"], "1e5", "{made}");
            assert!(
                made.contains(text.trim_end_matches('\n').split(" {}").next().unwrap_or_default()),
                "{made}"
            );
            let gone = unset(&made, "SHOP").expect("unset").expect("there");
            assert!(set(&gone, "SHOP", &settings).is_ok(), "{gone}");
        }
    }

    #[test]
    fn what_cannot_be_changed_is_left_alone() {
        assert!(set("[1, 2]", "A", &[]).is_err());
        assert!(set("connections: {", "A", &[]).is_err());
    }

    proptest! {
        /// Whatever a secret is made of, it is read back as it was given.
        #[test]
        fn any_value_survives(value in "[ -~]{1,40}", key in "[a-z_]{1,12}") {
            let settings = [(vec!["secrets".to_owned(), key.clone()], Value::String(value.clone()))];
            match set(FILE, "SHOP", &settings) {
                Ok(text) => {
                    let tree = parse::yaml(&text).expect("valid");
                    prop_assert_eq!(tree["connections"]["SHOP"]["secrets"][&key].as_str(), Some(value.as_str()));
                }
                Err(error) => prop_assert!(error.to_string().contains("only people"), "{error}"),
            }
        }
    }
}
