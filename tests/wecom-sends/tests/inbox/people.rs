//! Who may see and answer what; whom nothing is said to; what ends with whoever is erased.

use std::sync::Arc;

use serde_json::json;
use zhiyin_engine::people::Found;
use zhiyin_engine::platforms::inbox::{ConversationView, InboxAsked, TalkState};
use zhiyin_engine::sealing;
use zhiyin_model::role::Role;
use zhiyin_store::seal::envelope::Key;
use zhiyin_store::seal::keystore::Keystore;
use zhiyin_store::seal::vault::{Vault, new_mark};
use zhiyin_store_sqlite::FileKeystore;

use crate::home::KEY;
use crate::items::track;
use crate::stage::{DESKS, MINUTE_MS, Stage, owner, person};

const STAFF: &str = "code,place,name,role,from,until\na7,b,华安,advisor,,\na8,b,秋香,advisor,,\n";
const PLACES: &str = "code,kind,parent,name_zh,name_en\nb,brand,,知音,Zhiyin\n";

async fn staff(stage: &Stage) {
    let (places, staff) = (Some(PLACES.as_bytes()), Some(STAFF.as_bytes()));
    let imported = stage.home.engine().import_places(places, staff, "test", false).await.unwrap();
    assert_eq!(imported.faults, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_who_sees_a_conversation_and_how_much_of_it_is_the_matrix() {
    let stage = Stage::new().await;
    staff(&stage).await;
    let ziqi = stage.phone("钟子期").await;
    stage.says(&ziqi, DESKS[0], "我的电话是13812341234").await;
    stage.goes_on(1_000).await;
    let id = stage.talk().await.conversation;
    let engine = stage.home.engine();
    // Whoever sees people masked sees that something was said.
    let marketer = person(Role::Marketer, "m1");
    let seen = engine.conversation(&marketer, &id, 10, None).await.unwrap();
    let word = &seen.messages.items[0];
    assert_eq!((word.masked, word.text.as_ref(), seen.conversation.last.unwrap().words), (true, None, None));
    assert_eq!(seen.conversation.name.as_deref(), Some("钟＊"));
    // Members of another advisor are nobody's to see, unless one looks after the conversation.
    let advisor = person(Role::Advisor, "a7");
    assert_eq!(stage.inbox(&advisor, None).await, []);
    assert!(engine.conversation(&advisor, &id, 10, None).await.is_err());
    let refused = stage.reply(&advisor, &id, "r1", "您好").await;
    assert_eq!(refused.map(drop), Err("conversation_unknown"));
    let nobody = engine.assign_conversation(&owner(), &id, Some("zz")).await.unwrap();
    assert_eq!(nobody.map_err(|refusal| refusal.code), Err("staff_unknown"));
    let assigned = engine.assign_conversation(&owner(), &id, Some("a7")).await.unwrap().unwrap();
    assert_eq!(assigned.assignee.as_deref(), Some("a7"));
    let mine: Vec<ConversationView> = stage.inbox(&advisor, None).await;
    assert_eq!(mine[0].last.as_ref().unwrap().words.as_deref(), Some("我的电话是13812341234"));
    let asked = InboxAsked { assignee: Some("a7".to_owned()), limit: 10, ..InboxAsked::default() };
    assert_eq!(engine.inbox(&owner(), &asked).await.unwrap().items.len(), 1);
    stage.reply(&advisor, &id, "r1", "您好").await.unwrap();
    stage.goes_on(1_000).await;
    assert_eq!(stage.texts(&id).await, ["我的电话是13812341234", "staff:a7: 您好 (delivered)"]);
    assert!(engine.conversation(&person(Role::Advisor, "a8"), &id, 10, None).await.is_err());
    for role in [Role::Cashier, Role::Analyst, Role::Public] {
        let asked = InboxAsked { limit: 10, ..InboxAsked::default() };
        assert!(engine.inbox(&person(role, "x"), &asked).await.is_err(), "{role}");
    }
    // Who answered and who assigned is in the log, and not what was said.
    let mut lines = Vec::new();
    let note = |line: &zhiyin_store::audit::Entry| lines.push(format!("{line:?}"));
    zhiyin_engine::audit::each(engine.store().as_ref(), None, note).await.unwrap();
    let of = |who: &str, act: &str| {
        lines
            .iter()
            .filter(|line| line.contains(who) && line.contains("inbox_answer") && line.contains(act))
            .count()
    };
    assert_eq!((of("staff:a7", "reply"), of("system:test", "assign")), (1, 1), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("您好") && !line.contains("13812341234")));
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_an_answer_is_service_but_whoever_is_blocked_gets_none() {
    let stage = Stage::new().await;
    let ziqi = stage.phone("子期").await;
    stage.says(&ziqi, DESKS[0], "在吗").await;
    stage.goes_on(1_000).await;
    let id = stage.talk().await.conversation;
    let now = || zhiyin_engine::clock::wall().rfc3339();
    let tag = |n: &str, event: &str| {
        let mut item = track(n, "x", event, &now(), json!({"tag": "do_not_disturb"}));
        item["context"] = json!({"externalIds": [{"id": ziqi, "type": "wecom_external"}]});
        item.as_object_mut().unwrap().remove("userId");
        item
    };
    // Asked for before they were blocked, and not said after.
    stage.reply(&owner(), &id, "r1", "您好").await.unwrap();
    stage.happens(&[tag("t1", "Tag Put On")]).await;
    stage.goes_on(1_000).await;
    assert_eq!(stage.talk().await.trouble.as_deref(), Some("member_blocked"));
    assert_eq!(stage.reply(&owner(), &id, "r2", "您好").await.map(drop), Err("member_blocked"));
    stage.happens(&[tag("t2", "Tag Taken Off")]).await;
    // Nobody consented to anything, and it is the middle of the night: it is service all the same.
    stage.goes_on(14 * 60 * MINUTE_MS).await;
    stage.reply(&owner(), &id, "r2", "您好").await.unwrap();
    stage.goes_on(1_000).await;
    assert_eq!(stage.heard(&ziqi).await, ["您好"]);
    stage.home.healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_complaint_that_is_marked_in_a_conversation_is_a_tag_by_which_nothing_is_sold() {
    let stage = Stage::new().await;
    let ziqi = stage.phone("子期").await;
    stage.says(&ziqi, DESKS[0], "弦断了，怎么办").await;
    stage.goes_on(1_000).await;
    let (engine, id) = (stage.home.engine(), stage.talk().await.conversation);
    let unknown = engine.complain_in(&owner(), &id, true, Some("nonsense")).await.unwrap();
    assert_eq!(unknown.map(drop).map_err(|refusal| refusal.code), Err("tag_unknown"));
    let tags = async || {
        let Found::One(member) = engine.find(&format!("wecom_external:{ziqi}")).await.unwrap() else {
            panic!()
        };
        engine.whole(member).await.unwrap().member.tags.keys().cloned().collect::<Vec<String>>()
    };
    for n in 0..2 {
        let open = engine.complain_in(&owner(), &id, true, None).await.unwrap().unwrap();
        assert_eq!(open.complaint.as_deref(), Some("complaining"), "{n}");
        stage.works().await;
        assert_eq!(tags().await, ["complaining"], "{n}");
    }
    let settled = engine.complain_in(&owner(), &id, false, None).await.unwrap().unwrap();
    stage.works().await;
    assert_eq!((settled.complaint, tags().await), (None, Vec::<String>::new()));
    assert_eq!(stage.home.dead().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_erasing_a_member_empties_the_conversation_and_whoever_comes_back_is_somebody_new() {
    let stage = Stage::new().await;
    let inner = FileKeystore::open(&stage.home.keys()).unwrap();
    let keystore = Arc::new(inner) as Arc<dyn Keystore>;
    let made = Vault::make(keystore, Key::from_bytes([5; 32]), &KEY, new_mark().unwrap(), true).unwrap();
    let store = stage.home.engine().store();
    store.personal().unwrap().keep_vault(made);
    sealing::seal_home(store.as_ref(), |_| ()).await.unwrap();
    let (ziqi, boya) = (stage.phone("子期").await, stage.phone("伯牙").await);
    stage.says(&ziqi, DESKS[0], "高山流水").await;
    stage.says(&boya, DESKS[0], "知音难觅").await;
    // This home is asked without being told: the other engine of the stage has no keys.
    stage.passes(6 * MINUTE_MS).await;
    let wall = zhiyin_engine::clock::wall();
    while stage.home.engine().round_of_platforms(&stage.at, wall).await.done > 0 {}
    stage.home.until(wall).await;
    let all = stage.inbox(&owner(), None).await;
    let id = all.iter().find(|one| one.name.as_deref() == Some("子期")).unwrap().conversation.clone();
    stage.reply(&owner(), &id, "r1", "我听着").await.unwrap();
    let Found::One(member) = stage.home.engine().find(&format!("wecom_external:{ziqi}")).await.unwrap()
    else {
        panic!()
    };
    stage.home.engine().erase(member, "asked").await.unwrap();
    let left = stage.inbox(&owner(), None).await;
    assert_eq!(left.iter().map(|one| one.name.as_deref()).collect::<Vec<_>>(), [Some("伯牙")]);
    assert!(stage.home.engine().conversation(&owner(), &id, 10, None).await.is_err());
    assert_eq!(stage.reply(&owner(), &id, "r2", "还在吗").await.map(drop), Err("conversation_unknown"));
    while stage.home.engine().round_of_platforms(&stage.at, wall).await.done > 0 {}
    assert_eq!(stage.heard(&ziqi).await, [""; 0], "what waited is not said");
    stage.home.healthy().await;
    // They say something again: a conversation of its own, without what was.
    stage.says(&ziqi, DESKS[0], "我又来了").await;
    stage.passes(6 * MINUTE_MS).await;
    let wall = zhiyin_engine::clock::wall();
    while stage.home.engine().round_of_platforms(&stage.at, wall).await.done > 0 {}
    stage.home.until(wall).await;
    let all = stage.inbox(&owner(), Some(TalkState::Unread)).await;
    let new = all.iter().find(|one| one.name.as_deref() == Some("子期")).unwrap();
    assert_ne!(new.conversation, id);
    assert_eq!(stage.texts(&new.conversation).await, ["我又来了"]);
    stage.home.healthy().await;
}
