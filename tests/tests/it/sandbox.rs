//! The sandbox does what the documentation says of the real one.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ctct_sandbox::{ACCESS_TOKEN, Collection, Sandbox, Settings};
use serde_json::{Value, json};

use crate::requests::http;

/// A sandbox and somebody who asks it.
pub(crate) struct Asker {
    pub(crate) sandbox: Sandbox,
    http: reqwest::Client,
}

/// A response: status, headers, and the body as JSON.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Asker {
    pub(crate) async fn new(settings: Settings) -> Self {
        Self { sandbox: Sandbox::start(settings).await.expect("a sandbox"), http: http() }
    }

    pub(crate) fn request(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.sandbox.base_url()))
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("a whole body");
        Reply { status, headers, body: serde_json::from_slice(&body).expect("JSON") }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(path).bearer_auth(ACCESS_TOKEN)).await
    }

    /// All rows of a paged endpoint, page after page, and how many pages there were.
    pub(crate) async fn all(&self, path: &str, key: &str) -> (Vec<Value>, usize) {
        let called = path.split('?').next().expect("a path").to_owned();
        let mut next = path.to_owned();
        let (mut rows, mut pages) = (Vec::new(), 0);
        loop {
            let reply = self.get(&next).await;
            assert_eq!(reply.status, 200, "{next}: {}", reply.body);
            rows.extend(reply.body[key].as_array().expect("rows").iter().cloned());
            pages += 1;
            let Some(href) = reply.body["_links"]["next"]["href"].as_str() else {
                return (rows, pages);
            };
            next = format!("{called}?{}", href.split_once('?').expect("a query").1);
        }
    }
}

async fn asker() -> Asker {
    Asker::new(Settings { contacts: 1_000, ..Settings::default() }).await
}

fn ids(rows: &[Value], key: &str) -> BTreeSet<String> {
    let ids: BTreeSet<String> =
        rows.iter().map(|row| row[key].as_str().expect("an identifier").to_owned()).collect();
    assert_eq!(ids.len(), rows.len(), "every row once");
    ids
}

/// The identifiers of the contacts, deleted ones too, for which something holds.
fn contacts(asker: &Asker, wanted: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let all = [Collection::Contacts, Collection::DeletedContacts];
    let rows = all.into_iter().flat_map(|collection| asker.sandbox.rows(collection));
    ids(&rows.filter(|row| wanted(row)).collect::<Vec<_>>(), "contact_id")
}

fn is_deleted(row: &Value) -> bool {
    row.get("deleted_at").is_some()
}

fn permission(row: &Value) -> &str {
    row["email_address"]["permission_to_send"].as_str().unwrap_or("not_set")
}

/// Whether a contact is asked for.
type Wanted<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

#[tokio::test]
async fn contacts_are_filtered_by_everything_that_is_documented() {
    let asker = asker().await;
    let lists = asker.sandbox.rows(Collection::ContactLists);
    let tags = asker.sandbox.rows(Collection::ContactTags);
    let list = |index: usize| lists[index]["list_id"].as_str().expect("an identifier").to_owned();
    let tag = |index: usize| tags[index]["tag_id"].as_str().expect("an identifier").to_owned();
    let on = |row: &Value, key: &str, id: &str| {
        row[key].as_array().expect("included").contains(&json!(id))
    };
    let after = |row: &Value, path: [&str; 2], at: &str| {
        let value = if path[1].is_empty() { &row[path[0]] } else { &row[path[0]][path[1]] };
        value.as_str().is_some_and(|value| value > at)
    };
    let day = "2025-03-01T00:00:00Z";
    let address = asker.sandbox.rows(Collection::Contacts)[3]["email_address"]["address"].clone();
    let address = address.as_str().expect("an address");

    let cases: Vec<(String, Wanted<'_>)> = vec![
        (String::new(), Box::new(|row| !is_deleted(row))),
        ("status=all".into(), Box::new(|_| true)),
        ("status=deleted".into(), Box::new(is_deleted)),
        (
            "status=unsubscribed".into(),
            Box::new(|row| !is_deleted(row) && permission(row) == "unsubscribed"),
        ),
        (
            "status=active,temp_hold".into(),
            Box::new(|row| {
                !is_deleted(row) && ["explicit", "implicit", "temp_hold"].contains(&permission(row))
            }),
        ),
        (
            format!("email={}", address.replace('+', "%2B")),
            Box::new(|row| row["email_address"]["address"] == address),
        ),
        (format!("lists={}", list(2)), Box::new(|row| on(row, "list_memberships", &list(2)))),
        (
            format!("lists={},{}", list(2), list(3)),
            Box::new(|row| {
                on(row, "list_memberships", &list(2)) || on(row, "list_memberships", &list(3))
            }),
        ),
        (format!("tags={}", tag(1)), Box::new(|row| on(row, "taggings", &tag(1)))),
        (
            format!("tags={}&lists={}", tag(1), list(0)),
            Box::new(|row| on(row, "taggings", &tag(1)) && on(row, "list_memberships", &list(0))),
        ),
        (
            format!("updated_after={day}"),
            Box::new(|row| !is_deleted(row) && after(row, ["updated_at", ""], day)),
        ),
        (
            format!("updated_before={day}"),
            Box::new(|row| !is_deleted(row) && !after(row, ["updated_at", ""], day)),
        ),
        (
            format!("created_after={day}"),
            Box::new(|row| !is_deleted(row) && after(row, ["created_at", ""], day)),
        ),
        (
            format!("created_before={day}"),
            Box::new(|row| !is_deleted(row) && !after(row, ["created_at", ""], day)),
        ),
        (
            format!("optout_after={day}"),
            Box::new(|row| !is_deleted(row) && after(row, ["email_address", "opt_out_date"], day)),
        ),
        (
            format!("optout_before={day}&status=all"),
            Box::new(|row| {
                row["email_address"]["opt_out_date"].is_string()
                    && !after(row, ["email_address", "opt_out_date"], day)
            }),
        ),
    ];
    for (query, wanted) in cases {
        let (rows, _) = asker.all(&format!("/contacts?limit=70&{query}"), "contacts").await;
        let expected = contacts(&asker, wanted);
        assert!(!expected.is_empty(), "{query} selects somebody");
        assert_eq!(ids(&rows, "contact_id"), expected, "{query}");
    }
}

#[tokio::test]
async fn bounds_are_exclusive_unless_asked_otherwise() {
    for inclusive_bounds in [false, true] {
        let settings = Settings { contacts: 300, inclusive_bounds, ..Settings::default() };
        let asker = Asker::new(settings).await;
        let at = asker.sandbox.rows(Collection::Contacts)[5]["updated_at"].clone();
        let at = at.as_str().expect("a time");
        let path = format!("/contacts?updated_after={at}&updated_before={at}");
        let (rows, _) = asker.all(&path, "contacts").await;
        assert_eq!(!rows.is_empty(), inclusive_bounds);
    }
}

#[tokio::test]
async fn a_contacts_cursor_is_a_query_with_a_page_number() {
    let asker = asker().await;
    let path = "/contacts?status=all&limit=2&include_count=true&updated_after=2022-03-11T22:09:02Z&include=notes,taggings";
    let reply = asker.get(path).await;
    assert_eq!(reply.body["contacts_count"], 1_000);
    let href = reply.body["_links"]["next"]["href"].as_str().expect("a next page");
    let cursor =
        href.strip_prefix("/v3/contacts?cursor=").expect("a relative link with a cursor alone");
    let text = String::from_utf8(STANDARD.decode(cursor).expect("base64")).expect("text");
    assert_eq!(
        text,
        "limit=2&next=2&status%5B%5D=all&updated_after=2022-03-11T22%3A09%3A02%2B00%3A00\
         &include%5B%5D=taggings&include%5B%5D=notes&include_count=true"
    );
    // What else is sent beside a cursor does not matter.
    let second = asker.get(&format!("/contacts?cursor={cursor}&limit=7&status=deleted")).await;
    assert_eq!(second.body["contacts"].as_array().map(Vec::len), Some(2));
    assert_ne!(second.body["contacts"], reply.body["contacts"]);
    assert_eq!(second.body["contacts_count"], 1_000);
    assert!(second.body["contacts"][0].get("taggings").is_some());
}

#[tokio::test]
async fn tags_are_linked_by_an_internal_path_and_keyed_by_the_last_one() {
    let asker = asker().await;
    let reply = asker.get("/contact_tags?limit=2&include_count=true").await;
    let href = reply.body["_links"]["next"]["href"].as_str().expect("a next page");
    let (path, cursor) = href.split_once("?cursor=").expect("a cursor");
    assert!(path.starts_with("/contacts-service/v3/accounts/"), "{path}");
    let text = String::from_utf8(STANDARD.decode(cursor).expect("base64")).expect("text");
    let last = reply.body["tags"][1]["tag_id"].as_str().expect("an identifier");
    assert_eq!(text, format!("include_count=true&limit=2&next={last}"));
    // The internal path itself cannot be called.
    let url = format!("http://{}{path}", asker.sandbox.address());
    let internal = asker.send(asker.http.get(url).bearer_auth(ACCESS_TOKEN)).await;
    assert_eq!((internal.status, internal.body), (403, json!({ "message": "Forbidden" })));
}

#[tokio::test]
async fn reports_and_campaigns_are_linked_by_next() {
    let asker = asker().await;
    let path = "/reports/summary_reports/email_campaign_summaries";
    let reply = asker.get(&format!("{path}?limit=1")).await;
    let href = reply.body["_links"]["next"]["href"].as_str().expect("a next page");
    let cursor = href.strip_prefix(&format!("/v3{path}?next=")).expect("a link");
    let text = String::from_utf8(STANDARD.decode(cursor).expect("base64")).expect("text");
    assert!(text.starts_with("campaign_types=14,15,") && text.ends_with("&limit=1&o=1"), "{text}");

    let (campaigns, pages) = asker.all("/emails?limit=9", "campaigns").await;
    assert_eq!((campaigns.len(), pages), (40, 5));
    let updated: Vec<_> = campaigns.iter().map(|row| row["updated_at"].as_str()).collect();
    assert!(updated.is_sorted_by(|a, b| a >= b), "the last changed first");
    let (summaries, _) =
        asker.all(&format!("{path}?limit=7"), "bulk_email_campaign_summaries").await;
    let sent: Vec<_> = summaries.iter().map(|row| row["last_sent_date"].as_str()).collect();
    assert!(sent.is_sorted_by(|a, b| a >= b), "the last sent first");
    for row in &summaries {
        let counts = &row["unique_counts"];
        let count = |name: &str| counts[name].as_i64().expect("a number");
        assert_eq!(count("sends"), count("opens") + count("not_opened") + count("bounces"));
    }
    let id = campaigns[0]["campaign_id"].as_str().expect("an identifier");
    let one = asker.get(&format!("/emails/{id}")).await.body;
    assert!(one["campaign_activities"].as_array().is_some_and(|all| !all.is_empty()));
    assert!(campaigns[0].get("campaign_activities").is_none());
}

#[tokio::test]
async fn campaigns_are_filtered_by_when_they_changed() {
    let asker = asker().await;
    let at = asker.sandbox.rows(Collection::EmailCampaigns)[20]["updated_at"].clone();
    let at = at.as_str().expect("a time");
    let (after, _) = asker.all(&format!("/emails?limit=3&after_date={at}"), "campaigns").await;
    let (before, _) = asker.all(&format!("/emails?limit=3&before_date={at}"), "campaigns").await;
    assert_eq!((after.len(), before.len()), (20, 19), "the bound itself is in neither");
}

#[tokio::test]
async fn counts_are_given_where_they_are_asked_for() {
    let asker = asker().await;
    let plain = asker.get("/contact_lists").await.body;
    assert!(
        plain.get("lists_count").is_none() && plain["lists"][0].get("membership_count").is_none()
    );
    let all =
        asker.get("/contact_lists?include_count=true&include_membership_count=all").await.body;
    let active = asker.get("/contact_lists?include_membership_count=active").await.body;
    assert_eq!(all["lists_count"], 12);
    let count = |body: &Value| body["lists"][0]["membership_count"].as_u64().expect("a number");
    assert!(count(&all) > count(&active));
    assert_eq!(
        asker.get("/contact_lists?status=deleted").await.body["lists"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(
        asker.get("/contact_lists?channel_type=sms").await.body["lists"].as_array().map(Vec::len),
        Some(1)
    );
    let named = asker.get("/contact_lists?name=Book%20club").await.body;
    assert_eq!(named["lists"].as_array().map(Vec::len), Some(1));
    assert!(asker.get("/contact_tags").await.body["tags"][0].get("contacts_count").is_none());
}

#[tokio::test]
async fn a_segments_contacts_are_ready_the_second_time() {
    let asker = asker().await;
    let first = asker.get("/contacts?segment_id=14").await;
    assert_eq!((first.status, first.body), (202, json!({ "status": "processing" })));
    assert_eq!(asker.get("/contacts?segment_id=14&limit=500").await.status, 200);
    assert_eq!(asker.get("/contacts?segment_id=14&status=all").await.status, 400);
}

#[tokio::test]
async fn errors_have_their_documented_bodies() {
    let asker = asker().await;
    let validation = |name: &str| {
        json!([{
            "error_key": "contacts.api.validation.error",
            "error_message": format!("{name} does not have a valid value")
        }])
    };
    for (path, name) in [
        ("/contact_lists?include_membership_count=foo", "include_membership_count"),
        ("/contacts?cursor=garbage", "cursor"),
        ("/contacts?limit=0", "limit"),
        ("/contacts?limit=501", "limit"),
        ("/contacts?limit=many", "limit"),
        ("/contacts?status=gone", "status"),
        ("/contacts?include=everything", "include"),
        ("/contacts?updated_after=soon", "updated_after"),
        ("/contact_lists?limit=1001", "limit"),
        ("/contact_tags?limit=501", "limit"),
        ("/contact_custom_fields?limit=101", "limit"),
        ("/segments?sort_by=size", "sort_by"),
        ("/emails?limit=501", "limit"),
        ("/account/summary?extra_fields=everything", "extra_fields"),
    ] {
        let reply = asker.get(path).await;
        assert_eq!((reply.status, reply.body), (400, validation(name)), "{path}");
    }
    let many = vec!["x"; 26].join(",");
    assert_eq!(asker.get(&format!("/contacts?lists={many}")).await.status, 400);

    let reply = asker.send(asker.request("/contacts")).await;
    let unauthorized = json!({ "error_key": "unauthorized", "error_message": "Unauthorized" });
    assert_eq!((reply.status, reply.body), (401, unauthorized));
    assert_eq!(reply.headers["www-authenticate"], "Bearer realm=api.cc.email");

    let reply = asker.get("/contacts/abc").await;
    let not_found = json!([{
        "error_key": "contacts.api.not_found",
        "error_message": "contact_id is in an invalid format."
    }]);
    assert_eq!((reply.status, reply.body), (404, not_found));
    assert_eq!(asker.get("/no_such_path").await.body, json!({ "message": "Forbidden" }));
    let empty = asker.request("/contacts").bearer_auth(ACCESS_TOKEN).header("content-type", "");
    assert_eq!(asker.send(empty).await.status, 415);
    let http = &asker.http;
    let post =
        http.post(format!("{}/contacts", asker.sandbox.base_url())).bearer_auth(ACCESS_TOKEN);
    assert_eq!(asker.send(post).await.status, 405);
}

#[tokio::test]
async fn one_contact_is_shown_deleted_or_not() {
    let asker = asker().await;
    for (collection, deleted) in
        [(Collection::Contacts, false), (Collection::DeletedContacts, true)]
    {
        let expected = asker.sandbox.rows(collection).remove(0);
        let id = expected["contact_id"].as_str().expect("an identifier");
        let everything =
            "custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes";
        let reply = asker.get(&format!("/contacts/{id}?include={everything}")).await;
        assert_eq!(reply.body, expected);
        assert_eq!(reply.body.get("deleted_at").is_some(), deleted);
        assert!(asker.get(&format!("/contacts/{id}")).await.body.get("taggings").is_none());
    }
}

#[tokio::test]
async fn time_is_the_sandboxs_own() {
    let asker = asker().await;
    let date = |reply: Reply| reply.headers["date"].to_str().expect("text").to_owned();
    assert!(date(asker.get("/segments").await).starts_with("Thu, 01 Jan 2026 00:0"));
    asker.sandbox.clock().advance(chrono::TimeDelta::days(3));
    assert!(date(asker.get("/segments").await).starts_with("Sun, 04 Jan 2026 00:0"));
    let log = asker.sandbox.requests();
    assert_eq!(log.len(), 2);
    assert_eq!((log[1].path.as_str(), log[1].status), ("/v3/segments", 200));
    assert!(log[1].at > log[0].at + chrono::TimeDelta::days(2));
}

#[tokio::test]
async fn a_dropped_sandbox_is_gone() {
    let asker = asker().await;
    assert_eq!(asker.get("/segments").await.status, 200);
    let Asker { sandbox, http } = asker;
    let url = format!("{}/segments", sandbox.base_url());
    drop(sandbox);
    // The server learns of it a moment later.
    let mut refused = false;
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        refused = http.get(&url).bearer_auth(ACCESS_TOKEN).send().await.is_err();
        if refused {
            break;
        }
    }
    assert!(refused, "nobody listens any more");
}

#[tokio::test]
async fn ten_million_contacts_are_no_burden() {
    let asker = Asker::new(Settings { contacts: 10_000_000, ..Settings::default() }).await;
    // An address and an identifier are found without a search.
    let contact =
        asker.get("/contacts?email=max.0%40mail.example.com").await.body["contacts"][0].clone();
    let id = contact["contact_id"].as_str().expect("found by its address");
    assert_eq!(asker.get(&format!("/contacts/{id}")).await.body, contact);
}
