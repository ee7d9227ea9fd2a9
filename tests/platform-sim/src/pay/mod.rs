//! WeChat Pay of one merchant (APIv3): people pay in its stores and apps, money is given back, and sent to people who confirm it.
//!
//! Written from the platform's documentation (pay.weixin.qq.com/doc/v3/merchant), never from our client. `api` answers what a merchant asks,
//! `coupon` is the coupons of card packs,
//! `act` is what people and the merchant's console do, `notices` tells of it, `crypto` signs and seals.

pub mod act;
pub mod api;
mod bill;
mod coupon;
pub mod crypto;
pub mod notices;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::calendar::civil_at;
use crate::chance::Chance;
use crate::world::World;
use crypto::Signer;

/// As which app's callbacks notices are counted.
pub const AGENT: i64 = -1;
/// How long a person has to confirm a transfer, in milliseconds.
const CONFIRM_MS: i64 = 24 * 3_600_000;
/// How long it takes from a confirmation, or a wish to cancel, to the end, in milliseconds (not documented).
const MOVES_MS: i64 = 5_000;

/// The app of a provider.
const PROVIDER_APPID: &str = "wx0000000000000001";

/// The merchant.
pub struct Merchant {
    /// Its number; a provider's, where there is a merchant of theirs.
    pub mchid: String,
    /// The merchant of a provider's.
    pub sub_mchid: Option<String>,
    pub api_v3_key: String,
    pub appids: Vec<String>,
    pub notice_url: String,
}

/// A payment.
pub struct Payment {
    pub appid: String,
    pub openid: String,
    pub out_trade_no: String,
    pub transaction_id: String,
    pub trade_type: String,
    pub attach: String,
    pub total: i64,
    pub paid_ms: i64,
}

/// Something that was given back.
pub struct Refund {
    pub out_trade_no: String,
    pub out_refund_no: String,
    pub refund_id: String,
    pub amount: i64,
    pub done_ms: i64,
}

/// A transfer to a person.
pub struct Transfer {
    pub out_bill_no: String,
    pub transfer_bill_no: String,
    pub asked: Value,
    pub state: &'static str,
    pub fail_reason: &'static str,
    pub made_ms: i64,
    pub changed_ms: i64,
}

/// All of it.
pub struct Pay {
    pub merchant: Option<Merchant>,
    pub signer: Signer,
    pub payments: BTreeMap<String, Payment>,
    pub refunds: Vec<Refund>,
    pub transfers: BTreeMap<String, Transfer>,
    pub coupons: Vec<coupon::Coupon>,
    /// Stocks of coupons, and who says their codes.
    pub stocks: BTreeMap<String, String>,
    /// How often certificates were asked for.
    pub n_certificates: u64,
    /// Nonces of requests: each is good once.
    nonces: BTreeSet<String>,
    /// Which day a download is of.
    downloads: BTreeMap<String, String>,
    /// The last notice that was sent, with its head.
    last: Option<notices::Sent>,
    chance: Chance,
}

impl Pay {
    /// Of a seed; there is no merchant yet.
    pub fn new(seed: u64) -> Self {
        Self {
            merchant: None,
            signer: Signer::First,
            payments: BTreeMap::new(),
            refunds: Vec::new(),
            transfers: BTreeMap::new(),
            coupons: Vec::new(),
            stocks: BTreeMap::new(),
            n_certificates: 0,
            nonces: BTreeSet::new(),
            downloads: BTreeMap::new(),
            last: None,
            chance: Chance::new(seed, "pay"),
        }
    }

    fn digits(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from(b'0' + (self.chance.below(10) as u8))).collect()
    }
}

/// A time as the platform writes it.
pub fn rfc3339(at_ms: i64) -> String {
    let (year, month, day, ms) = civil_at(at_ms);
    let seconds = ms / 1_000;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}+08:00",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

impl Payment {
    /// As notices and queries show it; of a provider's merchant the numbers and the payer have other names
    /// (…/docs/partner/apis/partner-jsapi-payment/payment-notice.html).
    fn told(&self, merchant: &Merchant) -> Value {
        let mut told = self.plain();
        let Some(sub_mchid) = &merchant.sub_mchid else {
            (told["mchid"], told["appid"]) = (json!(merchant.mchid), json!(self.appid));
            told["payer"] = json!({"openid": self.openid});
            return told;
        };
        (told["sp_mchid"], told["sub_mchid"]) = (json!(merchant.mchid), json!(sub_mchid));
        (told["sp_appid"], told["sub_appid"]) = (json!(PROVIDER_APPID), json!(self.appid));
        told["payer"] = json!({"sp_openid": format!("sp-{}", self.openid), "sub_openid": self.openid});
        told
    }

    fn plain(&self) -> Value {
        json!({
            "out_trade_no": self.out_trade_no,
            "transaction_id": self.transaction_id, "trade_type": self.trade_type, "trade_state": "SUCCESS",
            "trade_state_desc": "支付成功", "bank_type": "OTHERS", "attach": self.attach,
            "success_time": rfc3339(self.paid_ms),
            "amount": {"total": self.total, "payer_total": self.total, "currency": "CNY", "payer_currency": "CNY"},
        })
    }
}

impl Transfer {
    /// As notices and queries show it.
    fn told(&self, mchid: &str) -> Value {
        let mut told = json!({
            "mch_id": mchid, "out_bill_no": self.out_bill_no, "transfer_bill_no": self.transfer_bill_no,
            "appid": self.asked["appid"], "state": self.state, "transfer_amount": self.asked["transfer_amount"],
            "transfer_remark": self.asked["transfer_remark"], "openid": self.asked["openid"],
            "create_time": rfc3339(self.made_ms), "update_time": rfc3339(self.changed_ms),
        });
        if !self.fail_reason.is_empty() {
            told["fail_reason"] = json!(self.fail_reason);
        }
        if self.state == "WAIT_USER_CONFIRM" {
            told["package_info"] = json!(format!("package-{}", self.transfer_bill_no));
        }
        told
    }
}

impl World {
    /// What is so.
    pub fn told_pay(&self) -> Value {
        let merchant = self.pay.merchant.as_ref();
        let mchid = merchant.map(|merchant| merchant.mchid.as_str()).unwrap_or_default();
        let payments = self.pay.payments.values();
        let payments = payments.filter_map(|paid| Some(paid.told(merchant?)));
        let refunds = self.pay.refunds.iter().map(|back| {
            json!({"out_trade_no": back.out_trade_no, "out_refund_no": back.out_refund_no, "refund": back.amount})
        });
        json!({
            "certificates_asked": self.pay.n_certificates,
            "payments": payments.collect::<Vec<_>>(),
            "coupons": self.pay.coupons.iter().map(coupon::Coupon::told).collect::<Vec<_>>(),
            "refunds": refunds.collect::<Vec<_>>(),
            "transfers": self.pay.transfers.values().map(|moved| moved.told(mchid)).collect::<Vec<_>>(),
        })
    }
}
