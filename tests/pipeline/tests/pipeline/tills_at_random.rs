//! Several tills, the shop and the clock, at random.

use std::collections::BTreeMap;

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::home::at;
use crate::tills::{NOW, Till, asked, cart, live, of, online, system, taken, told};

/// Never more is sold than there is, and every invariant holds all the while.
#[tokio::test]
async fn s26_nothing_is_oversold_whoever_sells() {
    for seed in 0..4u8 {
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        let mut below = |n: usize| (rng.next_u32() as usize) % n;
        let home = live(4).await;
        let mut tills: BTreeMap<String, Till> = BTreeMap::new();
        let (mut n, mut hour) = (0, 0i64);
        for _ in 0..40 {
            n += 1;
            let who = format!("m{}", below(4));
            let goods = [("towel", 10_00, 1), ("soap", 5_00, 2), ("bag", 60_00, 1)][below(3)];
            let bought = cart(&[goods]);
            let now = at(NOW).plus_us(hour * 3_600_000_000);
            match below(6) {
                0 => {
                    let name = format!("l{n}");
                    let what =
                        [("few", of(1 + below(3) as i64, 0)), ("money", of(0, 4_00)), ("daily", of(1, 0))];
                    let mut asked = asked(&name, &what);
                    asked.hours = Some(1 + below(3) as u32);
                    asked.members.push((home.member(&who).await.member.id, Vec::new()));
                    if home.engine().lease_till(&system(), &asked).await.unwrap().is_ok() {
                        home.settle().await;
                        tills.insert(name.clone(), Till::of(&home, &name).await);
                    }
                }
                1 => drop(online(&home, &format!("x{n}"), &who, &bought).await),
                2 => {
                    hour += 1;
                    let now = at(NOW).plus_us(hour * 3_600_000_000);
                    home.now_is(now).await;
                    home.until(now).await;
                    home.engine().end_leases().await.unwrap();
                }
                3 => {
                    let Some(name) = tills.keys().nth(below(tills.len().max(1))).cloned() else { continue };
                    let items = &tills[&name].items;
                    let some = items[..items.len() - below(items.len().max(1)).min(items.len())].to_vec();
                    if !some.is_empty() {
                        told(&home, &name, &some).await;
                    }
                    if below(3) == 0 {
                        home.engine().return_lease(&system(), &name).await.unwrap().unwrap();
                        home.settle().await;
                    }
                }
                _ => {
                    let Some(name) = tills.keys().nth(below(tills.len().max(1))).cloned() else { continue };
                    if let Some(till) = tills.get_mut(&name) {
                        drop(till.sell_at(&format!("t{n}"), &who, &bought, now, false));
                    }
                }
            }
            let (few, money) =
                (taken(&home, "offer/few/stock").await, taken(&home, "offer/money/money").await);
            assert!((0..=5).contains(&few) && (0..=20_00).contains(&money), "seed {seed}: {few} {money}");
            home.healthy().await;
        }
        for (name, till) in &tills {
            if !till.items.is_empty() {
                told(&home, name, &till.items).await;
            }
        }
        let end = at("2024-05-06T04:00:00Z");
        home.now_is(end).await;
        home.until(end).await;
        home.engine().end_leases().await.unwrap();
        for name in tills.keys() {
            let view = home.engine().view_lease(name).await.unwrap().unwrap();
            assert_eq!(view.state, "ended");
            assert!(view.offers.iter().all(|of| of.left == 0), "{view:?}");
        }
        let allowed = ["lease_over", "lease_exhausted", "coupon_not_leased"];
        for letter in home.dead().await {
            assert!(allowed.contains(&letter.code.as_str()), "seed {seed}: {letter:?}");
        }
        assert!(
            taken(&home, "offer/few/stock").await <= 5 && taken(&home, "offer/money/money").await <= 20_00
        );
        home.healthy().await;
    }
}
