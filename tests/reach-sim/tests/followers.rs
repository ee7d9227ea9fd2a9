//! What people write to official accounts and a mini program is conversations of the inbox, which people of the brand answer within the
//! time and as often as the platform allows (T6).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use serde_json::{Value, json};
use zhiyin_engine::platforms::inbox::asked::ReplyAsked;
use zhiyin_engine::platforms::inbox::{By, ConversationView, InboxAsked, TalkState, WordView};
use zhiyin_model::role::Grant;
use zhiyin_reach_sim::wechat::{Brand, MAIN, MINI, SECOND};

const HOUR_MS: i64 = 3_600_000;

fn owner() -> Grant {
    Grant::system("test")
}

async fn says(brand: &Brand, appid: &str, person: &str, text: &str) {
    brand.act("wechat/say", json!({"appid": appid, "person": person, "text": text})).await;
}

async fn talks(brand: &Brand) -> Vec<ConversationView> {
    let asked = InboxAsked { limit: 100, ..InboxAsked::default() };
    brand.engine.inbox(&owner(), &asked).await.unwrap().items
}

/// What was said in a conversation, the first word first.
async fn words(brand: &Brand, talk: &ConversationView) -> Vec<WordView> {
    let whole = brand.engine.conversation(&owner(), &talk.conversation, 200, None).await.unwrap();
    whole.messages.items.into_iter().rev().collect()
}

async fn answers(brand: &Brand, talk: &ConversationView, reply: &str, text: &str) -> Result<String, String> {
    let asked = ReplyAsked { reply: reply.to_owned(), text: text.to_owned() };
    let answered = brand.engine.reply_in(&owner(), &talk.conversation, &asked).await.unwrap();
    answered.map(|word| word.state).map_err(|refusal| refusal.code.to_owned())
}

/// Words that arrived on somebody's phone.
async fn arrived(brand: &Brand, person: &str) -> Vec<String> {
    let truth = brand.truth().await;
    let people = truth["people"].as_array().unwrap();
    let of = people.iter().find(|one| one["person"] == person).unwrap();
    let words = of["inbox"].as_array().unwrap().iter().filter(|one| one["kind"] == "word");
    words.map(|one| one["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn t6_what_a_follower_writes_is_a_conversation_and_its_answer_arrives_once() {
    let mut brand = Brand::new(41).await;
    let people = brand.people(2).await;
    for person in &people {
        brand.act("wechat/follow", json!({"appid": MAIN, "person": person})).await;
    }
    brand.act("faults", json!({"callback_doubled": 1_000})).await;
    says(&brand, MAIN, &people[0], "在吗").await;
    brand.goes_on(2_000).await;
    says(&brand, MAIN, &people[0], "尺码有L吗").await;
    brand.goes_on(60_000).await;
    brand.act("faults", json!({"none": true})).await;
    let [talk] = &talks(&brand).await[..] else { panic!("one conversation") };
    assert_eq!((talk.persona.as_str(), talk.state, talk.unread), ("main", TalkState::Unread, 2));
    assert_eq!(talk.replies_left, 5);
    let desk = &talk.desks[0];
    assert_eq!((desk.channel.as_str(), desk.account.as_str(), desk.desk.as_str()), ("wechat", "main", MAIN));
    let truth = brand.truth().await;
    let ties = truth["ties"].as_array().unwrap();
    let openid =
        ties.iter().find(|tie| tie["person"] == people[0].as_str()).unwrap()["openid"].as_str().unwrap();
    let member = brand.known(MAIN, openid).await.unwrap();
    assert_eq!(talk.member, Some(member.id.to_string()));
    let theirs = InboxAsked { limit: 100, member: talk.member.clone(), ..InboxAsked::default() };
    let found = brand.engine.inbox(&owner(), &theirs).await.unwrap().items;
    assert_eq!(found.iter().map(|one| &one.conversation).collect::<Vec<_>>(), [&talk.conversation]);
    let heard: Vec<String> = words(&brand, talk).await.into_iter().filter_map(|word| word.text).collect();
    assert_eq!(heard, ["在吗", "尺码有L吗"]);
    assert_eq!(answers(&brand, talk, "r1", "有的，亲").await, Ok("waiting".to_owned()));
    brand.works().await;
    assert_eq!(answers(&brand, talk, "r1", "有的，亲").await, Ok("delivered".to_owned()));
    assert_eq!(answers(&brand, talk, "r1", "没有").await, Err("reply_reused".to_owned()));
    assert_eq!(answers(&brand, talk, "r2", &"长".repeat(601)).await, Err("text_too_long".to_owned()));
    assert_eq!(arrived(&brand, &people[0]).await, ["有的，亲"]);
    assert_eq!(arrived(&brand, &people[1]).await, Vec::<String>::new());
    let talk = talks(&brand).await.pop().unwrap();
    assert_eq!((talk.state, talk.unread, talk.replies_left), (TalkState::Answered, 0, 4));
    let said = words(&brand, &talk).await.pop().unwrap();
    assert_eq!((said.by, said.who.as_deref()), (By::Staff, Some("system:test")));
    brand.ends().await;
}

#[tokio::test]
async fn t6_five_answers_within_48_hours_and_a_new_word_opens_both_again() {
    let mut brand = Brand::new(42).await;
    let person = brand.people(1).await.pop().unwrap();
    brand.act("wechat/follow", json!({"appid": MAIN, "person": person})).await;
    brand.goes_on(2 * 60_000).await;
    says(&brand, MAIN, &person, "你好").await;
    brand.goes_on(1_000).await;
    let talk = talks(&brand).await.pop().unwrap();
    for n in 0..5 {
        assert_eq!(
            answers(&brand, &talk, &format!("r{n}"), &format!("第{n}条")).await,
            Ok("waiting".to_owned())
        );
        brand.works().await;
    }
    assert_eq!(answers(&brand, &talk, "r5", "第六条").await, Err("replies_at_most".to_owned()));
    assert_eq!(arrived(&brand, &person).await.len(), 5);
    says(&brand, MAIN, &person, "还有吗").await;
    brand.goes_on(1_000).await;
    assert_eq!(talks(&brand).await.pop().unwrap().replies_left, 5);
    brand.goes_on(48 * HOUR_MS).await;
    assert_eq!(answers(&brand, &talk, "r6", "有").await, Err("reply_window_closed".to_owned()));
    says(&brand, MAIN, &person, "？").await;
    brand.goes_on(1_000).await;
    assert_eq!(answers(&brand, &talk, "r7", "在的").await, Ok("waiting".to_owned()));
    brand.works().await;
    assert_eq!(arrived(&brand, &person).await.pop().as_deref(), Some("在的"));
    brand.ends().await;
}

/// The home was told of fewer answers than were given (somebody answered in the platform's console, say): the platform says no by number.
#[tokio::test]
async fn t6_what_the_platform_says_no_to_is_shown_by_the_inboxs_own_names() {
    let mut brand = Brand::new(43).await;
    let person = brand.people(1).await.pop().unwrap();
    says(&brand, MAIN, &person, "你好").await;
    brand.goes_on(1_000).await;
    let talk = talks(&brand).await.pop().unwrap();
    let truth = brand.truth().await;
    let openid = truth["ties"][0]["openid"].as_str().unwrap().to_owned();
    for n in 0..5 {
        brand.apps["main"].app.reply(&openid, &format!("后台{n}")).await.unwrap();
    }
    assert_eq!(answers(&brand, &talk, "r1", "我来晚了").await, Ok("waiting".to_owned()));
    brand.works().await;
    let now = talks(&brand).await.pop().unwrap();
    assert_eq!((now.trouble.as_deref(), now.replies_left), (Some("replies_at_most"), 0));
    assert_eq!(answers(&brand, &talk, "r1", "我来晚了").await, Ok("failed".to_owned()));
    brand.ends().await;
}

#[tokio::test]
async fn t6_an_answer_whose_fate_nobody_knows_is_never_said_twice() {
    let mut brand = Brand::new(44).await;
    let people = brand.people(12).await;
    for person in &people {
        says(&brand, MAIN, person, "在吗").await;
    }
    brand.goes_on(2_000).await;
    let all = talks(&brand).await;
    assert_eq!(all.len(), 12);
    brand
        .act(
            "faults",
            json!({"call_reply_lost": 300, "call_fails_before": 200, "call_busy": 200, "timeout_real_ms": 1}),
        )
        .await;
    for talk in &all {
        assert_eq!(answers(&brand, talk, "r1", "在的").await, Ok("waiting".to_owned()));
    }
    for _ in 0..60 {
        brand.goes_on(60_000).await;
    }
    brand.act("faults", json!({"none": true})).await;
    let (mut delivered, mut unknown) = (0, 0);
    for talk in &all {
        match answers(&brand, talk, "r1", "在的").await.unwrap().as_str() {
            "delivered" => delivered += 1,
            "unknown" => unknown += 1,
            // Eight times not now is said to be no.
            other => assert_eq!(other, "failed"),
        }
    }
    assert!(delivered > 0 && unknown > 0, "{delivered} {unknown}");
    let mut n = 0;
    for person in &people {
        let words = arrived(&brand, person).await;
        assert!(words.len() <= 1, "{person}: {words:?}");
        n += words.len();
    }
    assert!((delivered..=delivered + unknown).contains(&n), "{n} arrived");
    brand.ends().await;
}

#[tokio::test]
async fn t6_a_persona_of_several_apps_has_one_conversation_with_a_member_who_is_known_in_all() {
    let mut brand = Brand::new(45).await;
    let person = brand.people(1).await.pop().unwrap();
    brand.act("wechat/follow", json!({"appid": SECOND, "person": person})).await;
    says(&brand, SECOND, &person, "在公众号说").await;
    let code = brand.act("wechat/login-code", json!({"appid": MINI, "person": person})).await;
    let code = code["code"].as_str().unwrap();
    brand.engine.sign_in_to_app(&brand.apps["mini"], code, None).await.unwrap().unwrap();
    brand.goes_on(1_000).await;
    brand.goes_on(1_000).await;
    says(&brand, MINI, &person, "在小程序说").await;
    brand.goes_on(1_000).await;
    let [talk] = &talks(&brand).await[..] else { panic!("one conversation") };
    assert_eq!((talk.persona.as_str(), talk.unread, talk.desks.len()), ("小顾问", 2, 2));
    let heard: Vec<String> = words(&brand, talk).await.into_iter().filter_map(|word| word.text).collect();
    assert_eq!(heard, ["在公众号说", "在小程序说"]);
    // The answer goes where they spoke last.
    assert_eq!(answers(&brand, talk, "r1", "好的").await, Ok("waiting".to_owned()));
    brand.works().await;
    let truth: Value = brand.truth().await;
    let inbox = truth["people"][0]["inbox"].as_array().unwrap();
    let word = inbox.iter().find(|one| one["kind"] == "word").unwrap();
    assert_eq!((&word["appid"], &word["text"]), (&json!(MINI), &json!("好的")));
    brand.ends().await;
}
