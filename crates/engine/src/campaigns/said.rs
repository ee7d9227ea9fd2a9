//! What is said: messages of the playbook with the variables of a member, as the outbox keeps them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use zhiyin_decide::campaign::VARIABLES;
use zhiyin_decide::campaign::text::Texts;
use zhiyin_model::id::{IdKey, RunId};
use zhiyin_model::link::{Followed, Link, LinkCode};
use zhiyin_model::playbook::campaign::{
    Allows, EMAIL, Form, Message, OUTSIDE, SMS, WECHAT, WECHAT_MINI, WECOM,
};
use zhiyin_model::playbook::{Language, Names, Playbook, Problem};
use zhiyin_model::run::Saying;
use zhiyin_reach::template::{self, Answer, Templates};
use zhiyin_reach::{channel, mjml};

use crate::links;

/// What a language is called in short.
fn code(language: Language) -> &'static str {
    if language == Language::En { "en" } else { "zh" }
}

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Text,
    Subject,
    Html,
    /// What a short message says in place of the text.
    Sms,
}

impl Part {
    /// What is said on a channel: short messages say their own text, where they have one.
    const fn on(channel: &str, has_sms: bool) -> &'static [Self] {
        match channel.as_bytes() {
            b"sms" if has_sms => &[Self::Sms],
            b"email" | b"wecom" => &[Self::Text, Self::Subject, Self::Html],
            _ => &[Self::Text],
        }
    }
}

/// What a part of a message is called in a language.
fn called(message: &str, language: Language, part: Part) -> String {
    let language = code(language);
    let part = match part {
        Part::Text => "",
        Part::Subject => " subject",
        Part::Html => template::HTML,
        Part::Sms => " sms",
    };
    format!("{message} {language}{part}")
}

/// What a message has, part by part.
fn parts(message: &Message) -> impl Iterator<Item = (Part, &Names)> {
    let all = [
        (Part::Text, Some(&message.text)),
        (Part::Subject, message.subject.as_ref()),
        // What it is written in is read where it is said or checked: here are its tags.
        (Part::Html, message.html.as_ref().or(message.mjml.as_ref())),
        (Part::Sms, message.sms.as_ref()),
    ];
    all.into_iter().filter_map(|(part, said)| Some((part, said?)))
}

/// Channels that take forms, with what a message fills there.
fn forms(message: &Message) -> impl Iterator<Item = (&'static str, &Form)> {
    [WECHAT, WECHAT_MINI].into_iter().filter_map(|channel| Some((channel, message.form(channel)?)))
}

/// What is filled in of a form: its fields, and where it leads.
fn blanks(form: &Form) -> impl Iterator<Item = (&str, &Names)> {
    let fields = form.fields.iter().map(|(name, said)| (name.as_str(), said));
    fields.chain(form.page.as_ref().map(|page| (PAGE, page)))
}

/// What a field of a form is called as a template in a language.
fn called_blank(message: &str, language: Language, (channel, blank): (&str, &str)) -> String {
    format!("{message} {} {channel} {blank}", code(language))
}

/// A part of a message as a template: what is written in MJML is made into its page here, once for a version. What does not read was
/// refused when the playbook was checked, and says nothing.
fn page_of<'m>(message: &Message, part: Part, source: &'m str) -> Cow<'m, str> {
    if part != Part::Html || message.mjml.is_none() || source.is_empty() {
        return Cow::Borrowed(source);
    }
    Cow::Owned(mjml::html(source).unwrap_or_default())
}

/// What a form's page is called among its fields: no field is called so, since those are ids.
const PAGE: &str = "-page";

/// The longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 200;

/// What is said under a version of a playbook, read once: a message in each of its languages.
#[derive(Debug)]
pub(crate) struct Said {
    templates: Templates,
    /// What the brand speaks, its first language first.
    languages: Vec<Language>,
    /// Messages that say something of the coupon of their run without asking whether there is one.
    of_coupons: BTreeSet<String>,
    /// Messages that decide by their member what they say, or whether they are said, with their parts.
    deciding: BTreeMap<String, Vec<Part>>,
    /// Pages of the section `links` that each template names.
    pages: BTreeMap<String, Vec<String>>,
    /// Links as they stand in what nobody is sent.
    links: BTreeMap<String, String>,
    /// Messages that have a text of their own for short messages.
    short: BTreeSet<String>,
}

impl Said {
    /// Reads the messages of a playbook, which were checked when it was applied.
    pub(crate) fn of(playbook: &Playbook) -> Self {
        let texts = playbook.messages.iter().flat_map(|(id, message)| {
            parts(message).flat_map(move |(part, said)| {
                let in_each = [Language::Zh, Language::En].into_iter();
                in_each
                    .map(move |of| (called(id, of, part), page_of(message, part, said.in_language(of, ""))))
            })
        });
        let blanks = playbook.messages.iter().flat_map(|(id, message)| {
            let all = forms(message)
                .flat_map(|(channel, form)| blanks(form).map(move |(name, said)| ((channel, name), said)));
            all.flat_map(move |(blank, said)| {
                let text = move |of| (called_blank(id, of, blank), Cow::Borrowed(said.in_language(of, "")));
                [Language::Zh, Language::En].into_iter().map(text)
            })
        });
        let texts: Vec<(String, Cow<'_, str>)> = texts.chain(blanks).collect();
        let templates = Templates::read(texts.iter().map(|(called, text)| (called.clone(), text.as_ref())));
        let mut links = BTreeMap::new();
        Self::shown(playbook, &mut links);
        let pages = texts.into_iter().filter_map(|(called, _)| {
            let named = templates.names(&called, &links);
            let pages: Vec<String> =
                named.filter_map(|(name, _)| name.strip_prefix(links::GROUP)).map(str::to_owned).collect();
            (!pages.is_empty()).then_some((called, pages))
        });
        let pages = pages.collect();
        let decides = |message: &Message| texts_of(message).any(template::decides);
        let deciding = playbook.messages.iter().filter(|(_, message)| decides(message));
        Self {
            languages: playbook.languages.clone(),
            of_coupons: of_coupons(playbook),
            deciding: deciding
                .map(|(id, message)| (id.clone(), parts(message).map(|(part, _)| part).collect()))
                .collect(),
            templates,
            pages,
            links,
            short: playbook
                .messages
                .iter()
                .filter(|(_, message)| message.sms.is_some())
                .map(|(id, _)| id.clone())
                .collect(),
        }
    }

    /// In which language somebody is spoken to: their own, where the brand speaks it, else the brand's first.
    fn language(&self, variables: &BTreeMap<String, String>) -> Language {
        let own = match variables.get("member.language").map(String::as_str) {
            Some("zh") => Some(Language::Zh),
            Some("en") => Some(Language::En),
            _ => None,
        };
        let spoken = own.filter(|own| self.languages.contains(own));
        spoken.or(self.languages.first().copied()).unwrap_or_default()
    }

    /// The short links that stand in something said: one for each page and message that is sent, which is among its variables from
    /// here on.
    pub(crate) fn links(&self, playbook: &Playbook, key: &IdKey, saying: &mut Saying) -> Vec<Link> {
        let (note, variables) = (&saying.note, &mut saying.variables);
        let language = self.language(variables);
        let terms = playbook.messages.get(&note.message);
        let said = Part::on(&note.channel, terms.is_some_and(|terms| terms.sms.is_some()));
        let card = terms.and_then(|terms| terms.card.as_ref());
        let channel = note.channel.as_str();
        let form = terms.and_then(|terms| terms.form(channel));
        let of_form = form.into_iter().flat_map(blanks);
        let of_form = of_form.map(|(blank, _)| called_blank(&note.message, language, (channel, blank)));
        let pages: BTreeSet<&String> = said
            .iter()
            .map(|part| called(&note.message, language, *part))
            .chain(of_form)
            .filter_map(|called| self.pages.get(&called))
            .flatten()
            .chain(card.filter(|_| note.channel == WECOM))
            .collect();
        let pages = pages.into_iter();
        let links = pages.filter_map(|id| Some((id, playbook.links.pages.get(id)?))).map(|(id, page)| {
            let code = LinkCode::of_note(key, note.id, id);
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

    /// Pages that a message's text leads to, in the brand's first language.
    pub(crate) fn pages_of(&self, message: &str) -> &[String] {
        let called = called(message, self.language(&BTreeMap::new()), Part::Text);
        self.pages.get(&called).map_or(&[], Vec::as_slice)
    }

    /// A message as it is said on a channel.
    pub(crate) fn text_on(
        &self,
        message: &str,
        channel: &str,
        variables: &BTreeMap<String, String>,
    ) -> String {
        let part = if channel == SMS && self.short.contains(message) { Part::Sms } else { Part::Text };
        self.part((message, part), variables)
    }

    /// A message as it is said. Where one fails for a member, or decides not to be said to them, nothing is said in its place.
    pub(crate) fn text(&self, message: &str, variables: &BTreeMap<String, String>) -> String {
        self.part((message, Part::Text), variables)
    }

    fn part(&self, (message, part): (&str, Part), variables: &BTreeMap<String, String>) -> String {
        self.rendered(message, &called(message, self.language(variables), part), variables)
    }

    fn rendered(&self, message: &str, called: &str, variables: &BTreeMap<String, String>) -> String {
        self.templates.render(called, variables).unwrap_or_else(|error| {
            tracing::error!(message, %error, "a message could not be made");
            String::new()
        })
    }

    /// A form as it is filled in for somebody.
    fn filled(
        &self,
        form: &Form,
        (message, channel): (&str, &str),
        variables: &BTreeMap<String, String>,
    ) -> channel::Form {
        let language = self.language(variables);
        let filled = |blank: &str| {
            self.rendered(message, &called_blank(message, language, (channel, blank)), variables)
        };
        let fields = form.fields.iter().map(|(name, _)| (name.clone(), filled(name)));
        let page = form.page.as_ref().map(|_| filled(PAGE)).filter(|page| !page.trim().is_empty());
        let allows = match form.allows {
            Allows::Always => channel::Allows::Always,
            Allows::Once => channel::Allows::Once,
            Allows::Standing => channel::Allows::Standing,
        };
        let (account, template) = (form.account.clone(), form.template.clone());
        channel::Form { account, template, allows, fields: fields.collect(), page }
    }

    /// A row of the outbox: the text, what it was made of (and nothing else of its member), and who says it; none where it says
    /// nothing. What leaves the home says its language and its run too, and has a subject and HTML where its channel has.
    pub(crate) fn body(&self, playbook: &Playbook, saying: &Saying) -> Option<String> {
        let (message, variables) = (saying.note.message.as_str(), &saying.variables);
        let terms = playbook.messages.get(message);
        let persona = terms.and_then(|terms| terms.persona.as_deref());
        let said = Part::on(&saying.note.channel, terms.is_some_and(|terms| terms.sms.is_some()));
        let own = said.first().copied().unwrap_or(Part::Text);
        let text = Some(self.part((message, own), variables)).filter(|text| !text.trim().is_empty())?;
        let (language, mut named) = (self.language(variables), BTreeMap::new());
        let all = terms.into_iter().flat_map(parts).map(|(part, _)| part);
        let is_outside = OUTSIDE.contains(&saying.note.channel.as_str());
        for part in all.filter(|part| said.contains(part)) {
            named.extend(self.templates.names(&called(message, language, part), variables));
        }
        let channel = saying.note.channel.as_str();
        let form = terms.and_then(|terms| terms.form(channel));
        for (blank, _) in form.into_iter().flat_map(blanks) {
            named.extend(self.templates.names(&called_blank(message, language, (channel, blank)), variables));
        }
        let mut body = Body { persona, text, variables: named, ..Body::default() };
        body.form = form.map(|form| self.filled(form, (message, channel), variables));
        if is_outside {
            body.language = Some(code(language));
            (body.run, body.place) = (Some(saying.run), Some(saying.place.as_str()));
        }
        if saying.note.channel == EMAIL {
            let subject = self.part((message, Part::Subject), variables);
            let is_breaking = |c: char| c.is_control();
            let subject: String = subject.replace(is_breaking, " ").chars().take(SUBJECT_CHARS_MAX).collect();
            body.subject = Some(subject.trim().to_owned());
            if terms.is_some_and(|terms| terms.html.is_some() || terms.mjml.is_some()) {
                body.html = Some(self.part((message, Part::Html), variables));
            }
        }
        if let Some(terms) = terms.filter(|_| saying.note.channel == WECOM) {
            body.poster = terms.poster.as_deref();
            let page = terms.card.as_ref().and_then(|id| Some((id, playbook.links.pages.get(id)?)));
            if let Some((id, page)) = page
                && let Some(url) = variables.get(&format!("{}{id}", links::GROUP))
            {
                body.card = Some(Card { title: page.name.in_language(language, id), url });
            }
        }
        // Texts by texts serialize.
        serde_json::to_string(&body).ok()
    }
}

/// The body of a row of the outbox, its fields in the order of their names.
#[derive(Default, Serialize)]
struct Body<'b> {
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<Card<'b>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<channel::Form>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'static str>,
    persona: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    poster: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    text: String,
    variables: BTreeMap<&'b str, &'b str>,
}

/// A page that a message shows as a card.
#[derive(Serialize)]
struct Card<'b> {
    title: &'b str,
    url: &'b str,
}

impl Texts for Said {
    fn needs_coupon(&self, message: &str) -> bool {
        self.of_coupons.contains(message)
    }

    fn decides(&self, message: &str) -> bool {
        self.deciding.contains_key(message)
    }

    fn refuses(&self, message: &str, variables: &BTreeMap<String, String>) -> Option<String> {
        let language = self.language(variables);
        let mut variables = variables.clone();
        // Which links it would bear is not known before it is said.
        variables.extend(self.links.clone());
        self.deciding.get(message)?.iter().find_map(|part| {
            match self.templates.answer(&called(message, language, *part), &variables) {
                Ok(Answer::Says(text)) if *part == Part::Text && text.trim().is_empty() => {
                    Some("it says nothing to them".to_owned())
                }
                Ok(Answer::Says(_)) => None,
                Ok(Answer::Aborts(reason)) => Some(reason),
                Err(_) => Some("it does not read of them".to_owned()),
            }
        })
    }
}

/// A message's texts, of each of its parts and in whatever languages it has.
fn texts_of(message: &Message) -> impl Iterator<Item = &str> {
    let of_forms = forms(message).flat_map(|(_, form)| blanks(form)).map(|(_, said)| said);
    let all = parts(message).map(|(_, said)| said).chain(of_forms);
    all.flat_map(|said| [&said.zh, &said.en].into_iter().flatten().map(String::as_str))
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
fn of_coupons(playbook: &Playbook) -> BTreeSet<String> {
    let known = examples(playbook);
    let needs = |message: &Message| texts_of(message).any(|text| template::needs(text, &known, "coupon"));
    playbook.messages.iter().filter(|(_, message)| needs(message)).map(|(id, _)| id.clone()).collect()
}

/// What is wrong with a part of a message in a language.
fn wrong(message: &Message, part: Part, text: &str, known: &BTreeMap<String, String>) -> Option<String> {
    if let Err(error) = template::check(text, known) {
        return Some(error.to_string());
    }
    if part != Part::Html || message.mjml.is_none() {
        return None;
    }
    match mjml::html(text) {
        Err(error) => Some(error.to_string()),
        // With the examples, so that what is never said is known before it is live.
        Ok(page) => {
            let name = format!("page{}", template::HTML);
            let said = template::check_escaped(&page, known)
                .and_then(|()| Templates::read([(name.clone(), page.as_str())]).answer(&name, known));
            said.err().map(|error| format!("as a page: {error}"))
        }
    }
}

/// What is wrong with the messages of a playbook.
pub(crate) fn problems(file: &str, playbook: &Playbook) -> Vec<Problem> {
    let known = examples(playbook);
    let mut problems = Vec::new();
    for (id, message) in &playbook.messages {
        let each = parts(message).flat_map(|(part, said)| [(part, "zh", &said.zh), (part, "en", &said.en)]);
        for (part, language, text) in each {
            let Some(error) = text.as_ref().and_then(|text| wrong(message, part, text, &known)) else {
                continue;
            };
            let part = match part {
                Part::Text => "text",
                Part::Subject => "subject",
                Part::Html if message.mjml.is_some() => "mjml",
                Part::Html => "html",
                Part::Sms => "sms",
            };
            problems.push(Problem {
                file: file.to_owned(),
                line: 1,
                column: 1,
                path: format!("messages.{id}.{part}.{language}"),
                message: format!("the {part} does not read: {error}"),
                allowed: Some(known.keys().cloned().collect::<Vec<_>>().join(", ")),
            });
        }
        problems.extend(wrong_forms(file, id, message, &known));
    }
    problems
}

/// What is wrong with the forms of a message.
fn wrong_forms(file: &str, id: &str, message: &Message, known: &BTreeMap<String, String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (channel, form) in forms(message) {
        let each = blanks(form).flat_map(|(name, said)| [(name, "zh", &said.zh), (name, "en", &said.en)]);
        for (name, language, text) in each {
            let Some(Err(error)) = text.as_ref().map(|text| template::check(text, known)) else { continue };
            let below = if name == PAGE { "page".to_owned() } else { format!("fields.{name}") };
            problems.push(Problem {
                file: file.to_owned(),
                line: 1,
                column: 1,
                path: format!("messages.{id}.{channel}.{below}.{language}"),
                message: format!("the {below} does not read: {error}"),
                allowed: Some(known.keys().cloned().collect::<Vec<_>>().join(", ")),
            });
        }
    }
    problems
}
