//! Query parameters that an endpoint understands, and the columns they answer to.

/// A value that a parameter must hold so that the API sends certain fields.
///
/// Several values of one parameter are sent as one comma-separated list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OnRequest {
    /// The parameter, such as `include`.
    pub parameter: &'static str,
    /// The value, such as `custom_fields`.
    pub value: &'static str,
}

/// How a page tells how many rows the whole answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountParameter {
    /// The parameter that asks for it, when it is `true`.
    pub parameter: &'static str,
    /// The member of the answer that holds it.
    pub member: &'static str,
}

/// How the API finds rows by the values of one column.
///
/// A request may bring other rows, too, and readers drop those; it must bring all that
/// have one of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBinding {
    /// The column; for a list, its members.
    pub column: &'static str,
    /// What is sent for its values.
    pub request: KeyRequest,
}

/// What is sent for the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRequest {
    /// A request for each value, which follows the endpoint's path. The answer's object is
    /// the row; status 404 says that there is none.
    LookUp,
    /// A request for each value, with the value as this parameter.
    Equal {
        /// The parameter's name.
        parameter: &'static str,
    },
    /// The same, of values that the API knows; for others the request is refused.
    OneOf {
        /// The parameter's name.
        parameter: &'static str,
        /// All values that it takes.
        values: &'static [&'static str],
    },
    /// One request for all values, separated by commas, whose rows have any of them.
    List {
        /// The parameter's name.
        parameter: &'static str,
        /// How many values it takes.
        maximum: usize,
    },
    /// One request for all values, each as this parameter, which is repeated.
    Repeated {
        /// The parameter's name.
        parameter: &'static str,
        /// All values that it takes; for others the request is refused.
        values: &'static [&'static str],
    },
    /// One request for all values, each by a name of the API's own.
    Named {
        /// The parameter's name.
        parameter: &'static str,
        /// A value and its name, for all values that there are.
        names: &'static [(&'static str, &'static str)],
    },
}

impl KeyRequest {
    /// The parameter that has the values; none where they stand in the path.
    pub const fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::LookUp => None,
            Self::Equal { parameter }
            | Self::OneOf { parameter, .. }
            | Self::List { parameter, .. }
            | Self::Repeated { parameter, .. }
            | Self::Named { parameter, .. } => Some(parameter),
        }
    }

    /// The parameter that takes this value alone, where there is one.
    pub fn of_one(&self, value: &str) -> Option<&'static str> {
        match self {
            Self::Equal { parameter } => Some(parameter),
            Self::OneOf { parameter, values } => values.contains(&value).then_some(parameter),
            _ => None,
        }
    }
}

/// The two parameters that restrict the range of one time column.
///
/// Whether the API counts the bounds themselves as inside, and to which
/// precision it compares, is documented nowhere. Readers therefore send bounds
/// that are a little too wide and apply the exact range themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeParameter {
    /// The column, of kind [`Timestamp`](crate::Kind::Timestamp).
    pub column: &'static str,
    /// The parameter of the lower bound.
    pub after: &'static str,
    /// The parameter of the upper bound.
    pub before: &'static str,
}
