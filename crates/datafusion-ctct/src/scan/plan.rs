//! Which requests a scan sends, decided before any is sent.

use chrono::{DateTime, SecondsFormat};
use ctct_client::Request;
use ctct_endpoints::{Endpoint, KeyRequest, Paging};

use super::ScanSpec;
use crate::predicate::{Domain, Domains};

const SECOND: i64 = 1_000_000;

/// The requests of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPlan {
    /// Where its pages begin, one after the other; none where no row can be wanted.
    pub firsts: Vec<Request>,
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
    /// pages, pages with all parameters that restrict them otherwise. `rows` is about how many
    /// there are in all.
    pub fn new(endpoint: &Endpoint, spec: &ScanSpec, rows: u64) -> Self {
        Self::narrowed(endpoint, spec, &spec.domains, rows)
    }

    /// The same, when it is also known that no row outside of `domains` will be used.
    pub(crate) fn narrowed(
        endpoint: &Endpoint,
        spec: &ScanSpec,
        domains: &Domains,
        rows: u64,
    ) -> Self {
        Self::planned(endpoint, spec, domains, rows, counts_alone(endpoint, spec, domains))
    }

    /// The requests for rows, also where their number alone is asked for.
    pub(crate) fn of_rows(
        endpoint: &Endpoint,
        spec: &ScanSpec,
        domains: &Domains,
        rows: u64,
    ) -> Self {
        Self::planned(endpoint, spec, domains, rows, false)
    }

    fn planned(
        endpoint: &Endpoint,
        spec: &ScanSpec,
        domains: &Domains,
        rows: u64,
        counts: bool,
    ) -> Self {
        if spec.is_impossible() || domains.is_impossible() {
            let by = Access::Pages;
            return Self {
                firsts: Vec::new(),
                by,
                requests: 0,
                at_most: false,
                strays: false,
                whole: false,
            };
        }
        let maximum = match endpoint.paging {
            Paging::Single => 1,
            Paging::Links { maximum } => maximum,
        };
        let pages = rows.div_ceil(u64::from(maximum)).max(1);
        if let Some(plan) = by_keys(endpoint, spec, domains, pages) {
            return plan;
        }
        let mut parameters = range_parameters(endpoint, domains);
        let of_keys = key_parameters(endpoint, domains);
        let strays = of_keys.iter().any(|key| key.strays);
        let restricted = !parameters.is_empty() || !of_keys.is_empty();
        parameters.extend(of_keys.into_iter().map(KeyParameter::into_pair));
        parameters.extend(on_request_parameters(endpoint, spec));
        if let Some(count) = endpoint.count.filter(|_| spec.fetch.is_none()) {
            // Costs nothing, and tells whether all rows came.
            parameters.push((count.parameter, "true".to_owned()));
        }
        let fetch = spec.fetch.and_then(|fetch| u32::try_from(fetch).ok());
        // Ranges are restricted by the API, but for the second on either side.
        let tight = spec.domains.iter().all(|(_, domain)| matches!(domain, Domain::Interval(_)));
        let page_size = match fetch {
            _ if counts && !restricted => 1,
            // Where rows are dropped here, nothing might be left of a small page; nor does
            // anybody know how many members the lists of a page have.
            Some(fetch) if tight && endpoint.list.is_none() => fetch.clamp(1, maximum),
            _ => maximum,
        };
        let rows = fetch.map_or(rows, |fetch| rows.min(u64::from(fetch)));
        Self {
            firsts: vec![Request::first(endpoint, &parameters, page_size)],
            by: if counts { Access::Count } else { Access::Pages },
            requests: if counts { 1 } else { rows.div_ceil(u64::from(page_size)).max(1) },
            at_most: !counts && !spec.domains.is_all() && fetch.is_none(),
            strays,
            whole: !restricted,
        }
    }

    /// About how many requests there will be: `requests≈100`, `requests≤100`, `requests=0`.
    pub fn estimate(&self) -> String {
        let sign = match (self.requests, self.at_most, self.by) {
            (0, ..) | (_, _, Access::LookUps) => '=',
            (_, true, _) => '≤',
            (_, false, _) => '≈',
        };
        format!("requests{sign}{}", self.requests)
    }

    /// The requests in words.
    pub fn shown(&self, endpoint: &Endpoint) -> String {
        match self.firsts.as_slice() {
            [] => format!("nothing of {}", endpoint.path),
            [only] => format!("GET {only}"),
            [first, others @ ..] => format!("GET {first} and {} more", others.len()),
        }
    }
}

/// Whether the number of rows is all that is asked for, and the API can tell it.
fn counts_alone(endpoint: &Endpoint, spec: &ScanSpec, domains: &Domains) -> bool {
    spec.columns.is_empty()
        && spec.fetch.is_none()
        && endpoint.count.is_some()
        // Hints leave out what will not be used, but a count counts everything.
        && *domains == spec.domains
        && domains.iter().all(|(column, domain)| {
            matches!(domain, Domain::Interval(_)) && endpoint.range(column).is_some()
        })
}

/// A request for each key, where the API finds rows by them and that costs no more than
/// reading all pages.
fn by_keys(
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
            KeyRequest::List { .. } | KeyRequest::Named { .. } => false,
        };
        (usable && keys.len() as u64 <= pages).then_some((binding, keys))
    });
    let (binding, keys) = candidates.min_by_key(|(_, keys)| keys.len())?;
    let mut parameters = Vec::new();
    if let KeyRequest::Equal { .. } = binding.request {
        parameters.extend(range_parameters(endpoint, domains));
    }
    parameters.extend(on_request_parameters(endpoint, spec));
    let maximum = match endpoint.paging {
        Paging::Single => 1,
        Paging::Links { maximum } => maximum,
    };
    let firsts = keys.iter().map(|key| match binding.request {
        KeyRequest::Equal { parameter } => {
            let mut all = vec![(parameter, key.clone())];
            all.extend(parameters.iter().cloned());
            Request::first(endpoint, &all, maximum)
        }
        _ => Request::look_up(endpoint, key, &parameters),
    });
    let look_up = binding.request == KeyRequest::LookUp;
    Some(RequestPlan {
        firsts: firsts.collect(),
        by: if look_up { Access::LookUps } else { Access::Pages },
        requests: keys.len() as u64,
        at_most: false,
        strays: look_up,
        whole: false,
    })
}

/// Whether a key can stand in a path as it is; other texts identify nothing there.
fn is_plain(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !key.is_empty() && key.len() <= 100 && key.bytes().all(plain)
}

/// A parameter that restricts pages to rows with one of several keys.
struct KeyParameter {
    name: &'static str,
    value: String,
    /// Whether the answers may hold rows that are none of the table's.
    strays: bool,
}

impl KeyParameter {
    fn into_pair(self) -> (&'static str, String) {
        (self.name, self.value)
    }
}

/// The parameters that restrict pages to rows with one of several keys.
fn key_parameters(endpoint: &Endpoint, domains: &Domains) -> Vec<KeyParameter> {
    let mut parameters = Vec::new();
    for binding in endpoint.keys {
        let keys = match (domains.get(binding.column), binding.request) {
            (Some(Domain::HoldsAny(keys) | Domain::Keys(keys)), KeyRequest::List { parameter, maximum })
                // A comma would end a key; a list that is too long is refused.
                if keys.len() <= maximum && keys.iter().all(|key| is_plain(key)) =>
            {
                Some((parameter, keys.iter().map(String::as_str).collect::<Vec<_>>()))
            }
            (Some(Domain::Keys(keys)), KeyRequest::Named { parameter, names }) => {
                let name = |key: &String| names.iter().find(|(known, _)| known == key).map(|(_, name)| *name);
                // A value that the API has no name for may be in any row.
                keys.iter().map(name).collect::<Option<Vec<_>>>().map(|mut keys| {
                    keys.sort_unstable();
                    keys.dedup();
                    (parameter, keys)
                })
            }
            _ => None,
        };
        let strays = matches!(binding.request, KeyRequest::Named { .. });
        parameters.extend(keys.map(|(name, keys)| KeyParameter {
            name,
            value: keys.join(","),
            strays,
        }));
    }
    parameters
}

fn range_parameters(endpoint: &Endpoint, domains: &Domains) -> Vec<(&'static str, String)> {
    let mut parameters = Vec::new();
    for range in endpoint.ranges {
        let Some(Domain::Interval(interval)) = domains.get(range.column) else { continue };
        if let Some(lower) = interval.lower.and_then(|lower| moved(lower, -1)) {
            parameters.push((range.after, lower));
        }
        if let Some(upper) = interval.upper.and_then(|upper| moved(upper, 1)) {
            parameters.push((range.before, upper));
        }
    }
    parameters
}

/// A bound moved by a second and rounded to a whole one: down where `direction` is -1, up
/// where it is 1. Nobody documents whether the API counts the bound itself as inside, nor
/// to which fraction of a second it compares: what is sent is a second wider than what is
/// meant. None where the bound lies outside of the years that can be written; then it
/// restricts nothing.
pub(super) fn moved(microseconds: i64, direction: i64) -> Option<String> {
    let second = match direction {
        ..0 => microseconds.div_euclid(SECOND),
        _ => microseconds.checked_add(SECOND - 1)?.div_euclid(SECOND),
    };
    let time = DateTime::from_timestamp(second + direction, 0)?;
    let text = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    // Years beyond four digits are written with a sign.
    text.starts_with(|first: char| first.is_ascii_digit()).then_some(text)
}

/// What must be asked for, one parameter for each name, values joined by commas.
fn on_request_parameters(endpoint: &Endpoint, spec: &ScanSpec) -> Vec<(&'static str, String)> {
    let mut parameters: Vec<(&'static str, String)> = Vec::new();
    for request in endpoint.on_request(spec.read_columns()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::Interval;

    fn endpoint(table: &str) -> &'static Endpoint {
        ctct_endpoints::find(table).expect("declared")
    }

    fn spec(table: &str, columns: &[&str]) -> ScanSpec {
        ScanSpec {
            endpoint: table.into(),
            connection: "SHOP".into(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            domains: Domains::default(),
            fetch: None,
        }
    }

    fn planned(spec: &ScanSpec) -> String {
        let endpoint = endpoint(&spec.endpoint);
        let plan = RequestPlan::new(endpoint, spec, endpoint.estimated_rows);
        let shown = plan.shown(endpoint);
        format!("{} {}", shown.trim_start_matches("GET "), plan.estimate())
    }

    #[test]
    fn columns_ask_for_what_they_need() {
        assert_eq!(
            planned(&spec("contacts", &["contact_id"])),
            "/contacts?include_count=true&limit=500 requests≈100"
        );
        assert_eq!(
            planned(&spec("contacts", &["notes", "custom_fields"])),
            "/contacts?include=custom_fields,notes&include_count=true&limit=500 requests≈100"
        );
        assert_eq!(
            planned(&spec("contact_tags", &["contacts_count"])),
            "/contact_tags?include_count=true&limit=500 requests≈1"
        );
        assert_eq!(
            planned(&spec("account_summary", &["company_logo_url"])),
            "/account/summary?extra_fields=company_logo requests≈1"
        );
    }

    #[test]
    fn bounds_are_sent_a_second_wider() {
        let mut scan = spec("contacts", &["contact_id"]);
        let june = 1_748_736_000 * SECOND;
        for (interval, expected) in [
            (Interval::from(june), "updated_after=2025-05-31T23:59:59Z"),
            (Interval::from(june + 1), "updated_after=2025-05-31T23:59:59Z"),
            (Interval::up_to(june), "updated_before=2025-06-01T00:00:01Z"),
            (Interval::up_to(june + 1), "updated_before=2025-06-01T00:00:02Z"),
            (
                Interval { lower: Some(june), upper: Some(june) },
                "updated_after=2025-05-31T23:59:59Z&updated_before=2025-06-01T00:00:01Z",
            ),
        ] {
            scan.domains = Domains::of("updated_at", Domain::Interval(interval));
            assert_eq!(
                planned(&scan),
                format!("/contacts?{expected}&include_count=true&limit=500 requests≤100")
            );
        }
    }

    #[test]
    fn a_limit_is_the_size_of_the_page() {
        let mut scan = spec("contacts", &["contact_id"]);
        scan.fetch = Some(3);
        assert_eq!(planned(&scan), "/contacts?limit=3 requests≈1");
        scan.fetch = Some(1_200);
        assert_eq!(planned(&scan), "/contacts?limit=500 requests≈3");
    }

    #[test]
    fn what_is_impossible_sends_nothing() {
        let mut scan = spec("contacts", &["contact_id"]);
        scan.fetch = Some(0);
        assert_eq!(planned(&scan), "nothing of /contacts requests=0");
        scan.fetch = None;
        scan.domains = Domains::of("updated_at", Domain::Interval(Interval::NONE));
        assert_eq!(planned(&scan), "nothing of /contacts requests=0");
    }

    #[test]
    fn bounds_beyond_all_calendars_restrict_nothing() {
        let mut scan = spec("contacts", &["contact_id"]);
        for interval in [Interval::from(i64::MIN), Interval::up_to(i64::MAX), Interval::ALL] {
            scan.domains = Domains::of("updated_at", Domain::Interval(interval));
            let expected = "/contacts?include_count=true&limit=500 requests≤100";
            assert_eq!(planned(&scan).replace('≈', "≤"), expected);
        }
    }

    fn keys(keys: &[&str]) -> Domain {
        Domain::Keys(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn known_keys_are_looked_up_while_that_is_cheaper() {
        let mut scan = spec("contacts", &["first_name"]);
        scan.domains = Domains::of("contact_id", keys(&["a-1", "b_2"]));
        assert_eq!(planned(&scan), "/contacts/a-1 and 1 more requests=2");
        scan.columns = vec!["notes".into()];
        scan.domains = Domains::of("contact_id", keys(&["a"]));
        assert_eq!(planned(&scan), "/contacts/a?include=notes requests=1");
        let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        scan.columns = vec!["first_name".into()];
        scan.domains = Domains::of("contact_id", keys(&many));
        assert_eq!(planned(&scan), "/contacts?include_count=true&limit=500 requests≤100");
        scan.domains = Domains::of("contact_id", keys(&many[..100]));
        assert!(planned(&scan).ends_with("requests=100"));
        for odd in ["..", "", "a/b", "a?b", "%2e%2e", "a,b", "é"] {
            scan.domains = Domains::of("contact_id", keys(&[odd]));
            assert_eq!(
                planned(&scan),
                "/contacts?include_count=true&limit=500 requests≤100",
                "{odd}"
            );
        }
        scan.domains = Domains::of("email_address", keys(&["a+b@x.org"]));
        assert_eq!(planned(&scan), "/contacts?email=a%2Bb@x.org&limit=500 requests≈1");
    }

    #[test]
    fn values_that_the_api_knows_restrict_its_pages() {
        let mut scan = spec("contacts", &["first_name"]);
        scan.domains =
            Domains::of("email_permission_to_send", keys(&["temp_hold", "unsubscribed"]));
        assert_eq!(
            planned(&scan),
            "/contacts?status=temp_hold,unsubscribed&include_count=true&limit=500 requests≤100"
        );
        scan.domains = Domains::of("email_permission_to_send", keys(&["unsubscribed", "explicit"]));
        assert_eq!(planned(&scan), "/contacts?include_count=true&limit=500 requests≤100");
        let lists =
            |count: usize| Domain::HoldsAny((0..count).map(|number| number.to_string()).collect());
        scan.domains = Domains::of("list_memberships", lists(2));
        assert_eq!(planned(&scan), "/contacts?lists=0,1&include_count=true&limit=500 requests≤100");
        scan.domains = Domains::of("list_memberships", lists(26));
        assert_eq!(planned(&scan), "/contacts?include_count=true&limit=500 requests≤100");
    }

    #[test]
    fn a_number_of_rows_is_asked_for_alone() {
        let mut scan = spec("contacts", &[]);
        assert_eq!(planned(&scan), "/contacts?include_count=true&limit=1 requests≈1");
        scan.domains = Domains::of("updated_at", Domain::Interval(Interval::from(0)));
        assert_eq!(
            planned(&scan),
            "/contacts?updated_after=1969-12-31T23:59:59Z&include_count=true&limit=500 requests≈1"
        );
        scan.domains = Domains::of("email_permission_to_send", keys(&["unsubscribed"]));
        assert!(
            planned(&scan).ends_with("requests≤100"),
            "a status is not a permission to the letter"
        );
    }
}
