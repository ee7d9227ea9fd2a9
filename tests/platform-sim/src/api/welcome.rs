//! Welcomes: once, within twenty seconds; and what greets in groups.

use serde_json::{Value, json};

use super::ask::{message, text};
use super::{Answer, Call};
use crate::limits::Rule;
use crate::world::types::Received;
use crate::world::{Refusal, World, refuse};

pub fn send(world: &mut World, call: &Call<'_>) -> Answer {
    let Some(code) = call.body["welcome_code"].as_str().filter(|code| !code.is_empty()) else {
        return refuse(41049, "welcome_code missing");
    };
    let n_max = world.limits.n(Rule::WelcomeAttachments);
    let content = message(world, call.body, world.limits.n(Rule::MassTextBytes), n_max)?;
    let (now_ms, lives_ms) = (world.now_ms, world.limits.of(Rule::WelcomeCodeMs));
    let Some(welcome) = world.welcomes.get_mut(code) else {
        return refuse(41050, "invalid welcome code");
    };
    let (staff, external) = (welcome.staff.clone(), welcome.external.clone());
    if welcome.used.is_some() {
        welcome.n_refused += 1;
        return refuse(41051, "externaluser has started chatting");
    }
    if now_ms > welcome.issued_ms + lives_ms {
        welcome.n_refused += 1;
        let late_ms = now_ms - welcome.issued_ms - lives_ms;
        world.violate("welcome_late", 41050, json!({"welcome_code": code, "late_ms": late_ms}));
        return refuse(41050, "invalid welcome code: expired");
    }
    let relation = world.relations.get(&(staff.clone(), external.clone()));
    if relation.is_none_or(|relation| relation.has_chatted) {
        welcome.n_refused += 1;
        return refuse(41051, "externaluser has started chatting");
    }
    welcome.used = Some((now_ms, call.agent));
    let received =
        Received { at_ms: now_ms, kind: "welcome", id: code.to_owned(), from: staff, chat_id: None, content };
    world.arrive(&external, received);
    Ok(json!({}))
}

fn template(world: &World, call: &Call<'_>) -> Result<Value, Refusal> {
    let words = call.body["text"]["content"].as_str().unwrap_or_default();
    let others = ["image", "link", "miniprogram", "file", "video"];
    let has_other = others.iter().any(|kind| call.body[kind].is_object());
    if words.len() > world.limits.n(Rule::GroupWelcomeBytes) {
        return refuse(45002, "content size out of limit");
    }
    if words.is_empty() && !has_other {
        return refuse(44004, "empty content");
    }
    let mut kept = json!({"text": {"content": words}});
    for kind in others {
        if call.body[kind].is_object() {
            kept[kind] = call.body[kind].clone();
        }
    }
    Ok(kept)
}

pub fn template_add(world: &mut World, call: &Call<'_>) -> Answer {
    let kept = template(world, call)?;
    if world.group_welcomes.len() >= world.limits.n(Rule::GroupWelcomes) {
        return refuse(41055, "group welcome templates are at the limit");
    }
    let id = world.new_id("msg", 29);
    world.group_welcomes.insert(id.clone(), (call.agent, kept));
    Ok(json!({"template_id": id}))
}

fn of_caller(world: &World, call: &Call<'_>) -> Result<String, Refusal> {
    let id = text(call.body, "template_id")?;
    match world.group_welcomes.get(id) {
        None => refuse(40037, "invalid template_id"),
        Some((agent, _)) if *agent != call.agent => {
            refuse(301_002, "not allow operate another agent with this accesstoken")
        }
        Some(_) => Ok(id.to_owned()),
    }
}

pub fn template_edit(world: &mut World, call: &Call<'_>) -> Answer {
    let id = of_caller(world, call)?;
    let kept = template(world, call)?;
    world.group_welcomes.insert(id, (call.agent, kept));
    Ok(json!({}))
}

pub fn template_get(world: &mut World, call: &Call<'_>) -> Answer {
    let id = of_caller(world, call)?;
    Ok(world.group_welcomes.get(&id).map(|(_, kept)| kept.clone()).unwrap_or_default())
}

pub fn template_del(world: &mut World, call: &Call<'_>) -> Answer {
    let id = of_caller(world, call)?;
    world.group_welcomes.remove(&id);
    Ok(json!({}))
}
