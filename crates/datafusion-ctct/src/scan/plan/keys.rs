//! Requests for known keys: of the rows themselves, or of a parent's.

use ctct_client::Request;
use ctct_endpoints::{Endpoint, KeyRequest, Parent, find};

use super::{Access, EstimatedRows, Key, RequestPlan, Start, Walk, parameters, period};
use crate::decode::Asked;
use crate::predicate::{Domain, Domains};
use crate::scan::ScanSpec;

/// A request for each key, where the API finds rows by them and that costs no more than
/// reading all pages.
pub(super) fn looked_up(
    endpoint: &Endpoint,
    spec: &ScanSpec,
    domains: &Domains,
    pages: u64,
) -> Option<RequestPlan> {
    let candidates = endpoint.keys.iter().filter_map(|binding| {
        let Some(Domain::Keys(keys)) = domains.get(binding.column) else { return None };
        let usable = match binding.request {
            KeyRequest::LookUp => keys.iter().all(|key| is_plain(key)),
            request => keys.iter().all(|key| request.of_one(key).is_some()),
        };
        (usable && keys.len() as u64 <= pages).then_some((binding, keys))
    });
    let (binding, keys) = candidates.min_by_key(|(_, keys)| keys.len())?;
    let mut shared = Vec::new();
    let look_up = binding.request == KeyRequest::LookUp;
    if !look_up {
        shared.extend(parameters::of_ranges(endpoint, domains));
    }
    shared.extend(parameters::on_request(endpoint, spec));
    let starts = keys.iter().map(|key| {
        let request = match binding.request.of_one(key) {
            Some(parameter) => {
                let mut all = vec![(parameter, key.clone())];
                all.extend(shared.iter().cloned());
                Request::first(endpoint, &all, endpoint.page_size())
            }
            None => Request::look_up(endpoint, key, &shared),
        };
        Start { request, keys: vec![vec![key.clone()]], asked: Asked::default() }
    });
    Some(RequestPlan {
        starts: starts.collect(),
        by: if look_up { Access::LookUps } else { Access::Pages },
        requests: keys.len() as u64,
        strays: look_up,
        ..RequestPlan::nothing()
    })
}

/// The requests for the rows of known parents, or of all.
pub(super) fn of_parent(
    endpoint: &Endpoint,
    parent: &Parent,
    spec: &ScanSpec,
    domains: &Domains,
    rows: &EstimatedRows<'_>,
) -> RequestPlan {
    let Some(table) = find(parent.table) else { return RequestPlan::nothing() };
    let mut parents = parent.distinct.unwrap_or_else(|| rows(table)).max(1);
    let each = rows(endpoint).div_ceil(parents);
    if let Some(Domain::Keys(keys)) = domains.get(parent.column) {
        parents = parents.min(keys.len() as u64);
    }
    let pages_of_each = match endpoint.paging.maximum() {
        Some(maximum) => each.div_ceil(u64::from(maximum)).max(1),
        None => 1,
    };
    let requests = |keys: u64| keys.div_ceil(parent.keys_at_once as u64) * pages_of_each;
    let mut plan = RequestPlan { at_most: spec.fetch.is_some(), ..RequestPlan::nothing() };
    if let Some(keys) = known_keys(parent, domains) {
        // What is not plain identifies nothing.
        let keys: Vec<Key> =
            keys.into_iter().filter(|key| key.iter().all(|part| is_plain(part))).collect();
        plan.starts = keys
            .chunks(parent.keys_at_once)
            .map(|keys| start_of(endpoint, spec, keys.to_vec()))
            .collect();
        plan.requests = requests(keys.len() as u64);
    } else {
        let walk = walk(endpoint, parent, table, spec, domains);
        let reading = RequestPlan::new(table, &walk.spec, rows);
        plan.at_most |= reading.at_most;
        plan.requests = reading.requests.saturating_add(requests(parents));
        plan.walk = Some(walk);
    }
    plan
}

/// The requests for what each row has in its own answer alone: the rows are read for their
/// keys first.
pub(super) fn of_details(
    endpoint: &'static Endpoint,
    key: &'static str,
    spec: &ScanSpec,
    domains: &Domains,
    rows: &EstimatedRows<'_>,
) -> RequestPlan {
    let walk = Walk {
        parent: endpoint,
        spec: ScanSpec {
            columns: vec![key.to_owned()],
            domains: domains.clone(),
            // Rows that are dropped here may be any of them.
            fetch: spec.fetch.filter(|_| !spec.filtered),
            ..of_walk(endpoint, spec)
        },
        parts: 1,
        without: None,
        keys_at_once: 1,
        every: start_of(endpoint, spec, Vec::new()).request,
    };
    let reading = RequestPlan::new(endpoint, &walk.spec, rows);
    let all = rows(endpoint);
    let wanted = match domains.get(key) {
        Some(Domain::Keys(keys)) => all.min(keys.len() as u64),
        _ => all,
    };
    let fetch = walk.spec.fetch.and_then(|fetch| u64::try_from(fetch).ok());
    RequestPlan {
        requests: reading.requests.saturating_add(wanted.min(fetch.unwrap_or(u64::MAX))),
        at_most: reading.at_most || !domains.is_all(),
        walk: Some(walk),
        by: Access::LookUps,
        ..RequestPlan::nothing()
    }
}

/// The keys that are known of parents; none where the parent has to be read for them: which
/// of several values of one part go with which of another only the parent knows.
fn known_keys(parent: &Parent, domains: &Domains) -> Option<Vec<Key>> {
    let parts = parent.columns().map(|column| match domains.get(column) {
        Some(Domain::Keys(keys)) => Some(keys),
        _ => None,
    });
    let parts: Vec<_> = parts.collect::<Option<_>>()?;
    if parts.iter().filter(|keys| keys.len() > 1).count() > 1 {
        return None;
    }
    let count = parts.iter().map(|keys| keys.len()).max()?;
    let key = |place: usize| {
        // A part that has one value has it in all keys.
        parts
            .iter()
            .filter_map(|keys| keys.iter().nth(place.min(keys.len() - 1)).cloned())
            .collect()
    };
    Some((0..count).map(key).collect())
}

/// The request for the rows of these parents, or for the answer about this row; with
/// neither, the one that stands for all of them.
pub(crate) fn start_of(endpoint: &Endpoint, spec: &ScanSpec, keys: Vec<Key>) -> Start {
    let mut asked = Asked::default();
    let mut parameters = parameters::of_keys(endpoint, &spec.domains, true);
    parameters.extend(parameters::on_request(endpoint, spec));
    if let Some(period) = &endpoint.period {
        for bound in period::bounds(period, &spec.domains, spec.began) {
            parameters.push((bound.parameter, bound.text.clone()));
            asked = asked.with(bound.column, bound.text);
        }
    }
    if let Some(key) = endpoint.detail.filter(|_| endpoint.needs_detail(spec.read_columns())) {
        let request = match keys.first().and_then(|key| key.first()) {
            Some(value) => Request::look_up(endpoint, value, &parameters),
            None => Request {
                path: format!("{}/{{{key}}}", endpoint.path),
                ..Request::look_up(endpoint, "", &parameters)
            },
        };
        return Start { request, keys, asked };
    }
    if let (Some(parent), [key]) = (&endpoint.parent, keys.as_slice()) {
        for (column, part) in parent.columns().zip(key) {
            asked = asked.with(column, part.clone());
        }
    }
    let request = Request::of_parent(endpoint, &keys, &parameters, endpoint.page_size());
    Start { request, keys, asked }
}

/// What is read of the parent where nobody says which keys are meant.
fn walk(
    endpoint: &Endpoint,
    parent: &Parent,
    table: &'static Endpoint,
    spec: &ScanSpec,
    domains: &Domains,
) -> Walk {
    let mut columns: Vec<String> = parent.parent_columns().map(str::to_owned).collect();
    let parts = columns.len();
    columns.extend(parent.without.map(|without| without.column.to_owned()));
    // What is known of some parts of the key restricts the parent's rows.
    let known = parent.columns().zip(parent.parent_columns()).filter_map(|(column, key)| {
        domains.get(column).map(|domain| Domains::of(key, domain.clone()))
    });
    let only = parent.only.map(|(column, values)| {
        let values = values.iter().map(|value| (*value).to_owned());
        Domains::of(column, Domain::Keys(values.collect()))
    });
    Walk {
        parent: table,
        spec: ScanSpec {
            columns,
            domains: known.chain(only).fold(Domains::default(), Domains::intersect),
            ..of_walk(table, spec)
        },
        parts,
        without: parent.without,
        keys_at_once: parent.keys_at_once,
        every: start_of(endpoint, spec, Vec::new()).request,
    }
}

/// What the reading of a table for its keys has of the scan that needs them.
fn of_walk(table: &Endpoint, spec: &ScanSpec) -> ScanSpec {
    ScanSpec {
        endpoint: table.table.to_owned(),
        connection: spec.connection.clone(),
        columns: Vec::new(),
        domains: Domains::default(),
        fetch: None,
        filtered: false,
        began: spec.began,
        beside: std::collections::BTreeMap::default(),
    }
}

/// Whether a key can stand in a path as it is; other texts identify nothing there.
pub(super) fn is_plain(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !key.is_empty() && key.len() <= 100 && key.bytes().all(plain)
}
