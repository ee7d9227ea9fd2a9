//! Whom a member cares for (U1): told by events, each dependant by a key that whoever tells gives it.

use zhiyin_model::dependant::{DEPENDANTS_MAX, Dependants, Told};
use zhiyin_model::event::{Event, Refusal, names};
use zhiyin_model::lunar::LunarDay;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Day;

use crate::Scene;
use crate::outcome::Stop;
use crate::state::State;

/// The most characters of a key, a kind, a name, a gender.
const CHARS_MAX: usize = 64;
/// How far ahead a due date may lie, in days: a pregnancy and some.
const DUE_WITHIN_DAYS: i32 = 320;
/// How long ago somebody may have been born, in days: 130 years.
const BORN_WITHIN_DAYS: i32 = 130 * 366;

/// Takes note of a dependant who is told of.
pub(crate) fn told(scene: &Scene<'_>, state: &mut State, event: &Event) -> Result<(), Stop> {
    let (key, told) = read(event)?;
    let today = scene.rules.zone.day(event.time);
    if let Some(due_on) = told.due_on
        && !(today.0 - DUE_WITHIN_DAYS..=today.0 + DUE_WITHIN_DAYS).contains(&due_on.0)
    {
        let message =
            format!("a due date lies at most {DUE_WITHIN_DAYS} days from the day on which it is told");
        return Err(Stop::refused("bad_dependant", "properties.due_on", message));
    }
    if let Some(birthday) = told.birthday
        && !(today.0 - BORN_WITHIN_DAYS..=today.0 + 1).contains(&birthday.0)
    {
        let message = "a birthday is past, and of somebody who lives; what is to come is a due date";
        return Err(Stop::refused("bad_dependant", "properties.birthday", message));
    }
    if state.member.personal.dependants.is_full_for(&key) {
        let message = format!("a member has at most {DEPENDANTS_MAX} dependants");
        return Err(Stop::refused("too_many_dependants", "properties.key", message));
    }
    state.member.personal.dependants.tell(&key, event.time, told);
    Ok(())
}

/// Takes note that a dependant is none of theirs any more.
pub(crate) fn removed(state: &mut State, event: &Event) -> Result<(), Stop> {
    let key = key(event)?;
    state.member.personal.dependants.remove(&key, event.time);
    Ok(())
}

/// Takes note of what was told once before.
pub(crate) fn hear_again(dependants: &mut Dependants, event: &Event) {
    match event.name.as_str() {
        names::DEPENDANT_TOLD => {
            if let Ok((key, told)) = read(event) {
                dependants.tell(&key, event.time, told);
            }
        }
        names::DEPENDANT_REMOVED => {
            if let Ok(key) = key(event) {
                dependants.remove(&key, event.time);
            }
        }
        _ => {}
    }
}

fn read(event: &Event) -> Result<(String, Told), Refusal> {
    let told = Told {
        kind: text(event, "kind")?,
        due_on: day(event, "due_on")?,
        birthday: birthday(event)?,
        name: text(event, "name")?,
        gender: text(event, "gender")?,
    };
    Ok((key(event)?, told))
}

/// A birthday may be told by the lunar calendar, with its year: it is the day that this was.
fn birthday(event: &Event) -> Result<Option<Day>, Refusal> {
    match text(event, "birthday")?.as_deref().and_then(LunarDay::parse).and_then(LunarDay::born) {
        Some(born) => Ok(Some(born)),
        None => day(event, "birthday"),
    }
}

fn key(event: &Event) -> Result<String, Refusal> {
    let missing = || {
        let message = "a dependant has a key by which whoever tells knows it again";
        Refusal::new("dependant_key_missing", "properties.key", message)
    };
    text(event, "key")?.ok_or_else(missing)
}

/// A property that is a text, or a number as one; trimmed, bounded.
fn text(event: &Event, key: &str) -> Result<Option<String>, Refusal> {
    let refused = |message: String| Refusal::new("bad_dependant", format!("properties.{key}"), message);
    let text = match event.properties.get(key) {
        None => return Ok(None),
        Some(Scalar::Text(text)) => text.trim().to_owned(),
        Some(Scalar::Number(number)) => number.to_string(),
        Some(_) => return Err(refused("a text is needed here".to_owned())),
    };
    if text.chars().count() > CHARS_MAX || text.chars().any(char::is_control) {
        return Err(refused(format!("at most {CHARS_MAX} characters on one line")));
    }
    Ok((!text.is_empty()).then_some(text))
}

fn day(event: &Event, key: &str) -> Result<Option<Day>, Refusal> {
    let Some(text) = text(event, key)? else { return Ok(None) };
    let day = Day::parse(&text).ok_or_else(|| {
        Refusal::new("bad_dependant", format!("properties.{key}"), "a day is written YYYY-MM-DD")
    })?;
    Ok(Some(day))
}
