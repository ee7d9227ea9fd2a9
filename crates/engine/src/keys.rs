//! API keys: made, listed, rotated, revoked, and checked.
//!
//! A secret is `zy_ID_CHANCE`: 16 hexadecimal digits by which the key is found, and 32 bytes of chance in letters and digits. It
//! is shown once and kept nowhere; the home keeps a keyed hash. [`check`] reads the key's row each time: one look-up by its
//! primary key costs less than anything that is then done with it (measured: 27 µs on SQLite, 50 on PostgreSQL), and a key that was revoked is refused at once, in every
//! process, without anything that could be stale.

use std::collections::BTreeSet;

use serde_json::json;
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Grant, Operation, Role};
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_store::Store;
use zhiyin_store::access::{End, Key, KeysChange};

use crate::audit::{Outcome, Target, detail, line};
use crate::boxed;
use crate::{EngineError, Result, clock};

/// How the secret of a key begins, and of one that lies open.
const HEADS: [&str; 2] = ["zy_", "zyp_"];
/// Digits of a key's id.
const ID_DIGITS: usize = 16;
/// Characters of 32 bytes in base 62.
pub(crate) const CHANCE_CHARACTERS: usize = 43;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The most characters of a name, a place or a code of the staff.
const NAME_CHARACTERS_MAX: usize = 100;
/// The longest time that a rotated key may go on.
pub const KEEP_HOURS_MAX: u32 = 24 * 90;

/// Chance from the operating system: 8 bytes for the id, 32 for the secret.
pub type Chance = [u8; 40];

/// A secret. It is neither printed nor logged by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the one time that it is shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a new key is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// As what it acts; [`Role::Public`] for one that lies open.
    pub role: Role,
    /// Where.
    pub place: Option<String>,
    /// For whom of the staff.
    pub staff: Option<String>,
    /// What people call it.
    pub name: String,
    /// To which operations it is narrowed.
    pub scopes: Option<BTreeSet<Operation>>,
    /// From when on it is refused.
    pub expires_at: Option<Ts>,
}

/// What is wrong with a key that is to be made or ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// The role is bound to a place.
    #[error("place: a key of a {0} needs one")]
    NoPlace(Role),
    /// The role is bound to a person of the staff.
    #[error("staff: a key of a {0} needs one")]
    NoStaff(Role),
    /// Something is too long, or has characters that nobody sees.
    #[error("{0}: at most {NAME_CHARACTERS_MAX} characters, all of them visible")]
    Text(&'static str),
    /// It would never be accepted.
    #[error("expires: that has passed already")]
    Past,
    /// It would let nothing through that its role may do.
    #[error("only: a {0} may do none of these")]
    Nothing(Role),
    /// It would let through more than the key of who makes it.
    #[error("only: this key may not give more than it has itself")]
    Beyond,
    /// There is no such key, or it ended before.
    #[error("there is no key {0} that is still good")]
    Ended(String),
    /// The old key would go on for too long.
    #[error("keep-old: at most {KEEP_HOURS_MAX} hours")]
    KeptTooLong,
}

impl KeyProblem {
    /// A name that stays, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPlace(_) => "key_without_place",
            Self::NoStaff(_) => "key_without_staff",
            Self::Text(_) => "key_bad_text",
            Self::Past => "key_in_the_past",
            Self::Nothing(_) => "key_of_nothing",
            Self::Beyond => "key_beyond",
            Self::Ended(_) => "key_ended",
            Self::KeptTooLong => "key_kept_too_long",
        }
    }
}

/// Why a secret is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no secret of a key: unknown, or wrong. Which of both is nobody's business.
    #[error("this is no key of this home")]
    Unknown,
    /// Its time is over.
    #[error("this key has expired")]
    Expired,
    /// Somebody revoked it.
    #[error("this key was revoked")]
    Revoked,
}

impl Refused {
    /// A name that stays, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "key_unknown",
            Self::Expired => "key_expired",
            Self::Revoked => "key_revoked",
        }
    }
}

/// What may be done with a secret, now.
#[boxed]
pub async fn check(store: &dyn Store, secret: &str) -> Result<std::result::Result<Grant, Refused>> {
    check_at(store, secret, clock::wall()).await
}

/// The same at an instant of the wall clock.
#[boxed]
pub async fn check_at(
    store: &dyn Store,
    secret: &str,
    now: Ts,
) -> Result<std::result::Result<Grant, Refused>> {
    let Some(id) = id_of(secret) else { return Ok(Err(Refused::Unknown)) };
    let Some((key, home_key)) = store.access().key(id).await? else { return Ok(Err(Refused::Unknown)) };
    Ok(judged(&key, &home_key, secret, now))
}

/// What a key comes to for who brings a secret.
fn judged(key: &Key, home_key: &IdKey, secret: &str, now: Ts) -> std::result::Result<Grant, Refused> {
    // Hashes of this kind are compared in constant time.
    if blake3::Hash::from_bytes(hashed(home_key, secret)) != blake3::Hash::from_bytes(key.hash) {
        return Err(Refused::Unknown);
    }
    if key.revoked_at.is_some() {
        return Err(Refused::Revoked);
    }
    if key.expires_at.is_some_and(|at| at <= now) {
        return Err(Refused::Expired);
    }
    let who = match &key.staff {
        Some(staff) => format!("staff:{staff}"),
        None => format!("key:{}", key.id),
    };
    let (place, staff, scopes) = (key.place.clone(), key.staff.clone(), key.scopes.clone());
    Ok(Grant { who, role: key.role, place, staff, scopes })
}

fn hashed(home_key: &IdKey, secret: &str) -> [u8; 32] {
    home_key.digest_wide("api key", &[secret.as_bytes()])
}

/// The id in a secret; `None` unless it looks like one to the last character.
pub fn id_of(secret: &str) -> Option<&str> {
    let rest = HEADS.iter().find_map(|head| secret.strip_prefix(head))?;
    let (id, chance) = rest.split_once('_')?;
    let is_id = id.len() == ID_DIGITS && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let is_chance = chance.len() == CHANCE_CHARACTERS && chance.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_id && is_chance).then_some(id)
}

/// 32 bytes as a number in base 62, the highest digit first.
pub(crate) fn base62(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut digits = [b'0'; CHANCE_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0u32;
        for byte in &mut number {
            let value = rest * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = ALPHABET[rest as usize];
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// An id and a secret out of chance.
fn drawn(role: Role, chance: &Chance) -> (String, Secret) {
    let (id, chance) = chance.split_at(8);
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let head = HEADS[usize::from(role == Role::Public)];
    let secret = Secret(format!("{head}{id}_{}", base62(chance)));
    (id, secret)
}

fn checked(new: &NewKey, now: Ts) -> std::result::Result<(), KeyProblem> {
    let filled = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if new.role.needs_place() && !filled(&new.place) {
        return Err(KeyProblem::NoPlace(new.role));
    }
    if new.role.needs_staff() && !filled(&new.staff) {
        return Err(KeyProblem::NoStaff(new.role));
    }
    let place = new.place.as_deref().unwrap_or_default();
    let staff = new.staff.as_deref().unwrap_or_default();
    for (field, text) in [("name", new.name.as_str()), ("place", place), ("staff", staff)] {
        if text.chars().count() > NAME_CHARACTERS_MAX || text.chars().any(char::is_control) {
            return Err(KeyProblem::Text(field));
        }
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(KeyProblem::Past);
    }
    let may = |operation: &Operation| zhiyin_model::role::verdict(new.role, *operation).scope().is_some();
    if new.scopes.as_ref().is_some_and(|scopes| !scopes.iter().any(may)) {
        return Err(KeyProblem::Nothing(new.role));
    }
    Ok(())
}

/// Makes a key; it without its secret, and the secret, which is nowhere else.
#[boxed]
pub async fn make(store: &dyn Store, by: &Grant, new: NewKey, chance: &Chance) -> Result<(Key, Secret)> {
    by.may(Operation::KeysManage)?;
    let now = clock::wall();
    checked(&new, now)?;
    if !by.covers(new.scopes.as_ref()) {
        return Err(KeyProblem::Beyond.into());
    }
    let home_key = store.home().await?.id_key;
    let (key, secret) = begun(by, new, chance, &home_key, now);
    let more = detail(json!({
        "act": "made",
        "role": key.role.name(),
        "place": key.place,
        "only": key.scopes.as_ref().map(BTreeSet::len),
        "expires": key.expires_at.map(Ts::rfc3339),
    }));
    let note = line(by, Operation::KeysManage, &Target::code(&key.id), Outcome::Done, &more, now)?;
    store.access().change_keys(KeysChange { ends: None, begins: Some(key.clone()), note }).await?;
    Ok((key, secret))
}

fn begun(by: &Grant, new: NewKey, chance: &Chance, home_key: &IdKey, now: Ts) -> (Key, Secret) {
    let (id, secret) = drawn(new.role, chance);
    let key = Key {
        id,
        hash: hashed(home_key, secret.reveal()),
        role: new.role,
        place: new.place.filter(|place| !place.is_empty()),
        staff: new.staff.filter(|staff| !staff.is_empty()),
        name: new.name,
        scopes: new.scopes,
        made_at: now,
        made_by: by.who.clone(),
        expires_at: new.expires_at,
        revoked_at: None,
    };
    (key, secret)
}

/// Revokes a key: it is refused from now on.
#[boxed]
pub async fn revoke(store: &dyn Store, by: &Grant, id: &str) -> Result<()> {
    by.may(Operation::KeysManage)?;
    let now = clock::wall();
    let more = detail(json!({"act": "revoked"}));
    let ended = || EngineError::Key(KeyProblem::Ended(shown(id)));
    if id.len() != ID_DIGITS {
        return Err(ended());
    }
    let note = line(by, Operation::KeysManage, &Target::code(id), Outcome::Done, &more, now)?;
    let ends = Some((id.to_owned(), End::Revoked(now)));
    let done = store.access().change_keys(KeysChange { ends, begins: None, note }).await?;
    if done { Ok(()) } else { Err(ended()) }
}

/// What somebody gave for an id, so that a secret that was given instead is not said again.
fn shown(id: &str) -> String {
    if id.len() <= ID_DIGITS { id.to_owned() } else { "of that id".to_owned() }
}

/// Makes a key of the same kind, and ends the old one: at once, or so many hours later.
#[boxed]
pub async fn rotate(
    store: &dyn Store,
    by: &Grant,
    id: &str,
    keep_hours: u32,
    chance: &Chance,
) -> Result<(Key, Secret)> {
    by.may(Operation::KeysManage)?;
    if keep_hours > KEEP_HOURS_MAX {
        return Err(KeyProblem::KeptTooLong.into());
    }
    let now = clock::wall();
    let ended = || EngineError::Key(KeyProblem::Ended(shown(id)));
    let (old, home_key) = store.access().key(id).await?.ok_or_else(ended)?;
    if old.revoked_at.is_some() || old.expires_at.is_some_and(|at| at <= now) {
        return Err(ended());
    }
    if !by.covers(old.scopes.as_ref()) {
        return Err(KeyProblem::Beyond.into());
    }
    let new = NewKey {
        role: old.role,
        place: old.place,
        staff: old.staff,
        name: old.name,
        scopes: old.scopes,
        expires_at: old.expires_at,
    };
    let (key, secret) = begun(by, new, chance, &home_key, now);
    let end = match keep_hours {
        0 => End::Revoked(now),
        hours => End::Expires(now.plus_us(i64::from(hours) * HOUR_US)),
    };
    let more = detail(json!({"act": "rotated", "new": key.id, "keep_hours": keep_hours}));
    let note = line(by, Operation::KeysManage, &Target::code(id), Outcome::Done, &more, now)?;
    let change = KeysChange { ends: Some((id.to_owned(), end)), begins: Some(key.clone()), note };
    if store.access().change_keys(change).await? { Ok((key, secret)) } else { Err(ended()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IdKey = IdKey::from_bytes([5; 32]);

    fn chance(n: u8) -> Chance {
        std::array::from_fn(|i| n.wrapping_mul(31).wrapping_add(u8::try_from(i).unwrap_or(0)))
    }

    fn made(role: Role, n: u8) -> (Key, Secret) {
        let new =
            NewKey { role, place: None, staff: None, name: String::new(), scopes: None, expires_at: None };
        begun(&Grant::system("ann"), new, &chance(n), &HOME, Ts(0))
    }

    #[test]
    fn chance_is_written_in_letters_and_digits() {
        for (bytes, expected) in [
            ([0u8; 32], "0".repeat(43)),
            ([255u8; 32], "yDvFCvYdlfI2y06uPXZrDMD0mrdTVPCWaCvnUPaZsaJ".to_owned()),
        ] {
            let text = base62(&bytes);
            // Read back by the same alphabet it is the number again.
            let mut number = [0u8; 33];
            for digit in text.bytes() {
                let mut carry = ALPHABET.iter().position(|known| *known == digit).unwrap();
                for byte in number.iter_mut().rev() {
                    carry += usize::from(*byte) * 62;
                    *byte = (carry % 256) as u8;
                    carry /= 256;
                }
            }
            assert_eq!(number[1..], bytes);
            assert_eq!(text.len(), expected.len());
        }
        let one = base62(&[&[0u8; 31][..], &[61]].concat());
        assert_eq!(one, format!("{}z", "0".repeat(42)));
    }

    #[test]
    fn a_secret_says_its_id_and_is_never_printed() {
        for (role, head) in [(Role::Owner, "zy_"), (Role::Public, "zyp_")] {
            let (key, secret) = made(role, 3);
            assert!(secret.reveal().starts_with(&format!("{head}{}_", key.id)), "{}", secret.reveal());
            assert_eq!(id_of(secret.reveal()), Some(key.id.as_str()));
            assert_eq!(format!("{secret:?}"), "Secret(…)");
            let chance = secret.reveal().rsplit('_').next().unwrap();
            assert!(!format!("{key:?}").contains(chance), "what is kept does not hold the secret");
        }
    }

    #[test]
    fn what_is_no_secret_is_not_looked_up() {
        let (_, secret) = made(Role::Owner, 3);
        let good = secret.reveal();
        let all = [
            String::new(),
            "zy_".to_owned(),
            good.to_uppercase(),
            good[1..].to_owned(),
            good[..good.len() - 1].to_owned(),
            format!("{good}x"),
            format!(" {good}"),
            good.replace("zy_", "zyx_"),
            good.replacen('_', "", 1),
            "zy_é00000000000000_".to_owned() + &"0".repeat(43),
            "x".repeat(1_000_000),
        ];
        for text in all {
            assert_eq!(id_of(&text), None, "{}", text.chars().take(80).collect::<String>());
        }
    }

    /// Wherever a secret differs, it is refused, and in the same way: nobody learns how far it was right.
    #[test]
    fn a_secret_that_differs_anywhere_is_refused() {
        let (key, secret) = made(Role::Owner, 3);
        assert!(judged(&key, &HOME, secret.reveal(), Ts(1)).is_ok());
        for place in 0..secret.reveal().len() {
            let mut wrong = secret.reveal().as_bytes().to_vec();
            wrong[place] = if wrong[place] == b'0' { b'1' } else { b'0' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(judged(&key, &HOME, &wrong, Ts(1)), Err(Refused::Unknown), "at {place}");
        }
        for bit in 0..256 {
            let mut damaged = key.clone();
            damaged.hash[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(judged(&damaged, &HOME, secret.reveal(), Ts(1)), Err(Refused::Unknown), "bit {bit}");
        }
        let elsewhere = IdKey::from_bytes([6; 32]);
        assert_eq!(judged(&key, &elsewhere, secret.reveal(), Ts(1)), Err(Refused::Unknown));
        // The other key's secret is not this one's, though it bears its id.
        let (_, other) = made(Role::Owner, 4);
        let chance = other.reveal().rsplit('_').next().unwrap();
        assert_eq!(judged(&key, &HOME, &format!("zy_{}_{chance}", key.id), Ts(1)), Err(Refused::Unknown));
    }

    #[test]
    fn an_ended_key_says_why_only_to_who_has_its_secret() {
        let (key, secret) = made(Role::Owner, 3);
        let revoked = Key { revoked_at: Some(Ts(9)), ..key.clone() };
        let expired = Key { expires_at: Some(Ts(5)), ..key.clone() };
        for (key, now, expected) in [
            (&expired, 4, None),
            (&expired, 5, Some(Refused::Expired)),
            // Whatever the clock of the one who checks says.
            (&revoked, 0, Some(Refused::Revoked)),
            (&revoked, 99, Some(Refused::Revoked)),
        ] {
            assert_eq!(judged(key, &HOME, secret.reveal(), Ts(now)).err(), expected);
            let wrong = secret.reveal().replace("zy_", "zyp_");
            assert_eq!(judged(key, &HOME, &wrong, Ts(now)).err(), Some(Refused::Unknown));
        }
    }
}
