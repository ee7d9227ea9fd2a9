//! What things are called, in each language of the brand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A language the console and the brand's messages speak.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// 中文.
    #[default]
    Zh,
    /// English.
    En,
}

/// A name in each language; a missing one falls back to the other, then to the id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Names {
    /// In Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zh: Option<String>,
    /// In English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

impl Names {
    /// The name in a language, else in the other, else the id.
    pub fn in_language<'a>(&'a self, language: Language, id: &'a str) -> &'a str {
        let (first, second) = match language {
            Language::Zh => (&self.zh, &self.en),
            Language::En => (&self.en, &self.zh),
        };
        first.as_deref().or(second.as_deref()).unwrap_or(id)
    }

    /// Whether it is called nothing in any language.
    pub fn is_nothing(&self) -> bool {
        self.zh.is_none() && self.en.is_none()
    }

    /// The names of a thing that has one in each language.
    pub fn both(zh: &str, en: &str) -> Self {
        Self { zh: Some(zh.to_owned()), en: Some(en.to_owned()) }
    }
}
