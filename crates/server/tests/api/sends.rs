//! What left the home over the API: listed, tried again, dropped, come back; and wanting no more of it without a key.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use zhiyin_engine::sends::{Again, Channel, Handed, Lane, Parcel};
use zhiyin_engine::{clock, playbooks};
use zhiyin_model::role::Role;

use crate::home::Home;

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
consent:
  purposes:
    service: { channels: [email], needed: false }
messages:
  hello: { subject: { zh: 您好 }, text: { zh: '您好 {{ member.name }}' } }
campaigns:
  hello:
    purpose: service
    on: command
    again: at most 9
    holdout: 0%
    steps: [{ send: hello, by: email }]
";

/// A channel that keeps what it is given, and answers as it is told.
#[derive(Clone, Default)]
struct Kept {
    got: Arc<Mutex<Vec<Parcel>>>,
    refuses: Arc<Mutex<bool>>,
}

#[async_trait]
impl Channel for Kept {
    fn name(&self) -> &'static str {
        "email"
    }

    fn namespaces(&self) -> &'static [&'static str] {
        &["email"]
    }

    fn again(&self) -> Again {
        Again::Never
    }

    fn at_once(&self) -> usize {
        4
    }

    fn within(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn hand_over(&self, parcel: &Parcel) -> Handed {
        if *self.refuses.lock().unwrap() {
            return Handed::Refused { code: "refused 554".to_owned(), unreachable: false };
        }
        self.got.lock().unwrap().push(parcel.clone());
        Handed::Taken { receipt: "7".to_owned() }
    }
}

/// A home, a member who has an address, and a channel to them.
async fn writing() -> (Home, String, Kept, Lane) {
    let home = Home::new().await;
    let (playbook, _) = playbooks::read_given(PLAYBOOK).unwrap_or_else(|problems| panic!("{problems:?}"));
    home.engine.apply(&playbook).await.unwrap();
    let identifiers = json!([{"namespace": "phone", "value": "13912340001"}, {"namespace": "email", "value": "ann@example.com"}]);
    let body = json!({"identifiers": identifiers, "attributes": {"name": "张伟"}, "store": "330"});
    let done = home.command("members/enrol", "enrol", body).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let id = done.json()["member"].as_str().unwrap().to_owned();
    let kept = Kept::default();
    let lane = Lane::new(Box::new(kept.clone()), Some("https://vip.shop.example".to_owned()));
    (home, id, kept, lane)
}

fn who() -> Value {
    json!({"namespace": "phone", "value": "13912340001"})
}

async fn begin(home: &Home, key: &str) {
    let begun = home.command("campaigns/begin", key, json!({"member": who(), "campaign": "hello"})).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
}

async fn get(home: &Home, path: &str) -> Value {
    home.as_key(&home.owner, "GET", path, &Value::Null).await.json()
}

async fn post(home: &Home, path: &str, body: Value) -> (u16, Value) {
    let answer = home.as_key(&home.owner, "POST", path, &body).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn what_left_the_home_is_listed_tried_again_and_dropped_by_who_may() {
    let (home, id, kept, mut lane) = writing().await;
    begin(&home, "b1").await;
    begin(&home, "b2").await;
    *kept.refuses.lock().unwrap() = true;
    home.engine.hand_over(&mut lane, clock::wall()).await.unwrap();
    let listed = get(&home, "/v1/sends?state=failed").await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{listed}");
    assert_eq!((&items[0]["error"], &items[0]["member"]), (&json!("refused 554"), &json!(id)));
    let (one, other) = (items[0]["send"].as_str().unwrap(), items[1]["send"].as_str().unwrap());
    assert_eq!(get(&home, &format!("/v1/sends?limit=1&before={one}")).await["items"][0]["send"], other);
    assert_eq!(get(&home, "/v1/sends?state=nonsense").await["code"], "bad_state");
    assert_eq!(get(&home, &format!("/v1/members/{id}/sends")).await["items"].as_array().unwrap().len(), 2);
    *kept.refuses.lock().unwrap() = false;
    assert_eq!(post(&home, &format!("/v1/sends/{one}/retry"), json!({})).await.1["state"], "waiting");
    assert_eq!(post(&home, &format!("/v1/sends/{other}/drop"), json!({})).await.1["state"], "dropped");
    assert_eq!(home.engine.hand_over(&mut lane, clock::wall()).await.unwrap().sent, 1);
    assert_eq!(get(&home, &format!("/v1/sends/{one}")).await["state"], "sent");
    for (path, code) in [
        (format!("/v1/sends/{one}/retry"), "send_not_failed"),
        (format!("/v1/sends/{other}/drop"), "send_settled"),
        ("/v1/sends/nobody/retry".to_owned(), "send_unknown"),
    ] {
        assert_eq!(post(&home, &path, json!({})).await.1["code"], code, "{path}");
    }
    let cashier = home.key(Role::Cashier, Some("330"), None).await;
    assert_eq!(home.as_key(&cashier, "GET", "/v1/sends", &Value::Null).await.status, 403);
    assert!(home.engine.metrics().await.contains("zhiyin_sends_total"));
    home.end().await;
}

#[tokio::test]
async fn wanting_no_more_needs_a_button_and_no_key_and_what_comes_back_needs_a_word() {
    let (home, id, kept, mut lane) = writing().await;
    begin(&home, "b1").await;
    home.engine.hand_over(&mut lane, clock::wall()).await.unwrap();
    let parcel = kept.got.lock().unwrap().pop().unwrap();
    assert_eq!((parcel.to.as_str(), parcel.subject.as_str()), ("ann@example.com", "您好"));
    assert_eq!(parcel.text, "您好 张伟");
    let url = parcel.leave_url.unwrap();
    let path = url.strip_prefix("https://vip.shop.example").unwrap();

    // Bounces: as a mail server has them, and only with a word of ours.
    let bounce = |word: &str| {
        format!(
            "From: mailer@mx.example\r\nTo: <bounce+{word}@shop.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n\
             Final-Recipient: rfc822; ann@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
        )
    };
    let bearer = format!("Bearer {}", home.owner);
    let headers = [("authorization", bearer.as_str()), ("content-type", "message/rfc822")];
    for (word, did) in [("0".repeat(52), "nothing"), (parcel.word.clone(), "bounced")] {
        let answer = home.ask("POST", "/v1/channels/email/bounces", &headers, bounce(&word).as_bytes()).await;
        assert_eq!((answer.status, &answer.json()["did"]), (200, &json!(did)), "{}", answer.text());
    }
    let (status, again) =
        post(&home, "/v1/channels/email/bounces", json!({"message": bounce(&parcel.word)})).await;
    assert_eq!((status, &again["did"]), (200, &json!("nothing")), "{again}");
    let again = json!({"member": who(), "channel": "email"});
    assert_eq!(home.command("channels/write-again", "w1", again.clone()).await.code(), "channel_reachable");
    assert_eq!(home.engine.tell_sends(9).await.unwrap(), 1);
    let done = home.command("channels/write-again", "w2", again).await;
    assert_eq!(done.status, 200, "{}", done.text());

    // The way out.
    let looked = home.ask("GET", path, &[], b"").await;
    assert_eq!(looked.status, 200);
    assert!(looked.text().contains("<button") && looked.text().contains("退订"), "{}", looked.text());
    assert!(looked.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    begin(&home, "b2").await;
    assert_eq!(get(&home, &format!("/v1/members/{id}/sends")).await["items"].as_array().unwrap().len(), 2);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for _ in 0..2 {
        let left = home.ask("POST", path, &form, b"List-Unsubscribe=One-Click").await;
        assert!(left.status == 200 && left.text().contains("已退订"), "{}", left.text());
    }
    begin(&home, "b3").await;
    assert_eq!(get(&home, &format!("/v1/members/{id}/sends")).await["items"].as_array().unwrap().len(), 2);
    for wrong in ["/v1/unsubscribe/0", "/v1/unsubscribe/0000000000000000000000000000000000000000000000000000"]
    {
        for method in ["GET", "POST"] {
            let answer = home.ask(method, wrong, &[], b"").await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (404, "unsubscribe_unknown"),
                "{method} {wrong}"
            );
        }
    }
    home.end().await;
}
