//! Codes of partners through the pipeline: uploaded once, each handed out once, shown to whoever may see it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use zhiyin_engine::coupons::CouponView;
use zhiyin_engine::coupons::codes::CodeUploadView;
use zhiyin_engine::sealing;
use zhiyin_model::mask::Mask;
use zhiyin_model::role::{Bound, Filter, Grant, Operation};
use zhiyin_model::time::Day;
use zhiyin_store::seal::envelope::Key;
use zhiyin_store::seal::keystore::Keystore;
use zhiyin_store::seal::vault::{Vault, new_mark};
use zhiyin_store_sqlite::FileKeystore;

use crate::home::{Home, KEY, at};
use crate::items::{order, track};

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
partners:
  cinema: { name: { zh: 影院, en: Cinema }, ours: { zh: 样品, en: A sample }, theirs: { zh: 电影票, en: A ticket } }
offers:
  film: { name: { zh: 电影票, en: Film }, service: { zh: 电影票, en: A ticket }, claim: {}, coupon: { valid: 30d, codes: cinema }, limit: 2 per member }
  thanks: { name: { zh: 谢谢, en: Thanks }, give: film, spend: 50 }
  plain: { name: { zh: 普通券, en: Plain }, lane: coupon, off: 5, coupon: { valid: 3d } }
";

const NOW: &str = "2024-05-01T04:00:00Z";

fn system() -> Grant {
    Grant::system("test")
}

fn claim(id: &str, who: &str, when: &str) -> Value {
    track(id, who, "Coupon Claimed", when, json!({"offer": "film"}))
}

/// A home that is live, with so many members who bought for ¥10 once.
async fn live(members: usize) -> Home {
    let home = Home::new(PLAYBOOK).await;
    let all: Vec<Value> = (0..members)
        .map(|n| order(&format!("o{n}"), &format!("m{n}"), &n.to_string(), "2024-04-01T04:00:00Z", "10"))
        .collect();
    home.live_through(&all).await;
    home.now_is(at(NOW)).await;
    home
}

/// Uploads codes `PREFIX-0000` and so on.
async fn upload(home: &Home, name: &str, n: usize, until: Option<&str>) -> CodeUploadView {
    let engine = home.engine();
    let until = until.map(|day| Day::parse(day).unwrap());
    engine.begin_code_upload(&system(), (name, "film"), until).await.unwrap().unwrap();
    let codes: Vec<(u64, String)> = (0..n).map(|n| (n as u64 + 1, format!("{name}-{n:04}"))).collect();
    let mut parts = 0;
    for part in codes.chunks(40) {
        engine.put_codes(name, parts, part.to_vec()).await.unwrap().unwrap();
        parts += 1;
    }
    engine.end_code_upload(&system(), name, parts).await.unwrap().unwrap()
}

async fn of(home: &Home, who: &str) -> Vec<CouponView> {
    let member = home.member(who).await.member.id;
    home.engine().coupons_of_member(member).await.unwrap()
}

async fn stands(home: &Home, name: &str) -> (String, i64, i64, i64) {
    let view = home.engine().code_upload_view(name).await.unwrap().unwrap();
    (view.state, view.handed_out, view.withdrawn, view.left)
}

/// Two processes hand out a hundred codes to a hundred and fifty members: each code once, nobody without one while there are some.
#[tokio::test]
async fn c5_of_a_hundred_codes_each_is_one_members() {
    let home = live(150).await;
    assert_eq!(upload(&home, "film", 100, None).await.left, 100);
    let claims: Vec<Value> = (0..150).map(|n| claim(&format!("c{n}"), &format!("m{n}"), NOW)).collect();
    home.accept_live("shop", &claims, at(NOW)).await;
    let second = home.second_engine().await;
    let (one, two) =
        tokio::join!(home.engine().drain(7, Some(at(NOW)), |_| ()), second.drain(11, Some(at(NOW)), |_| ()));
    one.unwrap();
    two.unwrap();
    let mut codes = BTreeSet::new();
    for member in 0..150 {
        for coupon in of(&home, &format!("m{member}")).await {
            assert!(codes.insert(coupon.partner_code.unwrap()));
        }
    }
    assert_eq!(codes.len(), 100);
    assert_eq!(stands(&home, "film").await, ("used_up".to_owned(), 100, 0, 0));
    let refusals = home.refusals().await;
    assert!(refusals.iter().all(|one| one.ends_with("out_of_stock @properties.offer")), "{refusals:?}");
    assert_eq!(refusals.len(), 50);
    assert!(home.engine().is_sold_out("film").await.unwrap());
    home.healthy().await;
}

/// What was shown is handed out to nobody else, whatever becomes of its coupon; what was not can be withdrawn, and come again.
#[tokio::test]
async fn c5_a_code_that_was_shown_is_never_handed_out_again() {
    let home = live(3).await;
    upload(&home, "film", 3, None).await;
    home.accept_live("shop", &[claim("c0", "m0", NOW), claim("c1", "m1", NOW)], at(NOW)).await;
    home.settle().await;
    let [hers] = of(&home, "m0").await.try_into().unwrap();
    assert_eq!(hers.partner_code.as_deref(), Some("film-0000"));
    let back = track("w0", "m0", "Coupon Withdrawn", NOW, json!({"coupon": hers.id}));
    home.accept_live("desk", &[back, claim("c2", "m2", NOW)], at(NOW)).await;
    home.settle().await;
    assert_eq!(of(&home, "m2").await[0].partner_code.as_deref(), Some("film-0002"));
    assert_eq!(stands(&home, "film").await, ("used_up".to_owned(), 3, 0, 0));
    home.healthy().await;
    // More come: the two that are left are withdrawn, and come again with another upload.
    upload(&home, "more", 3, None).await;
    home.accept_live("shop", &[claim("c3", "m0", NOW)], at(NOW)).await;
    home.settle().await;
    let engine = home.engine();
    let view = engine.withdraw_code_upload(&system(), "more", "closed").await.unwrap().unwrap();
    assert_eq!((view.state.as_str(), view.handed_out, view.withdrawn, view.left), ("withdrawn", 1, 2, 0));
    let again = engine.withdraw_code_upload(&system(), "more", "closed").await.unwrap().unwrap();
    assert_eq!(again, view);
    home.accept_live("shop", &[claim("c4", "m1", NOW)], at(NOW)).await;
    home.settle().await;
    assert_eq!(home.refusals().await, ["c4: out_of_stock @properties.offer"]);
    engine.begin_code_upload(&system(), ("again", "film"), None).await.unwrap().unwrap();
    let codes = (0..3u64).map(|n| (n + 1, format!("more-{n:04}"))).collect();
    let part = engine.put_codes("again", 0, codes).await.unwrap().unwrap();
    assert_eq!((part.codes, part.known), (2, 1));
    assert_eq!((part.doubles[0].line, part.doubles[0].upload.as_str()), (1, "more"));
    home.healthy().await;
}

/// What ends first is handed out first, nothing of what is over, and a coupon is good no longer than its code.
#[tokio::test]
async fn c5_codes_end_on_their_day_and_their_coupons_with_them() {
    let home = live(3).await;
    upload(&home, "later", 2, Some("2024-05-10")).await;
    upload(&home, "soon", 1, Some("2024-05-02")).await;
    upload(&home, "always", 1, None).await;
    home.accept_live("shop", &[claim("c0", "m0", NOW), claim("c1", "m1", NOW)], at(NOW)).await;
    home.settle().await;
    let shown = async |who: &str| {
        let all = of(&home, who).await.into_iter();
        all.map(|one| (one.partner_code.unwrap(), one.valid_until.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(shown("m0").await, [("soon-0000".to_owned(), "2024-05-02T16:00:00Z".to_owned())]);
    assert_eq!(shown("m1").await, [("later-0000".to_owned(), "2024-05-10T16:00:00Z".to_owned())]);
    home.until(at("2024-05-11T00:00:00Z")).await;
    assert_eq!(of(&home, "m1").await[0].state, "expired");
    let late = "2024-05-11T04:00:00Z";
    home.accept_live("shop", &[claim("c2", "m2", late)], at(late)).await;
    home.settle().await;
    assert_eq!(shown("m2").await, [("always-0000".to_owned(), "2024-06-09T16:00:00Z".to_owned())]);
    assert_eq!(stands(&home, "later").await, ("whole".to_owned(), 1, 0, 1));
    home.now_is(at(late)).await;
    assert!(home.engine().is_sold_out("film").await.unwrap(), "what is over is not left");
    home.healthy().await;
}

/// An order that gives a coupon gives its code; where none is left, that is said and stops nothing.
#[tokio::test]
async fn c5_an_order_gives_a_code_and_goes_on_without_one() {
    let home = live(2).await;
    upload(&home, "film", 1, None).await;
    let buys = |id: &str, who: &str| order(id, who, id, NOW, "60");
    home.accept_live("till", &[buys("b0", "m0"), buys("b1", "m1")], at(NOW)).await;
    home.settle().await;
    assert_eq!(home.refusals().await, [""; 0]);
    assert_eq!(of(&home, "m0").await[0].partner_code.as_deref(), Some("film-0000"));
    assert_eq!(of(&home, "m1").await, []);
    let said: Vec<String> =
        home.member("m1").await.timeline.iter().map(|(_, name, _)| name.clone()).collect();
    assert!(said.contains(&"Coupon Not Issued".to_owned()), "{said:?}");
    home.healthy().await;
}

#[tokio::test]
async fn an_upload_is_refused_by_name_and_said_again_changes_nothing() {
    let home = live(0).await;
    let engine = home.engine();
    let begin = async |name: &str, offer: &str, until: Option<&str>| {
        let until = until.map(|day| Day::parse(day).unwrap());
        let begun = engine.begin_code_upload(&system(), (name, offer), until).await.unwrap();
        begun.map_err(|refusal| (refusal.code, refusal.field)).map(|upload| upload.no)
    };
    let refused = |code, field: &str| Err((code, field.to_owned()));
    assert_eq!(begin("a", "plain", None).await, refused("offer_unknown", "offer"));
    assert_eq!(begin("a", "nothing", None).await, refused("offer_unknown", "offer"));
    assert_eq!(begin("A B", "film", None).await, refused("bad_text", "batch"));
    assert_eq!(begin("a", "film", Some("2024-04-30")).await, refused("bad_date", "valid_until"));
    let no = begin("a", "film", Some("2024-05-01")).await;
    assert_eq!((no.is_ok(), begin("a", "film", Some("2024-05-01")).await), (true, no));
    assert_eq!(begin("a", "film", None).await, refused("batch_reused", "batch"));
    let put = async |name: &str, part: i64, codes: &[&str]| {
        let codes = (1u64..).zip(codes.iter().map(ToString::to_string)).collect();
        let put = engine.put_codes(name, part, codes).await.unwrap();
        put.map(|part| part.codes).map_err(|refusal| (refusal.code, refusal.field))
    };
    assert_eq!(put("b", 0, &["x"]).await, refused("code_upload_unknown", "batch"));
    assert_eq!(put("a", -1, &["x"]).await, refused("bad_number", "part"));
    assert_eq!(put("a", 0, &[]).await, refused("too_many_codes", "codes"));
    assert_eq!(put("a", 0, &["x", " "]).await, refused("bad_text", "codes[1]"));
    let long = "x".repeat(256);
    assert_eq!(put("a", 0, &[&long]).await, refused("text_too_long", "codes[0]"));
    assert_eq!((put("a", 0, &["x", " x "]).await, put("a", 0, &["x", "x"]).await), (Ok(1), Ok(1)));
    assert_eq!(put("a", 0, &["y"]).await, refused("part_reused", "part"));
    let end = async |name: &str, parts| {
        let ended = engine.end_code_upload(&system(), name, parts).await.unwrap();
        ended
            .map(|view| (view.state, view.codes, view.twice))
            .map_err(|refusal| (refusal.code, refusal.message))
    };
    assert_eq!(end("a", 2).await, Err(("parts_missing", "part 1 is missing".to_owned())));
    let whole = Ok(("whole".to_owned(), 1, 1));
    assert_eq!((end("a", 1).await, end("a", 1).await), (whole.clone(), whole));
    assert_eq!(put("a", 1, &["y"]).await, refused("upload_ended", "part"));
    // One that cannot be brought to its end is withdrawn as it is, and its codes may come again.
    for name in ["b", "c"] {
        engine.begin_code_upload(&system(), (name, "film"), None).await.unwrap().unwrap();
        assert_eq!(put(name, 1, &["p", "q"]).await, Ok(2), "{name}");
        let view = engine.withdraw_code_upload(&system(), name, "x").await.unwrap().unwrap();
        assert_eq!((view.state.as_str(), view.withdrawn, view.left), ("withdrawn", 2, 0), "{name}");
        assert_eq!(put(name, 0, &["r"]).await, refused("upload_ended", "part"), "{name}");
    }
    home.healthy().await;
}

/// A code is shown whole to whoever may see the member whole, and to others masked or not at all.
#[tokio::test]
async fn a_code_is_shown_as_far_as_a_role_sees() {
    let home = live(1).await;
    upload(&home, "film", 1, None).await;
    home.accept_live("shop", &[claim("c0", "m0", NOW)], at(NOW)).await;
    home.settle().await;
    let [coupon] = of(&home, "m0").await.try_into().unwrap();
    let all = home.engine().filter(&system(), Operation::MemberRead).await.unwrap();
    for (mask, shown) in [
        (Mask::Full, Some("film-0000".to_owned())),
        (Mask::Masked, Mask::Masked.identifier("code", "film-0000")),
        (Mask::Hidden, None),
    ] {
        let filter = Filter { mask, bound: Bound::Everything, ..all.clone() };
        let whole = home.engine().coupon(&filter, &coupon.code, "code").await.unwrap().unwrap();
        assert_eq!(whole.coupon.partner_code, shown, "{mask:?}");
    }
    assert_ne!(Mask::Masked.identifier("code", "film-0000").as_deref(), Some("film-0000"));
}

/// Codes that came in before a home was sealed are sealed with it, and open for who holds them.
#[tokio::test]
async fn codes_are_sealed_with_their_home() {
    let home = live(1).await;
    upload(&home, "film", 3, None).await;
    home.accept_live("shop", &[claim("c0", "m0", NOW)], at(NOW)).await;
    home.settle().await;
    let digest = home.digest().await;
    let keystore: Arc<dyn Keystore> = Arc::new(FileKeystore::open(&home.keys()).unwrap());
    let made = Vault::make(keystore, Key::from_bytes([5; 32]), &KEY, new_mark().unwrap(), true);
    let store = home.engine().store();
    store.personal().unwrap().keep_vault(made.unwrap());
    sealing::seal_home(store.as_ref(), |_| ()).await.unwrap();
    home.healthy().await;
    assert_eq!(home.digest().await, digest);
    assert_eq!(of(&home, "m0").await[0].partner_code.as_deref(), Some("film-0000"));
    upload(&home, "more", 2, None).await;
    home.accept_live("shop", &[claim("c1", "m0", NOW)], at(NOW)).await;
    home.settle().await;
    assert_eq!(home.refusals().await, [""; 0]);
    home.healthy().await;
}

/// How batches fall does not matter, nor to the digest who got which code.
#[tokio::test]
async fn s16_codes_are_the_same_whatever_the_batches() {
    let (mut digests, mut codes) = (BTreeSet::new(), BTreeSet::new());
    // Where several work at a time, whose batch is written first has the first code, and the last.
    let one_works = crate::home::on_postgres().is_none();
    let n_codes = if one_works { 30 } else { 50 };
    for batch in [1, 3, 64] {
        let home = live(20).await;
        upload(&home, "film", n_codes, None).await;
        let all: Vec<Value> =
            (0..40).map(|n| claim(&format!("c{n}"), &format!("m{}", n % 20), NOW)).collect();
        home.accept_live("shop", &all, at(NOW)).await;
        home.engine().drain(batch, Some(at("2024-05-06T20:00:00Z")), |_| ()).await.unwrap();
        digests.insert(home.digest().await);
        codes.insert(of(&home, "m7").await.into_iter().map(|one| one.partner_code).collect::<Vec<_>>());
        home.healthy().await;
    }
    assert_eq!(digests.len(), 1);
    if one_works {
        assert_eq!(codes.len(), 1);
    }
}
