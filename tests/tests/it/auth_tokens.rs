//! Tokens: renewed once, stored before they are used, and forgotten only when they are dead.

use std::time::Duration;

use chrono::TimeDelta;
use ctct_client::{Client, Clock, ErrorKind, LoginKind, Request, Spent};
use ctct_sandbox::{Application, CLIENT_ID, Fault, FaultKind};

use crate::logins::{Home, TOKEN_PATH, consent, output, quick, request, spawn};

const QUERY: &str = "SELECT count(*) AS n FROM contact_lists";

async fn get(client: &Client) -> Result<usize, ctct_client::Error> {
    let request = Request { path: "/account/summary".to_owned(), query: String::new() };
    client.get(&request, &mut Spent::default()).await.map(|body| body.len())
}

fn token_fault(kind: FaultKind, times: u32) -> Fault {
    Fault { kind, path: TOKEN_PATH.to_owned(), skip: 0, times }
}

fn answer(status: u16, body: &str) -> FaultKind {
    FaultKind::Answer { status, body: body.to_owned(), headers: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t1_any_number_of_processes_and_tasks_renew_once() {
    let home = Home::with_an_old_login(quick()).await;
    let processes: Vec<_> = (0..20).map(|_| spawn(output(home.ctct(&["-c", QUERY])))).collect();
    let client = std::sync::Arc::new(home.client());
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            spawn(async move { get(&client).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("an answer");
    }
    for process in processes {
        let (code, _, told) = process.await.expect("ran");
        assert_eq!(code, Some(0), "{told}");
    }
    assert_eq!(home.token_requests(), 1);
    assert!(home.sandbox.requests().iter().all(|request| request.status == 200));
    home.client().refresh_login().await.expect("the stored token is the last one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t2_a_kill_at_any_step_leaves_a_login_or_a_clear_word() {
    for (step, long_lived, survives, requests) in [
        ("reserved", false, true, 1),
        ("before-post", false, true, 1),
        ("after-post", false, false, 2),
        ("after-post", true, true, 2),
        ("answered", false, false, 2),
        ("written", false, true, 1),
        ("flushed", false, true, 1),
        ("renamed", false, true, 1),
    ] {
        let application = Application { long_lived_refresh_tokens: long_lived, ..quick() };
        let home = Home::with_an_old_login(application).await;
        let mut victim =
            home.ctct(&["-c", QUERY]).env("CTCT_STOP_AT", step).spawn().expect("started");
        let stopped = home.path().join("stopped");
        for _ in 0..600 {
            if stopped.exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(stopped.exists(), "{step} is never reached");
        victim.kill().expect("killed");
        victim.wait().expect("gone");
        for file in home.token_files() {
            let text = std::fs::read_to_string(&file).expect("readable");
            serde_json::from_str::<serde_json::Value>(&text).expect("a whole file at every moment");
        }
        let (code, _, told) = output(home.ctct(&["-c", QUERY])).await;
        if survives {
            assert_eq!((code, told.as_str()), (Some(0), ""), "{step}");
        } else {
            assert_eq!(code, Some(4), "{step}: {told}");
            assert!(
                told.contains("interrupted at 20") && told.contains("ctct auth login"),
                "{step}: {told}"
            );
        }
        assert_eq!(home.token_requests(), requests, "{step}");
        let (again, _, told) = output(home.ctct(&["-c", QUERY])).await;
        assert_eq!(again, code, "{step}: {told}");
        assert_eq!(home.token_requests(), requests, "{step}: nothing is tried without end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t2_a_kill_in_the_first_use_of_a_configured_token_loses_nothing_that_came() {
    for step in ["written", "flushed", "renamed"] {
        let mut home = Home::new(quick()).await;
        home.log_in(TimeDelta::zero()).await;
        let tokens: serde_json::Value = serde_json::from_str(&home.tokens()).expect("JSON");
        home.client().log_out().await.expect("logged out");
        let refresh_token = tokens["refresh_token"].as_str().expect("there");
        home.secrets = format!("{}, refresh_token: {refresh_token}", home.secrets);
        let mut victim =
            home.ctct(&["-c", QUERY]).env("CTCT_STOP_AT", step).spawn().expect("started");
        let stopped = home.path().join("stopped");
        for _ in 0..600 {
            if stopped.exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(stopped.exists(), "{step} is never reached");
        victim.kill().expect("killed");
        victim.wait().expect("gone");
        let (code, _, told) = output(home.ctct(&["-c", QUERY])).await;
        assert_eq!((code, told.as_str()), (Some(0), ""), "{step}");
        assert_eq!(home.token_requests(), 1, "{step}: the configured token is spent once");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_t3_nothing_is_spent_that_cannot_be_stored() {
    // A full disk: no file may grow beyond a few hundred bytes.
    let home = Home::with_an_old_login(quick()).await;
    let before = home.tokens();
    let inner = home.ctct(&["-c", QUERY]);
    let mut full = std::process::Command::new("/bin/sh");
    full.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]).arg(inner.get_program());
    full.args(inner.get_args()).current_dir(home.path());
    for (name, value) in inner.get_envs() {
        full.env(name, value.unwrap_or_default());
    }
    full.stdin(std::process::Stdio::null());
    let (code, _, told) = output(full).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("no token was spent"), "{told}");
    assert_eq!((home.token_requests(), home.tokens()), (0, before.clone()));
    // A place that cannot be written to.
    let mut blocked = home.token_files().remove(0).into_os_string();
    blocked.push(".next");
    drop(std::fs::remove_file(&blocked));
    std::fs::create_dir(&blocked).expect("made");
    let (code, _, told) = output(home.ctct(&["-c", QUERY])).await;
    assert_eq!(code, Some(1), "{told}");
    assert_eq!((home.token_requests(), home.tokens()), (0, before));
    std::fs::remove_dir(&blocked).expect("removed");
    let (code, _, told) = output(home.ctct(&["-c", QUERY])).await;
    assert_eq!(code, Some(0), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t4_whatever_a_good_answer_lacks_is_survived() {
    for (body, goes_on) in [
        // No refresh token: the old one stays.
        (r#"{"access_token":"TOKEN","expires_in":86400}"#, true),
        (r#"{"access_token":"TOKEN","expires_in":"28800","refresh_token":""}"#, true),
        (r#"{"access_token":"TOKEN"}"#, true),
        (r#"{"access_token":"TOKEN","expires_in":0}"#, true),
        (r#"{"access_token":"TOKEN","expires_in":-1}"#, true),
        (r#"{"access_token":"TOKEN","expires_in":99999999999999}"#, true),
        (
            r#"{"access_token":"TOKEN","expires_in":86400,"extra":{"a":[1]},"token_type":"bearer"}"#,
            true,
        ),
        (r#"{"access_token":"","expires_in":86400}"#, false),
        (r#"{"expires_in":86400}"#, false),
        (r#"{"access_token":"TOKEN","expires_in""#, false),
        ("<html><body>captive portal</body></html>", false),
        ("", false),
    ] {
        let home = Home::with_an_old_login(quick()).await;
        let before = home.tokens();
        let body = body.replace("TOKEN", ctct_sandbox::ACCESS_TOKEN);
        home.sandbox.inject(token_fault(answer(200, &body), 1));
        let client = home.client();
        let outcome = get(&client).await;
        if goes_on {
            outcome.expect(&body);
            assert!(get(&client).await.is_ok() && get(&home.client()).await.is_ok(), "{body}");
            assert_eq!(home.token_requests(), 1, "{body}: no refresh before every request");
        } else {
            let error = outcome.expect_err(&body);
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
            assert!(!format!("{error:?}").contains(ctct_sandbox::ACCESS_TOKEN));
            assert_eq!(home.tokens(), before, "{body}");
            assert!(get(&home.client()).await.is_ok(), "{body}: the login is as good as before");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t5_only_a_dead_grant_is_forgotten() {
    let oauth = |code: &str| format!(r#"{{"error":"{code}","error_description":"No."}}"#);
    let cases = [
        (answer(400, &oauth("invalid_client")), 1, ErrorKind::Authentication),
        (answer(401, &oauth("invalid_client")), 1, ErrorKind::Authentication),
        (answer(400, &oauth("invalid_request")), 1, ErrorKind::Authentication),
        (answer(400, &oauth("unauthorized_client")), 1, ErrorKind::Authentication),
        (answer(400, "{}"), 1, ErrorKind::Protocol),
        (answer(400, "invalid_grant"), 1, ErrorKind::Protocol),
        (answer(403, r#"{"message":"Forbidden"}"#), 1, ErrorKind::Protocol),
        (
            answer(429, r#"{"error_key":"throttled","error_message":"Too Many Requests"}"#),
            4,
            ErrorKind::Throttled,
        ),
        (answer(503, &oauth("invalid_grant")), 4, ErrorKind::Unavailable),
        (FaultKind::Html, 4, ErrorKind::Unavailable),
        (FaultKind::Redirect { location: "https://evil.example/".into() }, 1, ErrorKind::Protocol),
        (FaultKind::Reset, 1, ErrorKind::Unavailable),
        (FaultKind::Truncated, 1, ErrorKind::Unavailable),
    ];
    let unreachable = spawn(no_server_at_all());
    let runs = cases.map(|(kind, times, expected)| {
        spawn(async move {
            let application = Application { long_lived_refresh_tokens: true, ..quick() };
            let home = Home::with_an_old_login(application).await;
            let before = home.tokens();
            home.sandbox.inject(token_fault(kind.clone(), times));
            let error = get(&home.client()).await.expect_err("no token");
            assert_eq!(error.kind(), expected, "{kind:?}: {error}");
            assert!(error.hint().is_some(), "{error}");
            assert_eq!(home.tokens(), before, "{kind:?}: kept to the byte");
            assert_eq!(home.token_requests(), times as usize, "{kind:?}");
            get(&home.client()).await.expect("the login is as good as before");
        })
    });
    for run in runs {
        run.await.expect("as expected");
    }
    unreachable.await.expect("as expected");
    // The one word that ends a login.
    let home = Home::with_an_old_login(quick()).await;
    home.sandbox.revoke_tokens();
    let error = get(&home.client()).await.expect_err("revoked");
    assert!(
        error.is_authentication() && error.to_string().contains("invalid or expired"),
        "{error}"
    );
    assert_eq!(home.token_files().len(), 0);
    let error = get(&home.client()).await.expect_err("logged out");
    assert_eq!(error.to_string(), "connection CONSTANT_CONTACT is not logged in");
    assert_eq!(home.token_requests(), 1);
}

/// A server that speaks no TLS, and one that is not there.
async fn no_server_at_all() {
    let home = Home::with_an_old_login(quick()).await;
    let before = home.tokens();
    let run = |auth_url: String| {
        let text = home.connection_text().replace(&home.sandbox.auth_url(), &auth_url);
        let mut command = home.ctct(&["-c", QUERY]);
        command.env("CONSTANT_CONTACT", text);
        spawn(output(command))
    };
    let runs =
        [home.sandbox.auth_url().replace("http:", "https:"), "http://127.0.0.1:1/".to_owned()];
    for run in runs.map(run) {
        let (code, _, told) = run.await.expect("ran");
        assert_eq!(code, Some(6), "{told}");
        assert_eq!(home.tokens(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t6_who_is_late_takes_the_newer_token_and_harms_nobody() {
    let home = Home::new(quick()).await;
    home.log_in(TimeDelta::zero()).await;
    let (late, quick) = (home.client(), home.client());
    get(&late).await.expect("an answer");
    quick.refresh_login().await.expect("renewed");
    let newer = home.tokens();
    // The late one's token is refused; what it knows of the login is old.
    home.sandbox.inject(Fault {
        kind: FaultKind::TokenExpired,
        path: "/v3".into(),
        skip: 0,
        times: 1,
    });
    get(&late).await.expect("with the newer token");
    assert_eq!((home.token_requests(), home.tokens()), (1, newer));
    late.refresh_login().await.expect("its refresh token is the newest, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t7_a_burst_of_refusals_renews_once() {
    let home = Home::new(Application::default()).await;
    home.log_in(TimeDelta::zero()).await;
    let client = std::sync::Arc::new(home.client());
    get(&client).await.expect("an answer");
    home.sandbox.expire_access_tokens();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            spawn(async move { get(&client).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("an answer");
    }
    assert_eq!(home.token_requests(), 1);
    // One that is refused right after it was renewed is not renewed again.
    home.sandbox.inject(Fault {
        kind: FaultKind::TokenExpired,
        path: "/v3".into(),
        skip: 0,
        times: 99,
    });
    let before = home.sandbox.requests().len();
    let error = get(&client).await.expect_err("refused all the same");
    assert!(error.is_authentication() && error.to_string().contains("had just now"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("deactivated")), "{error:?}");
    assert_eq!(home.sandbox.requests().len() - before, 3, "refused, renewed, refused");
    assert_eq!(home.token_files().len(), 1, "and the login is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t8_no_clock_costs_a_login() {
    for skew in [TimeDelta::days(2), TimeDelta::days(-2)] {
        let home = Home::new(quick()).await;
        home.log_in(skew).await;
        let clock = Clock::default();
        clock.advance(skew);
        let client = home.client_by(clock.clone(), home.store());
        get(&client).await.expect("a wrong clock is wrong all the time");
        assert_eq!(home.token_requests(), 0, "{skew}");
        // It is set right while the client runs.
        clock.advance(-skew);
        get(&client).await.expect("an answer");
        clock.advance(skew * 2);
        get(&client).await.expect("an answer");
        assert!(home.token_requests() <= 1, "{skew}: {}", home.token_requests());
        get(&home.client()).await.expect("an answer");
        assert!(home.token_requests() <= 2, "{skew}: {}", home.token_requests());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t9_whoever_waits_for_a_hung_process_spends_nothing() {
    let home = Home::with_an_old_login(quick()).await;
    let path = home.path().join("tokens").join(CLIENT_ID).join("lock");
    let lock = std::fs::File::options().read(true).write(true).open(&path).expect("the lock");
    lock.lock().expect("held");
    std::fs::write(&path, "4711").expect("signed");
    let hurried =
        home.client_by(Clock::default(), home.store().with_patience(Duration::from_millis(200)));
    let error = get(&hurried).await.expect_err("no token");
    assert!(error.is_temporary() && error.to_string().contains("process 4711"), "{error}");
    assert_eq!(home.token_requests(), 0);
    if std::env::var_os("CTCT_LONG_TESTS").is_some() {
        let (code, _, told) = output(home.ctct(&["-c", QUERY])).await;
        assert_eq!(code, Some(6), "{told}");
    }
    // While the old token is still good, it does.
    let clock = Clock::default();
    clock.advance(TimeDelta::days(-1) - TimeDelta::seconds(60));
    let early = home.client_by(clock, home.store().with_patience(Duration::from_millis(200)));
    get(&early).await.expect("with what is left of the old token");
    assert_eq!(home.token_requests(), 0);
    drop(lock);
    get(&hurried).await.expect("the lock is free");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_loses_no_token() {
    let home = Home::with_an_old_login(quick()).await;
    home.sandbox.inject(token_fault(FaultKind::Latency { milliseconds: 400 }, 1));
    let client = home.client();
    // As LIMIT and Ctrl-C do: the future is dropped in the midst of the refresh.
    drop(tokio::time::timeout(Duration::from_millis(150), get(&client)).await);
    client.traffic().settled().await;
    assert_eq!(home.token_requests(), 1);
    get(&home.client()).await.expect("the new token was stored");
    assert_eq!(home.token_requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_refresh_token_is_where_a_login_may_begin() {
    let mut home = Home::new(quick()).await;
    home.log_in(TimeDelta::zero()).await;
    let tokens: serde_json::Value = serde_json::from_str(&home.tokens()).expect("JSON");
    let refresh_token = tokens["refresh_token"].as_str().expect("there").to_owned();
    home.client().log_out().await.expect("logged out");
    home.secrets = format!("{}, refresh_token: {refresh_token}", home.secrets);
    let status = home.client().login_status().await.expect("a status");
    assert_eq!(status.kind, LoginKind::ConfiguredRefreshToken);
    get(&home.client()).await.expect("renewed with it");
    // It is spent now, and what came of it is used from here on.
    for _ in 0..2 {
        home.client().refresh_login().await.expect("renewed");
    }
    assert_eq!(home.token_requests(), 3);
    // A login supersedes it, though it is configured still.
    home.sandbox.revoke_tokens();
    assert!(get(&home.client()).await.is_err());
    home.log_in(TimeDelta::zero()).await;
    get(&home.client()).await.expect("the login counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_of_one_application_never_share_a_file() {
    let home = Home::new(quick()).await;
    home.log_in(TimeDelta::zero()).await;
    let settings = ctct_sandbox::Settings {
        seed: 2,
        contacts: 10,
        application: quick(),
        ..Default::default()
    };
    let other = ctct_sandbox::Sandbox::start(settings).await.expect("a sandbox");
    let text = home
        .connection_text()
        .replace(&home.sandbox.base_url(), &other.base_url())
        .replace(&home.sandbox.auth_url(), &other.auth_url());
    let connect = |name: &str, text: &str| {
        let connection = ctct_client::Connection::parse(name, "a test", text).expect("valid");
        let traffic = ctct_client::Traffic::default().with_tokens(home.store());
        Client::new(connection, std::sync::Arc::new(traffic))
    };
    let second = connect("SECOND", &text);
    let request = request(&second);
    let answer = request.answer(&consent(request.url(), true).await, false).expect("an answer");
    second.finish_login(&request, &answer).await.expect("logged in");
    assert_eq!(home.token_files().len(), 2);
    get(&second).await.expect("an answer");
    get(&home.client()).await.expect("an answer");
    // Two names for one account share its tokens: a login of one would end the other's.
    let third = connect("THIRD", &text);
    let request = crate::logins::request(&third);
    let answer = request.answer(&consent(request.url(), true).await, false).expect("an answer");
    third.finish_login(&request, &answer).await.expect("logged in");
    assert_eq!(home.token_files().len(), 2);
    connect("SECOND", &text).refresh_login().await.expect("renewed");
    let gone = third.log_out().await.expect("logged out");
    assert_eq!(gone.shared_with, ["second"]);
    get(&connect("SECOND", &text)).await.expect("goes on");
}
