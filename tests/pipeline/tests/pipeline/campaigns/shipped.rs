//! The campaigns of the variety store as they are shipped (T1, T2, T7, T8, R5, R6, R7): half a year of a member.

use super::*;

const PLAYBOOK: &str = "playbook: brand\nextends: variety-store-campaigns\n";

fn at_the_till(id: &str, who: &str, when: &str) -> Value {
    let properties = json!({"order_id": id, "total": "58.00", "channel": "store"});
    track(id, who, "Order Completed", when, properties)
}

/// What was said on a channel, oldest first, as `message@day hour`, by the brand's clock.
async fn said(home: &Home, who: &str, channel: &str) -> Vec<String> {
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let mut notes = notes(home, who, channel).await;
    notes.reverse();
    let words = notes.iter().map(|note| {
        let at = Ts::parse(&note.at).unwrap();
        format!("{}@{} {:02}", note.message, zone.day(at), zone.time_of_day_us(at) / HOUR_US)
    });
    words.collect()
}

#[test]
fn the_shipped_playbooks_read_with_their_texts_pages_and_posters() {
    for name in zhiyin_model::playbook::shipped::NAMES {
        let read = zhiyin_engine::playbooks::read_given(&format!("playbook: brand\nextends: {name}\n"));
        assert!(read.is_ok(), "{name}: {:?}", read.map(drop));
    }
}

#[tokio::test]
async fn t1_t2_t7_t8_the_variety_store_says_what_it_means_to_whom_it_means_to() {
    let home = Home::new(PLAYBOOK).await;
    home.live_through(&[identify("k", "old", "2024-04-01T04:00:00Z", json!({}))]).await;
    home.now_is(at(NOW)).await;
    let members: Vec<String> = (0..8).map(|n| format!("m{n}")).collect();
    let each = |name: &str, item: &dyn Fn(&str, &str) -> Value| -> Vec<Value> {
        members.iter().map(|who| item(&format!("{name}-{who}"), who)).collect()
    };
    let hello = each("k", &|id, who| identify(id, who, NOW, json!({"birthday": "1990-06-20"})));
    happens(&home, &hello, NOW).await;
    let yes = each("c", &|id, who| {
        track(id, who, "Consent Given", NOW, json!({"purpose": "marketing", "version": "2026-01"}))
    });
    happens(&home, &yes, NOW).await;
    // T8: a first touch that was seen lets something be sold.
    for who in &members {
        let [note] = notes(&home, who, "inbox").await.try_into().unwrap();
        assert_eq!(note.message, "hello");
        let seen = track(&format!("s-{who}"), who, "Message Seen", NOW, json!({"message": note.id}));
        happens(&home, &[seen], NOW).await;
    }
    // Four orders: on the 4th, 20th and 21st of May and the 1st of June.
    for (n, when) in
        ["2024-05-04T04:00:00Z", "2024-05-20T04:00:00Z", "2024-05-21T04:00:00Z", "2024-06-01T04:00:00Z"]
            .into_iter()
            .enumerate()
    {
        home.until(at(when).plus_us(-1)).await;
        happens(&home, &each(&format!("o{n}"), &|id, who| at_the_till(id, who, when)), when).await;
    }
    home.until(at("2024-09-15T04:00:00Z")).await;
    let mut in_all = None;
    for who in &members {
        let began: Vec<RunMoveView> =
            moves(&home, who).await.into_iter().filter(|one| one.kind == "began").collect();
        // What was promised is held back from nobody; who is held out of something is said so at once.
        for promised in ["welcome", "welcome-mail"] {
            assert!(began.iter().any(|one| one.campaign == promised && one.why == "not held out"));
        }
        if began.iter().all(|one| one.why == "not held out") {
            in_all = Some(who.clone());
        }
    }
    let who = in_all.expect("of eight somebody is in all of them");
    let inbox = said(&home, &who, "inbox").await;
    let of = |message: &str| -> Vec<&str> {
        inbox.iter().filter_map(|said| said.strip_prefix(message)?.strip_prefix('@')).collect()
    };
    // T7: two days after they were enrolled, with a coupon; who has ordered is not asked to.
    assert_eq!((of("hello"), of("first-order")), (vec!["2024-05-01 12"], vec!["2024-05-03 12"]));
    // T1: a week after the first order. R6: three days before the birthday, at ten.
    assert_eq!((of("second-order"), of("happy-birthday")), (vec!["2024-05-11 12"], vec!["2024-06-17 10"]));
    // R5: every Tuesday evening while they are shoppers, within three a week.
    assert_eq!(of("member-day").first(), Some(&"2024-05-07 19"));
    assert!(of("member-day").len() >= 18, "{inbox:?}");
    // T2: 61 days after the last order, and again a week and two later; nothing sleeps: the quiet hours end at half past eight.
    assert_eq!(of("we-miss-you"), ["2024-08-01 08", "2024-08-08 08", "2024-08-15 08"]);
    let given: Vec<String> = moves(&home, &who)
        .await
        .into_iter()
        .filter(|one| one.campaign == "win-back" && one.kind == "coupon")
        .map(|one| one.why)
        .collect();
    assert_eq!(given, ["back-8", "back-12", "back-20"]);
    // R7: whoever pays ¥35 or more at the till hears of the coupon there.
    assert_eq!(said(&home, &who, "till").await.len(), 4);
    home.healthy().await;
}

#[tokio::test]
async fn a_text_that_speaks_of_a_coupon_is_not_sent_where_none_was_given() {
    let campaign = "  last:
    purpose: service
    on: event Order Completed
    holdout: 0%
    steps:
      - coupon: one
      - { send: yours, by: inbox }
      - { send: either, by: inbox }
";
    let messages = "messages:
  yours: { text: '您的券 {{ coupon.until }} 前有效' }
  either: { text: '{% if coupon is defined %}券到 {{ coupon.until }}{% else %}谢谢{% endif %}' }
";
    let home = live(&brand("  {}", campaign).replace("messages:\n", messages), 2).await;
    for who in ["m0", "m1"] {
        happens(&home, &[order(&format!("o-{who}"), who, who, NOW, "50")], NOW).await;
    }
    // The one piece that there is went to the first.
    assert_eq!(story(&home, "m0").await, "began coupon sent sent end");
    assert_eq!(story(&home, "m1").await, "began no_coupon not_sent sent end");
    let texts = |notes: Vec<NoteView>| notes.into_iter().map(|note| note.text).collect::<BTreeSet<_>>();
    let first = ["您的券 2024-05-07 前有效", "券到 2024-05-07"].map(str::to_owned);
    assert_eq!(texts(notes(&home, "m0", "inbox").await), first.into());
    assert_eq!(texts(notes(&home, "m1", "inbox").await), ["谢谢".to_owned()].into());
}
