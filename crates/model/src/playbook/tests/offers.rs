//! Lanes, floors and offers: what may be written, what is told when it may not, what a change is called.

use super::malformed::SMALL;
use super::*;

const LANES: &str = "lanes: { p: { per: line }, o: { per: order } }\n";

fn read(sections: &str) -> Result<Playbook, Vec<Problem>> {
    parse("small.yaml", &format!("{SMALL}{sections}\n"), &shipped::load)
}

fn sound(sections: &str) -> Playbook {
    read(sections).unwrap_or_else(|problems| panic!("{sections}\n{problems:#?}"))
}

fn offer(keys: &str) -> String {
    format!("{LANES}offers:\n  a: {{ {keys} }}\n")
}

#[test]
fn every_kind_may_be_written() {
    let kinds = [
        "lane: o, off: 10",
        "lane: o, spend: 68, off: { gold: 10, regular: 6.5 }, counts: list price, returns: take back",
        "lane: o, pay: 88%, at_most: 50",
        "lane: o, steps: [{ spend: 100, off: 10 }, { spend: 200, pieces: 2, pay: 80%, at_most: 60 }]",
        "lane: o, every: 100, off: 10, at_most: 30",
        "lane: p, off: 3, per: piece, per_line: 2",
        "lane: p, off: 3, per: line",
        "lane: p, pay: 89.5%, of: category == \"food\", at_least: 3",
        "lane: p, price: 9.9",
        "lane: p, pieces: 2, pay: 79%",
        "lane: p, pieces: 3, price: 99, per_order: 1",
        "lane: p, buy: 2, get: 1",
        "lane: p, buy: 1, get: 1, get_of: brand == \"b\", pay: 50%",
        "lane: p, bundle: [{ of: product == \"a\" }, { of: product == \"b\", pieces: 2 }], price: 39.9",
        "lane: p, add_on: 1, per_order: 1",
        "lane: p, exchange: 500, price: 1, per_order: 2",
        "gift: { product: tote }, stock: 300",
        "shipping: free, spend: 59",
        "shipping: 5",
        "points_times: 1.5, limit: [1 per member per day, 100 per day, 300 in all]",
        "service: { zh: 修眉, en: Eyebrow trim }, stock: 500",
        "access: true, of: product == \"new\", from: 2020-06-01, until: 2020-06-05",
        "lane: o, off: 8, coupon: { valid: 7d }, alone: true, budget: 10000",
        "gift: { product: tote }, claim: { points: 500 }, coupon: { valid: 30d, remind: 3d }",
        "access: true, of: product == \"p\", claim: { from: 2020-06-01 10:00, until: 2020-06-06, who: is_birthday }, \
         coupon: { valid: 15m, gives_back: true }, limit: 2 per member, stock: 350000",
    ];
    let mut hashes = std::collections::BTreeSet::new();
    for keys in kinds {
        let playbook = sound(&offer(keys));
        assert!(hashes.insert(playbook.hash()), "{keys}");
        // What is stored stands alone, and says the same.
        let again = parse("again", playbook.source(), &shipped::load).unwrap();
        assert_eq!((again.hash(), &again), (playbook.hash(), &playbook), "{keys}");
        let changes = diff(&sound(LANES), &playbook);
        let [change] = changes.as_slice() else { panic!("{keys}: {changes:#?}") };
        assert_eq!((change.id.as_str(), change.kind), ("offers.a", ChangeKind::Added), "{keys}");
        assert!(
            change.en.starts_with("The offer a is new: ") && change.zh.starts_with("新增优惠"),
            "{}",
            change.en
        );
    }
}

#[test]
fn what_may_not_be_written_is_told_at_the_word() {
    let mut wrong = Vec::new();
    for (sections, expected) in [
        (offer("lane: o, off: ten"), "24:22: offers.a.off: expected an amount such as `68`, found `ten`"),
        (offer("lane: o, off: 9.999"), "24:22: offers.a.off: 9.999 has more than 2 decimals"),
        (offer("lane: o, pay: 88"), "24:22: offers.a.pay: expected a percentage such as `88%`, found `88`"),
        (
            offer("lane: o, off: { gould: 1 }"),
            "24:31: offers.a.off.gould: there is no tier `gould`; did you mean `gold`?",
        ),
        (offer("lane: q, off: 1"), "24:14: offers.a.lane: there is no lane `q`"),
        (offer("off: 1"), "24:6: offers.a.lane: `lane` is missing (allowed: o)"),
        (
            offer("lane: p, off: 1"),
            "24:14: offers.a.lane: this is off the order, but the lane is per line (allowed: o)",
        ),
        (
            offer("lane: o, price: 1"),
            "24:14: offers.a.lane: this is off pieces of lines, but the lane is per order (allowed: p)",
        ),
        (
            offer("lane: o, shipping: free"),
            "24:14: offers.a.lane: only what takes money off lines has a lane",
        ),
        (offer("lane: o"), "24:6: offers.a: the offer gives nothing"),
        (
            offer("lane: p, pay: 90%, spend: 10"),
            "24:27: offers.a.spend: a line has no threshold or cap of its own",
        ),
        (
            offer("lane: p, pieces: 2, off: 1"),
            "24:28: offers.a.off: `off` does not go with `pieces` (allowed: pay, price, per_order)",
        ),
        (offer("gift: { product: tote }, off: 1"), "24:33: offers.a.off: `off` does not go with `gift`"),
        (offer("lane: o, off: 1, limit: 1 per membr"), "24:38: offers.a.limit: expected `member` or `day`"),
        (offer("lane: o, off: 1, excludes: [b]"), "24:36: offers.a.excludes[0]: there is no other offer `b`"),
        (offer("give: b"), "24:14: offers.a.give: there is no offer with a coupon `b`"),
        (offer("lane: o, off: 1, partner: dojo"), "24:34: offers.a.partner: there is no partner `dojo`"),
        (offer("lane: o, off: 1, coupon: {}"), "24:33: offers.a.coupon.valid: `valid` is missing"),
        (offer("lane: o, off: 1, claim: {}"), "24:32: offers.a.claim: what is claimed is a coupon"),
        (
            offer("lane: o, off: 1, coupon: { valid: 15m, remind: 1d }"),
            "24:55: offers.a.coupon.remind: who holds it for hours",
        ),
        (offer("lane: o, off: 1, coupon: { valid: 15s }"), "24:42: offers.a.coupon.valid: expected a number"),
        (offer("lane: o, off: 1, stock: 0"), "24:32: offers.a.stock: 0 is out of range"),
        (
            offer("lane: o, off: 1, budget: 500 pieces"),
            "24:33: offers.a.budget: what this gives is not counted in pieces (allowed: an amount such as 10000)",
        ),
        (
            offer("gift: { product: tote }, budget: 500"),
            "24:41: offers.a.budget: what this gives is not counted in money (allowed: a number of pieces",
        ),
        (
            offer("points_times: 2, budget: 500"),
            "24:33: offers.a.budget: what this gives is not counted in money (allowed: stock, or a limit)",
        ),
        (offer("lane: o, every: 10, off: 11"), "24:33: offers.a.off: more would be taken off than is spent"),
        (
            offer("lane: o, steps: [{ spend: 9, off: 1 }, { spend: 9, off: 2 }]"),
            "24:47: offers.a.steps[1]: steps ascend",
        ),
        (
            offer("lane: o, steps: [{ spend: 9 }]"),
            "24:25: offers.a.steps[0]: a step takes an amount off, or a part",
        ),
        (offer("lane: p, add_on: 1"), "24:6: offers.a.per_order: `per_order` is missing"),
        (
            offer("lane: p, pieces: 2"),
            "24:6: offers.a: N pieces are for a part of their price, or for a price",
        ),
        (offer("access: true"), "24:6: offers.a: early access is to some items: it says `of`"),
        (
            offer("lane: o, off: 1, from: 2020-02-02, until: 2020-02-01"),
            "24:50: offers.a.until: ends before it begins",
        ),
        (offer("lane: o, offf: 1"), "24:17: offers.a.offf: there is no such key here; did you mean `off`?"),
        ("floors: { f: { of: true } }".to_owned(), "22:14: floors.f: a floor is a price or a part of it"),
        ("lanes: { p: {} }".to_owned(), "22:13: lanes.p.per: `per` is missing (allowed: line, order)"),
    ] {
        let problems: Vec<String> = read(&sections).unwrap_err().iter().map(ToString::to_string).collect();
        if problems.len() != 1 || !problems[0].starts_with(&format!("small.yaml:{expected}")) {
            wrong.push(format!("{sections}\nexpected {expected}\nfound    {problems:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_offers_nothing_has_the_name_it_had() {
    let named = sound("").hash();
    assert!(!sound("").canonical_json().contains("offering"));
    for empty in ["offers: {}\nlanes: {}\n", "floors: {}\n"] {
        assert_eq!(sound(empty).hash(), named, "{empty}");
    }
    let usual = sound("offers: { a: { lane: coupon, off: 1 } }").offering;
    let lanes: Vec<&str> = usual.lanes.iter().map(|lane| lane.id.as_str()).collect();
    assert_eq!(lanes, ["piece", "order", "coupon"]);
}

#[test]
fn changes_of_offers_are_told_in_words() {
    let with = |keys: &str| sound(&offer(keys));
    let changes = diff(
        &with("lane: o, spend: 68, off: { gold: 10, regular: 6 }, name: { zh: 会员日, en: Member day }"),
        &with(
            "lane: o, spend: 58, off: 8, name: { zh: 会员日, en: Member day }, limit: 1 per member per day",
        ),
    );
    let [change] = changes.as_slice() else { panic!("{changes:#?}") };
    assert_eq!(
        change.en,
        "The offer Member day becomes from 58 CNY on 8 CNY off, in the lane o, 1 per member per day (was from 68 CNY on \
         gold 10 CNY, regular 6 CNY off, in the lane o)."
    );
    assert_eq!(
        change.zh,
        "优惠「会员日」由满 68 CNY 减 gold 10 CNY、regular 6 CNY，档位 o改为满 58 CNY 减 8 CNY，档位 o，每位会员每天限 1 次。"
    );
    let both = |order: &str| sound(&format!("{LANES}offers:\n{order}"));
    let (a, b) = ("  a: { lane: o, off: 1 }\n", "  b: { lane: o, off: 2 }\n");
    let changes = diff(&both(&format!("{a}{b}")), &both(&format!("{b}{a}")));
    assert_eq!(changes[0].en, "The order in which offers are tried becomes b, a (was a, b).");
    let changes = diff(&sound(LANES), &sound("lanes: { o: { per: order }, p: { per: line } }"));
    assert_eq!(
        changes[0].en,
        "The order of lanes becomes o (one a order), then p (one a line) (was p (one a line), then o (one a order))."
    );
}

#[test]
fn the_examples_of_the_document_are_sound() {
    let document = include_str!("../../../../../docs/offers.md");
    let mut n_examples = 0;
    for example in document.split("```yaml\n").skip(1) {
        let example = example.split("```").next().unwrap();
        let text = format!("playbook: docs\nextends: demo\n{example}");
        parse("docs", &text, &shipped::load).unwrap_or_else(|problems| panic!("{example}\n{problems:#?}"));
        n_examples += 1;
    }
    assert_eq!(n_examples, 2);
}

#[test]
fn the_demo_offers_nothing_and_the_variety_store_all_kinds() {
    assert!(shipped_playbook("demo").offering.is_default());
    let offering = shipped_playbook("variety-store").offering;
    assert_eq!(offering.lanes.len(), 3);
    assert!(offering.offers.len() >= 18);
}
