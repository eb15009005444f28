//! What the tests of logins share: a sandbox, a home with tokens, and a user who consents.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use ctct_client::{
    AuthorizationRequest, Client, Clock, Connection, Ledger, SCOPES, TokenStore, Traffic,
};
use ctct_sandbox::{Application, CLIENT_ID, Sandbox, Settings};
use ctct_tests::ctct;

/// Where the sandbox's tokens are had.
pub(crate) const TOKEN_PATH: &str = "/oauth2/default/v1/token";

/// A sandbox, and a home in which somebody may be logged in to it.
pub(crate) struct Home {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) secrets: String,
    pub(crate) inputs: String,
}

/// An application that is not slowed down, for tests that ask for many tokens.
pub(crate) fn quick() -> Application {
    Application { token_requests_per_second: None, ..Application::default() }
}

impl Home {
    pub(crate) async fn new(application: Application) -> Self {
        let secret = application.client_secret.clone();
        let settings = Settings { contacts: 1_000, application, ..Settings::default() };
        Self {
            sandbox: Sandbox::start(settings).await.expect("a sandbox"),
            folder: tempfile::tempdir().expect("a folder"),
            secrets: format!("client_id: {CLIENT_ID}, client_secret: {secret}"),
            inputs: String::new(),
        }
    }

    /// A home in which somebody logged in two days ago: the access token has ended.
    pub(crate) async fn with_an_old_login(application: Application) -> Self {
        let home = Self::new(application).await;
        home.log_in(TimeDelta::days(-2)).await;
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn connection_text(&self) -> String {
        format!(
            "{{ type: api, spec: constant-contact, secrets: {{ {} }}, inputs: {{ base_url: \"{}\", \
             auth_url: \"{}\", requests_per_second: unlimited{} }} }}",
            self.secrets,
            self.sandbox.base_url(),
            self.sandbox.auth_url(),
            self.inputs
        )
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection::parse("CONSTANT_CONTACT", "a test", &self.connection_text()).expect("valid")
    }

    pub(crate) fn store(&self) -> TokenStore {
        TokenStore::new(self.path().join("tokens"))
    }

    /// A client as a process of its own would have it.
    pub(crate) fn client(&self) -> Client {
        self.client_by(Clock::default(), self.store())
    }

    pub(crate) fn client_by(&self, clock: Clock, store: TokenStore) -> Client {
        let ledger = Ledger::open(self.path().join("ledger.sqlite")).with_clock(clock);
        let traffic = Traffic::new(Arc::new(ledger), "test").with_tokens(store);
        Client::new(self.connection(), Arc::new(traffic))
    }

    /// The built program in this home.
    pub(crate) fn ctct(&self, arguments: &[&str]) -> Command {
        let mut command = ctct();
        command
            .env("CTCT_HOME", self.path())
            .env("CONSTANT_CONTACT", self.connection_text())
            .current_dir(self.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Logs in, at a time that is so far from now.
    pub(crate) async fn log_in(&self, at: TimeDelta) {
        let clock = Clock::default();
        clock.advance(at);
        let client = self.client_by(clock, self.store());
        let request = request(&client);
        let back = consent(request.url(), true).await;
        let answer = request.answer(&back, false).expect("an answer");
        client.finish_login(&request, &answer).await.expect("logged in");
        self.sandbox.clear_requests();
    }

    /// How often the token endpoint was asked.
    pub(crate) fn token_requests(&self) -> usize {
        let requests = self.sandbox.requests();
        requests.iter().filter(|request| request.path == TOKEN_PATH).count()
    }

    /// The files that hold tokens.
    pub(crate) fn token_files(&self) -> Vec<PathBuf> {
        let folder = self.path().join("tokens").join(CLIENT_ID);
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect()
    }

    /// The content of the only file that holds tokens.
    pub(crate) fn tokens(&self) -> String {
        let files = self.token_files();
        assert_eq!(files.len(), 1, "{files:?}");
        std::fs::read_to_string(&files[0]).expect("readable")
    }
}

pub(crate) fn request(client: &Client) -> AuthorizationRequest {
    AuthorizationRequest::new(client.connection(), &SCOPES.map(str::to_owned)).expect("a request")
}

/// A plain client of HTTP.
pub(crate) fn http() -> reqwest::ClientBuilder {
    // Fails where another test was faster.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1))
}

/// What a user does with the page: the address that the browser ends at.
pub(crate) async fn consent(url: &str, allow: bool) -> String {
    let browser = http().redirect(reqwest::redirect::Policy::none()).build().expect("a browser");
    let page = browser.get(url).send().await.expect("a page");
    assert_eq!(page.status(), 200);
    assert!(page.text().await.expect("text").contains("id=\"allow\""));
    let decision = if allow { "decision=allow" } else { "decision=deny" };
    let answer = browser.post(url).body(decision).send().await.expect("an answer");
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().expect("an address").to_owned()
}

/// Runs a program beside this one, in which the sandbox goes on answering.
pub(crate) async fn output(mut command: Command) -> (Option<i32>, String, String) {
    let output = tokio::task::spawn_blocking(move || command.output().expect("ctct runs"));
    let output = output.await.expect("waited");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Runs something beside; the test waits for it.
pub(crate) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::runtime::Handle::current().spawn(future)
}

/// A login that waits for its user, in a process of its own.
pub(crate) struct Waiting {
    pub(crate) child: std::process::Child,
    said: std::sync::mpsc::Receiver<String>,
    pub(crate) told: String,
}

impl Waiting {
    /// Starts it; what it says is kept.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().expect("started");
        let stderr = child.stderr.take().expect("piped");
        Self::listen(child, stderr)
    }

    /// Starts it on a terminal; what is shown there is kept.
    pub(crate) fn start_on_a_terminal(inner: &Command) -> Option<Self> {
        let script = Path::new("/usr/bin/script");
        if !script.exists() {
            println!("not shown: there is no `script` to make a terminal with");
            return None;
        }
        let words = std::iter::once(inner.get_program()).chain(inner.get_args());
        let line: Vec<String> = words.map(|word| format!("'{}'", word.to_string_lossy())).collect();
        let mut command = Command::new(script);
        command.args(["-qefc", &line.join(" "), "/dev/null"]).env_clear().env("SHELL", "/bin/sh");
        for (name, value) in inner.get_envs().filter_map(|(name, value)| Some((name, value?))) {
            command.env(name, value);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("started");
        let stdout = child.stdout.take().expect("piped");
        Some(Self::listen(child, stdout))
    }

    fn listen(child: std::process::Child, from: impl std::io::Read + Send + 'static) -> Self {
        use std::io::BufRead;
        let (say, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in std::io::BufReader::new(from).lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, said, told: String::new() }
    }

    /// Waits for a line that contains this.
    pub(crate) fn line(&mut self, part: &str) -> String {
        loop {
            let line = self.said.recv_timeout(Duration::from_secs(30));
            let line = line.unwrap_or_else(|_| panic!("{part:?} was never said: {}", self.told));
            self.told.push_str(&line);
            self.told.push('\n');
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Types something.
    pub(crate) fn paste(&mut self, text: &str) {
        use std::io::Write;
        let input = self.child.stdin.as_mut().expect("piped");
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).expect("typed");
    }

    /// Waits for its end: the exit code, and all that was said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("waited");
        while let Ok(line) = self.said.recv() {
            self.told.push_str(&line);
            self.told.push('\n');
        }
        (status.code(), self.told)
    }
}

/// A port of this machine that is free just now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

/// A home whose application is registered with this address.
pub(crate) async fn registered(redirect_uri: &str) -> Home {
    let application = Application { redirect_uris: vec![redirect_uri.to_owned()], ..quick() };
    let mut home = Home::new(application).await;
    home.inputs = format!(", redirect_uri: \"{redirect_uri}\"");
    home
}
