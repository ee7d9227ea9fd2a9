//! The brand as a whole, its attributes and its touchpoints compared.

use super::text::{Pair, Said, Text, by_id, rename, title, value};
use super::way::ways;
use super::{Change, ChangeKind, Touches};
use crate::playbook::{AttributeKind, Language, PaidRule, Playbook};
use crate::role::Limits;
use crate::till::TillLimits;

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

    changes.extend(value(
        "orders.earn_nothing",
        Touches::Everyone,
        ("订单不积分的会员", "Members whose orders earn nothing"),
        &old.orders.earn_nothing,
        &new.orders.earn_nothing,
        |who| who.as_ref().map_or_else(Text::nothing, |who| Text::code(&who.text)),
    ));
}

/// Up to where one person decides alone.
pub(super) fn alone(old: &Limits, new: &Limits, changes: &mut Vec<Change>) {
    let number = |n: &u64| Text::both(format!("「{n}」"), n.to_string());
    changes.extend(value(
        "alone.points",
        Touches::Nobody,
        ("一人可决定的积分调整上限", "The most points that one person adjusts alone"),
        &old.points_alone,
        &new.points_alone,
        number,
    ));
    changes.extend(value(
        "alone.members",
        Touches::Nobody,
        ("一人可决定的发券人数上限", "The most members to whom one person issues a coupon alone"),
        &old.coupons_alone,
        &new.coupons_alone,
        number,
    ));
    changes.extend(value(
        "alone.payouts",
        Touches::Nobody,
        (
            "一人可决定的转账金额上限（最小货币单位）",
            "The most money that one person sends to a member alone, in minor units,",
        ),
        &old.payouts_alone_minor,
        &new.payouts_alone_minor,
        number,
    ));
    changes.extend(value(
        "alone.playbook",
        Touches::Nobody,
        ("一人上线打法", "Making a playbook live alone"),
        &old.playbook_alone,
        &new.playbook_alone,
        |alone| {
            if *alone {
                Text::both("「可以」", "allowed")
            } else {
                Text::both("「不可以」", "not allowed")
            }
        },
    ));
    changes.extend(value(
        "alone.answer_hours",
        Touches::Nobody,
        ("第二人须在多少小时内答复", "Within how many hours a second person must answer"),
        &u64::from(old.answer_hours),
        &u64::from(new.answer_hours),
        number,
    ));
}

/// What one lease of a till may have.
pub(super) fn tills(old: &TillLimits, new: &TillLimits, changes: &mut Vec<Change>) {
    type Of = fn(&TillLimits) -> i64;
    let table: [(&str, &str, &str, Of); 5] = [
        ("hours", "离线收银租约最长小时数", "The hours of the longest lease of a till", |of| {
            of.hours.into()
        }),
        (
            "grace_hours",
            "离线收银租约到期后的宽限小时数",
            "The hours after the end of a lease when what is left comes back",
            |of| of.grace_hours.into(),
        ),
        ("members", "离线收银租约的会员上限", "The most members of a lease of a till", |of| {
            of.members.into()
        }),
        (
            "uses",
            "离线收银租约每个优惠的次数上限",
            "The most uses of an offer in a lease of a till",
            |of| of.uses,
        ),
        (
            "budget",
            "离线收银租约每个优惠的预算上限",
            "The most money of an offer in a lease of a till",
            |of| of.budget,
        ),
    ];
    for (key, zh, en, of) in table {
        let (path, what) = (format!("tills.{key}"), (zh, en));
        let number = |n: &i64| Text::both(format!("「{n}」"), n.to_string());
        changes.extend(value(&path, Touches::Nobody, what, &of(old), &of(new), number));
    }
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
                let what = (
                    format!("客户属性{}多久可改一次", t.zh),
                    format!("How long a value of the attribute {} stays", t.en),
                );
                let (was, is) = (&old.changes_after_days, &new.changes_after_days);
                said.value((&what.0, &what.1), was, is, |days| days.map_or_else(Text::nothing, Text::days));
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
                ways(&mut said, &t, (None, None), (new.way.as_ref(), new.group_way.as_ref()));
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                ways(&mut said, &t, (old.way.as_ref(), old.group_way.as_ref()), (None, None));
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
                let (was, is) =
                    ((old.way.as_ref(), old.group_way.as_ref()), (new.way.as_ref(), new.group_way.as_ref()));
                ways(&mut said, &t, was, is);
                let what = (
                    format!("触点{}的关注码", t.zh),
                    format!("The code to follow at the touchpoint {}", t.en),
                );
                said.value((&what.0, &what.1), &old.follow, &new.follow, |account| {
                    let Some(account) = account else { return Text::nothing() };
                    Text::both(format!("公众号 {account}"), format!("of the account {account}"))
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
