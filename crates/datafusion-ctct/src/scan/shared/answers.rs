//! The answers of one statement, each asked for once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ctct_client::{Client, Error, Request, Spent};
use datafusion::execution::disk_manager::DiskManager;
use tokio::sync::{OnceCell, oneshot};

use super::spill::Spilled;

/// How many bytes of answers are kept in memory; the others go to disk.
const IN_MEMORY: usize = 64 << 20;

/// An answer, with how long it took and when it came when it was asked for.
#[derive(Debug, Clone)]
pub(in crate::scan) struct Received {
    pub(in crate::scan) body: Bytes,
    /// From sending to the last byte. Whoever gets an answer from here decides by this as
    /// whoever asked for it did, and so asks for the same pages.
    pub(in crate::scan) network: Duration,
    /// When it came, by the server's clock, in microseconds since 1970.
    pub(in crate::scan) at: i64,
}

impl Received {
    /// An answer that came just now.
    pub(in crate::scan) fn now(client: &Client, body: Bytes, spent: &Spent) -> Self {
        let at = client.traffic().server_now().timestamp_micros();
        Self { body, network: spent.network, at }
    }
}

/// The place of an answer, which whoever comes first fills.
type Cell = Arc<OnceCell<Kept>>;

/// The answers that scans of one statement have had.
///
/// Who asks for one that is under way waits for it; where the first one gives up, the next
/// one asks. It lives as long as the statement runs.
#[derive(Debug)]
pub(in crate::scan) struct Answers {
    disk: Arc<DiskManager>,
    /// By request, and by the number of the reading that it belongs to: who reads again does
    /// so because the first answer is of no use.
    kept: Mutex<HashMap<(Request, u32), Cell>>,
    in_memory: AtomicUsize,
    /// How many bytes may be kept in memory.
    limit: usize,
    /// Requests with which pages begin that were all read.
    complete: Mutex<HashSet<Request>>,
}

#[derive(Debug)]
struct Kept {
    body: Body,
    network: Duration,
    at: i64,
}

#[derive(Debug)]
enum Body {
    Memory(Bytes),
    Disk(Spilled),
}

impl Answers {
    /// No answer yet; what does not fit into memory goes to this disk.
    pub(in crate::scan) fn new(disk: Arc<DiskManager>) -> Self {
        Self {
            disk,
            kept: Mutex::default(),
            in_memory: AtomicUsize::new(0),
            limit: IN_MEMORY,
            complete: Mutex::default(),
        }
    }

    /// Notes that all pages are here that begin with a request.
    pub(in crate::scan) fn note_complete(&self, first: Request) {
        self.complete.lock().unwrap_or_else(PoisonError::into_inner).insert(first);
    }

    /// Whether all pages are here that begin with a request.
    pub(in crate::scan) fn are_complete(&self, first: &Request) -> bool {
        self.complete.lock().unwrap_or_else(PoisonError::into_inner).contains(first)
    }

    /// The answer to a request, asked for unless it is here.
    pub(in crate::scan) async fn get(
        &self,
        client: &Client,
        request: &Request,
        reading: u32,
        spent: &mut Spent,
        leaves: oneshot::Sender<()>,
    ) -> Result<Received, Error> {
        let cell = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(kept.entry((request.clone(), reading)).or_default())
        };
        let mut asked = None;
        let kept = cell
            .get_or_try_init(async || {
                let body = client.get_and_tell(request, spent, Some(leaves)).await?;
                let received = Received::now(client, body, spent);
                asked = Some(received.body.clone());
                Ok::<_, Error>(self.keep(received))
            })
            .await?;
        let body = match (asked, &kept.body) {
            (Some(body), _) => body,
            (None, Body::Memory(body)) => body.clone(),
            (None, Body::Disk(spilled)) => spilled.read().await?,
        };
        Ok(Received { body, network: kept.network, at: kept.at })
    }

    fn keep(&self, received: Received) -> Kept {
        let Received { body, network, at } = received;
        let size = body.len();
        let before = self.in_memory.fetch_add(size, Ordering::Relaxed);
        if before + size > self.limit {
            match Spilled::write(&self.disk, &body) {
                Ok(spilled) => {
                    self.in_memory.fetch_sub(size, Ordering::Relaxed);
                    return Kept { body: Body::Disk(spilled), network, at };
                }
                // Without a disk the requests are still worth more than the memory.
                Err(error) => tracing::debug!("an answer stays in memory: {error}"),
            }
        }
        Kept { body: Body::Memory(body), network, at }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::disk_manager::DiskManagerBuilder;

    use super::*;

    fn answer(byte: u8) -> Received {
        Received { body: vec![byte; 1_000].into(), network: Duration::ZERO, at: 0 }
    }

    #[tokio::test]
    async fn what_does_not_fit_into_memory_is_read_from_disk() {
        let disk = Arc::new(DiskManagerBuilder::default().build().expect("a disk"));
        let mut answers = Answers::new(Arc::clone(&disk));
        answers.limit = 2_500;
        let kept: Vec<Kept> = (0..4).map(|byte| answers.keep(answer(byte))).collect();
        let on_disk: Vec<bool> =
            kept.iter().map(|kept| matches!(kept.body, Body::Disk(_))).collect();
        assert_eq!(on_disk, [false, false, true, true]);
        for (byte, kept) in (0..).zip(&kept) {
            let body = match &kept.body {
                Body::Memory(body) => body.clone(),
                Body::Disk(spilled) => spilled.read().await.expect("what was written"),
            };
            assert_eq!(*body, vec![byte; 1_000]);
        }
        assert_eq!(answers.in_memory.load(Ordering::Relaxed), 2_000);
        // Where nothing can be written, requests are still worth more than memory.
        let disabled = DiskManagerBuilder::default()
            .with_mode(datafusion::execution::disk_manager::DiskManagerMode::Disabled);
        let mut answers = Answers::new(Arc::new(disabled.build().expect("none")));
        answers.limit = 0;
        assert!(matches!(answers.keep(answer(1)).body, Body::Memory(_)));
    }
}
