//! What is said: messages of the playbook with the variables of a member, as the outbox keeps them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use zhiyin_decide::campaign::VARIABLES;
use zhiyin_model::id::IdKey;
use zhiyin_model::link::{Followed, Link, LinkCode};
use zhiyin_model::playbook::campaign::Message;
use zhiyin_model::playbook::{Language, Playbook, Problem};
use zhiyin_model::run::Note;
use zhiyin_reach::template::{self, Templates};

use crate::links;

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
pub(crate) struct Said {
    templates: Templates,
    /// Pages of the section `links` that each names.
    pages: BTreeMap<String, Vec<String>>,
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
        let texts: Vec<(String, &str)> = texts.collect();
        let templates = Templates::read(texts.iter().cloned());
        let known: BTreeMap<String, String> =
            links::names(&playbook.links).map(|name| (name, String::new())).collect();
        let pages = texts.into_iter().filter_map(|(called, _)| {
            let named = templates.names(&called, &known);
            let pages: Vec<String> =
                named.filter_map(|(name, _)| name.strip_prefix(links::GROUP)).map(str::to_owned).collect();
            (!pages.is_empty()).then_some((called, pages))
        });
        let pages = pages.collect();
        Self { templates, pages }
    }

    /// The short links that stand in something said: one for each page and message that is sent, which is among its variables from
    /// here on.
    pub(crate) fn links(
        &self,
        playbook: &Playbook,
        key: &IdKey,
        note: &Note,
        variables: &mut BTreeMap<String, String>,
    ) -> Vec<Link> {
        let called = called(&note.message, language(playbook, variables));
        let pages = self.pages.get(&called).into_iter().flatten();
        let links = pages.filter_map(|id| Some((id, playbook.links.pages.get(id)?))).map(|(id, page)| {
            let code = LinkCode::of(key, &[b"note", note.id.bytes(), id.as_bytes()]);
            variables.insert(
                format!("{}{id}", links::GROUP),
                links::url(&playbook.links, Followed::Clicked, &code),
            );
            Link {
                campaign: Some(note.campaign.clone()),
                message: Some(note.message.clone()),
                ..links::of_member(code, (id, page), note.member, note.at)
            }
        });
        links.collect()
    }

    /// Links as they stand in what nobody is sent: they lead nowhere.
    pub(crate) fn shown(playbook: &Playbook, variables: &mut BTreeMap<String, String>) {
        let way = Followed::Clicked.letter();
        let names = links::names(&playbook.links);
        variables.extend(names.map(|name| (name, format!("{}/{way}/…", playbook.links.address))));
    }

    /// A message as it is said. Where one fails for a member, nothing is said in its place.
    pub(crate) fn text(
        &self,
        playbook: &Playbook,
        message: &str,
        variables: &BTreeMap<String, String>,
    ) -> String {
        let called = called(message, language(playbook, variables));
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
        let text = Some(self.text(playbook, message, variables)).filter(|text| !text.trim().is_empty())?;
        let called = called(message, language(playbook, variables));
        let variables: BTreeMap<&str, &str> = self.templates.names(&called, variables).collect();
        Some(json!({"persona": persona, "text": text, "variables": variables}).to_string())
    }
}

/// What a text may name, with examples.
fn examples(playbook: &Playbook) -> BTreeMap<String, String> {
    let mut known: BTreeMap<String, String> =
        VARIABLES.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    known.extend(playbook.attributes.keys().map(|name| (format!("member.{name}"), "1".to_owned())));
    Said::shown(playbook, &mut known);
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
