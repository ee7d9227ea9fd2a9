//! Saved audiences compared.

use std::collections::BTreeMap;

use super::text::{Pair, Said, Text, by_id, rename, title};
use super::{Change, ChangeKind, Touches};
use crate::playbook::{Audience, ConditionText};

/// The saved audiences. Only one that stands touches members: another is asked whenever somebody asks.
pub(super) fn audiences(
    old: &BTreeMap<String, Audience>,
    new: &BTreeMap<String, Audience>,
    changes: &mut Vec<Change>,
) {
    by_id(old, new, |id, pair| {
        let mut said = Said::default();
        let (kind, stands) = match pair {
            Pair::Added(new) => {
                let (t, who) = (title(id, &new.name), who(new.who.as_ref()));
                let (zh, en) = match new.standing {
                    true => ("，并实时保持", " and it is kept current"),
                    false => ("", ""),
                };
                said.say(
                    format!("新增人群{}，规则为{}{zh}。", t.zh, who.zh),
                    format!("The audience {} is new; its rule is {}{en}.", t.en, who.en),
                );
                (ChangeKind::Added, new.standing)
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                let (zh, en) = match old.standing {
                    true => ("，其中的客户都会离开", "; those who are in it leave it"),
                    false => ("", ""),
                };
                said.say(format!("取消人群{}{zh}。", t.zh), format!("The audience {} is gone{en}.", t.en));
                (ChangeKind::Removed, old.standing)
            }
            Pair::Both(old, new) => {
                let t = title(id, &new.name);
                rename(&mut said, "人群", "audience", id, &old.name, &new.name);
                let what = (format!("人群{}的规则", t.zh), format!("The rule of the audience {}", t.en));
                said.value((&what.0, &what.1), &old.who, &new.who, |text| who(text.as_ref()));
                let what = (format!("人群{}的保持方式", t.zh), format!("How the audience {} is kept", t.en));
                said.value((&what.0, &what.1), &old.standing, &new.standing, |standing| match standing {
                    true => Text::both("「实时保持」", "current, telling who enters and who leaves"),
                    false => Text::both("「按需查询」", "as a question, answered when it is asked"),
                });
                (ChangeKind::Changed, old.standing || new.standing)
            }
        };
        let touches = if stands { Touches::Audience(id.to_owned()) } else { Touches::Nobody };
        changes.push(said.change(format!("audiences.{id}"), kind, touches));
    });
}

fn who(who: Option<&ConditionText>) -> Text {
    who.map_or_else(|| Text::both("「人工上传名单」", "a list uploaded by hand"), |who| Text::code(&who.text))
}
