//! The way in for programs over real sockets: who may send what, within which bounds, and what comes of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod bounds;
mod family;
mod items;
mod senders;

#[allow(dead_code, reason = "the tests of the API use more of it")]
#[path = "../api/home.rs"]
mod home;

use serde_json::{Value, json};
use zhiyin_server::Bounds;
use zhiyin_store::read::MemberWhole;

use home::{Answer, Home};

/// A home in which nothing is decided until the test says so.
async fn quiet() -> Home {
    Home::within(5_000, false, Bounds::default()).await
}

impl Home {
    /// Sends a body as somebody with a key; every item is answered.
    async fn send(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.send_bytes(key, path, body.to_string().as_bytes(), &[]).await
    }

    async fn send_bytes(&self, key: &str, path: &str, body: &[u8], more: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers = [&[("authorization", bearer.as_str()), ("prefer", "return=representation")], more];
        self.ask("POST", path, &headers.concat(), body).await
    }

    /// Sends items in a batch; of each what became of it: `accepted`, `duplicate`, or the code and the field at fault.
    async fn batch(&self, key: &str, items: Value) -> Vec<String> {
        said(&self.send(key, "/v1/batch", &json!({ "batch": items })).await)
    }

    async fn decide(&self) {
        self.engine.drain(512, None, |_| ()).await.unwrap();
    }

    /// One member whole, by a name; decided about before.
    async fn whole(&self, name: &str) -> Option<MemberWhole> {
        let member = self.engine.named(name).await.unwrap()?;
        Some(self.engine.whole(member).await.unwrap())
    }
}

/// What became of each item.
fn said(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    assert_eq!(json["success"], true);
    let results = json["results"].as_array().unwrap();
    let one = |result: &Value| match result["verdict"].as_str().unwrap() {
        "refused" => {
            let field = result["field"].as_str().map(|field| format!(" @{field}")).unwrap_or_default();
            format!("{}{field}", result["code"].as_str().unwrap())
        }
        verdict => verdict.to_owned(),
    };
    results.iter().map(one).collect()
}

fn track(user: &str, id: &str, event: &str, properties: Value) -> Value {
    json!({"type": "track", "userId": user, "messageId": id, "event": event, "properties": properties})
}
