//! Requests for known keys: of the rows themselves, or of a parent's.

use ctct_client::Request;
use ctct_endpoints::{Endpoint, KeyRequest, Paging, Parent, find};

use super::parameters;
use super::{Access, EstimatedRows, RequestPlan, Start, Walk};
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
            KeyRequest::Equal { .. } => true,
            KeyRequest::List { .. } | KeyRequest::Named { .. } | KeyRequest::Repeated { .. } => {
                false
            }
        };
        (usable && keys.len() as u64 <= pages).then_some((binding, keys))
    });
    let (binding, keys) = candidates.min_by_key(|(_, keys)| keys.len())?;
    let mut shared = Vec::new();
    if let KeyRequest::Equal { .. } = binding.request {
        shared.extend(parameters::of_ranges(endpoint, domains));
    }
    shared.extend(parameters::on_request(endpoint, spec));
    let starts = keys.iter().map(|key| {
        let request = match binding.request {
            KeyRequest::Equal { parameter } => {
                let mut all = vec![(parameter, key.clone())];
                all.extend(shared.iter().cloned());
                Request::first(endpoint, &all, endpoint.page_size())
            }
            _ => Request::look_up(endpoint, key, &shared),
        };
        Start { request, keys: vec![key.clone()] }
    });
    let look_up = binding.request == KeyRequest::LookUp;
    Some(RequestPlan {
        starts: starts.collect(),
        walk: None,
        by: if look_up { Access::LookUps } else { Access::Pages },
        requests: keys.len() as u64,
        at_most: false,
        strays: look_up,
        whole: false,
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
    let parents = rows(table).max(1);
    let each = rows(endpoint).div_ceil(parents);
    let pages_of_each = match endpoint.paging {
        Paging::Links { maximum } => each.div_ceil(u64::from(maximum)).max(1),
        Paging::Single => 1,
    };
    let requests = |keys: u64| keys.div_ceil(parent.keys_at_once as u64) * pages_of_each;
    let mut plan = RequestPlan { at_most: spec.fetch.is_some(), ..RequestPlan::nothing() };
    if let Some(Domain::Keys(keys)) = domains.get(parent.column) {
        // What is not plain identifies nothing.
        let keys: Vec<&String> = keys.iter().filter(|key| is_plain(key)).collect();
        plan.starts = keys
            .chunks(parent.keys_at_once)
            .map(|keys| start_of(endpoint, spec, keys.iter().copied().cloned().collect()))
            .collect();
        plan.requests = requests(keys.len() as u64);
    } else {
        let walk = walk(parent, table, spec);
        let reading = RequestPlan::new(table, &walk.spec, rows).requests;
        plan.requests = reading.saturating_add(requests(parents));
        plan.walk = Some(walk);
    }
    plan
}

/// The request for the rows of these parents.
pub(crate) fn start_of(endpoint: &Endpoint, spec: &ScanSpec, keys: Vec<String>) -> Start {
    let mut parameters = parameters::of_keys(endpoint, &spec.domains, true);
    parameters.extend(parameters::on_request(endpoint, spec));
    let request = Request::of_parent(endpoint, &keys, &parameters, endpoint.page_size());
    Start { request, keys }
}

/// What is read of the parent where nobody says which keys are meant.
fn walk(parent: &Parent, table: &'static Endpoint, spec: &ScanSpec) -> Walk {
    let mut columns = vec![parent.key.to_owned()];
    columns.extend(parent.without.map(|without| without.column.to_owned()));
    let spec = ScanSpec {
        endpoint: table.table.to_owned(),
        connection: spec.connection.clone(),
        columns,
        domains: Domains::default(),
        fetch: None,
        filtered: false,
        beside: std::collections::BTreeMap::default(),
    };
    Walk { parent: table, spec }
}

/// Whether a key can stand in a path as it is; other texts identify nothing there.
pub(super) fn is_plain(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !key.is_empty() && key.len() <= 100 && key.bytes().all(plain)
}
