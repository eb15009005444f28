//! Identifiers in the forms of the API: of contacts, and of campaigns.

use fastrand::Rng;

use super::random::mix;

/// An odd factor, so that multiplying by it can be undone: the low bits of a
/// contact's identifier are its index in disguise.
const FACTOR: u32 = 0x9E37_79B1;
const INVERSE: u32 = 0x0E8B_2F51;

/// The contact-side identifiers are of version 1, with a node that starts `fa163e`.
fn version_1(low: u32, high: u64) -> String {
    format!(
        "{low:08x}-{:04x}-11ef-{:04x}-fa163e{:06x}",
        high & 0xffff,
        0x8000 | ((high >> 16) & 0x3fff),
        (high >> 32) & 0xff_ffff
    )
}

/// The identifier of the contact with this index.
pub(super) fn of_contact(seed: u64, index: u32) -> String {
    let high = mix(seed);
    let disguise = u32::try_from(high >> 32).unwrap_or(0);
    version_1(index.wrapping_mul(FACTOR) ^ disguise, high)
}

/// The index of the contact that this would be the identifier of, if it exists.
pub(super) fn contact_index(seed: u64, identifier: &str) -> Option<u32> {
    let low = u32::from_str_radix(identifier.get(..8)?, 16).ok()?;
    let disguise = u32::try_from(mix(seed) >> 32).unwrap_or(0);
    let index = (low ^ disguise).wrapping_mul(INVERSE);
    (of_contact(seed, index) == identifier).then_some(index)
}

/// The identifier of the `number`-th thing that belongs to a contact.
pub(super) fn numbered(seed: u64, contact: u32, number: u32) -> String {
    version_1(contact.wrapping_mul(FACTOR) ^ number, mix(seed.wrapping_add(u64::from(number))))
}

/// An identifier of anything else on the contacts' side.
pub(super) fn contact_side(rng: &mut Rng) -> String {
    version_1(rng.u32(..), rng.u64(..))
}

/// An identifier on the campaigns' side: version 4.
pub(super) fn campaign_side(rng: &mut Rng) -> String {
    let (high, low) = (rng.u64(..), rng.u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_can_be_undone() {
        assert_eq!(FACTOR.wrapping_mul(INVERSE), 1);
    }

    #[test]
    fn a_contact_is_found_by_its_identifier() {
        for index in [0, 1, 499, 9_999_999, u32::MAX] {
            assert_eq!(contact_index(7, &of_contact(7, index)), Some(index));
        }
        assert_eq!(contact_index(8, &of_contact(7, 3)), None);
        for wrong in ["", "abc", "zzzzzzzz-0000-11ef-8000-fa163e000000", "é".repeat(8).as_str()] {
            assert_eq!(contact_index(7, wrong), None, "{wrong}");
        }
    }
}
