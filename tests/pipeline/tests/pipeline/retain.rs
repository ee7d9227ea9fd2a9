//! What events said is let go once the playbook's time for it is over, and nothing that a balance rests on.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_engine::retain::Retained;
use zhiyin_model::time::DAY_US;
use zhiyin_store::seal;

use crate::home::{Home, TILL, at, source};
use crate::items::order;

const PLAYBOOK: &str = "playbook: brand\nextends: variety-store\n\
    retention: { Product Viewed: 90d, Article Read: 3660d }\n";
const NOON: &str = "2017-03-01T04:00:00Z";

fn track(id: &str, who: &str, event: &str) -> Value {
    json!({"type": "track", "event": event, "messageId": id, "userId": who, "timestamp": NOON,
        "properties": {"note": "what it says"}})
}

async fn told(home: &Home, who: &str) -> Vec<(String, bool)> {
    let member = home.member(who).await.member.id;
    let timeline = home.engine().store().personal().unwrap().timeline(member).await.unwrap();
    let own = timeline.into_iter().filter(|told| told.source != zhiyin_store::OWN_SOURCE);
    own.map(|told| (told.message_id, seal::is_erased(&told.body))).collect()
}

#[tokio::test]
async fn what_events_said_is_let_go_once_its_time_is_over() {
    let home = Home::new(PLAYBOOK).await;
    home.live_through(&[
        track("v1", "ann", "Product Viewed"),
        track("v2", "bob", "Product Viewed"),
        track("a1", "ann", "Article Read"),
        order("o1", "ann", "1", NOON, "200"),
    ])
    .await;
    let digest = home.digest().await;
    let gone = home.engine().retain().await.unwrap();
    assert_eq!(gone.events, BTreeMap::from([("Product Viewed".to_owned(), 2)]));
    let expected = [("v1", true), ("a1", false), ("o1", false)].map(|(id, gone)| (id.to_owned(), gone));
    let mut known = told(&home, "ann").await;
    known.sort();
    let mut sorted = expected.to_vec();
    sorted.sort();
    assert_eq!(known, sorted);
    assert_eq!(home.digest().await, digest, "no figure changes");
    home.healthy().await;
    assert_eq!(home.engine().retain().await.unwrap(), Retained::default(), "it is done once");

    // It came, and comes again unchanged; and a member of whom something was let go can be parted.
    let again = track("v1", "ann", "Product Viewed").to_string().into_bytes();
    let verdicts = home.engine().accept(&source(TILL, true), &[again], None).await.unwrap();
    assert_eq!(verdicts, [Verdict::Duplicate]);
    assert_eq!(home.digest().await, digest);
    let ids: Vec<Value> = ["ann", "bob"].iter().map(|who| json!({"id": who, "type": "user"})).collect();
    for (id, event, ids) in [("m", "Members Merge Asked", &ids[..]), ("u", "Members Unmerged", &ids[1..])] {
        let item = json!({"type": "track", "event": event, "messageId": id,
            "timestamp": "2017-03-02T04:00:00Z", "context": {"externalIds": ids}});
        let desk = Source { ties: Ties::Insist, ..source("desk", true) };
        home.engine().accept(&desk, &[item.to_string().into_bytes()], None).await.unwrap();
        home.settle().await;
    }
    assert_eq!(home.refusals().await, Vec::<String>::new());
    assert_eq!(home.points("ann").await.active, 200);
    home.healthy().await;
}

#[tokio::test]
async fn which_names_were_given_up_is_forgotten_after_four_hundred_days() {
    let home = Home::new(PLAYBOOK).await;
    let two = |id: &str, time: &str| {
        let ids = ["c1", "c2"].map(|card| json!({"id": card, "type": "card"}));
        json!({"type": "track", "event": "Visit", "messageId": id, "timestamp": time,
            "context": {"externalIds": ids}})
    };
    home.live_through(&[two("v1", NOON), two("v2", "2017-04-01T04:00:00Z")]).await;
    let given_up = async || {
        let told = home.engine().store().given_up(10).await.unwrap();
        told.into_iter().map(|given| given.message_id).collect::<Vec<_>>()
    };
    for (days, kept) in [(400, 2), (31 + 399, 2), (31 + 401, 1), (61 + 401, 0)] {
        home.now_is(at(NOON).plus_us(days * DAY_US)).await;
        let before = given_up().await.len();
        let gone = home.engine().retain().await.unwrap();
        assert_eq!(given_up().await, ["v2", "v1"][..kept], "after {days} days");
        assert_eq!(gone.given_up as usize, before - kept, "after {days} days");
    }
}
