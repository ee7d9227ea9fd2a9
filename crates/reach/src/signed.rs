//! What a home says that others must be able to check without asking it, and without a secret: Ed25519 over the text.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// A key that signs. It is neither printed nor logged by accident.
pub struct Signer(Ed25519KeyPair);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Signer {
    /// The key of a seed.
    pub fn of(seed: &[u8; 32]) -> Self {
        // A seed is any 32 bytes.
        Self(Ed25519KeyPair::from_seed_unchecked(seed).expect("any 32 bytes are a seed"))
    }

    /// What checks its signatures.
    pub fn public(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        key
    }

    /// The signature of a text.
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(text).as_ref().to_vec()
    }
}

/// Whether a text bears the signature of the key that this checks.
pub fn is_signed(public: &[u8; 32], text: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(text, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 2.
    #[test]
    fn what_is_signed_is_checked_by_the_public_key_and_by_no_other() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
        };
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let signer = Signer::of(&seed.try_into().unwrap());
        let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(signer.public().to_vec(), public);
        let signature = signer.sign(&[0x72]);
        assert_eq!(signature[..8], hex("92a009a9f0d4cab8")[..]);
        assert!(is_signed(&signer.public(), &[0x72], &signature));
        assert!(!is_signed(&signer.public(), &[0x73], &signature));
        assert!(!is_signed(&Signer::of(&[7; 32]).public(), &[0x72], &signature));
        assert!(!is_signed(&signer.public(), &[0x72], &signature[1..]));
    }
}
