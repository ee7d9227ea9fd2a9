//! The section `alone`: up to where one person decides.

use super::super::raw::RawAlone;
use super::super::yaml::Node;
use super::Check;
use crate::role::Limits;

/// The most points, or members, that one person may be trusted with: beyond that nobody is asked at all.
const ALONE_MAX: i64 = 1_000_000_000;
/// The most hours that a request waits: a month.
const HOURS_MAX: i64 = 744;

impl Check<'_> {
    pub(super) fn alone(&mut self, raw: Option<RawAlone>, node: Option<&Node>, exponent: u32) -> Limits {
        let usual = Limits::default();
        let (Some(raw), Some(node)) = (raw, node) else { return usual };
        let mut within = |given: Option<i64>, key: &str, least: i64, most: i64| {
            let given = given?;
            if !(least..=most).contains(&given)
                && let Some(at) = node.get(key)
            {
                self.problem(
                    at.problem(format!("{given} is out of range"), Some(format!("{least} to {most}"))),
                );
            }
            u64::try_from(given).ok()
        };
        let points = within(raw.points, "points", 0, ALONE_MAX);
        let members = within(raw.members, "members", 0, ALONE_MAX);
        let payouts = within(raw.payouts, "payouts", 0, ALONE_MAX);
        let hours = within(raw.answer_hours, "answer_hours", 1, HOURS_MAX);
        Limits {
            points_alone: points.unwrap_or(usual.points_alone),
            coupons_alone: members.unwrap_or(usual.coupons_alone),
            payouts_alone_minor: payouts.map_or(usual.payouts_alone_minor, |major| {
                major.saturating_mul(10_u64.saturating_pow(exponent))
            }),
            playbook_alone: raw.playbook.unwrap_or(usual.playbook_alone),
            answer_hours: hours.and_then(|hours| u32::try_from(hours).ok()).unwrap_or(usual.answer_hours),
        }
    }
}
