//! Query parameters, from what is known of columns.

use chrono::{DateTime, SecondsFormat};
use ctct_client::Request;
use ctct_endpoints::{Endpoint, KeyRequest, Window, find};

use super::keys::is_plain;
use crate::predicate::{Domain, Domains, Interval};
use crate::scan::ScanSpec;

const SECOND: i64 = 1_000_000;

/// A parameter's name and its value.
pub(super) type Parameter = (&'static str, String);

/// The parameters that restrict pages to rows with one of several keys. A single value that
/// others would need requests of their own for is one of them where `single` allows it.
pub(super) fn of_keys(endpoint: &Endpoint, domains: &Domains, single: bool) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for binding in endpoint.keys {
        match (domains.get(binding.column), binding.request) {
            (Some(Domain::HoldsAny(keys) | Domain::Keys(keys)), KeyRequest::List { parameter, maximum })
                // A comma would end a key; a list that is too long is refused.
                if keys.len() <= maximum && keys.iter().all(|key| is_plain(key)) =>
            {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                parameters.push((parameter, keys.join(",")));
            }
            (Some(Domain::Keys(keys)), KeyRequest::Named { parameter, names }) => {
                let name = |key: &String| names.iter().find(|(known, _)| known == key).map(|(_, name)| *name);
                // A value that the API has no name for may be in any row.
                if let Some(mut keys) = keys.iter().map(name).collect::<Option<Vec<_>>>() {
                    keys.sort_unstable();
                    keys.dedup();
                    parameters.push((parameter, keys.join(",")));
                }
            }
            (Some(Domain::Keys(keys)), KeyRequest::Repeated { parameter, values })
                if keys.iter().all(|key| values.contains(&key.as_str())) =>
            {
                parameters.extend(keys.iter().map(|key| (parameter, key.clone())));
            }
            (Some(Domain::Keys(keys)), request) if single && keys.len() == 1 => {
                let one = |key: &String| Some((request.of_one(key)?, key.clone()));
                parameters.extend(keys.iter().filter_map(one));
            }
            _ => {}
        }
    }
    parameters
}

/// Whether answers that are restricted in this way may hold rows that are none of the table's.
pub(super) fn lets_strays_in(endpoint: &Endpoint, parameters: &[Parameter]) -> bool {
    endpoint.keys.iter().any(|binding| match binding.request {
        KeyRequest::Named { parameter, .. } => {
            parameters.iter().any(|(name, _)| *name == parameter)
        }
        _ => false,
    })
}

/// The parameters that restrict pages to ranges of time.
pub(super) fn of_ranges(endpoint: &Endpoint, domains: &Domains) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for range in endpoint.ranges {
        let Some(Domain::Interval(interval)) = domains.get(range.column) else { continue };
        parameters.extend(bounds(range.after, range.before, *interval));
    }
    parameters
}

/// The two parameters of a range of time, as far as it is bounded.
fn bounds(after: &'static str, before: &'static str, within: Interval) -> Vec<Parameter> {
    let lower = within.lower.and_then(|lower| moved(lower, -1));
    let upper = within.upper.and_then(|upper| moved(upper, 1));
    let lower = lower.map(|lower| (after, lower));
    lower.into_iter().chain(upper.map(|upper| (before, upper))).collect()
}

/// The first request for the part of an answer whose rows lie in a window of time.
pub(in crate::scan) fn window_request(
    endpoint: &Endpoint,
    spec: &ScanSpec,
    domains: &Domains,
    window: &Window,
    within: Interval,
) -> Request {
    let mut parameters = of_ranges(endpoint, domains);
    parameters.retain(|(name, _)| *name != window.after && *name != window.before);
    parameters.extend(bounds(window.after, window.before, within));
    parameters.extend(of_keys(endpoint, domains, false));
    parameters.extend(beside_rows(endpoint, spec));
    Request::first(endpoint, &parameters, endpoint.page_size())
}

/// What restricts nothing: what must be asked for, and the number of rows.
pub(super) fn beside_rows(endpoint: &Endpoint, spec: &ScanSpec) -> Vec<Parameter> {
    let mut parameters = on_request(endpoint, spec);
    if let Some(count) = endpoint.count.filter(|_| spec.fetch.is_none()) {
        // Costs nothing, and tells whether all rows came.
        parameters.push((count.parameter, "true".to_owned()));
    }
    parameters
}

/// A bound moved by a second and rounded to a whole one: down where `direction` is -1, up
/// where it is 1. Nobody documents whether the API counts the bound itself as inside, nor
/// to which fraction of a second it compares: what is sent is a second wider than what is
/// meant. None where the bound lies outside of the years that can be written; then it
/// restricts nothing.
pub(in crate::scan) fn moved(microseconds: i64, direction: i64) -> Option<String> {
    let second = match direction {
        ..0 => microseconds.div_euclid(SECOND),
        _ => microseconds.checked_add(SECOND - 1)?.div_euclid(SECOND),
    };
    let time = DateTime::from_timestamp(second + direction, 0)?;
    let text = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    // Years beyond four digits are written with a sign.
    text.starts_with(|first: char| first.is_ascii_digit()).then_some(text)
}

/// What must be asked for, one parameter for each name, values joined by commas: for the
/// columns that are read, and for those that other scans read from the same pages.
pub(super) fn on_request(endpoint: &Endpoint, spec: &ScanSpec) -> Vec<Parameter> {
    let mut requests = endpoint.on_request(spec.read_columns());
    for (table, columns) in &spec.beside {
        let other = find(table).map(|other| other.on_request(columns.iter().map(String::as_str)));
        requests.extend(other.into_iter().flatten());
    }
    requests.sort_unstable();
    requests.dedup();
    let mut parameters: Vec<Parameter> = Vec::new();
    for request in requests {
        match parameters.iter_mut().find(|(name, _)| *name == request.parameter) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(request.value);
            }
            None => parameters.push((request.parameter, request.value.to_owned())),
        }
    }
    parameters
}
