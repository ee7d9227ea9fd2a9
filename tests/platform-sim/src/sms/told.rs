//! What an account is told: receipts and answers, pushed to one address, unsigned; tried again while it is not answered by 200.
//!
//! A receipt may be lost for good: whoever waits for it asks. An answer that is lost is one that was not answered in time, and comes again:
//! Aliyun has nothing that could be asked for it.

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::{AGENT, Platform, local};
use crate::queue::Delivery;
use crate::world::World;
use crate::world::types::Due;

/// How long after a try the next one comes, in seconds (help.aliyun.com/document_detail/101867.html: "间隔1分钟、5分钟、10分钟"). Tencent
/// Cloud's plan is not documented: the same here.
pub const RETRIES_S: [i64; 3] = [60, 300, 600];

/// Where to, with which heads, and what.
pub type Request = (String, Vec<(&'static str, String)>, Bytes);

impl World {
    fn sms_tells(&mut self, platform: Platform, label: &str, body: &Value, may_be_lost: bool) {
        let Some(account) = self.sms.accounts.get(&platform).filter(|account| !account.url.is_empty()) else {
            return;
        };
        let said = json!({"url": account.url, "body": body.to_string()}).to_string();
        let mut fate = self.faults.callback_fate();
        if fate.is_lost && !may_be_lost {
            (fate.is_lost, fate.delay_ms) = (false, fate.delay_ms + RETRIES_S[0] * 1_000);
        }
        let delays = self.queue.add(self.now_ms, AGENT, label, &said, None, &fate);
        for (id, delay_ms) in delays {
            self.at(self.now_ms + delay_ms, Due::Deliver(id));
        }
    }

    /// Tells what became of a message.
    pub fn sms_tells_receipt(&mut self, n: usize) {
        let Some(one) = self.sms.messages.get(n) else { return };
        let (Some((code, at_ms)), arrived) = (one.receipt, one.arrived() == Some(true)) else { return };
        let number = one.phone.trim_start_matches("+86");
        let body = match one.platform {
            Platform::Aliyun => json!([{
                "phone_number": number, "send_time": local(one.sent_ms), "report_time": local(at_ms), "success": arrived,
                "err_code": code, "err_msg": one.words(), "sms_size": one.parts.to_string(), "biz_id": one.serial,
                "out_id": one.context,
            }]),
            Platform::Tencent => json!([{
                "user_receive_time": local(at_ms), "nationcode": "86", "mobile": number,
                "report_status": if arrived { "SUCCESS" } else { "FAIL" }, "errmsg": code, "description": one.words(),
                "sid": one.serial,
            }]),
        };
        self.sms_tells(one.platform, "SmsReport", &body, true);
    }

    /// Tells what somebody answered.
    pub fn sms_tells_answer(&mut self, n: usize) {
        let Some(one) = self.sms.answers.get(n) else { return };
        let number = one.phone.trim_start_matches("+86");
        let body = match one.platform {
            Platform::Aliyun => json!([{
                "phone_number": number, "content": one.text, "send_time": local(one.at_ms), "dest_code": "1",
                "sequence_id": (1_234_567_890 + one.number).to_string(),
            }]),
            Platform::Tencent => json!({
                "extend": "", "mobile": number, "nationcode": "86", "sign": "", "text": one.text,
                "time": one.at_ms.div_euclid(1_000),
            }),
        };
        self.sms_tells(one.platform, "SmsUp", &body, false);
    }

    /// What is told, as it goes out now.
    pub fn sms_request(&self, delivery: &Delivery) -> Option<Request> {
        let said: Value = serde_json::from_str(&delivery.xml).ok()?;
        let heads = vec![("content-type", "application/json".to_owned())];
        Some((said["url"].as_str()?.to_owned(), heads, Bytes::from(said["body"].as_str()?.to_owned())))
    }
}
