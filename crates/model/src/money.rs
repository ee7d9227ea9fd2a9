//! Money in minor units of the brand's currency, and the one place where amounts are rounded.

use std::fmt;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An amount in minor units (cents, fen). Never a float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount one order or line may have, in minor units: 10^15. Sums of a million such
    /// still fit an `i64`… of a thousand; totals are kept in `i128` where they may grow.
    pub const MAX: Self = Self(1_000_000_000_000_000);
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A currency: its ISO 4217 code and the number of its minor digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// ISO 4217 code, upper case.
    pub code: String,
    /// Minor digits: 2 for CNY and USD, 0 for JPY, 3 for KWD.
    pub exponent: u32,
}

/// Why an amount was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("{0:?} is not an amount")]
    NotANumber(String),
    /// Beyond [`Money::MAX`].
    #[error("{0} is larger than an amount may be")]
    TooLarge(String),
}

impl Currency {
    /// The currency with this ISO 4217 code, if it is three capital letters. Codes without an entry in
    /// the standard's list of exceptions have two minor digits.
    pub fn parse(code: &str) -> Option<Self> {
        if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
            return None;
        }
        // ISO 4217, table A.1: the codes whose minor unit is not 2.
        let exponent = match code {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
            | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        };
        Some(Self { code: code.to_owned(), exponent })
    }

    /// How many minor units make one major unit.
    pub fn minor_per_major(&self) -> i64 {
        10i64.pow(self.exponent)
    }

    /// A decimal amount in major units as minor units, rounded half away from zero.
    pub fn to_minor(&self, major: Decimal) -> Result<Money, MoneyError> {
        let minor = major
            .checked_mul(Decimal::from(self.minor_per_major()))
            .ok_or_else(|| MoneyError::TooLarge(major.to_string()))?
            .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        match minor.to_i64() {
            Some(units) if units.abs() <= Money::MAX.0 => Ok(Money(units)),
            _ => Err(MoneyError::TooLarge(major.to_string())),
        }
    }

    /// Parses a decimal text (`"12.5"`, `"1e2"`) into minor units, rounded half away from zero.
    pub fn parse_minor(&self, text: &str) -> Result<Money, MoneyError> {
        self.to_minor(parse_decimal(text)?)
    }

    /// Minor units as a decimal in major units, exactly.
    pub fn to_major(&self, money: Money) -> Decimal {
        Decimal::new(money.0, self.exponent)
    }
}

/// Parses a decimal number, plain or with an exponent. Refuses NaN, infinities and what 96 bits cannot hold.
pub fn parse_decimal(text: &str) -> Result<Decimal, MoneyError> {
    let trimmed = text.trim();
    let parsed = if trimmed.contains(['e', 'E']) {
        Decimal::from_scientific(trimmed)
    } else {
        trimmed.parse::<Decimal>()
    };
    parsed.map_err(|_| {
        let numeric = !trimmed.is_empty()
            && trimmed.bytes().any(|b| b.is_ascii_digit())
            && trimmed.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        let shown: String = trimmed.chars().take(40).collect();
        if numeric { MoneyError::TooLarge(shown) } else { MoneyError::NotANumber(shown) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_half_away_from_zero() {
        let usd = Currency::parse("USD").unwrap();
        for (text, minor) in
            [("1.005", 101), ("-1.005", -101), ("0.004", 0), ("1e2", 10_000), ("840", 84_000), (" 2.5 ", 250)]
        {
            assert_eq!(usd.parse_minor(text), Ok(Money(minor)), "{text}");
        }
        assert_eq!(Currency::parse("JPY").unwrap().parse_minor("1.5"), Ok(Money(2)));
    }

    #[test]
    fn what_is_no_amount_is_refused_by_name() {
        let usd = Currency::parse("USD").unwrap();
        for text in ["NaN", "inf", "", "1,2", "๑", "0x10", "1_000_x"] {
            assert!(matches!(usd.parse_minor(text), Err(MoneyError::NotANumber(_))), "{text}");
        }
        for text in ["1000000000000000000", "1e30", "99999999999999999999999999999999999999"] {
            assert!(matches!(usd.parse_minor(text), Err(MoneyError::TooLarge(_))), "{text}");
        }
    }
}
