//! The brand's tree: edits are idempotent and whole, the past is kept, and reports are cut by stores.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_model::id::MemberId;
use zhiyin_model::place::tree::{Edit, Tally};
use zhiyin_model::place::{About, Code, Names, Place, PlaceKind, Staff, StoreFormat};
use zhiyin_model::time::{Day, Ts};

use super::life::{Life, append, at, lived, turn};
use super::past::as_of;
use super::{Homes, KEY};
use crate::flush::Flush;
use crate::places::{Change, Edited};
use crate::{Result, Store, StoreError};

fn code(text: &str) -> Code {
    match Code::read("code", text) {
        Ok(code) => code,
        Err(refusal) => panic!("{refusal:?}"),
    }
}

fn place(kind: PlaceKind, text: &str, parent: &str) -> Place {
    let names = Names { en: Some(text.to_uppercase()), zh: Some("店 'ü'".to_owned()) };
    let parent = (!parent.is_empty()).then(|| code(parent));
    Place { code: code(text), parent, kind, about: About { names, ..About::default() } }
}

/// b → (n → s1, s → (s2, s3))
fn all() -> Vec<Place> {
    use PlaceKind::{Brand, Region, Store};
    let mut places: Vec<Place> = [
        (Store, "s1", "n"),
        (Store, "s2", "s"),
        (Store, "s3", "s"),
        (Region, "n", "b"),
        (Region, "s", "b"),
        (Brand, "b", ""),
    ]
    .map(|(kind, code, parent)| place(kind, code, parent))
    .into();
    places[0].about.format = Some(StoreFormat::Mall);
    places[0].about.zone = Some("Asia/Shanghai".to_owned());
    places
}

fn clerk(at: &str, name: &str) -> Staff {
    let from = Some(Day(100));
    Staff {
        code: code("c1"),
        place: code(at),
        name: name.to_owned(),
        role: "clerk".to_owned(),
        from,
        until: None,
    }
}

fn put(places: Vec<Place>, staff: Vec<Staff>) -> Edit {
    Edit::Put { places, staff }
}

async fn edit(store: &Arc<dyn Store>, edit: Edit, n: u8) -> Result<Edited> {
    store.change_places(Change { edit, seen: None, by: format!("editor {n}"), at: at(n) }).await
}

/// Edits and gives how places and staff were counted, as (added, changed, unchanged).
async fn counted(store: &Arc<dyn Store>, what: Edit, n: u8) -> Result<[(usize, usize, usize); 2]> {
    let of = |tally: Tally| (tally.added, tally.changed, tally.unchanged);
    match edit(store, what, n).await? {
        Ok(written) => Ok([of(written.places), of(written.staff)]),
        Err(misfits) => panic!("{misfits:#?}"),
    }
}

/// A second run of the same changes nothing: not the version, not the history, not the digest.
pub async fn a_tree_is_put_once(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let empty = store.digest().await?;
    assert_eq!(
        store.places().await?,
        crate::places::Whole { version: store.places_version().await?, ..Default::default() }
    );
    let staff = || vec![clerk("s1", "华安"), clerk("s2", "Ann")];
    assert_eq!(counted(&store, put(all(), staff()), 1).await?, [(6, 0, 0), (2, 0, 0)]);
    let first = (store.places().await?, store.digest().await?, store.place("s1").await?);
    assert_ne!(first.1, empty);
    let mut again = all();
    again.reverse();
    assert_eq!(counted(&store, put(again, staff()), 2).await?, [(0, 0, 6), (0, 0, 2)]);
    assert_eq!((store.places().await?, store.digest().await?, store.place("s1").await?), first);
    let codes: Vec<_> = first.0.places.iter().map(|placed| placed.place.code.to_string()).collect();
    assert_eq!(codes, ["b", "n", "s", "s1", "s2", "s3"]);
    let mut sorted = all();
    sorted.sort_by(|a, b| a.code.cmp(&b.code));
    assert_eq!(first.0.places.iter().map(|placed| placed.place.clone()).collect::<Vec<_>>(), sorted);
    assert_eq!(first.0.staff, staff());
    // One of the staff who is otherwise now, one place that is, and nothing else.
    let mut changed = all();
    changed.truncate(1);
    changed[0].about.format = Some(StoreFormat::Street);
    assert_eq!(counted(&store, put(changed, vec![clerk("s2", "Anna")]), 3).await?, [(0, 1, 0), (0, 1, 0)]);
    let Some(whole) = store.place("s2").await? else { panic!("s2 is gone") };
    assert_eq!((whole.staff, whole.placed.since), (vec![clerk("s2", "Anna")], at(1)));
    assert!(store.places_version().await? > first.0.version);
    assert_eq!(store.place("nowhere").await?, None);
    Ok(())
}

/// What does not fit leaves nothing behind, also of what fits; nor does an edit of a tree that has moved on.
pub async fn an_edit_is_written_whole_or_not_at_all(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    counted(&store, put(all(), Vec::new()), 1).await?;
    let before = (store.places().await?, store.digest().await?);
    for (what, expected) in [
        (
            put(vec![place(PlaceKind::Store, "s4", "s"), place(PlaceKind::Store, "s5", "x")], Vec::new()),
            "parent_unknown",
        ),
        (put(vec![place(PlaceKind::Store, "s4", "s")], vec![clerk("x", "Ann")]), "place_unknown"),
        (Edit::Move { code: code("s"), under: code("s") }, "circle"),
        (Edit::Move { code: code("s"), under: code("s2") }, "parent_is_a_store"),
        (Edit::Move { code: code("b"), under: code("s") }, "parent_of_brand"),
        (Edit::Close { code: code("s"), on: Day(200) }, "not_a_store"),
    ] {
        match edit(&store, what, 2).await? {
            Ok(written) => panic!("{expected}: {written:?}"),
            Err(misfits) => assert_eq!(misfits[0].refusal.code, expected),
        }
    }
    let seen = Some(before.0.version - 1);
    let edit = put(vec![place(PlaceKind::Store, "s4", "s")], Vec::new());
    let stale = store.change_places(Change { edit, seen, by: "editor".to_owned(), at: at(2) }).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    assert_eq!((store.places().await?, store.digest().await?), before);
    Ok(())
}

/// Every change is kept with who made it, and the tree is told as it was at any instant.
pub async fn the_tree_is_told_as_it_was(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    counted(&store, put(all(), Vec::new()), 2).await?;
    counted(&store, Edit::Move { code: code("s"), under: code("n") }, 3).await?;
    counted(&store, Edit::Close { code: code("s2"), on: Day(150) }, 4).await?;
    counted(&store, put(vec![place(PlaceKind::Store, "s4", "s")], Vec::new()), 5).await?;
    // Twice at the same instant, and by a clock that was set back.
    counted(&store, Edit::Move { code: code("s"), under: code("b") }, 6).await?;
    counted(&store, Edit::Move { code: code("s2"), under: code("n") }, 6).await?;
    counted(&store, Edit::Move { code: code("s2"), under: code("b") }, 1).await?;
    // (as of, parents of s, s2 and s4, whether s2 has been closed)
    for (instant, s, s2, s4, closed) in [
        (at(1), None, None, None, false),
        (at(2).plus_us(-1), None, None, None, false),
        (at(2), Some("b"), Some("s"), None, false),
        (at(3).plus_us(-1), Some("b"), Some("s"), None, false),
        (at(3), Some("n"), Some("s"), None, false),
        (at(4), Some("n"), Some("s"), None, true),
        (at(5), Some("n"), Some("s"), Some("s"), true),
        (at(6).plus_us(-1), Some("n"), Some("s"), Some("s"), true),
        (at(6), Some("b"), Some("b"), Some("s"), true),
        (Ts::FOREVER, Some("b"), Some("b"), Some("s"), true),
    ] {
        let then: BTreeMap<String, Place> = store
            .places_at(instant)
            .await?
            .into_iter()
            .map(|place| (place.code.to_string(), place))
            .collect();
        let parent = |code: &str| then.get(code).and_then(|place| place.parent.as_ref()).map(Code::as_str);
        assert_eq!((parent("s"), parent("s2"), parent("s4")), (s, s2, s4), "as of {instant}");
        assert_eq!(
            then.get("s2").is_some_and(|place| place.about.closed_on.is_some()),
            closed,
            "as of {instant}"
        );
    }
    let Some(whole) = store.place("s2").await? else { panic!("s2 is gone") };
    let told: Vec<_> = whole
        .history
        .iter()
        .map(|past| {
            (
                past.at,
                past.by.as_str(),
                past.was.as_ref().and_then(|was| was.parent.as_ref()).map(Code::as_str),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (at(2), "editor 2", None),
            (at(4), "editor 4", Some("s")),
            (at(6), "editor 6", Some("s")),
            (at(6), "editor 1", Some("n")),
        ]
    );
    assert_eq!(whole.placed.since, at(6));
    Ok(())
}

/// Any row of the tree that differs makes another digest; where the tree is empty it is as if there were none.
pub async fn the_digest_tells_trees_apart(homes: &dyn Homes) -> Result<()> {
    let mut seen: Vec<(String, &str)> = Vec::new();
    let renamed = || {
        let mut places = all();
        places[1].about.names.en = Some("another".to_owned());
        places
    };
    let moved = || {
        let mut places = all();
        places[1].parent = Some(code("n"));
        places
    };
    let mut manager = clerk("s1", "Ann");
    manager.role = "manager".to_owned();
    for (what, places, staff, n) in [
        ("nothing", Vec::new(), Vec::new(), 1),
        ("the tree", all(), Vec::new(), 1),
        ("a name", renamed(), Vec::new(), 1),
        ("a parent", moved(), Vec::new(), 1),
        ("when, and who", all(), Vec::new(), 2),
        ("staff", all(), vec![clerk("s1", "Ann")], 1),
        ("a name of staff", all(), vec![clerk("s1", "Anna")], 1),
        ("a role", all(), vec![manager], 1),
    ] {
        let store = homes.fresh(&KEY);
        counted(&store, put(places, staff), n).await?;
        let digest = store.digest().await?;
        let same = seen.iter().find(|(other, _)| *other == digest);
        assert!(same.is_none(), "a change of {what} gives the digest of {same:?}");
        seen.push((digest, what));
    }
    // The same tree by another way has another history.
    let store = homes.fresh(&KEY);
    counted(&store, put(moved(), Vec::new()), 1).await?;
    counted(&store, put(all(), Vec::new()), 1).await?;
    assert_ne!(store.digest().await?, seen[1].0);
    Ok(())
}

/// A tree moves with its home.
pub async fn a_tree_moves_whole(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&KEY));
    counted(&old, put(all(), vec![clerk("s1", "华安")]), 1).await?;
    counted(&old, Edit::Move { code: code("s"), under: code("n") }, 2).await?;
    let before = new.places_version().await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    let digest = said?;
    assert_eq!((old.digest().await?, new.digest().await?), (digest.clone(), digest));
    assert!(new.places_version().await? > before, "whoever holds the tree in memory reads it anew");
    for instant in [at(1), at(2)] {
        assert_eq!(new.places_at(instant).await?, old.places_at(instant).await?);
    }
    assert_eq!(new.place("s1").await?, old.place("s1").await?);
    // What comes after goes on from there.
    for store in [&old, &new] {
        counted(store, Edit::Close { code: code("s1"), on: Day(300) }, 3).await?;
    }
    assert_eq!(new.place("s1").await?, old.place("s1").await?);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    assert!(taken.is_err() && said.is_err(), "a home with a tree is not filled");
    Ok(())
}

/// Members whose lives lie at stores of their own, with what each store should come to.
async fn shoppers(homes: &dyn Homes) -> Result<Arc<dyn Store>> {
    let store = homes.fresh(&KEY);
    // Where her first order was made, where her second one, and where she was last met.
    for (name, first, second, met) in [
        ("ann", Some("s1"), Some("s1"), Some("s1")),
        ("bob", Some("s1"), Some("s2"), Some("s2")),
        ("cid", Some("s3"), None, Some("s3")),
        ("dan", None, Some("x 9"), Some("x 9")),
        ("eve", None, None, None),
    ] {
        let life = Life { key: KEY, name: name.to_owned() };
        store.append(append((1..=6).map(|n| life.item(n)).collect(), at(6), true)).await?;
        for n in 1..=6 {
            let turn = turn(&store).await?;
            let waiting = store.waiting(&turn, 1).await?;
            let mut part = life.part(n, waiting[0].seq);
            for set in &mut part.orders {
                let where_made = if set.order.id == life.order(1) { first } else { second };
                set.order.store = where_made.map(str::to_owned);
            }
            for stored in &mut part.members {
                if let Some(met) = met {
                    stored.member.touches.note_store(at(6), met);
                }
            }
            store.flush(Flush { turn, ..part }).await?;
        }
    }
    Ok(store)
}

/// Orders go by their store, members by the latest where they were met: cut by some stores, and by all the others, they come
/// to the whole.
pub async fn reports_are_cut_by_stores(homes: &dyn Homes) -> Result<()> {
    let store = shoppers(homes).await?;
    let stores = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    // (as of, cut): who belongs, orders, paid. A first order is 100.00, of which half came back on day 5; a second one is 40.00.
    for (instant, cut, members, orders, paid) in [
        (at(1).plus_us(-1), &["s1", "s2", "s3", "x 9"][..], 0, 0, 0),
        (at(4), &["s1"], 1, 2, 20_000),
        (at(6), &["s1"], 1, 3, 14_000),
        (at(6), &["s2"], 1, 1, 4_000),
        (at(6), &["s3"], 1, 1, 5_000),
        (at(6), &["s2", "s3"], 2, 2, 9_000),
        (at(6), &["s1", "s2", "s3", "x 9"], 4, 6, 27_000),
        (at(6), &["S1", "9", "x"], 0, 0, 0),
        (at(6), &[], 0, 0, 0),
    ] {
        let lines = store.member_lines_of(as_of(instant), stores(cut)).await?;
        let sums = lines.iter().fold((0, 0, 0), |sums, cut| {
            (sums.0 + i64::from(cut.belongs), sums.1 + cut.line.orders, sums.2 + cut.line.paid)
        });
        assert_eq!(sums, (members, orders, paid), "{cut:?} as of {instant}");
        // By another way: what each store comes to, added up.
        let mut other = (0, 0, 0);
        for sum in store.store_sums(as_of(instant)).await? {
            if sum.store.as_deref().is_some_and(|name| cut.contains(&name)) {
                other = (other.0 + sum.members, other.1 + sum.orders, other.2 + sum.paid);
            }
        }
        assert_eq!(other, sums, "{cut:?} as of {instant}");
        // And by a third: all that is known of those who belong, but their orders, is what the whole report says of them.
        let whole: BTreeMap<MemberId, _> =
            store.member_lines(as_of(instant)).await?.into_iter().map(|line| (line.member, line)).collect();
        for line in lines.iter().map(|cut| &cut.line) {
            let known = &whole[&line.member];
            let same = crate::read::MemberLine { orders: line.orders, paid: line.paid, ..known.clone() };
            assert_eq!(*line, same, "{cut:?} as of {instant}");
        }
        // The ledger of those who belong is the sum of their points.
        let points: i64 = lines.iter().filter(|cut| cut.belongs).map(|cut| cut.line.points).sum();
        let ledger = store.ledger_lines_of(as_of(instant), stores(cut)).await?;
        let of_points = ledger.iter().filter(|line| line.asset == zhiyin_model::effect::Asset::Points);
        let balance: i64 = of_points.map(|line| line.kind.sides().1 * line.amount).sum();
        // 10 are held, and as of day 6 those of the second order are not active yet.
        let shown = balance - members * if instant == at(6) { 50 } else { 10 };
        assert_eq!(shown.max(0), points, "{cut:?} as of {instant}");
    }
    let sums = store.store_sums(as_of(at(6))).await?;
    let sums: Vec<_> = sums.iter().map(|s| (s.store.as_deref(), s.members, s.orders, s.paid)).collect();
    assert_eq!(
        sums,
        [
            (None, 1, 4, 18_000),
            (Some("s1"), 1, 3, 14_000),
            (Some("s2"), 1, 1, 4_000),
            (Some("s3"), 1, 1, 5_000),
            (Some("x 9"), 1, 1, 4_000),
        ]
    );
    let seen = store.stores_seen().await?;
    let seen: Vec<_> = seen.iter().map(|seen| (seen.store.as_str(), seen.orders, seen.last)).collect();
    assert_eq!(seen, [("s1", 3, at(6)), ("s2", 1, at(6)), ("s3", 1, at(1)), ("x 9", 1, at(6))]);
    Ok(())
}

/// A home whose members were met nowhere has nothing that a cut could show.
pub async fn a_cut_of_nowhere_is_empty(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    lived(&store, &Life::of(&KEY), 6).await?;
    let nowhere = || vec!["nowhere".to_owned()];
    assert!(store.member_lines_of(as_of(at(6)), nowhere()).await?.is_empty());
    assert!(store.ledger_lines_of(as_of(at(6)), nowhere()).await?.is_empty());
    Ok(())
}
