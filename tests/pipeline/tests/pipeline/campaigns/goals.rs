//! Goals after the last step, and what turning out to be one person sets off.

use super::*;

const VIEWED: &str = "  viewed: { purpose: service, on: event Page Viewed, again: after exit, holdout: 0%, goal: Order Completed within 5d, steps: [{ send: care, by: inbox }] }\n";

fn view(id: &str, who: &str, when: &str) -> Value {
    track(id, who, "Page Viewed", when, json!({}))
}

#[tokio::test]
async fn a_goal_counts_after_the_last_step_as_long_as_it_says_and_once() {
    let home = live(&brand("  {}", VIEWED), 3).await;
    happens(&home, &[view("v0", "m0", NOW), view("v1", "m1", NOW), view("v2", "m2", NOW)], NOW).await;
    for who in ["m0", "m1", "m2"] {
        assert_eq!(story(&home, who).await, "began sent end");
    }
    let day = "2024-05-03T04:00:00Z";
    happens(&home, &[order("o0", "m0", "1", day, "50"), view("w2", "m2", day)], day).await;
    assert_eq!(story(&home, "m0").await, "began sent end goal");
    // An order is reported again, and another one comes: it was reached once.
    happens(&home, &[order("o0b", "m0", "1", day, "50"), order("o1", "m0", "2", day, "50")], day).await;
    assert_eq!(story(&home, "m0").await, "began sent end goal");
    // Each run has its own five days: of the second, not of the first.
    let late = "2024-05-06T04:00:01Z";
    happens(&home, &[order("o2", "m1", "3", late, "50"), order("o3", "m2", "4", late, "50")], late).await;
    assert_eq!(story(&home, "m1").await, "began sent end");
    assert_eq!(story(&home, "m2").await, "began sent end began sent end goal");
    let runs: Vec<String> = moves(&home, "m2").await.into_iter().map(|one| one.run).collect();
    assert_eq!(runs[3], runs[6], "it is the second that reached it");
    assert!(home.member("m2").await.member.runs.over.is_empty());
    let counts = home.engine().campaign("viewed").await.unwrap().unwrap().counts;
    assert_eq!(counts["goal"], 2);
    home.healthy().await;
}

#[tokio::test]
async fn a_goal_of_a_run_that_is_over_goes_with_who_turns_out_to_be_one_and_a_stopped_one_has_none() {
    let home = live(&brand("  {}", VIEWED), 3).await;
    happens(&home, &[view("v0", "m0", NOW)], NOW).await;
    merge(&home, "m1", "m0").await;
    let day = "2024-05-03T04:00:00Z";
    happens(&home, &[order("o0", "m1", "1", day, "50")], day).await;
    assert!(story(&home, "m0").await.ends_with("goal"), "{}", story(&home, "m0").await);
    let waits = VIEWED.replace("steps: [", "steps: [{ wait: 1d }, ");
    let home = live(&brand("  {}", &waits), 1).await;
    happens(&home, &[view("v0", "m0", NOW)], NOW).await;
    home.engine().halt_campaign(&Grant::system("test"), "viewed", "stopped").await.unwrap().unwrap();
    home.until(at(day)).await;
    happens(&home, &[order("o0", "m0", "1", day, "50")], day).await;
    assert_eq!(story(&home, "m0").await, "began campaign_stopped");
}

async fn merge(home: &Home, one: &str, other: &str) {
    let names = [one, other].map(|who| Identifier { namespace: "user".to_owned(), value: who.to_owned() });
    assert_eq!(home.engine().merge(&names, "one person").await.unwrap(), Verdict::Accepted);
    home.settle().await;
    assert_eq!(home.refusals().await, Vec::<String>::new());
}

/// How often a member began anything.
async fn begun(home: &Home, who: &str) -> usize {
    moves(home, who).await.into_iter().filter(|one| one.kind == "began").count()
}

#[tokio::test]
async fn who_enters_an_audience_by_being_one_person_begins_once_and_goes_by_what_both_went_through() {
    let campaign = "  regular: { purpose: service, on: enters regulars, AGAIN, holdout: 0%, steps: [{ send: care, by: inbox }] }\n";
    let order_of = |n: usize, who: &str| order(&format!("o{n}"), who, &n.to_string(), NOW, "50");
    for (again, with_one_of_none) in [("again: once", 1), ("again: after exit", 1), ("again: at most 2", 1)] {
        let playbook = brand("  {}", &campaign.replace("AGAIN", again));
        let standing = "audiences:\n  regulars: { who: size(orders) >= 2, standing: true }\n";
        let home = live(&playbook.replace("audiences:\n", standing), 6).await;
        // m0 and m1 have one order each; m2, m3 and m4 two; m5 none.
        let orders = ["m0", "m1", "m2", "m2", "m3", "m3", "m4", "m4"];
        let orders: Vec<Value> = orders.iter().enumerate().map(|(n, who)| order_of(n, who)).collect();
        happens(&home, &orders, NOW).await;
        assert_eq!((begun(&home, "m0").await, begun(&home, "m2").await), (0, 1), "{again}");
        merge(&home, "m0", "m1").await;
        assert_eq!(story(&home, "m0").await, "began sent end", "{again}: together they enter");
        // Being one with somebody who is in it is no entering.
        merge(&home, "m2", "m3").await;
        assert_eq!(begun(&home, "m2").await, 2, "{again}: what both began before");
        merge(&home, "m5", "m4").await;
        assert_eq!(begun(&home, "m4").await, with_one_of_none, "{again}");
        assert_eq!(notes(&home, "m0", "inbox").await.len(), 1);
        home.healthy().await;
    }
}

#[tokio::test]
async fn who_went_through_a_campaign_as_somebody_else_does_not_enter_it_again_by_being_one() {
    let campaign = "  regular: { purpose: service, on: enters regulars, holdout: 0%, steps: [{ send: care, by: inbox }] }\n";
    let standing =
        "audiences:\n  regulars: { who: 'size(orders) >= 2 && \"reached\" in tags', standing: true }\n";
    let playbook = brand("  {}", campaign).replace("audiences:\n", standing);
    let home = live(&playbook, 2).await;
    let tag =
        |id: &str, who: &str, event: &str, when: &str| track(id, who, event, when, json!({"tag": "reached"}));
    happens(&home, &[tag("t0", "m0", "Tag Put On", NOW)], NOW).await;
    happens(&home, &[order("o1", "m0", "1", NOW, "50"), order("o2", "m0", "2", NOW, "50")], NOW).await;
    assert_eq!(story(&home, "m0").await, "began sent end");
    let later = "2024-05-02T04:00:00Z";
    // Out of it, and in it again by being one with who bears the tag: gone through is gone through.
    happens(&home, &[tag("t1", "m0", "Tag Taken Off", later)], later).await;
    happens(&home, &[tag("t2", "m1", "Tag Put On", later)], later).await;
    merge(&home, "m0", "m1").await;
    assert!(home.member("m0").await.member.audiences.since.contains_key("regulars"));
    assert_eq!(begun(&home, "m0").await, 1, "{}", story(&home, "m0").await);
    home.healthy().await;
}
