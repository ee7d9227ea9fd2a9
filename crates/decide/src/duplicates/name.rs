//! How names are written, and how two of them agree.
//!
//! A Chinese name is a surname (one character, or one of the known compound ones) and a given name. By the crate
//! `pinyin` (a table of sounds without further dependencies) it has letters too, so that 张伟 meets 章伟 and `Zhang Wei`.
//! Other names are tokens between blanks. Which of them is the surname differs from people to people, so every order of
//! first and last counts.

use pinyin::ToPinyin;

use super::Agreement;
use super::distance::is_within;

/// The most characters of a name that are looked at.
const CHARS_MAX: usize = 60;

/// Surnames of two characters.
const COMPOUND: [&str; 20] = [
    "欧阳", "司马", "诸葛", "上官", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "东方", "西门", "南宫",
    "司徒", "端木", "百里", "长孙", "宇文", "轩辕", "澹台",
];
/// Surnames that sound otherwise than the character does elsewhere.
const SOUNDS: [(char, &str); 12] = [
    ('曾', "zeng"),
    ('单', "shan"),
    ('仇', "qiu"),
    ('解', "xie"),
    ('查', "zha"),
    ('区', "ou"),
    ('盖', "ge"),
    ('朴', "piao"),
    ('翟', "zhai"),
    ('任', "ren"),
    ('尉', "yu"),
    ('乐', "yue"),
];

/// A name, ready to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Lower case, tokens joined.
    pub text: String,
    /// In Latin letters, tokens joined.
    pub letters: String,
    /// The tokens in Latin letters: surname and given name of a Chinese name.
    pub tokens: Vec<String>,
    /// The letters of `letters` in order of the alphabet: the same for every order of tokens and every script.
    pub sorted: String,
    /// Whether it is of Chinese characters.
    is_han: bool,
    /// The text with the surname last.
    turned: String,
}

pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

fn sound(c: char) -> String {
    match c.to_pinyin() {
        // ü is typed as v.
        Some(sound) => sound.plain().replace('ü', "v"),
        None => c.to_string(),
    }
}

/// How the characters of a Chinese name sound, one after the other: the first by how surnames sound.
pub(crate) fn sounds(chars: &[char]) -> Vec<String> {
    let of = |(i, c): (usize, &char)| {
        let known = SOUNDS.iter().find(|(known, _)| i == 0 && known == c);
        known.map_or_else(|| sound(*c), |(_, sound)| (*sound).to_owned())
    };
    chars.iter().enumerate().map(of).collect()
}

/// The words of a name in lower case, of at most so many characters in all.
pub(crate) fn words(given: &str) -> Vec<String> {
    let lower: String = given.chars().take(CHARS_MAX).flat_map(char::to_lowercase).collect();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

impl Name {
    /// A name as it was given; `None` if there is no letter in it.
    pub(super) fn of(given: &str) -> Option<Self> {
        let tokens = words(given);
        let text: String = tokens.concat();
        if !text.chars().any(char::is_alphabetic) {
            return None;
        }
        if text.chars().all(is_han) { Some(Self::han(text)) } else { Some(Self::latin(text, &tokens)) }
    }

    fn han(text: String) -> Self {
        let n_chars = text.chars().count();
        let n_surname = if n_chars > 2 && COMPOUND.iter().any(|c| text.starts_with(c)) { 2 } else { 1 };
        let chars: Vec<char> = text.chars().collect();
        let (surname, given) = chars.split_at(n_surname.min(chars.len()));
        let sounds = sounds(&chars);
        let surname_sound = sounds[..surname.len()].concat();
        let given_sound = sounds[surname.len()..].concat();
        let turned: String = given.iter().chain(surname).collect();
        let letters = format!("{surname_sound}{given_sound}");
        let tokens = [surname_sound, given_sound].into_iter().filter(|token| !token.is_empty()).collect();
        let sorted = sorted(&letters);
        Self { text, sorted, letters, tokens, is_han: true, turned }
    }

    fn latin(text: String, tokens: &[String]) -> Self {
        let tokens: Vec<String> = tokens
            .iter()
            .map(|token| token.chars().map(|c| if c == 'ü' { 'v' } else { c }).collect())
            .collect();
        let letters = tokens.concat();
        let turned = turned(&tokens);
        let sorted = sorted(&letters);
        Self { text, sorted, letters, tokens, is_han: false, turned }
    }

    /// How two names agree, and the part that they share where it is only that.
    pub(super) fn agrees<'n>(&'n self, other: &'n Self) -> (Agreement, Option<&'n str>) {
        if self.text == other.text {
            return (Agreement::Exact, None);
        }
        if self.turned == other.text || self.text == other.turned {
            return (Agreement::Swapped, None);
        }
        let are_both_han = self.is_han && other.is_han;
        if self.letters == other.letters {
            let agreement = if self.is_han || other.is_han { Agreement::Homophone } else { Agreement::Exact };
            return (agreement, None);
        }
        if !are_both_han {
            if turned(&self.tokens) == other.letters || self.letters == turned(&other.tokens) {
                let is_one_script = self.is_han == other.is_han;
                return (if is_one_script { Agreement::Swapped } else { Agreement::Homophone }, None);
            }
            let n_letters = self.letters.len().min(other.letters.len());
            let slips = if n_letters >= 10 { 2 } else { usize::from(n_letters >= 5) };
            if slips > 0 && is_within(&self.letters, &other.letters, slips) {
                return (Agreement::Typo, None);
            }
        } else if self.text.chars().count().max(other.text.chars().count()) >= 3
            && is_within(&self.text, &other.text, 1)
            && self.tokens.first() == other.tokens.first()
        {
            return (Agreement::OneCharacter, self.tokens.first().map(String::as_str));
        }
        let shared = if are_both_han {
            self.tokens.first().filter(|surname| other.tokens.first() == Some(surname))
        } else {
            self.tokens.iter().filter(|token| token.len() > 1 && other.tokens.contains(token)).max()
        };
        match shared {
            Some(token) => (Agreement::Part, Some(token)),
            None => (Agreement::Different, None),
        }
    }
}

/// The tokens with the last one first.
fn turned(tokens: &[String]) -> String {
    match tokens.split_last() {
        Some((last, rest)) => format!("{last}{}", rest.concat()),
        None => String::new(),
    }
}

fn sorted(letters: &str) -> String {
    let mut letters: Vec<char> = letters.chars().collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_as_people_would_say() {
        for (one, other, agreement) in [
            ("王伟", "王 伟", Agreement::Exact),
            ("WANG Wei", "Wang  wei", Agreement::Exact),
            ("王小明", "小明王", Agreement::Swapped),
            ("欧阳翎", "翎欧阳", Agreement::Swapped),
            ("John Smith", "Smith, John", Agreement::Swapped),
            ("张伟", "章伟", Agreement::Homophone),
            ("王小明", "王晓明", Agreement::Homophone),
            ("王小明", "Wang Xiaoming", Agreement::Homophone),
            ("王小明", "Xiaoming Wang", Agreement::Homophone),
            ("王小明", "Xiao Ming Wang", Agreement::Homophone),
            ("曾丽", "Zeng Li", Agreement::Homophone),
            ("吕布", "Lv Bu", Agreement::Homophone),
            ("Jon Smith", "John Smith", Agreement::Typo),
            ("Elizabeth Johnson", "Elisabet Johnson", Agreement::Typo),
            ("王小明", "Wang Xaioming", Agreement::Typo),
            ("王建国", "王建军", Agreement::OneCharacter),
            ("王建国", "王建", Agreement::OneCharacter),
            ("王伟", "王芳", Agreement::Part),
            ("John Smith", "Mary Smith", Agreement::Part),
            ("王伟", "李伟", Agreement::Different),
            ("王伟", "John Smith", Agreement::Different),
        ] {
            let of = |name: &str| Name::of(name).unwrap();
            assert_eq!(of(one).agrees(&of(other)).0, agreement, "{one} / {other}");
            assert_eq!(of(other).agrees(&of(one)).0, agreement, "{other} / {one}");
        }
    }

    #[test]
    fn what_has_no_letters_is_no_name() {
        for text in ["", " ", "123", "--", "🎂"] {
            assert_eq!(Name::of(text), None, "{text:?}");
        }
        let long = Name::of(&"x".repeat(100_000)).unwrap();
        assert_eq!(long.text.len(), CHARS_MAX);
    }
}
