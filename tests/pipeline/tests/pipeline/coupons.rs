//! Coupons through the pipeline: never more than there are, each once, whoever decides, whatever stops, whoever turns out to be one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::coupons::CouponView;
use zhiyin_model::event::Identifier;
use zhiyin_model::role::Grant;

use crate::home::{Home, at};
use crate::items::{order, track};

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
offers:
  scarce: { name: { zh: 限量券, en: Scarce }, lane: coupon, off: 5, coupon: { valid: 7d, remind: 2d }, limit: 1 per member, stock: 100 }
  last: { name: { zh: 最后一张, en: Last }, lane: coupon, off: 5, coupon: { valid: 3d }, stock: 1 }
  plenty: { name: { zh: 普通券, en: Plenty }, lane: coupon, off: 5, coupon: { valid: 3d } }
";

const NOW: &str = "2024-05-01T04:00:00Z";

fn give(id: &str, who: &str, offer: &str) -> Value {
    track(id, who, "Coupon Issued", NOW, json!({"offer": offer}))
}

/// A home that is live, with so many members who bought once.
async fn live(members: usize) -> Home {
    live_under(PLAYBOOK, members).await
}

async fn live_under(playbook: &str, members: usize) -> Home {
    let home = Home::new(playbook).await;
    let all: Vec<Value> = (0..members)
        .map(|n| order(&format!("o{n}"), &format!("m{n}"), &n.to_string(), "2024-04-01T04:00:00Z", "10"))
        .collect();
    home.live_through(&all).await;
    home.now_is(at(NOW)).await;
    home
}

async fn of(home: &Home, who: &str) -> Vec<CouponView> {
    let member = home.member(who).await.member.id;
    home.engine().coupons_of_member(member).await.unwrap()
}

async fn taken(home: &Home, offer: &str) -> i64 {
    let pool = format!("offer/{offer}/stock");
    home.engine().store().coupons().pools(vec![pool]).await.unwrap().into_values().sum()
}

fn system() -> Grant {
    Grant::system("test")
}

/// Peers issued 149 of 100, or let a limit of one be passed by who was quick (§3: 1, 8, 9).
#[tokio::test]
async fn of_a_hundred_exactly_a_hundred_are_issued_and_one_a_member() {
    let home = live(150).await;
    let twice: Vec<Value> =
        (0..300).map(|n| give(&format!("c{n}"), &format!("m{}", n % 150), "scarce")).collect();
    home.accept_live("till", &twice, at(NOW)).await;
    let second = home.second_engine().await;
    let (one, two) =
        tokio::join!(home.engine().drain(7, Some(at(NOW)), |_| ()), second.drain(11, Some(at(NOW)), |_| ()));
    one.unwrap();
    two.unwrap();
    let mut n = 0;
    for member in 0..150 {
        let coupons = of(&home, &format!("m{member}")).await;
        assert!(coupons.len() <= 1, "m{member} has {}", coupons.len());
        n += coupons.len();
    }
    assert_eq!((n, taken(&home, "scarce").await), (100, 100));
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for letter in home.dead().await {
        *codes.entry(letter.code).or_default() += 1;
    }
    assert_eq!(codes, BTreeMap::from([("limit_reached".to_owned(), 100), ("out_of_stock".to_owned(), 100)]));
    home.healthy().await;
}

#[tokio::test]
async fn a_coupon_reminds_and_expires_by_itself_and_its_code_finds_it() {
    let home = live(1).await;
    home.accept_live("till", &[give("c1", "m0", "scarce")], at(NOW)).await;
    home.settle().await;
    let [coupon] = of(&home, "m0").await.try_into().unwrap();
    assert_eq!((coupon.state.as_str(), coupon.offer.as_str()), ("active", "scarce"));
    let everything =
        home.engine().filter(&system(), zhiyin_model::role::Operation::CouponsIssue).await.unwrap();
    let typed = coupon.code.to_lowercase().replace('-', " ");
    let whole = home.engine().coupon(&everything, &typed, "code").await.unwrap().unwrap();
    assert_eq!(whole.coupon, coupon);
    assert_eq!(whole.terms["id"], "scarce");
    assert!(home.engine().coupon(&everything, "0000-0000-0000-0000", "code").await.unwrap().is_err());
    home.until(at("2024-05-20T00:00:00Z")).await;
    let said: Vec<String> =
        home.member("m0").await.timeline.iter().map(|(_, name, _)| name.clone()).collect();
    // What was asked, and what came of it.
    for (name, n) in [("Coupon Issued", 2), ("Coupon Expiring", 1), ("Coupon Expired", 1)] {
        assert_eq!(said.iter().filter(|one| *one == name).count(), n, "{name} in {said:?}");
    }
    assert_eq!(of(&home, "m0").await[0].state, "expired");
    // What expired stays taken: it was issued.
    assert_eq!(taken(&home, "scarce").await, 1);
    home.healthy().await;
}

#[tokio::test]
async fn what_is_imported_as_history_issues_nothing() {
    let home = live(1).await;
    home.accept(&[give("c1", "m0", "plenty")]).await;
    home.settle().await;
    assert_eq!(of(&home, "m0").await, []);
    assert_eq!(home.dead().await[0].code, "history_issues_nothing");
}

#[tokio::test]
async fn a_merge_keeps_every_coupon_once_and_parting_gives_them_back() {
    let home = live(2).await;
    home.accept_live("till", &[give("c1", "m0", "plenty"), give("c2", "m1", "plenty")], at(NOW)).await;
    home.settle().await;
    let (hers, his) = (of(&home, "m0").await, of(&home, "m1").await);
    let names = ["m0", "m1"].map(|who| Identifier { namespace: "user".to_owned(), value: who.to_owned() });
    assert_eq!(home.engine().merge(&names, "one person").await.unwrap(), Verdict::Accepted);
    home.settle().await;
    let codes = |coupons: &[CouponView]| {
        let mut codes: Vec<String> = coupons.iter().map(|coupon| coupon.code.clone()).collect();
        codes.sort();
        codes
    };
    let both: Vec<CouponView> = hers.iter().chain(&his).cloned().collect();
    assert_eq!(codes(&of(&home, "m0").await), codes(&both));
    home.healthy().await;
    assert_eq!(home.engine().unmerge(&names[1..], "two people").await.unwrap(), Verdict::Accepted);
    home.settle().await;
    assert_eq!(codes(&of(&home, "m0").await), codes(&hers));
    assert_eq!(codes(&of(&home, "m1").await), codes(&his));
    home.healthy().await;
    home.until(at("2024-05-20T00:00:00Z")).await;
    assert!(of(&home, "m1").await.iter().all(|coupon| coupon.state == "expired"));
    home.healthy().await;
}

/// Issued again it is the same, whatever was stopped where.
#[tokio::test]
async fn an_issue_to_many_reaches_everybody_once() {
    let mut home = live(120).await;
    let said = ("spring", "scarce", "true");
    let issue = home.engine().begin_issue(&system(), said).await.unwrap().unwrap();
    assert_eq!(issue.listed, Some((120, 1)));
    assert_eq!(home.engine().issue_view(issue.no).await.unwrap().unwrap().state, "issuing");
    home.engine().take_in_issue(&issue, |_| ()).await.unwrap();
    home.reopen().await;
    // Whoever does not know that it was taken in takes it in again: each item is there already.
    let again = home.engine().begin_issue(&system(), said).await.unwrap().unwrap();
    assert_eq!(again, issue);
    home.engine().take_in_issue(&again, |_| ()).await.unwrap();
    home.settle().await;
    let view = home.engine().issue_view(issue.no).await.unwrap().unwrap();
    assert_eq!((view.state.as_str(), view.members, view.issued), ("done", Some(120), 100));
    assert_eq!(view.not_issued, BTreeMap::from([("out_of_stock".to_owned(), 20)]));
    assert_eq!(home.dead().await.len(), 0, "nobody need look at whom it did not reach");
    let refused = home.engine().begin_issue(&system(), ("spring", "plenty", "true")).await.unwrap();
    assert_eq!(refused.unwrap_err().code, "batch_reused");
    let refused = home.engine().begin_issue(&system(), ("more", "nothing", "true")).await.unwrap();
    assert_eq!(refused.unwrap_err().code, "offer_unknown");
    // Another one to a condition: those who have theirs are not reached.
    let some = ("few", "plenty", "size(orders) == 1");
    let issue = home.engine().begin_issue(&system(), some).await.unwrap().unwrap();
    home.engine().take_in_issue(&issue, |_| ()).await.unwrap();
    home.settle().await;
    let view = home.engine().issue_view(issue.no).await.unwrap().unwrap();
    assert_eq!((view.state.as_str(), view.issued), ("done", 120));
    home.healthy().await;
}

/// The pool is read once a batch: what the batch gave back before it had to know is there.
#[tokio::test]
async fn a_piece_that_comes_back_is_there_for_the_next_of_the_same_batch() {
    let home = live(2).await;
    home.accept_live("till", &[give("c0", "m0", "last")], at(NOW)).await;
    home.settle().await;
    let held = of(&home, "m0").await[0].id.clone();
    let back = track("w0", "m0", "Coupon Withdrawn", NOW, json!({"coupon": held}));
    home.accept_live("till", &[back, give("c1", "m1", "last")], at(NOW)).await;
    home.settle().await;
    assert_eq!(of(&home, "m1").await.len(), 1, "{:?}", home.dead().await);
    assert_eq!(taken(&home, "last").await, 1);
    home.healthy().await;
}

#[tokio::test]
async fn who_was_interrupted_while_members_are_written_down_goes_on_behind_them() {
    let home = live(120).await;
    let engine = home.engine();
    // A condition that does not read takes no name.
    assert!(engine.begin_issue(&system(), ("spring", "plenty", "size(")).await.is_err());
    let whole = engine.begin_issue(&system(), ("all", "plenty", "true")).await.unwrap().unwrap();
    let everybody = engine.store().coupons().issue_part(whole.no, 0).await.unwrap().unwrap();
    let asked = zhiyin_store::coupons::NewIssue {
        name: "spring".to_owned(),
        offer: "plenty".to_owned(),
        audience: "true".to_owned(),
        by: "system:test".to_owned(),
        at: at(NOW),
    };
    let begun = engine.store().coupons().begin_issue(asked).await.unwrap();
    engine.store().coupons().put_issue_part(begun.no, 0, everybody[..50].to_vec()).await.unwrap();
    let issue = engine.begin_issue(&system(), ("spring", "plenty", "true")).await.unwrap().unwrap();
    assert_eq!((issue.no, issue.listed), (begun.no, Some((120, 2))));
    engine.take_in_issue(&issue, |_| ()).await.unwrap();
    home.settle().await;
    let view = engine.issue_view(issue.no).await.unwrap().unwrap();
    assert_eq!((view.state.as_str(), view.issued), ("done", 120));
}

#[tokio::test]
async fn o5_once_a_second_person_was_asked_it_is_their_answer_that_counts() {
    let few =
        PLAYBOOK.replace("extends: variety-store\n", "extends: variety-store\nalone: { members: 100 }\n");
    let home = live_under(&few, 120).await;
    let engine = home.engine();
    let [asks, answers] = ["ann", "bob"].map(|who| Grant {
        who: format!("staff:{who}"),
        staff: Some(who.to_owned()),
        ..system()
    });
    let issue = engine.begin_issue(&asks, ("spring", "plenty", "true")).await.unwrap().unwrap();
    assert!(!engine.may_take_in(&asks, &issue).await.unwrap());
    let view = async || engine.issue_view(issue.no).await.unwrap().unwrap();
    assert_eq!(view().await.state, "waiting");
    // One person may decide it alone from now on: who was asked has to answer all the same.
    let (wider, _) = zhiyin_engine::playbooks::read_given(PLAYBOOK).unwrap();
    engine.apply(&wider).await.unwrap();
    assert!(!engine.may_take_in(&asks, &issue).await.unwrap());
    let no = view().await.approval.unwrap();
    let store = engine.store().as_ref();
    zhiyin_engine::approvals::answer_at(store, &answers, no, false, at(NOW)).await.unwrap();
    assert!(!engine.may_take_in(&asks, &issue).await.unwrap());
    assert_eq!((view().await.state.as_str(), view().await.issued), ("refused", 0));
}

/// While nothing runs out, how batches fall does not matter.
#[tokio::test]
async fn s16_coupons_are_the_same_whatever_the_batches() {
    let mut digests = std::collections::BTreeSet::new();
    for batch in [1, 3, 64] {
        let home = live(20).await;
        let all: Vec<Value> =
            (0..40).map(|n| give(&format!("c{n}"), &format!("m{}", n % 20), "scarce")).collect();
        home.accept_live("till", &all, at(NOW)).await;
        home.engine().drain(batch, Some(at("2024-05-06T20:00:00Z")), |_| ()).await.unwrap();
        digests.insert(home.digest().await);
    }
    assert_eq!(digests.len(), 1);
}
