//! `bucket("salt")`: a number from 0 to 99.99 that is always the same for a member and a salt, spread evenly over members,
//! and independent between salts. `bucket("spring test") < 10` is a tenth of all members.
//!
//! It is SipHash-2-4 with a key of zeros over the salt's bytes, a zero byte and the 16 bytes of the member's id, its remainder
//! by 10,000 divided by 100: `ClickHouse` says the same by `sipHash64(concat('salt', '\0', id)) % 10000 / 100`. It is no
//! secret and protects nothing.

use std::hash::Hasher;

use rust_decimal::Decimal;
use siphasher::sip::SipHasher24;
use zhiyin_model::id::MemberId;

/// How many buckets there are; each is a hundredth of a percent.
pub const BUCKETS: u64 = 10_000;

/// The bucket as a whole number: 0 to 9,999.
pub fn place(salt: &str, member: MemberId) -> u32 {
    let mut hasher = SipHasher24::new();
    hasher.write(salt.as_bytes());
    hasher.write(&[0]);
    hasher.write(member.bytes());
    // The remainder always fits.
    u32::try_from(hasher.finish() % BUCKETS).unwrap_or(0)
}

/// The bucket as conditions see it: 0 to 99.99.
pub fn bucket(salt: &str, member: MemberId) -> Decimal {
    Decimal::new(i64::from(place(salt, member)), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_siphash_2_4_without_a_key() {
        // The test vector of the SipHash paper has a key; without one these are widely known.
        assert_eq!(SipHasher24::new().finish(), 0x1e92_4b9d_7377_00d7);
    }

    #[test]
    fn a_salt_spreads_members_evenly_and_apart_from_other_salts() {
        let members: Vec<MemberId> = (0..20_000u128).map(|n| MemberId::from_bytes(n.to_be_bytes())).collect();
        let tenth = |salt: &str, id: &MemberId| bucket(salt, *id) < Decimal::TEN;
        let in_a = members.iter().filter(|id| tenth("a", id)).count();
        let in_both = members.iter().filter(|id| tenth("a", id) && tenth("b", id)).count();
        assert!((1_850..2_150).contains(&in_a), "{in_a}");
        assert!((150..250).contains(&in_both), "{in_both}");
    }
}
