//! Reading an answer's body, up to a limit.

use bytes::Bytes;

/// The largest body that is read, after decompression. The largest page of the API
/// is about a megabyte; what is larger by far is an attack or a mistake.
pub(super) const LIMIT: usize = 64 << 20;

/// A body that came in one piece and is smaller than this is copied. A piece is a part of the
/// buffer into which the connection read it, which grows to some 400 KiB, and all of it lives
/// as long as the piece does.
const COPIED: usize = 192 << 10;

/// Why a body could not be read.
pub(super) enum Failure {
    /// It is larger than the limit.
    TooLarge,
    /// The connection broke.
    Broken(reqwest::Error),
}

/// The whole body, unless it is larger than `limit` bytes after decompression.
pub(super) async fn read(mut response: reqwest::Response, limit: usize) -> Result<Bytes, Failure> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = Body { limit, announced: announced.unwrap_or(0), ..Body::default() };
    while let Some(piece) = response.chunk().await.map_err(Failure::Broken)? {
        body.add(piece)?;
    }
    Ok(body.whole())
}

/// A body of which some pieces have come.
#[derive(Debug, Default)]
struct Body {
    limit: usize,
    /// How long it will be, as far as the server told.
    announced: usize,
    /// The first piece, which most often is all.
    first: Bytes,
    /// All pieces, where there are several.
    joined: Vec<u8>,
}

impl Body {
    fn add(&mut self, piece: Bytes) -> Result<(), Failure> {
        let before = self.first.len().max(self.joined.len());
        if before + piece.len() > self.limit {
            return Err(Failure::TooLarge);
        }
        if before == 0 {
            self.first = piece;
            return Ok(());
        }
        if self.joined.is_empty() {
            self.joined.reserve(self.announced.min(self.limit));
            self.joined.extend_from_slice(&self.first);
        }
        self.joined.extend_from_slice(&piece);
        Ok(())
    }

    fn whole(self) -> Bytes {
        if !self.joined.is_empty() {
            return self.joined.into();
        }
        if self.first.len() < COPIED { Bytes::copy_from_slice(&self.first) } else { self.first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(limit: usize, announced: usize, pieces: &[Bytes]) -> Option<Bytes> {
        let mut body = Body { limit, announced, ..Body::default() };
        pieces.iter().try_for_each(|piece| body.add(piece.clone())).ok()?;
        Some(body.whole())
    }

    #[test]
    fn pieces_are_joined_up_to_the_limit() {
        let [a, bc, none] = [b"a".as_slice(), b"bc", b""].map(Bytes::from_static);
        assert_eq!(whole(3, 0, &[]).as_deref(), Some(b"".as_slice()));
        for announced in [0, 3, 1_000] {
            let pieces = [none.clone(), a.clone(), none.clone(), bc.clone(), none.clone()];
            assert_eq!(whole(3, announced, &pieces).as_deref(), Some(b"abc".as_slice()));
            assert_eq!(whole(2, announced, &pieces), None);
            assert_eq!(whole(1, announced, std::slice::from_ref(&bc)), None);
        }
    }

    #[test]
    fn a_large_piece_is_not_copied_and_a_small_one_does_not_hold_its_buffer() {
        let buffer = Bytes::from(vec![b'x'; 2 * COPIED]);
        let large = whole(4 * COPIED, 0, &[buffer.slice(..COPIED)]).expect("a body");
        assert_eq!(large.as_ptr(), buffer.as_ptr());
        let small = whole(4 * COPIED, 0, &[buffer.slice(..COPIED - 1)]).expect("a body");
        assert_ne!(small.as_ptr(), buffer.as_ptr());
    }
}
