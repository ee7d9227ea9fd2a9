//! The door for what WeChat Pay tells a merchant. A notice is verified on the very bytes that came; where a certificate is not known, the
//! platform's are fetched once for all who wait.

use async_trait::async_trait;

use super::news::{IntoPack, Moved, PayNews, seconds};
use super::notice::{Heads, Notice, NoticeProblem, read};
use super::told::{Packed, Told};
use super::{CHANNEL, Pay};
use crate::door::{Brought, Door, How, Refused, Taken};

impl From<NoticeProblem> for Refused {
    fn from(problem: NoticeProblem) -> Self {
        let how = if problem == NoticeProblem::TooLong { How::TooLarge } else { How::Forbidden };
        // The platform looks again and again whether wrong signatures are refused: nobody has to be told.
        Self { why: problem.name(), how, is_quiet: problem == NoticeProblem::Probe }
    }
}

fn heads(brought: Brought<'_>) -> Heads<'_> {
    Heads {
        timestamp: brought.head("wechatpay-timestamp"),
        nonce: brought.head("wechatpay-nonce"),
        signature: brought.head("wechatpay-signature"),
        serial: brought.head("wechatpay-serial"),
    }
}

impl Pay {
    /// What a notice is to this merchant.
    fn taken(&self, notice: &Notice) -> Result<Taken, Refused> {
        let unreadable = Refused::new("unreadable", How::Forbidden);
        let of_another = Refused::new("of_another_merchant", How::Forbidden);
        let (kind, news) = match Told::of(notice).ok_or(unreadable)? {
            Told::Paid(paid) => {
                if !self.is_mine(paid.whose()) {
                    return Err(of_another);
                }
                let news = PayNews::paid(&paid, self.orders(), |appid| self.is_ours(appid));
                ("paid", Some(news.ok_or(unreadable)?))
            }
            Told::Refunded(back) if !self.is_mine(back.whose()) => return Err(of_another),
            Told::Refunded(back) if back.refund_status == "SUCCESS" => {
                let news = PayNews::refunded(&back, self.orders(), (self.mchid(), None));
                ("refunded", Some(news.ok_or(unreadable)?))
            }
            // Nothing came back: whoever asked for it sees to it in the merchant's console.
            Told::Refunded(_) => ("refund_failed", None),
            Told::Transferred(moved) => {
                ("transferred", Some(PayNews::Transferred(Moved { bill: moved.out_bill_no })))
            }
            Told::Packed(packed) => match self.packed(&packed) {
                Some(news) => ("packed", Some(PayNews::Packed(news))),
                None => ("other", None),
            },
            Told::Other => ("other", None),
        };
        let kept = news.iter().map(|news| news.kept(self.mchid())).collect();
        Ok(Taken { kind, kept })
    }

    /// A coupon that came into somebody's card pack, where it is of an offer of the brand's and says whose it is.
    fn packed(&self, packed: &Packed) -> Option<IntoPack> {
        let (offer, _) = self.stocks().iter().find(|(_, stock)| **stock == packed.stock_id)?;
        let appid = self.coupon_appid().filter(|_| !packed.openid.is_empty())?;
        Some(IntoPack {
            offer: offer.clone(),
            stock: packed.stock_id.clone(),
            code: packed.coupon_code.clone(),
            whose: (format!("openid:{appid}"), packed.openid.clone()),
            at: seconds(&packed.send_time)?,
        })
    }
}

#[async_trait]
impl Door for Pay {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.sub_mchid().unwrap_or(self.mchid()).to_owned()
    }

    async fn receive(&self, brought: Brought<'_>, now: i64) -> Result<Taken, Refused> {
        let notice = match read(&self.keys(), heads(brought), brought.body, now) {
            Err(NoticeProblem::KeyUnknown) if self.fetches() => {
                // Where they cannot be had the notice is refused, and comes again.
                drop(self.fetch().await);
                read(&self.keys(), heads(brought), brought.body, now)
            }
            read => read,
        };
        self.taken(&notice?)
    }

    fn not_well(&self) -> &'static str {
        r#"{"code":"FAIL","message":"not taken"}"#
    }
}
