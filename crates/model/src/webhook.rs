//! What others are told of: the kinds of messages that webhooks carry, and what each says.
//!
//! One table, [`KINDS`]: the schema, the documentation and the test that looks at every message that was made all read it. A
//! message says who by a member's id, what by codes of the playbook, and how much by whole numbers; names, phones and
//! whatever else is personal it says only to an endpoint that asks for identifiers.

use serde_json::{Map, Value, json};

/// What the value of a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// 32 hexadecimal digits.
    Id,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// A list of texts.
    Texts,
    /// Texts by their names.
    Map,
    /// RFC 3339 in UTC.
    Time,
}

/// A field of what a message says.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub shape: Shape,
    /// Whether it is always there.
    pub always: bool,
    /// What it means.
    pub meaning: &'static str,
}

/// A kind of message.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, which does not change.
    pub name: &'static str,
    /// When it is sent.
    pub meaning: &'static str,
    /// The same in Chinese.
    pub meaning_zh: &'static str,
    /// What it says.
    pub fields: &'static [Field],
}

const fn field(name: &'static str, shape: Shape, always: bool, meaning: &'static str) -> Field {
    Field { name, shape, always, meaning }
}

const MEMBER: Field = field("member", Shape::Id, true, "the member's id");
const ORDER: Field = field("order", Shape::Id, true, "the order's id");
const TRANSFER: Field = field("transfer", Shape::Id, true, "the transfer's id in the ledger");
const OF_ORDER: Field = field("order", Shape::Id, false, "the order that it is for");
const AMOUNT: Field = field("amount", Shape::Int, true, "how many, above zero");
const SIGNED: Field = field("amount", Shape::Int, true, "how many; below zero where they were taken");
const REVERSES: Field = field("reverses", Shape::Id, false, "the transfer that it undoes, posts or releases");

const MOVED: &[Field] = &[MEMBER, AMOUNT, TRANSFER, OF_ORDER, REVERSES];
const ADJUSTED: &[Field] = &[MEMBER, SIGNED, TRANSFER, OF_ORDER, REVERSES];
const TAG: &[Field] = &[MEMBER, field("tag", Shape::Text, true, "the tag's code in the playbook")];
const AUDIENCE: &[Field] =
    &[MEMBER, field("audience", Shape::Text, true, "the standing audience's id in the playbook")];
const OFFER: Field = field("offer", Shape::Text, true, "the offer's id in the playbook");
const COUPON: &[Field] = &[
    MEMBER,
    OFFER,
    field("coupon", Shape::Id, true, "the coupon's id"),
    field("valid_until", Shape::Time, true, "from when it can no longer be used"),
];
const CHECKOUT: Field = field("checkout", Shape::Id, true, "the checkout's id");
const A_CHECKOUT: &[Field] = &[MEMBER, CHECKOUT];
const PRICED: &[Field] = &[
    MEMBER,
    CHECKOUT,
    field("payable", Shape::Int, true, "what is to be paid of the lines, in minor units"),
    field("discount", Shape::Int, true, "what is taken off them, in minor units"),
];
const LOCKED: &[Field] = &[
    MEMBER,
    CHECKOUT,
    field("payable", Shape::Int, true, "what is to be paid of the lines, in minor units"),
    field("discount", Shape::Int, true, "what is taken off them, in minor units"),
    field("until", Shape::Time, true, "until when what it takes is held"),
];
const CAME_BACK: &[Field] = &[
    MEMBER,
    CHECKOUT,
    field("refund", Shape::Int, true, "what is given back, in minor units"),
    field("points", Shape::Int, true, "points of exchanges that are given back"),
];
const AN_ORDER: &[Field] = &[
    MEMBER,
    ORDER,
    field("status", Shape::Text, true, "announced, placed or cancelled"),
    field(
        "paid_minor",
        Shape::Int,
        true,
        "what was paid, in minor units, as it stands when the message is made",
    ),
    field("refunded_minor", Shape::Int, true, "what has come back of it in all, likewise"),
    field("currency", Shape::Text, true, "ISO 4217"),
    field("ordered_at", Shape::Time, true, "when it was placed"),
    field("store", Shape::Text, false, "the store's code"),
    field("channel", Shape::Text, false, "the channel, as its source names it"),
];
const CONSENT: &[Field] = &[
    MEMBER,
    field("purposes", Shape::Texts, true, "to what; `all` is every purpose"),
    field("channels", Shape::Texts, true, "on which channels; `all` is every channel"),
    field("version", Shape::Text, false, "of the text that was agreed to"),
];

const A_STEP: &[Field] = &[
    MEMBER,
    field("webhook", Shape::Text, true, "what the step calls it"),
    field("campaign", Shape::Text, true, "the campaign's id in the playbook"),
    field("run", Shape::Id, true, "the run's id"),
    field("step", Shape::Text, true, "the step's place in the campaign"),
    field("with", Shape::Map, true, "what the playbook passes on"),
];

macro_rules! kinds {
    ($($name:literal, $meaning:literal, $zh:literal, $fields:expr;)*) => {
        /// All kinds, in the order in which they are documented.
        pub const KINDS: &[Kind] =
            &[$(Kind { name: $name, meaning: $meaning, meaning_zh: $zh, fields: $fields }),*];
    };
}

kinds! {
    "member.enrolled", "Somebody is a member from now on", "成为会员",
        &[MEMBER, field("tier", Shape::Text, true, "the tier that they begin with")];
    "member.tier_changed", "A member's tier rose, or was judged again and is another", "会员等级变更",
        &[MEMBER, field("from", Shape::Text, true, "the tier before"), field("to", Shape::Text, true, "the tier now")];
    "member.stage_moved", "A member moved to another stage of the lifecycle", "会员生命周期阶段变更",
        &[MEMBER, field("from", Shape::Text, false, "the stage before"), field("to", Shape::Text, true, "the stage now")];
    "member.tag_added", "A tag was put on", "会员被打上标签", TAG;
    "member.tag_removed", "A tag was taken off", "会员标签被移除", TAG;
    "member.audience_entered", "A member is in a standing audience from now on", "会员进入人群", AUDIENCE;
    "member.audience_left", "A member is in a standing audience no more", "会员离开人群", AUDIENCE;
    "member.merged", "Two members turned out to be one person", "会员合并",
        &[field("member", Shape::Id, true, "who they are from now on"),
            field("merged", Shape::Id, true, "the id that ended; it goes on to name the same person")];
    "member.unmerged", "A member turned out to be two people", "会员拆分",
        &[field("member", Shape::Id, true, "who stays"), field("parted", Shape::Id, true, "who is somebody else from now on")];
    "member.erased", "What is personal of a member was erased for good: erase it, too", "会员个人信息被删除",
        &[MEMBER];
    "coupon.issued", "A coupon was issued, by a command or an offer; an issue to many sends none", "发券", COUPON;
    "coupon.redeemed", "A coupon was used up", "券被核销", COUPON;
    "coupon.expiring", "A coupon will soon expire", "券即将到期", COUPON;
    "coupon.expired", "A coupon expired", "券已过期", COUPON;
    "checkout.locked", "A cart was priced, and what its discounts take is held", "结算已锁定", LOCKED;
    "checkout.redeemed", "A checkout was paid", "结算已核销", PRICED;
    "checkout.cancelled", "Whoever began a checkout let go of it", "结算已取消", A_CHECKOUT;
    "checkout.released", "A checkout was not paid in its time, and let go of what it held", "结算超时释放", A_CHECKOUT;
    "checkout.returned", "Pieces of what was bought came back", "结算已退货", CAME_BACK;
    "points.earned", "An order earned points", "获得积分", MOVED;
    "points.taken_back", "Points of an order that came back were taken back", "退单扣回积分", MOVED;
    "points.spent", "Points were spent", "消费积分", MOVED;
    "points.returned", "Spent points came back", "积分退还", MOVED;
    "points.expired", "Points expired", "积分过期", MOVED;
    "points.adjusted", "Points were given or taken by a person, or by a gift", "积分人工调整", ADJUSTED;
    "points.held", "Points were promised to a spend that is not final yet", "冻结积分", MOVED;
    "points.released", "A hold ended", "解冻积分", MOVED;
    "points.taken_over", "Points came over from an old system", "从旧系统接管积分", MOVED;
    "growth.earned", "An order earned growth, by which tiers are judged", "获得成长值", MOVED;
    "growth.taken_back", "Growth of an order that came back was taken back", "退单扣回成长值", MOVED;
    "order.completed", "An order was placed and paid", "订单完成", AN_ORDER;
    "order.updated", "An order changed", "订单更新", AN_ORDER;
    "order.paid", "A payment notice confirmed an order", "订单支付确认", AN_ORDER;
    "order.refunded", "Money of an order went back, whole or in part", "订单退款", AN_ORDER;
    "order.cancelled", "An order never was", "订单取消", AN_ORDER;
    "campaign.step", "A member's run came to a webhook step of a campaign", "营销活动走到 Webhook 步骤", A_STEP;
    "consent.given", "Somebody said yes", "给予同意", CONSENT;
    "consent.withdrawn", "Somebody said no", "撤回同意", CONSENT;
    "webhook.test", "Sent when somebody asks for a test", "测试消息",
        &[field("endpoint", Shape::Text, true, "the endpoint's id")];
}

/// The kind of a name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// What one message may look like, as JSON Schema 2020-12.
fn message(kind: &Kind) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in kind.fields {
        let mut shape = match field.shape {
            Shape::Id => json!({"type": "string", "pattern": "^[0-9a-f]{32}$"}),
            Shape::Int => json!({"type": "integer"}),
            Shape::Text => json!({"type": "string"}),
            Shape::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Shape::Map => json!({"type": "object", "additionalProperties": {"type": "string"}}),
            Shape::Time => json!({"type": "string", "format": "date-time"}),
        };
        shape["description"] = Value::from(field.meaning);
        properties.insert(field.name.to_owned(), shape);
        if field.always {
            required.push(field.name);
        }
    }
    let has = |name: &str| kind.fields.iter().any(|field| field.name == name);
    if has("member") {
        let names = json!({"type": "object", "required": ["namespace", "value"], "properties": {
            "namespace": {"type": "string"}, "value": {"type": "string"}}});
        properties.insert(
            "identifiers".to_owned(),
            json!({"type": "array", "items": names, "description":
                "what the member is called now; only where the endpoint asks for identifiers"}),
        );
    }
    if has("order") {
        properties.insert(
            "order_number".to_owned(),
            json!({"type": "object", "required": ["namespace", "number"], "properties": {
                "namespace": {"type": "string"}, "number": {"type": "string"}}, "description":
                "what its source calls the order; only where the endpoint asks for identifiers"}),
        );
    }
    json!({
        "title": kind.name,
        "description": kind.meaning,
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": kind.name},
            "timestamp": {"type": "string", "format": "date-time", "description": "when it happened, in business time"},
            "data": {"type": "object", "required": required, "properties": properties},
        },
    })
}

/// What messages look like, as JSON Schema 2020-12.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Zhiyin webhook message",
        "oneOf": KINDS.iter().map(message).collect::<Vec<_>>(),
    })
}

/// What is wrong with a message's `data`, by the table; `None` where it is as documented. What an endpoint with identifiers
/// gets beside is passed over.
pub fn misfit(kind: &Kind, data: &Map<String, Value>) -> Option<String> {
    for field in kind.fields {
        let fits = match (data.get(field.name), field.shape) {
            (None, _) => !field.always,
            (Some(Value::String(text)), Shape::Id) => {
                text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            }
            (Some(Value::Number(number)), Shape::Int) => number.is_i64(),
            (Some(Value::String(_)), Shape::Text) => true,
            (Some(Value::Array(all)), Shape::Texts) => all.iter().all(Value::is_string),
            (Some(Value::Object(all)), Shape::Map) => all.values().all(Value::is_string),
            (Some(Value::String(text)), Shape::Time) => crate::time::Ts::parse(text).is_some(),
            _ => false,
        };
        if !fits {
            return Some(format!("{}: {}", kind.name, field.name));
        }
    }
    let known = |name: &str| {
        ["identifiers", "order_number"].contains(&name) || kind.fields.iter().any(|field| field.name == name)
    };
    data.keys().find(|name| !known(name)).map(|name| format!("{}: {name} is not documented", kind.name))
}

/// The table of kinds as Markdown, for the documentation.
pub fn markdown() -> String {
    let mut text = String::from("| type | when | `data` |\n|---|---|---|\n");
    for kind in KINDS {
        let fields: Vec<String> = kind
            .fields
            .iter()
            .map(|field| format!("`{}`{}", field.name, if field.always { "" } else { "?" }))
            .collect();
        text.push_str(&format!(
            "| `{}` | {} · {} | {} |\n",
            kind.name,
            kind.meaning,
            kind.meaning_zh,
            fields.join(", ")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_once_and_each_field_of_one_too() {
        for (i, kind) in KINDS.iter().enumerate() {
            assert!(KINDS[..i].iter().all(|before| before.name != kind.name), "{}", kind.name);
            let is_plain = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let (thing, what) = kind.name.split_once('.').unwrap();
            assert!(is_plain(thing) && is_plain(what), "{}", kind.name);
            for (j, field) in kind.fields.iter().enumerate() {
                assert!(kind.fields[..j].iter().all(|before| before.name != field.name), "{}", field.name);
            }
        }
    }

    #[test]
    fn a_message_is_held_against_the_table() {
        let tag = kind("member.tag_added").unwrap();
        let id = "0".repeat(32);
        let fits = |data: Value| misfit(tag, data.as_object().unwrap());
        assert_eq!(fits(json!({"member": id, "tag": "vip"})), None);
        assert_eq!(fits(json!({"member": id, "tag": "vip", "identifiers": []})), None);
        for wrong in [
            json!({"member": id}),
            json!({"member": "7", "tag": "vip"}),
            json!({"member": id, "tag": 7}),
            json!({"member": id, "tag": "vip", "phone": "13800138000"}),
        ] {
            assert!(fits(wrong.clone()).is_some(), "{wrong}");
        }
    }
}
