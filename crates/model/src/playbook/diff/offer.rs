//! Lanes, floors and offers compared.

use std::collections::BTreeMap;

use super::text::{Pair, Said, Text, by_id, rename, title};
use super::{Change, ChangeKind, Touches};
use crate::money::{Currency, Money};
use crate::playbook::claim::{Claim, Validity};
use crate::playbook::offer::{
    Amount, Budget, Counts, Floor, Lane, Offer, OfferEffect, Offering, Per, Pricing, StepGain, UseLimit,
    Within,
};
use crate::playbook::{ConditionText, Names, Playbook};

/// What is offered.
pub(super) fn offering(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    let (was, is, money) = (&old.offering, &new.offering, &new.currency);
    if was.lanes != is.lanes {
        let mut said = Said::default();
        said.value(("优惠的先后次序", "The order of lanes"), &was.lanes, &is.lanes, |lanes| {
            lanes_in_words(lanes)
        });
        changes.push(said.change("lanes", ChangeKind::Changed, Touches::Nobody));
    }
    by_id(&was.floors, &is.floors, |id, pair| {
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(new) => {
                let t = floor(new, money);
                said.say(format!("新增底价：{}。", t.zh), format!("A floor is new: {}.", t.en));
                ChangeKind::Added
            }
            Pair::Removed(old) => {
                let t = floor(old, money);
                said.say(format!("取消底价：{}。", t.zh), format!("A floor is gone: {}.", t.en));
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                said.value(("底价", "The floor"), old, new, |one| floor(one, money));
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("floors.{id}"), kind, Touches::Nobody));
    });
    offers(was, is, money, changes);
}

fn offers(was: &Offering, is: &Offering, money: &Currency, changes: &mut Vec<Change>) {
    let named = |offering: &Offering| -> BTreeMap<String, Offer> {
        offering.offers.iter().map(|offer| (offer.id.clone(), offer.clone())).collect()
    };
    by_id(&named(was), &named(is), |id, pair| {
        let mut said = Said::default();
        let (kind, who) = match pair {
            Pair::Added(new) => {
                let (t, what) = (title(id, &new.name), whole(new, money));
                said.say(
                    format!("新增优惠{}：{}。", t.zh, what.zh),
                    format!("The offer {} is new: {}.", t.en, what.en),
                );
                (ChangeKind::Added, new.who.clone())
            }
            Pair::Removed(old) => {
                let t = title(id, &old.name);
                said.say(format!("取消优惠{}。", t.zh), format!("The offer {} is gone.", t.en));
                (ChangeKind::Removed, old.who.clone())
            }
            Pair::Both(old, new) => {
                let t = title(id, &new.name);
                rename(&mut said, "优惠", "offer", id, &old.name, &new.name);
                let (zh, en) = (format!("优惠{}", t.zh), format!("The offer {}", t.en));
                let bare = |offer: &Offer| Offer { name: new.name.clone(), ..offer.clone() };
                said.value((&zh, &en), &bare(old), &bare(new), |offer| whole(offer, money));
                (ChangeKind::Changed, new.who.clone())
            }
        };
        let touches = who.map_or(Touches::Everyone, |who| Touches::Earners(Some(who)));
        changes.push(said.change(format!("offers.{id}"), kind, touches));
    });
    let order = |offering: &Offering| -> Vec<String> {
        let kept = offering
            .offers
            .iter()
            .filter(|offer| was.offer(&offer.id).is_some() && is.offer(&offer.id).is_some());
        kept.map(|offer| offer.id.clone()).collect()
    };
    if order(was) != order(is) {
        let mut said = Said::default();
        let shown = |ids: &Vec<String>| Text::both(format!("「{}」", ids.join("、")), ids.join(", "));
        said.value(("优惠的尝试次序", "The order in which offers are tried"), &order(was), &order(is), shown);
        changes.push(said.change("offers", ChangeKind::Changed, Touches::Nobody));
    }
}

fn lanes_in_words(lanes: &[Lane]) -> Text {
    if lanes.is_empty() {
        return Text::nothing();
    }
    let zh = lanes.iter().map(|lane| {
        let per = if lane.per == Per::Line { "每行一个" } else { "整单一个" };
        format!("{}（{per}）", title(&lane.id, &lane.name).zh)
    });
    let en = lanes
        .iter()
        .map(|lane| format!("{} (one a {})", lane.id, if lane.per == Per::Line { "line" } else { "order" }));
    Text::both(zh.collect::<Vec<_>>().join("→"), en.collect::<Vec<_>>().join(", then "))
}

fn floor(floor: &Floor, currency: &Currency) -> Text {
    let of = Text::code(&floor.of.text);
    let (zh, en) = match (floor.price, floor.pay) {
        (Some(price), _) => {
            (format!("不低于 {}", sum(price, currency)), format!("at least {}", sum(price, currency)))
        }
        (None, pay) => {
            let pay = pay.map_or_else(String::new, |pay| pay.to_string());
            (format!("不低于原价的 {pay}"), format!("at least {pay} of the list price"))
        }
    };
    Text::both(format!("{}{zh}", of.zh), format!("{} {en}", of.en))
}

fn sum(money: Money, currency: &Currency) -> String {
    format!("{} {}", currency.to_major(money).normalize(), currency.code)
}

/// What an offer gives, in words for those who get it: no conditions, and money as people write it.
pub(in crate::playbook) fn gives(offer: &Offer, currency: &Currency) -> Names {
    let said = effect(&offer.effect, currency);
    let unit = match currency.code.as_str() {
        "CNY" => "元",
        "USD" => "美元",
        "EUR" => "欧元",
        "HKD" => "港元",
        "SGD" => "新元",
        "JPY" => "日元",
        _ => "",
    };
    let (mut zh, mut en) = (said.zh, said.en);
    if !unit.is_empty() {
        zh = zh.replace(&format!(" {}", currency.code), unit);
    }
    if offer.of.is_some() {
        zh.push_str("，限指定商品");
        en.push_str(", on some items");
    }
    if offer.when.is_some() {
        zh.push_str("，限指定场景");
        en.push_str(", at certain times or places");
    }
    Names { zh: Some(zh.trim().to_owned()), en: Some(en.trim().to_owned()) }
}

/// An offer in words: what it gives, to whom, when, how often.
fn whole(offer: &Offer, currency: &Currency) -> Text {
    let what = effect(&offer.effect, currency);
    let (mut zh, mut en) = (vec![what.zh], vec![what.en]);
    let mut also = |chinese: String, english: String| {
        zh.push(chinese);
        en.push(english);
    };
    let condition = |text: &Option<ConditionText>| text.as_ref().map(|text| Text::code(&text.text));
    if let Some(of) = condition(&offer.of) {
        also(format!("商品为{}", of.zh), format!("of items where {}", of.en));
    }
    if offer.at_least_pieces > 0 {
        let n = offer.at_least_pieces;
        also(format!("至少 {n} 件"), format!("from {n} pieces on"));
    }
    if let Some(who) = condition(&offer.who) {
        also(format!("会员为{}", who.zh), format!("for members where {}", who.en));
    }
    if let Some(when) = condition(&offer.when) {
        also(format!("条件为{}", when.zh), format!("when {}", when.en));
    }
    match (offer.from, offer.until) {
        (Some(from), Some(until)) => also(format!("{from} 至 {until}"), format!("from {from} to {until}")),
        (Some(from), None) => also(format!("{from} 起"), format!("from {from} on")),
        (None, Some(until)) => also(format!("至 {until}"), format!("until {until}")),
        (None, None) => {}
    }
    if let Some(lane) = &offer.lane {
        also(format!("档位 {lane}"), format!("in the lane {lane}"));
    }
    if offer.alone {
        also("不与其他优惠同享".to_owned(), "with no other offer".to_owned());
    }
    if !offer.excludes.is_empty() {
        also(
            format!("不与 {} 同享", offer.excludes.join("、")),
            format!("not with {}", offer.excludes.join(", ")),
        );
    }
    for limit in &offer.limits {
        let text = limit_in_words(limit);
        also(text.zh, text.en);
    }
    if let Some(stock) = offer.stock {
        also(format!("共 {stock} 份"), format!("{stock} in all"));
    }
    match offer.budget {
        Some(Budget::Money(money)) => {
            also(format!("预算 {}", sum(money, currency)), format!("a budget of {}", sum(money, currency)));
        }
        Some(Budget::Pieces(n)) => also(format!("预算 {n} 件"), format!("a budget of {n} pieces")),
        None => {}
    }
    if let Some(terms) = &offer.coupon {
        let (zh, en) = match terms.valid {
            Validity::Days(days) => (Text::days(days).zh, Text::days(days).en),
            Validity::Minutes(n) if n % 60 == 0 => (format!(" {} 小时", n / 60), format!("{} hours", n / 60)),
            Validity::Minutes(n) => (format!(" {n} 分钟"), format!("{n} minutes")),
        };
        also(format!("凭券，有效期{zh}"), format!("by coupon, valid for {en}"));
        if let Some(remind) = terms.remind_days.map(Text::days) {
            also(format!("到期前{}提醒", remind.zh), format!("reminded {} before it ends", remind.en));
        }
        if let Some(partner) = &terms.codes {
            also(format!("附 {partner} 的兑换码"), format!("each with a code of {partner}"));
        }
    }
    if offer.coupon.as_ref().is_some_and(|terms| terms.gives_back) {
        also("逾期未用则退回名额".to_owned(), "given back where it is not used".to_owned());
    }
    if let Some(claim) = &offer.claim {
        let text = claim_in_words(claim);
        also(text.zh, text.en);
    }
    if let Some(partner) = &offer.partner {
        also(format!("凭伙伴码 {partner}"), format!("by the code of {partner}"));
    }
    if offer.returns == crate::playbook::offer::Returns::TakeBack {
        also("退货后不再达标则收回".to_owned(), "taken back when a return breaks its threshold".to_owned());
    }
    Text::both(zh.join("，"), en.join(", "))
}

fn claim_in_words(claim: &Claim) -> Text {
    let (mut zh, mut en) = ("会员自行领取".to_owned(), "claimed by members themselves".to_owned());
    let mut also = |chinese: String, english: String| {
        zh += &chinese;
        en += &english;
    };
    if let Some(who) = &claim.who {
        let who = Text::code(&who.text);
        also(format!("，会员为{}", who.zh), format!(" where {}", who.en));
    }
    if let Some(from) = claim.from {
        also(format!("，{from} 起"), format!(" from {from} on"));
    }
    if let Some(until) = claim.until {
        also(format!("，至 {until}"), format!(" until {until}"));
    }
    if claim.points > 0 {
        also(format!("，{} 积分", claim.points), format!(" for {} points", claim.points));
    }
    Text::both(zh, en)
}

fn limit_in_words(limit: &UseLimit) -> Text {
    let times = limit.times;
    let (zh, en) = match limit.within {
        Within::Day => ("每天", " per day"),
        Within::Week => ("每周", " per week"),
        Within::Month => ("每月", " per month"),
        Within::Campaign => ("活动期内", " per campaign"),
        Within::Ever => ("总共", " in all"),
    };
    match limit.per_member {
        true => Text::both(format!("每位会员{zh}限 {times} 次"), format!("{times} per member{en}")),
        false => Text::both(format!("全部会员{zh}限 {times} 次"), format!("{times}{en} by all together")),
    }
}

fn amount(amount: &Amount, currency: &Currency) -> Text {
    match amount {
        Amount::Fixed(money) => Text::both(sum(*money, currency), sum(*money, currency)),
        Amount::ByTier(tiers) => {
            let each = tiers.iter().map(|(tier, money)| format!("{tier} {}", sum(*money, currency)));
            let each: Vec<String> = each.collect();
            Text::both(each.join("、"), each.join(", "))
        }
    }
}

fn from_on(spend: Money, currency: &Currency) -> Text {
    match spend {
        Money::ZERO => Text::both("", ""),
        spend => {
            Text::both(format!("满 {} ", sum(spend, currency)), format!("from {} on ", sum(spend, currency)))
        }
    }
}

fn pricing(price: &Pricing, currency: &Currency) -> Text {
    match price {
        Pricing::Pay(pay) => Text::both(format!("付 {pay}"), format!("pay {pay}")),
        Pricing::OffPiece(off) => {
            let off = amount(off, currency);
            Text::both(format!("每件减 {}", off.zh), format!("{} off each piece", off.en))
        }
        Pricing::OffLine(off) => {
            let off = amount(off, currency);
            Text::both(format!("每行减 {}", off.zh), format!("{} off each line", off.en))
        }
        Pricing::Price(price) => {
            Text::both(format!("特价 {}", sum(*price, currency)), format!("at {}", sum(*price, currency)))
        }
    }
}

fn most(per_order: Option<u32>) -> (String, String) {
    per_order.map_or_else(Default::default, |n| {
        (format!("（每单至多 {n} 次）"), format!(" (at most {n} an order)"))
    })
}

fn counted(counts: Counts) -> (&'static str, &'static str) {
    match counts {
        Counts::ToPay => ("", ""),
        Counts::ListPrice => ("（按原价计）", " (by list prices)"),
    }
}

fn effect(effect: &OfferEffect, currency: &Currency) -> Text {
    let money = |money: Money| sum(money, currency);
    match effect {
        OfferEffect::Steps { steps, counts } => {
            let (zh_counts, en_counts) = counted(*counts);
            let each = steps.iter().map(|step| {
                let from = from_on(step.spend, currency);
                let (zh, en) = match step.pieces {
                    0 => (from.zh, from.en),
                    n => (format!("{}满 {n} 件 ", from.zh), format!("{}from {n} pieces on ", from.en)),
                };
                match &step.gain {
                    StepGain::Off(off) => {
                        let off = amount(off, currency);
                        (format!("{zh}减 {}", off.zh), format!("{en}{} off", off.en))
                    }
                    StepGain::Pay(pay, None) => (format!("{zh}付 {pay}"), format!("{en}pay {pay}")),
                    StepGain::Pay(pay, Some(cap)) => (
                        format!("{zh}付 {pay}，至多减 {}", money(*cap)),
                        format!("{en}pay {pay}, at most {} off", money(*cap)),
                    ),
                }
            });
            let (zh, en): (Vec<String>, Vec<String>) = each.unzip();
            Text::both(zh.join("；") + zh_counts, en.join("; ") + en_counts)
        }
        OfferEffect::Every { every, off, at_most, counts } => {
            let (zh_counts, en_counts) = counted(*counts);
            let (zh, en) = at_most.map_or_else(Default::default, |most| {
                (format!("，至多减 {}", money(most)), format!(", at most {} off", money(most)))
            });
            Text::both(
                format!("每满 {} 减 {}{zh}{zh_counts}", money(*every), money(*off)),
                format!("{} off for every {}{en}{en_counts}", money(*off), money(*every)),
            )
        }
        OfferEffect::Each { price, per_line } => {
            let price = pricing(price, currency);
            let (zh, en) = per_line.map_or_else(Default::default, |n| {
                (format!("（每行至多 {n} 件）"), format!(" (of at most {n} pieces a line)"))
            });
            Text::both(price.zh + &zh, price.en + &en)
        }
        OfferEffect::NFor { pieces, price, per_order } => {
            let (price, (zh, en)) = (pricing(price, currency), most(*per_order));
            Text::both(format!("{pieces} 件{}{zh}", price.zh), format!("{pieces} pieces: {}{en}", price.en))
        }
        OfferEffect::BuyGet { buy, get, get_of, pay, per_order } => {
            let (zh, en) = most(*per_order);
            let of = get_of.as_ref().map(|of| Text::code(&of.text));
            let (of_zh, of_en) = of.map_or_else(Default::default, |of| (of.zh, format!(" of {}", of.en)));
            let (pay_zh, pay_en) = match pay.0 {
                0 => (String::new(), String::new()),
                _ => (format!("（付 {pay}）"), format!(" at {pay}")),
            };
            Text::both(
                format!("买 {buy} 送 {get} 件{of_zh}{pay_zh}{zh}"),
                format!("buy {buy}, get {get}{of_en}{pay_en}{en}"),
            )
        }
        OfferEffect::Bundle { parts, price, per_order } => {
            let (zh, en) = most(*per_order);
            let each: Vec<String> =
                parts.iter().map(|part| format!("{} × {}", part.pieces, part.of.text)).collect();
            Text::both(
                format!("套装（{}）{}{zh}", each.join(" + "), money(*price)),
                format!("a set ({}) at {}{en}", each.join(" + "), money(*price)),
            )
        }
        OfferEffect::AddOn { price, per_order } => Text::both(
            format!("加价购 {}，每单 {per_order} 件", money(*price)),
            format!("with an order, for {} more, {per_order} an order", money(*price)),
        ),
        OfferEffect::Exchange { points, price, per_order } => Text::both(
            format!("{points} 积分加 {} 换购，每单 {per_order} 件", money(*price)),
            format!("for {points} points and {}, {per_order} an order", money(*price)),
        ),
        OfferEffect::Gift { product, pieces, spend } => {
            let from = from_on(*spend, currency);
            Text::both(
                format!("{}赠 {product} × {pieces}", from.zh),
                format!("{}{pieces} × {product} as a gift", from.en),
            )
        }
        OfferEffect::Shipping { at_most, spend } => {
            let from = from_on(*spend, currency);
            match at_most {
                None => Text::both(format!("{}免运费", from.zh), format!("{}free shipping", from.en)),
                Some(most) => Text::both(
                    format!("{}运费减 {}", from.zh, money(*most)),
                    format!("{}{} off shipping", from.en, money(*most)),
                ),
            }
        }
        OfferEffect::Points { times, spend } => {
            let from = from_on(*spend, currency);
            Text::both(format!("{}积分 × {times}", from.zh), format!("{}points × {times}", from.en))
        }
        OfferEffect::Service { what, spend } => {
            let (from, what) = (from_on(*spend, currency), title("service", what));
            Text::both(format!("{}服务{}", from.zh, what.zh), format!("{}the service {}", from.en, what.en))
        }
        OfferEffect::Give { coupon, spend } => {
            let from = from_on(*spend, currency);
            Text::both(format!("{}送券 {coupon}", from.zh), format!("{}a coupon {coupon}", from.en))
        }
        OfferEffect::Access => Text::both("优先购买", "early access"),
    }
}
