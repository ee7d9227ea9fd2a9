//! Tokens, sign-in, staff, and messages of apps to staff.

use serde_json::{Value, json};

use super::ask::{Page, query, text, wrong};
use super::{Answer, Call};
use crate::calendar::Period;
use crate::limits::Rule;
use crate::world::types::Token;
use crate::world::{THINGS_MAX, World, refuse};

/// One token an app: asked for again it is the same until it expires.
pub fn gettoken(world: &mut World, call: &Call<'_>) -> Answer {
    let corpid = query(call, "corpid", 41002)?;
    let secret = query(call, "corpsecret", 41004)?;
    if corpid != world.corpid {
        return refuse(40013, "invalid corpid");
    }
    let agent = world.apps.iter().find(|(_, app)| app.secret == secret).map(|(agent, _)| *agent);
    let Some(agent) = agent else {
        return refuse(40001, "invalid credential");
    };
    let now_ms = world.now_ms;
    let held = world.tokens.iter().find(|(_, token)| token.agent == agent && now_ms < token.until_ms);
    if let Some((text, token)) = held {
        return Ok(json!({"access_token": text, "expires_in": (token.until_ms - now_ms) / 1_000}));
    }
    let ms = world.limits.of(Rule::TokenMs);
    let token = world.new_id("", 86);
    // Expired ones are kept for a while: who calls with one is told that it expired, not that it never was.
    world.tokens.retain(|_, token| now_ms < token.until_ms + 10 * ms);
    world.tokens.insert(token.clone(), Token { agent, until_ms: now_ms + ms });
    Ok(json!({"access_token": token, "expires_in": ms / 1_000}))
}

pub fn getuserinfo(world: &mut World, call: &Call<'_>) -> Answer {
    let code = query(call, "code", 41008)?;
    match world.login_codes.remove(code) {
        Some((userid, until_ms)) if world.now_ms < until_ms => Ok(json!({"userid": userid})),
        _ => refuse(40029, "invalid code"),
    }
}

pub fn user_get(world: &mut World, call: &Call<'_>) -> Answer {
    let userid = query(call, "userid", 41009)?;
    let Some(staff) = world.active_staff(userid) else {
        return refuse(60111, "userid not found");
    };
    Ok(json!({
        "userid": userid, "name": staff.name, "department": staff.departments, "main_department": 1, "status": 1,
        "order": [0], "is_leader_in_dept": [0], "position": "", "enable": 1,
    }))
}

pub fn user_list_id(world: &mut World, call: &Call<'_>) -> Answer {
    let page = Page::read(call.body, 10_000, 10_000)?;
    let working = world.staff.iter().filter(|(_, staff)| staff.left_ms.is_none());
    let rows = working.map(|(userid, _)| (userid.clone(), json!({"userid": userid, "department": 1})));
    let (rows, next) = page.cut(rows);
    Ok(json!({"next_cursor": next, "dept_user": rows}))
}

pub fn getcallbackip(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(json!({"ip_list": ["127.0.0.1"]}))
}

const KINDS: [&str; 10] = [
    "text",
    "image",
    "voice",
    "video",
    "file",
    "textcard",
    "news",
    "markdown",
    "miniprogram_notice",
    "template_card",
];

pub fn message_send(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body;
    let kind = text(body, "msgtype")?;
    if !KINDS.contains(&kind) {
        return refuse(40008, "invalid message type");
    }
    if !body[kind].is_object() {
        return wrong(kind);
    }
    if body[kind].to_string().len() > 8_192 {
        return refuse(45002, "content size out of limit");
    }
    if body["agentid"].as_i64() != Some(call.agent) {
        return refuse(301_002, "not allow operate another agent with this accesstoken");
    }
    let asked = body["touser"].as_str().unwrap_or_default();
    let everybody: Vec<String>;
    let (users, invalid): (Vec<&str>, Vec<&str>) = if asked == "@all" {
        everybody =
            world.staff.keys().filter(|userid| world.active_staff(userid).is_some()).cloned().collect();
        (everybody.iter().map(String::as_str).collect(), Vec::new())
    } else {
        let named = asked.split('|').filter(|userid| !userid.is_empty());
        named.partition(|userid| world.active_staff(userid).is_some())
    };
    if users.is_empty() {
        return refuse(81013, "user & party & tag all invalid");
    }
    if users.len() + invalid.len() > 1_000 {
        return refuse(40032, "too many users");
    }
    let now_ms = world.now_ms;
    let n_accounts = i64::try_from(world.staff.len()).unwrap_or(i64::MAX);
    let daily = n_accounts.saturating_mul(world.limits.of(Rule::MessagesPerAccountDay));
    let of = format!("app {}", call.agent);
    if !world.meters.take("app_messages", &of, Period::Day, daily, now_ms, users.len() as i64) {
        return refuse(45009, "api freq out of limit");
    }
    let msgid = world.new_id("", 40);
    let mut reached = Vec::new();
    for userid in &users {
        let of = format!("app {} to {userid}", call.agent);
        let (minute, hour) =
            (world.limits.of(Rule::MessagesPerMemberMinute), world.limits.of(Rule::MessagesPerMemberHour));
        let fits = world.meters.take("messages_to_member", &of, Period::Minute, minute, now_ms, 1)
            && world.meters.take("messages_to_member", &of, Period::Hour, hour, now_ms, 1);
        // The same words within the time that was asked for are thrown away without a word.
        let once_ms = match body["enable_duplicate_check"].as_i64() {
            Some(1) => body["duplicate_check_interval"].as_i64().unwrap_or(1_800).clamp(1, 14_400) * 1_000,
            _ => 0,
        };
        let content = json!({"msgtype": kind, kind: body[kind]});
        let is_new = !world.was_told(userid, call.agent, &content, now_ms - once_ms);
        if fits && !is_new {
            reached.push((*userid).to_owned());
        } else if fits {
            world.notify(userid, call.agent, &msgid, &json!({"msgtype": kind, kind: body[kind]}));
            reached.push((*userid).to_owned());
        } else {
            // The platform drops it without a word.
            world.violate("message_dropped", 0, json!({"agentid": call.agent, "userid": userid}));
        }
    }
    if world.app_messages.len() >= THINGS_MAX {
        world.app_messages.pop_first();
    }
    world.app_messages.insert(msgid.clone(), (now_ms, reached));
    Ok(json!({"invaliduser": invalid.join("|"), "invalidparty": "", "invalidtag": "", "msgid": msgid}))
}

pub fn message_recall(world: &mut World, call: &Call<'_>) -> Answer {
    let msgid = text(call.body, "msgid")?;
    let within_ms = world.limits.of(Rule::RecallMs);
    let Some((_, users)) =
        world.app_messages.get(msgid).filter(|(at_ms, _)| world.now_ms < at_ms + within_ms)
    else {
        return refuse(40058, "invalid Request Parameter: msgid is not known or too old");
    };
    for userid in users.clone() {
        if let Some(staff) = world.staff.get_mut(&userid) {
            staff.inbox.retain(|told: &Value| told["msgid"] != msgid);
        }
    }
    world.app_messages.remove(msgid);
    Ok(json!({}))
}
