//! One conversation with one history; each word once; where it stands.

use serde_json::json;
use zhiyin_engine::platforms::inbox::{By, InboxAsked, TalkState};

use crate::stage::{DESKS, HOUR_MS, MINUTE_MS, PERSONA, Stage, owner};

#[tokio::test(flavor = "multi_thread")]
async fn t6_two_desks_of_one_persona_are_one_conversation_with_one_history() {
    let stage = Stage::new().await;
    let ziqi = stage.phone("子期").await;
    stage.says(&ziqi, DESKS[0], "在吗").await;
    stage.goes_on(2_000).await;
    stage.says(&ziqi, DESKS[1], "有琴弦卖吗").await;
    stage.says(&ziqi, DESKS[2], "请问几点开门").await;
    stage
        .act("say", json!({"customer": ziqi, "open_kfid": DESKS[1], "kind": "image", "media_id": "M1"}))
        .await;
    stage.goes_on(2_000).await;
    let all = stage.inbox(&owner(), None).await;
    assert_eq!(all.len(), 2, "one with each persona");
    let talk = all.iter().find(|one| one.persona == PERSONA).unwrap();
    let other = all.iter().find(|one| one.persona == "wkOther 的客服").unwrap();
    assert_eq!((talk.state, talk.unread, other.unread), (TalkState::Unread, 3, 1));
    assert_eq!(stage.texts(&talk.conversation).await, ["在吗", "有琴弦卖吗", ""]);
    let picture = stage.words(&talk.conversation).await.pop().unwrap();
    let attached = picture.attached.unwrap();
    assert_eq!((attached.kind.as_str(), attached.media.as_deref()), ("picture", Some("M1")));
    assert_eq!((talk.member.clone(), talk.name.as_deref()), (other.member.clone(), Some("子期")));
    let desks: Vec<&str> = talk.desks.iter().map(|one| one.desk.as_str()).collect();
    assert_eq!(desks, [DESKS[1], DESKS[0]]);
    // The words are events of the member, whatever desk they came by.
    let events = stage.events(talk.member.as_ref().unwrap()).await;
    assert_eq!(events, ["Message Received"; 4]);
    assert_eq!(stage.home.dead().await.len(), 0);
    // By the platform's own names they are known elsewhere too.
    let phones = stage.truth("phones").await;
    let unionid = phones[0]["unionid"].as_str().unwrap().to_owned();
    let found = stage.home.engine().find(&format!("unionid:{unionid}")).await.unwrap();
    assert!(format!("{found:?}").contains(talk.member.as_ref().unwrap()), "{found:?}");
    // The answer goes where they spoke last.
    stage.reply(&owner(), &talk.conversation, "r1", "有的，三弦到七弦").await.unwrap();
    stage.works().await;
    assert_eq!(stage.heard(&ziqi).await, ["有的，三弦到七弦"]);
    stage.home.healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_doubled_late_and_lost_callbacks_give_each_word_once() {
    for fault in ["callback_doubled", "callback_lost", "callback_delayed", "callback_reordered"] {
        let stage = Stage::new().await;
        let ziqi = stage.phone("子期").await;
        stage.act("faults", json!({fault: 1_000})).await;
        let mut wanted = Vec::new();
        for n in 0..7 {
            stage.says(&ziqi, DESKS[n % 2], &format!("第{n}句")).await;
            wanted.push(format!("第{n}句"));
            stage.goes_on(1_500).await;
        }
        // What callbacks lost, a look finds.
        for _ in 0..7 {
            stage.goes_on(MINUTE_MS).await;
        }
        let talk = stage.talk().await;
        assert_eq!(stage.texts(&talk.conversation).await, wanted, "{fault}");
        assert_eq!(talk.unread, 7, "{fault}");
        assert_eq!(stage.events(talk.member.as_ref().unwrap()).await.len(), 7, "{fault}");
        stage.home.healthy().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_conversation_is_unread_open_answered_and_closed_and_a_word_opens_it_again() {
    let stage = Stage::new().await;
    let ziqi = stage.phone("子期").await;
    stage.says(&ziqi, DESKS[0], "在吗").await;
    stage.goes_on(1_000).await;
    let (engine, talk) = (stage.home.engine(), stage.talk().await);
    let id = talk.conversation.as_str();
    assert_eq!((talk.state, talk.last.unwrap().by), (TalkState::Unread, By::Member));
    let read = engine.read_conversation(&owner(), id).await.unwrap().unwrap();
    assert_eq!((read.state, read.unread), (TalkState::Open, 0));
    stage.reply(&owner(), id, "r1", "在的").await.unwrap();
    assert_eq!(stage.talk().await.state, TalkState::Open, "it is not said yet");
    stage.goes_on(1_000).await;
    let answered = stage.talk().await;
    assert_eq!((answered.state, answered.replies_left), (TalkState::Answered, 4));
    assert_eq!(answered.last.unwrap().words.as_deref(), Some("在的"));
    assert_eq!(
        stage.events(answered.member.as_ref().unwrap()).await,
        ["Message Received", "Message Answered"]
    );
    let closed = engine.close_conversation(&owner(), id).await.unwrap().unwrap();
    assert_eq!(closed.state, TalkState::Closed);
    assert_eq!(stage.inbox(&owner(), None).await, [], "closed ones are asked for");
    // By hand it is open again, as if it had been read; what is open stays as it is.
    let reopened = engine.reopen_conversation(&owner(), id).await.unwrap().unwrap();
    assert_eq!((reopened.state, reopened.unread), (TalkState::Open, 0));
    assert_eq!(engine.reopen_conversation(&owner(), id).await.unwrap().unwrap(), reopened);
    engine.close_conversation(&owner(), id).await.unwrap().unwrap();
    stage.goes_on(1_000).await;
    stage.says(&ziqi, DESKS[1], "还有一件事").await;
    stage.goes_on(1_000).await;
    let again = stage.talk().await;
    assert_eq!((again.state, again.unread, again.replies_left), (TalkState::Unread, 1, 5));
    assert_eq!(stage.texts(id).await, ["在吗", "system:test: 在的 (delivered)", "还有一件事"]);
    stage.home.healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_what_staff_say_in_their_own_client_is_in_the_history_and_an_answer_beside_it_is_refused_by_name()
{
    let stage = Stage::new().await;
    let ziqi = stage.phone("子期").await;
    stage.act("staff", json!({"userid": "he", "follower": true})).await;
    let word = stage.says(&ziqi, DESKS[0], "在吗").await;
    let of = |more: serde_json::Value| {
        let mut body = json!({"customer": ziqi, "open_kfid": DESKS[0]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    stage.act("kf/session", of(json!({"state": 3, "userid": "he"}))).await;
    stage.passes(1_000).await;
    stage.act("kf/answer", of(json!({"userid": "he", "text": "我来看看"}))).await;
    stage.goes_on(1_000).await;
    let talk = stage.talk().await;
    assert_eq!((talk.state, talk.desks[0].session.as_deref()), (TalkState::Answered, Some("staff")));
    stage.reply(&owner(), &talk.conversation, "r1", "我也来").await.unwrap();
    stage.goes_on(1_000).await;
    let talk = stage.talk().await;
    assert_eq!((talk.state, talk.trouble.as_deref()), (TalkState::Open, Some("session_with_staff")));
    // It is over; the member takes a word back and says another.
    stage.act("kf/session", of(json!({"state": 4}))).await;
    stage.reply(&owner(), &talk.conversation, "r2", "还在吗").await.unwrap();
    stage.goes_on(1_000).await;
    assert_eq!(stage.talk().await.trouble.as_deref(), Some("session_over"));
    stage.act("kf/recall", of(json!({"msgid": word}))).await;
    stage.says(&ziqi, DESKS[0], "算了，没事").await;
    stage.goes_on(1_000).await;
    let words = stage.words(&talk.conversation).await;
    assert!(words[0].taken_back && words[0].text.as_deref() == Some(""));
    assert_eq!(
        stage.texts(&talk.conversation).await[1..],
        [
            "he: 我来看看 (heard)",
            "system:test: 我也来 (session_with_staff)",
            "system:test: 还在吗 (session_over)",
            "算了，没事"
        ]
    );
    // Whoever refuses what the desk says: it was taken, and is told not to have arrived.
    stage.act("kf/refuse", of(json!({}))).await;
    stage.reply(&owner(), &talk.conversation, "r3", "好的").await.unwrap();
    stage.goes_on(1_000).await;
    stage.goes_on(1_000).await;
    let talk = stage.talk().await;
    assert_eq!((talk.state, talk.trouble.as_deref()), (TalkState::Open, Some("customer_refuses")));
    assert_eq!(stage.heard(&ziqi).await, ["我来看看"]);
    stage.home.healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_window_that_closed_is_refused_by_name_and_is_seen() {
    let stage = Stage::new().await;
    let ziqi = stage.phone("子期").await;
    stage.says(&ziqi, DESKS[0], "在吗").await;
    stage.goes_on(1_000).await;
    let talk = stage.talk().await;
    let id = talk.conversation.as_str();
    for n in 0..5 {
        stage.reply(&owner(), id, &format!("r{n}"), &format!("答{n}")).await.unwrap();
    }
    assert_eq!(stage.reply(&owner(), id, "r5", "答5").await.map(drop), Err("replies_at_most"));
    // What was asked before is told, not asked anew; of the same name nothing else is said.
    assert_eq!(stage.reply(&owner(), id, "r4", "答4").await.unwrap().state, "waiting");
    assert_eq!(stage.reply(&owner(), id, "r4", "别的").await.map(drop), Err("reply_reused"));
    stage.goes_on(1_000).await;
    assert_eq!(stage.heard(&ziqi).await.len(), 5);
    let talk = stage.talk().await;
    assert_eq!((talk.replies_left, talk.cannot_reply.as_deref()), (0, Some("replies_at_most")));
    assert!(
        talk.desks[0].name.as_ref().is_some_and(|name| !name.is_empty()),
        "a desk is called as customers see it"
    );
    stage.says(&ziqi, DESKS[0], "谢谢").await;
    stage.goes_on(1_000).await;
    let talk = stage.talk().await;
    assert_eq!((talk.replies_left, talk.reply_until.is_some()), (5, true));
    // The brand believes it may, and the platform does not: named, and seen.
    stage.act("limits", json!({"kf_answer_ms": 1_000})).await;
    stage.reply(&owner(), id, "late", "不客气").await.unwrap();
    stage.goes_on(2_000).await;
    let late = stage.talk().await;
    assert_eq!((late.trouble.as_deref(), late.reply_until.as_ref()), (Some("reply_window_closed"), None));
    assert_eq!(stage.reply(&owner(), id, "later", "在吗").await.map(drop), Err("reply_window_closed"));
    // And by the clock alone.
    stage.act("limits", json!({"kf_answer_ms": 48 * HOUR_MS})).await;
    stage.says(&ziqi, DESKS[0], "改天见").await;
    stage.goes_on(1_000).await;
    stage.goes_on(48 * HOUR_MS).await;
    let talk = stage.talk().await;
    assert_eq!((talk.reply_until, talk.cannot_reply.as_deref()), (None, Some("reply_window_closed")));
    assert_eq!(stage.reply(&owner(), id, "last", "再见").await.map(drop), Err("reply_window_closed"));
    assert_eq!(stage.heard(&ziqi).await.len(), 5);
    for (key, text, code) in
        [("", "x", "bad_text"), ("k", " ", "bad_text"), ("k", &"长".repeat(700), "text_too_long")]
    {
        assert_eq!(stage.reply(&owner(), id, key, text).await.map(drop), Err(code));
    }
    assert_eq!(stage.reply(&owner(), "00", "k", "x").await.map(drop), Err("conversation_unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_the_inbox_is_listed_in_pages_by_the_last_word() {
    let stage = Stage::new().await;
    for n in 0..12 {
        let phone = stage.phone(&format!("客{n}")).await;
        stage.says(&phone, DESKS[n % 3], &format!("第{n}位")).await;
        stage.passes(1_000).await;
    }
    stage.works().await;
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let asked = InboxAsked { limit: 5, cursor, ..InboxAsked::default() };
        let page = stage.home.engine().inbox(&owner(), &asked).await.unwrap();
        names.extend(page.items.into_iter().map(|one| one.name.unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let wanted: Vec<String> = (0..12).rev().map(|n| format!("客{n}")).collect();
    assert_eq!(names, wanted);
    // One member's, closed ones too; and how many there are, for whoever sees them all.
    let engine = stage.home.engine();
    let all = engine.inbox(&owner(), &InboxAsked { limit: 100, ..InboxAsked::default() }).await.unwrap();
    assert_eq!(all.counts.map(|counts| (counts.unread, counts.closed)), Some((12, 0)));
    let (one, member) = (&all.items[3].conversation, all.items[3].member.clone());
    engine.close_conversation(&owner(), one).await.unwrap().unwrap();
    let theirs = InboxAsked { member, limit: 100, ..InboxAsked::default() };
    let found = engine.inbox(&owner(), &theirs).await.unwrap();
    let ids: Vec<&String> = found.items.iter().map(|one| &one.conversation).collect();
    assert_eq!((ids, found.next), (vec![one], None));
    assert_eq!(found.counts.map(|counts| (counts.unread, counts.closed)), Some((11, 1)));
    let open = InboxAsked { state: Some(TalkState::Unread), ..theirs };
    assert_eq!(engine.inbox(&owner(), &open).await.unwrap().items, []);
    let asked = InboxAsked { persona: Some(PERSONA.to_owned()), limit: 100, ..InboxAsked::default() };
    assert_eq!(stage.home.engine().inbox(&owner(), &asked).await.unwrap().items.len(), 8);
    let wrong = InboxAsked { cursor: Some("00".to_owned()), ..asked };
    assert!(stage.home.engine().inbox(&owner(), &wrong).await.is_err());
}
