//! Keys, the audit log and the second person, over a real store.

use std::collections::BTreeSet;

use serde_json::json;
use zhiyin_engine::approvals::{self, ApprovalProblem};
use zhiyin_engine::audit::{self, Outcome, Target, detail};
use zhiyin_engine::keys::{self, Chance, KeyProblem, NewKey, Refused};
use zhiyin_engine::{EngineError, clock};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Denied, Grant, Limits, Operation, Role};
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_store::Store;
use zhiyin_store::audit::Checkpoint;

use crate::home::{Home, KEY};
use crate::playbooks::TEN_DAYS;

fn owner() -> Grant {
    Grant::system("ann")
}

fn chance(n: u8) -> Chance {
    [n; 40]
}

fn of(role: Role) -> NewKey {
    let (place, staff) = (Some("s1".to_owned()), Some("a7".to_owned()));
    NewKey { role, place, staff, name: "李娜的手机".to_owned(), scopes: None, expires_at: None }
}

async fn checked(store: &dyn Store, secret: &str) -> Result<Grant, Refused> {
    keys::check(store, secret).await.unwrap()
}

/// What went wrong, as a sentence.
fn told<T: std::fmt::Debug>(result: Result<T, EngineError>) -> String {
    result.unwrap_err().to_string()
}

#[tokio::test]
async fn a_key_lets_in_what_it_was_made_for() {
    let home = Home::new(TEN_DAYS).await;
    let store = home.engine().store().as_ref();
    let only = Some(BTreeSet::from([Operation::MemberRead]));
    let new = NewKey { scopes: only.clone(), ..of(Role::StoreManager) };
    let (key, secret) = keys::make(store, &owner(), new, &chance(1)).await.unwrap();
    let grant = checked(store, secret.reveal()).await.unwrap();
    assert_eq!((grant.who.as_str(), grant.role, &grant.scopes), ("staff:a7", Role::StoreManager, &only));
    grant.may(Operation::MemberRead).unwrap();
    assert_eq!(grant.may(Operation::MemberList), Err(Denied::Narrowed(Operation::MemberList)));
    // Wrong at the end, of another home, of nobody, or nothing at all.
    let wrong = format!("{}0", &secret.reveal()[..secret.reveal().len() - 1]);
    for secret in [wrong.as_str(), "", "zy_", &key.id, &secret.reveal().replace(&key.id, "0000000000000000")]
    {
        assert_eq!(checked(store, secret).await, Err(Refused::Unknown), "{secret}");
    }
    let (_, public) =
        keys::make(store, &owner(), NewKey { staff: None, ..of(Role::Public) }, &chance(2)).await.unwrap();
    let grant = checked(store, public.reveal()).await.unwrap();
    for operation in Operation::ALL {
        assert_eq!(grant.may(*operation).is_ok(), *operation == Operation::IngestPublic, "{operation}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_wherever_it_is_checked() {
    let home = Home::new(TEN_DAYS).await;
    let store = home.engine().store().as_ref();
    let (key, secret) = keys::make(store, &owner(), of(Role::Owner), &chance(1)).await.unwrap();
    for _ in 0..3 {
        checked(store, secret.reveal()).await.unwrap();
    }
    keys::revoke(store, &owner(), &key.id).await.unwrap();
    assert_eq!(checked(store, secret.reveal()).await, Err(Refused::Revoked));
    // Whatever the clock of the one who asks says.
    assert_eq!(keys::check_at(store, secret.reveal(), Ts::MIN).await.unwrap(), Err(Refused::Revoked));
    let again = keys::revoke(store, &owner(), &key.id).await;
    assert_eq!(told(again), KeyProblem::Ended(key.id.clone()).to_string());
    // A secret given for an id is not said again.
    assert!(!told(keys::revoke(store, &owner(), secret.reveal()).await).contains(secret.reveal()));
}

#[tokio::test]
async fn a_key_works_until_it_expires() {
    let home = Home::new(TEN_DAYS).await;
    let store = home.engine().store().as_ref();
    let until = clock::wall().plus_us(HOUR_US);
    let new = NewKey { expires_at: Some(until), ..of(Role::Owner) };
    let (key, secret) = keys::make(store, &owner(), new, &chance(1)).await.unwrap();
    assert!(keys::check_at(store, secret.reveal(), until.plus_us(-1)).await.unwrap().is_ok());
    assert_eq!(keys::check_at(store, secret.reveal(), until).await.unwrap(), Err(Refused::Expired));
    // Rotating does not make it last longer.
    let (next, _) = keys::rotate(store, &owner(), &key.id, 24, &chance(2)).await.unwrap();
    assert_eq!(next.expires_at, Some(until));
}

#[tokio::test]
async fn a_rotated_key_goes_on_for_as_long_as_was_said() {
    let home = Home::new(TEN_DAYS).await;
    let store = home.engine().store().as_ref();
    let (old, first) = keys::make(store, &owner(), of(Role::StoreManager), &chance(1)).await.unwrap();
    let (new, second) = keys::rotate(store, &owner(), &old.id, 2, &chance(2)).await.unwrap();
    assert_eq!((new.role, &new.place, &new.name), (old.role, &old.place, &old.name));
    let in_hours = |hours: i64| clock::wall().plus_us(hours * HOUR_US);
    for (secret, hours, expected) in [
        (&first, 0, None),
        (&first, 1, None),
        (&first, 3, Some(Refused::Expired)),
        (&second, 0, None),
        (&second, 1_000, None),
    ] {
        let checked = keys::check_at(store, secret.reveal(), in_hours(hours)).await.unwrap();
        assert_eq!(checked.err(), expected, "in {hours} hours");
    }
    // Without overlap the old one is refused at once.
    let (_, third) = keys::rotate(store, &owner(), &new.id, 0, &chance(3)).await.unwrap();
    assert_eq!(checked(store, second.reveal()).await, Err(Refused::Revoked));
    checked(store, third.reveal()).await.unwrap();
    for id in [new.id.as_str(), "0000000000000000", ""] {
        let refused = keys::rotate(store, &owner(), id, 0, &chance(4)).await.map(drop);
        assert_eq!(told(refused), KeyProblem::Ended(id.to_owned()).to_string());
    }
    let too_long =
        keys::rotate(store, &owner(), &old.id, keys::KEEP_HOURS_MAX + 1, &chance(4)).await.map(drop);
    assert_eq!(told(too_long), KeyProblem::KeptTooLong.to_string());
}

#[tokio::test]
async fn a_key_that_makes_no_sense_is_refused_by_name() {
    let home = Home::new(TEN_DAYS).await;
    let store = home.engine().store().as_ref();
    let past = Some(clock::wall().plus_us(-1));
    let only = Some(BTreeSet::from([Operation::KeysManage]));
    let long = "李".repeat(101);
    for (new, problem) in [
        (NewKey { place: None, ..of(Role::Cashier) }, KeyProblem::NoPlace(Role::Cashier)),
        (NewKey { place: Some(String::new()), ..of(Role::Cashier) }, KeyProblem::NoPlace(Role::Cashier)),
        (NewKey { staff: None, ..of(Role::Advisor) }, KeyProblem::NoStaff(Role::Advisor)),
        (NewKey { name: long.clone(), ..of(Role::Owner) }, KeyProblem::Text("name")),
        (NewKey { name: "a\nb".to_owned(), ..of(Role::Owner) }, KeyProblem::Text("name")),
        (NewKey { place: Some(long.clone()), ..of(Role::Owner) }, KeyProblem::Text("place")),
        (NewKey { staff: Some(long.clone()), ..of(Role::Owner) }, KeyProblem::Text("staff")),
        (NewKey { expires_at: past, ..of(Role::Owner) }, KeyProblem::Past),
        (NewKey { scopes: only, ..of(Role::Cashier) }, KeyProblem::Nothing(Role::Cashier)),
    ] {
        let refused = keys::make(store, &owner(), new, &chance(1)).await.map(drop);
        assert_eq!(told(refused), problem.to_string());
    }
    let narrow = Grant { scopes: Some(BTreeSet::from([Operation::KeysManage])), ..owner() };
    let beyond = keys::make(store, &narrow, of(Role::Owner), &chance(1)).await.map(drop);
    assert_eq!(told(beyond), KeyProblem::Beyond.to_string());
    let marketer = Grant { role: Role::Marketer, ..owner() };
    let refused = keys::make(store, &marketer, of(Role::Owner), &chance(1)).await.map(drop);
    assert_eq!(told(refused), "marketer may not do keys_manage");
    assert!(store.access().keys().await.unwrap().is_empty());
    assert!(store.access().audit_last().await.unwrap().is_none());
}

#[tokio::test]
async fn the_log_holds_no_secret_and_nobodys_name() {
    let home = Home::new(TEN_DAYS).await;
    let store = home.engine().store().as_ref();
    let (key, first) = keys::make(store, &owner(), of(Role::StoreManager), &chance(1)).await.unwrap();
    let (new, second) = keys::rotate(store, &owner(), &key.id, 1, &chance(2)).await.unwrap();
    keys::revoke(store, &owner(), &new.id).await.unwrap();
    let member = MemberId::from_bytes([0xab; 16]);
    let target = Target::member(&KEY, member);
    audit::note(store, &owner(), Operation::MemberErase, &target, Outcome::Done, &detail(json!({"rows": 3})))
        .await
        .unwrap();
    let mut log = String::new();
    let mut lines = Vec::new();
    audit::each(store, None, |entry| {
        log += &format!("{entry:?}");
        lines.push((entry.note.operation.clone(), entry.note.outcome.clone()));
    })
    .await
    .unwrap();
    let kept = format!("{:?}", store.access().keys().await.unwrap());
    for secret in [&first, &second] {
        let chance = secret.reveal().rsplit('_').next().unwrap();
        assert!(!log.contains(chance) && !kept.contains(chance));
    }
    assert!(!log.contains(&member.to_string()) && !log.contains("李娜"), "{log}");
    assert!(
        log.contains(target.text())
            && target != Target::member(&zhiyin_model::id::IdKey::from_bytes([1; 32]), member)
    );
    let made = ("keys_manage".to_owned(), "done".to_owned());
    assert_eq!(lines, [made.clone(), made.clone(), made, ("member_erase".to_owned(), "done".to_owned())]);
}

#[tokio::test]
async fn what_is_done_has_a_line_before_and_after() {
    let home = Home::new(TEN_DAYS).await;
    let (engine, by) = (home.engine(), owner());
    let on = (Operation::HomeManage, &Target::home());
    let beside = detail(json!({"act": "backup"}));
    let done: Result<i32, EngineError> = engine.audited(&by, on, &beside, async { Ok(7) }).await;
    assert_eq!(done.unwrap(), 7);
    let failed: Result<(), _> = engine.audited(&by, on, &beside, async { Err(EngineError::Replaying) }).await;
    assert_eq!(told(failed), EngineError::Replaying.to_string());
    // A clock that stays has no line, one that moves has.
    engine.clock_audited(&by, async { Ok(()) }).await.unwrap();
    let move_on = async { Ok(engine.store().set_clock(5_000_000, None).await?) };
    engine.clock_audited(&by, move_on).await.unwrap();
    let mut outcomes = Vec::new();
    audit::each(engine.store().as_ref(), None, |entry| {
        assert_eq!((entry.note.who.as_str(), entry.note.role.as_str()), ("system:ann", "owner"));
        outcomes.push(entry.note.outcome.clone());
    })
    .await
    .unwrap();
    assert_eq!(outcomes, ["begun", "done", "begun", "failed", "done"]);
}

#[tokio::test]
async fn the_log_is_verified_from_a_checkpoint() {
    let home = Home::new(TEN_DAYS).await;
    let store = home.engine().store().as_ref();
    assert_eq!(audit::checkpoint(store).await.unwrap().unwrap(), Checkpoint::NONE);
    for n in 0..3 {
        let target = Target::code(n);
        audit::note(store, &owner(), Operation::PlacesWrite, &target, Outcome::Done, &detail(json!({})))
            .await
            .unwrap();
    }
    let kept = audit::checkpoint(store).await.unwrap().unwrap();
    assert_eq!(kept.no, 3);
    assert_eq!(audit::verify(store, Some(kept)).await.unwrap(), Ok(kept));
    let later = Checkpoint { no: 4, ..kept };
    assert!(audit::verify(store, Some(later)).await.unwrap().unwrap_err().to_string().contains("cut off"));
    let other = Checkpoint { hash: [0; 32], ..kept };
    assert!(audit::verify(store, Some(other)).await.unwrap().is_err());
    let refused = audit::note(
        store,
        &owner(),
        Operation::PlacesWrite,
        &Target::code("x".repeat(301)),
        Outcome::Done,
        &detail(json!({})),
    )
    .await;
    assert_eq!(told(refused), "audit target: 301 bytes, at most 300");
}

#[tokio::test]
async fn a_second_person_answers_in_time_and_never_the_one_who_asked() {
    let home = Home::new(TEN_DAYS).await;
    let store = home.engine().store().as_ref();
    let person = |who: &str, role| Grant {
        who: format!("staff:{who}"),
        role,
        place: Some("s1".to_owned()),
        staff: Some(who.to_owned()),
        scopes: None,
    };
    let (ann, bob) = (person("ann", Role::StoreManager), person("bob", Role::Owner));
    let limits = Limits { answer_hours: 2, ..Limits::default() };
    let request = json!({"points": 5000, "reason": "goodwill"});
    let now = Ts(1_000 * HOUR_US);
    let at = |hours: i64| now.plus_us(hours * HOUR_US);
    let mut asked = Vec::new();
    for _ in 0..3 {
        let no =
            approvals::ask_at(store, &ann, Operation::PointsAdjust, &request, &limits, now).await.unwrap();
        asked.push(no);
    }
    assert_eq!(asked, [1, 2, 3]);
    let cashier = person("cid", Role::Cashier);
    let program = Grant { who: "key:1".to_owned(), staff: None, ..person("", Role::Owner) };
    // (who, which, when, what comes of it)
    for (by, no, hours, expected) in [
        (&ann, 1, 1, Some(ApprovalProblem::Own(1).to_string())),
        (&cashier, 1, 1, Some("cashier may not do points_adjust".to_owned())),
        (&bob, 9, 1, Some(ApprovalProblem::Unknown(9).to_string())),
        // A program that was given two keys would be two persons.
        (&program, 1, 1, Some(ApprovalProblem::NoPerson.to_string())),
        (&bob, 3, 2, Some(ApprovalProblem::Late(3, at(2)).to_string())),
        (&bob, 1, 1, None),
        (&bob, 1, 1, Some(ApprovalProblem::Answered(1).to_string())),
    ] {
        let answered = approvals::answer_at(store, by, no, true, at(hours)).await;
        assert_eq!(answered.as_ref().err().map(ToString::to_string), expected, "{} {no}", by.who);
        if let Ok(approval) = answered {
            assert_eq!(serde_json::from_str::<serde_json::Value>(&approval.request).unwrap(), request);
            assert!(approval.answer.is_some_and(|answer| answer.approved && answer.by == "staff:bob"));
        }
    }
    let refused = approvals::answer_at(store, &bob, 2, false, at(1)).await.unwrap();
    assert!(refused.answer.is_some_and(|answer| !answer.approved));
    for bad in [json!("text"), json!({"x": "y".repeat(20_000)})] {
        let refused = approvals::ask_at(store, &ann, Operation::PointsAdjust, &bad, &limits, now).await;
        assert_eq!(told(refused), ApprovalProblem::Request.to_string());
    }
    let refused = approvals::ask_at(store, &cashier, Operation::PointsAdjust, &request, &limits, now).await;
    assert_eq!(told(refused), "cashier may not do points_adjust");
    assert!(audit::verify(store, None).await.unwrap().is_ok());
}
