//! Merchant coupons (商家券) in people's card packs: put there under our own code, used, given back and ended, each known by a number of ours
//! by which it is done once; and looked at, since nobody tells when one is used in WeChat.
//!
//! Sources: pay.weixin.qq.com/doc/v3/partner/4015595255 (sending: stocks that bear a product, with a code of the merchant's where the stock
//! says `coupon_code_mode` `MERCHANT_API`), pay.weixin.qq.com/docs/merchant/apis/merchant-exclusive-coupon/coupon/query-coupon.html,
//! list-coupons-by-filter.html, use-coupon.html, return-coupon.html, deactivate-coupon.html beside it.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Pay;
use super::news::seconds;
use super::pay::Ask;
use crate::clickhouse::encoded;
use crate::platform::{Answer, Trouble};

/// A coupon of somebody's card pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackCoupon {
    /// Its code, as the platform has it: letters and digits, at most 32.
    pub code: String,
    /// Of which stock (批次).
    pub stock: String,
    /// Whose, in the app of [`Pay::coupon_appid`].
    pub openid: String,
}

/// How many of a card pack are read at a time, and how often at most.
const PAGE: usize = 20;
const PAGES_MAX: usize = 10;

/// Where a coupon stands in a card pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// It can be used.
    Sent,
    /// It was used.
    Used,
    /// It cannot be used any more, for whatever reason.
    Ended,
}

/// A coupon as the platform shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InPack {
    /// Where it stands.
    pub lies: Lies,
    /// By which number it was used last, if it was.
    pub used_by: String,
}

/// One that was found in a card pack, and can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its code.
    pub code: String,
    /// Of which stock.
    pub stock: String,
    /// When it came there, in seconds since 1970 UTC, where that is told.
    pub at: Option<i64>,
}

impl Pay {
    async fn told(&self, path: &str, body: &Value) -> Answer<()> {
        // Each names a number of ours, by which it is done once.
        let ask = Ask::post(format!("/v3/marketing/busifavor/{path}"), body.to_string(), true);
        self.answered(&ask).await.map(drop)
    }

    fn pack_appid(&self) -> Answer<&str> {
        let message = "the account says no app for coupons".to_owned();
        self.coupon_appid().ok_or(Trouble::Wrong { field: "coupon_appid".to_owned(), message })
    }

    /// Puts one into its owner's card pack, under its code. Said again by the same number it is there once.
    pub async fn send_coupon(&self, coupon: &PackCoupon, request: &str) -> Answer<()> {
        let body = json!({
            "openid": coupon.openid, "appid": self.pack_appid()?, "stock_id": coupon.stock, "out_request_no": request,
            "coupon_code": coupon.code, "coupon_type": "NORMAL",
        });
        self.told("product-coupons/send", &body).await
    }

    /// Says that one was used now.
    pub async fn use_coupon(&self, coupon: &PackCoupon, request: &str) -> Answer<()> {
        let body = json!({
            "coupon_code": coupon.code, "stock_id": coupon.stock, "appid": self.pack_appid()?,
            "use_time": beijing(self.now_ms()), "use_request_no": request, "openid": coupon.openid,
        });
        self.told("coupons/use", &body).await
    }

    /// Says that what one was used for came back: it can be used again.
    pub async fn return_coupon(&self, coupon: &PackCoupon, request: &str) -> Answer<()> {
        let body =
            json!({"coupon_code": coupon.code, "stock_id": coupon.stock, "return_request_no": request});
        self.told("coupons/return", &body).await
    }

    /// Says that one cannot be used any more.
    pub async fn end_coupon(&self, coupon: &PackCoupon, request: &str) -> Answer<()> {
        let body =
            json!({"coupon_code": coupon.code, "stock_id": coupon.stock, "deactivate_request_no": request});
        self.told("coupons/deactivate", &body).await
    }

    /// What of the merchant's own stocks lies in somebody's card pack and can be used: the first two hundred.
    pub async fn coupons_in_pack(&self, openid: &str) -> Answer<Vec<Found>> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            data: Vec<Shown>,
        }
        #[derive(Deserialize)]
        struct Shown {
            coupon_code: String,
            stock_id: String,
            #[serde(default)]
            receive_time: String,
        }
        let (appid, mchid) = (encoded(self.pack_appid()?), self.mchid());
        let mut all = Vec::new();
        for page in 0..PAGES_MAX {
            let path = format!(
                "/v3/marketing/busifavor/users/{}/coupons?appid={appid}&coupon_state=SENDED&creator_merchant={mchid}\
                 &offset={page}&limit={PAGE}",
                encoded(openid)
            );
            let shown: Page = self.asked(&Ask::get(path)).await?;
            let n = shown.data.len();
            all.extend(shown.data.into_iter().map(|one| Found {
                code: one.coupon_code,
                stock: one.stock_id,
                at: seconds(&one.receive_time),
            }));
            if n < PAGE {
                break;
            }
        }
        Ok(all)
    }

    /// One as it stands; nothing where its owner has none of this code.
    pub async fn coupon_in_pack(&self, coupon: &PackCoupon) -> Answer<Option<InPack>> {
        #[derive(Deserialize)]
        struct Shown {
            coupon_state: String,
            #[serde(default)]
            use_request_no: String,
        }
        let path = format!(
            "/v3/marketing/busifavor/users/{}/coupons/{}/appids/{}",
            encoded(&coupon.openid),
            encoded(&coupon.code),
            encoded(self.pack_appid()?)
        );
        let shown: Shown = match self.asked(&Ask::get(path)).await {
            Err(trouble) if trouble.is_gone() => return Ok(None),
            shown => shown?,
        };
        let lies = match shown.coupon_state.as_str() {
            "SENDED" => Lies::Sent,
            "USED" => Lies::Used,
            _ => Lies::Ended,
        };
        Ok(Some(InPack { lies, used_by: shown.use_request_no }))
    }
}

/// A time as the platform wants it (RFC 3339, of Beijing, whole seconds).
fn beijing(at_ms: i64) -> String {
    let at = Timestamp::from_second(at_ms.div_euclid(1_000)).unwrap_or_default();
    format!("{}+08:00", Offset::constant(8).to_datetime(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_beijing_in_whole_seconds() {
        assert_eq!(beijing(1_432_099_775_999), "2015-05-20T13:29:35+08:00");
    }
}
