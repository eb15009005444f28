//! Which requests a scan sends, decided before any is sent.

mod keys;
mod parameters;
mod period;
#[cfg(test)]
mod tests;

use ctct_client::Request;
use ctct_endpoints::{Endpoint, Without, find};

use super::ScanSpec;
use crate::decode::Asked;
use crate::predicate::{Domain, Domains};
pub(super) use keys::start_of;
pub(super) use parameters::{moved, window_request};

/// About how many rows the path of an endpoint has in all.
pub type EstimatedRows<'a> = dyn Fn(&Endpoint) -> u64 + 'a;

/// The requests of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPlan {
    /// Where its pages begin.
    pub starts: Vec<Start>,
    /// Where the keys come from of further ones.
    pub walk: Option<Walk>,
    /// What these requests look for.
    pub by: Access,
    /// About how many requests there will be.
    pub requests: u64,
    /// Whether that is an upper bound, because the rows are restricted by nobody
    /// knows how much.
    pub at_most: bool,
    /// Whether the answers may hold rows that are none of the table's.
    pub strays: bool,
    /// Whether nothing restricts the pages.
    pub whole: bool,
    /// The request for the definitions that columns are made from, where any is.
    pub definitions: Option<Request>,
}

/// A key of a parent: its parts.
pub(crate) type Key = Vec<String>;

/// A request with which pages begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The request.
    pub request: Request,
    /// The keys that it is for. That the server finds nothing means that there is nothing
    /// of at least one of them.
    pub keys: Vec<Vec<String>>,
    /// What it knows of the rows that its answers do not say.
    pub(crate) asked: Asked,
}

/// The reading of a parent table for the keys of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The parent.
    pub parent: &'static Endpoint,
    /// What is read of it: the key, and the column that says which rows have nothing.
    pub spec: ScanSpec,
    /// How many of its columns make up the key.
    pub parts: usize,
    /// Which of its rows have nothing.
    pub without: Option<Without>,
    /// How many keys a request takes.
    pub keys_at_once: usize,
    /// The request for any of the keys, with its columns' names in their places.
    pub every: Request,
}

/// What the requests of a scan look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Rows page after page.
    Pages,
    /// The row of each key; the answer is the row, or says that there is none.
    LookUps,
    /// The number of rows alone.
    Count,
}

impl RequestPlan {
    /// Plans the requests of a scan: look-ups of keys where those are known and fewer than
    /// pages, pages with all parameters that restrict them otherwise.
    pub fn new(endpoint: &'static Endpoint, spec: &ScanSpec, rows: &EstimatedRows<'_>) -> Self {
        Self::narrowed(endpoint, spec, &spec.domains, rows)
    }

    /// The same, when it is also known that no row outside of `domains` will be used.
    pub(crate) fn narrowed(
        endpoint: &'static Endpoint,
        spec: &ScanSpec,
        domains: &Domains,
        rows: &EstimatedRows<'_>,
    ) -> Self {
        let counts = counts_alone(endpoint, spec, domains);
        Self::planned(endpoint, spec, domains, rows, counts)
    }

    /// The requests for rows, also where their number alone is asked for.
    pub(crate) fn of_rows(
        endpoint: &'static Endpoint,
        spec: &ScanSpec,
        domains: &Domains,
        rows: &EstimatedRows<'_>,
    ) -> Self {
        Self::planned(endpoint, spec, domains, rows, false)
    }

    fn planned(
        endpoint: &'static Endpoint,
        spec: &ScanSpec,
        domains: &Domains,
        rows: &EstimatedRows<'_>,
        counts: bool,
    ) -> Self {
        if spec.is_impossible() || domains.is_impossible() {
            return Self::nothing();
        }
        Self::of_wanted(endpoint, spec, domains, rows, counts).with_definitions(endpoint, spec)
    }

    fn of_wanted(
        endpoint: &'static Endpoint,
        spec: &ScanSpec,
        domains: &Domains,
        rows: &EstimatedRows<'_>,
        counts: bool,
    ) -> Self {
        if let Some(key) = endpoint.detail.filter(|_| endpoint.needs_detail(spec.read_columns())) {
            return keys::of_details(endpoint, key, spec, domains, rows);
        }
        if let Some(parent) = &endpoint.parent {
            return keys::of_parent(endpoint, parent, spec, domains, rows);
        }
        let maximum = endpoint.page_size();
        let rows = rows(endpoint);
        let pages = rows.div_ceil(u64::from(maximum)).max(1);
        if let Some(plan) = keys::looked_up(endpoint, spec, domains, pages) {
            return plan;
        }
        let mut parameters = parameters::of_ranges(endpoint, domains);
        let of_keys = parameters::of_keys(endpoint, domains, false);
        let strays = parameters::lets_strays_in(endpoint, &of_keys);
        let restricted = !parameters.is_empty() || !of_keys.is_empty();
        parameters.extend(of_keys);
        parameters.extend(parameters::beside_rows(endpoint, spec));
        let fetch = spec.fetch.and_then(|fetch| u32::try_from(fetch).ok());
        // Ranges are restricted by the API, but for the second on either side.
        let tight = !spec.filtered
            && spec.domains.iter().all(|(column, domain)| {
                matches!(domain, Domain::Interval(_)) && endpoint.range(column).is_some()
            });
        let page_size = match fetch {
            _ if counts && !restricted => 1,
            // Where rows are dropped here, nothing might be left of a small page; nor does
            // anybody know how many members the lists of a page have.
            Some(fetch) if tight && endpoint.list.is_none() => fetch.clamp(1, maximum),
            _ => maximum,
        };
        // How many pages a few rows lie on nobody knows, where others are dropped.
        let rows = match fetch {
            Some(fetch) if tight => rows.min(u64::from(fetch)),
            _ => rows,
        };
        let at_most = match fetch {
            Some(_) => !tight,
            None => restricted,
        };
        let requests = match counts {
            // A number within bounds is checked by another one, where it is more than a page.
            true if restricted => pages.min(2),
            true => 1,
            false => rows.div_ceil(u64::from(page_size)).max(1),
        };
        let request = Request::first(endpoint, &parameters, page_size);
        Self {
            starts: vec![Start { request, keys: Vec::new(), asked: Asked::default() }],
            walk: None,
            definitions: None,
            by: if counts { Access::Count } else { Access::Pages },
            requests,
            at_most,
            strays,
            whole: !restricted,
        }
    }

    /// The beginning of all pages, where they are one chain.
    pub(super) fn only_start(&self) -> Option<&Start> {
        match self.starts.as_slice() {
            [only] if self.walk.is_none() && self.by == Access::Pages => Some(only),
            _ => None,
        }
    }

    /// No request: no row can be wanted.
    fn nothing() -> Self {
        Self {
            starts: Vec::new(),
            walk: None,
            by: Access::Pages,
            requests: 0,
            at_most: false,
            strays: false,
            whole: false,
            definitions: None,
        }
    }

    /// The same with the request for definitions, where columns are made from them.
    fn with_definitions(mut self, endpoint: &Endpoint, spec: &ScanSpec) -> Self {
        let columns = spec.read_columns();
        let mut fields = columns.iter().filter_map(|column| endpoint.field(column));
        let table = endpoint.definitions.and_then(|definitions| find(definitions.table));
        if let Some(table) = table.filter(|_| fields.any(|field| field.definition().is_some())) {
            self.definitions = Some(Request::first(table, &[], table.page_size()));
            self.requests = self.requests.saturating_add(1);
        }
        self
    }

    /// About how many requests there will be: `requests≈100`, `requests≤100`, `requests=0`.
    pub fn estimate(&self) -> String {
        let sign = match (self.requests, self.at_most, self.by) {
            (0, ..) => '=',
            (_, _, Access::LookUps) if self.walk.is_none() => '=',
            (_, true, _) => '≤',
            (_, false, _) => '≈',
        };
        format!("requests{sign}{}", self.requests)
    }

    /// The requests in words.
    pub fn shown(&self, endpoint: &Endpoint) -> String {
        let shown = self.shown_rows(endpoint);
        match &self.definitions {
            Some(request) => format!("{shown} and {request}"),
            None => shown,
        }
    }

    fn shown_rows(&self, endpoint: &Endpoint) -> String {
        if let Some(walk) = &self.walk {
            let each = match walk.keys_at_once {
                1 => "each".to_owned(),
                several => format!("up to {several}"),
            };
            let key = walk.spec.columns.get(..walk.parts).unwrap_or_default().join(" and ");
            return format!("GET {} for {each} {key} of {}", walk.every, walk.parent.table);
        }
        match self.starts.as_slice() {
            [] => format!("nothing of {}", endpoint.path),
            [only] => format!("GET {}", only.request),
            [first, others @ ..] => format!("GET {} and {} more", first.request, others.len()),
        }
    }
}

/// Whether the number of rows is all that is asked for, and the API can tell it.
fn counts_alone(endpoint: &Endpoint, spec: &ScanSpec, domains: &Domains) -> bool {
    spec.columns.is_empty()
        && spec.fetch.is_none()
        && !spec.filtered
        && endpoint.count.is_some()
        // What a list has the API does not count.
        && endpoint.list.is_none()
        // Hints leave out what will not be used, but a count counts everything.
        && *domains == spec.domains
        && domains.iter().all(|(column, domain)| {
            matches!(domain, Domain::Interval(_)) && endpoint.range(column).is_some()
        })
}
