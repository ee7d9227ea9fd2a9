//! Bills: what the platform says was paid and given back on a day is held against what was told of it. A payment is known again by its own
//! number, however it was told, so what is found is only what no notice told.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zhiyin_model::time::{Day, Ts, Zone};
use zhiyin_reach::platform::Trouble;
use zhiyin_reach::wxpay::CHANNEL;
use zhiyin_reach::wxpay::bill::{Line, lines};
use zhiyin_reach::wxpay::news::PayNews;
use zhiyin_store::campaigns::mirror::{Reflect, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use super::Merchant;
use crate::arrivals::door::arrival;
use crate::platforms::Round;
use crate::{Engine, Result};

/// Whose days bills are of.
const BEIJING: &str = "Asia/Shanghai";
/// When the bill of a day is there on the next one, in minutes of that day: from ten in the morning on.
const THERE_FROM_MINUTE: u16 = 10 * 60 + 5;
/// How long one process has a bill that it reads, in microseconds.
const LENT_US: i64 = 900_000_000;
/// How soon a bill is asked for again that could not be had.
const AGAIN: Duration = Duration::from_secs(600);
/// How many lines are taken in at a time.
const AT_ONCE: usize = 500;
/// What kind of row it is.
const KIND: &str = "bills";

/// How far bills were read.
#[derive(Debug, Serialize, Deserialize)]
struct Read {
    /// The last day whose bill was.
    until: String,
    /// Why the next one was not, by a name.
    why: Option<String>,
}

fn zone() -> Zone {
    Zone::named(BEIJING).unwrap_or_else(Zone::utc)
}

/// When the bill of a day is there.
fn there(day: Day) -> Ts {
    zone().at_minute(day.plus(1), THERE_FROM_MINUTE)
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("bills of WeChat Pay: {what}"))
}

impl Engine {
    /// Reads the bill of the next day whose bill is there.
    pub(super) async fn bill_round(&self, merchant: &Merchant, wall: Ts) -> Result<Round> {
        let mirror = self.store().coupons().campaigns().mirror();
        let kind = format!("{CHANNEL}:{}:{KIND}", merchant.account);
        let key = self.home().await?.id_key;
        let id = reflection_id(&key, (CHANNEL, &merchant.account), KIND, &[]);
        let Some(lent) = mirror.lend_reflections(&kind, wall, wall.plus_us(LENT_US), 1).await?.pop() else {
            let next = mirror.next_reflection(&kind).await?;
            if next.is_none() && mirror.reflections(vec![id]).await?.is_empty() {
                // Of days before a home knew of its merchant there is nothing to be found.
                let today = zone().day(wall);
                let until = Read { until: today.plus(-1).to_string(), why: None };
                self.keep_read((&kind, id, 0), &until, there(today)).await?;
            }
            return Ok(Round { done: 0, next });
        };
        let read: Read = serde_json::from_str(&seal::open(&lent.body)?).map_err(|_| damaged("no JSON"))?;
        let day = Day::parse(&read.until).ok_or_else(|| damaged("no day"))?.plus(1);
        if wall < there(day) {
            self.keep_read((&kind, id, lent.version), &read, there(day)).await?;
            return Ok(Round { done: 0, next: Some(there(day)) });
        }
        let bill = merchant.pay.bill(&day.to_string()).await;
        let (read, due) = match bill {
            Ok(bill) => {
                let n_new = self.take_bill(merchant, bill.as_deref().unwrap_or_default(), wall).await?;
                tracing::info!(?merchant, %day, n_new, "a bill was held against what was told");
                (Read { until: day.to_string(), why: None }, there(day.plus(1)))
            }
            Err(trouble) => {
                let rest = match &trouble {
                    Trouble::Later { rest, .. } => AGAIN.max(*rest),
                    _ => AGAIN * 6,
                };
                tracing::warn!(?merchant, %day, %trouble, "the bill cannot be had for now");
                let due = wall.plus_us(i64::try_from(rest.as_micros()).unwrap_or(LENT_US));
                (Read { until: read.until, why: Some(trouble.why().to_owned()) }, due)
            }
        };
        let done = usize::from(read.why.is_none());
        self.keep_read((&kind, id, lent.version), &read, due).await?;
        Ok(Round { done, next: Some(due) })
    }

    async fn keep_read(
        &self,
        (kind, id, version): (&str, ReflectionId, i64),
        read: &Read,
        due: Ts,
    ) -> Result<()> {
        let key = self.home().await?.id_key;
        let body = serde_json::to_string(read).map_err(|_| damaged("no JSON"))?;
        let row = Reflect {
            id,
            read: version,
            kind: kind.to_owned(),
            part: id,
            due: Some(due),
            about: key.digest("reflection", &[id.bytes()]),
            body: seal::seal(&body),
        };
        // Whoever wrote it meanwhile knows as much.
        drop(self.store().coupons().campaigns().mirror().reflect(vec![row]).await?);
        Ok(())
    }

    /// Keeps what a bill says, as if it had been told; how much was new.
    async fn take_bill(&self, merchant: &Merchant, bill: &str, wall: Ts) -> Result<usize> {
        let key = self.home().await?.id_key;
        let (pay, mut n_new) = (&merchant.pay, 0);
        let news = lines(bill).filter_map(|line| match line {
            // The bill of a provider may have lines of others' merchants.
            Line::Paid(paid) if !pay.is_mine(paid.whose()) => None,
            Line::Refunded(back, _) if !pay.is_mine(back.whose()) => None,
            Line::Paid(paid) => PayNews::paid(&paid, pay.orders(), |appid| pay.is_ours(appid)),
            Line::Refunded(back, attach) => {
                PayNews::refunded(&back, pay.orders(), (pay.mchid(), Some(&attach)))
            }
            Line::Other => None,
        });
        let mut kept = news.map(|news| news.kept(pay.mchid())).peekable();
        while kept.peek().is_some() {
            let some = kept.by_ref().take(AT_ONCE);
            let some = some.map(|kept| arrival(&key, (CHANNEL, &merchant.account), kept, wall)).collect();
            let are_new = self.store().coupons().campaigns().arrivals().arrive(some).await?;
            n_new += are_new.iter().filter(|is_new| **is_new).count();
        }
        for _ in 0..n_new {
            self.measures.arrivals().came(CHANNEL, "found", true);
        }
        Ok(n_new)
    }

    /// Looks one payment up by the merchant's own number, and takes it in as if it had been told; whether it is there and paid, and
    /// whether that was new.
    pub async fn find_payment(
        &self,
        merchant: &Merchant,
        out_trade_no: &str,
        wall: Ts,
    ) -> Result<std::result::Result<(bool, bool), Trouble>> {
        let found = match merchant.pay.payment(out_trade_no).await {
            Ok(found) => found.filter(|paid| matches!(paid.trade_state.as_str(), "SUCCESS" | "REFUND")),
            Err(trouble) => return Ok(Err(trouble)),
        };
        let pay = &merchant.pay;
        let news = found.and_then(|paid| PayNews::paid(&paid, pay.orders(), |appid| pay.is_ours(appid)));
        let Some(news) = news else { return Ok(Ok((false, false))) };
        let key = self.home().await?.id_key;
        let one = arrival(&key, (CHANNEL, &merchant.account), news.kept(pay.mchid()), wall);
        let is_new = self.store().coupons().campaigns().arrivals().arrive(vec![one]).await?;
        Ok(Ok((true, is_new.first().copied().unwrap_or_default())))
    }
}
