//! Where members stand compared: tiers, stages and tags.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Pair, Said, Text, by_id, digits, rename, title, value};
use super::{Change, ChangeKind, Touches};
use crate::playbook::{Aim, ConditionText, Language, Level, Names, Phase, Stage, Tag, Tiers};

/// Levels and terms.
pub(super) fn tiers(old: &Tiers, new: &Tiers, changes: &mut Vec<Change>) {
    changes.extend(value(
        "tiers.over",
        Touches::Everyone,
        ("等级的考核期", "The term of a tier"),
        &old.over_days,
        &new.over_days,
        |n| Text::days(*n),
    ));

    // Who is touched by a threshold: those who hold the level, and those of the level below, on either side.
    let touched = |id: &str| {
        let mut levels = BTreeSet::from([id.to_owned()]);
        for tiers in [old, new] {
            let at = tiers.levels.iter().position(|level| level.id == id);
            levels.extend(at.and_then(|at| at.checked_sub(1)).map(|below| tiers.levels[below].id.clone()));
        }
        Touches::Tier(levels.into_iter().collect())
    };
    let levels = |tiers: &Tiers| -> BTreeMap<String, Level> {
        tiers.levels.iter().map(|level| (level.id.clone(), level.clone())).collect()
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
            let (t, from) = (title(id, &new.name), digits(new.from));
            said.say(
                format!("新增等级{}，{from} 成长值起。", t.zh),
                format!("The tier {} is new; it begins at {from} growth.", t.en),
            );
            (said, ChangeKind::Added, new.from)
        }
        Pair::Removed(old) => {
            let t = title(id, &old.name);
            let from = digits(old.from);
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
                let (old, new) = (digits(old.from), digits(new.from));
                said.say(
                    format!("等级{}的门槛由 {old} 成长值改为 {new}。", t.zh),
                    format!("The tier {} begins at {new} growth (was {old}).", t.en),
                );
            }
            let what = (format!("等级{}的目标", t.zh), format!("The aim of the tier {}", t.en));
            said.value((&what.0, &what.1), &old.aim, &new.aim, |all| aims(all));
            let what = (format!("等级{}的权益", t.zh), format!("What the tier {} gives", t.en));
            said.value((&what.0, &what.1), &old.benefits, &new.benefits, |all| benefits(all));
            (said, ChangeKind::Changed, new.from)
        }
    }
}

fn benefits(all: &[Names]) -> Text {
    if all.is_empty() {
        return Text::nothing();
    }
    let in_language = |language| {
        let texts: Vec<&str> = all.iter().map(|one| one.in_language(language, "—")).collect();
        texts.join(if language == Language::Zh { "、" } else { "; " })
    };
    Text::both(format!("「{}」", in_language(Language::Zh)), format!("\"{}\"", in_language(Language::En)))
}

/// The stages.
pub(super) fn lifecycle(old: &[Stage], new: &[Stage], changes: &mut Vec<Change>) {
    let stages = |stages: &[Stage]| -> BTreeMap<String, Stage> {
        stages.iter().map(|stage| (stage.id.clone(), stage.clone())).collect()
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
                let what = (format!("阶段{}的时期", t.zh), format!("The phase of the stage {}", t.en));
                said.value((&what.0, &what.1), &old.phase, &new.phase, |p| phase(*p));
                let what = (format!("阶段{}的条件", t.zh), format!("The condition of the stage {}", t.en));
                said.value((&what.0, &what.1), &old.when, &new.when, |when| Text::code(&when.text));
                let only_called = old.when == new.when;
                (
                    ChangeKind::Changed,
                    if only_called { Touches::Stage(id.clone()) } else { Touches::Lifecycle },
                )
            }
        };
        changes.push(said.change(format!("lifecycle.{id}"), kind, touches));
    });
    let common = |stages: &[Stage], others: &[Stage]| -> Vec<String> {
        let known = |id: &str| others.iter().any(|other| other.id == id);
        stages.iter().filter(|stage| known(&stage.id)).map(|stage| stage.id.clone()).collect()
    };
    changes.extend(value(
        "lifecycle",
        Touches::Lifecycle,
        ("阶段的判断次序", "The order of the stages"),
        &common(old, new),
        &common(new, old),
        |ids| Text::same(ids.join(" → ")),
    ));
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
    let what = |zh: &str, en: &str| (format!("标签{}的{zh}", t.zh), format!("The {en} of the tag {}", t.en));
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
    said.value((&zh, &en), &old.from, &new.from, |day| day.map_or_else(Text::nothing, Text::same));
    let (zh, en) = what("结束日期", "last day");
    said.value((&zh, &en), &old.until, &new.until, |day| day.map_or_else(Text::nothing, Text::same));
    let (zh, en) = what("平台标签组", "group on platforms");
    said.value((&zh, &en), &old.platform, &new.platform, |group| {
        group.as_deref().map_or_else(Text::nothing, Text::code)
    });
}

fn rule(who: Option<&ConditionText>) -> Text {
    who.map_or_else(|| Text::both("「人工添加」", "to be given by hand"), |who| Text::code(&who.text))
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
