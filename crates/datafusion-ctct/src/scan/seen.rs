//! Which rows a scan has given away, for the case that some of them come again.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use datafusion::common::Result;
use datafusion::common::hash_utils::{QualityRandomState, create_hashes_with_hasher};

/// Tells rows apart by their keys.
///
/// Eight bytes stand for each key: should two keys of one scan share them (for a million
/// rows a chance of one in forty million), a row would be left out, and only in a scan that
/// read some of its pages again.
#[derive(Debug, Clone)]
pub(super) struct RowKeys {
    /// Where the key's columns stand in a page; empty where rows cannot be told apart.
    columns: Arc<[usize]>,
    hasher: QualityRandomState,
}

impl RowKeys {
    /// Keys in these columns of a page.
    pub(super) fn new(columns: Vec<usize>) -> Self {
        // Which keys share a number is another matter in each scan.
        let seed = RandomState::new().hash_one(columns.len());
        Self { columns: columns.into(), hasher: QualityRandomState::with_seed(seed) }
    }

    /// Whether rows can be told apart.
    pub(super) fn tell_apart(&self) -> bool {
        !self.columns.is_empty()
    }

    /// A number for each row, the same for the same key.
    pub(super) fn of(&self, page: &RecordBatch) -> Result<Vec<u64>> {
        let columns = self.columns.iter().map(|column| page.column(*column));
        let mut hashes = vec![0; page.num_rows()];
        create_hashes_with_hasher(columns, &self.hasher, &mut hashes)?;
        Ok(hashes)
    }
}

/// The rows that one chain of pages has given away.
///
/// A chain is read again from its start where the server no longer accepts its cursor, or
/// where rows came or went meanwhile. What it gave away before is then left out.
#[derive(Debug)]
pub(super) struct SeenRows {
    keys: RowKeys,
    /// One list a page: nothing has to be moved when there are more.
    pages: Vec<Vec<u64>>,
    /// All of an earlier reading, once they are needed.
    known: Option<HashSet<u64>>,
    /// How many rows of this reading an earlier one had not.
    fresh: usize,
}

impl SeenRows {
    /// Remembers rows by these keys.
    pub(super) fn new(keys: RowKeys) -> Self {
        Self { keys, pages: Vec::new(), known: None, fresh: 0 }
    }

    /// Whether the chain can be read again: only rows with a key can be told apart.
    pub(super) fn can_start_again(&self) -> bool {
        self.keys.tell_apart()
    }

    /// Whether this is not the first reading, and it brought nothing that earlier ones had not.
    pub(super) fn brought_nothing_new(&self) -> bool {
        self.known.is_some() && self.fresh == 0
    }

    /// From now on rows that were read before are left out.
    pub(super) fn start_again(&mut self) {
        let pages = std::mem::take(&mut self.pages);
        self.known.get_or_insert_default().extend(pages.into_iter().flatten());
        self.fresh = 0;
    }

    /// Remembers the rows of a page, and gives those that are new.
    pub(super) fn fresh(&mut self, page: RecordBatch) -> Result<RecordBatch> {
        if !self.keys.tell_apart() {
            return Ok(page);
        }
        let hashes = self.keys.of(&page)?;
        match &mut self.known {
            None => {
                self.pages.push(hashes);
                Ok(page)
            }
            Some(known) => {
                let new: BooleanArray =
                    hashes.into_iter().map(|hash| Some(known.insert(hash))).collect();
                self.fresh += new.true_count();
                Ok(filter_record_batch(&page, &new)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};

    use super::*;

    fn page(keys: &[&str]) -> RecordBatch {
        let column: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
        RecordBatch::try_from_iter([("key", column)]).expect("one column")
    }

    #[test]
    fn rows_are_left_out_only_after_a_new_start() {
        let mut seen = SeenRows::new(RowKeys::new(vec![0]));
        let rows = |seen: &mut SeenRows, keys: &[&str]| {
            seen.fresh(page(keys)).expect("filtered").num_rows()
        };
        assert_eq!(rows(&mut seen, &["a", "b"]), 2);
        assert_eq!(
            rows(&mut seen, &["b", "c"]),
            2,
            "the server's own repetition is not ours to judge"
        );
        assert!(!seen.brought_nothing_new(), "the first reading brings everything");
        seen.start_again();
        assert_eq!(rows(&mut seen, &["a", "b"]), 0);
        assert!(seen.brought_nothing_new());
        assert_eq!(rows(&mut seen, &["c", "d"]), 1);
        assert!(!seen.brought_nothing_new());
        assert!(!SeenRows::new(RowKeys::new(Vec::new())).can_start_again());
    }

    #[test]
    fn a_row_takes_eight_bytes() {
        let keys: Vec<String> = (0..500).map(|n| n.to_string()).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let kept = RowKeys::new(vec![0]).of(&page(&keys)).expect("hashed");
        assert_eq!((kept.len(), kept.capacity()), (500, 500));
    }

    #[test]
    fn all_parts_of_a_key_count() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("a"), None]));
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1, 2, 1]));
        let page = RecordBatch::try_from_iter([("text", texts), ("time", times)]).expect("two");
        let keys: HashSet<u64> =
            RowKeys::new(vec![0, 1]).of(&page).expect("hashed").into_iter().collect();
        assert_eq!(keys.len(), 3);
        let keys: HashSet<u64> =
            RowKeys::new(vec![0]).of(&page).expect("hashed").into_iter().collect();
        assert_eq!(keys.len(), 2);
    }
}
