//! Customers: who has whom, and what is noted of them.

use serde_json::{Value, json};

use super::ask::{Page, letters, query, text, texts};
use super::{Answer, Call};
use crate::limits::Rule;
use crate::world::types::{Phone, Relation};
use crate::world::{World, refuse};

pub fn get_follow_user_list(world: &mut World, _: &Call<'_>) -> Answer {
    Ok(json!({"follow_user": world.followers().collect::<Vec<_>>()}))
}

pub fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let userid = query(call, "userid", 41009)?;
    if world.active_staff(userid).is_none() {
        return refuse(60111, "userid not found");
    }
    let externals: Vec<&String> = world.customers_of(userid).map(|(external, _)| external).collect();
    // Who has none is told this, not given an empty list.
    if externals.is_empty() {
        return refuse(84061, "not external contact");
    }
    Ok(json!({"external_userid": externals}))
}

fn contact(external: &str, phone: &Phone) -> Value {
    json!({
        "external_userid": external, "name": phone.name, "type": 1, "gender": phone.gender,
        "avatar": format!("http://wx.qlogo.cn/mmhead/{external}/0"), "unionid": phone.unionid,
    })
}

fn follow(userid: &str, relation: &Relation) -> Value {
    json!({
        "userid": userid, "remark": relation.remark, "description": relation.description,
        "createtime": relation.created_ms.div_euclid(1_000), "remark_corp_name": relation.remark_company,
        "remark_mobiles": relation.remark_mobiles, "add_way": relation.add_way, "oper_userid": userid,
        "state": relation.state,
    })
}

pub fn get(world: &mut World, call: &Call<'_>) -> Answer {
    let external = query(call, "external_userid", 41035)?;
    let cursor = call.query.get("cursor").cloned().unwrap_or_default();
    let n = world.limits.n(Rule::GetFollowers);
    let page = Page::read(&json!({"cursor": cursor}), n, n)?;
    let Some(phone) = world.phones.get(external) else {
        return refuse(40096, "invalid external userid");
    };
    if phone.staff.is_empty() {
        return refuse(84061, "not external contact");
    }
    let rows = phone.staff.iter().filter_map(|userid| {
        let relation = world.relation(userid, external)?;
        let mut row = follow(userid, relation);
        let tags = relation.tags.iter().filter_map(|id| {
            let tag = world.tags.get(id)?;
            let group = world.tag_groups.get(&tag.group)?;
            Some(json!({"group_name": group.name, "tag_name": tag.name, "tag_id": id, "type": 1}))
        });
        row["tags"] = tags.collect();
        Some((userid.clone(), row))
    });
    let (rows, next) = page.cut(rows);
    Ok(json!({"external_contact": contact(external, phone), "follow_user": rows, "next_cursor": next}))
}

pub fn batch_get_by_user(world: &mut World, call: &Call<'_>) -> Answer {
    let users = texts(call.body, "userid_list", world.limits.n(Rule::BatchUsers))?;
    let page = Page::read(call.body, 50, world.limits.n(Rule::BatchPage))?;
    if users.is_empty() {
        return refuse(41009, "userid missing");
    }
    let world = &*world;
    super::ask::all_work_here(world, &users)?;
    // A zero byte sorts before whatever a userid may go on with, so keys are in the order of the map.
    let after = page.after().split_once('\0').unwrap_or_default();
    let later = world.relations.range((after.0.to_owned(), after.1.to_owned())..);
    let of_all = later.filter(|((userid, _), _)| users.contains(userid));
    let (rows, next) =
        page.cut(of_all.map(|(key, relation)| (format!("{}\0{}", key.0, key.1), (key, relation))));
    let rows: Vec<Value> = rows
        .into_iter()
        .filter_map(|((userid, external), relation)| {
            let mut row = follow(userid, relation);
            row["tag_id"] = json!(relation.tags);
            let contact = contact(external, world.phones.get(external)?);
            Some(json!({"external_contact": contact, "follow_info": row}))
        })
        .collect();
    if rows.is_empty() && call.body["cursor"].as_str().unwrap_or_default().is_empty() {
        return refuse(84061, "not external contact");
    }
    Ok(
        json!({"external_contact_list": rows, "next_cursor": next, "fail_info": {"unlicensed_userid_list": []}}),
    )
}

pub fn remark(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body;
    let (userid, external) = (text(body, "userid")?, text(body, "external_userid")?);
    let remark = letters(body, "remark", world.limits.n(Rule::RemarkChars))?;
    let description = letters(body, "description", world.limits.n(Rule::DescriptionChars))?;
    let company = letters(body, "remark_company", 20)?;
    let mobiles = texts(body, "remark_mobiles", 5)?;
    if let Some(media_id) = body["remark_pic_mediaid"].as_str()
        && !world.media_is_good(media_id, "image")
    {
        return refuse(40007, "invalid media_id");
    }
    if !world.phones.contains_key(external) {
        return refuse(40096, "invalid external userid");
    }
    let Some(relation) = world.relation_mut(userid, external) else {
        return refuse(84061, "not external contact");
    };
    // What is not named stays.
    let is_named = |field: &str| !body[field].is_null();
    if is_named("remark") {
        relation.remark = remark;
    }
    if is_named("description") {
        relation.description = description;
    }
    if is_named("remark_company") {
        relation.remark_company = company;
    }
    if is_named("remark_mobiles") {
        relation.remark_mobiles = mobiles;
    }
    Ok(json!({}))
}
