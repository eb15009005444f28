//! Logging in, in every way there is.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use ctct_client::{Client, ErrorKind, Listener, Return, SCOPES};
use ctct_sandbox::Application;

use crate::logins::{
    Home, Waiting, consent, free_port, http, output, quick, registered, request, spawn,
};

const QUERY: &str = "SELECT count(*) AS n FROM contact_lists";

async fn can_query(home: &Home) {
    let (code, rows, told) = output(home.ctct(&["--format", "csv", "-c", QUERY])).await;
    assert_eq!((code, rows.lines().count()), (Some(0), 2), "{told}");
}

/// What a browser would show at an address; certificates are not looked at.
async fn browse(url: &str) -> (u16, String) {
    let browser = http().tls_danger_accept_invalid_certs(true).build().expect("a browser");
    let response = browser.get(url).send().await.expect("a page");
    let headers = response.headers().clone();
    let page = (response.status().as_u16(), response.text().await.expect("text"));
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_can_listen_at_is_pasted() {
    let home = Home::new(quick()).await;
    let mut login = Waiting::start(home.ctct(&["auth", "login", "--no-browser"]));
    let url = login.line("/authorize?");
    let said = login.line("paste it here");
    assert!(
        login.told.contains("cannot connect: that is expected") || said.contains("expected"),
        "{}",
        login.told
    );
    let back = consent(&url, true).await;
    assert!(
        back.starts_with("https://localhost?code=") || back.starts_with("https://localhost/?code=")
    );
    // A slip first; then as a terminal of 80 columns breaks it.
    login.paste("what do I paste?\n");
    login.line("Once more");
    let wrapped: Vec<&str> =
        back.as_bytes().chunks(40).map(|part| std::str::from_utf8(part).expect("ASCII")).collect();
    login.paste(&format!("{}\n", wrapped.join("\n")));
    let (code, told) = login.end();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("logged in as june.1@example.com"), "{told}");
    can_query(&home).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loopback_address_is_listened_at_and_pasting_works_too() {
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let redirect_uri = format!("http://{host}:{}/back", free_port());
        for pasted in [false, true] {
            let home = registered(&redirect_uri).await;
            let mut login = Waiting::start(home.ctct(&["auth", "login", "--no-browser"]));
            let url = login.line("/authorize?");
            login.line("Waiting for the browser");
            let back = consent(&url, true).await;
            if pasted {
                login.paste(&format!("{back}\n"));
            } else {
                let (status, page) = browse(&back).await;
                assert!(status == 200 && page.contains("Access allowed"), "{page}");
                assert!(!page.contains("code"), "nothing of the request is on the page");
            }
            let (code, told) = login.end();
            assert_eq!(code, Some(0), "{host}: {told}");
            can_query(&home).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tls_listener_is_an_option_with_a_warning() {
    let redirect_uri = format!("https://localhost:{}", free_port());
    let home = registered(&redirect_uri).await;
    let mut login = Waiting::start(home.ctct(&["auth", "login", "--no-browser", "--tls-listener"]));
    let url = login.line("/authorize?");
    login.line("certificate of this machine is not known");
    let back = consent(&url, true).await;
    let (status, page) = browse(&back).await;
    assert!(status == 200 && page.contains("Access allowed"), "{page}");
    let (code, told) = login.end();
    assert_eq!(code, Some(0), "{told}");
    can_query(&home).await;
    // Somebody else has the port: it is said, and nothing is waited for.
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let redirect_uri = format!("https://127.0.0.1:{}/", taken.local_addr().expect("bound").port());
    let home = registered(&redirect_uri).await;
    let (code, _, told) = output(home.ctct(&["auth", "login", "--tls-listener"])).await;
    assert!(code == Some(1) && told.contains("nothing can listen"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_browser_logs_in_in_two_steps() {
    let home = Home::new(quick()).await;
    let file = home.path().join("url.txt");
    let arguments = ["auth", "url", "--url-file", file.to_str().expect("UTF-8")];
    let (code, url, told) = output(home.ctct(&arguments)).await;
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(std::fs::read_to_string(&file).expect("written"), url);
    let back = consent(url.trim(), true).await;
    std::fs::write(home.path().join("back.txt"), &back).expect("written");
    let (code, _, told) = output(home.ctct(&["auth", "finish", "--file", "back.txt"])).await;
    assert_eq!(code, Some(0), "{told}");
    can_query(&home).await;
    // Once is enough: the login has ended, and so has its code.
    let (code, _, told) = output(home.ctct(&["auth", "finish", "--file", "back.txt"])).await;
    assert!(code == Some(1) && told.contains("ctct auth url"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_logs_in_by_a_code() {
    let home = Home::new(Application { device_interval: 1, ..quick() }).await;
    let mut login = Waiting::start(home.ctct(&["auth", "login", "--device"]));
    let address = login.line("/activate?user_code=");
    login.line("Waiting for the access");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let browser = http().build().expect("a browser");
    let page = browser.get(&address).send().await.expect("a page").text().await.expect("text");
    assert!(page.contains("id=\"allow\""), "{page}");
    let user_code = address.rsplit('=').next().expect("a code").to_owned();
    let form = format!("user_code={user_code}&decision=allow");
    browser.post(&address).body(form).send().await.expect("allowed");
    let (code, told) = login.end();
    assert_eq!(code, Some(0), "{told}");
    can_query(&home).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_consent_ends_the_login() {
    let home = Home::new(quick()).await;
    let mut login = Waiting::start(home.ctct(&["auth", "login", "--no-browser"]));
    let url = login.line("/authorize?");
    login.paste(&format!("{}\n", consent(&url, false).await));
    let (code, told) = login.end();
    assert!(code == Some(4) && told.contains("access was not given"), "{told}");
    let redirect_uri = format!("http://127.0.0.1:{}/", free_port());
    let home = registered(&redirect_uri).await;
    let mut login = Waiting::start(home.ctct(&["auth", "login", "--no-browser"]));
    let url = login.line("/authorize?");
    let (_, page) = browse(&consent(&url, false).await).await;
    assert!(page.contains("Access not given"), "{page}");
    let (code, told) = login.end();
    assert!(code == Some(4) && told.contains("access was not given"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_application_is_told_by_name() {
    for (secrets, part) in [
        ("client_id: 5a4db0c5-0000-4000-8000-000000000000, client_secret: wrong", "invalid_client"),
        // A public client: PKCE is proof enough.
        ("client_id: 5a4db0c5-0000-4000-8000-000000000000", "logged in"),
    ] {
        let mut home = Home::new(quick()).await;
        secrets.clone_into(&mut home.secrets);
        let mut login = Waiting::start(home.ctct(&["auth", "login", "--no-browser"]));
        let url = login.line("/authorize?");
        login.paste(&format!("{}\n", consent(&url, true).await));
        let (code, told) = login.end();
        assert!(told.contains(part), "{told}");
        assert_eq!(code == Some(0), part == "logged in", "{told}");
        if code == Some(0) {
            home.client().refresh_login().await.expect("without a secret, too");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t10_a_code_is_good_once_and_for_its_own_login() {
    let home = Home::new(quick()).await;
    let client = home.client();
    let (first, second) = (request(&client), request(&client));
    let back = consent(first.url(), true).await;
    let error = second.answer(&back, false).expect_err("another login's");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    // A bare code belongs to no login that anybody could check; PKCE refuses it all the same.
    let code = back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code");
    assert!(second.answer(code, false).is_err());
    let stolen = second.answer(code, true).expect("on request");
    let error = client.finish_login(&second, &stolen).await.expect_err("not its verifier");
    assert!(error.is_authentication() && error.to_string().contains("PKCE"), "{error}");
    let answer = first.answer(&consent(first.url(), true).await, false).expect("an answer");
    client.finish_login(&first, &answer).await.expect("logged in");
    let error = client.finish_login(&first, &answer).await.expect_err("once");
    assert!(error.to_string().contains("invalid_grant"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("five minutes")), "{error:?}");
    // Two at once: each ends at its own, and the later one's tokens stay.
    let other = home.client();
    let (one, two) = (request(&client), request(&other));
    let (one_back, two_back) = (consent(one.url(), true).await, consent(two.url(), true).await);
    let finish = |client: Client, request: ctct_client::AuthorizationRequest, back: String| async move {
        let answer = request.answer(&back, false).expect("an answer");
        client.finish_login(&request, &answer).await
    };
    let both = tokio::join!(finish(client, one, one_back), finish(other, two, two_back));
    assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
    assert_eq!(home.token_files().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t10_a_listener_listens_to_nobody_else() {
    let port = free_port();
    let home = registered(&format!("http://127.0.0.1:{port}/back")).await;
    let client = home.client();
    let request = request(&client);
    let Return::Listen(at) =
        Return::of(&client.connection().inputs.redirect_uri, false).expect("valid")
    else {
        panic!("it is listened for");
    };
    let listener = Listener::bind(at).await.expect("free");
    let waiting = {
        let request = request.clone();
        spawn(async move { listener.answer(&request).await })
    };
    let browser = http().build().expect("a browser");
    // Browsers open connections in advance and say nothing on them; scanners say anything.
    let silent: Vec<_> =
        (0..10).map(|_| TcpStream::connect(("127.0.0.1", port)).expect("connected")).collect();
    let back = consent(request.url(), true).await;
    let query = back.split_once('?').expect("a query").1.to_owned();
    let base = format!("http://127.0.0.1:{port}");
    for number in 0..1_000 {
        let status = match number % 8 {
            0 => browser.get(format!("{base}/favicon.ico")).send().await,
            1 => browser.get(format!("{base}/back")).send().await,
            2 => browser.get(format!("{base}/back?code=evil&state=guess{number}")).send().await,
            3 => browser.get(format!("{base}/back?error=access_denied&state=")).send().await,
            4 => browser.get(format!("{base}/?{query}")).send().await,
            5 => browser.post(&back).send().await,
            6 => browser.get(&back).header("host", "rebound.example").send().await,
            _ => {
                let mut raw = TcpStream::connect(("127.0.0.1", port)).expect("connected");
                drop(raw.write_all(b"\x16\x03\x01\x00\xff\r\n\r\nGET"));
                continue;
            }
        };
        let status = status.expect("an answer").status().as_u16();
        assert!(matches!(status, 400 | 404), "{number}: {status}");
        assert!(!waiting.is_finished(), "{number} ended the login");
    }
    let (status, _) = browse(&back).await;
    assert_eq!(status, 200);
    let answer = waiting.await.expect("no panic").expect("the right one");
    client.finish_login(&request, &answer).await.expect("logged in");
    drop(silent);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_anybody_to_ask_the_next_command_is_said() {
    let home = Home::new(quick()).await;
    for arguments in
        [&["-c", QUERY][..], &["conns", "test"], &["auth", "refresh"], &["auth", "export"]]
    {
        let (code, _, told) = output(home.ctct(arguments)).await;
        assert_eq!(code, Some(4), "{arguments:?}: {told}");
        assert_eq!(
            told,
            "error: connection CONSTANT_CONTACT is not logged in\nhint: log in once: ctct auth login CONSTANT_CONTACT\n"
        );
    }
    let (code, _, told) = output(home.ctct(&["auth", "login", "--no-input"])).await;
    assert!(code == Some(4) && told.contains("ctct auth url"), "{told}");
    let (code, _, told) = output(home.ctct(&["auth", "login", "--no-browser"])).await;
    assert!(code == Some(4) && told.contains("nothing was pasted"), "{told}");
    assert_eq!(home.sandbox.requests().len(), 0);
    assert_eq!(SCOPES.len(), 4);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_first_query_on_a_terminal_begins_the_login() {
    let home = Home::new(quick()).await;
    let mut query = home.ctct(&["--format", "csv", "-c", QUERY]);
    query.env("BROWSER", "/bin/true").env("NO_COLOR", "1").env("TERM", "xterm");
    let Some(mut login) = Waiting::start_on_a_terminal(&query) else { return };
    login.line("is not logged in yet");
    let url = login.line("/authorize?");
    login.line("paste it here");
    let back = consent(url.trim(), true).await;
    login.paste(&format!("{back}\n"));
    login.line("is logged in as june.1@example.com");
    let (code, told) = login.end();
    assert!(code == Some(0) && told.contains("\n12"), "{told}");
    // Nobody is asked where nobody wants to be.
    let home = Home::new(quick()).await;
    let query = home.ctct(&["--no-input", "-c", QUERY]);
    let Some(refused) = Waiting::start_on_a_terminal(&query) else { return };
    let (code, told) = refused.end();
    assert!(code == Some(4) && told.contains("ctct auth login"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_were_not_given_are_missed_by_name() {
    let home = Home::new(quick()).await;
    let (code, url, _) = output(home.ctct(&["auth", "url", "--scopes", "contact_data"])).await;
    assert!(code == Some(0) && url.contains("&scope=contact_data"), "{url}");
    std::fs::write(home.path().join("back"), consent(url.trim(), true).await).expect("written");
    let (code, _, told) = output(home.ctct(&["auth", "finish", "--file", "back"])).await;
    assert!(code == Some(0) && told.contains("Without the scope offline_access"), "{told}");
    can_query(&home).await;
    let (code, _, told) = output(home.ctct(&["-c", "SELECT * FROM email_campaigns"])).await;
    assert!(code == Some(1) && told.contains("GET /emails is not allowed"), "{told}");
    // Without a refresh token a login ends with its access token, and says so.
    home.sandbox.expire_access_tokens();
    let (code, _, told) = output(home.ctct(&["-c", QUERY])).await;
    assert!(code == Some(4) && told.contains("offline_access"), "{told}");
    assert_eq!(home.token_files().len(), 1, "only the server can say that a login is dead");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_endpoint_is_asked_once_a_second() {
    let home = Home::new(Application::default()).await;
    home.log_in(chrono::TimeDelta::zero()).await;
    for _ in 0..4 {
        home.client().refresh_login().await.expect("renewed");
    }
    let statuses: Vec<u16> = home.sandbox.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200; 4], "the server takes one request a second, and refused none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_moves_to_another_machine() {
    let home = Home::new(quick()).await;
    home.log_in(chrono::TimeDelta::zero()).await;
    let (code, login, told) = output(home.ctct(&["auth", "export", "--move"])).await;
    assert!(code == Some(0) && told.contains("logged out here"), "{told}");
    assert_eq!(home.token_files().len(), 0);
    std::fs::write(home.path().join("login.json"), &login).expect("written");
    let (code, _, told) = output(home.ctct(&["auth", "import", "--file", "login.json"])).await;
    assert!(code == Some(0) && told.contains("logged in as"), "{told}");
    can_query(&home).await;
    for (text, why) in [
        ("{}", "not what ctct writes"),
        (&login.replace("5a4db0c5", "other"), "another application"),
    ] {
        std::fs::write(home.path().join("login.json"), text).expect("written");
        let (code, _, told) = output(home.ctct(&["auth", "import", "--file", "login.json"])).await;
        assert!(code == Some(1) && told.contains(why), "{told}");
    }
    let (code, _, told) = output(home.ctct(&["auth", "logout"])).await;
    assert!(code == Some(0) && told.contains("no way to revoke"), "{told}");
    assert_eq!(home.token_files().len(), 0);
}
