//! Any other shop: a webhook whose fields a brand names by their paths, signed by an HMAC that it describes.
//!
//! What is wrong with a body is told with the path at fault, and what is the shop's all the same is kept, so that nothing gets lost while
//! somebody corrects a path. Without a list to ask, what no webhook told is not found.

mod written;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::BODY_BYTES_MAX;
use super::alike::{self, bounded, refused, taken};
use super::listed::{Listed, Page};
use super::news::{
    Came, Fault, LINES_MAX, ShopCustomer, ShopLine, ShopNews, ShopOrder, ShopRefund, Stage, number,
};
use super::read::{Path, as_amount, as_instant, as_text, local};
use super::settings::{Account, Refunds};
use super::sign::is_signed;
use crate::door::{Brought, Door, Refused, Taken};
use crate::platform::{Answer, Health, Step, Trouble, Whose, Worded};
pub use written::Written;
use written::{KindIn, Kinds, LinesAt, OrderAt, Signature, Times};

/// What the channel is called.
pub const CHANNEL: &str = "webhook";

struct Inner {
    account: Account,
    signature: Signature,
    kinds: Kinds,
    order: Option<OrderAt>,
    refund: Option<(Path, Path, Path, Path, Option<Path>)>,
    customer: Option<(Path, Path, BTreeMap<String, Path>)>,
    names: Vec<(String, Path)>,
    digits: u32,
    times: Times,
    zone: TimeZone,
}

/// A shop whose fields a brand names. Copies share all they have.
#[derive(Clone)]
pub struct Mapped(Arc<Inner>);

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapped({})", self.0.account.name)
    }
}

impl Mapped {
    /// What a body means. `topic` is what the head says that it is of.
    fn came(&self, topic: Option<&str>, said: &Value) -> Result<(&'static str, Vec<Came>), Fault> {
        let kinds = &self.0.kinds;
        let word = match &kinds.told_in {
            KindIn::Nowhere => return self.of_order(said),
            KindIn::Path(path) => match path.of(said).and_then(as_text) {
                Some(word) => word,
                None => return Err(Fault::missing(path.said())),
            },
            KindIn::Header(name) => topic.ok_or_else(|| Fault::missing(format!("head {name}")))?.to_owned(),
        };
        if kinds.orders.contains(&word) {
            self.of_order(said)
        } else if kinds.refunds.contains(&word) {
            Ok(("refund", self.refund(said)?.into_iter().collect()))
        } else if kinds.customers.contains(&word) {
            Ok(("customer", vec![self.customer(said)?]))
        } else {
            Ok(("other", Vec::new()))
        }
    }

    fn text(&self, path: &Path, said: &Value) -> Result<String, Fault> {
        let found = path.of(said).ok_or_else(|| Fault::missing(path.said()))?;
        as_text(found).ok_or_else(|| Fault::new(path.said(), "no_text"))
    }

    fn some_text(&self, path: Option<&Path>, said: &Value) -> Option<String> {
        path.and_then(|path| path.of(said)).and_then(as_text)
    }

    fn amount(&self, path: &Path, said: &Value) -> Result<Decimal, Fault> {
        let found = path.of(said).ok_or_else(|| Fault::missing(path.said()))?;
        let amount = as_amount(found, path.said())?;
        Ok(amount * Decimal::new(1, self.0.digits))
    }

    fn some_amount(&self, path: Option<&Path>, said: &Value) -> Result<Decimal, Fault> {
        match path.filter(|path| path.of(said).is_some()) {
            Some(path) => self.amount(path, said),
            None => Ok(Decimal::ZERO),
        }
    }

    fn instant(&self, path: &Path, said: &Value) -> Result<i64, Fault> {
        let text = self.text(path, said)?;
        let read = match self.0.times {
            Times::Rfc3339 => as_instant(&text),
            Times::Seconds => text.parse().ok().and_then(|seconds: i64| seconds.checked_mul(1_000_000)),
            Times::Milliseconds => text.parse().ok().and_then(|ms: i64| ms.checked_mul(1_000)),
            Times::Local => local(&text, &self.0.zone),
        };
        read.filter(|at| jiff::Timestamp::from_microsecond(*at).is_ok())
            .ok_or_else(|| Fault::new(path.said(), "no_time"))
    }

    fn names(&self, said: &Value) -> Vec<(String, String)> {
        let found = self
            .0
            .names
            .iter()
            .map(|(namespace, path)| Some((namespace.clone(), path.of(said).and_then(as_text)?)));
        found.flatten().collect()
    }

    fn of_order(&self, said: &Value) -> Result<(&'static str, Vec<Came>), Fault> {
        let Some(at) = &self.0.order else { return Ok(("other", Vec::new())) };
        let account = &self.0.account;
        let stage = match &at.status {
            None => Stage::Paid,
            Some((path, paid, cancelled)) => {
                let word = self.text(path, said)?;
                if cancelled.contains(&word) {
                    Stage::Cancelled
                } else if paid.contains(&word) {
                    Stage::Paid
                } else {
                    Stage::Placed
                }
            }
        };
        let placed_at = self.instant(&at.at, said)?;
        let version = match at.changed_at.as_ref().filter(|path| path.of(said).is_some()) {
            Some(path) => self.instant(path, said)?,
            None => placed_at,
        };
        let order = ShopOrder {
            number: number(self.text(&at.number, said)?, at.number.said())?,
            namespace: account.orders.namespace.clone(),
            version,
            at: placed_at,
            stage,
            counts: account.counts(stage),
            method: self.some_text(at.method.as_ref(), said).filter(|_| stage == Stage::Paid),
            currency: self.some_text(at.currency.as_ref(), said),
            total: self.amount(&at.total, said)?,
            shipping: self.some_amount(at.shipping.as_ref(), said)?,
            tax: self.some_amount(at.tax.as_ref(), said)?,
            lines: self.lines(at.lines.as_ref(), said)?,
            channel: account.orders.channel.clone(),
            store: account.orders.store.clone().or_else(|| self.some_text(at.store.as_ref(), said)),
            refunds: Vec::new(),
            refunds_count: account.orders.refunds == Refunds::Count,
            names: self.names(said),
        };
        Ok(("order", vec![Came::order(order)]))
    }

    fn lines(&self, at: Option<&LinesAt>, said: &Value) -> Result<Vec<ShopLine>, Fault> {
        let Some(at) = at else { return Ok(Vec::new()) };
        let all = match at.list.of(said) {
            None => return Err(Fault::missing(at.list.said())),
            Some(Value::Array(all)) => all,
            Some(_) => return Err(Fault::new(at.list.said(), "no_list")),
        };
        if all.len() > LINES_MAX {
            return Err(Fault::new(at.list.said(), "too_many"));
        }
        let mut lines = Vec::with_capacity(all.len());
        for (n, line) in all.iter().enumerate() {
            let below =
                |fault: Fault| Fault { field: format!("{}[{n}].{}", at.list.said(), fault.field), ..fault };
            let one = || -> Result<ShopLine, Fault> {
                let quantity = match at.quantity.as_ref().filter(|path| path.of(line).is_some()) {
                    None => Decimal::ONE,
                    Some(path) => match path.of(line) {
                        Some(found) => as_amount(found, path.said())?,
                        None => Decimal::ONE,
                    },
                };
                let paid = match (&at.paid, &at.price) {
                    (Some(path), _) => Some(self.amount(path, line)?),
                    (None, Some(path)) => self.amount(path, line)?.checked_mul(quantity),
                    (None, None) => None,
                };
                let product = self.text(&at.product, line)?;
                Ok(ShopLine { product, category: self.some_text(at.category.as_ref(), line), quantity, paid })
            };
            lines.push(one().map_err(below)?);
        }
        Ok(lines)
    }

    fn refund(&self, said: &Value) -> Result<Option<Came>, Fault> {
        let Some((order, id, at, total, currency)) = &self.0.refund else { return Ok(None) };
        let order = number(self.text(order, said)?, order.said())?;
        let id = number(self.text(id, said)?, id.said())?;
        let total = self.amount(total, said)?.abs();
        let refund = ShopRefund { id: id.clone(), at: self.instant(at, said)?, total, parts: None };
        let currency = self.some_text(currency.as_ref(), said);
        let refunded = self.0.account.refunded((Some(order), None), currency, refund);
        Ok(Some(Came { known_by: id, news: ShopNews::Refunded(Box::new(refunded)) }))
    }

    fn customer(&self, said: &Value) -> Result<Came, Fault> {
        let Some((id, at, traits)) = &self.0.customer else { return Err(Fault::missing("customer")) };
        let id = number(self.text(id, said)?, id.said())?;
        let found = traits.iter().filter_map(|(called, path)| Some((called.clone(), path.of(said)?.clone())));
        let plain = found.filter(|(_, value)| value.is_string() || value.is_number() || value.is_boolean());
        let traits: Map<String, Value> = plain.collect();
        Ok(Came::customer(ShopCustomer { id, at: self.instant(at, said)?, names: self.names(said), traits }))
    }

    fn topic<'b>(&self, brought: Brought<'b>) -> Option<&'b str> {
        match &self.0.kinds.told_in {
            KindIn::Header(name) => brought.head(name),
            _ => None,
        }
    }
}

#[async_trait]
impl Door for Mapped {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.0.account.name.clone()
    }

    fn body_bytes_max(&self) -> usize {
        BODY_BYTES_MAX
    }

    async fn receive(&self, brought: Brought<'_>, now: i64) -> Result<Taken, Refused> {
        let bytes = bounded(brought)?;
        let of = &self.0.signature;
        let Some(said) = brought.head(&of.header) else { return refused("head_missing") };
        let Some(said) = said.strip_prefix(of.prefix.as_str()) else { return refused("signature_wrong") };
        let key = of.secret.said().as_bytes();
        let is_theirs = match &of.stamped {
            None => is_signed(of.how, key, &[bytes], said),
            Some((header, joint, within)) => {
                let Some(stamp) = brought.head(header) else { return refused("head_missing") };
                let at: Option<i64> = stamp.parse().ok();
                // Some tell it in milliseconds.
                let at = at.map(|at| if at > 100_000_000_000 { at.div_euclid(1_000) } else { at });
                if at.is_none_or(|at| now.abs_diff(at) > within.unsigned_abs()) {
                    return refused("not_now");
                }
                is_signed(of.how, key, &[stamp.as_bytes(), joint.as_bytes(), bytes], said)
            }
        };
        if !is_theirs {
            return refused("signature_wrong");
        }
        let body = alike::said(bytes)?;
        Ok(taken(&self.0.account.name, bytes, self.came(self.topic(brought), &body)))
    }
}

#[async_trait]
impl Listed for Mapped {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.0.account.name.clone()
    }

    fn can_ask(&self) -> bool {
        false
    }

    async fn page(&self, _from: i64, _until: i64, _next: Option<&str>) -> Answer<Page> {
        Err(Trouble::Never { why: "no_list", whose: Whose::Settings })
    }

    async fn check(&self, home: &str) -> Vec<Step> {
        let of = &self.0;
        let parts = [
            ("order", of.order.is_some()),
            ("refund", of.refund.is_some()),
            ("customer", of.customer.is_some()),
        ];
        let named: Vec<&str> =
            parts.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| *name).collect();
        let paths =
            Worded::new(format!("已映射 {}", named.join("、")), format!("leads to {}", named.join(", ")));
        let dry = Worded::new(
            "用一份真实报文试读：zhiyin channel try webhook --account 名称 --body 文件",
            "Try one with a real body: zhiyin channel try webhook --account NAME --body FILE",
        );
        let stamped = match &of.signature.stamped {
            Some((header, _, within)) => {
                let found = Worded::new(
                    format!("签名含 {header}，{within} 秒内有效"),
                    format!("signed with {header}, good for {within} s"),
                );
                Step::of("signature", ("签名", "Signature"), Health::Well, found, None)
            }
            None => {
                let found = Worded::new(
                    "签名不含时间，重放只会被去重",
                    "bears no time: what is sent again is known, not refused",
                );
                Step::of("signature", ("签名", "Signature"), Health::Well, found, None)
            }
        };
        let found = Worded::new(home, home);
        let enter = Worded::new(
            "在对方系统中把 webhook 地址设为此地址（POST，JSON）",
            "Have the other system POST its JSON to this address",
        );
        vec![
            Step::of("paths", ("字段路径", "Paths"), Health::Well, paths, Some(dry)),
            stamped,
            Step::of("notices", ("通知地址", "The address of notices"), Health::Well, found, Some(enter)),
        ]
    }

    fn tried(&self, topic: &str, body: &[u8]) -> Vec<Came> {
        super::tried(body, |said| self.came(Some(topic), said).map(|(_, came)| came))
    }
}
