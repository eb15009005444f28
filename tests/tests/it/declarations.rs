//! The declarations against the official specification, where it is at hand.

use ctct_endpoints::{Endpoint, Envelope, Field, KeyRequest, Kind, Paging, Source};
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

/// The schema of an endpoint's answers; one of them has a status of its own.
fn answer_schema<'a>(specification: &'a Value, endpoint: &Endpoint) -> &'a Value {
    let responses = &specification["paths"][endpoint.path]["get"]["responses"];
    ["200", "209"]
        .iter()
        .map(|status| &responses[status]["schema"])
        .find(|s| !s.is_null())
        .unwrap_or(&Value::Null)
}

/// The schema of the answer about one row.
fn detail_schema<'a>(specification: &'a Value, endpoint: &Endpoint) -> Option<&'a Value> {
    let path = format!("{}/{{{}}}", endpoint.path, endpoint.detail?);
    let answer = &specification["paths"][path]["get"]["responses"]["200"]["schema"];
    Some(resolved(specification, answer))
}

/// The schema of a row of an endpoint.
fn row_schema<'a>(specification: &'a Value, endpoint: &Endpoint) -> &'a Value {
    let answer = resolved(specification, answer_schema(specification, endpoint));
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
        // Some are not said to be times, and look like it.
        Kind::Timestamp => {
            let shows_time = || {
                let text = schema.to_string();
                let digits = |part: &str| part.len() == 10 && part.as_bytes()[4] == b'-';
                text.match_indices('T').any(|(at, _)| {
                    at >= 10 && text.is_char_boundary(at - 10) && digits(&text[at - 10..at])
                })
            };
            found.0 == Some("string") && (found.1 == Some("date-time") || shows_time())
        }
        Kind::Date => found == (Some("string"), Some("date")),
        // Of any form.
        Kind::Json => true,
        Kind::Map => unreachable!("no value of the API is declared as a map"),
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
    let answered = |field: &&Field| matches!(field.source, Source::Answer | Source::Detail);
    for field in fields.iter().filter(answered) {
        let mut found = schema;
        for name in field.path() {
            found = &resolved(specification, found)["properties"][name];
        }
        let place = format!("{place}.{}", field.name);
        assert!(!found.is_null(), "{place} is not in the specification");
        assert_type(specification, &place, &field.kind, found);
    }
    let declared: Vec<Vec<&str>> = fields.iter().map(|field| field.path().collect()).collect();
    for path in leaves(specification, schema, fields, &[]) {
        let known = declared.iter().any(|declared| declared.iter().eq(path.iter()));
        assert!(known, "{place} has no column for {}", path.join("."));
    }
}

/// The fields of a list's members are exactly those of the schema; the others are some of
/// the row around it.
fn assert_list(specification: &Value, endpoint: &Endpoint, list: &[&str], schema: &Value) {
    let at = |path: &mut dyn Iterator<Item = &str>| {
        path.fold(schema, |schema, name| &resolved(specification, schema)["properties"][name])
    };
    let items = &resolved(specification, at(&mut list.iter().copied()))["items"];
    let (inside, around): (Vec<Field>, Vec<Field>) =
        endpoint.fields.iter().copied().partition(|field| endpoint.is_of_member(field));
    for field in around.into_iter().filter(|field| field.source == Source::Answer) {
        let place = format!("{}.{}", endpoint.table, field.name);
        assert_type(specification, &place, &field.kind, at(&mut field.path()));
    }
    match inside.as_slice() {
        [member] if member.member.is_empty() => {
            assert_type(specification, endpoint.table, &member.kind, items);
        }
        _ => {
            let inside: Vec<Field> =
                inside.iter().map(|f| f.at(&f.parents[list.len()..], f.member)).collect();
            assert_members(specification, endpoint.table, &inside, items);
        }
    }
}

/// The paths to the members that are not objects, and to those that are read as a whole.
fn leaves(
    specification: &Value,
    schema: &Value,
    fields: &[Field],
    at: &[String],
) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let is_whole = |path: &[String]| {
        fields.iter().any(|f| f.kind == Kind::Json && f.path().eq(path.iter().map(String::as_str)))
    };
    for (name, member) in
        resolved(specification, schema)["properties"].as_object().expect("an object")
    {
        let inner = resolved(specification, member);
        let path: Vec<String> = at.iter().chain([name]).cloned().collect();
        if inner["properties"].is_object() && !is_whole(&path) {
            paths.extend(leaves(specification, inner, fields, &path));
        } else {
            paths.push(path);
        }
    }
    paths
}

#[test]
fn columns_are_the_fields_of_the_specification() {
    let Some(specification) = specification() else { return };
    for endpoint in ctct_endpoints::all() {
        let schema = detail_schema(&specification, endpoint)
            .unwrap_or_else(|| row_schema(&specification, endpoint));
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
            // A date is nobody's word; whatever the list has, it has all of it.
            let known = |word: &str| words.contains(word) || value.starts_with("2000-");
            let flag = matches!(*value, "true" | "false");
            assert!(flag || value.split(',').all(known), "{name} of {}", endpoint.path);
        }
        let is_time = |name: &str| {
            let found = parameter(name);
            found["format"] == "date-time" || found["description"].to_string().contains("ISO")
        };
        for range in endpoint.ranges {
            assert!(is_time(range.after) && is_time(range.before), "{}", endpoint.path);
        }
        if let Some(period) = endpoint.period {
            assert!(is_time(period.start) && is_time(period.end), "{}", endpoint.path);
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
            let answer = answer_schema(&specification, endpoint);
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
        if let Paging::Cursor { parameter: cursor, member, .. } = endpoint.paging {
            assert_eq!(parameter(cursor)["type"], "string", "{cursor} of {}", endpoint.path);
            let answer = resolved(&specification, answer_schema(&specification, endpoint));
            assert_eq!(answer["properties"][member]["type"], "string", "{}", endpoint.path);
        }
        if let Some(maximum) = endpoint.paging.maximum().filter(|_| endpoint.paging.has_limit()) {
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

/// The first words between backticks of each line of a table in the documentation.
fn documented(text: &str, heading: &str) -> Vec<String> {
    let section = text.split_once(heading).expect("the heading").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let names = rows.flat_map(|line| line.split('|').nth(1).unwrap_or_default().split(','));
    names.map(|name| name.trim().trim_matches('`').to_owned()).collect()
}

/// Whether an endpoint reads a path: its own, or that of one of its rows.
fn reads(endpoint: &Endpoint, path: &str) -> bool {
    let of_row = path
        .strip_prefix(endpoint.path)
        .is_some_and(|rest| rest.starts_with("/{") && rest.matches('/').count() == 1);
    let looks_up = endpoint.keys.iter().any(|binding| binding.request == KeyRequest::LookUp);
    endpoint.path == path || (of_row && (looks_up || endpoint.detail.is_some()))
}

#[test]
fn every_path_has_a_table_or_a_written_reason() {
    let Some(specification) = specification() else { return };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/endpoints-without-a-table.md");
    let text = std::fs::read_to_string(path).expect("the documentation");
    let reasons = documented(&text, "## Paths");
    let mut without = Vec::new();
    for (path, methods) in specification["paths"].as_object().expect("paths") {
        let is_read = ctct_endpoints::all().iter().any(|endpoint| reads(endpoint, path));
        if !methods["get"].is_null() && !is_read {
            without.push(path.clone());
        }
    }
    let mut sorted = reasons.clone();
    sorted.sort();
    without.sort();
    assert_eq!(without, sorted, "paths without a table, and those with a reason");
}

#[test]
fn every_member_beside_the_rows_has_a_written_reason() {
    let Some(specification) = specification() else { return };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/endpoints-without-a-table.md");
    let text = std::fs::read_to_string(path).expect("the documentation");
    let reasons = documented(&text, "## Members of answers");
    let mut met = std::collections::BTreeSet::new();
    for endpoint in ctct_endpoints::all() {
        let answer = resolved(&specification, answer_schema(&specification, endpoint));
        let rows = match (endpoint.envelope, endpoint.list) {
            (Envelope::Array(name), _) => name,
            // The row is around the list: its members are columns, or none of the table's.
            (Envelope::Object, Some([list, ..])) => list,
            _ => continue,
        };
        let members = answer["properties"].as_object().into_iter().flatten();
        for (name, _) in members.filter(|(name, _)| *name != rows) {
            let is_column = endpoint.list.is_some() && endpoint.field(name).is_some();
            let of_campaign = endpoint.table == "email_campaign_activities";
            if !of_campaign {
                assert!(is_column || reasons.contains(name), "{} of {}", name, endpoint.path);
                met.insert(name.clone());
            }
        }
    }
    let stale: Vec<_> = reasons.iter().filter(|name| !met.contains(*name)).collect();
    assert!(stale.is_empty(), "nothing has these any more: {stale:?}");
}
