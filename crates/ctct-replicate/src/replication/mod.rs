//! A replication file: what is read, where it goes, and how.

mod expand;
mod object;
mod stream;
mod yaml;

use std::collections::BTreeMap;

use crate::{Error, Result};
pub use object::{Moment, Names, object_name};
pub use stream::{Casing, Mode, StreamSettings};
use yaml::{Document, Section};

/// What a replication file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// The connection that is read.
    pub source: String,
    /// The connection that is written.
    pub target: String,
    /// What holds for every stream that says nothing else.
    pub defaults: StreamSettings,
    /// The streams in the order of the file: a name or a pattern, and what it says.
    pub streams: Vec<(String, StreamSettings)>,
    /// Values for `{name}` in objects and queries.
    pub env: BTreeMap<String, String>,
}

impl Replication {
    /// Reads a replication file.
    ///
    /// ```
    /// use ctct_replicate::{Mode, Replication};
    ///
    /// let replication = Replication::parse(
    ///     "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\ndefaults:\n  mode: full-refresh\n  \
    ///      object: constant_contact.{stream_name}\nstreams:\n  contacts:\n    mode: incremental\n  contact_lists:\n",
    /// )?;
    /// assert_eq!(replication.streams[0].1.mode, Some(Mode::Incremental));
    /// let error = Replication::parse("source: A\ntarget: B\nstreams:\n  contacts:\n    moed: x\n").unwrap_err();
    /// assert_eq!(error.to_string(), "line 5: there is no key `moed`");
    /// assert_eq!(error.hint(), Some("did you mean `mode`?"));
    /// # Ok::<(), ctct_replicate::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where the text is no YAML or says what a replication cannot; with the line, and the
    /// key that was probably meant.
    pub fn parse(text: &str) -> Result<Self> {
        let document = Document::parse(text)?;
        let root = document.section()?;
        if root.get("hooks").is_some() {
            return Err(hooks(&root));
        }
        root.only(&["source", "target", "defaults", "streams", "env"])?;
        let needed = |key: &str| {
            root.text(key)?.ok_or_else(|| Error::configuration(format!("`{key}` is missing")))
        };
        let (source, target) = (needed("source")?, needed("target")?);
        let defaults = root.section_or_empty("defaults")?;
        if defaults.get("hooks").is_some() {
            return Err(hooks(&defaults));
        }
        let streams = root.section_or_empty("streams")?;
        let mut all = Vec::new();
        for (name, _) in streams.members() {
            let section = streams.section_or_empty(name)?;
            if section.get("hooks").is_some() {
                return Err(hooks(&section));
            }
            all.push((name.to_owned(), StreamSettings::read(&section)?));
        }
        // A mapping has no order; its text has.
        all.sort_by_key(|(name, _)| document.line_of(&["streams".to_owned(), name.clone()]));
        if all.is_empty() {
            return Err(Error::configuration("there are no streams")
                .with_hint("name tables under `streams:`, or '*' for all of them"));
        }
        let env = root.section_or_empty("env")?;
        let env = env
            .members()
            .map(|(key, _)| Ok((key.to_owned(), env.text(key)?.unwrap_or_default())))
            .collect::<Result<_>>()?;
        Ok(Self { source, target, defaults: StreamSettings::read(&defaults)?, streams: all, env })
    }
}

fn hooks(section: &Section<'_>) -> Error {
    section.error(Some("hooks"), "ctct runs no hooks").with_hint(
        "`target_options` has `pre_sql` and `post_sql`; what else is to run belongs around `ctct run`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(streams: &str) -> Result<Replication> {
        Replication::parse(&format!("source: S\ntarget: T\nstreams:\n{streams}"))
    }

    #[test]
    fn a_stream_without_a_value_is_as_the_defaults_say() {
        let replication = parsed("  segments:\n  contacts:\n  '*':\n").expect("valid");
        let names: Vec<&str> = replication.streams.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["segments", "contacts", "*"], "in the order of the file");
        assert!(replication.streams.iter().all(|(_, said)| *said == StreamSettings::default()));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (streams, message, hint) in [
            ("  contacts:\n    mode: incremnetal\n", "line 5: `mode` should be", "incremental"),
            ("  contacts: 7\n", "line 4: `contacts` should be a mapping", ""),
            ("  contacts:\n    hooks: {}\n", "line 5: ctct runs no hooks", "pre_sql"),
            (
                "  contacts:\n    target_options: { add_new_colums: true }\n",
                "line 5: there is no key `add_new_colums`",
                "add_new_columns",
            ),
            ("  contacts:\n    select: 7\n", "line 5: `select` should be a list of texts", ""),
        ] {
            let error = parsed(streams).expect_err(streams);
            assert!(error.to_string().starts_with(message), "{error}");
            let said = format!("{error} {}", error.hint().unwrap_or_default());
            assert!(said.contains(hint), "{said}");
        }
        assert!(Replication::parse("source: S\ntarget: T\n").is_err());
        assert!(Replication::parse("source: [").is_err());
    }
}
