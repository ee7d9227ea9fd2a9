//! What an account asks of Tencent Cloud: `SendSms`, `PullSmsSendStatusByPhoneNumber`, `PullSmsReplyStatus`, `DescribeSmsTemplateList`
//! (sms, 2021-01-11), signed by v3. Every answer is 200; what was done says its body.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::signed::Asked;
use super::{Message, No, Platform, filled};
use crate::Sim;
use crate::faults::CallFate;
use crate::http::Reply;
use crate::world::World;

fn no((code, message): No) -> Reply {
    let error = json!({"Code": code, "Message": message});
    Reply::json(
        StatusCode::OK,
        &json!({"Response": {"Error": error, "RequestId": "a0aabda6-cf91-4f3e-a81f-9198114a2279"}}),
    )
}

/// Answers a request.
pub fn call(sim: &Arc<Sim>, asked: &Asked<'_>) -> Reply {
    sim.with(|world| {
        let action = asked.head("x-tc-action").to_owned();
        let fate = world.faults.call_fate(&action);
        match fate {
            CallFate::FailsBefore | CallFate::TimesOut => return Reply::Cut,
            CallFate::ServerError => return no(("InternalError.Timeout", "timeout")),
            CallFate::Busy => return no(("RequestLimitExceeded", "too many requests")),
            CallFate::Fine | CallFate::ReplyLost => {}
        }
        let answered = world.tencent_admits(asked).and_then(|()| world.tencent_answers(&action, asked));
        match (fate, answered) {
            (CallFate::ReplyLost, _) => Reply::Cut,
            (_, Err(refused)) => no(refused),
            (_, Ok(mut value)) => {
                value["RequestId"] = json!("a0aabda6-cf91-4f3e-a81f-9198114a2279");
                Reply::json(StatusCode::OK, &json!({"Response": value}))
            }
        }
    })
}

/// A number in E.164 of mainland China.
fn is_mobile(phone: &str) -> bool {
    phone.strip_prefix("+86").is_some_and(|number| {
        number.len() == 11 && number.starts_with('1') && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

impl World {
    fn tencent_answers(&mut self, action: &str, asked: &Asked<'_>) -> Result<Value, No> {
        let body: Value = serde_json::from_slice(asked.body).map_err(|_| ("InvalidParameter", "no JSON"))?;
        let of = |name: &str| body[name].as_str().unwrap_or_default();
        if asked.head("x-tc-version") != "2021-01-11" || asked.head("x-tc-region").is_empty() {
            return Err(("InvalidParameter", "version or region"));
        }
        if action != "DescribeSmsTemplateList" {
            let account = self.sms.accounts.get(&Platform::Tencent);
            if account.is_none_or(|account| account.app_id != of("SmsSdkAppId")) {
                return Err(("InvalidParameterValue.SdkAppIdNotExist", "SdkAppId"));
            }
        }
        match action {
            "SendSms" => {
                let phone = body["PhoneNumberSet"][0].as_str().unwrap_or_default();
                let status = match self.tencent_sends(phone, &body) {
                    Ok((serial, fee)) => json!({
                        "SerialNo": serial, "PhoneNumber": phone, "Fee": fee, "SessionContext": of("SessionContext"),
                        "Code": "Ok", "Message": "send success", "IsoCode": "CN",
                    }),
                    Err((code, message)) => json!({
                        "SerialNo": "", "PhoneNumber": phone, "Fee": 0, "SessionContext": of("SessionContext"),
                        "Code": code, "Message": message, "IsoCode": "",
                    }),
                };
                Ok(json!({"SendStatusSet": [status]}))
            }
            "PullSmsSendStatusByPhoneNumber" => {
                let (from, until) = (body["BeginTime"].as_i64(), body["EndTime"].as_i64());
                let from = from.ok_or(("MissingParameter", "BeginTime"))?;
                if self.now_ms.div_euclid(1_000) - from > 7 * 86_400 || body["Offset"] != 0 {
                    return Err(("InvalidParameterValue.BeginTimeVerifyFail", "BeginTime"));
                }
                let until = until.unwrap_or(i64::MAX);
                let is_asked = |one: &&Message| {
                    let at_s = one.sent_ms.div_euclid(1_000);
                    one.platform == Platform::Tencent
                        && one.phone == of("PhoneNumber")
                        && one.receipt.is_some()
                        && (from..=until).contains(&at_s)
                };
                let found: Vec<Value> =
                    self.sms.messages.iter().filter(is_asked).take(100).map(status).collect();
                Ok(json!({"PullSmsSendStatusSet": found}))
            }
            "PullSmsReplyStatus" => {
                let waiting = self.sms.answers.iter_mut();
                let waiting = waiting.filter(|one| one.platform == Platform::Tencent && !one.is_pulled);
                let found: Vec<Value> = waiting
                    .take(100)
                    .map(|one| {
                        one.is_pulled = true;
                        json!({
                            "ExtendCode": "", "CountryCode": "86", "PhoneNumber": one.phone, "SubscriberNumber": &one.phone[3..],
                            "SignName": "", "ReplyContent": one.text, "ReplyTime": one.at_ms.div_euclid(1_000),
                        })
                    })
                    .collect();
                Ok(json!({"PullSmsReplyStatusSet": found}))
            }
            "DescribeSmsTemplateList" => {
                let ids = body["TemplateIdSet"].as_array().into_iter().flatten().filter_map(Value::as_u64);
                let found = ids.filter_map(|id| {
                    let template = self.sms.templates.get(&(Platform::Tencent, id.to_string()))?;
                    Some(json!({
                        "TemplateId": id, "StatusCode": if template.is_approved { 0 } else { 1 },
                        "TemplateContent": template.text, "International": 0,
                    }))
                });
                Ok(json!({"DescribeTemplateStatusSet": found.collect::<Vec<_>>()}))
            }
            _ => Err(("InvalidAction", "no such action")),
        }
    }

    fn tencent_sends(&mut self, phone: &str, body: &Value) -> Result<(String, i64), No> {
        let of = |name: &str| body[name].as_str().unwrap_or_default();
        if !is_mobile(phone) {
            return Err(("InvalidParameterValue.IncorrectPhoneNumber", "incorrect phone number"));
        }
        let account = self.sms.accounts.get(&Platform::Tencent);
        if account.is_none_or(|account| account.sign != of("SignName")) {
            return Err(("FailedOperation.SignatureIncorrectOrUnapproved", "sign"));
        }
        let id = of("TemplateId").to_owned();
        let template = self.sms.templates.get(&(Platform::Tencent, id.clone()));
        let template = template.filter(|template| template.is_approved);
        let template = template.ok_or(("FailedOperation.TemplateIncorrectOrUnapproved", "template"))?;
        let values = &body["TemplateParamSet"];
        let value = |name: &str| {
            let n: usize = name.parse().ok()?;
            values[n.checked_sub(1)?].as_str().map(str::to_owned)
        };
        let text = filled(&template.text, "{", value);
        let text = text.ok_or(("FailedOperation.TemplateParamSetNotMatchApprovedTemplate", "parameters"))?;
        let text = format!("【{}】{text}", of("SignName"));
        let context = of("SessionContext").to_owned();
        self.sms_sends(Platform::Tencent, (phone, &id, text), &context).map_err(|why| match why {
            "limit" => (
                "LimitExceeded.PhoneNumberDailyLimit",
                "the number of SMS messages sent from a single mobile number",
            ),
            _ => ("FailedOperation.InsufficientBalanceInSmsPackage", "insufficient balance in SMS package"),
        })
    }
}

fn status(one: &Message) -> Value {
    let arrived = one.arrived() == Some(true);
    let (code, at_ms) = one.receipt.unwrap_or_default();
    json!({
        "SerialNo": one.serial, "PhoneNumber": one.phone, "SubscriberNumber": &one.phone[3..], "CountryCode": "86",
        "ReportStatus": if arrived { "SUCCESS" } else { "FAIL" },
        "Description": if arrived { code } else { one.words() },
        "UserReceiveTime": at_ms.div_euclid(1_000), "SessionContext": one.context,
    })
}
