//! The keys of both sides: what the platform signs with (a certificate, or a public key of its own by an id `PUB_KEY_ID_…`), what a
//! merchant signs with, and the merchant's key for what is sealed.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

use super::oaep;

/// The most keys of the platform's: one, and the next while they change.
pub const KEYS_MAX: usize = 16;
/// The longest id of a key.
pub const KEY_ID_BYTES_MAX: usize = 128;
/// The largest PEM that is read.
const PEM_BYTES_MAX: usize = 64 * 1024;
/// The merchant's key for what is sealed is 32 bytes as they are typed (pay.weixin.qq.com/doc/v3/merchant/4012082320).
const API_KEY_BYTES: usize = 32;
/// The nonce of what is sealed, in bytes.
const NONCE_BYTES: usize = 12;

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// It is no PEM, or too large a one.
    #[error("is no PEM, or too large")]
    NoPem,
    /// It is neither a certificate nor a public key of RSA.
    #[error("is neither a certificate nor a public key of RSA")]
    NoPublicKey,
    /// It is no private key of RSA in PKCS#8.
    #[error("is no private key of RSA in PKCS#8")]
    NoPrivateKey,
    /// The key for what is sealed is not 32 bytes.
    #[error("is not 32 bytes long")]
    NotThirtyTwo,
    /// Its id is empty or too long.
    #[error("its id is 1 to 128 visible characters")]
    BadId,
    /// There are too many.
    #[error("there are too many")]
    TooMany,
    /// What was sealed is not whole, or with another key.
    #[error("what is sealed is not whole, or another key sealed it")]
    NotSealed,
}

/// A key the platform signs with.
#[derive(Clone, PartialEq, Eq)]
pub struct PlatformKey {
    /// `RSAPublicKey` of PKCS#1, as DER.
    public: Vec<u8>,
    /// The serial number of its certificate in capital hex, where it has one.
    serial: Option<String>,
}

impl fmt::Debug for PlatformKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlatformKey({} bytes, {:?})", self.public.len(), self.serial)
    }
}

impl PlatformKey {
    /// Of a certificate or a public key, as PEM.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn of_pem(pem: &[u8]) -> Result<Self, KeyProblem> {
        if pem.len() > PEM_BYTES_MAX {
            return Err(KeyProblem::NoPem);
        }
        if let Ok(certificate) = CertificateDer::from_pem_slice(pem) {
            let (serial, public) = der::certificate(&certificate).ok_or(KeyProblem::NoPublicKey)?;
            let serial = serial.iter().map(|byte| format!("{byte:02X}")).collect();
            return Ok(Self { public: public.to_vec(), serial: Some(serial) });
        }
        let info = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| KeyProblem::NoPem)?;
        let public = der::public_key(&info).ok_or(KeyProblem::NoPublicKey)?;
        Ok(Self { public: public.to_vec(), serial: None })
    }

    /// The serial number of its certificate, where it has one.
    pub fn serial(&self) -> Option<&str> {
        self.serial.as_deref()
    }

    /// Seals a text of at most 214 bytes so that only the platform reads it (RSAES-OAEP, SHA-1), as base64; nothing where it is too long.
    pub fn seal(&self, text: &str, seed: &[u8; 20]) -> Option<String> {
        let numbers = der::numbers(&self.public)?;
        oaep::sealed(numbers, text.as_bytes(), seed).map(|sealed| STANDARD.encode(sealed))
    }

    /// Whether a message bears its signature (SHA-256, PKCS#1 v1.5).
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public).verify(message, signature).is_ok()
    }
}

/// A merchant's keys: those by which the platform is known, by their ids, and the one for what it seals.
#[derive(Clone)]
pub struct Keys {
    platform: BTreeMap<String, PlatformKey>,
    sealed: LessSafeKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("platform", &self.platform).finish_non_exhaustive()
    }
}

impl Keys {
    /// With the merchant's APIv3 key, and none of the platform's yet.
    ///
    /// # Errors
    /// Where the key is not 32 bytes.
    pub fn new(api_v3_key: &str) -> Result<Self, KeyProblem> {
        if api_v3_key.len() != API_KEY_BYTES {
            return Err(KeyProblem::NotThirtyTwo);
        }
        let key =
            UnboundKey::new(&AES_256_GCM, api_v3_key.as_bytes()).map_err(|_| KeyProblem::NotThirtyTwo)?;
        Ok(Self { platform: BTreeMap::new(), sealed: LessSafeKey::new(key) })
    }

    /// Knows a key of the platform's by an id: `PUB_KEY_ID_…`, or the serial number of a certificate.
    ///
    /// # Errors
    /// Where the id cannot be one, or there are too many.
    pub fn knows(&mut self, id: &str, key: PlatformKey) -> Result<(), KeyProblem> {
        if id.is_empty() || id.len() > KEY_ID_BYTES_MAX || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyProblem::BadId);
        }
        if self.platform.len() >= KEYS_MAX && !self.platform.contains_key(id) {
            return Err(KeyProblem::TooMany);
        }
        drop(self.platform.insert(id.to_owned(), key));
        Ok(())
    }

    /// The platform's key of an id.
    pub fn of(&self, id: &str) -> Option<&PlatformKey> {
        self.platform.get(id)
    }

    /// Ids of the platform's keys.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.platform.keys().map(String::as_str)
    }

    /// Opens what the platform sealed (AES-256-GCM; base64 of the ciphertext with its tag behind it).
    ///
    /// # Errors
    /// Where it is not whole, or sealed with another key.
    pub fn open(&self, ciphertext: &str, nonce: &str, associated_data: &str) -> Result<Vec<u8>, KeyProblem> {
        let mut sealed = STANDARD.decode(ciphertext).map_err(|_| KeyProblem::NotSealed)?;
        let nonce: [u8; NONCE_BYTES] = nonce.as_bytes().try_into().map_err(|_| KeyProblem::NotSealed)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.sealed.open_in_place(nonce, Aad::from(associated_data.as_bytes()), &mut sealed);
        let n = opened.map_err(|_| KeyProblem::NotSealed)?.len();
        sealed.truncate(n);
        Ok(sealed)
    }
}

/// What a merchant signs its requests with.
pub struct MerchantKey {
    merchant: String,
    serial: String,
    pair: RsaKeyPair,
}

impl fmt::Debug for MerchantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MerchantKey({}, {})", self.merchant, self.serial)
    }
}

impl MerchantKey {
    /// Of a private key in PKCS#8, as PEM, with the serial number of the merchant's certificate.
    ///
    /// # Errors
    /// Where it is none.
    pub fn of_pem(merchant: &str, serial: &str, pem: &[u8]) -> Result<Self, KeyProblem> {
        if pem.len() > PEM_BYTES_MAX {
            return Err(KeyProblem::NoPem);
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| KeyProblem::NoPem)?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| KeyProblem::NoPrivateKey)?;
        Ok(Self { merchant: merchant.to_owned(), serial: serial.to_owned(), pair })
    }

    /// Signs a text (SHA-256, PKCS#1 v1.5); as base64. `None` where the machine gives no random numbers.
    pub fn sign(&self, text: &[u8]) -> Option<String> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
        Some(STANDARD.encode(signature))
    }

    /// What nobody can guess who has not this key, and which is the same of the same text. `None` where the machine gives no random numbers.
    pub fn seed(&self, text: &str) -> Option<[u8; 20]> {
        let hash = digest(&SHA256, self.sign(text.as_bytes())?.as_bytes());
        hash.as_ref().get(..20)?.try_into().ok()
    }

    /// The `Authorization` of a request (pay.weixin.qq.com/doc/v3/merchant/4012365336): `path` with its query, `at` in seconds since 1970
    /// UTC, a nonce that was never used.
    pub fn authorization(
        &self,
        method: &str,
        path: &str,
        at: i64,
        nonce: &str,
        body: &str,
    ) -> Option<String> {
        let text = format!("{method}\n{path}\n{at}\n{nonce}\n{body}\n");
        let signature = self.sign(text.as_bytes())?;
        let Self { merchant, serial, .. } = self;
        Some(format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{merchant}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{at}\",serial_no=\"{serial}\""
        ))
    }
}

/// As much of DER as a certificate's key needs (X.690, RFC 5280).
mod der {
    const INTEGER: u8 = 0x02;
    const BITS: u8 = 0x03;
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    /// `rsaEncryption`, 1.2.840.113549.1.1.1, with its tag.
    const RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

    /// One value and what follows it: (tag, contents, rest).
    fn take(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
        let (&tag, rest) = bytes.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        Some((tag, contents, rest))
    }

    fn expect(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
        let (tag, contents, rest) = take(bytes)?;
        (tag == wanted).then_some((contents, rest))
    }

    /// `RSAPublicKey` of a `SubjectPublicKeyInfo`.
    pub(super) fn public_key(info: &[u8]) -> Option<&[u8]> {
        let (info, _) = expect(info, SEQUENCE)?;
        let (algorithm, rest) = expect(info, SEQUENCE)?;
        let (bits, _) = expect(rest, BITS)?;
        let (unused, key) = bits.split_first()?;
        (algorithm.starts_with(&RSA) && *unused == 0).then_some(key)
    }

    /// The modulus and the exponent of an `RSAPublicKey`, without zeros before them.
    pub(super) fn numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
        let (numbers, _) = expect(key, SEQUENCE)?;
        let (modulus, rest) = expect(numbers, INTEGER)?;
        let (exponent, _) = expect(rest, INTEGER)?;
        Some((modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent.strip_prefix(&[0]).unwrap_or(exponent)))
    }

    /// The serial number, and the `RSAPublicKey`, of a certificate.
    pub(super) fn certificate(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
        let (whole, _) = expect(certificate, SEQUENCE)?;
        let (mut signed, _) = expect(whole, SEQUENCE)?;
        if let Some((VERSION, _, rest)) = take(signed) {
            signed = rest;
        }
        let (serial, rest) = expect(signed, INTEGER)?;
        // Signature's algorithm, who issued it, from when until when, whose it is.
        let mut info = rest;
        for _ in 0..4 {
            info = expect(info, SEQUENCE)?.1;
        }
        let serial = serial.strip_prefix(&[0]).filter(|serial| !serial.is_empty()).unwrap_or(serial);
        Some((serial, public_key(info)?))
    }
}
