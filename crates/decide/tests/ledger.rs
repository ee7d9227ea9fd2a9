//! The ledger as a state machine: random lives of sixty steps, and after each step everything that must always be
//! true of accounts, lots, holds, debt and the journal.
//!
//! The model knows nothing of lots. It adds up what each step should have moved by its rule; the audit recomputes the
//! accounts from the journal alone; both must agree with what the decisions left.

#[path = "ledger/audit.rs"]
mod audit;
#[path = "ledger/model.rs"]
mod model;
mod scenario;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use zhiyin_model::effect::TransferKind;

use model::{Life, Op};

/// Playbooks that the same lives are lived under.
const PLAYBOOKS: [&str; 4] = [
    "",
    "points: { hold: 7d }",
    "points: { debt: refused, hold: 3d, expire: 40d after earning }",
    "points: { expire: 90d after earning, earn: [1 per 1 paid, { times: 1.5, when: order.paid >= 50 }] }",
];

/// Cases per playbook.
const N_CASES: u32 = 400;

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let which = 0usize..6;
    let part = prop_oneof![4 => 0i64..=1000, 1 => 1001i64..=1200, 1 => Just(1000i64)];
    let cents = prop_oneof![4 => 0i64..20_000, 1 => Just(0i64), 1 => Just(100i64), 1 => 55_000i64..70_000];
    let op = prop_oneof![
        6 => cents.clone().prop_map(|paid| Op::Order { paid }),
        1 => (cents.clone(), 1i64..200).prop_map(|(paid, days)| Op::Late { paid, days }),
        1 => (cents.clone(), 1i64..24).prop_map(|(paid, hours)| Op::Ahead { paid, hours }),
        2 => (which.clone(), cents).prop_map(|(which, paid)| Op::Update { which, paid }),
        4 => (which.clone(), part.clone()).prop_map(|(which, part)| Op::Refund { which, part }),
        1 => which.clone().prop_map(|which| Op::Cancel { which }),
        3 => part.clone().prop_map(|part| Op::Spend { part }),
        3 => part.clone().prop_map(|part| Op::Hold { part }),
        3 => (which.clone(), part.clone()).prop_map(|(which, part)| Op::Post { which, part }),
        2 => which.clone().prop_map(|which| Op::Void { which }),
        3 => (which, part.clone()).prop_map(|(which, part)| Op::Return { which, part }),
        1 => (-300i64..300).prop_map(|amount| Op::Adjust { amount }),
        1 => part.prop_map(|part| Op::Gift { part }),
        1 => (0i64..400, 0i64..9_000).prop_map(|(points, growth)| Op::TakeOver { points, growth }),
        3 => (1i64..30 * 24).prop_map(|hours| Op::Wait { hours }),
        1 => (30i64 * 24..400 * 24).prop_map(|hours| Op::Wait { hours }),
    ];
    prop::collection::vec(op, 1..=60)
}

#[test]
fn every_life_keeps_the_books() {
    let mut refusals = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    for (seed, playbook) in PLAYBOOKS.iter().enumerate() {
        let rules = scenario::rules(playbook);
        let config = ProptestConfig {
            cases: N_CASES,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(seed as u64),
            ..ProptestConfig::default()
        };
        let seen = RefCell::new((&mut refusals, &mut kinds));
        let lived = TestRunner::new(config).run(&ops(), |ops| {
            let mut life = Life::new(rules.clone());
            for op in &ops {
                life.step(op);
                audit::audit(&life.world);
            }
            let mut seen = seen.borrow_mut();
            for (code, n) in &life.refusals {
                *seen.0.entry(*code).or_insert(0) += n;
            }
            seen.1.extend(life.world.record.transfers.iter().map(|transfer| transfer.kind));
            Ok(())
        });
        if let Err(error) = lived {
            panic!("under {playbook:?}: {error}");
        }
    }
    // The lives are rough enough to make every kind of transfer and to meet every refusal they can.
    // Moves are of two members: tests of who is whom make them.
    let moves = [TransferKind::MoveOut, TransferKind::MoveIn];
    let all = TransferKind::ALL.into_iter().filter(|kind| !moves.contains(kind));
    assert_eq!(kinds, all.collect());
    let met: Vec<&str> = refusals.keys().copied().collect();
    let expected = [
        "bad_amount",
        "hold_closed",
        "insufficient_points",
        "order_cancelled",
        "orders_came_first",
        "post_exceeds_hold",
        "refund_exceeds_paid",
        "return_exceeds_spend",
        "taken_over_already",
    ];
    assert_eq!(met, expected, "{refusals:?}");
}
