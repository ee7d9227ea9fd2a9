//! Partners compared.

use super::text::{Pair, Said, Text, by_id, rename, title};
use super::{Change, ChangeKind, Touches};
use crate::playbook::{Names, Playbook};

/// Partners with whom guests are exchanged.
pub(super) fn partners(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    by_id(&old.partners, &new.partners, |id, pair| {
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let t = title(id, &new.name);
                said.say(format!("新增合作伙伴{}。", t.zh), format!("The partner {} is new.", t.en));
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                said.say(
                    format!("不再与{}合作；已有的记录仍会保留。", t.zh),
                    format!("The partner {} is gone; what passed is kept.", t.en),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let t = title(id, &new.name);
                rename(&mut said, "合作伙伴", "partner", id, &old.name, &new.name);
                let ours =
                    (format!("我们给{}的客人的权益", t.zh), format!("What we give to guests of {}", t.en));
                said.value((&ours.0, &ours.1), &old.ours, &new.ours, given);
                let theirs =
                    (format!("{}给我们客人的权益", t.zh), format!("What {} gives to our guests", t.en));
                said.value((&theirs.0, &theirs.1), &old.theirs, &new.theirs, given);
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("partners.{id}"), kind, Touches::Nobody));
    });
}

fn given(names: &Names) -> Text {
    let either = |one: &Option<String>, other: &Option<String>| one.clone().or_else(|| other.clone());
    match (either(&names.zh, &names.en), either(&names.en, &names.zh)) {
        (Some(zh), Some(en)) => Text::both(format!("「{zh}」"), format!("\"{en}\"")),
        _ => Text::nothing(),
    }
}
