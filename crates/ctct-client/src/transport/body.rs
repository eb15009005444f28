//! Reading an answer's body, up to a limit.

/// The largest body that is read, after decompression. The largest page of the API
/// is about a megabyte; what is larger by far is an attack or a mistake.
pub(super) const LIMIT: usize = 64 << 20;

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
) -> Result<Vec<u8>, Failure> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = Vec::with_capacity(announced.unwrap_or(0).min(limit));
    while let Some(chunk) = response.chunk().await.map_err(Failure::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
