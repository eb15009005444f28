//! The thread of the network.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::{Error, ErrorKind, Result};

/// The name of the thread.
const NAME: &str = "ctct-network";

/// Runs `work` on the thread that is the network's alone, one for the whole process.
///
/// Queries compute on the threads of whoever asked: decoding a page, or writing a file,
/// must not keep a request from leaving in its slot, or an answer from being taken off the
/// wire. Dropping the future stops the work.
///
/// # Errors
/// Where the system gives no thread, or the work panicked.
pub(crate) async fn on_network_thread<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T> {
    let mut task = Stopped(network()?.spawn(work));
    (&mut task.0).await.map_err(|source| {
        Error::new(ErrorKind::Unavailable, "a request was cut off").with_source(source)
    })
}

/// A task that does not outlive whoever waits for it.
struct Stopped<T>(JoinHandle<T>);

impl<T> Drop for Stopped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn network() -> Result<Handle> {
    // Never shut down: what is under way when the process ends is waited for by whoever
    // ends it.
    static NETWORK: Mutex<Option<Runtime>> = Mutex::new(None);
    let mut network = NETWORK.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = network.as_ref() {
        return Ok(runtime.handle().clone());
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(NAME)
        .enable_all()
        .build()
        .map_err(|source: io::Error| {
            Error::new(ErrorKind::Unavailable, "the system gives no thread for the network")
                .with_source(source)
        })?;
    Ok(network.insert(runtime).handle().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_runs_on_a_thread_of_its_own() {
        let name = || std::thread::current().name().map(str::to_owned);
        let there = on_network_thread(async move { name() }).await.expect("a thread");
        assert_eq!(there.as_deref(), Some(NAME));
        assert_ne!(name(), there);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_stops() {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let work = on_network_thread(async move {
            std::future::pending::<()>().await;
            drop(sender);
        });
        let waited = tokio::time::timeout(std::time::Duration::from_millis(20), work).await;
        assert!(waited.is_err(), "it never ends by itself");
        assert!(receiver.await.is_err(), "what it held is gone");
    }
}
