//! Draws: what may be written, what is told when it may not, what a change is called.

use super::malformed::SMALL;
use super::*;

const OFFERS: &str = "offers:\n  ticket: { gift: { product: t }, coupon: { valid: 7d }, stock: 3 }\n  \
    film: { service: { zh: 票, en: Film }, coupon: { valid: 7d, codes: cinema } }\n";
const PARTNERS: &str = "partners:\n  cinema: { name: { en: C }, ours: { en: a }, theirs: { en: b } }\n";

fn read(draw: &str) -> Result<Playbook, Vec<Problem>> {
    parse("small.yaml", &format!("{SMALL}{PARTNERS}{OFFERS}draws:\n  d: {{ {draw} }}\n"), &shipped::load)
}

#[test]
fn a_draw_may_be_written_and_is_said_in_words() {
    let keys = "name: { zh: 抽奖, en: Draw }, from: 2020-06-01, until: 2020-06-30, who: is_birthday, spend: 9.9, \
                limit: 5 per member, prizes: [{ offer: ticket, pieces: 3 }], alternates: 9, public_source: a lottery";
    let playbook = read(keys).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let draw = &playbook.draws["d"];
    assert_eq!((draw.spend.0, draw.alternates, draw.prizes[0].pieces), (990, 9, 3));
    let again = parse("again", playbook.source(), &shipped::load).unwrap();
    assert_eq!(again.hash(), playbook.hash());
    let without = parse("small.yaml", &format!("{SMALL}{PARTNERS}{OFFERS}"), &shipped::load).unwrap();
    assert!(!without.canonical_json().contains("draws"), "who draws nothing has the name they had");
    let changes = diff(&without, &playbook);
    let [change] = changes.as_slice() else { panic!("{changes:#?}") };
    assert_eq!((change.id.as_str(), change.kind), ("draws.d", ChangeKind::Added));
    assert!(
        change.zh.starts_with("新增抽奖") && change.en.starts_with("The draw Draw is new"),
        "{}",
        change.en
    );
}

#[test]
fn what_is_no_draw_is_told_with_its_place() {
    let mut wrong = Vec::new();
    for (keys, expected) in [
        ("from: 2020-06-01, until: 2020-06-30", "draws.d.prizes: `prizes` is missing"),
        ("until: 2020-06-30, prizes: []", "draws.d.from: `from` is missing"),
        (
            "from: 2020-06-02, until: 2020-06-01, prizes: [{ offer: ticket, pieces: 1 }]",
            "draws.d.until: ends before",
        ),
        ("from: 2020-06-01, until: 2020-06-30, prizes: []", "draws.d.prizes: no prizes"),
        (
            "from: 2020-06-01, until: 2020-06-30, prizes: [{ offer: tickt, pieces: 1 }]",
            "draws.d.prizes[0].offer: there is no offer with a coupon `tickt`; did you mean `ticket`?",
        ),
        (
            "from: 2020-06-01, until: 2020-06-30, prizes: [{ offer: ticket, pieces: 4 }]",
            "draws.d.prizes[0].pieces: the offer has fewer pieces",
        ),
        (
            "from: 2020-06-01, until: 2020-06-30, prizes: [{ offer: film, pieces: 1 }]",
            "draws.d.prizes[0].offer: a partner's code that was shown is handed out to nobody else",
        ),
        (
            "from: 2020-06-01, until: 2020-06-30, prizes: [{ offer: ticket, pieces: 1 }], winners: 3",
            "draws.d.winners: there is no such key here",
        ),
    ] {
        let problems: Vec<String> = read(keys).unwrap_err().iter().map(ToString::to_string).collect();
        if problems.len() != 1 || !problems[0].contains(expected) {
            wrong.push(format!("{keys}\nexpected {expected}\nfound    {problems:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
