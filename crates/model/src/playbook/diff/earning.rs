//! What is earned compared: points and growth.

use std::collections::BTreeMap;

use super::text::{Pair, Said, Text, by_id, value};
use super::{Change, ChangeKind, Touches};
use crate::playbook::{Combine, ConditionText, Debt, Earn, Expiry, Growth, Points, Times, Worth};

/// The points account.
pub(super) fn points(old: &Points, new: &Points, changes: &mut Vec<Change>) {
    changes.extend(value(
        "points.name",
        Touches::Everyone,
        ("积分的名称", "The name of points"),
        &old.name,
        &new.name,
        Text::names,
    ));

    changes.extend(value(
        "points.expire",
        Touches::Everyone,
        ("此后所得积分的有效期", "The expiry of points earned from now on"),
        &old.expire,
        &new.expire,
        |e| expiry(*e),
    ));

    changes.extend(value(
        "points.debt",
        Touches::Everyone,
        ("积分不足时的退款", "A refund beyond what is left"),
        &old.debt,
        &new.debt,
        |debt| match debt {
            Debt::Allowed => Text::both("「记为欠分」", "booked as debt"),
            Debt::Refused => Text::both("「只扣剩余部分」", "taken only from what is left"),
        },
    ));

    changes.extend(value(
        "points.hold",
        Touches::Everyone,
        ("积分的冻结期", "The time points are held back"),
        &old.hold_days,
        &new.hold_days,
        |n| Text::days(*n),
    ));

    changes.extend(value(
        "points.combine",
        Touches::Everyone,
        ("多个倍数同时成立时", "When several multipliers hold, the rule"),
        &old.combine,
        &new.combine,
        |c| match c {
            Combine::Largest => Text::both("「取最大」", "the largest wins"),
            Combine::Multiply => Text::both("「相乘」", "they are multiplied"),
        },
    ));

    changes.extend(value(
        "points.most",
        Touches::Everyone,
        ("每位会员每天订单积分的上限", "The most points that a member's orders of one day earn"),
        &old.most_per_day,
        &new.most_per_day,
        |most| {
            most.map_or_else(Text::nothing, |most| {
                Text::both(format!("「{most} 分」"), format!("{most} points"))
            })
        },
    ));

    let unit = ("积分", "points");
    compared("points.earn", &earns(&old.earn, unit), &earns(&new.earn, unit), changes);
    compared("points.times", &multipliers(&old.times), &multipliers(&new.times), changes);

    changes.extend(value(
        "points.worth",
        Touches::Everyone,
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
    ));
}

/// The growth value.
pub(super) fn growth(old: &Growth, new: &Growth, changes: &mut Vec<Change>) {
    changes.extend(value(
        "growth.name",
        Touches::Everyone,
        ("成长值的名称", "The name of growth"),
        &old.name,
        &new.name,
        Text::names,
    ));
    let unit = ("成长值", "growth");
    compared("growth.earn", &earns(&old.earn, unit), &earns(&new.earn, unit), changes);
}

/// A way to earn or a multiplier, in words.
struct Rule<'a> {
    who: Option<&'a ConditionText>,
    when: Option<&'a ConditionText>,
    gives: Text,
}

/// What knows a rule: the texts of its two conditions.
type Whose = (Option<String>, Option<String>);

impl Rule<'_> {
    fn whose(&self) -> Whose {
        (self.who.map(|who| who.text.clone()), self.when.map(|when| when.text.clone()))
    }
}

fn earns<'a>(earns: &'a [Earn], unit: (&str, &str)) -> Vec<Rule<'a>> {
    let rule = |earn: &'a Earn| {
        let (points, per) = (earn.points, earn.per_major);
        let unit_en = if points == 1 { unit.1.trim_end_matches('s') } else { unit.1 };
        let gives = Text::both(
            format!("每满 {per} 元得 {points} {}", unit.0),
            format!("{points} {unit_en} per {per} paid"),
        );
        Rule { who: earn.who.as_ref(), when: earn.when.as_ref(), gives }
    };
    earns.iter().map(rule).collect()
}

fn multipliers(times: &[Times]) -> Vec<Rule<'_>> {
    let mut rules = Vec::new();
    for Times { times, who, when } in times {
        let gives = Text::both(format!("积分 × {times}"), format!("points × {times}"));
        rules.push(Rule { who: who.as_ref(), when: when.as_ref(), gives });
    }
    rules
}

/// What the rules give, by whose they are; rules of the same conditions stand together.
fn by_whose(rules: &[Rule<'_>]) -> BTreeMap<Whose, Vec<(String, String)>> {
    let mut groups: BTreeMap<Whose, Vec<(String, String)>> = BTreeMap::new();
    for rule in rules {
        let gives = (rule.gives.zh.clone(), rule.gives.en.clone());
        groups.entry(rule.whose()).or_default().push(gives);
    }
    groups.values_mut().for_each(|gives| gives.sort_unstable());
    groups
}

fn compared(prefix: &str, old: &[Rule<'_>], new: &[Rule<'_>], changes: &mut Vec<Change>) {
    let joined = |gives: &[(String, String)]| {
        let (zh, en): (Vec<&str>, Vec<&str>) =
            gives.iter().map(|(zh, en)| (zh.as_str(), en.as_str())).unzip();
        Text::both(zh.join("、"), en.join(" and "))
    };
    by_id(&by_whose(old), &by_whose(new), |whose, pair| {
        let conditions: Vec<&str> = [&whose.0, &whose.1].into_iter().flatten().map(String::as_str).collect();
        let orders = orders(&conditions);
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let new = joined(new);
                said.say(
                    format!("新增：{}{}。", orders.zh, new.zh),
                    format!("New: {} for {}.", new.en, orders.en),
                );
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let old = joined(old);
                said.say(
                    format!("取消：{}{}。", orders.zh, old.zh),
                    format!("Gone: {} for {}.", old.en, orders.en),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let (old, new) = (joined(old), joined(new));
                said.say(
                    format!("{}由{}改为{}。", orders.zh, old.zh, new.zh),
                    format!("For {}: {} (was {}).", orders.en, new.en, old.en),
                );
                ChangeKind::Changed
            }
        };
        let id = match conditions.as_slice() {
            [] => prefix.to_owned(),
            conditions => format!("{prefix}[{}]", conditions.join(" && ")),
        };
        // Only a condition on members says who earns; one on orders may be met by anyone.
        let who = old.iter().chain(new).find(|rule| rule.whose() == *whose).and_then(|rule| rule.who);
        changes.push(said.change(id, kind, Touches::Earners(who.cloned())));
    });
}

fn orders(conditions: &[&str]) -> Text {
    match conditions {
        [] => Text::both("所有订单", "every order"),
        conditions => Text::both(
            format!("符合「{}」时", conditions.join("」且「")),
            format!("orders where `{}`", conditions.join("` and `")),
        ),
    }
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
