//! The sections of a playbook compared, one function each.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, ChangeKind, Said, Text, Touches};
use crate::playbook::{
    Aim, AttributeKind, Combine, ConditionText, Debt, Earn, Expiry, Growth, Language, Level, Names, PaidRule,
    Phase, Playbook, Points, Stage, Tag, Tiers, Times, Worth,
};

/// What is said of the brand as a whole.
pub(super) fn brand(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    let mut said = Said::default();
    said.value(("打法名称", "The playbook's name"), &old.id, &new.id, |id| {
        Text::code(id)
    });
    changes.extend(said.changed("playbook", Touches::Nobody));

    let mut said = Said::default();
    said.value(("时区", "The time zone"), &old.timezone, &new.timezone, |zone| {
        Text::code(zone.name())
    });
    changes.extend(said.changed("timezone", Touches::Everyone));

    let mut said = Said::default();
    said.value(("币种", "The currency"), &old.currency, &new.currency, |c| {
        Text::code(&c.code)
    });
    changes.extend(said.changed("currency", Touches::Everyone));

    let mut said = Said::default();
    said.value(
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
    );
    changes.extend(said.changed("languages", Touches::Nobody));

    let mut said = Said::default();
    said.value(
        ("实付金额的算法", "What counts as paid"),
        &old.orders.paid,
        &new.orders.paid,
        |paid| match paid {
            PaidRule::TotalLessShippingAndTax => {
                Text::both("「总额减运费和税」", "the total less shipping and tax")
            }
            PaidRule::Total => Text::both("「总额」", "the total"),
        },
    );
    changes.extend(said.changed("orders.paid", Touches::Everyone));
}

/// Attributes and touchpoints.
pub(super) fn declared(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
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
                said.say(
                    format!("取消客户属性{}。", t.zh),
                    format!("The attribute {} is gone.", t.en),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let t = title(id, &new.name);
                rename(&mut said, "客户属性", "attribute", id, &old.name, &new.name);
                let what = (
                    format!("客户属性{}的类型", t.zh),
                    format!("The type of the attribute {}", t.en),
                );
                said.value((&what.0, &what.1), &old.kind, &new.kind, |kind| {
                    attribute_kind(*kind)
                });
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("attributes.{id}"), kind, Touches::Nobody));
    });
    by_id(&old.touchpoints, &new.touchpoints, |id, pair| {
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let t = title(id, &new.name);
                said.say(
                    format!("新增触点{}（{}）。", t.zh, new.kind.name(Language::Zh)),
                    format!(
                        "The touchpoint {} ({}) is new.",
                        t.en,
                        new.kind.name(Language::En)
                    ),
                );
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                said.say(
                    format!("触点{}不再登记；带有该编码的事件仍会保留。", t.zh),
                    format!(
                        "The touchpoint {} is no longer declared; events with its code are kept.",
                        t.en
                    ),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let t = title(id, &new.name);
                rename(&mut said, "触点", "touchpoint", id, &old.name, &new.name);
                let what = (
                    format!("触点{}的类型", t.zh),
                    format!("The kind of the touchpoint {}", t.en),
                );
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

/// The points account.
pub(super) fn points(old: &Points, new: &Points, changes: &mut Vec<Change>) {
    let mut said = Said::default();
    said.value(
        ("积分的名称", "The name of points"),
        &old.name,
        &new.name,
        Text::names,
    );
    changes.extend(said.changed("points.name", Touches::Everyone));

    let mut said = Said::default();
    said.value(
        ("此后所得积分的有效期", "The expiry of points earned from now on"),
        &old.expire,
        &new.expire,
        |e| expiry(*e),
    );
    changes.extend(said.changed("points.expire", Touches::Everyone));

    let mut said = Said::default();
    said.value(
        ("积分不足时的退款", "A refund beyond what is left"),
        &old.debt,
        &new.debt,
        |debt| match debt {
            Debt::Allowed => Text::both("「记为欠分」", "booked as debt"),
            Debt::Refused => Text::both("「只扣剩余部分」", "taken only from what is left"),
        },
    );
    changes.extend(said.changed("points.debt", Touches::Everyone));

    let mut said = Said::default();
    said.value(
        ("积分的冻结期", "The time points are held back"),
        &old.hold_days,
        &new.hold_days,
        |n| Text::days(*n),
    );
    changes.extend(said.changed("points.hold", Touches::Everyone));

    let mut said = Said::default();
    said.value(
        ("多个倍数同时成立时", "When several multipliers hold, the rule"),
        &old.combine,
        &new.combine,
        |c| match c {
            Combine::Largest => Text::both("「取最大」", "the largest wins"),
            Combine::Multiply => Text::both("「相乘」", "they are multiplied"),
        },
    );
    changes.extend(said.changed("points.combine", Touches::Everyone));

    earning("points", ("积分", "points"), &old.earn, &new.earn, changes);
    multipliers(&old.times, &new.times, changes);

    let mut said = Said::default();
    said.value(
        ("积分的价值", "What points are worth"),
        &old.worth,
        &new.worth,
        |worth| match worth {
            None => Text::nothing(),
            Some(Worth { major, points }) => Text::both(
                format!("每 {points} 分抵 {major} 元"),
                format!("{major} of money for {points} points"),
            ),
        },
    );
    changes.extend(said.changed("points.worth", Touches::Everyone));
}

/// The growth value.
pub(super) fn growth(old: &Growth, new: &Growth, changes: &mut Vec<Change>) {
    let mut said = Said::default();
    said.value(
        ("成长值的名称", "The name of growth"),
        &old.name,
        &new.name,
        Text::names,
    );
    changes.extend(said.changed("growth.name", Touches::Everyone));
    earning("growth", ("成长值", "growth"), &old.earn, &new.earn, changes);
}

/// Whose orders: the two conditions of a way to earn.
type Whose = (Option<String>, Option<String>);

fn whose(who: Option<&ConditionText>, when: Option<&ConditionText>) -> Whose {
    (
        who.map(|who| who.text.clone()),
        when.map(|when| when.text.clone()),
    )
}

fn whose_text((who, when): &Whose) -> Text {
    let both: Vec<&str> = [who, when].into_iter().flatten().map(String::as_str).collect();
    match both.as_slice() {
        [] => Text::both("所有订单", "every order"),
        conditions => Text::both(
            format!("符合「{}」时", conditions.join("」且「")),
            format!("orders where `{}`", conditions.join("` and `")),
        ),
    }
}

fn whose_id(prefix: &str, (who, when): &Whose) -> String {
    let both: Vec<&str> = [who, when].into_iter().flatten().map(String::as_str).collect();
    if both.is_empty() {
        prefix.to_owned()
    } else {
        format!("{prefix}[{}]", both.join(" && "))
    }
}

/// Ways to earn are known by their conditions; those with the same stand together.
fn earning(section: &str, unit: (&str, &str), old: &[Earn], new: &[Earn], changes: &mut Vec<Change>) {
    let grouped = |earns: &[Earn]| {
        let mut groups: BTreeMap<Whose, Vec<(i64, i64)>> = BTreeMap::new();
        for earn in earns {
            let group = groups
                .entry(whose(earn.who.as_ref(), earn.when.as_ref()))
                .or_default();
            group.push((earn.points, earn.per_major));
        }
        groups.values_mut().for_each(|rates| rates.sort_unstable());
        groups
    };
    let rates = |rates: &[(i64, i64)]| {
        let zh: Vec<String> = rates
            .iter()
            .map(|(points, per)| format!("每满 {per} 元得 {points} {}", unit.0))
            .collect();
        let en: Vec<String> = rates
            .iter()
            .map(|(points, per)| format!("{points} {} per {per} paid", unit.1))
            .collect();
        Text::both(zh.join("、"), en.join(" and "))
    };
    let both = old.iter().chain(new);
    let touched = |key: &Whose| {
        both.clone()
            .find(|earn| earn.when.is_none() && whose(earn.who.as_ref(), None) == *key)
            .and_then(|earn| earn.who.clone())
    };
    by_id(&grouped(old), &grouped(new), |key, pair| {
        let orders = whose_text(key);
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let new = rates(new);
                said.say(
                    format!("新增：{}{}。", orders.zh, new.zh),
                    format!("New: {} for {}.", new.en, orders.en),
                );
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let old = rates(old);
                said.say(
                    format!("取消：{}{}。", orders.zh, old.zh),
                    format!("Gone: {} for {}.", old.en, orders.en),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let (old, new) = (rates(old), rates(new));
                said.say(
                    format!("{}由{}改为{}。", orders.zh, old.zh, new.zh),
                    format!("For {}: {} (was {}).", orders.en, new.en, old.en),
                );
                ChangeKind::Changed
            }
        };
        let id = whose_id(&format!("{section}.earn"), key);
        changes.push(said.change(id, kind, Touches::Earners(touched(key))));
    });
}

/// Multipliers are known by their conditions.
fn multipliers(old: &[Times], new: &[Times], changes: &mut Vec<Change>) {
    let grouped = |times: &[Times]| {
        let mut groups: BTreeMap<Whose, Vec<String>> = BTreeMap::new();
        for one in times {
            let group = groups
                .entry(whose(one.who.as_ref(), one.when.as_ref()))
                .or_default();
            group.push(one.times.to_string());
        }
        groups.values_mut().for_each(|ratios| ratios.sort_unstable());
        groups
    };
    let both = old.iter().chain(new);
    let touched = |key: &Whose| {
        both.clone()
            .find(|times| times.when.is_none() && whose(times.who.as_ref(), None) == *key)
            .and_then(|times| times.who.clone())
    };
    by_id(&grouped(old), &grouped(new), |key, pair| {
        let orders = whose_text(key);
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                said.say(
                    format!("新增：{}积分 × {}。", orders.zh, new.join("、")),
                    format!("New: points × {} for {}.", new.join(", "), orders.en),
                );
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                said.say(
                    format!("取消：{}积分 × {}。", orders.zh, old.join("、")),
                    format!("Gone: points × {} for {}.", old.join(", "), orders.en),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                said.say(
                    format!(
                        "{}积分由 × {} 改为 × {}。",
                        orders.zh,
                        old.join("、"),
                        new.join("、")
                    ),
                    format!(
                        "For {}: points × {} (was × {}).",
                        orders.en,
                        new.join(", "),
                        old.join(", ")
                    ),
                );
                ChangeKind::Changed
            }
        };
        changes.push(said.change(
            whose_id("points.times", key),
            kind,
            Touches::Earners(touched(key)),
        ));
    });
}

/// Levels and terms.
pub(super) fn tiers(old: &Tiers, new: &Tiers, changes: &mut Vec<Change>) {
    let mut said = Said::default();
    said.value(
        ("等级的考核期", "The term of a tier"),
        &old.over_days,
        &new.over_days,
        |n| Text::days(*n),
    );
    changes.extend(said.changed("tiers.over", Touches::Everyone));

    // Who is touched by a threshold: those who hold the level, and those of the level below, on either side.
    let touched = |id: &str| {
        let mut levels = BTreeSet::from([id.to_owned()]);
        for tiers in [old, new] {
            let at = tiers.levels.iter().position(|level| level.id == id);
            levels.extend(
                at.and_then(|at| at.checked_sub(1))
                    .map(|below| tiers.levels[below].id.clone()),
            );
        }
        Touches::Tier(levels.into_iter().collect())
    };
    let levels = |tiers: &Tiers| -> BTreeMap<String, Level> {
        tiers
            .levels
            .iter()
            .map(|level| (level.id.clone(), level.clone()))
            .collect()
    };
    let mut found = Vec::new();
    by_id(&levels(old), &levels(new), |id, pair| {
        let (said, kind, from) = level(id, &pair);
        let touches = match pair {
            Pair::Both(old, new) if old.from == new.from => Touches::Tier(vec![id.clone()]),
            _ => touched(id),
        };
        found.push((from, said.change(format!("tiers.{id}"), kind, touches)));
    });
    // In the order of the levels, not of their ids.
    found.sort_by_key(|(from, _)| *from);
    changes.extend(found.into_iter().map(|(_, change)| change));
}

fn level(id: &str, pair: &Pair<'_, Level>) -> (Said, ChangeKind, i64) {
    let mut said = Said::default();
    match pair {
        Pair::Added(new) => {
            let (t, from) = (title(id, &new.name), grouped_digits(new.from));
            said.say(
                format!("新增等级{}，{from} 成长值起。", t.zh),
                format!("The tier {} is new; it begins at {from} growth.", t.en),
            );
            (said, ChangeKind::Added, new.from)
        }
        Pair::Removed(old) => {
            let t = title(id, &old.name);
            let from = grouped_digits(old.from);
            said.say(
                format!("取消等级{}（原 {from} 成长值起）。", t.zh),
                format!("The tier {} (from {from} growth) is gone.", t.en),
            );
            (said, ChangeKind::Removed, old.from)
        }
        Pair::Both(old, new) => {
            let t = title(id, &new.name);
            rename(&mut said, "等级", "tier", id, &old.name, &new.name);
            if old.from != new.from {
                let (old, new) = (grouped_digits(old.from), grouped_digits(new.from));
                said.say(
                    format!("等级{}的门槛由 {old} 成长值改为 {new}。", t.zh),
                    format!("The tier {} begins at {new} growth (was {old}).", t.en),
                );
            }
            let what = (
                format!("等级{}的目标", t.zh),
                format!("The aim of the tier {}", t.en),
            );
            said.value((&what.0, &what.1), &old.aim, &new.aim, |all| aims(all));
            (said, ChangeKind::Changed, new.from)
        }
    }
}

/// The stages.
pub(super) fn lifecycle(old: &[Stage], new: &[Stage], changes: &mut Vec<Change>) {
    let stages = |stages: &[Stage]| -> BTreeMap<String, Stage> {
        stages
            .iter()
            .map(|stage| (stage.id.clone(), stage.clone()))
            .collect()
    };
    by_id(&stages(old), &stages(new), |id, pair| {
        let mut said = Said::default();
        let (kind, touches) = match pair {
            Pair::Added(new) => {
                let t = title(id, &new.name);
                said.say(
                    format!("新增生命周期阶段{}，条件为「{}」。", t.zh, new.when.text),
                    format!("The stage {} is new; it holds when `{}`.", t.en, new.when.text),
                );
                (ChangeKind::Added, Touches::Lifecycle)
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                said.say(
                    format!("取消生命周期阶段{}（原条件「{}」）。", t.zh, old.when.text),
                    format!("The stage {} (when `{}`) is gone.", t.en, old.when.text),
                );
                (ChangeKind::Removed, Touches::Lifecycle)
            }
            Pair::Both(old, new) => {
                let t = title(id, &new.name);
                rename(&mut said, "阶段", "stage", id, &old.name, &new.name);
                let what = (
                    format!("阶段{}的时期", t.zh),
                    format!("The phase of the stage {}", t.en),
                );
                said.value((&what.0, &what.1), &old.phase, &new.phase, |p| phase(*p));
                let what = (
                    format!("阶段{}的条件", t.zh),
                    format!("The condition of the stage {}", t.en),
                );
                said.value((&what.0, &what.1), &old.when, &new.when, |when| {
                    Text::code(&when.text)
                });
                let only_called = old.when == new.when;
                (
                    ChangeKind::Changed,
                    if only_called {
                        Touches::Stage(id.clone())
                    } else {
                        Touches::Lifecycle
                    },
                )
            }
        };
        changes.push(said.change(format!("lifecycle.{id}"), kind, touches));
    });
    let common = |stages: &[Stage], others: &[Stage]| -> Vec<String> {
        let known = |id: &str| others.iter().any(|other| other.id == id);
        stages
            .iter()
            .filter(|stage| known(&stage.id))
            .map(|stage| stage.id.clone())
            .collect()
    };
    let mut said = Said::default();
    said.value(
        ("阶段的判断次序", "The order of the stages"),
        &common(old, new),
        &common(new, old),
        |ids| Text::same(ids.join(" → ")),
    );
    changes.extend(said.changed("lifecycle", Touches::Lifecycle));
}

/// The tags.
pub(super) fn tags(old: &BTreeMap<String, Tag>, new: &BTreeMap<String, Tag>, changes: &mut Vec<Change>) {
    by_id(old, new, |id, pair| {
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let (t, rule) = (title(id, &new.name), rule(new.who.as_ref()));
                said.say(
                    format!("新增标签{}，规则为{}。", t.zh, rule.zh),
                    format!("The tag {} is new; its rule is {}.", t.en, rule.en),
                );
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                said.say(
                    format!("取消标签{}，有它的客户都会失去它。", t.zh),
                    format!("The tag {} is gone; those who have it lose it.", t.en),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                tag(&mut said, id, old, new);
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("tags.{id}"), kind, Touches::Tag(id.clone())));
    });
}

fn tag(said: &mut Said, id: &str, old: &Tag, new: &Tag) {
    let t = title(id, &new.name);
    let what = |zh: &str, en: &str| {
        (
            format!("标签{}的{zh}", t.zh),
            format!("The {en} of the tag {}", t.en),
        )
    };
    rename(said, "标签", "tag", id, &old.name, &new.name);
    let (zh, en) = what("规则", "rule");
    said.value((&zh, &en), &old.who, &new.who, |who| rule(who.as_ref()));
    let (zh, en) = what("分组", "group");
    said.value((&zh, &en), &old.group, &new.group, |group| {
        group.as_deref().map_or_else(Text::nothing, Text::code)
    });
    let (zh, en) = what("有效期", "validity");
    said.value((&zh, &en), &old.valid_days, &new.valid_days, |days| {
        days.map_or_else(|| Text::both("「长期」", "without end"), Text::days)
    });
    let (zh, en) = what("开始日期", "first day");
    said.value((&zh, &en), &old.from, &new.from, |day| {
        day.map_or_else(Text::nothing, Text::same)
    });
    let (zh, en) = what("结束日期", "last day");
    said.value((&zh, &en), &old.until, &new.until, |day| {
        day.map_or_else(Text::nothing, Text::same)
    });
}

/// One thing of two versions.
enum Pair<'a, T> {
    Added(&'a T),
    Removed(&'a T),
    Both(&'a T, &'a T),
}

/// Visits what differs, by key.
fn by_id<K: Ord, T: PartialEq>(
    old: &BTreeMap<K, T>,
    new: &BTreeMap<K, T>,
    mut visit: impl FnMut(&K, Pair<'_, T>),
) {
    let keys: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    for key in keys {
        match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) if old != new => visit(key, Pair::Both(old, new)),
            (None, Some(new)) => visit(key, Pair::Added(new)),
            (Some(old), None) => visit(key, Pair::Removed(old)),
            _ => {}
        }
    }
}

/// A thing as people call it.
fn title(id: &str, names: &Names) -> Text {
    Text::both(
        format!("「{}」", names.in_language(Language::Zh, id)),
        names.in_language(Language::En, id).to_owned(),
    )
}

fn rename(said: &mut Said, zh: &str, en: &str, id: &str, old: &Names, new: &Names) {
    let what = (
        format!("{zh} {id} 的名称"),
        format!("The name of the {en} `{id}`"),
    );
    said.value((&what.0, &what.1), old, new, Text::names);
}

fn rule(who: Option<&ConditionText>) -> Text {
    who.map_or_else(
        || Text::both("「人工添加」", "to be given by hand"),
        |who| Text::code(&who.text),
    )
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

fn expiry(expiry: Expiry) -> Text {
    match expiry {
        Expiry::Never => Text::both("「永不过期」", "never"),
        Expiry::EndOfCalendarYear => Text::both("「当年年底」", "the end of the calendar year"),
        Expiry::EndOfNextCalendarYear => Text::both("「次年年底」", "the end of the next calendar year"),
        Expiry::DaysAfterEarning(n) => {
            Text::both(format!("「获得后 {n} 天」"), format!("{n} days after earning"))
        }
    }
}

fn phase(phase: Phase) -> Text {
    match phase {
        Phase::Win => Text::both("「获客期」", "win"),
        Phase::Grow => Text::both("「成长期」", "grow"),
        Phase::WinBack => Text::both("「挽回期」", "win back"),
    }
}

fn aims(aims: &[Aim]) -> Text {
    let names = aims.iter().map(|aim| match aim {
        Aim::Frequency => ("频次", "frequency"),
        Aim::Habit => ("习惯", "habit"),
        Aim::Referral => ("推荐", "referral"),
        Aim::Basket => ("客单", "basket"),
        Aim::Retention => ("留存", "retention"),
    });
    let (zh, en): (Vec<&str>, Vec<&str>) = names.unzip();
    if zh.is_empty() {
        Text::nothing()
    } else {
        Text::both(format!("「{}」", zh.join("、")), en.join(", "))
    }
}

/// A number with a comma between thousands.
fn grouped_digits(number: i64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.as_bytes()[i - 1] != b'-' {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
