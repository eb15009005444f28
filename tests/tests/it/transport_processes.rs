//! The transport in several processes at once: pace, quota, and what is left when one is
//! stopped.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use ctct_sandbox::{ACCESS_TOKEN, CLIENT_ID, Fault, FaultKind, Limits, Sandbox, Settings};
use ctct_tests::ctct;
use datafusion_ctct::{Connection, Ledger};

/// A sandbox, and a home that all processes share.
struct Shared {
    sandbox: Sandbox,
    home: tempfile::TempDir,
    inputs: String,
}

impl Shared {
    async fn new(settings: Settings, inputs: &str) -> Self {
        Self {
            sandbox: Sandbox::start(settings).await.expect("a sandbox"),
            home: tempfile::tempdir().expect("a folder"),
            inputs: inputs.to_owned(),
        }
    }

    fn connection_text(&self) -> String {
        format!(
            "{{ type: api, spec: constant-contact, \
             secrets: {{ client_id: {CLIENT_ID}, access_token: {ACCESS_TOKEN} }}, \
             inputs: {{ base_url: \"{}\", {} }} }}",
            self.sandbox.base_url(),
            self.inputs
        )
    }

    fn query(&self, sql: &str) -> Command {
        let mut command = ctct();
        command
            .env("CTCT_HOME", self.home.path())
            .env("CONSTANT_CONTACT", self.connection_text())
            .current_dir(self.home.path())
            .args(["--format", "csv", "-c", sql])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn ledger(&self) -> (Ledger, Connection) {
        let connection = Connection::parse("CC", "a test", &self.connection_text()).expect("valid");
        (Ledger::open(self.home.path().join("ledger.sqlite")), connection)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

/// Runs a process while the sandbox in this one goes on answering.
fn beside(mut command: Command) -> tokio::task::JoinHandle<Output> {
    tokio::task::spawn_blocking(move || command.output().expect("ctct runs"))
}

async fn output(command: Command) -> Output {
    beside(command).await.expect("waited")
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t1_eight_processes_keep_the_pace_together() {
    // 2,000 requests at the highest pace take nine minutes: that many on request; always
    // enough of them at the pace that people have unless they choose another.
    let long = std::env::var_os("CTCT_LONG_TESTS").is_some();
    let (contacts, pace) = if long { (130_000, 4) } else { (2_600, 3) };
    let limits = Limits { per_second: Some(4), per_day: None };
    let settings = Settings { contacts, limits, ..Settings::default() };
    let shared = Shared::new(settings, &format!("requests_per_second: {pace}")).await;
    let processes: Vec<_> =
        (0..8).map(|_| beside(shared.query("SELECT count(contact_id) FROM contacts"))).collect();
    for process in processes {
        let output = process.await.expect("waited");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let (requests, throttled, most_in_a_second) = shared.sandbox.traffic();
    println!("{requests} requests, {throttled} throttled, at most {most_in_a_second} in a second");
    assert!(requests >= if long { 2_000 } else { 40 });
    assert_eq!(throttled, 0, "at most {most_in_a_second} in a second");
    let (ledger, connection) = shared.ledger();
    assert_eq!(ledger.quota(&connection).used, u64::from(requests));
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t2_a_day_is_never_overdrawn_by_processes_that_are_killed() {
    let seed = 20_260_101;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let settings = Settings {
        contacts: 100_000,
        limits: Limits { per_second: None, per_day: Some(300) },
        ..Settings::default()
    };
    let inputs = "requests_per_second: unlimited, requests_per_day: 300";
    let shared = Shared::new(settings, inputs).await;
    let mut running: Vec<Child> = Vec::new();
    let (mut finished, mut killed) = (0, 0);
    // All of a day in one statement: somebody has to agree to that.
    let query = || {
        let mut command = shared.query("SELECT count(contact_id) FROM contacts");
        command.arg("--yes");
        command
    };
    let start = || query().spawn().expect("ctct starts");
    for _ in 0..400 {
        while running.len() < 4 && finished < 6 {
            running.push(start());
        }
        tokio::time::sleep(Duration::from_millis(random.u64(5..60))).await;
        let victim = random.usize(0..running.len().max(1));
        if let Some(process) = running.get_mut(victim) {
            drop(process.kill());
            killed += 1;
        }
        running.retain_mut(|process| match process.try_wait().expect("a child") {
            None => true,
            Some(status) => {
                finished += usize::from(status.code() == Some(5));
                false
            }
        });
        if finished >= 6 && running.is_empty() {
            break;
        }
    }
    for mut process in running {
        killed += 1;
        drop(process.kill());
        drop(process.wait());
    }
    let output = output(query()).await;
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let server = shared.sandbox.requests().len() as u64;
    let (ledger, connection) = shared.ledger();
    let counted = ledger.quota(&connection).used;
    println!("the server saw {server}, the ledger counted {counted}");
    assert!(server <= 300 && counted >= server, "{server} {counted}");
    assert!(
        counted - server <= killed,
        "each of {killed} killed processes leaks one request at most"
    );
    assert!(shared.sandbox.requests().iter().all(|request| request.status == 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t3_a_used_up_day_ends_everything_and_keeps_what_was_read() {
    let settings = Settings { contacts: 5_000, ..Settings::default() };
    let shared = Shared::new(settings, "requests_per_second: unlimited").await;
    let kind = FaultKind::QuotaExceeded;
    shared.sandbox.inject(Fault { kind, path: "/v3/contacts".into(), skip: 3, times: 1 });
    let output_of_copy =
        output(shared.query("COPY (SELECT contact_id FROM contacts) TO 'all.parquet'")).await;
    let told = String::from_utf8_lossy(&output_of_copy.stderr).into_owned();
    assert_eq!(output_of_copy.status.code(), Some(5), "{told}");
    assert!(told.contains("all.incomplete.parquet holds the 1,500 rows"), "{told}");
    assert!(told.contains("it is incomplete") && told.contains("00:00 UTC"), "{told}");
    assert!(!shared.file("all.parquet").exists(), "an incomplete file has not the final name");
    let rows = output(shared.query("SELECT count(*) AS n FROM 'all.incomplete.parquet'")).await;
    assert_eq!(String::from_utf8_lossy(&rows.stdout), "n\n1500\n");

    assert_eq!(shared.sandbox.requests().len(), 4);
    for _ in 0..3 {
        let output = output(shared.query("SELECT * FROM segments")).await;
        assert_eq!(output.status.code(), Some(5));
    }
    assert_eq!(shared.sandbox.requests().len(), 4, "no process sends anything more that day");

    let mut quota = ctct();
    quota.env("CTCT_HOME", shared.home.path()).env("CONSTANT_CONTACT", shared.connection_text());
    quota.arg("quota");
    let told = String::from_utf8_lossy(&output(quota).await.stdout).into_owned();
    assert!(told.contains("4 of 10,000 requests used") && told.contains("0 left"), "{told}");
    assert!(told.contains("Limit Exceeded"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_before_its_first_row_leaves_nothing() {
    let shared = Shared::new(Settings::default(), "requests_per_second: unlimited").await;
    shared.sandbox.inject(Fault {
        kind: FaultKind::TokenExpired,
        path: String::new(),
        skip: 0,
        times: 1,
    });
    let output_of_copy = output(shared.query("COPY contacts TO 'all.csv'")).await;
    assert_eq!(output_of_copy.status.code(), Some(4));
    assert!(!shared.file("all.csv").exists() && !shared.file("all.incomplete.csv").exists());
    let output_of_copy = output(shared.query("COPY contacts TO 'all.csv'")).await;
    assert!(output_of_copy.status.success(), "{}", String::from_utf8_lossy(&output_of_copy.stderr));
    assert!(shared.file("all.csv").exists() && !shared.file("all.incomplete.csv").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_does_not_add_up_is_told() {
    let shared = Shared::new(Settings::default(), "requests_per_second: unlimited").await;
    let query = || shared.query("SELECT count(contact_id) AS n FROM contacts");
    let whole = output(query()).await;
    assert!(whole.stderr.is_empty(), "{}", String::from_utf8_lossy(&whole.stderr));
    // The third page is empty, and again when all ten are read once more.
    for skip in [2, 9] {
        shared.sandbox.inject(Fault {
            kind: FaultKind::EmptyPage,
            path: String::new(),
            skip,
            times: 1,
        });
    }
    let short = output(query()).await;
    assert_eq!(String::from_utf8_lossy(&short.stdout), "n\n4294\n");
    let told = String::from_utf8_lossy(&short.stderr).into_owned();
    assert!(told.starts_with("warning: 4794 contacts were announced and 4294 came"), "{told}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn b_t7_an_interrupt_sends_nothing_more() {
    let settings = Settings { contacts: 50_000, ..Settings::default() };
    let shared = Shared::new(settings, "requests_per_second: 10").await;
    let process = shared.query("SELECT contact_id FROM contacts").spawn().expect("ctct starts");
    while shared.sandbox.requests().len() < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    interrupt(process.id());
    let output = tokio::task::spawn_blocking(move || process.wait_with_output()).await;
    let output = output.expect("waited").expect("a status");
    assert_eq!(output.status.code(), Some(130));
    let sent = shared.sandbox.requests().len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(shared.sandbox.requests().len(), sent);
    assert!(sent <= 10, "{sent} of a hundred requests");
}

#[cfg(unix)]
fn interrupt(process: u32) {
    let status = Command::new("kill").args(["-INT", &process.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_ledger_is_told_and_replaced() {
    let shared = Shared::new(Settings::default(), "requests_per_second: unlimited").await;
    let path = shared.file("ledger.sqlite");
    std::fs::write(
        &path,
        "this is no database at all, but long enough to be seen as such".repeat(30),
    )
    .expect("written");
    let first = output(shared.query("SELECT count(*) AS n FROM segments")).await;
    assert_eq!(String::from_utf8_lossy(&first.stdout), "n\n5\n");
    let told = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(told.starts_with("warning: the request ledger was broken and is kept as "), "{told}");
    let second = output(shared.query("SELECT count(*) AS n FROM segments")).await;
    assert!(second.stderr.is_empty(), "{}", String::from_utf8_lossy(&second.stderr));
    let (ledger, connection) = shared.ledger();
    assert_eq!(ledger.quota(&connection).used, 2);
    assert!(shared.file("ledger.sqlite.broken-1").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_cannot_be_written_is_told_and_does_without() {
    let mut shared = Shared::new(Settings::default(), "requests_per_second: unlimited").await;
    // A file where the folder should be.
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("home"), "").expect("written");
    let old = std::mem::replace(&mut shared.home, home);
    let mut command = shared.query("SELECT count(*) AS n FROM segments");
    command.env("CTCT_HOME", shared.home.path().join("home"));
    let output = output(command).await;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "n\n5\n");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("cannot be used") && told.contains("counting goes on in memory"),
        "{told}"
    );
    drop(old);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_ends_at_its_share_of_the_day() {
    // Nobody knows how many contacts changed, so it begins; then they are too many.
    let settings = Settings { contacts: 20_000, ..Settings::default() };
    let shared =
        Shared::new(settings, "requests_per_second: unlimited, requests_per_day: 50").await;
    let sql = "SELECT contact_id FROM contacts WHERE updated_at > '2020-01-01'";
    let output = output(shared.query(sql)).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("share of the day's requests") && told.contains("--yes"), "{told}");
    assert_eq!(shared.sandbox.requests().len(), 10, "a fifth of fifty");
    assert!(!output.stdout.is_empty(), "what was read until then is given away");
}
