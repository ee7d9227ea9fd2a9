//! People who sign in, and their sessions: changed by who read them last, ended with what they rest on.

use std::sync::Arc;

use zhiyin_model::id::IdKey;
use zhiyin_model::role::Role;
use zhiyin_model::time::Ts;

use super::access::note;
use super::{Homes, KEY};
use crate::access::people::{
    Changed, Password, Person, PersonChange, SESSIONS_MAX, Session, Standing, Which,
};
use crate::{Result, Store};

fn person(id: &str, name: &str, role: Role) -> Person {
    let password = Password { memory_kib: 8, passes: 1, salt: [3; 16], hash: [4; 32], set_at: Ts(5) };
    let is = Standing {
        name: name.to_owned(),
        role,
        place: Some("330".to_owned()),
        staff: None,
        language: "zh-CN".to_owned(),
        made_at: Ts(5),
        made_by: "system:ann".to_owned(),
        password: Some(password),
        codes: None,
        offered: None,
        elsewhere: None,
        removed_at: None,
    };
    Person { id: id.to_owned(), revision: 0, is }
}

fn change(person: &Person) -> PersonChange {
    let note = note("system:ann", "keys_manage", 9);
    let person = person.clone();
    PersonChange { person, first: false, gives_up: false, ends_sessions: false, begins: None, note }
}

fn session(n: u8, person: &str, until: i64) -> Session {
    let (began_at, until, ends_at) = (Ts(10), Ts(until), Ts(1_000));
    Session { hash: [n; 32], person: person.to_owned(), began_at, until, ends_at }
}

async fn lines(store: &Arc<dyn Store>) -> Result<usize> {
    Ok(store.access().audit(0, None, 999).await?.len())
}

/// Each change says what it was made from; a name is one person's for good; the home is owned once and stays so.
pub async fn a_person_is_changed_by_who_read_them_last(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let people = store.access().people();
    assert!(!people.owned().await?);
    let ann = person("a", "Ann 李", Role::Owner);
    let first = |person: &Person| PersonChange { first: true, ..change(person) };
    assert_eq!(people.change(first(&ann)).await?, Changed::Done);
    assert_eq!(people.change(first(&person("b", "Bob", Role::Owner))).await?, Changed::Owned);
    assert!(people.owned().await?);
    let read = people.named(" aNN 李 ").await?;
    let ann = Person { revision: 1, ..ann };
    assert_eq!(read.as_ref(), Some(&ann));
    assert_eq!(people.person("a").await?, read);
    assert_eq!((people.named("bob").await?, people.person("b").await?), (None, None));
    // Who is new bears no name of somebody else, and no id.
    assert_eq!(people.change(change(&person("b", "ANN 李", Role::Analyst))).await?, Changed::NameTaken);
    assert_eq!(people.change(change(&person("a", "Bob", Role::Analyst))).await?, Changed::Moved);
    assert_eq!(people.change(change(&person("b", "Bob", Role::Analyst))).await?, Changed::Done);
    // Of two who read the same, one is too late.
    let language = |language: &str| {
        let is = Standing { language: language.to_owned(), ..ann.is.clone() };
        Person { is, ..ann.clone() }
    };
    assert_eq!(people.change(change(&language("en"))).await?, Changed::Done);
    assert_eq!(people.change(change(&language("zh-CN"))).await?, Changed::Moved);
    let now = people.person("a").await?;
    assert_eq!(now.map(|person| (person.revision, person.is.language)), Some((2, "en".to_owned())));
    // The last who owns the home goes on owning it.
    let gone = Person { revision: 2, is: Standing { removed_at: Some(Ts(9)), ..ann.is.clone() }, ..ann };
    let gives_up = PersonChange { gives_up: true, ..change(&gone) };
    assert_eq!(people.change(gives_up.clone()).await?, Changed::LastOwner);
    let bob = Person { revision: 1, ..person("b", "Bob", Role::Owner) };
    assert_eq!(people.change(change(&bob)).await?, Changed::Done);
    assert_eq!(people.change(gives_up).await?, Changed::Done);
    assert!(people.owned().await?);
    let names: Vec<String> = people.all().await?.into_iter().map(|person| person.is.name).collect();
    assert_eq!(names, ["Ann 李", "Bob"]);
    assert_eq!(lines(&store).await?, 5, "a line for each that was done, and for no other");
    Ok(())
}

/// A session begins with a change and ends with one, by itself, or by being let go of; no person has more than so many.
pub async fn sessions_begin_and_end_with_their_line(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let people = store.access().people();
    let mut ann = person("a", "ann", Role::Owner);
    let mut signed_in = async |begins: Session| {
        let begun = PersonChange { begins: Some(begins), ..change(&ann) };
        ann.revision += 1;
        people.change(begun).await
    };
    assert_eq!(signed_in(session(1, "a", 100)).await?, Changed::Done);
    let found = people.session(&[1; 32]).await?;
    assert_eq!(found.map(|(session, person)| (session, person.revision)), Some((session(1, "a", 100), 1)));
    assert_eq!(people.session(&[2; 32]).await?, None);
    // It is prolonged, and never shortened.
    for (until, expected) in [(200, 200), (150, 200)] {
        people.prolong(&[1; 32], Ts(until)).await?;
        assert_eq!(people.session(&[1; 32]).await?.map(|(session, _)| session.until), Some(Ts(expected)));
    }
    // Who signs in lets go of what lapsed before, whoever it was of; and of their own first that would end first.
    let late = Session { began_at: Ts(201), ..session(2, "a", 300) };
    assert_eq!(signed_in(late).await?, Changed::Done);
    assert_eq!(people.session(&[1; 32]).await?, None);
    for n in 0..SESSIONS_MAX {
        let n = u8::try_from(n).unwrap_or(u8::MAX);
        let more = Session { began_at: Ts(202), ..session(10 + n, "a", 400 + i64::from(n)) };
        assert_eq!(signed_in(more).await?, Changed::Done);
    }
    assert_eq!(people.session(&[2; 32]).await?, None, "the one that would have ended first");
    assert!(people.session(&[10; 32]).await?.is_some());
    let before = lines(&store).await?;
    let line = || note("person:ann", "sign_in", 11);
    assert_eq!(people.end(Which::Of([10; 32]), line()).await?, 1);
    assert_eq!(people.end(Which::Of([10; 32]), line()).await?, 0);
    assert_eq!(lines(&store).await?, before + 1, "what ended before leaves no line");
    assert_eq!(people.end(Which::All("a".to_owned()), line()).await?, SESSIONS_MAX - 1);
    // A change may end all and begin one.
    assert_eq!(signed_in(Session { began_at: Ts(203), ..session(50, "a", 500) }).await?, Changed::Done);
    let begins = Some(Session { began_at: Ts(204), ..session(51, "a", 500) });
    let anew = PersonChange { ends_sessions: true, begins, ..change(&ann) };
    assert_eq!(people.change(anew).await?, Changed::Done);
    assert_eq!(people.session(&[50; 32]).await?, None);
    assert!(people.session(&[51; 32]).await?.is_some());
    Ok(())
}

/// Many who bring the same code at once: one of them is in.
pub async fn of_many_who_change_a_person_at_once_one_does(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    store.access().people().change(change(&person("a", "ann", Role::Owner))).await?;
    let read = Person { revision: 1, ..person("a", "ann", Role::Owner) };
    let many = (0..8u8).map(|n| {
        let (store, change) = (Arc::clone(&store), change(&read));
        let change = PersonChange { begins: Some(session(n, "a", 100)), ..change };
        tokio::spawn(async move { store.access().people().change(change).await })
    });
    let (mut done, mut sessions) = (0, 0);
    for changed in many.collect::<Vec<_>>() {
        done += usize::from(changed.await.is_ok_and(|changed| changed.is_ok_and(|it| it == Changed::Done)));
    }
    for n in 0..8 {
        sessions += usize::from(store.access().people().session(&[n; 32]).await?.is_some());
    }
    assert_eq!((done, sessions), (1, 1));
    Ok(())
}

/// People move with a home; their sessions do not.
pub async fn people_move_with_a_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let before = old.digest().await?;
    let begun =
        PersonChange { begins: Some(session(1, "a", 100)), ..change(&person("a", "李", Role::Owner)) };
    old.access().people().change(begun).await?;
    old.access().people().change(change(&person("b", "Bob", Role::Analyst))).await?;
    assert_eq!(old.digest().await?, before);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    said?;
    let (theirs, ours) = (old.access().people(), new.access().people());
    assert_eq!(ours.all().await?, theirs.all().await?);
    assert!(ours.owned().await?);
    assert_eq!(ours.named("李").await?, theirs.person("a").await?);
    assert!(theirs.session(&[1; 32]).await?.is_some());
    assert_eq!(ours.session(&[1; 32]).await?, None);
    Ok(())
}
