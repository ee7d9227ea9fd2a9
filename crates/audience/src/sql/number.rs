//! Numbers in SQL: whole numbers of some width, with a number of decimals that is known beforehand.
//!
//! What is an amount, a count or a number of days stays in 64 bits, and a comparison of them is a comparison of integers. An
//! exact decimal of any size is a whole count of 10⁻²⁸ in 256 bits. Only what may need rounding to 28 digits is
//! [reckoned](super::reckoning) at length.

use rust_decimal::Decimal;

/// Decimals of a number of any size.
pub(super) const WIDE_SCALE: u32 = 28;
/// Bits of a number of any size at [`WIDE_SCALE`]: 96 of the digits, 94 of 10²⁸.
pub(super) const WIDE_BITS: u32 = 190;
/// Bits that the digits of an exact decimal may have.
pub(super) const DIGITS_BITS: u32 = 96;
/// The name that powers of ten have in a statement.
pub(super) const POWERS: &str = "zhiyin_powers";

/// The powers of ten from 10⁰ to 10²⁸, as SQL.
pub(super) fn powers() -> String {
    let powers: Vec<String> =
        (0..=WIDE_SCALE as usize).map(|n| format!("toInt256('1{}')", "0".repeat(n))).collect();
    format!("[{}]", powers.join(", "))
}

/// A number: SQL of a whole number, or NULL where it is unknown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Num {
    pub(super) sql: String,
    /// Its decimals.
    pub(super) scale: u32,
    /// Its magnitude is below 2 to this power.
    pub(super) bits: u32,
    /// Its digits, if it is a constant.
    digits: Option<String>,
}

/// The integers that hold so many bits and a sign.
const fn cast(bits: u32) -> &'static str {
    match bits {
        0..=63 => "toInt64",
        64..=127 => "toInt128",
        _ => "toInt256",
    }
}

fn literal(digits: &str, bits: u32) -> String {
    if bits <= 62 { format!("({digits})") } else { format!("{}('{digits}')", cast(bits)) }
}

const fn bits_of_power(n: u32) -> u32 {
    // log₂ 10 is a little less than 10/3.
    n * 10 / 3 + 1
}

impl Num {
    /// SQL of 64 bits with a sign.
    pub(super) fn small(sql: impl Into<String>, scale: u32) -> Self {
        Self::of(sql, scale, 63)
    }

    pub(super) fn of(sql: impl Into<String>, scale: u32, bits: u32) -> Self {
        Self { sql: sql.into(), scale, bits, digits: None }
    }

    /// SQL of a whole count of 10⁻²⁸ in 256 bits.
    pub(super) fn wide(sql: impl Into<String>) -> Self {
        Self::of(sql, WIDE_SCALE, WIDE_BITS)
    }

    pub(super) fn constant(number: Decimal) -> Self {
        let number = number.normalize();
        let digits = number.mantissa();
        let bits = u128::BITS - digits.unsigned_abs().leading_zeros();
        let digits = digits.to_string();
        Self { sql: literal(&digits, bits), scale: number.scale(), bits, digits: Some(digits) }
    }

    /// The same with more decimals.
    fn rescaled(&self, scale: u32) -> Self {
        let more = scale.saturating_sub(self.scale);
        if more == 0 {
            return self.clone();
        }
        let bits = (self.bits + bits_of_power(more)).min(255);
        let zeros = "0".repeat(more as usize);
        match &self.digits {
            Some(digits) => {
                let digits = if digits == "0" { digits.clone() } else { format!("{digits}{zeros}") };
                Self { sql: literal(&digits, bits), scale, bits, digits: Some(digits) }
            }
            None => {
                let cast = cast(bits);
                let power = literal(&format!("1{zeros}"), bits_of_power(more));
                Self::of(format!("({cast}({}) * {power})", self.sql), scale, bits)
            }
        }
    }

    /// Two numbers with as many decimals, in integers of one width; how many decimals and bits that are.
    pub(super) fn aligned(&self, other: &Self) -> (String, String, u32, u32) {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.rescaled(scale), other.rescaled(scale));
        let bits = a.bits.max(b.bits);
        let widened = |num: Self| {
            if bits <= 63 { num.sql } else { format!("{}({})", cast(bits), num.sql) }
        };
        (widened(a), widened(b), scale, bits)
    }

    /// As a whole count of 10⁻²⁸ in 256 bits.
    pub(super) fn widened(&self) -> String {
        match self.scale {
            WIDE_SCALE if self.digits.is_none() => self.sql.clone(),
            _ => format!("toInt256({})", self.rescaled(WIDE_SCALE).sql),
        }
    }

    /// With as many bits as the result of something needs.
    pub(super) fn cast_to(&self, bits: u32) -> String {
        format!("{}({})", cast(bits), self.sql)
    }

    pub(super) fn negated(&self) -> Self {
        Self::of(format!("(-{})", self.cast_to(self.bits)), self.scale, self.bits)
    }

    /// The same where something holds; unknown elsewhere.
    pub(super) fn chosen(test: &str, then: &Self, otherwise: &Self) -> Self {
        let (a, b, scale, bits) = then.aligned(otherwise);
        Self::of(format!("if({test}, {a}, {b})"), scale, bits)
    }
}
