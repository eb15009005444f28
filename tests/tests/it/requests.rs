//! How many requests a query sends, by the server's own log.

use arrow::array::RecordBatch;
use ctct_endpoints::Source;
use ctct_sandbox::Settings;
use ctct_tests::{Account, account};
use futures::StreamExt;

use crate::support::{batches, number};

fn queries(account: &Account) -> Vec<String> {
    account.sandbox.requests().into_iter().map(|request| request.query).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn planning_sends_nothing() {
    let account = account(Settings::default()).await;
    for sql in [
        "EXPLAIN SELECT contact_id FROM contacts WHERE updated_at >= '2025-06-01' LIMIT 3",
        "EXPLAIN VERBOSE SELECT * FROM contacts JOIN contact_lists ON true",
        "DESCRIBE contacts",
        "SHOW TABLES",
        "SHOW COLUMNS FROM contacts",
        "SELECT * FROM information_schema.columns",
        "SELECT * FROM ctct.system.endpoints",
        "SELECT contact_id FROM contacts LIMIT 0",
        "CREATE VIEW recent AS SELECT * FROM contacts WHERE updated_at > '2025-01-01'",
        "PREPARE p AS SELECT * FROM contacts LIMIT 1",
    ] {
        batches(&account.session, sql).await;
        assert_eq!(queries(&account), Vec::<String>::new(), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_sends_one_request_of_its_size() {
    let account = account(Settings::default()).await;
    let sql = "SELECT contact_id FROM contacts WHERE updated_at >= '2025-06-01' LIMIT 3";
    let rows: usize =
        batches(&account.session, sql).await.iter().map(arrow::array::RecordBatch::num_rows).sum();
    assert_eq!(rows, 3);
    assert_eq!(queries(&account), ["updated_after=2025-05-31T23:59:59Z&limit=3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_scan_sends_one_request_a_page() {
    let account = account(Settings::default()).await;
    let contacts = number(&account.session, "SELECT count(contact_id) FROM contacts").await;
    let pages = usize::try_from(contacts).expect("positive").div_ceil(500);
    let sent = queries(&account);
    assert_eq!(sent.len(), pages);
    assert_eq!(sent[0], "include_count=true&limit=500");
    assert!(sent[1..].iter().all(|query| query.starts_with("cursor=")), "{sent:?}");
}

/// The endpoints whose few rows one path has.
fn without_parents() -> impl Iterator<Item = &'static ctct_endpoints::Endpoint> {
    let all = ctct_endpoints::all().iter();
    all.filter(|endpoint| endpoint.parent.is_none() && endpoint.path != "/contacts")
}

#[tokio::test(flavor = "multi_thread")]
async fn small_tables_are_read_at_once() {
    let account = account(Settings::default()).await;
    for endpoint in without_parents() {
        // What only the answers about single rows have is not asked for here.
        let listed = endpoint.fields.iter().filter(|field| field.source != Source::Detail);
        let columns: Vec<&str> = listed.map(|field| field.name).collect();
        account.sandbox.clear_requests();
        let sql = format!("SELECT {} FROM {}", columns.join(", "), endpoint.table);
        let rows: usize =
            batches(&account.session, &sql).await.iter().map(RecordBatch::num_rows).sum();
        let pages = endpoint.paging.maximum().map_or(1, |maximum| {
            rows.div_ceil(usize::try_from(maximum).expect("a small number")).max(1)
        });
        assert_eq!(queries(&account).len(), pages, "{}", endpoint.table);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_stream_sends_nothing_more() {
    let account = account(Settings::default()).await;
    let frame = account.session.sql("SELECT contact_id FROM contacts").await.expect("a plan");
    let mut stream = frame.execute_stream().await.expect("a stream");
    assert_eq!(queries(&account).len(), 0, "nothing is sent before the first poll");
    stream.next().await.expect("a batch").expect("rows");
    drop(stream);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(queries(&account).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_above_a_filter_stops_at_the_page_that_is_enough() {
    let account = account(Settings::default()).await;
    let sql = "SELECT contact_id FROM contacts WHERE first_name = 'Ada' LIMIT 2";
    batches(&account.session, sql).await;
    assert_eq!(queries(&account), ["limit=500"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_every_endpoint_are_followed_to_the_end() {
    // A LIMIT of one row less than there are would be one page; a page of one row each
    // follows every link that the endpoint has.
    let account = account(Settings::default()).await;
    let paged = |endpoint: &&ctct_endpoints::Endpoint| {
        matches!(endpoint.paging, ctct_endpoints::Paging::Links { .. })
    };
    for endpoint in without_parents().filter(paged) {
        let table = endpoint.table;
        let all = number(&account.session, &format!("SELECT count(*) FROM {table}")).await;
        let mut links = 0;
        let fixed: Vec<String> =
            endpoint.fixed.iter().map(|(name, value)| format!("{name}={value}&")).collect();
        let mut path = format!("{}?{}limit=1", endpoint.path, fixed.concat());
        let http = http();
        loop {
            let url = format!("{}{path}", account.sandbox.base_url());
            let request = http.get(url).bearer_auth(ctct_sandbox::ACCESS_TOKEN);
            let page: serde_json::Value = serde_json::from_slice(
                &request.send().await.expect("sent").bytes().await.expect("read"),
            )
            .expect("JSON");
            links += 1;
            let Some(next) = page["_links"]["next"]["href"].as_str() else { break };
            let (_, query) = next.split_once('?').expect("a query");
            path = format!("{}?{query}", endpoint.path);
        }
        assert_eq!(links, all, "pages of one row of {table}");
    }
}

pub(crate) fn http() -> reqwest::Client {
    // The client crate installs the provider of TLS for the process; here there is none yet.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
