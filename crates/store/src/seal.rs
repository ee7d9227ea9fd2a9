//! The one way personal data takes into and out of a database: identifiers, names and event bodies.
//!
//! A value is packed first; the first byte says how. In a sealed home the packed value is then sealed under the data key of
//! its subject ([`envelope`]), which the [`vault`] takes from the [`keystore`]; [`personal`] says what is sealed under whom.
//! Look-ups go by keyed hashes, never by the value.

pub mod envelope;
pub mod hands;
pub mod keystore;
mod opened;
pub mod personal;
pub mod vault;

use zhiyin_model::event::Identifier;
use zhiyin_model::id::IdKey;

use crate::{Result, StoreError};

/// A keyed hash of an identifier: what a look-up knows.
pub type LookupHash = [u8; 16];

/// A sealed text, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sealed(pub Vec<u8>);

/// Sealed as it is.
const PLAIN: u8 = 0;
/// Sealed compressed (LZ4 block, length first).
const LZ4: u8 = 1;
/// Below this many bytes compression does not pay.
const SHORT_BYTES: usize = 192;
/// What a sealed text may be at most, so that a damaged length cannot ask for all memory.
const OPEN_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Seals a text.
pub fn seal(text: &str) -> Sealed {
    if text.len() >= SHORT_BYTES {
        let packed = lz4_flex::block::compress_prepend_size(text.as_bytes());
        if packed.len() < text.len() {
            let mut bytes = Vec::with_capacity(packed.len() + 1);
            bytes.push(LZ4);
            bytes.extend_from_slice(&packed);
            return Sealed(bytes);
        }
    }
    let mut bytes = Vec::with_capacity(text.len() + 1);
    bytes.push(PLAIN);
    bytes.extend_from_slice(text.as_bytes());
    Sealed(bytes)
}

/// Opens what [`seal`] sealed.
pub fn open(sealed: &Sealed) -> Result<String> {
    let damaged = |what: &str| StoreError::Damaged(format!("a sealed value {what}"));
    let bytes = match sealed.0.split_first() {
        Some((&PLAIN, rest)) => rest.to_vec(),
        Some((&LZ4, rest)) => {
            let stated = rest.first_chunk::<4>().map_or(usize::MAX, |n| u32::from_le_bytes(*n) as usize);
            if stated > OPEN_BYTES_MAX {
                return Err(damaged("states an absurd length"));
            }
            let opened = lz4_flex::block::decompress_size_prepended(rest).ok();
            opened.filter(|bytes| bytes.len() == stated).ok_or_else(|| damaged("does not unpack"))?
        }
        Some((&envelope::ERASED, [])) => return Err(StoreError::Erased),
        Some((&envelope::KIND, _)) => return Err(damaged("was not opened with its key")),
        Some(_) => return Err(damaged("was sealed by a newer version")),
        None => return Err(damaged("is empty")),
    };
    String::from_utf8(bytes).map_err(|_| damaged("is not text"))
}

/// What stands where something was erased.
pub fn erased() -> Sealed {
    Sealed(vec![envelope::ERASED])
}

/// Whether something stood here that was erased.
pub fn is_erased(sealed: &Sealed) -> bool {
    sealed.0 == [envelope::ERASED]
}

/// The hash by which an identifier is looked up.
pub fn lookup(key: &IdKey, identifier: &Identifier) -> LookupHash {
    key.digest("identifier", &[identifier.namespace.as_bytes(), identifier.value.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_and_what_is_damaged_says_so() {
        for text in ["", "short", &"long ".repeat(100), "会员 🎁"] {
            assert_eq!(open(&seal(text)).unwrap(), text);
        }
        for bytes in [vec![], vec![9, 1], vec![1, 255, 255, 255, 255], vec![1, 4, 0, 0, 0, 7], vec![0, 255]] {
            assert!(matches!(open(&Sealed(bytes)), Err(StoreError::Damaged(_))));
        }
    }
}
