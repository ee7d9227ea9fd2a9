//! Groups: versions, lag, codes that are full.

use serde_json::{Value, json};

use crate::stage::{Stage, field};

async fn group(stage: &Stage) -> Value {
    stage.staff("he").await;
    stage.act("chats", json!({"name": "茶会 1", "owner": "he"})).await["chat_id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_members_names_both_versions_and_shows_later() {
    let stage = Stage::new(1).await;
    let chat_id = group(&stage).await;
    stage.advance(0).await;
    stage.events();
    let phone = stage.phone("伯牙").await;
    let before =
        stage.done("externalcontact/groupchat/get", json!({"chat_id": chat_id, "need_name": 1})).await;
    stage.act("chats/join", json!({"chat_id": chat_id, "who": phone, "invitor": "he"})).await;
    stage.advance(0).await;
    let events = stage.events();
    let joined = &events[0];
    assert_eq!((field(joined, "ChangeType"), field(joined, "UpdateDetail")), ("update", "add_member"));
    assert_eq!((field(joined, "JoinScene"), field(joined, "MemChangeCnt")), ("1", "1"));
    assert_eq!(field(joined, "Item"), phone);
    assert_eq!(json!(field(joined, "LastMemVer")), before["group_chat"]["member_version"]);
    let lags = stage.done("externalcontact/groupchat/get", json!({"chat_id": chat_id})).await;
    assert_eq!(lags["group_chat"]["member_list"].as_array().unwrap().len(), 1);
    stage.advance(2_000).await;
    let shown =
        stage.done("externalcontact/groupchat/get", json!({"chat_id": chat_id, "need_name": 1})).await;
    assert_eq!(json!(field(joined, "CurMemVer")), shown["group_chat"]["member_version"]);
    let members = shown["group_chat"]["member_list"].as_array().unwrap();
    assert!(
        members
            .iter()
            .any(|row| row["name"] == "伯牙" && row["invitor"]["userid"] == "he" && row["type"] == 2)
    );
    stage.act("chats/quit", json!({"chat_id": chat_id, "who": phone, "scene": 1})).await;
    stage.act("chats/change", json!({"chat_id": chat_id, "detail": "change_name", "value": "雅集"})).await;
    stage.act("chats/dismiss", json!({"chat_id": chat_id})).await;
    stage.advance(0).await;
    let mut kinds = stage.kinds();
    kinds.sort();
    assert_eq!(kinds, ["dismiss", "update", "update"]);
    stage.refused("externalcontact/groupchat/get", json!({"chat_id": chat_id}), 49008).await;
    stage.refused("externalcontact/groupchat/get", json!({"chat_id": "no"}), 40050).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_way_goes_on_to_the_next_group_when_one_is_full() {
    let stage = Stage::new(1).await;
    let chat_id = group(&stage).await;
    stage.act("limits", json!({"group_members_by_code": 3, "group_members": 4})).await;
    let way = json!({
        "scene": 2, "chat_id_list": [chat_id], "auto_create_room": 1, "room_base_name": "茶会 ", "room_base_id": 2,
        "state": "tea",
    });
    let config_id = stage.done("externalcontact/groupchat/add_join_way", way).await["config_id"].clone();
    let mut landed = Vec::new();
    let mut phones = Vec::new();
    for name in ["一", "二", "三"] {
        let phone = stage.phone(name).await;
        let outcome = stage.act("scan-group", json!({"customer": phone, "config_id": config_id})).await;
        landed.push(outcome["chat_id"].clone());
        phones.push(phone);
    }
    assert_eq!((&landed[0], &landed[1]), (&chat_id, &chat_id));
    assert_ne!(landed[2], chat_id);
    let told = stage.truth("chats").await;
    let made = told.as_array().unwrap().iter().find(|row| row["chat_id"] == landed[2]).unwrap();
    assert_eq!((&made["name"], &made["owner"]), (&json!("茶会 2"), &json!("he")));
    assert_eq!(made["members"][&phones[2]]["state"], "tea");
    let got = stage.done("externalcontact/groupchat/get_join_way", json!({"config_id": config_id})).await;
    assert_eq!(got["join_way"]["chat_id_list"], json!([chat_id, landed[2]]));
    // Staff may invite further than a code lets in.
    stage.act("chats/join", json!({"chat_id": chat_id, "who": phones[2]})).await;
    let extra = stage.phone("四").await;
    let body = json!({"chat_id": chat_id, "who": extra}).to_string();
    assert_eq!(stage.send("POST", "/sim/chats/join", body.into()).await.unwrap().0, 400);
    let again = stage.act("scan-group", json!({"customer": phones[0], "config_id": config_id})).await;
    assert_eq!(again["outcome"], "already_member");
    let six = json!({"scene": 2, "chat_id_list": vec![chat_id.clone(); 6]});
    stage.refused("externalcontact/groupchat/add_join_way", six, 40058).await;
    let list = stage.done("externalcontact/groupchat/list", json!({"limit": 1})).await;
    assert_eq!(list["group_chat_list"].as_array().unwrap().len(), 1);
    assert!(!list["next_cursor"].as_str().unwrap().is_empty());
    stage.act("limits", json!({"group_list_owners_unfiltered": 0})).await;
    stage.refused("externalcontact/groupchat/list", json!({"limit": 10}), 81017).await;
    let filtered = json!({"limit": 10, "owner_filter": {"userid_list": ["he"]}});
    assert_eq!(
        stage.done("externalcontact/groupchat/list", filtered).await["group_chat_list"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_who_left_goes_to_another() {
    let stage = Stage::new(1).await;
    let chat_id = group(&stage).await;
    stage.staff("lin").await;
    let body = json!({"chat_id_list": [chat_id], "new_owner": "lin"});
    let early = stage.done("externalcontact/groupchat/transfer", body.clone()).await;
    assert_eq!(early["failed_chat_list"][0]["errcode"], 90500);
    stage.act("staff/leave", json!({"userid": "he"})).await;
    let list = stage.done("externalcontact/groupchat/list", json!({"limit": 10, "status_filter": 1})).await;
    assert_eq!(list["group_chat_list"][0]["status"], 1);
    assert_eq!(stage.done("externalcontact/groupchat/transfer", body).await["failed_chat_list"], json!([]));
    assert_eq!(stage.truth("chats").await[0]["owner"], "lin");
    let templates = "externalcontact/group_welcome_template";
    let made = stage.done(&format!("{templates}/add"), json!({"text": {"content": "欢迎"}})).await;
    let named = json!({"template_id": made["template_id"]});
    assert_eq!(stage.done(&format!("{templates}/get"), named.clone()).await["text"]["content"], "欢迎");
    stage.done(&format!("{templates}/del"), named.clone()).await;
    stage.refused(&format!("{templates}/get"), named, 40037).await;
    stage.act("limits", json!({"group_welcome_templates": 0})).await;
    stage.refused(&format!("{templates}/add"), json!({"text": {"content": "欢迎"}}), 41055).await;
}
