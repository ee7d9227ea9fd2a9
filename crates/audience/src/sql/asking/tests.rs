//! What is asked looks like this; that it comes to the same as in the columns is proven on ClickHouse (`./run test clickhouse`).

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_condition::{AttributeType, Schema};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

use super::super::{Dialect, value};
use super::*;

fn schema() -> Schema {
    let attributes = [("city", AttributeType::Text), ("birthday", AttributeType::Date)];
    Schema {
        attributes: attributes.into_iter().map(|(name, of)| (name.to_owned(), of)).collect(),
        tiers: ["silver", "gold"].map(str::to_owned).to_vec(),
        ..Schema::default()
    }
}

fn tables(without: &[Part]) -> Tables {
    Tables {
        dialect: Dialect::Current,
        database: "brand".to_owned(),
        cluster: None,
        zone: Zone::named("Asia/Shanghai").unwrap(),
        currency_exponent: 2,
        attributes: BTreeMap::from([("city".to_owned(), AttributeType::Text)]),
        without: BTreeSet::from_iter(without.iter().copied()),
    }
}

fn checked(text: &str) -> Condition {
    Condition::check(text, &schema()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

fn asked() -> Asked {
    Asked { now: Ts::parse("2024-05-01T04:00:00Z").unwrap(), rows_until: None }
}

#[test]
fn only_those_are_asked_whom_somebody_may_see() {
    let (tables, ids) = (tables(&[]), [MemberId::from_bytes([0xab; 16])]);
    let stores = ["S'1".to_owned(), "S2".to_owned()];
    for (among, expected) in [
        (Among::Everyone, ""),
        (Among::Stores(&stores), " AND ifNull(store IN ('S\\'1', 'S2'), 0)"),
        (Among::Stores(&[]), " AND 0"),
        (Among::Members(&ids), " AND ifNull(member IN ('abababababababababababababababab'), 0)"),
    ] {
        let asking = Asking { tables: &tables, asked: asked(), among };
        let expected = format!(
            "SELECT count() FROM `brand`.member FINAL WHERE gone = 0{expected} AND (ifNull(points > (1), 0)) \
             FORMAT TabSeparated"
        );
        assert_eq!(asking.count(&checked("points > 1")), Ok(expected));
    }
}

#[test]
fn what_stays_away_cannot_be_asked_and_is_not_written() {
    for (text, part) in [
        ("store == \"a\"", Part::Store),
        ("age > 20", Part::Birthday),
        ("is_birthday", Part::Birthday),
        ("dependants.exists(d, d.age_months < 3)", Part::Dependants),
        ("size(items) > 1", Part::Items),
        ("orders.exists(o, o.items.exists(i, i.paid > 1))", Part::Items),
        ("events(\"E\").exists(e, e.properties.a == 1)", Part::Properties),
    ] {
        let (all, some) = (tables(&[]), tables(&[part]));
        let count = |tables| Asking { tables, asked: asked(), among: Among::Everyone }.count(&checked(text));
        assert!(count(&all).is_ok(), "{text}");
        let refused = count(&some).unwrap_err().to_string();
        assert!(refused.starts_with(part.name()), "{text}: {refused}");
        assert_ne!(all.fingerprint(), some.fingerprint());
    }
    let everything: Vec<Part> = Part::ALL.to_vec();
    let mut person = crate::Person::gone(MemberId::from_bytes([1; 16]));
    person.store = Some("S1".to_owned());
    person.attributes.insert("birthday".to_owned(), Scalar::Text("1990-05-01".to_owned()));
    person.attributes.insert("city".to_owned(), Scalar::Text("x".to_owned()));
    let trimmed = tables(&everything).trimmed(person.clone());
    assert_eq!((trimmed.store, trimmed.attributes.len()), (None, 1));
    assert_eq!(tables(&[]).trimmed(person.clone()), person);
}

#[test]
fn audiences_lie_over_each_other_by_their_bits() {
    let tables = tables(&[]);
    let asking = Asking { tables: &tables, asked: asked(), among: Among::Everyone };
    let said = asking.overlap(&[checked("points > 1"), checked("tier == \"gold\"")]).unwrap();
    assert!(
        said.starts_with(
            "SELECT toUInt16(ifNull(points > (1), 0)) * 1 + toUInt16(ifNull(tier = 'gold', 0)) * 2 AS "
        ),
        "{said}"
    );
}

#[test]
fn a_value_is_one_column_whatever_it_is() {
    let tables = tables(&[]);
    for (text, expected) in [
        ("points", Some("points")),
        ("tier", Some("toString(tier)")),
        ("enrolled_at", Some("enrolled_at")),
        ("attr.city", Some("toString(`attr:text:city`)")),
        ("points > 3", Some("toUInt8(ifNull(points > (3), 0))")),
    ] {
        let condition = checked(&format!("({text}) != null"));
        let value = value::value(&condition, &tables, asked()).unwrap();
        assert_eq!(value.as_ref().map(|value| value.sql.as_str()), expected, "{text}");
    }
    let tier = checked("(tier) != null");
    assert_eq!(value::number(&tier, &tables, asked()), Ok(None), "a text is nobody's number");
}

#[test]
fn cells_are_read_as_they_were_written() {
    let line = "v张\\t\\\\N\\n\\'\t\\N\t12\t";
    let expected = [Some("v张\t\\N\n'"), None, Some("12"), Some("")];
    assert_eq!(cells(line), expected.map(|cell| cell.map(str::to_owned)));
}
