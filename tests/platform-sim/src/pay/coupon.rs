//! Merchant coupons (商家券): what lies in people's card packs, put there by the merchant or taken in WeChat, used in either place.
//!
//! | method | path below `/v3/marketing/busifavor` | simulated how |
//! |---|---|---|
//! | POST | `/product-coupons/send` | of a stock whose codes the merchant says; once a number; a code is one person's |
//! | POST | `/coupons/use` | once a number; `RESOURCE_ALREADY_EXISTS` where another one used it |
//! | POST | `/coupons/return` | of one that was used; once a number |
//! | POST | `/coupons/deactivate` | of one that can be used; once a number |
//! | GET | `/users/{openid}/coupons` | a page of those that the merchant's stocks gave |
//! | GET | `/users/{openid}/coupons/{code}/appids/{appid}` | as it stands; `RESOURCE_NOT_EXISTS` |
//!
//! Of what came into a card pack the merchant is told (`COUPON.SEND`), of nothing else.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::rfc3339;
use crate::world::{THINGS_MAX, World};

type No = (u16, &'static str, &'static str);

const GONE: No = (404, "RESOURCE_NOT_EXISTS", "券不存在");
const WRONG: No = (400, "PARAM_ERROR", "参数错误");
const NOT_SO: No = (400, "INVALID_REQUEST", "券状态不允许");
const OTHER: No = (400, "RESOURCE_ALREADY_EXISTS", "已被其他请求处理");

/// One in somebody's card pack.
pub struct Coupon {
    stock: String,
    code: String,
    appid: String,
    openid: String,
    state: &'static str,
    /// By which numbers it was sent, used last, returned last and ended.
    sent_by: String,
    used_by: String,
    returned_by: String,
    ended_by: String,
    /// How often it was put there, used, returned and ended.
    n: [u32; 4],
    sent_ms: i64,
}

impl Coupon {
    pub fn told(&self) -> Value {
        json!({
            "stock_id": self.stock, "coupon_code": self.code, "openid": self.openid, "appid": self.appid,
            "coupon_state": self.state, "send_request_no": self.sent_by, "use_request_no": self.used_by,
            "return_request_no": self.returned_by, "deactivate_request_no": self.ended_by,
            "receive_time": rfc3339(self.sent_ms),
            "times": {"sent": self.n[0], "used": self.n[1], "returned": self.n[2], "ended": self.n[3]},
        })
    }
}

fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, No> {
    body[field].as_str().filter(|text| !text.is_empty() && text.len() <= 128).ok_or(WRONG)
}

impl World {
    /// Answers what is asked below `/v3/marketing/busifavor/`; nothing where there is no such path.
    pub fn coupon_answers(
        &mut self,
        is_get: bool,
        (path, query): (&str, &BTreeMap<String, String>),
        body: &Bytes,
    ) -> Option<Result<Value, No>> {
        let parts: Vec<&str> = path.split('/').collect();
        match (is_get, parts.as_slice()) {
            (true, ["users", openid, "coupons", code, "appids", appid]) => {
                let found = self.pay.coupons.iter().find(|one| {
                    (one.openid.as_str(), one.code.as_str(), one.appid.as_str()) == (*openid, *code, *appid)
                });
                Some(found.map(Coupon::told).ok_or(GONE))
            }
            (true, ["users", openid, "coupons"]) => Some(self.coupons_of(openid, query)),
            (false, [what @ ("product-coupons" | "coupons"), which]) => {
                let said = match serde_json::from_slice(body).map_err(|_| WRONG) {
                    Ok(said) => said,
                    Err(no) => return Some(Err(no)),
                };
                match (*what, *which) {
                    ("product-coupons", "send") => Some(self.coupon_sent(&said)),
                    ("coupons", "use" | "return" | "deactivate") => Some(self.coupon_moves(which, &said)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Pages are numbered from 0 on (`offset`).
    fn coupons_of(&self, openid: &str, query: &BTreeMap<String, String>) -> Result<Value, No> {
        let of = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let mchid = self.pay.merchant.as_ref().map(|one| one.mchid.as_str()).unwrap_or_default();
        let n = |name: &str, usual: usize| match of(name) {
            "" => Ok(usual),
            text => text.parse::<usize>().map_err(|_| WRONG),
        };
        let (page, limit) = (n("offset", 0)?, n("limit", 20)?);
        if of("appid").is_empty() || of("creator_merchant") != mchid || !(1..=20).contains(&limit) {
            return Err(WRONG);
        }
        let state = of("coupon_state");
        let all = self.pay.coupons.iter().filter(|one| one.openid == openid && one.appid == of("appid"));
        let all: Vec<Value> =
            all.filter(|one| state.is_empty() || one.state == state).map(Coupon::told).collect();
        let shown: Vec<&Value> = all.iter().skip(page * limit).take(limit).collect();
        Ok(json!({"data": shown, "total_count": all.len(), "offset": page, "limit": limit}))
    }

    fn coupon_sent(&mut self, said: &Value) -> Result<Value, No> {
        let (stock, code) = (text(said, "stock_id")?, text(said, "coupon_code")?);
        let (appid, openid, number) =
            (text(said, "appid")?, text(said, "openid")?, text(said, "out_request_no")?);
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "|_*-".contains(c);
        if code.len() > 32 || !number.chars().all(is_letter) || said["coupon_type"] != "NORMAL" {
            return Err(WRONG);
        }
        match self.pay.stocks.get(stock).map(String::as_str) {
            Some("MERCHANT_API") => {}
            Some(_) => return Err((400, "INVALID_REQUEST", "发券模式不合法")),
            None => return Err((404, "RESOURCE_NOT_EXISTS", "批次不存在")),
        }
        let is_ours = self.pay.merchant.as_ref().is_some_and(|one| one.appids.iter().any(|one| one == appid));
        if !is_ours {
            return Err((400, "APPID_MCHID_NOT_MATCH", "商户号与AppID不匹配"));
        }
        if let Some(known) = self.pay.coupons.iter().find(|one| one.stock == stock && one.code == code) {
            let is_same = known.openid == openid && known.sent_by == number;
            return if is_same { Ok(json!({"coupon_code": code})) } else { Err(OTHER) };
        }
        let of = (stock.to_owned(), code.to_owned(), appid.to_owned(), openid.to_owned());
        self.laid_in_pack(of, number.to_owned(), "BUSICOUPON_SEND_CHANNEL_API").map_err(|_| WRONG)?;
        Ok(json!({"coupon_code": code}))
    }

    fn laid_in_pack(
        &mut self,
        (stock, code, appid, openid): (String, String, String, String),
        number: String,
        channel: &str,
    ) -> Result<(), String> {
        if self.pay.coupons.len() >= THINGS_MAX {
            return Err("coupons: there are too many".to_owned());
        }
        let mchid = self.pay.merchant.as_ref().map(|one| one.mchid.clone()).unwrap_or_default();
        let told = json!({
            "event_type": "EVENT_TYPE_BUSICOUPON_SEND", "coupon_code": code, "stock_id": stock,
            "send_time": rfc3339(self.now_ms), "openid": openid, "unionid": "", "send_channel": channel,
            "send_merchant": mchid,
        });
        self.pay.coupons.push(Coupon {
            stock,
            code,
            appid,
            openid,
            state: "SENDED",
            sent_by: number,
            used_by: String::new(),
            returned_by: String::new(),
            ended_by: String::new(),
            n: [1, 0, 0, 0],
            sent_ms: self.now_ms,
        });
        self.pay_tells("COUPON.SEND", "coupon", &told);
        Ok(())
    }

    fn coupon_moves(&mut self, what: &str, said: &Value) -> Result<Value, No> {
        let (stock, code) = (text(said, "stock_id")?.to_owned(), text(said, "coupon_code")?.to_owned());
        let now = rfc3339(self.now_ms);
        let found = self.pay.coupons.iter_mut().find(|one| one.stock == stock && one.code == code);
        let coupon = found.ok_or(GONE)?;
        match what {
            "use" => {
                let number = text(said, "use_request_no")?;
                let (appid, at) = (text(said, "appid")?, text(said, "use_time")?);
                let whose = said["openid"].as_str().unwrap_or(&coupon.openid);
                if at.len() != 25
                    || !at.ends_with("+08:00")
                    || appid != coupon.appid
                    || whose != coupon.openid
                {
                    return Err(WRONG);
                }
                match coupon.state {
                    "USED" if coupon.used_by == number => {}
                    "USED" => return Err(OTHER),
                    "SENDED" => {
                        (coupon.state, coupon.used_by) = ("USED", number.to_owned());
                        coupon.n[1] += 1;
                    }
                    _ => return Err(NOT_SO),
                }
                Ok(json!({"stock_id": stock, "openid": coupon.openid, "wechatpay_use_time": now}))
            }
            "return" => {
                let number = text(said, "return_request_no")?;
                match coupon.state {
                    "SENDED" if coupon.returned_by == number => {}
                    "USED" => {
                        (coupon.state, coupon.returned_by) = ("SENDED", number.to_owned());
                        coupon.n[2] += 1;
                    }
                    _ => return Err(NOT_SO),
                }
                Ok(json!({"wechatpay_return_time": now}))
            }
            _ => {
                let number = text(said, "deactivate_request_no")?;
                match coupon.state {
                    "DEACTIVATED" if coupon.ended_by == number => {}
                    "SENDED" => {
                        (coupon.state, coupon.ended_by) = ("DEACTIVATED", number.to_owned());
                        coupon.n[3] += 1;
                    }
                    _ => return Err(NOT_SO),
                }
                Ok(json!({"wechatpay_deactivate_time": now}))
            }
        }
    }

    /// What people and the merchant's console do with coupons, below `pay/coupon/`.
    pub fn coupon_act(&mut self, what: &str, body: &Value) -> Result<Value, String> {
        let of = |field: &str| {
            text(body, field).map(str::to_owned).map_err(|_| format!("{field}: a text is wanted"))
        };
        match what {
            // A stock is there from now on.
            "stock" => {
                self.pay.stocks.insert(of("stock_id")?, of("coupon_code_mode")?);
                Ok(Value::Null)
            }
            // Somebody takes one in WeChat.
            "take" => {
                let stock = of("stock_id")?;
                let mode = self.pay.stocks.get(&stock).ok_or("stock_id: there is no such stock")?;
                if mode == "MERCHANT_API" {
                    return Err("stock_id: the merchant says its codes".to_owned());
                }
                let (code, number) = (self.pay.digits(22), self.pay.digits(20));
                self.laid_in_pack(
                    (stock, code.clone(), of("appid")?, of("openid")?),
                    number,
                    "BUSICOUPON_SEND_CHANNEL_MINIAPP",
                )?;
                Ok(json!({"coupon_code": code}))
            }
            // Somebody uses one in WeChat: nobody is told.
            "use" => {
                let (code, number) = (of("coupon_code")?, self.pay.digits(20));
                let found = self.pay.coupons.iter_mut().find(|one| one.code == code && one.state == "SENDED");
                let coupon = found.ok_or("coupon_code: nobody can use it")?;
                (coupon.state, coupon.used_by) = ("USED", number);
                coupon.n[1] += 1;
                Ok(Value::Null)
            }
            _ => Err(format!("pay/coupon/{what}: nothing of this name can be done")),
        }
    }
}
