//! How the rows of an endpoint stand to other rows: whose they are, in which order they
//! come, and by what they can be told apart into parts.

use crate::Field;

/// Whose rows an endpoint's requests are for.
///
/// A request of such an endpoint names one or more rows of a parent table by their key: in
/// its path, in the place of the braces, or as a parameter. Which keys are meant a query
/// says itself, or a join, or a subquery; otherwise the parent table is read for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The column of this table that has the key.
    pub column: &'static str,
    /// The parameter that has the key, where it does not stand in the path.
    pub parameter: Option<&'static str>,
    /// The table that has a row for each key.
    pub table: &'static str,
    /// That table's column.
    pub key: &'static str,
    /// Further parts of the key, each a column of this table and the parent's for it. They
    /// stand in the path, in this order, after the first one.
    pub with: &'static [(&'static str, &'static str)],
    /// Rows of the parent for which there is nothing, so that nothing is asked for them.
    pub without: Option<Without>,
    /// A column of the parent and the only values of it for which there is anything.
    pub only: Option<(&'static str, &'static [&'static str])>,
    /// About how many keys there are, where many of the parent's rows have the same one.
    pub distinct: Option<u64>,
    /// How many keys a request takes, separated by commas. Where one of several is refused
    /// as not found, the others are asked for without it.
    pub keys_at_once: usize,
}

impl Parent {
    /// What a declaration says where it says nothing: one key, in the path.
    pub const PLAIN: Self = Self {
        column: "",
        parameter: None,
        table: "",
        key: "",
        with: &[],
        without: None,
        only: None,
        distinct: None,
        keys_at_once: 1,
    };

    /// The columns of this table that make up the key.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.column).chain(self.with.iter().map(|(column, _)| *column))
    }

    /// The columns of the parent's table that make up the key.
    pub fn parent_columns(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.key).chain(self.with.iter().map(|(_, key)| *key))
    }
}

/// Rows of a parent that have one of several values in a column, whichever case its
/// letters are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Without {
    /// The parent's column.
    pub column: &'static str,
    /// Its values, in lower case.
    pub values: &'static [&'static str],
}

impl Without {
    /// Whether a row with this value is one of them.
    ///
    /// ```
    /// let drafts = ctct_endpoints::Without { column: "current_status", values: &["draft"] };
    /// assert!(drafts.matches(Some("DRAFT")) && !drafts.matches(Some("Done")) && !drafts.matches(None));
    /// ```
    pub fn matches(&self, value: Option<&str>) -> bool {
        value.is_some_and(|value| self.values.iter().any(|known| known.eq_ignore_ascii_case(value)))
    }
}

/// The order in which an endpoint is documented to give its rows.
///
/// Readers rely on it only as far as they see it kept: a page that breaks it is a reason to
/// read all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The column, of kind [`Timestamp`](crate::Kind::Timestamp).
    pub column: &'static str,
    /// Whether the latest come first.
    pub descending: bool,
}

/// The time of a row that never changes, by which a large answer is split into parts.
///
/// The parts are ranges of this time, asked for by two parameters of which the rules of
/// [`RangeParameter`](crate::RangeParameter) hold. Because it never changes no row moves
/// from one part to another while they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The field of an API's row; no column of the table needs to have its name.
    pub field: Field,
    /// The parameter of the lower bound.
    pub after: &'static str,
    /// The parameter of the upper bound.
    pub before: &'static str,
}

/// The time that a request must be about.
///
/// What an answer says is said of the whole period: rows have its bounds as columns, which
/// are of the request. A query sets them by comparing the columns; what it leaves open is
/// filled in, up to now at one end and as early as the API allows at the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The column of the first moment.
    pub from: &'static str,
    /// The column of the last moment.
    pub to: &'static str,
    /// The parameter of the first moment.
    pub start: &'static str,
    /// The parameter of the last moment.
    pub end: &'static str,
    /// How many months long it may be; none where that is not limited.
    pub months: Option<u32>,
}
