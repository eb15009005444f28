//! The declarations against the official specification, where it is at hand.

use ctct_endpoints::{Endpoint, Envelope, Field, Kind, Paging};
use serde_json::Value;

/// The specification as JSON; none, said aloud, where it is not at hand.
pub(crate) fn specification() -> Option<Value> {
    let Some(path) = ctct_tests::specification() else {
        println!("skipped: the official specification is not beside the project");
        return None;
    };
    let text = std::fs::read_to_string(path).expect("a readable file");
    Some(serde_saphyr::from_str(&text).expect("YAML"))
}

/// A schema with its reference followed.
fn resolved<'a>(specification: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let name = reference.rsplit('/').next().expect("a name");
            resolved(specification, &specification["definitions"][name])
        }
        None => schema,
    }
}

/// The schema of a row of an endpoint.
fn row_schema<'a>(specification: &'a Value, endpoint: &Endpoint) -> &'a Value {
    let answer = &specification["paths"][endpoint.path]["get"]["responses"]["200"]["schema"];
    let answer = resolved(specification, answer);
    match endpoint.envelope {
        Envelope::Object => answer,
        Envelope::Bare => resolved(specification, &answer["items"]),
        Envelope::Array(name) => resolved(specification, &answer["properties"][name]["items"]),
    }
}

fn assert_type(specification: &Value, place: &str, kind: &Kind, schema: &Value) {
    let schema = resolved(specification, schema);
    let found = (schema["type"].as_str(), schema["format"].as_str());
    let fits = match kind {
        Kind::Text => found.0 == Some("string") && found.1 != Some("date-time"),
        Kind::Identifier => matches!(found.0, Some("string" | "integer")),
        Kind::Integer => found.0 == Some("integer"),
        Kind::Number => found.0 == Some("number"),
        Kind::Boolean => found.0 == Some("boolean"),
        Kind::Timestamp => found == (Some("string"), Some("date-time")),
        Kind::Date => found == (Some("string"), Some("date")),
        Kind::List(item) => {
            assert_type(specification, place, item, &schema["items"]);
            found.0 == Some("array")
        }
        Kind::Struct(members) => {
            assert_members(specification, place, members, schema);
            true
        }
    };
    assert!(fits, "{place} is {kind:?} for us and {found:?} for them");
}

/// The fields are exactly the members of the schema, with their types.
fn assert_members(specification: &Value, place: &str, fields: &[Field], schema: &Value) {
    for field in fields.iter().filter(|field| !field.of_request) {
        let mut found = schema;
        for name in field.path() {
            found = &resolved(specification, found)["properties"][name];
        }
        let place = format!("{place}.{}", field.name);
        assert!(!found.is_null(), "{place} is not in the specification");
        assert_type(specification, &place, &field.kind, found);
    }
    let declared: Vec<Vec<&str>> = fields.iter().map(|field| field.path().collect()).collect();
    for path in leaves(specification, schema) {
        let known = declared.iter().any(|declared| declared.iter().eq(path.iter()));
        assert!(known, "{place} has no column for {}", path.join("."));
    }
}

/// The fields of a list's members are exactly those of the schema; the others are some of
/// the row around it.
fn assert_list(specification: &Value, endpoint: &Endpoint, list: &str, schema: &Value) {
    let items = &resolved(specification, &schema["properties"][list])["items"];
    let (inside, around): (Vec<Field>, Vec<Field>) =
        endpoint.fields.iter().copied().partition(|field| endpoint.is_of_member(field));
    for field in around {
        let found = &schema["properties"][field.member];
        assert_type(
            specification,
            &format!("{}.{}", endpoint.table, field.name),
            &field.kind,
            found,
        );
    }
    match inside.as_slice() {
        [member] if member.member.is_empty() => {
            assert_type(specification, endpoint.table, &member.kind, items);
        }
        _ => {
            let inside: Vec<Field> =
                inside.iter().map(|field| field.at(&field.parents[1..], field.member)).collect();
            assert_members(specification, endpoint.table, &inside, items);
        }
    }
}

/// The paths to the members that are not objects.
fn leaves(specification: &Value, schema: &Value) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (name, member) in
        resolved(specification, schema)["properties"].as_object().expect("an object")
    {
        let inner = resolved(specification, member);
        if inner["properties"].is_object() {
            for mut path in leaves(specification, inner) {
                path.insert(0, name.clone());
                paths.push(path);
            }
        } else {
            paths.push(vec![name.clone()]);
        }
    }
    paths
}

#[test]
fn columns_are_the_fields_of_the_specification() {
    let Some(specification) = specification() else { return };
    for endpoint in ctct_endpoints::all() {
        let schema = row_schema(&specification, endpoint);
        assert!(schema["properties"].is_object(), "{} has no schema", endpoint.table);
        match endpoint.list {
            // The contacts of a segment are shown with what is needed to join them.
            None if endpoint.table == "segment_contacts" => {}
            None => assert_members(&specification, endpoint.table, endpoint.fields, schema),
            Some(list) => assert_list(&specification, endpoint, list, schema),
        }
    }
}

#[test]
fn parameters_are_those_of_the_specification() {
    let Some(specification) = specification() else { return };
    for endpoint in ctct_endpoints::all() {
        let get = &specification["paths"][endpoint.path]["get"];
        let known = get["parameters"].as_array().cloned().unwrap_or_default();
        let parameter = |name: &str| {
            let found = known.iter().find(|parameter| parameter["name"] == name);
            found.unwrap_or_else(|| panic!("{} has no parameter {name}", endpoint.path))
        };
        for (name, value) in endpoint.fixed {
            let words = parameter(name).to_string();
            assert!(words.contains(value) || *value == "true", "{name} of {}", endpoint.path);
        }
        for range in endpoint.ranges {
            assert_eq!(parameter(range.after)["format"], "date-time", "{}", range.after);
            assert_eq!(parameter(range.before)["format"], "date-time", "{}", range.before);
        }
        if let Some(window) = endpoint.window {
            assert_eq!(parameter(window.after)["format"], "date-time", "{}", window.after);
            assert_eq!(parameter(window.before)["format"], "date-time", "{}", window.before);
        }
        if let Some(parent) = endpoint.parent {
            let in_path = endpoint.path.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
            let name = parent.parameter.or(in_path.map(|(name, _)| name)).expect("a place");
            let most = parameter(name)["maximum"].as_u64();
            let at_once = u64::try_from(parent.keys_at_once).expect("a small number");
            assert!(at_once == 1 || most == Some(at_once), "{name} of {}", endpoint.path);
        }
        if let Some(count) = endpoint.count {
            assert_eq!(parameter(count.parameter)["type"], "boolean", "{}", count.parameter);
            let answer = &get["responses"]["200"]["schema"];
            let counted = &resolved(&specification, answer)["properties"][count.member];
            assert_eq!(counted["type"], "integer", "{} of {}", count.member, endpoint.path);
        }
        for request in endpoint.fields.iter().filter_map(|field| field.on_request) {
            let found = parameter(request.parameter);
            let words = found["enum"].as_array().or(found["items"]["enum"].as_array());
            let allowed = match words {
                Some(words) => words.iter().any(|word| word == request.value),
                None => found["type"] == "boolean" && request.value == "true",
            };
            assert!(allowed, "{}={} of {}", request.parameter, request.value, endpoint.path);
        }
        if let Paging::Links { maximum } = endpoint.paging {
            let limit = parameter("limit");
            let documented = limit["maximum"].as_u64().or(limit["maxLength"].as_u64());
            assert!(
                documented.is_none_or(|most| most == u64::from(maximum)),
                "limit of {}",
                endpoint.path
            );
        }
        let scopes = get["security"].to_string();
        assert!(scopes.contains(endpoint.scope), "{} asks for {scopes}", endpoint.path);
    }
}
