//! Checkouts through the pipeline: nothing is taken twice, nothing is given back twice, whoever decides, whatever stops, whoever
//! turns out to be one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::checkout::CheckoutView;
use zhiyin_model::checkout::CartFacts;
use zhiyin_model::coupon::CouponAccount;
use zhiyin_model::event::Identifier;
use zhiyin_model::role::{Grant, Operation};

use crate::home::{Home, at};
use crate::items::{adjust, order, track};

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
offers:
  few: { name: { zh: 限量, en: Few }, of: product == \"towel\", lane: piece, off: 3, per: piece, stock: 5 }
  money: { name: { zh: 预算, en: Money }, of: product == \"soap\", lane: piece, off: 2, per: piece, budget: 9 }
  daily: { name: { zh: 每日, en: Daily }, lane: order, spend: 50, off: 6, limit: [1 per member per day, 7 per day] }
  plenty: { name: { zh: 普通券, en: Plenty }, lane: coupon, off: 5, coupon: { valid: 3d } }
";

const NOW: &str = "2024-05-03T04:00:00Z";

fn cart(lines: &[(&str, i64, u32)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(product, price, quantity)| json!({"product": product, "price": price, "quantity": quantity}))
        .collect();
    json!({ "lines": lines })
}

fn lock(id: &str, who: &str, name: &str, cart: &Value) -> Value {
    track(id, who, "Checkout Locked", NOW, json!({"checkout": name, "cart": cart}))
}

fn on(id: &str, who: &str, event: &str, name: &str) -> Value {
    track(id, who, event, NOW, json!({"checkout": name}))
}

/// A home that is live, with so many members who bought once, and have points.
async fn live(members: usize) -> Home {
    live_under(PLAYBOOK, members).await
}

async fn live_under(playbook: &str, members: usize) -> Home {
    let home = Home::new(playbook).await;
    let of = |n: usize| {
        let who = format!("m{n}");
        [
            order(&format!("o{n}"), &who, &n.to_string(), "2024-04-01T04:00:00Z", "10"),
            adjust(&format!("a{n}"), &who, "2024-04-02T04:00:00Z", 1500),
        ]
    };
    let all: Vec<Value> = (0..members).flat_map(of).collect();
    home.live_through(&all).await;
    home.now_is(at(NOW)).await;
    home
}

async fn view(home: &Home, name: &str) -> CheckoutView {
    let filter = home.engine().filter(&Grant::system("test"), Operation::Checkout).await.unwrap();
    home.engine().checkout_view(&filter, "", name).await.unwrap().unwrap()
}

async fn taken(home: &Home, pool: &str) -> i64 {
    home.engine().store().coupons().pools(vec![pool.to_owned()]).await.unwrap().into_values().sum()
}

async fn held(home: &Home, who: &str) -> Vec<CouponAccount> {
    let member = home.member(who).await.member.id;
    let coupons = home.engine().store().coupons().coupons_of(member, 9).await.unwrap();
    coupons.iter().map(|coupon| coupon.account).collect()
}

#[tokio::test]
async fn what_is_locked_lets_go_by_itself_and_what_is_paid_stays() {
    let home = live(1).await;
    let bag = cart(&[("bag", 80_00, 1), ("towel", 10_00, 1)]);
    let give = track("g", "m0", "Coupon Issued", NOW, json!({"offer": "plenty"}));
    home.accept_live("till", &[give, lock("l1", "m0", "a", &bag)], at(NOW)).await;
    home.settle().await;
    let locked = view(&home, "a").await;
    assert_eq!((locked.state.as_str(), locked.quote.payable), ("locked", 76_00));
    assert_eq!(locked.quote.lines.iter().map(|line| line.payable).sum::<i64>(), 76_00);
    assert!(locked.quote.applied.iter().any(|one| one.offer == "plenty" && one.coupon.is_some()));
    assert_eq!(
        (taken(&home, "offer/few/stock").await, held(&home, "m0").await),
        (1, vec![CouponAccount::Locked])
    );
    home.healthy().await;
    home.until(at("2024-05-03T04:16:00Z")).await;
    assert_eq!(view(&home, "a").await.state, "released");
    assert_eq!(
        (taken(&home, "offer/few/stock").await, held(&home, "m0").await),
        (0, vec![CouponAccount::Held])
    );
    home.healthy().await;
    let again = lock("l2", "m0", "a", &bag);
    home.accept_live("till", &[again, on("r1", "m0", "Checkout Redeemed", "a")], at("2024-05-03T04:16:00Z"))
        .await;
    home.settle().await;
    assert_eq!(view(&home, "a").await.state, "redeemed");
    assert_eq!(
        (taken(&home, "offer/few/stock").await, held(&home, "m0").await),
        (1, vec![CouponAccount::Redeemed])
    );
    home.until(at("2024-05-20T00:00:00Z")).await;
    assert_eq!(
        (view(&home, "a").await.state.as_str(), taken(&home, "offer/few/stock").await),
        ("redeemed", 1)
    );
    let names: Vec<String> =
        home.member("m0").await.timeline.iter().map(|(_, name, _)| name.clone()).collect();
    for (name, n) in [("Checkout Locked", 4), ("Checkout Released", 1), ("Checkout Redeemed", 2)] {
        assert_eq!(names.iter().filter(|one| *one == name).count(), n, "{name} in {names:?}");
    }
    home.healthy().await;
}

/// A quote is what a lock would be, and holds nothing.
#[tokio::test]
async fn a_quote_by_what_the_home_knows_is_what_is_locked() {
    let home = live(1).await;
    let give = track("g", "m0", "Coupon Issued", NOW, json!({"offer": "plenty"}));
    home.accept_live("till", &[give], at(NOW)).await;
    home.settle().await;
    let bag = cart(&[("bag", 80_00, 1), ("towel", 10_00, 1)]);
    let facts: CartFacts = serde_json::from_value(bag.clone()).unwrap();
    let member = home.member("m0").await.member.id;
    let before = home.digest().await;
    let quoted = home.engine().checkout_quote(Some(member), &facts).await.unwrap().unwrap().quote;
    assert_eq!(home.digest().await, before);
    home.accept_live("till", &[lock("l1", "m0", "a", &bag)], at(NOW)).await;
    home.settle().await;
    assert_eq!(view(&home, "a").await.quote, quoted);
    let nobody = home.engine().checkout_quote(None, &facts).await.unwrap().unwrap().quote;
    assert_eq!(nobody.payable, 81_00);
    let bad = CartFacts::default();
    let refused = home.engine().checkout_quote(Some(member), &bad).await.unwrap().unwrap_err();
    assert_eq!((refused.code, refused.field.as_str()), ("bad_cart", "cart.lines"));
}

/// Semantics 13.
#[tokio::test]
async fn what_is_imported_as_history_locks_nothing() {
    let home = live(1).await;
    home.accept(&[lock("l1", "m0", "a", &cart(&[("towel", 10_00, 1)]))]).await;
    home.settle().await;
    assert_eq!(home.dead().await[0].code, "history_locks_nothing");
    assert_eq!(taken(&home, "offer/few/stock").await, 0);
}

#[tokio::test]
async fn a_merge_keeps_every_checkout_and_parting_gives_them_back() {
    let home = live(2).await;
    let give = |id: &str, who: &str| track(id, who, "Coupon Issued", NOW, json!({"offer": "plenty"}));
    let bag = cart(&[("bag", 80_00, 1)]);
    let items =
        [give("g0", "m0"), give("g1", "m1"), lock("l0", "m0", "a", &bag), lock("l1", "m1", "b", &bag)];
    home.accept_live("till", &items, at(NOW)).await;
    home.settle().await;
    let names = ["m0", "m1"].map(|who| Identifier { namespace: "user".to_owned(), value: who.to_owned() });
    assert_eq!(home.engine().merge(&names, "one person").await.unwrap(), Verdict::Accepted);
    home.settle().await;
    assert_eq!(view(&home, "a").await.member, view(&home, "b").await.member);
    home.healthy().await;
    // Both used the offer of one a day: together they did so twice, and no more.
    home.accept_live("till", &[lock("l2", "m0", "c", &bag)], at(NOW)).await;
    home.settle().await;
    assert_eq!(view(&home, "c").await.quote.payable, 80_00);
    assert_eq!(home.engine().unmerge(&names[1..], "two people").await.unwrap(), Verdict::Accepted);
    home.settle().await;
    assert_ne!(view(&home, "a").await.member, view(&home, "b").await.member);
    home.healthy().await;
    home.accept_live(
        "till",
        &[on("x1", "m1", "Checkout Cancelled", "b"), lock("l3", "m1", "d", &bag)],
        at(NOW),
    )
    .await;
    home.settle().await;
    assert_eq!(view(&home, "d").await.quote.payable, 69_00);
    home.healthy().await;
    home.until(at("2024-05-20T00:00:00Z")).await;
    home.healthy().await;
}

/// What a member does at random at the till, so that every step meets every state.
struct Storm {
    seed: u64,
    /// Whether members now and then name another's checkout. Who of two is decided first has a name, as with the last piece of a stock.
    strangers: bool,
}

impl Storm {
    fn next(&mut self, n: u64) -> u64 {
        // xorshift: the seed says all.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % n
    }

    fn item(&mut self, n: usize, members: u64) -> Value {
        let who = self.next(members);
        let of = if self.strangers && self.next(12) == 0 { self.next(members) } else { who };
        let (name, who) = (format!("c{of}-{}", self.next(3)), format!("m{who}"));
        let id = format!("s{n}");
        let mut carts =
            cart(&[("towel", 20_00, 1 + u32::try_from(self.next(2)).unwrap()), ("bag", 40_00, 1)]);
        if self.next(2) == 0 {
            carts = cart(&[("soap", 10_00, 2), ("cushion", 30_00, 1)]);
            carts["exchange"] = json!({"points-pillow": 1});
        }
        match self.next(10) {
            0..=3 => lock(&id, &who, &name, &carts),
            4 => track(&id, &who, "Checkout Redeemed", NOW, json!({"checkout": name, "cart": carts})),
            5 | 6 => on(&id, &who, "Checkout Redeemed", &name),
            7 => on(&id, &who, "Checkout Cancelled", &name),
            8 => on(&id, &who, "Checkout Returned", &name),
            _ => {
                let lines = json!([{"id": "1", "pieces": 1}]);
                track(&id, &who, "Checkout Returned", NOW, json!({"checkout": name, "lines": lines}))
            }
        }
    }
}

/// What was taken is what is held or used, for every pool, coupon and point (§3: 1, 5, 6, 8, 9 in one).
async fn exact(home: &Home, members: u64) {
    home.healthy().await;
    for (pool, size) in
        [("offer/few/stock", 5), ("offer/money/money", 9_00), ("offer/daily/uses/2024-05-03", 7)]
    {
        let n = taken(home, pool).await;
        assert!((0..=size).contains(&n), "{pool} has {n} of {size}");
    }
    for n in 0..members {
        let member = home.member(&format!("m{n}")).await.member.id;
        for found in home.engine().store().coupons().checkouts_of(member, 9).await.unwrap() {
            let body = zhiyin_store::seal::open(&found.body).unwrap();
            let body: Value = serde_json::from_str(&body).unwrap();
            let refunded = body["refunded"].as_i64().unwrap();
            let payable = body["quote"]["payable"].as_i64().unwrap();
            assert!(refunded <= payable, "{refunded} of {payable}");
            if found.checkout.state == zhiyin_model::checkout::CheckoutState::Returned {
                assert_eq!(refunded, payable);
                assert_eq!(body["points_back"], body["quote"]["points_spent"]);
            }
        }
    }
}

/// Locks, payments, cancellations and returns of few pieces by many, decided by two engines at once, one of which is killed again and again.
#[tokio::test]
async fn a_storm_with_kills_between_ends_with_every_account_exact() {
    const MEMBERS: u64 = 24;
    let mut home = live(usize::try_from(MEMBERS).unwrap()).await;
    let mut storm = Storm { seed: 0x5eed_2024, strangers: true };
    let give =
        |n: u64| track(&format!("g{n}"), &format!("m{n}"), "Coupon Issued", NOW, json!({"offer": "plenty"}));
    home.accept_live("till", &(0..MEMBERS).map(give).collect::<Vec<_>>(), at(NOW)).await;
    for round in 0..6 {
        let items: Vec<Value> = (0..120).map(|n| storm.item(round * 120 + n, MEMBERS)).collect();
        home.accept_live("till", &items, at(NOW)).await;
        {
            // It is dropped in the middle of whatever it does.
            let mut batches = 0;
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let mut stop = Some(stop);
            let killed = home.engine().drain(5, Some(at(NOW)), |_| {
                batches += 1;
                if batches == 3 {
                    drop(stop.take());
                }
            });
            tokio::select! {
                _ = stopped => {}
                done = killed => drop(done.unwrap()),
            }
        }
        home.reopen().await;
        let second = home.second_engine().await;
        let (one, two) = tokio::join!(
            home.engine().drain(5, Some(at(NOW)), |_| ()),
            second.drain(7, Some(at(NOW)), |_| ())
        );
        one.unwrap();
        two.unwrap();
        drop(second);
        exact(&home, MEMBERS).await;
    }
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..MEMBERS {
        for k in 0..3 {
            let filter = home.engine().filter(&Grant::system("test"), Operation::Checkout).await.unwrap();
            let found = home.engine().checkout_view(&filter, "", &format!("c{n}-{k}")).await.unwrap();
            if let Ok(found) = found {
                *states.entry(found.state).or_default() += 1;
            }
        }
    }
    assert!(["redeemed", "returned", "locked"].iter().all(|state| states.contains_key(*state)), "{states:?}");
    // Whatever is open in the end lets go by itself.
    home.until(at("2024-05-04T00:00:00Z")).await;
    exact(&home, MEMBERS).await;
    let codes: BTreeMap<String, usize> =
        home.dead().await.into_iter().fold(BTreeMap::new(), |mut codes, letter| {
            *codes.entry(letter.code).or_default() += 1;
            codes
        });
    assert!(!codes.contains_key("decision_broke"), "{codes:?}");
}

/// While nothing runs out, how batches fall does not matter.
#[tokio::test]
async fn s16_checkouts_are_the_same_whatever_the_batches() {
    let mut digests = std::collections::BTreeSet::new();
    let plenty = PLAYBOOK.replace("stock: 5", "stock: 5000").replace("budget: 9", "budget: 9000");
    let plenty = plenty.replace("7 per day", "7000 per day");
    for batch in [1, 3, 64] {
        let home = live_under(&plenty, 8).await;
        let mut storm = Storm { seed: 77, strangers: false };
        let items: Vec<Value> = (0..60).map(|n| storm.item(n, 8)).collect();
        home.accept_live("till", &items, at(NOW)).await;
        home.engine().drain(batch, Some(at("2024-05-03T20:00:00Z")), |_| ()).await.unwrap();
        digests.insert(home.digest().await);
    }
    assert_eq!(digests.len(), 1);
}
