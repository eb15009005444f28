//! Whether the rows of an answer held still while its pages were read: a decision without
//! I/O.

/// What the pages of one reading of an answer said of its number of rows.
///
/// Pages are cut by the server anew at each request. A row that goes from an earlier page
/// moves all later ones up, and the first of the next page is never seen; a row that comes
/// moves them down, and one is seen twice. Each page tells how many rows there are, so that
/// what came or went between two pages shows; what came *and* went between the same two
/// shows by the row that came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many rows there were when the first page was read, where it told.
    pub(super) announced: Option<u64>,
    /// How many rows came.
    pub(super) came: u64,
    /// How many there were when the last page was read.
    last: Option<u64>,
    pages: u64,
    moved: bool,
}

impl Tally {
    /// Notes a page: how many rows the answer has in all, how many the page had, and whether
    /// it had one that was not there when the reading began, or one that had come before.
    pub(super) fn note(&mut self, count: Option<u64>, rows: u64, newcomer: bool) {
        if self.pages == 0 {
            self.announced = count;
        } else {
            self.moved |= newcomer || count != self.announced;
        }
        self.last = count;
        self.pages += 1;
        self.came += rows;
    }

    /// Whether fewer rows came than there were in the end: however rows moved, that is not
    /// all of them.
    pub(super) fn is_short(&self) -> bool {
        self.last.is_some_and(|last| self.came < last)
    }

    /// Whether the rows held still, as far as anybody can know once all pages were read.
    pub(super) fn is_settled(&self) -> bool {
        let short = self.announced.is_some_and(|announced| announced != self.came);
        !short && (self.pages < 2 || !self.moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(pages: &[(u64, u64, bool)]) -> bool {
        let mut tally = Tally::default();
        for (count, rows, newcomer) in pages {
            tally.note(Some(*count), *rows, *newcomer);
        }
        tally.is_settled()
    }

    #[test]
    fn what_came_or_went_shows() {
        assert!(settled(&[(1_200, 500, false), (1_200, 500, false), (1_200, 200, false)]));
        assert!(!settled(&[(1_200, 500, false), (1_199, 500, false), (1_199, 199, false)]), "went");
        assert!(!settled(&[(1_200, 500, false), (1_201, 500, false), (1_201, 201, false)]), "came");
        assert!(
            !settled(&[(1_200, 500, false), (1_200, 500, false), (1_200, 199, false)]),
            "short"
        );
        assert!(!settled(&[(1_200, 500, false), (1_200, 500, false), (1_200, 200, true)]), "both");
        assert!(!settled(&[(1_200, 500, false), (1_199, 500, false), (1_200, 200, false)]), "back");
        // A page by itself is one moment's.
        assert!(settled(&[(7, 7, true)]));
        assert!(settled(&[]));
    }

    #[test]
    fn what_went_is_not_what_is_missing() {
        let short = |pages: &[(u64, u64)]| {
            let mut tally = Tally::default();
            for (count, rows) in pages {
                tally.note(Some(*count), *rows, false);
            }
            tally.is_short()
        };
        // One went from the first page: 499 of what is left of 1,199 are on the others.
        assert!(!short(&[(1_200, 500), (1_199, 500), (1_199, 199)]));
        assert!(short(&[(1_200, 500), (1_200, 0), (1_200, 200)]), "an empty page");
    }

    #[test]
    fn answers_without_a_number_are_taken_as_they_come() {
        let mut tally = Tally::default();
        tally.note(None, 500, false);
        tally.note(None, 3, false);
        assert!(tally.is_settled());
    }
}
