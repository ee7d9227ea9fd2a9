//! How much of a person is shown: masked phones, e-mail addresses, names and ids. What is masked cannot be told from its
//! length, nor can what is short be guessed from what is left.

use serde::{Deserialize, Serialize};

/// How much of a person is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// All.
    Full,
    /// Identifiers and names, masked.
    Masked,
    /// No identifier and no name.
    Hidden,
}

impl Mask {
    /// An identifier as it may be shown; `None` where it may not.
    pub fn identifier(self, namespace: &str, value: &str) -> Option<String> {
        self.shown(value, |value| match namespace {
            "phone" => phone(value),
            "email" => email(value),
            _ => id(value),
        })
    }

    /// A name as it may be shown; `None` where it may not.
    pub fn name(self, value: &str) -> Option<String> {
        self.shown(value, name)
    }

    fn shown(self, value: &str, masked: impl FnOnce(&str) -> String) -> Option<String> {
        match self {
            Self::Full => Some(value.to_owned()),
            Self::Masked => Some(masked(value)),
            Self::Hidden => None,
        }
    }
}

/// What stands for the part that is not shown, however long it is.
const STARS: &str = "****";

/// A phone number: the first three and the last four digits of eleven or more; less of a shorter one. A country code that
/// is written with + stays.
pub fn phone(value: &str) -> String {
    let value = value.trim();
    if value.is_empty() {
        return String::new();
    }
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '+' | '-' | '(' | ')' | '.');
    if !value.chars().all(|c| c.is_ascii_digit() || is_mark(c)) {
        return id(value);
    }
    let digits: Vec<char> = value.chars().filter(char::is_ascii_digit).collect();
    // China's own numbers have eleven digits, with 86 before them where they are written for abroad.
    let code = match (value.starts_with('+'), digits.as_slice()) {
        (true, ['8', '6', rest @ ..]) if rest.len() == 11 => 2,
        _ => 0,
    };
    let (code, number) = digits.split_at(code);
    let (first, last) = match number.len() {
        11.. => (3, 4),
        8..=10 => (2, 2),
        5..=7 => (0, 2),
        _ => (0, 0),
    };
    let plus = if value.starts_with('+') { "+" } else { "" };
    let text = |part: &[char]| part.iter().collect::<String>();
    let last = number.len() - last;
    format!("{plus}{}{}{STARS}{}", text(code), text(&number[..first]), text(&number[last..]))
}

/// An e-mail address: the first character and the domain; of a single character only the domain.
pub fn email(value: &str) -> String {
    let value = value.trim();
    let Some((who, domain)) = value.rsplit_once('@').filter(|(_, domain)| !domain.is_empty()) else {
        return id(value);
    };
    let mut characters = who.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(_)) => format!("{first}***@{domain}"),
        _ => format!("***@{domain}"),
    }
}

/// A name: the first character and a star, whatever follows; of a single character only the star.
pub fn name(value: &str) -> String {
    let seen = |c: &char| !c.is_whitespace() && !c.is_control() && !is_unseen(*c);
    let mut characters = value.chars().filter(seen);
    match (characters.next(), characters.next()) {
        (None, _) => String::new(),
        (Some(_), None) => "＊".to_owned(),
        (Some(first), Some(_)) => format!("{first}＊"),
    }
}

/// Characters that nobody sees: joiners, marks of direction, variants, and a mark at the head of text.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Any other identifier: the last four characters of eight or more; nothing of a shorter one.
pub fn id(value: &str) -> String {
    let characters: Vec<char> = value.trim().chars().collect();
    match characters.len() {
        0 => String::new(),
        1..=7 => STARS.to_owned(),
        n => format!("{STARS}{}", characters[n - 4..].iter().collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mask: fn(&str) -> String, cases: &[(&str, &str)]) {
        for (value, expected) in cases {
            assert_eq!(mask(value), *expected, "{value:?}");
        }
    }

    #[test]
    fn a_phone_number_keeps_its_ends() {
        check(
            phone,
            &[
                ("13812341234", "138****1234"),
                ("+8613812341234", "+86138****1234"),
                ("+86 138-1234-1234", "+86138****1234"),
                ("8613812341234", "861****1234"),
                (" 13812341234 ", "138****1234"),
                ("+14155550123", "+141****0123"),
                ("02112345678", "021****5678"),
                ("12345678", "12****78"),
                ("1234567", "****67"),
                ("12345", "****45"),
                ("1234", "****"),
                ("1", "****"),
                ("", ""),
                ("  ", ""),
                ("+", "+****"),
                // No phone number at all.
                ("not a phone 138", "**** 138"),
                ("１３８１２３４１２３４", "****１２３４"),
                ("📱", "****"),
            ],
        );
    }

    #[test]
    fn an_address_keeps_its_first_character_and_its_domain() {
        check(
            email,
            &[
                ("alice@b.com", "a***@b.com"),
                ("ab@b.com", "a***@b.com"),
                ("a@b.com", "***@b.com"),
                ("@b.com", "***@b.com"),
                ("张三@例子.cn", "张***@例子.cn"),
                ("\"a@b\"@c.org", "\"***@c.org"),
                ("🎁x@b.com", "🎁***@b.com"),
                ("alice@", "****"),
                ("alice.b.com", "****.com"),
                ("x", "****"),
                ("", ""),
            ],
        );
    }

    #[test]
    fn a_name_keeps_its_first_character() {
        check(
            name,
            &[
                ("张三", "张＊"),
                ("欧阳娜娜", "欧＊"),
                ("张", "＊"),
                (" 李四 ", "李＊"),
                ("Ann Lee", "A＊"),
                ("A", "＊"),
                ("🎁", "＊"),
                ("🎁小王", "🎁＊"),
                ("👨\u{200d}👩\u{200d}👧", "👨＊"),
                // Marks that nobody sees are no first character, and no second one.
                ("\u{202e}张三", "张＊"),
                ("张\u{200b}", "＊"),
                ("", ""),
                (" \t\n", ""),
            ],
        );
    }

    #[test]
    fn an_id_keeps_its_end_if_enough_is_hidden() {
        check(
            id,
            &[
                ("oABCDEF123456", "****3456"),
                ("12345678", "****5678"),
                ("1234567", "****"),
                ("x", "****"),
                ("会员一二三四五六七", "****四五六七"),
                ("🎁🎁🎁🎁🎁🎁🎁🎁", "****🎁🎁🎁🎁"),
                ("", ""),
            ],
        );
    }

    #[test]
    fn a_mask_shows_all_some_or_nothing() {
        for (mask, phone, name) in [
            (Mask::Full, Some("13812341234"), Some("张三")),
            (Mask::Masked, Some("138****1234"), Some("张＊")),
            (Mask::Hidden, None, None),
        ] {
            assert_eq!(mask.identifier("phone", "13812341234").as_deref(), phone);
            assert_eq!(mask.name("张三").as_deref(), name);
        }
        // What a phone number looks like does not matter where it is called something else.
        assert_eq!(Mask::Masked.identifier("user", "13812341234").as_deref(), Some("****1234"));
        assert_eq!(Mask::Masked.identifier("email", "ann@b.com").as_deref(), Some("a***@b.com"));
    }

    /// Whatever it is, what is masked never holds the whole of it.
    #[test]
    fn nothing_that_is_masked_can_be_read() {
        for value in ["1", "ab", "张", "13812341234", "a@b", "😀", "12345678", "张三丰"] {
            for mask in [phone, email, name, id] {
                assert!(!mask(value).contains(value), "{value}: {}", mask(value));
            }
        }
    }
}
