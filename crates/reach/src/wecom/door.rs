//! The door for what WeCom tells: the news, and before it whom somebody may welcome.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::callback::{CallbackProblem, Callbacks, Received, Signed};
use super::{CHANNEL, NAMESPACE};
use crate::door::{Brought, Door, How, Kept, NEWS, Refused, Taken, WELCOME};

impl From<CallbackProblem> for Refused {
    fn from(problem: CallbackProblem) -> Self {
        let how = if problem == CallbackProblem::TooLarge { How::TooLarge } else { How::Forbidden };
        Self::new(problem.name(), how)
    }
}

fn signed(brought: Brought<'_>) -> Signed<'_> {
    Signed {
        signature: brought.said("msg_signature"),
        timestamp: brought.said("timestamp"),
        nonce: brought.said("nonce"),
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// What is kept of a callback.
fn kept(corp: &str, received: &Received, now: i64) -> Vec<Kept> {
    let about = received.notice.told.customer();
    let about = about.map(|customer| (NAMESPACE.to_owned(), customer.to_owned()));
    let news = map(json!({"corp": corp, "text": received.text}));
    let mut all = vec![Kept { key: received.key.to_vec(), lane: NEWS, about: about.clone(), body: news }];
    if let Some(welcome) = received.notice.welcome(now) {
        let key = [received.key.as_slice(), WELCOME.as_bytes()].concat();
        let body = map(json!({
            "staff": welcome.account, "customer": welcome.customer, "way": welcome.way, "code": welcome.code,
            "until": welcome.until,
        }));
        all.push(Kept { key, lane: WELCOME, about, body });
    }
    all
}

#[async_trait]
impl Door for Callbacks {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.corp_id().to_owned()
    }

    fn echo(&self, brought: Brought<'_>, now: i64) -> Result<Vec<u8>, Refused> {
        // Base64 has no blanks: where one stands, a plus was not written as addresses are.
        let asked = brought.said("echostr").unwrap_or_default().replace(' ', "+");
        Ok(Self::echo(self, signed(brought), &asked, now)?)
    }

    async fn receive(&self, brought: Brought<'_>, now: i64) -> Result<Taken, Refused> {
        let received = Self::receive(self, signed(brought), brought.body, now)?;
        let kind = received.notice.told.name();
        Ok(Taken { kind, kept: kept(self.corp_id(), &received, now) })
    }
}
