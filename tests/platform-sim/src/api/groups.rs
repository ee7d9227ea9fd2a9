//! Groups and the codes that lead into them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ask::{Page, letters, text, texts, wrong};
use super::{Answer, Call};
use crate::calendar::Period;
use crate::limits::Rule;
use crate::world::types::{Chat, JoinWay};
use crate::world::{Refusal, World, refuse};

pub fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let n_max = world.limits.n(Rule::GroupPage);
    if call.body["limit"].is_null() {
        return wrong("limit");
    }
    let page = Page::read(call.body, n_max, n_max)?;
    let owners = texts(&call.body["owner_filter"], "userid_list", 100)?;
    if owners.is_empty() {
        let all: BTreeSet<&String> = world.chats.values().map(|chat| &chat.now.owner).collect();
        if all.len() > world.limits.n(Rule::GroupOwners) {
            return refuse(81017, "too many group owners: use owner_filter");
        }
    }
    let status = call.body["status_filter"].as_i64().unwrap_or_default();
    let rows = world
        .chats
        .iter()
        .filter(|(_, chat)| !chat.is_dismissed && (owners.is_empty() || owners.contains(&chat.now.owner)));
    let rows =
        rows.map(|(id, chat)| (id, self::status(world, chat))).filter(|(_, of)| status == 0 || *of == status);
    let (rows, next) =
        page.cut(rows.map(|(id, status)| (id.clone(), json!({"chat_id": id, "status": status}))));
    Ok(json!({"group_chat_list": rows, "next_cursor": next}))
}

/// 0 as it should be, 1 its owner left the company.
fn status(world: &World, chat: &Chat) -> i64 {
    i64::from(world.active_staff(&chat.now.owner).is_none())
}

pub fn get(world: &mut World, call: &Call<'_>) -> Answer {
    let chat_id = text(call.body, "chat_id")?;
    let with_names = call.body["need_name"].as_i64() == Some(1);
    let Some(chat) = world.chats.get(chat_id) else {
        return refuse(40050, "invalid group id");
    };
    if chat.is_dismissed {
        return refuse(49008, "the group is dismissed");
    }
    let members: Vec<Value> = chat
        .shown
        .members
        .iter()
        .map(|(who, member)| {
            let mut row = json!({
                "userid": who, "type": member.kind, "join_time": member.joined_ms.div_euclid(1_000),
                "join_scene": member.scene, "group_nickname": "",
            });
            if let Some(invitor) = &member.invitor {
                row["invitor"] = json!({"userid": invitor});
            }
            if !member.state.is_empty() {
                row["state"] = json!(member.state);
            }
            let phone = world.phones.get(who);
            if let Some(phone) = phone {
                row["unionid"] = json!(phone.unionid);
            }
            if with_names {
                let name =
                    phone.map(|phone| &phone.name).or_else(|| world.staff.get(who).map(|staff| &staff.name));
                row["name"] = json!(name);
            }
            row
        })
        .collect();
    Ok(json!({"group_chat": {
        "chat_id": chat_id, "name": chat.shown.name, "owner": chat.shown.owner, "notice": chat.shown.notice,
        "create_time": chat.created_ms.div_euclid(1_000), "member_list": members, "admin_list": [],
        "member_version": chat.shown.version_text(chat_id),
    }}))
}

fn hand_over(world: &mut World, call: &Call<'_>, is_resigned: bool) -> Answer {
    let chats = texts(call.body, "chat_id_list", world.limits.n(Rule::GroupTransfers))?;
    let owner = text(call.body, "new_owner")?;
    if world.active_staff(owner).is_none() {
        return refuse(60111, "userid not found");
    }
    let per_day = world.limits.of(Rule::GroupTransfersPerOwnerDay);
    let mut failed = Vec::new();
    for chat_id in chats {
        let has_left = world.chats.get(&chat_id).map(|chat| status(world, chat) == 1);
        let now_ms = world.now_ms;
        let code = match has_left {
            None => Some((40050, "invalid group id")),
            Some(left) if left != is_resigned => Some((90500, "the owner of the group has not left, or has")),
            Some(_) if !world.meters.take("group_transfers", owner, Period::Day, per_day, now_ms, 1) => {
                Some((90507, "the new owner took too many groups today"))
            }
            // What an API does is told by no event.
            Some(_) => {
                world.change_chat(&chat_id, "change_owner", owner, false).err().map(|of| (of.code, "refused"))
            }
        };
        if let Some((code, says)) = code {
            failed.push(json!({"chat_id": chat_id, "errcode": code, "errmsg": says}));
        }
    }
    Ok(json!({"failed_chat_list": failed}))
}

pub fn transfer(world: &mut World, call: &Call<'_>) -> Answer {
    hand_over(world, call, true)
}

pub fn onjob_transfer(world: &mut World, call: &Call<'_>) -> Answer {
    hand_over(world, call, false)
}

fn read_join_way(world: &World, body: &Value) -> Result<(Value, Vec<String>), Refusal> {
    if !matches!(body["scene"].as_i64(), Some(1 | 2)) {
        return wrong("scene");
    }
    letters(body, "remark", world.limits.n(Rule::WayRemarkChars))?;
    letters(body, "state", world.limits.n(Rule::WayStateChars))?;
    letters(body, "room_base_name", 40)?;
    let chats = texts(body, "chat_id_list", world.limits.n(Rule::JoinWayChats))?;
    if chats.is_empty() {
        return wrong("chat_id_list");
    }
    if chats.iter().any(|chat_id| world.chats.get(chat_id).is_none_or(|chat| chat.is_dismissed)) {
        return refuse(40050, "invalid group id");
    }
    let mut kept = json!({
        "auto_create_room": 1, "remark": "", "state": "", "room_base_name": "", "room_base_id": 1, "mark_source": true,
    });
    for field in
        ["scene", "remark", "auto_create_room", "room_base_name", "room_base_id", "state", "mark_source"]
    {
        if !body[field].is_null() {
            kept[field] = body[field].clone();
        }
    }
    Ok((kept, chats))
}

pub fn add_join_way(world: &mut World, call: &Call<'_>) -> Answer {
    let (body, chats) = read_join_way(world, call.body)?;
    if !world.way_fits() {
        return refuse(41045, "join ways made by API are at the limit");
    }
    let config_id = world.new_id("", 32).to_lowercase();
    let next_room = body["room_base_id"].as_i64().unwrap_or(1);
    world.join_ways.insert(config_id.clone(), JoinWay { body, chats, next_room });
    Ok(json!({"config_id": config_id}))
}

fn named<'a>(world: &'a mut World, call: &Call<'_>) -> Result<(&'a mut JoinWay, String), Refusal> {
    let Some(config_id) = call.body["config_id"].as_str() else {
        return refuse(41043, "config_id missing");
    };
    match world.join_ways.get_mut(config_id) {
        Some(way) => Ok((way, config_id.to_owned())),
        None => refuse(41044, "invalid join way config_id"),
    }
}

pub fn get_join_way(world: &mut World, call: &Call<'_>) -> Answer {
    let (way, config_id) = named(world, call)?;
    let mut told = way.body.clone();
    told["chat_id_list"] = json!(way.chats);
    told["qr_code"] = json!(format!("http://p.qpic.cn/wwhead/{config_id}/0"));
    told["config_id"] = json!(config_id);
    Ok(json!({"join_way": told}))
}

pub fn update_join_way(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, config_id) = named(world, call)?;
    let (body, chats) = read_join_way(world, call.body)?;
    world.join_ways.entry(config_id).and_modify(|way| {
        way.body = body;
        way.chats = chats;
    });
    Ok(json!({}))
}

pub fn del_join_way(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, config_id) = named(world, call)?;
    world.join_ways.remove(&config_id);
    Ok(json!({}))
}
