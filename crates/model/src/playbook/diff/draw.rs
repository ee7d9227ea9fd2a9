//! Draws compared.

use super::text::{Pair, Said, Text, by_id, rename, title};
use super::{Change, ChangeKind, Touches};
use crate::playbook::draw::Draw;
use crate::playbook::{Names, Playbook};

/// Draws.
pub(super) fn draws(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    by_id(&old.draws, &new.draws, |id, pair| {
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let (t, what) = (title(id, &new.name), whole(new));
                said.say(
                    format!("新增抽奖{}：{}。", t.zh, what.zh),
                    format!("The draw {} is new: {}.", t.en, what.en),
                );
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                said.say(format!("取消抽奖{}。", t.zh), format!("The draw {} is gone.", t.en));
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let t = title(id, &new.name);
                rename(&mut said, "抽奖", "draw", id, &old.name, &new.name);
                let (zh, en) = (format!("抽奖{}", t.zh), format!("The draw {}", t.en));
                let bare = |draw: &Draw| Draw { name: Names::default(), ..draw.clone() };
                said.value((&zh, &en), &bare(old), &bare(new), whole);
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("draws.{id}"), kind, Touches::Nobody));
    });
}

fn whole(draw: &Draw) -> Text {
    let prizes: Vec<String> =
        draw.prizes.iter().map(|prize| format!("{} × {}", prize.offer, prize.pieces)).collect();
    let day = |day: Option<crate::time::Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let (from, until) = (day(draw.from), day(draw.until));
    let mut zh =
        format!("{from} 至 {until} 每单一次机会，奖品 {}，候补 {} 名", prizes.join("、"), draw.alternates);
    let mut en = format!(
        "each order from {from} to {until} gives a chance, to win {}, with {} alternates",
        prizes.join(", "),
        draw.alternates
    );
    if let Some(who) = draw.who.as_ref().map(|who| Text::code(&who.text)) {
        zh += &format!("，会员为{}", who.zh);
        en += &format!(", for members where {}", who.en);
    }
    if draw.spend.0 > 0 {
        zh += &format!("，实付至少 {}（分）", draw.spend.0);
        en += &format!(", of at least {} paid, in minor units", draw.spend.0);
    }
    for limit in &draw.limits {
        let times = limit.times;
        zh += &format!("，每位会员至多 {times} 次（{:?}）", limit.within);
        en += &format!(", at most {times} a member ({:?})", limit.within);
    }
    if let Some(source) = &draw.public_source {
        zh += &format!("，公开数「{source}」");
        en += &format!(", with the public value \"{source}\"");
    }
    Text::both(zh, en)
}
