//! What WeCom encrypts, by vectors of others and by what holds of all lengths.

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use zhiyin_reach::wecom::crypto::{Crypto, CryptoProblem};

fn vectors() -> Vec<serde_json::Value> {
    let whole = serde_json::from_str::<serde_json::Value>(include_str!("data/wecom_crypto.json"));
    whole.ok().and_then(|whole| whole["vectors"].as_array().cloned()).unwrap_or_default()
}

#[test]
fn every_vector_of_others_is_verified_decrypted_and_encrypted_again() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 18);
    let mut pads = std::collections::BTreeSet::new();
    for vector in vectors {
        let of = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
        let crypto = Crypto::new(&of("token"), &of("encoding_aes_key"), &of("receive_id")).unwrap();
        let (timestamp, nonce, ciphertext) = (of("timestamp"), of("nonce"), of("ciphertext"));
        assert_eq!(crypto.signature(&timestamp, &nonce, &ciphertext), of("msg_signature"));
        let plain = crypto.open(&of("msg_signature"), &timestamp, &nonce, &ciphertext).unwrap();
        assert_eq!(plain, of("plaintext").into_bytes());
        if let Ok(random) = of("random16").into_bytes().try_into() {
            assert_eq!(crypto.encrypt(&plain, random), ciphertext, "the same bytes come out");
        }
        pads.insert(vector["pad"].as_u64().unwrap_or_default());
    }
    assert_eq!(pads, (1..=31).step_by(2).collect(), "short and long padding");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_encrypted_is_read_back(message in proptest::collection::vec(any::<u8>(), 0..300), random: [u8; 16]) {
        let crypto = Crypto::new("t0ken", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "ww1").unwrap();
        let encrypted = crypto.encrypt(&message, random);
        let signature = crypto.signature("1", "2", &encrypted);
        prop_assert_eq!(crypto.open(&signature, "1", "2", &encrypted), Ok(message));
    }

    #[test]
    fn whatever_is_changed_on_the_way_is_refused(at: proptest::sample::Index, flip in 1_u8..128, of in 0_usize..4) {
        let crypto = Crypto::new("t0ken", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "ww1").unwrap();
        let encrypted = crypto.encrypt("会员来了".as_bytes(), [5; 16]);
        let signature = crypto.signature("1409659589", "263014780", &encrypted);
        let mut parts = [signature, "1409659589".to_owned(), "263014780".to_owned(), encrypted];
        let mut bytes = parts[of].clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        parts[of] = String::from_utf8_lossy(&bytes).into_owned();
        let [signature, timestamp, nonce, encrypted] = parts;
        prop_assert_eq!(
            crypto.open(&signature, &timestamp, &nonce, &encrypted),
            Err(CryptoProblem::SignatureWrong)
        );
    }

    #[test]
    fn bytes_of_anybody_never_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        use base64::Engine as _;
        let crypto = Crypto::new("t0ken", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "ww1").unwrap();
        let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
        // By chance one in 2^128 would be for us.
        assert!(crypto.decrypt(&text).is_err());
    }
}

/// A strict base64 decoder refuses these keys, a library's padding these messages: both are of real corps.
#[test]
fn every_length_up_to_two_blocks_is_read_back() {
    let crypto =
        Crypto::new("t0ken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wxb11529c136998cb6").unwrap();
    for length in 0..=130 {
        let message = vec![b'x'; length];
        assert_eq!(crypto.decrypt(&crypto.encrypt(&message, [1; 16])), Ok(message), "{length}");
    }
}
