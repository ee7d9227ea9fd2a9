//! What the till reads off a member's phone: who they are, for a few minutes. It is no name of theirs: whoever photographs it has nothing
//! a little later, and it says nothing of them.

use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::time::Ts;

/// What the namespace of a pass is called where somebody is looked up by one.
pub const NAMESPACE: &str = "pass";
/// How every pass begins.
const HEAD: &str = "ZYP";
/// How often there is a new one.
pub const MINUTE_US: i64 = 60_000_000;
/// For how many minutes one is good, the one it was made in being the first.
const GOOD_MINUTES: i64 = 3;
/// Bytes of the member, the minute, and the proof.
const BYTES: usize = 16 + 4 + 8;

fn proof(key: &IdKey, body: &[u8]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = key.digest("pass", &[body]);
    [a, b, c, d, e, f, g, h]
}

/// A member's pass as of an instant, and until when it is good: `ZYP` and 56 hexadecimal digits, which a QR code holds as letters and
/// digits.
pub fn made(key: &IdKey, member: MemberId, now: Ts) -> (String, Ts) {
    let minute = now.0.div_euclid(MINUTE_US);
    let mut bytes = member.bytes().to_vec();
    bytes.extend_from_slice(&u32::try_from(minute).unwrap_or(0).to_be_bytes());
    let proof = proof(key, &bytes);
    bytes.extend_from_slice(&proof);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    (format!("{HEAD}{digits}"), Ts((minute + GOOD_MINUTES) * MINUTE_US))
}

/// Whose a pass is, if it is good.
pub fn read(key: &IdKey, text: &str, now: Ts) -> Option<MemberId> {
    let digits = text.trim().strip_prefix(HEAD)?;
    if digits.len() != 2 * BYTES || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..BYTES).map(byte).collect::<Option<_>>()?;
    let (body, said) = bytes.split_at(BYTES - 8);
    // Compared in constant time.
    if blake3::hash(said) != blake3::hash(&proof(key, body)) {
        return None;
    }
    let (member, minute) = body.split_at(16);
    let minute = i64::from(u32::from_be_bytes(minute.try_into().ok()?));
    let age = now.0.div_euclid(MINUTE_US) - minute;
    // A till's home and a member's are one: a minute ahead is a clock that was set back meanwhile.
    if !(-1..GOOD_MINUTES).contains(&age) {
        return None;
    }
    MemberId::from_slice(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_its_members_for_three_minutes_and_nobody_makes_one() {
        let key = IdKey::from_bytes([7; 32]);
        let member = MemberId::from_bytes([9; 16]);
        let at = |seconds: i64| Ts(1_700_000_040_000_000 + seconds * 1_000_000);
        let (pass, until) = made(&key, member, at(0));
        assert_eq!((pass.len(), until), (59, at(180)));
        for (seconds, good) in
            [(0, true), (179, true), (180, false), (-30, true), (-90, false), (86_400, false)]
        {
            assert_eq!(read(&key, &pass, at(seconds)), good.then_some(member), "{seconds}");
        }
        assert_eq!(read(&key, &format!(" {pass}\n"), at(0)), Some(member));
        let other = made(&IdKey::from_bytes([8; 32]), member, at(0)).0;
        let changed = format!("ZYP{}{}", "8", &pass[4..]);
        let long = format!("{pass}0");
        for text in [other.as_str(), &changed, &pass[3..], "", "ZYP", &pass.to_lowercase(), "ZYPé", &long] {
            assert_eq!(read(&key, text, at(0)), None, "{text}");
        }
    }
}
