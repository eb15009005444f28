//! Writing connections down, and taking them out again.

use std::path::PathBuf;

use serde_json::Value;

use super::env_file::{self, Found};
use super::{Places, Setting, edit, parse};
use crate::{Error, ErrorKind, Result, files};

/// Schemas that a connection cannot have the name of.
const RESERVED: [&str; 3] = ["system", "public", "information_schema"];

impl Places {
    /// Writes settings of a connection into our `env.yaml`; says where that is. What would
    /// not be a connection is not written.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] where the name or a setting is wrong, or where the file
    /// cannot be changed; [`ErrorKind::Storage`] where it cannot be written.
    pub fn set(&self, name: &str, settings: &[Setting]) -> Result<PathBuf> {
        check_name(name)?;
        let (path, text) = self.our_file()?;
        let name = spelled(&text, name);
        let changed = edit::set(&text, &name, settings)
            .map_err(|error| parse::at(&path.display().to_string(), error))?;
        check(&changed, &name)?;
        write(&path, &changed)?;
        Ok(path)
    }

    /// Takes a connection out of our `env.yaml`; none where it is not there.
    ///
    /// # Errors
    /// As for [`set`](Self::set).
    pub fn unset(&self, name: &str) -> Result<Option<PathBuf>> {
        let (path, text) = self.our_file()?;
        let name = spelled(&text, name);
        let changed = edit::unset(&text, &name)
            .map_err(|error| parse::at(&path.display().to_string(), error))?;
        let Some(changed) = changed else { return Ok(None) };
        write(&path, &changed)?;
        Ok(Some(path))
    }

    fn our_file(&self) -> Result<(PathBuf, String)> {
        let path = self.env_file.clone().ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "there is no folder for connections")
                .with_hint("set HOME or CTCT_HOME")
        })?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok((path, text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((path, String::new())),
            Err(error) => Err(Error::new(
                ErrorKind::Storage,
                format!("{} cannot be read: {error}", path.display()),
            )
            .with_source(error)),
        }
    }
}

fn write(path: &std::path::Path, text: &str) -> Result<()> {
    files::write_private(path, text.as_bytes()).map_err(|error| {
        Error::new(ErrorKind::Storage, format!("{} cannot be written: {error}", path.display()))
            .with_source(error)
    })
}

/// The name as the file spells it already.
fn spelled(text: &str, name: &str) -> String {
    let root = parse::yaml(text).unwrap_or_default();
    let known = root.get("connections").and_then(Value::as_object);
    let known = known.and_then(|known| known.keys().find(|key| key.eq_ignore_ascii_case(name)));
    known.map_or_else(|| name.to_owned(), Clone::clone)
}

fn check_name(name: &str) -> Result<()> {
    let wrong = |message: &str| {
        Err(Error::new(ErrorKind::Configuration, format!("the name {name:?} {message}")))
    };
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') || name.len() > 63 {
        return wrong(
            "does not serve: letters, digits and _ are taken, and it becomes a schema's name",
        );
    }
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return wrong("is taken: a schema of this name is there already");
    }
    Ok(())
}

/// Whether the text's entry is something that can be used.
fn check(text: &str, name: &str) -> Result<()> {
    let entry = parse::yaml(text)?["connections"][name].take();
    // As if the entry stood alone: lines of a file that is not written help nobody.
    let is_ours =
        entry.get("spec").is_some() || entry.get("type").is_some_and(|kind| kind == "api");
    if is_ours {
        return parse::connection_of(name, "the settings", &entry, &|_| None).map(drop);
    }
    if let Some(Found::Target(_)) = env_file::of_variable(name, "", &entry.to_string()) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Configuration,
        "this is neither a connection to Constant Contact nor a known target",
    )
    .with_hint("give type=api spec=constant-contact secrets='{…}', or type=postgres url=…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> (tempfile::TempDir, Places) {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places {
            sling_env_file: None,
            env_file: Some(folder.path().join("config/env.yaml")),
            dot_env_file: folder.path().join(".env.sling"),
        };
        (folder, places)
    }

    fn settings(pairs: &[(&str, &str)]) -> Vec<Setting> {
        pairs
            .iter()
            .map(|(path, value)| {
                let path = path.split('.').map(str::to_owned).collect();
                (path, parse::setting_value(value).expect("a value"))
            })
            .collect()
    }

    const GOOD: [(&str, &str); 3] = [
        ("type", "api"),
        ("spec", "constant-contact"),
        ("secrets", "{ client_id: id, client_secret: s }"),
    ];

    #[test]
    fn a_connection_is_written_and_taken_out() {
        let (_folder, places) = places();
        let path = places.set("SHOP", &settings(&GOOD)).expect("set");
        assert!(!super::super::is_open_to_others(&path));
        let found = places.connections([]);
        assert_eq!(found.all()[0].client_id, "id");
        assert!(found.all()[0].origin.contains("env.yaml"), "{}", found.all()[0].origin);
        places.set("shop", &settings(&[("inputs.anchor_date", "2020-01-01")])).expect("added to");
        let found = places.connections([]);
        assert_eq!((found.all().len(), found.all()[0].name.as_str()), (1, "SHOP"));
        assert!(
            found.all()[0].inputs.anchor_date.is_some() && found.all()[0].client_secret.is_some()
        );
        assert!(places.unset("Shop").expect("unset").is_some());
        assert!(places.unset("SHOP").expect("gone").is_none());
        assert!(places.connections([]).all().is_empty());
    }

    #[test]
    fn what_would_not_work_is_not_written() {
        let (_folder, places) = places();
        for (name, pairs, why) in [
            ("a b", &GOOD[..], "does not serve"),
            ("system", &GOOD[..], "taken"),
            ("A", &GOOD[..2], "`secrets` is missing"),
            ("A", &[("type", "mysql")][..], "neither"),
            (
                "A",
                &[
                    ("type", "api"),
                    ("spec", "constant-contact"),
                    ("secrets", "{ client_id: c }"),
                    ("inputs", "{ anchor_date: soon }"),
                ][..],
                "inputs.anchor_date",
            ),
        ] {
            let error = places.set(name, &settings(pairs)).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
        assert!(places.env_file.as_ref().is_some_and(|path| !path.exists()));
        places.set("PG", &settings(&[("url", "postgres://u:p@h/db")])).expect("a target");
    }
}
