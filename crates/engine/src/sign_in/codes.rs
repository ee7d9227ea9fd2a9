//! Codes of authenticator apps (RFC 6238: HMAC-SHA1, six digits, steps of 30 seconds), and recovery codes for whoever lost theirs.

use ring::hmac;
use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;
use zhiyin_store::access::people::Codes;

/// Seconds of a step.
const STEP_SECONDS: i64 = 30;
/// By how many steps a phone's clock may be off.
const STEPS_OFF: i64 = 1;
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;
/// Letters of a recovery code: RFC 4648's base 32, as apps write secrets too.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters of a recovery code: 80 bits.
const RECOVERY_CHARACTERS: usize = 16;

/// The secret of an app: 20 bytes, as RFC 4226 recommends, out of the home's key and a salt.
fn secret(home: &IdKey, person: &str, salt: &[u8; 16]) -> Vec<u8> {
    home.digest_wide("codes of a person", &[person.as_bytes(), salt]).into_iter().take(20).collect()
}

/// The same as people type it.
pub fn secret_text(home: &IdKey, person: &str, salt: &[u8; 16]) -> String {
    base32(&secret(home, person, salt))
}

/// What an app reads as a QR code (the key URI format of Google Authenticator, which others read as well).
pub fn uri(secret: &str, name: &str) -> String {
    let name: String = name
        .bytes()
        .map(|b| match b {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect();
    format!("otpauth://totp/Zhiyin:{name}?secret={secret}&issuer=Zhiyin&algorithm=SHA1&digits=6&period=30")
}

fn base32(bytes: &[u8]) -> String {
    let (mut out, mut held, mut bits) = (String::new(), 0u32, 0u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(letter(held >> bits));
            held &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        out.push(letter(held << (5 - bits)));
    }
    out
}

fn letter(value: u32) -> char {
    ALPHABET.get((value & 31) as usize).map_or('A', |letter| char::from(*letter))
}

/// The code of a step (RFC 4226 §5.3).
fn code(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
    let four: [u8; 4] = tag.get(offset..offset + 4).and_then(|four| four.try_into().ok()).unwrap_or_default();
    (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
}

/// The code that an app of a person shows at an instant: for tests and for nobody else.
pub fn shown(home: &IdKey, person: &str, salt: &[u8; 16], now: Ts) -> String {
    format!("{:06}", code(&secret(home, person, salt), step_at(now)))
}

fn step_at(now: Ts) -> i64 {
    now.0.div_euclid(1_000_000 * STEP_SECONDS)
}

/// What is left once a code is taken: without the recovery code that it was, or after its step. `None` if it is wrong, or was taken
/// before.
pub fn taken(home: &IdKey, person: &str, codes: &Codes, said: &str, now: Ts) -> Option<Codes> {
    let said: String = said.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    if said.len() == 6 && said.bytes().all(|b| b.is_ascii_digit()) {
        let said: u32 = said.parse().ok()?;
        let secret = secret(home, person, &codes.salt);
        let now = step_at(now);
        let mut found = None;
        // All of them are looked at, whichever fits.
        for step in now - STEPS_OFF..=now + STEPS_OFF {
            if code(&secret, step) == said && step > codes.last_step {
                found = Some(step);
            }
        }
        return found.map(|last_step| Codes { last_step, ..codes.clone() });
    }
    let hash = recovery_hash(home, person, &said);
    let place = codes.recovery.iter().position(|kept| {
        // Compared in constant time.
        blake3::Hash::from_bytes(*kept) == blake3::Hash::from_bytes(hash)
    })?;
    let mut left = codes.clone();
    left.recovery.remove(place);
    Some(left)
}

/// New codes for a person out of chance, and their recovery codes as people read them.
pub fn offered(home: &IdKey, person: &str, salt: [u8; 16], chance: &[[u8; 10]]) -> (Codes, Vec<String>) {
    let texts: Vec<String> = chance.iter().map(|bytes| base32(bytes)).collect();
    let recovery = texts.iter().map(|text| recovery_hash(home, person, text)).collect();
    let shown = texts.iter().map(|text| {
        let groups: Vec<&str> =
            (0..RECOVERY_CHARACTERS / 4).filter_map(|n| text.get(n * 4..n * 4 + 4)).collect();
        groups.join("-")
    });
    let shown = shown.collect();
    (Codes { salt, last_step: 0, recovery }, shown)
}

fn recovery_hash(home: &IdKey, person: &str, text: &str) -> [u8; 32] {
    home.digest_wide("recovery code", &[person.as_bytes(), text.to_ascii_uppercase().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IdKey = IdKey::from_bytes([5; 32]);

    /// Appendix B of RFC 6238, its last six digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, expected) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(
                code(b"12345678901234567890", step_at(Ts(seconds * 1_000_000))),
                expected,
                "{seconds}"
            );
        }
    }

    /// RFC 4648 §10, without padding.
    #[test]
    fn secrets_are_written_in_base_32() {
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_code_is_good_once_and_one_step_around_now() {
        let (codes, _) = offered(&HOME, "p", [1; 16], &[]);
        let at = |step: i64| Ts(step * STEP_SECONDS * 1_000_000);
        let said = shown(&HOME, "p", &codes.salt, at(1_000));
        for (now, good) in [(998, false), (999, true), (1_000, true), (1_001, true), (1_002, false)] {
            assert_eq!(taken(&HOME, "p", &codes, &said, at(now)).is_some(), good, "{now}");
        }
        let left = taken(&HOME, "p", &codes, &said, at(1_000)).unwrap();
        assert!(taken(&HOME, "p", &left, &said, at(1_000)).is_none(), "replayed");
        let before = shown(&HOME, "p", &codes.salt, at(999));
        assert!(taken(&HOME, "p", &left, &before, at(1_000)).is_none(), "one before it is not good any more");
        let next = shown(&HOME, "p", &codes.salt, at(1_001));
        assert!(taken(&HOME, "p", &left, &next, at(1_001)).is_some());
        assert!(taken(&HOME, "other", &codes, &said, at(1_000)).is_none(), "another's secret is another");
    }

    #[test]
    fn a_recovery_code_is_good_once_however_it_is_typed() {
        let (codes, shown) = offered(&HOME, "p", [1; 16], &[[7; 10], [8; 10]]);
        assert_eq!((shown.len(), shown[0].len()), (2, 19));
        let typed = shown[0].to_lowercase().replace('-', " ");
        let left = taken(&HOME, "p", &codes, &typed, Ts(0)).unwrap();
        assert_eq!(left.recovery.len(), 1);
        assert!(taken(&HOME, "p", &left, &shown[0], Ts(0)).is_none());
        assert!(taken(&HOME, "p", &left, &shown[1], Ts(0)).is_some());
        assert!(taken(&HOME, "p", &codes, "", Ts(0)).is_none());
    }

    #[test]
    fn an_app_reads_the_name_whatever_it_is() {
        assert_eq!(
            uri("ABC", "李 a&b"),
            "otpauth://totp/Zhiyin:%E6%9D%8E%20a%26b?secret=ABC&issuer=Zhiyin&algorithm=SHA1&digits=6&period=30"
        );
    }
}
