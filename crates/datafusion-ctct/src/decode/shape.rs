//! The Arrow schema of an answer, and the way from it to columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type, Schema, SchemaRef};
use ctct_endpoints::{Endpoint, Envelope, Field as Column};

use crate::schema::arrow_type;

/// The member that holds the links of a page.
pub(super) const LINKS: &str = "_links";

/// The columns that are read of an endpoint, and how they stand in its answers.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    envelope: Envelope,
    paged: bool,
    count: Option<&'static str>,
    columns: Vec<&'static Column>,
}

impl Shape {
    /// The shape of answers with these columns; names that the endpoint does not have
    /// are left out.
    pub(super) fn new(endpoint: &Endpoint, columns: &[&str]) -> Self {
        Self {
            envelope: endpoint.envelope,
            paged: matches!(endpoint.paging, ctct_endpoints::Paging::Links { .. }),
            count: endpoint.count.map(|count| count.member),
            columns: columns.iter().filter_map(|name| endpoint.field(name)).collect(),
        }
    }

    /// The shape of an answer that is one row of the endpoint.
    pub(super) fn of_row(endpoint: &Endpoint, columns: &[&str]) -> Self {
        let shape = Self::new(endpoint, columns);
        Self { envelope: Envelope::Object, paged: false, count: None, ..shape }
    }

    /// The same envelope around other columns.
    pub(super) fn with_columns(&self, columns: Vec<&'static Column>) -> Self {
        Self { columns, ..*self }
    }

    pub(super) fn columns(&self) -> &[&'static Column] {
        &self.columns
    }

    /// The envelope's name for its rows, in words.
    pub(super) fn rows_name(&self) -> &'static str {
        match self.envelope {
            Envelope::Array(name) => name,
            Envelope::Object => "object",
        }
    }

    /// The schema of the columns.
    pub(super) fn table_schema(&self) -> SchemaRef {
        let fields = self.columns.iter();
        Arc::new(Schema::new(
            fields
                .map(|column| Field::new(column.name, arrow_type(&column.kind), true))
                .collect::<Vec<_>>(),
        ))
    }

    /// The schema of a whole answer.
    pub(super) fn answer_schema(&self) -> SchemaRef {
        let row = DataType::Struct(members(&self.columns, 0));
        let mut fields = match self.envelope {
            Envelope::Array(name) => vec![Field::new(name, DataType::new_list(row, true), true)],
            Envelope::Object => match row {
                DataType::Struct(fields) => {
                    fields.iter().map(|field| field.as_ref().clone()).collect()
                }
                _ => Vec::new(),
            },
        };
        if self.paged {
            let href = Field::new("href", DataType::Utf8, true);
            let next = Field::new("next", DataType::Struct([href].into_iter().collect()), true);
            fields.push(Field::new(LINKS, DataType::Struct([next].into_iter().collect()), true));
        }
        fields.extend(self.count.map(|name| Field::new(name, DataType::Int64, true)));
        Arc::new(Schema::new(fields))
    }

    /// How many rows the whole answer has, where a page tells.
    pub(super) fn count(&self, answer: &StructArray) -> Option<u64> {
        let counts = answer.column_by_name(self.count?)?.as_primitive_opt::<Int64Type>()?;
        u64::try_from(counts.is_valid(0).then(|| counts.value(0))?).ok()
    }

    /// The rows of a decoded answer; none where it has no array of rows.
    pub(super) fn rows(&self, answer: &StructArray) -> Option<StructArray> {
        match self.envelope {
            Envelope::Object => Some(answer.clone()),
            Envelope::Array(name) => {
                let list = answer.column_by_name(name)?.as_list_opt::<i32>()?;
                (list.len() == 1 && list.is_valid(0)).then(|| list.value(0).as_struct().clone())
            }
        }
    }

    /// The columns of rows, in order.
    pub(super) fn columns_of(&self, rows: &StructArray) -> Vec<ArrayRef> {
        let of = |column: &Column| -> Option<ArrayRef> {
            let mut parent = rows;
            for name in column.parents {
                parent = parent.column_by_name(name)?.as_struct_opt()?;
            }
            parent.column_by_name(column.member).cloned()
        };
        let missing =
            |column: &Column| arrow::array::new_null_array(&arrow_type(&column.kind), rows.len());
        self.columns.iter().map(|column| of(column).unwrap_or_else(|| missing(column))).collect()
    }
}

/// The members of an object at this depth, columns with a common parent together.
fn members(columns: &[&'static Column], depth: usize) -> Fields {
    let mut fields: Vec<FieldRef> = Vec::new();
    for column in columns {
        let (name, data_type) = match column.parents.get(depth) {
            None => (column.member, arrow_type(&column.kind)),
            Some(parent) => {
                let path = &column.parents[..=depth];
                let siblings: Vec<_> = columns
                    .iter()
                    .copied()
                    .filter(|other| other.parents.starts_with(path))
                    .collect();
                (*parent, DataType::Struct(members(&siblings, depth + 1)))
            }
        };
        if !fields.iter().any(|field| field.name() == name) {
            fields.push(Arc::new(Field::new(name, data_type, true)));
        }
    }
    fields.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_one_object_share_it() {
        let contacts = ctct_endpoints::find("contacts").expect("declared");
        let shape = Shape::new(contacts, &["email_opt_out_date", "contact_id", "email_address"]);
        let schema = shape.answer_schema();
        assert_eq!(schema.fields().len(), 3, "the rows, the links and the count");
        let DataType::List(row) = schema.field(0).data_type() else { panic!("a list of rows") };
        let DataType::Struct(members) = row.data_type() else { panic!("rows are objects") };
        let names: Vec<_> = members.iter().map(|member| member.name().as_str()).collect();
        assert_eq!(names, ["email_address", "contact_id"]);
        let DataType::Struct(email) = members[0].data_type() else { panic!("an object") };
        let names: Vec<_> = email.iter().map(|member| member.name().as_str()).collect();
        assert_eq!(names, ["opt_out_date", "address"]);
    }
}
