//! Other members are reached by events: exactly once, in the same transaction, whatever the batch.

use zhiyin_model::time::Ts;

use crate::home::Home;
use crate::items::{gift, order};
use crate::playbooks::SHIPPED;

const NOON: &str = "2017-03-01T04:00:00Z";
const LATER: &str = "2017-03-02T04:00:00Z";

async fn given(batch: usize) -> (Home, String) {
    let home = Home::new(SHIPPED).await;
    let items = [
        order("o1", "ann", "1", NOON, "100"),
        gift("g1", "ann", "bob", LATER, 60),
        // Bob can give on what has only just reached him, and Ann what came back.
        gift("g2", "bob", "cid", LATER, 50),
        gift("g3", "cid", "ann", LATER, 20),
        gift("g4", "ann", "bob", LATER, 55),
        gift("g5", "ann", "bob", LATER, 60),
    ];
    home.accept(&items).await;
    home.engine().drain(batch, Some(Ts::MIN), |_| ()).await.unwrap();
    let digest = home.digest().await;
    (home, digest)
}

#[tokio::test]
async fn a_gift_to_another_member_is_exactly_once_whatever_the_batch() {
    let (home, one_by_one) = given(1).await;
    let left = [("ann", 5), ("bob", 65), ("cid", 30)];
    for (name, points) in left {
        assert_eq!(home.points(name).await.active, points, "{name}");
    }
    assert_eq!(home.refusals().await, ["g5: insufficient_points @properties.amount"]);
    for batch in [2, 3, 7, 64] {
        assert_eq!(given(batch).await.1, one_by_one, "{batch}");
    }
}

#[tokio::test]
async fn who_is_given_to_becomes_known_and_is_enrolled() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[order("o1", "ann", "1", NOON, "100"), gift("g1", "ann", "dan", LATER, 1)]).await;
    let dan = home.member("dan").await;
    assert_eq!(dan.terms.len(), 1);
    assert_eq!(dan.stages[0].1, "introduction");
    assert_eq!(dan.identifiers, [("user".to_owned(), "dan".to_owned())]);
}

#[tokio::test]
async fn gift_to_self_is_refused() {
    let home = Home::new(SHIPPED).await;
    home.accept(&[order("o1", "ann", "1", NOON, "100"), gift("g1", "ann", "ann", LATER, 1)]).await;
    home.settle().await;
    assert_eq!(home.refusals().await, ["g1: gift_to_self @properties.to_value"]);
    assert_eq!(home.points("ann").await.active, 100);
}
