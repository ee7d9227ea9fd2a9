//! E-mail addresses: trimmed, composed (NFC), lower case.
//!
//! The part before the @ may by the letter tell cases apart; no provider that people use does. Dots and `+tags` are kept:
//! what they mean differs from provider to provider, and one address too many is a lesser harm than two people in
//! one. Quoted local parts, comments and addresses at bare hosts or numbers are not taken.

use unicode_normalization::UnicodeNormalization;

use super::{is_invisible, narrow};
use crate::event::Refusal;

/// The longest address, in bytes (RFC 5321: 256 with its brackets).
const BYTES_MAX: usize = 254;
/// The longest part before the @, in bytes.
const LOCAL_BYTES_MAX: usize = 64;
/// The longest label of a domain, in bytes.
const LABEL_BYTES_MAX: usize = 63;

/// The address as it is kept.
pub(super) fn normalise(value: &str) -> Result<String, Refusal> {
    let text: String = value.chars().filter(|c| !is_invisible(*c)).map(narrow).collect();
    let text = text.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text).trim_start();
    let address = folded(text)?;
    if address.len() > BYTES_MAX {
        return Err(refused("longer than an address may be (254 bytes)"));
    }
    let (local, domain) = address.split_once('@').ok_or_else(|| refused("an address has an @"))?;
    if local.is_empty() || local.len() > LOCAL_BYTES_MAX {
        return Err(refused("before the @ stand 1 to 64 bytes"));
    }
    if !local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom)) {
        return Err(refused("what stands before the @ is no plain name"));
    }
    let labels: Vec<&str> = domain.split('.').collect();
    if labels.len() < 2 || !labels.iter().all(|label| is_label(label)) {
        return Err(refused("what stands after the @ is no domain"));
    }
    if labels.last().is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(refused("a domain does not end in a number"));
    }
    Ok(address)
}

/// Lower case and composed. Composing may make a letter that has a lower case of its own, so it goes on until nothing
/// changes: then twice is the same as once.
fn folded(text: &str) -> Result<String, Refusal> {
    let mut text: String = text.to_owned();
    for _ in 0..4 {
        let next: String = text.chars().flat_map(char::to_lowercase).nfc().collect();
        if next == text {
            return Ok(next);
        }
        text = next;
    }
    Err(refused("the letters of this address have no one form"))
}

fn refused(message: &str) -> Refusal {
    Refusal::new("email_malformed", "value", message)
}

fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}
