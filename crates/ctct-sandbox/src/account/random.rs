//! Chance that can be repeated: each thing of the account has its own generator.

use fastrand::Rng;

/// What a generator is for, so that two kinds of things with one index differ.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    ContactFacts = 1,
    ContactDetails,
    List,
    Tag,
    CustomField,
    Segment,
    Campaign,
    Account,
    Event,
    LandingPage,
    Happening,
    TextMessage,
    Job,
    Automation,
}

/// The generator of the `index`-th thing of a kind.
pub(super) fn rng(seed: u64, purpose: Purpose, index: u32) -> Rng {
    Rng::with_seed(mix(mix(seed ^ ((purpose as u64) << 56)) ^ u64::from(index)))
}

/// Spreads near-by numbers over the whole range (the finaliser of `SplitMix64`).
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Whether something that happens `per_mille` times in a thousand happens.
pub(super) fn chance(rng: &mut Rng, per_mille: u32) -> bool {
    rng.u32(0..1000) < per_mille
}

/// One of several things.
pub(super) fn pick<'a, T: ?Sized>(rng: &mut Rng, things: &[&'a T]) -> &'a T {
    things[rng.usize(0..things.len())]
}

/// A moment from `first` up to, not including, `end`; `first` where there is none between.
pub(super) fn moment(rng: &mut Rng, first: i64, end: i64) -> i64 {
    if end > first { rng.i64(first..end) } else { first }
}
