//! What a merchant asks, below `/v3/`: signed by it, answered signed.
//!
//! | method | path | simulated how |
//! |---|---|---|
//! | GET | `/v3/certificates` | both certificates, sealed; 404 where the merchant has the public key |
//! | GET | `/v3/pay/transactions/out-trade-no/{n}` | a payment; `ORDER_NOT_EXIST` |
//! | GET | `/v3/bill/tradebill` | from ten in the morning of the next day; `STATEMENT_CREATING` before, `NO_STATEMENT_EXIST` of an empty day |
//! | GET | `/v3/billdownload/file` | the file, unsigned |
//! | POST | `/v3/fund-app/mch-transfer/transfer-bills` | once a number; the same again is the same, another under it is refused |
//! | GET | `…/transfer-bills/out-bill-no/{n}` | as it stands; `NOT_FOUND` |
//! | | `/v3/pay/partner/…`, `/v3/fund-app/mch-transfer/partner/…`, `tradebill?sub_mchid=` | the same of a provider's merchant, who is named each time |
//! | | `/v3/marketing/busifavor/…` | merchant coupons: `coupon` |
//! | POST | `…/out-bill-no/{n}/cancel` | while its person has not confirmed it |

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap};
use hyper::{Method, StatusCode};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Value, json};

use super::crypto::{MERCHANT_SERIAL, PUBLIC_KEY_ID, Signer, is_merchants, seal};
use super::{CONFIRM_MS, MOVES_MS, Transfer, bill, rfc3339};
use crate::Sim;
use crate::calendar::{DAY_MS, Period};
use crate::faults::CallFate;
use crate::http::Reply;
use crate::world::types::Due;
use crate::world::{THINGS_MAX, World};

/// How far from now a request may have been signed, in seconds.
const APART_S: i64 = 300;
/// From when on the bill of a day is there, in milliseconds of the next.
const BILL_FROM_MS: i64 = 10 * 3_600_000;
const BILLS: &str = "/v3/fund-app/mch-transfer/transfer-bills";
const PARTNER_BILLS: &str = "/v3/fund-app/mch-transfer/partner/transfer-bills";

/// A request.
pub struct Asked<'a> {
    pub method: &'a Method,
    /// With its query.
    pub target: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
}

/// A no: status, code, words.
type No = (u16, &'static str, &'static str);

enum Said {
    Json(Value),
    File(String),
}

/// Answers a request below `/v3/`.
pub fn call(sim: &Arc<Sim>, asked: &Asked<'_>) -> Reply {
    sim.with(|world| {
        let fate = world.faults.call_fate(asked.target);
        match fate {
            CallFate::FailsBefore | CallFate::TimesOut => return Reply::Cut,
            CallFate::ServerError => return no((500, "SYSTEM_ERROR", "系统错误")),
            CallFate::Busy => return no((429, "FREQUENCY_LIMITED", "频率超限")),
            CallFate::Fine | CallFate::ReplyLost => {}
        }
        let answered = world.pay_admits(asked).and_then(|()| world.pay_answers(asked));
        match (fate, answered) {
            (CallFate::ReplyLost, _) => Reply::Cut,
            (_, Err(refused)) => no(refused),
            (_, Ok(Said::File(text))) => {
                Reply::Answer(StatusCode::OK, "application/octet-stream", Bytes::from(text))
            }
            (_, Ok(Said::Json(value))) => world.pay_signed(StatusCode::OK, value.to_string()),
        }
    })
}

fn no((status, code, message): No) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    Reply::json(status, &json!({"code": code, "message": message}))
}

/// A field of an `Authorization`.
fn field<'a>(of: &'a str, name: &str) -> Option<&'a str> {
    let start = of.find(&format!("{name}=\""))? + name.len() + 2;
    of.get(start..)?.split('"').next()
}

impl World {
    fn pay_signed(&mut self, status: StatusCode, body: String) -> Reply {
        let (at_s, nonce) = (self.now_ms.div_euclid(1_000), self.pay.chance.letters(32));
        let signature = self.pay.signer.sign(format!("{at_s}\n{nonce}\n{body}\n").as_bytes());
        let heads = vec![
            ("wechatpay-timestamp", at_s.to_string()),
            ("wechatpay-nonce", nonce),
            ("wechatpay-signature", signature),
            ("wechatpay-serial", self.pay.signer.serial().to_owned()),
        ];
        Reply::Signed(status, heads, Bytes::from(body))
    }

    /// Whether the merchant signed a request, now, and never before.
    fn pay_admits(&mut self, asked: &Asked<'_>) -> Result<(), No> {
        const WRONG: No = (401, "SIGN_ERROR", "签名错误");
        let said = asked.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or(WRONG)?;
        let of = said.strip_prefix("WECHATPAY2-SHA256-RSA2048 ").ok_or(WRONG)?;
        let of = |name| field(of, name).ok_or(WRONG);
        let (mchid, nonce, stamp) = (of("mchid")?, of("nonce_str")?, of("timestamp")?);
        let merchant = self.pay.merchant.as_ref().ok_or((404, "MCH_NOT_EXISTS", "商户号不存在"))?;
        if merchant.mchid != mchid || of("serial_no")? != MERCHANT_SERIAL {
            return Err(WRONG);
        }
        let at_s: i64 = stamp.parse().map_err(|_| WRONG)?;
        if (at_s - self.now_ms.div_euclid(1_000)).abs() > APART_S || self.pay.nonces.contains(nonce) {
            return Err(WRONG);
        }
        let body = std::str::from_utf8(asked.body).map_err(|_| WRONG)?;
        let text = format!("{}\n{}\n{stamp}\n{nonce}\n{body}\n", asked.method, asked.target);
        if !is_merchants(text.as_bytes(), of("signature")?) {
            return Err(WRONG);
        }
        if self.pay.signer == Signer::Public {
            let wants = asked.headers.get("wechatpay-serial").and_then(|value| value.to_str().ok());
            if wants != Some(PUBLIC_KEY_ID) {
                return Err((400, "PARAM_ERROR", "Wechatpay-Serial"));
            }
        }
        let nonce = nonce.to_owned();
        if self.pay.nonces.len() < THINGS_MAX {
            self.pay.nonces.insert(nonce);
        }
        Ok(())
    }

    fn pay_answers(&mut self, asked: &Asked<'_>) -> Result<Said, No> {
        const NOWHERE: No = (404, "NOT_FOUND", "接口不存在");
        let (path, query) = asked.target.split_once('?').unwrap_or((asked.target, ""));
        let query: std::collections::BTreeMap<String, String> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let of = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let is_get = asked.method == Method::GET;
        let merchant = self.pay.merchant.as_ref().ok_or(NOWHERE)?;
        let said: Value = serde_json::from_slice(asked.body).unwrap_or_default();
        let sub = query.get("sub_mchid").map(String::as_str).or(said["sub_mchid"].as_str());
        let (bills, payments) = match &merchant.sub_mchid {
            None => (BILLS, "/v3/pay/transactions/out-trade-no/"),
            Some(_) => (PARTNER_BILLS, "/v3/pay/partner/transactions/out-trade-no/"),
        };
        if path != "/v3/certificates"
            && path != "/v3/billdownload/file"
            && sub != merchant.sub_mchid.as_deref()
        {
            return Err((403, "NO_AUTH", "sub_mchid"));
        }
        match path {
            "/v3/certificates" if is_get => self.certificates(),
            "/v3/bill/tradebill" if is_get => {
                let host = asked.headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
                self.bill(of("bill_date"), host)
            }
            "/v3/billdownload/file" if is_get => {
                let day = self.pay.downloads.get(of("token")).ok_or(NOWHERE)?;
                bill::of(&self.pay, day).map(Said::File).ok_or(NOWHERE)
            }
            path if path == bills && !is_get => self.transfers_to(asked.body, asked.headers),
            path => {
                if let Some(below) = path.strip_prefix("/v3/marketing/busifavor/") {
                    let answered = self.coupon_answers(is_get, (below, &query), asked.body);
                    return answered.unwrap_or(Err(NOWHERE)).map(Said::Json);
                }
                if let Some(number) = path.strip_prefix(payments).filter(|_| is_get) {
                    let merchant = self.pay.merchant.as_ref().ok_or(NOWHERE)?;
                    let by = if merchant.sub_mchid.is_some() { "sp_mchid" } else { "mchid" };
                    if of(by) != merchant.mchid {
                        return Err((400, "PARAM_ERROR", "mchid"));
                    }
                    let paid = self.pay.payments.get(number);
                    let paid = paid.ok_or((404, "ORDER_NOT_EXIST", "订单不存在"))?;
                    let mut told = paid.told(merchant);
                    if self.pay.refunds.iter().any(|back| back.out_trade_no == number) {
                        told["trade_state"] = json!("REFUND");
                    }
                    return Ok(Said::Json(told));
                }
                let number = path.strip_prefix(bills).and_then(|rest| rest.strip_prefix("/out-bill-no/"));
                match (number, is_get) {
                    (Some(number), true) => {
                        let merchant = self.pay.merchant.as_ref().ok_or(NOWHERE)?;
                        let moved = self.pay.transfers.get(number).ok_or((404, "NOT_FOUND", "记录不存在"))?;
                        Ok(Said::Json(moved.told(&merchant.mchid)))
                    }
                    (Some(rest), false) => self.cancels(rest.strip_suffix("/cancel").ok_or(NOWHERE)?),
                    (None, _) => Err(NOWHERE),
                }
            }
        }
    }

    fn certificates(&mut self) -> Result<Said, No> {
        self.pay.n_certificates += 1;
        if self.pay.signer == Signer::Public {
            return Err((
                404,
                "RESOURCE_NOT_EXISTS",
                "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥",
            ));
        }
        let mut data = Vec::new();
        // The next one is shown before it signs anything; an old one is not shown any more.
        let shown = match self.pay.signer {
            Signer::First => vec![Signer::First],
            _ => vec![Signer::First, Signer::Second],
        };
        for signer in shown {
            let nonce = self.pay.chance.letters(12);
            let Some((merchant, pem)) = self.pay.merchant.as_ref().zip(signer.certificate()) else {
                continue;
            };
            let ciphertext = seal(&merchant.api_v3_key, &nonce, "certificate", pem);
            data.push(json!({
                "serial_no": signer.serial(), "effective_time": "2025-01-01T00:00:00+08:00",
                "expire_time": "2030-01-01T00:00:00+08:00",
                "encrypt_certificate": {
                    "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "certificate",
                    "ciphertext": ciphertext,
                },
            }));
        }
        Ok(Said::Json(json!({ "data": data })))
    }

    fn bill(&mut self, day: &str, host: &str) -> Result<Said, No> {
        let today_ms = Period::Day.start(self.now_ms);
        let today = rfc3339(today_ms);
        let yesterday = rfc3339(today_ms - DAY_MS);
        if day.len() != 10 || day >= today.get(..10).unwrap_or_default() {
            return Err((400, "INVALID_REQUEST", "账单日期无效"));
        }
        if yesterday.starts_with(day) && self.now_ms - today_ms < BILL_FROM_MS {
            return Err((400, "STATEMENT_CREATING", "账单生成中"));
        }
        let text = bill::of(&self.pay, day).ok_or((400, "NO_STATEMENT_EXIST", "账单不存在"))?;
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let token = self.pay.chance.letters(40);
        self.pay.downloads.insert(token.clone(), day.to_owned());
        let url = format!("http://{host}/v3/billdownload/file?token={token}");
        Ok(Said::Json(json!({"hash_type": "SHA1", "hash_value": hash, "download_url": url})))
    }

    fn transfers_to(&mut self, body: &Bytes, headers: &HeaderMap) -> Result<Said, No> {
        const WRONG: No = (400, "PARAM_ERROR", "参数错误");
        let asked: Value = serde_json::from_slice(body).map_err(|_| WRONG)?;
        let of = |name: &str| asked[name].as_str().filter(|text| !text.is_empty()).ok_or(WRONG);
        let (number, appid, _openid) = (of("out_bill_no")?.to_owned(), of("appid")?, of("openid")?);
        let (_scene, remark) = (of("transfer_scene_id")?, of("transfer_remark")?);
        let amount = asked["transfer_amount"].as_i64().unwrap_or_default();
        let is_number = (1..=32).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric());
        let reports = asked["transfer_scene_report_infos"].as_array().map_or(0, Vec::len);
        let needs_name = amount >= 200_000 && asked["user_name"].is_null();
        if let Some(name) = asked["user_name"].as_str() {
            // It is sealed with the key that the head names.
            let by = headers.get("wechatpay-serial").and_then(|value| value.to_str().ok());
            let is_known =
                [Signer::First, Signer::Second, Signer::Public].iter().any(|one| by == Some(one.serial()));
            if !is_known || STANDARD.decode(name).map_or(0, |sealed| sealed.len()) != 256 {
                return Err(WRONG);
            }
        }
        if !is_number || amount < 10 || remark.chars().count() > 32 || reports == 0 || needs_name {
            return Err(WRONG);
        }
        let merchant = self.pay.merchant.as_ref().ok_or(WRONG)?;
        if !merchant.appids.iter().any(|one| one == appid) {
            return Err((400, "APPID_MCHID_NOT_MATCH", "AppID与商户号不匹配"));
        }
        if let Some(moved) = self.pay.transfers.get(&number) {
            if moved.asked != asked {
                return Err((400, "INVALID_REQUEST", "请求参数与原单不一致"));
            }
        } else {
            let transfer_bill_no = format!("1330{}", self.pay.digits(24));
            let moved = Transfer {
                out_bill_no: number.clone(),
                transfer_bill_no,
                asked,
                state: "WAIT_USER_CONFIRM",
                fail_reason: "",
                made_ms: self.now_ms,
                changed_ms: self.now_ms,
            };
            self.pay.transfers.insert(number.clone(), moved);
            let due_ms = self.now_ms + CONFIRM_MS;
            self.at(due_ms, Due::PayMoves(number.clone()));
        }
        let moved = self.pay.transfers.get(&number).ok_or(WRONG)?;
        let mut told = json!({
            "out_bill_no": number, "transfer_bill_no": moved.transfer_bill_no, "state": moved.state,
            "create_time": rfc3339(moved.made_ms),
        });
        if moved.state == "WAIT_USER_CONFIRM" {
            told["package_info"] = json!(format!("package-{}", moved.transfer_bill_no));
        }
        Ok(Said::Json(told))
    }

    fn cancels(&mut self, number: &str) -> Result<Said, No> {
        let moved = self.pay.transfers.get(number).ok_or((404, "NOT_FOUND", "记录不存在"))?;
        match moved.state {
            "WAIT_USER_CONFIRM" => {
                self.transfer_is(number, "CANCELING", "");
                let due_ms = self.now_ms + MOVES_MS;
                self.at(due_ms, Due::PayMoves(number.to_owned()));
            }
            "CANCELING" | "CANCELLED" => {}
            _ => return Err((400, "INVALID_REQUEST", "当前状态不能撤销")),
        }
        let moved = self.pay.transfers.get(number).ok_or((404, "NOT_FOUND", "记录不存在"))?;
        Ok(Said::Json(json!({
            "out_bill_no": number, "transfer_bill_no": moved.transfer_bill_no, "state": "CANCELING",
            "update_time": rfc3339(moved.changed_ms),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_an_authorization_are_read_by_name() {
        let of = "mchid=\"1\",nonce_str=\"n\",signature=\"a/b+c==\",timestamp=\"5\",serial_no=\"AB\"";
        assert_eq!(
            (field(of, "mchid"), field(of, "signature"), field(of, "x")),
            (Some("1"), Some("a/b+c=="), None)
        );
    }
}
