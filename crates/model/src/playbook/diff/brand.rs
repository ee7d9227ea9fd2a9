//! The brand as a whole, its attributes and its touchpoints compared.

use super::text::{Pair, Said, Text, by_id, rename, title, value};
use super::{Change, ChangeKind, Touches};
use crate::playbook::{AttributeKind, Language, PaidRule, Playbook};

/// What is said of the brand as a whole.
pub(super) fn brand(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    changes.extend(value(
        "playbook",
        Touches::Nobody,
        ("打法名称", "The playbook's name"),
        &old.id,
        &new.id,
        |id| Text::code(id),
    ));

    changes.extend(value(
        "timezone",
        Touches::Everyone,
        ("时区", "The time zone"),
        &old.timezone,
        &new.timezone,
        |zone| Text::code(zone.name()),
    ));

    changes.extend(value(
        "currency",
        Touches::Everyone,
        ("币种", "The currency"),
        &old.currency,
        &new.currency,
        |c| Text::code(&c.code),
    ));

    changes.extend(value(
        "languages",
        Touches::Nobody,
        ("语言", "The languages"),
        &old.languages,
        &new.languages,
        |all| {
            let names = all.iter().map(|language| match language {
                Language::Zh => ("中文", "Chinese"),
                Language::En => ("英文", "English"),
            });
            let (zh, en): (Vec<&str>, Vec<&str>) = names.unzip();
            Text::both(zh.join("、"), en.join(", "))
        },
    ));

    changes.extend(value(
        "orders.paid",
        Touches::Everyone,
        ("实付金额的算法", "What counts as paid"),
        &old.orders.paid,
        &new.orders.paid,
        |paid| match paid {
            PaidRule::TotalLessShippingAndTax => {
                Text::both("「总额减运费和税」", "the total less shipping and tax")
            }
            PaidRule::Total => Text::both("「总额」", "the total"),
        },
    ));
}

/// Attributes of members.
pub(super) fn attributes(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    by_id(&old.attributes, &new.attributes, |id, pair| {
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let (t, kind) = (title(id, &new.name), attribute_kind(new.kind));
                said.say(
                    format!("新增客户属性{}，类型为{}。", t.zh, kind.zh),
                    format!("The attribute {} ({}) is new.", t.en, kind.en),
                );
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                said.say(format!("取消客户属性{}。", t.zh), format!("The attribute {} is gone.", t.en));
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let t = title(id, &new.name);
                rename(&mut said, "客户属性", "attribute", id, &old.name, &new.name);
                let what = (format!("客户属性{}的类型", t.zh), format!("The type of the attribute {}", t.en));
                said.value((&what.0, &what.1), &old.kind, &new.kind, |kind| attribute_kind(*kind));
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("attributes.{id}"), kind, Touches::Nobody));
    });
}

/// Touchpoints.
pub(super) fn touchpoints(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    by_id(&old.touchpoints, &new.touchpoints, |id, pair| {
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let t = title(id, &new.name);
                said.say(
                    format!("新增触点{}（{}）。", t.zh, new.kind.name(Language::Zh)),
                    format!("The touchpoint {} ({}) is new.", t.en, new.kind.name(Language::En)),
                );
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                said.say(
                    format!("触点{}不再登记；带有该编码的事件仍会保留。", t.zh),
                    format!("The touchpoint {} is no longer declared; events with its code are kept.", t.en),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let t = title(id, &new.name);
                rename(&mut said, "触点", "touchpoint", id, &old.name, &new.name);
                let what = (format!("触点{}的类型", t.zh), format!("The kind of the touchpoint {}", t.en));
                said.value((&what.0, &what.1), &old.kind, &new.kind, |kind| {
                    Text::both(
                        format!("「{}」", kind.name(Language::Zh)),
                        format!("\"{}\"", kind.name(Language::En)),
                    )
                });
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("touchpoints.{id}"), kind, Touches::Nobody));
    });
}

fn attribute_kind(kind: AttributeKind) -> Text {
    let (zh, en) = match kind {
        AttributeKind::Bool => ("是/否", "true or false"),
        AttributeKind::Number => ("数字", "a number"),
        AttributeKind::Text => ("文本", "a text"),
        AttributeKind::Texts => ("多个文本", "several texts"),
        AttributeKind::Date => ("日期", "a date"),
    };
    Text::both(format!("「{zh}」"), en)
}
