//! Values that name their definition only by its identifier, and what is made of the two.

/// Where the definitions of values are, and how the two are read.
///
/// Definitions are rows of a table of their own. They are read when a column is wanted that
/// is made from them, and once for a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definitions {
    /// The table of the definitions.
    pub table: &'static str,
    /// The column of a definition that identifies it, and the member of a value that names it.
    pub identifier: &'static str,
    /// The column with a definition's name.
    pub name: &'static str,
    /// The column that says of what type its values are.
    pub kind: &'static str,
    /// The column with the choices that a definition offers: a list of objects.
    pub choices: &'static str,
    /// The member of a choice that identifies it.
    pub choice: &'static str,
    /// The member of a choice with its label.
    pub label: &'static str,
    /// The column of the table that is a list of values; none where the rows are the values.
    pub list: Option<&'static str>,
    /// The member of a value that is its text.
    pub value: &'static str,
    /// The member of a value that lists the choices made.
    pub chosen: &'static str,
}

/// What is made of a value and its definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defined {
    /// All values of a row by the names of their definitions; choices as their labels.
    ByName,
    /// The name of the definition.
    Name,
    /// The type of the definition, in the API's word.
    Kind,
    /// The value of what is text, or the labels of choices, separated by commas.
    Text,
    /// The value of what is a number.
    Number,
    /// The value of what is a date; the day of what is a date and a time.
    Date,
    /// The value of what is a date and a time.
    Time,
    /// The value of what is true or false.
    Boolean,
}
