//! Ways in compared, and said in words.

use super::text::{Said, Text};
use crate::playbook::way::{Greeting, GroupWay, Turn, Way, WayHours};

/// The ways of one touchpoint, as (to staff, into groups), in two versions.
pub(super) fn ways(
    said: &mut Said,
    title: &Text,
    old: (Option<&Way>, Option<&GroupWay>),
    new: (Option<&Way>, Option<&GroupWay>),
) {
    let what = (format!("触点{}的活码", title.zh), format!("The code at {} that leads to staff", title.en));
    said.value((&what.0, &what.1), &old.0, &new.0, |way| way.map_or_else(Text::nothing, way_in_words));
    let what =
        (format!("触点{}的群活码", title.zh), format!("The code at {} that leads into groups", title.en));
    said.value((&what.0, &what.1), &old.1, &new.1, |way| way.map_or_else(Text::nothing, group_way_in_words));
}

fn joined(parts: &[(String, String)]) -> Text {
    let zh: Vec<&str> = parts.iter().map(|(zh, _)| zh.as_str()).collect();
    let en: Vec<&str> = parts.iter().map(|(_, en)| en.as_str()).collect();
    Text::both(format!("「{}」", zh.join("，")), format!("\"{}\"", en.join(", ")))
}

fn greeting(greeting: &Greeting) -> (String, String) {
    let (mut zh, mut en) =
        (format!("欢迎语 {}", greeting.message), format!("welcomed with {}", greeting.message));
    if let Some(link) = &greeting.link {
        zh += &format!("＋链接 {link}");
        en += &format!(" and the page {link}");
    }
    if let Some(poster) = &greeting.poster {
        zh += &format!("＋海报 {poster}");
        en += &format!(" and the poster {poster}");
    }
    (zh, en)
}

fn hours(hours: &WayHours) -> (String, String) {
    let (mut zh, mut en) = (format!("{} 时段", hours.during), format!("in {}", hours.during));
    if !hours.staff.is_empty() {
        zh += &format!("由 {} 接待", hours.staff.join("、"));
        en += &format!(" to {}", hours.staff.join(", "));
    }
    if let Some(welcome) = &hours.welcome {
        let (of_zh, of_en) = greeting(welcome);
        zh += &of_zh;
        en += &format!(" {of_en}");
    }
    (zh, en)
}

fn way_in_words(way: &Way) -> Text {
    let who = way.persona.clone().unwrap_or_else(|| way.staff.join("、"));
    let who_en = way.persona.clone().unwrap_or_else(|| way.staff.join(", "));
    let mut parts = vec![(format!("由 {who} 接待"), format!("to {who_en}"))];
    if way.account != super::super::way::ACCOUNT_USUAL {
        parts.push((format!("账号 {}", way.account), format!("of the account {}", way.account)));
    }
    parts.extend(way.hours.iter().map(hours));
    if let Some(store) = &way.store {
        parts.push((format!("按门店 {store} 的时间"), format!("by the clock of {store}")));
    }
    if let Some(turn) = way.turn {
        let (zh, en) = match turn {
            Turn::Hourly => ("每小时轮换一人", "one of them in turn each hour"),
            Turn::Daily => ("每天轮换一人", "one of them in turn each day"),
            Turn::Weekly => ("每周轮换一人", "one of them in turn each week"),
        };
        parts.push((zh.to_owned(), en.to_owned()));
    }
    if let Some(most) = way.at_most {
        parts.push((format!("每人每天至多新增 {most} 人"), format!("at most {most} new friends each a day")));
    }
    if !way.spare.is_empty() {
        parts.push((format!("备用 {}", way.spare.join("、")), format!("spare: {}", way.spare.join(", "))));
    }
    if !way.tags.is_empty() {
        parts.push((format!("打标签 {}", way.tags.join("、")), format!("tagged {}", way.tags.join(", "))));
    }
    if let Some(remark) = &way.remark {
        parts.push((format!("备注以「{remark}」开头"), format!("called {remark} before their name")));
    }
    parts.extend(way.welcome.as_ref().map(greeting));
    if way.asks {
        parts.push(("需员工通过".to_owned(), "after staff says yes".to_owned()));
    }
    joined(&parts)
}

fn group_way_in_words(way: &GroupWay) -> Text {
    let mut parts = Vec::new();
    if way.account != super::super::way::ACCOUNT_USUAL {
        parts.push((format!("账号 {}", way.account), format!("of the account {}", way.account)));
    }
    if !way.groups.is_empty() {
        parts.push((format!("群 {}", way.groups.join("、")), format!("into {}", way.groups.join(", "))));
    }
    if !way.owners.is_empty() {
        let owners = (way.owners.join("、"), way.owners.join(", "));
        parts.push((format!("{} 的群", owners.0), format!("into groups of {}", owners.1)));
    }
    if let Some(named) = &way.named {
        parts.push((format!("群名以「{named}」开头"), format!("whose name begins with {named}")));
    }
    if let Some(next) = &way.next {
        let zh = format!("满员后自动建群「{}{}」起", next.name, next.from);
        parts.push((zh, format!("then into new ones from {} {} on", next.name, next.from)));
    }
    joined(&parts)
}
