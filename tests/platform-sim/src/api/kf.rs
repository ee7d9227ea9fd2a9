//! Customer service: accounts, what customers wrote, answers.

use serde_json::{Value, json};

use super::ask::{text, wrong};
use super::{Answer, Call};
use crate::world::{World, refuse};

pub fn account_list(world: &mut World, call: &Call<'_>) -> Answer {
    let offset = call.body["offset"].as_u64().unwrap_or_default() as usize;
    let limit = call.body["limit"].as_u64().unwrap_or(100).min(100) as usize;
    let rows = world.kfs.iter().skip(offset).take(limit);
    let rows = rows
        .map(|(id, kf)| json!({"open_kfid": id, "name": kf.name, "avatar": "", "manage_privilege": true}));
    Ok(json!({"account_list": rows.collect::<Vec<_>>()}))
}

/// What was written since a cursor; the cursor stays good, whether or not there was anything.
pub fn sync_msg(world: &mut World, call: &Call<'_>) -> Answer {
    let open_kfid = text(call.body, "open_kfid")?;
    let limit = call.body["limit"].as_u64().unwrap_or(1_000);
    if !(1..=1_000).contains(&limit) {
        return wrong("limit");
    }
    let Some(kf) = world.kfs.get(open_kfid) else {
        return refuse(95000, "invalid open_kfid");
    };
    let from = match call.body["cursor"].as_str().unwrap_or_default() {
        "" => 0,
        cursor => match cursor.strip_prefix("K").and_then(|n| n.parse::<usize>().ok()) {
            Some(from) if from <= kf.messages.len() => from,
            _ => return refuse(50100, "invalid cursor"),
        },
    };
    let rows: Vec<&Value> = kf.messages.iter().skip(from).take(limit as usize).collect();
    let next = from + rows.len();
    let has_more = i64::from(next < kf.messages.len());
    Ok(json!({"next_cursor": format!("K{next}"), "has_more": has_more, "msg_list": rows}))
}

pub fn send_msg(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body;
    let (external, open_kfid) = (text(body, "touser")?, text(body, "open_kfid")?);
    let kind = text(body, "msgtype")?;
    if !body[kind].is_object() {
        return wrong(kind);
    }
    if body[kind]["content"].as_str().is_some_and(|words| words.len() > 2_048) {
        return refuse(45002, "content size out of limit");
    }
    let msgid = match body["msgid"].as_str() {
        Some(msgid) if msgid.len() <= 32 => msgid.to_owned(),
        Some(_) => return wrong("msgid"),
        None => world.new_id("", 32),
    };
    world.answer_kf(open_kfid, external, &msgid, &json!({"msgtype": kind, kind: body[kind]}))?;
    Ok(json!({"msgid": msgid}))
}
