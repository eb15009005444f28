//! Replication that is cut off at each message to the database: before it, and after it was
//! carried out and before the answer came.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ctct_replicate::Outcome;
use ctct_sandbox::{Change, Collection, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::replicate_bench::Bench;
use crate::support::text;

/// A way to the database that breaks at a message.
struct Wire {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// How many statements were let through.
    seen: AtomicUsize,
    /// Which one is the last.
    last: AtomicUsize,
    /// Whether the last one is still carried out.
    carried_out: std::sync::atomic::AtomicBool,
}

impl Wire {
    async fn to(bench: &Bench) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State::default());
        state.last.store(usize::MAX, Ordering::SeqCst);
        let (socket, shared) = (bench.database.socket(), Arc::clone(&state));
        drop(tokio::runtime::Handle::current().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.expect("PostgreSQL listens");
                let shared = Arc::clone(&shared);
                drop(tokio::runtime::Handle::current().spawn(carry(client, server, shared)));
            }
        }));
        Self { port, state }
    }

    /// Lets so many statements through; the one after is the last, or does not come to the
    /// server at all.
    fn break_after(&self, statements: usize, carried_out: bool) {
        self.state.seen.store(0, Ordering::SeqCst);
        self.state.carried_out.store(carried_out, Ordering::SeqCst);
        self.state.last.store(statements, Ordering::SeqCst);
    }
}

/// Carries messages both ways until the wire breaks.
async fn carry(client: TcpStream, server: UnixStream, state: Arc<State>) {
    client.set_nodelay(true).expect("an option");
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = async {
        drop(tokio::io::copy(&mut from_server, &mut to_client).await);
        // The client hears that the server has gone.
        drop(to_client.shutdown().await);
    };
    let forth = async {
        let mut is_first = true;
        loop {
            let mut head = vec![0; if is_first { 4 } else { 5 }];
            if from_client.read_exact(&mut head).await.is_err() {
                return;
            }
            let (kind, length) = head.split_at(head.len() - 4);
            let length = u32::from_be_bytes(length.try_into().expect("four bytes"));
            let mut body = vec![0; length as usize - 4];
            if from_client.read_exact(&mut body).await.is_err() {
                return;
            }
            // A statement, the end of several messages, or of a copy.
            let is_statement = !is_first && matches!(kind, [b'Q' | b'S' | b'c' | b'd']);
            is_first = false;
            let number = match is_statement {
                true => state.seen.fetch_add(1, Ordering::SeqCst),
                false => state.seen.load(Ordering::SeqCst),
            };
            let last = state.last.load(Ordering::SeqCst);
            let carried_out = state.carried_out.load(Ordering::SeqCst);
            if number > last || (number == last && is_statement && !carried_out) {
                return;
            }
            head.extend(body);
            if to_server.write_all(&head).await.is_err() {
                return;
            }
            if number == last && is_statement {
                // It is carried out, and nobody hears of it.
                tokio::time::sleep(std::time::Duration::from_millis(15)).await;
                return;
            }
        }
    };
    tokio::select! {
        () = back => {}
        () = forth => {}
    }
}

fn file(mode: &str) -> String {
    format!(
        "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contacts: {{ mode: {mode}, object: crm.contacts, \
         select: [contact_id, updated_at, first_name, email_permission_to_send] }}\n"
    )
}

/// Runs over a wire that breaks at each of its statements in turn, and then over one that holds.
async fn broken_at_each_statement(mode: &str, is_first_run: bool) {
    let settings =
        Settings { contacts: 620, campaigns: 1, keep_pages: is_first_run, ..Settings::default() };
    let bench = Bench::new(settings).await;
    let rows = bench.account.sandbox.rows(Collection::Contacts);
    let file = file(mode);
    let wire = Wire::to(&bench).await;
    let target = bench.target_at(&format!(
        "{{ type: postgres, host: 127.0.0.1, port: {}, user: postgres, database: {}, sslmode: disable }}",
        wire.port, bench.database.name
    ));
    let mut ended = 0;
    for statement in 0.. {
        assert!(statement < 400, "a run of two pages has no end");
        for carried_out in [false, true] {
            if is_first_run {
                bench.execute("DROP SCHEMA IF EXISTS crm, _ctct CASCADE").await;
            } else {
                bench.account.sandbox.clock().advance(chrono::Duration::hours(5));
                let id = |place: usize| text(&rows[place], "contact_id").to_owned();
                let some = statement * 2 + usize::from(carried_out);
                for change in [
                    Change::Update(id(some % 200)),
                    Change::Unsubscribe(id(200 + some % 100)),
                    Change::Delete(id(300 + some)),
                    Change::Create,
                ] {
                    assert!(bench.account.sandbox.change(&change));
                }
            }
            wire.break_after(statement, carried_out);
            let cut = bench.run_to(&target, &file).await.remove(0);
            let is_cut = matches!(cut.outcome, Outcome::Failed(_));
            wire.break_after(usize::MAX - 1, true);
            let pages = bench.account.sandbox.requests().len();
            // The server may not have noticed yet that the first one is gone.
            let report = loop {
                let report = bench.run_to(&target, &file).await.remove(0);
                match &report.outcome {
                    Outcome::Failed(error) if error.kind() == ctct_replicate::ErrorKind::Busy => {
                        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    }
                    Outcome::Failed(error) => panic!("{mode}, statement {statement}: {error}"),
                    _ => break report,
                }
            };
            let pages = bench.account.sandbox.requests().len() - pages;
            // Definitions, and each page once in both together but for one.
            assert!(pages <= 7, "{mode}, statement {statement}: {pages} requests to go on");
            if statement % 8 == 7 || !is_cut {
                bench
                    .assert_columns_same(
                        "crm.contacts",
                        &["contact_id", "updated_at", "first_name", "email_permission_to_send"],
                    )
                    .await;
            } else {
                bench.assert_as_many("crm.contacts").await;
            }
            assert!(report.rows < 1_300, "{report:?}");
            ended += u32::from(!is_cut);
        }
        if ended > 2 {
            println!("{mode}: {statement} statements");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t1_a_full_refresh_that_is_cut_off_at_any_statement() {
    broken_at_each_statement("full-refresh", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t1_a_first_incremental_run_that_is_cut_off_at_any_statement() {
    broken_at_each_statement("incremental", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t1_a_later_incremental_run_that_is_cut_off_at_any_statement() {
    broken_at_each_statement("incremental", false).await;
}
