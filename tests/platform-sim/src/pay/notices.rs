//! What the merchant is told: sealed, signed when it is sent, tried again by the platform's plan while it is not answered well; and what
//! somebody tells who is not the platform.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::crypto::{Signer, seal};
use super::{AGENT, rfc3339};
use crate::Sim;
use crate::queue::Delivery;
use crate::world::World;
use crate::world::types::Due;

/// How long after a try the next one comes, in seconds (payment notices, "回调处理机制").
pub const RETRIES_S: [i64; 15] =
    [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];

/// The lines of a head.
pub type Heads = Vec<(&'static str, String)>;

/// A notice as it was sent.
#[derive(Clone)]
pub struct Sent {
    url: String,
    heads: Heads,
    body: String,
}

/// A head over a body, signed by somebody.
fn heads(signer: Signer, at_s: i64, nonce: &str, body: &str) -> Heads {
    let signature = signer.sign(format!("{at_s}\n{nonce}\n{body}\n").as_bytes());
    vec![
        ("content-type", "application/json".to_owned()),
        ("wechatpay-timestamp", at_s.to_string()),
        ("wechatpay-nonce", nonce.to_owned()),
        ("wechatpay-signature", signature),
        ("wechatpay-serial", signer.serial().to_owned()),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
    ]
}

impl World {
    /// The body of a notice; nothing where there is no merchant.
    fn notice(&mut self, event: &str, kind: &str, resource: &Value) -> Option<(String, String)> {
        let (id, nonce) = (self.pay.chance.letters(32), self.pay.chance.letters(12));
        let merchant = self.pay.merchant.as_ref()?;
        let ciphertext = seal(&merchant.api_v3_key, &nonce, kind, &resource.to_string())?;
        let body = json!({
            "id": id, "create_time": rfc3339(self.now_ms), "resource_type": "encrypt-resource",
            "event_type": event, "summary": "通知",
            "resource": {
                "original_type": kind, "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext,
                "associated_data": kind, "nonce": nonce,
            },
        });
        Some((merchant.notice_url.clone(), body.to_string()))
    }

    /// Tells the merchant that something happened, as far as faults let it.
    pub fn pay_tells(&mut self, event: &str, kind: &str, resource: &Value) {
        let Some((url, body)) = self.notice(event, kind, resource) else { return };
        let fate = self.faults.callback_fate();
        let said = json!({"url": url, "body": body}).to_string();
        let delays = self.queue.add(self.now_ms, AGENT, event, &said, None, &fate);
        for (id, delay_ms) in delays {
            self.at(self.now_ms + delay_ms, Due::Deliver(id));
        }
    }

    /// A notice as it goes out now.
    pub fn pay_request(&mut self, delivery: &Delivery) -> Option<(String, Heads, String)> {
        let said: Value = serde_json::from_str(&delivery.xml).ok()?;
        let (url, body) = (said["url"].as_str()?.to_owned(), said["body"].as_str()?.to_owned());
        let nonce = self.pay.chance.letters(32);
        let heads = heads(self.pay.signer, self.now_ms.div_euclid(1_000), &nonce, &body);
        self.pay.last = Some(Sent { url: url.clone(), heads: heads.clone(), body: body.clone() });
        Some((url, heads, body))
    }

    /// What somebody sends who is not the platform, or what the platform sends to see whether anybody looks.
    fn wrong_notice(&mut self, what: &str, of: &str) -> Result<Sent, String> {
        let merchant = self.pay.merchant.as_ref().ok_or("mchid: there is no merchant")?;
        let paid = self.pay.payments.get(of).ok_or("out_trade_no: nobody paid it")?;
        let mut resource = paid.told(merchant);
        if what == "other_merchant" {
            // It is of another merchant of the same provider's, or of another one altogether.
            let name = if merchant.sub_mchid.is_some() { "sub_mchid" } else { "mchid" };
            resource[name] = json!("1999999999");
        }
        let (url, body) = self
            .notice("TRANSACTION.SUCCESS", "transaction", &resource)
            .ok_or("api_v3_key: is no key of 32 letters")?;
        let (now_s, nonce, signer) =
            (self.now_ms.div_euclid(1_000), self.pay.chance.letters(32), self.pay.signer);
        let right = heads(signer, now_s, &nonce, &body);
        let with = |name: &str, value: String| -> Heads {
            let changed = right
                .iter()
                .map(|(one, said)| (*one, if *one == name { value.clone() } else { said.clone() }));
            changed.collect()
        };
        let (heads, body) = match what {
            "other_merchant" => (right, body),
            "body" => (right, body.replacen("支付", "支负", 1).replacen("通知", "通告", 1)),
            "truncated" => (right, body.get(..body.len() / 2).unwrap_or_default().to_owned()),
            "signature" => (with("wechatpay-signature", Signer::Stranger.sign(b"something")), body),
            // It names a key of the platform's, and signs with another.
            "key" => {
                let forged = heads(Signer::Stranger, now_s, &nonce, &body);
                let forged = forged.into_iter().map(|(name, said)| match name {
                    "wechatpay-serial" => (name, signer.serial().to_owned()),
                    _ => (name, said),
                });
                (forged.collect(), body)
            }
            "certificate" => (heads(Signer::Stranger, now_s, &nonce, &body), body),
            "stale" => (heads(signer, now_s - 301, &nonce, &body), body),
            "probe" => {
                let probe = format!("WECHATPAY/SIGNTEST/{}", signer.sign(b"probe"));
                (with("wechatpay-signature", probe), body)
            }
            "oversized" => {
                let large = format!("{body}{}", " ".repeat(70 * 1_024));
                (heads(signer, now_s, &nonce, &large), large)
            }
            "headless" => (vec![("content-type", "application/json".to_owned())], body),
            "sealed" => {
                let sealed =
                    body.replacen("\"associated_data\":\"transaction\"", "\"associated_data\":\"other\"", 1);
                (heads(signer, now_s, &nonce, &sealed), sealed)
            }
            _ => return Err("what: no wrong notice of this name".to_owned()),
        };
        Ok(Sent { url, heads, body })
    }
}

/// Sends something that is not as it should be, or the last notice once more as it was; how it was answered.
///
/// # Errors
/// Says what is wrong with what is asked.
pub async fn sends(sim: &Arc<Sim>, what: &str, of: &str) -> Result<Value, String> {
    let sent = {
        let mut world = sim.lock();
        match what {
            "again" => world.pay.last.clone().ok_or("what: nothing was sent yet")?,
            what => world.wrong_notice(what, of)?,
        }
    };
    let answer = sim.pool.send("POST", &sent.url, &sent.heads, Bytes::from(sent.body)).await;
    Ok(match answer {
        None => json!({"status": 0}),
        Some((status, body)) => {
            json!({"status": status.as_u16(), "body": String::from_utf8_lossy(&body)})
        }
    })
}

/// Whether an answer to a notice is a good one.
pub const fn is_well(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 204)
}
