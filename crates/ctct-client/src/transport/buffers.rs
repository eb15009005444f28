//! Memory for bodies, used again and again.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// How much memory is kept for later bodies.
const KEPT: usize = 8 << 20;

/// Memory for bodies.
///
/// The pages of a scan are hundreds of kilobytes each, and gone as soon as they are decoded.
/// An allocator gives memory of that size back to the system, which clears it before it gives
/// it out again; that takes about as long as receiving the page.
#[derive(Debug, Default, Clone)]
pub(super) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// Empty memory.
    pub(super) fn take(&self) -> Buffer {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Buffer { bytes: free.pop().unwrap_or_default(), home: self.clone() }
    }
}

/// Memory that is given back when nobody holds it any more.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    home: Buffers,
}

impl Buffer {
    /// What was put into it. Whoever keeps that holds at most twice as much memory.
    pub(super) fn freeze(self) -> Bytes {
        if self.bytes.len() < self.bytes.capacity() / 2 {
            Bytes::copy_from_slice(&self.bytes)
        } else {
            Bytes::from_owner(self)
        }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut free = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: usize = free.iter().map(Vec::capacity).sum();
        if kept + bytes.capacity() <= KEPT {
            free.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(buffers: &Buffers, size: usize) -> Bytes {
        let mut buffer = buffers.take();
        buffer.bytes.reserve_exact(size);
        buffer.bytes.extend(std::iter::repeat_n(b'x', size));
        buffer.freeze()
    }

    #[test]
    fn memory_is_used_again_once_nobody_holds_it() {
        let buffers = Buffers::default();
        let first = body(&buffers, 1_000);
        let place = first.as_ptr();
        assert_ne!(body(&buffers, 1_000).as_ptr(), place, "the first one holds it");
        drop(first);
        let again = body(&buffers, 900);
        assert_eq!((again.as_ptr(), again.len()), (place, 900));
    }

    #[test]
    fn a_small_body_does_not_hold_much_memory_nor_do_buffers() {
        let buffers = Buffers::default();
        drop(body(&buffers, 1_000));
        let _small = body(&buffers, 400);
        assert_eq!(buffers.take().bytes.capacity(), 1_000, "it came back at once");
        drop(body(&buffers, KEPT + 1));
        assert_eq!(buffers.take().bytes.capacity(), 0, "what is too large does not");
    }
}
