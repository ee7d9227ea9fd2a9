//! Draws through the pipeline (R11): committed to before, closed, drawn once, verifiable, rolled on.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zhiyin_decide::draw::{Entries, Prize, Terms, commitment, draw};
use zhiyin_engine::command::Whom;
use zhiyin_engine::coupons::CouponView;
use zhiyin_model::event::Identifier;
use zhiyin_model::role::{Grant, Operation};

use crate::home::{Home, at};
use crate::items::{about, order, track};

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
offers:
  ticket: { name: { zh: 门票, en: Ticket }, gift: { product: ticket }, coupon: { valid: 7d }, stock: 3 }
draws:
  concert:
    name: { zh: 演唱会门票抽奖, en: Concert }
    from: 2024-05-01
    until: 2024-05-03
    prizes: [{ offer: ticket, pieces: 3 }]
    alternates: 4
    public_source: the lottery of 5 May
";

const BEFORE: &str = "2024-04-30T04:00:00Z";
const NOW: &str = "2024-05-01T04:00:00Z";
const OVER: &str = "2024-05-04T04:00:00Z";
const VALUE: &str = "05 09 11";

fn user(n: usize) -> Identifier {
    Identifier { namespace: "user".to_owned(), value: format!("m{n}") }
}

fn system() -> Grant {
    Grant::system("test")
}

async fn of(home: &Home, n: usize) -> Vec<CouponView> {
    let member = home.member(&format!("m{n}")).await.member.id;
    let coupons = home.engine().coupons_of_member(member).await.unwrap();
    coupons.into_iter().filter(|coupon| coupon.offer == "ticket").collect()
}

/// A home with a draw that is open, and ten members who bought: the n-th n times, the tenth nothing that stayed.
async fn entered() -> Home {
    let home = Home::new(PLAYBOOK).await;
    home.live_through(&[order("o", "m1", "0", "2024-04-01T04:00:00Z", "10")]).await;
    home.now_is(at(BEFORE)).await;
    let opened = home.engine().open_draw(&system(), "concert", [7; 32]).await.unwrap().unwrap();
    assert_eq!((opened.state.as_str(), opened.chances), ("open", 0));
    home.now_is(at(NOW)).await;
    let buys =
        |n: usize, i: usize| order(&format!("b{n}-{i}"), &format!("m{n}"), &format!("{n}-{i}"), NOW, "10");
    let mut all: Vec<Value> = (1..10).flat_map(|n| (0..n).map(move |i| buys(n, i))).collect();
    all.push(buys(10, 0));
    all.push(about("c10", "m10", "Order Cancelled", "10-0", NOW));
    home.accept_live("till", &all, at(NOW)).await;
    home.settle().await;
    home
}

async fn code_of(
    result: zhiyin_engine::Result<Result<impl std::fmt::Debug, zhiyin_model::event::Refusal>>,
) -> String {
    result.unwrap().unwrap_err().code.to_owned()
}

#[tokio::test]
async fn r11_a_draw_is_committed_to_closed_and_drawn_once_and_anybody_draws_the_same() {
    let home = entered().await;
    let engine = home.engine();
    let grant = system();
    assert_eq!(code_of(engine.open_draw(&grant, "concert", [8; 32]).await).await, "draw_opened");
    assert_eq!(code_of(engine.open_draw(&grant, "lottery", [8; 32]).await).await, "draw_unknown");
    assert_eq!(code_of(engine.run_draw(&grant, "concert", None).await).await, "draw_not_closed");
    assert_eq!(code_of(engine.close_draw(&grant, "concert").await).await, "draw_running");
    assert_eq!(engine.view_draw("concert").await.unwrap().unwrap().chances, 45);
    home.now_is(at(OVER)).await;
    let closed = engine.close_draw(&grant, "concert").await.unwrap().unwrap();
    assert_eq!((closed.entries, closed.chances), (Some(9), 45));
    assert_eq!(code_of(engine.close_draw(&grant, "concert").await).await, "draw_closed");
    assert!(engine.draw_file("concert").await.unwrap().unwrap()["seed"].is_null(), "nobody knows the seed");
    assert_eq!(code_of(engine.run_draw(&grant, "concert", None).await).await, "no_public_value");
    let drawn = engine.run_draw(&grant, "concert", Some(VALUE)).await.unwrap().unwrap();
    assert_eq!((drawn.state.as_str(), drawn.given.len()), ("drawn", 3));
    assert_eq!(code_of(engine.run_draw(&grant, "concert", Some(VALUE)).await).await, "draw_drawn");
    home.settle().await;
    let file = engine.draw_file("concert").await.unwrap().unwrap();
    assert_eq!(file["commitment"], json!(drawn.commitment));
    assert_eq!(file["entries_hash"], json!(closed.entries_hash));
    // From the file alone.
    let terms = Terms {
        draw: "concert".to_owned(),
        prizes: vec![Prize { prize: "ticket".to_owned(), pieces: 3 }],
        alternates: 4,
        public_source: Some("the lottery of 5 May".to_owned()),
    };
    let entries: Vec<(String, u32)> = serde_json::from_value(file["entries"].clone()).unwrap();
    let seed = file["seed"].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..64).step_by(2).map(|i| u8::from_str_radix(&seed[i..i + 2], 16).unwrap()).collect();
    let seed: [u8; 32] = bytes.try_into().unwrap();
    let hex = |hash: [u8; 32]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(file["commitment"], json!(hex(commitment(&seed))));
    let entries = Entries::close(entries).unwrap();
    assert_eq!(file["entries_hash"], json!(hex(entries.hash())));
    let again = draw(&terms, &entries, &seed, Some(VALUE)).unwrap();
    assert_eq!(file["winners"], json!(again.winners));
    assert_eq!(file["alternates_drawn"], json!(again.alternates));
    // Who won has one ticket, and nobody else; each sees what became of theirs.
    let filter = engine.filter(&grant, Operation::MemberRead).await.unwrap();
    let mut won = 0;
    for n in 1..=9usize {
        let mine = engine.draws_of(&filter, &Whom::Named(user(n)), "id").await.unwrap().unwrap();
        let [mine] = mine.as_slice() else { panic!("m{n}: {mine:?}") };
        assert_eq!(mine.chances, n as u64);
        let has = of(&home, n).await.len();
        assert_eq!(has, usize::from(mine.fate.as_deref() == Some("won")), "m{n}: {mine:?}");
        won += has;
    }
    assert_eq!(won, 3);
    assert_eq!(engine.draws_of(&filter, &Whom::Named(user(10)), "id").await.unwrap().unwrap(), []);
    home.healthy().await;
}

#[tokio::test]
async fn r11_unclaimed_prizes_roll_on_in_the_order_drawn_and_never_are_there_more_than_prizes() {
    let home = entered().await;
    let engine = home.engine();
    let grant = system();
    home.now_is(at(OVER)).await;
    engine.close_draw(&grant, "concert").await.unwrap().unwrap();
    let drawn = engine.run_draw(&grant, "concert", Some(VALUE)).await.unwrap().unwrap();
    home.settle().await;
    assert_eq!(engine.roll_draw("concert").await.unwrap().unwrap(), 0, "nothing is unclaimed yet");
    let revision = async || engine.store().draws().draw("concert").await.unwrap().unwrap().revision;
    let looked = revision().await;
    engine.roll_draws().await.unwrap();
    assert_eq!(revision().await, looked, "it is not looked at before a prize may have ended");
    // The first of them comes for theirs.
    let mut used = 0;
    for n in 1..=9usize {
        for coupon in of(&home, n).await.into_iter().take(1 - used) {
            let redeemed =
                track("r", &format!("m{n}"), "Coupon Redeemed", OVER, json!({"coupon_id": coupon.id}));
            home.accept_live("till", &[redeemed], at(OVER)).await;
            home.settle().await;
            used += 1;
        }
        if used == 1 {
            break;
        }
    }
    let later = "2024-05-20T04:00:00Z";
    home.now_is(at(later)).await;
    home.until(at(later)).await;
    engine.roll_draws().await.unwrap();
    assert_eq!(engine.roll_draw("concert").await.unwrap().unwrap(), 0, "once");
    home.settle().await;
    let view = engine.view_draw("concert").await.unwrap().unwrap();
    let alternates = engine.draw_file("concert").await.unwrap().unwrap()["alternates_drawn"].clone();
    let rolled: Vec<&str> = view.given[3..].iter().map(|given| given.entry.as_str()).collect();
    assert_eq!(json!(rolled), json!([alternates[0], alternates[1]]));
    let entries: BTreeSet<&String> = view.given.iter().map(|given| &given.entry).collect();
    assert_eq!((entries.len(), drawn.given.len()), (5, 3));
    // As many are out as there are.
    let mut states: Vec<String> = Vec::new();
    for n in 1..=9usize {
        states.extend(of(&home, n).await.into_iter().map(|coupon| coupon.state));
    }
    states.sort();
    assert_eq!(states, ["active", "active", "redeemed", "withdrawn", "withdrawn"]);
    home.healthy().await;
}

#[tokio::test]
async fn r11_what_is_committed_to_after_chances_were_given_is_refused() {
    let home = Home::new(PLAYBOOK).await;
    home.live_through(&[order("o", "m1", "0", "2024-04-01T04:00:00Z", "10")]).await;
    home.now_is(at(NOW)).await;
    home.accept_live("till", &[order("b", "m1", "1", NOW, "10")], at(NOW)).await;
    home.settle().await;
    let refused = home.engine().open_draw(&system(), "concert", [7; 32]).await.unwrap().unwrap_err();
    assert_eq!(refused.code, "draw_begun");
    // Nor does anybody issue chances to many.
    let many = home.engine().begin_issue(&system(), ("all", "draw:concert", "true")).await.unwrap();
    assert_eq!(many.unwrap_err().code, "offer_unknown");
}

#[tokio::test]
async fn r11_no_playbook_changes_the_terms_of_an_open_draw_but_what_it_is_called() {
    let home = entered().await;
    let engine = home.engine();
    let apply = async |text: &str| {
        let (playbook, _) = zhiyin_engine::playbooks::read_given(text).unwrap();
        engine.apply(&playbook).await.map_err(|error| error.to_string())
    };
    for (was, is) in [
        ("alternates: 4", "alternates: 5"),
        ("until: 2024-05-03", "until: 2024-05-04"),
        ("public_source: the lottery of 5 May", "spend: 5"),
    ] {
        let refused = apply(&PLAYBOOK.replace(was, is)).await.unwrap_err();
        assert!(refused.starts_with("draw_open: draw concert"), "{is}: {refused}");
    }
    apply(&PLAYBOOK.replace("en: Concert", "en: The concert")).await.unwrap();
    home.now_is(at(OVER)).await;
    engine.close_draw(&system(), "concert").await.unwrap().unwrap();
    apply(&PLAYBOOK.replace("until: 2024-05-03", "until: 2024-06-03")).await.unwrap();
    home.healthy().await;
}
