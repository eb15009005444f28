//! What one endpoint is: the declaration that all other crates read.

use crate::{CountParameter, Field, KeyBinding, OnRequest, RangeParameter};

/// One GET endpoint of the V3 API, declared as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The table's name, as users write it.
    pub table: &'static str,
    /// What a row of the table is, in one sentence.
    pub description: &'static str,
    /// The path below the API's base (`https://api.cc.email/v3`), with its leading slash.
    pub path: &'static str,
    /// The OAuth scope that the endpoint asks for.
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
    /// The member of a row of the API that is a list whose members are the rows of the
    /// table. Fields whose outermost parent it is are read from the members (an empty name
    /// for a member itself), all others from the row around the list.
    pub list: Option<&'static str>,
    /// How the API counts the rows of the whole answer, where it does.
    pub count: Option<CountParameter>,
    /// The column whose watermark makes incremental reading possible.
    pub watermark: Option<&'static str>,
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
}

impl Endpoint {
    /// Whether a field is read from the members of the table's list.
    pub fn is_of_member(&self, field: &Field) -> bool {
        self.list.is_some() && field.parents.first().copied() == self.list
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

    /// The columns by which requests can be restricted: ranges first, then keys.
    pub fn pushed_columns(&self) -> impl Iterator<Item = &'static str> + use<> {
        let ranges = self.ranges.iter().map(|range| range.column);
        ranges.chain(self.keys.iter().map(|binding| binding.column))
    }

    /// How the API finds rows by this column's values, where it does.
    pub fn key_binding(&self, column: &str) -> Option<&'static KeyBinding> {
        self.keys.iter().find(|binding| binding.column == column)
    }

    /// What must be asked for so that these columns are in the answer, without
    /// duplicates and in the order of the declaration.
    pub fn on_request<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Vec<OnRequest> {
        let wanted: Vec<&str> = columns.into_iter().collect();
        let mut found = Vec::new();
        let carrier = self.carrier().map(|field| field.name);
        for field in self.fields {
            if let Some(request) = field.on_request
                && (wanted.contains(&field.name) || carrier == Some(field.name))
                && !found.contains(&request)
            {
                found.push(request);
            }
        }
        found
    }
}
