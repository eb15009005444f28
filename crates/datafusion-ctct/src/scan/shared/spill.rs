//! Answers on disk.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use ctct_client::{Error, ErrorKind};
use datafusion::common::Result;
use datafusion::execution::SpillFile;
use datafusion::execution::disk_manager::DiskManager;
use futures::TryStreamExt;

/// An answer in a file of its own, which goes with it. Where files are put is the session's
/// choice.
pub(super) struct Spilled {
    file: Arc<dyn SpillFile>,
    size: usize,
}

impl Spilled {
    /// Writes an answer to disk.
    pub(super) fn write(disk: &Arc<DiskManager>, body: &[u8]) -> Result<Self> {
        let file = disk.create_tmp_file("answers shared by the scans of a statement")?;
        let mut writer = file.open_writer()?;
        writer.write_all(body)?;
        writer.finish()?;
        Ok(Self { file, size: body.len() })
    }

    /// Reads it back.
    pub(super) async fn read(&self) -> std::result::Result<Bytes, Error> {
        let unreadable =
            || Error::new(ErrorKind::Storage, "an answer that was put on disk cannot be read");
        let read = async {
            let mut body = Vec::with_capacity(self.size);
            let mut pieces = self.file.read_stream()?;
            while let Some(piece) = pieces.try_next().await? {
                body.extend_from_slice(&piece);
            }
            Ok::<_, datafusion::common::DataFusionError>(body)
        };
        match read.await {
            Ok(body) if body.len() == self.size => Ok(body.into()),
            Ok(_) => Err(unreadable().with_hint("its file was changed by another program")),
            Err(source) => Err(unreadable().with_source(source)),
        }
    }
}

impl fmt::Debug for Spilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spilled").field("size", &self.size).finish_non_exhaustive()
    }
}
