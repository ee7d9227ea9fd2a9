//! A brand's shops end to end: what they tell, twice, late or never, comes to the orders and balances that are so over there; and what is
//! told by somebody else comes to nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zhiyin_engine::platforms::Health;
use zhiyin_engine::shops::ShopNews;
use zhiyin_model::effect::{Asset, OrderStatus};
use zhiyin_model::time::Ts;
use zhiyin_reach_sim::market::Market;
use zhiyin_reach_sim::{Chance, On};

const MINUTE_MS: i64 = 60_000;
const SHOPS: [&str; 3] = ["shopify", "woocommerce", "youzan"];

fn usual() -> Value {
    json!({})
}

fn phone(n: usize) -> String {
    format!("+86139{:08}", 10_000 + n)
}

/// What the record should say of an order, by what is so in its shop: paid and back in hundredths, and where it stands.
fn wanted(order: &Value) -> Option<(i64, i64, OrderStatus)> {
    let of = |name: &str| order[name].as_i64().unwrap();
    match (order["cancelled"] == true, order["paid"] == true) {
        (true, _) => Some((0, 0, OrderStatus::Cancelled)),
        (false, true) => Some((of("goods"), of("back").min(of("goods")), OrderStatus::Placed)),
        (false, false) => None,
    }
}

/// Holds every order of every shop against the record; how many there are.
async fn is_as_it_is(market: &Market, when: &str) -> usize {
    let truth = market.truth().await;
    let mut n = 0;
    for on in SHOPS.into_iter().chain(["mall"]) {
        for order in truth[on]["orders"].as_array().into_iter().flatten() {
            let number = order["number"].as_str().unwrap();
            let known = market.placed(number).await;
            let is = known.as_ref().map(|known| match known.status {
                OrderStatus::Cancelled => (0, 0, OrderStatus::Cancelled),
                status => (known.paid.0, known.refunded.0, status),
            });
            assert_eq!(is, wanted(order), "{when} {on} {order} {known:?}");
            // Everybody bought once: so what they have is what their order is worth.
            let kept = match wanted(order) {
                Some((paid, back, OrderStatus::Placed)) => (paid - back) / 100,
                _ => 0,
            };
            let member = market.member("phone", order["phone"].as_str().unwrap()).await;
            let points = member.map_or(0, |member| member.account(Asset::Points).active);
            assert_eq!(points, kept, "{when} {on} {order}");
            n += 1;
        }
    }
    n
}

/// What a shop's people do at random: mostly they order, and then they pay, change, give back or cancel.
async fn something_happens(market: &Market, chance: &mut Chance, all: &mut Vec<(&'static str, String)>) {
    let on = *chance.one(&SHOPS);
    if all.len() < 12 || chance.below(3) > 0 {
        let (n, number) = (all.len(), format!("{}{}", on.to_uppercase().chars().next().unwrap(), all.len()));
        let cents = 1_000 + i64::try_from(chance.below(9_000)).unwrap();
        let order = json!({
            "on": on, "number": number, "customer": 7_000 + n, "phone": phone(n), "email": format!("m{n}@shop.example"),
            "lines": [{"product": "bag", "pieces": 1, "cents": cents}, {"product": "cup", "pieces": 2, "cents": 150}],
            "shipping": if n % 3 == 0 { 800 } else { 0 }, "paid": n % 4 != 0,
        });
        market.act("shops/order", order).await;
        all.push((on, number));
        return;
    }
    let (on, number) = chance.one(all).clone();
    let body = |more: Value| {
        let mut body = json!({"on": on, "number": number});
        more.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        body
    };
    // What cannot be done any more the shop refuses, too.
    let _said = match chance.below(10) {
        0..=3 => market.tries("shops/pay", body(json!({}))).await,
        4..=5 => market.tries("shops/edit", body(json!({"cents": 250}))).await,
        6..=8 => {
            let cents = 100 + i64::try_from(chance.below(700)).unwrap();
            market.tries("shops/refund", body(json!({"cents": cents}))).await
        }
        _ => market.tries("shops/cancel", body(json!({}))).await,
    };
}

async fn an_hour_of_faults(on: On, seed: u64) {
    let market = Market::new(on, seed, usual()).await;
    let faults = json!({
        "callback_lost": 200, "callback_doubled": 200, "callback_reordered": 200, "callback_delayed": 100,
        "call_fails_before": 60, "call_reply_lost": 60, "call_server_error": 40, "call_busy": 40,
    });
    market.act("faults", faults).await;
    let (mut chance, mut all) = (Chance::new(seed), Vec::new());
    for _ in 0..180 {
        something_happens(&market, &mut chance, &mut all).await;
        market.goes_on(20_000).await;
    }
    // Three looks more; each shop is asked again within half a minute where it fails.
    for _ in 0..70 {
        market.goes_on(30_000).await;
    }
    let n = is_as_it_is(&market, "after an hour").await;
    assert!(n > 90, "{n} orders");
    let found: u64 = {
        let all = market.measured("zhiyin_arrivals_total").await;
        all.iter().filter(|(name, _)| name.contains("found")).map(|(_, n)| n).sum()
    };
    assert!(found > 10, "{found} were found that nobody told of");
    for on in SHOPS {
        assert_eq!(market.came(on, "failed").await, [], "{on}");
        assert_eq!(market.came(on, "waiting").await, [], "{on}");
    }
    market.ends().await;
}

#[tokio::test]
async fn an_hour_with_a_fifth_of_webhooks_lost_doubled_and_out_of_order_and_a_fifth_of_calls_failing() {
    an_hour_of_faults(On::Sqlite, 1).await;
    if std::env::var_os("ZHIYIN_TEST_POSTGRES").is_some() {
        an_hour_of_faults(On::Postgres, 2).await;
    }
}

/// Every order of four things: the till, the payment, the shop's webhook, and the same webhook once more or in the shop's list.
fn orders_of(steps: &[char]) -> Vec<Vec<char>> {
    if steps.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (n, first) in steps.iter().enumerate() {
        let rest: Vec<char> =
            steps.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, step)| *step).collect();
        all.extend(orders_of(&rest).into_iter().map(|mut order| {
            order.insert(0, *first);
            order
        }));
    }
    all
}

async fn each_order_of_arrival(on: On) {
    let mut market = Market::new(on, 3, usual()).await;
    market.act("faults", json!({"callback_doubled": 1_000})).await;
    let mut n = 0;
    for shop in SHOPS.into_iter().chain(["mall"]) {
        for arrival in orders_of(&['t', 'p', 's']) {
            n += 1;
            let (number, phone) = (format!("P{n}"), phone(n));
            for step in &arrival {
                match step {
                    't' => market.rings_up(&phone, &number, 50).await,
                    's' => market.orders(shop, &number, (9_000 + n as u64, &phone), 5_000).await,
                    _ => market.pays(&format!("o{n}"), &number, 50).await,
                }
                // Longer than an order is waited for: so a payment that comes first is told of whoever paid.
                market.goes_on(2 * MINUTE_MS).await;
            }
            let member = market.member("phone", &phone).await.unwrap();
            assert_eq!(member.account(Asset::Points).active, 50, "{shop} {arrival:?}");
            let order = market.placed(&number).await.unwrap();
            assert_eq!((order.member, order.paid.0), (member.id, 5_000), "{shop} {arrival:?}");
            assert!(order.terms.method.is_some(), "{shop} {arrival:?}");
            // The shop's own number of them is theirs, too.
            let namespace = if shop == "mall" { "mall".to_owned() } else { format!("{shop}:main") };
            let value = if shop == "youzan" { format!("yz{}", 9_000 + n) } else { (9_000 + n).to_string() };
            assert_eq!(market.member(&namespace, &value).await.unwrap().id, member.id, "{shop} {arrival:?}");
        }
    }
    market.ends().await;
}

#[tokio::test]
async fn s6_an_order_from_till_payment_and_shop_in_any_order_and_doubled_earns_once() {
    each_order_of_arrival(On::Sqlite).await;
    if std::env::var_os("ZHIYIN_TEST_POSTGRES").is_some() {
        each_order_of_arrival(On::Postgres).await;
    }
}

#[tokio::test]
async fn s6_an_order_that_the_till_knows_under_another_name_stays_its_members() {
    let mut market = Market::new(On::Sqlite, 4, usual()).await;
    // The shop knows somebody else by this phone than the till does.
    market.orders("shopify", "A0", (1, "+8613900000001"), 1_000).await;
    market.goes_on(MINUTE_MS).await;
    market.rings_up("+8613900000002", "A1", 50).await;
    market.goes_on(MINUTE_MS).await;
    market.orders("shopify", "A1", (1, "+8613900000001"), 6_000).await;
    market.goes_on(MINUTE_MS).await;
    market.act("shops/refund", json!({"on": "shopify", "number": "A1", "cents": 2_000})).await;
    market.goes_on(MINUTE_MS).await;
    let till = market.member("phone", "+8613900000002").await.unwrap();
    let shop = market.member("phone", "+8613900000001").await.unwrap();
    assert_eq!((till.account(Asset::Points).active, shop.account(Asset::Points).active), (40, 10));
    assert_eq!(market.placed("A1").await.unwrap().member, till.id);
    market.act("shops/cancel", json!({"on": "shopify", "number": "A1"})).await;
    market.goes_on(MINUTE_MS).await;
    let till = market.member("phone", "+8613900000002").await.unwrap();
    assert_eq!(till.account(Asset::Points).active, 0);
    market.ends().await;
}

#[tokio::test]
async fn a_webhook_of_a_format_of_its_own_comes_to_the_same() {
    let market = Market::new(On::Sqlite, 5, usual()).await;
    market.act("faults", json!({"callback_doubled": 300, "callback_reordered": 400})).await;
    for n in 0..40 {
        let number = format!("M{n}");
        market.orders("mall", &number, (n, &phone(usize::try_from(n).unwrap())), 3_456).await;
        let body = |more: i64| json!({"on": "mall", "number": number, "cents": more});
        // What changes within one instant of a shop's clock it can only be told apart by the order in which it comes.
        market.act("clock/advance", json!({"ms": 1_000})).await;
        match n % 4 {
            0 => drop(market.act("shops/edit", body(1_100)).await),
            1 => drop(market.act("shops/refund", body(1_234)).await),
            2 => drop(market.act("shops/cancel", body(0)).await),
            _ => {}
        }
        market.goes_on(5_000).await;
    }
    market.goes_on(MINUTE_MS).await;
    market.goes_on(10 * MINUTE_MS).await;
    assert_eq!(is_as_it_is(&market, "after all").await, 40);
    assert_eq!(market.came("webhook", "failed").await, []);
    market.ends().await;
}

#[tokio::test]
async fn what_is_not_the_shops_is_refused_by_name_and_keeps_nothing() {
    let market = Market::new(On::Sqlite, 6, usual()).await;
    market.act("faults", json!({"callback_lost": 1_000})).await;
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    for (on, channel) in
        [("shopify", "shopify"), ("woocommerce", "woocommerce"), ("youzan", "youzan"), ("mall", "webhook")]
    {
        market.orders(on, &format!("{channel}1"), (1, "+8613900000001"), 5_000).await;
        for (what, status, why) in [
            ("body", 403, "signature_wrong"),
            ("truncated", 403, "signature_wrong"),
            ("key", 403, "signature_wrong"),
            ("headless", 403, "head_missing"),
            ("no_json", 403, "no_json"),
            ("oversized", 413, "too_large"),
            ("shop", 403, "shop_other"),
            ("stale", 403, "not_now"),
        ] {
            if (what == "shop" && on != "shopify") || (what == "stale" && on != "mall") {
                continue;
            }
            let asked = json!({"on": on, "what": what, "number": format!("{channel}1")});
            let answer = market.act("shops/tell", asked).await;
            assert_eq!(answer["status"], status, "{on} {what}: {answer}");
            *wanted.entry(format!("{{channel=\"{channel}\",why=\"{why}\"}}")).or_default() += 1;
        }
    }
    let refused = market.measured("zhiyin_arrivals_refused_total").await;
    let refused = refused.into_iter().map(|(name, n)| (name.replace("zhiyin_arrivals_refused_total", ""), n));
    assert_eq!(refused.collect::<BTreeMap<String, u64>>(), wanted);
    market.engine.work_on_arrivals(None, zhiyin_engine::clock::wall()).await.unwrap();
    assert_eq!(market.placed("shopify1").await, None);
    // What the shop did send comes to one thing, however often it is sent again, and is answered as it wants it.
    market.act("faults", json!({"none": true})).await;
    market.orders("youzan", "Y2", (2, "+8613900000002"), 5_000).await;
    market.goes_on(MINUTE_MS).await;
    for _ in 0..3 {
        let again = market.act("shops/tell", json!({"on": "youzan", "what": "again"})).await;
        assert_eq!(
            (again["status"].as_u64(), again["body"].as_str()),
            (Some(200), Some(r#"{"code":0,"msg":"success"}"#))
        );
        market.goes_on(MINUTE_MS).await;
    }
    let member = market.member("phone", "+8613900000002").await.unwrap();
    assert_eq!(member.account(Asset::Points).active, 50);
    market.ends().await;
}

#[tokio::test]
async fn what_was_before_is_read_from_a_day_on_and_goes_on_where_it_was_broken_off() {
    for (n, on) in SHOPS.into_iter().enumerate() {
        let market = Market::new(On::Sqlite, 7, usual()).await;
        market.act("faults", json!({"callback_lost": 1_000})).await;
        let since = zhiyin_engine::clock::wall();
        for n in 0..320 {
            let number = format!("B{n}");
            market.orders(on, &number, (n, &phone(usize::try_from(n).unwrap())), 5_000).await;
        }
        // As if it had been before the home knew of the shop: only what changes from now on is looked for.
        market.act("clock/advance", json!({"ms": 3_600_000})).await;
        let at = market.shops.iter().find(|at| at.shop.channel() == on).unwrap();
        market.engine.look_back(at, Ts(since.0 - 60_000_000), zhiyin_engine::clock::wall()).await.unwrap();
        market.act("faults", json!({"call_server_error": 1_000})).await;
        let (found, stopped) =
            market.engine.look_through(at, zhiyin_engine::clock::wall).await.unwrap().unwrap();
        assert_eq!((found.n, stopped.unwrap().trouble.why()), (0, "system_error"), "{on} {n}");
        market.act("faults", json!({"none": true})).await;
        market.act("clock/advance", json!({"ms": MINUTE_MS})).await;
        let (found, stopped) =
            market.engine.look_through(at, zhiyin_engine::clock::wall).await.unwrap().unwrap();
        assert!(stopped.is_none() && found.n_pages >= 2, "{on}: {found:?}");
        market.works().await;
        market.works().await;
        assert_eq!(is_as_it_is(&market, on).await, 320);
        market.ends().await;
    }
}

#[tokio::test]
async fn what_orders_mean_is_what_the_brand_says() {
    let orders = json!({"counts": "placed", "refunds": "note", "number": "id", "channel": "mini"});
    let changes = json!({
        "/shopify/main/orders": orders, "/shopify/main/customers": {"known_by": ["customer"], "namespace": "crm"},
    });
    let market = Market::new(On::Sqlite, 10, changes).await;
    let order = |number: &str, customer: u64| {
        json!({
            "on": "shopify", "number": number, "customer": customer, "phone": "+8613900000001", "paid": false,
            "lines": [{"product": "bag", "pieces": 1, "cents": 5_000}],
        })
    };
    let id = market.act("shops/order", order("I1", 8)).await["id"].to_string();
    market.goes_on(MINUTE_MS).await;
    let member = market.member("crm", "8").await.unwrap();
    assert_eq!(member.account(Asset::Points).active, 50, "it counts once it is placed");
    assert_eq!(market.member("phone", "+8613900000001").await.map(|member| member.id), None);
    assert_eq!(market.placed(&id).await.unwrap().channel.as_deref(), Some("mini"));
    market.act("shops/pay", json!({"on": "shopify", "number": "I1"})).await;
    market.goes_on(MINUTE_MS).await;
    market.act("shops/refund", json!({"on": "shopify", "number": "I1", "cents": 2_000})).await;
    market.goes_on(5 * MINUTE_MS).await;
    let known = market.placed(&id).await.unwrap();
    assert_eq!((known.refunded.0, known.terms.method.as_deref()), (0, Some("manual")));
    assert_eq!(market.member("crm", "8").await.unwrap().account(Asset::Points).active, 50);
    // Who leaves no name by which anybody is known is nobody.
    let id = market.act("shops/order", order("I2", 0)).await["id"].to_string();
    market.goes_on(MINUTE_MS).await;
    assert_eq!(market.placed(&id).await, None);
    let done = market.came("shopify", "done").await;
    assert!(done.iter().any(|one| one.why.as_deref() == Some("nobody_named")), "{done:?}");
    market.ends().await;
}

#[tokio::test]
async fn an_order_of_more_lines_than_an_item_may_say_is_taken_without_them() {
    let market = Market::new(On::Sqlite, 11, usual()).await;
    let lines: Vec<Value> =
        (0..900).map(|n| json!({"product": format!("sku-{n}-of-many"), "pieces": 1, "cents": 100})).collect();
    let order =
        json!({"on": "mall", "number": "L1", "customer": 1, "phone": "+8613900000001", "lines": lines});
    market.act("shops/order", order).await;
    market.goes_on(MINUTE_MS).await;
    assert_eq!(market.placed("L1").await.unwrap().paid.0, 90_000);
    market.ends().await;
}

#[tokio::test]
async fn a_customer_who_asks_to_be_erased_waits_for_people() {
    let market = Market::new(On::Sqlite, 8, usual()).await;
    market.act("shops/redact", json!({"on": "shopify", "customer": 99})).await;
    market.orders("shopify", "R1", (5, "+8613900000005"), 5_000).await;
    market.goes_on(MINUTE_MS).await;
    market.act("shops/redact", json!({"on": "shopify", "customer": 5})).await;
    market.goes_on(MINUTE_MS).await;
    // Nobody bears the first one's number.
    let failed = market.came("shopify", "failed").await;
    let member = market.member("shopify:main", "5").await.unwrap().id;
    let why: Vec<_> = failed.iter().map(|one| one.why.clone()).collect();
    assert_eq!(why, [Some(format!("erasure_asked: {member}"))]);
    market.ends().await;
}

#[tokio::test]
async fn what_was_set_up_is_checked_and_a_body_is_tried_by_its_fields() {
    let market = Market::new(On::Sqlite, 9, usual()).await;
    for ((channel, account), shop) in &market.platforms.shops {
        let steps = shop.check(&format!("https://vip.shop.example/v1/callbacks/{channel}/{account}")).await;
        assert!(steps.iter().all(|step| step.health == Health::Well), "{channel}: {steps:?}");
    }
    let mall = &market.platforms.shops[&("webhook".to_owned(), "mall".to_owned())];
    let tried = |body: Value| match mall.tried("", body.to_string().as_bytes()).remove(0).news {
        ShopNews::Unread(fault) => fault.to_string(),
        ShopNews::Order(order) => format!("{} {} {}", order.number, order.total, order.lines.len()),
        other => format!("{other:?}"),
    };
    let whole = json!({"event": "order", "data": {
        "no": "1", "status": "paid", "created": 1_767_574_800_000_i64, "amount": {"total": 1230},
        "items": [{"sku": "a", "qty": 1, "amount": 1230}], "buyer": {"mobile": "13900000000"},
    }});
    assert_eq!(tried(whole.clone()), "1 12.30 1");
    for (path, value, fault) in [
        ("/event", Value::Null, "missing: event"),
        ("/data/no", Value::Null, "missing: data.no"),
        ("/data/no", json!({}), "no_text: data.no"),
        ("/data/created", json!("soon"), "no_time: data.created"),
        ("/data/amount/total", json!("much"), "no_amount: data.amount.total"),
        ("/data/items", json!({}), "no_list: data.items"),
        ("/data/items/0/sku", Value::Null, "missing: data.items[0].sku"),
    ] {
        let mut body = whole.clone();
        *body.pointer_mut(path).unwrap() = value;
        assert_eq!(tried(body), fault);
    }
    market.ends().await;
}
