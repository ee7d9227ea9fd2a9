//! Mass messages and moments: staff confirms them, or late, or never; customers are reached as often as the rule allows.

use serde_json::{Value, json};

use crate::stage::Stage;

const ADD: &str = "externalcontact/add_msg_template";
const RESULT: &str = "externalcontact/get_groupmsg_send_result";
const MINUTE: i64 = 60_000;

fn text(customers: &[&str]) -> Value {
    json!({"chat_type": "single", "external_userid": customers, "text": {"content": "新茶到了"}})
}

async fn results(stage: &Stage, msgid: &Value, userid: &str) -> Vec<i64> {
    let token = stage.token_of("s").await;
    let got = stage.api_as(&token, RESULT, json!({"msgid": msgid, "userid": userid})).await;
    got["send_list"].as_array().unwrap().iter().map(|row| row["status"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_message_waits_for_staff_and_reaches_friends() {
    let stage = Stage::new(1).await;
    let (_, friend) = stage.pair().await;
    stage.act("staff", json!({"userid": "never", "habit": {"mass_minutes": null}})).await;
    let (gone, other) = (stage.phone("走").await, stage.phone("他").await);
    stage.act("add", json!({"userid": "he", "customer": gone})).await;
    stage.act("add", json!({"userid": "never", "customer": other})).await;
    let stranger = stage.phone("生人").await;
    let made = stage.done(ADD, text(&[&friend, &gone, &other, &stranger])).await;
    assert_eq!(made["fail_list"], json!([stranger]));
    let msgid = made["msgid"].clone();
    stage.act("part", json!({"userid": "he", "customer": gone, "by": "customer"})).await;
    stage.advance(5 * MINUTE - 1).await;
    assert_eq!(results(&stage, &msgid, "he").await, [0, 0]);
    stage.advance(1).await;
    let mut sent = results(&stage, &msgid, "he").await;
    sent.sort_unstable();
    assert_eq!(sent, [1, 2]);
    stage.advance(86_400_000).await;
    assert_eq!(results(&stage, &msgid, "never").await, [0]);
    let phone = stage.get(&format!("/sim/phone?id={friend}")).await;
    assert_eq!(
        (&phone["n_received"], &phone["inbox"][0]["content"]["text"]["content"]),
        (&json!(1), &json!("新茶到了"))
    );
    stage.act("confirm", json!({"msgid": msgid, "userid": "never"})).await;
    stage.act("confirm", json!({"msgid": msgid, "userid": "never"})).await;
    assert_eq!(stage.get(&format!("/sim/phone?id={other}")).await["n_received"], 1, "nothing is sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_reached_as_often_as_the_month_allows() {
    let stage = Stage::new(1).await;
    let (_, friend) = stage.pair().await;
    for (rule, allowed) in [("4_per_month", 4), ("1_per_day", 1), ("7_per_week", 7), ("days_of_month", 31)] {
        let stage = Stage::new(1).await;
        let (_, friend) = stage.pair().await;
        stage.act("limits", json!({"mass_rule": rule})).await;
        for n in 0..=allowed {
            let msgid = stage.done(ADD, text(&[&friend])).await["msgid"].clone();
            stage.act("confirm", json!({"msgid": msgid, "userid": "he"})).await;
            let status = results(&stage, &msgid, "he").await;
            assert_eq!(status, [if n < allowed { 1 } else { 3 }], "{rule}, message {n}");
        }
    }
    stage
        .refused(ADD, json!({"external_userid": [friend], "text": {"content": "茶".repeat(1_334)}}), 45002)
        .await;
    stage.refused(ADD, json!({"external_userid": [friend]}), 44004).await;
    stage.refused(ADD, text(&["no"]), 41048).await;
    let many: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
    stage.refused(ADD, json!({"external_userid": many, "text": {"content": "x"}}), 40058).await;
    let msgid = stage.done(ADD, text(&[&friend])).await["msgid"].clone();
    let named = json!({"msgid": msgid});
    for _ in 0..3 {
        stage.done("externalcontact/remind_groupmsg_send", named.clone()).await;
    }
    stage.refused("externalcontact/remind_groupmsg_send", named.clone(), 45009).await;
    stage.done("externalcontact/cancel_groupmsg_send", named.clone()).await;
    stage.advance(10 * MINUTE).await;
    assert_eq!(results(&stage, &msgid, "he").await, [0], "what is stopped is not sent");
    stage.refused("externalcontact/get_groupmsg_task", json!({"msgid": "no"}), 41047).await;
    let now_s = zhiyin_platform_sim::START_MS / 1_000;
    let span = json!({"chat_type": "single", "start_time": now_s, "end_time": now_s + 3_600});
    let list = stage.done("externalcontact/get_groupmsg_list_v2", span).await;
    assert_eq!(list["group_msg_list"][0]["msgid"], msgid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_message_reaches_all_who_are_in_it() {
    let stage = Stage::new(1).await;
    let (_, friend) = stage.pair().await;
    let chat_id = stage.act("chats", json!({"name": "茶会", "owner": "he"})).await["chat_id"].clone();
    stage.act("chats/join", json!({"chat_id": chat_id, "who": friend})).await;
    let body = json!({"chat_type": "group", "sender": "he", "chat_id_list": [chat_id], "text": {"content": "周末茶会"}});
    let msgid = stage.done(ADD, body).await["msgid"].clone();
    stage.advance(5 * MINUTE).await;
    assert_eq!(results(&stage, &msgid, "he").await, [1]);
    let phone = stage.get(&format!("/sim/phone?id={friend}")).await;
    assert_eq!((&phone["inbox"][0]["kind"], &phone["inbox"][0]["chat_id"]), (&json!("group_mass"), &chat_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_is_a_job_then_a_task_then_seen_by_who_has_its_tag() {
    let stage = Stage::new(1).await;
    let (_, tagged) = stage.pair().await;
    let plain = stage.phone("子期").await;
    stage.act("add", json!({"userid": "he", "customer": plain})).await;
    let tag = stage.act("tags", json!({"group": "茶", "name": "绿茶"})).await["tag_id"].clone();
    stage.act("edit", json!({"userid": "he", "customer": tagged, "add_tag": [tag]})).await;
    let body = json!({
        "text": {"content": "明前龙井"},
        "visible_range": {"sender_list": {"user_list": ["he", "no"]}, "external_contact_list": {"tag_list": [tag]}},
    });
    let add = "externalcontact/add_moment_task";
    let job = stage.done(add, body.clone()).await["jobid"].as_str().unwrap().to_owned();
    let result = "externalcontact/get_moment_task_result";
    assert_eq!(stage.ask(result, &format!("jobid={job}")).await["status"], 1);
    stage.advance(5_000).await;
    let made = stage.ask(result, &format!("jobid={job}")).await;
    assert_eq!(made["result"]["invalid_sender_list"]["user_list"], json!(["no"]));
    let moment = json!({"moment_id": made["result"]["moment_id"]});
    let task = stage.done("externalcontact/get_moment_task", moment.clone()).await;
    assert_eq!(task["task_list"], json!([{"userid": "he", "publish_status": 0}]));
    let of_he = json!({"moment_id": moment["moment_id"], "userid": "he"});
    stage.refused("externalcontact/get_moment_customer_list", of_he.clone(), 41062).await;
    stage.advance(5 * MINUTE).await;
    let seen = stage.done("externalcontact/get_moment_customer_list", of_he.clone()).await;
    assert_eq!(seen["customer_list"], json!([{"userid": "he", "external_userid": tagged}]));
    let seen = stage.done("externalcontact/get_moment_send_result", of_he).await;
    assert_eq!(seen["customer_list"], json!([{"external_userid": tagged}]));
    assert_eq!(stage.get(&format!("/sim/phone?id={plain}")).await["n_received"], 0);
    stage.act("limits", json!({"moments_per_minute": 1})).await;
    stage.advance(MINUTE).await;
    stage.done(add, body.clone()).await;
    stage.refused(add, body, 45009).await;
    stage.refused(add, json!({"text": {"content": "茶".repeat(2_001)}}), 40058).await;
    assert_eq!(stage.ask(result, "jobid=no").await["errcode"], 40088);
}
