//! Where a copied file goes, and where it is until it is complete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::dml::CopyTo;

/// A local file's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    complete: PathBuf,
    incomplete: PathBuf,
}

impl Place {
    /// The place of a copy's only file; none where it is a folder, or not local.
    pub(super) fn of(copy: &CopyTo) -> Option<Self> {
        let single = copy.options.get("single_file_output").map(String::as_str);
        if !copy.partition_by.is_empty() || single == Some("false") {
            return None;
        }
        Self::beside(&copy.output_url)
    }

    fn beside(url: &str) -> Option<Self> {
        let path = match url.split_once("://") {
            Some(("file", path)) => path,
            Some(_) => return None,
            None => url,
        };
        let complete = PathBuf::from(path);
        // Without an extension, and with a slash at the end, it is a folder.
        let extension = complete.extension()?.to_str()?.to_owned();
        if path.ends_with(['/', '\\']) || complete.is_dir() {
            return None;
        }
        let stem = complete.file_stem()?.to_str()?;
        let incomplete = complete.with_file_name(format!("{stem}.incomplete.{extension}"));
        Some(Self { complete, incomplete })
    }

    /// The incomplete file, as a copy names it.
    pub(super) fn incomplete_url(&self) -> String {
        self.incomplete.display().to_string()
    }

    /// The incomplete file, as people are told.
    pub(super) fn incomplete_path(&self) -> String {
        self.incomplete_url()
    }

    /// Gives the file its name.
    pub(super) fn finish(&self) -> Result<()> {
        fs::rename(&self.incomplete, &self.complete).map_err(|error| failed(&self.complete, &error))
    }

    /// Removes what may have been written.
    pub(super) fn discard(&self) {
        match fs::remove_file(&self.incomplete) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("{} could not be removed: {error}", self.incomplete.display());
            }
            _ => {}
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> DataFusionError {
    DataFusionError::Execution(format!("{} could not be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incomplete(url: &str) -> Option<String> {
        Place::beside(url).map(|place| place.incomplete_url())
    }

    #[test]
    fn only_local_files_have_a_place() {
        assert_eq!(
            incomplete("a/contacts.parquet").as_deref(),
            Some("a/contacts.incomplete.parquet")
        );
        assert_eq!(incomplete("file:///a/b.csv").as_deref(), Some("/a/b.incomplete.csv"));
        assert_eq!(incomplete("a.b/c.json.gz").as_deref(), Some("a.b/c.json.incomplete.gz"));
        for folder in ["contacts", "contacts.parquet/", "s3://bucket/contacts.parquet", "/"] {
            assert_eq!(incomplete(folder), None, "{folder}");
        }
    }
}
