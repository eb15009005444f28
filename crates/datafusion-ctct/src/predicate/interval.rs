//! A closed range of points in time.

use serde::{Deserialize, Serialize};

/// A closed range of points in time, in microseconds since 1970; a missing bound is
/// no bound.
///
/// Time is counted in whole microseconds, so open bounds are closed ones a microsecond
/// further on, and every range has one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Interval {
    /// The earliest point.
    pub lower: Option<i64>,
    /// The latest point.
    pub upper: Option<i64>,
}

impl Interval {
    /// All points in time.
    pub const ALL: Self = Self { lower: None, upper: None };

    /// No point in time.
    pub const NONE: Self = Self { lower: Some(i64::MAX), upper: Some(i64::MIN) };

    /// From `lower` on.
    pub fn from(lower: i64) -> Self {
        Self { lower: Some(lower), upper: None }
    }

    /// Up to `upper`.
    pub fn up_to(upper: i64) -> Self {
        Self { lower: None, upper: Some(upper) }
    }

    /// Whether no point lies within.
    pub fn is_empty(&self) -> bool {
        matches!((self.lower, self.upper), (Some(lower), Some(upper)) if lower > upper)
    }

    /// Whether a point lies within.
    pub fn contains(&self, at: i64) -> bool {
        self.lower.is_none_or(|lower| at >= lower) && self.upper.is_none_or(|upper| at <= upper)
    }

    /// The points that lie in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        let later = |a: Option<i64>, b: Option<i64>| a.max(b);
        let earlier = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, None) | (None, one) => one,
        };
        Self { lower: later(self.lower, other.lower), upper: earlier(self.upper, other.upper) }
            .normal()
    }

    /// Whether the two overlap, or follow each other without a gap.
    pub(super) fn meets(self, other: Self) -> bool {
        let follows = |one: Self, next: Self| match (one.upper, next.lower) {
            (Some(upper), Some(lower)) => lower <= upper.saturating_add(1),
            _ => true,
        };
        self.is_empty() || other.is_empty() || (follows(self, other) && follows(other, self))
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => return other,
            (_, true) => return self,
            (false, false) => {}
        }
        let bound = |a: Option<i64>, b: Option<i64>, choose: fn(i64, i64) -> i64| {
            a.zip(b).map(|(a, b)| choose(a, b))
        };
        Self {
            lower: bound(self.lower, other.lower, i64::min),
            upper: bound(self.upper, other.upper, i64::max),
        }
    }

    /// All empty ranges are one.
    fn normal(self) -> Self {
        if self.is_empty() { Self::NONE } else { self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn intervals() -> impl Strategy<Value = Interval> {
        let bound = || proptest::option::of(-5..5_i64);
        (bound(), bound()).prop_map(|(lower, upper)| Interval { lower, upper })
    }

    proptest! {
        #[test]
        fn an_intersection_holds_what_both_hold(a in intervals(), b in intervals(), at in -7..7_i64) {
            prop_assert_eq!(a.intersect(b).contains(at), a.contains(at) && b.contains(at));
        }

        #[test]
        fn a_hull_loses_nothing(a in intervals(), b in intervals(), at in -7..7_i64) {
            prop_assert!(a.hull(b).contains(at) || !(a.contains(at) || b.contains(at)));
        }

        #[test]
        fn what_is_empty_holds_nothing(a in intervals(), at in -7..7_i64) {
            prop_assert!(!(a.is_empty() && a.contains(at)));
        }
    }
}
