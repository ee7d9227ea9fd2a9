//! Changes by the thousand, merged and folded little by little while questions are asked: every answer is that of all changes
//! so far, and none waits for all the work.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

use std::collections::BTreeMap;

use zhiyin_audience::{Budget, Change, Layout, Person, Population, Question};
use zhiyin_condition::{Condition, ItemRow, OrderRow, Schema};
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::time::{Ts, Zone};

const MEMBERS: u64 = 150_000;
const BATCH: u64 = 4_000;
const BATCHES: u64 = 60;

fn id(n: u64) -> MemberId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    MemberId::from_bytes(bytes)
}

/// Somebody in their so-manieth state: points and orders tell which.
fn somebody(n: u64, state: i64) -> Person {
    let mut person = Person::gone(id(n));
    person.points = state;
    person.orders = (0..n % 3)
        .map(|k| OrderRow {
            time: Ts(i64::try_from(k * 1000 + n).unwrap() * 1_000_000),
            paid: Money(state * 100),
            store: None,
            channel: None,
            items: vec![ItemRow {
                product: "p".into(),
                category: Some(if state % 2 == 0 { "even" } else { "odd" }.into()),
                department: None,
                quantity: state.into(),
                paid: Money(state * 100),
            }],
        })
        .collect();
    person
}

#[test]
fn every_answer_is_that_of_all_changes_so_far() {
    let layout = Layout { zone: Zone::utc(), currency_exponent: 2, attributes: BTreeMap::new() };
    let population = Population::new(layout, Budget { threads: 1, ..Budget::default() });
    population
        .load(3, |part| {
            let from = part as u64 * 65_536;
            (from..(from + 65_536).min(MEMBERS)).map(|n| somebody(n, 0)).collect()
        })
        .unwrap();
    let mut states: BTreeMap<u64, i64> = (0..MEMBERS).map(|n| (n, 0)).collect();
    let condition = |text: &str| Condition::check(text, &Schema::default()).unwrap();
    let odd = condition("items.exists(i, i.category == \"odd\") && points >= 30");
    let spent = condition("sum(orders.map(o, o.paid)) > 70 || size(orders) == 0 && points > 55");
    let mut deltas_most = 0;
    for batch in 0..BATCHES {
        let state = i64::try_from(batch + 1).unwrap();
        let changes: Vec<Change> = (0..BATCH)
            .map(|k| {
                // Old members here and there, new ones at the end, and some who go.
                let n = (batch * 7_919 + k * 41) % (MEMBERS + batch * 500);
                if (n + batch).is_multiple_of(97) {
                    states.remove(&n);
                    return Change::Gone(id(n));
                }
                states.insert(n, state);
                Change::Put(Box::new(somebody(n, state)))
            })
            .collect();
        population.apply(&changes).unwrap();
        let seen = population.seen();
        deltas_most = deltas_most.max(seen.changes());
        if batch % 4 != 3 {
            continue;
        }
        let now = Ts(1_000_000_000_000_000);
        let expected = |holds: &dyn Fn(u64, i64) -> bool| {
            let mut ids: Vec<MemberId> =
                states.iter().filter(|(n, state)| holds(**n, **state)).map(|(n, _)| id(*n)).collect();
            ids.sort_unstable();
            ids
        };
        let found = |condition: &Condition| {
            let found = seen.find(&Question { condition, now });
            let mut ids: Vec<MemberId> = seen.ids(&found.members).collect();
            ids.sort_unstable();
            ids
        };
        assert!(found(&odd) == expected(&|n, state| n % 3 > 0 && state % 2 == 1 && state >= 30), "{batch}");
        let spent_is = |n: u64, state: i64| {
            let n_orders = i64::try_from(n % 3).unwrap();
            state * n_orders > 70 || (n_orders == 0 && state > 55)
        };
        assert!(found(&spent) == expected(&spent_is), "{batch}");
        assert_eq!(seen.everyone().len(), states.len());
    }
    assert!(deltas_most < 12, "changes pile up: {deltas_most} blocks of them");
}
