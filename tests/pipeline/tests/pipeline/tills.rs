//! Semantics 26: offline tills quote freely and sell only what was leased to them; what is leased is nobody else's, and nothing is
//! ever sold twice, whoever sells and whenever it is told.

use serde_json::{Value, json};
use zhiyin_engine::tills::{Journal, LeaseAsked, LeaseOf, LeaseView, Offline, SaleTold, SnapshotFile};
use zhiyin_model::checkout::CartFacts;
use zhiyin_model::coupon::CouponAccount;
use zhiyin_model::event::Identifier;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;

use crate::home::{Home, at};
use crate::items::{adjust, order, track};

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
tills: { hours: 12, grace_hours: 2, members: 5, uses: 50, budget: 100 }
offers:
  few: { name: { zh: 限量, en: Few }, of: product == \"towel\", lane: piece, off: 3, per: piece, stock: 5 }
  money: { name: { zh: 预算, en: Money }, of: product == \"soap\", lane: piece, off: 2, per: piece, budget: 20 }
  daily: { name: { zh: 每日, en: Daily }, lane: order, spend: 50, off: 6, limit: [1 per member per day, 7 per day] }
  loyal: { name: { zh: 老客, en: Loyal }, who: size(orders) >= 1 && points > 100, of: product == \"cup\", lane: piece, off: 1, per: piece }
  plenty: { name: { zh: 普通券, en: Plenty }, lane: coupon, off: 5, coupon: { valid: 3d } }
  thanks: { name: { zh: 谢谢, en: Thanks }, give: plenty, spend: 45 }
";

pub const NOW: &str = "2024-05-03T04:00:00Z";
/// After the twelve hours of a lease, and within its grace.
const GRACE: &str = "2024-05-03T17:00:00Z";
/// After that.
const OVER: &str = "2024-05-03T19:00:00Z";

pub fn user(who: &str) -> Identifier {
    Identifier { namespace: "user".to_owned(), value: who.to_owned() }
}

pub fn system() -> Grant {
    Grant::system("test")
}

pub fn cart(lines: &[(&str, i64, u32)]) -> CartFacts {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(product, price, quantity)| json!({"product": product, "price": price, "quantity": quantity}))
        .collect();
    serde_json::from_value(json!({ "lines": lines })).unwrap()
}

/// The cart as the home is asked for it at the till's store.
pub fn at_store(cart: &CartFacts) -> CartFacts {
    CartFacts { store: Some("s1".to_owned()), timezone: Some("Asia/Shanghai".to_owned()), ..cart.clone() }
}

/// A home that is live, with so many members who bought once, have points and a coupon.
pub async fn live(members: usize) -> Home {
    let home = Home::new(PLAYBOOK).await;
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
    let give = |n: usize| {
        track(&format!("g{n}"), &format!("m{n}"), "Coupon Issued", NOW, json!({"offer": "plenty"}))
    };
    home.accept_live("till", &(0..members).map(give).collect::<Vec<_>>(), at(NOW)).await;
    home.settle().await;
    home
}

pub fn of(uses: i64, money: i64) -> LeaseOf {
    let some = |n: i64| (n > 0).then_some(n);
    LeaseOf { uses: some(uses), money: some(money), pieces: None }
}

pub fn asked(name: &str, offers: &[(&str, LeaseOf)]) -> LeaseAsked {
    LeaseAsked {
        lease: name.to_owned(),
        till: "till-1".to_owned(),
        store: "s1".to_owned(),
        offers: offers.iter().map(|(id, of)| ((*id).to_owned(), *of)).collect(),
        ..LeaseAsked::default()
    }
}

pub async fn lease(home: &Home, asked: &LeaseAsked, members: &[&str]) -> LeaseView {
    let mut asked = asked.clone();
    for who in members {
        asked.members.push((home.member(who).await.member.id, Vec::new()));
    }
    home.engine().lease_till(&system(), &asked).await.unwrap().unwrap();
    home.settle().await;
    home.engine().view_lease(&asked.lease).await.unwrap().unwrap()
}

async fn refusal(home: &Home, asked: &LeaseAsked) -> String {
    let refusal = home.engine().lease_till(&system(), asked).await.unwrap().unwrap_err();
    format!("{} @{}", refusal.code, refusal.field)
}

async fn snapshot(home: &Home, name: &str) -> SnapshotFile {
    home.engine().till_snapshot(name).await.unwrap().unwrap()
}

fn opened(file: &SnapshotFile) -> Offline {
    Offline::open(&serde_json::to_string(file).unwrap(), &file.key).unwrap()
}

/// A till at work without a network.
pub struct Till {
    offline: Offline,
    journal: Journal,
    pub items: Vec<Value>,
}

impl Till {
    pub async fn of(home: &Home, name: &str) -> Self {
        let offline = opened(&snapshot(home, name).await);
        Self { offline, journal: Journal::default(), items: Vec::new() }
    }

    fn sell(&mut self, name: &str, who: &str, cart: &CartFacts) -> Result<i64, String> {
        self.sell_at(name, who, cart, at(NOW), false)
    }

    pub fn sell_at(
        &mut self,
        name: &str,
        who: &str,
        cart: &CartFacts,
        when: Ts,
        only_leased: bool,
    ) -> Result<i64, String> {
        let sold = self.offline.sell((name, None), cart, &user(who), &self.journal, (when, only_leased));
        let sold = sold.map_err(|refusal| refusal.code.to_owned())?;
        if let Some(item) = sold.item {
            self.journal.note(self.offline.lease(), item.clone()).unwrap();
            self.items.push(item);
        }
        Ok(sold.quote.payable)
    }
}

pub async fn told(home: &Home, name: &str, items: &[Value]) -> Vec<SaleTold> {
    home.engine().take_sales(&system(), name, items, false).await.unwrap().unwrap();
    home.settle().await;
    home.engine().take_sales(&system(), name, items, false).await.unwrap().unwrap()
}

/// What became of sales, by name.
fn fates(told: &[SaleTold]) -> Vec<String> {
    let fate = |one: &SaleTold| {
        let code = one.code.as_ref().map_or_else(String::new, |code| format!(" {code}"));
        format!("{} {}{code}", one.checkout, one.state)
    };
    told.iter().map(fate).collect()
}

pub async fn taken(home: &Home, pool: &str) -> i64 {
    home.engine().store().coupons().pools(vec![pool.to_owned()]).await.unwrap().into_values().sum()
}

async fn account(home: &Home, who: &str) -> CouponAccount {
    let member = home.member(who).await.member.id;
    home.engine().store().coupons().coupons_of(member, 9).await.unwrap()[0].account
}

pub async fn online(home: &Home, id: &str, who: &str, cart: &CartFacts) -> Option<String> {
    let said = json!({"checkout": id, "cart": at_store(cart)});
    home.accept_live("till", &[track(id, who, "Checkout Redeemed", NOW, said)], at(NOW)).await;
    home.settle().await;
    home.dead().await.into_iter().find(|letter| letter.message_id == id).map(|letter| letter.code)
}

async fn state(home: &Home, name: &str) -> String {
    let filter = home.engine().filter(&system(), Operation::Checkout).await.unwrap();
    home.engine().checkout_view(&filter, "", name).await.unwrap().unwrap().state
}

/// The same cart costs the same without a network as it did at home when the snapshot was made, and what is sold is what the
/// home takes in.
#[tokio::test]
async fn s26_an_offline_till_quotes_as_the_home_does_and_sells_what_is_leased() {
    let home = live(2).await;
    let m0 = home.member("m0").await.member.id;
    let carts = [
        cart(&[("bag", 80_00, 1), ("towel", 10_00, 2)]),
        cart(&[("cup", 30_00, 2), ("soap", 5_00, 3)]),
        cart(&[("bag", 10_00, 1)]),
    ];
    let mut quoted = Vec::new();
    for cart in &carts {
        let cart = at_store(cart);
        quoted.push(home.engine().checkout_quote(Some(m0), &cart).await.unwrap().unwrap().quote);
    }
    let what = [("few", of(3, 0)), ("money", of(0, 10_00)), ("daily", of(2, 0))];
    let view = lease(&home, &asked("l1", &what), &["m0"]).await;
    assert_eq!(
        (view.state.as_str(), view.members, view.waiting, view.refused),
        ("open", 1, Some(0), Some(0))
    );
    home.healthy().await;
    let mut till = Till::of(&home, "l1").await;
    for (cart, quoted) in carts.iter().zip(&quoted) {
        let told = till.offline.quote(cart, Some(&user("m0")), &till.journal, at(NOW)).unwrap();
        assert_eq!(told, *quoted);
    }
    // Somebody whom the lease does not name is nobody who is known.
    let nobody = home.engine().checkout_quote(None, &at_store(&carts[1])).await.unwrap().unwrap().quote;
    let told = till.offline.quote(&carts[1], Some(&user("m1")), &till.journal, at(NOW)).unwrap();
    assert_eq!((told.payable, told.applied), (nobody.payable, nobody.applied));
    assert_eq!(till.sell("t/1", "m0", &carts[0]), Ok(quoted[0].payable));
    assert_eq!(till.sell("t/2", "m0", &carts[1]).unwrap(), 60_00 + 15_00 - 2_00 - 6_00);
    assert_eq!(fates(&told_all(&home, "l1", &till).await), ["t/1 sold", "t/2 sold"]);
    assert_eq!(account(&home, "m0").await, CouponAccount::Redeemed);
    let pools =
        ["offer/few/stock", "lease/l1|offer/few/stock", "offer/money/money", "lease/l1|offer/money/money"];
    let mut has = Vec::new();
    for pool in pools {
        has.push(taken(&home, pool).await);
    }
    assert_eq!(has, [3, 2, 10_00, 4_00]);
    home.healthy().await;
    // What was bought can be returned as anything else, and is there for all again.
    let back = track("b1", "m0", "Checkout Returned", NOW, json!({"checkout": "t/1"}));
    home.accept_live("till", &[back], at(NOW)).await;
    home.settle().await;
    assert_eq!((state(&home, "t/1").await.as_str(), taken(&home, "offer/few/stock").await), ("returned", 2));
    assert_eq!(account(&home, "m0").await, CouponAccount::Held);
    home.healthy().await;
}

async fn told_all(home: &Home, name: &str, till: &Till) -> Vec<SaleTold> {
    told(home, name, &till.items).await
}

#[tokio::test]
async fn s26_what_is_leased_is_nobody_elses_until_it_comes_back() {
    let home = live(2).await;
    lease(&home, &asked("l1", &[("few", of(4, 0)), ("daily", of(7, 0))]), &["m0"]).await;
    assert_eq!(account(&home, "m0").await, CouponAccount::Locked);
    // One towel is left for others; of the day's uses none is, and of the member's own neither.
    let towels = cart(&[("towel", 10_00, 1)]);
    for (id, who) in [("x1", "m1"), ("x2", "m0")] {
        assert_eq!(online(&home, id, who, &towels).await, None);
    }
    assert_eq!(taken(&home, "offer/few/stock").await, 5);
    let m0 = home.member("m0").await.member.id;
    let bag = at_store(&cart(&[("bag", 80_00, 1)]));
    let quote = home.engine().checkout_quote(Some(m0), &bag).await.unwrap().unwrap().quote;
    assert!(quote.applied.iter().all(|one| one.offer != "plenty" && one.offer != "daily"), "{quote:?}");
    assert_eq!(refusal(&home, &asked("l2", &[("few", of(1, 0))])).await, "not_enough_left @offers.few");
    // The till is back.
    home.engine().return_lease(&system(), "l1").await.unwrap().unwrap();
    home.settle().await;
    assert_eq!(account(&home, "m0").await, CouponAccount::Held);
    let quote = home.engine().checkout_quote(Some(m0), &bag).await.unwrap().unwrap().quote;
    let mut applied: Vec<&str> = quote.applied.iter().map(|one| one.offer.as_str()).collect();
    applied.retain(|offer| ["plenty", "daily"].contains(offer));
    assert_eq!(applied, ["daily", "plenty"]);
    assert_eq!(
        (taken(&home, "offer/few/stock").await, taken(&home, "lease/l1|offer/few/stock").await),
        (1, 0)
    );
    // Returned again nothing comes back twice.
    home.engine().return_lease(&system(), "l1").await.unwrap().unwrap();
    home.settle().await;
    assert_eq!(taken(&home, "offer/few/stock").await, 1);
    home.healthy().await;
}

#[tokio::test]
async fn s26_a_till_sells_no_more_than_is_leased_to_it() {
    let home = live(2).await;
    lease(&home, &asked("l1", &[("few", of(2, 0)), ("daily", of(1, 0))]), &["m0"]).await;
    let mut till = Till::of(&home, "l1").await;
    let towel = cart(&[("towel", 10_00, 1)]);
    let bag = cart(&[("bag", 80_00, 1)]);
    assert_eq!(till.sell("1", "m1", &towel), Ok(7_00));
    // The use of the day is the member's whom the lease names, once, and so is their coupon.
    assert_eq!(till.sell("2", "m1", &bag), Err("lease_exhausted".to_owned()));
    assert_eq!(till.sell("3", "m0", &bag), Ok(80_00 - 6_00 - 5_00));
    assert_eq!(till.sell("4", "m0", &bag), Ok(80_00));
    assert_eq!(till.sell("5", "m1", &towel), Ok(7_00));
    assert_eq!(till.sell("6", "m1", &towel), Err("lease_exhausted".to_owned()));
    // It can be sold without the offer, as the till chooses.
    assert_eq!(till.sell_at("6", "m1", &towel, at(NOW), true), Ok(10_00));
    // A retry is the same sale; another cart is another one.
    assert_eq!(till.sell("5", "m1", &towel), Ok(7_00));
    assert_eq!(till.sell("5", "m1", &bag), Err("checkout_redeemed".to_owned()));
    let named = CartFacts { coupons: Some(vec!["0123-4567-89AB-CDEF".to_owned()]), ..bag.clone() };
    assert_eq!(till.sell("7", "m1", &named), Err("coupon_not_leased".to_owned()));
    // Who reads the journal anew has sold the same.
    let text: String = till.items.iter().map(|item| format!("{item}\n")).collect();
    till.journal = till.offline.journal(&(text.clone() + &text)).unwrap();
    assert_eq!((till.journal.len(), till.sell("8", "m1", &towel)), (5, Err("lease_exhausted".to_owned())));
    let all = told_all(&home, "l1", &till).await;
    assert!(all.iter().all(|one| one.state == "sold"), "{all:?}");
    home.healthy().await;
}

#[tokio::test]
async fn s26_a_snapshot_is_good_for_its_time_and_its_home_alone() {
    let home = live(1).await;
    lease(&home, &asked("l1", &[]), &["m0"]).await;
    let file = snapshot(&home, "l1").await;
    let open = |file: &SnapshotFile, key: &str| {
        let opened = Offline::open(&serde_json::to_string(file).unwrap(), key);
        opened.map(drop).map_err(|refusal| refusal.code)
    };
    assert_eq!(open(&file, &home.engine().till_key().await.unwrap()), Ok(()));
    assert_eq!(open(&file, &"0".repeat(64)), Err("snapshot_of_another_brand"));
    let more = SnapshotFile { body: file.body.replace("\"points\":", "\"points\":9"), ..file.clone() };
    assert_ne!(more.body, file.body);
    assert_eq!(open(&more, &file.key), Err("snapshot_forged"));
    let signed = SnapshotFile { signature: file.signature.replace(['0', '1'], "2"), ..file.clone() };
    assert_eq!(open(&signed, &file.key), Err("snapshot_forged"));
    let offline = opened(&file);
    let bag = cart(&[("bag", 80_00, 1)]);
    for (when, expected) in [
        ("2024-05-03T03:50:00Z", Err("snapshot_expired")),
        ("2024-05-03T03:58:00Z", Ok(())),
        ("2024-05-03T15:59:00Z", Ok(())),
        ("2024-05-03T16:05:00Z", Err("snapshot_expired")),
    ] {
        let quoted = offline.quote(&bag, None, &Journal::default(), at(when));
        assert_eq!(quoted.map(drop).map_err(|refusal| refusal.code), expected, "{when}");
    }
    // It names nobody: neither who they are nor what they are called.
    let body: Value = serde_json::from_str(&file.body).unwrap();
    let members = body["members"].to_string();
    assert!(body["members"].as_array().unwrap().len() == 1 && !members.contains("m0"), "{members}");
    // Under another playbook a lease is made anew.
    home.apply(&PLAYBOOK.replace("off: 3", "off: 4"), at(NOW)).await;
    let refused = home.engine().till_snapshot("l1").await.unwrap().unwrap_err();
    assert_eq!(refused.code, "playbook_changed");
}

/// In whatever order they come, and however often, the home is the same.
#[tokio::test]
async fn s26_sales_are_told_in_any_order_and_twice() {
    let mut digests = std::collections::BTreeSet::new();
    for turn in 0..4 {
        let home = live(3).await;
        lease(&home, &asked("l1", &[("few", of(3, 0)), ("daily", of(3, 0))]), &["m0", "m1"]).await;
        let mut till = Till::of(&home, "l1").await;
        for (n, who) in ["m0", "m1", "m2"].into_iter().enumerate() {
            till.sell(&format!("a{n}"), who, &cart(&[("towel", 10_00, 1)])).unwrap();
        }
        till.sell("b0", "m0", &cart(&[("bag", 60_00, 1)])).unwrap();
        till.sell("b1", "m1", &cart(&[("bag", 60_00, 1)])).unwrap();
        if turn > 1 {
            till.items.reverse();
        }
        let batch = if turn % 2 == 0 { 1 } else { 64 };
        for part in [&till.items[..], &till.items[1..3], &till.items[..]] {
            home.engine().take_sales(&system(), "l1", part, false).await.unwrap().unwrap();
            home.engine().drain(batch, Some(Ts::MIN), |_| ()).await.unwrap();
        }
        assert_eq!(home.refusals().await, Vec::<String>::new());
        home.engine().return_lease(&system(), "l1").await.unwrap().unwrap();
        home.settle().await;
        assert_eq!(taken(&home, "offer/few/stock").await, 3);
        home.healthy().await;
        // When it was returned is business time, which runs: all else is compared.
        let mut pools = Vec::new();
        for pool in ["offer/few/stock", "offer/daily/uses/2024-05-03", "lease/l1|offer/few/stock"] {
            pools.push(taken(&home, pool).await);
        }
        let mut accounts = Vec::new();
        for who in ["m0", "m1", "m2"] {
            accounts.push(account(&home, who).await);
        }
        digests.insert(format!("{pools:?} {accounts:?} {}", home.member("m0").await.timeline.len()));
    }
    assert_eq!(digests.len(), 1, "{digests:?}");
}

/// Within the grace a sale that was made in time is taken in; afterwards it takes of what all share, where that is still there, and
/// is a dead letter with a name where it is not. A sale that was made too late never is.
#[tokio::test]
async fn s26_what_is_told_too_late_is_taken_of_what_is_there_or_refused_by_name() {
    for (when, others, expected) in [
        (GRACE, 0, ["t0 sold", "t1 sold"]),
        (OVER, 0, ["t0 sold", "t1 sold"]),
        (OVER, 4, ["t0 sold", "t1 refused lease_over"]),
    ] {
        let home = live(2).await;
        lease(&home, &asked("l1", &[("few", of(4, 0))]), &["m0"]).await;
        let mut till = Till::of(&home, "l1").await;
        till.sell("t0", "m0", &cart(&[("bag", 20_00, 1)])).unwrap();
        till.sell("t1", "m1", &cart(&[("towel", 10_00, 1)])).unwrap();
        home.now_is(at(when)).await;
        home.until(at(when)).await;
        home.engine().end_leases().await.unwrap();
        let left = taken(&home, "lease/l1|offer/few/stock").await;
        assert_eq!(left, if when == GRACE { 4 } else { 0 });
        for n in 0..=others {
            assert_eq!(online(&home, &format!("x{n}"), "m1", &cart(&[("towel", 10_00, 1)])).await, None);
        }
        assert_eq!(fates(&told_all(&home, "l1", &till).await), expected, "{when} {others}");
        assert_eq!(account(&home, "m0").await, CouponAccount::Redeemed);
        home.healthy().await;
        assert!(taken(&home, "offer/few/stock").await <= 5);
        // Sold after the lease's end: no till of ours does, and no home takes it in.
        let mut late = till.items[1].clone();
        (late["messageId"], late["properties"]["checkout"]) = (json!("t9"), json!("t9"));
        late["timestamp"] = json!("2024-05-03T16:30:00Z");
        assert_eq!(fates(&told(&home, "l1", &[late]).await), ["t9 refused lease_over"]);
    }
}

/// A coupon that came back and was used elsewhere is not used twice.
#[tokio::test]
async fn s26_a_coupon_that_came_back_is_used_once() {
    let home = live(1).await;
    lease(&home, &asked("l1", &[]), &["m0"]).await;
    let mut till = Till::of(&home, "l1").await;
    let bag = cart(&[("bag", 20_00, 1)]);
    till.sell("t0", "m0", &bag).unwrap();
    home.now_is(at(OVER)).await;
    home.until(at(OVER)).await;
    assert_eq!(account(&home, "m0").await, CouponAccount::Held);
    assert_eq!(online(&home, "x", "m0", &bag).await, None);
    assert_eq!(account(&home, "m0").await, CouponAccount::Redeemed);
    assert_eq!(fates(&told_all(&home, "l1", &till).await), ["t0 refused lease_over"]);
    home.healthy().await;
}

/// Whoever may sell says of nobody anything but what they bought, and of no other store.
#[tokio::test]
async fn s26_a_till_says_nothing_of_anybody_beside_its_sale() {
    let home = live(2).await;
    lease(&home, &asked("l1", &[]), &["m0"]).await;
    let mut till = Till::of(&home, "l1").await;
    till.sell("t0", "m0", &cart(&[("cup", 20_00, 1)])).unwrap();
    let sold = till.items[0].clone();
    type Change = fn(&mut Value);
    let changes: [Change; 6] = [
        |item| item["type"] = json!("identify"),
        |item| item["properties"]["store_id"] = json!("s2"),
        |item| item["properties"]["cart"]["store"] = json!("s2"),
        |item| item["properties"]["touchpoint"] = json!("a-partner"),
        |item| {
            item["context"]["externalIds"].as_array_mut().unwrap().push(json!({"id": "m1", "type": "user"}))
        },
        |item| item["messageId"] = json!("other"),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut item = sold.clone();
        change(&mut item);
        let told = home.engine().take_sales(&system(), "l1", &[item], false).await.unwrap();
        assert_eq!(told.unwrap_err().code, "bad_sale", "{n}");
    }
    let mut more = sold;
    more["userId"] = json!("m1");
    more["traits"] = json!({"advisor": "mine", "city": "Wuhan"});
    more["context"]["traits"] = json!({"city": "Wuhan"});
    let before = home.member("m0").await.member.attributes;
    assert_eq!(fates(&told(&home, "l1", &[more]).await), ["t0 sold"]);
    assert_eq!(home.member("m0").await.member.attributes, before);
    assert_eq!(home.member("m1").await.member.attributes, before);
    home.healthy().await;
}

/// Where nothing of an offer is leased of somebody, a till that sells only what is leased sells without it.
#[tokio::test]
async fn s26_whoever_has_no_use_leased_buys_at_full_price() {
    let home = live(2).await;
    lease(&home, &asked("l1", &[("daily", of(2, 0))]), &["m0"]).await;
    let mut till = Till::of(&home, "l1").await;
    let bag = cart(&[("bag", 60_00, 1)]);
    assert_eq!(till.sell("0", "m1", &bag), Err("lease_exhausted".to_owned()));
    assert_eq!(till.sell_at("1", "m1", &bag, at(NOW), true), Ok(60_00));
    assert_eq!(till.sell_at("2", "m0", &bag, at(NOW), true), Ok(49_00), "their coupon is leased too");
    assert_eq!(till.sell_at("3", "m0", &bag, at(NOW), true), Ok(60_00), "their use of the day is sold");
    assert_eq!(fates(&told_all(&home, "l1", &till).await), ["1 sold", "2 sold", "3 sold"]);
    home.healthy().await;
}

/// What is told must add up, and be of what the lease has.
#[tokio::test]
async fn s26_a_sale_that_does_not_add_up_is_refused_by_name() {
    let home = live(2).await;
    lease(&home, &asked("l1", &[("few", of(1, 0))]), &["m0"]).await;
    let mut till = Till::of(&home, "l1").await;
    till.sell("t0", "m0", &cart(&[("bag", 20_00, 1), ("towel", 10_00, 1)])).unwrap();
    let sold = till.items[0].clone();
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 11] = [
        ("bad_quote", |p| p["quote"]["payable"] = json!(1)),
        ("bad_quote", |p| p["quote"]["lines"][0]["discounts"][0]["amount"] = json!(19_00)),
        ("bad_quote", |p| p["quote"]["paid"]["lines"][0] = json!([1, 99_00])),
        ("bad_quote", |p| p["quote"]["points_times"] = json!("9")),
        ("bad_quote", |p| p["quote"]["points_times"] = json!("7".repeat(28))),
        ("bad_quote", |p| p["quote"]["shipping"] = json!({"list": 0, "discount": 1, "payable": -1})),
        ("bad_quote", |p| p["quote"] = json!({})),
        ("points_not_leased", |p| p["quote"]["points_spent"] = json!(5)),
        ("payable_changed", |p| p["payable"] = json!(7)),
        ("lease_unknown", |p| p["lease"] = json!("l2")),
        ("coupon_not_leased", |p| drop(p.as_object_mut().unwrap().remove("leased_to"))),
    ];
    for (n, (code, change)) in changes.into_iter().enumerate() {
        let (mut item, name) = (sold.clone(), format!("bad{n}"));
        (item["messageId"], item["properties"]["checkout"]) = (json!(name), json!(name));
        change(&mut item["properties"]);
        home.accept_live("pos", &[item], at(NOW)).await;
        home.settle().await;
        let letter = home.dead().await.into_iter().find(|letter| letter.message_id == name);
        assert_eq!(letter.map(|letter| letter.code), Some(code.to_owned()), "{name}");
    }
    // More than is leased, by a till that keeps no journal.
    assert_eq!(fates(&told_all(&home, "l1", &till).await), ["t0 sold"]);
    let mut twice = sold;
    (twice["messageId"], twice["properties"]["checkout"]) = (json!("t1"), json!("t1"));
    assert_eq!(fates(&told(&home, "l1", &[twice]).await), ["t1 refused lease_exhausted"]);
    // Nobody but the lease says what it holds of whom.
    let said = track("z", "m1", "Till Leased", NOW, json!({"lease": "l1"}));
    let verdict = home.accept_live("pos", &[said], at(NOW)).await.remove(0);
    assert!(format!("{verdict:?}").contains("event_reserved"), "{verdict:?}");
    home.healthy().await;
}

#[tokio::test]
async fn s26_a_lease_is_bounded_and_made_once() {
    let home = live(2).await;
    let first = asked("l1", &[("few", of(2, 0))]);
    lease(&home, &first, &[]).await;
    lease(&home, &first, &[]).await;
    assert_eq!(taken(&home, "offer/few/stock").await, 2);
    let m0 = home.member("m0").await.member.id;
    let hours = |hours: u32| LeaseAsked { hours: Some(hours), ..asked("l2", &[]) };
    let twice = LeaseAsked { members: vec![(m0, Vec::new()); 2], ..asked("l2", &[]) };
    let crowd = LeaseAsked { members: vec![(m0, Vec::new()); 6], ..asked("l2", &[]) };
    for (asked, expected) in [
        (asked("l1", &[("few", of(1, 0))]), "lease_reused @lease"),
        (asked("a|b", &[]), "bad_code @lease"),
        (asked("", &[]), "bad_code @lease"),
        (hours(13), "lease_too_large @hours"),
        (hours(0), "lease_too_large @hours"),
        (crowd, "lease_too_large @members"),
        (twice, "bad_number @members[1]"),
        (asked("l2", &[("few", of(51, 0))]), "lease_too_large @offers.few.uses"),
        (asked("l2", &[("money", of(0, 10_001))]), "lease_too_large @offers.money.money"),
        (asked("l2", &[("money", of(1, 0))]), "offer_not_bounded @offers.money"),
        (asked("l2", &[("loyal", of(1, 0))]), "offer_not_bounded @offers.loyal"),
        (asked("l2", &[("nothing", of(1, 0))]), "offer_unknown @offers.nothing"),
        (asked("l2", &[("few", of(4, 0))]), "not_enough_left @offers.few"),
    ] {
        assert_eq!(refusal(&home, &asked).await, expected);
    }
    assert!(home.engine().view_lease("l2").await.unwrap().is_err());
    home.healthy().await;
}

/// Whoever the lease names and turns out to be somebody else has what it holds of them.
#[tokio::test]
async fn s26_a_lease_follows_whoever_they_are() {
    let home = live(2).await;
    lease(&home, &asked("l1", &[("daily", of(2, 0))]), &["m0", "m1"]).await;
    let mut till = Till::of(&home, "l1").await;
    till.sell("t0", "m0", &cart(&[("bag", 60_00, 1)])).unwrap();
    till.sell("t1", "m1", &cart(&[("bag", 60_00, 1)])).unwrap();
    home.engine().merge(&["m0", "m1"].map(user), "one person").await.unwrap();
    home.settle().await;
    home.healthy().await;
    assert_eq!(fates(&told_all(&home, "l1", &till).await), ["t0 sold", "t1 sold"]);
    home.until(at(OVER)).await;
    home.healthy().await;
}
