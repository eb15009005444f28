//! Query parameters that an endpoint understands, and the columns they answer to.

/// A value that a parameter must hold so that the API sends certain fields.
///
/// Several values of one parameter are sent as one comma-separated list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
