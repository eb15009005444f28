//! A real browser, driven over the protocol of `WebDriver`.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};

use crate::logins::http;

/// A headless Chromium with a window of its own.
pub(crate) struct Browser {
    driver: Child,
    http: reqwest::Client,
    session: String,
    _profile: tempfile::TempDir,
}

/// The name under which elements are told.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// Starts one. None where none is installed: `tests/run` installs it, and then insists
    /// on it with `CTCT_REQUIRE_BROWSER`.
    pub(crate) async fn start() -> Option<Self> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&folders).map(|folder| folder.join("chromedriver"));
        let found = found.into_iter().find(|path| path.exists());
        let Some(program) = found else {
            let required = std::env::var_os("CTCT_REQUIRE_BROWSER").is_some();
            assert!(
                !required,
                "chromedriver is missing (Debian: apt-get install chromium chromium-driver)"
            );
            println!(
                "not shown: chromedriver is missing (Debian: apt-get install chromium chromium-driver)"
            );
            return None;
        };
        let mut driver = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            line.split_once("started successfully on port ")
                .map(|(_, port)| port.trim_end_matches('.').to_owned())
        });
        let base = format!("http://127.0.0.1:{}", port.expect("chromedriver tells its port"));
        let http = http().build().expect("a client");
        let profile = tempfile::tempdir().expect("a folder");
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--window-size=800,600".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "acceptInsecureCerts": true,
            "goog:chromeOptions": { "args": arguments },
        } } });
        let started = http.post(format!("{base}/session")).body(wanted.to_string()).send().await;
        let text = started.expect("an answer").text().await.expect("text");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let session =
            answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {text}"));
        let session = format!("{base}/session/{session}");
        Some(Self { driver, http, session, _profile: profile })
    }

    async fn command(&self, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.session);
        let request = match body {
            Some(body) => self.http.post(url).body(body.to_string()),
            None => self.http.get(url),
        };
        let text = request.send().await.expect("an answer").text().await.expect("text");
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        answer["value"].take()
    }

    pub(crate) async fn open(&self, url: &str) {
        self.command("/url", Some(json!({ "url": url }))).await;
    }

    pub(crate) async fn click(&self, selector: &str) {
        let found = self
            .command("/element", Some(json!({ "using": "css selector", "value": selector })))
            .await;
        let element = found[ELEMENT].as_str().unwrap_or_else(|| panic!("no {selector}: {found}"));
        self.command(&format!("/element/{element}/click"), Some(json!({}))).await;
    }

    /// What somebody reads on the page.
    pub(crate) async fn text(&self) -> String {
        let script = json!({ "script": "return document.body.innerText", "args": [] });
        self.command("/execute/sync", Some(script)).await.as_str().unwrap_or_default().to_owned()
    }

    /// What stands in the address bar, once it starts with this.
    pub(crate) async fn address(&self, start: &str) -> String {
        let mut address = String::new();
        for _ in 0..200 {
            let at = self.command("/url", None).await;
            at.as_str().unwrap_or_default().clone_into(&mut address);
            if address.starts_with(start) {
                return address;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the browser is at {address}");
    }

    /// Keeps a picture of the page beside the test's other files.
    pub(crate) async fn picture(&self, name: &str) {
        let picture = self.command("/screenshot", None).await;
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap_or_default());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(folder.join(format!("{name}.png")), bytes.expect("a picture"))
            .expect("written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the session ends the browser; also where a test has failed.
        drop(self.end_session());
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

impl Browser {
    fn end_session(&self) -> std::io::Result<()> {
        let address = self.session.trim_start_matches("http://");
        let (host, path) = address.split_once('/').unwrap_or((address, ""));
        let mut stream = std::net::TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "DELETE /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
        stream.read_exact(&mut [0; 12])
    }
}
