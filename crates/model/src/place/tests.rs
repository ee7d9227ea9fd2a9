//! What is a place and what is none, how an edit comes out, and when a store is open.

use super::tree::{Brand, DEPTH_MAX, Edit, Of, Planned, Tally};
use super::*;

/// Cells from `column=text` parts.
fn cells(text: &str) -> Cells {
    let columns = PLACE_COLUMNS.iter().chain(&STAFF_COLUMNS);
    let known = |name: &str| *columns.clone().find(|column| **column == name).unwrap();
    let parts = text.split('|').filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap())
        .map(|(name, text)| (known(name), text.to_owned()))
        .collect()
}

fn place(text: &str) -> Place {
    Place::read(&cells(text)).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"))
}

const STORE: &str = "code=SH-001|kind=store|parent=east|name_zh=南京东路店|name_en=Nanjing Road|format=mall|lat=31.2353|\
                     lon=121.4753|datum=gcj02|zone=Asia/Shanghai|hours=Mo-Su 10:00-22:00|opens_on=2019-05-01|closed_on=2024-03-01";

#[test]
fn a_place_is_written_as_it_is_read() {
    for text in [
        STORE,
        "code=b|kind=brand|name_zh=名创",
        "code=east|kind=region|parent=b|name_en=East|zone=Asia/Tokyo",
    ] {
        let read = place(text);
        assert_eq!(place_of(&read), read);
        let document = serde_json::to_string(&read.about).unwrap();
        assert_eq!(serde_json::from_str::<About>(&document).unwrap(), read.about, "{document}");
    }
    let staff =
        Staff::read(&cells("code=9527|place=SH-001|name=华安|role=clerk|from=2024-01-01|until=2024-12-31"))
            .unwrap();
    assert_eq!(Staff::read(&staff.cells()).unwrap(), staff);
    let works: Vec<_> = ["2023-12-31", "2024-01-01", "2024-12-31", "2025-01-01"]
        .map(|day| staff.works_on(Day::parse(day).unwrap()))
        .into();
    assert_eq!(works, [false, true, true, false]);
}

fn place_of(read: &Place) -> Place {
    Place::read(&read.cells()).unwrap()
}

#[test]
fn what_is_no_place_is_refused_by_name_with_its_field() {
    let long = "x".repeat(65);
    let longer = "x".repeat(201);
    for (change, code, field) in [
        ("code=", "bad_code", "code"),
        ("code=-1", "bad_code", "code"),
        ("code=a b", "bad_code", "code"),
        ("code=a'b", "bad_code", "code"),
        (&format!("code={long}"), "bad_code", "code"),
        ("kind=", "bad_kind", "kind"),
        ("kind=shop", "bad_kind", "kind"),
        ("kind=Store", "bad_kind", "kind"),
        ("kind=brand", "parent_of_brand", "parent"),
        ("parent=", "parent_missing", "parent"),
        ("parent=;", "bad_code", "parent"),
        ("name_zh=|name_en=", "name_missing", "name_zh"),
        (&format!("name_en={longer}"), "bad_name", "name_en"),
        ("name_zh=a\u{7}b", "bad_name", "name_zh"),
        ("format=kiosk", "bad_format", "format"),
        ("lat=91", "bad_coordinate", "lat"),
        ("lat=north", "bad_coordinate", "lat"),
        ("lon=-180.1", "bad_coordinate", "lon"),
        ("lat=", "location_incomplete", "lat"),
        ("lon=", "location_incomplete", "lon"),
        ("datum=", "location_incomplete", "datum"),
        ("datum=WGS-84", "bad_datum", "datum"),
        ("zone=Asia/Peking", "bad_zone", "zone"),
        ("zone=UTC+8", "bad_zone", "zone"),
        ("hours=always", "bad_hours", "hours"),
        ("opens_on=2019-02-29", "bad_date", "opens_on"),
        ("closed_on=1.3.2024", "bad_date", "closed_on"),
        ("closed_on=2019-04-30", "closed_before_open", "closed_on"),
        ("kind=region", "stores_only", "format"),
        ("kind=region|format=", "stores_only", "lat"),
        ("kind=region|format=|lat=|lon=|datum=", "stores_only", "hours"),
    ] {
        let mut given = cells(STORE);
        given.extend(cells(change));
        let refusal = Place::read(&given).unwrap_err();
        assert_eq!((refusal.code, refusal.field.as_str()), (code, field), "{change}: {}", refusal.message);
    }
    let clerk = "code=1|place=a|name=Ann|role=clerk|from=2024-01-01|until=2024-12-31";
    for (change, code, field) in [
        ("code=", "bad_code", "code"),
        ("place= ", "bad_code", "place"),
        ("name=", "name_missing", "name"),
        ("role=", "bad_role", "role"),
        ("role=Store Manager", "bad_role", "role"),
        ("from=yesterday", "bad_date", "from"),
        ("until=2023-12-31", "until_before_from", "until"),
    ] {
        let mut given = cells(clerk);
        given.extend(cells(change));
        let refusal = Staff::read(&given).unwrap_err();
        assert_eq!((refusal.code, refusal.field.as_str()), (code, field), "{change}: {}", refusal.message);
    }
}

#[test]
fn codes_are_what_retailers_use() {
    for code in ["330", "SH-0012", "沪.01/A", "a_b:c#d+e", "Ж7"] {
        assert_eq!(Code::read("code", code).unwrap().as_str(), code);
    }
}

/// b → (n → (n1, s1), s → s2)
fn brand() -> Brand {
    let places = [
        "code=b|kind=brand|name_en=B",
        "code=n|kind=region|parent=b|name_en=N",
        "code=n1|kind=region|parent=n|name_en=N1",
        "code=s|kind=region|parent=b|name_en=S",
        "code=s1|kind=store|parent=n|name_en=1",
        "code=s2|kind=store|parent=s|name_en=2",
    ];
    let planned = put(&Brand::default(), &places).unwrap();
    assert_eq!(planned.places_tally, Tally { added: 6, changed: 0, unchanged: 0 });
    let places = planned.places.into_iter().map(|place| (place.code.clone(), place)).collect();
    Brand { places, ..Brand::default() }
}

fn put(brand: &Brand, places: &[&str]) -> Result<Planned, Vec<(String, &'static str, String)>> {
    told(Edit::Put { places: places.iter().map(|text| place(text)).collect(), staff: Vec::new() }.plan(brand))
}

fn told(planned: Result<Planned, Vec<tree::Misfit>>) -> Result<Planned, Vec<(String, &'static str, String)>> {
    let tell = |misfit: tree::Misfit| match misfit.of {
        Of::Place(code) => (code.to_string(), misfit.refusal.code, misfit.refusal.field),
        Of::Staff(place, code) => (format!("{place}/{code}"), misfit.refusal.code, misfit.refusal.field),
    };
    planned.map_err(|misfits| misfits.into_iter().map(tell).collect())
}

fn move_to(code: &str, under: &str) -> Result<Planned, Vec<(String, &'static str, String)>> {
    let [code, under] = [code, under].map(|text| Code::read("", text).unwrap());
    told(Edit::Move { code, under }.plan(&brand()))
}

#[test]
fn a_tree_is_put_in_any_order_and_once() {
    let brand = brand();
    let again: Vec<Place> = brand.places.values().rev().cloned().collect();
    let planned = Edit::Put { places: again, staff: Vec::new() }.plan(&brand).unwrap();
    assert!(planned.is_empty());
    assert_eq!(planned.places_tally.unchanged, 6);
}

#[test]
fn what_does_not_fit_is_refused_and_named() {
    let deep: Vec<String> = (0..=DEPTH_MAX)
        .map(|n| {
            let parent = if n == 0 { "b".to_owned() } else { format!("d{}", n - 1) };
            format!("code=d{n}|kind=region|parent={parent}|name_en=D")
        })
        .collect();
    let deep: Vec<&str> = deep.iter().map(String::as_str).collect();
    for (places, expected) in [
        (&["code=x|kind=store|parent=nowhere|name_en=X"][..], &[("x", "parent_unknown")][..]),
        (&["code=x|kind=store|parent=s1|name_en=X"], &[("x", "parent_is_a_store")]),
        (
            &["code=n|kind=store|parent=b|name_en=N"],
            &[("n1", "parent_is_a_store"), ("s1", "parent_is_a_store")],
        ),
        (&["code=n|kind=region|parent=n|name_en=N"], &[("n", "circle")]),
        (&["code=n|kind=region|parent=n1|name_en=N"], &[("n", "circle"), ("n1", "circle")]),
        (
            &["code=s2|kind=store|parent=s|name_en=2", "code=s2|kind=store|parent=n|name_en=2"],
            &[("s2", "code_twice")],
        ),
        (&deep, &[("d63", "too_deep"), ("d64", "too_deep")]),
    ] {
        let faults = put(&brand(), places).unwrap_err();
        let faults: Vec<_> = faults.iter().map(|(of, code, _)| (of.as_str(), *code)).collect();
        assert_eq!(faults, expected);
    }
    assert!(put(&brand(), &deep[..DEPTH_MAX - 1]).is_ok());
    let nobody = Staff::read(&cells("code=1|place=nowhere|name=Ann|role=clerk")).unwrap();
    let edit = Edit::Put { places: Vec::new(), staff: vec![nobody.clone(), nobody] };
    let faults = told(edit.plan(&brand())).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.1).collect::<Vec<_>>(), ["place_unknown", "code_twice"]);
}

#[test]
fn a_subtree_moves_whole_and_never_under_itself() {
    let moved = move_to("n", "s").unwrap();
    assert_eq!(moved.places.len(), 1, "what lies below moves along");
    assert!(move_to("n1", "n").unwrap().is_empty(), "it lies there already");
    for (code, under, fault) in [
        ("n", "n", "circle"),
        ("n", "n1", "circle"),
        ("b", "n", "parent_of_brand"),
        ("n", "s2", "parent_is_a_store"),
        ("x", "n", "place_unknown"),
        ("n", "x", "place_unknown"),
    ] {
        assert_eq!(move_to(code, under).unwrap_err()[0].1, fault, "{code} under {under}");
    }
}

#[test]
fn only_stores_close() {
    let close = |code: &str| {
        let code = Code::read("", code).unwrap();
        told(Edit::Close { code, on: Day::parse("2024-05-01").unwrap() }.plan(&brand()))
    };
    assert_eq!(close("s1").unwrap().places[0].about.closed_on, Day::parse("2024-05-01"));
    assert_eq!(close("n").unwrap_err()[0].1, "not_a_store");
    assert_eq!(close("x").unwrap_err()[0].1, "place_unknown");
}

#[test]
fn a_store_is_open_by_its_own_clock() {
    let nights = "Mo-Th 10:00-22:00; Fr,Sa 18:00-02:00; Su off";
    // 2024-03-01 is a Friday.
    for (hours, zone, at, open) in [
        (nights, "Asia/Shanghai", "2024-02-29T01:59:59Z", false),
        (nights, "Asia/Shanghai", "2024-02-29T02:00:00Z", true),
        (nights, "Asia/Shanghai", "2024-02-29T13:59:59Z", true),
        (nights, "Asia/Shanghai", "2024-02-29T14:00:00Z", false),
        // The same instants on another clock.
        (nights, "America/New_York", "2024-02-29T14:59:59Z", false),
        (nights, "America/New_York", "2024-02-29T15:00:00Z", true),
        (nights, "America/New_York", "2024-03-01T02:59:59Z", true),
        // Friday evening runs into Saturday, Saturday's into Sunday, and Sunday is off.
        (nights, "Asia/Shanghai", "2024-03-01T10:00:00Z", true),
        (nights, "Asia/Shanghai", "2024-03-01T16:00:00Z", true),
        (nights, "Asia/Shanghai", "2024-03-01T17:59:59Z", true),
        (nights, "Asia/Shanghai", "2024-03-01T18:00:00Z", false),
        (nights, "Asia/Shanghai", "2024-03-02T17:59:00Z", true),
        (nights, "Asia/Shanghai", "2024-03-03T04:00:00Z", false),
        (nights, "Asia/Shanghai", "2024-03-03T17:00:00Z", false),
        // Sunday night runs into Monday, over the end of the week.
        ("Su 22:00-04:00", "UTC", "2024-03-04T03:59:00Z", true),
        ("Su 22:00-04:00", "UTC", "2024-03-04T04:00:00Z", false),
        ("24/7", "UTC", "2024-03-04T00:00:00Z", true),
        // On the day of 23 hours the clock jumps from 02:00 to 03:00.
        ("Mo-Su 02:30-03:30", "America/New_York", "2024-03-10T06:59:00Z", false),
        ("Mo-Su 02:30-03:30", "America/New_York", "2024-03-10T07:00:00Z", true),
        ("Mo-Su 02:30-03:30", "America/New_York", "2024-03-10T07:30:00Z", false),
    ] {
        let about = About { hours: Some(Hours::read(hours).unwrap()), ..About::default() };
        let zone = Zone::named(zone).unwrap();
        assert_eq!(about.open_at(&zone, Ts::parse(at).unwrap()), Some(open), "{hours} {} {at}", zone.name());
    }
}

#[test]
fn a_closed_store_is_closed_and_its_last_night_is_not_cut_short() {
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let [opens, closed] = ["2024-02-26", "2024-03-02"].map(Day::parse);
    let hours = Some(Hours::read("Mo-Su 18:00-02:00").unwrap());
    let about = About { hours, opens_on: opens, closed_on: closed, ..About::default() };
    for (at, open) in [
        // The evening before its first day, the night into it, its first evening.
        ("2024-02-25T12:00:00Z", false),
        ("2024-02-25T17:00:00Z", false),
        ("2024-02-26T12:00:00Z", true),
        ("2024-03-01T12:00:00Z", true),
        // It is 01:00 of the day it is closed from: last night is not over yet.
        ("2024-03-01T17:00:00Z", true),
        ("2024-03-01T18:00:00Z", false),
        ("2024-03-02T12:00:00Z", false),
        ("2030-03-02T12:00:00Z", false),
    ] {
        assert_eq!(about.open_at(&zone, Ts::parse(at).unwrap()), Some(open), "{at}");
    }
    let unknown = About { hours: None, ..about };
    assert_eq!(unknown.open_at(&zone, Ts::parse("2024-02-28T12:00:00Z").unwrap()), None);
    assert_eq!(unknown.open_at(&zone, Ts::parse("2030-02-28T12:00:00Z").unwrap()), Some(false));
}
