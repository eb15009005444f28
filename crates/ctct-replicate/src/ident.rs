//! Names of schemas, tables and columns in PostgreSQL: checked once, quoted always.

use std::fmt;

use crate::{Error, Result};

/// PostgreSQL keeps this many bytes of a name, and drops the rest without a word.
const LONGEST: usize = 63;

/// A name that PostgreSQL keeps as it is.
///
/// `Display` writes it quoted, whatever it holds: there is no other way to put a name into a
/// statement.
///
/// ```
/// use ctct_replicate::Ident;
///
/// assert_eq!(Ident::new("say \"hello\"")?.to_string(), "\"say \"\"hello\"\"\"");
/// assert!(Ident::new("a\0b").is_err() && Ident::new("").is_err());
/// assert!(Ident::new(&"é".repeat(32)).is_err(), "64 bytes");
/// # Ok::<(), ctct_replicate::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

impl Ident {
    /// A name as it is written in the replication's file.
    ///
    /// # Errors
    /// Where it is empty, has a NUL, or more than 63 bytes: PostgreSQL would shorten it, and
    /// two names might become one.
    pub fn new(name: &str) -> Result<Self> {
        if name.is_empty() {
            return Err(Error::configuration("a name in the target is empty"));
        }
        if name.contains('\0') {
            return Err(Error::configuration(format!(
                "the name {name:?} has a NUL, which PostgreSQL has no form for"
            )));
        }
        if name.len() > LONGEST {
            let shown: String = name.chars().take(20).collect();
            return Err(Error::configuration(format!(
                "the name {shown}… has {} bytes; PostgreSQL keeps {LONGEST}",
                name.len()
            ))
            .with_hint(
                "give it a shorter name: `object` for a table, AS for a column of a query",
            ));
        }
        Ok(Self(name.to_owned()))
    }

    /// A name of ours that is made of another one, shortened where it must be and then made
    /// different by a hash of all of it.
    pub(crate) fn derived(&self, suffix: &str) -> Self {
        let whole = format!("{}{suffix}", self.0);
        if whole.len() <= LONGEST {
            return Self(whole);
        }
        let tail = format!("_{:08x}{suffix}", fingerprint(&self.0));
        let mut kept = LONGEST - tail.len();
        while !self.0.is_char_boundary(kept) {
            kept -= 1;
        }
        Self(format!("{}{tail}", self.0.split_at(kept).0))
    }

    /// The name without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A hash that is the same on all machines and in all versions (FNV-1a).
pub(crate) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A text as it stands in a statement.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\0', "\u{fffd}").replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// A table and its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The schema.
    pub schema: Ident,
    /// The table.
    pub table: Ident,
}

impl TableName {
    /// A table of ours beside this one.
    pub(crate) fn beside(&self, suffix: &str) -> Self {
        Self { schema: self.schema.clone(), table: self.table.derived(suffix) }
    }

    /// The name without quotes, for people.
    pub fn plain(&self) -> String {
        format!("{}.{}", self.schema.as_str(), self.table.as_str())
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ours_stay_different_when_they_are_shortened() {
        let (one, other) = (
            Ident::new(&format!("{}a", "x".repeat(60))).expect("61 bytes"),
            Ident::new(&format!("{}b", "x".repeat(60))).expect("61 bytes"),
        );
        let (a, b) = (one.derived("__new"), other.derived("__new"));
        assert_ne!(a, b);
        assert!(a.as_str().len() <= LONGEST && a.as_str().ends_with("__new"));
        assert_eq!(Ident::new("t").expect("short").derived("__new").as_str(), "t__new");
        let wide = Ident::new(&"é".repeat(31)).expect("62 bytes").derived("__new");
        assert!(wide.as_str().len() <= LONGEST);
    }

    proptest::proptest! {
        /// Whatever a name holds, a quote in it never ends it.
        #[test]
        fn a_quoted_name_is_one_token(name in ".{1,20}") {
            if let Ok(ident) = Ident::new(&name) {
                let quoted = ident.to_string();
                let inner = &quoted[1..quoted.len() - 1];
                proptest::prop_assert_eq!(inner.replace("\"\"", ""), name.replace('"', ""));
                proptest::prop_assert!(inner.matches('"').count() % 2 == 0);
            }
            let text = literal(&name);
            let inner = text.trim_start_matches('E');
            let inner = &inner[1..inner.len() - 1];
            proptest::prop_assert!(inner.replace("''", "").find('\'').is_none());
        }
    }
}
