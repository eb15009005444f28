//! What the tests share: a sandbox with a session over it, and the built `ctct`.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

pub mod postgres;
pub mod terminal;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use ctct_sandbox::{ACCESS_TOKEN, CLIENT_ID, Sandbox, Settings};
use datafusion::prelude::SessionContext;
use datafusion_ctct::{Connection, Pace, SessionBuilder};

/// A sandbox and a session whose default schema is its account.
pub struct Account {
    /// The server.
    pub sandbox: Sandbox,
    /// What queries it.
    pub session: SessionContext,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("sandbox", &self.sandbox).finish_non_exhaustive()
    }
}

/// Starts a sandbox and opens a session over it.
///
/// # Panics
/// Where either cannot be had: the test cannot go on.
pub async fn account(settings: Settings) -> Account {
    let sandbox = Sandbox::start(settings).await.expect("the sandbox starts");
    let connection = connection(&sandbox);
    let session = SessionBuilder::new().with_connection(connection).build();
    Account { sandbox, session: session.expect("the session opens") }
}

/// An unpaced connection to a sandbox, called `CONSTANT_CONTACT`.
///
/// # Panics
/// Where the sandbox's address is not accepted.
pub fn connection(sandbox: &Sandbox) -> Connection {
    Connection::new("CONSTANT_CONTACT", CLIENT_ID, &sandbox.base_url())
        .expect("a loopback address")
        .with_access_token(ACCESS_TOKEN.to_owned())
        .with_pace(Pace::Unlimited)
}

/// The folder of the project.
///
/// # Panics
/// Never: this package lies in a folder.
pub fn project() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(PathBuf::from).unwrap_or(package)
}

/// The `ctct` that belongs to these tests, built if it is not yet.
///
/// # Panics
/// Where it cannot be built.
pub fn ctct() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let path = BUILT.get_or_init(|| {
        let test = std::env::current_exe().expect("a test knows its own file");
        // target/debug/deps/it-1234 lies beside target/debug/ctct.
        let folder = test.ancestors().nth(2).expect("tests are built into a folder of theirs");
        let mut cargo = Command::new(env!("CARGO"));
        // The whole workspace, so that dependencies keep the features they were built with.
        cargo.args(["build", "--quiet", "--workspace", "--bin", "ctct"]);
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        let built = cargo.current_dir(project()).status().expect("cargo runs");
        assert!(built.success(), "ctct could not be built");
        let path = folder.join(format!("ctct{}", std::env::consts::EXE_SUFFIX));
        assert!(path.exists(), "{} was not built", path.display());
        path
    });
    // Nothing of the machine's own configuration reaches a test, and no test another.
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let home = path.with_file_name("ctct-tests-home");
    let home = home.join(format!("{}-{number}", std::process::id()));
    // What an earlier process of this number left.
    drop(std::fs::remove_dir_all(&home));
    let mut command = Command::new(path);
    command.env_clear().env("PATH", "").env("CTCT_HOME", home);
    command
}

/// The official specification, where it is at hand: it is not part of the project.
pub fn specification() -> Option<PathBuf> {
    let beside = project().join("../shared/api/openapi-3.0.178.yaml");
    beside.exists().then_some(beside)
}
