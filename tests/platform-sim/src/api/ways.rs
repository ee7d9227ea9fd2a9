//! Contact ways: codes that lead to staff.

use serde_json::{Value, json};

use super::ask::{Page, all_work_here, letters, once, texts, wrong};
use super::{Answer, Call};
use crate::limits::Rule;
use crate::world::types::Way;
use crate::world::{Refusal, World, refuse};

/// What is kept of what a way was made with.
const KEPT: [&str; 9] =
    ["type", "scene", "style", "remark", "skip_verify", "state", "user", "party", "is_exclusive"];

fn read(world: &World, body: &Value) -> Result<(Value, Vec<String>), Refusal> {
    let Some(kind) = body["type"].as_i64() else {
        return refuse(41037, "contact way type missing");
    };
    match body["scene"].as_i64() {
        None => return refuse(41038, "contact way scene missing"),
        Some(1 | 2) => {}
        Some(_) => return refuse(41040, "invalid contact way scene"),
    }
    letters(body, "remark", world.limits.n(Rule::WayRemarkChars))?;
    letters(body, "state", world.limits.n(Rule::WayStateChars))?;
    let users = once(texts(body, "user", world.limits.n(Rule::WayUsers))?);
    match (kind, users.len()) {
        (1, 1) | (2, 1..) => {}
        (1 | 2, 0) => return wrong("user"),
        (1, _) => return refuse(41041, "too many users for a contact way of type 1"),
        _ => return refuse(41039, "invalid contact way type"),
    }
    all_work_here(world, &users)?;
    if users.iter().any(|userid| world.active_staff(userid).is_some_and(|staff| !staff.is_follower)) {
        return refuse(84074, "no external contact permission");
    }
    if body["is_temp"].as_bool() == Some(true) {
        return wrong("is_temp: only for hospitals now");
    }
    let mut kept = json!({"skip_verify": true, "state": "", "remark": "", "party": []});
    for field in KEPT {
        if !body[field].is_null() {
            kept[field] = body[field].clone();
        }
    }
    Ok((kept, users))
}

pub fn add(world: &mut World, call: &Call<'_>) -> Answer {
    let (body, users) = read(world, call.body)?;
    if !world.way_fits() {
        return refuse(41045, "contact ways made by API are at the limit");
    }
    let config_id = world.new_id("", 32).to_lowercase();
    let qr_code = format!("http://p.qpic.cn/wwhead/{config_id}/0");
    world.ways.insert(config_id.clone(), Way { body, users, created_ms: world.now_ms });
    Ok(json!({"config_id": config_id, "qr_code": qr_code}))
}

fn named<'a>(world: &'a mut World, call: &Call<'_>) -> Result<(&'a mut Way, String), Refusal> {
    let Some(config_id) = call.body["config_id"].as_str() else {
        return refuse(41043, "config_id missing");
    };
    match world.ways.get_mut(config_id) {
        Some(way) => Ok((way, config_id.to_owned())),
        None => refuse(41044, "invalid contact way config_id"),
    }
}

pub fn get(world: &mut World, call: &Call<'_>) -> Answer {
    let (way, config_id) = named(world, call)?;
    let mut told = way.body.clone();
    told["qr_code"] = json!(format!("http://p.qpic.cn/wwhead/{config_id}/0"));
    told["config_id"] = json!(config_id);
    Ok(json!({"contact_way": told}))
}

pub fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let page = Page::read(call.body, 100, 1_000)?;
    let now_s = world.now_ms.div_euclid(1_000);
    let from_s = call.body["start_time"].as_i64().unwrap_or(now_s - 90 * 86_400);
    let to_s = call.body["end_time"].as_i64().unwrap_or(now_s);
    if from_s > to_s {
        return wrong("start_time");
    }
    let within = world.ways.iter().filter(|(_, way)| {
        let made_s = way.created_ms.div_euclid(1_000);
        from_s <= made_s && made_s <= to_s
    });
    let (rows, next) = page.cut(within.map(|(id, _)| (id.clone(), json!({"config_id": id}))));
    Ok(json!({"contact_way": rows, "next_cursor": next}))
}

pub fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let (way, config_id) = named(world, call)?;
    let mut whole = way.body.clone();
    for field in KEPT {
        if !call.body[field].is_null() && field != "type" && field != "scene" {
            whole[field] = call.body[field].clone();
        }
    }
    let (body, users) = read(world, &whole)?;
    world.ways.entry(config_id).and_modify(|way| {
        way.body = body;
        way.users = users;
    });
    Ok(json!({}))
}

pub fn del(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, config_id) = named(world, call)?;
    world.ways.remove(&config_id);
    Ok(json!({}))
}
