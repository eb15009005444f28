//! The login as a person sees it, in a real browser.

use crate::browser::Browser;
use crate::logins::{Home, Waiting, free_port, output, quick, registered};

/// A login that opens its browser: here one that writes down what it is to open.
fn login(home: &Home, arguments: &[&str]) -> Waiting {
    let browser = home.path().join("browser.sh");
    // What the browser is given, and all that it could see.
    let script = format!(
        "#!/bin/sh\nexport -p > {0}/environment\nprintf %s \"$1\" > {0}/opened\n",
        home.path().display()
    );
    std::fs::write(&browser, script).expect("written");
    #[cfg(unix)]
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("set");
    let mut command = home.ctct(&[&["auth", "login"], arguments].concat());
    command.env("BROWSER", browser);
    Waiting::start(command)
}

async fn opened(home: &Home) -> String {
    for _ in 0..200 {
        match std::fs::read_to_string(home.path().join("opened")) {
            Ok(url) if !url.is_empty() => return url,
            _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
    panic!("no browser was opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_browser_comes_back_to_the_listener() {
    let Some(browser) = Browser::start().await else { return };
    let redirect_uri = format!("http://127.0.0.1:{}/back", free_port());
    let home = registered(&redirect_uri).await;
    let login = login(&home, &[]);
    browser.open(&opened(&home).await).await;
    insta::assert_snapshot!("consent_page", browser.text().await);
    browser.picture("consent").await;
    browser.click("#allow").await;
    browser.address(&redirect_uri).await;
    insta::assert_snapshot!("final_page", browser.text().await);
    browser.picture("allowed").await;
    let (code, told) = login.end();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("A browser opens"), "{told}");
    let (code, _, told) = output(home.ctct(&["conns", "test"])).await;
    assert_eq!(code, Some(0), "{told}");
    let environment = std::fs::read_to_string(home.path().join("environment")).expect("written");
    assert!(
        environment.contains("BROWSER") && !environment.contains("client_secret"),
        "{environment}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_browser_cannot_connect_and_its_address_is_pasted() {
    let Some(browser) = Browser::start().await else { return };
    let home = Home::new(quick()).await;
    let mut login = login(&home, &[]);
    browser.open(&opened(&home).await).await;
    browser.click("#allow").await;
    let address = browser.address("https://localhost").await;
    browser.picture("cannot-connect").await;
    assert!(login.line("paste it here").contains("paste"));
    login.paste(&format!("{address}\n"));
    let (code, told) = login.end();
    assert_eq!(code, Some(0), "{told}");
    let (code, _, told) = output(home.ctct(&["conns", "test"])).await;
    assert_eq!(code, Some(0), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_browser_denies() {
    let Some(browser) = Browser::start().await else { return };
    let redirect_uri = format!("http://localhost:{}/", free_port());
    let home = registered(&redirect_uri).await;
    let login = login(&home, &[]);
    browser.open(&opened(&home).await).await;
    browser.click("#deny").await;
    browser.address(&redirect_uri).await;
    insta::assert_snapshot!("denied_page", browser.text().await);
    let (code, told) = login.end();
    assert!(code == Some(4) && told.contains("denied"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_browser_goes_past_the_warning_of_the_tls_listener() {
    let Some(browser) = Browser::start().await else { return };
    let redirect_uri = format!("https://localhost:{}", free_port());
    let home = registered(&redirect_uri).await;
    let login = login(&home, &["--tls-listener"]);
    browser.open(&opened(&home).await).await;
    browser.click("#allow").await;
    browser.address(&redirect_uri).await;
    assert!(browser.text().await.contains("Access allowed"));
    let (code, told) = login.end();
    assert_eq!(code, Some(0), "{told}");
}
