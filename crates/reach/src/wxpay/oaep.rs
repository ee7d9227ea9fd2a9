//! What only the platform is to read: sealed with its RSA key (RSAES-OAEP of RFC 8017, with SHA-1 and MGF1, as the platform says:
//! pay.weixin.qq.com/docs/partner/development/interface-rules/sensitive-data-encryption.html).
//!
//! The key is public, so nothing here has to take the same time whatever it is given.

use std::cmp::Ordering;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// How long a hash is, and a seed, in bytes.
pub(super) const HASH_BYTES: usize = 20;
/// The shortest and the longest key, in bytes.
const KEY_BYTES_MIN: usize = 256;
const KEY_BYTES_MAX: usize = 1_024;

/// Seals a text with a modulus and an exponent, both with the first byte first. Nothing where the text is too long for the key (more than
/// 214 bytes for one of 2,048 bits) or the key is none.
pub(super) fn sealed(
    (modulus, exponent): (&[u8], &[u8]),
    text: &[u8],
    seed: &[u8; HASH_BYTES],
) -> Option<Vec<u8>> {
    let n_bytes = modulus.len();
    if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&n_bytes) || exponent.is_empty() || exponent.len() > 8 {
        return None;
    }
    let block = n_bytes - HASH_BYTES - 1;
    let zeros = block.checked_sub(HASH_BYTES + 1 + text.len())?;
    let mut data = digest(&SHA1_FOR_LEGACY_USE_ONLY, b"").as_ref().to_vec();
    data.resize(HASH_BYTES + zeros, 0);
    data.push(1);
    data.extend_from_slice(text);
    mask(&mut data, seed);
    let mut seed = *seed;
    mask(&mut seed, &data);
    let mut whole = vec![0];
    whole.extend_from_slice(&seed);
    whole.extend(data);
    Some(bytes(&power(&limbs(&whole), exponent, &limbs(modulus)), n_bytes))
}

/// Masks bytes with what MGF1 makes of a seed.
fn mask(bytes: &mut [u8], seed: &[u8]) {
    for (counter, some) in (0u32..).zip(bytes.chunks_mut(HASH_BYTES)) {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[seed, &counter.to_be_bytes()].concat());
        some.iter_mut().zip(hash.as_ref()).for_each(|(byte, masked)| *byte ^= masked);
    }
}

/// A number, its lowest 32 bits first.
fn limbs(bytes: &[u8]) -> Vec<u32> {
    bytes.rchunks(4).map(|some| some.iter().fold(0, |limb, byte| limb << 8 | u32::from(*byte))).collect()
}

/// Its last `n` bytes, the first one first.
fn bytes(limbs: &[u32], n: usize) -> Vec<u8> {
    let mut all: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    all.resize(n, 0);
    all.reverse();
    all
}

/// Takes `n` off a number that has one limb more, where it is not smaller.
fn reduced(number: &mut [u32], n: &[u32]) {
    let of = |i: usize| n.get(i).copied().unwrap_or(0);
    let order = number.iter().enumerate().rev().map(|(i, limb)| limb.cmp(&of(i)));
    if order.fold(Ordering::Equal, Ordering::then) == Ordering::Less {
        return;
    }
    let mut borrowed = false;
    for (i, limb) in number.iter_mut().enumerate() {
        let (once, first) = limb.overflowing_sub(of(i));
        let (twice, second) = once.overflowing_sub(u32::from(borrowed));
        (*limb, borrowed) = (twice, first || second);
    }
}

/// `a · b` modulo `n`, of numbers below `n`: doubled bit by bit, and reduced each time.
fn product(a: &[u32], b: &[u32], n: &[u32]) -> Vec<u32> {
    let mut sum = vec![0u32; n.len() + 1];
    for bit in (0..a.len() * 32).rev() {
        let mut carried = 0;
        for limb in &mut sum {
            (*limb, carried) = (*limb << 1 | carried, *limb >> 31);
        }
        reduced(&mut sum, n);
        if a.get(bit / 32).is_some_and(|limb| limb >> (bit % 32) & 1 == 1) {
            let mut carried = false;
            for (i, limb) in sum.iter_mut().enumerate() {
                let (once, first) = limb.overflowing_add(b.get(i).copied().unwrap_or(0));
                let (twice, second) = once.overflowing_add(u32::from(carried));
                (*limb, carried) = (twice, first || second);
            }
            reduced(&mut sum, n);
        }
    }
    sum.truncate(n.len());
    sum
}

/// A number to a power modulo `n`.
fn power(base: &[u32], exponent: &[u8], n: &[u32]) -> Vec<u32> {
    let mut power = vec![1];
    for bit in exponent.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)) {
        power = product(&power, &power, n);
        if bit == 1 {
            power = product(&power, base, n);
        }
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_small_numbers_are_right() {
        let n = limbs(&1_000_000_007u64.to_be_bytes()[3..]);
        for (base, exponent, is) in
            [(2u32, 10u8, 1_024u32), (3, 200, 136318165), (1_000_000_006, 3, 1_000_000_006)]
        {
            assert_eq!(power(&[base], &[exponent], &n)[0], is, "{base}^{exponent}");
        }
    }

    #[test]
    fn what_is_too_long_for_the_key_is_not_sealed() {
        let modulus = [0xff; 256];
        assert!(sealed((&modulus, &[1, 0, 1]), &[b'x'; 214], &[7; 20]).is_some());
        assert!(sealed((&modulus, &[1, 0, 1]), &[b'x'; 215], &[7; 20]).is_none());
        assert!(sealed((&modulus[..128], &[1, 0, 1]), b"x", &[7; 20]).is_none());
    }
}
