//! Ways in against the platform simulator, on its time.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test that looks for it")]

use serde_json::{Value, json};
use zhiyin_reach_sim::{On, Setting, Stage, rows};

/// 2026-01-05 is a Monday, and it is 9:00 in Beijing when the platform begins.
const PLAYBOOK: &str = "
playbook: brand
extends: variety-store
messages:
  hello: { text: { zh: '您好，%NICKNAME%！', en: 'Hello %NICKNAME%' }, sells: false }
  evening: { text: { zh: 夜里好。, en: Good evening. }, sells: false }
links: { address: https://s.example.com, hosts: [shop.example.com], pages: { shop: { to: 'https://shop.example.com/' } } }
posters:
  night:
    svg: '<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"60\"><rect width=\"40\" height=\"60\" fill=\"#2B7A69\"/></svg>'
tags:
  window_guest: { name: { zh: 橱窗来客, en: By the window } }
touchpoints:
  window:
    kind: store_poster
    name: { zh: 橱窗, en: Window }
    way:
      staff: [LiSi, WangWu]
      at_most: 2
      spare: [SunQi]
      tags: [window_guest]
      remark: 橱窗
      welcome: { message: hello, link: shop }
      hours:
        - { during: 'Mo-Su 20:00-23:00', staff: [ZhaoLiu], welcome: { message: evening, poster: night } }
  card:
    kind: staff_card
    way: { persona: 小顾问, turn: daily, asks: true }
  table:
    kind: community_group
    group_way: { owners: [LiSi], named: 徐汇, next: { name: 徐汇会员, from: 7 } }
";

const HOUR_MS: i64 = 3_600_000;

async fn ways_lead_where_the_playbook_says(on: On) {
    let accounts =
        json!([{"userid": "LiSi", "persona": "小顾问"}, {"userid": "WangWu", "persona": "小顾问"}]);
    let stage = Stage::new(Setting { accounts, rounds: 3, ..Setting::new(on, PLAYBOOK) }).await;
    for (userid, name) in [("LiSi", "李四"), ("WangWu", "王五"), ("ZhaoLiu", "赵六"), ("SunQi", "孙七")]
    {
        stage.act("staff", json!({"userid": userid, "name": name, "follower": true})).await;
    }
    for (chat, name) in [("wrA", "徐汇一群"), ("wrB", "静安一群")] {
        stage.act("chats", json!({"name": name, "owner": "LiSi", "chat_id": chat})).await;
    }
    stage.goes_on(3_000).await;

    // Each code is there once, with its picture, and leads to whom the playbook says.
    let window = stage.way("window").await.unwrap();
    assert_eq!(
        (window.state.as_str(), window.to.as_slice()),
        ("there", ["LiSi", "WangWu"].map(str::to_owned).as_slice())
    );
    assert!(window.picture.is_some(), "{window:?}");
    let card = stage.way("card").await.unwrap();
    assert_eq!(card.to.len(), 1, "one at a time, in turn: {card:?}");
    let table = stage.way("table").await.unwrap();
    assert_eq!(
        (table.leads_to.as_str(), table.to.as_slice()),
        ("groups", ["wrA".to_owned()].as_slice()),
        "only groups of the name"
    );
    let n_ways = |truth: &Value| truth.to_string().matches("\"state\":\"window\"").count();
    assert_eq!(n_ways(&stage.truth("ways").await), 1, "{}", stage.truth("ways").await);
    let id = window.way.clone().unwrap();

    // Whoever scans is welcomed, counted, tagged and called as the playbook says, once.
    let mut came = Vec::new();
    for n in 0..4 {
        let customer = stage.customer(json!({"name": format!("客{n}"), "unionid": format!("u{n}")})).await;
        let scanned = stage.act("scan", json!({"customer": customer, "config_id": id})).await;
        assert_eq!(scanned["outcome"], "added", "{scanned}");
        came.push(customer);
        stage.goes_on(2_000).await;
    }
    stage.goes_on(2_000).await;
    for customer in &came {
        let member = stage.member("wecom_external", customer).await.unwrap();
        assert!(member.tags.contains_key("window_guest"), "{customer} is tagged");
    }
    let phones = stage.truth("phones").await.to_string();
    assert_eq!(phones.matches("您好，%NICKNAME%！").count(), 4, "{phones}");
    assert_eq!(phones.matches("https://s.example.com/l/").count(), 4, "{phones}");
    let relations = stage.truth("relations").await.to_string();
    assert_eq!(relations.matches("橱窗-客").count(), 4, "{relations}");
    let window = stage.way("window").await.unwrap();
    assert_eq!(window.today.iter().map(|made| made.adds).sum::<u32>(), 4, "{window:?}");

    // Both have as many as they may: a spare one is met for the rest of the day.
    stage.goes_on(61_000).await;
    let by: Vec<(String, u32)> =
        stage.way("window").await.unwrap().today.into_iter().map(|made| (made.account, made.adds)).collect();
    let window = stage.way("window").await.unwrap();
    let full = by.iter().all(|(_, adds)| *adds >= 2) && by.len() == 2;
    if full {
        assert_eq!(window.to, ["SunQi"], "{window:?}");
    } else {
        assert!(!window.to.is_empty() && window.to.len() < 2, "{window:?}");
    }

    // In the evening somebody else is met, and something else is said.
    stage.goes_on(12 * HOUR_MS).await;
    assert_eq!(stage.way("window").await.unwrap().to, ["ZhaoLiu"]);
    let customer = stage.customer(json!({"name": "夜客"})).await;
    stage.act("scan", json!({"customer": customer, "config_id": id})).await;
    stage.goes_on(2_000).await;
    let phone = stage.truth("phones").await.to_string();
    assert!(phone.contains("夜里好。"), "{phone}");
    // With a picture that was handed in before anybody came.
    let media = stage.truth("media").await;
    let handed: Vec<&str> = rows(&media).filter_map(|one| one["media_id"].as_str()).collect();
    assert!(handed.iter().any(|media| phone.contains(media)), "{phone} {media}");

    // The next day all have room again, and it is the next one's turn.
    stage.goes_on(12 * HOUR_MS).await;
    assert_eq!(stage.way("window").await.unwrap().to, ["LiSi", "WangWu"]);
    assert_ne!(stage.way("card").await.unwrap().to, card.to);

    // Somebody takes the code away at the platform: another is made.
    let (status, _) = delete(&stage, &id).await;
    assert_eq!(status, 200);
    stage.goes_on(25 * HOUR_MS).await;
    stage.goes_on(61_000).await;
    let again = stage.way("window").await.unwrap();
    assert!(again.way.is_some() && again.way != Some(id), "{again:?}");

    // A group is nearly full: the next follows, of the same name.
    stage.act("chats", json!({"name": "徐汇二群", "owner": "LiSi", "chat_id": "wrC"})).await;
    stage.act("limits", json!({})).await;
    stage.goes_on(11 * 60_000).await;
    assert_eq!(stage.way("table").await.unwrap().to, ["wrA", "wrC"]);
    for n in 0..196 {
        let customer = stage.customer(json!({"name": format!("群友{n}")})).await;
        stage.act("chats/join", json!({"chat_id": "wrA", "who": customer, "scene": 3})).await;
    }
    stage.goes_on(11 * 60_000).await;
    assert_eq!(stage.way("table").await.unwrap().to, ["wrC"]);

    // The playbook drops a code: it goes after a week, and comes back where the playbook takes it up again.
    let without = PLAYBOOK.replace("    way: { persona: 小顾问, turn: daily, asks: true }\n", "");
    stage.applies(&without).await;
    stage.goes_on(61_000).await;
    assert_eq!(stage.way("card").await.unwrap().state, "ending");
    stage.goes_on(8 * 24 * HOUR_MS).await;
    assert!(stage.way("card").await.is_none());
    assert!(!stage.truth("ways").await.to_string().contains("\"state\":\"card\""));
    stage.ends().await;
}

async fn delete(stage: &Stage, id: &str) -> (u16, Value) {
    let (corp, secret) = (zhiyin_reach_sim::CORP, zhiyin_reach_sim::SECRET);
    let ask = format!("/cgi-bin/gettoken?corpid={corp}&corpsecret={secret}");
    let told = zhiyin_reach_sim::send(stage.platform(), "GET", &ask, "").await;
    let token = told.1["access_token"].as_str().unwrap().to_owned();
    let path = format!("/cgi-bin/externalcontact/del_contact_way?access_token={token}");
    zhiyin_reach_sim::send(stage.platform(), "POST", &path, &json!({"config_id": id}).to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_lead_where_the_playbook_says_on_both_stores() {
    ways_lead_where_the_playbook_says(On::Sqlite).await;
    ways_lead_where_the_playbook_says(On::Postgres).await;
}

#[test]
fn a_welcome_says_nothing_of_a_member_whom_nobody_knows_yet() {
    assert!(zhiyin_engine::playbooks::read_given(PLAYBOOK).is_ok());
    for (said, path) in [
        ("您好，{{ member.name }}！", "touchpoints.window.way.welcome.message"),
        ("您的积分 {{ points }}", "touchpoints.window.way.welcome.message"),
    ] {
        let text = PLAYBOOK.replace("您好，%NICKNAME%！", said);
        let problems = zhiyin_engine::playbooks::read_given(&text).map(drop).unwrap_err();
        assert!(problems.iter().any(|problem| problem.path == path), "{said}: {problems:#?}");
    }
}
