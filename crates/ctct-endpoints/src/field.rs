//! A column: its name, where its value stands in a row's JSON, and its type.

use crate::{Defined, OnRequest};

/// One column of a table, or one member of a nested structure.
///
/// Fields are declared with the constructors below and refined by [`at`](Self::at)
/// and [`when`](Self::when), all of them usable in constants:
///
/// ```
/// use ctct_endpoints::Field;
///
/// const ADDRESS: Field =
///     Field::text("email_address", "The e-mail address.").at(&["email_address"], "address");
/// assert_eq!(ADDRESS.path().collect::<Vec<_>>(), ["email_address", "address"]);
///
/// const NAME: Field = Field::text("first_name", "The first name.");
/// assert_eq!(NAME.path().collect::<Vec<_>>(), ["first_name"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The column's name.
    pub name: &'static str,
    /// The objects that enclose the value in a row's JSON, outermost first.
    pub parents: &'static [&'static str],
    /// The member name of the value itself.
    pub member: &'static str,
    /// The type of the value.
    pub kind: Kind,
    /// What must be asked for so that the API sends the value at all.
    pub on_request: Option<OnRequest>,
    /// Where the value is found at all.
    pub source: Source,
    /// What the value says, in one sentence.
    pub description: &'static str,
}

/// Where a value is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// In each row of an answer.
    Answer,
    /// In the request alone: the key of a parent, or a bound of a period.
    Request,
    /// In the answer about one row alone, which is asked for row by row.
    Detail,
    /// In a row, said with the words of its definition.
    Definition(Defined),
}

/// The type of a value, as SQL sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; also what has no fixed form, such as an anniversary.
    Text,
    /// An identifier: text, even where the API sends a number.
    Identifier,
    /// A whole number; read from a number or from text.
    Integer,
    /// A rate or an amount; read from a number or from text.
    Number,
    /// True or false.
    Boolean,
    /// A point in time, kept in UTC to the microsecond, whatever offset it came with.
    Timestamp,
    /// A day without a time.
    Date,
    /// A value of any form, an object or a list in most cases, as JSON text.
    Json,
    /// Texts by name.
    Map,
    /// A list of values of one type.
    List(&'static Self),
    /// An object inside a list.
    Struct(&'static [Field]),
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:expr;)*) => {
        impl Field {
            $(
                $(#[$doc])*
                pub const fn $name(name: &'static str, description: &'static str) -> Self {
                    Self::new(name, $kind, description)
                }
            )*
        }
    };
}

constructors! {
    /// A [`Kind::Text`] field found under its own name.
    text => Kind::Text;
    /// A [`Kind::Identifier`] field found under its own name.
    identifier => Kind::Identifier;
    /// A [`Kind::Number`] field found under its own name.
    number => Kind::Number;
    /// A [`Kind::Integer`] field found under its own name.
    integer => Kind::Integer;
    /// A [`Kind::Boolean`] field found under its own name.
    boolean => Kind::Boolean;
    /// A [`Kind::Timestamp`] field found under its own name.
    timestamp => Kind::Timestamp;
    /// A [`Kind::Date`] field found under its own name.
    date => Kind::Date;
    /// A [`Kind::Json`] field found under its own name.
    json => Kind::Json;
}

impl Field {
    /// A field of any kind, found under its own name.
    pub const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            parents: &[],
            member: name,
            kind,
            on_request: None,
            source: Source::Answer,
            description,
        }
    }

    /// The same field, found as `member` inside the objects `parents`.
    #[must_use]
    pub const fn at(mut self, parents: &'static [&'static str], member: &'static str) -> Self {
        self.parents = parents;
        self.member = member;
        self
    }

    /// The same field, sent by the API only when it is asked for.
    #[must_use]
    pub const fn when(mut self, on_request: OnRequest) -> Self {
        self.on_request = Some(on_request);
        self
    }

    /// The same field, known by what was asked for: answers do not repeat it.
    #[must_use]
    pub const fn of_request(mut self) -> Self {
        self.source = Source::Request;
        self
    }

    /// The same field, sent only where one row is asked for.
    #[must_use]
    pub const fn in_detail(mut self) -> Self {
        self.source = Source::Detail;
        self
    }

    /// The same field, made from the row and the definitions that it names.
    #[must_use]
    pub const fn defined(mut self, how: Defined) -> Self {
        self.source = Source::Definition(how);
        self
    }

    /// Whether only the request knows the value.
    pub const fn is_of_request(&self) -> bool {
        matches!(self.source, Source::Request)
    }

    /// What is made of the row and its definitions, where the field is.
    pub const fn definition(&self) -> Option<Defined> {
        match self.source {
            Source::Definition(how) => Some(how),
            _ => None,
        }
    }

    /// The member names that lead from a row's object to the value.
    pub fn path(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.parents.iter().copied().chain(std::iter::once(self.member))
    }
}
