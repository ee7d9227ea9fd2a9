//! Templates as they are registered with a platform, and which of them says a text.
//!
//! Platforms send no text but what a template that they approved comes to, with its variables. A brand writes one text for a message, and
//! registers it with each platform; here what is to be said is held against the templates of an account, and the one that says it, to the
//! letter, is used with what stands in the place of its variables. So whoever reads the record reads what the phone got: a message that
//! no template says is not sent in other words, it is not sent.
//!
//! Words by which people say that they want no more ("拒收请回复R") are the template's, since platforms ask for them there: a text may leave
//! them out.

use super::segments;

/// The longest text with its signature, in characters: the platforms'.
pub const TEXT_CHARS_MAX: usize = 500;
/// The most variables of a template.
const VARIABLES_MAX: usize = 20;
/// The words by which a way out begins, as far as they stand at the end of a text.
const WAYS_OUT: [&str; 13] = [
    "拒收",
    "退订",
    "回复TD",
    "回复T",
    "回复N",
    "回复R",
    "回TD",
    "回T",
    "回N",
    "回R",
    "Reply STOP",
    "Reply T",
    "STOP",
];
/// How long a way out is at most, in characters.
const WAY_OUT_CHARS_MAX: usize = 24;

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// By its name: letters (`name`), or its number (`1`).
    Variable(String),
}

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// By which the platform knows it.
    pub id: String,
    /// Its text as it was registered.
    pub text: String,
    /// The signature that goes with it.
    pub sign: String,
    /// Whether it is for numbers outside of mainland China.
    pub abroad: bool,
    pieces: Vec<Piece>,
    /// The same without the words by which people say that they want no more, where it has any.
    bare: Option<Vec<Piece>>,
}

/// A text as a template says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// What stands in the place of each variable, by its name, in the order of the text; each once.
    pub variables: Vec<(String, String)>,
    /// All that the phone shows, with the signature.
    pub whole: String,
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Cuts a text at its variables; how its platform writes them, `open` says: `${name}` or `{1}`.
fn cut(text: &str, open: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, tail)) = rest.split_once(open) {
        let Some((name, behind)) = tail.split_once('}') else {
            return Err(format!("a variable begins with {open} and has no end"));
        };
        if !is_name(name) {
            return Err(format!("{name:?} is no name of a variable: letters, digits and _"));
        }
        if before.is_empty() && !pieces.is_empty() {
            return Err("between two variables there is a text, else nobody knows where one ends".to_owned());
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Variable(name.to_owned()));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

const fn is_pause(c: char) -> bool {
    matches!(c, ' ' | ',' | '.' | ';' | '!' | '，' | '。' | '；' | '！' | '、' | '(' | '（' | '[' | '【')
}

/// Where the way out begins in the end of a text, with what stands before it.
fn way_out(text: &str) -> Option<usize> {
    let from = text.char_indices().rev().nth(WAY_OUT_CHARS_MAX - 1).map_or(0, |(at, _)| at);
    let tail = text.get(from..)?;
    let found = WAYS_OUT.iter().filter_map(|word| tail.find(word)).min()?;
    Some(from + found)
}

/// The pieces without their way out.
fn bare(pieces: &[Piece]) -> Option<Vec<Piece>> {
    let (Piece::Text(last), before) = pieces.split_last()? else { return None };
    let at = way_out(last)?;
    let kept = last.get(..at)?.trim_end_matches(is_pause);
    let mut bare = before.to_vec();
    if !kept.is_empty() {
        bare.push(Piece::Text(kept.to_owned()));
    }
    Some(bare)
}

/// What stands in the place of each variable where the pieces say a text, whole. The pieces alternate, and a variable is never empty.
fn fit(pieces: &[Piece], text: &str) -> Option<Vec<(String, String)>> {
    let mut variables: Vec<(String, String)> = Vec::new();
    let (mut rest, mut open): (&str, Option<&str>) = (text, None);
    let mut take = |name: &str, value: &str| {
        if value.trim().is_empty() {
            return None;
        }
        match variables.iter().find(|(known, _)| known == name) {
            Some((_, known)) => (known == value).then_some(()),
            None => {
                variables.push((name.to_owned(), value.to_owned()));
                Some(())
            }
        }
    };
    for (n, piece) in pieces.iter().enumerate() {
        let is_last = n + 1 == pieces.len();
        match (piece, open.take()) {
            (Piece::Variable(name), None) => open = Some(name),
            (Piece::Variable(_), Some(_)) => return None,
            (Piece::Text(said), None) => rest = rest.strip_prefix(said.as_str())?,
            (Piece::Text(said), Some(name)) => {
                let after_one = rest.chars().next()?.len_utf8();
                let at = if is_last {
                    rest.strip_suffix(said.as_str())?.len()
                } else {
                    after_one + rest.get(after_one..)?.find(said.as_str())?
                };
                take(name, rest.get(..at)?)?;
                rest = rest.get(at + said.len()..)?;
            }
        }
    }
    match open {
        Some(name) => take(name, rest)?,
        None if !rest.is_empty() => return None,
        None => {}
    }
    Some(variables)
}

impl Template {
    /// A template as it was registered; what is wrong with it, in words. `open` is how its platform's variables begin.
    pub fn new((id, text, sign): (String, String, String), abroad: bool, open: &str) -> Result<Self, String> {
        if text.trim() != text || text.is_empty() || text.chars().count() > TEXT_CHARS_MAX {
            return Err(format!("1 to {TEXT_CHARS_MAX} characters, none of them a space at an end"));
        }
        let pieces = cut(&text, open)?;
        let n_variables = pieces.iter().filter(|piece| matches!(piece, Piece::Variable(_))).count();
        if n_variables > VARIABLES_MAX {
            return Err(format!("at most {VARIABLES_MAX} variables"));
        }
        let bare = bare(&pieces);
        Ok(Self { id, text, sign, abroad, pieces, bare })
    }

    /// Whether it says how to want no more.
    pub fn has_way_out(&self) -> bool {
        self.bare.is_some()
    }

    /// The signature as the phone shows it.
    pub fn signature(&self) -> String {
        match self.sign.as_str() {
            "" => String::new(),
            sign if self.abroad && sign.is_ascii() => format!("[{sign}]"),
            sign => format!("【{sign}】"),
        }
    }

    /// How it says a text; nothing, where it does not.
    pub fn says(&self, text: &str) -> Option<Fit> {
        let text = text.trim();
        let bare = || {
            let pieces = self.bare.as_deref()?;
            let text = text.trim_end_matches(is_pause);
            fit(pieces, text)
        };
        let variables = fit(&self.pieces, text).or_else(bare)?;
        let mut whole = self.signature();
        for piece in &self.pieces {
            whole.push_str(match piece {
                Piece::Text(said) => said,
                Piece::Variable(name) => {
                    variables.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
                }
            });
        }
        (whole.chars().count() <= TEXT_CHARS_MAX).then_some(Fit { variables, whole })
    }

    /// How many parts it is billed as where each variable is so many characters long.
    pub fn parts(&self, variable_chars: usize) -> u32 {
        let mut whole = self.signature();
        for piece in &self.pieces {
            match piece {
                Piece::Text(said) => whole.push_str(said),
                Piece::Variable(_) => whole.push_str(&"0".repeat(variable_chars)),
            }
        }
        segments::parts(&whole, !self.abroad)
    }

    /// Whether a text that a platform shows is this template's: variables may be written in another way there.
    pub fn is(&self, text: &str) -> bool {
        text.trim() == self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::new(("SMS_1".to_owned(), text.to_owned(), "好物".to_owned()), false, "${").unwrap()
    }

    fn said(text: &str, what: &str) -> Option<(Vec<(String, String)>, String)> {
        template(text).says(what).map(|fit| (fit.variables, fit.whole))
    }

    #[test]
    fn a_text_is_said_by_the_template_that_comes_to_it_to_the_letter() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (text, what, variables) in [
            ("您好", "您好", Some(vec![])),
            ("您好", "您好！", None),
            ("${a}您好", "王女士您好", Some(vec![pair("a", "王女士")])),
            ("${a}您好", "您好", None),
            ("码${a}", "码1234", Some(vec![pair("a", "1234")])),
            ("码${a}", "码 ", None),
            (
                "${a}，满${b}减${c}。",
                "王，满68减10。",
                Some(vec![pair("a", "王"), pair("b", "68"), pair("c", "10")]),
            ),
            ("${a}和${a}", "甲和甲", Some(vec![pair("a", "甲")])),
            ("${a}和${a}", "甲和乙", None),
            // A way out that the text leaves out is the template's.
            ("${a}有券。拒收请回复R", "王有券。", Some(vec![pair("a", "王")])),
            ("${a}有券，拒收请回复R", "王有券", Some(vec![pair("a", "王")])),
            ("${a}有券，拒收请回复R", "王有券，拒收请回复R", Some(vec![pair("a", "王")])),
            ("会员日${a} 回T退订", "会员日10点", Some(vec![pair("a", "10点")])),
        ] {
            let found = said(text, what);
            assert_eq!(found.clone().map(|(variables, _)| variables), variables, "{text} {what}");
        }
        let (_, whole) = said("${a}有券，拒收请回复R", "王有券").unwrap();
        assert_eq!(whole, "【好物】王有券，拒收请回复R");
    }

    #[test]
    fn a_way_out_is_known_at_the_end_and_nowhere_else() {
        for (text, has) in [
            ("满68减10，拒收请回复R", true),
            ("满68减10，回T退订", true),
            ("满68减10。退订回TD", true),
            ("满68减10（回复N退订）", true),
            ("您的退订申请已受理，三个工作日内生效，如有疑问请致电客服中心四零零八", false),
            ("您好", false),
            ("${a}", false),
        ] {
            assert_eq!(template(text).has_way_out(), has, "{text}");
        }
    }

    #[test]
    fn a_template_whose_variables_nobody_could_tell_apart_is_refused() {
        let new = |text: &str, open: &str| {
            Template::new(("1".to_owned(), text.to_owned(), String::new()), false, open).map(|_| ())
        };
        for wrong in ["", " a", "${a}${b}", "${a", "${}", "${a b}"] {
            assert!(new(wrong, "${").is_err(), "{wrong}");
        }
        assert_eq!(new("{1}，{2}", "{"), Ok(()));
        assert!(new("{1}{2}", "{").is_err());
    }
}
