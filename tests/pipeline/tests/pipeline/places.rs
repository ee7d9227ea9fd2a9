//! The brand's tree: taken in from files, told as it was, and reports cut by it against sums made another way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zhiyin_engine::EngineError;
use zhiyin_engine::places::Imported;
use zhiyin_engine::places::file::write;
use zhiyin_engine::reports::{Report, Table};
use zhiyin_model::place::Code;
use zhiyin_model::place::tree::{Edit, Tally};
use zhiyin_model::time::{Day, Zone};

use crate::home::{Home, at};
use crate::items::{refund, track};
use crate::playbooks::MONTH;

/// b → (east → (sh → (s1, s2), s3), west → s4)
const PLACES: &str = "\
code,kind,parent,name_zh,name_en,format,lat,lon,datum,zone,hours,opens_on,closed_on
s1,store,sh,一店,One,mall,31.2304,121.4737,gcj02,,Mo-Su 10:00-22:00,2019-05-01,
s2,store,sh,\"二店, 分店\",,street,,,,Asia/Tokyo,Mo-Su 18:00-02:00,,
s3,store,east,,Three,,,,,,,,
s4,store,west,,Four,online,,,,,24/7,,
sh,region,east,上海,Shanghai,,,,,Asia/Shanghai,,,
east,region,b,,East,,,,,,,,
west,region,b,,West,,,,,,,,
b,brand,,品牌,Brand,,,,,,,,
";
const STAFF: &str = "code,place,name,role,from,until\n1,s1,华安,manager,2019-05-01,\n2,s1,Ann,clerk,,2024-12-31\n1,sh,华安,advisor,,\n";

async fn import(home: &Home, places: &str, staff: &str) -> Imported {
    let given = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec());
    let (places, staff) = (given(places), given(staff));
    home.engine().import_places(places.as_deref(), staff.as_deref(), "test", false).await.unwrap()
}

fn tally(added: usize, changed: usize, unchanged: usize) -> Tally {
    Tally { added, changed, unchanged }
}

async fn with_tree() -> Home {
    let home = Home::new(MONTH).await;
    home.now_is(at("2024-05-01T00:00:00Z")).await;
    let imported = import(&home, PLACES, STAFF).await;
    assert_eq!(imported.faults, []);
    assert_eq!((imported.written.places, imported.written.staff), (tally(8, 0, 0), tally(3, 0, 0)));
    home
}

#[tokio::test]
async fn a_file_taken_in_twice_changes_nothing_the_second_time() {
    let home = with_tree().await;
    let before = (home.digest().await, home.engine().places().await.unwrap());
    let again = import(&home, PLACES, STAFF).await;
    assert_eq!((again.written.places, again.written.staff), (tally(0, 0, 8), tally(0, 0, 3)));
    assert_eq!((home.digest().await, home.engine().places().await.unwrap()), before);
    let codes: Vec<_> = before.1.nodes().iter().map(|node| (node.level, node.place.code.as_str())).collect();
    let walk = [(0, "b"), (1, "east"), (2, "s3"), (2, "sh"), (3, "s1"), (3, "s2"), (1, "west"), (2, "s4")];
    assert_eq!(codes, walk);
}

#[tokio::test]
async fn a_column_that_is_not_there_stays_and_an_empty_cell_empties() {
    let home = with_tree().await;
    let imported =
        import(&home, "code,hours,name_zh\ns1,Mo-Fr 09:00-17:00,\ns2,,二店\n", "code,place,until\n2,s1,\n")
            .await;
    assert_eq!(imported.faults, []);
    assert_eq!((imported.written.places, imported.written.staff), (tally(0, 2, 0), tally(0, 1, 0)));
    let tree = home.engine().places().await.unwrap();
    let (one, two) = (tree.get("s1").unwrap(), tree.get("s2").unwrap());
    assert_eq!(
        one.about.hours.as_ref().map(ToString::to_string).as_deref(),
        Some("Mo-Fr 09:00-17:00; Sa-Su off")
    );
    assert_eq!((one.about.names.zh.as_deref(), one.about.names.en.as_deref()), (None, Some("One")));
    assert!(
        one.about.location.is_some() && one.parent.as_ref().is_some_and(|parent| parent.as_str() == "sh")
    );
    assert_eq!((two.about.hours.as_ref(), two.about.zone.as_deref()), (None, Some("Asia/Tokyo")));
    let clerk = &tree.staff_of(&one.code)[1];
    assert_eq!((clerk.name.as_str(), clerk.until), ("Ann", None));
}

#[tokio::test]
async fn a_file_with_a_fault_is_told_line_by_line_and_nothing_of_it_is_written() {
    let home = with_tree().await;
    let before = home.digest().await;
    for (places, staff, expected) in [
        ("kind\nstore\n", "", &["line 1: code bad_head"][..]),
        ("code,colour\ns9,red\n", "", &["line 1: colour bad_head"]),
        (
            "code,kind,parent,name_en\ns9,store,sh,Nine\ns8,shop,sh,Eight\n,store,sh,None\n",
            "",
            &["line 3: kind bad_kind", "line 4: code bad_code"],
        ),
        ("code,kind,parent,name_en\ns9,store,sh,Nine\ns9,store,sh,Nine\n", "", &["line 3: code code_twice"]),
        ("code,kind,parent,name_en\ns9,store,nowhere,Nine\n", "", &["line 2: parent parent_unknown"]),
        ("code,kind,parent,name_en\ns9,store,s1,Nine\n", "", &["line 2: parent parent_is_a_store"]),
        (
            "code,parent\nwest,sh\neast,west\n",
            "",
            &["line 3: parent circle", "-: parent circle", "line 2: parent circle"],
        ),
        (
            "code,kind,format\nsh,store,mall\n",
            "",
            &["-: parent parent_is_a_store", "-: parent parent_is_a_store"],
        ),
        ("code,lat\ns1,91\n", "", &["line 2: lat bad_coordinate"]),
        ("code,zone\ns1,Mars\ns2\n", "", &["line 3:  bad_row", "line 2: zone bad_zone"]),
        ("", "code,place,name,role\n9,nowhere,Ann,clerk\n", &["line 2: place place_unknown"]),
        (
            "",
            "code,place,name,role\n9,s1,,clerk\n9,s1,Ann,Clerk\n",
            &["line 2: name name_missing", "line 3: role bad_role"],
        ),
        // The fault of one file keeps the other out as well.
        (
            "code,kind,parent,name_en\ns9,store,sh,Nine\n",
            "code,place,name,role\n9,s9,Ann,\n",
            &["line 2: role bad_role"],
        ),
    ] {
        let imported = import(&home, places, staff).await;
        let told: Vec<String> = imported
            .faults
            .iter()
            .map(|fault| {
                let line = fault.line.map_or("-".to_owned(), |line| format!("line {line}"));
                format!("{line}: {} {}", fault.refusal.field, fault.refusal.code)
            })
            .collect();
        let (mut told, mut expected) = (told, expected.to_vec());
        told.sort();
        expected.sort_unstable();
        assert_eq!(told, expected, "{places}{staff}");
        assert_eq!(home.digest().await, before, "{places}{staff}");
    }
    let tried =
        home.engine().import_places(Some(b"code,name_en\ns1,Uno\n"), None, "test", true).await.unwrap();
    assert_eq!((tried.faults.len(), tried.written.places), (0, tally(0, 1, 0)));
    assert_eq!(home.digest().await, before);
}

#[tokio::test]
async fn what_is_written_out_is_taken_in_as_the_same() {
    let (home, other) = (with_tree().await, Home::new(MONTH).await);
    let tree = home.engine().places().await.unwrap();
    let (places, staff) = write(&tree).unwrap();
    let (places, staff) = (String::from_utf8(places).unwrap(), String::from_utf8(staff).unwrap());
    assert_eq!(import(&other, &places, &staff).await.faults, []);
    let back = other.engine().places().await.unwrap();
    assert_eq!(back.nodes(), tree.nodes());
    assert_eq!(write(&back).unwrap(), (places.clone().into_bytes(), staff.clone().into_bytes()));
    let again = import(&home, &places, &staff).await;
    assert_eq!((again.written.places, again.written.staff), (tally(0, 0, 8), tally(0, 0, 3)));
}

fn code(text: &str) -> Code {
    Code::read("code", text).unwrap()
}

#[tokio::test]
async fn the_tree_of_a_past_day_is_as_it_was_at_its_end() {
    let home = with_tree().await;
    let engine = home.engine();
    let held = engine.places().await.unwrap();
    home.now_is(at("2024-05-10T09:00:00Z")).await;
    let moved = Edit::Move { code: code("sh"), under: code("west") };
    assert!(engine.edit_places(moved, "ann").await.unwrap().is_ok());
    home.now_is(at("2024-05-20T09:00:00Z")).await;
    let closed = Edit::Close { code: code("s2"), on: Day::parse("2024-05-21").unwrap() };
    assert!(engine.edit_places(closed, "bob").await.unwrap().is_ok());
    // (day, path of s1, whether s2 is to close)
    for (day, path, closes) in [
        ("2024-04-30", "", false),
        ("2024-05-01", "b/east/sh/s1", false),
        ("2024-05-09", "b/east/sh/s1", false),
        ("2024-05-10", "b/west/sh/s1", false),
        ("2024-05-20", "b/west/sh/s1", true),
    ] {
        let tree = engine.places_at(Day::parse(day).unwrap()).await.unwrap();
        let codes: Vec<&str> = tree.path("s1").iter().map(|place| place.code.as_str()).collect();
        assert_eq!(codes.join("/"), path, "{day}");
        assert_eq!(tree.get("s2").is_some_and(|place| place.about.closed_on.is_some()), closes, "{day}");
    }
    let future = engine.places_at(Day::parse("2024-05-22").unwrap()).await;
    assert!(matches!(future, Err(EngineError::AsOfFuture(..))));
    let whole = engine.place("sh").await.unwrap();
    assert_eq!(whole.history.iter().map(|past| past.by.as_str()).collect::<Vec<_>>(), ["test", "ann"]);
    assert!(matches!(engine.place("nowhere").await, Err(EngineError::NoPlace(_))));
    // Another process sees the change: what it holds in memory is read anew.
    assert_ne!(*engine.places().await.unwrap(), *held);
    let other = home.second_engine().await;
    assert_eq!(*other.places().await.unwrap(), *engine.places().await.unwrap());
    other.edit_places(Edit::Move { code: code("sh"), under: code("east") }, "eve").await.unwrap().unwrap();
    let path: Vec<_> =
        engine.places().await.unwrap().path("s1").iter().map(|place| place.code.to_string()).collect();
    assert_eq!(path, ["b", "east", "sh", "s1"]);
}

#[tokio::test]
async fn a_store_opens_by_the_nearest_clock_above_it() {
    let home = with_tree().await;
    let tree = home.engine().places().await.unwrap();
    let utc = Zone::utc();
    for (store, zone) in [("s1", "Asia/Shanghai"), ("s2", "Asia/Tokyo"), ("s3", "UTC"), ("b", "UTC")] {
        assert_eq!(tree.zone_of(store, &utc).name(), zone, "{store}");
    }
    for (store, instant, open) in [
        ("s1", "2024-05-02T01:59:59Z", Some(false)),
        ("s1", "2024-05-02T02:00:00Z", Some(true)),
        ("s1", "2019-04-30T04:00:00Z", Some(false)),
        ("s2", "2024-05-02T16:59:59Z", Some(true)),
        ("s2", "2024-05-02T17:00:00Z", Some(false)),
        ("s3", "2024-05-02T12:00:00Z", None),
        ("s4", "2024-05-02T12:00:00Z", Some(true)),
        ("nowhere", "2024-05-02T12:00:00Z", None),
    ] {
        assert_eq!(tree.is_open(store, &utc, at(instant)), open, "{store} {instant}");
    }
}

/// Numbers that look drawn, from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Where orders are made: the tree's stores, one that no place bears, one that no place could be called, and nowhere.
const STORES: [Option<&str>; 7] =
    [Some("s1"), Some("s2"), Some("s3"), Some("s4"), Some("404"), Some("a b"), None];

/// What an order came to, by hand.
struct Told {
    who: String,
    store: Option<&'static str>,
    paid: i64,
    refunded: i64,
}

/// A month of orders of twelve members, some of them refunded, in part or whole.
fn month(seed: u64) -> (Vec<Value>, Vec<Told>) {
    let mut chance = Chance(seed);
    let (mut items, mut told) = (Vec::new(), Vec::new());
    for n in 0..150u64 {
        let (day, hour) = (1 + n / 6, 2 * (n % 6));
        let when = format!("2024-04-{day:02}T{hour:02}:00:00Z");
        let who = format!("m{}", chance.below(12));
        let store = STORES[usize::try_from(chance.below(7)).unwrap()];
        let paid = i64::try_from(1 + chance.below(90)).unwrap();
        let mut properties = json!({"order_id": format!("o{n}"), "total": paid});
        if let Some(store) = store {
            properties["store_id"] = json!(store);
        }
        items.push(track(&format!("i{n}"), &who, "Order Completed", &when, properties));
        let refunded = [0, 0, 0, paid, paid / 2][usize::try_from(chance.below(5)).unwrap()];
        if refunded > 0 {
            let later = format!("2024-04-{day:02}T{:02}:30:00Z", hour + 1);
            items.push(refund(&format!("r{n}"), &who, &format!("o{n}"), &later, &refunded.to_string()));
        }
        told.push(Told { who, store, paid, refunded });
    }
    (items, told)
}

fn number(table: &Table, row: &[String], column: &str) -> i64 {
    let at = table.columns.iter().position(|name| name == column).unwrap();
    row[at].parse().unwrap()
}

fn sum(table: &Table, column: &str) -> i64 {
    table.rows.iter().map(|row| number(table, row, column)).sum()
}

#[tokio::test]
async fn a_report_is_cut_by_a_place_as_reckoned_by_hand() {
    for seed in [1, 2, 3] {
        let home = Home::new(MONTH).await;
        let (items, told) = month(seed);
        home.live_through(&items).await;
        home.now_is(at("2024-04-27T00:00:00Z")).await;
        import(&home, PLACES, "").await;
        let engine = home.engine();
        // By hand: where each was last, and what each store came to.
        let mut last: BTreeMap<&str, &str> = BTreeMap::new();
        for told in &told {
            if let Some(store) = told.store {
                last.insert(&told.who, store);
            }
        }
        let everybody: BTreeSet<&str> = told.iter().map(|told| told.who.as_str()).collect();
        let counts = |told: &&Told| told.refunded < told.paid;
        let whole = engine.report(Report::Members, None).await.unwrap();
        let by_place = engine.report(Report::Places, None).await.unwrap();
        for (under, stores) in [
            ("b", &["s1", "s2", "s3", "s4"][..]),
            ("east", &["s1", "s2", "s3"]),
            ("sh", &["s1", "s2"]),
            ("west", &["s4"]),
            ("s3", &["s3"]),
        ] {
            let here = |store: Option<&str>| store.is_some_and(|store| stores.contains(&store));
            let orders: Vec<&Told> = told.iter().filter(counts).filter(|told| here(told.store)).collect();
            let n_orders = i64::try_from(orders.len()).unwrap();
            let paid: i64 = orders.iter().map(|told| 100 * (told.paid - told.refunded)).sum();
            let members: BTreeSet<&str> =
                last.iter().filter(|(_, store)| stores.contains(store)).map(|(who, _)| *who).collect();
            let n_members = i64::try_from(members.len()).unwrap();
            // Points and growth of those who belong, from the report of all.
            let of_members = |column: &str| -> i64 {
                let belong = whole.rows.iter().filter(|row| members.contains(row[0].as_str()));
                belong.map(|row| number(&whole, row, column)).sum()
            };
            let expected = [n_members, n_orders, paid, of_members("points"), of_members("growth")];
            for report in [Report::Tiers, Report::Lifecycle] {
                let table = engine.report_under(report, None, Some(under)).await.unwrap();
                let got =
                    ["members", "orders", "paid_cents", "points", "growth"].map(|column| sum(&table, column));
                assert_eq!(got, expected, "seed {seed}, {report:?} under {under}");
                assert!(table.cut.is_some_and(|cut| cut.contains(under)));
            }
            let table = engine.report_under(Report::Members, None, Some(under)).await.unwrap();
            assert_eq!((sum(&table, "orders"), sum(&table, "paid_cents")), (n_orders, paid));
            let belong: BTreeSet<&str> =
                table.rows.iter().filter(|row| row[7] == "yes").map(|row| row[0].as_str()).collect();
            assert_eq!(belong, members, "seed {seed}, under {under}");
            let ledger = engine.report_under(Report::Ledger, None, Some(under)).await.unwrap();
            let growth = ledger.rows.iter().find(|row| row[0] == "growth" && row[1] == "balance").unwrap();
            // Ten for each yuan that was kept, wherever they paid it.
            let theirs = told.iter().filter(|told| members.contains(told.who.as_str()));
            let kept: i64 = theirs.map(|told| 10 * (told.paid - told.refunded)).sum();
            assert_eq!(number(&ledger, growth, "amount"), kept, "seed {seed}, under {under}");
            // The tree's own report, whole and cut.
            let row = by_place.rows.iter().find(|row| row[1] == under).unwrap();
            let got = ["members", "orders", "paid_cents"].map(|column| number(&by_place, row, column));
            assert_eq!(got, [n_members, n_orders, paid], "seed {seed}, {under}");
            let cut = engine.report_under(Report::Places, None, Some(under)).await.unwrap();
            assert_eq!(cut.rows.first(), Some(row));
        }
        let total = by_place.rows.last().unwrap();
        let n_orders = i64::try_from(told.iter().filter(counts).count()).unwrap();
        let n_members = i64::try_from(everybody.len()).unwrap();
        assert_eq!(
            [number(&by_place, total, "members"), number(&by_place, total, "orders")],
            [n_members, n_orders]
        );
        let cut = engine.report_under(Report::Tiers, None, Some("nowhere")).await;
        assert!(matches!(cut, Err(EngineError::NoPlace(_))));
    }
}

#[tokio::test]
async fn stores_that_orders_name_and_no_place_bears_are_kept_and_counted() {
    let home = Home::new(MONTH).await;
    let (items, told) = month(7);
    home.live_through(&items).await;
    home.now_is(at("2024-04-27T00:00:00Z")).await;
    import(&home, "code,kind,parent,name_en\nb,brand,,B\ns1,store,b,One\n", "").await;
    let engine = home.engine();
    let seen: BTreeMap<String, i64> =
        engine.unknown_stores().await.unwrap().into_iter().map(|seen| (seen.store, seen.orders)).collect();
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for store in told.iter().filter_map(|told| told.store).filter(|store| *store != "s1") {
        *expected.entry(store.to_owned()).or_default() += 1;
    }
    assert_eq!(seen, expected);
    let made = engine.places_from_orders(code("b"), 1, "test").await.unwrap();
    assert_eq!(made.edited.unwrap().places, tally(6, 0, 0));
    assert_eq!(made.left_out, ["a b"]);
    let tree = engine.places().await.unwrap();
    let walk: Vec<&str> = tree.nodes().iter().map(|node| node.place.code.as_str()).collect();
    assert_eq!(walk, ["b", "b.4", "404", "b.s", "s2", "s3", "s4", "s1"]);
    let again = engine.places_from_orders(code("b"), 1, "test").await.unwrap();
    assert_eq!(again.edited.unwrap().places, tally(0, 0, 0));
    let fresh = engine.places_from_orders(code("s1"), 0, "test").await.unwrap();
    assert!(fresh.edited.is_ok(), "there is nothing left to put under a store");
}
