//! Reading an answer's body, up to a limit.

use bytes::Bytes;

use super::buffers::Buffers;

/// The largest body that is read, after decompression. The largest page of the API
/// is about a megabyte; what is larger by far is an attack or a mistake.
pub(super) const LIMIT: usize = 64 << 20;

/// A body that came in one piece is copied where it is smaller than this. A piece is a part of
/// the buffer into which the connection read it, which grows to some 400 KiB, and all of it
/// lives as long as the piece does.
const COPIED: usize = 192 << 10;

/// Why a body could not be read.
pub(super) enum Failure {
    /// It is larger than the limit.
    TooLarge,
    /// The connection broke.
    Broken(reqwest::Error),
}

/// The whole body, unless it is larger than `limit` bytes after decompression.
pub(super) async fn read(
    mut response: reqwest::Response,
    limit: usize,
    buffers: &Buffers,
) -> Result<Bytes, Failure> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut next = response.chunk().await.map_err(Failure::Broken)?;
    if let Some(whole) = next.take_if(|first| is_whole(first.len(), announced, limit)) {
        return Ok(whole);
    }
    let mut body = buffers.take();
    body.bytes.reserve(announced.unwrap_or(0).min(limit));
    while let Some(piece) = next {
        if body.bytes.len() + piece.len() > limit {
            return Err(Failure::TooLarge);
        }
        body.bytes.extend_from_slice(&piece);
        next = response.chunk().await.map_err(Failure::Broken)?;
    }
    Ok(body.freeze())
}

/// Whether a first piece of this size is a body that can be had as it came.
fn is_whole(first: usize, announced: Option<usize>, limit: usize) -> bool {
    announced == Some(first) && (COPIED..=limit).contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_in_one_piece_is_not_copied() {
        assert!(is_whole(COPIED, Some(COPIED), LIMIT));
        assert!(!is_whole(COPIED - 1, Some(COPIED - 1), LIMIT), "it would hold a larger buffer");
        assert!(!is_whole(COPIED, Some(COPIED + 1), LIMIT), "there is more to come");
        assert!(!is_whole(COPIED, None, LIMIT), "nobody knows whether there is");
        assert!(!is_whole(COPIED, Some(COPIED), COPIED - 1), "it is too large");
    }
}
