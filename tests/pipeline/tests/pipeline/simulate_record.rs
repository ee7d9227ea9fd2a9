//! M6: a simulation under the live rules arrives exactly where the record is, and leaves the home as it was.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use zhiyin_engine::simulate::{Sample, Simulation};

use crate::home::Home;
use crate::items::{order, spend};
use crate::playbooks;
use crate::streams::{Moment, What, items, stream};

/// How many random streams are replayed.
const CASES: u32 = 40;

/// A member's own life: orders that somebody else cancelled before they were placed are not told apart by one member's events.
fn own(stream: Vec<Moment>) -> Vec<Moment> {
    let mut known = [false; 256];
    let mut kept = Vec::new();
    for moment in stream {
        match moment.what {
            What::Order(_, number, ..) => known[usize::from(number)] = true,
            What::Cancel(number) | What::Paid(number) | What::Update(number, ..)
                if !known[usize::from(number)] =>
            {
                continue;
            }
            What::Stranger(_) => continue,
            _ => {}
        }
        kept.push(moment);
    }
    kept
}

fn replays_are_equal(live: bool, seed: u8) {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let config =
        Config { cases: CASES, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tried = runner.run(&(stream(), any::<bool>()), |(stream, held_back)| {
        let sent = items(&own(stream));
        let playbook = playbooks::month(held_back);
        let (found, before, after) = runtime.block_on(async {
            let home = Home::new(&playbook).await;
            for one in &sent {
                let item = std::slice::from_ref(&one.item);
                if live {
                    home.accept_live(one.source, item, one.now).await;
                    home.until(one.now).await;
                } else {
                    home.accept_from(one.source, item).await;
                    home.settle().await;
                }
            }
            let before = home.digest().await;
            let asked = Simulation { from: None, to: None, sample: Sample::All };
            let found = home.engine().simulate(&playbooks::parse(&playbook), asked).await.unwrap();
            (found, before, home.digest().await)
        });
        let total = |name: &str| found.total(name).map(|total| total.difference);
        let differ = ["points_granted", "points_outstanding", "items_refused"].map(total);
        if found.reproduced.equal != found.members.replayed || differ != [Some(0); 3] || before != after {
            let lines: Vec<String> =
                sent.iter().map(|sent| format!("{} {} {}", sent.now, sent.source, sent.item)).collect();
            return Err(TestCaseError::fail(format!(
                "{:?} {differ:?}\n{}",
                found.reproduced,
                lines.join("\n")
            )));
        }
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

/// Who is refused has lived up to then: what was due comes before what is told later of an earlier hour.
#[tokio::test]
async fn m6_what_was_due_before_a_refused_item_comes_before_what_follows() {
    let playbook = playbooks::month(false);
    for spends in [0, 1] {
        let home = Home::new(&playbook).await;
        let mut items = vec![order("e0", "ann", "n0", "2018-06-01T03:30:00Z", "0")];
        // A day of the brand's begins at 16:00 UTC.
        items.extend((0..spends).map(|_| spend("e1", "ann", "2018-06-03T16:30:00Z", 1)));
        items.push(order("e2", "ann", "n0", "2018-06-03T15:30:00Z", "99.99"));
        for item in items {
            home.accept(&[item]).await;
            home.settle().await;
        }
        assert_eq!(home.dead().await.len(), spends);
        let asked = Simulation { from: None, to: None, sample: Sample::All };
        let found = home.engine().simulate(&playbooks::parse(&playbook), asked).await.unwrap();
        assert_eq!((found.reproduced.compared, found.reproduced.equal), (1, 1), "{spends} refused");
    }
}

#[test]
fn m6_history_replayed_is_the_record() {
    replays_are_equal(false, 81);
}

#[test]
fn m6_live_items_replayed_are_the_record() {
    replays_are_equal(true, 82);
}
