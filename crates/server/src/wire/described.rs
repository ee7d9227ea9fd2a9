//! The wire as the OpenAPI document describes it: Segment's own addresses, and one of each relative.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::answer::Delivered;
use crate::api::endpoint::Endpoint;

/// Codes with which a whole delivery may be refused.
const REFUSALS: &[&str] = &[
    "bad_json",
    "not_utf8",
    "duplicate_key",
    "body_cut_off",
    "body_too_slow",
    "body_too_large",
    "batch_too_large",
    "item_too_large",
    "unpacked_too_large",
    "bad_compression",
    "encoding_unknown",
    "too_many_items",
    "batch_missing",
    "bad_batch",
    "too_many_deliveries",
    "inbox_behind",
    "source_namespace",
];

const ONE: &str = "One item of Segment's wire. Answered when it is on disk; what is wrong with the item itself is said with \
    `Prefer: return=representation`. The key may come as Basic, Bearer, alone in `Authorization`, in `X-Write-Key`, or in the \
    body. A key that lies open (`ingest_public`) may not send what earns, spends or binds others.";
const MANY: &str = "Up to 2,500 items and 500 KB, plain or compressed, with what all share beside them. A bad item does not keep \
    the others out; what became of each is said with `Prefer: return=representation`.";

/// An item of Segment's wire; what else it says is kept.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is described, and read by the wire item by item")]
struct Item {
    /// `identify`, `track`, `page`, `screen`, `group` or `alias`; said by the address where that says it.
    r#type: Option<Value>,
    /// What happened, where it is a `track`.
    event: Option<Value>,
    /// Whom it is about: the brand's own account.
    #[serde(rename = "userId")]
    user_id: Option<Value>,
    /// Whom it is about: a browser or a device.
    #[serde(rename = "anonymousId")]
    anonymous_id: Option<Value>,
    /// What an `alias` says they were called before.
    #[serde(rename = "previousId")]
    previous_id: Option<Value>,
    /// What the sender calls it: what comes again under it is taken once.
    #[serde(rename = "messageId")]
    message_id: Option<Value>,
    /// When it happened, by the sender's clock (RFC 3339).
    timestamp: Option<Value>,
    /// When it was sent, by the sender's clock.
    #[serde(rename = "sentAt")]
    sent_at: Option<Value>,
    /// What is known of the person.
    traits: Option<Value>,
    /// What is said of what happened.
    properties: Option<Value>,
    /// Where and how it happened.
    context: Option<Value>,
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

/// A batch of items.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is described, and read by the wire item by item")]
struct Batch {
    /// The items.
    #[schemars(length(max = 2500))]
    batch: Vec<Value>,
    /// What all of them share, unless they say otherwise.
    context: Option<Value>,
    /// When they were sent, by the sender's clock.
    #[serde(rename = "sentAt")]
    sent_at: Option<Value>,
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

/// Events of PostHog's clients.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is described, and read by the wire item by item")]
struct PostHogBatch {
    /// The events: `event`, `distinct_id`, `uuid`, `timestamp`, `properties`.
    #[schemars(length(max = 2500))]
    batch: Vec<Value>,
    /// The key.
    api_key: Option<Value>,
    /// When they were sent, by the sender's clock.
    sent_at: Option<Value>,
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

/// What is described.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let one = |id, path, english, chinese, example: Value| {
        Endpoint::wire::<Item, Delivered>(id, path).says(english, chinese, ONE).example(example)
    };
    let batch = |id, path, english, chinese| {
        let example = json!({"batch": [{"type": "page", "userId": "42", "messageId": "m-1"}]});
        Endpoint::wire::<Batch, Delivered>(id, path).says(english, chinese, MANY).example(example)
    };
    let posthog = json!({"batch": [{"event": "Product Viewed", "distinct_id": "42", "uuid": "m-2"}]});
    let described = vec![
        one(
            "identify",
            "/v1/identify",
            "Say who somebody is",
            "说明是谁",
            json!({"userId": "42", "traits": {"city": "上海"}}),
        ),
        one(
            "track",
            "/v1/track",
            "Say what happened",
            "记录事件",
            json!({"userId": "42", "event": "Product Viewed", "properties": {"product_id": "p1"}}),
        ),
        one("page", "/v1/page", "Say which page was seen", "浏览页面", json!({"anonymousId": "a1"})),
        one("screen", "/v1/screen", "Say which screen was seen", "浏览屏幕", json!({"userId": "42"})),
        one(
            "group",
            "/v1/group",
            "Say to which group they belong",
            "所属群体",
            json!({"userId": "42", "groupId": "g"}),
        ),
        one(
            "alias",
            "/v1/alias",
            "Say what they were called before",
            "关联旧身份",
            json!({"userId": "42", "previousId": "a1"}),
        ),
        batch("batch", "/v1/batch", "Send many items", "批量发送"),
        batch("import", "/v1/import", "Send many items (the same)", "批量发送（同上）"),
        batch("jitsu_batch", "/api/s/s2s/batch", "As Jitsu's clients send", "Jitsu 客户端"),
        batch("dittofeed_batch", "/api/public/apps/batch", "As Dittofeed's clients send", "Dittofeed 客户端"),
        Endpoint::wire::<PostHogBatch, Delivered>("posthog_batch", "/batch/")
            .says("As PostHog's clients send", "PostHog 客户端", MANY)
            .example(posthog),
    ];
    described.into_iter().map(|endpoint| endpoint.refuses(REFUSALS)).collect()
}
