//! Making the corp: apps, staff, customers, console tags, customer service; tokens and gates for tests.

use serde_json::{Value, json};

use super::{Done, Wrong, number, text};
use crate::crypto::Key;
use crate::deliver::may_go_to;
use crate::world::World;
use crate::world::events::{Part, Told};
use crate::world::types::{App, Callback, Habit, Kf, Tag, TagGroup};

/// The most customers that one request makes.
const AT_ONCE_MAX: u64 = 100_000;
/// The most apps of a corp.
const APPS_MAX: usize = 100;

/// Does what it knows; nothing where it does not know it.
pub fn act(world: &mut World, what: &str, body: &Value) -> Option<Done> {
    Some(match what {
        "apps" => app(world, body),
        "tokens/expire" => {
            world.tokens.clear();
            Ok(Value::Null)
        }
        "gate" => gate(world, body),
        "staff" => staff(world, body),
        "customers" => customers(world, body),
        "tags" => tags(world, body),
        "kf" => kf(world, body),
        "login-code" => login_code(world, body),
        "event" => event(world, body),
        "demo" => demo(world, body),
        _ => return None,
    })
}

fn app(world: &mut World, body: &Value) -> Done {
    let agent = number(body, "agentid")?;
    let callback = match &body["callback"] {
        Value::Null => None,
        of => {
            let url = text(of, "url")?.to_owned();
            if !may_go_to(&url) {
                return Err(Wrong("callback.url: http on this machine with a port and no query".to_owned()));
            }
            let key = Key::read(text(of, "aes_key")?);
            let key = key.ok_or_else(|| Wrong("callback.aes_key: 43 letters of base64".to_owned()))?;
            Some(Callback { url, token: text(of, "token")?.to_owned(), key })
        }
    };
    let ips =
        body["ips"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if world.apps.len() >= APPS_MAX {
        return Err(Wrong("agentid: too many apps".to_owned()));
    }
    let app = App {
        secret: text(body, "secret")?.to_owned(),
        name: body["name"].as_str().unwrap_or_default().to_owned(),
        is_contact: body["contact"].as_bool().unwrap_or(true),
        ips,
        callback,
    };
    world.apps.insert(agent, app);
    Ok(json!({"corpid": world.corpid, "agentid": agent}))
}

/// A closed gate holds calls of an API that counts concurrent ones, until it opens.
fn gate(world: &mut World, body: &Value) -> Done {
    let api = text(body, "api")?.to_owned();
    if body["closed"].as_bool() == Some(true) {
        world.calls.gates.insert(api);
    } else {
        world.calls.gates.remove(&api);
    }
    Ok(Value::Null)
}

/// Minutes of a habit: a number, or null for never.
fn minutes(of: &Value, field: &str, held: Option<i64>) -> Result<Option<i64>, Wrong> {
    match of.get(field) {
        None => Ok(held),
        Some(Value::Null) => Ok(None),
        Some(value) => {
            let minutes = value.as_i64().filter(|minutes| (0..=525_600).contains(minutes));
            minutes.map(Some).ok_or_else(|| Wrong(format!("habit.{field}: minutes, or null for never")))
        }
    }
}

/// Makes a member of staff, or changes one: what is not named stays.
fn staff(world: &mut World, body: &Value) -> Done {
    let userid = text(body, "userid")?.to_owned();
    let renamed = body["name"]
        .as_str()
        .filter(|name| world.staff.get(&userid).is_some_and(|staff| staff.name != *name));
    if let Some(name) = renamed {
        let parts = [Part::Text("UserID", &userid), Part::Text("Name", name)];
        world.emit(Told::All, "change_contact", Some("update_user"), &parts, None);
    }
    if !world.staff.contains_key(&userid) {
        let name = body["name"].as_str().unwrap_or(&userid).to_owned();
        world.hire(&userid, &name, body["follower"].as_bool().unwrap_or(true))?;
    }
    let Some(staff) = world.staff.get_mut(&userid) else {
        return Ok(Value::Null);
    };
    let held = staff.habit.clone();
    let habit = &body["habit"];
    staff.habit = Habit {
        mass_minutes: minutes(habit, "mass_minutes", held.mass_minutes)?,
        moment_minutes: minutes(habit, "moment_minutes", held.moment_minutes)?,
        accept_minutes: minutes(habit, "accept_minutes", held.accept_minutes)?,
    };
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut staff.name);
    }
    if let Some(is_follower) = body["follower"].as_bool() {
        staff.is_follower = is_follower;
    }
    if let Some(capacity) = body["capacity"].as_u64() {
        staff.capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
    }
    if let Some(has_welcome) = body["console_welcome"].as_bool() {
        staff.has_console_welcome = has_welcome;
    }
    Ok(json!({"userid": userid}))
}

/// Makes one customer, or `n` of them; changes one that is there.
fn customers(world: &mut World, body: &Value) -> Done {
    let name = body["name"].as_str().unwrap_or("客户");
    if let Some(n) = body["n"].as_u64() {
        if n > AT_ONCE_MAX {
            return Err(Wrong(format!("n: at most {AT_ONCE_MAX}")));
        }
        let made: Result<Vec<String>, Wrong> =
            (1..=n).map(|at| Ok(world.add_phone(None, &format!("{name}{at}"), None)?)).collect();
        return Ok(json!({"external_userids": made?}));
    }
    let named = body["external_userid"].as_str();
    let id = match named.filter(|id| world.phones.contains_key(*id)) {
        Some(id) => id.to_owned(),
        None => world.add_phone(named, name, body["unionid"].as_str())?,
    };
    let Some(phone) = world.phones.get_mut(&id) else {
        return Ok(Value::Null);
    };
    if let Some(openid) = body["openid"].as_str() {
        openid.clone_into(&mut phone.openid);
    }
    if let Some(gender) = body["gender"].as_i64() {
        phone.gender = gender;
    }
    if let Some(refuses) = body["refuses_transfer"].as_bool() {
        phone.refuses_transfer = refuses;
    }
    Ok(json!({"external_userid": id, "unionid": phone.unionid, "openid": phone.openid}))
}

/// An administrator changes tags in the console: apps hear of it, and may not change these tags.
fn tags(world: &mut World, body: &Value) -> Done {
    let now_ms = world.now_ms;
    if let Some(id) = body["drop"].as_str() {
        let is_group = world.tag_groups.contains_key(id);
        let of_group = |tag: &Tag| is_group && tag.group == id;
        let tags: Vec<String> = world
            .tags
            .iter()
            .filter(|(own, tag)| *own == id || of_group(tag))
            .map(|(own, _)| own.clone())
            .collect();
        if tags.is_empty() && !is_group {
            return Err(Wrong("drop: no such tag or group".to_owned()));
        }
        world.drop_tags(&tags, &[id.to_owned()]);
        tell_tag(world, "delete", id, is_group);
        return Ok(Value::Null);
    }
    let name = text(body, "name")?.to_owned();
    if let Some(id) = body["rename"].as_str() {
        let is_group = world.tag_groups.contains_key(id);
        match (world.tags.get_mut(id), world.tag_groups.get_mut(id)) {
            (Some(tag), _) => tag.name = name,
            (None, Some(group)) => group.name = name,
            (None, None) => return Err(Wrong("rename: no such tag or group".to_owned())),
        }
        tell_tag(world, "update", id, is_group);
        return Ok(Value::Null);
    }
    let wanted = text(body, "group")?;
    let found = world.tag_groups.iter().find(|(_, group)| group.name == wanted).map(|(id, _)| id.clone());
    let group = match found {
        Some(id) => id,
        None => {
            let id = world.new_id("et", 30);
            let made = TagGroup { name: wanted.to_owned(), order: 0, created_ms: now_ms, made_by: None };
            world.tag_groups.insert(id.clone(), made);
            tell_tag(world, "create", &id, true);
            id
        }
    };
    let id = world.new_id("et", 30);
    let tag = Tag { group: group.clone(), name, order: 0, created_ms: now_ms, made_by: None };
    world.tags.insert(id.clone(), tag);
    tell_tag(world, "create", &id, false);
    Ok(json!({"tag_id": id, "group_id": group}))
}

fn tell_tag(world: &mut World, change: &str, id: &str, is_group: bool) {
    let kind = if is_group { "tag_group" } else { "tag" };
    let parts = [Part::Text("Id", id), Part::Text("TagType", kind)];
    world.emit(Told::Contact, "change_external_tag", Some(change), &parts, None);
}

fn kf(world: &mut World, body: &Value) -> Done {
    let id = body["open_kfid"].as_str().map(str::to_owned);
    let id = id.unwrap_or_else(|| world.new_id("wk", 30));
    let name = text(body, "name")?.to_owned();
    world.kfs.entry(id.clone()).or_insert_with(|| Kf { name, ..Kf::default() });
    Ok(json!({"open_kfid": id}))
}

/// What a member of staff brings from signing in: good once, for five minutes.
fn login_code(world: &mut World, body: &Value) -> Done {
    let userid = text(body, "userid")?.to_owned();
    let code = world.new_id("", 32);
    world.login_codes.insert(code.clone(), (userid, world.now_ms + 300_000));
    Ok(json!({"code": code}))
}

/// Any other event, as its fields are given: what has no story of its own here still reaches apps signed and shaped as all do.
fn event(world: &mut World, body: &Value) -> Done {
    let is_name = |name: &str| {
        name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let event = text(body, "event")?;
    let fields = body["fields"].as_object().cloned().unwrap_or_default();
    let mut parts = Vec::new();
    for (name, value) in &fields {
        if !is_name(name) || name.is_empty() {
            return Err(Wrong(format!("fields: {name} is no name")));
        }
        parts.push(match (value.as_str(), value.as_i64()) {
            (Some(words), _) => Part::Text(name, words),
            (None, Some(n)) => Part::Number(name, n),
            (None, None) => return Err(Wrong(format!("fields.{name}: a text or a whole number is wanted"))),
        });
    }
    let told = if body["all_apps"].as_bool() == Some(true) { Told::All } else { Told::Contact };
    world.emit(told, event, body["change"].as_str(), &parts, None);
    Ok(Value::Null)
}

/// A small world to look at: two of the staff, a group, three phones, a code of each kind.
fn demo(world: &mut World, _: &Value) -> Done {
    world.hire("xiaohe", "荷", true)?;
    world.hire("lin", "林", true)?;
    let chat = world.open_chat(None, "知音茶会 1", "xiaohe")?;
    let mut phones = Vec::new();
    for name in ["伯牙", "子期", "青瓷"] {
        phones.push(world.add_phone(None, name, None)?);
    }
    let body = json!({
        "type": 2, "scene": 2, "user": ["xiaohe", "lin"], "state": "door", "skip_verify": true, "remark": "", "party": [],
    });
    let way = world.new_id("", 32).to_lowercase();
    let users = vec!["xiaohe".to_owned(), "lin".to_owned()];
    let made = crate::world::types::Way { body, users, created_ms: world.now_ms };
    world.ways.insert(way.clone(), made);
    let body = json!({
        "scene": 2, "auto_create_room": 1, "room_base_name": "知音茶会 ", "room_base_id": 2, "state": "tea", "remark": "",
    });
    let join_way = world.new_id("", 32).to_lowercase();
    let made = crate::world::types::JoinWay { body, chats: vec![chat.clone()], next_room: 2 };
    world.join_ways.insert(join_way.clone(), made);
    let kf = world.new_id("wk", 30);
    world.kfs.insert(kf.clone(), Kf { name: "知音客服".to_owned(), ..Kf::default() });
    Ok(json!({
        "external_userids": phones, "chat_id": chat, "contact_way": way, "join_way": join_way, "open_kfid": kf,
    }))
}
