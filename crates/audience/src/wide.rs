//! Loops over words that some processors have instructions for: compiled for those as well, and chosen where the program runs.

#[cfg(target_arch = "x86_64")]
use std::arch::is_x86_feature_detected;

use crate::ints::{Width, pack64};

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

/// Takes out of words, a bit a number, whoever's number is not within.
pub(crate) fn keep_within<T: Width>(numbers: &[T], (from, to): (T, T), words: &mut [u64]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "a function for processors that have more than all have")]
        return unsafe { on_x86::keep_within(numbers, (from, to), words) };
    }
    keep(numbers, words, |x| x >= from && x <= to, pack64);
}

/// Takes out of words, a bit a byte, whoever's byte is not in a set: a bit for each of the 256 that a byte can be.
pub(crate) fn keep_among(bytes: &[u8], set: &[u8; 32], words: &mut [u64]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "a function for processors that have more than all have")]
        return unsafe { on_x86::keep_among(bytes, set, words) };
    }
    keep(bytes, words, |x| is_among(x, set), pack64);
}

#[inline]
const fn is_among(byte: u8, set: &[u8; 32]) -> bool {
    set[byte as usize / 8] >> (byte % 8) & 1 == 1
}

/// Sixty-four at a time, where any of them is still in; `pack` makes bits of their answers.
#[inline(always)]
fn keep<T: Width>(
    numbers: &[T],
    words: &mut [u64],
    holds: impl Fn(T) -> bool,
    pack: impl Fn(&[u8; 64]) -> u64,
) {
    let (chunks, rest) = numbers.as_chunks::<64>();
    for (word, chunk) in words.iter_mut().zip(chunks) {
        if *word != 0 {
            let mut answers = [0u8; 64];
            answers.iter_mut().zip(chunk).for_each(|(answer, x)| *answer = u8::from(holds(*x)));
            *word &= pack(&answers);
        }
    }
    keep_rest(rest, words.get_mut(chunks.len()), holds);
}

/// The last of them, fewer than 64.
fn keep_rest<T: Width>(rest: &[T], word: Option<&mut u64>, holds: impl Fn(T) -> bool) {
    let Some(word) = word else { return };
    for (bit, x) in rest.iter().enumerate() {
        *word &= !(u64::from(!holds(*x)) << bit);
    }
}

#[cfg(target_arch = "x86_64")]
mod on_x86 {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_blendv_epi8, _mm256_cmpeq_epi8, _mm256_movemask_epi8,
        _mm256_set1_epi8, _mm256_shuffle_epi8, _mm256_slli_epi16, _mm256_srli_epi16, _pdep_u64,
    };

    use crate::ints::Width;

    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn ones(words: &[u64]) -> usize {
        super::count(words)
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn keep_within<T: Width>(numbers: &[T], (from, to): (T, T), words: &mut [u64]) {
        // Without a branch between the two, so that 32 are compared at once.
        super::keep(
            numbers,
            words,
            |x| (x >= from) & (x <= to),
            |answers| {
                let [low, high]: [__m256i; 2] = bytemuck::cast(*answers);
                // The lowest bit of each byte becomes the highest, which is the one that is gathered.
                let bits = |bytes| _mm256_movemask_epi8(_mm256_slli_epi16::<7>(bytes)).cast_unsigned();
                u64::from(bits(low)) | u64::from(bits(high)) << 32
            },
        );
    }

    /// The byte of the set is looked up by the upper five bits, of its bits the one that the lower three name.
    #[target_feature(enable = "avx2")]
    pub(super) fn keep_among(bytes: &[u8], set: &[u8; 32], words: &mut [u64]) {
        let [low, high] = bytemuck::cast::<[u8; 32], [[u8; 16]; 2]>(*set);
        let (low, high): (__m256i, __m256i) = (bytemuck::cast([low, low]), bytemuck::cast([high, high]));
        let bit_of: __m256i = bytemuck::cast([[1u8, 2, 4, 8, 16, 32, 64, 128]; 4]);
        let (five, three) = (_mm256_set1_epi8(0x1f), _mm256_set1_epi8(0x07));
        let bits = |x: __m256i| {
            let at = _mm256_and_si256(_mm256_srli_epi16::<3>(x), five);
            let (first, second) = (_mm256_shuffle_epi8(low, at), _mm256_shuffle_epi8(high, at));
            // The fifth bit, moved up to the highest, says of which half of the set.
            let of_set = _mm256_blendv_epi8(first, second, _mm256_slli_epi16::<3>(at));
            let bit = _mm256_shuffle_epi8(bit_of, _mm256_and_si256(x, three));
            let is_in = _mm256_cmpeq_epi8(_mm256_and_si256(of_set, bit), bit);
            u64::from(_mm256_movemask_epi8(is_in).cast_unsigned())
        };
        let (chunks, rest) = bytes.as_chunks::<64>();
        for (word, chunk) in words.iter_mut().zip(chunks) {
            if *word != 0 {
                let [low, high]: [__m256i; 2] = bytemuck::cast(*chunk);
                *word &= bits(low) | bits(high) << 32;
            }
        }
        super::keep_rest(rest, words.get_mut(chunks.len()), |x| super::is_among(x, set));
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

        #[test]
        fn every_processor_keeps_the_same(
            numbers in prop::collection::vec(any::<i64>(), 0..300),
            ends in any::<(i64, i64)>(),
            set in any::<[u8; 32]>(),
            seed in any::<u64>(),
        ) {
            /// Who is kept of whoever was in: all beyond the numbers.
            fn kept<T: Width>(numbers: &[T], before: &[u64], holds: impl Fn(T) -> bool) -> Vec<u64> {
                let mut words = before.to_vec();
                for (place, _) in numbers.iter().enumerate().filter(|(_, x)| !holds(**x)) {
                    words[place / 64] &= !(1 << (place % 64));
                }
                words
            }
            fn agree<T: Width>(numbers: &[T], (from, to): (T, T), before: &[u64]) -> Result<(), TestCaseError> {
                let expected = kept(numbers, before, |x| x >= from && x <= to);
                let (mut found, mut plain) = (before.to_vec(), before.to_vec());
                keep_within(numbers, (from, to), &mut found);
                keep(numbers, &mut plain, |x| x >= from && x <= to, pack64);
                prop_assert_eq!(&found, &expected);
                prop_assert_eq!(&plain, &expected);
                Ok(())
            }
            // Some words have nobody in them, and one more lies beyond the numbers.
            let words = 0..numbers.len() as u64 / 64 + 2;
            let before: Vec<u64> = words.map(|at| if at % 3 == 1 { 0 } else { seed.rotate_left(at as u32 * 7) | 1 << at }).collect();
            let bytes: Vec<u8> = numbers.iter().map(|x| *x as u8).collect();
            let twos: Vec<u16> = numbers.iter().map(|x| *x as u16).collect();
            let fours: Vec<u32> = numbers.iter().map(|x| *x as u32).collect();
            let (low, high) = (ends.0.min(ends.1), ends.0.max(ends.1));
            agree(&numbers, (low, high), &before)?;
            agree(&bytes, (low as u8, high as u8), &before)?;
            agree(&bytes, ((low as u8).min(high as u8), (low as u8).max(high as u8)), &before)?;
            agree(&twos, ((low as u16).min(high as u16), (low as u16).max(high as u16)), &before)?;
            agree(&fours, ((low as u32).min(high as u32), (low as u32).max(high as u32)), &before)?;
            let expected = kept(&bytes, &before, |x| is_among(x, &set));
            let (mut found, mut plain) = (before.clone(), before);
            keep_among(&bytes, &set, &mut found);
            keep(&bytes, &mut plain, |x| is_among(x, &set), pack64);
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(&plain, &expected);
        }
    }
}
