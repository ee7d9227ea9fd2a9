//! Names of people and whose word is taken compared.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Said, Text, digits, value};
use super::{Change, ChangeKind, Touches};
use crate::identifier::Window;
use crate::playbook::Identity;

/// What is said of names. Values that are blocked are counted, not shown: they may be of people.
pub(super) fn identity(old: &Identity, new: &Identity, changes: &mut Vec<Change>) {
    let namespaces: BTreeMap<&String, ()> =
        old.namespaces.keys().chain(new.namespaces.keys()).map(|namespace| (namespace, ())).collect();
    for namespace in namespaces.into_keys() {
        if old.namespaces.get(namespace) == new.namespaces.get(namespace) {
            continue;
        }
        let mut said = Said::default();
        rule(&mut said, namespace, old, new);
        blocked(&mut said, namespace, old, new);
        let changed = said.changed(format!("identity.namespaces.{namespace}"), Touches::Nobody);
        changes.push(changed.unwrap_or_else(|| as_before(namespace)));
    }
    changes.extend(value(
        "identity.merge.trusted_sources",
        Touches::Nobody,
        ("合并时采信的来源", "Whose word is taken for a merge"),
        &old.trusted_sources,
        &new.trusted_sources,
        |sources| {
            let list = sources.iter().map(String::as_str).collect::<Vec<_>>();
            if list.is_empty() {
                Text::nothing()
            } else {
                Text::both(format!("「{}」", list.join("、")), list.join(", "))
            }
        },
    ));
    changes.extend(value(
        "identity.names",
        Touches::Nobody,
        ("每人身份标识的总数上限", "How many identifiers one person may have"),
        &old.names_max(),
        &new.names_max(),
        |names| {
            let names = digits(i64::from(*names));
            Text::both(format!("「{names} 个」"), names)
        },
    ));
}

fn rule(said: &mut Said, namespace: &str, old: &Identity, new: &Identity) {
    let (old, new) = (old.rule(namespace), new.rule(namespace));
    let what = |zh: &str, en: &str| {
        (format!("身份标识 {namespace} 的{zh}"), format!("{en} of the identifier `{namespace}`"))
    };
    let (zh, en) = what("数量上限", "The limit");
    said.value((&zh, &en), &(old.limit, old.window), &(new.limit, new.window), |(limit, window)| {
        limit_text(*limit, *window)
    });
    let (zh, en) = what("优先级", "The priority");
    said.value((&zh, &en), &old.priority, &new.priority, |priority| Text::same(priority));
    let (zh, en) = what("有效期", "The validity");
    said.value((&zh, &en), &old.valid_days, &new.valid_days, |days| match days {
        Some(days) => Text::days(u16::try_from(*days).unwrap_or(u16::MAX)),
        None => Text::both("「长期」", "without end"),
    });
    let (zh, en) = what("归属", "The reach");
    said.value((&zh, &en), &old.unique, &new.unique, |unique| match unique {
        true => Text::both("「一值一人」", "one person a value"),
        false => Text::both("「可多人共用」", "shared by people"),
    });
}

fn blocked(said: &mut Said, namespace: &str, old: &Identity, new: &Identity) {
    let none = BTreeSet::new();
    let of = |identity: &Identity| {
        identity.namespaces.get(namespace).map_or_else(|| none.clone(), |said| said.blocked.clone())
    };
    let (old, new) = (of(old), of(new));
    let (n_more, n_less) = (new.difference(&old).count(), old.difference(&new).count());
    if n_more > 0 {
        said.say(
            format!("身份标识 {namespace} 新增 {n_more} 个不予识别的值。"),
            format!(
                "{n_more} more value{} of the identifier `{namespace}` name{} nobody.",
                plural(n_more),
                verb(n_more)
            ),
        );
    }
    if n_less > 0 {
        said.say(
            format!("身份标识 {namespace} 有 {n_less} 个值恢复识别。"),
            format!(
                "{n_less} value{} of the identifier `{namespace}` name{} people again.",
                plural(n_less),
                verb(n_less)
            ),
        );
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn verb(count: usize) -> &'static str {
    if count == 1 { "s" } else { "" }
}

fn limit_text(limit: u32, window: Window) -> Text {
    let (zh, en) = match window {
        Window::Ever => ("终身", "ever"),
        Window::Weekly => ("每 7 天", "in 7 days"),
        Window::Monthly => ("每 30 天", "in 30 days"),
        Window::Annually => ("每 365 天", "in 365 days"),
    };
    let limit = digits(i64::from(limit));
    Text::both(format!("「{zh} {limit} 个」"), format!("{limit} {en}"))
}

/// It is only written otherwise: a default that is now said, or said no more.
fn as_before(namespace: &str) -> Change {
    let mut said = Said::default();
    said.say(
        format!("身份标识 {namespace} 的规则写法有变，含义不变。"),
        format!("The rule of the identifier `{namespace}` is written otherwise and means the same."),
    );
    said.change(format!("identity.namespaces.{namespace}"), ChangeKind::Changed, Touches::Nobody)
}
