//! What one endpoint is: the declaration that all other crates read.

use crate::{
    CountParameter, Definitions, Field, KeyBinding, OnRequest, Order, Parent, Period,
    RangeParameter, Source, Window,
};

/// One GET endpoint of the V3 API, declared as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The table's name, as users write it.
    pub table: &'static str,
    /// What a row of the table is, in one sentence.
    pub description: &'static str,
    /// The path below the API's base (`https://api.cc.email/v3`), with its leading slash. A
    /// name in braces stands for the key of a [`parent`](Self::parent).
    pub path: &'static str,
    /// Parameters that every request for rows has, unless it has another value for them.
    pub fixed: &'static [(&'static str, &'static str)],
    /// The OAuth scope that the endpoint asks for; empty where any will do.
    pub scope: &'static str,
    /// Where the rows stand in an answer.
    pub envelope: Envelope,
    /// How the endpoint splits its answer into pages.
    pub paging: Paging,
    /// The columns, in the order in which `SELECT *` shows them.
    pub fields: &'static [Field],
    /// The columns that identify a row; empty where a table has one row only.
    pub key: &'static [&'static str],
    /// The columns whose range the API can restrict.
    pub ranges: &'static [RangeParameter],
    /// The columns by whose values the API finds rows.
    pub keys: &'static [KeyBinding],
    /// A member that is null in every row that belongs to the table. Requests that the API
    /// answers with other rows, too, read it, and those rows are dropped.
    pub always_null: Option<Field>,
    /// The way into a row of the API to a list whose members are the rows of the table.
    /// Fields whose parents begin with it are read from the members (an empty name for a
    /// member itself), all others from the row around the list.
    pub list: Option<&'static [&'static str]>,
    /// How the API counts the rows of the whole answer, where it does.
    pub count: Option<CountParameter>,
    /// Whose rows the requests are for, where each is for one of them, or for several.
    pub parent: Option<Parent>,
    /// The time that a request must be about.
    pub period: Option<Period>,
    /// The column whose value, appended to the path, gives the answer about one row: that
    /// has what the answer about all leaves out. None where nothing is left out.
    pub detail: Option<&'static str>,
    /// What values of the rows name only by an identifier.
    pub definitions: Option<Definitions>,
    /// Whether names of members may be written with dots where they are declared with
    /// underscores.
    pub dotted: bool,
    /// The order in which the API is documented to give the rows.
    pub order: Option<Order>,
    /// The column by which a large answer is split into parts that are read side by side.
    pub window: Option<Window>,
    /// The column whose watermark makes incremental reading possible.
    pub watermark: Option<&'static str>,
    /// Further columns whose ranges find changes that do not move the watermark.
    pub further_watermarks: &'static [&'static str],
    /// The table of rows that were here and are gone, with the columns of this one.
    pub gone: Option<&'static str>,
    /// About how many rows an ordinary account has, for join order and request estimates.
    pub estimated_rows: u64,
}

/// Where the rows stand in an answer's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// An object that holds the rows as an array under this key.
    Array(&'static str),
    /// The answer's object is the one row.
    Object,
    /// The answer is an array of rows.
    Bare,
}

/// How an endpoint splits its answer into pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// The whole answer in one response.
    Single,
    /// `_links.next.href` leads to the next page until it is missing or null.
    Links {
        /// The largest page that the API gives (its `limit` parameter).
        maximum: u32,
    },
    /// The same, in pages of a size that nobody chooses.
    FixedLinks {
        /// How many rows a page has.
        rows: u32,
    },
    /// An answer names a cursor for the next page, beside or instead of a link.
    Cursor {
        /// The parameter that takes the cursor.
        parameter: &'static str,
        /// The member of the answer that has it; null or missing at the end.
        member: &'static str,
        /// The largest page that the API gives (its `limit` parameter).
        maximum: u32,
    },
}

impl Paging {
    /// The largest page; none where there are no pages.
    pub const fn maximum(self) -> Option<u32> {
        match self {
            Self::Single => None,
            Self::FixedLinks { rows } => Some(rows),
            Self::Links { maximum } | Self::Cursor { maximum, .. } => Some(maximum),
        }
    }

    /// Whether requests say how large a page they want.
    pub const fn has_limit(self) -> bool {
        matches!(self, Self::Links { .. } | Self::Cursor { .. })
    }
}

impl Endpoint {
    /// What a declaration says where it says nothing: declarations are written as what
    /// differs from this.
    pub const PLAIN: Self = Self {
        table: "",
        description: "",
        path: "",
        fixed: &[],
        scope: "",
        envelope: Envelope::Object,
        paging: Paging::Single,
        fields: &[],
        key: &[],
        ranges: &[],
        keys: &[],
        always_null: None,
        list: None,
        count: None,
        parent: None,
        period: None,
        detail: None,
        definitions: None,
        dotted: false,
        order: None,
        window: None,
        watermark: None,
        further_watermarks: &[],
        gone: None,
        estimated_rows: 1,
    };

    /// How many rows a request gives at most.
    pub fn page_size(&self) -> u32 {
        match (self.paging.maximum(), self.parent) {
            (Some(maximum), _) => maximum,
            (None, Some(parent)) => u32::try_from(parent.keys_at_once).unwrap_or(u32::MAX),
            (None, None) => 1,
        }
    }

    /// Whether a request is for values of this column.
    pub fn is_key_of_parent(&self, column: &str) -> bool {
        self.parent.is_some_and(|parent| parent.columns().any(|key| key == column))
    }

    /// Whether a field is read from the members of the table's list.
    pub fn is_of_member(&self, field: &Field) -> bool {
        self.list.is_some_and(|list| field.parents.starts_with(list))
    }

    /// The field without which the table's list would not be read.
    pub fn carrier(&self) -> Option<&'static Field> {
        self.fields.iter().find(|field| self.is_of_member(field))
    }

    /// The field whose column has this name.
    pub fn field(&self, column: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == column)
    }

    /// The parameters that restrict this column's range, where the API has any.
    pub fn range(&self, column: &str) -> Option<&'static RangeParameter> {
        self.ranges.iter().find(|range| range.column == column)
    }

    /// The columns by which requests can be restricted: the parent's key, the period, ranges,
    /// keys, and the column by which rows are ordered.
    pub fn pushed_columns(&self) -> impl Iterator<Item = &'static str> + '_ {
        let parent = self.parent.iter().flat_map(Parent::columns);
        let period = self.period.iter().flat_map(|period| [period.from, period.to]);
        let ranges = self.ranges.iter().map(|range| range.column);
        let order = self.order.iter().map(|order| order.column);
        let order = order.filter(|column| self.range(column).is_none());
        parent
            .chain(period)
            .chain(ranges)
            .chain(self.keys.iter().map(|binding| binding.column))
            .chain(order)
    }

    /// Whether a column is a bound of the time that requests are about.
    pub fn is_of_period(&self, column: &str) -> bool {
        self.period.is_some_and(|period| period.from == column || period.to == column)
    }

    /// Whether some of these columns are sent only where one row is asked for.
    pub fn needs_detail<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> bool {
        let mut fields = columns.into_iter().filter_map(|column| self.field(column));
        self.detail.is_some() && fields.any(|field| field.source == Source::Detail)
    }

    /// How the API finds rows by this column's values, where it does.
    pub fn key_binding(&self, column: &str) -> Option<&'static KeyBinding> {
        self.keys.iter().find(|binding| binding.column == column)
    }

    /// What must be asked for so that these columns are in the answer, without
    /// duplicates, in an order that does not depend on the table: tables that read the same
    /// pages ask for them in the same words.
    pub fn on_request<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Vec<OnRequest> {
        let wanted: Vec<&str> = columns.into_iter().collect();
        let mut found: Vec<OnRequest> = Vec::new();
        let carrier = self.carrier().map(|field| field.name);
        for field in self.fields {
            if let Some(request) = field.on_request
                && (wanted.contains(&field.name) || carrier == Some(field.name))
                && !found.contains(&request)
            {
                found.push(request);
            }
        }
        found.sort_unstable();
        found
    }
}
