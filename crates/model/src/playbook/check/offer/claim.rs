//! How a coupon is held, and how members take one themselves.

use super::super::super::phrase::{self, offer as phrases};
use super::super::super::raw::offer::{RawClaim, RawCoupon};
use super::super::super::yaml::Node;
use super::super::{Check, MAX_DAYS};
use super::{Around, unknown};
use crate::playbook::claim::{Claim, Moment, Validity};
use crate::playbook::offer::CouponTerms;

/// The most points that a coupon costs.
const POINTS_MAX: u32 = 1_000_000_000;

impl Check<'_> {
    pub(super) fn coupon(&mut self, raw: RawCoupon, node: &Node, around: &Around<'_>) -> Option<CouponTerms> {
        if let (Some(partner), Some(at)) = (&raw.codes, node.get("codes"))
            && !around.partners.contains(&partner.as_str())
        {
            self.problem(unknown(at, "partner", partner, &around.partners));
        }
        if let (Some(_), Some(true), Some(at)) = (&raw.codes, raw.gives_back, node.get("gives_back")) {
            let message = "a partner's code that was shown is handed out to nobody else";
            self.problem(at.problem(message, Some("codes, or gives_back".into())));
        }
        let valid = self.required(raw.valid, node, "valid", "a time such as 7d, 2h or 15m")?;
        let read = |text: &str| phrases::valid(text, MAX_DAYS);
        let valid = self.phrase(&valid.0, node.get("valid"), read)?;
        let days = |text: &str| phrase::days(text, 1, MAX_DAYS);
        let remind = raw.remind.and_then(|text| self.phrase(&text.0, node.get("remind"), days));
        if let (Some(_), Validity::Minutes(_), Some(at)) = (remind, valid, node.get("remind")) {
            let message = "who holds it for hours is not reminded days before";
            self.problem(at.problem(message, Some("a `valid` in days, or no reminder".into())));
        }
        let remind_days = remind.filter(|remind| matches!(valid, Validity::Days(days) if *remind < days));
        let (gives_back, codes) = (raw.gives_back.unwrap_or(false), raw.codes);
        Some(CouponTerms { valid, remind_days, gives_back, codes })
    }

    /// `offer` is where the whole offer stands: what is claimed is its coupon.
    pub(super) fn claim(&mut self, raw: RawClaim, offer: &Node) -> Option<Claim> {
        let node = offer.get("claim")?;
        if offer.get("coupon").is_none() {
            let message = "what is claimed is a coupon: the offer says for how long one is held";
            self.problem(node.problem(message, Some("coupon: { valid: 7d }".into())));
        }
        let who = self.condition(raw.who, node.get("who"));
        let from = raw.from.and_then(|text| self.phrase(&text.0, node.get("from"), phrases::moment));
        let until = raw.until.and_then(|text| self.phrase(&text.0, node.get("until"), phrases::moment));
        let from = from.map(|(from, _)| from);
        // A day that is the last one ends where the next begins.
        let until = until.map(|(until, timed)| match timed {
            true => until,
            false => Moment { day: until.day.plus(1), minute: 0 },
        });
        if let (Some(from), Some(until), Some(at)) = (from, until, node.get("until"))
            && until <= from
        {
            self.problem(at.problem(format!("ends before it begins at {from}"), None));
        }
        let points = self.count(raw.points, node.get("points"), POINTS_MAX).map_or(0, i64::from);
        Some(Claim { who, from, until, points })
    }
}
