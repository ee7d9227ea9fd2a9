//! Short links over the API: made, listed, followed by whoever has one, and by nobody to a stranger.

use serde_json::{Value, json};
use zhiyin_engine::playbooks;
use zhiyin_model::role::Role;

use crate::home::Home;

const PHONE: (&str, &str) = ("user-agent", "Mozilla/5.0 (iPhone) MicroMessenger/8.0.40");

#[tokio::test]
async fn a_link_is_made_listed_and_followed_without_a_key() {
    let home = Home::new().await;
    let make = async |body: Value| home.as_key(&home.owner, "POST", "/v1/links", &body).await;
    let made = make(json!({"to": "/card", "touchpoint": "till-1"})).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let made = made.json();
    let code = made["code"].as_str().unwrap();
    assert_eq!(make(json!({"to": "/card", "touchpoint": "till-1"})).await.json()["code"], code);
    for way in ["l", "q"] {
        let followed = home.ask("GET", &format!("/{way}/{code}"), &[PHONE], b"").await;
        assert_eq!((followed.status, followed.header("location")), (302, Some("/card")), "{way}");
        assert_eq!(followed.header("cache-control"), Some("no-store"));
        assert_eq!(followed.header("set-cookie"), None);
    }
    for wrong in ["111111111111", "0OIl0OIl0OIl", "short", "%2e%2e"] {
        let followed = home.ask("GET", &format!("/l/{wrong}"), &[PHONE], b"").await;
        assert_eq!((followed.status, followed.header("location")), (404, None), "{wrong}");
    }
    let listed = home.as_key(&home.owner, "GET", "/v1/links", &Value::Null).await.json();
    assert_eq!(
        (listed["items"][0]["code"].as_str(), listed["items"].as_array().unwrap().len()),
        (Some(code), 1)
    );
    let read = home.as_key(&home.owner, "GET", &format!("/v1/links/{code}"), &Value::Null).await.json();
    assert_eq!(read["to"], "/card");
    let draw = async || home.as_key(&home.owner, "GET", &format!("/v1/links/{code}/qr"), &Value::Null).await;
    let drawn = draw().await;
    assert!(drawn.status == 200 && drawn.body.starts_with(b"<svg "), "{}", drawn.text());
    // This one says no address: where would a code lead?
    let (playbook, _) = playbooks::read_shipped("demo").unwrap().unwrap();
    home.engine.apply(&playbook).await.unwrap();
    let drawn = draw().await;
    assert_eq!((drawn.status, drawn.code().as_str()), (409, "no_link_address"));
    home.end().await;
}

#[tokio::test]
async fn a_link_that_leads_to_a_stranger_is_refused_by_name() {
    let home = Home::new().await;
    home.member("13912345678", 0).await;
    for (body, status, code, field) in [
        (json!({"to": "https://evil.example/"}), 422, "link_not_ours", "to"),
        (json!({"to": "javascript:alert(1)"}), 422, "link_not_ours", "to"),
        (json!({}), 422, "link_target", "page"),
        (json!({"page": "gone"}), 404, "page_unknown", "page"),
        (json!({"to": "/card", "days": 0}), 422, "out_of_range", "days"),
        (
            json!({"to": "/card", "member": {"namespace": "phone", "value": "13900000000"}}),
            404,
            "member_unknown",
            "member",
        ),
    ] {
        let answer = home.as_key(&home.owner, "POST", "/v1/links", &body).await;
        let field_said = answer.json()["field"].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (answer.status, answer.code().as_str(), field_said.as_str()),
            (status, code, field),
            "{body}"
        );
    }
    // Whom a link is for is shown to nobody whose key shows nobody.
    let marketer = home.key(Role::Marketer, None, None).await;
    let of = json!({"to": "/card", "sharer": {"namespace": "phone", "value": "13912345678"}});
    let made = home.as_key(&marketer, "POST", "/v1/links", &of).await;
    assert_eq!((made.status, &made.json()["sharer"]), (200, &Value::Null), "{}", made.text());
    home.end().await;
}

#[tokio::test]
async fn only_somebody_who_follows_a_link_is_counted_and_told_of() {
    let home = Home::new().await;
    home.member("13912345678", 0).await;
    let of = json!({"to": "/card", "touchpoint": "sms-1", "member": {"namespace": "phone", "value": "13912345678"}});
    let made = home.as_key(&home.owner, "POST", "/v1/links", &of).await.json();
    // Who manages campaigns is shown nobody.
    assert_eq!(made["member"], Value::Null);
    let code = made["code"].as_str().unwrap();
    for (method, way, headers) in [
        ("GET", "l", vec![PHONE]),
        ("GET", "l", vec![PHONE]),
        ("GET", "q", vec![PHONE]),
        ("HEAD", "l", vec![PHONE]),
        ("GET", "l", vec![PHONE, ("purpose", "prefetch")]),
        ("GET", "l", vec![("user-agent", "facebookexternalhit/1.1")]),
        ("GET", "l", vec![]),
    ] {
        let followed = home.ask(method, &format!("/{way}/{code}"), &headers, b"").await;
        assert_eq!(
            (followed.status, followed.header("location")),
            (302, Some("/card")),
            "{method} {headers:?}"
        );
    }
    home.api.tell_follows_now().await;
    let read = home.as_key(&home.owner, "GET", &format!("/v1/links/{code}"), &Value::Null).await.json();
    assert_eq!((&read["clicks"], &read["scans"]), (&json!(2), &json!(1)));
    home.end().await;
}
