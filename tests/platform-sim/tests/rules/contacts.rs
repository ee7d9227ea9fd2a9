//! Customers: welcomes, ways, tags, hand-overs, conversion of ids.

use serde_json::{Value, json};

use crate::stage::{Stage, field};

fn welcome(code: &Value) -> Value {
    json!({"welcome_code": code, "text": {"content": "你好"}})
}

const SEND: &str = "externalcontact/send_welcome_msg";

#[tokio::test(flavor = "multi_thread")]
async fn a_welcome_code_is_good_once_and_for_twenty_seconds() {
    let stage = Stage::new(1).await;
    stage.staff("he").await;
    let mut codes = Vec::new();
    for name in ["伯牙", "子期", "青瓷"] {
        let phone = stage.phone(name).await;
        codes
            .push(stage.act("add", json!({"userid": "he", "customer": phone})).await["welcome_code"].clone());
    }
    stage.advance(20_000).await;
    stage.done(SEND, welcome(&codes[0])).await;
    stage.refused(SEND, welcome(&codes[0]), 41051).await;
    stage.advance(1).await;
    stage.refused(SEND, welcome(&codes[1]), 41050).await;
    stage.refused(SEND, welcome(&json!("made up")), 41050).await;
    stage.refused(SEND, json!({"text": {"content": "你好"}}), 41049).await;
    let told = stage.truth("welcomes").await;
    let of = |code: &Value| {
        told.as_array().unwrap().iter().find(|row| row["welcome_code"] == *code).unwrap().clone()
    };
    assert_eq!(of(&codes[0])["sent_ms"], zhiyin_platform_sim::START_MS + 20_000);
    assert_eq!(of(&codes[0])["arrived_ms"], zhiyin_platform_sim::START_MS);
    assert_eq!((&of(&codes[1])["sent_ms"], &of(&codes[1])["n_refused"]), (&Value::Null, &json!(1)));
    let phone = stage.truth("phones").await;
    let n: usize =
        phone.as_array().unwrap().iter().map(|phone| phone["inbox"].as_array().unwrap().len()).sum();
    assert_eq!(n, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_of_a_welcome_counts_as_sent() {
    let stage = Stage::new(1).await;
    let phone = stage.phone("伯牙").await;
    stage.staff("he").await;
    let code = stage.act("add", json!({"userid": "he", "customer": phone})).await["welcome_code"].clone();
    stage.act("faults", json!({"call_reply_lost": 1000, "apis": ["externalcontact/send_welcome_msg"]})).await;
    let path = format!("/cgi-bin/{SEND}?access_token={}", stage.token);
    assert!(stage.send("POST", &path, welcome(&code).to_string().into()).await.is_none());
    stage.act("faults", json!({"none": true})).await;
    stage.refused(SEND, welcome(&code), 41051).await;
    assert_eq!(stage.get(&format!("/sim/phone?id={phone}")).await["n_received"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_issued_where_the_console_greets_and_none_works_once_they_talk() {
    let stage = Stage::new(1).await;
    stage.act("staff", json!({"userid": "lin", "console_welcome": true})).await;
    stage.staff("he").await;
    let phone = stage.phone("伯牙").await;
    assert_eq!(
        stage.act("add", json!({"userid": "lin", "customer": phone})).await["welcome_code"],
        Value::Null
    );
    let code = stage.act("add", json!({"userid": "he", "customer": phone})).await["welcome_code"].clone();
    stage.act("say", json!({"userid": "he", "customer": phone, "text": "在吗"})).await;
    stage.refused(SEND, welcome(&code), 41051).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_way_leads_to_who_is_free_and_tells_its_state() {
    let stage = Stage::new(1).await;
    stage.act("staff", json!({"userid": "he", "capacity": 1})).await;
    stage.act("staff", json!({"userid": "lin", "capacity": 1})).await;
    let way = json!({"type": 2, "scene": 2, "user": ["he", "lin"], "state": "door", "remark": "门口"});
    let made = stage.done("externalcontact/add_contact_way", way.clone()).await;
    assert!(made["qr_code"].as_str().unwrap().starts_with("http"));
    let config_id = made["config_id"].clone();
    let got = stage.done("externalcontact/get_contact_way", json!({"config_id": config_id})).await;
    assert_eq!(
        (&got["contact_way"]["state"], &got["contact_way"]["user"]),
        (&json!("door"), &json!(["he", "lin"]))
    );
    stage.advance(0).await;
    stage.events();
    let mut outcomes = Vec::new();
    let mut phones = Vec::new();
    for name in ["伯牙", "子期", "青瓷"] {
        let phone = stage.phone(name).await;
        outcomes.push(
            stage.act("scan", json!({"customer": phone, "config_id": config_id})).await["outcome"].clone(),
        );
        phones.push(phone);
    }
    assert_eq!(outcomes, ["added", "added", "nobody_free"]);
    stage.advance(0).await;
    let events = stage.events();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|xml| field(xml, "State") == "door"));
    // Who is a friend already only opens the chat.
    let again = stage.act("scan", json!({"customer": phones[0], "config_id": config_id})).await;
    assert_eq!(again["outcome"], "already_friends");
    stage.advance(0).await;
    assert!(stage.events().is_empty());
    let add = "externalcontact/add_contact_way";
    stage.refused(add, json!({"type": 1, "scene": 2, "user": ["he", "lin"]}), 41041).await;
    stage.refused(add, json!({"scene": 2, "user": ["he"]}), 41037).await;
    stage.refused(add, json!({"type": 1, "scene": 9, "user": ["he"]}), 41040).await;
    stage.refused(add, json!({"type": 1, "scene": 2, "user": ["he"], "state": "s".repeat(31)}), 40058).await;
    stage.refused(add, json!({"type": 1, "scene": 2, "user": ["no"]}), 60111).await;
    stage.act("limits", json!({"contact_and_join_ways": 1})).await;
    stage.refused(add, way, 41045).await;
    stage.done("externalcontact/del_contact_way", json!({"config_id": config_id})).await;
    stage.refused("externalcontact/get_contact_way", json!({"config_id": config_id}), 41044).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_asks_first_is_accepted_by_habit() {
    let stage = Stage::new(1).await;
    stage.act("staff", json!({"userid": "he", "habit": {"accept_minutes": 3}})).await;
    let way = json!({"type": 1, "scene": 2, "user": ["he"], "skip_verify": false});
    let config_id = stage.done("externalcontact/add_contact_way", way).await["config_id"].clone();
    let phone = stage.phone("伯牙").await;
    let asked = stage.act("scan", json!({"customer": phone, "config_id": config_id})).await;
    assert_eq!(asked["outcome"], "asked");
    stage.advance(179_999).await;
    assert_eq!(stage.ask("externalcontact/list", "userid=he").await["errcode"], 84061);
    stage.advance(1).await;
    assert_eq!(stage.ask("externalcontact/list", "userid=he").await["external_userid"], json!([phone]));
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_read_one_by_one_and_in_pages() {
    let stage = Stage::new(1).await;
    let (userid, customer) = stage.pair().await;
    stage.staff("lin").await;
    stage.act("add", json!({"userid": "lin", "customer": customer})).await;
    let got = stage.ask("externalcontact/get", &format!("external_userid={customer}")).await;
    assert_eq!(
        (&got["external_contact"]["name"], got["follow_user"].as_array().unwrap().len()),
        (&json!("伯牙"), 2)
    );
    let made = stage.act("customers", json!({"n": 25})).await;
    for phone in made["external_userids"].as_array().unwrap() {
        stage.act("add", json!({"userid": userid, "customer": phone})).await;
    }
    let batch = "externalcontact/batch/get_by_user";
    let (mut cursor, mut seen) = (String::new(), 0);
    loop {
        let body = json!({"userid_list": ["lin", "he"], "limit": 10, "cursor": cursor});
        let page = stage.done(batch, body).await;
        let rows = page["external_contact_list"].as_array().unwrap();
        assert!(rows.len() <= 10 && rows.iter().all(|row| row["follow_info"]["tag_id"].is_array()));
        seen += rows.len();
        cursor = page["next_cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 27);
    stage.refused(batch, json!({"userid_list": ["he"], "cursor": "made up"}), 50100).await;
    stage.refused(batch, json!({"userid_list": ["he"], "limit": 101}), 40058).await;
    stage.refused(batch, json!({"userid_list": ["no"]}), 60111).await;
    let remark = "externalcontact/remark";
    let body = |remark: &str| json!({"userid": "he", "external_userid": customer, "remark": remark});
    stage.done(remark, body(&"琴".repeat(20))).await;
    stage.refused(remark, body(&"琴".repeat(21)), 40058).await;
    stage.act("part", json!({"userid": "he", "customer": customer, "by": "staff"})).await;
    stage.refused(remark, body("琴"), 84061).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_made_a_tag_may_change_it() {
    let stage = Stage::new(1).await;
    let (userid, customer) = stage.pair().await;
    stage.act("apps", json!({"agentid": 7, "secret": "other"})).await;
    let add = "externalcontact/add_corp_tag";
    let made =
        stage.done(add, json!({"group_name": "茶", "tag": [{"name": "绿茶"}, {"name": "红茶"}]})).await;
    let group = &made["tag_group"];
    assert_eq!((&group["group_name"], group["tag"].as_array().unwrap().len()), (&json!("茶"), 2));
    let (green, red) = (group["tag"][0]["id"].clone(), group["tag"][1]["id"].clone());
    stage.refused(add, json!({"group_id": group["group_id"], "tag": [{"name": "绿茶"}]}), 40071).await;
    stage.refused(add, json!({"group_name": "茶", "tag": [{"name": "茶".repeat(31)}]}), 40058).await;
    stage.refused(add, json!({"group_id": "no", "tag": [{"name": "x"}]}), 40068).await;
    let other = stage.token_of("other").await;
    let edit = json!({"id": green, "name": "龙井"});
    assert_eq!(stage.api_as(&other, "externalcontact/edit_corp_tag", edit.clone()).await["errcode"], 301_002);
    let console = stage.act("tags", json!({"group": "店", "name": "外滩"})).await["tag_id"].clone();
    stage.refused("externalcontact/del_corp_tag", json!({"tag_id": [console]}), 301_002).await;
    stage.done("externalcontact/edit_corp_tag", edit).await;
    let mark = "externalcontact/mark_tag";
    let body = json!({"userid": userid, "external_userid": customer, "add_tag": [green, console, red]});
    stage.done(mark, body).await;
    stage
        .refused(mark, json!({"userid": userid, "external_userid": customer, "add_tag": ["no"]}), 40068)
        .await;
    stage.refused(mark, json!({"userid": userid, "external_userid": "no", "add_tag": [red]}), 40096).await;
    let got = stage.ask("externalcontact/get", &format!("external_userid={customer}")).await;
    assert_eq!(got["follow_user"][0]["tags"].as_array().unwrap().len(), 3);
    stage.done("externalcontact/del_corp_tag", json!({"tag_id": [red]})).await;
    assert_eq!(stage.truth("relations").await[0]["tags"].as_array().unwrap().len(), 2);
    stage.advance(0).await;
    let kinds: Vec<String> = stage
        .events()
        .iter()
        .filter(|xml| field(xml, "Event") == "change_external_tag")
        .map(|xml| field(xml, "TagType").to_owned())
        .collect();
    assert_eq!(kinds.len(), 2, "the console's group and tag are told, ours are not");
    stage.act("limits", json!({"corp_tags": 2})).await;
    stage.refused(add, json!({"group_name": "茶", "tag": [{"name": "白茶"}]}), 40126).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_takes_a_day_and_is_no_loss() {
    let mut stage = Stage::new(1).await;
    let (_, customer) = stage.pair().await;
    stage.staff("lin").await;
    let refuses =
        stage.act("customers", json!({"name": "不", "refuses_transfer": true})).await["external_userid"]
            .clone();
    stage.act("add", json!({"userid": "he", "customer": refuses})).await;
    stage.advance(0).await;
    stage.events();
    let ask = |from: &str, to: &str, who: Vec<Value>| json!({"handover_userid": from, "takeover_userid": to, "external_userid": who});
    let hand = "externalcontact/transfer_customer";
    let told = stage.done(hand, ask("he", "lin", vec![json!(customer), refuses.clone(), json!("no")])).await;
    let codes: Vec<i64> =
        told["customer"].as_array().unwrap().iter().map(|row| row["errcode"].as_i64().unwrap()).collect();
    assert_eq!(codes, [0, 0, 40096]);
    let again = stage.done(hand, ask("he", "lin", vec![json!(customer)])).await;
    assert_eq!(again["customer"][0]["errcode"], 40129);
    stage.advance(86_399_999).await;
    stage.token = stage.token_of("s").await;
    let of_both = json!({"handover_userid": "he", "takeover_userid": "lin"});
    let waits = stage.done("externalcontact/transfer_result", of_both.clone()).await;
    assert_eq!(waits["customer"][0]["status"], 2);
    assert!(stage.events().is_empty());
    stage.advance(1).await;
    let over = stage.done("externalcontact/transfer_result", of_both).await;
    assert_eq!((&over["customer"][0]["status"], &over["customer"][1]["status"]), (&json!(1), &json!(3)));
    let events = stage.events();
    let gone = events.iter().find(|xml| field(xml, "ChangeType") == "del_external_contact").unwrap();
    assert_eq!(field(gone, "Source"), "DELETE_BY_TRANSFER");
    let failed = events.iter().find(|xml| field(xml, "ChangeType") == "transfer_fail").unwrap();
    assert_eq!(field(failed, "FailReason"), "customer_refused");
    assert_eq!(stage.ask("externalcontact/list", "userid=lin").await["external_userid"], json!([customer]));
    stage.done(hand, ask("lin", "he", vec![json!(customer)])).await;
    stage.advance(86_400_000).await;
    stage.token = stage.token_of("s").await;
    let often = stage.done(hand, ask("he", "lin", vec![json!(customer)])).await;
    assert_eq!(often["customer"][0]["errcode"], 40128, "twice in 90 days");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_of_who_left_are_handed_over() {
    let mut stage = Stage::new(1).await;
    let (userid, customer) = stage.pair().await;
    stage.staff("lin").await;
    let hand = "externalcontact/resigned/transfer_customer";
    let body = json!({"handover_userid": userid, "takeover_userid": "lin", "external_userid": [customer]});
    stage.refused(hand, body.clone(), 40097).await;
    stage.act("staff/leave", json!({"userid": userid})).await;
    let list = stage.done("externalcontact/get_unassigned_list", json!({})).await;
    assert_eq!((&list["info"][0]["external_userid"], &list["is_last"]), (&json!(customer), &json!(true)));
    stage.done(hand, body).await;
    stage.advance(86_400_000).await;
    stage.token = stage.token_of("s").await;
    assert_eq!(stage.ask("externalcontact/list", "userid=lin").await["external_userid"], json!([customer]));
    assert_eq!(stage.truth("unassigned").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_converted_within_quotas_and_remembered_for_ninety_days() {
    let stage = Stage::new(1).await;
    stage.staff("he").await;
    let made = stage.act("customers", json!({"name": "伯牙"})).await;
    let ask = json!({"unionid": made["unionid"], "openid": made["openid"], "subject_type": 0});
    let new = "idconvert/unionid_to_external_userid";
    let pending = stage.done(new, ask.clone()).await["pending_id"].clone();
    assert_eq!(stage.done(new, ask.clone()).await["pending_id"], pending);
    stage.refused("externalcontact/unionid_to_external_userid", ask.clone(), 84061).await;
    stage.refused(new, json!({"unionid": made["unionid"], "openid": "no"}), 40003).await;
    stage.act("add", json!({"userid": "he", "customer": made["external_userid"]})).await;
    assert_eq!(stage.done(new, ask.clone()).await["external_userid"], made["external_userid"]);
    let old = stage.done("externalcontact/unionid_to_external_userid", ask.clone()).await;
    assert_eq!(old["external_userid"], made["external_userid"]);
    let back = "idconvert/batch/external_userid_to_pending_id";
    let body = json!({"external_userid": [made["external_userid"]]});
    assert_eq!(stage.done(back, body.clone()).await["result"][0]["pending_id"], pending);
    stage.advance(90 * 86_400_000).await;
    let token = stage.token_of("s").await;
    assert_eq!(stage.api_as(&token, back, body).await["result"], json!([]));
    stage.act("limits", json!({"unionid_conversions_per_hour": 1})).await;
    assert_eq!(stage.api_as(&token, new, ask.clone()).await["errcode"], 0);
    assert_eq!(stage.api_as(&token, new, ask).await["errcode"], 45009);
}
