//! Coupons in the books: every line is what somebody finds who counts the moves one by one, a closed month stays, and what
//! members hold is worth its face.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zhiyin_engine::books::{MonthBook, State};
use zhiyin_model::coupon::CouponMoveKind;
use zhiyin_model::event::Identifier;
use zhiyin_model::month::Month;
use zhiyin_model::role::Grant;
use zhiyin_model::time::{Ts, Zone};
use zhiyin_store::closing::{CouponLine, CouponMoves, Cut};
use zhiyin_store::dump::Value as Cell;

use crate::home::{Home, at};
use crate::items::{order, track};

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
offers:
  five: { name: { zh: 五元券, en: Five }, lane: coupon, spend: 20, off: 5, coupon: { valid: 20d } }
  tenth: { name: { zh: 九折券, en: A tenth }, lane: coupon, pay: 90%, coupon: { valid: 40d } }
  gift: { name: { zh: 礼品券, en: Gift }, gift: { product: tote }, coupon: { valid: 10d } }
";

const NOW: &str = "2024-05-03T04:00:00Z";

fn months(text: &str) -> Month {
    Month::parse(text).unwrap()
}

fn give(id: &str, who: &str, offer: &str, when: &str) -> Value {
    track(id, who, "Coupon Issued", when, json!({"offer": offer}))
}

fn pays(id: &str, who: &str, name: &str, when: &str) -> Value {
    let cart = json!({"lines": [{"product": "bag", "price": 80_00, "quantity": 1}]});
    track(id, who, "Checkout Redeemed", when, json!({"checkout": name, "cart": cart}))
}

async fn send(home: &Home, items: &[Value], when: &str) {
    home.accept_live("till", items, at(when)).await;
    home.settle().await;
    assert_eq!(home.refusals().await, [""; 0]);
}

async fn shown(home: &Home, text: &str) -> MonthBook {
    home.engine().month_books(months(text), months(text)).await.unwrap().remove(0)
}

fn lines(book: &MonthBook, cut: Cut) -> Vec<&CouponLine> {
    book.coupons.iter().flatten().filter(|line| line.cut == cut).collect()
}

/// Offer, columns and worth of what is in all.
fn in_all(book: &MonthBook) -> Vec<(&str, [i64; 9], Option<i64>)> {
    lines(book, Cut::All)
        .into_iter()
        .map(|line| (line.offer.as_str(), line.columns(), line.liability_minor))
        .collect()
}

/// A home that is live, with two members who bought in two stores.
async fn live() -> Home {
    let home = Home::new(PLAYBOOK).await;
    let bought = |n: usize, store: &str| {
        let mut item =
            order(&format!("o{n}"), &format!("m{n}"), &n.to_string(), "2024-04-01T04:00:00Z", "10");
        item["properties"]["store_id"] = store.into();
        item
    };
    home.live_through(&[bought(0, "330"), bought(1, "331")]).await;
    home.now_is(at(NOW)).await;
    home
}

/// Each move of coupons counted by hand: by month of its instant and offer.
async fn counted(home: &Home) -> BTreeMap<(Month, String), (CouponMoves, i64)> {
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let (out, mut rows) = tokio::sync::mpsc::channel::<zhiyin_store::dump::Rows>(4);
    let taking = async {
        let mut counted: BTreeMap<(Month, String), (CouponMoves, i64)> = BTreeMap::new();
        while let Some(part) = rows.recv().await {
            if part.table.name != "coupon_move" {
                continue;
            }
            for row in part.rows {
                let cell = |name: &str| {
                    let place = part.table.columns.iter().position(|(column, _)| *column == name).unwrap();
                    row[place].clone()
                };
                let (Cell::Text(offer), Cell::Int(kind), Cell::Int(when), Cell::Int(given)) =
                    (cell("offer"), cell("kind"), cell("at"), cell("given"))
                else {
                    panic!("{row:?}")
                };
                let kind = CouponMoveKind::from_code(i16::try_from(kind).unwrap()).unwrap();
                let month = Month::of(zone.day(Ts(when)));
                let (moves, money) = counted.entry((month, offer)).or_default();
                moves.add(kind, 1);
                *money += given;
            }
        }
        counted
    };
    let (said, counted) = tokio::join!(home.engine().store().dump(out), taking);
    said.unwrap();
    counted
}

/// Every line of these months adds up, those of a cut to those of all, each month opens with what the one before closed, and what
/// moved is what is counted by hand.
async fn is_right(home: &Home, from: &str, to: &str) {
    let books = home.engine().month_books(months(from), months(to)).await.unwrap();
    let counted = counted(home).await;
    let mut held: BTreeMap<String, i64> = BTreeMap::new();
    for book in &books {
        let sums = |cut: Cut| {
            let mut sums: BTreeMap<&str, [i64; 9]> = BTreeMap::new();
            for line in lines(book, cut) {
                assert_eq!(line.opening + line.moves.sum(), line.closing, "{line:?}");
                let sum = sums.entry(&line.offer).or_default();
                let said = line.columns();
                *sum = std::array::from_fn(|i| sum[i] + said[i]);
            }
            sums
        };
        let all = sums(Cut::All);
        for cut in [Cut::Store, Cut::Tier] {
            assert_eq!(sums(cut), all, "{} {}", book.month, cut.name());
        }
        for offer in ["five", "tenth", "gift"] {
            let line = all.get(offer).copied().unwrap_or_default();
            let (moves, given) = counted.get(&(book.month, offer.to_owned())).copied().unwrap_or_default();
            let opening = held.get(offer).copied().unwrap_or(0);
            let [a, b, c, d, e, f] = moves.columns();
            assert_eq!(
                line,
                [opening, a, b, c, d, e, f, opening + moves.sum(), given],
                "{} {offer}",
                book.month
            );
            held.insert(offer.to_owned(), opening + moves.sum());
        }
    }
}

#[tokio::test]
async fn coupons_are_in_the_books_by_offer_store_and_tier() {
    let home = live().await;
    send(
        &home,
        &[
            give("g1", "m0", "five", NOW),
            give("g2", "m0", "tenth", NOW),
            give("g3", "m1", "five", NOW),
            give("g4", "m1", "gift", NOW),
        ],
        NOW,
    )
    .await;
    // One of each lane: for m1 5 off and the gift.
    let bought = "2024-05-06T04:00:00Z";
    send(&home, &[pays("p0", "m0", "a", bought), pays("p1", "m1", "b", bought)], bought).await;
    home.until(at("2024-05-20T04:00:00Z")).await;
    let may = shown(&home, "2024-05").await;
    assert_eq!(
        in_all(&may),
        [
            ("five", [0, 2, -1, 0, 0, 0, 0, 1, 500], Some(500)),
            ("gift", [0, 1, -1, 0, 0, 0, 0, 0, 0], None),
            ("tenth", [0, 1, -1, 0, 0, 0, 0, 0, 800], None),
        ]
    );
    let stores: Vec<_> =
        lines(&may, Cut::Store).iter().map(|line| (line.offer.clone(), line.value.clone())).collect();
    let named = |offer: &str, store: &str| (offer.to_owned(), store.to_owned());
    assert_eq!(
        stores,
        [named("five", "330"), named("five", "331"), named("gift", "331"), named("tenth", "330")]
    );
    // What was bought comes back whole: one coupon is there again, the other's time is over by then.
    let late = "2024-05-30T04:00:00Z";
    let back = |id: &str, who: &str, name: &str| {
        track(id, who, "Checkout Returned", late, json!({"checkout": name}))
    };
    send(&home, &[back("b0", "m0", "a"), back("b1", "m1", "b")], late).await;
    home.until(at("2024-06-01T04:00:00Z")).await;
    home.now_is(at("2024-06-01T04:00:00Z")).await;
    let may = shown(&home, "2024-05").await;
    assert_eq!(
        in_all(&may),
        [
            ("five", [0, 2, -1, -2, 0, 1, 0, 0, 0], None),
            ("gift", [0, 1, -1, -1, 0, 1, 0, 0, 0], None),
            ("tenth", [0, 1, -1, 0, 0, 1, 0, 1, 0], None),
        ]
    );
    is_right(&home, "2024-04", "2024-06").await;
    home.healthy().await;
}

#[tokio::test]
async fn a_closed_month_of_coupons_stays_and_the_next_opens_with_it() {
    let home = live().await;
    let by = Grant::system("ann");
    send(&home, &[give("g1", "m0", "five", NOW), give("g2", "m1", "tenth", NOW)], NOW).await;
    home.until(at("2024-06-02T04:00:00Z")).await;
    home.now_is(at("2024-06-02T04:00:00Z")).await;
    let april = home.engine().close_books(&by, months("2024-04")).await.unwrap();
    assert_eq!((april.state, april.coupons), (State::Closed, Some(vec![])));
    let may = home.engine().close_books(&by, months("2024-05")).await.unwrap();
    assert_eq!(
        in_all(&may),
        [("five", [0, 1, 0, -1, 0, 0, 0, 0, 0], None), ("tenth", [0, 1, 0, 0, 0, 0, 0, 1, 0], None)]
    );
    home.healthy().await;
    let digest = home.digest().await;
    // They turn out to be one, and buy elsewhere: May stays, June says what went where.
    let names = ["m0", "m1"].map(|who| Identifier { namespace: "user".to_owned(), value: who.to_owned() });
    home.engine().merge(&names, "one person").await.unwrap();
    home.settle().await;
    let june = "2024-06-10T04:00:00Z";
    home.now_is(at(june)).await;
    let withdrawn = home.member("m0").await.member.holdings.coupons.keys().next().unwrap().to_string();
    send(&home, &[track("w1", "m0", "Coupon Withdrawn", june, json!({"coupon": withdrawn}))], june).await;
    assert_eq!(shown(&home, "2024-05").await.coupons, may.coupons);
    let shown = shown(&home, "2024-06").await;
    assert_eq!(in_all(&shown), [("tenth", [1, 0, 0, 0, -1, 0, 0, 0, 0], None)]);
    assert_ne!(home.digest().await, digest);
    is_right(&home, "2024-04", "2024-06").await;
    home.healthy().await;
}
