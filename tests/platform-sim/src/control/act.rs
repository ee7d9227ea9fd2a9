//! What people do: scan, add, part, block, write, join, leave, confirm.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Done, Wrong, number, text};
use crate::world::World;

/// The most customers that scan at one moment.
const AT_ONCE_MAX: usize = 100_000;

/// Does what it knows.
pub fn act(world: &mut World, what: &str, body: &Value) -> Done {
    match what {
        "scan" => match body["customers"].as_array() {
            Some(customers) => scan_many(world, customers, text(body, "config_id")?),
            None => Ok(world.scan(text(body, "customer")?, text(body, "config_id")?)?),
        },
        "scan-group" => Ok(world.scan_join(text(body, "customer")?, text(body, "config_id")?)?),
        "add" | "half-add" => {
            let (userid, customer) = (text(body, "userid")?, text(body, "customer")?);
            let state = body["state"].as_str().unwrap_or_default();
            let code = if what == "add" {
                world.befriend(userid, customer, state, 3, true)?
            } else {
                world.befriend_half(userid, customer, state)?
            };
            Ok(json!({"welcome_code": code}))
        }
        "part" => {
            let is_by_staff = match text(body, "by")? {
                "staff" => true,
                "customer" => false,
                _ => return Err(Wrong("by: staff or customer".to_owned())),
            };
            done(world.part(text(body, "userid")?, text(body, "customer")?, is_by_staff)?)
        }
        "block" => {
            let blocked = body["blocked"].as_bool().unwrap_or(true);
            let relation = world.relation_mut(text(body, "userid")?, text(body, "customer")?);
            relation.ok_or_else(|| Wrong("customer: is not of this userid".to_owned()))?.is_blocked = blocked;
            Ok(Value::Null)
        }
        "edit" => edit(world, body),
        "say" => {
            let customer = text(body, "customer")?;
            match body["open_kfid"].as_str() {
                Some(open_kfid) => {
                    let msgid = world.say_to_kf(open_kfid, customer, &said(body)?)?;
                    Ok(json!({"msgid": msgid}))
                }
                None => done(world.say(text(body, "userid")?, customer, text(body, "text")?)?),
            }
        }
        "kf/session" => {
            let (open_kfid, customer) = (text(body, "open_kfid")?, text(body, "customer")?);
            let state = number(body, "state")?;
            if !(0..=4).contains(&state) {
                return Err(Wrong("state: 0 to 4".to_owned()));
            }
            let userid = body["userid"].as_str().unwrap_or_default();
            done(world.kf_session(open_kfid, customer, (state, userid))?)
        }
        "kf/answer" => {
            let of = (text(body, "open_kfid")?, text(body, "userid")?);
            let msgid = world.staff_says_in_kf(of, text(body, "customer")?, text(body, "text")?)?;
            Ok(json!({"msgid": msgid}))
        }
        "kf/recall" => {
            let (open_kfid, customer) = (text(body, "open_kfid")?, text(body, "customer")?);
            done(world.kf_recall(open_kfid, customer, text(body, "msgid")?)?)
        }
        "kf/refuse" => {
            let (open_kfid, customer) = (text(body, "open_kfid")?, text(body, "customer")?);
            done(world.kf_refuses(open_kfid, customer, body["refuses"].as_bool().unwrap_or(true))?)
        }
        "staff/leave" => done(world.leave(text(body, "userid")?)?),
        "chats" => {
            let chat_id =
                world.open_chat(body["chat_id"].as_str(), text(body, "name")?, text(body, "owner")?)?;
            Ok(json!({"chat_id": chat_id}))
        }
        "chats/join" => {
            let scene = body["scene"].as_i64().unwrap_or(1);
            let (chat_id, who) = (text(body, "chat_id")?, text(body, "who")?);
            done(world.join(chat_id, who, scene, body["invitor"].as_str(), "")?)
        }
        "chats/quit" => {
            let scene = body["scene"].as_i64().unwrap_or_default();
            done(world.quit(text(body, "chat_id")?, text(body, "who")?, scene)?)
        }
        "chats/change" => {
            let (chat_id, detail) = (text(body, "chat_id")?, text(body, "detail")?);
            done(world.change_chat(chat_id, detail, text(body, "value")?, true)?)
        }
        "chats/dismiss" => done(world.dismiss(text(body, "chat_id")?)?),
        "confirm" => {
            let userid = text(body, "userid")?;
            match (body["msgid"].as_str(), body["moment_id"].as_str()) {
                (Some(msgid), _) => world.confirm_mass(msgid, userid),
                (None, Some(moment_id)) => world.publish_moment(moment_id, userid),
                (None, None) => return Err(Wrong("msgid: a message or a moment is wanted".to_owned())),
            }
            Ok(Value::Null)
        }
        _ => Err(Wrong(format!("{what}: nothing of this name can be done"))),
    }
}

/// What a customer sends to customer service: a text, or media of a kind.
fn said(body: &Value) -> Result<Value, Wrong> {
    match body["kind"].as_str() {
        None => Ok(json!({"msgtype": "text", "text": {"content": text(body, "text")?}})),
        Some(kind @ ("image" | "voice" | "video" | "file")) => {
            Ok(json!({"msgtype": kind, kind: {"media_id": text(body, "media_id")?}}))
        }
        Some(_) => Err(Wrong("kind: image, voice, video or file".to_owned())),
    }
}

/// Many scan at one moment: a burst. Tells how many of each outcome there were.
fn scan_many(world: &mut World, customers: &[Value], config_id: &str) -> Done {
    if customers.len() > AT_ONCE_MAX {
        return Err(Wrong(format!("customers: at most {AT_ONCE_MAX}")));
    }
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    for customer in customers {
        let customer = customer.as_str().ok_or_else(|| Wrong("customers: ids are wanted".to_owned()))?;
        let outcome = world.scan(customer, config_id)?["outcome"].as_str().unwrap_or_default().to_owned();
        *outcomes.entry(outcome).or_default() += 1;
    }
    Ok(json!({"outcomes": outcomes}))
}

fn done((): ()) -> Done {
    Ok(Value::Null)
}

/// Staff notes something of a customer, or tags them, in their own client.
fn edit(world: &mut World, body: &Value) -> Done {
    let list = |field: &str| -> Vec<String> {
        body[field].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (add, remove) = (list("add_tag"), list("remove_tag"));
    if add.iter().any(|id| !world.tags.contains_key(id)) {
        return Err(Wrong("add_tag: no such tag".to_owned()));
    }
    let changed = world.edit(text(body, "userid")?, text(body, "customer")?, |relation| {
        if let Some(remark) = body["remark"].as_str() {
            remark.clone_into(&mut relation.remark);
        }
        if let Some(description) = body["description"].as_str() {
            description.clone_into(&mut relation.description);
        }
        relation.tags.extend(add);
        for id in remove {
            relation.tags.remove(&id);
        }
    });
    done(changed?)
}
