//! What a notice means: a payment, a refund, or something that nobody here needs.

use serde::Deserialize;

use super::notice::Notice;

/// What was paid for (pay.weixin.qq.com/doc/v3/merchant/4012791882). Amounts are in fen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Transaction {
    /// The app in which it was paid.
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// Under a provider (…/docs/partner/apis/partner-jsapi-payment/payment-notice.html): the provider's app and number.
    pub sp_appid: String,
    /// The provider.
    pub sp_mchid: String,
    /// The app of the provider's merchant, where it is paid in that.
    pub sub_appid: String,
    /// The provider's merchant.
    pub sub_mchid: String,
    /// The merchant's own number of the order.
    pub out_trade_no: String,
    /// The platform's number of the payment.
    pub transaction_id: String,
    /// How it was paid: `JSAPI`, `NATIVE`, `APP`, `MICROPAY` (at a till), `MWEB`, `FACEPAY`.
    pub trade_type: String,
    /// Where it stands: `SUCCESS`, `REFUND`, `NOTPAY`, `CLOSED`, `REVOKED`, `USERPAYING`, `PAYERROR`.
    pub trade_state: String,
    /// What the merchant wrote along with it.
    pub attach: String,
    /// When it was paid (RFC 3339).
    pub success_time: String,
    /// Who paid.
    pub payer: Payer,
    /// How much.
    pub amount: Amount,
    /// Where.
    pub scene_info: Scene,
    /// What was taken off, and at whose cost.
    pub promotion_detail: Vec<Promotion>,
}

/// Who paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Payer {
    /// As the app knows them.
    pub openid: String,
    /// As the provider's app knows them.
    pub sp_openid: String,
    /// As the app of the provider's merchant knows them.
    pub sub_openid: String,
}

impl Transaction {
    /// Whose it is: the merchant, or the provider, and the provider's merchant.
    pub fn whose(&self) -> (&str, &str) {
        let of = if self.sp_mchid.is_empty() { &self.mchid } else { &self.sp_mchid };
        (of, &self.sub_mchid)
    }

    /// Who paid, in an app of those that are ours: the app, and the person as it knows them.
    pub fn paid_by(&self, is_ours: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
        let payer = &self.payer;
        [
            (&self.sub_appid, &payer.sub_openid),
            (&self.appid, &payer.openid),
            (&self.sp_appid, &payer.sp_openid),
        ]
        .into_iter()
        .map(|(appid, openid)| (appid.as_str(), openid.as_str()))
        .find(|(appid, openid)| !openid.is_empty() && is_ours(appid))
    }
}

/// How much, in fen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Amount {
    /// What the order came to.
    pub total: i64,
    /// What the payer paid.
    pub payer_total: Option<i64>,
    /// In which currency the order is.
    pub currency: String,
    /// In which currency it was paid.
    pub payer_currency: String,
}

/// Where it was paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Scene {
    /// The merchant's own name of the till or the store.
    pub device_id: String,
}

/// Something that was taken off, in fen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Promotion {
    /// The coupon.
    pub coupon_id: String,
    /// What it is called.
    pub name: String,
    /// `CASH`, or `NOCASH`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How much.
    pub amount: i64,
    /// Of which batch.
    pub stock_id: String,
    /// How much of it the platform bears.
    pub wechatpay_contribute: i64,
    /// How much of it the merchant bears.
    pub merchant_contribute: i64,
    /// How much of it others bear.
    pub other_contribute: i64,
}

/// What was given back (pay.weixin.qq.com/doc/v3/merchant/4012791886). Amounts are in fen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Refund {
    /// The merchant.
    pub mchid: String,
    /// The provider, where the merchant is one of theirs.
    pub sp_mchid: String,
    /// The provider's merchant.
    pub sub_mchid: String,
    /// The merchant's own number of the order.
    pub out_trade_no: String,
    /// The platform's number of the payment.
    pub transaction_id: String,
    /// The merchant's own number of the refund.
    pub out_refund_no: String,
    /// The platform's number of the refund.
    pub refund_id: String,
    /// Where it stands: `SUCCESS`, `CLOSED`, `ABNORMAL`.
    pub refund_status: String,
    /// When it was done (RFC 3339).
    pub success_time: String,
    /// How much.
    pub amount: RefundAmount,
}

impl Refund {
    /// Whose it is: the merchant, or the provider, and the provider's merchant.
    pub fn whose(&self) -> (&str, &str) {
        let of = if self.sp_mchid.is_empty() { &self.mchid } else { &self.sp_mchid };
        (of, &self.sub_mchid)
    }
}

/// How much was given back, in fen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RefundAmount {
    /// What the order came to.
    pub total: i64,
    /// What is given back of it.
    pub refund: i64,
    /// What the payer had paid.
    pub payer_total: i64,
    /// What the payer gets back.
    pub payer_refund: i64,
}

/// A transfer to a person (pay.weixin.qq.com/doc/v3/merchant/4012712115). Amounts are in fen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Transfer {
    /// The merchant's own number of it.
    pub out_bill_no: String,
    /// The platform's number of it.
    pub transfer_bill_no: String,
    /// Where it stands: `ACCEPTED`, `PROCESSING`, `WAIT_USER_CONFIRM`, `TRANSFERING`, `SUCCESS`, `FAIL`, `CANCELING`, `CANCELLED`.
    pub state: String,
    /// How much.
    pub transfer_amount: i64,
    /// To whom.
    pub openid: String,
    /// Why it failed, by the platform's name.
    pub fail_reason: String,
    /// What the person's app is given so that they confirm it; only while it waits for that.
    pub package_info: String,
}

/// A merchant coupon that came into somebody's card pack (领券事件回调通知).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Packed {
    /// What happened: `EVENT_TYPE_BUSICOUPON_SEND`.
    pub event_type: String,
    /// Its code.
    pub coupon_code: String,
    /// Of which stock.
    pub stock_id: String,
    /// Whose, in the app that the stock names for notices; empty where it names none.
    pub openid: String,
    /// When (RFC 3339).
    pub send_time: String,
}

/// What a notice means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Somebody paid.
    Paid(Box<Transaction>),
    /// Something was given back, or was to be and was not: its status says.
    Refunded(Box<Refund>),
    /// A transfer to a person came to its end.
    Transferred(Box<Transfer>),
    /// A merchant coupon came into a card pack.
    Packed(Box<Packed>),
    /// Something that nobody here needs.
    Other,
}

impl Told {
    /// What a notice means; nothing where it does not say what it should.
    pub fn of(notice: &Notice) -> Option<Self> {
        match notice.event.as_str() {
            "TRANSACTION.SUCCESS" => {
                let paid: Transaction = serde_json::from_str(&notice.resource).ok()?;
                let is_whole = paid.trade_state == "SUCCESS"
                    && !paid.out_trade_no.is_empty()
                    && !paid.transaction_id.is_empty()
                    && paid.amount.total >= 0;
                is_whole.then(|| Self::Paid(Box::new(paid)))
            }
            "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
                let back: Refund = serde_json::from_str(&notice.resource).ok()?;
                let is_whole = !back.out_refund_no.is_empty()
                    && !back.out_trade_no.is_empty()
                    && back.amount.refund >= 0
                    && back.amount.refund <= back.amount.total;
                is_whole.then(|| Self::Refunded(Box::new(back)))
            }
            "MCHTRANSFER.BILL.FINISHED" => {
                let moved: Transfer = serde_json::from_str(&notice.resource).ok()?;
                (!moved.out_bill_no.is_empty()).then(|| Self::Transferred(Box::new(moved)))
            }
            "COUPON.SEND" => {
                let packed: Packed = serde_json::from_str(&notice.resource).ok()?;
                // Coupons of the platform's own (代金券) are told by the same name.
                if packed.event_type != "EVENT_TYPE_BUSICOUPON_SEND" {
                    return Some(Self::Other);
                }
                let is_whole = !packed.coupon_code.is_empty() && !packed.stock_id.is_empty();
                is_whole.then(|| Self::Packed(Box::new(packed)))
            }
            _ => Some(Self::Other),
        }
    }
}
