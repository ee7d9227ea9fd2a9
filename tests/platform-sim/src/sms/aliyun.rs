//! What an account asks of Aliyun: `SendSms`, `QuerySendDetails`, `QuerySmsTemplate`, `QuerySmsSign` (dysmsapi, 2017-05-25), signed by V3.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::signed::Asked;
use super::{Message, No, Platform, day, filled, local};
use crate::Sim;
use crate::faults::CallFate;
use crate::http::Reply;
use crate::world::World;

fn no((code, message): No) -> Reply {
    // What the gateway turns away has a status; what the service says no to has none.
    let status = if code.starts_with("isv.") || code.starts_with("isp.") {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    Reply::json(
        status,
        &json!({"Code": code, "Message": message, "RequestId": "F655A8D5-B967-440B-8683-DAD6FF8DE990"}),
    )
}

/// Answers a request.
pub fn call(sim: &Arc<Sim>, asked: &Asked<'_>) -> Reply {
    sim.with(|world| {
        let action = asked.head("x-acs-action").to_owned();
        let fate = world.faults.call_fate(&action);
        match fate {
            CallFate::FailsBefore | CallFate::TimesOut => return Reply::Cut,
            CallFate::ServerError => {
                let body = json!({"Code": "InternalError", "Message": "The request processing has failed."});
                return Reply::json(StatusCode::INTERNAL_SERVER_ERROR, &body);
            }
            CallFate::Busy => return no(("Throttling.User", "Request was denied due to user flow control.")),
            CallFate::Fine | CallFate::ReplyLost => {}
        }
        let answered = world.aliyun_admits(asked).and_then(|()| world.aliyun_answers(&action, asked));
        match (fate, answered) {
            (CallFate::ReplyLost, _) => Reply::Cut,
            (_, Err(refused)) => no(refused),
            (_, Ok(mut value)) => {
                value["Code"] = json!("OK");
                value["Message"] = json!("OK");
                Reply::json(StatusCode::OK, &value)
            }
        }
    })
}

/// A mobile number of mainland China.
fn is_mobile(number: &str) -> bool {
    number.len() == 11 && number.starts_with('1') && number.bytes().all(|byte| byte.is_ascii_digit())
}

impl World {
    fn aliyun_answers(&mut self, action: &str, asked: &Asked<'_>) -> Result<Value, No> {
        let query = asked.query();
        let of = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        match action {
            "SendSms" => {
                let number = of("PhoneNumbers").trim_start_matches("+86");
                if !is_mobile(number) {
                    return Err(("isv.MOBILE_NUMBER_ILLEGAL", "手机号码格式错误"));
                }
                let account = self.sms.accounts.get(&Platform::Aliyun);
                if account.is_none_or(|account| account.sign != of("SignName")) {
                    return Err(("isv.SMS_SIGNATURE_ILLEGAL", "签名不合法"));
                }
                let id = of("TemplateCode").to_owned();
                let template = self.sms.templates.get(&(Platform::Aliyun, id.clone()));
                let template = template.filter(|template| template.is_approved);
                let template = template.ok_or(("isv.SMS_TEMPLATE_ILLEGAL", "模板不合法"))?;
                let variables: Value = match of("TemplateParam") {
                    "" => json!({}),
                    text => serde_json::from_str(text)
                        .map_err(|_| ("isv.INVALID_JSON_PARAM", "JSON参数不合法"))?,
                };
                let value = |name: &str| variables.get(name)?.as_str().map(str::to_owned);
                let text = filled(&template.text, "${", value);
                let text = text.ok_or(("isv.TEMPLATE_MISSING_PARAMETERS", "模板缺少变量"))?;
                let text = format!("【{}】{text}", of("SignName"));
                let (phone, context) = (format!("+86{number}"), of("OutId").to_owned());
                match self.sms_sends(Platform::Aliyun, (&phone, &id, text), &context) {
                    Ok((serial, _)) => Ok(json!({"BizId": serial, "RequestId": "x"})),
                    Err("limit") => Err(("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:50")),
                    Err(_) => Err(("isv.AMOUNT_NOT_ENOUGH", "账户余额不足")),
                }
            }
            "QuerySendDetails" => {
                let phone = format!("+86{}", of("PhoneNumber").trim_start_matches("+86"));
                let size: usize = of("PageSize").parse().unwrap_or(10);
                let page: usize = of("CurrentPage").parse().unwrap_or(1);
                if !(1..=50).contains(&size) || page == 0 {
                    return Err(("isv.INVALID_PARAMETERS", "参数异常"));
                }
                let is_asked = |one: &&Message| {
                    one.platform == Platform::Aliyun
                        && one.phone == phone
                        && day(one.sent_ms) == of("SendDate")
                };
                let all: Vec<&Message> = self.sms.messages.iter().filter(is_asked).collect();
                let shown = all.iter().skip((page - 1) * size).take(size);
                let shown: Vec<Value> = shown.map(|one| detail(one)).collect();
                Ok(json!({"TotalCount": all.len(), "SmsSendDetailDTOs": {"SmsSendDetailDTO": shown}}))
            }
            "QuerySmsTemplate" => {
                let template = self.sms.templates.get(&(Platform::Aliyun, of("TemplateCode").to_owned()));
                let template = template.ok_or(("isv.SMS_TEMPLATE_ILLEGAL", "模板不合法"))?;
                let status = if template.is_approved { 1 } else { 0 };
                Ok(
                    json!({"TemplateStatus": status, "TemplateContent": template.text, "TemplateCode": of("TemplateCode")}),
                )
            }
            "QuerySmsSign" => {
                let account = self.sms.accounts.get(&Platform::Aliyun);
                let is_ours = account.is_some_and(|account| account.sign == of("SignName"));
                Ok(json!({"SignStatus": if is_ours { 1 } else { 2 }, "SignName": of("SignName")}))
            }
            _ => Err(("InvalidAction.NotFound", "Specified api is not found.")),
        }
    }
}

fn detail(one: &Message) -> Value {
    let status = match one.arrived() {
        None => 1,
        Some(false) => 2,
        Some(true) => 3,
    };
    json!({
        "PhoneNum": one.phone.trim_start_matches("+86"), "SendStatus": status, "OutId": one.context,
        "ErrCode": one.receipt.map(|(code, _)| code).unwrap_or_default(), "TemplateCode": one.template, "Content": one.text,
        "SendDate": local(one.sent_ms), "ReceiveDate": one.receipt.map(|(_, at_ms)| local(at_ms)).unwrap_or_default(),
    })
}
