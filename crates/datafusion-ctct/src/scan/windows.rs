//! Into which windows of time a large answer is split, and when: decisions without I/O.
//!
//! Pages of one answer can only be asked for one after the other, because each tells where
//! the next one is. Parts of it that lie apart in time can be read side by side. Each part
//! costs up to a page more, the last of each being partly filled, so that how many parts
//! there may be is bounded by how many pages there are.

use std::time::Duration;

use crate::predicate::Interval;

const SECOND: i64 = 1_000_000;
/// One request in so many may be spent on reading side by side.
const PAGES_FOR_EACH_MORE: u64 = 33;
/// How many pages a window has at most, as far as the bound on requests allows it: while a
/// window is read its keys are remembered, and where rows went from it meanwhile all of it is
/// read again.
const LARGEST: u64 = 100;
/// Into how many parts a window is split at once.
const PARTS: u64 = 16;
/// How many windows are read side by side at most.
const SIDE_BY_SIDE: usize = 16;
/// The same where requests are not paced: as many as keep the decoder of one thread busy.
const UNPACED: usize = 4;
/// A cut keeps this far from rows on both sides: bounds are sent a second wider than they
/// are meant, and rows within that second are read twice.
const CLEARANCE: i64 = 2 * SECOND;
/// Fewer values than this do not show how all are spread.
const SAMPLE: usize = 20;

/// How many requests must be under way to have one leave in every slot, when each takes
/// `latency`; twice that and one more, because some take longer.
pub(super) fn side_by_side(latency: Duration, period: Option<Duration>) -> usize {
    let Some(period) = period.filter(|period| !period.is_zero()) else { return UNPACED };
    let filled = latency.as_micros() * 2 / period.as_micros();
    usize::try_from(filled + 2).unwrap_or(usize::MAX).min(SIDE_BY_SIDE)
}

/// What may be spent on windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    /// How many more requests than pages there may still be.
    left: u64,
    /// How many pages a window should have.
    target: u64,
}

impl Budget {
    /// Of an answer of so many pages, read by so many chains.
    pub(super) fn new(pages: u64, side_by_side: usize) -> Self {
        let target = pages.div_ceil(side_by_side.max(1) as u64).clamp(1, LARGEST);
        Self { left: pages / PAGES_FOR_EACH_MORE, target }
    }

    /// Into how many parts a window of so many pages is split, and takes what that costs:
    /// its first page, which is read once more, and a partly filled page for each part.
    /// None where it stays whole.
    pub(super) fn split(&mut self, pages: u64) -> Option<usize> {
        // A little heavier than meant is not worth a page.
        if pages < self.target * 2 {
            return None;
        }
        let parts = pages.div_ceil(self.target).min(PARTS).min(self.left);
        if parts < 2 {
            return None;
        }
        self.left -= parts;
        usize::try_from(parts).ok()
    }
}

/// Cuts a window into at most so many parts that hold about equally many rows, of which
/// these are some. `now` is the latest time that there can be.
///
/// One part is the whole: its rows all lie at one moment.
pub(super) fn cut(within: Interval, sample: &[i64], now: i64, parts: usize) -> Vec<Interval> {
    let cuts = match sample {
        _ if sample.len() < SAMPLE || is_sorted(sample) => {
            evenly(span_of(within, sample, now), parts)
        }
        _ => between_values(sample, parts),
    };
    let mut windows = Vec::new();
    let mut rest = within;
    for cut in cuts {
        let inside = rest.lower.is_none_or(|lower| cut > lower)
            && rest.upper.is_none_or(|upper| cut <= upper);
        if inside {
            windows.push(Interval { upper: Some(cut - 1), ..rest });
            rest.lower = Some(cut);
        }
    }
    windows.push(rest);
    windows
}

/// Values in order show the server's order, not how values are spread.
fn is_sorted(sample: &[i64]) -> bool {
    sample.is_sorted() || sample.is_sorted_by(|a, b| a >= b)
}

/// From the earliest to the latest time that there may be, as far as anybody knows.
fn span_of(within: Interval, sample: &[i64], now: i64) -> (i64, i64) {
    const YEARS: i64 = 10 * 365 * 86_400 * SECOND;
    let known = sample.iter().copied();
    let earliest = known.clone().min().unwrap_or(now);
    // In falling order the earliest are still to come.
    let falling = sample.first() > sample.last();
    let lower = within.lower.unwrap_or(if falling { earliest - YEARS } else { earliest });
    let upper = within.upper.unwrap_or(now).min(now).max(known.max().unwrap_or(now));
    (lower, upper.max(lower))
}

fn evenly((lower, upper): (i64, i64), parts: usize) -> Vec<i64> {
    let parts = i64::try_from(parts).unwrap_or(i64::MAX).max(1);
    let step = upper.saturating_sub(lower) / parts;
    if step <= 2 * CLEARANCE {
        return Vec::new();
    }
    (1..parts).map(|number| lower + step * number).collect()
}

/// Cuts at the quantiles of a sample, each moved to the nearest gap between two values.
fn between_values(sample: &[i64], parts: usize) -> Vec<i64> {
    let mut values = sample.to_vec();
    values.sort_unstable();
    let gap_after = |place: usize| -> Option<i64> {
        let (before, after) = (*values.get(place.checked_sub(1)?)?, *values.get(place)?);
        (after - before > 2 * CLEARANCE).then(|| before + (after - before) / 2)
    };
    let mut cuts: Vec<i64> = (1..parts)
        .filter_map(|part| {
            let place = part * values.len() / parts;
            let near = (0..=values.len() / parts / 2)
                .flat_map(|away| [Some(place + away), place.checked_sub(away)]);
            near.flatten().find_map(gap_after)
        })
        .collect();
    cuts.dedup();
    cuts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn within() -> impl Strategy<Value = Interval> {
        let bound = || proptest::option::of(-1_000_i64..1_000);
        (bound(), bound()).prop_map(|(a, b)| {
            let (lower, upper) = match (a, b) {
                (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b))),
                other => other,
            };
            let seconds = |bound: Option<i64>| bound.map(|bound| bound * SECOND);
            Interval { lower: seconds(lower), upper: seconds(upper) }
        })
    }

    proptest! {
        /// Every point of a window lies in exactly one of its parts, whatever the sample.
        #[test]
        fn parts_make_up_the_whole(
            within in within(),
            sample in proptest::collection::vec(-1_200_i64..1_200, 0..200),
            parts in 1_usize..20,
            at in -1_100_i64..1_100,
        ) {
            let sample: Vec<i64> = sample.into_iter().map(|at| at * SECOND).collect();
            let windows = cut(within, &sample, 1_000 * SECOND, parts);
            prop_assert!(windows.len() <= parts && !windows.is_empty());
            for point in [at * SECOND, at * SECOND + 1, at * SECOND - 1] {
                let holding = windows.iter().filter(|window| window.contains(point)).count();
                prop_assert_eq!(holding, usize::from(within.contains(point)), "{:?}", windows);
            }
        }

        /// However windows turn out, no more than one request in 33 is spent on them.
        #[test]
        fn what_is_spent_is_bounded(pages in 0_u64..20_000, side in 1_usize..17, sizes in proptest::collection::vec(0_u64..5_000, 0..300)) {
            let mut budget = Budget::new(pages, side);
            let spent: usize = std::iter::once(pages).chain(sizes).filter_map(|size| budget.split(size)).sum();
            prop_assert!(spent as u64 <= pages / PAGES_FOR_EACH_MORE);
        }
    }

    #[test]
    fn small_answers_are_not_split() {
        for pages in 0..66 {
            assert_eq!(Budget::new(pages, 9).split(pages), None, "{pages}");
        }
        let mut budget = Budget::new(400, 9);
        assert_eq!(budget.split(400), Some(9));
        assert_eq!(budget.split(88), None, "hardly heavier than meant");
        assert_eq!(budget.split(90), Some(2), "half of what there should be of it");
        assert_eq!(budget.split(400), None, "all is spent");
        assert_eq!(Budget::new(10_000, 4).split(10_000), Some(16));
    }

    #[test]
    fn a_slow_server_is_asked_by_several() {
        let period = Some(Duration::from_millis(275));
        let side = |milliseconds| side_by_side(Duration::from_millis(milliseconds), period);
        assert_eq!((side(20), side(100), side(500), side(1_000), side(60_000)), (2, 2, 5, 9, 16));
        assert_eq!(side_by_side(Duration::from_secs(1), None), UNPACED);
    }

    #[test]
    fn a_crowded_moment_is_not_cut() {
        let hour = 3_600 * SECOND;
        // Half of all came in one moment.
        let sample: Vec<i64> = (0..100)
            .map(|number| if number % 2 == 0 { 50 * hour } else { number * hour })
            .collect();
        let windows = cut(Interval::ALL, &sample, 100 * hour, 4);
        assert!(windows.len() >= 2, "{windows:?}");
        for window in &windows {
            for bound in [window.lower, window.upper].into_iter().flatten() {
                assert!((bound - 50 * hour).abs() > SECOND, "{windows:?}");
            }
        }
        assert_eq!(cut(Interval::ALL, &[hour; 50], hour, 4), [Interval::ALL]);
    }

    #[test]
    fn an_order_says_nothing_of_how_rows_are_spread() {
        let hour = 3_600 * SECOND;
        let first_hour: Vec<i64> = (0..60).map(|minute| minute * 60 * SECOND).collect();
        let windows = cut(Interval::ALL, &first_hour, 100 * hour, 4);
        let cuts: Vec<_> = windows.iter().filter_map(|window| window.lower).collect();
        assert_eq!(cuts, [25 * hour, 50 * hour, 75 * hour]);
        let last_hour: Vec<i64> = first_hour.iter().rev().map(|at| at + 99 * hour).collect();
        let windows = cut(Interval::ALL, &last_hour, 100 * hour, 4);
        assert!(windows[0].upper.expect("a cut") < 0, "{windows:?}");
    }
}
