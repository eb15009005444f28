//! Which rows a scan has given away, for the case that it must start again.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;

/// The keys of the rows that were read.
///
/// A cursor that the server no longer accepts means that the scan is read again from its
/// start; rows that were read before are then left out. Eight bytes are kept for each
/// row: should two keys of one scan share them (for a million rows a chance of one in
/// forty million), a row would be left out, and only in a scan that started again.
#[derive(Debug, Default)]
pub(super) struct SeenRows {
    /// Where the key's columns stand in a page; empty where the table has no key.
    key: Vec<usize>,
    hasher: RandomState,
    /// One list a page: nothing has to be moved when there are more.
    pages: Vec<Vec<u64>>,
    /// All of them, once they are needed.
    known: Option<HashSet<u64>>,
}

impl SeenRows {
    /// Remembers rows by these columns of a page, which are text.
    pub(super) fn new(key: Vec<usize>) -> Self {
        Self { key, ..Self::default() }
    }

    /// Whether a scan can start again: only rows with a key can be told apart.
    pub(super) fn can_start_again(&self) -> bool {
        !self.key.is_empty()
    }

    /// From now on rows that were read before are left out.
    pub(super) fn start_again(&mut self) {
        let pages = std::mem::take(&mut self.pages);
        self.known.get_or_insert_default().extend(pages.into_iter().flatten());
    }

    /// Remembers the rows of a page, and gives those that are new.
    pub(super) fn fresh(&mut self, page: RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.key.is_empty() {
            return Ok(page);
        }
        let columns: Vec<_> = self
            .key
            .iter()
            .filter_map(|column| page.column(*column).as_string_opt::<i32>())
            .collect();
        let hash = |row: usize| {
            let key: Vec<Option<&str>> = columns
                .iter()
                .map(|column| column.is_valid(row).then(|| column.value(row)))
                .collect();
            self.hasher.hash_one(key)
        };
        let hashes: Vec<u64> = (0..page.num_rows()).map(hash).collect();
        match &mut self.known {
            None => {
                self.pages.push(hashes);
                Ok(page)
            }
            Some(known) => {
                let new: BooleanArray =
                    hashes.into_iter().map(|hash| Some(known.insert(hash))).collect();
                filter_record_batch(&page, &new)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    fn page(keys: &[&str]) -> RecordBatch {
        let column: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
        RecordBatch::try_from_iter([("key", column)]).expect("one column")
    }

    #[test]
    fn rows_are_left_out_only_after_a_new_start() {
        let mut seen = SeenRows::new(vec![0]);
        let rows = |seen: &mut SeenRows, keys: &[&str]| {
            seen.fresh(page(keys)).expect("filtered").num_rows()
        };
        assert_eq!(rows(&mut seen, &["a", "b"]), 2);
        assert_eq!(
            rows(&mut seen, &["b", "c"]),
            2,
            "the server's own repetition is not ours to judge"
        );
        seen.start_again();
        assert_eq!(rows(&mut seen, &["a", "b"]), 0);
        assert_eq!(rows(&mut seen, &["c", "d"]), 1);
        assert!(!SeenRows::default().can_start_again());
    }
}
