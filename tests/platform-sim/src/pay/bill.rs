//! The bill of a day: CSV with a backtick before each value, payments and refunds in the order in which they were, and sums.

use super::Pay;
use crate::calendar::civil_at;

const HEAD: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,\
                    代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const SUMS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

fn stamp(at_ms: i64) -> String {
    let (year, month, day, ms) = civil_at(at_ms);
    let seconds = ms / 1_000;
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The bill of a day such as `2026-01-05`; nothing where nothing happened on it.
pub fn of(pay: &Pay, day: &str) -> Option<String> {
    let merchant = pay.merchant.as_ref()?;
    let mut rows: Vec<(i64, Vec<String>)> = Vec::new();
    let row = |at_ms: i64, paid: &super::Payment, state: &str, back: Option<&super::Refund>| {
        let none = || "0.00".to_owned();
        let text = |text: &str| text.to_owned();
        let (total, refund) = match back {
            Some(back) => (none(), yuan(back.amount)),
            None => (yuan(paid.total), none()),
        };
        let (refund_id, out_refund_no) =
            back.map_or((text("0"), text("0")), |back| (back.refund_id.clone(), back.out_refund_no.clone()));
        let (kind, done) = if back.is_some() { ("ORIGINAL", "SUCCESS") } else { ("", "") };
        let cells = vec![
            stamp(at_ms),
            if merchant.sub_mchid.is_some() { text(super::PROVIDER_APPID) } else { paid.appid.clone() },
            merchant.mchid.clone(),
            merchant.sub_mchid.clone().unwrap_or(text("0")),
            text(""),
            paid.transaction_id.clone(),
            paid.out_trade_no.clone(),
            if merchant.sub_mchid.is_some() { format!("sp-{}", paid.openid) } else { paid.openid.clone() },
            paid.trade_type.clone(),
            text(state),
            text("OTHERS"),
            text("CNY"),
            total.clone(),
            none(),
            refund_id,
            out_refund_no,
            refund.clone(),
            none(),
            text(kind),
            text(done),
            text("好物, 一件"),
            paid.attach.clone(),
            none(),
            text("0.60%"),
            total,
            refund,
            text(""),
        ];
        (at_ms, cells)
    };
    for paid in pay.payments.values().filter(|paid| stamp(paid.paid_ms).starts_with(day)) {
        rows.push(row(paid.paid_ms, paid, "SUCCESS", None));
    }
    for back in pay.refunds.iter().filter(|back| stamp(back.done_ms).starts_with(day)) {
        let Some(paid) = pay.payments.get(&back.out_trade_no) else { continue };
        rows.push(row(back.done_ms, paid, "REFUND", Some(back)));
    }
    if rows.is_empty() {
        return None;
    }
    rows.sort_by_key(|(at_ms, _)| *at_ms);
    let mut bill = format!("\u{feff}{HEAD}\r\n");
    for (_, cells) in &rows {
        bill.push_str(&format!("`{}\r\n", cells.join(",`")));
    }
    bill.push_str(&format!("{SUMS}\r\n`{},`0.00,`0.00,`0.00,`0.00,`0.00,`0.00\r\n", rows.len()));
    Some(bill)
}
