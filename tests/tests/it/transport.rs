//! The transport against a server on which everything goes wrong, in one process.

use std::time::Duration;

use ctct_sandbox::{Collection, Fault, FaultKind, Limits, Sandbox, Settings};
use ctct_tests::connection;
use datafusion::prelude::SessionContext;
use datafusion_ctct::{ErrorKind, Pace, RetryPolicy, SessionBuilder, client_error};

use crate::support::{batches, rows};

/// A sandbox, and a session over it that retries without waiting long.
async fn faulty(settings: Settings) -> (Sandbox, SessionContext) {
    let sandbox = Sandbox::start(settings).await.expect("a sandbox");
    let quick = RetryPolicy {
        shortest: Duration::from_millis(1),
        longest: Duration::from_millis(5),
        ..RetryPolicy::default()
    };
    let session = SessionBuilder::new().with_connection(connection(&sandbox)).with_retries(quick);
    (sandbox, session.build().expect("a session"))
}

fn fault(kind: FaultKind, skip: u32, times: u32) -> Fault {
    Fault { kind, path: String::new(), skip, times }
}

async fn count(session: &SessionContext) -> Result<usize, ErrorKind> {
    let frame = session.sql("SELECT contact_id FROM contacts").await.expect("a plan");
    match frame.collect().await {
        Ok(batches) => Ok(batches.iter().map(arrow::array::RecordBatch::num_rows).sum()),
        Err(error) => Err(client_error(&error).expect("a client's error").kind()),
    }
}

fn small() -> Settings {
    Settings { contacts: 2_000, ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t5_retries_do_not_multiply_requests() {
    let (sandbox, session) = faulty(small()).await;
    let failing = FaultKind::Answer { status: 503, body: "[]".into(), headers: Vec::new() };
    sandbox.inject(fault(failing, 0, u32::MAX));
    let asked = 60;
    for _ in 0..asked {
        assert_eq!(count(&session).await, Err(ErrorKind::Unavailable));
    }
    let sent = sandbox.requests().len();
    assert!(sent <= asked * 12 / 10 + 10, "{sent} requests for {asked}");
    // A failing server is left alone: only the first query has reached it.
    assert_eq!(sent, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t5_a_server_that_fails_now_and_then_costs_a_fifth_more_at_most() {
    let settings = Settings { contacts: 30_000, ..Settings::default() };
    let (sandbox, session) = faulty(settings).await;
    for _ in 0..6 {
        sandbox.inject(fault(FaultKind::Html, 8, 1));
    }
    let expected = sandbox.rows(Collection::Contacts).len();
    assert_eq!(count(&session).await, Ok(expected));
    let pages = expected.div_ceil(500);
    assert_eq!(sandbox.requests().len(), pages + 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t6_broken_bodies_are_read_again() {
    for kind in [
        FaultKind::Reset,
        FaultKind::Truncated,
        FaultKind::Html,
        FaultKind::Latency { milliseconds: 30 },
        FaultKind::SlowBody { pieces: 20, milliseconds: 5 },
    ] {
        for page in 0..4 {
            let (sandbox, session) = faulty(small()).await;
            sandbox.inject(fault(kind.clone(), page, 1));
            let expected = sandbox.rows(Collection::Contacts).len();
            assert_eq!(count(&session).await, Ok(expected), "{kind:?} at page {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t6_what_is_not_a_page_is_an_error() {
    let redirect = FaultKind::Redirect { location: "https://evil.example/v3/contacts".into() };
    let other_type = FaultKind::Answer {
        status: 200,
        body: r#"{"contacts":[]}"#.into(),
        headers: vec![("content-type".into(), "text/html".into())],
    };
    for (kind, requests) in [
        (FaultKind::BadJson, 3),
        (FaultKind::Bomb { mebibytes: 65 }, 3),
        (redirect, 3),
        (other_type, 3),
    ] {
        let (sandbox, session) = faulty(small()).await;
        sandbox.inject(fault(kind.clone(), 2, 1));
        assert_eq!(count(&session).await, Err(ErrorKind::Protocol), "{kind:?}");
        assert_eq!(sandbox.requests().len(), requests, "{kind:?} is not asked for again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t6_a_body_below_the_limit_is_read_however_it_is_packed() {
    let (sandbox, session) = faulty(small()).await;
    sandbox.inject(fault(FaultKind::Bomb { mebibytes: 63 }, 0, 1));
    // Blanks are no JSON object; but they were read.
    assert_eq!(count(&session).await, Err(ErrorKind::Protocol));
    let log = rows(&session, "SELECT bytes FROM ctct.system.requests").await;
    assert_eq!(log[0]["bytes"], 63 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t7_limits_are_kept_in_every_place() {
    let settings = Settings { contacts: 100_000, ..Settings::default() };
    let (sandbox, session) = faulty(settings).await;
    for (sql, requests) in [
        ("SELECT contact_id FROM contacts LIMIT 10", 1),
        (
            "SELECT * FROM (SELECT contact_id FROM contacts LIMIT 10) WHERE contact_id IS NOT NULL",
            1,
        ),
        (
            "SELECT l.name FROM (SELECT list_memberships FROM contacts LIMIT 10) c \
          JOIN contact_lists l ON array_has(c.list_memberships, l.list_id)",
            2,
        ),
        ("SELECT (SELECT count(*) FROM (SELECT 1 FROM contacts LIMIT 10))", 1),
    ] {
        sandbox.clear_requests();
        batches(&session, sql).await;
        assert_eq!(sandbox.requests().len(), requests, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t8_an_expired_cursor_starts_the_reading_again() {
    for page in 1..4 {
        let (sandbox, session) = faulty(small()).await;
        sandbox.inject(fault(FaultKind::CursorExpired, page, 1));
        let read = rows(&session, "SELECT contact_id FROM contacts").await;
        let mut ids: Vec<_> = read.iter().map(|row| row["contact_id"].to_string()).collect();
        let expected = sandbox.rows(Collection::Contacts).len();
        assert_eq!(ids.len(), expected, "expired at page {page}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), expected, "no row twice");
        let pages = expected.div_ceil(500);
        assert_eq!(sandbox.requests().len(), pages + page as usize + 1);
    }
    // A first page has no cursor: what is refused there is refused.
    let (sandbox, session) = faulty(small()).await;
    sandbox.inject(fault(FaultKind::CursorExpired, 0, 1));
    assert_eq!(count(&session).await, Err(ErrorKind::InvalidRequest));
    // And a server that refuses every cursor is not asked for ever.
    sandbox.inject(fault(FaultKind::CursorExpired, 1, 1));
    for _ in 0..9 {
        sandbox.inject(fault(FaultKind::CursorExpired, 1, 1));
    }
    assert_eq!(count(&session).await, Err(ErrorKind::InvalidRequest));
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t8_links_never_lead_astray() {
    let (sandbox, session) = faulty(small()).await;
    let loops = FaultKind::NextLink { href: "/v3/contacts?include_count=true&limit=500".into() };
    sandbox.inject(fault(loops, 1, 1));
    assert_eq!(count(&session).await, Err(ErrorKind::Protocol));
    assert_eq!(sandbox.requests().len(), 2);

    sandbox.clear_requests();
    sandbox.inject(fault(FaultKind::EmptyPage, 1, 1));
    let expected = sandbox.rows(Collection::Contacts).len();
    assert_eq!(
        count(&session).await,
        Ok(expected),
        "the reader goes on past an empty page, and reads what it should have had again"
    );

    let other = Sandbox::start(small()).await.expect("another sandbox");
    for href in [
        format!("http://{}/v3/contacts?cursor=x", other.address()),
        format!("//{}/v3/contacts?cursor=x", other.address()),
        format!("http://{}@{}/v3/contacts?cursor=x", sandbox.address(), other.address()),
    ] {
        sandbox.inject(fault(FaultKind::NextLink { href }, 0, 1));
        assert_eq!(count(&session).await, Err(ErrorKind::Protocol));
    }
    assert_eq!(other.requests().len(), 0, "nothing ever leaves for another place");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_types_become_nulls_with_a_warning_and_are_counted() {
    let (sandbox, session) = faulty(small()).await;
    sandbox.inject(fault(FaultKind::WrongTypes, 1, 1));
    let sql = "SELECT count(*) AS n, count(created_at) AS times FROM contacts";
    let read = rows(&session, sql).await;
    let all = sandbox.rows(Collection::Contacts).len();
    assert_eq!(read[0]["n"], all);
    assert_eq!(read[0]["times"], all - 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_in_the_midst_says_so() {
    let (sandbox, session) = faulty(small()).await;
    sandbox.inject(fault(FaultKind::TokenExpired, 2, 1));
    assert_eq!(count(&session).await, Err(ErrorKind::Authentication));
    assert_eq!(sandbox.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_second_is_waited_out_and_a_used_up_day_is_not() {
    let limits = Limits { per_second: Some(4), per_day: None };
    let (sandbox, session) =
        faulty(Settings { contacts: 5_000, limits, ..Settings::default() }).await;
    // An unpaced reader is throttled, waits, and loses nothing.
    let expected = sandbox.rows(Collection::Contacts).len();
    assert_eq!(count(&session).await, Ok(expected));
    assert!(sandbox.traffic().1 > 0);

    let limits = Limits { per_second: None, per_day: Some(3) };
    let (sandbox, session) =
        faulty(Settings { contacts: 5_000, limits, ..Settings::default() }).await;
    assert_eq!(count(&session).await, Err(ErrorKind::QuotaExhausted));
    assert_eq!(sandbox.requests().len(), 4, "three that were answered, and the one that was not");
    assert_eq!(count(&session).await, Err(ErrorKind::QuotaExhausted));
    assert_eq!(sandbox.requests().len(), 4, "nothing is sent on a day that is used up");
    let quota = rows(&session, "SELECT used, remaining, server_said FROM ctct.system.quota").await;
    assert_eq!((quota[0]["used"].as_i64(), quota[0]["remaining"].as_i64()), (Some(4), Some(0)));
    assert!(quota[0]["server_said"].as_str().is_some_and(|said| said.contains("Limit Exceeded")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reserve_is_kept_by_what_nobody_waits_for() {
    let sandbox = Sandbox::start(small()).await.expect("a sandbox");
    let mut connection = connection(&sandbox).with_pace(Pace::Unlimited);
    connection.inputs.requests_per_day = 10;
    connection.inputs.quota_reserve = 7;
    let ledger = std::sync::Arc::new(datafusion_ctct::Ledger::in_memory());
    let session = |traffic: datafusion_ctct::Traffic| {
        let builder = SessionBuilder::new().with_connection(connection.clone());
        builder.with_traffic(std::sync::Arc::new(traffic)).build().expect("a session")
    };
    let unattended = session(datafusion_ctct::Traffic::new(ledger.clone(), "run").unattended());
    assert_eq!(count(&unattended).await, Err(ErrorKind::QuotaExhausted));
    assert_eq!(sandbox.requests().len(), 3);
    let attended = session(datafusion_ctct::Traffic::new(ledger, "query"));
    assert!(count(&attended).await.is_ok(), "people may use what is left");
    let quota = rows(&attended, "SELECT by_command FROM ctct.system.quota").await;
    assert_eq!(quota[0]["by_command"], "query: 4, run: 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_honoured() {
    let (sandbox, session) = faulty(small()).await;
    let busy = FaultKind::Answer {
        status: 503,
        body: "[]".into(),
        headers: vec![("retry-after".into(), "1".into())],
    };
    sandbox.inject(fault(busy, 0, 1));
    let started = std::time::Instant::now();
    assert!(count(&session).await.is_ok());
    assert!(started.elapsed() >= Duration::from_secs(1), "not sooner than was asked for");
}
