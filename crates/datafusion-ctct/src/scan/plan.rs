//! Which requests a scan sends, decided before any is sent.

use chrono::{DateTime, SecondsFormat};
use ctct_client::Request;
use ctct_endpoints::{Endpoint, Paging};

use super::ScanSpec;
use crate::predicate::Interval;

const SECOND: i64 = 1_000_000;

/// The requests of a scan: the first one, and about how many follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPlan {
    /// The first request; none where no row can be wanted.
    pub first: Option<Request>,
    /// About how many requests there will be.
    pub requests: u64,
    /// Whether that is an upper bound, because the rows are restricted by nobody
    /// knows how much.
    pub at_most: bool,
}

impl RequestPlan {
    /// Plans the requests of a scan.
    pub fn new(endpoint: &Endpoint, spec: &ScanSpec) -> Self {
        if spec.is_impossible() {
            return Self { first: None, requests: 0, at_most: false };
        }
        let mut parameters = range_parameters(endpoint, spec);
        parameters.extend(on_request_parameters(endpoint, spec));
        if let Some(count) = endpoint.count.filter(|_| spec.fetch.is_none()) {
            // Costs nothing, and tells whether all rows came.
            parameters.push((count.parameter, "true".to_owned()));
        }
        let fetch = spec.fetch.and_then(|fetch| u32::try_from(fetch).ok());
        let page_size = match endpoint.paging {
            Paging::Single => 1,
            Paging::Links { maximum } => fetch.unwrap_or(maximum).clamp(1, maximum),
        };
        let rows = fetch
            .map_or(endpoint.estimated_rows, |fetch| endpoint.estimated_rows.min(u64::from(fetch)));
        Self {
            first: Some(Request::first(endpoint, &parameters, page_size)),
            requests: rows.div_ceil(u64::from(page_size)).max(1),
            at_most: !spec.domains.is_empty() && fetch.is_none(),
        }
    }

    /// About how many requests there will be: `requests≈100`, `requests≤100`, `requests=0`.
    pub fn estimate(&self) -> String {
        let sign = match (self.requests, self.at_most) {
            (0, _) => '=',
            (_, true) => '≤',
            (_, false) => '≈',
        };
        format!("requests{sign}{}", self.requests)
    }
}

fn range_parameters(endpoint: &Endpoint, spec: &ScanSpec) -> Vec<(&'static str, String)> {
    let mut parameters = Vec::new();
    for range in endpoint.ranges {
        let interval = spec.domains.get(range.column).copied().unwrap_or(Interval::ALL);
        if let Some(lower) = interval.lower.and_then(|lower| widened(lower, -1)) {
            parameters.push((range.after, lower));
        }
        if let Some(upper) = interval.upper.and_then(|upper| widened(upper, 1)) {
            parameters.push((range.before, upper));
        }
    }
    parameters
}

/// A bound a second further out, in whole seconds: nobody documents whether the API
/// counts the bound itself as inside, nor to which fraction of a second it compares.
/// None where the bound lies outside of the years that can be written; then it
/// restricts nothing.
fn widened(microseconds: i64, direction: i64) -> Option<String> {
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

    fn endpoint(table: &str) -> &'static Endpoint {
        ctct_endpoints::find(table).expect("declared")
    }

    fn spec(table: &str, columns: &[&str]) -> ScanSpec {
        ScanSpec {
            endpoint: table.into(),
            connection: "SHOP".into(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            domains: [].into(),
            fetch: None,
        }
    }

    fn planned(spec: &ScanSpec) -> String {
        let plan = RequestPlan::new(endpoint(&spec.endpoint), spec);
        let first = plan.first.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        format!("{first} {}", plan.estimate())
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
            scan.domains = [("updated_at".to_owned(), interval)].into();
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
        assert_eq!(planned(&scan), "nothing requests=0");
        scan.fetch = None;
        scan.domains = [("updated_at".to_owned(), Interval::NONE)].into();
        assert_eq!(planned(&scan), "nothing requests=0");
    }

    #[test]
    fn bounds_beyond_all_calendars_restrict_nothing() {
        let mut scan = spec("contacts", &["contact_id"]);
        for interval in [Interval::from(i64::MIN), Interval::up_to(i64::MAX), Interval::ALL] {
            scan.domains = [("updated_at".to_owned(), interval)].into();
            assert_eq!(planned(&scan), "/contacts?include_count=true&limit=500 requests≤100");
        }
    }
}
