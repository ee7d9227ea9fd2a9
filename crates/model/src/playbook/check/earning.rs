//! What is earned, checked: points and growth.

use super::{Check, MAX_FEW};
use crate::playbook::names::Names;
use crate::playbook::phrase;
use crate::playbook::raw::{RawGrowth, RawPoints};
use crate::playbook::words::RawEarn;
use crate::playbook::yaml::Node;
use crate::playbook::{Earn, Growth, Points, Times};

impl Check<'_> {
    pub(super) fn points(&mut self, raw: RawPoints, node: &Node) -> Option<Points> {
        let mut name = self.names(raw.name, node);
        if name == Names::default() {
            name = Names::both("积分", "Points");
        }
        let allowed = "never, end of calendar year, end of next calendar year, 365d after earning";
        let expire = self.required(raw.expire, node, "expire", allowed);
        let expire = expire.and_then(|text| self.phrase(&text.0, node.get("expire"), phrase::expiry));
        let debt = self.required(raw.debt, node, "debt", "allowed, refused");
        let hold_days = raw
            .hold
            .map_or(Some(0), |text| self.phrase(&text.0, node.get("hold"), |t| phrase::days(t, 0, 366)));
        let worth = raw.worth.and_then(|text| self.phrase(&text.0, node.get("worth"), phrase::worth));
        let most_per_day = raw.most.and_then(|text| self.phrase(&text.0, node.get("most"), phrase::most));
        let earn = self.required(raw.earn, node, "earn", "a list of what is earned, such as 1 per 1 paid");
        let (earn, times) = self.earning(earn?, node.get("earn")?, true);
        let combine = raw.combine.unwrap_or_default();
        let (expire, debt, hold_days) = (expire?, debt?, hold_days?);
        Some(Points { name, expire, debt, hold_days, combine, earn, times, worth, most_per_day })
    }

    pub(super) fn growth(&mut self, raw: RawGrowth, node: &Node) -> Option<Growth> {
        let mut name = self.names(raw.name, node);
        if name == Names::default() {
            name = Names::both("成长值", "Growth");
        }
        let earn =
            self.required(raw.earn, node, "earn", "a list of what is earned, such as 10 per 1 paid")?;
        let (earn, _) = self.earning(earn, node.get("earn")?, false);
        Some(Growth { name, earn })
    }

    pub(super) fn earning(
        &mut self,
        raw: Vec<RawEarn>,
        node: &Node,
        may_multiply: bool,
    ) -> (Vec<Earn>, Vec<Times>) {
        let (mut earns, mut multipliers) = (Vec::new(), Vec::new());
        if raw.len() > MAX_FEW {
            self.problem(node.problem("too many ways to earn", Some(format!("at most {MAX_FEW}"))));
            return (earns, multipliers);
        }
        for (raw, node) in raw.into_iter().zip(node.elements()) {
            let phrase_node = if node.scalar().is_some() { Some(node) } else { node.get("earn") };
            let who = self.condition(raw.who, node.get("who"));
            let when = self.condition(raw.when, node.get("when"));
            match (raw.earn, raw.times) {
                (Some(text), None) => {
                    if let Some((points, per_major)) = self.phrase(&text.0, phrase_node, phrase::earn) {
                        earns.push(Earn { points, per_major, who, when });
                    }
                }
                (None, Some(_)) if !may_multiply => {
                    self.problem(node.problem("growth has no multipliers", Some("earn, who, when".into())));
                }
                (None, Some(number)) => {
                    let times = self.phrase(&number.0, node.get("times"), phrase::ratio);
                    if who.is_none() && when.is_none() && !node.is_broken() {
                        let allowed = "who, when; for everyone write it into `earn`";
                        self.problem(node.problem("a multiplier needs a condition", Some(allowed.into())));
                    }
                    multipliers.extend(times.map(|times| Times { times, who, when }));
                }
                _ if node.is_broken() => {}
                (earn, _) => {
                    let message =
                        if earn.is_some() { "both `earn` and `times`" } else { "neither `earn` nor `times`" };
                    self.problem(node.problem(message, Some("one of earn, times".into())));
                }
            }
        }
        (earns, multipliers)
    }
}
