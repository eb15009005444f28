//! The Arrow schema of an answer, and the way from it to columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use ctct_client::cursor_link;
use ctct_endpoints::{Endpoint, Envelope, Field as Column, Paging};

use super::asked::Asked;
use crate::schema::arrow_type;

/// The name that the rows of an answer are given that is an array.
pub(super) const ROWS: &str = "rows";
/// The member that holds the links of a page.
pub(super) const LINKS: &str = "_links";

/// The columns that are read of an endpoint, and how they stand in its answers.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) envelope: Envelope,
    /// Whether the answer is the array of rows itself.
    pub(super) is_bare: bool,
    paged: bool,
    /// The member with the cursor of the next page, and the parameter that takes it.
    cursor: Option<(&'static str, &'static str)>,
    count: Option<&'static str>,
    columns: Vec<&'static Column>,
    /// The list whose members are the rows, and what is always read of them.
    list: Option<(&'static [&'static str], &'static Column)>,
}

impl Shape {
    /// The shape of answers with these columns; names that the endpoint does not have
    /// are left out, and so are columns that are made of others.
    pub(super) fn new(endpoint: &'static Endpoint, columns: &[&str]) -> Self {
        let hidden = |name: &&str| {
            let window = endpoint.window.as_ref().map(|window| &window.field);
            endpoint.always_null.as_ref().into_iter().chain(window).find(|f| f.name == *name)
        };
        Self {
            envelope: match endpoint.envelope {
                // Such an answer is read as an object around it.
                Envelope::Bare => Envelope::Array(ROWS),
                envelope => envelope,
            },
            is_bare: endpoint.envelope == Envelope::Bare,
            paged: endpoint.paging != Paging::Single,
            cursor: match endpoint.paging {
                Paging::Cursor { parameter, member, .. } => Some((member, parameter)),
                _ => None,
            },
            count: endpoint.count.map(|count| count.member),
            columns: columns
                .iter()
                .filter_map(|name| endpoint.field(name).or_else(|| hidden(name)))
                .filter(|field| field.definition().is_none())
                .collect(),
            list: endpoint.list.zip(endpoint.carrier()),
        }
    }

    /// The shape of an answer that is one row of the endpoint.
    pub(super) fn of_row(endpoint: &'static Endpoint, columns: &[&str]) -> Self {
        let shape = Self::new(endpoint, columns);
        Self {
            envelope: Envelope::Object,
            is_bare: false,
            paged: false,
            cursor: None,
            count: None,
            ..shape
        }
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
            Envelope::Object | Envelope::Bare => "object",
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
        let row = DataType::Struct(self.row_members());
        let mut fields = match self.envelope {
            Envelope::Array(name) => vec![Field::new(name, DataType::new_list(row, true), true)],
            Envelope::Object | Envelope::Bare => match row {
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
        fields.extend(self.cursor.map(|(name, _)| Field::new(name, DataType::Utf8, true)));
        fields.extend(self.count.map(|name| Field::new(name, DataType::Int64, true)));
        Arc::new(Schema::new(fields))
    }

    /// The type of a whole answer as it is written.
    pub(super) fn answer_type(&self) -> DataType {
        let fields = self.answer_schema().fields().clone();
        match fields.iter().find(|field| self.is_bare && field.name() == ROWS) {
            Some(rows) => rows.data_type().clone(),
            None => DataType::Struct(fields),
        }
    }

    /// The link to the next page, where a page has one.
    pub(super) fn next_link(&self, answer: &StructArray) -> Option<String> {
        let text = |of: &StructArray, name: &str| {
            let texts = of.column_by_name(name)?.as_string_opt::<i32>()?;
            texts.is_valid(0).then(|| texts.value(0).to_owned())
        };
        let next = || answer.column_by_name(LINKS)?.as_struct_opt()?.column_by_name("next");
        let link = next().and_then(|next| text(next.as_struct_opt()?, "href"));
        let cursor = || {
            let (member, parameter) = self.cursor?;
            Some(cursor_link(parameter, &text(answer, member)?))
        };
        link.or_else(cursor)
    }

    /// How many rows the whole answer has, where a page tells.
    pub(super) fn count(&self, answer: &StructArray) -> Option<u64> {
        let counts = answer.column_by_name(self.count?)?.as_primitive_opt::<Int64Type>()?;
        u64::try_from(counts.is_valid(0).then(|| counts.value(0))?).ok()
    }

    /// The rows of a decoded answer; none where it has no array of rows.
    pub(super) fn rows(&self, answer: &StructArray) -> Option<StructArray> {
        match self.envelope {
            Envelope::Object | Envelope::Bare => Some(answer.clone()),
            Envelope::Array(name) => {
                let list = answer.column_by_name(name)?.as_list_opt::<i32>()?;
                (list.len() == 1 && list.is_valid(0)).then(|| list.value(0).as_struct().clone())
            }
        }
    }

    /// The members of a row, a list of rows among them.
    fn row_members(&self) -> Fields {
        let answered = self.columns.iter().copied().filter(|column| !column.is_of_request());
        let Some((list, carrier)) = self.list else {
            return members(&answered.map(|column| Leaf::of(column, 0)).collect::<Vec<_>>());
        };
        let of_member = |column: &&'static Column| column.parents.starts_with(list);
        let (mut inside, around): (Vec<_>, Vec<_>) = answered.partition(of_member);
        if inside.is_empty() {
            inside.push(carrier);
        }
        let item = match inside.as_slice() {
            [member, ..] if member.member.is_empty() => arrow_type(&member.kind),
            _ => {
                let inside = inside.iter().map(|column| Leaf::of(column, list.len()));
                DataType::Struct(members(&inside.collect::<Vec<_>>()))
            }
        };
        let mut leaves: Vec<_> = around.iter().map(|column| Leaf::of(column, 0)).collect();
        if let Some((member, parents)) = list.split_last() {
            leaves.push(Leaf { parents, member, data_type: DataType::new_list(item, true) });
        }
        members(&leaves)
    }

    /// The columns of rows, in order, and how many rows there are. `asked` is what the
    /// request knows of them.
    pub(super) fn columns_of(
        &self,
        rows: &StructArray,
        asked: &Asked,
    ) -> Result<(Vec<ArrayRef>, usize), ArrowError> {
        let Some((list, _)) = self.list else {
            let columns = self.columns.iter().map(|column| {
                if column.is_of_request() {
                    asked.column(column, rows.len())
                } else {
                    column_of(rows, column, column.parents)
                }
            });
            return Ok((columns.collect(), rows.len()));
        };
        let lists =
            list.split_last().and_then(|(member, parents)| member_of(rows, parents, member));
        let Some(lists) = lists.and_then(|lists| lists.as_list_opt::<i32>()) else {
            return Ok((self.columns.iter().map(|c| nulls(c, 0)).collect(), 0));
        };
        // The row around each member, and where the member stands.
        let (mut around, mut inside) = (Vec::new(), Vec::new());
        for (row, ends) in (0_u32..).zip(lists.value_offsets().windows(2)) {
            if lists.is_valid(row as usize) {
                for place in ends[0]..ends[1] {
                    around.push(row);
                    inside.push(place.cast_unsigned());
                }
            }
        }
        let (around, inside) = (UInt32Array::from(around), UInt32Array::from(inside));
        let members = lists.values();
        let columns = self.columns.iter().map(|column| {
            if column.is_of_request() {
                return Ok(asked.column(column, around.len()));
            }
            if !column.parents.starts_with(list) {
                return take(&column_of(rows, column, column.parents), &around, None);
            }
            let values = match members.as_struct_opt() {
                Some(members) if !column.member.is_empty() => {
                    column_of(members, column, &column.parents[list.len()..])
                }
                _ => Arc::clone(members),
            };
            take(&values, &inside, None)
        });
        Ok((columns.collect::<Result<_, _>>()?, around.len()))
    }
}

/// A column of rows, found inside of these objects; nulls where it is not there.
fn column_of(rows: &StructArray, column: &Column, parents: &[&str]) -> ArrayRef {
    member_of(rows, parents, column.member).cloned().unwrap_or_else(|| nulls(column, rows.len()))
}

/// A member of rows, found inside of these objects.
fn member_of<'a>(rows: &'a StructArray, parents: &[&str], member: &str) -> Option<&'a ArrayRef> {
    let within = |rows: &'a StructArray, name: &&str| rows.column_by_name(name)?.as_struct_opt();
    parents.iter().try_fold(rows, within)?.column_by_name(member)
}

fn nulls(column: &Column, rows: usize) -> ArrayRef {
    arrow::array::new_null_array(&arrow_type(&column.kind), rows)
}

/// What is read of an object: a value at the end of a way into it.
struct Leaf {
    parents: &'static [&'static str],
    member: &'static str,
    data_type: DataType,
}

impl Leaf {
    /// A column's value in an object that is this deep inside of a row.
    fn of(column: &'static Column, depth: usize) -> Self {
        Self {
            parents: column.parents.get(depth..).unwrap_or_default(),
            member: column.member,
            data_type: arrow_type(&column.kind),
        }
    }
}

/// The members of an object, those with a common parent together.
fn members(leaves: &[Leaf]) -> Fields {
    members_at(&leaves.iter().collect::<Vec<_>>(), 0)
}

/// The same at this depth of the ways.
fn members_at(leaves: &[&Leaf], depth: usize) -> Fields {
    let mut fields: Vec<FieldRef> = Vec::new();
    for leaf in leaves {
        let (name, data_type) = match leaf.parents.get(depth) {
            None => (leaf.member, leaf.data_type.clone()),
            Some(parent) => {
                let path = &leaf.parents[..=depth];
                let siblings: Vec<_> = leaves
                    .iter()
                    .copied()
                    .filter(|other| other.parents.starts_with(path))
                    .collect();
                (*parent, DataType::Struct(members_at(&siblings, depth + 1)))
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
