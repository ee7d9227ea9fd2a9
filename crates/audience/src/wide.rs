//! Loops over words that some processors have instructions for: compiled for those as well, and chosen where the program runs.

#[cfg(target_arch = "x86_64")]
use std::arch::is_x86_feature_detected;

use crate::ints::pack64;

/// How many bits of all are set.
pub(crate) fn ones(words: &[u64]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
        // SAFETY: the processor was asked for what the function is compiled for.
        #[expect(unsafe_code, reason = "a function for processors that have more than all have")]
        return unsafe { on_x86::ones(words) };
    }
    count(words)
}

#[inline]
fn count(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

/// Puts into words whoever of `owners` has a step of at least `step`: each owner has one, in their order.
pub(crate) fn put_late(owners: &[u64], steps: &[u8], step: u8, into: &mut [u64]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("bmi2")
    {
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "a function for processors that have more than all have")]
        return unsafe { on_x86::put_late(owners, steps, step, into) };
    }
    put(owners, steps, step, into, deposit);
}

#[inline]
fn put(owners: &[u64], steps: &[u8], step: u8, into: &mut [u64], deposit: impl Fn(u64, u64) -> u64) {
    let mut at = 0;
    for (word, into) in owners.iter().zip(into) {
        let n = word.count_ones() as usize;
        let mut answers = [0u8; 64];
        // More than there are owners may be looked at: only the first of them are put.
        if let Some(of) = steps.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
            answers.iter_mut().zip(of).for_each(|(answer, of)| *answer = u8::from(*of >= step));
        } else {
            let of = steps.get(at..).unwrap_or_default();
            answers.iter_mut().zip(of).for_each(|(answer, of)| *answer = u8::from(*of >= step));
        }
        at += n;
        *into |= deposit(pack64(&answers), *word);
    }
}

/// The bits of a number, the lowest first, at the places where another has a 1.
fn deposit(bits: u64, at: u64) -> u64 {
    let (mut bits, mut left, mut put) = (bits, at, 0);
    while left != 0 && bits != 0 {
        put |= (left & left.wrapping_neg()) * (bits & 1);
        left &= left - 1;
        bits >>= 1;
    }
    put
}

#[cfg(target_arch = "x86_64")]
mod on_x86 {
    use std::arch::x86_64::_pdep_u64;

    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn ones(words: &[u64]) -> usize {
        super::count(words)
    }

    #[target_feature(enable = "avx2,popcnt,bmi1,bmi2")]
    pub(super) fn put_late(owners: &[u64], steps: &[u8], step: u8, into: &mut [u64]) {
        super::put(owners, steps, step, into, |bits, at| _pdep_u64(bits, at));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_processor_says_the_same(
            owners in prop::collection::vec(prop_oneof![any::<u64>(), Just(0), Just(u64::MAX), (0u32..64).prop_map(|n| 1 << n)], 0..40),
            seed in any::<u64>(),
            step in any::<u8>(),
        ) {
            prop_assert_eq!(ones(&owners), count(&owners));
            let n = count(&owners);
            let steps: Vec<u8> = (0..n as u64).map(|at| (seed.wrapping_mul(at + 1) >> 32) as u8).collect();
            let mut expected = vec![0u64; owners.len()];
            let mut at = 0;
            for (place, word) in owners.iter().enumerate() {
                for bit in 0..64 {
                    if word >> bit & 1 == 1 {
                        expected[place] |= u64::from(steps[at] >= step) << bit;
                        at += 1;
                    }
                }
            }
            let mut found = vec![0; owners.len()];
            put_late(&owners, &steps, step, &mut found);
            prop_assert_eq!(&found, &expected);
            let mut plain = vec![0; owners.len()];
            put(&owners, &steps, step, &mut plain, deposit);
            prop_assert_eq!(plain, expected);
        }
    }
}
