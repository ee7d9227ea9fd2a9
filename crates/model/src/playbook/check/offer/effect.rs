//! What an offer gives, by the keys it has: one key says the kind, and each kind has its own others.

use super::super::super::phrase::{self, offer as phrases};
use super::super::super::raw::offer::{RawOffer, RawPart, RawPer, RawStep};
use super::super::super::words::offer::RawOff;
use super::super::super::yaml::{self, Node, Value};
use super::super::{Check, MAX_FEW};
use super::{Around, unknown};
use crate::money::Money;
use crate::playbook::offer::{
    Amount, BundlePart, Counts, OfferEffect, OfferStep, Per, Percent, Pricing, StepGain,
};

/// Keys that say the kind, with the keys that go with it.
const KINDS: [(&str, &[&str]); 16] = [
    ("steps", &["counts"]),
    ("every", &["off", "at_most", "counts"]),
    ("bundle", &["price", "per_order"]),
    ("buy", &["get", "get_of", "pay", "per_order"]),
    ("pieces", &["pay", "price", "per_order"]),
    ("add_on", &["per_order"]),
    ("exchange", &["price", "per_order"]),
    ("gift", &["spend"]),
    ("shipping", &["spend"]),
    ("points_times", &["spend"]),
    ("service", &["spend"]),
    ("give", &["spend"]),
    ("access", &[]),
    ("price", &["per_line"]),
    ("off", &["spend", "counts", "per", "per_line"]),
    ("pay", &["spend", "counts", "at_most", "per_line"]),
];

/// Keys that belong to no kind alone.
const COMPANIONS: [&str; 9] =
    ["spend", "counts", "per", "at_most", "per_line", "per_order", "get", "get_of", "off"];

impl Check<'_> {
    pub(super) fn effect(
        &mut self,
        raw: RawOffer,
        node: &Node,
        around: &Around<'_>,
        lane: Option<Per>,
    ) -> Option<OfferEffect> {
        let kinds = || KINDS.iter().filter(|(key, _)| node.get(key).is_some());
        let Some((kind, with)) = kinds().next() else {
            if !node.is_broken() {
                let allowed = KINDS.map(|(key, _)| key).join(", ");
                self.problem(node.problem("the offer gives nothing", Some(allowed)));
            }
            return None;
        };
        let others =
            kinds().map(|(key, _)| *key).chain(COMPANIONS).filter(|key| key != kind && !with.contains(key));
        let mut others: Vec<&str> = others.filter(|key| node.get(key).is_some()).collect();
        others.dedup();
        if let Some((other, at)) = others.first().and_then(|other| Some((other, node.entry(other)?))) {
            let allowed = if with.is_empty() { "nothing else".to_owned() } else { with.join(", ") };
            let message = format!("`{other}` does not go with `{kind}`");
            self.problem(at.key_mark.problem(&yaml::join(&node.path, other), message, Some(allowed)));
            return None;
        }
        let money = |check: &mut Self, text: &Option<_>, key: &str| -> Option<Money> {
            let text: &crate::playbook::words::offer::MoneyPhrase = text.as_ref()?;
            check.money(&text.0, node.get(key), &around.currency)
        };
        let spend = money(self, &raw.spend, "spend").unwrap_or(Money::ZERO);
        let price = money(self, &raw.price, "price");
        let pay = raw.pay.as_ref().and_then(|text| self.phrase(&text.0, node.get("pay"), phrases::percent));
        let at_most = raw.at_most.as_ref();
        let at_most = at_most.and_then(|text| self.money(&text.0, node.get("at_most"), &around.currency));
        let counts = raw.counts.unwrap_or_default();
        let per_order = self.count(raw.per_order, node.get("per_order"), 10_000);
        let per_line = self.count(raw.per_line, node.get("per_line"), 1_000_000);
        Some(match *kind {
            "steps" => {
                OfferEffect::Steps { steps: self.steps(raw.steps?, node.get("steps")?, around)?, counts }
            }
            "every" => {
                let every = money(self, &raw.every, "every")?;
                let off = self.required(raw.off, node, "off", "an amount such as 10")?;
                let Amount::Fixed(off) = self.off(off, node.get("off")?, around)? else {
                    let message = "here the amount is the same for everybody";
                    self.problem(node.get("off")?.problem(message, None));
                    return None;
                };
                if off > every || every == Money::ZERO {
                    let message = "more would be taken off than is spent";
                    self.problem(node.get("off")?.problem(message, Some("at most what `every` says".into())));
                }
                OfferEffect::Every { every, off, at_most, counts }
            }
            "bundle" => {
                let parts = self.parts(raw.bundle?, node.get("bundle")?)?;
                if node.get("price").is_none() {
                    let _: Option<()> = self.required(None, node, "price", "what a set costs");
                }
                OfferEffect::Bundle { parts, price: price?, per_order }
            }
            "buy" => {
                let buy = self.count(raw.buy, node.get("buy"), 10_000)?;
                let get = self.required(raw.get, node, "get", "how many pieces are got")?;
                let get = self.count(Some(get), node.get("get"), 10_000)?;
                let get_of = self.condition(raw.get_of, node.get("get_of"));
                OfferEffect::BuyGet { buy, get, get_of, pay: pay.unwrap_or(Percent(0)), per_order }
            }
            "pieces" => {
                let pieces = self.count(raw.pieces, node.get("pieces"), 10_000)?;
                let price = match (pay, price) {
                    (Some(pay), None) => Pricing::Pay(pay),
                    (None, Some(price)) => Pricing::Price(price),
                    _ if node.is_broken() => return None,
                    _ => {
                        let message = "N pieces are for a part of their price, or for a price";
                        self.problem(node.problem(message, Some("pay, price".into())));
                        return None;
                    }
                };
                OfferEffect::NFor { pieces, price, per_order }
            }
            "add_on" => {
                let price = money(self, &raw.add_on, "add_on")?;
                OfferEffect::AddOn { price, per_order: self.needed(per_order, node)? }
            }
            "exchange" => {
                let points = self.count(raw.exchange, node.get("exchange"), 1_000_000_000)?;
                let price = price.unwrap_or(Money::ZERO);
                OfferEffect::Exchange {
                    points: i64::from(points),
                    price,
                    per_order: self.needed(per_order, node)?,
                }
            }
            "gift" => {
                let (gift, node) = (raw.gift?, node.get("gift")?);
                let product = self.required(gift.product, node, "product", "a product's id")?;
                if product.is_empty() || product.len() > 255 {
                    self.problem(node.problem("this cannot be a product's id", None));
                }
                let pieces = match gift.pieces {
                    Some(_) => self.count(gift.pieces, node.get("pieces"), 10_000)?,
                    None => 1,
                };
                OfferEffect::Gift { product, pieces, spend }
            }
            "shipping" => {
                let off = |text: &str| phrases::shipping(text, &around.currency);
                let at_most = self.phrase(&raw.shipping?.0, node.get("shipping"), off)?;
                OfferEffect::Shipping { at_most, spend }
            }
            "points_times" => {
                let times = self.phrase(&raw.points_times?.0, node.get("points_times"), phrase::ratio)?;
                OfferEffect::Points { times, spend }
            }
            "service" => OfferEffect::Service { what: self.names_at("service", raw.service, node), spend },
            "give" => OfferEffect::Give { coupon: raw.give?, spend },
            "access" => {
                if raw.access == Some(false) || node.get("of").is_none() {
                    let message = "early access is to some items: it says `of`";
                    self.problem(node.problem(message, Some("access: true, of: …".into())));
                }
                OfferEffect::Access
            }
            "price" => OfferEffect::Each { price: Pricing::Price(price?), per_line },
            "off" => {
                let per = raw.per.unwrap_or(RawPer::Order);
                let off = self.off(raw.off?, node.get("off")?, around)?;
                let price = match per {
                    RawPer::Order => return self.order_step(node, spend, StepGain::Off(off), counts),
                    RawPer::Line => Pricing::OffLine(off),
                    RawPer::Piece => Pricing::OffPiece(off),
                };
                self.not_of_lines(node, &["spend", "counts"]);
                OfferEffect::Each { price, per_line }
            }
            _ if lane == Some(Per::Line) => {
                self.not_of_lines(node, &["spend", "at_most", "counts"]);
                OfferEffect::Each { price: Pricing::Pay(pay?), per_line }
            }
            _ => return self.order_step(node, spend, StepGain::Pay(pay?, at_most), counts),
        })
    }

    fn order_step(
        &mut self,
        node: &Node,
        spend: Money,
        gain: StepGain,
        counts: Counts,
    ) -> Option<OfferEffect> {
        if let Some(entry) = node.entry("per_line") {
            let message = "this is off the order, so lines have no part in it";
            let path = yaml::join(&node.path, "per_line");
            self.problem(entry.key_mark.problem(&path, message, Some("a lane of `per: line`".into())));
        }
        Some(OfferEffect::Steps { steps: vec![OfferStep { spend, pieces: 0, gain }], counts })
    }

    fn needed(&mut self, per_order: Option<u32>, node: &Node) -> Option<u32> {
        self.required(per_order, node, "per_order", "how many pieces an order")
    }

    /// Thresholds are of the order, where all that is off lines came off before.
    fn not_of_lines(&mut self, node: &Node, keys: &[&str]) {
        for key in keys {
            if let Some(entry) = node.entry(key) {
                let message = "a line has no threshold or cap of its own";
                let allowed =
                    Some("a lane of `per: order`, or a condition such as `when: cart.total >= 68`".into());
                self.problem(entry.key_mark.problem(&yaml::join(&node.path, key), message, allowed));
            }
        }
    }

    fn off(&mut self, raw: RawOff, node: &Node, around: &Around<'_>) -> Option<Amount> {
        match raw {
            RawOff::Fixed(text) => self.money(&text, Some(node), &around.currency).map(Amount::Fixed),
            RawOff::ByTier(tiers) => {
                let known: Vec<&str> = around.levels.iter().map(|level| level.id.as_str()).collect();
                let mut amounts = std::collections::BTreeMap::new();
                let Value::Map(entries) = &node.value else { return None };
                for ((tier, text), entry) in tiers.0.into_iter().zip(entries) {
                    if !known.contains(&tier.as_str()) {
                        self.problem(unknown(&entry.node, "tier", &tier, &known));
                    }
                    amounts.insert(tier, self.money(&text.0, Some(&entry.node), &around.currency)?);
                }
                Some(Amount::ByTier(amounts))
            }
        }
    }

    fn steps(&mut self, raw: Vec<RawStep>, node: &Node, around: &Around<'_>) -> Option<Vec<OfferStep>> {
        if raw.is_empty() || raw.len() > MAX_FEW {
            self.problem(node.problem("there is at least one step", Some(format!("1 to {MAX_FEW}"))));
        }
        let mut steps: Vec<OfferStep> = Vec::new();
        for (raw, node) in raw.into_iter().zip(node.elements()) {
            let spend = raw.spend.and_then(|text| self.money(&text.0, node.get("spend"), &around.currency));
            let pieces = self.count(raw.pieces, node.get("pieces"), 1_000_000);
            let at_most =
                raw.at_most.and_then(|text| self.money(&text.0, node.get("at_most"), &around.currency));
            let gain = match (raw.off, raw.pay) {
                (Some(off), None) if at_most.is_none() => {
                    StepGain::Off(self.off(off, node.get("off")?, around)?)
                }
                (None, Some(pay)) => {
                    StepGain::Pay(self.phrase(&pay.0, node.get("pay"), phrases::percent)?, at_most)
                }
                _ => {
                    let allowed = Some("off, or pay with at_most".into());
                    self.problem(node.problem("a step takes an amount off, or a part", allowed));
                    return None;
                }
            };
            let step = OfferStep { spend: spend.unwrap_or(Money::ZERO), pieces: pieces.unwrap_or(0), gain };
            if let Some(before) = steps.last()
                && (step.spend, step.pieces) <= (before.spend, before.pieces)
            {
                self.problem(node.problem("steps ascend", Some("more than the step before".into())));
            }
            steps.push(step);
        }
        Some(steps)
    }

    fn parts(&mut self, raw: Vec<RawPart>, node: &Node) -> Option<Vec<BundlePart>> {
        if raw.len() < 2 || raw.len() > 16 {
            self.problem(node.problem("a set has two parts or more", Some("2 to 16".into())));
        }
        let mut parts = Vec::new();
        for (raw, node) in raw.into_iter().zip(node.elements()) {
            let of = self.required(raw.of, node, "of", "a condition over an item")?;
            let of = self.condition(Some(of), node.get("of"))?;
            let pieces =
                if raw.pieces.is_some() { self.count(raw.pieces, node.get("pieces"), 10_000)? } else { 1 };
            parts.push(BundlePart { of, pieces });
        }
        Some(parts)
    }
}
