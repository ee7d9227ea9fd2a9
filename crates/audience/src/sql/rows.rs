//! A member as a line of JSON, as the tables take it.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use zhiyin_condition::{AttributeType, Birthday, EventRow, ItemRow, OrderRow, content, value};
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts, Zone};

use super::Dialect;
use super::said::{kind, text_kind, wide_digits};
use super::tables::{Tables, attribute_column};
use crate::Person;

/// Decimals of a quantity's column.
const QUANTITY_SCALE: u32 = 6;

/// The latest day that has begun at an instant. Where clocks are put back over midnight, that may be the day after the
/// instant's own.
pub(super) fn begun_day(zone: &Zone, at: Ts) -> Day {
    let day = zone.day(at);
    match () {
        () if zone.start(day.plus(1)) <= at => day.plus(1),
        () if zone.start(day) > at => day.plus(-1),
        () => day,
    }
}

fn minute(zone: &Zone, at: Ts) -> i64 {
    zone.time_of_day_us(at) / 60_000_000
}

/// A line that says what is known of a member, as of a version: the change feed's position. It takes the place of lines of
/// older versions, and sent again it changes nothing.
pub fn member_row(person: &Person, tables: &Tables, version: u64) -> String {
    let zone = &tables.zone;
    let mut row = Map::new();
    let mut put = |column: &str, value: Value| {
        row.insert(column.to_owned(), value);
    };
    put("member", json!(person.id.to_string()));
    put("version", json!(version));
    put("gone", json!(0));
    put("tier", json!(person.tier));
    put("lifecycle", json!(person.lifecycle));
    put("store", json!(person.store));
    put("points", json!(person.points));
    put("enrolled_at", json!(person.enrolled_at.map(|at| at.0)));
    put("enrolled_day", json!(person.enrolled_at.map(|at| zone.day(at).0)));
    put("enrolled_minute", json!(person.enrolled_at.map(|at| minute(zone, at))));
    let birthday = person.attributes.get("birthday").and_then(Scalar::text).and_then(Birthday::parse);
    put("birth_year", json!(birthday.and_then(Birthday::year)));
    put("birth_month", json!(birthday.and_then(Birthday::month)));
    put("birth_dom", json!(birthday.and_then(Birthday::day_of_month)));
    put("birth_lunar", json!(birthday.and_then(Birthday::lunar)));
    put("tags", json!(person.tags));
    let current = tables.dialect == Dialect::Current;
    if current {
        put("consents", consents(person, zone));
        put("dependants", dependants(person));
    }
    for (attribute, of) in &tables.attributes {
        if *of == AttributeType::Number && !current {
            continue;
        }
        let scalar = person.attributes.get(attribute);
        put(&attribute_column(attribute, *of), attribute_value(scalar, *of));
    }
    orders(person, tables, &mut put);
    items(person, tables, &mut put);
    events(person, tables, &mut put);
    Value::Object(row).to_string()
}

/// A line that says that there is no such member any more.
pub fn gone_row(member: MemberId, version: u64) -> String {
    json!({ "member": member.to_string(), "version": version, "gone": 1 }).to_string()
}

/// Who a line is of that lies there ([`Tables::lying`]).
pub fn member_of(lying: &str) -> Option<MemberId> {
    let lying: Map<String, Value> = serde_json::from_str(lying).ok()?;
    lying.get("member")?.as_str().and_then(MemberId::from_hex)
}

/// Whether a line that lies there ([`Tables::lying`]) is what was sent of a member ([`member_row`]), whatever its version.
pub fn is_as_said(lying: &str, sent: &str) -> bool {
    let read = |line: &str| serde_json::from_str::<Map<String, Value>>(line);
    let (Ok(lying), Ok(sent)) = (read(lying), read(sent)) else { return false };
    let mut said = sent.iter().filter(|(column, _)| *column != "version");
    said.all(|(column, said)| lying.get(column).is_some_and(|lies| is_one(lies, said)))
}

/// A number is the same whether it is written as one or as text.
fn is_one(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_one(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_one(a, b)))
        }
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            number.to_string() == *text
        }
        _ => a == b,
    }
}

/// An attribute as its declared type has it; of another type it is unknown.
fn attribute_value(scalar: Option<&Scalar>, of: AttributeType) -> Value {
    match (of, scalar) {
        (AttributeType::Bool, Some(Scalar::Bool(value))) => json!(u8::from(*value)),
        (AttributeType::Number, Some(Scalar::Number(number))) => json!(wide_digits(*number)),
        (AttributeType::Text, Some(Scalar::Text(text))) => json!(text),
        (AttributeType::Date, Some(Scalar::Text(text))) => json!(value::day(text).map(|day| day.0)),
        (AttributeType::Texts, Some(Scalar::Texts(texts))) => json!(texts),
        (AttributeType::Texts, _) => json!([]),
        _ => Value::Null,
    }
}

fn consents(person: &Person, zone: &Zone) -> Value {
    let mut said: Vec<Value> = Vec::new();
    for (purpose, channel, words) in person.consents.words() {
        let mut say = |kind: u8, version: &str, at: Ts| {
            said.push(json!([purpose, channel, kind, version, at.0, begun_day(zone, at).0]));
        };
        words.withdrawn.iter().for_each(|word| say(0, "", word.at));
        words.given.iter().for_each(|(version, word)| say(1, version, word.at));
        words.by_guardian.iter().for_each(|(version, word)| say(2, version, word.at));
        words.settled.iter().for_each(|settled| say(3, "", settled.at));
    }
    Value::Array(said)
}

fn dependants(person: &Person) -> Value {
    let known = person.dependants.known().map(|one| {
        let born = one.birthday.map(Day::date);
        let month = born.map(|born| i32::from(born.year()) * 12 + i32::from(born.month()));
        let day = born.map(|born| born.day());
        json!([one.kind, one.gender, one.birthday.map(|day| day.0), month, day, one.due_on.map(|day| day.0)])
    });
    Value::Array(known.collect())
}

/// A quantity in millionths, if it is a whole number of them and its column has room for it.
fn millionths(quantity: Decimal) -> Option<i64> {
    let quantity = quantity.normalize();
    let zeros = QUANTITY_SCALE.checked_sub(quantity.scale())?;
    i64::try_from(quantity.mantissa().checked_mul(10i128.pow(zeros))?).ok()
}

fn column<T>(rows: &[T], value: impl Fn(&T) -> Value) -> Value {
    Value::Array(rows.iter().map(value).collect())
}

fn is_fine(person: &Person) -> bool {
    person.orders.iter().flat_map(|order| &order.items).any(|item| millionths(item.quantity).is_none())
}

fn orders(person: &Person, tables: &Tables, put: &mut impl FnMut(&str, Value)) {
    let mut rows: Vec<&OrderRow> = person.orders.iter().collect();
    rows.sort_by_cached_key(|order| (order.time, content::of_order(order)));
    let zone = &tables.zone;
    put("order_time", column(&rows, |order| json!(order.time.0)));
    put("order_day", column(&rows, |order| json!(zone.day(order.time).0)));
    put("order_minute", column(&rows, |order| json!(minute(zone, order.time))));
    put("order_paid", column(&rows, |order| json!(order.paid.0)));
    put("order_store", column(&rows, |order| json!(order.store)));
    put("order_channel", column(&rows, |order| json!(order.channel)));
    let each = |value: fn(&ItemRow) -> Value| column(&rows, |order| column(&order.items, value));
    put("order_item_product", each(|item| json!(item.product)));
    put("order_item_category", each(|item| json!(item.category)));
    put("order_item_department", each(|item| json!(item.department)));
    put("order_item_quantity", each(|item| json!(millionths(item.quantity).unwrap_or(0))));
    put("order_item_paid", each(|item| json!(item.paid.0)));
    let is_fine = is_fine(person);
    put("fine", json!(u8::from(is_fine)));
    if is_fine && tables.dialect == Dialect::Current {
        put("order_item_quantity_fine", each(|item| json!(wide_digits(item.quantity))));
    }
}

fn items(person: &Person, tables: &Tables, put: &mut impl FnMut(&str, Value)) {
    let mut rows: Vec<(&OrderRow, &ItemRow)> =
        person.orders.iter().flat_map(|order| order.items.iter().map(move |item| (order, item))).collect();
    rows.sort_by_cached_key(|(order, item)| (order.time, content::of_item(order, item)));
    let zone = &tables.zone;
    put("item_time", column(&rows, |(order, _)| json!(order.time.0)));
    put("item_day", column(&rows, |(order, _)| json!(zone.day(order.time).0)));
    put("item_minute", column(&rows, |(order, _)| json!(minute(zone, order.time))));
    put("item_store", column(&rows, |(order, _)| json!(order.store)));
    put("item_channel", column(&rows, |(order, _)| json!(order.channel)));
    put("item_product", column(&rows, |(_, item)| json!(item.product)));
    put("item_category", column(&rows, |(_, item)| json!(item.category)));
    put("item_department", column(&rows, |(_, item)| json!(item.department)));
    put("item_quantity", column(&rows, |(_, item)| json!(millionths(item.quantity).unwrap_or(0))));
    put("item_paid", column(&rows, |(_, item)| json!(item.paid.0)));
    if is_fine(person) && tables.dialect == Dialect::Current {
        put("item_quantity_fine", column(&rows, |(_, item)| json!(wide_digits(item.quantity))));
    }
}

fn events(person: &Person, tables: &Tables, put: &mut impl FnMut(&str, Value)) {
    let mut rows: Vec<&EventRow> = person.events.iter().collect();
    rows.sort_by_cached_key(|event| (event.time, content::of_event(event)));
    let zone = &tables.zone;
    put("event_name", column(&rows, |event| json!(event.name)));
    put("event_time", column(&rows, |event| json!(event.time.0)));
    put("event_day", column(&rows, |event| json!(zone.day(event.time).0)));
    put("event_minute", column(&rows, |event| json!(minute(zone, event.time))));
    put("event_store", column(&rows, |event| json!(event.store)));
    put("event_channel", column(&rows, |event| json!(event.channel)));
    if tables.dialect == Dialect::Current {
        put("event_properties", column(&rows, |event| properties(event)));
    }
}

fn properties(event: &EventRow) -> Value {
    let known = event.properties.iter().filter_map(|(name, value)| {
        let said = match value {
            Scalar::Bool(value) => json!([kind::BOOL, u8::from(*value).to_string(), ""]),
            Scalar::Number(number) => json!([kind::NUMBER, wide_digits(*number), ""]),
            Scalar::Text(text) => {
                let (of, value) = text_kind(text);
                json!([of, value.to_string(), text])
            }
            // Several texts are no single value.
            Scalar::Texts(_) => return None,
        };
        Some((name.clone(), said))
    });
    Value::Object(known.collect())
}
