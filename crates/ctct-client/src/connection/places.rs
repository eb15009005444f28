//! Where connections are looked for: files and environment, the later over the earlier.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Connections;
use super::env_file::{self, Found};
use crate::{Error, ErrorKind, config_folder};

/// The places in which connections are looked for, besides the environment itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// `env.yaml` of Sling, which is read and never written.
    pub sling_env_file: Option<PathBuf>,
    /// Our own `env.yaml`.
    pub env_file: Option<PathBuf>,
    /// Variables that belong to the working folder.
    pub dot_env_file: PathBuf,
}

impl Places {
    /// The places that an environment's variables name, seen from a working folder:
    /// `$SLING_HOME_DIR/env.yaml` (else `~/.sling/env.yaml`), our `env.yaml` in
    /// [`config_folder`], and `.env.sling`.
    pub fn new(variable: impl Fn(&str) -> Option<OsString>, working_folder: &Path) -> Self {
        let folder =
            |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let sling =
            folder("SLING_HOME_DIR").or_else(|| folder("HOME").map(|home| home.join(".sling")));
        Self {
            sling_env_file: sling.map(|folder| folder.join("env.yaml")),
            env_file: config_folder(&variable).map(|folder| folder.join("env.yaml")),
            dot_env_file: working_folder.join(".env.sling"),
        }
    }

    /// All connections of these places and of the environment. Of several with one name
    /// the later counts: Sling's file, ours, `.env.sling`, the environment.
    ///
    /// Nothing fails here: what cannot be read is an error of whoever uses it.
    pub fn connections(
        &self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Connections {
        let mut connections = Connections::default();
        let files = [(self.sling_env_file.as_deref(), false), (self.env_file.as_deref(), true)];
        for (path, ours) in files {
            let Some(path) = path else { continue };
            match read(path, ours) {
                Ok(None) => {}
                Ok(Some(text)) => {
                    connections.add_all(env_file::read(&path.display().to_string(), &text));
                }
                Err(error) => connections.add(Found::Unreadable(unreadable(path, error))),
            }
        }
        match read(&self.dot_env_file, false) {
            Ok(None) => {}
            Ok(Some(text)) => connections.add_all(of_dot_env(&self.dot_env_file, &text)),
            Err(error) => connections.add(Found::Unreadable(unreadable(&self.dot_env_file, error))),
        }
        for (name, value) in variables {
            let origin = format!("environment variable {name}");
            connections.add_all(env_file::of_variable(&name, &origin, &value));
        }
        connections
    }
}

/// A file's text; none where there is no file. Secrets that others could read are taken
/// from them in our own file, and warned of in others'.
fn read(path: &Path, ours: bool) -> io::Result<Option<String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        // Where a file stands in the place of a folder there is no file of ours either.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if text.contains("constant-contact") && is_open_to_others(path) {
        if ours && crate::files::make_private(path).is_ok() {
            tracing::warn!(
                "others could read {}, which holds secrets; they cannot any more",
                path.display()
            );
        } else {
            tracing::warn!(
                "others can read {}, which holds secrets; mend it with: chmod 600",
                path.display()
            );
        }
    }
    Ok(Some(text))
}

/// Whether others than the owner may read a file.
pub fn is_open_to_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Configuration, format!("{} cannot be read: {error}", path.display()))
        .with_source(error)
}

fn of_dot_env(path: &Path, text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for variable in dotenvy::from_read_iter(text.as_bytes()) {
        match variable {
            Ok((name, value)) => {
                let origin = format!("variable {name} in {}", path.display());
                found.extend(env_file::of_variable(&name, &origin, &value));
            }
            // The error would show the line, which may hold secrets.
            Err(error) => {
                let line = match &error {
                    dotenvy::Error::LineParse(line, _) => {
                        let first = line.lines().next().unwrap_or_default();
                        text.lines().position(|other| !first.is_empty() && other.contains(first))
                    }
                    _ => None,
                };
                let place = line.map(|line| format!(", line {}", line + 1)).unwrap_or_default();
                let message = format!("{}{place}: not a line like NAME='value'", path.display());
                found.push(Found::Unreadable(
                    Error::new(ErrorKind::Configuration, message)
                        .with_hint("put the value into single quotes"),
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(client_id: &str) -> String {
        format!("{{ type: api, spec: constant-contact, secrets: {{ client_id: {client_id} }} }}")
    }

    fn env_yaml(pairs: &[(&str, &str)]) -> String {
        let entries = pairs.iter().map(|(name, id)| format!("  {name}: {}\n", spec(id)));
        format!("connections:\n{}", entries.collect::<String>())
    }

    #[test]
    fn the_later_place_wins() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            path
        };
        let names = ["A", "B", "C", "D"];
        let layer = |count: usize, id: &'static str| {
            names[..count].iter().map(|name| (*name, id)).collect::<Vec<_>>()
        };
        let places = Places {
            sling_env_file: Some(file("sling.yaml", &env_yaml(&layer(4, "sling")))),
            env_file: Some(file("env.yaml", &env_yaml(&layer(3, "ours")))),
            dot_env_file: file(
                ".env.sling",
                &format!("# mine\nexport a='{0}'\nB='{0}'\nOTHER=1\n", spec("dot")),
            ),
        };
        let connections = places.connections([("A".to_owned(), spec("variable"))]);
        let found: Vec<_> =
            connections.all().iter().map(|c| (c.name.as_str(), c.client_id.as_str())).collect();
        assert_eq!(found, [("A", "variable"), ("B", "dot"), ("C", "ours"), ("D", "sling")]);
        assert_eq!(connections.shadowed().len(), 6, "all of them are told of");
    }

    #[test]
    fn places_follow_the_environment() {
        let places = |set: &[(&str, &str)]| {
            Places::new(
                |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()),
                Path::new("/work"),
            )
        };
        let usual = places(&[("HOME", "/home/june")]);
        assert_eq!(usual.sling_env_file, Some("/home/june/.sling/env.yaml".into()));
        assert_eq!(usual.env_file, Some("/home/june/.config/ctct/env.yaml".into()));
        assert_eq!(usual.dot_env_file, PathBuf::from("/work/.env.sling"));
        let other = places(&[
            ("HOME", "/h"),
            ("SLING_HOME_DIR", "/s"),
            ("CTCT_HOME", "/c"),
            ("XDG_CONFIG_HOME", "/x"),
        ]);
        assert_eq!(other.sling_env_file, Some("/s/env.yaml".into()));
        assert_eq!(other.env_file, Some("/c/env.yaml".into()));
    }

    #[test]
    fn what_cannot_be_read_is_said_without_its_secrets() {
        let folder = tempfile::tempdir().expect("a folder");
        let dot_env_file = folder.path().join(".env.sling");
        fs::write(&dot_env_file, "A=1\nSHOP={ secrets: { client_id: S3CRET } }\n")
            .expect("written");
        let places = Places { sling_env_file: None, env_file: None, dot_env_file };
        let error = places.connections([]).choose(Some("SHOP")).expect_err("unreadable");
        let shown = format!("{error} {error:?} {:?}", error.hint());
        assert!(shown.contains("line 2") && shown.contains("single quotes"), "{shown}");
        assert!(!shown.contains("S3CRET"), "{shown}");
    }
}
