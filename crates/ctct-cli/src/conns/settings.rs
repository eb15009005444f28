//! Settings as they are written on the command line: `key=value`, `key=@file`, `key=-`.

use std::io::Read;
use std::path::Path;

use ctct_client::{Setting, is_open_to_others, setting_value};

use crate::exit::Failure;

/// Settings, and what is to be said about how they were given.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) all: Vec<Setting>,
    pub(super) secret_on_the_command_line: bool,
    /// Files with secrets that others can read.
    pub(super) open_files: Vec<String>,
}

/// Reads what was written, and the files that it names.
pub(super) fn read(arguments: &[String]) -> Result<Settings, Failure> {
    let mut read = Settings::default();
    let mut input_taken = false;
    for argument in arguments {
        // What is wrong is not shown: it may be a secret.
        let Some((key, value)) = argument.split_once('=').filter(|(key, _)| is_key(key)) else {
            return Err(Failure::with_hint(
                2,
                "a setting is written as KEY=VALUE".to_owned(),
                "such as type=api, or secrets='{ client_id: …, client_secret: … }'".to_owned(),
            ));
        };
        let value = if value == "-" {
            if std::mem::replace(&mut input_taken, true) {
                return Err(Failure::usage("standard input can be read only once"));
            }
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| {
                Failure::other(format!("standard input cannot be read: {error}"))
            })?;
            text.trim().to_owned()
        } else if let Some(path) = value.strip_prefix('@') {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::other(format!("{path} cannot be read: {error}")))?;
            if is_open_to_others(Path::new(path)) {
                read.open_files.push(path.to_owned());
            }
            text.trim().to_owned()
        } else {
            let secret = key.starts_with("secrets") || key == "password" || key == "url";
            read.secret_on_the_command_line |= secret;
            value.to_owned()
        };
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        // A file or standard input may hold a whole block of YAML.
        let is_mapping = matches!(key, "secrets" | "inputs") && !value.starts_with('{');
        let value = if is_mapping { setting_value(&braced(&value)) } else { setting_value(&value) };
        let value = value.map_err(|error| {
            let hint = "quote it for the shell, as in secrets='{ client_id: …, client_secret: … }'";
            Failure::with_hint(2, format!("{key}: {error}"), hint.to_owned())
        })?;
        read.all.push((path, value));
    }
    Ok(read)
}

/// Lines of `key: value` as one mapping in braces.
fn braced(text: &str) -> String {
    let members =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.split('.').all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(argument: &str) -> String {
        let read = read(&[argument.to_owned()]).expect(argument);
        format!("{} = {}", read.all[0].0.join("/"), read.all[0].1)
    }

    #[test]
    fn settings_are_read_in_every_form() {
        assert_eq!(one("type=api"), "type = \"api\"");
        assert_eq!(one("inputs.anchor_date=2020-01-01"), "inputs/anchor_date = \"2020-01-01\"");
        assert_eq!(
            one("secrets={ client_id: a, client_secret: b=c }"),
            r#"secrets = {"client_id":"a","client_secret":"b=c"}"#
        );
        assert_eq!(one("secrets=client_id: a"), r#"secrets = {"client_id":"a"}"#);
        assert_eq!(one("url=postgres://u:p@h/db?x=y"), "url = \"postgres://u:p@h/db?x=y\"");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets.yaml");
        std::fs::write(&path, "# mine\nclient_id: a\nclient_secret: b\n").expect("written");
        assert_eq!(
            one(&format!("secrets=@{}", path.display())),
            r#"secrets = {"client_id":"a","client_secret":"b"}"#
        );
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_shown() {
        for argument in ["S3CRET", "=S3CRET", "secrets={ S3CRET: [", "a b=S3CRET"] {
            let failure = format!("{:?}", read(&[argument.to_owned()]).expect_err(argument));
            assert!(!failure.contains("S3CRET"), "{failure}");
        }
    }
}
