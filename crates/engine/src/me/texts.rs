//! Codes as short messages: in words that are registered with the platforms as a template, by whichever of the brand's accounts is first
//! to take them.

use async_trait::async_trait;
use serde::Deserialize;
use zhiyin_reach::channel::Handed;

use super::Texts;
use crate::clock;
use crate::sends::receipts::{Sender, say};

/// What stands in the place of the code.
const PLACE: &str = "{code}";
/// The longest text, in characters.
const CHARS_MAX: usize = 200;

/// What is said with a code, in both languages, with `{code}` in its place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            zh: "您的验证码是{code}，5分钟内有效，请勿告诉他人。".to_owned(),
            en: "Your code is {code}. It is good for 5 minutes; tell nobody.".to_owned(),
        }
    }
}

impl Words {
    /// What cannot be said, by its field.
    pub fn problem(&self) -> Option<(&'static str, String)> {
        let wrong = |text: &String| text.matches(PLACE).count() != 1 || text.chars().count() > CHARS_MAX;
        let field = [("zh", &self.zh), ("en", &self.en)].into_iter().find(|(_, text)| wrong(text))?.0;
        Some((field, format!("at most {CHARS_MAX} characters, with {PLACE} once")))
    }

    fn said(&self, code: &str, english: bool) -> String {
        if english { &self.en } else { &self.zh }.replace(PLACE, code)
    }
}

/// Texts codes by the brand's accounts.
pub struct ByText {
    senders: Vec<Sender>,
    words: Words,
}

impl ByText {
    /// By these accounts, in these words; nothing, where there is none.
    pub fn of(senders: Vec<Sender>, words: Words) -> Option<Self> {
        (!senders.is_empty()).then_some(Self { senders, words })
    }
}

#[async_trait]
impl Texts for ByText {
    async fn code(&self, phone: &str, code: &str, english: bool) -> bool {
        // Whoever has registered the one language only says it in that one.
        for english in [english, !english] {
            match say(&self.senders, phone, &self.words.said(code, english), clock::wall()).await {
                // What nobody knows of may have arrived: whoever waits for it in vain asks again.
                Handed::Taken { .. } | Handed::Unknown { .. } => return true,
                Handed::Later { code, .. } => {
                    tracing::warn!(why = code, "a code was not texted");
                    return false;
                }
                Handed::Refused { code, .. } => tracing::warn!(why = code, english, "a code was not texted"),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_the_code_once() {
        assert_eq!(Words::default().problem(), None);
        assert_eq!(
            Words::default().said("012345", true),
            "Your code is 012345. It is good for 5 minutes; tell nobody."
        );
        for (zh, en, field) in [("x", "{code}", "zh"), ("{code}", "{code}{code}", "en"), ("{code}", "", "en")]
        {
            let words = Words { zh: zh.to_owned(), en: en.to_owned() };
            assert_eq!(words.problem().map(|(field, _)| field), Some(field), "{zh} {en}");
        }
    }
}
