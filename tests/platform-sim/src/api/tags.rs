//! Corp tags: only the app that made one may change it.

use serde_json::{Value, json};

use super::ask::{letters, text, texts, wrong};
use super::{Answer, Call};
use crate::limits::Rule;
use crate::world::types::{Tag, TagGroup};
use crate::world::{Refusal, World, refuse};

fn told_tag(id: &str, tag: &Tag) -> Value {
    let made_s = tag.created_ms.div_euclid(1_000);
    json!({"id": id, "name": tag.name, "create_time": made_s, "order": tag.order, "deleted": false})
}

/// A group with some of its tags, the highest order first.
fn told_group(world: &World, id: &str, group: &TagGroup, shown: impl Fn(&str) -> bool) -> Value {
    let mut tags: Vec<(&String, &Tag)> =
        world.tags.iter().filter(|(tag_id, tag)| tag.group == id && shown(tag_id)).collect();
    tags.sort_by_key(|(_, tag)| std::cmp::Reverse(tag.order));
    json!({
        "group_id": id, "group_name": group.name, "create_time": group.created_ms.div_euclid(1_000),
        "order": group.order, "deleted": false,
        "tag": tags.into_iter().map(|(id, tag)| told_tag(id, tag)).collect::<Vec<_>>(),
    })
}

pub fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let tags = texts(call.body, "tag_id", 10_000)?;
    let groups = texts(call.body, "group_id", 10_000)?;
    let rows: Vec<Value> = world
        .tag_groups
        .iter()
        .filter(|(id, _)| groups.is_empty() || groups.contains(id))
        .map(|(id, group)| {
            told_group(world, id, group, |tag| {
                !groups.is_empty() || tags.is_empty() || tags.iter().any(|id| id == tag)
            })
        })
        .filter(|row| {
            !groups.is_empty() || tags.is_empty() || row["tag"].as_array().is_some_and(|tag| !tag.is_empty())
        })
        .collect();
    Ok(json!({"tag_group": rows}))
}

fn name(world: &World, of: &Value, field: &str) -> Result<String, Refusal> {
    let name = letters(of, field, world.limits.n(Rule::TagNameChars))?;
    if name.is_empty() { refuse(40072, format!("invalid tag name length: {field}")) } else { Ok(name) }
}

pub fn add(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body;
    let Some(asked) = body["tag"].as_array().filter(|tags| !tags.is_empty() && tags.len() <= 1_000) else {
        return wrong("tag");
    };
    let names = asked.iter().map(|tag| name(world, tag, "name")).collect::<Result<Vec<_>, _>>()?;
    if world.tags.len() + names.len() > world.limits.n(Rule::CorpTags) {
        return refuse(40126, "corp tags are at the limit");
    }
    let found = match body["group_id"].as_str() {
        Some(id) => Some(
            world
                .tag_groups
                .get(id)
                .map_or_else(|| refuse(40068, "invalid group_id"), |_| Ok(id.to_owned()))?,
        ),
        None => {
            let wanted = name(world, body, "group_name")?;
            world.tag_groups.iter().find(|(_, group)| group.name == wanted).map(|(id, _)| id.clone())
        }
    };
    let taken = |name: &String| {
        let of_group = world.tags.values().filter(|tag| Some(&tag.group) == found.as_ref());
        of_group.into_iter().any(|tag| tag.name == *name)
    };
    let is_twice =
        names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|other| other == name));
    if is_twice || names.iter().any(taken) {
        return refuse(40071, "UserTag Name Already exist");
    }
    let (now_ms, made_by) = (world.now_ms, Some(call.agent));
    let group_id = match found {
        Some(id) => id,
        None => {
            let id = world.new_id("et", 30);
            let order = body["order"].as_i64().unwrap_or_default();
            let name = name(world, body, "group_name")?;
            world.tag_groups.insert(id.clone(), TagGroup { name, order, created_ms: now_ms, made_by });
            id
        }
    };
    let mut made = Vec::new();
    for (name, tag) in names.into_iter().zip(asked) {
        let id = world.new_id("et", 30);
        let order = tag["order"].as_i64().unwrap_or_default();
        let tag = Tag { group: group_id.clone(), name, order, created_ms: now_ms, made_by };
        world.tags.insert(id.clone(), tag);
        made.push(id);
    }
    let group = world
        .tag_groups
        .get(&group_id)
        .map(|group| told_group(world, &group_id, group, |id| made.iter().any(|of| of == id)));
    Ok(json!({"tag_group": group}))
}

fn may_change(made_by: Option<i64>, call: &Call<'_>) -> Result<(), Refusal> {
    match made_by == Some(call.agent) {
        true => Ok(()),
        false => refuse(301_002, "not allow operate another agent with this accesstoken"),
    }
}

pub fn edit(world: &mut World, call: &Call<'_>) -> Answer {
    let id = text(call.body, "id")?;
    let new_name = letters(call.body, "name", world.limits.n(Rule::TagNameChars))?;
    let order = call.body["order"].as_i64();
    let taken = |name: &str| {
        let group = world.tags.get(id).map(|tag| &tag.group);
        match group {
            Some(group) => {
                world.tags.iter().any(|(other, tag)| other != id && tag.group == *group && tag.name == name)
            }
            None => world.tag_groups.iter().any(|(other, group)| other != id && group.name == name),
        }
    };
    if !new_name.is_empty() && taken(&new_name) {
        return refuse(40071, "UserTag Name Already exist");
    }
    let (held_name, held_order) = if let Some(tag) = world.tags.get_mut(id) {
        may_change(tag.made_by, call)?;
        (&mut tag.name, &mut tag.order)
    } else if let Some(group) = world.tag_groups.get_mut(id) {
        may_change(group.made_by, call)?;
        (&mut group.name, &mut group.order)
    } else {
        return refuse(40068, "invalid tagid");
    };
    if !new_name.is_empty() {
        *held_name = new_name;
    }
    if let Some(order) = order {
        *held_order = order;
    }
    Ok(json!({}))
}

pub fn del(world: &mut World, call: &Call<'_>) -> Answer {
    let mut tags = texts(call.body, "tag_id", 1_000)?;
    let groups = texts(call.body, "group_id", 1_000)?;
    if tags.is_empty() && groups.is_empty() {
        return wrong("tag_id");
    }
    for id in &groups {
        let group = world.tag_groups.get(id).map_or_else(|| refuse(40068, "invalid group_id"), Ok)?;
        may_change(group.made_by, call)?;
        tags.extend(world.tags.iter().filter(|(_, tag)| tag.group == *id).map(|(id, _)| id.clone()));
    }
    for id in &tags {
        let tag = world.tags.get(id).map_or_else(|| refuse(40068, "invalid tagid"), Ok)?;
        may_change(tag.made_by, call)?;
    }
    world.drop_tags(&tags, &groups);
    Ok(json!({}))
}

impl World {
    /// Tags go, from everybody who bears them; a group without tags goes too.
    pub fn drop_tags(&mut self, tags: &[String], groups: &[String]) {
        for id in tags {
            self.tags.remove(id);
        }
        for relation in self.relations.values_mut().chain(self.unassigned.values_mut()) {
            for id in tags {
                relation.tags.remove(id);
            }
        }
        let lived: Vec<String> = self.tags.values().map(|tag| tag.group.clone()).collect();
        self.tag_groups.retain(|id, _| !groups.contains(id) && lived.contains(id));
    }
}

pub fn mark(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body;
    let (userid, external) = (text(body, "userid")?, text(body, "external_userid")?);
    let n_max = world.limits.n(Rule::CustomerTags);
    let (add, remove) = (texts(body, "add_tag", n_max)?, texts(body, "remove_tag", n_max)?);
    if add.is_empty() && remove.is_empty() {
        return wrong("add_tag");
    }
    if add.iter().chain(&remove).any(|id| !world.tags.contains_key(id)) {
        return refuse(40068, "invalid tagid");
    }
    if !world.phones.contains_key(external) {
        return refuse(40096, "invalid external userid");
    }
    let Some(relation) = world.relation_mut(userid, external) else {
        return refuse(84061, "not external contact");
    };
    let mut tags = relation.tags.clone();
    tags.extend(add);
    for id in remove {
        tags.remove(&id);
    }
    if tags.len() > n_max {
        return refuse(40126, "tags of the customer are at the limit");
    }
    relation.tags = tags;
    Ok(json!({}))
}
