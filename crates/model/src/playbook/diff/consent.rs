//! What consent is asked for, compared.

use std::collections::BTreeSet;

use super::text::{Pair, Said, Text, by_id, rename, title, value};
use super::{Change, ChangeKind, Touches};
use crate::playbook::{Consent, Purpose};

pub(super) fn consent(old: &Consent, new: &Consent, changes: &mut Vec<Change>) {
    by_id(&old.purposes, &new.purposes, |id, pair| {
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let (t, needed) = (title(id, &new.name), needed(new.needed));
                said.say(
                    format!("新增同意事项{}（{}）。", t.zh, needed.zh.trim_matches(['「', '」'])),
                    format!("The purpose {} ({}) is new.", t.en, needed.en),
                );
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                said.say(
                    format!("同意事项{}不再登记；已有的同意和撤回仍会保留。", t.zh),
                    format!("The purpose {} is no longer declared; what was said of it is kept.", t.en),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                purpose(&mut said, id, old, new);
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("consent.purposes.{id}"), kind, Touches::Everyone));
    });
    changes.extend(value(
        "consent.minors_under",
        Touches::Everyone,
        ("须由监护人同意的年龄上限", "The age below which a guardian consents"),
        &old.minors_under,
        &new.minors_under,
        |years| Text::both(format!(" {years} 周岁"), format!("{years} years")),
    ));
}

fn purpose(said: &mut Said, id: &str, old: &Purpose, new: &Purpose) {
    rename(said, "同意事项", "purpose", id, &old.name, &new.name);
    let t = title(id, &new.name);
    let what =
        |zh: &str, en: &str| (format!("同意事项{}的{zh}", t.zh), format!("{en} of the purpose {}", t.en));
    let (zh, en) = what("渠道", "The channels");
    said.value((&zh, &en), &old.channels, &new.channels, list);
    if old.text != new.text {
        said.say(
            format!("同意事项{}的文本改了。", t.zh),
            format!("The text of the purpose {} is another.", t.en),
        );
    }
    let (zh, en) = what("有效文本版本", "The versions that hold");
    said.value((&zh, &en), &old.versions, &new.versions, list);
    let (zh, en) = what("同意要求", "The need for consent");
    said.value((&zh, &en), &old.needed, &new.needed, |value| needed(*value));
    let (zh, en) = what("类别", "The category");
    said.value((&zh, &en), &old.category, &new.category, |category| {
        category.as_deref().map_or_else(Text::nothing, Text::code)
    });
}

fn needed(needed: bool) -> Text {
    match needed {
        true => Text::both("「须先取得同意」", "needs consent first"),
        false => Text::both("「可随时拒绝」", "may be refused at any time"),
    }
}

fn list(texts: &BTreeSet<String>) -> Text {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    match texts.is_empty() {
        true => Text::nothing(),
        false => Text::both(format!("「{}」", texts.join("、")), texts.join(", ")),
    }
}
