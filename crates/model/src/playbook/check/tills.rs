//! The section `tills`: what one lease of a till that sells without a network may have.

use super::super::raw::RawTills;
use super::super::yaml::Node;
use super::Check;
use crate::till::{LEASED_MEMBERS_MAX, TillLimits};

/// The longest lease, and the longest grace, in hours: three days, and a month.
const HOURS_MAX: i64 = 72;
const GRACE_HOURS_MAX: i64 = 744;
/// The most uses, and the most money.
const AMOUNT_MAX: i64 = 1_000_000_000;

impl Check<'_> {
    pub(super) fn tills(&mut self, raw: Option<RawTills>, node: Option<&Node>) -> TillLimits {
        let usual = TillLimits::default();
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
            Some(given)
        };
        let small = |given: Option<i64>, usual: u32| {
            given.and_then(|given| u32::try_from(given).ok()).unwrap_or(usual)
        };
        TillLimits {
            hours: small(within(raw.hours, "hours", 1, HOURS_MAX), usual.hours),
            grace_hours: small(within(raw.grace_hours, "grace_hours", 0, GRACE_HOURS_MAX), usual.grace_hours),
            members: small(within(raw.members, "members", 0, LEASED_MEMBERS_MAX), usual.members),
            uses: within(raw.uses, "uses", 0, AMOUNT_MAX).unwrap_or(usual.uses),
            budget: within(raw.budget, "budget", 0, AMOUNT_MAX).unwrap_or(usual.budget),
        }
    }
}
