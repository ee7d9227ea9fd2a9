//! Campaigns, messages and what bounds them: what is read, and what is refused by name.

use super::malformed::SMALL;
use crate::money::Money;
use crate::playbook::campaign::{Step, Wait};
use crate::playbook::{Playbook, Problem, diff, parse, shipped};

const AROUND: &str = "
consent: { purposes: { marketing: { channels: [inbox] }, service: { channels: [inbox, advisor], needed: false } } }
audiences: { quiet: { who: size(orders) >= 1, standing: true }, asked: { who: size(orders) >= 1 } }
messages: { hi: { text: hi } }
";

fn read(section: &str) -> Result<Playbook, Vec<Problem>> {
    parse("small.yaml", &format!("{SMALL}{AROUND}{section}"), &shipped::load)
}

fn campaign(keys: &str) -> String {
    format!("campaigns:\n  c: {{ {keys} }}\n")
}

#[test]
fn a_campaign_is_read_into_its_steps_and_waves_are_steps() {
    let waves = campaign(
        "purpose: marketing, on: enters quiet, goal: Order Completed within 15d, waves: [{ send: hi, by: inbox }, { after: 7d, send: hi, by: inbox }]",
    );
    let playbook = read(&waves).unwrap_or_else(|problems| panic!("{}", problems[0]));
    let steps = &playbook.campaigns["c"].steps;
    assert!(
        matches!(steps[..], [Step::Send { .. }, Step::Wait(Wait::Days(7)), Step::Send { .. }]),
        "{steps:?}"
    );
    assert_eq!(playbook.campaigns["c"].holdout, 1_000, "one in ten is held out where nothing is said");
    let again = parse("again", playbook.source(), &shipped::load).unwrap();
    assert_eq!(again.hash(), playbook.hash());
    let without = read("").unwrap();
    assert!(!without.canonical_json().contains("campaigns"), "who has none has the name they had");
}

/// A coupon of which nobody knows what it costs, and two of which everybody does.
const OFFERS: &str = "lanes: { o: { per: order } }
offers:
  half: { lane: o, pay: 50%, coupon: { valid: 7d } }
  most: { lane: o, pay: 50%, at_most: 20, coupon: { valid: 7d } }
  ten: { lane: o, off: { regular: 5, gold: 10 }, coupon: { valid: 7d } }
";

#[test]
fn a_budget_is_of_what_has_a_price_at_most() {
    let keys =
        "purpose: marketing, on: enters quiet, budget: 12.50, steps: [{ coupon: most }, { coupon: ten }]";
    let playbook =
        read(&format!("{OFFERS}{}", campaign(keys))).unwrap_or_else(|problems| panic!("{}", problems[0]));
    assert_eq!(playbook.campaigns["c"].budget, Some(Money(1_250)));
    let most = |id: &str| {
        let offer = playbook.offering.offers.iter().find(|offer| offer.id == id).unwrap();
        offer.effect.most()
    };
    assert_eq!((most("half"), most("most"), most("ten")), (None, Some(Money(2_000)), Some(Money(1_000))));
}

#[test]
fn an_e_mail_has_a_subject_of_one_line() {
    let whole = |message: &str| {
        format!(
            "{SMALL}\nconsent: {{ purposes: {{ marketing: {{ channels: [inbox, email] }} }} }}\n\
             audiences: {{ quiet: {{ who: size(orders) >= 1, standing: true }} }}\n\
             messages: {{ hi: {message} }}\ncampaigns:\n  c: {{ purpose: marketing, on: enters quiet, \
             steps: [{{ send: hi, by: [email, inbox] }}] }}\n"
        )
    };
    let read = |message: &str| parse("small.yaml", &whole(message), &shipped::load);
    let playbook =
        read("{ text: hi, subject: Hello, html: '<p>hi</p>' }").unwrap_or_else(|all| panic!("{}", all[0]));
    let hi = &playbook.messages["hi"];
    assert!(hi.subject.is_some() && hi.html.is_some() && hi.mjml.is_none());
    let playbook =
        read("{ text: hi, subject: Hello, mjml: '<mjml/>' }").unwrap_or_else(|all| panic!("{}", all[0]));
    assert!(playbook.messages["hi"].mjml.is_some());
    for (message, says) in [
        ("{ text: hi }", "the message `hi` has no subject"),
        ("{ text: hi, subject: \"a\\nb\" }", "a subject is one line"),
        ("{ text: hi, subject: '' }", "this cannot be sent"),
        ("{ text: hi, subject: Hello, html: ' ' }", "this cannot be sent"),
        ("{ text: hi, subject: Hello, html: a, mjml: b }", "not from both"),
    ] {
        let problems = read(message).map(drop).unwrap_err();
        assert!(problems.iter().any(|problem| problem.message.contains(says)), "{message}: {problems:?}");
    }
}

#[test]
fn what_cannot_be_a_campaign_is_refused_at_its_place() {
    let steps = |steps: &str| campaign(&format!("purpose: marketing, on: enters quiet, steps: [{steps}]"));
    let send = "{ send: hi, by: inbox }";
    for (section, says) in [
        (campaign(&format!("on: enters quiet, steps: [{send}]")), "`purpose` is missing"),
        (campaign(&format!("purpose: marketing, steps: [{send}]")), "`on` is missing"),
        (campaign("purpose: marketing, on: enters quiet"), "`steps` is missing"),
        (
            campaign(&format!("purpose: marketting, on: enters quiet, steps: [{send}]")),
            "did you mean `marketing`",
        ),
        (
            campaign(&format!("purpose: marketing, on: enters asked, steps: [{send}]")),
            "no standing audience `asked`",
        ),
        (
            campaign(&format!("purpose: marketing, on: enters nobody, steps: [{send}]")),
            "no standing audience `nobody`",
        ),
        (
            campaign(&format!("purpose: marketing, on: 3d before wedding at 10:00, steps: [{send}]")),
            "no attribute that is a date `wedding`",
        ),
        (
            campaign(&format!("purpose: marketing, on: enters quiet, again: per order_id, steps: [{send}]")),
            "a key is a property of the event",
        ),
        (
            campaign(&format!("purpose: marketing, on: enters quiet, when: true, steps: [{send}]")),
            "`when` is about the event",
        ),
        (
            campaign(&format!(
                "purpose: marketing, on: enters quiet, promised: true, holdout: 5%, steps: [{send}]"
            )),
            "held back from nobody",
        ),
        (
            campaign("purpose: marketing, on: enters quiet, waves: [{ send: hi, by: inbox }]"),
            "what that is, the goal says",
        ),
        (
            campaign(
                "purpose: marketing, on: enters quiet, goal: X within 1d, waves: [{ send: hi, by: inbox }, { send: hi, by: inbox }]",
            ),
            "`after` is missing",
        ),
        (
            campaign(&format!(
                "purpose: marketing, on: enters quiet, until: 2020-01-01, from: 2020-01-02, steps: [{send}]"
            )),
            "ends before it begins",
        ),
        (steps(""), "there is no step"),
        (steps("{ exit: true }, { wait: 1d }"), "never reached"),
        (
            steps("{ if: true, then: [{ exit: true }], else: [{ exit: true }] }, { wait: 1d }"),
            "never reached",
        ),
        (steps("{ wait: 1d, send: hi }"), "exactly one thing"),
        (steps("{ wait: 1d, by: inbox }"), "`by` says nothing beside `wait`"),
        (steps("{ wait: tomorrow }"), "expected 15m, 2h or 3d"),
        (steps("{ await: X }"), "`within` is missing"),
        (steps("{ if: true }"), "neither way does anything"),
        (steps("{ send: bye, by: inbox }"), "no message `bye`"),
        (steps("{ send: hi, by: pigeon }"), "no channel `pigeon`"),
        (steps("{ send: hi, by: till }"), "the campaign's purpose has no channel `till`"),
        (steps("{ send: hi }"), "`by` is missing"),
        (steps("{ coupon: nothing }"), "no offer with a coupon `nothing`"),
        (steps("{ points: 0 }"), "0 is out of range"),
        (steps("{ tag: nothing }"), "no tag that is given by hand `nothing`"),
        (steps("{ task: hi }"), "the campaign's purpose has no channel `advisor`"),
        (steps("{ set: nothing, to: 1 }"), "no attribute `nothing`"),
        (steps("{ split: [{ share: 50% }, { share: 40% }] }"), "come to 90%"),
        (steps("{ split: [{ share: 100% }] }"), "a split has several ways"),
        (steps("{ send: hi, by: inbox, at: noon }"), "expected `best_hour` or a time"),
        (steps("{ wait: 1d, at: best_hour }"), "`at` says nothing beside `wait`"),
        (steps("{ webhook: Not An Id }"), "cannot be an id"),
        (steps("{ webhook: x, by: inbox }"), "`by` says nothing beside `webhook`"),
        (steps("{ webhook: x, with: { a: '{{ member.name }}' } }"), "`member.name` is not passed on"),
        (steps("{ webhook: x, with: { a: 'for {{ tier }}' } }"), "a variable stands alone here"),
        (
            campaign("purpose: marketing, on: enters quiet, budget: 5, steps: [{ points: 5 }]"),
            "they are worth nothing yet",
        ),
        (
            campaign(&format!(
                "purpose: marketing, on: enters quiet, budget: 5, promised: true, steps: [{send}]"
            )),
            "so it has no budget",
        ),
        (
            campaign(&format!("purpose: marketing, on: enters quiet, budget: much, steps: [{send}]")),
            "expected an amount such as `68`",
        ),
        (
            format!(
                "{OFFERS}{}",
                campaign(
                    "purpose: marketing, on: enters quiet, budget: 5, steps: [{ coupon: half }, { coupon: ten }]"
                )
            ),
            "nobody can say what a coupon of `half` costs at most",
        ),
        (
            format!(
                "sending: {{ quiet: {{ inbox: 21:00-08:00 }} }}\n{}",
                steps("{ send: hi, by: inbox, at: 22:00-23:30 }")
            ),
            "its window lies in the quiet hours of inbox",
        ),
        ("sending: { hours: [21:00 1 of 2] }\n".to_owned(), "expected an even hour such as `20:00`"),
        ("sending: { hours: [20:00 3 of 2] }\n".to_owned(), "3 of 2 cannot have been seen"),
        ("sending: { hours: [20:00 1 of 2, 20:00 1 of 2] }\n".to_owned(), "given twice"),
        ("sending: { caps: [3 pigeon per member per day] }\n".to_owned(), "no channel or purpose `pigeon`"),
        ("sending: { quiet: { pigeon: 22:00-08:00 } }\n".to_owned(), "no channel `pigeon`"),
        ("sending: { quiet: { inbox: 22:00 } }\n".to_owned(), "such as `22:00-08:00`"),
        ("campaigns: { c: { purpose: marketing, wohin: x } }\n".to_owned(), "no such key"),
    ] {
        let problems = read(&section).expect_err(&section);
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|line| line.contains(says)), "{section}\n  {says}\n  {said:#?}");
    }
}

#[test]
fn a_campaign_that_changes_is_said_in_words() {
    let with =
        |keys: &str| read(&campaign(&format!("purpose: marketing, on: enters quiet, {keys}"))).unwrap();
    let (old, new) = (
        with("steps: [{ wait: 2d }, { send: hi, by: inbox }]"),
        with("steps: [{ wait: 3d }, { send: hi, by: inbox }]"),
    );
    let changes = diff(&old, &new);
    assert_eq!(changes.len(), 1);
    assert!(
        changes[0].en.contains("wait 3d → send hi by inbox") && changes[0].en.contains("(was"),
        "{}",
        changes[0].en
    );
    let new = with(
        "budget: 20, steps: [{ send: hi, by: inbox, at: best_hour within 19:30-00:30 }, { webhook: x, with: { a: b, t: '{{ tier }}' } }]",
    );
    let said = diff(&old, &new)[0].en.clone();
    for part in [
        "a budget of 20 CNY",
        "send hi by inbox at best_hour within 19:30-00:30 → webhook x with a: b, t: {{ tier }}",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let hours = read("sending: { hours: [20:00 3 of 20, 00:00 1 of 20] }\n").unwrap();
    let changes = diff(&read("").unwrap(), &hours);
    assert!(changes[0].en.contains("seen by hour 00:00 1/20 20:00 3/20"), "{}", changes[0].en);
    assert!(diff(&old, &old).is_empty());
    assert_eq!(diff(&read("").unwrap(), &old)[0].id, "campaigns.c");
}
