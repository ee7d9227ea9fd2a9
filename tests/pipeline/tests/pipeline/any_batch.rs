//! Semantics 16: the result does not depend on how events fall into batches, nor on when the engine is dropped and
//! opened again, nor on whether items are decided as they come or all at the end.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use zhiyin_model::effect::Asset;
use zhiyin_model::time::{DAY_US, Day, Ts};
use zhiyin_store::read::AsOf;

use crate::home::Home;
use crate::playbooks;
use crate::streams::{Sent, items, stream};

/// How many random streams are tried in each way of coming in.
const CASES: u32 = 60;

/// What happens after an item was accepted.
#[derive(Clone, Copy, Debug)]
enum Beat {
    /// Nothing: it waits.
    Rest,
    /// So many batches.
    Steps(u8),
    /// All that waits is decided.
    Drain,
    /// The engine is dropped with all it holds in memory.
    Reopen,
}

/// One way to play a stream.
#[derive(Clone, Debug)]
struct Way {
    batch: usize,
    beats: Vec<Beat>,
    held_back: bool,
    live: bool,
}

impl Way {
    fn beat(&self, i: usize) -> Beat {
        self.beats[i % self.beats.len()]
    }
}

fn beats() -> impl Strategy<Value = Vec<Beat>> {
    let beat = prop_oneof![
        4 => Just(Beat::Rest),
        4 => (1u8..4).prop_map(Beat::Steps),
        1 => Just(Beat::Drain),
        1 => Just(Beat::Reopen),
    ];
    proptest::collection::vec(beat, 5..20)
}

/// Plays a stream and gives the digest after its last item, the digest after a month of silence, and what the home
/// looks like then, for people.
async fn play(sent: &[Sent], way: &Way) -> (String, String, String) {
    let mut home = Home::new(&playbooks::month(way.held_back)).await;
    let mut end = Ts::MIN;
    for (i, Sent { source, item, now }) in sent.iter().enumerate() {
        let until = if way.live { *now } else { Ts::MIN };
        if way.live {
            home.accept_live(source, std::slice::from_ref(item), *now).await;
        } else {
            home.accept_from(source, std::slice::from_ref(item)).await;
        }
        end = *now;
        match way.beat(i) {
            Beat::Rest => {}
            Beat::Steps(n) => {
                for _ in 0..n {
                    home.engine().step(way.batch, Some(until)).await.unwrap();
                }
            }
            Beat::Drain => drop(home.engine().drain(way.batch, Some(until), |_| ()).await.unwrap()),
            Beat::Reopen => home.reopen().await,
        }
    }
    let until = if way.live { end } else { Ts::MIN };
    home.engine().drain(way.batch, Some(until), |_| ()).await.unwrap();
    let first = home.digest().await;
    home.engine().drain(way.batch, Some(end.plus_us(40 * DAY_US)), |_| ()).await.unwrap();
    (first, home.digest().await, described(&home).await)
}

/// Every member in a few lines, for the message of a failure.
async fn described(home: &Home) -> String {
    let mut text = String::new();
    for name in ["m0", "m1", "m2", "m3", "m4", "stranger"] {
        if home.knows(name).await {
            let whole = home.member(name).await;
            text += &format!(
                "{name}: {:?} {:?} terms {:?} stages {:?} tags {:?} in {:?}\n",
                whole.member.account(Asset::Points),
                whole.orders,
                whole.terms,
                whole.stages,
                whole.member.tags,
                whole.member.audiences.since,
            );
        }
    }
    text + &home.refusals().await.join("\n")
}

fn any_way_gives_the_same(live: bool, seed: u8) {
    // A seed of its own for each test: what failed once fails again.
    let rng =
        proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[seed; 32]);
    let config =
        Config { cases: CASES, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ways = (stream(), any::<bool>(), [beats(), beats()], prop_oneof![Just(2usize), Just(7)]);
    let tried = runner.run(&ways, |(stream, held_back, beats, batch)| {
        let sent = items(&stream);
        let plain = Way { batch: 1, beats: vec![Beat::Drain], held_back, live };
        let expected = runtime.block_on(play(&sent, &plain));
        for (beats, batch) in beats.into_iter().zip([batch, 64]) {
            let way = Way { batch, beats, held_back, live };
            let got = runtime.block_on(play(&sent, &way));
            if got != expected {
                let message =
                    format!("{way:?}\ngot {got:?}\nexpected {expected:?}\n{}", described_items(&sent));
                return Err(TestCaseError::fail(message));
            }
        }
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

fn described_items(sent: &[Sent]) -> String {
    let lines = sent.iter().map(|sent| format!("{} {} {}", sent.now, sent.source, sent.item));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn s16_state_does_not_depend_on_batch_size_when_history_is_replayed() {
    any_way_gives_the_same(false, 16);
}

#[test]
fn s16_state_does_not_depend_on_batch_size_when_items_come_in_live() {
    any_way_gives_the_same(true, 61);
}

/// The streams would prove little if they met little: over a sample of them, every kind of transfer, level, stage and
/// most reasons of refusal come up.
#[test]
fn the_random_streams_meet_what_there_is_to_meet() {
    let rng =
        proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[3; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut met = std::collections::BTreeSet::new();
    for i in 0..40 {
        let stream = stream().new_tree(&mut runner).unwrap().current();
        let way = Way { batch: 64, beats: vec![Beat::Rest], held_back: i % 2 == 0, live: false };
        met.extend(runtime.block_on(met_by(&items(&stream), &way)));
    }
    for expected in [
        "earn",
        "take_back",
        "spend",
        "return",
        "expire",
        "give",
        "withdraw",
        "hold",
        "release",
        "regular",
        "silver",
        "gold",
        "introduction",
        "growth",
        "maturity",
        "decline",
        "lost",
        "debt",
        "snack_lover",
        "coupon_user",
        "silent",
        "order_unknown",
        "order_of_another_member",
        "refund_exceeds_paid",
        "insufficient_points",
        "hold_closed",
        "hold_unknown",
        "spend_unknown",
        "gift_to_self",
        "order_cancelled",
    ] {
        assert!(met.contains(expected), "no {expected} in {met:?}");
    }
}

async fn met_by(sent: &[Sent], way: &Way) -> Vec<String> {
    let home = Home::new(&playbooks::month(way.held_back)).await;
    let mut met = Vec::new();
    for Sent { source, item, .. } in sent {
        home.accept_from(source, std::slice::from_ref(item)).await;
        home.settle().await;
        for name in ["m0", "m1", "m2", "m3"] {
            if home.knows(name).await && home.points(name).await.debt > 0 {
                met.push("debt".to_owned());
            }
        }
    }
    for name in ["m0", "m1", "m2", "m3"] {
        if home.knows(name).await {
            let whole = home.member(name).await;
            met.extend(whole.terms.iter().map(|(level, ..)| level.clone()));
            met.extend(whole.stages.iter().map(|(_, to, _)| to.clone()));
            met.extend(whole.member.tags.keys().cloned());
        }
    }
    let as_of = AsOf { at: Ts::FOREVER, day: Day(0), over_days: 20 };
    let ledger = home.engine().store().ledger_lines(as_of).await.unwrap();
    met.extend(ledger.iter().map(|line| line.kind.name().to_owned()));
    met.extend(home.dead().await.into_iter().map(|letter| letter.code));
    met
}
