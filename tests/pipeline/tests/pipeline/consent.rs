//! Consent and dependants through the whole pipeline: merged, parted, put back, told to people, in any batch.

use serde_json::{Value, json};
use zhiyin_decide::consent::ask;
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_model::time::Ts;

use crate::home::{Home, at, source};
use crate::items::{identify, order, track};

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
consent:
  purposes:
    marketing: { channels: [sms, email] }
    analytics: { category: Analytics }
tags:
  by_sms: { who: 'consent(\"marketing\", \"sms\")' }
  baby: { who: 'dependants.exists(d, d.age_months < 12)' }
";
const NOON: &str = "2017-03-01T04:00:00Z";
const LATER: &str = "2017-03-02T04:00:00Z";
const MERGED: &str = "2017-03-03T04:00:00Z";
const AFTER: &str = "2017-03-04T04:00:00Z";
const PARTED: &str = "2017-03-05T04:00:00Z";

fn yes(id: &str, who: &str, channel: &str, when: &str) -> Value {
    track(
        id,
        who,
        "Consent Given",
        when,
        json!({"purpose": "marketing", "channel": channel, "source": "till"}),
    )
}

fn no(id: &str, who: &str, channel: &str, when: &str) -> Value {
    track(id, who, "Consent Withdrawn", when, json!({"purpose": "marketing", "channel": channel}))
}

fn child(id: &str, who: &str, key: &str, when: &str, birthday: &str) -> Value {
    track(id, who, "Dependant Told", when, json!({"key": key, "birthday": birthday, "name": "Bao"}))
}

fn preferences(id: &str, who: &str, when: &str, analytics: bool) -> Value {
    json!({"type": "track", "event": "Segment Consent Preference Updated", "messageId": id, "userId": who,
        "timestamp": when,
        "context": {"consent": {"categoryPreferences": {"Analytics": analytics, "Advertising": true}}}})
}

/// An item that names several, from somebody whose word on who is whom counts.
async fn told(home: &Home, ties: Ties, id: &str, event: &str, who: &[&str], when: &str) {
    let ids: Vec<Value> = who.iter().map(|who| json!({"id": who, "type": "user"})).collect();
    let item = json!({"type": "track", "event": event, "messageId": id, "timestamp": when,
        "context": {"externalIds": ids}});
    let source = Source { ties, ..source("desk", true) };
    let verdicts = home.engine().accept(&source, &[item.to_string().into_bytes()], None).await.unwrap();
    assert_eq!(verdicts, [Verdict::Accepted]);
    home.settle().await;
    assert_eq!(home.refusals().await, Vec::<String>::new());
}

/// What may be done to somebody, for marketing by SMS and by e-mail and for analytics, at an instant.
async fn standing(home: &Home, who: &str, when: &str) -> [&'static str; 3] {
    let member = home.member(who).await.member;
    let rules = &home.engine().live().unwrap().rules;
    [("marketing", "sms"), ("marketing", "email"), ("analytics", "all")].map(|(purpose, channel)| match ask(
        rules,
        &member,
        purpose,
        channel,
        at(when),
    )
    .allowed
    {
        Ok(ground) => ground.name(),
        Err(refused) => refused.name(),
    })
}

/// Tags of this playbook that somebody has.
async fn tags(home: &Home, who: &str) -> Vec<String> {
    home.tags(who).await.into_iter().filter(|tag| ["baby", "by_sms"].contains(&tag.as_str())).collect()
}

#[tokio::test]
async fn a_merge_undoes_no_withdrawal_and_parting_gives_each_their_own_again() {
    let home = Home::new(PLAYBOOK).await;
    home.live_through(&[
        no("a1", "ann", "sms", NOON),
        yes("a2", "ann", "email", NOON),
        preferences("a3", "ann", NOON, true),
        child("a4", "ann", "first", NOON, "2016-06-01"),
        yes("b1", "bob", "sms", LATER),
        child("b2", "bob", "second", LATER, "2016-12-24"),
    ])
    .await;
    assert_eq!(standing(&home, "ann", LATER).await, ["withdrawn", "given", "given"]);
    assert_eq!(standing(&home, "bob", LATER).await, ["given", "never_given", "never_given"]);
    assert_eq!(tags(&home, "bob").await, ["baby", "by_sms"]);
    told(&home, Ties::Insist, "m1", "Members Merge Asked", &["ann", "bob"], MERGED).await;
    // Bob's later yes does not undo Ann's no; what nobody contradicts is both's.
    assert_eq!(standing(&home, "bob", MERGED).await, ["withdrawn", "given", "given"]);
    assert_eq!(tags(&home, "bob").await, ["baby"]);
    assert_eq!(home.member("ann").await.member.personal.dependants.known().count(), 2);
    // Nor does what was said before the merge and is heard of after it; what is said after it counts.
    home.live_through(&[yes("b3", "bob", "sms", LATER)]).await;
    assert_eq!(standing(&home, "bob", AFTER).await[0], "withdrawn");
    home.live_through(&[yes("b4", "bob", "sms", AFTER)]).await;
    assert_eq!(standing(&home, "ann", AFTER).await[0], "given");
    home.healthy().await;
    told(&home, Ties::Insist, "u1", "Members Unmerged", &["bob"], PARTED).await;
    assert_eq!(standing(&home, "ann", PARTED).await, ["withdrawn", "given", "given"]);
    assert_eq!(standing(&home, "bob", PARTED).await, ["given", "never_given", "never_given"]);
    for (who, key) in [("ann", "first"), ("bob", "second")] {
        let whole = home.member(who).await;
        let known: Vec<&str> = whole.member.personal.dependants.known().map(|one| one.key).collect();
        assert_eq!(known, [key], "{who}");
    }
    home.healthy().await;
}

#[tokio::test]
async fn a_withdrawal_outlives_that_a_third_is_parted_from_those_who_were_merged() {
    let home = Home::new(PLAYBOOK).await;
    home.live_through(&[
        no("a1", "ann", "sms", NOON),
        yes("b1", "bob", "sms", LATER),
        order("c1", "cid", "1", LATER, "10"),
    ])
    .await;
    told(&home, Ties::Insist, "m1", "Members Merge Asked", &["ann", "bob", "cid"], MERGED).await;
    assert_eq!(standing(&home, "cid", MERGED).await[0], "withdrawn");
    told(&home, Ties::Insist, "u1", "Members Unmerged", &["cid"], PARTED).await;
    // Ann and Bob are still one; Cid never said anything.
    assert_eq!(standing(&home, "bob", PARTED).await[0], "withdrawn");
    assert_eq!(standing(&home, "cid", PARTED).await[0], "never_given");
}

#[tokio::test]
async fn consent_is_one_whatever_the_batch() {
    let items = [
        yes("1", "ann", "all", NOON),
        preferences("2", "bob", NOON, true),
        child("3", "ann", "first", NOON, "2016-03-15"),
        no("4", "ann", "sms", AFTER),
        yes("5", "ann", "sms", LATER),
        preferences("6", "bob", LATER, false),
        identify("7", "ann", LATER, json!({"birthday": "2003-03-04"})),
        yes("8", "bob", "fax", LATER),
        order("9", "bob", "1", "2017-04-01T04:00:00Z", "10"),
    ];
    let mut digests = Vec::new();
    for batch in [1, 2, 5, 64] {
        let home = Home::new(PLAYBOOK).await;
        home.accept(&items).await;
        home.engine().drain(batch, Some(Ts::MIN), |_| ()).await.unwrap();
        home.until(at("2017-04-01T04:00:00Z")).await;
        assert_eq!(home.refusals().await, ["8: consent_channel_unknown @properties.channel"]);
        // Ann came of age on 4 March; her child was one on the 15th.
        assert_eq!(standing(&home, "ann", AFTER).await, ["withdrawn", "came_of_age", "never_given"]);
        assert_eq!(standing(&home, "bob", AFTER).await[2], "withdrawn");
        assert_eq!(tags(&home, "ann").await, Vec::<String>::new());
        digests.push(home.digest().await);
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
}

#[tokio::test]
async fn what_was_said_before_the_playbook_asked_is_put_back_and_counts() {
    let home = Home::new("playbook: brand\nextends: variety-store\n").await;
    home.live_through(&[order("o1", "ann", "1", NOON, "10")]).await;
    home.accept(&[yes("a1", "ann", "sms", LATER)]).await;
    home.settle().await;
    assert_eq!(home.refusals().await, ["a1: consent_not_declared @properties.purpose"]);
    home.apply(PLAYBOOK, at(AFTER)).await;
    let dead = home.dead().await.iter().map(|letter| letter.seq).collect();
    home.engine().retry(dead).await.unwrap();
    home.settle().await;
    assert_eq!(home.refusals().await, Vec::<String>::new());
    assert_eq!(standing(&home, "ann", AFTER).await[0], "given");
}

#[tokio::test]
async fn every_word_is_told_to_people_as_it_was_said() {
    let home = Home::new(PLAYBOOK).await;
    let guardian =
        json!({"purposes": ["marketing", "analytics"], "guardian": "her mother", "source": "form 7"});
    home.live_through(&[
        yes("a1", "ann", "sms", NOON),
        no("a2", "ann", "sms", LATER),
        track("a3", "ann", "Consent Given", AFTER, guardian),
    ])
    .await;
    let member = home.member("ann").await.member;
    let said = home.engine().consents_said(member.id).await.unwrap();
    let said: Vec<String> = said
        .iter()
        .map(|said| {
            let what = if said.given { "yes" } else { "no" };
            let more = [&said.source, &said.guardian].map(|text| text.as_deref().unwrap_or("-"));
            format!("{} {what} {}/{} {}", said.at, said.purpose, said.channel, more.join(" "))
        })
        .collect();
    assert_eq!(
        said,
        [
            "2017-03-01T04:00:00Z yes marketing/sms till -",
            "2017-03-02T04:00:00Z no marketing/sms - -",
            "2017-03-04T04:00:00Z yes analytics/all form 7 her mother",
            "2017-03-04T04:00:00Z yes marketing/all form 7 her mother",
        ]
    );
    let standings = home.engine().consents(&member).await.unwrap();
    let allowed: Vec<_> =
        standings.iter().map(|one| (one.channel.as_str(), one.answer.allowed.is_ok())).collect();
    assert_eq!(allowed, [("all", true), ("email", true), ("sms", true)]);
}
