//! Mass messages: made here, sent when staff confirms, results to be fetched.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ask::{Page, message, once, text, texts, wrong};
use super::{Answer, Call};
use crate::calendar::DAY_MS;
use crate::limits::Rule;
use crate::world::types::{Mass, MassTask};
use crate::world::{Refusal, THINGS_MAX, World, refuse};

/// Who sends to whom, and to whom nobody can.
type Shares = (BTreeMap<String, Vec<String>>, Vec<String>);

/// Customers go to the sender who was named, else to whoever of the staff dealt with them last: each gets it once.
fn to_customers(world: &World, body: &Value, sender: Option<&str>) -> Result<Shares, Refusal> {
    let externals = once(texts(body, "external_userid", world.limits.n(Rule::MassTargets))?);
    let (mut shares, mut failed) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
    if externals.is_empty() {
        let Some(sender) = sender else {
            return wrong("sender");
        };
        let of_sender = world.customers_of(sender).map(|(external, _)| external.clone()).collect();
        shares.insert(sender.to_owned(), of_sender);
        return Ok((shares, failed));
    }
    for external in externals {
        let staff = world.phones.get(&external).map(|phone| &phone.staff);
        let spoke_ms = |userid: &&String| world.relation(userid, &external).map(|relation| relation.spoke_ms);
        let last = staff.and_then(|staff| match sender {
            Some(sender) => staff.get(sender),
            None => staff.iter().filter(|userid| world.active_staff(userid).is_some()).max_by_key(spoke_ms),
        });
        match last {
            Some(userid) => shares.entry(userid.clone()).or_default().push(external),
            None => failed.push(external),
        }
    }
    Ok((shares, failed))
}

fn to_groups(world: &World, body: &Value, sender: Option<&str>) -> Result<Shares, Refusal> {
    let Some(sender) = sender else {
        return wrong("sender");
    };
    let asked = once(texts(body, "chat_id_list", world.limits.n(Rule::MassGroups))?);
    let is_owned = |chat_id: &String| {
        world.chats.get(chat_id).is_some_and(|chat| !chat.is_dismissed && chat.now.owner == sender)
    };
    let (owned, failed) = if asked.is_empty() {
        (world.chats.keys().filter(|chat_id| is_owned(chat_id)).cloned().collect(), Vec::new())
    } else {
        asked.into_iter().partition(is_owned)
    };
    Ok((BTreeMap::from([(sender.to_owned(), owned)]), failed))
}

pub fn add(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body;
    let content =
        message(world, body, world.limits.n(Rule::MassTextBytes), world.limits.n(Rule::MassAttachments))?;
    let sender = body["sender"].as_str().filter(|sender| !sender.is_empty());
    if sender.is_some_and(|sender| world.active_staff(sender).is_none()) {
        return refuse(60111, "userid not found");
    }
    let (chat_type, (shares, failed)) = match body["chat_type"].as_str() {
        None | Some("single") => ("single", to_customers(world, body, sender)?),
        Some("group") => ("group", to_groups(world, body, sender)?),
        Some(_) => return wrong("chat_type"),
    };
    if shares.values().all(Vec::is_empty) {
        return refuse(41048, "no customer to send");
    }
    if world.masses.len() >= THINGS_MAX {
        return refuse(45009, "too many messages for one run");
    }
    let tasks = shares.into_iter().filter(|(_, targets)| !targets.is_empty());
    let tasks =
        tasks.map(|(userid, targets)| (userid, MassTask { targets, ..MassTask::default() })).collect();
    let msgid = world.new_id("msg", 29);
    let created_ms = world.now_ms;
    let mass = Mass { chat_type, created_ms, content, tasks, is_cancelled: false, reminded_ms: Vec::new() };
    world.masses.insert(msgid.clone(), mass);
    world.ask_for_mass(&msgid);
    Ok(json!({"fail_list": failed, "msgid": msgid}))
}

fn named<'a>(world: &'a mut World, call: &Call<'_>) -> Result<(&'a mut Mass, String), Refusal> {
    let Some(msgid) = call.body["msgid"].as_str() else {
        return refuse(41046, "msgid missing");
    };
    match world.masses.get_mut(msgid) {
        Some(mass) => Ok((mass, msgid.to_owned())),
        None => refuse(41047, "invalid msgid"),
    }
}

pub fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body;
    let page = Page::read(body, 50, 100)?;
    let chat_type = text(body, "chat_type")?;
    let (Some(from_s), Some(to_s)) = (body["start_time"].as_i64(), body["end_time"].as_i64()) else {
        return wrong("start_time");
    };
    if from_s > to_s || to_s - from_s > 31 * 86_400 {
        return wrong("end_time");
    }
    let within = world.masses.iter().filter(|(_, mass)| {
        let made_s = mass.created_ms.div_euclid(1_000);
        mass.chat_type == chat_type && from_s <= made_s && made_s <= to_s
    });
    let rows = within.map(|(msgid, mass)| {
        let made_s = mass.created_ms.div_euclid(1_000);
        let row = json!({
            "msgid": msgid, "create_time": made_s, "create_type": 0, "text": mass.content["text"],
            "attachments": mass.content["attachments"],
        });
        (msgid.clone(), row)
    });
    let (rows, next) = page.cut(rows);
    Ok(json!({"group_msg_list": rows, "next_cursor": next}))
}

pub fn task(world: &mut World, call: &Call<'_>) -> Answer {
    let page = Page::read(call.body, 500, 1_000)?;
    let (mass, _) = named(world, call)?;
    let rows = mass.tasks.iter().map(|(userid, task)| {
        let mut row = json!({"userid": userid, "status": if task.sent_ms.is_some() { 2 } else { 0 }});
        if let Some(sent_ms) = task.sent_ms {
            row["send_time"] = json!(sent_ms.div_euclid(1_000));
        }
        (userid.clone(), row)
    });
    let (rows, next) = page.cut(rows);
    Ok(json!({"task_list": rows, "next_cursor": next}))
}

pub fn send_result(world: &mut World, call: &Call<'_>) -> Answer {
    let page = Page::read(call.body, 500, 1_000)?;
    let userid = text(call.body, "userid")?;
    let (mass, _) = named(world, call)?;
    let field = if mass.chat_type == "group" { "chat_id" } else { "external_userid" };
    let Some(task) = mass.tasks.get(userid) else {
        return refuse(40003, "invalid userid: not asked to send this");
    };
    let mut targets: Vec<&String> = task.targets.iter().collect();
    targets.sort();
    let rows = targets.into_iter().map(|target| {
        let status = task.results.get(target).copied().unwrap_or_default();
        let mut row = json!({field: target, "userid": userid, "status": status});
        if let Some(sent_ms) = task.sent_ms.filter(|_| status == 1) {
            row["send_time"] = json!(sent_ms.div_euclid(1_000));
        }
        (target.clone(), row)
    });
    let (rows, next) = page.cut(rows);
    Ok(json!({"send_list": rows, "next_cursor": next}))
}

pub fn remind(world: &mut World, call: &Call<'_>) -> Answer {
    let (now_ms, n_max) = (world.now_ms, world.limits.n(Rule::MassReminders));
    let (mass, msgid) = named(world, call)?;
    mass.reminded_ms.retain(|at_ms| now_ms < at_ms + DAY_MS);
    if mass.reminded_ms.len() >= n_max {
        return refuse(45009, "api freq out of limit: reminders of this message");
    }
    mass.reminded_ms.push(now_ms);
    let waiting: Vec<String> = mass
        .tasks
        .iter()
        .filter(|(_, task)| task.sent_ms.is_none())
        .map(|(userid, _)| userid.clone())
        .collect();
    for userid in waiting {
        world.notify(&userid, call.agent, &msgid, &json!({"msgtype": "remind", "remind": {"msgid": msgid}}));
    }
    Ok(json!({}))
}

pub fn cancel(world: &mut World, call: &Call<'_>) -> Answer {
    named(world, call)?.0.is_cancelled = true;
    Ok(json!({}))
}
