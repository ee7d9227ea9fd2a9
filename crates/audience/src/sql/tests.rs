//! What statements look like, and what is refused. That they mean the same is proven on ClickHouse (`./run test clickhouse`).

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_condition::{AttributeType, Condition, Schema, Scope};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::{Ts, Zone};

use super::*;

fn schema(scope: Scope) -> Schema {
    let attributes = [
        ("city", AttributeType::Text),
        ("spend", AttributeType::Number),
        ("due", AttributeType::Date),
        ("it's `odd`\\", AttributeType::Text),
    ];
    Schema {
        attributes: attributes.into_iter().map(|(name, of)| (name.to_owned(), of)).collect(),
        tiers: ["silver", "gold"].map(str::to_owned).to_vec(),
        scope,
        ..Schema::default()
    }
}

fn tables(dialect: Dialect) -> Tables {
    Tables {
        dialect,
        database: "brand".to_owned(),
        cluster: None,
        zone: Zone::named("Asia/Shanghai").unwrap(),
        currency_exponent: 2,
        attributes: schema(Scope::Member).attributes,
        without: BTreeSet::new(),
    }
}

/// Noon of 2024-05-01 in Shanghai.
fn asked() -> Asked {
    Asked { now: Ts::parse("2024-05-01T04:00:00Z").unwrap(), rows_until: None }
}

fn written(text: &str, scope: Scope, dialect: Dialect) -> Result<String, String> {
    let condition =
        Condition::check(text, &schema(scope)).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    expression(&condition, &tables(dialect), asked()).map_err(|refused| refused.to_string())
}

#[test]
fn what_is_common_is_a_plain_comparison_of_integers() {
    for (text, expected) in [
        ("attr.city == \"上海\"", "ifNull(`attr:text:city` = '上海', 0)"),
        ("points > 10", "ifNull(points > (10), 0)"),
        (
            "size(within(orders, \"30d\")) >= 4",
            "ifNull(toInt64(arrayCount((day_1) -> day_1 >= 19814 AND day_1 <= 19844, order_day)) >= (4), 0)",
        ),
        (
            "items.exists(i, i.category == \"food\" && i.paid > 1.5)",
            "arrayExists((category_1, paid_1) -> (ifNull(category_1 = 'food', 0) AND ifNull(paid_1 > (150), 0)), \
             item_category, item_paid)",
        ),
    ] {
        assert_eq!(written(text, Scope::Member, Dialect::Current).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn texts_and_names_stay_what_they_are() {
    assert_eq!(quoted("O'Neill\\ \0\n"), "'O\\'Neill\\\\ \\0\n'");
    assert_eq!(name("a`b\\"), "`a\\`b\\\\`");
    let made = tables(Dialect::Current).migrations(None).unwrap().join("\n");
    assert!(
        made.contains("ADD COLUMN IF NOT EXISTS `attr:text:it's \\`odd\\`\\\\` Nullable(String)"),
        "{made}"
    );
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    let chain =
        (0..12).fold("orders.map(x, x.paid / 3)".to_owned(), |chain, _| format!("{chain}.map(n, n * n)"));
    for (text, scope, dialect, at) in [
        ("event.properties.a == 1", Scope::Event, Dialect::Current, "the event or order at hand"),
        (
            "order.items.exists(i, i.category == \"a\")",
            Scope::Event,
            Dialect::Current,
            "the event or order at hand",
        ),
        ("sum(orders.map(o, o.paid)) > 3", Scope::Member, Dialect::Old, "a number of more than 64 bits"),
        ("attr.spend > 3", Scope::Member, Dialect::Old, "attr.spend"),
        ("events(\"E\").exists(e, e.properties.a == 1)", Scope::Member, Dialect::Old, "event_properties"),
        (
            "events(\"E\").exists(e, (e.store == \"a\" ? e.properties.a : e.store) > attr.due)",
            Scope::Member,
            Dialect::Current,
            "a text or a property",
        ),
        (&format!("sum({chain}) > 1"), Scope::Member, Dialect::Current, "map"),
    ] {
        let refused = written(text, scope, dialect).err().unwrap_or_else(|| panic!("{text} is not refused"));
        assert!(refused.starts_with(&format!("{at} cannot be asked of ClickHouse: ")), "{text}: {refused}");
    }
    // Of an attribute that the tables do not have.
    let condition = Condition::check("attr.city == \"a\"", &schema(Scope::Member)).unwrap();
    let bare = Tables { attributes: BTreeMap::new(), ..tables(Dialect::Current) };
    assert!(expression(&condition, &bare, asked()).unwrap_err().to_string().starts_with("attr.city cannot"));
}

#[test]
fn pages_follow_each_other_in_the_order_of_ids() {
    let condition = Condition::check("points > 1", &schema(Scope::Member)).unwrap();
    let after = Some(MemberId::from_bytes([0xab; 16]));
    let page =
        statement(&condition, &tables(Dialect::Current), asked(), Wanted::Page { after, limit: 7 }).unwrap();
    let expected = "SELECT member FROM `brand`.member FINAL WHERE gone = 0 AND (ifNull(points > (1), 0)) \
                    AND member > 'abababababababababababababababab' ORDER BY member LIMIT 7 FORMAT TabSeparated";
    assert_eq!(page, expected);
}

#[test]
fn tables_of_a_newer_release_are_left_alone() {
    let tables = tables(Dialect::Current);
    assert_eq!(
        tables.migrations(Some(tables::VERSION + 1)),
        Err(tables::TooNew { found: tables::VERSION + 1 })
    );
    assert_eq!(tables.migrations(Some(tables::VERSION)), tables.migrations(None));
}
