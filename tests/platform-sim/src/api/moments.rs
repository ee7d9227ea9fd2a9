//! Moments of the corp: a job makes one, staff publishes it, customers see it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::ask::{Page, one_attachment, text, texts, wrong};
use super::{Answer, Call};
use crate::calendar::Period;
use crate::limits::Rule;
use crate::world::types::{Due, Moment};
use crate::world::{Refusal, THINGS_MAX, World, refuse};

fn content(world: &World, body: &Value) -> Result<Value, Refusal> {
    let words = body["text"]["content"].as_str().unwrap_or_default();
    if words.chars().count() > world.limits.n(Rule::MomentTextChars) {
        return wrong("text.content");
    }
    let none = Vec::new();
    let attachments = body["attachments"].as_array().unwrap_or(&none);
    if words.is_empty() && attachments.is_empty() {
        return refuse(44004, "empty content");
    }
    let n_images = attachments.iter().filter(|attachment| attachment["msgtype"] == "image").count();
    // Nine pictures, or one of anything else.
    if n_images > world.limits.n(Rule::MomentImages)
        || (n_images != attachments.len() && attachments.len() != 1)
    {
        return wrong("attachments");
    }
    for attachment in attachments {
        if !matches!(attachment["msgtype"].as_str(), Some("image" | "video" | "link")) {
            return refuse(41065, "invalid attachment msgtype");
        }
        one_attachment(world, attachment)?;
    }
    Ok(json!({"text": {"content": words}, "attachments": attachments}))
}

pub fn add(world: &mut World, call: &Call<'_>) -> Answer {
    let content = content(world, call.body)?;
    let range = &call.body["visible_range"];
    let users = texts(&range["sender_list"], "user_list", 100_000)?;
    let asked_tags = texts(&range["external_contact_list"], "tag_list", 10_000)?;
    let by_department =
        range["sender_list"]["department_list"].as_array().is_some_and(|list| !list.is_empty());
    let (users, invalid_staff): (Vec<String>, Vec<String>) = if users.is_empty() || by_department {
        (world.followers().cloned().collect(), Vec::new())
    } else {
        users
            .into_iter()
            .partition(|userid| world.active_staff(userid).is_some_and(|staff| staff.is_follower))
    };
    let (tags, invalid_tags): (BTreeSet<String>, BTreeSet<String>) =
        asked_tags.into_iter().partition(|id| world.tags.contains_key(id));
    for (period, rule) in [(Period::Minute, Rule::MomentsPerMinute), (Period::Month, Rule::MomentsPerMonth)] {
        if !world.meters.take("moments", "corp", period, world.limits.of(rule), world.now_ms, 1) {
            return refuse(45009, "api freq out of limit");
        }
    }
    if world.moments.len() >= THINGS_MAX {
        return refuse(45009, "too many moments for one run");
    }
    let (job, moment_id) = (world.new_id("job", 29), world.new_id("mom", 29));
    let due_ms = world.now_ms + world.limits.of(Rule::MomentJobMs);
    let moment = Moment {
        job: job.clone(),
        created_ms: world.now_ms,
        is_ready: false,
        content,
        tags,
        tasks: users.into_iter().map(|userid| (userid, None)).collect::<BTreeMap<_, _>>(),
        invalid_staff,
        invalid_tags: invalid_tags.into_iter().collect(),
        is_cancelled: false,
    };
    world.moments.insert(moment_id.clone(), moment);
    world.at(due_ms, Due::MomentReady(moment_id));
    Ok(json!({"jobid": job}))
}

pub fn job(world: &mut World, call: &Call<'_>) -> Answer {
    let job = super::ask::query(call, "jobid", 40058)?;
    let Some((moment_id, moment)) = world.moments.iter().find(|(_, moment)| moment.job == job) else {
        return refuse(40088, "jobid not exist");
    };
    let mut told = json!({"status": 1, "type": "add_moment_task"});
    if moment.is_ready {
        // Without anybody to publish it, there is no moment.
        let code = if moment.tasks.is_empty() { 40031 } else { 0 };
        told["status"] = json!(3);
        told["result"] = json!({
            "errcode": code, "errmsg": if code == 0 { "ok" } else { "invalid userid list" },
            "moment_id": if code == 0 { moment_id.as_str() } else { "" },
            "invalid_sender_list": {"user_list": moment.invalid_staff, "department_list": []},
            "invalid_external_contact_list": {"tag_list": moment.invalid_tags},
        });
    }
    Ok(told)
}

fn named<'a>(world: &'a mut World, call: &Call<'_>) -> Result<&'a mut Moment, Refusal> {
    let Some(moment_id) = call.body["moment_id"].as_str() else {
        return refuse(41059, "moment_id missing");
    };
    match world.moments.get_mut(moment_id).filter(|moment| moment.is_ready) {
        Some(moment) => Ok(moment),
        None => refuse(41060, "invalid moment_id"),
    }
}

pub fn cancel(world: &mut World, call: &Call<'_>) -> Answer {
    named(world, call)?.is_cancelled = true;
    Ok(json!({}))
}

pub fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body;
    let page = Page::read(body, 20, 20)?;
    let (Some(from_s), Some(to_s)) = (body["start_time"].as_i64(), body["end_time"].as_i64()) else {
        return wrong("start_time");
    };
    if from_s > to_s || (to_s - from_s) * 1_000 > world.limits.of(Rule::MomentSpanMs) {
        return wrong("end_time");
    }
    let within = world.moments.iter().filter(|(_, moment)| {
        let made_s = moment.created_ms.div_euclid(1_000);
        moment.is_ready && from_s <= made_s && made_s <= to_s
    });
    let rows = within.map(|(moment_id, moment)| {
        let mut row = json!({
            "moment_id": moment_id, "create_time": moment.created_ms.div_euclid(1_000), "create_type": 0,
            "visible_type": i64::from(moment.tags.is_empty()), "text": moment.content["text"],
        });
        let attachments = moment.content["attachments"].as_array().cloned().unwrap_or_default();
        let images = attachments.iter().filter(|of| of["msgtype"] == "image").map(|of| of["image"].clone());
        let images: Vec<Value> = images.collect();
        if !images.is_empty() {
            row["image"] = json!(images);
        }
        for kind in ["video", "link"] {
            if let Some(of) = attachments.iter().find(|of| of["msgtype"] == kind) {
                row[kind] = of[kind].clone();
            }
        }
        (moment_id.clone(), row)
    });
    let (rows, next) = page.cut(rows);
    Ok(json!({"moment_list": rows, "next_cursor": next}))
}

pub fn task(world: &mut World, call: &Call<'_>) -> Answer {
    let page = Page::read(call.body, 500, 1_000)?;
    let moment = named(world, call)?;
    let rows = moment.tasks.iter();
    let rows = rows
        .map(|(id, task)| (id.clone(), json!({"userid": id, "publish_status": i64::from(task.is_some())})));
    let (rows, next) = page.cut(rows);
    Ok(json!({"task_list": rows, "next_cursor": next}))
}

/// Whom a member of staff showed it to.
fn seen_by(world: &mut World, call: &Call<'_>) -> Result<(String, Vec<String>), Refusal> {
    let userid = text(call.body, "userid")?.to_owned();
    let moment = named(world, call)?;
    let mut seen = match moment.tasks.get(&userid) {
        None => return refuse(41061, "this moment is not of this userid"),
        Some(None) => return refuse(41062, "userid has not published this moment"),
        Some(Some((_, seen))) => seen.clone(),
    };
    seen.sort();
    Ok((userid, seen))
}

pub fn customers(world: &mut World, call: &Call<'_>) -> Answer {
    let page = Page::read(call.body, 500, 1_000)?;
    let (userid, seen) = seen_by(world, call)?;
    let rows = seen.into_iter().map(|id| (id.clone(), json!({"userid": userid, "external_userid": id})));
    let (rows, next) = page.cut(rows);
    Ok(json!({"customer_list": rows, "next_cursor": next}))
}

pub fn send_result(world: &mut World, call: &Call<'_>) -> Answer {
    let n_max = world.limits.n(Rule::MomentPage);
    let page = Page::read(call.body, 3_000, n_max)?;
    let (_, seen) = seen_by(world, call)?;
    let (rows, next) = page.cut(seen.into_iter().map(|id| (id.clone(), json!({"external_userid": id}))));
    Ok(json!({"customer_list": rows, "next_cursor": next}))
}
