//! What is said: messages of the playbook with the variables of a member, as the outbox keeps them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use zhiyin_decide::campaign::VARIABLES;
use zhiyin_model::playbook::campaign::Message;
use zhiyin_model::playbook::{Language, Playbook, Problem};
use zhiyin_reach::template::{self, Templates};

/// In which language somebody is spoken to: their own, where the brand speaks it, else the brand's first.
fn language(playbook: &Playbook, variables: &BTreeMap<String, String>) -> Language {
    let own = match variables.get("member.language").map(String::as_str) {
        Some("zh") => Some(Language::Zh),
        Some("en") => Some(Language::En),
        _ => None,
    };
    let spoken = own.filter(|own| playbook.languages.contains(own));
    spoken.or(playbook.languages.first().copied()).unwrap_or_default()
}

/// What is said under a version of a playbook, read once: a message in each of its languages.
#[derive(Debug)]
pub(crate) struct Said(Templates);

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
        Self(Templates::read(texts))
    }

    /// A message as it is said. Where one fails for a member, nothing is said in its place.
    pub(crate) fn text(
        &self,
        playbook: &Playbook,
        message: &str,
        variables: &BTreeMap<String, String>,
    ) -> String {
        let called = called(message, language(playbook, variables));
        self.0.render(&called, variables).unwrap_or_else(|error| {
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
        let text = Some(self.text(playbook, message, variables)).filter(|text| !text.trim().is_empty())?;
        let called = called(message, language(playbook, variables));
        let variables: BTreeMap<&str, &str> = self.0.names(&called, variables).collect();
        Some(json!({"persona": persona, "text": text, "variables": variables}).to_string())
    }
}

/// What a text may name, with examples.
fn examples(playbook: &Playbook) -> BTreeMap<String, String> {
    let mut known: BTreeMap<String, String> =
        VARIABLES.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    known.extend(playbook.attributes.keys().map(|name| (format!("member.{name}"), "1".to_owned())));
    known
}

/// Messages that say something of the coupon of their run: where there is none they are not sent.
pub(crate) fn of_coupons(playbook: &Playbook) -> BTreeSet<String> {
    let known = examples(playbook);
    let texts = |message: &Message| [message.text.zh.clone(), message.text.en.clone()];
    let needs = |message: &Message| {
        texts(message).into_iter().flatten().any(|text| template::needs(&text, &known, "coupon"))
    };
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
