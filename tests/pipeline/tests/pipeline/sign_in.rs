//! People who sign in, at a clock of the test's own: the first owner, passwords, codes, sessions and their ends, and how often one may try.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zhiyin_engine::EngineError;
use zhiyin_engine::sign_in::{
    Asked, IDLE_US, NewPerson, PersonEdit, SignIn, SignInProblem, SignedIn, WHOLE_US, codes,
};
use zhiyin_model::role::{Denied, Grant, Operation, Role};
use zhiyin_model::time::Ts;

use crate::home::Home;
use crate::playbooks::SHIPPED;

const GOOD: &str = "kestrel over oak";
const OTHER: &str = "heron under willow";
const SECOND_US: i64 = 1_000_000;

/// Chance that is never the same, and none.
fn fill(bytes: &mut [u8]) -> bool {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let mut drawn = blake3::Hasher::new();
    drawn.update(&DRAWN.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    drawn.finalize_xof().fill(bytes);
    true
}

fn at(seconds: i64) -> Ts {
    Ts(1_790_000_000 * SECOND_US + seconds * SECOND_US)
}

struct Door {
    home: Home,
    sign_in: Arc<SignIn>,
}

impl Door {
    async fn new() -> Self {
        let home = Home::new(SHIPPED).await;
        let sign_in = Arc::new(SignIn::new(Arc::clone(home.engine().store()), fill));
        Self { home, sign_in }
    }

    /// With an owner, who is signed in since the beginning.
    async fn owned() -> (Self, SignedIn) {
        let door = Self::new().await;
        let owner = door.sign_in.set_up(&new("Ann", Role::Owner, Some(GOOD)), at(0)).await.unwrap();
        (door, owner)
    }

    async fn comes(
        &self,
        name: &str,
        password: &str,
        code: Option<&str>,
        now: Ts,
    ) -> Result<SignedIn, SignInProblem> {
        let asked = Asked { name, password, code, address: "203.0.113.9" };
        self.sign_in.sign_in(&asked, now).await.map_err(problem)
    }

    async fn is_in(&self, who: &SignedIn, now: Ts) -> bool {
        self.sign_in.who(who.token.reveal(), now).await.unwrap().is_some()
    }

    async fn now(&self, who: &SignedIn, now: Ts) -> SignedIn {
        self.sign_in.who(who.token.reveal(), now).await.unwrap().unwrap()
    }

    /// What somebody's app shows, whose secret is the one that was offered to them last.
    async fn shown(&self, who: &SignedIn, now: Ts) -> String {
        let is = self.now(who, now).await.person.is;
        let salt = is.codes.or(is.offered).unwrap().salt;
        let home = self.home.engine().store().home().await.unwrap().id_key;
        codes::shown(&home, &who.person.id, &salt, now)
    }
}

fn new(name: &str, role: Role, password: Option<&str>) -> NewPerson {
    let (place, staff) = (role.needs_place().then(|| "330".to_owned()), None);
    let staff = if role.needs_staff() { Some(format!("s-{name}")) } else { staff };
    let (name, password) = (name.to_owned(), password.map(str::to_owned));
    NewPerson { name, role, place, staff, language: "zh-CN".to_owned(), password }
}

fn problem(error: EngineError) -> SignInProblem {
    match error {
        EngineError::SignIn(problem) => problem,
        error => panic!("{error}"),
    }
}

fn denied(error: EngineError) -> Denied {
    match error {
        EngineError::Denied(denied) => denied,
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn the_first_owner_is_made_once() {
    let door = Door::new().await;
    assert!(door.sign_in.needs_owner().await.unwrap());
    let rows = [
        (new("", Role::Owner, Some(GOOD)), SignInProblem::Name),
        (new(" .ann", Role::Owner, Some(GOOD)), SignInProblem::Name),
        (new("a\u{200b}nn", Role::Owner, Some(GOOD)), SignInProblem::Name),
        (new(&"n".repeat(255), Role::Owner, Some(GOOD)), SignInProblem::Name),
        (new("Ann", Role::Owner, Some("short")), SignInProblem::PasswordLength("password")),
        (new("Ann", Role::Owner, Some("password123")), SignInProblem::PasswordCommon("password")),
        (new("Ann", Role::Owner, None), SignInProblem::PasswordLength("password")),
        (
            NewPerson { language: "fr".to_owned(), ..new("Ann", Role::Owner, Some(GOOD)) },
            SignInProblem::Language,
        ),
    ];
    for (new, expected) in rows {
        assert_eq!(problem(door.sign_in.set_up(&new, at(0)).await.unwrap_err()), expected, "{}", new.name);
    }
    // Of those who come at once one is in, and whatever they ask to be, that is the owner.
    let many = (0..4).map(|n| {
        let (sign_in, new) = (Arc::clone(&door.sign_in), new(&format!("ann{n}"), Role::Analyst, Some(GOOD)));
        tokio::spawn(async move { sign_in.set_up(&new, at(0)).await })
    });
    let mut made = Vec::new();
    for one in many.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Ok(owner) => made.push(owner),
            Err(error) => assert_eq!(problem(error), SignInProblem::SetUp),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!((made[0].person.is.role, made[0].grant().is_person()), (Role::Owner, true));
    assert!(door.is_in(&made[0], at(1)).await && !door.sign_in.needs_owner().await.unwrap());
    let late = door.sign_in.set_up(&new("Eve", Role::Owner, Some(GOOD)), at(1)).await;
    assert_eq!(problem(late.unwrap_err()), SignInProblem::SetUp);
    assert_eq!(door.sign_in.everybody().await.unwrap().len(), 1);
}

/// A name that nobody bears, one without a password, one that was removed and a wrong password are one and the same, and take as long.
#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_one() {
    let (door, owner) = Door::owned().await;
    let by = owner.grant();
    door.sign_in.add(&by, &new("Bob", Role::Analyst, None), at(0)).await.unwrap();
    door.sign_in.add(&by, &new("Cid", Role::Analyst, Some(GOOD)), at(0)).await.unwrap();
    door.sign_in.remove(&by, "Cid", at(0)).await.unwrap();
    let (mut least, mut now) = (Vec::new(), 0);
    for (name, password) in [("ann", OTHER), ("nobody", GOOD), ("Bob", GOOD), ("Cid", GOOD)] {
        let mut took = Vec::new();
        for _ in 0..5 {
            now += 1_000;
            let watch = zhiyin_engine::clock::stopwatch();
            let come = door.comes(name, password, None, at(now)).await;
            took.push(watch.elapsed());
            assert_eq!(come.unwrap_err(), SignInProblem::Wrong, "{name}");
        }
        least.push(took.into_iter().min().unwrap());
    }
    // No machine makes a password's hash (19 MiB, twice over) sooner; however slow one is, it takes longer.
    let hash = std::time::Duration::from_millis(3);
    assert!(least.iter().all(|took| *took > hash), "each takes the time of a password: {least:?}");
    let come = door.comes(" aNN ", GOOD, None, at(99_000)).await.unwrap();
    assert_eq!(come.person.is.name, "Ann");
}

#[tokio::test]
async fn so_often_may_one_try_a_name_and_from_one_address() {
    let (door, _) = Door::owned().await;
    let from =
        |address: &'static str| async move { Asked { name: "ann", password: OTHER, code: None, address } };
    for n in 0..10 {
        let address: &'static str = ["a", "b", "c"][n % 3];
        let come = door.sign_in.sign_in(&from(address).await, at(0)).await;
        assert_eq!(problem(come.unwrap_err()), SignInProblem::Wrong);
    }
    // From wherever, and whether or not the password is right; until a minute has passed.
    assert_eq!(door.comes("ANN", GOOD, None, at(0)).await.unwrap_err(), SignInProblem::TooMany(60));
    assert_eq!(door.comes("ANN", GOOD, None, at(59)).await.unwrap_err(), SignInProblem::TooMany(1));
    assert!(door.comes("ANN", GOOD, None, at(60)).await.is_ok());
    // What succeeds is not counted.
    for _ in 0..40 {
        assert!(door.comes("ann", GOOD, None, at(60)).await.is_ok());
    }
    // One address, ever new names.
    for n in 0..30 {
        let come = door.comes(&format!("name{n}"), GOOD, None, at(10_000)).await;
        assert_eq!(come.unwrap_err(), SignInProblem::Wrong, "{n}");
    }
    assert_eq!(door.comes("ann", GOOD, None, at(10_000)).await.unwrap_err(), SignInProblem::TooMany(10));
    let elsewhere = Asked { name: "ann", password: GOOD, code: None, address: "198.51.100.1" };
    assert!(door.sign_in.sign_in(&elsewhere, at(10_000)).await.is_ok());
    assert!(door.comes("ann", GOOD, None, at(10_010)).await.is_ok());
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let (door, owner) = Door::owned().await;
    let idle = IDLE_US / SECOND_US;
    assert!(door.is_in(&owner, at(idle - 1)).await, "asked just before its end, it goes on");
    assert!(door.is_in(&owner, at(2 * idle - 2)).await);
    assert!(!door.is_in(&owner, at(3 * idle - 2)).await, "two hours without a request");
    // However much is asked, it ends.
    let come = door.comes("ann", GOOD, None, at(0)).await.unwrap();
    let whole = WHOLE_US / SECOND_US;
    for now in (0..whole).step_by(3_000) {
        assert!(door.is_in(&come, at(now)).await, "{now}");
    }
    assert!(door.is_in(&come, at(whole - 1)).await);
    assert!(!door.is_in(&come, at(whole)).await);
    for text in
        ["", "x", &come.token.reveal()[1..], &come.token.reveal().to_lowercase(), "é".repeat(40).as_str()]
    {
        assert!(door.sign_in.who(text, at(1)).await.unwrap().is_none(), "{text}");
    }
}

#[tokio::test]
async fn a_session_ends_when_what_it_rests_on_changes() {
    let (door, owner) = Door::owned().await;
    let by = owner.grant();
    door.sign_in.add(&by, &new("Bob", Role::Analyst, Some(GOOD)), at(0)).await.unwrap();
    let comes = async |password: &str, now: i64| door.comes("Bob", password, None, at(now)).await.unwrap();
    // Two at once, each with a token of its own; one ends.
    let (one, two) = (comes(GOOD, 1).await, comes(GOOD, 1).await);
    assert_ne!(one.token.reveal(), two.token.reveal());
    assert_ne!(one.token.csrf(), two.token.csrf());
    assert_eq!(door.sign_in.sign_out(&one, false, at(2)).await.unwrap(), 1);
    assert_eq!((door.is_in(&one, at(2)).await, door.is_in(&two, at(2)).await), (false, true));
    assert_eq!(door.sign_in.sign_out(&two, true, at(2)).await.unwrap(), 1);
    // One's own password: all others end, this one goes on under another token.
    let (one, two) = (comes(GOOD, 3).await, comes(GOOD, 3).await);
    // Of two who signed in, the first reads anew who they are, as each request does.
    let one = door.now(&one, at(3)).await;
    let wrong = door.sign_in.change_password(&one, OTHER, OTHER, at(3)).await.map(drop);
    assert_eq!(problem(wrong.unwrap_err()), SignInProblem::PasswordWrong("old"));
    let common = door.sign_in.change_password(&one, GOOD, "qwertyuiop12", at(3)).await.map(drop);
    assert_eq!(problem(common.unwrap_err()), SignInProblem::PasswordCommon("new"));
    let anew = door.sign_in.change_password(&one, GOOD, OTHER, at(3)).await.unwrap();
    assert_eq!((door.is_in(&one, at(3)).await, door.is_in(&two, at(3)).await), (false, false));
    assert!(door.is_in(&anew, at(3)).await);
    assert_eq!(door.comes("Bob", GOOD, None, at(3)).await.unwrap_err(), SignInProblem::Wrong);
    // A language ends nothing.
    let spoken = door.sign_in.change_language(&anew, "en-GB", at(4)).await.unwrap();
    assert_eq!((spoken.person.is.language.as_str(), door.is_in(&anew, at(4)).await), ("en", true));
    // A role, a password from an owner, removal.
    let edit = PersonEdit { role: Role::Marketer, place: None, staff: None, unlink: false };
    door.sign_in.edit(&by, "bob", &edit, at(5)).await.unwrap();
    assert!(!door.is_in(&anew, at(5)).await);
    let come = comes(OTHER, 6).await;
    assert_eq!(come.grant().role, Role::Marketer);
    door.sign_in.reset(&by, ("bob", GOOD), false, at(7)).await.unwrap();
    assert!(!door.is_in(&come, at(7)).await);
    let come = comes(GOOD, 8).await;
    door.sign_in.remove(&by, "bob", at(9)).await.unwrap();
    assert!(!door.is_in(&come, at(9)).await);
    assert!(door.is_in(&owner, at(9)).await, "and nobody else's");
}

#[tokio::test]
async fn a_code_is_asked_once_it_was_confirmed_and_is_good_once() {
    let (door, owner) = Door::owned().await;
    let unoffered = door.sign_in.confirm_codes(&owner, "123456", at(0)).await.map(drop);
    assert_eq!(problem(unoffered.unwrap_err()), SignInProblem::CodesOff);
    let void = door.sign_in.offer_codes(&owner, at(0)).await.unwrap();
    let offer = door.sign_in.offer_codes(&door.now(&owner, at(0)).await, at(0)).await.unwrap();
    assert_ne!(void.secret, offer.secret);
    assert!(offer.uri.starts_with("otpauth://totp/Zhiyin:Ann?secret=") && offer.uri.contains(&offer.secret));
    assert_eq!(offer.recovery.len(), codes::RECOVERY_CODES);
    // What is offered is not asked for yet.
    assert!(door.comes("ann", GOOD, None, at(1)).await.is_ok());
    let offered = door.now(&owner, at(2)).await;
    for wrong in ["000000", offer.recovery[0].as_str(), ""] {
        let refused = door.sign_in.confirm_codes(&offered, wrong, at(2)).await.map(drop);
        assert_eq!(problem(refused.unwrap_err()), SignInProblem::CodeUnconfirmed, "{wrong}");
    }
    let code = door.shown(&owner, at(400)).await;
    let owner = door.sign_in.confirm_codes(&offered, &code, at(400)).await.unwrap();
    assert!(!door.is_in(&offered, at(400)).await && door.is_in(&owner, at(400)).await);
    // The code that confirmed was used by that.
    assert_eq!(door.comes("ann", GOOD, Some(&code), at(400)).await.unwrap_err(), SignInProblem::CodeWrong);
    assert_eq!(door.comes("ann", GOOD, None, at(400)).await.unwrap_err(), SignInProblem::CodeNeeded);
    assert_eq!(door.comes("ann", OTHER, Some(&code), at(400)).await.unwrap_err(), SignInProblem::Wrong);
    let code = door.shown(&owner, at(2_000)).await;
    assert!(door.comes("ann", GOOD, Some(&code), at(2_000)).await.is_ok());
    assert_eq!(
        door.comes("ann", GOOD, Some(&code), at(2_001)).await.unwrap_err(),
        SignInProblem::CodeWrong,
        "replayed"
    );
    // Two who bring one code at the same time: one is in.
    let code = door.shown(&owner, at(4_000)).await;
    let both = [(); 2].map(|()| {
        let (sign_in, code) = (Arc::clone(&door.sign_in), code.clone());
        tokio::spawn(async move {
            let asked = Asked { name: "ann", password: GOOD, code: Some(&code), address: "a" };
            sign_in.sign_in(&asked, at(4_000)).await.is_ok()
        })
    });
    let mut n_in = 0;
    for one in both {
        n_in += usize::from(one.await.unwrap());
    }
    assert_eq!(n_in, 1);
    // A recovery code, once.
    let recovery = offer.recovery[3].to_lowercase();
    assert!(door.comes("ann", GOOD, Some(&recovery), at(6_000)).await.is_ok());
    assert_eq!(
        door.comes("ann", GOOD, Some(&recovery), at(6_000)).await.unwrap_err(),
        SignInProblem::CodeWrong
    );
    // Wrong ones are bounded by themselves, whatever the address.
    for _ in 0..5 {
        assert_eq!(
            door.comes("ann", GOOD, Some("000000"), at(20_000)).await.unwrap_err(),
            SignInProblem::CodeWrong
        );
    }
    assert_eq!(
        door.comes("ann", GOOD, Some("000000"), at(20_000)).await.unwrap_err(),
        SignInProblem::TooMany(300)
    );
    // Ended by who knows the password.
    let owner =
        door.comes("ann", GOOD, Some(&door.shown_for(&owner, at(21_000)).await), at(21_000)).await.unwrap();
    let wrong = door.sign_in.end_codes(&owner, OTHER, at(21_000)).await.map(drop);
    assert_eq!(problem(wrong.unwrap_err()), SignInProblem::PasswordWrong("password"));
    door.sign_in.end_codes(&owner, GOOD, at(21_000)).await.unwrap();
    assert!(door.comes("ann", GOOD, None, at(21_000)).await.is_ok());
}

impl Door {
    /// The same for somebody whose session may have ended.
    async fn shown_for(&self, who: &SignedIn, now: Ts) -> String {
        let person = self.sign_in.find(&who.person.id).await.unwrap();
        let home = self.home.engine().store().home().await.unwrap().id_key;
        codes::shown(&home, &person.id, &person.is.codes.unwrap().salt, now)
    }
}

#[tokio::test]
async fn who_may_make_keys_makes_people_and_one_owner_stays() {
    let (door, owner) = Door::owned().await;
    let by = owner.grant();
    assert_eq!(by.who, "person:Ann");
    let bob = door.sign_in.add(&by, &new("Bob", Role::Analyst, Some(GOOD)), at(0)).await.unwrap();
    let analyst = door.comes("bob", GOOD, None, at(0)).await.unwrap().grant();
    let refused = door.sign_in.add(&analyst, &new("Eve", Role::Owner, Some(GOOD)), at(0)).await.map(drop);
    assert_eq!(
        denied(refused.unwrap_err()),
        Denied::Role { role: Role::Analyst, operation: Operation::KeysManage }
    );
    let narrowed = Grant { scopes: Some([Operation::KeysManage].into()), ..by.clone() };
    let rows = [
        (
            door.sign_in.add(&narrowed, &new("Eve", Role::Owner, Some(GOOD)), at(0)).await,
            SignInProblem::Beyond,
        ),
        (
            door.sign_in.add(&by, &new("BOB", Role::Analyst, Some(GOOD)), at(0)).await,
            SignInProblem::NameTaken,
        ),
        (
            door.sign_in.add(&by, &new("Eve", Role::Public, Some(GOOD)), at(0)).await,
            SignInProblem::Role(Role::Public),
        ),
        (
            door.sign_in.add(&by, &NewPerson { place: None, ..new("Eve", Role::Cashier, None) }, at(0)).await,
            SignInProblem::NoPlace(Role::Cashier),
        ),
        (
            door.sign_in
                .add(
                    &by,
                    &NewPerson { staff: Some(" ".to_owned()), ..new("Eve", Role::Advisor, None) },
                    at(0),
                )
                .await,
            SignInProblem::NoStaff(Role::Advisor),
        ),
        (door.sign_in.remove(&by, "nobody", at(0)).await, SignInProblem::Unknown),
        (door.sign_in.remove(&by, "ann", at(0)).await, SignInProblem::LastOwner),
        (
            door.sign_in
                .edit(
                    &by,
                    "ann",
                    &PersonEdit { role: Role::Analyst, place: None, staff: None, unlink: false },
                    at(0),
                )
                .await,
            SignInProblem::LastOwner,
        ),
    ];
    for (done, expected) in rows {
        assert_eq!(problem(done.map(drop).unwrap_err()), expected);
    }
    // One code of the staff is one person, whom the audit log and approvals know by it, as they do a key of theirs.
    let staffed = NewPerson { staff: Some("s1".to_owned()), ..new("Dora", Role::Advisor, Some(GOOD)) };
    door.sign_in.add(&by, &staffed, at(0)).await.unwrap();
    assert_eq!(door.comes("dora", GOOD, None, at(0)).await.unwrap().grant().who, "staff:s1");
    let again =
        door.sign_in.add(&by, &NewPerson { name: "Eve".to_owned(), ..staffed }, at(0)).await.map(drop);
    assert_eq!(problem(again.unwrap_err()), SignInProblem::StaffTaken);
    // A name is given to nobody else, though its bearer is gone.
    door.sign_in.remove(&by, &bob.id, at(0)).await.unwrap();
    let reborn = door.sign_in.add(&by, &new("bob", Role::Analyst, None), at(0)).await.map(drop);
    assert_eq!(problem(reborn.unwrap_err()), SignInProblem::NameTaken);
    // Lines of the log: who, what, to whom; never a password.
    let lines = door.home.engine().store().access().audit(0, None, 99).await.unwrap();
    let said: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {}", line.note.who, line.note.operation, line.note.detail))
        .collect();
    for expected in [
        r#"person:Ann sign_in {"act":"set_up"}"#,
        r#"person:Ann keys_manage {"act":"person_made""#,
        r#"person:Bob sign_in {"act":"begun","with":"password"}"#,
        r#"staff:s1 sign_in"#,
        r#"person:Ann keys_manage {"act":"person_removed"}"#,
    ] {
        assert!(said.iter().any(|line| line.starts_with(expected)), "{expected}: {said:#?}");
    }
    assert!(!said.iter().any(|line| line.contains(GOOD)));
}
