//! The books by month: whatever comes and however late, a closed month stays what it was, each line adds up, and all of them
//! are what somebody finds who adds up the transfers one by one.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use zhiyin_engine::EngineError;
use zhiyin_engine::books::{BooksProblem, MonthBook, State, month};
use zhiyin_model::effect::{Asset, TransferKind};
use zhiyin_model::event::Identifier;
use zhiyin_model::month::Month;
use zhiyin_model::role::Grant;
use zhiyin_model::time::Ts;
use zhiyin_store::closing::{Cut, Moves};
use zhiyin_store::dump::Value;

use crate::home::{Home, TILL, at, on_postgres};
use crate::items::{adjust, order, refund, spend};
use crate::playbooks::{SHIPPED, TEN_DAYS, month as month_playbook};
use crate::streams::{items, stream};

/// How many random streams are tried.
const CASES: u32 = 24;

fn by() -> Grant {
    Grant::system("ann")
}

fn months(text: &str) -> Month {
    Month::parse(text).unwrap()
}

/// A line as it is compared: by what, of which, opening, what moved, closing.
type Row = (Cut, String, i64, [i64; 7], i64);

fn rows(book: &MonthBook) -> Vec<Row> {
    let row = |line: &zhiyin_store::closing::Line| {
        (line.cut, line.value.clone(), line.opening, line.moves.columns(), line.closing)
    };
    book.lines.iter().map(row).collect()
}

async fn shown(home: &Home, text: &str) -> MonthBook {
    home.engine().month_books(months(text), months(text)).await.unwrap().remove(0)
}

/// The row of all of a month.
async fn in_all(home: &Home, text: &str) -> (i64, [i64; 7], i64) {
    let (_, _, opening, moves, closing) = rows(&shown(home, text).await)[0].clone();
    (opening, moves, closing)
}

async fn close(home: &Home, text: &str) -> Result<MonthBook, String> {
    match home.engine().close_books(&by(), months(text)).await {
        Ok(book) => Ok(book),
        Err(EngineError::Books(problem)) => Err(problem.code().to_owned()),
        Err(error) => panic!("{error}"),
    }
}

async fn is_well(home: &Home) {
    let checks = home.engine().store().doctor().await.unwrap();
    let broken: Vec<_> = checks.iter().filter(|check| !check.broken.is_empty()).collect();
    assert!(broken.is_empty(), "{broken:?}");
}

/// Rows of a table, as a dump says them.
async fn table(home: &Home, name: &str) -> Vec<BTreeMap<&'static str, Value>> {
    let (out, mut rows) = tokio::sync::mpsc::channel::<zhiyin_store::dump::Rows>(4);
    let taking = async {
        let mut taken = Vec::new();
        while let Some(part) = rows.recv().await {
            if part.table.name == name {
                let named = part.table.columns.iter().map(|(column, _)| *column);
                taken.extend(part.rows.into_iter().map(|row| named.clone().zip(row).collect()));
            }
        }
        taken
    };
    let (said, taken) = tokio::join!(home.engine().store().dump(out), taking);
    said.unwrap();
    taken
}

fn int(row: &BTreeMap<&str, Value>, column: &str) -> i64 {
    match row[column] {
        Value::Int(value) => value,
        ref value => panic!("{column}: {value:?}"),
    }
}

fn text(row: &BTreeMap<&str, Value>, column: &str) -> Option<String> {
    if let Value::Text(text) = &row[column] { Some(text.clone()) } else { None }
}

fn member(row: &BTreeMap<&str, Value>) -> Vec<u8> {
    if let Value::Bytes(bytes) = &row["member"] { bytes.clone() } else { panic!("no member") }
}

/// From when it counts, whose, its kind, how much, when it was booked.
type Noted = (i64, Vec<u8>, TransferKind, i64, i64);

/// Somebody who notes each transfer when it comes, and in which month it counts: by hand, one by one.
#[derive(Default)]
struct Clerk {
    /// By id.
    noted: BTreeMap<Vec<u8>, Noted>,
    open_from: i64,
}

impl Clerk {
    async fn looks(&mut self, home: &Home) {
        for row in table(home, "transfer").await {
            let Value::Bytes(id) = row["id"].clone() else { panic!("no id") };
            let kind = TransferKind::from_code(int(&row, "kind")).unwrap();
            if int(&row, "asset") == Asset::Points.code() {
                let (at, open_from) = (int(&row, "at"), self.open_from);
                let note = (at.max(open_from), member(&row), kind, int(&row, "amount"), at);
                self.noted.entry(id).or_insert(note);
            }
        }
    }

    /// The rows of a month; the first that is open opens with what the last closed one says.
    async fn rows(&self, home: &Home, month: &MonthBook, before: Option<&MonthBook>) -> Vec<Row> {
        let mut stores: BTreeMap<Vec<u8>, Vec<(i64, String)>> = BTreeMap::new();
        for row in table(home, "orders").await.iter().filter(|row| int(row, "status") == 1) {
            let met = text(row, "store").map(|store| (int(row, "time"), store));
            stores.entry(member(row)).or_default().extend(met);
        }
        let mut tiers: BTreeMap<Vec<u8>, Vec<(i64, i64, String)>> = BTreeMap::new();
        for row in table(home, "term").await {
            let term = (int(&row, "at"), int(&row, "no"), text(&row, "level").unwrap());
            tiers.entry(member(&row)).or_default().push(term);
        }
        let store_at = |who: &Vec<u8>, until: i64| {
            let met = stores.get(who).into_iter().flatten().filter(|(time, _)| *time < until).max();
            met.map(|(_, store)| store.clone()).unwrap_or_default()
        };
        let tier_at = |who: &Vec<u8>, until: i64| {
            let held = tiers.get(who).into_iter().flatten().filter(|(at, ..)| *at < until).max();
            held.map(|(_, _, level)| level.clone()).unwrap_or_default()
        };
        let mut found: BTreeMap<(Cut, String), (i64, Moves, i64)> = BTreeMap::new();
        found.entry((Cut::All, String::new())).or_default();
        let (start, until) = (month.start.0, month.until.0);
        for (counts, who, kind, amount, at) in self.noted.values() {
            let (signed, keys) = (kind.sides().1 * amount, |bound: i64| {
                [
                    (Cut::All, String::new()),
                    (Cut::Store, store_at(who, bound)),
                    (Cut::Tier, tier_at(who, bound)),
                ]
            });
            if *counts < start && before.is_none() {
                keys(start).into_iter().for_each(|key| found.entry(key).or_default().0 += signed);
            }
            if *counts < until {
                keys(until).into_iter().for_each(|key| found.entry(key).or_default().2 += signed);
            }
            if (start..until).contains(counts) && signed != 0 {
                let booked = [
                    (Cut::All, String::new()),
                    (Cut::Store, store_at(who, until)),
                    (Cut::Tier, tier_at(who, at + 1)),
                ];
                booked.into_iter().for_each(|key| found.entry(key).or_default().1.add(*kind, *amount));
            }
        }
        for line in before.iter().flat_map(|book| &book.lines) {
            found.entry((line.cut, line.value.clone())).or_default().0 = line.closing;
        }
        let mut rows = Vec::new();
        for ((cut, value), (opening, mut moves, closing)) in found {
            moves.moved += closing - opening - moves.sum();
            if cut == Cut::All || opening != 0 || closing != 0 || moves != Moves::default() {
                rows.push((cut, value, opening, moves.columns(), closing));
            }
        }
        rows
    }
}

/// Columns of a cut add up to those of all.
fn adds_up(rows: &[Row]) {
    let sum = |cut: Cut| {
        let of_cut = rows.iter().filter(|row| row.0 == cut);
        of_cut.fold([0; 9], |sum: [i64; 9], (_, _, opening, moves, closing)| {
            let row: Vec<i64> = std::iter::once(*opening).chain(*moves).chain([*closing]).collect();
            assert_eq!(row[..8].iter().sum::<i64>(), row[8], "{rows:?}");
            std::array::from_fn(|i| sum[i] + row[i])
        })
    };
    assert_eq!((sum(Cut::Store), sum(Cut::Tier)), (sum(Cut::All), sum(Cut::All)), "{rows:?}");
}

#[tokio::test]
async fn books_are_what_a_clerk_adds_up_and_a_closed_month_stays() {
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let (june, july) = (months("2018-06"), months("2018-07"));
    let (mut closed_midway, mut late) = (0, 0);
    let looks_every = if on_postgres().is_some() { 6 } else { 1 };
    for case in 0..CASES {
        let moments = stream().new_tree(&mut runner).unwrap().current();
        let closes_after = (12usize..30).new_tree(&mut runner).unwrap().current();
        let home = Home::new(&month_playbook(case % 2 == 1)).await;
        home.now_is(at("2030-01-01T00:00:00Z")).await;
        let mut clerk = Clerk::default();
        let mut closed: Option<MonthBook> = None;
        for (i, sent) in items(&moments).iter().enumerate() {
            home.accept_from(sent.source, std::slice::from_ref(&sent.item)).await;
            home.settle().await;
            // On a server, where a look takes long, seldom: what matters is what was noted when a month is closed.
            if i % looks_every == 0 {
                clerk.looks(&home).await;
            }
            if closed.is_none() && i >= closes_after && !clerk.noted.is_empty() {
                home.until(at("2018-06-30T16:00:00Z")).await;
                clerk.looks(&home).await;
                closed = close(&home, "2018-06").await.ok();
                clerk.open_from = closed.as_ref().map_or(0, |book| book.until.0);
                closed_midway += usize::from(closed.is_some());
            }
        }
        // A month of silence: what is left expires.
        home.until(at("2018-08-20T00:00:00Z")).await;
        clerk.looks(&home).await;
        late += clerk.noted.values().filter(|(counts, .., at)| counts != at).count();
        let books = home.engine().month_books(june, july.next()).await.unwrap();
        for (i, book) in books.iter().enumerate() {
            adds_up(&rows(book));
            match &closed {
                Some(closed) if i == 0 => assert_eq!(rows(book), rows(closed), "case {case}"),
                _ => {
                    let before = closed.as_ref().filter(|_| i == 1);
                    let expected = clerk.rows(&home, book, before).await;
                    assert_eq!(rows(book), expected, "case {case}, {}", book.month);
                }
            }
        }
        is_well(&home).await;
    }
    assert!(closed_midway > 3 && late > 3, "{closed_midway} closed, {late} late: the streams say too little");
}

#[tokio::test]
async fn a_month_is_closed_once_it_has_ended_and_none_before_it_is_open() {
    let home = Home::new(SHIPPED).await;
    home.now_is(at("2017-04-10T00:00:00Z")).await;
    assert_eq!(close(&home, "2017-01").await.unwrap_err(), "books_empty");
    assert_eq!(shown(&home, "2017-01").await.state, State::Open);
    home.live_through(&[order("o1", "ann", "n1", "2017-02-03T04:00:00Z", "100")]).await;
    let refusals = [
        ("2017-01", "books_before_first"),
        ("2017-03", "books_earlier_open"),
        ("2017-04", "books_not_ended"),
        ("2018-01", "books_not_ended"),
    ];
    for (text, code) in refusals {
        assert_eq!(close(&home, text).await.unwrap_err(), code, "{text}");
    }
    let states = async || {
        let books = home.engine().month_books(months("2016-12"), months("2017-04")).await.unwrap();
        books.iter().map(|book| book.state).collect::<Vec<_>>()
    };
    use State::{BeforeFirst, Closed, Open, Running};
    assert_eq!(states().await, [BeforeFirst, BeforeFirst, Open, Open, Running]);
    // Ann has timers before the month's end: what comes of them belongs into it.
    assert_eq!(close(&home, "2017-02").await.unwrap_err(), "books_unsettled");
    home.until(at("2017-03-10T00:00:00Z")).await;
    let first = close(&home, "2017-02").await.unwrap();
    assert_eq!(
        (first.state, first.start),
        (State::Closed, at("2017-01-31T16:00:00Z")),
        "in the brand's zone"
    );
    let again = close(&home, "2017-02").await.unwrap();
    assert_eq!(again.closed, first.closed);
    assert_eq!(close(&home, "2017-01").await.unwrap_err(), "books_before_first");
    assert_eq!(states().await, [BeforeFirst, BeforeFirst, Closed, Open, Running]);
    // What came in before its end and was not decided belongs into it.
    home.now_is(at("2017-03-20T00:00:00Z")).await;
    let (item, now) = (order("o2", "ann", "n2", "2017-03-20T00:00:00Z", "50"), at("2017-03-20T00:00:00Z"));
    home.accept_live(TILL, &[item], now).await;
    home.now_is(at("2017-04-10T00:00:00Z")).await;
    assert_eq!(close(&home, "2017-03").await.unwrap_err(), "books_unsettled");
    home.until(at("2017-04-10T00:00:00Z")).await;
    assert!(close(&home, "2017-03").await.is_ok());
    assert_eq!(in_all(&home, "2017-03").await, (100, [50, 0, 0, 0, 0, 0, 0], 150));
    assert_eq!(month("2017-3").unwrap_err().to_string(), "\"2017-3\": a month is YYYY-MM");
    let future = home.engine().month_books(months("2017-05"), months("2017-05")).await.unwrap_err();
    assert!(matches!(future, EngineError::Books(BooksProblem::Future(_))), "{future}");
    let noted = home.engine().store().access().audit(0, None, 99).await.unwrap();
    let noted = noted.iter().map(|line| &line.note).filter(|note| note.operation == "books_close");
    let noted: Vec<_> = noted.map(|note| (note.target.as_str(), note.outcome.as_str())).collect();
    let pair = |month| [(month, "begun"), (month, "done")];
    assert_eq!(noted, [pair("2017-02"), pair("2017-03")].concat());
    is_well(&home).await;
}

#[tokio::test]
async fn what_comes_of_a_closed_month_later_counts_in_the_open_one() {
    let home = Home::new(TEN_DAYS).await;
    home.now_is(at("2018-01-01T00:00:00Z")).await;
    home.live_through(&[
        order("o1", "ann", "n1", "2017-02-03T04:00:00Z", "100"),
        order("o2", "bob", "n2", "2017-02-25T04:00:00Z", "40"),
        spend("s1", "ann", "2017-02-04T04:00:00Z", 30),
    ])
    .await;
    home.until(at("2017-02-28T00:00:00Z")).await;
    let expected = (0, [140, -30, -70, 0, 0, 0, 0], 40);
    assert_eq!(in_all(&home, "2017-02").await, expected);
    let closed = close(&home, "2017-02").await.unwrap();
    let before = home.engine().store().digest().await.unwrap();
    // A refund, an order, a spend that came back, points by hand: all of February.
    home.live_through(&[
        refund("r2", "bob", "n2", "2017-02-26T04:00:00Z", "40"),
        order("o3", "bob", "n3", "2017-02-26T05:00:00Z", "7"),
        adjust("a1", "bob", "2017-02-27T05:00:00Z", 5),
        order("o4", "cid", "n4", "2017-03-05T05:00:00Z", "9"),
    ])
    .await;
    assert_eq!(rows(&shown(&home, "2017-02").await), rows(&closed));
    assert_ne!(home.engine().store().digest().await.unwrap(), before);
    assert_eq!(in_all(&home, "2017-03").await, (40, [16, 0, 0, -40, 5, 0, 0], 21));
    home.until(at("2017-12-31T00:00:00Z")).await;
    assert_eq!(in_all(&home, "2017-03").await, (40, [16, 0, -21, -40, 5, 0, 0], 0));
    for text in ["2017-03", "2017-04"] {
        close(&home, text).await.unwrap();
    }
    // Three months are closed by now: what comes of any counts after them.
    home.live_through(&[order("o5", "dan", "n5", "2017-02-03T05:00:00Z", "11")]).await;
    home.until(at("2017-12-31T00:00:00Z")).await;
    assert_eq!(in_all(&home, "2017-04").await, (0, [0; 7], 0));
    assert_eq!(in_all(&home, "2017-05").await, (0, [11, 0, -11, 0, 0, 0, 0], 0));
    is_well(&home).await;
}

#[tokio::test]
async fn a_merge_moves_nothing_in_all_and_no_closed_month() {
    let home = Home::new(SHIPPED).await;
    home.now_is(at("2017-04-10T00:00:00Z")).await;
    home.live_through(&[
        order("o1", "ann", "n1", "2017-02-03T04:00:00Z", "100"),
        order("o2", "bob", "n2", "2017-02-25T04:00:00Z", "40"),
    ])
    .await;
    home.until(at("2017-04-10T00:00:00Z")).await;
    let closed = close(&home, "2017-02").await.unwrap();
    let names =
        ["ann", "bob"].map(|value| Identifier { namespace: "user".to_owned(), value: value.to_owned() });
    home.engine().merge(&names, "a test says so").await.unwrap();
    home.until(at("2017-04-10T01:00:00Z")).await;
    assert_eq!(home.points("bob").await.active, 140);
    assert_eq!(rows(&shown(&home, "2017-02").await), rows(&closed));
    for text in ["2017-03", "2017-04"] {
        assert_eq!(in_all(&home, text).await, (140, [0; 7], 140), "{text}");
        adds_up(&rows(&shown(&home, text).await));
    }
    is_well(&home).await;
}

#[tokio::test]
async fn the_brand_owes_what_points_are_worth() {
    let home = Home::new(SHIPPED).await;
    home.now_is(at("2017-03-10T00:00:00Z")).await;
    home.live_through(&[order("o1", "ann", "n1", "2017-02-03T04:00:00Z", "150")]).await;
    let book = shown(&home, "2017-02").await;
    assert_eq!((book.worth, book.currency.as_str()), (Some((100, 100)), "CNY"));
    assert!(book.lines.iter().all(|line| line.liability_minor == Some(150)), "{:?}", book.lines);
    let march = shown(&home, "2017-03").await;
    assert_eq!((march.state, march.lines[0].closing), (State::Running, 150));
    assert_eq!(march.until, Ts(at("2017-03-31T16:00:00Z").0));
}
