//! From declared fields to Arrow types: the shape of a table.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Fields, Schema, SchemaRef, TimeUnit};
use ctct_endpoints::{Endpoint, Field, Kind};

/// The columns of an endpoint's table, in the order of their declaration.
///
/// Every column may be null, because the API leaves out what is not set.
pub fn arrow_schema(endpoint: &Endpoint) -> SchemaRef {
    Arc::new(Schema::new(endpoint.fields.iter().map(arrow_field).collect::<Vec<_>>()))
}

/// A column, with its description as metadata `description`.
fn arrow_field(field: &Field) -> ArrowField {
    let metadata = [("description".to_owned(), field.description.to_owned())];
    ArrowField::new(field.name, arrow_type(&field.kind), true).with_metadata(metadata.into())
}

/// The Arrow type of a kind of value.
///
/// Times are kept to the microsecond in UTC; the members of lists of objects are
/// found under their own names.
pub fn arrow_type(kind: &Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Identifier | Kind::Json => DataType::Utf8,
        Kind::Map => DataType::Map(
            Arc::new(ArrowField::new_struct(
                "entries",
                vec![
                    ArrowField::new("key", DataType::Utf8, false),
                    ArrowField::new("value", DataType::Utf8, true),
                ],
                false,
            )),
            false,
        ),
        Kind::Integer => DataType::Int64,
        Kind::Number => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Kind::Date => DataType::Date32,
        Kind::List(item) => DataType::new_list(arrow_type(item), true),
        Kind::Struct(members) => {
            let members = members.iter();
            DataType::Struct(
                members
                    .map(|member| ArrowField::new(member.name, arrow_type(&member.kind), true))
                    .collect::<Fields>(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_that_the_tables_promise() {
        let contacts = ctct_endpoints::find("contacts").expect("declared");
        let schema = arrow_schema(contacts);
        let of =
            |name: &str| schema.field_with_name(name).expect("a column").data_type().to_string();
        assert_eq!(of("contact_id"), "Utf8");
        assert_eq!(of("updated_at"), "Timestamp(µs, \"UTC\")");
        assert_eq!(of("deleted_at"), "Date32");
        assert_eq!(of("birthday_month"), "Int64");
        assert!(of("list_memberships").starts_with("List("), "{}", of("list_memberships"));
        let segments = arrow_schema(ctct_endpoints::find("segments").expect("declared"));
        assert_eq!(segments.field(0).data_type(), &DataType::Utf8, "identifiers are text");
    }
}
