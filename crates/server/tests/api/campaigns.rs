//! Campaigns over the API: begun, read, answered, paused and stopped, and who may do what.

use serde_json::{Value, json};
use zhiyin_engine::playbooks;
use zhiyin_model::role::Role;

use crate::home::Home;

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
consent:
  purposes:
    service: { channels: [inbox, till, advisor], needed: false }
messages:
  hello: { text: { zh: '您好 {{ member.name }}', en: 'Hello {{ member.name }}' } }
  call: { text: { zh: 请回访, en: Please call } }
campaigns:
  hello:
    name: { zh: 问候, en: Hello }
    purpose: service
    on: command
    again: at most 2
    promised: true
    steps: [{ send: hello, by: inbox }, { send: hello, by: till }, { task: call }]
";

async fn greeting() -> Home {
    let home = Home::new().await;
    let (playbook, _) = playbooks::read_given(PLAYBOOK).unwrap_or_else(|problems| panic!("{problems:?}"));
    home.engine.apply(&playbook).await.unwrap();
    home
}

async fn get(home: &Home, key: &str, path: &str) -> (u16, Value) {
    let answer = home.as_key(key, "GET", path, &Value::Null).await;
    (answer.status, answer.json())
}

fn who() -> Value {
    json!({"namespace": "phone", "value": "13912340001"})
}

#[tokio::test]
async fn a_campaign_is_begun_read_and_answered_over_the_api() {
    let home = greeting().await;
    let id = home.member("13912340001", 0).await;
    let begin = json!({"member": who(), "campaign": "hello"});
    for _ in 0..2 {
        // Sent again it is not done again.
        let begun = home.command("campaigns/begin", "b1", begin.clone()).await;
        assert_eq!(begun.status, 200, "{}", begun.text());
    }
    let (_, view) = get(&home, &home.owner, "/v1/campaigns/hello").await;
    assert_eq!(
        (&view["state"], &view["counts"]["began"], &view["counts"]["sent"]),
        (&json!("running"), &json!(1), &json!(3))
    );
    let (_, runs) = get(&home, &home.owner, &format!("/v1/members/{id}/runs")).await;
    let kinds: Vec<&str> =
        runs["moves"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(
        (kinds.as_slice(), &runs["open"]),
        (&["ended", "sent", "sent", "sent", "began"][..], &json!([]))
    );

    let (status, effect) =
        get(&home, &home.owner, "/v1/campaigns/hello/effect?margin=30%25&send_cost=3").await;
    assert_eq!(
        (status, &effect["members"], &effect["arms"][1]["sent"]),
        (200, &json!(1), &json!(3)),
        "{effect}"
    );
    assert_eq!(effect["measures"][0]["says"]["zh"], "人数太少，说不出差异。");
    for (query, code) in
        [("margin=30", "margin_bad"), ("as_of=x", "bad_query"), ("as_of=2999-01-01", "as_of_future")]
    {
        let (_, problem) = get(&home, &home.owner, &format!("/v1/campaigns/hello/effect?{query}")).await;
        assert_eq!(problem["code"], code, "{problem}");
    }

    let (_, inbox) = get(&home, &home.owner, &format!("/v1/members/{id}/inbox")).await;
    let note = &inbox["items"][0];
    assert_eq!((&note["text"], &note["state"]), (&json!("您好 张伟"), &json!("open")));
    // A marketer sees people masked, in texts too.
    let marketer = home.key(Role::Marketer, None, None).await;
    let (_, masked) = get(&home, &marketer, &format!("/v1/members/{id}/inbox")).await;
    assert!(!masked.to_string().contains("张伟"), "{masked}");

    let (_, prompts) = get(&home, &home.owner, &format!("/v1/members/{id}/prompts")).await;
    for message in [&note["id"], &prompts["items"][0]["id"]] {
        let seen = json!({"message": message});
        let key = format!("s{message}");
        assert_eq!(home.command("messages/seen", &key, seen).await.status, 200);
    }
    let (_, prompts) = get(&home, &home.owner, &format!("/v1/members/{id}/prompts")).await;
    assert_eq!(prompts["items"], json!([]), "what was said is not said again");
    let (_, inbox) = get(&home, &home.owner, &format!("/v1/members/{id}/inbox")).await;
    assert_eq!(inbox["items"][0]["state"], "seen");

    let (_, tasks) = get(&home, &home.owner, "/v1/tasks").await;
    assert_eq!((&tasks["items"][0]["text"], &tasks["items"][0]["member"]), (&json!("请回访"), &json!(id)));
    let task = tasks["items"][0]["id"].clone();
    let wrong = home.command("messages/seen", "w1", json!({"message": task})).await;
    assert_eq!(wrong.code(), "message_unknown", "a task is done, not seen");
    let done = home.command("tasks/done", "d1", json!({"task": task})).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(get(&home, &home.owner, "/v1/tasks").await.1["items"], json!([]));
    home.end().await;
}

#[tokio::test]
async fn a_campaign_is_halted_and_refused_by_name_over_the_api() {
    let home = greeting().await;
    let id = home.member("13912340001", 0).await;
    let marketer = home.key(Role::Marketer, None, None).await;
    let cashier = home.key(Role::Cashier, Some("330"), None).await;
    let halt = async |key: &str, what: &str| {
        let answer = home.as_key(key, "POST", &format!("/v1/campaigns/hello/{what}"), &json!({})).await;
        (answer.status, answer.json())
    };
    let begin = async |key: &str, campaign: &str| {
        home.command("campaigns/begin", key, json!({"member": who(), "campaign": campaign})).await.code()
    };
    assert_eq!(halt(&cashier, "pause").await.0, 403);
    assert_eq!(halt(&marketer, "pause").await.1["state"], "paused");
    assert_eq!(begin("p1", "hello").await, "campaign_paused");
    let (_, why) = get(&home, &home.owner, &format!("/v1/members/{id}/campaigns/hello")).await;
    assert_eq!((&why["state"], &why["cannot_begin"]), (&json!("paused"), &json!("campaign_paused")));
    assert_eq!(why["now"][0]["text"], "您好 张伟");
    assert_eq!(halt(&marketer, "resume").await.1["state"], "running");
    assert_eq!((begin("r1", "hello").await.as_str(), begin("r2", "hello").await.as_str()), ("", ""));
    assert_eq!(
        (begin("r3", "hello").await.as_str(), begin("r4", "nothing").await.as_str()),
        ("not_again", "campaign_unknown")
    );
    assert_eq!(halt(&marketer, "stop").await.1["state"], "stopped");
    let (status, again) = halt(&marketer, "resume").await;
    assert_eq!((status, &again["code"]), (409, &json!("campaign_stopped")));
    assert_eq!(get(&home, &home.owner, "/v1/campaigns/nothing").await.1["code"], "campaign_unknown");
    home.end().await;
}
