//! Who spoke: signatures as [Standard Webhooks](https://www.standardwebhooks.com) has them, `v1,` and the base64 of
//! HMAC-SHA256 over `id.timestamp.body`. There may be several, so that a secret can be changed while both sides run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How a secret begins.
pub const HEAD: &str = "whsec_";

/// A secret that both sides know. It is neither printed nor logged by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The secret of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The secret as it is written: `whsec_` and base64.
    pub fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text.strip_prefix(HEAD)?).ok().filter(|bytes| !bytes.is_empty()).map(Self)
    }

    /// As it is written, for the one time that it is shown.
    pub fn reveal(&self) -> String {
        format!("{HEAD}{}", STANDARD.encode(&self.0))
    }

    /// The signature of one message: `v1,…`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        // A key of HMAC may have any length.
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("any length is a key's");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The header `webhook-signature`: one signature a secret, with a space between.
pub fn header<'s>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> String {
    secrets.into_iter().map(|secret| secret.sign(id, timestamp, body)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the specification's own libraries are tested by.
    #[test]
    fn a_message_is_signed_as_the_specification_says() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn two_secrets_sign_side_by_side() {
        let (one, two) = (Secret::from_bytes(&[1; 32]), Secret::from_bytes(&[2; 32]));
        let both = header([&one, &two], "msg_1", 7, b"{}");
        assert_eq!(both, format!("{} {}", one.sign("msg_1", 7, b"{}"), two.sign("msg_1", 7, b"{}")));
        assert_ne!(one.sign("msg_1", 7, b"{}"), one.sign("msg_1", 8, b"{}"));
    }

    #[test]
    fn a_secret_reads_as_it_is_written_and_is_never_printed() {
        let secret = Secret::from_bytes(&[9; 32]);
        assert_eq!(Secret::parse(&secret.reveal()), Some(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        for wrong in ["", "whsec_", "whsec_ü", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(Secret::parse(wrong), None, "{wrong}");
        }
    }
}
