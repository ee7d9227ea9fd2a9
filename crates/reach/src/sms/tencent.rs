//! Tencent Cloud's short message service (sms, 2021-01-11): its signature, v3, and its calls.
//!
//! Sources: cloud.tencent.com/document/api/382/52072 (the signature TC3-HMAC-SHA256), …/55981 (SendSms), …/55978
//! (PullSmsSendStatusByPhoneNumber), …/55976 (PullSmsReplyStatus), …/52067 (DescribeSmsTemplateList), …/59177 (codes).

use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::account::{Asked, hex};
use super::aliyun::keyed;
use super::codes::{Code, Follows};
use super::told::{Reply, Report};
use crate::platform::Answer;
use crate::wire::Said;

/// Where it is.
pub const API: &str = "https://sms.tencentcloudapi.com";
/// The region where nothing else is written.
pub const REGION: &str = "ap-guangzhou";
const VERSION: &str = "2021-01-11";
const ALGORITHM: &str = "TC3-HMAC-SHA256";
const SERVICE: &str = "sms";
const CONTENT_TYPE: &str = "application/json";
/// How its variables are written in templates.
pub(super) const OPEN: &str = "{";
/// How many receipts or answers are asked for at once: the most.
const AT_ONCE: usize = 100;
/// How far back it is asked, in seconds: seven days at most.
const BACK_S: i64 = 7 * 86_400 - 3_600;

use Follows::{Gone, Refused, Rests, Unsure, Waits};

/// What it says no with.
pub(super) const CODES: [Code; 46] = [
    ("FailedOperation.PhoneNumberInBlacklist", "number_refuses", Gone),
    ("FailedOperation.PhoneNumberParseFail", "number_invalid", Gone),
    ("InvalidParameterValue.IncorrectPhoneNumber", "number_invalid", Gone),
    ("InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", "variable_has_address", Refused),
    ("InvalidParameterValue.ContentLengthLimit", "text_too_long", Refused),
    ("InvalidParameterValue.TemplateParameterFormatError", "template_variables", Refused),
    ("InvalidParameterValue.TemplateParameterLengthLimit", "variable_too_long", Refused),
    ("InvalidParameterValue.TemplateWithDirtyWords", "content_refused", Refused),
    ("FailedOperation.ContainSensitiveWord", "content_refused", Refused),
    ("FailedOperation.TemplateIncorrectOrUnapproved", "template_not_approved", Refused),
    ("FailedOperation.TemplateUnapprovedOrNotExist", "template_not_approved", Refused),
    ("FailedOperation.TemplateParamSetNotMatchApprovedTemplate", "template_variables", Refused),
    ("FailedOperation.SignatureIncorrectOrUnapproved", "sign_not_approved", Refused),
    ("FailedOperation.MissingSignature", "sign_not_approved", Refused),
    ("FailedOperation.MarketingSendTimeConstraint", "not_at_this_hour", Waits),
    ("FailedOperation.InsufficientBalanceInSmsPackage", "balance_insufficient", Rests),
    ("LimitExceeded.PhoneNumberCountLimit", "too_many_numbers", Refused),
    ("LimitExceeded.PhoneNumberDailyLimit", "number_limit", Waits),
    ("LimitExceeded.PhoneNumberOneHourLimit", "number_limit", Waits),
    ("LimitExceeded.PhoneNumberThirtySecondLimit", "number_limit", Waits),
    ("LimitExceeded.PhoneNumberSameContentDailyLimit", "number_limit", Waits),
    ("LimitExceeded.DeliveryFrequencyLimit", "number_limit", Waits),
    ("LimitExceeded.AppDailyLimit", "account_limit", Rests),
    ("LimitExceeded.AppCountryOrRegionDailyLimit", "account_limit", Rests),
    ("LimitExceeded.AppMainlandChinaDailyLimit", "account_limit", Rests),
    ("LimitExceeded.AppGlobalDailyLimit", "account_limit", Rests),
    ("LimitExceeded.DailyLimit", "account_limit", Rests),
    ("RequestLimitExceeded", "too_fast", Rests),
    ("RequestLimitExceeded.", "too_fast", Rests),
    ("AuthFailure.SecretIdNotFound", "key_unknown", Rests),
    ("AuthFailure.InvalidSecretId", "key_unknown", Rests),
    ("AuthFailure.SignatureFailure", "signature_wrong", Rests),
    ("AuthFailure.SignatureExpire", "clock_wrong", Rests),
    ("AuthFailure.UnauthorizedOperation", "not_permitted", Rests),
    ("AuthFailure.", "not_permitted", Rests),
    ("UnauthorizedOperation.RequestIpNotInWhitelist", "address_not_allowed", Rests),
    ("UnauthorizedOperation.SdkAppIdIsDisabled", "account_error", Rests),
    ("UnauthorizedOperation.ServiceSuspendDueToArrears", "balance_insufficient", Rests),
    ("UnauthorizedOperation.", "not_permitted", Rests),
    (
        "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
        "template_of_another_region",
        Refused,
    ),
    ("UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone", "template_of_another_region", Refused),
    ("UnsupportedOperation.GlobalTemplateToChineseMainlandPhone", "template_of_another_region", Refused),
    ("InvalidParameterValue.SdkAppIdNotExist", "account_unknown", Rests),
    ("InternalError", "system_error", Unsure),
    ("InternalError.", "system_error", Unsure),
    ("ResourceUnavailable", "system_error", Unsure),
];

/// What a message that was taken says.
const OK: &str = "Ok";

/// Whether a receipt says that nothing reaches the number (空号), in its code or its words, of which no more is read.
pub(super) fn is_gone(code: &str, words: &str) -> bool {
    matches!(code, "MK:0001" | "MK:0012" | "UTE") || words.contains("空号")
}

/// Whether a receipt says that whoever has the number wants no more.
pub(super) fn refuses(words: &str) -> bool {
    words.contains("退订")
}

/// The head of a request that bears its signature. `date` is that of `at`, in UTC.
pub fn authorization(
    (key_id, secret): (&str, &str),
    host: &str,
    (path, body): (&str, &[u8]),
    at: i64,
) -> String {
    let date = jiff::Timestamp::from_second(at).unwrap_or_default().strftime("%Y-%m-%d").to_string();
    let names = "content-type;host";
    let lines = format!("content-type:{CONTENT_TYPE}\nhost:{host}\n");
    let canonical = format!("POST\n{path}\n\n{lines}\n{names}\n{}", hex(&Sha256::digest(body)));
    let scope = format!("{date}/{SERVICE}/tc3_request");
    let to_sign = format!("{ALGORITHM}\n{at}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let of_date = keyed(format!("TC3{secret}").as_bytes(), date.as_bytes());
    let of_service = keyed(&of_date, SERVICE.as_bytes());
    let signing = keyed(&of_service, b"tc3_request");
    let signature = hex(&keyed(&signing, to_sign.as_bytes()));
    format!("{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}")
}

/// A call, signed. `at` is in seconds since 1970 UTC.
pub(super) fn said(asked: &Asked<'_>, action: &str, body: &Value, at: i64) -> Said {
    let path = format!("{}/", asked.base);
    let body = body.to_string().into_bytes();
    let signed = authorization((asked.key_id, asked.secret), asked.authority, (&path, &body), at);
    Said {
        method: Method::POST,
        path,
        content_type: Some(CONTENT_TYPE.to_owned()),
        heads: vec![
            ("x-tc-action", action.to_owned()),
            ("x-tc-version", VERSION.to_owned()),
            ("x-tc-timestamp", at.to_string()),
            ("x-tc-region", asked.region.to_owned()),
            ("authorization", signed),
        ],
        body: Bytes::from(body),
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Whole {
    response: Response,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Response {
    error: Option<No>,
    send_status_set: Vec<Status>,
    pull_sms_send_status_set: Vec<Pulled>,
    pull_sms_reply_status_set: Vec<Replied>,
    describe_template_status_set: Vec<Described>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct No {
    code: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Status {
    serial_no: String,
    code: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Pulled {
    serial_no: String,
    report_status: String,
    description: String,
    user_receive_time: i64,
    session_context: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Replied {
    phone_number: String,
    reply_content: String,
    reply_time: i64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Described {
    status_code: i64,
    template_content: String,
}

fn read(body: &[u8]) -> Response {
    serde_json::from_slice::<Whole>(body).unwrap_or_default().response
}

/// The code of an answer, and what it calls what it took; `OK` where it took it.
pub(super) fn outcome(body: &[u8]) -> (String, String) {
    let read = read(body);
    match (read.error, read.send_status_set.into_iter().next()) {
        (Some(no), _) => (no.code, String::new()),
        (None, Some(status)) if status.code == OK => ("OK".to_owned(), status.serial_no),
        (None, Some(status)) => (status.code, String::new()),
        (None, None) => (String::new(), String::new()),
    }
}

/// The code of a no; nothing where it is none.
pub(super) fn refused(body: &[u8]) -> Option<String> {
    read(body).error.map(|no| no.code)
}

/// The body of a message.
pub(super) fn message(
    (app, phone): (&str, &str),
    (template, sign): (&str, &str),
    variables: &[(String, String)],
    word: &str,
) -> Value {
    // By their numbers: the platform wants them in that order.
    let mut numbered: Vec<(u32, &str)> =
        variables.iter().map(|(name, value)| (name.parse().unwrap_or(u32::MAX), value.as_str())).collect();
    numbered.sort_unstable();
    let values: Vec<&str> = numbered.into_iter().map(|(_, value)| value).collect();
    json!({
        "PhoneNumberSet": [phone], "SmsSdkAppId": app, "TemplateId": template, "SignName": sign,
        "TemplateParamSet": values, "SessionContext": word,
    })
}

fn report(of: &Pulled) -> Report {
    let arrived = of.report_status == "SUCCESS";
    Report {
        word: of.session_context.clone(),
        serial: of.serial_no.clone(),
        arrived,
        is_gone: !arrived && is_gone(&of.description, &of.description),
        refuses: !arrived && refuses(&of.description),
        // Where it is words and no code, nobody knows what they say.
        code: if of.description.is_ascii() { of.description.clone() } else { of.report_status.clone() },
        parts: None,
        at: Some(of.user_receive_time).filter(|at| *at > 0),
    }
}

/// What is known of the message of a word that was sent to a number: a receipt; nothing where there is none yet.
pub(super) async fn receipt(
    account: &super::Account,
    (phone, word, serial): (&str, &str, &str),
    (sent_at, now): (i64, i64),
) -> Answer<Option<Report>> {
    let body = json!({
        "BeginTime": (sent_at - 60).max(now - BACK_S), "EndTime": now, "Offset": 0, "Limit": AT_ONCE, "PhoneNumber": phone,
        "SmsSdkAppId": account.app_id(),
    });
    let body = account.asked_json("PullSmsSendStatusByPhoneNumber", &body, now).await?;
    let all = read(&body).pull_sms_send_status_set;
    let is_it =
        |one: &&Pulled| one.session_context == word || (!serial.is_empty() && one.serial_no == serial);
    Ok(all.iter().find(is_it).map(|one| Report { word: word.to_owned(), ..report(one) }))
}

/// What people answered since it was last asked, and whether there is more. Said once it is said no more.
pub(super) async fn replies(account: &super::Account, now: i64) -> Answer<(Vec<Reply>, bool)> {
    let body = json!({"Limit": AT_ONCE, "SmsSdkAppId": account.app_id()});
    let body = account.asked_json("PullSmsReplyStatus", &body, now).await?;
    let all = read(&body).pull_sms_reply_status_set;
    let is_more = all.len() >= AT_ONCE;
    let replies = all.into_iter().map(|one| Reply {
        phone: one.phone_number,
        text: one.reply_content,
        at: Some(one.reply_time).filter(|at| *at > 0),
        key: None,
    });
    Ok((replies.collect(), is_more))
}

/// How a template stands, and its text: as [`super::aliyun::template`].
pub(super) async fn template(
    account: &super::Account,
    (id, abroad): (&str, bool),
    now: i64,
) -> Answer<(Option<bool>, String)> {
    let ids: Vec<u64> = id.parse().into_iter().collect();
    let body = json!({"TemplateIdSet": ids, "International": u8::from(abroad)});
    let body = account.asked_json("DescribeSmsTemplateList", &body, now).await?;
    Ok(match read(&body).describe_template_status_set.into_iter().next() {
        Some(one) if one.status_code == 0 => (Some(true), one.template_content),
        Some(one) if one.status_code == 1 => (None, one.template_content),
        Some(one) => (Some(false), one.template_content),
        None => (Some(false), String::new()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the platform's own documentation, as far as it is of this kind: the key's chain and the lines are checked against
    /// another implementation by `./run test sms`.
    #[test]
    fn a_request_bears_its_day_its_service_and_what_was_signed() {
        let signed = authorization(
            ("AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******", "Gu5t9xGARNpq86cd98joQYCN3*******"),
            "cvm.tencentcloudapi.com",
            ("/", b"{}"),
            1_551_113_065,
        );
        let begins = "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******/2019-02-25/sms/tc3_request, \
                      SignedHeaders=content-type;host, Signature=";
        let signature = signed.strip_prefix(begins).unwrap();
        assert!(signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn variables_go_in_the_order_of_their_numbers() {
        let variables = [("2", "b"), ("10", "c"), ("1", "a")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let said = message(("1400006666", "+8613912345678"), ("1110", "好物"), &variables, "w");
        assert_eq!(said["TemplateParamSet"], json!(["a", "b", "c"]));
    }

    #[test]
    fn what_was_answered_is_read() {
        let taken =
            br#"{"Response":{"SendStatusSet":[{"SerialNo":"5000:1","Code":"Ok","Fee":1}],"RequestId":"x"}}"#;
        assert_eq!(outcome(taken), ("OK".to_owned(), "5000:1".to_owned()));
        let no = br#"{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"x"},"RequestId":"x"}}"#;
        assert_eq!(outcome(no).0, "AuthFailure.SignatureFailure");
        let of_number = br#"{"Response":{"SendStatusSet":[{"SerialNo":"","Code":"LimitExceeded.PhoneNumberDailyLimit"}]}}"#;
        assert_eq!(outcome(of_number).0, "LimitExceeded.PhoneNumberDailyLimit");
        assert_eq!(outcome(b"<html>"), (String::new(), String::new()));
    }
}
