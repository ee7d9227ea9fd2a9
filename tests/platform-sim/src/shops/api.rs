//! What shops are asked.
//!
//! | method | path | simulated how |
//! |---|---|---|
//! | GET | `/admin/api/VERSION/orders.json` | by `updated_at_min`, pages by `page_info` and a `Link`; a bucket of 40 that leaks 2 a second, 429 with `Retry-After: 2.0` |
//! | GET | `/wp-json/wc/v3/orders` | by `modified_after`, ordered by change, pages by their number |
//! | POST | `/auth/token` | by the app's credentials, good for an hour |
//! | POST | `/api/youzan.trades.sold.get/4.0.0` | by `start_update` and `end_update`, the latest first, pages by their number |

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderMap};
use serde_json::{Value, json};

use super::{On, Order, Shop, shopify, woocommerce, youzan};
use crate::Sim;
use crate::faults::CallFate;
use crate::http::Reply;
use crate::pay::rfc3339;
use crate::world::World;

/// Shopify's bucket: how many at once, and how many a second (shopify.dev, REST rate limits).
const BUCKET: i64 = 40;
const LEAKS_A_SECOND: i64 = 2;
/// How long a token is good, in milliseconds.
const TOKEN_MS: i64 = 3_600_000;

/// Whether a path is one of theirs.
pub fn is_theirs(path: &str) -> bool {
    ["/admin/api/", "/wp-json/", "/auth/token", "/api/youzan."].iter().any(|begins| path.starts_with(begins))
}

/// Answers.
pub fn call(
    sim: &Arc<Sim>,
    path: &str,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Reply {
    sim.with(|world| {
        let fate = world.faults.call_fate(path);
        match fate {
            CallFate::FailsBefore | CallFate::TimesOut => return Reply::Cut,
            CallFate::ServerError => return Reply::text(StatusCode::BAD_GATEWAY, "<html>502</html>"),
            CallFate::Busy => return busy(),
            CallFate::Fine | CallFate::ReplyLost => {}
        }
        let answered = if path.starts_with("/admin/") {
            world.shopify_orders(path, query, headers)
        } else if path.starts_with("/wp-json/") {
            world.woo_orders(path, query, headers)
        } else {
            world.youzan(path, query, body)
        };
        if fate == CallFate::ReplyLost { Reply::Cut } else { answered }
    })
}

fn busy() -> Reply {
    let heads = vec![("retry-after", "2.0".to_owned())];
    Reply::Signed(
        StatusCode::TOO_MANY_REQUESTS,
        heads,
        Bytes::from_static(b"{\"errors\":\"Exceeded 2 calls per second\"}"),
    )
}

fn no(status: StatusCode) -> Reply {
    Reply::json(status, &json!({"errors": status.as_str()}))
}

fn of<'q>(query: &'q BTreeMap<String, String>, name: &str) -> &'q str {
    query.get(name).map(String::as_str).unwrap_or_default()
}

/// Orders by when they changed, the first first.
fn by_change(shop: &Shop) -> Vec<&Order> {
    let mut all: Vec<&Order> = shop.orders.values().collect();
    all.sort_by_key(|order| (order.updated_ms, order.id));
    all
}

impl World {
    fn shopify_orders(&mut self, path: &str, query: &BTreeMap<String, String>, headers: &HeaderMap) -> Reply {
        let now_ms = self.now_ms;
        let Some(shop) = self.shops.open.get_mut(&On::Shopify) else { return no(StatusCode::NOT_FOUND) };
        let leaked = (now_ms - shop.level_ms) * LEAKS_A_SECOND / 1_000;
        if leaked > 0 {
            (shop.level, shop.level_ms) = ((shop.level - leaked).max(0), now_ms);
        }
        if shop.level >= BUCKET {
            return busy();
        }
        shop.level += 1;
        shop.n_asked += 1;
        if headers.get("x-shopify-access-token").and_then(|value| value.to_str().ok())
            != Some(shop.key.as_str())
        {
            return no(StatusCode::UNAUTHORIZED);
        }
        if !path.ends_with("/orders.json") {
            return no(StatusCode::NOT_FOUND);
        }
        let limit: usize = of(query, "limit").parse().unwrap_or(50).clamp(1, 250);
        let all = by_change(shop);
        // What was asked for first and where it goes on from: nothing else may be asked along with it.
        let (since, after) = match query.get("page_info") {
            Some(_) if query.contains_key("status") || query.contains_key("order") => {
                return no(StatusCode::BAD_REQUEST);
            }
            Some(info) => {
                let mut parts = info.split('.').map(|part| part.parse::<i64>().unwrap_or_default());
                (String::new(), (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()))
            }
            None if of(query, "status") != "any" || of(query, "order") != "updated_at asc" => {
                return no(StatusCode::BAD_REQUEST);
            }
            None => (of(query, "updated_at_min").to_owned(), (i64::MIN, 0)),
        };
        let in_utc = |order: &Order| format!("{}Z", woocommerce::gmt(order.updated_ms));
        let rest: Vec<&&Order> = all
            .iter()
            .filter(|order| in_utc(order) >= since && (order.updated_ms, order.id as i64) > after)
            .collect();
        let page: Vec<Value> = rest.iter().take(limit).map(|order| shopify::order(order)).collect();
        let mut heads = Vec::new();
        if let Some(last) = rest.get(limit - 1).filter(|_| rest.len() > limit) {
            let info = format!("{}.{}", last.updated_ms, last.id);
            heads.push((
                "link",
                format!("<https://{}{path}?limit={limit}&page_info={info}>; rel=\"next\"", shop.name),
            ));
        }
        Reply::Signed(StatusCode::OK, heads, Bytes::from(json!({"orders": page}).to_string()))
    }

    fn woo_orders(&mut self, path: &str, query: &BTreeMap<String, String>, headers: &HeaderMap) -> Reply {
        let Some(shop) = self.shops.open.get_mut(&On::WooCommerce) else { return no(StatusCode::NOT_FOUND) };
        shop.n_asked += 1;
        let wanted = format!("Basic {}", STANDARD.encode(&shop.key));
        if headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(wanted.as_str()) {
            return no(StatusCode::UNAUTHORIZED);
        }
        if !path.ends_with("/v3/orders")
            || of(query, "orderby") != "modified"
            || of(query, "dates_are_gmt") != "true"
        {
            return no(StatusCode::BAD_REQUEST);
        }
        let size: usize = of(query, "per_page").parse().unwrap_or(10).clamp(1, 100);
        let page: usize = of(query, "page").parse().unwrap_or(1).max(1);
        let after = of(query, "modified_after");
        let rest =
            by_change(shop).into_iter().filter(|order| woocommerce::gmt(order.updated_ms).as_str() > after);
        let shown: Vec<Value> = rest.skip((page - 1) * size).take(size).map(woocommerce::order).collect();
        Reply::json(StatusCode::OK, &Value::Array(shown))
    }

    fn youzan(&mut self, path: &str, query: &BTreeMap<String, String>, body: &Bytes) -> Reply {
        let now_ms = self.now_ms;
        let token = self.shops.chance.letters(32);
        let Some(shop) = self.shops.open.get_mut(&On::Youzan) else { return no(StatusCode::NOT_FOUND) };
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let gate = |code: i64, says: &str| {
            Reply::json(StatusCode::OK, &json!({"gw_err_resp": {"err_code": code, "err_msg": says}}))
        };
        if path == "/auth/token" {
            let is_ours = asked["client_id"] == shop.key.as_str()
                && asked["client_secret"] == shop.secret.as_str()
                && asked["grant_id"] == shop.name.as_str();
            if !is_ours {
                return gate(4_101, "client_secret 错误");
            }
            let until_ms = now_ms + TOKEN_MS;
            shop.tokens.insert(token.clone(), until_ms);
            let data = json!({"access_token": token, "expires": until_ms, "scope": "trade"});
            return Reply::json(StatusCode::OK, &json!({"success": true, "code": 200, "data": data}));
        }
        if shop.tokens.get(of(query, "access_token")).is_none_or(|until_ms| now_ms >= *until_ms) {
            return gate(4_203, "access_token 已失效");
        }
        shop.n_asked += 1;
        let of = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        let (start, end) = (of("start_update"), of("end_update"));
        let size = asked["page_size"].as_u64().unwrap_or(20).clamp(1, 100) as usize;
        let page = asked["page_no"].as_u64().unwrap_or(1).max(1) as usize;
        let within: Vec<&Order> = by_change(shop)
            .into_iter()
            .rev()
            .filter(|order| (start.clone()..=end.clone()).contains(&youzan::local(order.updated_ms)))
            .collect();
        let shown: Vec<Value> = within
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .map(|order| json!({"full_order_info": youzan::order(order)}))
            .collect();
        let data = json!({"total_results": within.len(), "full_order_info_list": shown});
        Reply::json(
            StatusCode::OK,
            &json!({"success": true, "code": 200, "data": data, "trace_id": rfc3339(now_ms)}),
        )
    }
}
