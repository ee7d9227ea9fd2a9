//! What offers ask: the cart at hand, one item of it, and how far a birthday is. Both evaluators must agree.
#![allow(clippy::unwrap_used, reason = "what cannot be read fails the test that reads it")]

use std::collections::BTreeMap;

use zhiyin_condition::{
    CartItem, CartRow, Condition, Facts, History, LeafStates, Leaves, Schema, Scope, evaluate,
    evaluate_history, holds_in,
};
use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

struct AtTill {
    birthday: Option<Scalar>,
    cart: Option<CartRow>,
    item: Option<CartItem>,
    states: LeafStates,
}

impl Facts for AtTill {
    fn attribute(&self, name: &str) -> Option<&Scalar> {
        self.birthday.as_ref().filter(|_| name == "birthday")
    }
    fn leaves(&self) -> &LeafStates {
        &self.states
    }
    fn cart(&self) -> Option<&CartRow> {
        self.cart.as_ref()
    }
    fn cart_item(&self) -> Option<&CartItem> {
        self.item.as_ref()
    }
}

fn item(product: &str, category: &str, quantity: u32, price: i64) -> CartItem {
    CartItem {
        product: product.into(),
        category: Some(category.into()),
        quantity,
        price: Money(price),
        properties: BTreeMap::from([("size".to_owned(), Scalar::Text("XL".into()))]),
        ..CartItem::default()
    }
}

fn cart() -> CartRow {
    CartRow {
        store: Some("s1".into()),
        channel: Some("store".into()),
        payment: Some("wechat".into()),
        total: Money(6_800),
        pieces: 7,
        items: vec![item("crisps", "food", 5, 800), item("towel", "home", 2, 1_400)],
        ..CartRow::default()
    }
}

fn holds(scope: Scope, text: &str, facts: &AtTill, at: &str) -> bool {
    let mut condition = Condition::check(text, &Schema { scope, ..Schema::default() })
        .unwrap_or_else(|p| panic!("{text}: {p:?}"));
    let leaves = Leaves::collect([&mut condition], Zone::utc(), 2);
    let at = Ts::parse(at).unwrap();
    let held = evaluate(&condition, &leaves, facts, at).value;
    let zone = Zone::utc();
    let history = History { orders: &[], events: &[], zone: &zone, currency_exponent: 2 };
    assert_eq!(held, evaluate_history(&condition, facts, &history, at).value, "{text}");
    assert_eq!(held, holds_in(&condition, &leaves, &zone, facts, at), "{text}");
    held
}

#[test]
fn a_cart_and_its_items_can_be_asked() {
    let with = AtTill { birthday: None, cart: Some(cart()), item: None, states: LeafStates::default() };
    let without = AtTill { birthday: None, cart: None, item: None, states: LeafStates::default() };
    for (text, expected, without_cart) in [
        ("cart.total >= 68", true, false),
        ("cart.total > 68", false, false),
        ("cart.pieces == 7 && size(cart.items) == 2", true, false),
        (
            "cart.payment == \"wechat\" && cart.channel == \"store\" && cart.store in [\"s1\", \"s2\"]",
            true,
            false,
        ),
        ("cart.region == null", true, true),
        ("sum(cart.items.filter(i, i.category == \"food\").map(i, i.quantity)) >= 5", true, false),
        ("cart.items.exists(i, i.price >= 14 && i.properties.size == \"XL\")", true, false),
        ("cart.items.all(i, i.category == \"food\")", false, true),
        ("weekday == \"wed\"", true, true),
    ] {
        assert_eq!(holds(Scope::Cart, text, &with, "2020-05-13T04:00:00Z"), expected, "{text}");
        assert_eq!(holds(Scope::Cart, text, &without, "2020-05-13T04:00:00Z"), without_cart, "{text}");
    }
}

#[test]
fn an_item_is_asked_by_the_bare_names_of_its_fields() {
    let of = AtTill {
        birthday: None,
        cart: None,
        item: Some(item("crisps", "food", 5, 800)),
        states: LeafStates::default(),
    };
    for (text, expected) in [
        ("category == \"food\" && price >= 8", true),
        ("product in [\"nuts\", \"crisps\"]", true),
        ("brand == \"b\" || zone != \"x\"", false),
        ("brand == null", true),
        ("properties.size == \"XL\" && properties.colour == null", true),
        ("quantity * price == 40", true),
    ] {
        assert_eq!(holds(Scope::Item, text, &of, "2020-05-13T04:00:00Z"), expected, "{text}");
    }
}

#[test]
fn days_to_and_since_a_birthday() {
    let born = |day: &str| AtTill {
        birthday: Some(Scalar::Text(day.into())),
        cart: None,
        item: None,
        states: LeafStates::default(),
    };
    for (day, at, to, since) in [
        ("1990-05-13", "2020-05-10T00:00:00Z", 3, 363),
        ("1990-05-13", "2020-05-13T00:00:00Z", 0, 0),
        ("05-13", "2020-05-16T00:00:00Z", 362, 3),
        ("2000-02-29", "2019-02-28T00:00:00Z", 0, 0),
        ("2000-02-29", "2020-02-28T00:00:00Z", 1, 365),
        ("2000-01-01", "2019-12-31T00:00:00Z", 1, 364),
    ] {
        let text = format!("days_to_birthday == {to} && days_since_birthday == {since}");
        assert!(holds(Scope::Member, &text, &born(day), at), "{day} at {at}: {text}");
    }
    assert!(!holds(Scope::Member, "days_to_birthday <= 365", &born("unknown"), "2020-05-13T00:00:00Z"));
}

#[test]
fn what_is_at_hand_elsewhere_is_told() {
    let problem = |scope, text: &str| {
        Condition::check(text, &Schema { scope, ..Schema::default() }).unwrap_err()[0].message.clone()
    };
    assert_eq!(
        problem(Scope::Member, "cart.total > 1"),
        "`cart` is there only where an offer says for which carts it is"
    );
    assert_eq!(
        problem(Scope::Item, "cart.total > 1"),
        "`cart` is there only where an offer says for which carts it is"
    );
    assert_eq!(problem(Scope::Cart, "cart.totl > 1"), "a cart has no field `totl`");
    assert_eq!(problem(Scope::Cart, "category == \"food\""), "nothing is called `category`");
}
