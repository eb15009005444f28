//! Where the values of columns lie for the rows that a predicate may accept.
//!
//! # Why this is sound
//! Let `S` be the rows for which a predicate is true, and `D` the rows whose values lie in
//! all of its domains. Every function here keeps `S ⊆ D`; where it also says *exact*,
//! `S = D`.
//!
//! * What is not understood constrains nothing: `D` is all rows, and not exact.
//! * *And* is true where all parts are: `S` is the intersection of theirs, and `D` the
//!   intersection of theirs, column by column. Exact where every part is.
//! * *Or* is true where any part is: `S` is the union of theirs. A column that all parts
//!   constrain lies in the union of its domains; one that some part does not constrain can
//!   have any value. Exact only where all parts are, speak of one and the same column, and
//!   the union of domains holds nothing else: keys always, intervals where they meet.
//! * A part that is never true adds nothing to an *or* and empties an *and*.
//! * A null makes a comparison null, which is not true: it lies in no domain.
//!
//! A domain that is too wide costs requests; only one that is too narrow would cost rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Interval;

/// Where the values of one column lie. A null lies in none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Points in time.
    Interval(Interval),
    /// One of these texts.
    Keys(BTreeSet<String>),
    /// A list that holds at least one of these texts.
    HoldsAny(BTreeSet<String>),
}

/// What a predicate says of all columns together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Domains {
    columns: BTreeMap<String, Domain>,
    /// Whether no row at all is accepted.
    impossible: bool,
}

impl Domain {
    /// Whether no value lies within.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Interval(interval) => interval.is_empty(),
            Self::Keys(keys) | Self::HoldsAny(keys) => keys.is_empty(),
        }
    }

    /// What lies in both. Where the two are of different kinds, one of them: their
    /// intersection lies in it.
    fn intersect(self, other: Self) -> Self {
        match (self, other) {
            (Self::Interval(a), Self::Interval(b)) => Self::Interval(a.intersect(b)),
            (Self::Keys(a), Self::Keys(b)) => Self::Keys(a.intersection(&b).cloned().collect()),
            // A list may hold one of each: the smaller set is asked for.
            (Self::HoldsAny(a), Self::HoldsAny(b)) => {
                Self::HoldsAny(if a.len() <= b.len() { a } else { b })
            }
            (one, _) => one,
        }
    }

    /// What lies in either, and whether it holds nothing else; none where nothing says so.
    fn unite(self, other: Self) -> Option<(Self, bool)> {
        Some(match (self, other) {
            (Self::Interval(a), Self::Interval(b)) => {
                let meet = a.meets(b);
                (Self::Interval(a.hull(b)), meet)
            }
            (Self::Keys(a), Self::Keys(b)) => (Self::Keys(a.union(&b).cloned().collect()), true),
            (Self::HoldsAny(a), Self::HoldsAny(b)) => {
                (Self::HoldsAny(a.union(&b).cloned().collect()), false)
            }
            _ => return None,
        })
    }
}

impl Domains {
    /// No row at all.
    pub fn none() -> Self {
        Self { columns: BTreeMap::new(), impossible: true }
    }

    /// The rows whose value of one column lies in a domain.
    pub fn of(column: &str, domain: Domain) -> Self {
        if domain.is_empty() {
            return Self::none();
        }
        if domain == Domain::Interval(Interval::ALL) {
            // Restricts nothing but nulls, which whoever asked filters anyway.
            return Self::default();
        }
        Self { columns: [(column.to_owned(), domain)].into(), impossible: false }
    }

    /// Whether no row can be accepted.
    pub fn is_impossible(&self) -> bool {
        self.impossible
    }

    /// Whether nothing is constrained.
    pub fn is_all(&self) -> bool {
        self.columns.is_empty() && !self.impossible
    }

    /// A column's domain, where it is constrained.
    pub fn get(&self, column: &str) -> Option<&Domain> {
        self.columns.get(column)
    }

    /// The columns that are constrained.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Domain)> {
        self.columns.iter().map(|(column, domain)| (column.as_str(), domain))
    }

    /// What lies in both.
    #[must_use]
    pub fn intersect(mut self, other: Self) -> Self {
        if self.impossible || other.impossible {
            return Self::none();
        }
        for (column, domain) in other.columns {
            let domain = match self.columns.remove(&column) {
                Some(known) => known.intersect(domain),
                None => domain,
            };
            if domain.is_empty() {
                return Self::none();
            }
            self.columns.insert(column, domain);
        }
        self
    }
}

/// What a predicate says, and whether that is all that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// Where the values lie of every row for which the predicate is true.
    pub domains: Domains,
    /// Whether it is true for all rows within, and for no null.
    pub exact: bool,
}

impl Analysis {
    /// Of a predicate that is not understood.
    pub(super) fn unknown() -> Self {
        Self { domains: Domains::default(), exact: false }
    }

    /// Of a predicate that is true for every row.
    pub(super) fn always() -> Self {
        Self { domains: Domains::default(), exact: true }
    }

    /// Of a predicate that is true for no row.
    pub(super) fn never() -> Self {
        Self { domains: Domains::none(), exact: true }
    }

    /// Of a predicate that is true exactly where a column's value lies in a domain.
    pub(super) fn exactly(column: &str, domain: Domain) -> Self {
        // All points in time, but no null: that is more than no constraint says.
        let exact = domain != Domain::Interval(Interval::ALL);
        Self { domains: Domains::of(column, domain), exact }
    }

    /// The same, not said to be all.
    pub(super) fn inexact(self) -> Self {
        Self { exact: false, ..self }
    }

    /// The same for the columns for which `keep` holds; what it says of others is left out.
    #[must_use]
    pub fn only(self, keep: impl Fn(&str, &Domain) -> bool) -> Self {
        let all = self.domains.iter().all(|(column, domain)| keep(column, domain));
        let mut domains = self.domains;
        domains.columns.retain(|column, domain| keep(column, domain));
        Self { exact: self.exact && all, domains }
    }

    /// Of *and*.
    pub(super) fn and(self, other: Self) -> Self {
        // Two sets of members are both asked for, and one alone is kept.
        let lists = self.domains.iter().any(|(column, domain)| {
            matches!(domain, Domain::HoldsAny(_)) && other.domains.get(column).is_some()
        });
        Self {
            exact: self.exact && other.exact && !lists,
            domains: self.domains.intersect(other.domains),
        }
    }

    /// Of *or*.
    pub(super) fn or(self, other: Self) -> Self {
        if self.domains.impossible {
            return other;
        }
        if other.domains.impossible {
            return self;
        }
        let same_column = self.domains.columns.len() == 1
            && self.domains.columns.keys().eq(other.domains.columns.keys());
        let mut exact = self.exact && other.exact && same_column;
        let mut columns = BTreeMap::new();
        let mut others = other.domains.columns;
        for (column, domain) in self.domains.columns {
            let united = others.remove(&column).and_then(|other| domain.unite(other));
            if let Some((domain, tight)) = united {
                exact &= tight;
                if domain == Domain::Interval(Interval::ALL) {
                    // Restricts nothing but nulls, and that is not said.
                    exact = false;
                } else {
                    columns.insert(column, domain);
                }
            }
        }
        Self { domains: Domains { columns, impossible: false }, exact }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A row of two columns: a time and a text, either of which may be null.
    type Row = (Option<i64>, Option<u8>);

    /// A predicate in its simplest form, which can be evaluated by hand.
    #[derive(Debug, Clone)]
    enum Tree {
        Time(Interval),
        Text(BTreeSet<u8>),
        Unknown(bool),
        Never,
        Always,
        And(Box<Self>, Box<Self>),
        Or(Box<Self>, Box<Self>),
    }

    fn trees() -> impl Strategy<Value = Tree> {
        let bound = || proptest::option::of(-3..4_i64);
        let leaf = prop_oneof![
            (bound(), bound()).prop_map(|(lower, upper)| Tree::Time(Interval { lower, upper })),
            proptest::collection::btree_set(0..4_u8, 0..3).prop_map(Tree::Text),
            any::<bool>().prop_map(Tree::Unknown),
            Just(Tree::Never),
            Just(Tree::Always),
        ];
        leaf.prop_recursive(4, 24, 2, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| Tree::And(a.into(), b.into())),
                (inner.clone(), inner).prop_map(|(a, b)| Tree::Or(a.into(), b.into())),
            ]
        })
    }

    /// Whether a predicate is true; null counts as not true, which is the same under *and*
    /// and *or*.
    fn is_true(tree: &Tree, row: Row) -> bool {
        match tree {
            Tree::Time(interval) => row.0.is_some_and(|at| interval.contains(at)),
            Tree::Text(keys) => row.1.is_some_and(|key| keys.contains(&key)),
            Tree::Unknown(value) => *value,
            Tree::Never => false,
            Tree::Always => true,
            Tree::And(a, b) => is_true(a, row) && is_true(b, row),
            Tree::Or(a, b) => is_true(a, row) || is_true(b, row),
        }
    }

    fn analysed(tree: &Tree) -> Analysis {
        match tree {
            Tree::Time(interval) => Analysis::exactly("t", Domain::Interval(*interval)),
            Tree::Text(keys) => {
                let keys = keys.iter().map(ToString::to_string).collect();
                Analysis::exactly("k", Domain::Keys(keys))
            }
            Tree::Unknown(_) => Analysis::unknown(),
            Tree::Never => Analysis::never(),
            Tree::Always => Analysis::always(),
            Tree::And(a, b) => analysed(a).and(analysed(b)),
            Tree::Or(a, b) => analysed(a).or(analysed(b)),
        }
    }

    fn lies_within(domains: &Domains, row: Row) -> bool {
        !domains.is_impossible()
            && domains.iter().all(|(column, domain)| match (column, domain) {
                ("t", Domain::Interval(interval)) => row.0.is_some_and(|at| interval.contains(at)),
                (_, Domain::Keys(keys)) => row.1.is_some_and(|key| keys.contains(&key.to_string())),
                _ => true,
            })
    }

    proptest! {
        /// No row that a predicate accepts lies outside of its domains; and where they are
        /// exact, no other row lies within.
        #[test]
        fn domains_lose_no_row_and_exact_ones_admit_no_other(tree in trees()) {
            let analysis = analysed(&tree);
            for time in std::iter::once(None).chain((-5..6).map(Some)) {
                for key in std::iter::once(None).chain((0..5).map(Some)) {
                    let (wanted, within) = (is_true(&tree, (time, key)), lies_within(&analysis.domains, (time, key)));
                    prop_assert!(within || !wanted, "{time:?} {key:?}: {analysis:?}");
                    prop_assert!(!analysis.exact || wanted == within, "{time:?} {key:?}: {analysis:?}");
                }
            }
        }
    }

    #[test]
    fn members_of_lists_are_asked_for_by_the_fewest() {
        let holds = |keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            Analysis::exactly("lists", Domain::HoldsAny(keys))
        };
        let both = holds(&["a", "b"]).and(holds(&["c"]));
        assert_eq!(both.domains, holds(&["c"]).domains);
        assert!(!both.exact, "the other one is still to be looked at");
        let either = holds(&["a"]).or(holds(&["c"]));
        assert_eq!(either.domains, holds(&["a", "c"]).domains);
    }
}
