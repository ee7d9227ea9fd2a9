//! What people ask: what is true, what was true on a day, and whether two homes are the same.

use zhiyin_model::consent::Word;
use zhiyin_model::effect::{Asset, TimerKey, TimerKind, TransferKind};
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::time::{DAY_US, Day, Ts};

use super::life::{ACTIVE, EVENTS, Life, append, at, joined, lived, turn};
use super::{Homes, KEY};
use crate::flush::Flush;
use crate::read::{AsOf, OverviewAsk};
use crate::turn::place;
use crate::{PlaybookVersion, Receipt, Result, StoreError, archive};

/// An instant to report on.
pub fn as_of(at: Ts) -> AsOf {
    let day = Day(i32::try_from(at.0 / DAY_US).unwrap_or(i32::MAX));
    AsOf { at, day, over_days: 365 }
}

/// Reports as of a past instant: orders before and after their changes, points without what was pending or held then, tier
/// and stage as held then.
pub async fn reports_say_what_was_true_then(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 6).await?;
    assert!(store.member_lines(as_of(at(1).plus_us(-1))).await?.is_empty());
    // (as of, orders, paid, points, growth, stage)
    let expected = [
        (at(1), 1, 10_000, 100, 1000, "growth"),
        (at(2), 1, 10_000, 90, 1000, "growth"),
        (at(3).plus_us(-1), 1, 10_000, 90, 1000, "growth"),
        (at(3), 1, 10_000, 70, 1000, "growth"),
        (at(4), 1, 10_000, 75, 1000, "growth"),
        (at(5).plus_us(-1), 1, 10_000, 75, 1000, "growth"),
        (at(5), 1, 5_000, 25, 500, "decline"),
        // Earned, but held back until ACTIVE.
        (at(6), 2, 9_000, 25, 900, "decline"),
        (ACTIVE.plus_us(-1), 2, 9_000, 25, 900, "decline"),
        (ACTIVE, 2, 9_000, 65, 900, "decline"),
        // Day 466 is 366 days after the first order: only the second one's growth is left.
        (Ts(466 * DAY_US), 2, 9_000, 65, 400, "decline"),
    ];
    for (instant, orders, paid, points, growth, stage) in expected {
        let lines = store.member_lines(as_of(instant)).await?;
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        let got = (line.orders, line.paid, line.points, line.growth, line.stage.as_deref());
        assert_eq!(got, (orders, paid, points, growth, Some(stage)), "as of {instant}");
        assert_eq!(line.tier.as_deref(), Some("regular"));
        assert_eq!(line.identifiers, [("user".to_owned(), "ann".to_owned())]);
    }
    let ledger = store.ledger_lines(as_of(at(3))).await?;
    let ledger: Vec<_> = ledger.iter().map(|l| (l.asset, l.kind, l.transfers, l.amount)).collect();
    assert_eq!(
        ledger,
        [
            (Asset::Points, TransferKind::Earn, 1, 100),
            (Asset::Points, TransferKind::Spend, 1, 20),
            (Asset::Points, TransferKind::Hold, 1, 10),
            (Asset::Growth, TransferKind::Earn, 1, 1000),
        ]
    );
    Ok(())
}

/// One member with all that belongs to them, and nobody by an id that nobody has.
pub async fn one_member_whole(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 6).await?;
    let Some(whole) = store.member_whole(life.member()).await? else { panic!("she is not found") };
    assert_eq!(whole.orders, (2, 9_000));
    assert_eq!(
        whole.lots.iter().map(|(left, granted, ..)| (*left, *granted)).collect::<Vec<_>>(),
        [(35, 100), (40, 40)]
    );
    assert_eq!(whole.terms.len(), 1);
    assert_eq!(whole.stages.iter().map(|(_, to, _)| to.as_str()).collect::<Vec<_>>(), ["growth", "decline"]);
    assert_eq!(whole.timeline.first().map(|(time, ..)| *time), Some(at(6)));
    let kinds: Vec<_> = whole.transfers.iter().map(|line| line.kind).collect();
    assert_eq!(kinds.len(), 9);
    assert_eq!(kinds[8], TransferKind::Earn);
    assert_eq!(store.namespaces().await?, ["user"]);
    assert!(store.member_whole(MemberId::from_bytes([9; 16])).await?.is_none());
    Ok(())
}

/// The overview's counts.
pub async fn the_overview_counts_what_there_is(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    let ask = OverviewAsk { flow_from: at(4), now: at(6), zone_offset_us: 0 };
    let empty = store.overview(ask).await?;
    assert_eq!((empty.members, empty.orders, empty.last_event), ((0, 0, 0), (0, 0), None));
    store.append(life.append()).await?;
    let before = store.overview(ask).await?;
    assert_eq!(before.waiting, (i64::from(EVENTS), Some(at(1))));
    lived(&store, &life, 6).await?;
    let record = store.overview(ask).await?;
    assert_eq!((record.members, record.orders), ((1, 1, 1), (2, 9_000)));
    assert_eq!((record.points, record.waiting.0, record.dead_letters), ((75, 0), 0, 0));
    assert_eq!(record.timers, (3, Some(ACTIVE)));
    assert_eq!(record.tiers.get("regular"), Some(&(1, 9_000)));
    assert_eq!(record.stages.get("decline"), Some(&1));
    assert_eq!(record.flow.get(&("growth".to_owned(), "decline".to_owned())), Some(&1));
    assert_eq!(record.tags.get("spender"), Some(&1));
    assert_eq!(record.liability.values().sum::<i64>(), 75);
    assert_eq!(record.last_event, Some(at(6)));
    Ok(())
}

fn version(id: &str, at: Ts) -> PlaybookVersion {
    let (hash, source) = (format!("hash of {id}"), format!("playbook: {id}"));
    PlaybookVersion { version: 0, id: id.to_owned(), hash, source, applied_at: at }
}

/// Applying what is live changes nothing; going back is a new version.
pub async fn playbooks_have_versions(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.live_playbook().await?, None);
    assert_eq!(store.home().await?.version, 0);
    for (id, n, expected) in [("a", 1, 1), ("a", 2, 1), ("b", 3, 2), ("a", 4, 3), ("a", 5, 3)] {
        assert_eq!(store.apply_playbook(version(id, at(n))).await?, expected);
        assert_eq!(store.home().await?.version, expected);
    }
    let live = PlaybookVersion { version: 3, ..version("a", at(4)) };
    assert_eq!(store.live_playbook().await?, Some(live));
    let all: Vec<_> = store.playbooks().await?.into_iter().map(|v| (v.version, v.id, v.applied_at)).collect();
    let newest_first = [(3, "a", at(4)), (2, "b", at(3)), (1, "a", at(1))];
    assert_eq!(all, newest_first.map(|(version, id, at)| (version, id.to_owned(), at)));
    Ok(())
}

/// Members whose last decision was made under an older version, by id, in parts.
pub async fn members_behind_a_version_are_found(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let lives = ["ann", "bob", "cid"].map(|name| Life { key: KEY, name: name.to_owned() });
    for life in &lives {
        lived(&store, life, 6).await?;
    }
    let mut ids: Vec<MemberId> = lives.iter().map(Life::member).collect();
    ids.sort_unstable();
    assert_eq!(store.members_behind(None, 1, None, 10).await?, []);
    assert_eq!(store.members_behind(None, 2, None, 10).await?, ids);
    assert_eq!(store.members_behind(None, 2, None, 2).await?, ids[..2]);
    assert_eq!(store.members_behind(None, 2, Some(ids[1]), 2).await?, ids[2..]);
    Ok(())
}

/// Equal for any batches and under any id key: rows are named by identifiers and causes (semantics 20).
pub async fn the_digest_depends_on_neither_keys_nor_batches(homes: &dyn Homes) -> Result<()> {
    let mut digests = Vec::new();
    for (key, per_batch) in [(1, 1), (1, 2), (2, 3), (3, 6)] {
        let key = IdKey::from_bytes([key; 32]);
        let store = homes.fresh(&key);
        for name in ["ann", "bob"] {
            lived(&store, &Life { key: key.clone(), name: name.to_owned() }, per_batch).await?;
        }
        digests.push(store.digest().await?);
    }
    assert_eq!(digests[0].len(), 64);
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
    // Nor on who came first.
    let store = homes.fresh(&KEY);
    for name in ["bob", "ann"] {
        lived(&store, &Life { key: KEY, name: name.to_owned() }, 2).await?;
    }
    assert_eq!(store.digest().await?, digests[0]);
    Ok(())
}

/// A change of what was true.
type Change = (&'static str, fn(&mut Flush, &Life));

/// Each changes one row of a life, of each kind of row.
const CHANGES: [Change; 26] = [
    ("an identifier", |flush, _| flush.identifiers[0].namespace = "phone".to_owned()),
    ("an identifier's value", |flush, _| flush.identifiers[0].value = crate::seal::seal("anna")),
    ("when she was first known", |flush, _| flush.members[0].member.known_since = at(2)),
    ("an attribute", |flush, _| {
        let city = zhiyin_model::scalar::Scalar::Text("Wuhan".to_owned());
        flush.members[0].member.attributes.insert("city".to_owned(), city);
    }),
    ("a touch", |flush, _| flush.members[0].member.touches.note_store(at(1), "s2")),
    ("a tag held", |flush, _| flush.members[0].member.tags.clear()),
    ("what she told", |flush, life| flush.members[0].member.personal = life.told(6)),
    ("when she told it", |flush, life| flush.members[0].member.personal = life.told(5)),
    ("a word of hers", |flush, life| {
        let word = Word { at: at(2), source: None, guardian: None, event: life.event(2) };
        flush.members[0].member.personal.consents.withdraw("profiling", "all", word);
    }),
    ("a child of hers", |flush, _| flush.members[0].member.personal.dependants.remove("first", at(9))),
    ("growth by day", |flush, _| flush.members[0].member.growth_days[0].0 = Day(99)),
    ("an account", |flush, _| {
        flush.members[0].member.accounts.entry(Asset::Points).or_default().debt = 1;
    }),
    ("an amount", |flush, _| flush.transfers[0].amount += 1),
    ("the day of a transfer", |flush, _| flush.transfers[0].day = Day(1)),
    ("what a transfer undoes", |flush, _| {
        let reversal = flush.transfers.iter_mut().find(|transfer| transfer.reverses.is_some());
        if let Some(transfer) = reversal {
            transfer.reverses = None;
        }
    }),
    ("the cause of a transfer", |flush, life| flush.transfers[0].event = life.event(2)),
    ("what a lot has left", |flush, _| flush.lots[4].remaining -= 1),
    ("when a lot expires", |flush, _| flush.lots[0].expires_at = Ts::FOREVER),
    ("an allocation", |flush, _| flush.allocations[0].lot = None),
    ("a hold", |flush, _| flush.holds[0].open = false),
    ("what was paid", |flush, _| flush.orders[0].order.paid.0 += 1),
    ("the terms of an order", |flush, _| flush.orders[0].order.terms.times = 2000),
    ("a term of a tier", |flush, _| flush.terms[0].term.ends = Day(466)),
    ("a stage move", |flush, _| flush.stages[0].to = "lost".to_owned()),
    ("a tag move", |flush, _| flush.tags[0].at = at(4)),
    ("what passed with a partner", |flush, _| flush.partners[0].partner = "club".to_owned()),
    ("a timer", |flush, _| {
        let key = TimerKey { kind: TimerKind::Tags, which: 0 };
        flush.members[0].member.timers.insert(key, at(6));
    }),
];

/// Any row that differs makes another digest; so does another playbook.
pub async fn the_digest_tells_any_difference(homes: &dyn Homes) -> Result<()> {
    let mut seen = vec![(changed(homes, |_, _| ()).await?, "nothing")];
    for (what, change) in CHANGES {
        let digest = changed(homes, change).await?;
        let same = seen.iter().find(|(other, _)| *other == digest);
        assert!(same.is_none(), "a change of {what} gives the digest of {same:?}");
        seen.push((digest, what));
    }
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.apply_playbook(version("a", at(1))).await?;
    lived(&store, &life, 6).await?;
    let applied = store.digest().await?;
    assert!(seen.iter().all(|(digest, _)| *digest != applied));
    Ok(())
}

async fn changed(homes: &dyn Homes, change: fn(&mut Flush, &Life)) -> Result<String> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let waiting = store.waiting(&turn(&store).await?, 10).await?;
    let parts = (1u8..).zip(&waiting).map(|(n, row)| life.part(n, row.seq));
    let mut whole = parts.reduce(joined).unwrap_or_default();
    change(&mut whole, &life);
    store.flush(Flush { turn: turn(&store).await?, ..whole }).await?;
    store.digest().await
}

/// A month that moves to a file is told as before: histories, lines, the digest; and says from when on ids are remembered.
pub async fn months_move_to_files(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 3).await?;
    let folder = std::env::temp_dir().join(format!("zhiyin-months-{:p}", std::sync::Arc::as_ptr(&store)));
    store.keep_archive(folder.clone());
    let names = || vec!["Points Spent".to_owned()];
    let before = (
        store.digest().await?,
        store.history(life.member(), names()).await?,
        store.order_lines(life.order(1)).await?,
    );
    let months = store.months().await?;
    assert_eq!(
        months.iter().map(|month| (month.month, month.open, month.file.is_some())).collect::<Vec<_>>(),
        [(3, false, false)]
    );
    assert_eq!(store.home().await?.remembers_from, None);
    let (out, mut rows) = tokio::sync::mpsc::channel(64);
    store.month_rows(3, out).await?;
    let mut writer = archive::Writer::new(&folder, 3)?;
    while let Some(rows) = rows.recv().await {
        rows.into_iter().try_for_each(|row| writer.row(row))?;
    }
    let (events, hash) = writer.finish()?;
    assert_eq!(events, months[0].events);
    // Taken up again after an interruption, it comes to the same.
    for _ in 0..2 {
        store.month_archived(3, &archive::file_name(3), events, &hash).await?;
    }
    assert_eq!(store.months().await?[0].file, Some((archive::file_name(3), hash)));
    assert_eq!(store.home().await?.remembers_from, Some(place::remembered_from(3)));
    let after = (
        store.digest().await?,
        store.history(life.member(), names()).await?,
        store.order_lines(life.order(1)).await?,
    );
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    let broken: Vec<_> = store.doctor().await?.into_iter().filter(|check| !check.broken.is_empty()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    std::fs::remove_file(folder.join(archive::file_name(3)))
        .map_err(|error| StoreError::Database(error.to_string()))?;
    assert!(
        store.order_lines(life.order(1)).await.is_err(),
        "without its file it is damage, not an empty event"
    );
    drop(std::fs::remove_dir_all(&folder));
    Ok(())
}

/// A dump fills an empty home, which then is the same; one that is in use is left alone.
pub async fn a_home_moves_whole(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    old.apply_playbook(version("a", at(1))).await?;
    for name in ["ann", "bob", "cid"] {
        lived(&old, &Life { key: KEY, name: name.to_owned() }, 2).await?;
    }
    // Some wait, and one was given up.
    let late = Life { key: KEY, name: "dan".to_owned() };
    old.append(late.append()).await?;
    let waiting = old.waiting(&turn(&old).await?, 9).await?;
    let refusal = zhiyin_model::event::Refusal::new("order_unknown", "properties.order_id", "no such order");
    let dead = vec![crate::flush::Dead { seq: waiting[0].seq, member: None, refusal, at: at(6) }];
    let flush = Flush { turn: turn(&old).await?, cursor: Some(waiting[0].seq), dead, ..Flush::default() };
    old.flush(flush).await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    let digest = said?;
    assert_eq!((old.digest().await?, new.digest().await?), (digest.clone(), digest.clone()));
    let home = new.home().await?;
    assert_eq!((home.id_key, home.clock, home.version), (KEY, at(6), 1));
    let told = |waiting: Vec<crate::Waiting>| -> Vec<_> {
        waiting.into_iter().map(|row| (row.message_id, row.seq, row.clock, row.member, row.replay)).collect()
    };
    let left = told(old.waiting(&turn(&old).await?, 9).await?);
    assert_eq!(left.len(), 5);
    assert_eq!(told(new.waiting(&turn(&new).await?, 9).await?), left);
    assert_eq!(new.dead_letters(9).await?, old.dead_letters(9).await?);
    let broken: Vec<_> = new.doctor().await?.into_iter().filter(|check| !check.broken.is_empty()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    // What comes in after the move is taken once, at a place of its own.
    let receipts = new
        .append(append(vec![late.item(1), Life { key: KEY, name: "eve".to_owned() }.item(1)], at(6), true))
        .await?;
    assert_eq!(receipts, [Receipt::Duplicate, Receipt::Accepted]);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    assert!(taken.is_err() && said.is_err(), "a home in use is not filled");
    assert_eq!(new.digest().await?, digest);
    Ok(())
}
