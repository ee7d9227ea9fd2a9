//! The platform's bill of a day: every payment and refund of the merchant, which is how one finds what no notice told
//! (pay.weixin.qq.com/doc/v3/merchant/4012791907; there from about 10 in the morning of the next day, Beijing).
//!
//! It is CSV with a head in Chinese; each value has a backtick before it, so that tables do not take numbers for numbers. Columns are found
//! by their names, since merchants of different kinds have different ones. Two lines of sums end it.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::Deserialize;

use super::Pay;
use super::pay::Ask;
use super::told::{Amount, Payer, Refund, RefundAmount, Transaction};
use crate::address::Target;
use crate::platform::{Answer, Trouble, Whose};

/// The largest bill that is read, in bytes.
pub const BILL_BYTES_MAX: usize = 256 << 20;
/// Beijing's time, which bills are written in.
const BEIJING: &str = "+08:00";

/// A line of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A payment.
    Paid(Box<Transaction>),
    /// A refund that was done, and what was written along with its payment.
    Refunded(Box<Refund>, String),
    /// Something else, or what cannot be read.
    Other,
}

#[derive(Deserialize)]
struct Made {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

impl Pay {
    /// The bill of a day (`2026-11-27`); nothing where nothing was paid on it.
    pub async fn bill(&self, day: &str) -> Answer<Option<String>> {
        let of = self.sub_mchid().map(|sub| format!("&sub_mchid={sub}")).unwrap_or_default();
        let path = format!("/v3/bill/tradebill?bill_date={day}{of}&bill_type=ALL");
        let made: Made = match self.asked(&Ask::get(path)).await {
            Err(trouble) if trouble.is_gone() => return Ok(None),
            made => made?,
        };
        let elsewhere = Trouble::Never { why: "bill_elsewhere", whose: Whose::Ours };
        let target = Target::parse(&made.download_url, self.api().allow_private);
        let target = target.map_err(|_| elsewhere.clone())?;
        // Signed requests go nowhere but to the platform.
        if target.authority != self.api().authority || target.encrypted != self.api().encrypted {
            return Err(elsewhere);
        }
        let path = target.path.strip_prefix(self.api().path.trim_end_matches('/')).ok_or(elsewhere)?;
        let mut ask = Ask::get(path.to_owned());
        (ask.bytes_max, ask.is_file) = (BILL_BYTES_MAX, true);
        let file = self.answered(&ask).await?;
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &file);
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        if made.hash_type != "SHA1" || !hash.eq_ignore_ascii_case(&made.hash_value) {
            return Err(Trouble::Later { why: "bill_broken", rest: std::time::Duration::from_secs(60) });
        }
        String::from_utf8(file)
            .map(Some)
            .map_err(|_| Trouble::Never { why: "bill_broken", whose: Whose::Ours })
    }
}

/// Where columns are.
struct Columns([Option<usize>; 15]);

const NAMES: [&str; 15] = [
    "交易时间",
    "公众账号ID",
    "特约商户号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "货币种类",
    "微信退款单号",
    "商户退款单号",
    "退款状态",
    "商户数据包",
    "订单金额",
    "申请退款金额",
];

impl Columns {
    fn of(head: &str) -> Self {
        let names: Vec<&str> = head.trim_start_matches('\u{feff}').trim().split(',').collect();
        Self(NAMES.map(|name| names.iter().position(|one| one.trim() == name)))
    }

    fn cell<'l>(&self, cells: &[&'l str], name: &str) -> &'l str {
        let column = NAMES.iter().position(|one| *one == name).and_then(|n| self.0.get(n).copied().flatten());
        column.and_then(|column| cells.get(column).copied()).unwrap_or_default().trim()
    }
}

/// Lines of a bill, in its order.
pub fn lines(bill: &str) -> impl Iterator<Item = Line> {
    let mut rest = bill.lines();
    let columns = Columns::of(rest.next().unwrap_or_default());
    rest.take_while(|line| line.starts_with('`')).map(move |line| read(&columns, line))
}

fn read(columns: &Columns, line: &str) -> Line {
    // What stands between values is a comma and a backtick: a comma alone may be within one.
    let cells: Vec<&str> = line.trim_end().trim_start_matches('`').split(",`").collect();
    let of = |name| columns.cell(&cells, name).to_owned();
    // A merchant on their own has none.
    let sub_mchid = Some(of("特约商户号")).filter(|sub| sub != "0").unwrap_or_default();
    let at = format!("{}{BEIJING}", of("交易时间").replacen(' ', "T", 1));
    match of("交易状态").as_str() {
        "SUCCESS" => fen(&of("订单金额")).map_or(Line::Other, |total| {
            let currency = of("货币种类");
            Line::Paid(Box::new(Transaction {
                appid: of("公众账号ID"),
                sub_mchid,
                out_trade_no: of("商户订单号"),
                transaction_id: of("微信订单号"),
                trade_type: of("交易类型"),
                trade_state: "SUCCESS".to_owned(),
                attach: of("商户数据包"),
                success_time: at,
                payer: Payer { openid: of("用户标识"), ..Payer::default() },
                amount: Amount { total, currency, ..Amount::default() },
                ..Transaction::default()
            }))
        }),
        "REFUND" if of("退款状态") == "SUCCESS" => {
            fen(&of("申请退款金额")).map_or(Line::Other, |refund| {
                let back = Refund {
                    sub_mchid,
                    out_trade_no: of("商户订单号"),
                    transaction_id: of("微信订单号"),
                    out_refund_no: of("商户退款单号"),
                    refund_id: of("微信退款单号"),
                    refund_status: "SUCCESS".to_owned(),
                    success_time: at,
                    amount: RefundAmount { refund, ..RefundAmount::default() },
                    ..Refund::default()
                };
                Line::Refunded(Box::new(back), of("商户数据包"))
            })
        }
        _ => Line::Other,
    }
}

/// Fen of an amount in yuan with two decimals.
fn fen(yuan: &str) -> Option<i64> {
    let (whole, part) = yuan.split_once('.').unwrap_or((yuan, "00"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) || part.len() > 2 {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_read_by_the_names_of_its_columns_to_its_sums() {
        let bill = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
                    应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,\
                    订单金额,申请退款金额,费率备注\r\n\
                    `2026-11-27 10:00:00,`wx1,`1900000001,`0,`,`42001,`T1,`o1,`MICROPAY,`SUCCESS,`OTHERS,`CNY,`35.00,`0.00,`0,`0,`0.00,`0.00,`,`,\
                    `好物, 一件,`a,b,`0.00,`0.60%,`35.50,`0.00,`\r\n\
                    `2026-11-27 11:00:00,`wx1,`1900000001,`0,`,`42001,`T1,`o1,`MICROPAY,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`50001,`R1,`5.00,`0.00,`ORIGINAL,\
                    `SUCCESS,`好物,`a,b,`0.00,`0.60%,`0.00,`5.05,`\r\n\
                    `2026-11-27 12:00:00,`wx1,`1900000001,`0,`,`42002,`T2,`o1,`MICROPAY,`REVOKED,`OTHERS,`CNY,`1.00,`0.00,`0,`0,`0.00,`0.00,`,`,`,`,\
                    `0.00,`0.60%,`1.00,`0.00,`\r\n\
                    总交易单数,应结订单总金额\r\n`3,`36.00\r\n";
        let read: Vec<Line> = lines(bill).collect();
        let [Line::Paid(paid), Line::Refunded(back, attach), Line::Other] = read.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(
            (paid.amount.total, paid.out_trade_no.as_str(), paid.attach.as_str()),
            (3_550, "T1", "a,b")
        );
        assert_eq!(paid.success_time, "2026-11-27T10:00:00+08:00");
        assert_eq!((back.amount.refund, back.refund_id.as_str(), attach.as_str()), (505, "50001", "a,b"));
        for (yuan, read) in [
            ("0.01", Some(1)),
            ("12", Some(1_200)),
            ("1.5", Some(150)),
            ("-1.00", None),
            ("1.005", None),
            ("", None),
        ] {
            assert_eq!(fen(yuan), read, "{yuan}");
        }
    }
}
