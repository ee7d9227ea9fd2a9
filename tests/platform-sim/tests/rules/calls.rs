//! Tokens, the door, faults and frequency.

use hyper::body::Bytes;
use serde_json::json;

use crate::stage::{AGENT, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_one_an_app_and_expires() {
    let stage = Stage::new(1).await;
    assert_eq!(stage.token_of("s").await, stage.token);
    let list = "externalcontact/get_follow_user_list";
    assert_eq!(stage.ask(list, "").await["errcode"], 0);
    stage.advance(7_200_000).await;
    assert_eq!(stage.ask(list, "").await["errcode"], 42001);
    assert_ne!(stage.token_of("s").await, stage.token);
    assert_eq!(stage.get(&format!("/cgi-bin/{list}")).await["errcode"], 41001);
    assert_eq!(stage.get(&format!("/cgi-bin/{list}?access_token=x")).await["errcode"], 40014);
    assert_eq!(
        stage.get("/cgi-bin/gettoken?corpid=ww5f1a2b3c4d5e6f70&corpsecret=no").await["errcode"],
        40001
    );
    assert_eq!(stage.get("/cgi-bin/gettoken?corpid=no&corpsecret=s").await["errcode"], 40013);
    stage.act("tokens/expire", json!({})).await;
    assert_eq!(stage.ask(list, "").await["errcode"], 40014);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_knows_methods_addresses_and_apps() {
    let stage = Stage::new(1).await;
    assert_eq!(stage.api("gettoken", json!({})).await["errcode"], 43001);
    assert_eq!(stage.ask("externalcontact/mark_tag", "").await["errcode"], 43002);
    stage.act("apps", json!({"agentid": 7, "secret": "elsewhere", "ips": ["10.0.0.1"]})).await;
    stage.act("apps", json!({"agentid": 8, "secret": "plain", "contact": false})).await;
    let list = "externalcontact/get_corp_tag_list";
    let elsewhere = stage.token_of("elsewhere").await;
    assert_eq!(stage.api_as(&elsewhere, list, json!({})).await["errcode"], 60020);
    let plain = stage.token_of("plain").await;
    assert_eq!(stage.api_as(&plain, list, json!({})).await["errcode"], 48002);
    let path = format!("/cgi-bin/{list}?access_token={}", stage.token);
    let (_, told) = stage.send("POST", &path, Bytes::from("{not json")).await.unwrap();
    assert_eq!(told["errcode"], 47001);
    assert_eq!(stage.send("GET", "/cgi-bin/no/such", Bytes::new()).await.unwrap().0, 404);
    let large = Bytes::from(vec![b' '; 3 << 20]);
    assert!(stage.send("POST", &path, large).await.is_none_or(|(status, _)| status == 413));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_calls_in_a_minute_block_for_a_minute() {
    let stage = Stage::new(1).await;
    stage.act("limits", json!({"calls_per_api_minute": 3})).await;
    for _ in 0..3 {
        stage.done("externalcontact/get_corp_tag_list", json!({})).await;
    }
    stage.refused("externalcontact/get_corp_tag_list", json!({}), 45009).await;
    stage.done("user/list_id", json!({})).await;
    stage.advance(59_999).await;
    stage.refused("externalcontact/get_corp_tag_list", json!({}), 45009).await;
    stage.advance(1).await;
    stage.done("externalcontact/get_corp_tag_list", json!({})).await;
    let quotas = stage.truth("quotas").await;
    let row = quotas
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["rule"] == "calls_per_api" && row["period"] == "minute");
    assert_eq!(row.unwrap()["worst"], 3);
    assert_eq!(row.unwrap()["refused"], 1);
    assert_eq!(stage.truth("traffic").await["n_violations"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sixth_call_at_one_time_is_refused_where_five_may_be() {
    let stage = Stage::new(1).await;
    let (userid, customer) = stage.pair().await;
    let tag = stage.act("tags", json!({"group": "g", "name": "t"})).await["tag_id"].clone();
    stage.act("gate", json!({"api": "externalcontact/mark_tag", "closed": true})).await;
    let stage = std::sync::Arc::new(stage);
    let body = json!({"userid": userid, "external_userid": customer, "add_tag": [tag]});
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let (stage, body) = (std::sync::Arc::clone(&stage), body.clone());
            tokio::spawn(async move { stage.api("externalcontact/mark_tag", body).await["errcode"].clone() })
        })
        .collect();
    while stage.get("/sim/clock").await["calls_in_flight"] != 5 {
        tokio::task::yield_now().await;
    }
    stage.refused("externalcontact/mark_tag", body, 45033).await;
    stage.act("gate", json!({"api": "externalcontact/mark_tag", "closed": false})).await;
    for call in calls {
        assert_eq!(call.await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_fail_before_or_after_they_did_something() {
    let stage = Stage::new(1).await;
    let add = |name: &str| json!({"group_name": "g", "tag": [{"name": name}]});
    let path = format!("/cgi-bin/externalcontact/add_corp_tag?access_token={}", stage.token);
    let n_tags = || async { stage.truth("tags").await.as_array().unwrap().len() };
    for (fault, status, n) in [
        ("call_fails_before", None, 0),
        ("call_times_out", None, 0),
        ("call_server_error", Some(502), 0),
        ("call_busy", Some(200), 0),
        ("call_reply_lost", None, 1),
    ] {
        stage.act("faults", json!({"none": true})).await;
        stage.act("faults", json!({fault: 1000})).await;
        let answered = stage.send("POST", &path, add(fault).to_string().into()).await;
        assert_eq!(answered.as_ref().map(|(status, _)| *status), status, "{fault}");
        if fault == "call_busy" {
            assert_eq!(answered.unwrap().1["errcode"], -1);
        }
        assert_eq!(n_tags().await, n, "{fault}");
    }
    stage.act("faults", json!({"none": true})).await;
    stage.done("externalcontact/add_corp_tag", add("fine")).await;
    assert_eq!(n_tags().await, 2);
    let (status, told) = stage.send("POST", "/sim/faults", "{\"call_eaten\": 1}".into()).await.unwrap();
    assert_eq!((status, told["error"].as_str()), (400, Some("call_eaten is not known")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_fails_the_same_calls_again() {
    let mut runs = Vec::new();
    for seed in [5, 5, 6] {
        let stage = Stage::new(seed).await;
        stage.act("faults", json!({"call_busy": 200})).await;
        let mut codes = Vec::new();
        for _ in 0..60 {
            codes.push(stage.api("user/list_id", json!({})).await["errcode"].as_i64().unwrap());
        }
        runs.push(codes);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(runs[0].contains(&-1) && runs[0].contains(&0));
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_is_told_and_signs_in() {
    let stage = Stage::new(1).await;
    stage.staff("he").await;
    let send = |to: &str| json!({"touser": to, "msgtype": "text", "agentid": AGENT, "text": {"content": "今日三位顾客生日"}});
    let told = stage.done("message/send", send("he|nobody")).await;
    assert_eq!(told["invaliduser"], "nobody");
    stage.refused("message/send", send("nobody"), 81013).await;
    assert_eq!(stage.truth("staff").await[0]["inbox"].as_array().unwrap().len(), 1);
    stage.done("message/recall", json!({"msgid": told["msgid"]})).await;
    assert_eq!(stage.truth("staff").await[0]["inbox"].as_array().unwrap().len(), 0);
    stage.act("limits", json!({"messages_per_member_minute": 2})).await;
    for _ in 0..2 {
        stage.done("message/send", send("he")).await;
    }
    // What is too much is dropped without a word.
    assert_eq!(stage.truth("staff").await[0]["inbox"].as_array().unwrap().len(), 1);
    let code = stage.act("login-code", json!({"userid": "he"})).await["code"].as_str().unwrap().to_owned();
    assert_eq!(stage.ask("auth/getuserinfo", &format!("code={code}")).await["userid"], "he");
    assert_eq!(stage.ask("auth/getuserinfo", &format!("code={code}")).await["errcode"], 40029);
    assert_eq!(stage.ask("user/get", "userid=he").await["name"], "he");
    assert_eq!(stage.ask("user/get", "userid=no").await["errcode"], 60111);
}

#[tokio::test(flavor = "multi_thread")]
async fn media_lives_three_days() {
    let stage = Stage::new(1).await;
    let (userid, customer) = stage.pair().await;
    let path = format!("/cgi-bin/media/upload?access_token={}&type=image", stage.token);
    let form = "--x\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\n\r\n0123456789\r\n--x--\r\n";
    let multipart = "multipart/form-data; boundary=x";
    let (_, told) = stage.send_as("POST", &path, form.into(), multipart).await.unwrap();
    assert_eq!((&told["errcode"], &told["type"]), (&json!(0), &json!("image")), "{told}");
    let image = json!([{"msgtype": "image", "image": {"media_id": told["media_id"]}}]);
    let mass = json!({"external_userid": [customer], "sender": userid, "attachments": image});
    stage.done("externalcontact/add_msg_template", mass.clone()).await;
    stage.act("limits", json!({"media_image_bytes": 9})).await;
    let (_, told) = stage.send_as("POST", &path, form.into(), multipart).await.unwrap();
    assert_eq!(told["errcode"], 45001);
    let (_, told) = stage.send_as("POST", &path, "--x--".into(), multipart).await.unwrap();
    assert_eq!(told["errcode"], 41005);
    stage.act("limits", json!({"media_ms": 0})).await;
    stage.refused("externalcontact/add_msg_template", mass, 40007).await;
}
