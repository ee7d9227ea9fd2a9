//! Callback crypto of WeCom: who signed, and what was said.
//!
//! `msg_signature` is SHA-1 over the sorted concatenation of token, timestamp, nonce and ciphertext; the text is AES-256-CBC with the
//! key's first 16 bytes as IV, padded to 32 bytes (not 16, which is what makes many clients refuse half of the messages).

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use ring::digest;

/// Keys are 43 letters whose last one may carry bits that mean nothing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

const BLOCK: usize = 16;
/// To how many bytes a message is padded.
const PADDED_TO: usize = 32;

/// The key of an app's callbacks.
#[derive(Clone)]
pub struct Key {
    bytes: [u8; 32],
}

impl Key {
    /// Reads an EncodingAESKey: 43 letters of base64.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = LENIENT.decode(format!("{text}=")).ok()?;
        (text.len() == 43).then_some(())?;
        bytes.try_into().ok().map(|bytes| Self { bytes })
    }

    /// What is sent for a message: 16 random letters, its length, itself, who it is for; padded, encrypted, in base64.
    pub fn encrypt(&self, random: &[u8; 16], message: &[u8], receiver: &str) -> String {
        let mut plain = Vec::with_capacity(message.len() + receiver.len() + 64);
        plain.extend_from_slice(random);
        plain.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
        plain.extend_from_slice(message);
        plain.extend_from_slice(receiver.as_bytes());
        let pad = PADDED_TO - plain.len() % PADDED_TO;
        // 1..=32, so it is a byte.
        plain.resize(plain.len() + pad, pad as u8);
        let cipher = Aes256::new(&Array::from(self.bytes));
        let mut before = self.iv();
        for chunk in plain.chunks_exact_mut(BLOCK) {
            for (byte, last) in chunk.iter_mut().zip(before) {
                *byte ^= last;
            }
            let mut block = Array::from(first_block(chunk));
            cipher.encrypt_block(&mut block);
            chunk.copy_from_slice(&block);
            before = first_block(&block);
        }
        STANDARD.encode(plain)
    }

    /// The message and who it is for; nothing where it is not of this key or not whole.
    pub fn decrypt(&self, text: &str) -> Option<(Vec<u8>, String)> {
        let mut bytes = STANDARD.decode(text).ok()?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(BLOCK) {
            return None;
        }
        let cipher = Aes256::new(&Array::from(self.bytes));
        let mut before = self.iv();
        for chunk in bytes.chunks_exact_mut(BLOCK) {
            let sealed = first_block(chunk);
            let mut block = Array::from(sealed);
            cipher.decrypt_block(&mut block);
            for (byte, (opened, last)) in chunk.iter_mut().zip(block.iter().zip(before)) {
                *byte = opened ^ last;
            }
            before = sealed;
        }
        let pad = usize::from(*bytes.last()?);
        let whole = bytes.len().checked_sub(pad)?;
        let (kept, padding) = bytes.split_at(whole);
        if !(1..=PADDED_TO).contains(&pad) || padding.iter().any(|byte| usize::from(*byte) != pad) {
            return None;
        }
        let length = u32::from_be_bytes(kept.get(16..20)?.try_into().ok()?) as usize;
        let message = kept.get(20..20usize.checked_add(length)?)?.to_vec();
        let receiver = String::from_utf8(kept.get(20 + length..)?.to_vec()).ok()?;
        Some((message, receiver))
    }

    fn iv(&self) -> [u8; BLOCK] {
        first_block(&self.bytes)
    }
}

/// The first 16 bytes; zeros where there are fewer, which no caller has.
fn first_block(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = *from;
    }
    block
}

/// SHA-1 over the sorted parts, in hex.
pub fn signature(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, sorted.concat().as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../tests/data/crypto.json")).unwrap()
    }

    fn text<'a>(case: &'a Value, field: &str) -> &'a str {
        case[field].as_str().unwrap()
    }

    #[test]
    fn the_vectors_of_others_are_signed_and_encrypted_to_the_letter() {
        let cases = vectors();
        let cases = cases["vectors"].as_array().unwrap();
        assert!(cases.len() >= 18);
        for case in cases {
            let key = Key::read(text(case, "encoding_aes_key")).unwrap();
            let (message, receiver) = key.decrypt(text(case, "ciphertext")).unwrap();
            assert_eq!(message, text(case, "plaintext").as_bytes());
            assert_eq!(receiver, text(case, "receive_id"));
            let random: [u8; 16] = text(case, "random16").as_bytes().try_into().unwrap();
            assert_eq!(key.encrypt(&random, &message, &receiver), text(case, "ciphertext"));
            let parts =
                [text(case, "token"), text(case, "timestamp"), text(case, "nonce"), text(case, "ciphertext")];
            assert_eq!(signature(&parts), text(case, "msg_signature"));
        }
        let plain = &vectors()["plain_signature"];
        assert_eq!(
            signature(&[text(plain, "token"), text(plain, "timestamp"), text(plain, "nonce")]),
            text(plain, "signature")
        );
    }

    #[test]
    fn whatever_was_changed_or_is_of_another_key_does_not_open() {
        let key = Key::read("kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR").unwrap();
        let other = Key::read("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG").unwrap();
        let sealed = key.encrypt(b"0123456789abcdef", "你好".as_bytes(), "ww1");
        assert_eq!(key.decrypt(&sealed).unwrap(), ("你好".as_bytes().to_vec(), "ww1".to_owned()));
        assert!(other.decrypt(&sealed).is_none());
        assert!(key.decrypt(&sealed[..sealed.len() - 4]).is_none());
        assert!(key.decrypt("").is_none());
        assert!(Key::read("short").is_none());
    }
}
