//! The envelope of a sealed value, and the keys it is made with: AES-256-GCM, a fresh nonce from the operating system each
//! time, bound to whom it is about and to what it is, so that no value can stand in another's place.
//!
//! `kind (1) · subject (16) · nonce (12) · ciphertext · tag (16)`. Keys are wiped from memory when they are dropped.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::Zeroizing;

use crate::{Result, StoreError};

/// Whose data key a value is sealed under: a name's look-up hash, a member's id, or a day of the home.
pub type Subject = [u8; 16];

/// Sealed under a data key. (Kinds 0 and 1 are not sealed, see [`super`].)
pub const KIND: u8 = 2;
/// What stood here was erased.
pub const ERASED: u8 = 3;

const SUBJECT_ENDS: usize = 17;
const NONCE_BYTES: usize = 12;
const HEAD_BYTES: usize = SUBJECT_ENDS + NONCE_BYTES;
const TAG_BYTES: usize = 16;

/// What a sealed value is: it opens as nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An item.
    Body = 1,
    /// The value of an identifier.
    Identifier = 2,
    /// What a member's row says of the person.
    Member = 3,
    /// Aggregates over a member's history.
    Leaves = 4,
    /// What a source calls its item.
    Called = 5,
    /// Why an item became a dead letter.
    Letter = 6,
}

/// A key: of a subject, or the master key that wraps these.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Keys(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// The subject of a sealed value; `None` if it is not sealed.
pub fn subject_of(bytes: &[u8]) -> Option<Subject> {
    let (kind, rest) = bytes.split_first()?;
    if *kind != KIND { None } else { rest.first_chunk().copied() }
}

impl Key {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new key from the operating system's randomness.
    pub fn random() -> Result<Self> {
        random().map(Self::from_bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.0).into())
    }

    fn encrypt(&self, aad: &[u8], text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), Payload { msg: text, aad });
        let sealed = sealed.map_err(|_| StoreError::Keys("a value is too long to be sealed".to_owned()))?;
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(())
    }

    fn decrypt(&self, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher().decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad }).ok()
    }

    /// Seals a value of a subject, whose data key this is.
    pub fn seal(&self, subject: &Subject, what: What, text: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(HEAD_BYTES + text.len() + TAG_BYTES);
        out.push(KIND);
        out.extend_from_slice(subject);
        self.encrypt(&bound(subject, what), text, &mut out)?;
        Ok(out)
    }

    /// Opens a sealed value; damage and another key look alike.
    pub fn open(&self, what: What, sealed: &[u8]) -> Result<Vec<u8>> {
        let subject = subject_of(sealed);
        let opened = subject.and_then(|subject| {
            self.decrypt(&bound(&subject, what), sealed.get(SUBJECT_ENDS..).unwrap_or_default())
        });
        opened.ok_or_else(|| StoreError::Damaged("a sealed value does not open".to_owned()))
    }

    /// Wraps a secret for the keystore, bound to what it is for.
    pub fn wrap(&self, purpose: &[u8], secret: &[u8; 32]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(NONCE_BYTES + secret.len() + TAG_BYTES);
        self.encrypt(purpose, secret, &mut out)?;
        Ok(out)
    }

    /// Unwraps a secret; `None` if it was wrapped by another key, for something else, or is damaged.
    pub fn unwrap(&self, purpose: &[u8], wrapped: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let opened = Zeroizing::new(self.decrypt(purpose, wrapped)?);
        Some(Zeroizing::new(opened.as_slice().try_into().ok()?))
    }

    /// The first digits of a hash of it: what people compare.
    pub fn fingerprint(&self) -> String {
        blake3::keyed_hash(&self.0, b"zhiyin master key").to_hex()[..8].to_owned()
    }
}

fn bound(subject: &Subject, what: What) -> [u8; 18] {
    let mut aad = [0; 18];
    aad[0] = KIND;
    aad[1..17].copy_from_slice(subject);
    aad[17] = what as u8;
    aad
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHATS: [What; 6] =
        [What::Body, What::Identifier, What::Member, What::Leaves, What::Called, What::Letter];

    #[test]
    fn what_is_sealed_opens_as_what_it_is_and_any_change_is_noticed() {
        let (key, other) = (Key::random().unwrap(), Key::random().unwrap());
        for length in (0..200).chain([4_096]) {
            let text: Vec<u8> = random::<4_096>().unwrap()[..length].to_vec();
            let subject: Subject = random().unwrap();
            let what = WHATS[length % WHATS.len()];
            let sealed = key.seal(&subject, what, &text).unwrap();
            assert_eq!(sealed.len(), HEAD_BYTES + length + TAG_BYTES);
            assert_eq!(subject_of(&sealed), Some(subject));
            assert_eq!(key.open(what, &sealed).unwrap(), text);
            assert_ne!(key.seal(&subject, what, &text).unwrap(), sealed, "a nonce was used twice");
            assert!(other.open(what, &sealed).is_err(), "another key");
            for as_another in WHATS.into_iter().filter(|another| *another != what) {
                assert!(key.open(as_another, &sealed).is_err(), "{what:?} as {as_another:?}");
            }
            for i in (0..sealed.len()).step_by(if length > 200 { 61 } else { 1 }) {
                let mut damaged = sealed.clone();
                damaged[i] ^= 1 << (i % 8);
                assert!(key.open(what, &damaged).is_err(), "byte {i} of {}", sealed.len());
                assert!(key.open(what, &sealed[..i]).is_err(), "cut at {i}");
            }
        }
    }

    #[test]
    fn a_wrapped_secret_opens_for_what_it_is_for_only() {
        let (key, secret) = (Key::random().unwrap(), random::<32>().unwrap());
        let wrapped = key.wrap(b"this", &secret).unwrap();
        assert_eq!(key.unwrap(b"this", &wrapped).map(|secret| *secret), Some(secret));
        assert!(key.unwrap(b"that", &wrapped).is_none());
        assert!(Key::random().unwrap().unwrap(b"this", &wrapped).is_none());
        assert!(key.unwrap(b"this", &wrapped[1..]).is_none());
        assert_eq!(format!("{key:?}"), "Key(…)");
    }
}
