//! How results are shown.

use crate::arguments::{Arguments, Expanded, Format};

/// How many rows of a table are shown on a terminal where nobody says otherwise.
const SHOWN_ON_TERMINAL: usize = 1_000;

/// How results are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) format: Format,
    /// Whether each row is shown as lines of name and value.
    pub(crate) expanded: Expanded,
    /// The most rows of a table; none where all are shown, and where nobody chose what a terminal
    /// takes.
    pub(crate) rows: Rows,
    /// What stands for a null; by default NULL in tables and nothing in CSV.
    pub(crate) null: Option<String>,
    /// Whether what is longer than the terminal is shown page by page.
    pub(crate) paged: bool,
}

/// How many rows of a table are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// A thousand on a terminal, all elsewhere.
    Usual,
    /// All.
    All,
    /// So many.
    Most(usize),
}

impl Style {
    /// As the command line says.
    pub(crate) fn of(arguments: &Arguments) -> Self {
        Self {
            format: arguments.format,
            expanded: arguments.expanded,
            rows: Rows::of(arguments.maxrows),
            null: arguments.null.clone(),
            paged: !arguments.no_pager && !arguments.no_input,
        }
    }

    /// Of this format, and otherwise as usual.
    pub(crate) fn plain(format: Format) -> Self {
        let expanded = Expanded::Auto;
        Self { format, expanded, rows: Rows::Usual, null: None, paged: false }
    }

    /// What stands for a null in tables.
    pub(super) fn null_in_table(&self) -> &str {
        self.null.as_deref().unwrap_or("NULL")
    }
}

impl Rows {
    /// As people write it: a number, 0 for all.
    pub(crate) fn of(number: Option<usize>) -> Self {
        match number {
            None => Self::Usual,
            Some(0) => Self::All,
            Some(most) => Self::Most(most),
        }
    }

    /// The most rows, on a terminal or elsewhere.
    pub(super) fn most(self, terminal: bool) -> usize {
        match self {
            Self::Usual if terminal => SHOWN_ON_TERMINAL,
            Self::Usual | Self::All => usize::MAX,
            Self::Most(most) => most,
        }
    }
}
