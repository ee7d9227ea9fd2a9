//! What is said: messages of the playbook with the variables of a member, as the outbox keeps them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use zhiyin_decide::campaign::VARIABLES;
use zhiyin_decide::campaign::text::Texts;
use zhiyin_model::playbook::campaign::Message;
use zhiyin_model::playbook::{Language, Playbook, Problem};
use zhiyin_reach::template::{self, Answer, Templates};

/// What is said under a version of a playbook, read once: a message in each of its languages.
#[derive(Debug)]
pub(crate) struct Said {
    templates: Templates,
    /// What the brand speaks, its first language first.
    languages: Vec<Language>,
    /// Messages that say something of the coupon of their run without asking whether there is one.
    of_coupons: BTreeSet<String>,
    /// Messages that decide by their member what they say, or whether they are said.
    deciding: BTreeSet<String>,
}

/// What a message is called in a language.
fn called(message: &str, language: Language) -> String {
    format!("{message} {}", if language == Language::En { "en" } else { "zh" })
}

impl Said {
    /// Reads the messages of a playbook, which were checked when it was applied.
    pub(crate) fn of(playbook: &Playbook) -> Self {
        let texts = playbook.messages.iter().flat_map(|(id, message)| {
            [Language::Zh, Language::En].map(|of| (called(id, of), message.text.in_language(of, "")))
        });
        let decides = |message: &Message| texts_of(message).any(|text| template::decides(text));
        let deciding = playbook.messages.iter().filter(|(_, message)| decides(message));
        Self {
            templates: Templates::read(texts),
            languages: playbook.languages.clone(),
            of_coupons: of_coupons(playbook),
            deciding: deciding.map(|(id, _)| id.clone()).collect(),
        }
    }

    /// What a message is called in the language in which somebody is spoken to: their own, where the brand speaks it, else the
    /// brand's first.
    fn called(&self, message: &str, variables: &BTreeMap<String, String>) -> String {
        let own = match variables.get("member.language").map(String::as_str) {
            Some("zh") => Some(Language::Zh),
            Some("en") => Some(Language::En),
            _ => None,
        };
        let spoken = own.filter(|own| self.languages.contains(own));
        called(message, spoken.or(self.languages.first().copied()).unwrap_or_default())
    }

    /// A message as it is said. Where one fails for a member, or decides not to be said to them, nothing is said in its place.
    pub(crate) fn text(&self, message: &str, variables: &BTreeMap<String, String>) -> String {
        let called = self.called(message, variables);
        self.templates.render(&called, variables).unwrap_or_else(|error| {
            tracing::error!(message, %error, "a message could not be made");
            String::new()
        })
    }

    /// A row of the outbox: the text, what it was made of (and nothing else of its member), and who says it; none where it says
    /// nothing.
    pub(crate) fn body(
        &self,
        playbook: &Playbook,
        message: &str,
        variables: &BTreeMap<String, String>,
    ) -> Option<String> {
        let persona = playbook.messages.get(message).and_then(|terms| terms.persona.clone());
        let text = Some(self.text(message, variables)).filter(|text| !text.trim().is_empty())?;
        let called = self.called(message, variables);
        let variables: BTreeMap<&str, &str> = self.templates.names(&called, variables).collect();
        Some(json!({"persona": persona, "text": text, "variables": variables}).to_string())
    }
}

impl Texts for Said {
    fn needs_coupon(&self, message: &str) -> bool {
        self.of_coupons.contains(message)
    }

    fn decides(&self, message: &str) -> bool {
        self.deciding.contains(message)
    }

    fn refuses(&self, message: &str, variables: &BTreeMap<String, String>) -> Option<String> {
        match self.templates.answer(&self.called(message, variables), variables) {
            Ok(Answer::Says(text)) if text.trim().is_empty() => Some("it says nothing to them".to_owned()),
            Ok(Answer::Says(_)) => None,
            Ok(Answer::Aborts(reason)) => Some(reason),
            Err(_) => Some("it does not read of them".to_owned()),
        }
    }
}

/// A message's texts, in whatever languages it has.
fn texts_of(message: &Message) -> impl Iterator<Item = &str> {
    [&message.text.zh, &message.text.en].into_iter().flatten().map(String::as_str)
}

/// What a text may name, with examples.
fn examples(playbook: &Playbook) -> BTreeMap<String, String> {
    let mut known: BTreeMap<String, String> =
        VARIABLES.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    known.extend(playbook.attributes.keys().map(|name| (format!("member.{name}"), "1".to_owned())));
    known
}

/// Messages that say something of the coupon of their run: where there is none they are not sent.
fn of_coupons(playbook: &Playbook) -> BTreeSet<String> {
    let known = examples(playbook);
    let needs = |message: &Message| texts_of(message).any(|text| template::needs(text, &known, "coupon"));
    playbook.messages.iter().filter(|(_, message)| needs(message)).map(|(id, _)| id.clone()).collect()
}

/// What is wrong with the messages of a playbook.
pub(crate) fn problems(file: &str, playbook: &Playbook) -> Vec<Problem> {
    let known = examples(playbook);
    let mut problems = Vec::new();
    for (id, message) in &playbook.messages {
        for (language, text) in [("zh", &message.text.zh), ("en", &message.text.en)] {
            let Some(Err(error)) = text.as_ref().map(|text| template::check(text, &known)) else { continue };
            problems.push(Problem {
                file: file.to_owned(),
                line: 1,
                column: 1,
                path: format!("messages.{id}.text.{language}"),
                message: format!("the text does not read: {error}"),
                allowed: Some(known.keys().cloned().collect::<Vec<_>>().join(", ")),
            });
        }
    }
    problems
}
