//! What an app is told: signed when it is sent, plain or encrypted, and tried again while it is not answered well; and what somebody tells
//! who is not the platform.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::{AGENT, Callback};
use crate::Sim;
use crate::crypto::{Key, signature};
use crate::queue::Delivery;
use crate::world::World;
use crate::world::types::Due;

/// How often one is tried again, and after how long, in milliseconds («五秒内收不到响应会断掉连接，并且重新发起请求，总共重试三次»).
pub const RETRIES: i64 = 3;
pub const RETRY_GAP_MS: i64 = 5_000;

/// What is in a callback beside who speaks to whom.
pub struct Said<'a> {
    pub appid: &'a str,
    pub openid: &'a str,
    pub label: &'a str,
    pub inner: String,
}

/// Whether an answer is a good one.
pub fn is_well(status: StatusCode, body: &[u8]) -> bool {
    status == StatusCode::OK && (body.is_empty() || body == b"success")
}

fn cdata(name: &str, text: &str) -> String {
    format!("<{name}><![CDATA[{text}]]></{name}>")
}

/// An event with its key.
pub fn event(name: &str, more: &str) -> String {
    format!("{}{}{more}", cdata("MsgType", "event"), cdata("Event", name))
}

impl World {
    /// Tells an app something, as far as faults let it. What is lost on the way is tried again, as the platform does.
    pub fn wechat_tells(&mut self, said: &Said<'_>) {
        let Some(app) = self.wechat.apps.get(said.appid) else { return };
        if app.callback.is_none() {
            return;
        }
        let xml = format!(
            "<xml>{}{}<CreateTime>{}</CreateTime>{}</xml>",
            cdata("ToUserName", &app.original_id),
            cdata("FromUserName", said.openid),
            self.now_ms.div_euclid(1_000),
            said.inner
        );
        let mut fate = self.faults.callback_fate();
        if fate.is_lost {
            (fate.is_lost, fate.delay_ms) = (false, fate.delay_ms + RETRY_GAP_MS);
        }
        let body = json!({"appid": said.appid, "xml": xml}).to_string();
        for (id, delay_ms) in self.queue.add(self.now_ms, AGENT, said.label, &body, None, &fate) {
            self.at(self.now_ms + delay_ms, Due::Deliver(id));
        }
    }

    /// A callback as it goes out now: the address, and the body.
    pub fn wechat_request(&mut self, delivery: &Delivery) -> Option<(String, String)> {
        let said: Value = serde_json::from_str(&delivery.xml).ok()?;
        let appid = said["appid"].as_str()?;
        let callback = self.wechat.apps.get(appid)?.callback.clone()?;
        Some(self.wechat_signed(&callback, appid, said["xml"].as_str()?, 0))
    }

    /// Signed so many seconds from now.
    fn wechat_signed(
        &mut self,
        callback: &Callback,
        appid: &str,
        xml: &str,
        later_s: i64,
    ) -> (String, String) {
        let stamp = (self.now_ms.div_euclid(1_000) + later_s).to_string();
        let nonce = self.wechat.chance.below(10_000_000_000).to_string();
        let plain = signature(&[&callback.token, &stamp, &nonce]);
        let url = format!("{}?signature={plain}&timestamp={stamp}&nonce={nonce}", callback.url);
        let Some(key) = &callback.key else { return (url, xml.to_owned()) };
        let sealed = self.wechat_sealed(key, appid, xml);
        let signed = signature(&[&callback.token, &stamp, &nonce, &sealed]);
        let body = format!("<xml>{}{}</xml>", cdata("ToUserName", appid), cdata("Encrypt", &sealed));
        (format!("{url}&encrypt_type=aes&msg_signature={signed}"), body)
    }

    fn wechat_sealed(&mut self, key: &Key, appid: &str, xml: &str) -> String {
        let mut random = [0; 16];
        for (to, from) in random.iter_mut().zip(self.wechat.chance.letters(16).bytes()) {
            *to = from;
        }
        key.encrypt(&random, xml.as_bytes(), appid)
    }

    /// What somebody sends who is not the platform.
    fn wechat_wrong(&mut self, appid: &str, what: &str) -> Result<(String, String), String> {
        let app = self.wechat.apps.get(appid).ok_or("appid: there is no such app")?;
        let callback = app.callback.clone().ok_or("appid: it has no callback")?;
        let original = app.original_id.clone();
        let xml = |to: &str, more: &str| {
            format!(
                "<xml>{}{}<CreateTime>{}</CreateTime>{}{more}</xml>",
                cdata("ToUserName", to),
                cdata("FromUserName", "o-nobody"),
                1_767_574_800,
                event("subscribe", "")
            )
        };
        let right = xml(&original, "");
        Ok(match what {
            "signature" => {
                let (url, body) = self.wechat_signed(&callback, appid, &right, 0);
                (url.replace("signature=", "signature=0"), body)
            }
            "stale" => self.wechat_signed(&callback, appid, &right, -700),
            "truncated" => {
                let (url, body) = self.wechat_signed(&callback, appid, &right, 0);
                (url, body.get(..body.len() / 2).unwrap_or_default().to_owned())
            }
            "plain" => self.wechat_signed(&Callback { key: None, ..callback }, appid, &right, 0),
            "entity" => self.wechat_signed(&callback, appid, &xml(&original, "<A>&boom;</A>"), 0),
            "doctype" => {
                self.wechat_signed(&callback, appid, &format!("<!DOCTYPE a [<!ENTITY b 'c'>]>{right}"), 0)
            }
            "other_app" => self.wechat_signed(&callback, "wx0000000000000000", &right, 0),
            "other_account" => self.wechat_signed(&callback, appid, &xml("gh_somebody", ""), 0),
            "oversized" => {
                let (url, body) = self.wechat_signed(&callback, appid, &right, 0);
                (url, format!("{body}{}", " ".repeat(70 * 1_024)))
            }
            _ => return Err("what: no wrong callback of this name".to_owned()),
        })
    }
}

/// Sends something that is not as it should be; how it was answered.
///
/// # Errors
/// Says what is wrong with what is asked.
pub async fn sends(sim: &Arc<Sim>, appid: &str, what: &str) -> Result<Value, String> {
    let (url, body) = sim.lock().wechat_wrong(appid, what)?;
    let heads = [("content-type", "text/xml".to_owned())];
    Ok(match sim.pool.send("POST", &url, &heads, Bytes::from(body)).await {
        None => json!({"status": 0}),
        Some((status, _)) => json!({"status": status.as_u16()}),
    })
}

/// Checks an app's address as the console does: a signed GET that must be answered by the word that it bears.
///
/// # Errors
/// Says what is wrong with what is asked.
pub async fn verify(sim: &Arc<Sim>, appid: &str) -> Result<Value, String> {
    let (url, word) = {
        let mut world = sim.lock();
        let callback = world.wechat.apps.get(appid).and_then(|app| app.callback.clone());
        let callback = callback.ok_or("appid: it has no callback")?;
        let word = world.wechat.chance.below(u64::MAX).to_string();
        let plain = Callback { key: None, ..callback };
        (format!("{}&echostr={word}", world.wechat_signed(&plain, appid, "", 0).0), word)
    };
    let answer = sim.pool.send("GET", &url, &[], Bytes::new()).await;
    Ok(
        json!({"verified": answer.is_some_and(|(status, body)| status == StatusCode::OK && body == word.as_bytes())}),
    )
}
