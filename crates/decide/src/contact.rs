//! Contacts between a member and accounts of the brand's staff, and the groups in which they sit: told by events of a channel (C1, T6, G1).
//!
//! Which tags staff gave a member on a channel is also an attribute of theirs (`wecom_tags`, `CHANNEL_tags`), so that conditions can ask.

use std::collections::BTreeSet;

use zhiyin_model::contact::{Contacts, EndedBy, Noted};
use zhiyin_model::event::{Event, Refusal, names};
use zhiyin_model::member::Member;
use zhiyin_model::personal::Personal;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use crate::outcome::Stop;
use crate::state::State;

/// What a refusal of what is said of a contact is called.
const CONTACT: &str = "bad_contact";
/// The most characters of a channel, an account, a way, a tag with its group.
const CHARS_MAX: usize = 64;

/// What an event says of a contact.
struct Told<'e> {
    channel: &'e str,
    account: &'e str,
    what: What<'e>,
}

/// What happened to it.
enum What<'e> {
    Begun { half: bool, way: Option<&'e str> },
    Ended(EndedBy),
    Noted(Noted),
}

/// Takes note of a contact that began or ended, or of what staff keep.
pub(crate) fn told(state: &mut State, event: &Event) -> Result<(), Stop> {
    let told = read(event)?;
    let channel = told.channel.to_owned();
    note(&mut state.member.personal.contacts, told, event);
    tags(&mut state.member, &channel, event.time);
    Ok(())
}

/// Takes note of a group that they came into or left.
pub(crate) fn seated(state: &mut State, event: &Event) -> Result<(), Stop> {
    seat(&mut state.member.personal, event)?;
    Ok(())
}

/// Takes note of what was told once before.
pub(crate) fn hear_again(personal: &mut Personal, event: &Event) {
    match event.name.as_str() {
        names::CONTACT_ADDED | names::CONTACT_LOST | names::CONTACT_NOTED => {
            if let Ok(told) = read(event) {
                note(&mut personal.contacts, told, event);
            }
        }
        names::GROUP_JOINED | names::GROUP_LEFT => {
            // What was refused then says nothing now.
            let _refused = seat(personal, event);
        }
        _ => {}
    }
}

/// Tags of all channels, once contacts were put together anew.
pub(crate) fn tags_anew(member: &mut Member, at: Ts) {
    let channels: BTreeSet<String> =
        member.personal.contacts.iter().map(|(channel, ..)| channel.to_owned()).collect();
    for channel in channels {
        tags(member, &channel, at);
    }
}

/// The attribute that says which tags staff of a channel gave.
fn tags(member: &mut Member, channel: &str, at: Ts) {
    let Some(tags) = member.personal.contacts.tags(channel) else { return };
    let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
    let name = format!("{channel}_tags");
    let told = member.told_at.entry(name.clone()).or_insert(at);
    *told = at.max(*told);
    if tags.is_empty() {
        drop(member.attributes.remove(&name));
    } else {
        drop(member.attributes.insert(name, Scalar::Texts(tags)));
    }
}

fn note(contacts: &mut Contacts, told: Told<'_>, event: &Event) {
    let of = (told.channel, told.account);
    match told.what {
        What::Begun { half, way } => contacts.begun(of, event.time, half, way),
        What::Ended(by) => contacts.ended(of, event.time, by),
        What::Noted(noted) => contacts.noted(of, noted),
    }
}

fn seat(personal: &mut Personal, event: &Event) -> Result<(), Refusal> {
    let needed = |key: &'static str| {
        text(event, key)?.ok_or_else(|| wrong("bad_group", key, "a seat is in a group on a channel"))
    };
    let of = (needed("channel")?, needed("group")?);
    if of.0.contains('/') {
        return Err(wrong("bad_group", "channel", "the name of a channel has no slash"));
    }
    match event.name.as_str() {
        names::GROUP_JOINED => personal.groups.joined(of, event.time, text(event, "how")?),
        _ => personal.groups.left(of, event.time),
    }
    Ok(())
}

fn read(event: &Event) -> Result<Told<'_>, Refusal> {
    let needed = |key: &'static str| {
        text(event, key)?.ok_or_else(|| wrong(CONTACT, key, "a contact is of an account on a channel"))
    };
    let (channel, account) = (needed("channel")?, needed("account")?);
    if channel.contains('/') {
        return Err(wrong(CONTACT, "channel", "the name of a channel has no slash"));
    }
    let what = match event.name.as_str() {
        names::CONTACT_ADDED => {
            let half = matches!(event.properties.get("half"), Some(Scalar::Bool(true)));
            What::Begun { half, way: text(event, "way")? }
        }
        names::CONTACT_LOST => {
            let by = text(event, "by")?.and_then(EndedBy::named);
            let by = by.ok_or_else(|| wrong(CONTACT, "by", "customer, staff, handed_over or unknown"))?;
            What::Ended(by)
        }
        _ => What::Noted(noted(event)?),
    };
    Ok(Told { channel, account, what })
}

fn noted(event: &Event) -> Result<Noted, Refusal> {
    let tags = match event.properties.get("tags") {
        None => BTreeSet::new(),
        Some(Scalar::Texts(tags)) => tags.iter().cloned().collect(),
        Some(_) => return Err(wrong(CONTACT, "tags", "a list of texts, GROUP/NAME each")),
    };
    let is_wrong = |tag: &String| tag.chars().count() > CHARS_MAX || tag.chars().any(char::is_control);
    if tags.iter().any(is_wrong) {
        return Err(wrong(CONTACT, "tags", "at most 64 characters on one line each"));
    }
    Ok(Noted { at: event.time, remark: text(event, "remark")?.map(str::to_owned), tags })
}

fn wrong(code: &'static str, key: &str, message: &str) -> Refusal {
    Refusal::new(code, format!("properties.{key}"), message)
}

/// A property that is a text; trimmed, bounded.
fn text<'e>(event: &'e Event, key: &str) -> Result<Option<&'e str>, Refusal> {
    let text = match event.properties.get(key) {
        None => return Ok(None),
        Some(Scalar::Text(text)) => text.trim(),
        Some(_) => return Err(wrong(CONTACT, key, "a text is needed here")),
    };
    if text.chars().count() > CHARS_MAX || text.chars().any(char::is_control) {
        return Err(wrong(CONTACT, key, "at most 64 characters on one line"));
    }
    Ok((!text.is_empty()).then_some(text))
}
