//! Coupons of several members at random, against a model that knows nothing of accounts: after each step what the moves come to
//! per offer sums to zero, what members hold is what the model says, and the pool is what is out.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod scenario;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use zhiyin_decide::coupon::{self, Told};
use zhiyin_decide::outcome::{History, Known, Missing, Outcome, Stop};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, Scene, fall_due, person};
use zhiyin_model::coupon::{CouponAccount, CouponEffects};
use zhiyin_model::event::{self, Origin};
use zhiyin_model::id::{CouponId, EventId, IdKey};
use zhiyin_model::time::{HOUR_US, Ts};

const OFFERS: &str = "offers:\n  a:\n    name: { zh: 券, en: A }\n    lane: coupon\n    off: 5\n    coupon: { valid: 3d, remind: 1d }\n    \
    limit: 2 per member per week\n    stock: 12\n";
/// What the offer says, in words of its own.
const STOCK: usize = 12;
const VALID_DAYS: i64 = 3;

#[derive(Clone, Copy, Debug)]
enum Op {
    Issue { who: usize, n: u32 },
    Withdraw { which: usize },
    Wait { hours: i64 },
    Merge { from: usize, to: usize },
}

/// What the model knows of a coupon.
struct Known1 {
    id: CouponId,
    holder: usize,
    at: Ts,
    until: Ts,
    account: CouponAccount,
}

struct Town {
    rules: Arc<Rules>,
    key: IdKey,
    members: Vec<Option<State>>,
    written: CouponEffects,
    coupons: Vec<Known1>,
    now: Ts,
    n: u64,
}

impl Town {
    fn new(rules: Arc<Rules>) -> Self {
        let key = IdKey::from_bytes([7; 32]);
        let members = (0..4u8).map(|n| {
            let mut state = State::new(&rules, key.derive("member", &[&[n]]), Ts(0));
            state.member.enrolled_at = Some(Ts(0));
            Some(state)
        });
        let members = members.collect();
        let (written, coupons) = (CouponEffects::default(), Vec::new());
        Self { rules, key, members, written, coupons, now: Ts(20_000 * 24 * HOUR_US), n: 0 }
    }

    fn taken(&self) -> i64 {
        self.written.pools.iter().find(|pool| pool.pool == "offer/a/stock").map_or(0, |pool| pool.amount)
    }

    fn decide(
        &mut self,
        who: usize,
        decision: impl Fn(&Scene<'_>, &mut State, &Known, &mut Outcome) -> Result<(), Stop>,
    ) -> Result<Outcome, &'static str> {
        self.n += 1;
        let id: EventId = self.key.derive("event", &[&self.n.to_le_bytes()]);
        let cause = Cause { id, name: "test", clock: self.now, replay: false };
        let (rules, key) = (self.rules.clone(), self.key.clone());
        let scene = Scene { rules: &rules, key: &key, cause, at: self.now };
        let mut known = Known::default();
        let before = self.members[who].clone().ok_or("gone")?;
        loop {
            let (mut state, mut out) = (before.clone(), Outcome { at: self.now, ..Outcome::default() });
            match decision(&scene, &mut state, &known, &mut out) {
                Ok(()) => {
                    self.members[who] = Some(state);
                    self.written.extend(out.coupons.clone());
                    return Ok(out);
                }
                Err(Stop::Missing(Missing::Pool(pool))) => {
                    std::sync::Arc::make_mut(&mut known.pools).insert(pool, self.taken());
                }
                Err(Stop::Missing(missing)) => panic!("asks for {missing:?}"),
                Err(Stop::Refused(refusal)) => return Err(refusal.code),
            }
        }
    }

    /// Coupons that the model says count for a member's limit this week.
    fn this_week(&self, who: usize) -> usize {
        let day = |at: Ts| self.rules.zone.day(at).0;
        let week = |at: Ts| (day(at) + 3).div_euclid(7);
        let counts = |one: &&Known1| {
            one.holder == who && one.account != CouponAccount::Withdrawn && week(one.at) == week(self.now)
        };
        self.coupons.iter().filter(counts).count()
    }

    fn out(&self) -> usize {
        self.coupons.iter().filter(|one| one.account != CouponAccount::Withdrawn).count()
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Issue { who, n } => {
                let told = Told { field: "offer", says: true };
                let wanted = if self.members[who].is_none() {
                    Err("gone")
                } else if self.this_week(who) + n as usize > 2 {
                    Err("limit_reached")
                } else if self.out() + n as usize > STOCK {
                    Err("out_of_stock")
                } else {
                    Ok(())
                };
                let answer = self.decide(who, |scene, state, known, out| {
                    coupon::issue(scene, state, known, ("a", n), told, out)
                });
                assert_eq!(answer.as_ref().map(|_| ()).map_err(|code| *code), wanted);
                let zone = &self.rules.zone;
                let until = zone.start(zone.day(self.now).plus(VALID_DAYS as i32));
                for issued in answer.iter().flat_map(|out| &out.coupons.issued) {
                    let (id, at, account) = (issued.id, self.now, CouponAccount::Held);
                    self.coupons.push(Known1 { id, holder: who, at, until, account });
                }
            }
            Op::Withdraw { .. } if self.coupons.is_empty() => {}
            Op::Withdraw { which } => {
                let which = which % self.coupons.len();
                let (id, who) = (self.coupons[which].id, self.coupons[which].holder);
                let body = format!(
                    "{{\"type\":\"track\",\"event\":\"Coupon Withdrawn\",\"userId\":\"u\",\"properties\":{{\"coupon\":\"{id}\"}}}}"
                );
                let origin = Origin { user_namespace: "card", default_time: Some(self.now) };
                let event = event::read(body.as_bytes(), &origin).unwrap();
                let answer = self.decide(who, |scene, state, known, out| {
                    coupon::withdrawn(scene, state, known, &event, out)
                });
                let open = self.coupons[which].account == CouponAccount::Held;
                let wanted = if open { Ok(()) } else { Err("coupon_not_active") };
                assert_eq!(answer.map(|_| ()), wanted);
                if open {
                    self.coupons[which].account = CouponAccount::Withdrawn;
                }
            }
            Op::Wait { hours } => {
                self.now = self.now.plus_us(hours * HOUR_US);
                for who in 0..self.members.len() {
                    self.settle(who);
                }
                for one in &mut self.coupons {
                    if one.account == CouponAccount::Held && one.until <= self.now {
                        one.account = CouponAccount::Expired;
                    }
                }
            }
            Op::Merge { from, to } if from == to => {}
            Op::Merge { from, to } => {
                let Some(loser) = self.members[from].clone().filter(|_| self.members[to].is_some()) else {
                    return;
                };
                self.decide(to, |scene, state, _, out| {
                    person::join(scene, state, &loser, (&History::default(), &[]), out);
                    Ok(())
                })
                .unwrap();
                self.members[from] = None;
                self.coupons.iter_mut().filter(|one| one.holder == from).for_each(|one| one.holder = to);
            }
        }
    }

    fn settle(&mut self, who: usize) {
        loop {
            let Some(state) = &self.members[who] else { return };
            let ours = state.member.timers.iter().filter(|(key, due)| key.which < 0 && **due <= self.now);
            let Some(timer) = ours.map(|(key, _)| *key).next() else { return };
            self.decide(who, |scene, state, known, out| {
                *out = fall_due(scene, state, known, timer)?;
                Ok(())
            })
            .unwrap();
        }
    }

    fn audit(&self) {
        let mut sums: BTreeMap<CouponAccount, i64> = BTreeMap::new();
        for moved in &self.written.moves {
            let (gives, takes) = moved.kind.sides();
            *sums.entry(gives).or_default() -= 1;
            *sums.entry(takes).or_default() += 1;
        }
        assert_eq!(sums.values().sum::<i64>(), 0);
        for account in CouponAccount::ALL.into_iter().skip(1) {
            let n = self.coupons.iter().filter(|one| one.account == account).count();
            assert_eq!(sums.get(&account).copied().unwrap_or(0), n as i64, "{}", account.name());
        }
        assert_eq!(self.taken(), self.out() as i64);
        assert!(self.out() <= STOCK);
        for (who, state) in self.members.iter().enumerate() {
            let Some(state) = state else { continue };
            let held: Vec<CouponId> = state.member.holdings.coupons.keys().copied().collect();
            let mut wanted: Vec<CouponId> = self
                .coupons
                .iter()
                .filter(|one| one.holder == who && one.account == CouponAccount::Held)
                .map(|one| one.id)
                .collect();
            wanted.sort_unstable();
            assert_eq!(held, wanted, "member {who}");
        }
    }
}

#[test]
fn coupons_keep_every_account_exact() {
    let rules = scenario::rules(OFFERS);
    let who = 0usize..4;
    let op = prop_oneof![
        6 => (who.clone(), 1u32..=2).prop_map(|(who, n)| Op::Issue { who, n }),
        3 => (0usize..40).prop_map(|which| Op::Withdraw { which }),
        4 => (1i64..60).prop_map(|hours| Op::Wait { hours }),
        1 => (who.clone(), who).prop_map(|(from, to)| Op::Merge { from, to }),
    ];
    let config = ProptestConfig {
        cases: 600,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    };
    let lived = TestRunner::new(config).run(&prop::collection::vec(op, 1..=60), |ops| {
        let mut town = Town::new(rules.clone());
        for op in ops {
            town.step(op);
            town.audit();
        }
        Ok(())
    });
    lived.unwrap_or_else(|failed| panic!("{failed}"));
}
