//! Passwords: which are taken, and how they are kept.
//!
//! Argon2id (RFC 9106) with 19 MiB, two passes and one lane, the first that OWASP's cheat sheet on storing passwords names. What
//! goes in beside is derived from the home's key: in a sealed home that lies elsewhere, so that a backup alone is nothing to
//! guess against.

use argon2::{Algorithm, Argon2, Params, Version};
use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;
use zhiyin_store::access::people::Password;

use super::SignInProblem;

/// Memory of a new hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// The fewest characters of a password.
pub const CHARACTERS_MIN: usize = 10;
/// The most.
pub const CHARACTERS_MAX: usize = 256;

/// Whatever is left of a password of people without imagination once its digits and signs are taken away.
const STEMS: &[&str] = &[
    "abc",
    "abcabc",
    "admin",
    "administrator",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "baseball",
    "changeme",
    "charlie",
    "computer",
    "daniel",
    "default",
    "dragon",
    "football",
    "freedom",
    "guest",
    "hello",
    "helloworld",
    "iloveu",
    "iloveyou",
    "jordan",
    "killer",
    "letmein",
    "liverpool",
    "login",
    "manager",
    "master",
    "michael",
    "mima",
    "monkey",
    "mypassword",
    "nihao",
    "ninja",
    "nopassword",
    "owner",
    "pass",
    "passw",
    "password",
    "passwort",
    "passphrase",
    "princess",
    "qazwsx",
    "qazwsxedc",
    "qwer",
    "qwert",
    "qwerty",
    "qwertyuiop",
    "root",
    "samsung",
    "secret",
    "shadow",
    "starwars",
    "sunshine",
    "superman",
    "superuser",
    "taobao",
    "test",
    "testing",
    "thomas",
    "trustno",
    "user",
    "welcome",
    "weixin",
    "whatever",
    "woaini",
    "woaiwojia",
    "wang",
    "zhang",
    "xiaoming",
    "zhiyin",
    "zxcv",
    "zxcvbn",
    "zxcvbnm",
];
/// Keys as they lie beside each other.
const ROWS: [&str; 8] = [
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1234567890",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "abcdefghijklmnopqrstuvwxyz",
];

/// Whether a password may be one: long enough, and none that everybody tries first.
pub fn checked(field: &'static str, password: &str, name: &str) -> Result<(), SignInProblem> {
    let length = password.chars().count();
    if !(CHARACTERS_MIN..=CHARACTERS_MAX).contains(&length) {
        return Err(SignInProblem::PasswordLength(field));
    }
    if is_common(password, name) { Err(SignInProblem::PasswordCommon(field)) } else { Ok(()) }
}

/// Whether a password is among the first that are tried: a stem of the list with digits and signs around or in place of letters, one
/// that repeats itself, a walk over keys, or the name of whoever has it with no more than six characters beside.
fn is_common(password: &str, name: &str) -> bool {
    let text: Vec<char> = password.to_lowercase().chars().collect();
    let name = name.trim().to_lowercase();
    let lower: String = text.iter().collect();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
    let read: String = lower.chars().map(plain).collect();
    let is_stem = |text: &str| STEMS.contains(&text);
    if is_stem(&letters(&lower)) || is_stem(&letters(&trimmed(&read))) {
        return true;
    }
    if text.iter().collect::<std::collections::BTreeSet<_>>().len() < 4 {
        return true;
    }
    let beside = text.len().saturating_sub(name.chars().count());
    if !name.is_empty() && lower.contains(&name) && beside <= 6 {
        return true;
    }
    (1..=4).any(|period| repeats(&text, period)) || walks(&lower)
}

/// What a sign that stands for a letter stands for.
fn plain(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    }
}

/// Without what people put before and after a word: the letters that digits were read as are in there too.
fn trimmed(read: &str) -> String {
    let word =
        STEMS.iter().filter(|stem| stem.len() >= 5 && read.contains(**stem)).max_by_key(|stem| stem.len());
    match word {
        // What is left beside is little: the word is the password.
        Some(stem) if read.chars().count() - stem.len() <= 5 => (*stem).to_owned(),
        _ => read.to_owned(),
    }
}

fn repeats(text: &[char], period: usize) -> bool {
    text.len() > period && text.iter().zip(text.iter().skip(period)).all(|(one, next)| one == next)
}

/// Whether it is made of two walks at most, along a row of keys or the alphabet, forwards or backwards.
fn walks(lower: &str) -> bool {
    let text: Vec<char> = lower.chars().collect();
    let longest = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        let all = ROWS.iter().flat_map(|row| [(*row).to_owned(), row.chars().rev().collect()]);
        let along = |row: String| {
            // A row may be begun anew at its end: 90123.
            let row: Vec<char> = row.chars().chain(row.chars()).collect();
            (0..row.len())
                .map(|at| row.iter().skip(at).zip(rest).take_while(|(one, other)| one == other).count())
                .max()
                .unwrap_or(0)
        };
        all.map(along).max().unwrap_or(0)
    };
    let first = longest(0);
    first >= 3 && (first >= text.len() || first + longest(first) >= text.len())
}

/// A password as it is kept. Takes some tens of milliseconds of one core.
pub fn made(home: &IdKey, password: &str, salt: [u8; 16], at: Ts) -> Result<Password, SignInProblem> {
    let mut made = Password { memory_kib: MEMORY_KIB, passes: PASSES, salt, hash: [0; 32], set_at: at };
    made.hash = hashed(home, password, &made)?;
    Ok(made)
}

/// Whether a password is the one that is kept. Takes the time of making one, whatever comes out.
pub fn fits(home: &IdKey, password: &str, kept: &Password) -> Result<bool, SignInProblem> {
    let hash = hashed(home, password, kept)?;
    // Compared in constant time.
    Ok(blake3::Hash::from_bytes(hash) == blake3::Hash::from_bytes(kept.hash))
}

/// What nobody's password is compared with, so that a name that nobody bears takes as long as one that somebody does.
pub fn nobodys() -> Password {
    Password { memory_kib: MEMORY_KIB, passes: PASSES, salt: [0; 16], hash: [0; 32], set_at: Ts(0) }
}

fn hashed(home: &IdKey, password: &str, by: &Password) -> Result<[u8; 32], SignInProblem> {
    let failed = |error: argon2::Error| SignInProblem::Failed(error.to_string());
    let beside = home.digest_wide("password", &[]);
    let params = Params::new(by.memory_kib, by.passes, 1, Some(32)).map_err(failed)?;
    let argon =
        Argon2::new_with_secret(&beside, Algorithm::Argon2id, Version::V0x13, params).map_err(failed)?;
    let mut hash = [0; 32];
    argon.hash_password_into(password.as_bytes(), &by.salt, &mut hash).map_err(failed)?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IdKey = IdKey::from_bytes([5; 32]);

    #[test]
    fn passwords_that_everybody_tries_first_are_refused() {
        let refused = [
            "password123",
            "Password123!",
            "P@ssw0rd2024",
            "1234567890",
            "0987654321",
            "12345678910",
            "aaaaaaaaaaaa",
            "abababababab",
            "abcabcabcabc",
            "qwertyuiop",
            "QWERTYUIOP",
            "qwertyuiop123",
            "1qaz2wsx3edc",
            "1q2w3e4r5t6y",
            "iloveyou1314",
            "woaini1314520",
            "zhiyin2026!!",
            "letmein12345",
            "abcdefghijkl",
            "admin@123456",
            "20242024202420",
            "!!!!!!!!!!!1",
            "liwei@2026 ",
        ];
        for password in refused {
            assert_eq!(
                checked("password", password, "LiWei"),
                Err(SignInProblem::PasswordCommon("password")),
                "{password}"
            );
        }
        let taken = [
            "correct horse battery staple",
            "梅子黄时雨淅淅沥沥下",
            "Tr7#kk02-vlpQ",
            "8301957264013",
            "password of the blue heron",
            "liwei likes the sea",
            "my testing ground is wet",
        ];
        for password in taken {
            assert_eq!(checked("password", password, "LiWei"), Ok(()), "{password}");
        }
    }

    #[test]
    fn a_password_has_ten_characters_at_least_and_256_at_most() {
        let long = |n: usize| "kestrel over oak ".chars().cycle().take(n).collect::<String>();
        for (n, fits) in [(9, false), (10, true), (256, true), (257, false)] {
            let expected = if fits { Ok(()) } else { Err(SignInProblem::PasswordLength("new")) };
            assert_eq!(checked("new", &long(n), ""), expected, "{n}");
        }
    }

    #[test]
    fn a_password_fits_its_hash_and_no_other() {
        let kept = made(&HOME, "kestrel over oak", [3; 16], Ts(1)).unwrap();
        assert!(fits(&HOME, "kestrel over oak", &kept).unwrap());
        assert!(!fits(&HOME, "kestrel over oak ", &kept).unwrap());
        assert!(!fits(&IdKey::from_bytes([6; 32]), "kestrel over oak", &kept).unwrap());
        assert!(!fits(&HOME, "", &nobodys()).unwrap());
        let salted = made(&HOME, "kestrel over oak", [4; 16], Ts(1)).unwrap();
        assert_ne!(kept.hash, salted.hash);
    }
}
