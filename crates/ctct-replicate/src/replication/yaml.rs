//! Reading mappings of YAML with errors that name the line and the key that was meant.

use ctct_client::likely;
use serde_json::{Map, Value};

use crate::{Error, Result};

/// A YAML file's text and what it says.
pub(crate) struct Document<'a> {
    text: &'a str,
    pub(crate) root: Value,
}

impl<'a> Document<'a> {
    /// Reads a text.
    pub(crate) fn parse(text: &'a str) -> Result<Self> {
        let root = serde_saphyr::from_str(text).map_err(|error| {
            let place = match error.location() {
                Some(at) => format!("line {}, column {}: ", at.line(), at.column()),
                None => String::new(),
            };
            Error::configuration(format!("{place}not valid YAML"))
        })?;
        Ok(Self { text, root })
    }

    /// The mapping at the root.
    pub(crate) fn section(&self) -> Result<Section<'_>> {
        Section::new(self, Vec::new(), &self.root)
    }

    /// The line on which a key stands: the first that has it, deeper than and after those
    /// around it. A mapping in one line has them all on that.
    pub(crate) fn line_of(&self, path: &[String]) -> Option<usize> {
        let mut from = 0;
        let mut found = None;
        for key in path {
            let lines = self.text.lines().enumerate().skip(from);
            let (number, _) = lines.into_iter().find(|(_, line)| {
                let line = line.trim_start();
                let quoted = [format!("\"{key}\""), format!("'{key}'"), key.clone()];
                quoted.iter().any(|written| {
                    line.match_indices(written.as_str()).any(|(at, _)| {
                        let before = line[..at].trim_end();
                        let after = line[at + written.len()..].trim_start();
                        let begins = before.is_empty() || before.ends_with(['{', ',', '-']);
                        begins && after.starts_with(':')
                    })
                })
            })?;
            found = Some(number + 1);
            from = number;
        }
        found
    }
}

/// A mapping, and where it stands.
#[derive(Clone)]
pub(crate) struct Section<'a> {
    document: &'a Document<'a>,
    path: Vec<String>,
    members: Option<&'a Map<String, Value>>,
}

impl<'a> Section<'a> {
    fn new(document: &'a Document<'a>, path: Vec<String>, value: &'a Value) -> Result<Self> {
        let section = Self { document, path, members: value.as_object() };
        if section.members.is_none() && !value.is_null() {
            return Err(section.wrong(None, "a mapping"));
        }
        Ok(section)
    }

    /// The keys and what they hold, in their order.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.members.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    /// Refuses keys that are none of these.
    pub(crate) fn only(&self, known: &[&str]) -> Result<()> {
        let Some((key, _)) = self.members().find(|(key, _)| !known.contains(key)) else {
            return Ok(());
        };
        let error = self.error(Some(key), &format!("there is no key `{key}`"));
        Err(match likely(key, known.iter().copied()) {
            Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
            None => error.with_hint(format!("the keys here are {}", known.join(", "))),
        })
    }

    /// What a key holds; none where it is not there, or null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.members?.get(key).filter(|value| !value.is_null())
    }

    /// The mapping that a key holds.
    pub(crate) fn section(&self, key: &str) -> Result<Option<Self>> {
        let path = self.path.iter().cloned().chain([key.to_owned()]).collect();
        self.get(key).map(|value| Section::new(self.document, path, value)).transpose()
    }

    /// The mapping that a key holds, empty where it holds nothing.
    pub(crate) fn section_or_empty(&self, key: &str) -> Result<Self> {
        let empty = Self {
            path: self.path.iter().cloned().chain([key.to_owned()]).collect(),
            members: None,
            document: self.document,
        };
        Ok(self.section(key)?.unwrap_or(empty))
    }

    /// Text; numbers are written out.
    pub(crate) fn text(&self, key: &str) -> Result<Option<String>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.wrong(Some(key), "text")),
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.wrong(Some(key), "true or false")),
        }
    }

    /// A number that is not negative.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => {
                value.as_u64().map(Some).ok_or_else(|| self.wrong(Some(key), "a number"))
            }
        }
    }

    /// A list of texts; one text stands for a list of it, commas separate several.
    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<String>>> {
        let split = |text: &str| {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect::<Vec<_>>()
        };
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(split(text))),
            Some(Value::Array(items)) => {
                let items = items.iter().map(|item| item.as_str().map(str::to_owned));
                let items: Option<Vec<String>> = items.collect();
                items.map(Some).ok_or_else(|| self.wrong(Some(key), "a list of texts"))
            }
            Some(_) => Err(self.wrong(Some(key), "a list of texts")),
        }
    }

    /// The error of a value that is not what it should be.
    pub(crate) fn wrong(&self, key: Option<&str>, expected: &str) -> Error {
        let name = key.or(self.path.last().map(String::as_str)).unwrap_or("the file");
        self.error(key, &format!("`{name}` should be {expected}"))
    }

    /// An error about a key, with its line.
    pub(crate) fn error(&self, key: Option<&str>, message: &str) -> Error {
        let path: Vec<String> = self.path.iter().cloned().chain(key.map(str::to_owned)).collect();
        let line = self.document.line_of(&path).map(|line| format!("line {line}: "));
        Error::configuration(format!("{}{message}", line.unwrap_or_default()))
    }
}
