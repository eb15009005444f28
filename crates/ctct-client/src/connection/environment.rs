//! Connections in environment variables: each a YAML or JSON text.

use super::Connection;
use crate::likely::likely;
use crate::{Error, ErrorKind, Result};

/// The variable that the documentation uses, and the connection that is used
/// when several are there and none is named.
const USUAL_NAME: &str = "CONSTANT_CONTACT";

/// The connections that were found, and those that could not be read.
#[derive(Debug, Default)]
pub struct Connections {
    found: Vec<Connection>,
    broken: Vec<(String, Error)>,
}

/// Finds connections among environment variables.
///
/// A variable is taken for a connection when it has the usual name
/// (`CONSTANT_CONTACT`) or when its value speaks of `constant-contact`; other
/// variables are nobody's business here and are not even parsed.
pub fn from_environment(variables: impl IntoIterator<Item = (String, String)>) -> Connections {
    let mut connections = Connections::default();
    for (name, value) in variables {
        if name.eq_ignore_ascii_case(USUAL_NAME) || value.contains("constant-contact") {
            match Connection::parse(&name, &format!("environment variable {name}"), &value) {
                Ok(connection) => connections.found.push(connection),
                Err(error) => connections.broken.push((name, error)),
            }
        }
    }
    connections.found.sort_by(|a, b| a.name.cmp(&b.name));
    connections
}

impl Connections {
    /// These connections and one more.
    pub fn push(&mut self, connection: Connection) {
        self.found.push(connection);
    }

    /// All connections that can be used, by name.
    pub fn all(&self) -> &[Connection] {
        &self.found
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
        let names = self.names();
        let found = self.found.iter().find(|c| c.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let error = Error::new(ErrorKind::Configuration, format!("there is no connection {name}"));
            match likely(name, names.iter().map(String::as_str)) {
                Some(meant) => error.with_hint(format!("did you mean {meant}?")),
                None if names.is_empty() => error.with_hint(
                    "no connection is configured; set the environment variable CONSTANT_CONTACT, or try --sandbox",
                ),
                None => error.with_hint(format!("the connections are {}", names.join(", "))),
            }
        })
    }

    fn names(&self) -> Vec<String> {
        self.found.iter().map(|connection| connection.name.clone()).collect()
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
