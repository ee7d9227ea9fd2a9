//! Campaigns, ready to decide by: steps inside of steps laid out one after the other, each with its place.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_condition::Condition;
use zhiyin_model::coupon::stock_of;
use zhiyin_model::playbook::campaign::{Again, Campaign, Cap, Goal, Passed, SendAt, Step, Trigger, Wait};
use zhiyin_model::playbook::{ConditionText, Playbook};
use zhiyin_model::run::{HALTED, RunMoveKind, count_of, halt_of};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Day;

use super::budget::Budget;
use crate::coupon::CouponRule;

/// A campaign to decide by.
#[derive(Clone, Debug)]
pub struct CampaignRule {
    /// Its id.
    pub id: String,
    /// For which purpose it sends.
    pub purpose: String,
    /// What sets it off.
    pub on: Trigger,
    /// Events that do.
    pub when: Option<Condition>,
    /// Members for whom it is.
    pub who: Option<Condition>,
    /// Whoever this holds for leaves.
    pub leave: Option<Condition>,
    /// What it is for.
    pub goal: Option<Goal>,
    /// How often a member goes through it.
    pub again: Again,
    /// How many are held out, in hundredths of a percent.
    pub holdout: u32,
    /// Whether what it sends was promised.
    pub promised: bool,
    /// The most messages that it sends.
    pub at_most: Option<u32>,
    /// What its coupons and points cost at most.
    pub budget: Option<Budget>,
    /// The pool that says whether it is halted.
    pub halt: String,
    /// The pool that counts what it has sent.
    pub sent: String,
    /// Its first day.
    pub from: Option<Day>,
    /// Its last day.
    pub until: Option<Day>,
    /// What it does.
    pub ops: Vec<Op>,
}

/// One thing that a campaign does.
#[derive(Clone, Debug)]
pub struct Op {
    /// Its place in the playbook: `3`, `3.then.1`.
    pub place: String,
    /// What.
    pub act: Act,
}

/// What a campaign does. Numbers are of other things that it does, always later ones: every flow ends.
#[derive(Clone, Debug)]
pub enum Act {
    /// Time passes.
    Wait(Wait),
    /// Until something happens; where it does not, elsewhere.
    Await {
        /// The event.
        event: String,
        /// The one that counts.
        when: Option<Condition>,
        /// For so long.
        within_minutes: u32,
        /// Where it did not.
        missed: usize,
    },
    /// Until something holds.
    Until {
        /// What.
        holds: Condition,
        /// For so long.
        within_minutes: u32,
        /// Where it did not.
        missed: usize,
    },
    /// One way, or elsewhere.
    If {
        /// By what.
        holds: Condition,
        /// Where it does not hold.
        otherwise: usize,
    },
    /// Each goes one of these.
    Split(Vec<(u32, usize)>),
    /// On to there.
    Jump(usize),
    /// A message on the first of these channels that may be used.
    Send {
        /// Which.
        message: String,
        /// The channels.
        by: Vec<String>,
        /// At which time of day.
        at: SendAt,
    },
    /// Endpoints are told.
    Webhook {
        /// What it is called there.
        name: String,
        /// What is passed on.
        with: BTreeMap<String, Passed>,
    },
    /// A coupon.
    Coupon(String),
    /// Points.
    Points(i64),
    /// A tag is put on or taken off.
    Tag(String, bool),
    /// An attribute is set.
    Set(String, Scalar),
    /// The end.
    Exit,
}

/// What bounds everything that is sent, ready to decide by.
#[derive(Clone, Debug, Default)]
pub struct SendingRules {
    /// Members to whom nothing is sent.
    pub never: Option<Condition>,
    /// Members to whom nothing is sold now.
    pub complaint: Option<Condition>,
    /// Whether something that sells nothing must have been seen before.
    pub first_touch: bool,
    /// How many are held out of everything, in hundredths of a percent.
    pub holdout: u32,
    /// When channels are silent.
    pub quiet: BTreeMap<String, (u16, u16)>,
    /// The most that is sent to a member.
    pub caps: Vec<Cap>,
    /// The most that a channel takes in a day.
    pub quota: BTreeMap<String, u32>,
    /// (seen, of so many) by two hours of the day, of all members.
    pub hours: BTreeMap<u8, (u16, u16)>,
}

/// What campaigns share, whatever the day.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Pools that every decision in which campaigns act may need, [`HALTED`] among them: ceilings, budgets, stocks of what they
    /// give. They are asked for together.
    pub pools: Vec<String>,
    /// Pools that say which campaigns are halted: asked for, together, where any ever was.
    pub halts: Vec<String>,
    /// Offers that they give whose coupons bear uploaded codes.
    pub coded: Vec<String>,
}

impl Shared {
    pub(crate) fn of(campaigns: &[CampaignRule], coupons: &BTreeMap<String, CouponRule>) -> Self {
        let halts = campaigns.iter().map(|rule| rule.halt.clone());
        let ceilings = campaigns.iter().filter(|rule| rule.at_most.is_some()).map(|rule| rule.sent.clone());
        let budgets = campaigns.iter().filter_map(|rule| Some(rule.budget.as_ref()?.pool.clone()));
        let given: BTreeSet<&str> = campaigns.iter().flat_map(CampaignRule::coupons).collect();
        let rules = given.iter().filter_map(|offer| Some((*offer, coupons.get(*offer)?)));
        let bounded =
            rules.clone().filter(|(_, rule)| rule.stock.is_some()).map(|(offer, _)| stock_of(offer));
        let all = ceilings.chain(budgets).chain(bounded).chain([HALTED.to_owned()]);
        let all: BTreeSet<String> = all.collect();
        let coded = rules.filter(|(_, rule)| rule.codes.is_some()).map(|(offer, _)| offer.to_owned());
        Self { coded: coded.collect(), pools: all.into_iter().collect(), halts: halts.collect() }
    }

    /// Those of which it is not known yet what is taken. Where a batch knows, that is one look-up.
    pub(super) fn missing(&self, known: &BTreeMap<String, i64>) -> Vec<String> {
        let unknown = |pools: &[String]| {
            let unknown = pools.iter().filter(|pool| !known.contains_key(*pool));
            unknown.cloned().collect::<Vec<String>>()
        };
        match known.get(HALTED) {
            None => unknown(&self.pools),
            Some(0) => Vec::new(),
            Some(_) if self.halts.first().is_some_and(|first| known.contains_key(first)) => Vec::new(),
            Some(_) => unknown(&self.halts),
        }
    }
}

/// Compiles a condition of a campaign: of a member, or, where it is true, of an event too.
pub(crate) type Compile<'c> = dyn FnMut(&ConditionText, bool) -> Option<Condition> + 'c;

impl SendingRules {
    pub(crate) fn of(playbook: &Playbook, compile: &mut Compile<'_>) -> Self {
        let sending = &playbook.sending;
        let mut one = |text: &Option<ConditionText>| text.as_ref().and_then(|text| compile(text, false));
        Self {
            never: one(&sending.never),
            complaint: one(&sending.complaint),
            first_touch: sending.first_touch,
            holdout: sending.holdout,
            quiet: sending.quiet.clone(),
            caps: sending.caps.clone(),
            quota: sending.quota.clone(),
            hours: sending.hours.clone(),
        }
    }

    /// Its conditions, in an order that stays.
    pub(crate) fn conditions_mut(&mut self) -> impl Iterator<Item = &mut Condition> {
        self.never.as_mut().into_iter().chain(&mut self.complaint)
    }
}

impl CampaignRule {
    pub(crate) fn of(
        (id, campaign): (&str, &Campaign),
        playbook: &Playbook,
        compile: &mut Compile<'_>,
    ) -> Self {
        let mut one =
            |text: &Option<ConditionText>, of_event| text.as_ref().and_then(|text| compile(text, of_event));
        let (when, who, leave) =
            (one(&campaign.when, true), one(&campaign.who, false), one(&campaign.leave, false));
        let mut ops = Vec::new();
        lay(&campaign.steps, "", compile, &mut ops);
        Self {
            id: id.to_owned(),
            purpose: campaign.purpose.clone(),
            on: campaign.on.clone(),
            when,
            who,
            leave,
            goal: campaign.goal.clone(),
            again: campaign.again.clone(),
            holdout: campaign.holdout,
            promised: campaign.promised,
            at_most: campaign.at_most,
            budget: Budget::of(id, campaign, playbook),
            halt: halt_of(id),
            sent: count_of(id, RunMoveKind::Sent.name()),
            from: campaign.from,
            until: campaign.until,
            ops,
        }
    }

    /// Its conditions, in an order that stays.
    pub(crate) fn conditions_mut(&mut self) -> impl Iterator<Item = &mut Condition> {
        let ops = self.ops.iter_mut().filter_map(|op| match &mut op.act {
            Act::Await { when, .. } => when.as_mut(),
            Act::Until { holds, .. } | Act::If { holds, .. } => Some(holds),
            _ => None,
        });
        let own = self.when.as_mut().into_iter().chain(&mut self.who).chain(&mut self.leave);
        own.chain(ops)
    }

    /// The standing audience that it is for, where it is for one.
    pub fn audience(&self) -> Option<&str> {
        match &self.on {
            Trigger::Enters(audience) | Trigger::Every { audience, .. } => Some(audience),
            _ => None,
        }
    }

    /// Offers whose coupons it gives.
    pub fn coupons(&self) -> impl Iterator<Item = &str> {
        self.ops.iter().filter_map(|op| match &op.act {
            Act::Coupon(offer) => Some(offer.as_str()),
            _ => None,
        })
    }

    /// Whether time sets it off.
    pub fn is_timed(&self) -> bool {
        matches!(self.on, Trigger::Every { .. } | Trigger::Date { .. })
    }

    /// Which of what it does stands at a place.
    pub fn at(&self, place: &str) -> Option<usize> {
        self.ops.iter().position(|op| op.place == place)
    }
}

fn lay(steps: &[Step], under: &str, compile: &mut Compile<'_>, ops: &mut Vec<Op>) {
    for (i, step) in steps.iter().enumerate() {
        let place = format!("{under}{}", i + 1);
        one(step, &place, compile, ops);
    }
}

fn one(step: &Step, place: &str, compile: &mut Compile<'_>, ops: &mut Vec<Op>) {
    let mut push = |act| ops.push(Op { place: place.to_owned(), act });
    match step {
        Step::Wait(wait) => push(Act::Wait(*wait)),
        Step::Await { event, when, within_minutes, then, otherwise } => {
            let when_said = when.as_ref().and_then(|when| compile(when, true));
            let (event, within_minutes) = (event.clone(), *within_minutes);
            let act = |missed| Act::Await { event, when: when_said, within_minutes, missed };
            fork(act, (then, otherwise), place, compile, ops);
        }
        Step::Until { holds, within_minutes, then, otherwise } => {
            // What does not compile is a problem, and the rules are never used.
            let Some(holds) = compile(holds, false) else { return };
            let within_minutes = *within_minutes;
            fork(
                |missed| Act::Until { holds, within_minutes, missed },
                (then, otherwise),
                place,
                compile,
                ops,
            );
        }
        Step::If { holds, then, otherwise } => {
            let Some(holds) = compile(holds, false) else { return };
            fork(|otherwise| Act::If { holds, otherwise }, (then, otherwise), place, compile, ops);
        }
        Step::Split(ways) => {
            let at = ops.len();
            ops.push(Op { place: place.to_owned(), act: Act::Jump(0) });
            let (mut begins, mut ends) = (Vec::new(), Vec::new());
            for (i, (share, steps)) in ways.iter().enumerate() {
                begins.push((*share, ops.len()));
                lay(steps, &format!("{place}.way{}.", i + 1), compile, ops);
                ends.push(ops.len());
                ops.push(Op { place: format!("{place}.way{}.end", i + 1), act: Act::Jump(0) });
            }
            let after = ops.len();
            for end in ends {
                ops[end].act = Act::Jump(after);
            }
            ops[at].act = Act::Split(begins);
        }
        Step::Send { message, by, at } => {
            push(Act::Send { message: message.clone(), by: by.clone(), at: *at });
        }
        Step::Task(message) => {
            let by = vec![zhiyin_model::playbook::campaign::ADVISOR.to_owned()];
            push(Act::Send { message: message.clone(), by, at: SendAt::default() });
        }
        Step::Webhook { name, with } => push(Act::Webhook { name: name.clone(), with: with.clone() }),
        Step::Coupon(offer) => push(Act::Coupon(offer.clone())),
        Step::Points(points) => push(Act::Points(*points)),
        Step::Tag(tag, on) => push(Act::Tag(tag.clone(), *on)),
        Step::Set(name, value) => push(Act::Set(name.clone(), value.clone())),
        Step::Exit => push(Act::Exit),
    }
}

/// Lays out two ways: the first right after what decides, the other after that.
fn fork(
    act: impl FnOnce(usize) -> Act,
    (then, otherwise): (&[Step], &[Step]),
    place: &str,
    compile: &mut Compile<'_>,
    ops: &mut Vec<Op>,
) {
    let at = ops.len();
    ops.push(Op { place: place.to_owned(), act: Act::Jump(0) });
    lay(then, &format!("{place}.then."), compile, ops);
    let end = ops.len();
    ops.push(Op { place: format!("{place}.then.end"), act: Act::Jump(0) });
    let other = ops.len();
    lay(otherwise, &format!("{place}.else."), compile, ops);
    ops[end].act = Act::Jump(ops.len());
    ops[at].act = act(other);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_campaign_was_ever_halted_nobody_looks_for_each_of_them() {
        let name = |name: &str| name.to_owned();
        let shared = Shared {
            pools: vec![name("a"), name(HALTED)],
            halts: vec![name("one"), name("two")],
            coded: Vec::new(),
        };
        let known = |pools: &[(&str, i64)]| -> BTreeMap<String, i64> {
            pools.iter().map(|(pool, taken)| ((*pool).to_owned(), *taken)).collect()
        };
        let none: [&str; 0] = [];
        for (pools, missing) in [
            (&[][..], &["a", HALTED][..]),
            (&[("a", 3)], &[HALTED]),
            (&[("a", 3), (HALTED, 0)], &none),
            (&[("a", 3), (HALTED, 1)], &["one", "two"]),
            (&[("a", 3), (HALTED, 1), ("one", 0), ("two", 1)], &none),
        ] {
            assert_eq!(shared.missing(&known(pools)), missing, "{pools:?}");
        }
    }
}
