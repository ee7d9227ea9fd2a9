//! Texts that decide whether they are said.

use super::*;

fn with(messages: &str, campaign: &str) -> String {
    brand("  {}", campaign).replace("messages:\n", &format!("messages:\n{messages}"))
}

#[tokio::test]
async fn a_text_may_decide_not_to_be_sent_and_why_is_told() {
    let messages = "  city: { text: '{% if member.city is not defined %}{{ abort_message(\"no city yet\") }}{% endif %}{{ member.city }}' }
  golden: { text: '{% if tier == \"gold\" %}金卡{% endif %}' }
";
    let campaign = "  ask: { purpose: service, on: event Order Completed, again: per order_id, holdout: 0%, steps: [{ send: city, by: inbox }, { send: golden, by: [till, inbox] }] }\n";
    let home = live(&with(messages, campaign), 1).await;
    let ahead = why(&home, "m0", "ask").await;
    let said: Vec<(&str, &str)> =
        ahead.now.iter().map(|one| (one.verdict.as_str(), one.text.as_str())).collect();
    assert_eq!(said[0], ("never", ""), "{:?}", ahead.now);
    assert_eq!(ahead.now[0].rails.last(), Some(&("text".to_owned(), "no city yet".to_owned())));
    happens(&home, &[order("o1", "m0", "1", NOW, "50")], NOW).await;
    assert_eq!(story(&home, "m0").await, "began not_sent not_sent end");
    let told: Vec<String> = moves(&home, "m0").await.into_iter().map(|one| one.why).collect();
    assert!(told[1].ends_with("ceiling: none, text: no city yet"), "{told:?}");
    // Both channels say the same: it is of the text.
    assert_eq!(told[2].matches("text: it says nothing to them").count(), 2, "{told:?}");
    let later = "2024-05-02T04:00:00Z";
    happens(&home, &[identify("k", "m0", later, json!({"city": "武汉"}))], later).await;
    happens(&home, &[order("o2", "m0", "2", later, "50")], later).await;
    assert!(story(&home, "m0").await.ends_with("began sent not_sent end"), "{}", story(&home, "m0").await);
    let [note] = notes(&home, "m0", "inbox").await.try_into().unwrap();
    assert_eq!(note.text, "武汉");
    // What was not sent counts for no cap and no hour.
    assert_eq!(home.member("m0").await.member.runs.sent.len(), 1);
    home.healthy().await;
}

#[tokio::test]
async fn who_is_held_out_walks_past_a_text_as_if_they_held_its_coupon() {
    let messages = "  yours: { text: '{% if coupon is not defined %}{{ abort_message(\"no coupon\") }}{% endif %}{{ coupon.until }}' }\n";
    let campaign = "  last: { purpose: service, on: event Order Completed, holdout: HELD, steps: [{ coupon: one }, { send: yours, by: inbox }] }\n";
    for (held, first, second) in [
        ("0%", "began coupon sent end", "began no_coupon not_sent end"),
        ("100%", "began held_out end", "began held_out end"),
    ] {
        let home = live(&with(messages, &campaign.replace("HELD", held)), 2).await;
        for who in ["m0", "m1"] {
            happens(&home, &[order(&format!("o-{who}"), who, who, NOW, "50")], NOW).await;
        }
        assert_eq!((story(&home, "m0").await.as_str(), story(&home, "m1").await.as_str()), (first, second));
        home.healthy().await;
    }
}

#[tokio::test]
async fn a_reason_with_something_of_a_member_in_it_does_not_pass() {
    let texts = ["{{ abort_message(member.name) }}", "{{ abort_message() }}", "{{ abort_message }}"];
    for text in texts {
        let messages = format!("  bad: {{ text: '{text}' }}\n");
        let problems = zhiyin_engine::playbooks::read_given(&with(&messages, "  {}")).unwrap_err();
        assert_eq!(problems[0].path, "messages.bad.text.zh", "{text}: {}", problems[0]);
        assert!(problems[0].message.contains("fixed text"), "{}", problems[0]);
    }
}
