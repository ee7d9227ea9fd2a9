//! How WeCom and a home keep what passes between them from others: a signature over what is encrypted, then AES.
//!
//! `msg_signature` = SHA-1 over the sorted texts of token, timestamp, nonce and ciphertext. The key is the base64 of the 43
//! characters of *EncodingAESKey* and one `=`; the first 16 bytes of it are the IV. What is encrypted (AES-256-CBC) is 16 random
//! bytes, the length of the message as 4 bytes (big-endian), the message, whom it is for (the corp's id), and padding as in PKCS#7
//! but to blocks of **32** bytes: libraries that pad to 16 refuse half of what comes. (Source: WeCom's developer pages, "callback
//! configuration" 90930 and "encryption and decryption" 90968, read on 2026-11-22.)

use std::fmt;

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes256Dec, Aes256Enc};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use subtle::ConstantTimeEq;

/// Characters of *EncodingAESKey*.
pub const KEY_CHARS: usize = 43;
/// Characters of a token at most.
const TOKEN_CHARS_MAX: usize = 32;
/// Random bytes before what is encrypted.
pub const RANDOM_BYTES: usize = 16;
/// Bytes of the cipher's blocks.
const BLOCK_BYTES: usize = 16;
/// Bytes to whose multiple what is encrypted is padded.
const PADDED_BYTES: usize = 32;
/// Random bytes and the length.
const HEAD_BYTES: usize = RANDOM_BYTES + 4;

/// Keys end on a character of which only four bits count; those that WeCom draws have others set, which strict decoders refuse.
const WITH_TRAILING_BITS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Why what came is not believed, or not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum CryptoProblem {
    /// Whoever spoke does not know the token, or something was changed on the way.
    #[error("the signature is of somebody else")]
    SignatureWrong,
    /// What is encrypted is no base64.
    #[error("the ciphertext is no base64")]
    NotBase64,
    /// What is encrypted is not so many whole blocks.
    #[error("the ciphertext is not so many whole blocks")]
    LengthWrong,
    /// It was encrypted with another key.
    #[error("the padding is wrong")]
    PaddingWrong,
    /// The length that it states is not its length.
    #[error("the stated length is wrong")]
    StatedLengthWrong,
    /// It is for another corp.
    #[error("it is for another receiver")]
    ReceiverWrong,
}

impl CryptoProblem {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::SignatureWrong,
        Self::NotBase64,
        Self::LengthWrong,
        Self::PaddingWrong,
        Self::StatedLengthWrong,
        Self::ReceiverWrong,
    ];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignatureWrong => "signature_wrong",
            Self::NotBase64 => "not_base64",
            Self::LengthWrong => "length_wrong",
            Self::PaddingWrong => "padding_wrong",
            Self::StatedLengthWrong => "stated_length_wrong",
            Self::ReceiverWrong => "receiver_wrong",
        }
    }
}

/// What is wrong with a setting: the field and a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct SettingProblem {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong, in words.
    pub message: &'static str,
}

/// What one receiver of callbacks shares with WeCom.
#[derive(Clone)]
pub struct Crypto {
    token: String,
    key: [u8; 32],
    receiver: String,
}

impl fmt::Debug for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crypto").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}

impl Crypto {
    /// Of a token (1 to 32 letters and digits), an *EncodingAESKey* (43 characters) and whom messages are for: the corp's id, the
    /// suite's of a service provider, or nothing.
    ///
    /// # Errors
    /// The field at fault: `token` or `aes_key`.
    pub fn new(token: &str, aes_key: &str, receiver: &str) -> Result<Self, SettingProblem> {
        if !is_token(token) {
            return Err(SettingProblem { field: "token", message: "1 to 32 letters and digits" });
        }
        let wrong =
            SettingProblem { field: "aes_key", message: "43 characters of base64, as WeCom shows them" };
        if aes_key.len() != KEY_CHARS {
            return Err(wrong);
        }
        let decoded = WITH_TRAILING_BITS.decode(format!("{aes_key}=")).map_err(|_| wrong)?;
        let key = decoded.try_into().map_err(|_| wrong)?;
        Ok(Self { token: token.to_owned(), key, receiver: receiver.to_owned() })
    }

    /// The signature of a ciphertext, in hexadecimal digits.
    pub fn signature(&self, timestamp: &str, nonce: &str, ciphertext: &str) -> String {
        signature([self.token.as_str(), timestamp, nonce, ciphertext])
    }

    /// The signature of an address alone, as WeChat writes it: of no ciphertext.
    pub fn signature_plain(&self, timestamp: &str, nonce: &str) -> String {
        signature([self.token.as_str(), timestamp, nonce])
    }

    /// Checks who spoke, then what they said. How long the check takes does not tell how much of a signature was right.
    ///
    /// # Errors
    /// [`CryptoProblem`]; the signature is looked at first.
    pub fn open(
        &self,
        signature: &str,
        timestamp: &str,
        nonce: &str,
        ciphertext: &str,
    ) -> Result<Vec<u8>, CryptoProblem> {
        let wanted = self.signature(timestamp, nonce, ciphertext);
        if !is_same(&wanted, signature) {
            return Err(CryptoProblem::SignatureWrong);
        }
        self.decrypt(ciphertext)
    }

    /// What is encrypted, of whoever knows the key.
    ///
    /// # Errors
    /// [`CryptoProblem`], never that the signature is wrong.
    pub fn decrypt(&self, ciphertext: &str) -> Result<Vec<u8>, CryptoProblem> {
        let mut bytes = STANDARD.decode(ciphertext).map_err(|_| CryptoProblem::NotBase64)?;
        if bytes.is_empty() || bytes.len() % BLOCK_BYTES != 0 {
            return Err(CryptoProblem::LengthWrong);
        }
        let cipher = Aes256Dec::new(&Array(self.key));
        let mut before = self.iv();
        for block in bytes.as_chunks_mut::<BLOCK_BYTES>().0 {
            let encrypted = *block;
            let mut plain = Array(encrypted);
            cipher.decrypt_block(&mut plain);
            for ((to, plain), before) in block.iter_mut().zip(plain).zip(before) {
                *to = plain ^ before;
            }
            before = encrypted;
        }
        let plain = unpadded(&bytes).ok_or(CryptoProblem::PaddingWrong)?;
        let (head, rest) = plain.split_first_chunk::<HEAD_BYTES>().ok_or(CryptoProblem::StatedLengthWrong)?;
        let [.., a, b, c, d] = *head;
        let stated = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let (message, receiver) = rest.split_at_checked(stated).ok_or(CryptoProblem::StatedLengthWrong)?;
        if receiver != self.receiver.as_bytes() {
            return Err(CryptoProblem::ReceiverWrong);
        }
        Ok(message.to_vec())
    }

    /// A message encrypted, as base64. `random` is fresh for each.
    pub fn encrypt(&self, message: &[u8], random: [u8; RANDOM_BYTES]) -> String {
        let stated = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let mut bytes = [&random[..], &stated.to_be_bytes()[..], message, self.receiver.as_bytes()].concat();
        let pad = PADDED_BYTES - bytes.len() % PADDED_BYTES;
        bytes.resize(bytes.len() + pad, u8::try_from(pad).unwrap_or_default());
        let cipher = Aes256Enc::new(&Array(self.key));
        let mut before = self.iv();
        for block in bytes.as_chunks_mut::<BLOCK_BYTES>().0 {
            let mut mixed = Array(*block);
            for (to, before) in mixed.iter_mut().zip(before) {
                *to ^= before;
            }
            cipher.encrypt_block(&mut mixed);
            *block = mixed.into();
            before = *block;
        }
        STANDARD.encode(bytes)
    }

    /// A reply that is encrypted and signed, as WeCom reads it.
    pub fn reply(&self, message: &[u8], random: [u8; RANDOM_BYTES], timestamp: &str, nonce: &str) -> String {
        let encrypted = self.encrypt(message, random);
        let signature = self.signature(timestamp, nonce, &encrypted);
        format!(
            "<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>\
             <TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        )
    }

    fn iv(&self) -> [u8; BLOCK_BYTES] {
        let mut iv = [0; BLOCK_BYTES];
        iv.iter_mut().zip(self.key).for_each(|(to, from)| *to = from);
        iv
    }
}

/// Whether callbacks may have such a token.
pub(crate) fn is_token(token: &str) -> bool {
    (1..=TOKEN_CHARS_MAX).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// SHA-1 over sorted texts, in hexadecimal digits.
pub fn signature<const N: usize>(mut parts: [&str; N]) -> String {
    parts.sort_unstable();
    sha1(&parts.concat())
}

/// SHA-1 of a text, in hexadecimal digits: what both platforms sign with.
pub(crate) fn sha1(text: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether two signatures are the same; how long that takes does not tell how much of one was right.
pub(crate) fn is_same(wanted: &str, said: &str) -> bool {
    wanted.as_bytes().ct_eq(said.as_bytes()).into()
}

/// What was padded to 32 bytes: 1 to 32 bytes, all of which say how many they are.
fn unpadded(bytes: &[u8]) -> Option<&[u8]> {
    let pad = usize::from(*bytes.last()?);
    if !(1..=PADDED_BYTES).contains(&pad) {
        return None;
    }
    let (plain, padding) = bytes.split_at_checked(bytes.len().checked_sub(pad)?)?;
    padding.iter().all(|byte| usize::from(*byte) == pad).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORP: &str = "wx49f0ab532d5d035a";
    const KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";

    fn crypto() -> Crypto {
        Crypto::new("123456", KEY, CORP).unwrap()
    }

    /// What only somebody with the key can make wrong: bytes encrypted as they are.
    fn encrypted(crypto: &Crypto, plain: &[u8]) -> String {
        let cipher = Aes256Enc::new(&Array(crypto.key));
        let mut bytes = plain.to_vec();
        let mut before = crypto.iv();
        for block in bytes.as_chunks_mut::<BLOCK_BYTES>().0 {
            let mut mixed = Array(*block);
            mixed.iter_mut().zip(before).for_each(|(to, before)| *to ^= before);
            cipher.encrypt_block(&mut mixed);
            *block = mixed.into();
            before = *block;
        }
        STANDARD.encode(bytes)
    }

    fn plain(stated: u32, rest: &[u8], pad: &[u8]) -> Vec<u8> {
        [&[7; 16][..], &stated.to_be_bytes()[..], rest, pad].concat()
    }

    #[test]
    fn each_lie_inside_of_what_is_encrypted_has_a_name() {
        let crypto = crypto();
        let corp = CORP.as_bytes();
        let said = |message: &[u8]| [message, corp].concat();
        let good = plain(1, &said(b"y"), &[25; 25]);
        assert_eq!(crypto.decrypt(&encrypted(&crypto, &good)).unwrap(), b"y");
        for (bytes, problem) in [
            (plain(1, &said(b"y"), &[[25; 24].as_slice(), &[0]].concat()), CryptoProblem::PaddingWrong),
            (plain(1, &said(b"y"), &[[25; 24].as_slice(), &[33]].concat()), CryptoProblem::PaddingWrong),
            (plain(1, &said(b"y"), &[[24].as_slice(), &[25; 24]].concat()), CryptoProblem::PaddingWrong),
            (vec![32; 16], CryptoProblem::PaddingWrong),
            (vec![32; 32], CryptoProblem::StatedLengthWrong),
            (plain(200, &said(b"y"), &[25; 25]), CryptoProblem::StatedLengthWrong),
            (plain(u32::MAX, &said(b"y"), &[25; 25]), CryptoProblem::StatedLengthWrong),
            (plain(2, &said(b"y"), &[25; 25]), CryptoProblem::ReceiverWrong),
            (plain(0, &said(b"y"), &[25; 25]), CryptoProblem::ReceiverWrong),
        ] {
            assert_eq!(crypto.decrypt(&encrypted(&crypto, &bytes)), Err(problem));
        }
        for (ciphertext, problem) in [
            ("", CryptoProblem::LengthWrong),
            ("AAAA", CryptoProblem::LengthWrong),
            ("A", CryptoProblem::NotBase64),
            ("你好", CryptoProblem::NotBase64),
        ] {
            assert_eq!(crypto.decrypt(ciphertext), Err(problem), "{ciphertext}");
        }
        let other = Crypto::new("123456", KEY, "ww1").unwrap();
        assert_eq!(other.decrypt(&crypto.encrypt(b"hi", [0; 16])), Err(CryptoProblem::ReceiverWrong));
        let nobody = Crypto::new("123456", KEY, "").unwrap();
        assert_eq!(nobody.decrypt(&nobody.encrypt(b"hi", [0; 16])).unwrap(), b"hi");
    }

    #[test]
    fn keys_end_on_bits_that_do_not_count_and_are_43_characters() {
        for key in [
            KEY,
            "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
            "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        ] {
            Crypto::new("token", key, CORP).unwrap();
        }
        for (token, key, field) in [
            ("", KEY, "token"),
            ("a b", KEY, "token"),
            ("123456789012345678901234567890123", KEY, "token"),
            ("token", "", "aes_key"),
            ("token", &KEY[1..], "aes_key"),
            ("token", &format!("{KEY}="), "aes_key"),
            ("token", "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1a!", "aes_key"),
        ] {
            assert_eq!(Crypto::new(token, key, CORP).unwrap_err().field, field);
        }
        assert!(!format!("{:?}", crypto()).contains("123456"));
    }

    #[test]
    fn a_reply_is_read_as_what_comes_is() {
        let crypto = crypto();
        let reply = crypto.reply(b"<xml>ok</xml>", [9; 16], "1411443780", "n");
        let between =
            |from: &str, to: &str| reply.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
        let encrypted = between("<Encrypt><![CDATA[", "]]>");
        let signature = between("<MsgSignature><![CDATA[", "]]>");
        assert_eq!(crypto.open(&signature, "1411443780", "n", &encrypted).unwrap(), b"<xml>ok</xml>");
    }
}
