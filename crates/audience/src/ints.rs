//! Whole numbers in the narrowest form that holds them: `base + unit × stored`, in 0, 1, 2, 4 or 8 bytes each.

use bytemuck::Pod;

use crate::bits::Mask;
use crate::buf::Buf;
use crate::wide::keep_within;

/// Whole numbers that do not change.
#[derive(Clone, Debug, PartialEq)]
pub struct Ints {
    pub(crate) base: i64,
    /// At least 1.
    pub(crate) unit: i64,
    pub(crate) len: usize,
    pub(crate) stored: Stored,
}

/// What is stored of each.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// Nothing: all are the base.
    Same,
    /// A byte.
    U8(Buf<u8>),
    /// Two.
    U16(Buf<u16>),
    /// Four.
    U32(Buf<u32>),
    /// The number itself; base is 0 and unit 1.
    I64(Buf<i64>),
}

/// Runs over what is stored, whatever its width: `$x` is the slice, `Same` is answered apart.
macro_rules! by_width {
    ($stored:expr, $x:ident => $of:expr, $same:expr) => {
        match $stored {
            Stored::Same => $same,
            Stored::U8($x) => $of,
            Stored::U16($x) => $of,
            Stored::U32($x) => $of,
            Stored::I64($x) => $of,
        }
    };
}
pub(crate) use by_width;

impl Default for Ints {
    fn default() -> Self {
        Self { base: 0, unit: 1, len: 0, stored: Stored::Same }
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Ints {
    /// Of these numbers.
    pub fn of(numbers: &[i64]) -> Self {
        let len = numbers.len();
        let (Some(&least), Some(&most)) = (numbers.iter().min(), numbers.iter().max()) else {
            return Self::default();
        };
        if least == most {
            return Self { base: least, unit: 1, len, stored: Stored::Same };
        }
        let offset = |number: i64| number.wrapping_sub(least).cast_unsigned();
        let mut unit = 0;
        for number in numbers {
            unit = gcd(offset(*number), unit);
            if unit == 1 {
                break;
            }
        }
        let span = offset(most) / unit;
        let Ok(unit_signed) = i64::try_from(unit) else {
            return Self { base: 0, unit: 1, len, stored: Stored::I64(numbers.to_vec().into()) };
        };
        let scaled = numbers.iter().map(|number| offset(*number) / unit);
        // What fits is what was measured above.
        #[expect(clippy::cast_possible_truncation, reason = "the span was looked at")]
        let stored = match span {
            ..=0xff => Stored::U8(scaled.map(|x| x as u8).collect::<Vec<_>>().into()),
            0x100..=0xffff => Stored::U16(scaled.map(|x| x as u16).collect::<Vec<_>>().into()),
            0x1_0000..=0xffff_ffff => Stored::U32(scaled.map(|x| x as u32).collect::<Vec<_>>().into()),
            _ => return Self { base: 0, unit: 1, len, stored: Stored::I64(numbers.to_vec().into()) },
        };
        Self { base: least, unit: unit_signed, len, stored }
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The number at a place; the base beyond the end.
    #[inline]
    pub fn get(&self, place: usize) -> i64 {
        // The product alone may have no room where numbers lie at both ends of all; the sum always has.
        self.base.wrapping_add(self.unit.wrapping_mul(self.stored_at(place)))
    }

    /// What is stored at a place.
    #[inline]
    pub(crate) fn stored_at(&self, place: usize) -> i64 {
        match &self.stored {
            Stored::Same => 0,
            Stored::U8(x) => i64::from(x.get(place).copied().unwrap_or(0)),
            Stored::U16(x) => i64::from(x.get(place).copied().unwrap_or(0)),
            Stored::U32(x) => i64::from(x.get(place).copied().unwrap_or(0)),
            Stored::I64(x) => x.get(place).copied().unwrap_or(0),
        }
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        match &self.stored {
            Stored::Same => 0,
            Stored::U8(x) => x.len(),
            Stored::U16(x) => x.len() * 2,
            Stored::U32(x) => x.len() * 4,
            Stored::I64(x) => x.len() * 8,
        }
    }

    /// The stored numbers that stand for `low..=high`; `None` if none can.
    pub(crate) fn stored_range(&self, low: i64, high: i64) -> Option<(i64, i64)> {
        if low > high {
            return None;
        }
        let (unit, base) = (i128::from(self.unit), i128::from(self.base));
        let from = (i128::from(low) - base).div_euclid(unit)
            + i128::from((i128::from(low) - base).rem_euclid(unit) != 0);
        let to = (i128::from(high) - base).div_euclid(unit);
        let widest = match self.stored {
            Stored::Same => (0, 0),
            Stored::U8(_) => (0, i128::from(u8::MAX)),
            Stored::U16(_) => (0, i128::from(u16::MAX)),
            Stored::U32(_) => (0, i128::from(u32::MAX)),
            Stored::I64(_) => (i128::from(i64::MIN), i128::from(i64::MAX)),
        };
        let (from, to) = (from.max(widest.0), to.min(widest.1));
        (from <= to).then(|| (i64::try_from(from).unwrap_or(0), i64::try_from(to).unwrap_or(0)))
    }

    /// Whether nothing that is stored lies outside of what [`Ints::stored_range`] gave.
    pub(crate) fn is_all(&self, (from, to): (i64, i64)) -> bool {
        match &self.stored {
            Stored::Same => true,
            Stored::U8(_) => (from, to) == (0, i64::from(u8::MAX)),
            Stored::U16(_) => (from, to) == (0, i64::from(u16::MAX)),
            Stored::U32(_) => (from, to) == (0, i64::from(u32::MAX)),
            Stored::I64(_) => (from, to) == (i64::MIN, i64::MAX),
        }
    }

    /// Takes out of a mask (one place a number) whoever has none of `low..=high`.
    pub fn keep_range(&self, low: i64, high: i64, mask: &mut Mask) {
        match self.stored_range(low, high) {
            Some(range) => self.keep_stored(range, mask),
            None => mask.words_mut().fill(0),
        }
    }

    /// The same, of what is stored.
    pub(crate) fn keep_stored(&self, (from, to): (i64, i64), mask: &mut Mask) {
        if self.is_all((from, to)) {
            return;
        }
        let words = mask.words_mut();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "stored_range keeps to the width"
        )]
        match &self.stored {
            Stored::Same => {}
            Stored::U8(x) => keep_within(x, (from as u8, to as u8), words),
            Stored::U16(x) => keep_within(x, (from as u16, to as u16), words),
            Stored::U32(x) => keep_within(x, (from as u32, to as u32), words),
            Stored::I64(x) => keep_within(x, (from, to), words),
        }
    }
}

/// A width.
pub(crate) trait Width: Pod + PartialOrd {}
impl Width for u8 {}
impl Width for u16 {}
impl Width for u32 {}
impl Width for i64 {}

/// Eight bytes of 0 or 1 as eight bits.
pub(crate) fn pack(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The bits of 64 answers.
pub(crate) fn pack64(answers: &[u8; 64]) -> u64 {
    let mut word = 0;
    for (at, eight) in answers.as_chunks::<8>().0.iter().enumerate() {
        word |= pack(*eight) << (at * 8);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_whatever_their_width() {
        let cases: [&[i64]; 9] = [
            &[],
            &[7, 7, 7],
            &[-3, 252],
            &[0, 86_400_000_000, 172_800_000_000],
            &[1_000_000, 1_065_535],
            &[-1, 1 << 31],
            &[i64::MIN, i64::MAX, 0],
            &[i64::MIN, 0],
            &[i64::MIN, i64::MIN + (1 << 62), i64::MAX - (1 << 62) + 1],
        ];
        for numbers in cases {
            let ints = Ints::of(numbers);
            let back: Vec<i64> = (0..numbers.len()).map(|place| ints.get(place)).collect();
            assert_eq!(back, numbers);
        }
        assert_eq!(Ints::of(&[0, 86_400_000_000]).bytes(), 2);
    }

    #[test]
    fn a_range_keeps_what_lies_in_it() {
        for (step, n) in [(1, 300), (3, 300), (86_400_000_000, 130), (1 << 40, 70), (0, 5)] {
            let numbers: Vec<i64> = (0..n).map(|i| (i * 37 % n) * step - 50).collect();
            let ints = Ints::of(&numbers);
            for (low, high) in
                [(-50, -50), (-49, 100), (i64::MIN, i64::MAX), (5, 4), (i64::MAX, i64::MAX), (0, step * 7)]
            {
                let mut mask = Mask::all(numbers.len());
                ints.keep_range(low, high, &mut mask);
                let expected: Vec<usize> =
                    (0..numbers.len()).filter(|i| (low..=high).contains(&numbers[*i])).collect();
                assert_eq!(mask.places().collect::<Vec<_>>(), expected, "{step} {low}..={high}");
            }
        }
    }
}
