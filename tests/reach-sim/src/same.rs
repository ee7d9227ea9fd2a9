//! What is so on the platform, and what the record says of it, in the same shape.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Stage, rows, text};

/// Who knows whom, what they call them and which tags they bear there, by customer.
pub type Rosters = BTreeMap<String, BTreeMap<String, (String, BTreeSet<String>)>>;
/// Tags of the brand's own there, by customer and account.
pub type Ours = BTreeMap<(String, String), BTreeSet<String>>;
/// Who sits in which groups.
pub type Seats = BTreeMap<String, BTreeSet<String>>;

/// What is so on the platform; beside it the brand's own tags, by customer and account.
pub async fn are(stage: &Stage) -> (Rosters, Seats, Ours) {
    let tags: BTreeMap<String, (String, String)> = rows(&stage.truth("tags").await)
        .map(|tag| (text(&tag["tag_id"]), (text(&tag["group"]), text(&tag["name"]))))
        .collect();
    let (mut rosters, mut ours) = (Rosters::new(), BTreeMap::new());
    for one in rows(&stage.truth("relations").await) {
        let (customer, account) = (text(&one["customer"]), text(&one["userid"]));
        let (own, others): (Vec<_>, Vec<_>) =
            rows(&one["tags"]).map(|tag| tags[&text(tag)].clone()).partition(|(group, _)| group == "会员");
        let others = others.into_iter().map(|(group, name)| format!("{group}/{name}")).collect();
        ours.insert((customer.clone(), account.clone()), own.into_iter().map(|(_, name)| name).collect());
        rosters.entry(customer).or_default().insert(account, (text(&one["remark"]), others));
    }
    let mut seats = Seats::new();
    for chat in rows(&stage.truth("chats").await) {
        for (who, of) in chat["members"].as_object().unwrap() {
            if of["type"] != 1 && chat["dismissed"] != true {
                seats.entry(who.clone()).or_default().insert(text(&chat["chat_id"]));
            }
        }
    }
    (rosters, seats, ours)
}

/// The same by the record.
pub async fn record(
    stage: &Stage,
    customers: &[String],
) -> (Rosters, Seats, BTreeMap<String, BTreeSet<String>>) {
    let members = stage.members("wecom_external", &customers.iter().cloned().collect()).await;
    let (mut rosters, mut seats, mut tags) = (Rosters::new(), Seats::new(), BTreeMap::new());
    for (customer, member) in &members {
        for (_, account, contact) in member.personal.contacts.iter().filter(|(.., one)| one.ended.is_none()) {
            let noted = contact.noted.clone().unwrap_or_default();
            let row = (noted.remark.unwrap_or_default(), noted.tags);
            rosters.entry(customer.clone()).or_default().insert(account.to_owned(), row);
        }
        for (_, group, _) in member.personal.groups.iter().filter(|(.., seat)| seat.left.is_none()) {
            seats.entry(customer.clone()).or_default().insert(group.to_owned());
        }
        let shown = |tag: &&str| if *tag == "vip" { "贵宾" } else { "茶友" };
        let own = ["vip", "tea"]
            .iter()
            .filter(|tag| member.tags.contains_key(**tag))
            .map(|tag| shown(tag).to_owned());
        tags.insert(customer.clone(), own.collect());
    }
    (rosters, seats, tags)
}
