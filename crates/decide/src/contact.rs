//! Contacts between a member and accounts of the brand's staff: told by events of a channel (C1, T6).

use zhiyin_model::contact::{Contacts, EndedBy};
use zhiyin_model::event::{Event, Refusal, names};
use zhiyin_model::scalar::Scalar;

use crate::outcome::Stop;
use crate::state::State;

/// The most characters of a channel, an account, a way.
const CHARS_MAX: usize = 64;

/// What an event says of a contact.
struct Told<'e> {
    channel: &'e str,
    account: &'e str,
    what: What<'e>,
}

/// That it began, or ended.
enum What<'e> {
    Begun { half: bool, way: Option<&'e str> },
    Ended(EndedBy),
}

/// Takes note of a contact that began or ended.
pub(crate) fn told(state: &mut State, event: &Event) -> Result<(), Stop> {
    let told = read(event)?;
    note(&mut state.member.personal.contacts, &told, event);
    Ok(())
}

/// Takes note of what was told once before.
pub(crate) fn hear_again(contacts: &mut Contacts, event: &Event) {
    if matches!(event.name.as_str(), names::CONTACT_ADDED | names::CONTACT_LOST)
        && let Ok(told) = read(event)
    {
        note(contacts, &told, event);
    }
}

fn note(contacts: &mut Contacts, told: &Told<'_>, event: &Event) {
    let of = (told.channel, told.account);
    match told.what {
        What::Begun { half, way } => contacts.begun(of, event.time, half, way),
        What::Ended(by) => contacts.ended(of, event.time, by),
    }
}

fn read(event: &Event) -> Result<Told<'_>, Refusal> {
    let needed = |key: &'static str| {
        text(event, key)?.ok_or_else(|| wrong(key, "a contact is of an account on a channel"))
    };
    let (channel, account) = (needed("channel")?, needed("account")?);
    if channel.contains('/') {
        return Err(wrong("channel", "the name of a channel has no slash"));
    }
    let what = if event.name == names::CONTACT_ADDED {
        let half = matches!(event.properties.get("half"), Some(Scalar::Bool(true)));
        What::Begun { half, way: text(event, "way")? }
    } else {
        let by = text(event, "by")?.and_then(EndedBy::named);
        What::Ended(by.ok_or_else(|| wrong("by", "customer, staff or handed_over"))?)
    };
    Ok(Told { channel, account, what })
}

fn wrong(key: &str, message: &str) -> Refusal {
    Refusal::new("bad_contact", format!("properties.{key}"), message)
}

/// A property that is a text; trimmed, bounded.
fn text<'e>(event: &'e Event, key: &str) -> Result<Option<&'e str>, Refusal> {
    let text = match event.properties.get(key) {
        None => return Ok(None),
        Some(Scalar::Text(text)) => text.trim(),
        Some(_) => return Err(wrong(key, "a text is needed here")),
    };
    if text.chars().count() > CHARS_MAX || text.chars().any(char::is_control) {
        return Err(wrong(key, "at most 64 characters on one line"));
    }
    Ok((!text.is_empty()).then_some(text))
}
