//! Reading what somebody pastes, while something else may happen first.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

/// What comes from standard input, in pieces as people paste them: a piece ends where
/// nothing more comes for a moment. Dropping it leaves what comes later to others.
#[derive(Debug)]
pub(crate) struct Pasted {
    pieces: mpsc::Receiver<io::Result<String>>,
    over: Arc<AtomicBool>,
}

impl Pasted {
    /// Starts to read.
    pub(crate) fn new() -> Self {
        let (sender, pieces) = mpsc::channel(1);
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        // A thread of its own: the runtime would wait for one of its own at the end.
        std::thread::spawn(move || {
            loop {
                let piece = read_piece(&ended);
                let last = !matches!(&piece, Ok(Some(_)));
                let sent = match piece.transpose() {
                    Some(piece) => sender.blocking_send(piece).is_ok(),
                    None => false,
                };
                if last || !sent {
                    break;
                }
            }
        });
        Self { pieces, over }
    }

    /// The next piece; none at the end of the input.
    pub(crate) async fn next(&mut self) -> Option<io::Result<String>> {
        self.pieces.recv().await
    }
}

impl Drop for Pasted {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Reads until a line has ended and nothing more comes for a moment; none at the end of
/// the input, or when nobody waits any more.
#[cfg(unix)]
fn read_piece(over: &AtomicBool) -> io::Result<Option<String>> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let input = io::stdin();
    // Terminals and slow connections deliver a long line in pieces.
    let moment = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
    let mut text = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let mut waiting = [PollFd::new(&input, PollFlags::IN)];
        let ready = poll(&mut waiting, Some(&moment))?;
        if ready == 0 {
            if text.ends_with(b"\n") {
                return Ok(Some(String::from_utf8_lossy(&text).into_owned()));
            }
            continue;
        }
        let mut piece = [0; 4096];
        // Past the buffer of `io::stdin`, of which a poll knows nothing.
        let length = rustix::io::read(&input, &mut piece)?;
        if length == 0 {
            let last = String::from_utf8_lossy(&text).into_owned();
            return Ok(Some(last).filter(|text| !text.is_empty()));
        }
        text.extend_from_slice(&piece[..length]);
    }
    Ok(None)
}

/// Elsewhere a line is a piece.
#[cfg(not(unix))]
fn read_piece(_over: &AtomicBool) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = io::stdin().read_line(&mut line)?;
    Ok((length > 0).then_some(line))
}
