//! WeChat Pay's signatures and seals, against vectors that another implementation made.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use serde_json::Value;
use zhiyin_reach::wxpay::{Heads, KeyProblem, Keys, MerchantKey, NoticeProblem, PlatformKey, read};

/// Vectors of `wechatpayv3` 2.0.4 (PyPI), with a public key made for them.
fn vectors() -> Value {
    serde_json::from_str(include_str!("data/wxpay_v3.json")).unwrap()
}

fn text<'v>(of: &'v Value, name: &str) -> &'v str {
    of[name].as_str().unwrap()
}

fn keys() -> Keys {
    let vectors = vectors();
    let mut keys = Keys::new(text(&vectors["gcm"][0], "api_v3_key")).unwrap();
    let key = PlatformKey::of_pem(text(&vectors["rsa"], "public_key_pem").as_bytes()).unwrap();
    keys.knows("PUB_KEY_ID_1", key).unwrap();
    keys
}

fn heads(rsa: &Value) -> Heads<'_> {
    Heads {
        timestamp: rsa["timestamp"].as_str(),
        nonce: rsa["nonce"].as_str(),
        signature: rsa["signature"].as_str(),
        serial: Some("PUB_KEY_ID_1"),
    }
}

#[test]
fn what_another_implementation_sealed_is_opened_and_nothing_else() {
    let (keys, vectors) = (keys(), vectors());
    for one in vectors["gcm"].as_array().unwrap() {
        let (sealed, nonce, data) =
            (text(one, "ciphertext"), text(one, "nonce"), text(one, "associated_data"));
        assert_eq!(keys.open(sealed, nonce, data).unwrap(), text(one, "plaintext").as_bytes());
        let wrong =
            |sealed, nonce, data| assert_eq!(keys.open(sealed, nonce, data), Err(KeyProblem::NotSealed));
        wrong(sealed, nonce, "refund");
        wrong(sealed, "fdasflkja485", data);
        wrong(sealed, "short", data);
        wrong(&sealed[4..], nonce, data);
        wrong("", nonce, data);
        wrong("*", nonce, data);
    }
    assert_eq!(Keys::new("short").map(drop).unwrap_err(), KeyProblem::NotThirtyTwo);
}

#[test]
fn a_notice_is_refused_by_name_before_anything_of_it_is_read() {
    let (keys, vectors) = (keys(), vectors());
    let rsa = &vectors["rsa"];
    let (body, now) = (text(rsa, "body").as_bytes(), 1_700_000_000);
    let right = heads(rsa);
    let refused = |heads: Heads<'_>, body: &[u8], now: i64| read(&keys, heads, body, now).unwrap_err();
    // What is signed is read: this one has nothing sealed in it, so it is no notice.
    assert_eq!(refused(right, body, now), NoticeProblem::NoNotice);
    assert_eq!(refused(right, body, now + 300), NoticeProblem::NoNotice);
    assert_eq!(refused(right, body, now + 301), NoticeProblem::NotNow);
    assert_eq!(refused(right, body, now - 301), NoticeProblem::NotNow);
    assert_eq!(refused(right, &body[..body.len() - 1], now), NoticeProblem::SignatureWrong);
    assert_eq!(refused(right, &[body, b" "].concat(), now), NoticeProblem::SignatureWrong);
    assert_eq!(refused(Heads { nonce: Some("other"), ..right }, body, now), NoticeProblem::SignatureWrong);
    assert_eq!(
        refused(Heads { timestamp: Some("1700000001"), ..right }, body, now),
        NoticeProblem::SignatureWrong
    );
    assert_eq!(refused(Heads { signature: Some("*"), ..right }, body, now), NoticeProblem::SignatureWrong);
    assert_eq!(
        refused(Heads { serial: Some("PUB_KEY_ID_2"), ..right }, body, now),
        NoticeProblem::KeyUnknown
    );
    let probe = Heads { signature: Some("WECHATPAY/SIGNTEST/abc"), ..right };
    assert_eq!(refused(probe, body, now), NoticeProblem::Probe);
    for missing in [
        Heads { timestamp: None, ..right },
        Heads { timestamp: Some("now"), ..right },
        Heads { nonce: None, ..right },
        Heads { signature: Some(""), ..right },
        Heads { serial: None, ..right },
    ] {
        assert_eq!(refused(missing, body, now), NoticeProblem::HeadMissing);
    }
    assert_eq!(refused(right, &vec![b' '; 64 * 1024 + 1], now), NoticeProblem::TooLong);
}

#[test]
fn what_is_no_key_is_refused_by_name() {
    let pem =
        |kind: &str, contents: &str| format!("-----BEGIN {kind}-----\n{contents}\n-----END {kind}-----\n");
    for (pem, problem) in [
        (String::new(), KeyProblem::NoPem),
        ("MIIB".to_owned(), KeyProblem::NoPem),
        (pem("PUBLIC KEY", "MIIB"), KeyProblem::NoPublicKey),
        (pem("CERTIFICATE", "MAMCAQE="), KeyProblem::NoPublicKey),
        // A public key of Ed25519 (RFC 8410).
        (
            pem("PUBLIC KEY", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="),
            KeyProblem::NoPublicKey,
        ),
    ] {
        assert_eq!(PlatformKey::of_pem(pem.as_bytes()).map(drop), Err(problem), "{pem}");
    }
    let none = MerchantKey::of_pem("1900000001", "ABC", pem("PRIVATE KEY", "MIIB").as_bytes());
    assert_eq!(none.map(drop).unwrap_err(), KeyProblem::NoPrivateKey);
    let (mut keys, key) =
        (keys(), PlatformKey::of_pem(text(&vectors()["rsa"], "public_key_pem").as_bytes()).unwrap());
    assert_eq!(keys.knows("", key.clone()), Err(KeyProblem::BadId));
    for n in 2..=16 {
        keys.knows(&format!("PUB_KEY_ID_{n}"), key.clone()).unwrap();
    }
    assert_eq!(keys.knows("PUB_KEY_ID_17", key.clone()), Err(KeyProblem::TooMany));
    keys.knows("PUB_KEY_ID_1", key).unwrap();
    assert!(!format!("{keys:?}").contains("abcdefghij"), "keys show nothing of what is secret");
}
