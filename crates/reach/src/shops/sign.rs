//! Who speaks: a shop signs the very bytes that it sends with a secret that both sides know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use ring::hmac;
use serde::Deserialize;
use subtle::ConstantTimeEq;

/// What is signed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-1, for what cannot do better.
    #[serde(rename = "hmac-sha1")]
    HmacSha1,
    /// HMAC with SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// HMAC with SHA-512.
    #[serde(rename = "hmac-sha512")]
    HmacSha512,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Two digits a byte.
    Hex,
    /// Base64 with padding.
    Base64,
}

/// The signature of bytes that follow each other.
pub fn mac(algorithm: Algorithm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let algorithm = match algorithm {
        Algorithm::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::HmacSha256 => hmac::HMAC_SHA256,
        Algorithm::HmacSha512 => hmac::HMAC_SHA512,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign().as_ref().to_vec()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    pairs
        .remainder()
        .is_empty()
        .then(|| pairs.map(|pair| pair.iter().fold(0, |sum, digit| sum * 16 + digit)).collect())
}

/// Whether what is said is the signature of these bytes; how long looking takes tells nothing of it.
pub fn is_signed(
    (algorithm, encoding): (Algorithm, Encoding),
    key: &[u8],
    parts: &[&[u8]],
    said: &str,
) -> bool {
    let said = match encoding {
        Encoding::Hex => hex(said.trim()),
        Encoding::Base64 => STANDARD.decode(said.trim()).ok(),
    };
    said.is_some_and(|said| bool::from(said.ct_eq(&mac(algorithm, key, parts))))
}

/// Whether what is said is the MD5 of these bytes in digits: what one platform signs by, with its secret at the end.
pub fn is_md5(parts: &[&[u8]], said: &str) -> bool {
    let mut digest = Md5::new();
    parts.iter().for_each(|part| digest.update(part));
    hex(said.trim()).is_some_and(|said| bool::from(said.ct_eq(digest.finalize().as_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2; RFC 2202, test case 2 of HMAC-SHA-1; RFC 1321, A.5.
    #[test]
    fn signatures_are_those_of_their_standards() {
        let what: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
        let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let sha1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        assert!(is_signed((Algorithm::HmacSha256, Encoding::Hex), b"Jefe", &what, sha256));
        assert!(is_signed((Algorithm::HmacSha256, Encoding::Hex), b"Jefe", &what, &sha256.to_uppercase()));
        assert!(is_signed((Algorithm::HmacSha1, Encoding::Hex), b"Jefe", &what, sha1));
        let base64 = STANDARD.encode(mac(Algorithm::HmacSha512, b"Jefe", &what));
        assert!(is_signed((Algorithm::HmacSha512, Encoding::Base64), b"Jefe", &what, &base64));
        assert!(is_md5(&[b"message ", b"digest"], "f96b697d7cb7938d525a2f31aaf161d0"));
        for wrong in ["", "5", "zz", &sha256[2..], &sha256.replace('5', "6"), sha1] {
            assert!(!is_signed((Algorithm::HmacSha256, Encoding::Hex), b"Jefe", &what, wrong), "{wrong}");
            assert!(!is_md5(&[b"message digest"], wrong), "{wrong}");
        }
    }
}
