//! A way to the database that breaks at a chosen statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ctct_replicate::Target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::replicate_bench::{Bench, target_at};

/// A way to the database that breaks at a message.
pub(crate) struct Wire {
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
    carried_out: AtomicBool,
}

impl Wire {
    pub(crate) async fn to(bench: &Bench) -> Self {
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
    pub(crate) fn break_after(&self, statements: usize, carried_out: bool) {
        self.state.seen.store(0, Ordering::SeqCst);
        self.state.carried_out.store(carried_out, Ordering::SeqCst);
        self.state.last.store(statements, Ordering::SeqCst);
    }

    /// Lets all statements through from now on.
    pub(crate) fn hold(&self) {
        self.break_after(usize::MAX - 1, true);
    }

    /// The database at the other end.
    pub(crate) fn target(&self, bench: &Bench) -> Target {
        target_at(&format!(
            "{{ type: postgres, host: 127.0.0.1, port: {}, user: postgres, database: {}, sslmode: disable }}",
            self.port, bench.database.name
        ))
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
            let number = state.seen.fetch_add(usize::from(is_statement), Ordering::SeqCst);
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
