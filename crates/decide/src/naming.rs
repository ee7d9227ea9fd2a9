//! How people are found by the beginning of their name: Chinese names by their characters, by their sounds in Latin letters
//! and by the initials of these; other names by the beginning of any word.
//!
//! What is found by is a bounded set of [prefixes](Forms::prefixes) a name, of which an index keeps keyed hashes
//! ([`FoundBy::keys`]). A prefix is short, so whoever looks up compares the name itself again ([`Forms::begins_with`]).

use std::collections::BTreeSet;

use zhiyin_model::id::IdKey;
use zhiyin_model::member::Member;
use zhiyin_model::scalar::Scalar;

use crate::duplicates::name::{is_han, sounds, words};

/// The attribute that names the one of the staff who looks after a member, by their code.
pub const ADVISOR: &str = "advisor";
/// How many characters of a Chinese name are indexed, and how many initials.
const HAN_MAX: usize = 4;
/// How many letters.
const LETTERS_MAX: usize = 8;
/// The most words of a name that count.
const WORDS_MAX: usize = 6;
/// The most prefixes of one member.
pub const PREFIXES_MAX: usize = 64;
/// The most characters that somebody may look for.
pub const ASKED_CHARS_MAX: usize = 60;

/// A text of an attribute, by the first of these keys that has one.
pub fn told<'m>(member: &'m Member, keys: &[&str]) -> Option<&'m str> {
    let found = keys.iter().find_map(|key| member.attributes.get(*key).and_then(Scalar::text));
    found.map(str::trim).filter(|text| !text.is_empty())
}

/// What a member is called: traits of the Segment spec, in camel or snake case. The whole name first, where it is told.
pub fn names(member: &Member) -> Vec<String> {
    let mut names: Vec<String> =
        told(member, &["name", "full_name", "fullName"]).map(str::to_owned).into_iter().collect();
    let first = told(member, &["first_name", "firstName"]);
    let last = told(member, &["last_name", "lastName"]);
    if let (Some(first), Some(last)) = (first, last) {
        // A Chinese surname stands first, and nothing between it and the given name.
        let is_latin = first.is_ascii() || last.is_ascii();
        names.push(if is_latin { format!("{first} {last}") } else { format!("{last}{first}") });
    }
    names
}

/// Who looks after a member.
pub fn advisor(member: &Member) -> Option<&str> {
    told(member, &[ADVISOR])
}

/// A name in all forms of which somebody may type the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forms {
    /// Each with how many of its characters are indexed.
    starts: Vec<(String, usize)>,
    /// Words that are not Chinese.
    words: Vec<String>,
}

impl Forms {
    /// The forms of a name; `None` if there is no letter in it.
    pub fn of(name: &str) -> Option<Self> {
        let words: Vec<String> = words(&narrow(name)).into_iter().take(WORDS_MAX).collect();
        let text = words.concat();
        if !text.chars().any(char::is_alphabetic) {
            return None;
        }
        let mut forms = Self::default();
        if text.chars().all(is_han) {
            forms.han(&text);
            return Some(forms);
        }
        for word in &words {
            if word.chars().all(is_han) {
                forms.han(word);
            } else {
                forms.words.push(latin(word));
            }
        }
        forms.starts.extend(forms.words.iter().map(|word| (word.clone(), LETTERS_MAX)));
        if let Some((last, rest)) = forms.words.split_last().filter(|(_, rest)| !rest.is_empty()) {
            // In either order: which of them is the surname differs from people to people.
            let turned = format!("{last}{}", rest.concat());
            forms.starts.extend([(forms.words.concat(), LETTERS_MAX), (turned, LETTERS_MAX)]);
        }
        Some(forms)
    }

    fn han(&mut self, text: &str) {
        let chars: Vec<char> = text.chars().collect();
        let sounds = sounds(&chars);
        let initials: String = sounds.iter().filter_map(|sound| sound.chars().next()).collect();
        self.starts.push((text.to_owned(), HAN_MAX));
        self.starts.push((sounds.concat(), LETTERS_MAX));
        self.starts.push((initials, HAN_MAX));
    }

    /// What the index keeps of it.
    pub fn prefixes(&self) -> BTreeSet<String> {
        let mut prefixes = BTreeSet::new();
        for (start, n) in &self.starts {
            let ends = start.char_indices().map(|(i, c)| i + c.len_utf8()).take(*n);
            prefixes.extend(ends.map(|end| start[..end].to_owned()));
        }
        prefixes
    }

    /// Whether it begins with what somebody typed: the whole of it, or each word of it a word of the name.
    pub fn begins_with(&self, asked: &Asked) -> bool {
        let begins = |start: &str| start.starts_with(&asked.joined);
        let each = |typed: &String| self.words.iter().any(|word| word.starts_with(typed.as_str()));
        self.starts.iter().any(|(start, _)| begins(start))
            || (asked.words.len() > 1 && asked.words.iter().all(each))
    }
}

/// ASCII that was typed in full width as what it is.
fn narrow(text: &str) -> String {
    let of = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    text.chars().take(ASKED_CHARS_MAX).map(of).collect()
}

/// ü is typed as v.
fn latin(word: &str) -> String {
    word.replace('ü', "v")
}

/// The beginning of a name, as somebody typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    joined: String,
    words: Vec<String>,
}

impl Asked {
    /// What was typed; `None` if it is too long, or there is no letter in it.
    pub fn of(text: &str) -> Option<Self> {
        if text.chars().count() > ASKED_CHARS_MAX {
            return None;
        }
        let words: Vec<String> = words(&narrow(text)).iter().map(|word| latin(word)).collect();
        let joined = words.concat();
        let fits = words.len() <= WORDS_MAX && joined.chars().any(char::is_alphabetic);
        fits.then_some(Self { joined, words })
    }

    /// Prefixes to look up one after the other: whoever is called so is found by one of them.
    pub fn prefixes(&self) -> Vec<String> {
        let cut = |text: &str| -> String {
            let n = if text.chars().all(is_han) { HAN_MAX } else { LETTERS_MAX };
            text.chars().take(n).collect()
        };
        let mut prefixes = vec![cut(&self.joined)];
        let longest = self.words.iter().max_by_key(|word| word.chars().count());
        if let Some(longest) = longest.map(|word| cut(word)).filter(|_| self.words.len() > 1)
            && !prefixes.contains(&longest)
        {
            prefixes.push(longest);
        }
        prefixes
    }
}

/// What a member is found by in the index: names, and who looks after them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundBy {
    names: Vec<String>,
    advisor: Option<String>,
}

impl FoundBy {
    /// That of a member.
    pub fn of(member: &Member) -> Self {
        Self { names: names(member), advisor: advisor(member).map(str::to_owned) }
    }

    /// Whether they are found by nothing.
    pub fn is_nothing(&self) -> bool {
        self.names.is_empty() && self.advisor.is_none()
    }

    /// Keys of the index, sorted, each once, bounded.
    pub fn keys(&self, key: &IdKey) -> Vec<i64> {
        let forms = self.names.iter().filter_map(|name| Forms::of(name));
        let prefixes: BTreeSet<String> =
            forms.flat_map(|forms| forms.prefixes()).take(PREFIXES_MAX).collect();
        let mut keys: BTreeSet<i64> = prefixes.iter().map(|prefix| prefix_key(key, prefix)).collect();
        keys.extend(self.advisor.as_deref().map(|code| advisor_key(key, code)));
        keys.into_iter().collect()
    }
}

/// The key of a prefix: 48 bits of a keyed hash, which say no name to who has not the home's key.
pub fn prefix_key(key: &IdKey, prefix: &str) -> i64 {
    short(key.digest("name prefix", &[prefix.as_bytes()]))
}

/// The key of one of the staff who looks after members.
pub fn advisor_key(key: &IdKey, code: &str) -> i64 {
    short(key.digest("advisor", &[code.as_bytes()]))
}

fn short(hash: [u8; 16]) -> i64 {
    hash[..6].iter().fold(0, |short, byte| (short << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(name: &str, typed: &str) -> bool {
        let (Some(forms), Some(asked)) = (Forms::of(name), Asked::of(typed)) else { return false };
        let prefixes = forms.prefixes();
        let listed = asked.prefixes().iter().any(|prefix| prefixes.contains(prefix));
        let begins = forms.begins_with(&asked);
        // Whoever is called so must be in the index, where enough of a name is indexed.
        assert!(listed || !begins || typed.chars().count() > HAN_MAX, "{name} / {typed}");
        listed && begins
    }

    #[test]
    fn people_are_found_by_how_their_name_begins() {
        for (name, found, not) in [
            (
                "张伟",
                vec![
                    "张",
                    "张伟",
                    "z",
                    "Z",
                    "zw",
                    "ZW",
                    "zh",
                    "zhang",
                    "zhangw",
                    "zhang wei",
                    "ZhangWei",
                    " 张 伟 ",
                    "ｚｗ",
                ],
                vec!["伟", "w", "wei", "zhangwei1", "李", "zl", "张伟强", "zwx"],
            ),
            (
                "欧阳娜娜",
                vec!["欧阳", "oy", "oynn", "ouyang na", "ouyangnana", "欧阳娜娜"],
                vec!["娜", "on", "欧阳娜娜子"],
            ),
            ("曾丽", vec!["zeng", "zl", "曾"], vec!["ceng", "cl"]),
            ("单田芳", vec!["shan", "stf", "shantianf"], vec!["dan"]),
            ("吕布", vec!["lv", "lvbu", "lü bu", "lb"], vec!["lu"]),
            (
                "Ann Lee",
                vec!["a", "ann", "ANN L", "lee", "le", "annlee", "lee ann", "an le"],
                vec!["nn", "ee", "ann m"],
            ),
            ("Zhang Wei", vec!["zhang wei", "zhangwei", "wei zh", "z w"], vec!["zw", "张"]),
            ("Jean-Claude Van Damme", vec!["jean", "claude", "van d", "damme"], vec!["anne"]),
            ("张伟 David", vec!["张", "zw", "dav", "david"], vec!["伟"]),
            ("Ольга Иванова", vec!["оль", "иван", "ИВАНОВА"], vec!["o"]),
        ] {
            for typed in found {
                assert!(is_found(name, typed), "{name} by {typed:?}");
            }
            for typed in not {
                assert!(!is_found(name, typed), "{name} by {typed:?}");
            }
        }
    }

    #[test]
    fn what_has_no_letters_is_neither_a_name_nor_looked_for() {
        for text in ["", " ", "123", "--", "🎂", "%"] {
            assert_eq!(Forms::of(text), None, "{text:?}");
            assert_eq!(Asked::of(text), None, "{text:?}");
        }
        assert_eq!(Asked::of(&"x".repeat(ASKED_CHARS_MAX + 1)), None);
        assert_eq!(Asked::of("a b c d e f g"), None);
    }

    #[test]
    fn a_member_is_found_by_a_bounded_number_of_keys() {
        let key = IdKey::from_bytes([1; 32]);
        let mut member =
            Member::new(zhiyin_model::id::MemberId::from_bytes([0; 16]), zhiyin_model::time::Ts(0));
        assert!(FoundBy::of(&member).is_nothing());
        let mut tell = |key: &str, text: &str| {
            member.attributes.insert(key.to_owned(), Scalar::Text(text.to_owned()));
            FoundBy::of(&member)
        };
        // 张, 张伟; z, zw; zh … zhangwei.
        assert_eq!(tell("name", "张伟").keys(&key).len(), 11);
        // The same name again in parts.
        tell("firstName", "伟");
        assert_eq!(tell("lastName", "张").keys(&key).len(), 11);
        assert_eq!(tell(ADVISOR, "A7").keys(&key).len(), 12);
        let words = ["abcdefghij", "bcdefghijk", "cdefghijkl", "defghijklm", "efghijklmn", "fghijklmno", "g"];
        let found = tell("name", &words.join(" "));
        assert!(found.keys(&key).len() <= PREFIXES_MAX + 1);
        assert_eq!(found.keys(&key), found.keys(&key));
        assert!(found.keys(&key).iter().all(|key| (0..1 << 48).contains(key)));
    }
}
