//! Phone numbers in E.164: `+8613912345678`.
//!
//! Ours, and a subset on purpose. A crate with the world's numbering plans weighs megabytes and changes with them, so
//! that the same text could become another identifier with an update; what is kept under a hash must not. Here, numbers
//! of mainland China are known by shape, since they are written in many ways: mobiles, and landlines with their area code.
//! Others are taken only with `+` or `00` and their country code, by length alone. Not taken: service numbers
//! (400, 800, 95…), extensions, numbers without area code, letters (`1-800-FLOWERS`).

use super::{is_invisible, narrow};
use crate::event::Refusal;

/// The most characters of a number with all that stands between its digits.
const CHARS_MAX: usize = 40;

/// The number in E.164.
pub(super) fn normalise(value: &str) -> Result<String, Refusal> {
    let (digits, is_international) = digits(value)?;
    if is_international {
        return match digits.strip_prefix("86") {
            Some(national) => {
                china(national.strip_prefix('0').unwrap_or(national)).ok_or_else(|| refused(OF_CHINA))
            }
            None => foreign(&digits),
        };
    }
    let domestic = match digits.strip_prefix('0') {
        Some(after_trunk) => china(after_trunk),
        None => mobile(&digits),
    };
    domestic
        .or_else(|| china(digits.strip_prefix("86").map(|n| n.strip_prefix('0').unwrap_or(n))?))
        .ok_or_else(|| refused(OF_CHINA))
}

const OF_CHINA: &str = "this is no mobile of mainland China and no landline with its area code; another country's number begins with +";

fn refused(message: &str) -> Refusal {
    Refusal::new("phone_malformed", "value", message)
}

/// The digits alone, and whether they begin with a country code.
fn digits(value: &str) -> Result<(String, bool), Refusal> {
    if value.chars().count() > CHARS_MAX {
        return Err(refused("longer than a phone number is written"));
    }
    let text: String = value.chars().filter(|c| !is_invisible(*c)).map(narrow).collect();
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text).trim_start();
    let text = text.strip_prefix('(').filter(|rest| rest.starts_with('+')).unwrap_or(text);
    let (text, has_plus) = text.strip_prefix('+').map_or((text, false), |rest| (rest, true));
    // `+44 (0)20…`: the zero is dialled inside the country only.
    let text = if has_plus { text.replacen("(0)", "", 1) } else { text.to_owned() };
    let mut digits = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
            c if c.is_whitespace() => {}
            _ => {
                return Err(refused(
                    "a phone number is digits, with a + before them where it is international",
                ));
            }
        }
    }
    if has_plus {
        return Ok((digits, true));
    }
    match digits.strip_prefix("00") {
        Some(international) => Ok((international.to_owned(), true)),
        None => Ok((digits, false)),
    }
}

/// A number of mainland China without trunk prefix and country code.
fn china(national: &str) -> Option<String> {
    mobile(national).or_else(|| landline(national))
}

fn mobile(national: &str) -> Option<String> {
    let bytes = national.as_bytes();
    let is_mobile = bytes.len() == 11 && bytes[0] == b'1' && (b'3'..=b'9').contains(&bytes[1]);
    is_mobile.then(|| format!("+86{national}"))
}

/// An area code (10, 2x, 3xx to 9xx) and seven or eight digits, of which the first is neither 0 nor 1.
fn landline(national: &str) -> Option<String> {
    let bytes = national.as_bytes();
    let (n_area, n_own) = match bytes.first()? {
        b'1' if national.starts_with("10") => (2, 8..=8),
        b'2' => (2, 8..=8),
        b'3'..=b'9' if !national.starts_with("400") && !national.starts_with("800") => (3, 7..=8),
        _ => return None,
    };
    let own = bytes.get(n_area..)?;
    let is_landline =
        n_own.contains(&own.len()) && own.first().is_some_and(|first| (b'2'..=b'9').contains(first));
    is_landline.then(|| format!("+86{national}"))
}

/// A number of another country: 7 to 15 digits with the country code, which never begins with 0.
fn foreign(digits: &str) -> Result<String, Refusal> {
    if digits.starts_with('0') {
        return Err(refused("no country code begins with 0"));
    }
    match digits.len() {
        7..=15 => Ok(format!("+{digits}")),
        n_digits => Err(refused(&format!("{n_digits} digits; an international number has 7 to 15"))),
    }
}

/// Whether the digits, with or without a country code of one to three digits, are one digit again and again.
pub(super) fn is_one_digit(value: &str) -> bool {
    let plus = value.strip_prefix('+');
    let digits = plus.unwrap_or(value).as_bytes();
    let is_one = |digits: &[u8]| {
        digits.len() >= 6 && digits[0].is_ascii_digit() && digits.iter().all(|digit| *digit == digits[0])
    };
    is_one(digits) || (plus.is_some() && (1..=3).any(|n_code| digits.get(n_code..).is_some_and(is_one)))
}
