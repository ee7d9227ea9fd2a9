//! Short links: a code that stands for an address, and says of whoever follows it where they met the brand.
//!
//! A code is 12 characters that nobody can guess and that are read out without a doubt (no 0, O, I and l). It comes from what it was
//! made for by a keyed hash, so that what is made twice is one. Where it leads is a page of the playbook, or an address that was given
//! with it; either lies with the brand ([`leads`]), so a link of ours never leads to a stranger.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{IdKey, LinkId, MemberId, NoteId};
use crate::time::Ts;

/// Characters of a code.
pub const CODE_CHARS: usize = 12;
/// The longest address that a link leads to, in bytes.
pub const TARGET_BYTES_MAX: usize = 1_024;

/// Digits and letters that cannot be taken for one another.
const LETTERS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// What a short link is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LinkCode(String);

impl LinkCode {
    /// The code of what a link was made for. 58^12 is more than 2^70: as much as nobody guesses.
    pub fn of(key: &IdKey, parts: &[&[u8]]) -> Self {
        let mut left = u128::from_be_bytes(key.digest("link", parts));
        let code = (0..CODE_CHARS).map(|_| {
            // A remainder of 58 is always there.
            let letter = usize::try_from(left % 58).unwrap_or(0);
            left /= 58;
            char::from(LETTERS[letter])
        });
        Self(code.collect())
    }

    /// The code of the link to a page that stands in something said.
    pub fn of_note(key: &IdKey, note: NoteId, page: &str) -> Self {
        Self::of(key, &[b"note", note.bytes(), page.as_bytes()])
    }

    /// The code that a text is; `None` where it is none.
    pub fn read(text: &str) -> Option<Self> {
        let is_code = text.len() == CODE_CHARS && text.bytes().all(|byte| LETTERS.contains(&byte));
        is_code.then(|| Self(text.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Under what it is kept.
    pub fn id(&self) -> LinkId {
        let hash = blake3::hash(self.0.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        LinkId::from_bytes(bytes)
    }
}

impl fmt::Display for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LinkCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::read(&text)
            .ok_or_else(|| serde::de::Error::custom("the code of a link has 12 letters and digits"))
    }
}

/// A short link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its code.
    pub code: LinkCode,
    /// The page of the playbook that it leads to; empty where an address was given with it.
    pub page: String,
    /// That address; empty where it leads to a page.
    pub to: String,
    /// The touchpoint where whoever follows it met the brand.
    pub touchpoint: Option<String>,
    /// Of which campaign it is.
    pub campaign: Option<String>,
    /// In which message it was sent, or on which poster it stands.
    pub message: Option<String>,
    /// For whom it was made.
    pub member: Option<MemberId>,
    /// Who passes it on.
    pub sharer: Option<MemberId>,
    /// When it was made, in business time.
    pub at: Ts,
    /// Until when it leads anywhere.
    pub until: Option<Ts>,
}

/// How a link was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Followed {
    /// It was clicked.
    Clicked,
    /// Its code was scanned.
    Scanned,
}

impl Followed {
    /// The letter of its address: `/l/CODE`, `/q/CODE`.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Clicked => "l",
            Self::Scanned => "q",
        }
    }
}

/// Whether a text is a host as it stands in an address: lower-case letters, digits, `-` and `.`.
pub fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let inner = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    host.len() <= 253 && host.contains('.') && host.split('.').all(is_label)
}

/// Whether a host is one of those that links may lead to: named, or under a `*.` that is.
fn is_among(host: &str, hosts: &[String]) -> bool {
    hosts.iter().any(|known| match known.strip_prefix("*.") {
        Some(above) => host.strip_suffix(above).is_some_and(|under| under.len() > 1 && under.ends_with('.')),
        None => host == known,
    })
}

/// Whether a link may lead to an address, else why not: an `https` address at one of these hosts, or a path of ours.
pub fn leads(to: &str, hosts: &[String]) -> Result<(), &'static str> {
    // What browsers and servers read differently is in no address: a backslash is a slash to some.
    let is_plain = |b: u8| b.is_ascii_graphic() && !b"\\\"<>`^{|}".contains(&b);
    if to.is_empty() || to.len() > TARGET_BYTES_MAX || !to.bytes().all(is_plain) {
        return Err("1 to 1,024 plain characters; others are written as %XX");
    }
    if to.starts_with('/') {
        let is_link = ["/l/", "/q/"].iter().any(|way| to.starts_with(way));
        let is_path =
            !to.starts_with("//") && !is_link && !to.split(['/', '?', '#']).any(|part| part == "..");
        return if is_path { Ok(()) } else { Err("a path of ours, such as /card, and no short link") };
    }
    let Some(rest) = to.strip_prefix("https://") else { return Err("begins with https:// or with /") };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == port);
    if !is_host(host) || port.is_some_and(|port| !is_port(port)) {
        return Err("a host in lower case, and nothing before it");
    }
    if is_among(host, hosts) { Ok(()) } else { Err("its host is none of `links.hosts`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_comes_from_its_cause_and_is_read_again() {
        let key = IdKey::from_bytes([7; 32]);
        let code = LinkCode::of(&key, &[b"note", b"sale"]);
        assert_eq!(code, LinkCode::of(&key, &[b"note", b"sale"]));
        assert_ne!(code, LinkCode::of(&key, &[b"notes", b"ale"]));
        assert_ne!(code, LinkCode::of(&IdKey::from_bytes([8; 32]), &[b"note", b"sale"]));
        assert_eq!(code.as_str().len(), CODE_CHARS);
        assert_eq!(LinkCode::read(code.as_str()), Some(code.clone()));
        assert_eq!(LinkCode::read(code.as_str()).map(|code| code.id()), Some(code.id()));
        for wrong in ["", "1", "11111111111", "1111111111111", "11111111111O", "1111111111/1", "1111111111é"]
        {
            assert_eq!(LinkCode::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_link_leads_to_the_brand_and_to_nobody_else() {
        let hosts = ["shop.example.com".to_owned(), "*.brand.example".to_owned()];
        for right in [
            "/card",
            "/",
            "/a?b=/../c",
            "https://shop.example.com",
            "https://shop.example.com/",
            "https://shop.example.com:8443/a?b=c@d#e",
            "https://a.brand.example/x",
            "https://a.b.brand.example?x",
        ] {
            let wanted = !right.contains("..");
            assert_eq!(leads(right, &hosts).is_ok(), wanted, "{right}: {:?}", leads(right, &hosts));
        }
        for wrong in [
            "",
            "//evil.example",
            "/\\evil.example",
            "/l/111111111111",
            "/a/../l/1",
            "http://shop.example.com",
            "javascript:alert(1)",
            "https:/shop.example.com",
            "https://evil.example",
            "https://shop.example.com@evil.example/",
            "https://shop.example.com:x@evil.example/",
            "https://shop.example.com\\@evil.example/",
            "https://shop.example.com.evil.example/",
            "https://evilshop.example.com/",
            "https://evilbrand.example/",
            "https://.brand.example/",
            "https://brand.example/",
            "https://SHOP.example.com/",
            "https://shop.example.com:0/",
            "https://shop.example.com:080/",
            "https://shop.example.com/a b",
            "https://shop.example.com/字",
            "https://shop.example.com/\r\nSet-Cookie:a",
        ] {
            assert!(leads(wrong, &hosts).is_err(), "{wrong}");
        }
    }
}
