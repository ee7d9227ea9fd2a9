//! What a person says yes and no to, and what may be done by it.
//!
//! Words come as events, in any order; [`Consents`] keeps the latest of each. [`ask`] says whether something may be
//! done for a purpose on a channel: whoever sends anything asks it right before.

use std::collections::BTreeSet;

use zhiyin_condition::of_age;
use zhiyin_model::consent::{ALL, Answer, Consents, Word};
use zhiyin_model::event::{Event, Refusal, bounded, names};
use zhiyin_model::id::EventId;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::Consent;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use crate::Scene;
use crate::outcome::Stop;
use crate::rules::Rules;
use crate::state::State;

/// Whether something may be done to a member for a purpose of the playbook, on a channel ([`ALL`] where the purpose has
/// none), at an instant; on what ground, or why not, and until when that is so.
pub fn ask(rules: &Rules, member: &Member, purpose: &str, channel: &str, at: Ts) -> Answer {
    member.personal.consents.ask(&rules.consent, purpose, channel, member_of_age(rules, member), at)
}

/// When a member comes of age by the playbook; `None` where their birthday, or its year, is not known.
pub(crate) fn member_of_age(rules: &Rules, member: &Member) -> Option<Ts> {
    let birthday = member.attributes.get("birthday")?.text()?;
    of_age(birthday, rules.consent.minors_under, &rules.zone)
}

/// What an event says: yes or no, to what, and to which version of the text.
struct Said {
    given: bool,
    purposes: BTreeSet<String>,
    channels: BTreeSet<String>,
    version: String,
    word: Word,
}

/// What an event about consent says, for who passes it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Yes or no.
    pub given: bool,
    /// To what; [`ALL`] is everything.
    pub purposes: BTreeSet<String>,
    /// On which channels; [`ALL`] is every one.
    pub channels: BTreeSet<String>,
    /// To which version of the text; empty where it has none.
    pub version: String,
}

/// What an event that was taken says of consent: one word, or what a consent management platform tells, yes and no apart.
pub fn spoken(rules: &Consent, event: &Event, id: EventId) -> Vec<Spoken> {
    if event.name != names::CONSENT_PREFERENCES {
        let said = read(event, id).ok().flatten();
        return said
            .map(|Said { given, purposes, channels, version, .. }| Spoken {
                given,
                purposes,
                channels,
                version,
            })
            .into_iter()
            .collect();
    }
    let told = |given: bool| {
        let of =
            |category: &Option<String>| category.as_ref().and_then(|one| event.preferences.get(one)).copied();
        let told = rules.purposes.iter().filter(|(_, terms)| of(&terms.category) == Some(given));
        let purposes: BTreeSet<String> = told.map(|(purpose, _)| purpose.clone()).collect();
        let channels = BTreeSet::from([ALL.to_owned()]);
        (!purposes.is_empty()).then_some(Spoken { given, purposes, channels, version: String::new() })
    };
    [true, false].into_iter().filter_map(told).collect()
}

/// Takes note of what somebody says, if the playbook knows of it.
pub(crate) fn said(scene: &Scene<'_>, state: &mut State, event: &Event) -> Result<(), Stop> {
    if let Some(said) = read(event, scene.cause.id)? {
        known(&scene.rules.consent, &said)?;
        note(&mut state.member.personal.consents, &said);
    }
    Ok(())
}

/// Takes note of what was said once before, whatever the playbook has become since.
pub fn hear_again(rules: &Rules, consents: &mut Consents, id: EventId, event: &Event) {
    match event.name.as_str() {
        names::CONSENT_PREFERENCES => preferences(&rules.consent, consents, id, event),
        _ => {
            if let Ok(Some(said)) = read(event, id) {
                note(consents, &said);
            }
        }
    }
}

/// A consent management platform tells of all its categories; those that no purpose bears are not about people here.
pub(crate) fn preferences(rules: &Consent, consents: &mut Consents, id: EventId, event: &Event) {
    for (purpose, terms) in &rules.purposes {
        let said = terms.category.as_ref().and_then(|category| event.preferences.get(category));
        let word = Word { at: event.time, source: source(event), guardian: None, event: id };
        match said {
            Some(true) => consents.give(purpose, ALL, "", word),
            Some(false) => consents.withdraw(purpose, ALL, word),
            None => {}
        }
    }
}

fn note(consents: &mut Consents, said: &Said) {
    for purpose in &said.purposes {
        for channel in &said.channels {
            let word = said.word.clone();
            match said.given {
                true => consents.give(purpose, channel, &said.version, word),
                false => consents.withdraw(purpose, channel, word),
            }
        }
    }
}

/// Reads an event about consent; `None` if it is none.
fn read(event: &Event, id: EventId) -> Result<Option<Said>, Refusal> {
    let given = match event.name.as_str() {
        names::CONSENT_GIVEN => true,
        names::CONSENT_WITHDRAWN => false,
        _ => return Ok(None),
    };
    let mut purposes = several(event, ["purpose", "purposes"])?;
    let mut channels = several(event, ["channel", "channels"])?;
    if purposes.is_empty() && given {
        let message = "consent is to a purpose; only a withdrawal may be of all";
        return Err(Refusal::new("consent_purpose_missing", "properties.purpose", message));
    }
    for texts in [&mut purposes, &mut channels] {
        if texts.is_empty() || texts.contains(ALL) {
            *texts = BTreeSet::from([ALL.to_owned()]);
        }
    }
    let version = text(event, "version")?.unwrap_or_default();
    let guardian = text(event, "guardian")?;
    let said_where = text(event, "source")?.or_else(|| source(event));
    let word = Word { at: event.time, source: said_where, guardian, event: id };
    Ok(Some(Said { given, purposes, channels, version, word }))
}

/// Where something was said, where nobody says so: its touchpoint, or its store.
fn source(event: &Event) -> Option<String> {
    event.touchpoint.clone().or_else(|| event.store.as_ref().map(|store| format!("store/{store}")))
}

/// Refuses what the playbook does not know, so that it can be put back once it does.
fn known(rules: &Consent, said: &Said) -> Result<(), Refusal> {
    if rules.purposes.is_empty() {
        let message = "the playbook has no section `consent`";
        return Err(Refusal::new("consent_not_declared", "properties.purpose", message));
    }
    for purpose in &said.purposes {
        let terms = rules.purposes.get(purpose);
        if terms.is_none() && (said.given || purpose != ALL) {
            let message = format!("the playbook asks no consent for {purpose:?}");
            return Err(Refusal::new("consent_purpose_unknown", "properties.purpose", message));
        }
        let knows = |channel: &str| match terms {
            Some(terms) => terms.channels.contains(channel),
            None => rules.channels().contains(channel),
        };
        if let Some(channel) = said.channels.iter().find(|channel| *channel != ALL && !knows(channel)) {
            let message = format!("{purpose:?} has no channel {channel:?}");
            return Err(Refusal::new("consent_channel_unknown", "properties.channel", message));
        }
        let Some(terms) = terms.filter(|_| said.given) else { continue };
        let version = said.version.as_str();
        if version.is_empty() && !terms.versions.is_empty() {
            let message = format!("the text of {purpose:?} has versions: to which was it said?");
            return Err(Refusal::new("consent_version_missing", "properties.version", message));
        }
        if !version.is_empty() && !terms.versions.contains(version) {
            let message = format!("the text of {purpose:?} has no version {version:?}");
            return Err(Refusal::new("consent_version_unknown", "properties.version", message));
        }
    }
    Ok(())
}

/// A property that is a text, or a number as one; trimmed, bounded.
fn text(event: &Event, key: &str) -> Result<Option<String>, Refusal> {
    let field = format!("properties.{key}");
    let text = match event.properties.get(key) {
        None => return Ok(None),
        Some(Scalar::Text(text)) => text.trim().to_owned(),
        Some(Scalar::Number(number)) => number.to_string(),
        Some(_) => return Err(Refusal::new("bad_consent", field, "a text is needed here")),
    };
    bounded(&field, &text)?;
    Ok((!text.is_empty()).then_some(text))
}

/// One text or several, under either of two names.
fn several(event: &Event, [one, all]: [&str; 2]) -> Result<BTreeSet<String>, Refusal> {
    let mut found = BTreeSet::new();
    for key in [one, all] {
        if let Some(Scalar::Texts(texts)) = event.properties.get(key) {
            for text in texts {
                bounded(&format!("properties.{key}"), text)?;
                found.insert(text.trim().to_owned());
            }
        } else {
            found.extend(text(event, key)?);
        }
    }
    found.remove("");
    Ok(found)
}
