//! From unionid to external_userid, the old way and the new, within quotas.

use serde_json::{Value, json};

use super::ask::{text, texts, wrong};
use super::{Answer, Call};
use crate::calendar::Period;
use crate::limits::Rule;
use crate::world::{Refusal, World, refuse};

/// Who it is, where the corp knows them: as a customer of anybody, or in a group.
fn known(world: &mut World, body: &Value) -> Result<Option<String>, Refusal> {
    let (unionid, openid) = (text(body, "unionid")?, text(body, "openid")?);
    let now_ms = world.now_ms;
    let windows = [
        (Period::Hour, Rule::UnionidPerHour),
        (Period::Day, Rule::UnionidPerDay),
        (Period::Month, Rule::UnionidPerMonth),
    ];
    for (period, rule) in windows {
        if !world.meters.take("unionid_conversions", "corp", period, world.limits.of(rule), now_ms, 1) {
            return refuse(45009, "api freq out of limit");
        }
    }
    let Some(external) = world.unionids.get(unionid) else {
        return Ok(None);
    };
    let phone = world.phones.get(external);
    // Both must be of one person.
    if phone.is_some_and(|phone| phone.openid != openid) {
        return refuse(40003, "invalid openid: it is not of this unionid");
    }
    let is_known = phone.is_some_and(|phone| !phone.staff.is_empty()) || world.is_in_a_chat(external);
    Ok(is_known.then(|| external.clone()))
}

pub fn old(world: &mut World, call: &Call<'_>) -> Answer {
    match known(world, call.body)? {
        Some(external) => Ok(json!({"external_userid": external})),
        None => refuse(84061, "not external contact"),
    }
}

/// Who is no customer yet gets an id that tells later who became one, for 90 days.
pub fn new(world: &mut World, call: &Call<'_>) -> Answer {
    if !matches!(call.body["subject_type"].as_i64(), None | Some(0 | 1)) {
        return wrong("subject_type");
    }
    if let Some(external) = known(world, call.body)? {
        return Ok(json!({"external_userid": external}));
    }
    let unionid = call.body["unionid"].as_str().unwrap_or_default();
    let Some(external) = world.unionids.get(unionid).cloned() else {
        return refuse(40003, "invalid unionid");
    };
    let now_ms = world.now_ms;
    let until_ms = now_ms + world.limits.of(Rule::PendingMs);
    let fresh = world.new_id("p", 30);
    let Some(phone) = world.phones.get_mut(&external) else {
        return refuse(40003, "invalid unionid");
    };
    let held = phone.pending.take().filter(|(_, until_ms)| now_ms < *until_ms);
    let (pending, until_ms) = held.unwrap_or((fresh, until_ms));
    phone.pending = Some((pending.clone(), until_ms));
    Ok(json!({"pending_id": pending}))
}

/// Which pending_id customers had before.
pub fn pending(world: &mut World, call: &Call<'_>) -> Answer {
    let externals = texts(call.body, "external_userid", 100)?;
    if externals.is_empty() {
        return refuse(41035, "external_userid missing");
    }
    let chat = call.body["chat_id"].as_str();
    let rows: Vec<Value> = externals
        .iter()
        .filter_map(|external| {
            let phone = world.phones.get(external)?;
            let is_known = match chat {
                Some(chat_id) => phone.chats.contains(chat_id),
                None => !phone.staff.is_empty(),
            };
            let (pending, until_ms) = phone.pending.as_ref()?;
            let is_good = is_known && world.now_ms < *until_ms;
            is_good.then(|| json!({"external_userid": external, "pending_id": pending}))
        })
        .collect();
    Ok(json!({"result": rows}))
}
