//! Aliyun's short message service (dysmsapi, 2017-05-25): its signature, V3, and its calls.
//!
//! Sources: help.aliyun.com/document_detail/2593177.html (the signature ACS3-HMAC-SHA256), …/419273.html (SendSms),
//! …/419277.html (QuerySendDetails), …/101346.html (codes), …/101347.html (codes of receipts).

use hmac::{Hmac, KeyInit, Mac};
use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::account::{Asked, hex};
use super::codes::{Code, Follows};
use super::told::{Report, beijing_date, seconds};
use crate::clickhouse::encoded;
use crate::platform::Answer;
use crate::wire::Said;

/// Where it is.
pub const API: &str = "https://dysmsapi.aliyuncs.com";
const VERSION: &str = "2017-05-25";
const ALGORITHM: &str = "ACS3-HMAC-SHA256";
/// How its variables are written in templates.
pub(super) const OPEN: &str = "${";
/// How many messages of a number and a day a page has, and how many pages are read: a number gets at most 50 of a template in a day.
const PAGE: usize = 50;
const PAGES_MAX: usize = 4;

use Follows::{Gone, Refused, Rests, Unsure, Waits};

/// What it says no with.
pub(super) const CODES: [Code; 47] = [
    ("isv.MOBILE_NUMBER_ILLEGAL", "number_invalid", Gone),
    ("isv.MOBILE_COUNT_OVER_LIMIT", "too_many_numbers", Refused),
    ("isv.DOMESTIC_NUMBER_NOT_SUPPORTED", "template_of_another_region", Refused),
    ("isv.BUSINESS_LIMIT_CONTROL", "number_limit", Waits),
    ("isv.DAY_LIMIT_CONTROL", "account_limit", Rests),
    ("isv.MONTH_LIMIT_CONTROL", "account_limit", Rests),
    ("isv.AMOUNT_NOT_ENOUGH", "balance_insufficient", Rests),
    ("isv.OUT_OF_SERVICE", "balance_insufficient", Rests),
    ("isv.ACCOUNT_NOT_EXISTS", "account_unknown", Rests),
    ("isv.ACCOUNT_ABNORMAL", "account_error", Rests),
    ("isv.PRODUCT_UN_SUBSCRIPT", "not_opened", Rests),
    ("isv.PRODUCT_UNSUBSCRIBE", "not_opened", Rests),
    ("isv.DENY_IP_RANGE", "address_not_allowed", Rests),
    ("isp.RAM_PERMISSION_DENY", "not_permitted", Rests),
    ("isv.RAM_PERMISSION_DENY", "not_permitted", Rests),
    ("isv.SMS_TEMPLATE_ILLEGAL", "template_not_approved", Refused),
    ("isv.SMS_TEST_TEMPLATE_LIMIT", "template_not_approved", Refused),
    ("isv.TEMPLATE_MISSING_PARAMETERS", "template_variables", Refused),
    ("isv.TEMPLATE_PARAMS_ILLEGAL", "template_variables", Refused),
    ("isv.TEMPLATE_COUNT_OVER_LIMIT", "template_variables", Refused),
    ("isv.INVALID_JSON_PARAM", "template_variables", Refused),
    ("isv.PARAM_LENGTH_LIMIT", "variable_too_long", Refused),
    ("isv.PARAM_NOT_SUPPORT_URL", "variable_has_address", Refused),
    ("isv.INVALID_PARAMETERS", "param_error", Refused),
    ("isv.SMS_SIGNATURE_ILLEGAL", "sign_not_approved", Refused),
    ("isv.SMS_SIGN_ILLEGAL", "sign_not_approved", Refused),
    ("isv.SIGN_STATE_ILLEGAL", "sign_not_approved", Refused),
    ("isv.SIGN_NAME_ILLEGAL", "sign_not_approved", Refused),
    ("isv.SMS_SIGNATURE_SCENE_ILLEGAL", "sign_of_another_kind", Refused),
    ("isv.EXTEND_CODE_ERROR", "param_error", Refused),
    ("isv.SMS_CONTENT_ILLEGAL", "content_refused", Refused),
    ("isv.BLACK_KEY_CONTROL_LIMIT", "content_refused", Refused),
    ("isv.ERROR_EMPTY_FILE", "param_error", Refused),
    ("isp.SYSTEM_ERROR", "system_error", Unsure),
    ("isp.UNKNOWN", "system_error", Unsure),
    ("SignatureDoesNotMatch", "signature_wrong", Rests),
    ("IncompleteSignature", "signature_wrong", Rests),
    ("SignatureNonceUsed", "signature_wrong", Rests),
    ("InvalidTimeStamp.", "clock_wrong", Rests),
    ("InvalidAccessKeyId.", "key_unknown", Rests),
    ("Forbidden.", "not_permitted", Rests),
    ("NoPermission", "not_permitted", Rests),
    ("Throttling", "too_fast", Rests),
    ("Throttling.", "too_fast", Rests),
    ("InternalError", "system_error", Unsure),
    ("ServiceUnavailable", "system_error", Unsure),
    ("MissingParameter.", "param_error", Refused),
];

/// Codes of receipts that say that nobody has the number.
const NOBODYS: [&str; 2] = ["INVALID_NUMBER", "MOBILE_NOT_EXIST"];
/// The code of receipts that says that whoever has the number wants no more.
const REFUSES: &str = "USER_REJECT";

/// Whether a receipt's code says that nothing reaches the number.
pub(super) fn is_gone(code: &str) -> bool {
    NOBODYS.contains(&code)
}

/// Whether a receipt's code says that whoever has the number wants no more.
pub(super) fn refuses(code: &str) -> bool {
    code == REFUSES
}

/// The head of a request that bears its signature. `heads` are all that are signed, in the order of their names; `query` is canonical.
pub fn authorization(
    (key_id, secret): (&str, &str),
    method: &str,
    (path, query): (&str, &str),
    heads: &[(&str, &str)],
    body_hash: &str,
) -> String {
    let names: Vec<&str> = heads.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = heads.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body_hash}");
    let to_sign = format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let signature = hex(&keyed(secret.as_bytes(), to_sign.as_bytes()));
    format!("{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}")
}

/// HMAC-SHA256.
pub(super) fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of HMAC may have any length.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length is a key's");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// A query in the order of its names, as it is signed and said.
pub fn canonical_query(parameters: &[(&str, String)]) -> String {
    let mut pairs: Vec<(String, String)> =
        parameters.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// A call, signed. `at` is in seconds since 1970 UTC.
pub(super) fn said(
    asked: &Asked<'_>,
    action: &str,
    parameters: &[(&str, String)],
    (at, nonce): (i64, &str),
) -> Said {
    let query = canonical_query(parameters);
    let date = jiff::Timestamp::from_second(at).unwrap_or_default();
    let date = date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let body_hash = hex(&Sha256::digest(b""));
    let path = format!("{}/", asked.base);
    let heads = [
        ("host", asked.authority),
        ("x-acs-action", action),
        ("x-acs-content-sha256", &body_hash),
        ("x-acs-date", &date),
        ("x-acs-signature-nonce", nonce),
        ("x-acs-version", VERSION),
    ];
    let signed = authorization((asked.key_id, asked.secret), "POST", (&path, &query), &heads, &body_hash);
    Said {
        method: Method::POST,
        path: format!("{path}?{query}"),
        content_type: None,
        heads: vec![
            ("x-acs-action", action.to_owned()),
            ("x-acs-content-sha256", body_hash.clone()),
            ("x-acs-date", date.clone()),
            ("x-acs-signature-nonce", nonce.to_owned()),
            ("x-acs-version", VERSION.to_owned()),
            ("authorization", signed),
        ],
        body: Bytes::new(),
    }
}

/// An answer: its code, and what a message is called there.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Answered {
    code: String,
    biz_id: String,
    #[serde(rename = "SmsSendDetailDTOs")]
    details: Details,
    template_status: Option<i64>,
    template_content: String,
    sign_status: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    #[serde(rename = "SmsSendDetailDTO")]
    all: Vec<Detail>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Detail {
    err_code: String,
    out_id: String,
    receive_date: String,
    send_status: i64,
}

fn read(body: &[u8]) -> Answered {
    serde_json::from_slice(body).unwrap_or_default()
}

/// The code of an answer, and what it calls what it took.
pub(super) fn outcome(body: &[u8]) -> (String, String) {
    let read = read(body);
    (read.code, read.biz_id)
}

/// A number as it wants it: of mainland China without its country, else the country and the number.
pub(super) fn number(phone: &str) -> &str {
    phone.strip_prefix("+86").or_else(|| phone.strip_prefix('+')).unwrap_or(phone)
}

/// The parameters of a message.
pub(super) fn message(
    phone: &str,
    (template, sign): (&str, &str),
    variables: &[(String, String)],
    word: &str,
) -> Vec<(&'static str, String)> {
    let named: serde_json::Map<String, serde_json::Value> =
        variables.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let mut parameters = vec![
        ("PhoneNumbers", number(phone).to_owned()),
        ("SignName", sign.to_owned()),
        ("TemplateCode", template.to_owned()),
    ];
    if !word.is_empty() {
        parameters.push(("OutId", word.to_owned()));
    }
    if !named.is_empty() {
        parameters.push(("TemplateParam", serde_json::Value::Object(named).to_string()));
    }
    parameters
}

/// What is known of the message of a word that was sent to a number on a day: a receipt; nothing where there is none yet.
pub(super) async fn receipt(
    account: &super::Account,
    (phone, word): (&str, &str),
    (sent_at, now): (i64, i64),
) -> Answer<Option<Report>> {
    for page in 1..=PAGES_MAX {
        let parameters = [
            ("CurrentPage", page.to_string()),
            ("PageSize", PAGE.to_string()),
            ("PhoneNumber", number(phone).to_owned()),
            ("SendDate", beijing_date(sent_at)),
        ];
        let body = account.asked("QuerySendDetails", &parameters, now).await?;
        let all = read(&body).details.all;
        if let Some(found) = all.iter().find(|one| one.out_id == word) {
            let arrived = match found.send_status {
                3 => true,
                2 => false,
                // It waits for its receipt.
                _ => return Ok(None),
            };
            return Ok(Some(Report {
                word: word.to_owned(),
                serial: String::new(),
                arrived,
                is_gone: !arrived && is_gone(&found.err_code),
                refuses: !arrived && refuses(&found.err_code),
                code: found.err_code.clone(),
                parts: None,
                at: seconds(&found.receive_date),
            }));
        }
        if all.len() < PAGE {
            return Ok(None);
        }
    }
    Ok(None)
}

/// How a template stands, and its text: `Some(true)` where it is approved, `Some(false)` where it was refused, `None` while it is looked at.
pub(super) async fn template(account: &super::Account, id: &str, now: i64) -> Answer<(Option<bool>, String)> {
    let body = account.asked("QuerySmsTemplate", &[("TemplateCode", id.to_owned())], now).await?;
    let read = read(&body);
    let stands = match read.template_status {
        Some(1) => Some(true),
        Some(0) => None,
        _ => Some(false),
    };
    Ok((stands, read.template_content))
}

/// How a signature stands.
pub(super) async fn sign(account: &super::Account, sign: &str, now: i64) -> Answer<Option<bool>> {
    let body = account.asked("QuerySmsSign", &[("SignName", sign.to_owned())], now).await?;
    Ok(match read(&body).sign_status {
        Some(1) => Some(true),
        Some(0) => None,
        _ => Some(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the platform's own documentation of the signature.
    #[test]
    fn a_request_is_signed_as_the_documentation_says() {
        let query = canonical_query(&[
            ("RegionId", "cn-shanghai".to_owned()),
            ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd".to_owned()),
        ]);
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex(&Sha256::digest(b"")), hash);
        let heads = [
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-content-sha256", hash),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2014-05-26"),
        ];
        let key = ("YourAccessKeyId", "YourAccessKeySecret");
        let signed = authorization(key, "POST", ("/", &query), &heads, hash);
        let (_, signature) = signed.rsplit_once("Signature=").unwrap();
        assert_eq!(signature, "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
    }

    #[test]
    fn a_number_is_written_as_the_platform_wants_it() {
        assert_eq!(number("+8613912345678"), "13912345678");
        assert_eq!(number("+85261234567"), "85261234567");
    }
}
