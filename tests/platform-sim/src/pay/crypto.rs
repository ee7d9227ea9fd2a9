//! How WeChat Pay and a merchant know each other (APIv3): SHA-256 with RSA over lines of text, and AES-256-GCM for what is sealed.
//!
//! The keys in `data/` were made for this simulator and are good for nothing else: two certificates of the platform, its public key of the
//! newer kind, a merchant's key, and one of a stranger, whose signatures are nobody's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};

/// The serial number of the merchant's certificate.
pub const MERCHANT_SERIAL: &str = "3775B6A45ACD588826D15E583A95F5DD00000001";
/// The id of the platform's public key.
pub const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
/// The platform's public key.
pub const PUBLIC_KEY_PEM: &str = include_str!("data/public.pem");
const MERCHANT: &[u8] = include_bytes!("data/merchant.key.der");

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The platform by its first certificate.
    First,
    /// The platform by its second certificate.
    Second,
    /// The platform by its public key.
    Public,
    /// Somebody else.
    Stranger,
}

impl Signer {
    const fn key(self) -> &'static [u8] {
        match self {
            Self::First => include_bytes!("data/certificate-1.key.der"),
            Self::Second => include_bytes!("data/certificate-2.key.der"),
            Self::Public => include_bytes!("data/public.key.der"),
            Self::Stranger => include_bytes!("data/stranger.key.der"),
        }
    }

    /// By what it says that it signs.
    pub const fn serial(self) -> &'static str {
        match self {
            Self::First => "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
            Self::Second => "5157F09EFDC096DE15EBE81A47057A7232F1B8E2",
            Self::Public => PUBLIC_KEY_ID,
            Self::Stranger => "5157F09EFDC096DE15EBE81A47057A7232F1B8EF",
        }
    }

    /// Its certificate, where it has one.
    pub const fn certificate(self) -> Option<&'static str> {
        match self {
            Self::First => Some(include_str!("data/certificate-1.pem")),
            Self::Second => Some(include_str!("data/certificate-2.pem")),
            Self::Public | Self::Stranger => None,
        }
    }

    /// The signature of a text, as base64; nothing where the machine has no chance to give.
    pub fn sign(self, text: &[u8]) -> String {
        sign(self.key(), text).unwrap_or_default()
    }
}

fn sign(key: &[u8], text: &[u8]) -> Option<String> {
    let pair = RsaKeyPair::from_pkcs8(key).ok()?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
    Some(STANDARD.encode(signature))
}

/// The merchant's private key, as the console gives it.
pub fn merchant_key_pem() -> String {
    let text = STANDARD.encode(MERCHANT);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let kind = "PRIVATE KEY";
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

/// Whether a text bears the merchant's signature.
pub fn is_merchants(text: &[u8], signature: &str) -> bool {
    let (Ok(pair), Ok(signature)) = (RsaKeyPair::from_pkcs8(MERCHANT), STANDARD.decode(signature)) else {
        return false;
    };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    key.verify(text, &signature).is_ok()
}

/// What is sealed with the merchant's APIv3 key (32 letters), as base64; nothing where the key or the nonce (12 letters) is none.
pub fn seal(api_v3_key: &str, nonce: &str, associated_data: &str, plain: &str) -> Option<String> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, api_v3_key.as_bytes()).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
    let mut bytes = plain.as_bytes().to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(associated_data.as_bytes()), &mut bytes).ok()?;
    Some(STANDARD.encode(bytes))
}
