//! A snapshot is begun from only where it is whole, of this home and of this layout; whatever else it is, it is refused by name.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use zhiyin_audience::snapshot::{NoSnapshot, Stamp, forget};
use zhiyin_audience::{Budget, Change, Layout, Person, Population, Question};
use zhiyin_condition::{AttributeType, Condition, EventRow, ItemRow, OrderRow, Schema};
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zhiyin-snapshot-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
    fn path(&self) -> &Path {
        &self.0
    }
    fn blocks(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|ext| ext == "block")).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn layout(zone: &str) -> Layout {
    let attributes = BTreeMap::from([("city".to_owned(), AttributeType::Text)]);
    Layout { zone: Zone::named(zone).unwrap(), currency_exponent: 2, attributes }
}

fn somebody(n: u32) -> Person {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    let mut person = Person::gone(MemberId::from_bytes(id));
    person.attributes.insert("city".to_owned(), Scalar::Text(format!("c{}", n % 50)));
    person.tags = if n.is_multiple_of(7) { vec!["vip".to_owned()] } else { Vec::new() };
    person.points = i64::from(n % 900);
    let item = |quantity: &str| ItemRow {
        product: format!("p{}", n % 400).into(),
        category: Some(format!("k{}", n % 9).into()),
        department: None,
        quantity: quantity.parse().unwrap(),
        paid: Money(i64::from(n)),
    };
    let order = |time: i64| OrderRow {
        time: Ts(time * 1_000_000),
        paid: Money(i64::from(n * 2)),
        store: Some("s1".into()),
        channel: None,
        items: vec![item("1"), item("0.125")],
    };
    person.orders = (0..i64::from(n % 4)).map(|k| order(k * 100_000 + i64::from(n))).collect();
    if n.is_multiple_of(5) {
        person.events.push(EventRow {
            name: "Coupon Redeemed".into(),
            time: Ts(i64::from(n)),
            store: None,
            channel: None,
            properties: BTreeMap::from([("amount".to_owned(), Scalar::Number(n.into()))]),
        });
    }
    person
}

const N: u32 = 70_000;
const ASKED: [&str; 4] = [
    "\"vip\" in tags && attr.city == \"c7\"",
    "points > 800",
    "sum(items.filter(i, i.category == \"k3\").map(i, i.quantity)) > 2",
    "events(\"Coupon Redeemed\").exists(e, e.properties.amount > 1000)",
];

fn answers(population: &Population) -> Vec<Vec<MemberId>> {
    let schema = Schema {
        attributes: population.layout().attributes.clone(),
        tags: ["vip".to_owned()].into(),
        ..Schema::default()
    };
    let seen = population.seen();
    let ask = |text: &str| {
        let condition = Condition::check(text, &schema).unwrap();
        let found = seen.find(&Question { condition: &condition, now: Ts(1_000_000_000_000) });
        seen.ids(&found.members).collect()
    };
    ASKED.into_iter().map(ask).collect()
}

fn made() -> Population {
    let population = Population::new(layout("Asia/Shanghai"), Budget::default());
    let changes: Vec<Change> = (0..N).map(|n| Change::Put(Box::new(somebody(n)))).collect();
    population.apply(&changes).unwrap();
    population.apply(&[Change::Gone(somebody(3).id), Change::Put(Box::new(somebody(7)))]).unwrap();
    population
}

fn stamp(position: i64) -> Stamp {
    Stamp { of: "home".to_owned(), position: (position, 7), mark: "m".to_owned() }
}

fn open(folder: &Folder, of: &str, zone: &str) -> Result<(Population, (i64, i64)), NoSnapshot> {
    let (population, stamp) = Population::open(folder.path(), layout(zone), Budget::default(), of)?;
    Ok((population, stamp.position))
}

#[test]
fn what_was_saved_answers_as_it_did_and_goes_on() {
    let folder = Folder::new("whole");
    let population = made();
    let expected = answers(&population);
    assert!(expected.iter().all(|ids| !ids.is_empty()));
    let saved = population.save(folder.path(), stamp(5)).unwrap();
    assert_eq!((saved.blocks, folder.blocks().len()), (2, 2));
    assert_eq!(answers(&population), expected, "folding changed an answer");

    let (opened, position) = open(&folder, "home", "Asia/Shanghai").unwrap();
    assert_eq!(position, (5, 7));
    assert_eq!(answers(&opened), expected);
    assert_eq!(opened.ordinal(somebody(9).id), population.ordinal(somebody(9).id));
    // One change later only one block is written anew, and the one it replaces is gone.
    for population in [&population, &opened] {
        population.apply(&[Change::Put(Box::new(somebody(3)))]).unwrap();
    }
    assert_eq!(answers(&opened), answers(&population));
    let saved = opened.save(folder.path(), stamp(6)).unwrap();
    assert_eq!((saved.blocks, folder.blocks().len()), (2, 2));
    assert!(saved.bytes_written > 0 && saved.bytes_written < 20_000_000);
    let again = opened.save(folder.path(), stamp(7)).unwrap();
    assert_eq!(again.bytes_written, 0);
    assert_eq!(open(&folder, "home", "Asia/Shanghai").unwrap().1, (7, 7));
}

#[test]
fn what_is_torn_or_of_something_else_is_refused_by_name() {
    let folder = Folder::new("torn");
    assert!(matches!(open(&folder, "home", "UTC"), Err(NoSnapshot::Missing)));
    let population = made();
    population.save(folder.path(), stamp(5)).unwrap();
    assert!(matches!(open(&folder, "another", "Asia/Shanghai"), Err(NoSnapshot::Other)));
    assert!(matches!(open(&folder, "home", "UTC"), Err(NoSnapshot::Other)));
    let small = Budget { bytes: 1_000_000, threads: 1 };
    let opened = Population::open(folder.path(), layout("Asia/Shanghai"), small, "home");
    assert!(matches!(opened, Err(NoSnapshot::OverBudget(_))));

    let block = folder.blocks()[0].clone();
    let whole = fs::read(&block).unwrap();
    let manifest = folder.path().join("manifest.json");
    let said = fs::read(&manifest).unwrap();
    let tear = |what: &Path, bytes: &[u8]| {
        // Whoever has the old file mapped keeps it. What was found torn is gone already.
        if what.exists() {
            fs::remove_file(what).unwrap();
        }
        fs::write(what, bytes).unwrap();
    };
    for cut in [0, 1, 40, whole.len() / 2, whole.len() - 1] {
        tear(&block, &whole[..cut]);
        let opened = open(&folder, "home", "Asia/Shanghai");
        assert!(matches!(opened, Err(NoSnapshot::Torn(_))), "cut to {cut}");
    }
    for at in [0, 100, whole.len() / 3, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        tear(&block, &bytes);
        assert!(matches!(open(&folder, "home", "Asia/Shanghai"), Err(NoSnapshot::Torn(_))), "bit at {at}");
    }
    tear(&block, &whole);
    for cut in [0, 1, said.len() / 2, said.len() - 1] {
        tear(&manifest, &said[..cut]);
        let opened = open(&folder, "home", "Asia/Shanghai");
        assert!(matches!(opened, Err(NoSnapshot::Torn(_))), "manifest cut to {cut}");
    }
    let text = String::from_utf8(said.clone()).unwrap();
    tear(&manifest, text.replace("\"format\":2", "\"format\":3").as_bytes());
    assert!(matches!(open(&folder, "home", "Asia/Shanghai"), Err(NoSnapshot::Format(3))));
    tear(&manifest, text.replace("[5,7]", "[9,7]").as_bytes());
    assert!(matches!(open(&folder, "home", "Asia/Shanghai"), Err(NoSnapshot::Torn(_))));
    tear(&manifest, &said);
    assert!(open(&folder, "home", "Asia/Shanghai").is_ok());
    // Killed while saving: what is there aside is not looked at.
    fs::write(folder.path().join("0000.block.new"), b"half").unwrap();
    assert!(open(&folder, "home", "Asia/Shanghai").is_ok());
    fs::remove_file(&block).unwrap();
    assert!(matches!(open(&folder, "home", "Asia/Shanghai"), Err(NoSnapshot::Torn(_))));
}

#[test]
fn a_block_that_rotted_is_written_again() {
    let folder = Folder::new("rotted");
    let population = made();
    population.save(folder.path(), stamp(5)).unwrap();
    let block = folder.blocks()[0].clone();
    let mut bytes = fs::read(&block).unwrap();
    bytes[100] ^= 1;
    fs::remove_file(&block).unwrap();
    fs::write(&block, bytes).unwrap();
    assert!(matches!(open(&folder, "home", "Asia/Shanghai"), Err(NoSnapshot::Torn(_))));
    // What is built of the record anew is the same again, down to its name.
    population.save(folder.path(), stamp(6)).unwrap();
    assert_eq!(answers(&open(&folder, "home", "Asia/Shanghai").unwrap().0), answers(&population));
}

#[test]
fn nobody_else_reads_a_snapshot_and_it_can_be_forgotten() {
    let folder = Folder::new("private");
    made().save(folder.path(), stamp(5)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path()), 0o700);
    for entry in fs::read_dir(folder.path()).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    fs::write(folder.path().join("consumer"), "kept").unwrap();
    forget(folder.path()).unwrap();
    assert!(matches!(open(&folder, "home", "Asia/Shanghai"), Err(NoSnapshot::Missing)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    fs::remove_dir_all(folder.path()).unwrap();
    forget(folder.path()).unwrap();
}

#[test]
fn what_would_take_too_much_memory_changes_nothing() {
    let population = Population::new(layout("UTC"), Budget { bytes: 3_000_000, threads: 1 });
    let some: Vec<Change> = (0..2000).map(|n| Change::Put(Box::new(somebody(n)))).collect();
    population.apply(&some).unwrap();
    let before = answers(&population);
    let many: Vec<Change> = (1000..N).map(|n| Change::Put(Box::new(somebody(n)))).collect();
    let refused = population.apply(&many).unwrap_err();
    assert!(refused.wanted > refused.allowed);
    assert_eq!(answers(&population), before);
    assert_eq!(population.ordinal(somebody(5000).id), None);
    population.apply(&[Change::Put(Box::new(somebody(2001)))]).unwrap();
    assert_eq!(population.seen().ordinals(), 2001);
}
