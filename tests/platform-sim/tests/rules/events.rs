//! Callbacks: what is told, to whom, how often it is tried, what faults make of it.

use serde_json::{Value, json};

use crate::stage::{AES_KEY, Answers, Stage, TOKEN, field};

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_verified_by_what_it_opens() {
    let stage = Stage::new(1).await;
    assert_eq!(stage.act("apps/verify", json!({"agentid": crate::stage::AGENT})).await["verified"], true);
    stage.taken.lock().unwrap().lies = true;
    assert_eq!(stage.act("apps/verify", json!({"agentid": crate::stage::AGENT})).await["verified"], false);
    let elsewhere = json!({"url": "http://example.com:80/", "token": TOKEN, "aes_key": AES_KEY});
    let body = json!({"agentid": 9, "secret": "x", "callback": elsewhere}).to_string();
    assert_eq!(stage.send("POST", "/sim/apps", body.into()).await.unwrap().0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_is_told_and_what_apis_do_is_not() {
    let stage = Stage::new(1).await;
    let (userid, customer) = stage.pair().await;
    stage.advance(0).await;
    let events = stage.events();
    let added = events.iter().find(|xml| field(xml, "ChangeType") == "add_external_contact").unwrap();
    assert_eq!((field(added, "UserID"), field(added, "ExternalUserID")), ("he", customer.as_str()));
    assert_eq!((field(added, "MsgType"), field(added, "FromUserName")), ("event", "sys"));
    assert_eq!(field(added, "Event"), "change_external_contact");
    assert!(!field(added, "WelcomeCode").is_empty() && !added.contains("<State>"));
    assert_eq!(field(added, "CreateTime"), (zhiyin_platform_sim::START_MS / 1000).to_string());
    stage
        .done(
            "externalcontact/remark",
            json!({"userid": userid, "external_userid": customer, "remark": "琴"}),
        )
        .await;
    stage.done("externalcontact/add_corp_tag", json!({"group_name": "g", "tag": [{"name": "t"}]})).await;
    stage.advance(0).await;
    assert_eq!(stage.kinds(), Vec::<String>::new());
    stage.act("edit", json!({"userid": userid, "customer": customer, "remark": "山水"})).await;
    stage.advance(0).await;
    let events = stage.events();
    assert_eq!(field(&events[0], "ChangeType"), "edit_external_contact");
    assert!(!events[0].contains("山水"), "an edit tells no difference");
    stage.act("part", json!({"userid": userid, "customer": customer, "by": "customer"})).await;
    stage.act("half-add", json!({"userid": userid, "customer": customer})).await;
    stage.act("add", json!({"userid": userid, "customer": customer})).await;
    stage.act("part", json!({"userid": userid, "customer": customer, "by": "staff"})).await;
    stage.advance(0).await;
    let mut kinds = stage.kinds();
    kinds.sort();
    let all =
        ["add_external_contact", "add_half_external_contact", "del_external_contact", "del_follow_user"];
    assert_eq!(kinds, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_tried_three_times_more() {
    let stage = Stage::new(1).await;
    stage.taken.lock().unwrap().answers = [500, 302, 204, 500].map(Answers::Status).into();
    stage.staff("he").await;
    stage.advance(0).await;
    for n in 1..=4 {
        assert_eq!(stage.events().len(), 1, "try {n}");
        stage.advance(4_999).await;
        assert_eq!(stage.events().len(), 0, "before try {n}");
        stage.advance(1).await;
    }
    assert_eq!(stage.events().len(), 0, "it is gone after four");
    let counts = stage.truth("traffic").await["callbacks"]["counts"].clone();
    assert_eq!((&counts["tries"], &counts["given_up"]), (&json!(4), &json!(1)));
    stage.taken.lock().unwrap().answers = [500, 500].map(Answers::Status).into();
    stage.staff("lin").await;
    stage.advance(60_000).await;
    assert_eq!(stage.events().len(), 3, "taken at the third");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_five_seconds_is_none() {
    let stage = Stage::new(1).await;
    stage.taken.lock().unwrap().answers = [Answers::Never].into();
    stage.staff("he").await;
    stage.until_came(1).await;
    // Nothing settles here: the first callback is never answered.
    stage.act("clock/advance", json!({"ms": 4_999, "settle": false})).await;
    assert_eq!(stage.get("/sim/clock").await["callbacks_in_flight"], 1);
    stage.act("clock/advance", json!({"ms": 1, "settle": false})).await;
    stage.advance(5_000).await;
    stage.until_came(2).await;
    let traffic = stage.truth("traffic").await;
    let outcomes: Vec<_> =
        traffic["callbacks"]["log"].as_array().unwrap().iter().map(|of| &of["outcome"]).collect();
    assert_eq!(outcomes, ["late", "taken"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_are_lost_doubled_and_out_of_order_by_seed() {
    let mut runs = Vec::new();
    for seed in [11, 11, 12] {
        let stage = Stage::new(seed).await;
        let share = json!({"callback_lost": 200, "callback_doubled": 200, "callback_reordered": 200});
        stage.act("faults", share).await;
        for n in 0..100 {
            stage.staff(&format!("staff{n:03}")).await;
            stage.advance(100).await;
        }
        stage.advance(60_000).await;
        let came: Vec<String> = stage.events().iter().map(|xml| field(xml, "UserID").to_owned()).collect();
        let counts = stage.truth("traffic").await["callbacks"]["counts"].clone();
        let lost = counts["lost"].as_u64().unwrap();
        assert!((5..40).contains(&lost), "{counts}");
        assert!(counts["doubled"].as_u64().unwrap() > 5, "{counts}");
        assert!(!came.is_sorted(), "some are out of order");
        let kinds: std::collections::BTreeSet<&String> = came.iter().collect();
        assert_eq!(kinds.len() as u64, 100 - lost);
        assert!(came.len() > kinds.len());
        runs.push((lost, kinds.into_iter().cloned().collect::<Vec<_>>()));
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_event_is_told_as_it_is_given() {
    let stage = Stage::new(1).await;
    let fields = json!({"LinkId": "cawc1", "Words": "a]]>b", "ExpireQuotaNum": 100});
    let body = json!({"event": "customer_acquisition", "change": "quota_expire_soon", "fields": fields});
    stage.act("event", body).await;
    stage.act("staff", json!({"userid": "he", "name": "荷"})).await;
    stage.act("staff", json!({"userid": "he", "name": "小荷"})).await;
    stage.advance(0).await;
    let events = stage.events();
    let told = events.iter().find(|xml| field(xml, "Event") == "customer_acquisition").unwrap();
    assert_eq!((field(told, "LinkId"), field(told, "ExpireQuotaNum")), ("cawc1", "100"));
    assert!(told.contains("<Words><![CDATA[a]]]]><![CDATA[>b]]></Words>"), "{told}");
    assert!(
        events.iter().any(|xml| field(xml, "ChangeType") == "update_user" && field(xml, "Name") == "小荷")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_three_thousand_is_told_whole() {
    let stage = Stage::new(1).await;
    stage.staff("he").await;
    let way = json!({"type": 1, "scene": 2, "user": ["he"]});
    let config_id = stage.done("externalcontact/add_contact_way", way).await["config_id"].clone();
    let customers = stage.act("customers", json!({"n": 3_000})).await["external_userids"].clone();
    let told = stage.act("scan", json!({"customers": customers, "config_id": config_id})).await;
    assert_eq!(told["outcomes"], json!({"added": 3_000}));
    stage.advance(0).await;
    let events = stage.events();
    let codes: std::collections::BTreeSet<&str> =
        events.iter().map(|xml| field(xml, "WelcomeCode")).collect();
    assert_eq!((events.len(), codes.len()), (3_001, 3_001), "each with a code of its own, and the hiring");
}

#[tokio::test(flavor = "multi_thread")]
async fn customer_service_has_five_answers_in_two_days() {
    let stage = Stage::new(1).await;
    let customer = stage.phone("子期").await;
    let kf = stage.act("kf", json!({"name": "客服"})).await["open_kfid"].clone();
    stage.act("say", json!({"customer": customer, "open_kfid": kf, "text": "在吗"})).await;
    stage.advance(0).await;
    let events = stage.events();
    assert_eq!(field(&events[0], "Event"), "kf_msg_or_event");
    let list = stage.done("kf/sync_msg", json!({"open_kfid": kf})).await;
    assert_eq!(list["msg_list"][0]["text"]["content"], "在吗");
    let none = stage.done("kf/sync_msg", json!({"open_kfid": kf, "cursor": list["next_cursor"]})).await;
    assert_eq!(none["msg_list"].as_array().unwrap().len(), 0);
    let answer = json!({"touser": customer, "open_kfid": kf, "msgtype": "text", "text": {"content": "在"}});
    for _ in 0..5 {
        stage.done("kf/send_msg", answer.clone()).await;
    }
    stage.refused("kf/send_msg", answer.clone(), 95001).await;
    stage.act("say", json!({"customer": customer, "open_kfid": kf, "text": "还在吗"})).await;
    stage.act("limits", json!({"kf_answer_ms": 1_000})).await;
    stage.advance(1_000).await;
    stage.refused("kf/send_msg", answer, 95002).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customer_service_tells_what_happens_there_but_not_what_apps_say() {
    let stage = Stage::new(1).await;
    let customer = stage.phone("子期").await;
    stage.act("staff", json!({"userid": "he", "follower": true})).await;
    let kf = stage.act("kf", json!({"name": "客服"})).await["open_kfid"].clone();
    let at = |more: Value| {
        let mut body = json!({"customer": customer, "open_kfid": kf});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let said = stage.act("say", at(json!({"kind": "image", "media_id": "M1"}))).await;
    let answer = json!({"touser": customer, "open_kfid": kf, "msgid": "a1", "msgtype": "text", "text": {"content": "在"}});
    stage.done("kf/send_msg", answer.clone()).await;
    let state = json!({"open_kfid": kf, "external_userid": customer});
    assert_eq!(stage.done("kf/service_state/get", state.clone()).await["service_state"], 0);
    stage.act("kf/session", at(json!({"state": 3, "userid": "he"}))).await;
    assert_eq!(stage.done("kf/service_state/get", state.clone()).await["servicer_userid"], "he");
    stage.refused("kf/send_msg", answer.clone(), 95018).await;
    stage.act("kf/answer", at(json!({"userid": "he", "text": "我来"}))).await;
    stage.act("kf/session", at(json!({"state": 4}))).await;
    stage.refused("kf/send_msg", answer.clone(), 95018).await;
    stage.act("say", at(json!({"text": "还在吗"}))).await;
    stage.act("kf/refuse", at(json!({}))).await;
    stage.done("kf/send_msg", answer).await;
    stage.act("kf/recall", at(json!({"msgid": said["msgid"]}))).await;
    let list = stage.done("kf/sync_msg", json!({"open_kfid": kf})).await;
    let told: Vec<String> = list["msg_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["origin"], one["event"]["event_type"].as_str().unwrap_or("said")))
        .collect();
    let wanted = [
        "3 said",
        "4 session_status_change",
        "5 said",
        "4 session_status_change",
        "3 said",
        "4 msg_send_fail",
        "4 user_recall_msg",
    ];
    assert_eq!(told, wanted);
    let ids = json!({"external_userid_list": [customer, "wmnobody"]});
    let found = stage.done("kf/customer/batchget", ids).await;
    assert_eq!(found["customer_list"][0]["nickname"], "子期");
    assert_eq!(found["invalid_external_userid"], json!(["wmnobody"]));
    stage.refused("kf/sync_msg", json!({"open_kfid": kf, "token": "made up"}), 95007).await;
    stage.act("limits", json!({"kf_kept_ms": 1_000})).await;
    stage.advance(2_000).await;
    let old = stage.done("kf/sync_msg", json!({"open_kfid": kf})).await;
    assert_eq!(old["msg_list"], json!([]), "what is older than that is told no more");
}
