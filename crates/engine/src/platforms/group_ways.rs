//! Into which groups a code leads: of those that the playbook names the first that have room, five at most, and those that the platform
//! made since (G1). A group takes so many by code (`groups.by_code`: 200) and is left out a little before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zhiyin_model::playbook::way::GroupWay;
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::{Answer, Trouble};

use super::At;
use super::ways::{KeptWay, Leads};

/// How often groups are looked at, in microseconds.
const LOOK_EVERY_US: i64 = 600_000_000;
/// How many groups are asked for at one time, and of how many something is known.
const ASKED_MAX: usize = 20;
const KNOWN_MAX: usize = 500;
/// Pages of groups of the owners.
const PAGES_MAX: usize = 10;
/// So many places before it is full a group is left out: people come while the code is being changed.
const SPARE_PLACES: usize = 5;

/// What is known of the groups of a code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// When they were last looked at.
    pub(crate) looked: Option<Ts>,
    /// What each is called, and how many are in it; nothing where it is gone.
    pub(crate) groups: BTreeMap<String, Option<(String, usize)>>,
    /// Those of the owners, as the platform lists them.
    pub(crate) of_owners: Vec<String>,
    /// The number from which the platform goes on.
    pub(crate) number: Option<u32>,
}

/// Where a code into groups leads now. What is known of them is looked up again where it is old.
pub(super) async fn into_groups(
    at: &At,
    way: &GroupWay,
    was: Option<&KeptWay>,
    known: &mut Known,
    wall: Ts,
) -> Answer<Leads> {
    let desk = at.desk.as_ref();
    let is_new = |group: &String| !known.groups.contains_key(group);
    let is_old = known.looked.is_none_or(|looked| wall.0 - looked.0 >= LOOK_EVERY_US)
        || (known.groups.len() < ASKED_MAX && way.groups.iter().any(is_new));
    let mut made_since = Vec::new();
    if let Some(was) = was {
        let Leads::Groups { groups, .. } = &was.spec.leads else { return Ok(was.spec.leads.clone()) };
        if !is_old {
            return Ok(chosen(at, way, groups, known, wall));
        }
        if let Some(id) = &was.id
            && let Some(there) = desk.group_way(id).await?
        {
            made_since = there.groups;
            known.number = there.makes.map(|(_, number)| number).or(known.number);
        }
    }
    if !way.owners.is_empty() {
        known.of_owners = groups_of(at, &way.owners).await?;
    }
    let candidates = candidates(way, &made_since, known);
    let mut asked = 0;
    for group in &candidates {
        let is_full = matches!(known.groups.get(group), Some(Some((_, n))) if *n >= room(at, wall));
        // Who leaves a full group makes room; it is seen when everything else was.
        if asked >= ASKED_MAX || (is_full && known.groups.len() > ASKED_MAX) {
            continue;
        }
        asked += 1;
        let found = desk.group(group).await?;
        if known.groups.len() < KNOWN_MAX || known.groups.contains_key(group) {
            known.groups.insert(group.clone(), found.map(|found| (found.name, found.seats.len())));
        }
    }
    known.looked = Some(wall);
    let leads = chosen(at, way, &made_since, known, wall);
    match &leads {
        Leads::Groups { groups, .. } if groups.is_empty() => Err(Trouble::Wrong {
            field: "groups".to_owned(),
            message: "none of these groups is there".to_owned(),
        }),
        _ => Ok(leads),
    }
}

async fn groups_of(at: &At, owners: &[String]) -> Answer<Vec<String>> {
    let (mut all, mut next) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = at.desk.groups(owners, next.as_deref()).await?;
        all.extend(page.items);
        next = page.next;
        if next.is_none() || all.len() >= KNOWN_MAX {
            break;
        }
    }
    all.sort_unstable();
    all.truncate(KNOWN_MAX);
    Ok(all)
}

/// How many may be in a group that a code still leads to.
fn room(at: &At, wall: Ts) -> usize {
    let most = at.desk.limit("groups.by_code", "total", wall.0.div_euclid(1_000_000)).unwrap_or(200);
    usize::try_from(most).unwrap_or(200).saturating_sub(SPARE_PLACES).max(1)
}

/// Groups that may be led to, in order: those that are named, those of the owners, those that the platform made.
fn candidates(way: &GroupWay, made_since: &[String], known: &Known) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for group in way.groups.iter().chain(&known.of_owners).chain(made_since) {
        if !all.contains(group) {
            all.push(group.clone());
        }
    }
    all
}

/// Of the candidates those with room, as many as a code may have; where none has, the last, from which the platform goes on.
fn chosen(at: &At, way: &GroupWay, made_since: &[String], known: &Known, wall: Ts) -> Leads {
    let (now_s, room) = (wall.0.div_euclid(1_000_000), room(at, wall));
    let most =
        at.desk.limit("ways.chats", "call", now_s).and_then(|most| usize::try_from(most).ok()).unwrap_or(5);
    let is_named = |group: &String| match (&way.named, known.groups.get(group)) {
        (Some(named), Some(Some((name, _)))) => {
            !known.of_owners.contains(group) || name.starts_with(named.as_str())
        }
        _ => true,
    };
    let is_there = |group: &String| matches!(known.groups.get(group), Some(Some(_)));
    let there: Vec<String> = candidates(way, made_since, known)
        .into_iter()
        .filter(|group| is_there(group) && (way.groups.contains(group) || is_named(group)))
        .collect();
    let has_room = |group: &&String| matches!(known.groups.get(*group), Some(Some((_, n))) if *n < room);
    let mut groups: Vec<String> = there.iter().filter(has_room).take(most.max(1)).cloned().collect();
    if groups.is_empty() {
        groups.extend(there.last().cloned());
    }
    let makes = way.next.as_ref().map(|next| {
        let number = known.number.filter(|number| *number >= next.from).unwrap_or(next.from);
        (next.name.clone(), number)
    });
    Leads::Groups { groups, makes }
}
