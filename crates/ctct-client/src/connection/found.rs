//! The connections that were found, and which of them is meant.

use super::Connection;
use super::env_file::{self, Found, Target, USUAL_NAME};
use crate::likely::likely;
use crate::{Error, ErrorKind, Result};

/// The connections that were found, and those that could not be read.
#[derive(Debug, Default)]
pub struct Connections {
    found: Vec<Connection>,
    broken: Vec<(String, Error)>,
    targets: Vec<Target>,
    unreadable: Vec<Error>,
    shadowed: Vec<(String, String)>,
}

/// Finds connections among environment variables alone: each a YAML or JSON text.
///
/// A variable is taken for a connection when it has the usual name
/// (`CONSTANT_CONTACT`) or when its value speaks of `constant-contact`; other
/// variables are nobody's business here and are not even parsed.
pub fn from_environment(variables: impl IntoIterator<Item = (String, String)>) -> Connections {
    let mut connections = Connections::default();
    for (name, value) in variables {
        let origin = format!("environment variable {name}");
        connections.add_all(env_file::of_variable(&name, &origin, &value));
    }
    connections
}

impl Connections {
    /// These connections and one more, which counts instead of an earlier one of its name.
    pub fn push(&mut self, connection: Connection) {
        self.add(Found::Connection(Box::new(connection)));
    }

    pub(super) fn add_all(&mut self, found: impl IntoIterator<Item = Found>) {
        for found in found {
            self.add(found);
        }
    }

    pub(super) fn add(&mut self, found: Found) {
        match found {
            Found::Unreadable(error) => self.unreadable.push(error),
            Found::Connection(connection) => {
                self.shadow(&connection.name);
                self.found.push(*connection);
                self.found.sort_by(|a, b| a.name.cmp(&b.name));
            }
            Found::Broken(name, error) => {
                self.shadow(&name);
                self.broken.push((name, error));
            }
            Found::Target(target) => {
                self.shadow(&target.name);
                self.targets.push(target);
                self.targets.sort_by(|a, b| a.name.cmp(&b.name));
            }
        }
    }

    /// Takes away what has this name, because something later has it.
    fn shadow(&mut self, name: &str) {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        let earlier =
            self.found.iter().filter(|c| same(&c.name)).map(|c| (c.name.clone(), c.origin.clone()));
        let targets = self
            .targets
            .iter()
            .filter(|t| same(&t.name))
            .map(|t| (t.name.clone(), t.origin.clone()));
        self.shadowed.extend(earlier.chain(targets));
        self.found.retain(|connection| !same(&connection.name));
        self.broken.retain(|(other, _)| !same(other));
        self.targets.retain(|target| !same(&target.name));
    }

    /// All connections that can be used, by name.
    pub fn all(&self) -> &[Connection] {
        &self.found
    }

    /// Connections that data is written to, by name.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The connection of this name that data is written to.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] where there is none.
    pub fn target(&self, name: &str) -> Result<&Target> {
        let found = self.targets.iter().find(|target| target.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            if self.found.iter().any(|connection| connection.name.eq_ignore_ascii_case(name)) {
                let message = format!("connection {name} is one to read from, not to write to");
                return Error::new(ErrorKind::Configuration, message);
            }
            let names: Vec<&str> = self.targets.iter().map(|target| target.name.as_str()).collect();
            let error = Error::new(ErrorKind::Configuration, format!("there is no target {name}"));
            match likely(name, names.iter().copied()) {
                Some(meant) => error.with_hint(format!("did you mean {meant}?")),
                None => error.with_hint(format!(
                    "`ctct conns set {name} type=postgres url=postgres://…` sets it"
                )),
            }
        })
    }

    /// What could not be read: its name, where it has one, and why.
    pub fn errors(&self) -> impl Iterator<Item = (Option<&str>, &Error)> {
        let broken = self.broken.iter().map(|(name, error)| (Some(name.as_str()), error));
        broken.chain(self.unreadable.iter().map(|error| (None, error)))
    }

    /// Name and origin of what does not count, because something later has its name.
    pub fn shadowed(&self) -> &[(String, String)] {
        &self.shadowed
    }

    /// The connection to use: the named one, else the only one, else the one with
    /// the usual name; none where none is configured.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] where the named one does not exist, where it (or,
    /// with no name given, any) cannot be read, or where it is not clear which to use.
    pub fn choose(&mut self, name: Option<&str>) -> Result<Option<&Connection>> {
        if let Some(name) = name {
            return self.named(name).map(Some);
        }
        if !self.broken.is_empty() {
            return Err(self.broken.swap_remove(0).1);
        }
        if !self.unreadable.is_empty() {
            return Err(self.unreadable.swap_remove(0));
        }
        if self.found.len() > 1 {
            let usual = self.found.iter().find(|c| c.name.eq_ignore_ascii_case(USUAL_NAME));
            return usual.map(Some).ok_or_else(|| {
                Error::new(ErrorKind::Configuration, "several connections are configured")
                    .with_hint(format!("name one with --conn: {}", self.names().join(", ")))
            });
        }
        Ok(self.found.first())
    }

    fn named(&mut self, name: &str) -> Result<&Connection> {
        if let Some(index) = self.broken.iter().position(|(n, _)| n.eq_ignore_ascii_case(name)) {
            return Err(self.broken.swap_remove(index).1);
        }
        if let Some(target) = self.targets.iter().find(|t| t.name.eq_ignore_ascii_case(name)) {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "connection {} is one to write to ({}), not to read from",
                    target.name, target.kind
                ),
            ));
        }
        let names = self.names();
        let found = self.found.iter().find(|c| c.name.eq_ignore_ascii_case(name));
        match found {
            Some(found) => Ok(found),
            // It may be in the place that nobody can read.
            None if !self.unreadable.is_empty() => Err(self.unreadable.swap_remove(0)),
            None => Err(unknown(name, &names)),
        }
    }

    fn names(&self) -> Vec<String> {
        self.found.iter().map(|connection| connection.name.clone()).collect()
    }
}

fn unknown(name: &str, names: &[String]) -> Error {
    let error = Error::new(ErrorKind::Configuration, format!("there is no connection {name}"));
    match likely(name, names.iter().map(String::as_str)) {
        Some(meant) => error.with_hint(format!("did you mean {meant}?")),
        None if names.is_empty() => error.with_hint(
            "no connection is configured; `ctct conns set --help` shows how, or try --sandbox",
        ),
        None => error.with_hint(format!("the connections are {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "{ type: api, spec: constant-contact, secrets: { client_id: c } }";

    fn variables(pairs: &[(&str, &str)]) -> Connections {
        from_environment(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
    }

    fn chosen(connections: &mut Connections, name: Option<&str>) -> Option<String> {
        connections.choose(name).expect("no error").map(|connection| connection.name.clone())
    }

    #[test]
    fn the_only_connection_needs_no_name() {
        let mut connections =
            variables(&[("PATH", "/bin"), ("JSON", "{not: ours"), ("SHOP", GOOD)]);
        assert_eq!(chosen(&mut connections, None).as_deref(), Some("SHOP"));
        assert_eq!(chosen(&mut connections, Some("shop")).as_deref(), Some("SHOP"));
        assert_eq!(chosen(&mut variables(&[]), None), None);
    }

    #[test]
    fn several_connections_need_a_name_or_the_usual_one() {
        let error =
            variables(&[("A", GOOD), ("B", GOOD)]).choose(None).expect_err("unclear").to_string();
        assert!(error.contains("several"), "{error}");
        let mut connections = variables(&[("A", GOOD), ("CONSTANT_CONTACT", GOOD)]);
        assert_eq!(chosen(&mut connections, None).as_deref(), Some("CONSTANT_CONTACT"));
        assert_eq!(chosen(&mut connections, Some("A")).as_deref(), Some("A"));
        let error = connections.choose(Some("CONSTANT_CONTACTS")).expect_err("unknown");
        assert_eq!(error.hint(), Some("did you mean CONSTANT_CONTACT?"));
    }

    #[test]
    fn a_broken_connection_is_not_passed_over() {
        let error =
            variables(&[("CONSTANT_CONTACT", "{ type: api")]).choose(None).expect_err("broken");
        assert!(
            error.to_string().starts_with("environment variable CONSTANT_CONTACT: "),
            "{error}"
        );
        // Another one that is named can still be used.
        let mut connections = variables(&[("BAD", "{ spec: constant-contact"), ("GOOD", GOOD)]);
        assert_eq!(chosen(&mut connections, Some("GOOD")).as_deref(), Some("GOOD"));
        assert!(connections.choose(None).is_err());
    }
}
