//! A campaign's budget: what it gives must have a price.

use super::super::super::phrase::offer::money;
use super::super::super::words::offer::MoneyPhrase;
use super::super::super::yaml::Node;
use super::super::Check;
use super::Known;
use crate::money::Money;
use crate::playbook::campaign::{Step, each};

impl Check<'_> {
    /// Reads a budget. What it cannot count is refused: a coupon of which nobody knows what it costs at most, and points that are
    /// worth nothing.
    pub(super) fn budget(
        &mut self,
        raw: Option<MoneyPhrase>,
        (steps, promised): (&[Step], bool),
        node: &Node,
        known: &Known<'_>,
    ) -> Option<Money> {
        let at = node.get("budget")?;
        let budget = self.phrase(&raw?.0, Some(at), |text| money(text, known.currency))?;
        if promised {
            let message = "what was promised is held back from nobody, so it has no budget";
            self.problem(at.problem(message, Some("at_most, or no budget".into())));
        }
        let (mut uncounted, mut points) = (Vec::new(), false);
        each(steps, &mut |step| match step {
            Step::Coupon(id) => {
                let offer = known.offers.offers.iter().find(|offer| offer.id == *id);
                if offer.is_some_and(|offer| offer.effect.most().is_none()) && !uncounted.contains(id) {
                    uncounted.push(id.clone());
                }
            }
            Step::Points(_) => points = true,
            _ => {}
        });
        for id in uncounted {
            let message = format!("nobody can say what a coupon of `{id}` costs at most");
            self.problem(
                at.problem(message, Some("money off, or a percentage with the most it takes off".into())),
            );
        }
        if points && known.worth.is_none() {
            let message = "it gives points, and they are worth nothing yet";
            self.problem(at.problem(message, Some("points: { worth: 1 per 100 }".into())));
        }
        Some(budget)
    }
}
