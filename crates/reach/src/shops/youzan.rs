//! 有赞 (Youzan): messages of trades and refunds, and the list of trades of its open platform.
//!
//! A message bears the MD5 of the app's id, its very bytes and the app's secret, and wants `{"code":0,"msg":"success"}` within seconds; what
//! it says is JSON within JSON, encoded as in an address (doc.youzanyun.com, 消息推送). Tokens are had by the app's own credentials and are
//! good for days (doc.youzanyun.com, 自用型应用 access_token). Times are Beijing's.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use hyper::Method;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::BODY_BYTES_MAX;
use super::alike::{self, bounded, lines, listed, numbered, pieces, product, refused, taken};
use super::ask::{Ask, Asking, later};
use super::checkup::{self, Facts};
use super::listed::{Listed, Page};
use super::news::{Came, Fault, ShopLine, ShopNews, ShopOrder, ShopRefund, Stage, number};
use super::read::{amount, at, list, local, text, wanted};
use super::settings::{Account, Counts, Customers, Orders, Refunds};
use super::sign::is_md5;
use crate::address::Target;
use crate::door::{Brought, Door, Refused, Taken};
use crate::platform::{Answer, Step, Trouble, Whose};
use crate::secret::Secret;
use crate::settings::{Clock, Secrets, SettingsProblem, api, asked_word, wrong};

/// What the channel is called.
pub const CHANNEL: &str = "youzan";
/// Where the platform is.
const API: &str = "https://open.youzanyun.com";
/// How many trades a page has: as many as there may be.
const PAGE: usize = 100;
/// The most pages of one window.
const PAGES_MAX: u64 = 1_000;
/// How long before its end a token is not used any more, in milliseconds.
const TOKEN_SPARE_MS: i64 = 600_000;
/// How a refund that is done stands among a trade's.
const REFUNDED: &str = "60";
/// How long Beijing is ahead of UTC, in hours.
const BEIJING_HOURS: i8 = 8;

/// The settings as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    client_id: String,
    kdt_id: String,
    client_secret_env: Option<String>,
    client_secret_file: Option<String>,
    /// The app in which people buy: then what the platform knows them by there is a name of theirs.
    appid: Option<String>,
    api: Option<String>,
    #[serde(default)]
    orders: Orders,
    #[serde(default)]
    customers: Customers,
}

struct Inner {
    account: Account,
    client_id: String,
    kdt_id: String,
    secret: Secret,
    appid: Option<String>,
    api: Target,
    asking: Asking,
    clock: Clock,
    /// A token, and until when it is good, in milliseconds since 1970 UTC.
    token: Mutex<Option<(Secret, i64)>>,
}

/// A shop. Copies share all they have.
#[derive(Clone)]
pub struct Youzan(Arc<Inner>);

impl fmt::Debug for Youzan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Youzan({})", self.0.kdt_id)
    }
}

fn beijing() -> TimeZone {
    TimeZone::fixed(jiff::tz::Offset::constant(BEIJING_HOURS))
}

/// A time of Beijing's, in microseconds since 1970 UTC.
fn time(said: &Value, path: &str) -> Result<Option<i64>, Fault> {
    let Some(text) = text(said, path) else { return Ok(None) };
    local(&text, &beijing()).map(Some).ok_or_else(|| Fault::new(path, "no_time"))
}

/// What was encoded as in an address: `%E4`, and `+` for a space.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| {
                    char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
                };
                digit(rest.next())? * 16 + digit(rest.next())?
            }
            byte => byte,
        });
    }
    Some(bytes)
}

impl Youzan {
    /// What is written of an account, checked.
    pub fn of(
        name: &str,
        written: Written,
        allow_private: bool,
        secret: impl Secrets,
        clock: Clock,
    ) -> Result<Self, SettingsProblem> {
        let is_word = |word: &str| {
            (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !is_word(&written.client_id) {
            return wrong("client_id", "the app's client_id: letters and digits");
        }
        if !is_word(&written.kdt_id) {
            return wrong("kdt_id", "the shop's kdt_id (店铺 ID): digits");
        }
        if written.appid.as_deref().is_some_and(|appid| !is_word(appid)) {
            return wrong("appid", "the AppID of the mini program or official account");
        }
        let what = "where is the app's client_secret?";
        let key =
            asked_word("client_secret", written.client_secret_env, written.client_secret_file, what, secret)?;
        let api = api(written.api.as_deref(), API, allow_private)?;
        let account = Account::of(CHANNEL, name, written.orders, written.customers)?;
        let (asking, token) = (Asking::new(&api), Mutex::default());
        let (client_id, kdt_id, appid) = (written.client_id, written.kdt_id, written.appid);
        Ok(Self(Arc::new(Inner {
            account,
            client_id,
            kdt_id,
            secret: key,
            appid,
            api,
            asking,
            clock,
            token,
        })))
    }

    fn account(&self) -> &Account {
        &self.0.account
    }

    /// What a message of a type means.
    fn came(&self, topic: &str, said: &Value) -> Result<(&'static str, Vec<Came>), Fault> {
        // Types are told as `trade_TradePaid` and as `TRADE_PAID`, by the version that an app takes.
        let name: String =
            topic.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if name.contains("refundsuccess") || name.contains("refundsellerrefunded") {
            return Ok(("refund", self.refund(said)?.into_iter().collect()));
        }
        if name.starts_with("trade") && !name.contains("refund") && at(said, "full_order_info").is_some() {
            let order = at(said, "full_order_info").unwrap_or(said);
            return Ok(("order", vec![Came::order(self.order(order)?)]));
        }
        Ok(("other", Vec::new()))
    }

    fn order(&self, said: &Value) -> Result<ShopOrder, Fault> {
        let account = self.account();
        let status = wanted(said, "order_info.status")?;
        let paid_at = time(said, "order_info.pay_time")?;
        let stage = match status.as_str() {
            "TRADE_CLOSED" => Stage::Cancelled,
            "WAIT_BUYER_PAY" | "WAIT_CONFIRM" | "WAIT_GROUP" if paid_at.is_none() => Stage::Placed,
            _ => Stage::Paid,
        };
        let placed_at =
            time(said, "order_info.created")?.ok_or_else(|| Fault::missing("order_info.created"))?;
        // A trade whose money all went back is closed, too, and says so by its refunds; of one that was paid the refunds take back.
        let tid = number(wanted(said, "order_info.tid")?, "order_info.tid")?;
        let mut names =
            account.names(text(said, "buyer_info.yz_open_id"), text(said, "buyer_info.buyer_phone"), None);
        if let Some(unionid) = text(said, "buyer_info.unionid") {
            names.push(("unionid".to_owned(), unionid));
        }
        if let Some((appid, openid)) = self.0.appid.as_ref().zip(text(said, "buyer_info.outer_user_id")) {
            names.push((format!("openid:{appid}"), openid));
        }
        let changed = time(said, "order_info.update_time")?;
        Ok(ShopOrder {
            number: tid,
            namespace: account.orders.namespace.clone(),
            version: changed.or(paid_at).unwrap_or(placed_at),
            at: paid_at.filter(|_| account.orders.counts == Counts::Paid).unwrap_or(placed_at),
            stage,
            counts: account.counts(stage),
            method: text(said, "order_info.pay_type_str")
                .filter(|_| stage == Stage::Paid)
                .map(|word| word.to_lowercase()),
            currency: None,
            total: amount(said, "pay_info.payment")?.ok_or_else(|| Fault::missing("pay_info.payment"))?,
            shipping: amount(said, "pay_info.post_fee")?.unwrap_or_default(),
            tax: Decimal::ZERO,
            lines: lines(said, "orders", line)?,
            channel: account.orders.channel.clone(),
            store: account
                .orders
                .store
                .clone()
                .or_else(|| text(said, "order_info.offline_id").filter(|id| id != "0")),
            refunds: refunds(said, changed.or(paid_at).unwrap_or(placed_at))?,
            refunds_count: account.orders.refunds == Refunds::Count,
            names,
        })
    }

    fn refund(&self, said: &Value) -> Result<Option<Came>, Fault> {
        let order = number(wanted(said, "tid")?, "tid")?;
        let id = number(wanted(said, "refund_id")?, "refund_id")?;
        let field = if at(said, "refunded_fee").is_some() { "refunded_fee" } else { "refund_fee" };
        let total = amount(said, field)?.ok_or_else(|| Fault::missing("refunded_fee"))?;
        let at = match time(said, "update_time")? {
            Some(at) => at,
            None => time(said, "refund_time")?.ok_or_else(|| Fault::missing("update_time"))?,
        };
        if total <= Decimal::ZERO {
            return Ok(None);
        }
        let refund = ShopRefund { id: id.clone(), at, total, parts: None };
        let refunded = self.account().refunded((Some(order), None), None, refund);
        Ok(Some(Came { known_by: id, news: ShopNews::Refunded(Box::new(refunded)) }))
    }

    /// A token that is good.
    async fn token(&self) -> Answer<Secret> {
        let mut token = self.0.token.lock().await;
        let now_ms = (self.0.clock)();
        if let Some((token, _)) = token.as_ref().filter(|(_, until_ms)| now_ms < until_ms - TOKEN_SPARE_MS) {
            return Ok(token.clone());
        }
        let body = json!({
            "client_id": self.0.client_id, "client_secret": self.0.secret.said(), "authorize_type": "silent",
            "grant_id": self.0.kdt_id, "refresh": false,
        });
        let said = self.said("/auth/token".to_owned(), body).await?;
        let Some(got) = text(&said, "access_token") else { return later("answer_broken") };
        let got = Secret::new(got);
        let until_ms = at(&said, "expires").and_then(Value::as_i64).unwrap_or(now_ms);
        *token = Some((got.clone(), until_ms));
        Ok(got)
    }

    /// Asks, and reads what lies in the answer's `data`.
    async fn said(&self, path: String, body: Value) -> Answer<Value> {
        let ask = Ask { method: Method::POST, path, heads: Vec::new(), body: Some(body.to_string()) };
        let heard = self.0.asking.ask(ask).await?;
        let Ok(answer) = serde_json::from_slice::<Value>(&heard.body) else { return later("answer_broken") };
        if let Some(data) = at(&answer, "data").filter(|_| answer.get("success") != Some(&Value::Bool(false)))
        {
            return Ok(data.clone());
        }
        // doc.youzanyun.com, 全局错误码: what is refused at the gate is in `gw_err_resp`.
        let code =
            at(&answer, "gw_err_resp.err_code").or_else(|| at(&answer, "code")).and_then(Value::as_i64);
        match code {
            Some(4_201..=4_205 | 40_010 | 10_000..=10_001) => {
                *self.0.token.lock().await = None;
                later("token_over")
            }
            Some(4_101..=4_106 | 40_009 | 10_002..=10_005) => {
                Err(Trouble::Never { why: "key_refused", whose: Whose::Settings })
            }
            Some(4_301..=4_310 | 4_007) => {
                Err(Trouble::Never { why: "scope_missing", whose: Whose::Settings })
            }
            Some(4_401..=4_410 | 429) => later("http_busy"),
            _ => later("system_error"),
        }
    }
}

/// What went back of a trade, as far as it says so: a refund that is done bears 60, and no time of its own.
fn refunds(said: &Value, changed: i64) -> Result<Vec<ShopRefund>, Fault> {
    let mut refunds = Vec::new();
    for one in list(said, "refund_order")? {
        let total = amount(one, "refund_fee")?.unwrap_or_default();
        if text(one, "refund_state").as_deref() == Some(REFUNDED) && total > Decimal::ZERO {
            let id = number(wanted(one, "refund_id")?, "refund_order.refund_id")?;
            refunds.push(ShopRefund { id, at: changed, total, parts: None });
        }
    }
    numbered(refunds, "refund_order")
}

fn line(line: &Value) -> Result<ShopLine, Fault> {
    let product = product(line, &["outer_sku_id", "outer_item_id", "item_id", "title"], "orders.item_id")?;
    let paid = amount(line, "payment")?.or(amount(line, "total_fee")?).map(|paid| paid.max(Decimal::ZERO));
    Ok(ShopLine { product, category: None, quantity: pieces(line, "num")?, paid })
}

#[async_trait]
impl Door for Youzan {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.0.kdt_id.clone()
    }

    fn body_bytes_max(&self) -> usize {
        BODY_BYTES_MAX
    }

    fn well(&self) -> &'static str {
        r#"{"code":0,"msg":"success"}"#
    }

    async fn receive(&self, brought: Brought<'_>, _now: i64) -> Result<Taken, Refused> {
        let bytes = bounded(brought)?;
        let Some(said) = brought.head("event-sign") else { return refused("head_missing") };
        let parts = [self.0.client_id.as_bytes(), bytes, self.0.secret.said().as_bytes()];
        if !is_md5(&parts, said) {
            return refused("signature_wrong");
        }
        let body = alike::said(bytes)?;
        // The platform looks whether the address answers, and one app may be in several shops.
        if body.get("test") == Some(&Value::Bool(true)) {
            return Ok(Taken { kind: "test", kept: Vec::new() });
        }
        if text(&body, "kdt_id").is_some_and(|kdt_id| kdt_id != self.0.kdt_id) {
            return refused("shop_other");
        }
        let topic =
            text(&body, "type").or_else(|| brought.head("event-type").map(str::to_owned)).unwrap_or_default();
        let came = match text_of(&body) {
            None => Err(Fault::missing("msg")),
            Some(said) => self.came(&topic, &said),
        };
        Ok(taken(&self.account().name, bytes, came))
    }
}

/// What a message says: JSON as text, encoded as in an address or not.
fn text_of(body: &Value) -> Option<Value> {
    let text = body.get("msg")?.as_str()?;
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    serde_json::from_slice(&decoded(text)?).ok()
}

#[async_trait]
impl Listed for Youzan {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.0.kdt_id.clone()
    }

    fn can_ask(&self) -> bool {
        true
    }

    /// What changes meanwhile leaves the window, and what follows it moves to the page before: so pages are read from the last to the
    /// first. The first is asked for how many there are.
    async fn page(&self, from: i64, until: i64, next: Option<&str>) -> Answer<Page> {
        let page: u64 = next.and_then(|next| next.parse().ok()).unwrap_or(1);
        let shown = |seconds: i64| {
            let at = jiff::Timestamp::from_second(seconds).unwrap_or_default().to_zoned(beijing());
            at.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let token = self.token().await?;
        let path = format!("/api/youzan.trades.sold.get/4.0.0?access_token={}", token.said());
        let body = json!({
            "start_update": shown(from), "end_update": shown(until), "page_no": page, "page_size": PAGE,
        });
        let said = self.said(path, body).await?;
        let all = list(&said, "full_order_info_list").unwrap_or_default();
        let orders = all.iter().map(|one| at(one, "full_order_info").unwrap_or(one));
        let came = listed(orders, |order| Ok(vec![Came::order(self.order(order)?)]));
        let total = at(&said, "total_results").and_then(Value::as_u64).unwrap_or_default();
        let pages = total.div_ceil(PAGE as u64).min(PAGES_MAX);
        let next = match next {
            None => (pages > 1).then_some(pages),
            Some(_) => (page > 1).then(|| page - 1),
        };
        Ok(Page { came, next: next.map(|page| page.to_string()) })
    }

    async fn check(&self, home: &str) -> Vec<Step> {
        let now = (self.0.clock)().div_euclid(1_000);
        let asked = self.page(now - 86_400, now, None).await.map(|page| page.came.len());
        checkup::steps(&Facts {
            platform: ("有赞", "Youzan"),
            api: &self.0.api.authority,
            key: ("client_secret_env", "youzan.trades.sold.get"),
            asked: Some(asked),
            home,
            place: (
                "有赞云控制台「应用 → 消息推送」填写此地址，并订阅交易与退款消息",
                "Enter this address under 应用 → 消息推送 in the console of 有赞云, and subscribe to messages of trades and refunds",
            ),
            document: "docs/connect-youzan.md",
        })
    }

    fn tried(&self, topic: &str, body: &[u8]) -> Vec<Came> {
        super::tried(body, |said| {
            let inner = text_of(said);
            self.came(topic, inner.as_ref().unwrap_or(said)).map(|(_, came)| came)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_as_in_an_address_is_read_or_nothing_is() {
        assert_eq!(decoded("%7B%22a%22%3A+%22%E4%BC%9A%22%7D").unwrap(), "{\"a\": \"会\"}".as_bytes());
        for wrong in ["%", "%4", "%zz"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_beijings() {
        let said = json!({"at": "2026-01-05 09:00:00"});
        assert_eq!(time(&said, "at").unwrap(), Some(1_767_574_800_000_000));
        assert_eq!(time(&json!({"at": "soon"}), "at").unwrap_err().to_string(), "no_time: at");
    }
}
