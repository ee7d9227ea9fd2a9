//! How 有赞 writes a trade, and signs it (doc.youzanyun.com: 交易消息, 消息推送, youzan.trades.sold.get).

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::tell::digits;
use super::{Order, Shop, shown};
use crate::pay::notices::Heads;
use crate::pay::rfc3339;

/// Beijing's, with a space.
pub fn local(at_ms: i64) -> String {
    rfc3339(at_ms).chars().take(19).collect::<String>().replace('T', " ")
}

/// A trade.
pub fn order(of: &Order) -> Value {
    let lines: Vec<Value> = of
        .lines
        .iter()
        .map(|(product, pieces, cents)| {
            json!({"oid": "1", "outer_sku_id": product, "item_id": 7, "title": "东西", "num": pieces, "price": shown(*cents), "payment": shown(pieces * cents)})
        })
        .collect();
    let status = match (of.cancelled_ms, of.paid_ms) {
        (Some(_), _) => "TRADE_CLOSED",
        (None, None) => "WAIT_BUYER_PAY",
        (None, Some(_)) => "WAIT_SELLER_SEND_GOODS",
    };
    json!({
        "order_info": {
            "tid": of.number, "status": status, "created": local(of.created_ms), "update_time": local(of.updated_ms),
            "pay_time": of.paid_ms.map(local).unwrap_or_default(), "pay_type_str": "WEIXIN_DAIXIAO",
        },
        "pay_info": {
            "payment": shown(of.total_cents()), "total_fee": shown(of.goods_cents()), "post_fee": shown(of.shipping_cents),
        },
        "buyer_info": {"yz_open_id": format!("yz{}", of.customer), "buyer_phone": of.phone, "outer_user_id": ""},
        "orders": lines,
        "refund_order": of.refunds.iter().map(|one| json!({
            "refund_id": one.id.to_string(), "refund_fee": shown(one.cents), "refund_state": 60, "refund_type": "1",
        })).collect::<Vec<_>>(),
    })
}

/// What is told of what happened, by type: JSON within JSON, encoded as in an address.
pub fn told(shop: &Shop, of: &Order, what: &str) -> Vec<(String, String)> {
    let name = match what {
        "created" => "trade_TradeCreate",
        "paid" => "trade_TradePaid",
        "cancelled" => "trade_TradeClose",
        _ => "trade_TradeMemoModified",
    };
    let mut all = vec![(name, json!({"full_order_info": order(of)}))];
    if let Some(refund) = of.refunds.last().filter(|_| what == "refunded") {
        let said = json!({
            "tid": of.number, "refund_id": refund.id.to_string(), "refunded_fee": shown(refund.cents),
            "update_time": local(refund.at_ms),
        });
        all.push(("trade_refund_RefundSuccess", said));
    }
    let wrapped = all.into_iter().map(|(name, said)| {
        let text = said.to_string();
        let msg: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let body = json!({
            "client_id": shop.key, "id": of.number, "kdt_id": shop.name.parse::<u64>().unwrap_or_default(), "mode": 1,
            "msg": msg, "type": name, "test": false, "version": of.updated_ms, "sendCount": 0,
        });
        (name.to_owned(), body.to_string())
    });
    wrapped.collect()
}

/// The head.
pub fn heads(shop: &Shop, secret: &str, topic: &str, body: &str) -> Heads {
    let signed = Md5::digest(format!("{}{body}{secret}", shop.key).as_bytes());
    vec![
        ("content-type", "application/json".to_owned()),
        ("event-type", topic.to_owned()),
        ("client-id", shop.key.clone()),
        ("event-sign", digits(&signed)),
    ]
}
