//! Rewriting the parts of an answer that Arrow's decoder has no type or no name for.

use std::borrow::Cow;

use ctct_endpoints::{Endpoint, Envelope, Field, Kind};
use serde_json::Value;

/// The answer with values of any form as their JSON text, and with the declared names in the
/// place of dotted ones. What is no JSON is left to the decoder, which says so.
pub(super) fn prepared<'a>(
    endpoint: &Endpoint,
    envelope: Envelope,
    columns: &[&Field],
    body: &'a [u8],
) -> Cow<'a, [u8]> {
    let free: Vec<&Field> =
        columns.iter().copied().filter(|column| column.kind == Kind::Json).collect();
    let is_dotted = endpoint.dotted && body.windows(DOTTED.len()).any(has_dot);
    if free.is_empty() && !is_dotted {
        return Cow::Borrowed(body);
    }
    let Ok(mut answer) = serde_json::from_slice::<Value>(body) else {
        return Cow::Borrowed(body);
    };
    if is_dotted {
        rename(&mut answer);
    }
    let rows: Vec<&mut Value> = match envelope {
        Envelope::Object => vec![&mut answer],
        Envelope::Bare => answer.as_array_mut().into_iter().flatten().collect(),
        Envelope::Array(name) => {
            answer.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().collect()
        }
    };
    for row in rows {
        for column in &free {
            let found = column.path().try_fold(&mut *row, |value, name| value.get_mut(name));
            if let Some(value) = found.filter(|value| !value.is_null()) {
                *value = Value::String(value.to_string());
            }
        }
    }
    // A value that was read can be written.
    serde_json::to_vec(&answer).map_or(Cow::Borrowed(body), Cow::Owned)
}

/// What a name with a dot in it looks like: a letter, a dot, a letter.
const DOTTED: [u8; 3] = *b"a.b";

fn has_dot(window: &[u8]) -> bool {
    matches!(window, [before, b'.', after] if before.is_ascii_alphabetic() && after.is_ascii_alphabetic())
}

fn rename(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(rename),
        Value::Object(members) => {
            let renamed = std::mem::take(members).into_iter().map(|(name, mut value)| {
                rename(&mut value);
                (name.replace('.', "_"), value)
            });
            *members = renamed.collect();
        }
        _ => {}
    }
}
