//! The table of roles: complete, as it was agreed on, and the same in the documents.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::collections::BTreeSet;

use zhiyin_model::mask::Mask;
use zhiyin_model::role::{
    About, Bound, Denied, Filter, Grant, Limits, MATRIX, Operation, Role, Scope, Verdict, markdown, plain,
    second_person, verdict,
};

#[test]
fn every_operation_has_its_row_and_every_role_a_yes_and_a_no() {
    let listed: Vec<Operation> = MATRIX.iter().map(|row| row.operation).collect();
    assert_eq!(listed, Operation::ALL, "the table lists every operation once, in their order");
    for role in Role::ALL {
        let verdicts: Vec<Verdict> = Operation::ALL.iter().map(|of| verdict(*role, *of)).collect();
        let refused = verdicts.iter().filter(|verdict| **verdict == Verdict::Refused).count();
        assert!(refused < verdicts.len(), "{role} may do nothing");
        // The owner answers for everything; all others are refused something.
        assert_eq!(refused == 0, *role == Role::Owner, "{role}");
    }
    for row in MATRIX {
        assert!(row.verdicts.contains(&Verdict::Refused), "{}: everybody may", row.operation);
    }
}

#[test]
fn names_are_read_back() {
    for operation in Operation::ALL {
        assert_eq!(Operation::named(operation.name()), Some(*operation));
        assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
    }
    for role in Role::ALL {
        assert_eq!(Role::named(role.name()), Some(*role));
        assert_eq!(serde_json::to_value(role).unwrap(), role.name());
    }
    assert_eq!((Role::named("root"), Operation::named("")), (None, None));
}

/// A file that holds what a test says it does; `UPDATE=1` writes it anew.
fn holds(path: &str, expected: &str, replaced: impl Fn(&str) -> String) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, replaced(&there)).unwrap();
        return;
    }
    assert!(
        there.contains(expected),
        "{path} is stale: read the difference, then run this test with UPDATE=1"
    );
}

#[test]
fn the_table_is_as_it_was_agreed_on() {
    holds("tests/golden/roles.txt", &plain(), |_| plain());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/roles.txt");
    assert_eq!(std::fs::read_to_string(path).unwrap(), plain());
}

#[test]
fn the_document_shows_the_table() {
    let (begin, end) = ("<!-- the table: generated -->\n", "<!-- end of the table -->");
    let block = format!("{begin}{}{end}", markdown());
    holds("../../docs/roles.md", &block, |there| {
        let (before, rest) = there.split_once(begin).unwrap();
        let (_, after) = rest.split_once(end).unwrap();
        format!("{before}{block}{after}")
    });
}

fn grant(role: Role) -> Grant {
    let (place, staff) = (Some("s1".to_owned()), Some("a7".to_owned()));
    Grant { who: "key:1".to_owned(), role, place, staff, scopes: None }
}

fn under(place: &str) -> Vec<String> {
    match place {
        "s1" => vec!["s1a".to_owned(), "s1b".to_owned()],
        _ => Vec::new(),
    }
}

fn places(codes: &[&str]) -> Bound {
    Bound::Places(codes.iter().map(|code| (*code).to_owned()).collect())
}

#[test]
fn a_grant_comes_to_a_filter() {
    let me = Bound::Advisor("a7".to_owned());
    for (role, operation, about, bound, mask) in [
        (Role::Owner, Operation::MemberRead, About::Member, Bound::Everything, Mask::Full),
        (Role::Marketer, Operation::MemberRead, About::Member, Bound::Everything, Mask::Masked),
        (Role::Analyst, Operation::MemberExport, About::Member, Bound::Everything, Mask::Hidden),
        (Role::StoreManager, Operation::MemberRead, About::Member, places(&["s1", "s1a", "s1b"]), Mask::Full),
        (Role::StoreManager, Operation::PointsSpend, About::Act, places(&["s1", "s1a", "s1b"]), Mask::Masked),
        (Role::Advisor, Operation::MemberRead, About::Member, me, Mask::Full),
        (Role::Cashier, Operation::PointsSpend, About::Act, places(&["s1"]), Mask::Masked),
        (Role::Public, Operation::IngestPublic, About::Brand, Bound::Everything, Mask::Hidden),
    ] {
        let filter = grant(role).filter(operation, under).unwrap();
        assert_eq!(filter, Filter { about, bound, mask }, "{role} {operation}");
    }
}

#[test]
fn a_filter_admits_only_what_it_is_bound_to() {
    let filter = |bound| Filter { about: About::Member, bound, mask: Mask::Full };
    let me = || Bound::Advisor("a7".to_owned());
    for (bound, place, advisor, admits) in [
        (Bound::Everything, None, None, true),
        (places(&["s1", "s1a"]), Some("s1a"), None, true),
        (places(&["s1", "s1a"]), Some("s2"), Some("a7"), false),
        (places(&["s1"]), Some("s1a"), None, false),
        // Whoever has no home store is nobody's but the brand's.
        (places(&["s1"]), None, None, false),
        (places(&[]), Some("s1"), None, false),
        (me(), Some("s1"), Some("a7"), true),
        (me(), Some("s1"), Some("a8"), false),
        (me(), Some("s1"), None, false),
    ] {
        assert_eq!(filter(bound.clone()).admits(place, advisor), admits, "{bound:?} {place:?} {advisor:?}");
    }
}

#[test]
fn what_a_grant_does_not_say_is_refused() {
    let with = |change: fn(&mut Grant), role| {
        let mut grant = grant(role);
        change(&mut grant);
        grant
    };
    let (role, operation) = (Role::Cashier, Operation::MemberErase);
    let empty = |grant: &mut Grant| (grant.place, grant.staff) = (Some(String::new()), Some(String::new()));
    let none = |grant: &mut Grant| (grant.place, grant.staff) = (None, None);
    let narrow = |grant: &mut Grant| grant.scopes = Some(BTreeSet::from([Operation::IngestWrite]));
    for (grant, operation, denied, code) in [
        (grant(role), operation, Denied::Role { role, operation }, "operation_refused"),
        (with(none, role), Operation::PointsSpend, Denied::NoPlace(role), "grant_without_place"),
        (with(empty, role), Operation::PointsSpend, Denied::NoPlace(role), "grant_without_place"),
        (
            with(none, Role::StoreManager),
            Operation::MemberRead,
            Denied::NoPlace(Role::StoreManager),
            "grant_without_place",
        ),
        (
            with(none, Role::Advisor),
            Operation::MemberRead,
            Denied::NoStaff(Role::Advisor),
            "grant_without_staff",
        ),
        (
            with(empty, Role::Advisor),
            Operation::MemberRead,
            Denied::NoStaff(Role::Advisor),
            "grant_without_staff",
        ),
        (
            with(narrow, Role::Owner),
            Operation::KeysManage,
            Denied::Narrowed(Operation::KeysManage),
            "key_narrowed",
        ),
    ] {
        let refused = grant.filter(operation, under).unwrap_err();
        assert_eq!((refused.code(), &refused), (code, &denied));
    }
    with(narrow, Role::Owner).may(Operation::IngestWrite).unwrap();
    // Narrowing never widens.
    with(narrow, Role::Advisor).may(Operation::IngestWrite).unwrap_err();
}

#[test]
fn nobody_gives_more_than_they_have_and_only_people_are_persons() {
    let set = |operations: &[Operation]| Some(operations.iter().copied().collect::<BTreeSet<_>>());
    let (keys, both) = (set(&[Operation::KeysManage]), set(&[Operation::KeysManage, Operation::AuditRead]));
    for (own, given, covers) in [
        (&None, &None, true),
        (&None, &both, true),
        (&both, &keys, true),
        (&both, &both, true),
        (&keys, &both, false),
        (&keys, &None, false),
    ] {
        let grant = Grant { scopes: own.clone(), ..grant(Role::Owner) };
        assert_eq!(grant.covers(given.as_ref()), covers, "{own:?} {given:?}");
    }
    let staff = |staff: Option<&str>| Grant { staff: staff.map(str::to_owned), ..grant(Role::Owner) };
    let persons = [staff(Some("a7")), staff(None), staff(Some("")), Grant::system("ann")];
    assert_eq!(persons.map(|grant| grant.is_person()), [true, false, false, true]);
}

#[test]
fn who_is_bound_to_a_place_or_a_person_is_told_by_the_table() {
    let bound: Vec<(Role, bool, bool)> =
        Role::ALL.iter().map(|role| (*role, role.needs_place(), role.needs_staff())).collect();
    assert_eq!(
        bound,
        [
            (Role::Owner, false, false),
            (Role::Marketer, false, false),
            (Role::Analyst, false, false),
            (Role::StoreManager, true, false),
            (Role::Advisor, true, true),
            (Role::Cashier, true, false),
            (Role::Public, false, false),
        ]
    );
}

#[test]
fn an_analyst_knows_nobody_and_a_public_key_only_sends() {
    for operation in Operation::ALL {
        let seen = verdict(Role::Analyst, *operation);
        assert!(!matches!(seen, Verdict::Allowed(_, Mask::Full)), "{operation}");
        let allowed = verdict(Role::Public, *operation) != Verdict::Refused;
        assert_eq!(allowed, *operation == Operation::IngestPublic, "{operation}");
    }
    // Whoever may find a member by an identifier could unmask them by trying.
    assert_eq!(verdict(Role::Analyst, Operation::MemberLookup), Verdict::Refused);
    assert_eq!(verdict(Role::Owner, Operation::MemberRead), Verdict::Allowed(Scope::All, Mask::Full));
}

#[test]
fn what_spends_money_needs_a_second_person() {
    let limits = Limits {
        points_alone: 100,
        coupons_alone: 10,
        payouts_alone_minor: 5_000,
        playbook_alone: true,
        answer_hours: 1,
    };
    let strict = Limits { playbook_alone: false, ..limits };
    for (wanted, looser) in [
        (limits, false),
        (strict, false),
        (Limits { points_alone: 101, ..limits }, true),
        (Limits { coupons_alone: 11, points_alone: 1, ..limits }, true),
        (Limits { payouts_alone_minor: 5_001, ..limits }, true),
        (Limits { answer_hours: 2, ..limits }, true),
    ] {
        assert_eq!(wanted.is_looser_than(&limits), looser, "{wanted:?}");
    }
    assert!(limits.is_looser_than(&strict));
    for (operation, amount, limits, needed) in [
        (Operation::PointsAdjust, 100, limits, false),
        (Operation::PointsAdjust, 101, limits, true),
        (Operation::PointsAdjust, -100, limits, false),
        (Operation::PointsAdjust, -101, limits, true),
        (Operation::PointsAdjust, i64::MIN, limits, true),
        (Operation::PointsAdjust, 1, Limits { points_alone: 0, ..limits }, true),
        (Operation::PointsAdjust, 0, Limits { points_alone: 0, ..limits }, false),
        (Operation::PayoutsMake, 5_000, limits, false),
        (Operation::PayoutsMake, 5_001, limits, true),
        (Operation::PayoutsMake, 1, Limits { payouts_alone_minor: 0, ..limits }, true),
        (Operation::CouponsIssueMany, 10, limits, false),
        (Operation::CouponsIssueMany, 11, limits, true),
        (Operation::CouponsIssue, 11, limits, false),
        (Operation::PlaybookApply, 0, limits, false),
        (Operation::PlaybookApply, 0, strict, true),
        (Operation::PointsSpend, i64::MAX, strict, false),
        (Operation::ReportsRead, i64::MAX, strict, false),
    ] {
        assert_eq!(second_person(operation, amount, &limits), needed, "{operation} {amount}");
    }
}
