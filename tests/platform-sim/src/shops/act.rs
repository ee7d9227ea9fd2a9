//! What people and the staff of shops do: buy, pay, change, give back, cancel, ask to be erased.

use serde_json::{Value, json};

use super::{On, Order, Refund, Shop};
use crate::deliver::may_go_to;
use crate::world::{THINGS_MAX, World};

fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, String> {
    let value = body[field].as_str().filter(|text| !text.is_empty() && text.len() <= 4_096);
    value.ok_or_else(|| format!("{field}: a text is wanted"))
}

fn platform(body: &Value) -> Result<On, String> {
    On::named(text(body, "on")?).ok_or_else(|| "on: no platform of this name".to_owned())
}

/// Does what it knows below `shops/`.
pub fn act(world: &mut World, what: &str, body: &Value) -> Result<Value, String> {
    let on = platform(body)?;
    match what {
        "open" => open(world, on, body),
        "order" => order(world, on, body),
        "pay" => changed(world, on, body, "paid", |order, now_ms| {
            if order.paid_ms.is_some() || order.cancelled_ms.is_some() {
                return Err("number: is paid, or cancelled".to_owned());
            }
            order.paid_ms = Some(now_ms);
            Ok(())
        }),
        // Something more is put into it, or something is taken out: what it came to before and what it comes to now.
        "edit" => {
            let cents = body["cents"].as_i64().ok_or("cents: a number is wanted")?;
            changed(world, on, body, "updated", |order, _| {
                let first = order.lines.first_mut().ok_or("number: has no line")?;
                if order.cancelled_ms.is_some() || first.2 + cents < 0 || !order.refunds.is_empty() {
                    return Err("cents: less than nothing, or of an order that stands".to_owned());
                }
                first.2 += cents;
                Ok(())
            })
        }
        "cancel" => changed(world, on, body, "cancelled", |order, now_ms| {
            order.cancelled_ms.get_or_insert(now_ms);
            Ok(())
        }),
        "refund" => refund(world, on, body),
        "redact" => {
            let customer = body["customer"].as_u64().ok_or("customer: a number is wanted")?;
            world.shop_tells_of_customer(on, customer);
            Ok(Value::Null)
        }
        _ => Err(format!("shops/{what}: nothing of this name can be done")),
    }
}

fn open(world: &mut World, on: On, body: &Value) -> Result<Value, String> {
    let notice_url = text(body, "notice_url")?.to_owned();
    if !may_go_to(&notice_url) {
        return Err("notice_url: http on this machine with a port and no query".to_owned());
    }
    let shop = Shop {
        name: text(body, "name")?.to_owned(),
        secret: text(body, "secret")?.to_owned(),
        key: text(body, "key")?.to_owned(),
        notice_url,
        orders: Default::default(),
        level: 0,
        level_ms: world.now_ms,
        tokens: Default::default(),
        n_asked: 0,
        last: None,
    };
    world.shops.open.insert(on, shop);
    Ok(Value::Null)
}

fn order(world: &mut World, on: On, body: &Value) -> Result<Value, String> {
    let id = world.shops.id();
    let now_ms = world.now_ms;
    let number = text(body, "number")?.to_owned();
    let mut lines = Vec::new();
    for line in body["lines"].as_array().into_iter().flatten() {
        let (pieces, cents) =
            (line["pieces"].as_i64().unwrap_or(1), line["cents"].as_i64().unwrap_or_default());
        lines.push((text(line, "product")?.to_owned(), pieces, cents));
    }
    let is_paid = body["paid"].as_bool().unwrap_or(true);
    let order = Order {
        id,
        number: number.clone(),
        customer: body["customer"].as_u64().unwrap_or_default(),
        phone: body["phone"].as_str().unwrap_or_default().to_owned(),
        email: body["email"].as_str().unwrap_or_default().to_owned(),
        lines,
        shipping_cents: body["shipping"].as_i64().unwrap_or_default(),
        created_ms: now_ms,
        updated_ms: now_ms,
        paid_ms: is_paid.then_some(now_ms),
        cancelled_ms: None,
        refunds: Vec::new(),
    };
    let shop = world.shops.open.get_mut(&on).ok_or("on: is not open")?;
    if shop.orders.contains_key(&number) || shop.orders.len() >= THINGS_MAX {
        return Err("number: is an order's already".to_owned());
    }
    shop.orders.insert(number.clone(), order);
    world.shop_tells(on, &number, "created");
    if is_paid {
        world.shop_tells(on, &number, "paid");
    }
    Ok(json!({"id": id}))
}

fn changed(
    world: &mut World,
    on: On,
    body: &Value,
    what: &str,
    change: impl FnOnce(&mut Order, i64) -> Result<(), String>,
) -> Result<Value, String> {
    let (now_ms, number) = (world.now_ms, text(body, "number")?.to_owned());
    let shop = world.shops.open.get_mut(&on).ok_or("on: is not open")?;
    let order = shop.orders.get_mut(&number).ok_or("number: nobody ordered it")?;
    change(order, now_ms)?;
    order.updated_ms = now_ms;
    world.shop_tells(on, &number, what);
    Ok(Value::Null)
}

fn refund(world: &mut World, on: On, body: &Value) -> Result<Value, String> {
    let (id, cents) = (
        world.shops.id(),
        body["cents"].as_i64().filter(|cents| *cents > 0).ok_or("cents: a number is wanted")?,
    );
    changed(world, on, body, "refunded", |order, at_ms| {
        if order.paid_ms.is_none()
            || order.cancelled_ms.is_some()
            || order.back_cents() + cents > order.total_cents()
        {
            return Err("cents: more than was paid".to_owned());
        }
        order.refunds.push(Refund { id, cents, at_ms });
        Ok(())
    })
}
