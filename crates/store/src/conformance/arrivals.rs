//! What comes from platforms is kept once, lent to one at a time, and stands where somebody last said that it does.

use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;

use super::life::{Life, at, turn};
use super::{Homes, KEY};
use crate::campaigns::arrivals::{
    Arrival, ArrivalCount, ArrivalId, ArrivalLog, ArrivalState, Arrivals, Became, NewArrival, arrival_id,
};
use crate::flush::Flush;
use crate::seal::envelope::Subject;
use crate::{Result, StoreError, seal};

fn id(name: &str) -> ArrivalId {
    arrival_id(&KEY, "wecom", name.as_bytes())
}

fn about(name: &str) -> Subject {
    KEY.digest("about", &[name.as_bytes()])
}

fn new(name: &str, lane: &str, at: i64) -> NewArrival {
    NewArrival {
        id: id(name),
        channel: "wecom".to_owned(),
        lane: lane.to_owned(),
        at: Ts(at),
        about: about(name),
        body: seal::seal(&format!("what {name} says")),
    }
}

fn became(one: &Arrival, state: ArrivalState, due: i64, why: Option<&str>) -> Became {
    Became { id: one.id, tries: one.tries, state, due: Ts(due), why: why.map(str::to_owned) }
}

async fn lent(arrivals: &dyn Arrivals, lane: &str, now: i64) -> Result<Vec<Arrival>> {
    arrivals.lend_arrivals(("wecom", lane), Ts(now), Ts(now + 100), 9).await
}

async fn state(arrivals: &dyn Arrivals, name: &str) -> Result<Option<ArrivalState>> {
    Ok(arrivals.arrival(id(name)).await?.map(|one| one.state))
}

/// What is brought again is kept once, in one go or in several, and the first stays.
pub async fn what_comes_is_kept_once(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let arrivals = store.coupons().campaigns().arrivals();
    assert_eq!(arrivals.arrive(Vec::new()).await?, [false; 0]);
    let both = vec![new("a", "news", 1), new("b", "welcome", 1), new("a", "news", 2)];
    assert_eq!(arrivals.arrive(both).await?, [true, true, false]);
    assert_eq!(arrivals.arrive(vec![new("c", "news", 3), new("a", "other", 9)]).await?, [true, false]);
    let one = arrivals.arrival(id("a")).await?.unwrap_or_else(|| panic!("it is gone"));
    assert_eq!((one.channel.as_str(), one.lane.as_str(), one.at, one.due), ("wecom", "news", Ts(1), Ts(1)));
    assert_eq!((one.state, one.tries, one.why), (ArrivalState::Waiting, 0, None));
    assert_eq!(seal::open(&one.body)?, "what a says");
    assert_eq!(arrivals.arrival(id("nobody")).await?, None);
    let many: Vec<NewArrival> = (0..300).map(|n| new(&format!("m{n}"), "news", 10 + n)).collect();
    assert_eq!(arrivals.arrive(many.clone()).await?, [true; 300]);
    assert_eq!(arrivals.arrive(many).await?, [false; 300]);
    Ok(())
}

/// A lane is worked on in the order in which things came, by one at a time; what nobody noted is lent again.
pub async fn a_lane_is_lent_in_order_to_one_at_a_time(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let arrivals = store.coupons().campaigns().arrivals();
    assert_eq!(lent(arrivals, "news", 100).await?, []);
    let all =
        vec![new("b", "news", 2), new("a", "news", 1), new("w", "welcome", 3), new("later", "news", 500)];
    arrivals.arrive(all).await?;
    let first = lent(arrivals, "news", 100).await?;
    assert_eq!(first.iter().map(|one| one.id).collect::<Vec<_>>(), [id("a"), id("b")]);
    assert!(first.iter().all(|one| one.tries == 1 && one.due == Ts(200)));
    assert_eq!(seal::open(&first[0].body)?, "what a says");
    assert_eq!(lent(arrivals, "news", 199).await?, []);
    assert_eq!(lent(arrivals, "welcome", 100).await?.len(), 1);
    let again = lent(arrivals, "news", 200).await?;
    assert_eq!(again.iter().map(|one| one.tries).collect::<Vec<_>>(), [2, 2]);
    // Who had it first comes too late.
    assert_eq!(arrivals.note_arrivals(vec![became(&first[0], ArrivalState::Failed, 0, Some("x"))]).await?, 0);
    let notes = vec![
        became(&again[0], ArrivalState::Done, 300, None),
        became(&again[1], ArrivalState::Waiting, 400, Some("needs_errand")),
    ];
    assert_eq!(arrivals.note_arrivals(notes).await?, 2);
    assert_eq!(state(arrivals, "a").await?, Some(ArrivalState::Done));
    assert_eq!(lent(arrivals, "news", 399).await?, []);
    let waits = lent(arrivals, "news", 400).await?;
    assert_eq!((waits.len(), waits[0].why.as_deref()), (1, Some("needs_errand")));
    Ok(())
}

/// Dead letters are listed, counted, put back and dropped; what is done and old is forgotten, and nothing else.
pub async fn dead_letters_wait_for_people_and_the_rest_is_forgotten(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let arrivals = store.coupons().campaigns().arrivals();
    arrivals
        .arrive(vec![new("a", "news", 1), new("b", "news", 2), new("c", "news", 3), new("d", "news", 4)])
        .await?;
    let all = lent(arrivals, "news", 100).await?;
    let states = [ArrivalState::Failed, ArrivalState::Done, ArrivalState::Dropped, ArrivalState::Waiting];
    let notes = all.iter().zip(states).map(|(one, state)| became(one, state, 150, Some("why"))).collect();
    assert_eq!(arrivals.note_arrivals(notes).await?, 4);
    let listed = async |log: ArrivalLog| -> Result<Vec<ArrivalId>> {
        let found = arrivals.arrivals(ArrivalLog { limit: 9, ..log }).await?;
        Ok(found.into_iter().map(|one| one.id).collect())
    };
    assert_eq!(listed(ArrivalLog::default()).await?, ["d", "c", "b", "a"].map(id));
    let before = ArrivalLog { before: Some((Ts(3), id("c"))), ..ArrivalLog::default() };
    assert_eq!(listed(before).await?, ["b", "a"].map(id));
    let failed = ArrivalLog { state: Some(ArrivalState::Failed), ..ArrivalLog::default() };
    assert_eq!(listed(failed.clone()).await?, [id("a")]);
    assert_eq!(listed(ArrivalLog { channel: Some("other".to_owned()), ..failed }).await?, []);
    let count = |state, n| ArrivalCount { channel: "wecom".to_owned(), lane: "news".to_owned(), state, n };
    let wanted =
        [ArrivalState::Waiting, ArrivalState::Failed, ArrivalState::Dropped].map(|state| count(state, 1));
    assert_eq!(arrivals.count_arrivals().await?, wanted);
    assert!(!arrivals.move_arrival(id("b"), ArrivalState::Failed, ArrivalState::Waiting, None).await?);
    assert!(arrivals.move_arrival(id("a"), ArrivalState::Failed, ArrivalState::Waiting, None).await?);
    let back = arrivals.arrival(id("a")).await?.unwrap_or_else(|| panic!("it is gone"));
    assert_eq!((back.state, back.tries, back.due, back.why), (ArrivalState::Waiting, 0, Ts(1), None));
    assert_eq!(arrivals.forget_arrivals(Ts(2), 9).await?, 0, "what waits stays, and what is not old");
    assert_eq!(arrivals.forget_arrivals(Ts(1_000), 1).await?, 1);
    assert_eq!(arrivals.forget_arrivals(Ts(1_000), 9).await?, 1);
    assert_eq!(listed(ArrivalLog::default()).await?, ["d", "a"].map(id));
    Ok(())
}

/// What came moves with the home.
pub async fn what_came_moves_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new_home) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let arrivals = old.coupons().campaigns().arrivals();
    let before = old.digest().await?;
    arrivals.arrive(vec![new("a", "news", 1), new("b", "welcome", 2)]).await?;
    assert_eq!(old.digest().await?, before, "what is still to become something is nothing yet");
    let one = lent(arrivals, "news", 100).await?;
    arrivals.note_arrivals(vec![became(&one[0], ArrivalState::Failed, 7, Some("why"))]).await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new_home.fill(rows));
    taken?;
    assert_eq!(new_home.digest().await?, said?);
    let there = new_home.coupons().campaigns().arrivals();
    for name in ["a", "b"] {
        assert_eq!(there.arrival(id(name)).await?, arrivals.arrival(id(name)).await?);
    }
    assert_eq!(there.arrive(vec![new("a", "news", 1)]).await?, [false], "it is known there, too");
    Ok(())
}

/// Nothing is done any more about who is erased, and what came of them says nothing.
pub async fn what_came_of_whoever_is_erased_says_nothing(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let Some(personal) = store.personal() else { return Ok(()) };
    let life = Life { key: KEY, name: "ann".to_owned() };
    store.append(super::life::append(vec![life.item(1)], at(1), false)).await?;
    let turn = turn(&store).await?;
    let rows = store.waiting(&turn, 10).await?;
    let row = rows.first().ok_or_else(|| StoreError::Damaged("nothing waits".to_owned()))?;
    let part = life.part(1, row.seq);
    let name = part.identifiers.first().map(|identifier| identifier.hash);
    let hash = name.unwrap_or_else(|| life.item(1).names[0].hash);
    let member = zhiyin_model::member::Member::new(life.member(), at(1));
    let stored = crate::StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None };
    store
        .flush(Flush {
            turn,
            cursor: part.cursor,
            version: 1,
            decided: part.decided,
            identifiers: part.identifiers,
            members: vec![stored],
            ..Flush::default()
        })
        .await?;
    let arrivals = store.coupons().campaigns().arrivals();
    let theirs = NewArrival { about: hash, ..new("theirs", "news", 1) };
    arrivals.arrive(vec![theirs, new("other", "news", 2)]).await?;
    personal.erase(life.member()).await?;
    let gone = arrivals.arrival(id("theirs")).await?.unwrap_or_else(|| panic!("it is gone"));
    assert_eq!((gone.state, gone.why.as_deref()), (ArrivalState::Dropped, Some("erased")));
    assert!(seal::is_erased(&gone.body));
    let left = lent(arrivals, "news", 100).await?;
    assert_eq!(left.iter().map(|one| one.id).collect::<Vec<_>>(), [id("other")]);
    assert_eq!(seal::open(&left[0].body)?, "what other says");
    Ok(())
}
