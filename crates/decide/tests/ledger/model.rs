//! A life, step by step, and what each step should have done: whether it is accepted, and by how much it moves the
//! balance. The model adds up amounts; it has no lots and no dates.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_decide::outcome::Outcome;
use zhiyin_decide::rules::Rules;
use zhiyin_model::effect::{Asset, OrderStatus, TransferKind};
use zhiyin_model::id::TransferId;
use zhiyin_model::member::Account;
use zhiyin_model::time::{HOUR_US, Ts};

use crate::audit::check_draw;
use crate::scenario::{
    Step, World, adjust, cancel, gift, hold, order, refund, spend, taken_over, time, track, update, wait,
};

/// A step of a life. Parts are thousandths of what is there, so that lives of any size meet every edge.
#[derive(Clone, Debug)]
pub enum Op {
    Order { paid: i64 },
    Late { paid: i64, days: i64 },
    Ahead { paid: i64, hours: i64 },
    Update { which: usize, paid: i64 },
    Refund { which: usize, part: i64 },
    Cancel { which: usize },
    Spend { part: i64 },
    Hold { part: i64 },
    Post { which: usize, part: i64 },
    Void { which: usize },
    Return { which: usize, part: i64 },
    Adjust { amount: i64 },
    Gift { part: i64 },
    TakeOver { points: i64, growth: i64 },
    Wait { hours: i64 },
}

/// One member's life, and what it should have come to.
pub struct Life {
    /// The member.
    pub world: World,
    /// How often what was refused.
    pub refusals: BTreeMap<&'static str, usize>,
    at: Ts,
    n_orders: usize,
    /// (hold, amount, open)
    holds: Vec<(TransferId, i64, bool)>,
    /// (spend, amount, what came back of it)
    spends: Vec<(TransferId, i64, i64)>,
    /// What people gave and took, what was spent and came back.
    moved: i64,
}

fn yuan(cents: i64) -> String {
    format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
}

/// One of several by a number that may be larger.
fn pick<T: Copy>(all: &[T], which: usize) -> Option<(usize, T)> {
    let i = which.checked_rem(all.len())?;
    Some((i, all[i]))
}

impl Life {
    /// Nobody yet.
    pub fn new(rules: Arc<Rules>) -> Self {
        let at = time(&rules.zone, "2025-03-01 10:00");
        Self {
            world: World::with(rules),
            refusals: BTreeMap::new(),
            at,
            n_orders: 0,
            holds: Vec::new(),
            spends: Vec::new(),
            moved: 0,
        }
    }

    fn points(&self) -> Account {
        self.world.state.as_ref().map(|state| state.member.account(Asset::Points)).unwrap_or_default()
    }

    fn wait(&mut self) {
        let waited = self.world.send(self.at, &wait());
        assert!(waited.is_ok(), "{waited:?}");
    }

    /// A number of one of the orders so far.
    fn number(&self, which: usize) -> Option<String> {
        which.checked_rem(self.n_orders).map(|n| format!("o{n}"))
    }

    /// Sends a step and compares what became of it with what should have.
    fn send(&mut self, step: &Step, refused: Option<&'static str>) -> Option<Outcome> {
        let n_before = self.world.record.transfers.len();
        let answer = self.world.send(self.at, step);
        assert_eq!(answer.as_ref().err().map(|refusal| refusal.code), refused, "{step:?}");
        match answer {
            Ok(outcome) => {
                outcome.transfers.iter().for_each(|transfer| check_draw(&self.world, transfer));
                Some(outcome)
            }
            Err(refusal) => {
                assert!(!refusal.field.is_empty() && !refusal.message.is_empty(), "{refusal:?}");
                assert_eq!(self.world.record.transfers.len(), n_before, "a refusal was booked");
                *self.refusals.entry(refusal.code).or_default() += 1;
                None
            }
        }
    }

    /// Takes a step and compares the balance with the model's.
    pub fn step(&mut self, op: &Op) {
        // A minute passes; what falls due in it must not happen between what a step expects and its decision.
        self.at = self.at.plus_us(60_000_000);
        self.wait();
        self.act(op);
        let of_kind = |kind| -> i64 {
            let all = self.world.record.transfers.iter();
            all.filter(|t| t.kind == kind && t.asset == Asset::Points).map(|t| t.amount).sum()
        };
        let kept: i64 = self.world.record.orders.values().map(|order| order.terms.points_kept).sum();
        let given = of_kind(TransferKind::Give) - self.given_by_people();
        let should = kept + self.moved - of_kind(TransferKind::Expire) + given;
        assert_eq!(self.points().balance(), should, "the balance is not what the steps came to");
    }

    /// Gifts and adjustments, which opened a lot; other gifts write debt off.
    fn given_by_people(&self) -> i64 {
        let given = self.world.record.transfers.iter().filter(|t| t.kind == TransferKind::Give);
        given.filter(|t| self.world.record.lots.contains_key(&t.id)).map(|t| t.amount).sum()
    }

    fn act(&mut self, op: &Op) {
        match *op {
            Op::Order { paid } => self.order(paid, None),
            Op::Late { paid, days } => self.order(paid, Some(-24 * days)),
            Op::Ahead { paid, hours } => self.order(paid, Some(hours)),
            Op::Update { which, paid } => self.update(which, paid),
            Op::Refund { which, part } => self.refund(which, part),
            Op::Cancel { which } => {
                if let Some(number) = self.number(which) {
                    self.send(&cancel(&number), None);
                    assert_eq!(self.world.order(&number).terms.points_kept, 0);
                }
            }
            Op::Spend { part } => self.spend(part),
            Op::Hold { part } => self.hold(part),
            Op::Post { which, part } => self.post(which, part),
            Op::Void { which } => self.void(which),
            Op::Return { which, part } => self.give_back(which, part),
            Op::Adjust { amount } => self.adjust(amount),
            Op::Gift { part } => self.gift(part),
            Op::TakeOver { points, growth } => self.take_over(points, growth),
            Op::Wait { hours } => {
                self.at = self.at.plus_us(hours * HOUR_US);
                self.wait();
            }
        }
    }

    fn take_over(&mut self, points: i64, growth: i64) {
        let taken = self.world.state.as_ref().and_then(|state| state.member.touches.taken_over);
        let mut orders = self.world.record.orders.values();
        let refused = if taken.is_some() {
            Some("taken_over_already")
        } else {
            orders.any(|order| order.counts() && order.time < self.at).then_some("orders_came_first")
        };
        let lots = if points > 0 {
            format!(r#"[{{"points": {points}, "last_day": "2031-12-31"}}]"#)
        } else {
            "[]".to_owned()
        };
        let step = taken_over(&format!(r#"{{"join": true, "lots": {lots}, "growth": {growth}}}"#));
        if self.send(&step, refused).is_some() {
            self.moved += points;
        }
    }

    fn order(&mut self, paid: i64, hours: Option<i64>) {
        let number = format!("o{}", self.n_orders);
        self.n_orders += 1;
        let mut step = order(&number).paid(&yuan(paid));
        if let Some(hours) = hours {
            step = step.at(self.at.plus_us(hours * HOUR_US));
        }
        self.send(&step, None);
        let order = self.world.order(&number);
        assert_eq!(order.terms.points_kept, paid / 100 * i64::from(order.terms.times) / 1000);
    }

    fn update(&mut self, which: usize, paid: i64) {
        let Some(number) = self.number(which) else { return };
        let before = self.world.order(&number);
        let refused = before.status == OrderStatus::Placed && before.refunded.0 > paid;
        self.send(&update(&number).paid(&yuan(paid)), refused.then_some("refund_exceeds_paid"));
    }

    fn refund(&mut self, which: usize, part: i64) {
        let Some(number) = self.number(which) else { return };
        let before = self.world.order(&number);
        let left = before.paid.0 - before.refunded.0;
        let amount = left * part / 1000;
        let refused = if before.status == OrderStatus::Cancelled {
            Some("order_cancelled")
        } else {
            (amount > left).then_some("refund_exceeds_paid")
        };
        let back = before.refunded.0 + amount;
        let whole = part == 1000;
        let step = if whole { refund(&number) } else { refund(&number).paid(&yuan(amount)) };
        if self.send(&step, refused).is_some() {
            assert_eq!(self.world.order(&number).refunded.0, back);
        }
    }

    /// A part of what is shown, and whether it can be had.
    fn wanted(&self, part: i64) -> (i64, Option<&'static str>) {
        let shown = self.points().shown();
        let amount = shown * part / 1000;
        let refused =
            if amount <= 0 { Some("bad_amount") } else { (amount > shown).then_some("insufficient_points") };
        (amount, refused)
    }

    fn spend(&mut self, part: i64) {
        let (amount, refused) = self.wanted(part);
        if let Some(outcome) = self.send(&spend(&amount.to_string()), refused) {
            assert_eq!(outcome.transfers.len(), 1);
            self.spends.push((outcome.transfers[0].id, amount, 0));
            self.moved -= amount;
        }
    }

    fn hold(&mut self, part: i64) {
        let (amount, refused) = self.wanted(part);
        let shown = self.points().shown();
        if let Some(outcome) = self.send(&hold(&amount.to_string()), refused) {
            self.holds.push((outcome.transfers[0].id, amount, true));
            assert_eq!(self.points().shown(), shown - amount);
        }
    }

    fn post(&mut self, which: usize, part: i64) {
        let Some((i, (id, held, open))) = pick(&self.holds, which) else { return };
        let amount = held * part / 1000;
        let refused = if !open {
            Some("hold_closed")
        } else if amount <= 0 {
            Some("bad_amount")
        } else {
            (amount > held).then_some("post_exceeds_hold")
        };
        let step = track("Points Posted").with("amount", &amount.to_string()).of_id("hold_id", id);
        if let Some(outcome) = self.send(&step, refused) {
            self.holds[i].2 = false;
            let spend =
                outcome.transfers.iter().find(|t| t.kind == TransferKind::Spend).expect("a post spends");
            self.spends.push((spend.id, amount, 0));
            self.moved -= amount;
        }
    }

    fn void(&mut self, which: usize) {
        let Some((i, (id, _, open))) = pick(&self.holds, which) else { return };
        let balance = self.points().balance();
        let step = track("Points Voided").of_id("hold_id", id);
        if self.send(&step, (!open).then_some("hold_closed")).is_some() {
            self.holds[i].2 = false;
            assert_eq!(self.points().balance(), balance);
        }
    }

    fn give_back(&mut self, which: usize, part: i64) {
        let Some((i, (id, spent, undone))) = pick(&self.spends, which) else { return };
        let left = spent - undone;
        // More than is left, where nothing is left, is one point.
        let amount = if left == 0 && part > 1000 { 1 } else { left * part / 1000 };
        let refused =
            if amount <= 0 { Some("bad_amount") } else { (amount > left).then_some("return_exceeds_spend") };
        let step = track("Points Returned").with("amount", &amount.to_string()).of_id("spend_id", id);
        if self.send(&step, refused).is_some() {
            self.spends[i].2 += amount;
            self.moved += amount;
        }
    }

    fn adjust(&mut self, amount: i64) {
        let shown = self.points().shown();
        let refused =
            if amount == 0 { Some("bad_amount") } else { (-amount > shown).then_some("insufficient_points") };
        if self.send(&adjust(&amount.to_string()), refused).is_some() {
            self.moved += amount;
        }
    }

    fn gift(&mut self, part: i64) {
        let (amount, refused) = self.wanted(part);
        if let Some(outcome) = self.send(&gift(&amount.to_string()), refused) {
            assert_eq!(outcome.emitted.len(), 1);
            self.moved -= amount;
        }
    }
}
