//! What goes wrong between us and the server, and what people are told.

use std::time::Duration;

use ctct_sandbox::{Sandbox, Settings, Token};
use ctct_tests::connection;
use datafusion::prelude::SessionContext;
use datafusion_ctct::{
    Connection, Diagnosis, ErrorKind, Pace, RetryPolicy, SessionBuilder, client_error,
};

use crate::support::{batches, response, rows, scripted_server};

/// Retries as always, without the waiting.
fn quick() -> RetryPolicy {
    RetryPolicy {
        shortest: Duration::from_millis(1),
        longest: Duration::from_millis(5),
        ..RetryPolicy::default()
    }
}

fn session(connection: Connection) -> SessionContext {
    let session = SessionBuilder::new().with_connection(connection).with_retries(quick()).build();
    session.expect("a session")
}

fn over(base_url: &str) -> SessionContext {
    let connection = Connection::new("SHOP", "key", base_url).expect("a loopback address");
    session(connection.with_access_token("S3CRET".to_owned()).with_pace(Pace::Unlimited))
}

/// The kind of the error, and what people would read.
async fn failure(session: &SessionContext, sql: &str) -> (Option<ErrorKind>, String) {
    let outcome = match session.sql(sql).await {
        Ok(frame) => frame.collect().await.map(|_| ()),
        Err(error) => Err(error),
    };
    let error = outcome.expect_err(sql);
    let Diagnosis { message, hint, .. } = Diagnosis::of(&error, session);
    let shown = format!("{message} / {}", hint.unwrap_or_default());
    for text in [&shown, &format!("{error:?}"), &error.to_string()] {
        assert!(!text.contains("S3CRET") && !text.contains("cursor="), "{text}");
    }
    (client_error(&error).map(datafusion_ctct::Error::kind), shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_missing_expired_or_too_narrow_say_so() {
    let start = Settings::default().starts_at;
    let narrow = Token { scopes: vec!["contact_data".to_owned()], ..Token::unlimited("narrow") };
    let expired = Token { expires_at: Some(start), ..Token::unlimited("expired") };
    let settings = Settings { tokens: vec![narrow, expired], ..Settings::default() };
    let sandbox = Sandbox::start(settings).await.expect("a sandbox");
    let with = |token: &str| session(connection(&sandbox).with_access_token(token.to_owned()));

    let (kind, shown) = failure(&with("expired"), "SELECT * FROM contacts").await;
    assert_eq!(kind, Some(ErrorKind::Authentication));
    assert!(shown.contains("connection CONSTANT_CONTACT was refused: Unauthorized"), "{shown}");
    assert!(shown.contains("access_token"), "{shown}");
    assert_eq!(sandbox.requests().len(), 1, "a refused token is not tried again");

    let (kind, _) = failure(&with("made up"), "SELECT * FROM contacts").await;
    assert_eq!(kind, Some(ErrorKind::Authentication));

    let session = with("narrow");
    batches(&session, "SELECT * FROM contacts LIMIT 1").await;
    let (kind, shown) = failure(&session, "SELECT * FROM email_campaigns").await;
    assert_eq!(kind, Some(ErrorKind::Forbidden));
    assert!(shown.contains("/emails") && shown.contains("insufficient user privileges"), "{shown}");

    let mut no_token = connection(&sandbox);
    no_token.access_token = None;
    let (kind, shown) = failure(&self::session(no_token), "SELECT * FROM contacts").await;
    assert_eq!(kind, Some(ErrorKind::Authentication));
    assert!(shown.contains("connection CONSTANT_CONTACT has no access token"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_now_and_then_is_asked_again() {
    let page = r#"{"segments":[{"segment_id":14,"name":"A"}],"_links":{}}"#;
    let (url, asked) = scripted_server(vec![
        response("503 Service Unavailable", "[]"),
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"segm".to_owned(),
        response("502 Bad Gateway", "<html>"),
        response("200 OK", page),
    ]);
    let session = over(&url);
    let read = rows(&session, "SELECT segment_id, name FROM segments").await;
    assert_eq!(read, [serde_json::json!({"segment_id": "14", "name": "A"})]);
    assert_eq!(asked.try_iter().count(), 4);
    let log = rows(&session, "SELECT status, failure FROM ctct.system.requests").await;
    assert_eq!(log.len(), 4, "attempts are counted, not answers: {log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_given_up() {
    let (url, asked) = scripted_server(vec![response("500 Internal Server Error", "[]")]);
    let (kind, shown) = failure(&over(&url), "SELECT * FROM segments").await;
    assert_eq!(kind, Some(ErrorKind::Unavailable));
    assert_eq!(asked.try_iter().count(), 5, "one attempt and four retries");
    assert!(shown.contains("attempts: 5"), "{shown}");

    // Nobody listens there: the port was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let (kind, shown) =
        failure(&over(&format!("http://{address}/v3")), "SELECT * FROM segments").await;
    assert_eq!(kind, Some(ErrorKind::Unavailable));
    assert!(shown.contains(&address.to_string()) && shown.contains("refused"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_day_is_not_tried_again() {
    let body = r#"{"error_key":"quota_exceeded","error_message":"Limit Exceeded"}"#;
    let (url, asked) = scripted_server(vec![response("429 Too Many Requests", body)]);
    let (kind, shown) = failure(&over(&url), "SELECT * FROM segments").await;
    assert_eq!(kind, Some(ErrorKind::QuotaExhausted));
    assert!(shown.contains("00:00 UTC"), "{shown}");
    assert_eq!(asked.try_iter().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_second_is_waited_out() {
    let throttled = r#"{"error_key":"throttled","error_message":"Too Many Requests"}"#;
    let (url, asked) = scripted_server(vec![
        response("429 Too Many Requests", throttled),
        response("200 OK", r#"{"segments":[]}"#),
    ]);
    batches(&over(&url), "SELECT * FROM segments").await;
    assert_eq!(asked.try_iter().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_answer_is_never_taken_for_the_whole() {
    let cases = [
        ("a loop", r#"{"segments":[],"_links":{"next":{"href":"/v3/segments?limit=1000"}}}"#),
        (
            "another server",
            r#"{"segments":[],"_links":{"next":{"href":"https://evil.example/?cursor=x"}}}"#,
        ),
        ("no link", r#"{"segments":[],"_links":{"next":{"href":"/v3/segments"}}}"#),
        ("no rows", r#"{"_links":{}}"#),
        ("no JSON", "<html>maintenance</html>"),
        ("another shape", r#"[{"error_key":"odd"}]"#),
        ("half a page", r#"{"segments":[{"segment_id":1}"#),
    ];
    for (case, body) in cases {
        let (url, _asked) = scripted_server(vec![response("200 OK", body)]);
        let (kind, shown) = failure(&over(&url), "SELECT * FROM segments").await;
        assert_eq!(kind, Some(ErrorKind::Protocol), "{case}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_with_a_link_is_passed_over() {
    let (url, asked) = scripted_server(vec![
        response("200 OK", r#"{"segments":[],"_links":{"next":{"href":"/v3/segments?cursor=a"}}}"#),
        response("200 OK", r#"{"segments":[{"segment_id":1}],"_links":{}}"#),
    ]);
    assert_eq!(rows(&over(&url), "SELECT segment_id FROM segments").await.len(), 1);
    let asked: Vec<String> = asked.try_iter().collect();
    assert_eq!(asked[1], "GET /v3/segments?cursor=a HTTP/1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/evil?x=S3CRET\r\ncontent-length: 0\r\n\r\n";
    let (url, asked) = scripted_server(vec![moved.to_owned()]);
    let (kind, shown) = failure(&over(&url), "SELECT * FROM segments").await;
    assert_eq!(kind, Some(ErrorKind::Protocol));
    assert!(shown.contains("redirected to 127.0.0.1"), "{shown}");
    assert_eq!(asked.try_iter().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_another_type_cost_themselves_only() {
    let body = r#"{"segments":[{"segment_id":1,"name":"A","created_at":"soon"},{"segment_id":2,"name":"B"}]}"#;
    let (url, _asked) = scripted_server(vec![response("200 OK", body)]);
    let read = rows(&over(&url), "SELECT segment_id, name, created_at FROM segments").await;
    let names: Vec<_> = read.iter().map(|row| row["name"].as_str()).collect();
    assert_eq!(names, [Some("A"), Some("B")]);
    assert!(read[0]["created_at"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_tell_the_likely_one() {
    let sandbox = Sandbox::start(Settings::default()).await.expect("a sandbox");
    let session = session(connection(&sandbox));
    for (sql, message, hint) in [
        ("SELECT * FROM contact", "there is no table contact", "did you mean contacts?"),
        (
            "SELECT * FROM ctct.constant_contact.segmnts",
            "there is no table segmnts",
            "did you mean segments?",
        ),
        (
            "SELECT emial_address FROM contacts",
            "there is no column emial_address",
            "did you mean email_address?",
        ),
        (
            "SELECT c.memberships FROM contacts c",
            "there is no column memberships in c",
            "did you mean list_memberships?",
        ),
        (
            "SELECT zzz FROM segments",
            "there is no column zzz",
            "the columns are segment_id, name, created_at, edited_at",
        ),
        (
            "SELECT * FROM zzz",
            "there is no table zzz",
            "some tables are contacts, deleted_contacts",
        ),
        (
            "SELECT * FROM campaign_league",
            "there is no table campaign_league",
            "did you mean ctct.views.campaign_league?",
        ),
    ] {
        let (_, shown) = failure(&session, sql).await;
        let (found, advice) = shown.split_once(" / ").expect("two parts");
        assert!(found.starts_with(message), "{sql}: {shown}");
        assert!(advice.starts_with(hint), "{sql}: {shown}");
    }
    assert_eq!(sandbox.requests().len(), 0);
}
