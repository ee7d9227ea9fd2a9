//! Customer service: accounts, what customers wrote, answers.

use serde_json::{Value, json};

use super::ask::{text, texts, wrong};
use super::{Answer, Call};
use crate::limits::Rule;
use crate::world::{World, refuse};

pub fn account_list(world: &mut World, call: &Call<'_>) -> Answer {
    let offset = call.body["offset"].as_u64().unwrap_or_default() as usize;
    let limit = call.body["limit"].as_u64().unwrap_or(100).min(100) as usize;
    let rows = world.kfs.iter().skip(offset).take(limit);
    let rows = rows
        .map(|(id, kf)| json!({"open_kfid": id, "name": kf.name, "avatar": "", "manage_privilege": true}));
    Ok(json!({"account_list": rows.collect::<Vec<_>>()}))
}

/// What was written since a cursor, of three days; the cursor stays good, whether or not there was anything. What apps said is not there.
pub fn sync_msg(world: &mut World, call: &Call<'_>) -> Answer {
    let open_kfid = text(call.body, "open_kfid")?;
    let limit = call.body["limit"].as_u64().unwrap_or(1_000);
    if !(1..=1_000).contains(&limit) {
        return wrong("limit");
    }
    let (now_ms, kept_ms) = (world.now_ms, world.limits.of(Rule::KfKeptMs));
    let token_ms = world.limits.of(Rule::KfTokenMs);
    let Some(kf) = world.kfs.get(open_kfid) else {
        return refuse(95000, "invalid open_kfid");
    };
    if let Some(token) = call.body["token"].as_str()
        && kf.tokens.get(token).is_none_or(|since_ms| now_ms >= since_ms + token_ms)
    {
        return refuse(95007, "invalid msg token");
    }
    let is_kept =
        |message: &&Value| message["send_time"].as_i64().unwrap_or_default() * 1_000 > now_ms - kept_ms;
    let from = match call.body["cursor"].as_str().unwrap_or_default() {
        "" => kf.messages.iter().position(|message| is_kept(&message)).unwrap_or(kf.messages.len()),
        cursor => match cursor.strip_prefix("K").and_then(|n| n.parse::<usize>().ok()) {
            Some(from) if from <= kf.messages.len() => from,
            _ => return refuse(50100, "invalid cursor"),
        },
    };
    let taken = kf.messages.iter().skip(from).take(limit as usize);
    let next = from + taken.clone().count();
    let rows: Vec<&Value> = taken.filter(is_kept).collect();
    let has_more = i64::from(next < kf.messages.len());
    Ok(json!({"next_cursor": format!("K{next}"), "has_more": has_more, "msg_list": rows}))
}

/// Whose a session is.
pub fn service_state(world: &mut World, call: &Call<'_>) -> Answer {
    let (open_kfid, external) = (text(call.body, "open_kfid")?, text(call.body, "external_userid")?);
    let (state, userid) = world.kf_state(open_kfid, external)?;
    Ok(json!({"service_state": state, "servicer_userid": userid}))
}

/// Who those are who spoke within 48 hours.
pub fn customers(world: &mut World, call: &Call<'_>) -> Answer {
    let ids = texts(call.body, "external_userid_list", 100)?;
    let (now_ms, within_ms) = (world.now_ms, world.limits.of(Rule::KfAnswerMs));
    let spoke = |id: &String| {
        let mut of = world.kfs.values().filter_map(|kf| kf.spoke.get(id));
        of.any(|(spoke_ms, _)| now_ms < spoke_ms + within_ms)
    };
    let (known, invalid): (Vec<String>, Vec<String>) = ids.into_iter().partition(spoke);
    let told = known.iter().filter_map(|id| Some((id, world.phones.get(id)?)));
    let rows = told.map(|(id, phone)| {
        json!({"external_userid": id, "nickname": phone.name, "avatar": "", "gender": phone.gender, "unionid": phone.unionid})
    });
    Ok(json!({"customer_list": rows.collect::<Vec<_>>(), "invalid_external_userid": invalid}))
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
