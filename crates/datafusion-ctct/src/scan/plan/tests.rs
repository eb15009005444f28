//! Which requests follow from which question.

use std::collections::BTreeMap;

use super::*;
use crate::predicate::Interval;

const SECOND: i64 = 1_000_000;

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
        filtered: false,
        began: None,
        beside: BTreeMap::default(),
    }
}

fn planned(spec: &ScanSpec) -> String {
    let endpoint = endpoint(&spec.endpoint);
    let plan = RequestPlan::new(endpoint, spec, &|endpoint| endpoint.estimated_rows);
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
        let expected = "/contacts?include_count=true&limit=500 requests≈100";
        assert_eq!(planned(&scan), expected);
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
    assert_eq!(planned(&scan), "/contacts?include_count=true&limit=500 requests≈100");
    scan.domains = Domains::of("contact_id", keys(&many[..100]));
    assert!(planned(&scan).ends_with("requests=100"));
    for odd in ["..", "", "a/b", "a?b", "%2e%2e", "a,b", "é"] {
        scan.domains = Domains::of("contact_id", keys(&[odd]));
        assert_eq!(planned(&scan), "/contacts?include_count=true&limit=500 requests≈100", "{odd}");
    }
    scan.domains = Domains::of("email_address", keys(&["a+b@x.org"]));
    assert_eq!(planned(&scan), "/contacts?email=a%2Bb@x.org&limit=500 requests≈1");
}

#[test]
fn values_that_the_api_knows_restrict_its_pages() {
    let mut scan = spec("contacts", &["first_name"]);
    scan.domains = Domains::of("email_permission_to_send", keys(&["temp_hold", "unsubscribed"]));
    assert_eq!(
        planned(&scan),
        "/contacts?status=temp_hold,unsubscribed&include_count=true&limit=500 requests≤100"
    );
    scan.domains = Domains::of("email_permission_to_send", keys(&["unsubscribed", "explicit"]));
    assert_eq!(planned(&scan), "/contacts?include_count=true&limit=500 requests≈100");
    let lists =
        |count: usize| Domain::HoldsAny((0..count).map(|number| number.to_string()).collect());
    scan.domains = Domains::of("list_memberships", lists(2));
    assert_eq!(planned(&scan), "/contacts?lists=0,1&include_count=true&limit=500 requests≤100");
    scan.domains = Domains::of("list_memberships", lists(26));
    assert_eq!(planned(&scan), "/contacts?include_count=true&limit=500 requests≈100");
}

#[test]
fn a_number_of_rows_is_asked_for_alone() {
    let mut scan = spec("contacts", &[]);
    assert_eq!(planned(&scan), "/contacts?include_count=true&limit=1 requests≈1");
    scan.domains = Domains::of("updated_at", Domain::Interval(Interval::from(0)));
    assert_eq!(
        planned(&scan),
        "/contacts?updated_after=1969-12-31T23:59:59Z&include_count=true&limit=500 requests≤2",
        "what is more than a page is checked by another number"
    );
    scan.domains = Domains::of("email_permission_to_send", keys(&["unsubscribed"]));
    assert!(planned(&scan).ends_with("requests≤100"), "a status is not a permission to the letter");
}
