//! The two evaluators agree: random conditions over random histories, observed in any order, some rows
//! taken back, pruned and written in between; and what is said to hold, holds.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::draw::{Life, conditions, history, life, person};
use support::{Person, condition, instants, schema};
use zhiyin_condition::{
    Condition, History, LeafStates, Leaves, Retract, Row, Schema, Scope, evaluate, evaluate_history,
};
use zhiyin_model::time::{Ts, Zone};

/// Lives through a history; gives the states at its end, and what of it is left.
fn live(life: &Life, leaves: &Leaves) -> Person {
    let mut person = person(life);
    let mut states = leaves.fresh();
    let n_rows = life.orders.len() + life.events.len();
    let pruned_after = life.pruned_after.index(n_rows + 1);
    for (i, row) in person.rows().enumerate() {
        states.observe(leaves, row);
        if i == pruned_after {
            states.prune(leaves, life.asked[0]);
        }
    }
    for index in &life.taken_back {
        if person.orders.is_empty() {
            break;
        }
        let order = person.orders.remove(index.index(person.orders.len()));
        if states.retract(leaves, Row::Order(&order)) == Retract::Rebuild {
            states = leaves.fresh();
            person.rows().for_each(|row| states.observe(leaves, row));
        }
        states = LeafStates::unpack(&states.pack()).unwrap();
    }
    person.states = states;
    person
}

fn collect(texts: &[String], schema: &Schema, zone: &Zone) -> (Vec<Condition>, Leaves) {
    let mut conditions: Vec<Condition> = texts.iter().map(|text| condition(text, schema)).collect();
    let leaves = Leaves::collect(&mut conditions, zone.clone(), 2);
    (conditions, leaves)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn leaves_answer_as_the_whole_history_does(life in life(), texts in vec(conditions(), 1..4)) {
        let (conditions, leaves) = collect(&texts, &schema(Scope::Member), &life.zone);
        let person = live(&life, &leaves);
        let history = History {
            orders: &person.orders,
            events: &person.events,
            zone: &life.zone,
            currency_exponent: 2,
        };
        for condition in &conditions {
            let reference = |at: Ts| evaluate_history(condition, &person, &history, at);
            for now in &life.asked {
                let judged = evaluate(condition, &leaves, &person, *now);
                prop_assert_eq!(judged.value, reference(*now).value, "{} at {}", condition.text(), now);
                for until in [judged.until, reference(*now).until] {
                    prop_assert!(until > *now, "{} at {} until {}", condition.text(), now, until);
                    for at in instants(&life.zone, *now, until) {
                        let held = reference(at).value;
                        prop_assert_eq!(judged.value, held, "{} from {} until {}, but at {}", condition.text(), now, until, at);
                    }
                }
            }
        }
    }

    #[test]
    fn states_do_not_know_in_which_order_rows_came(life in life(), texts in vec(history(), 1..6), seed in vec(any::<Index>(), 18)) {
        let (_, leaves) = collect(&texts, &schema(Scope::Member), &life.zone);
        let person = person(&life);
        let observed = |rows: &[Row<'_>]| -> LeafStates {
            let mut states = leaves.fresh();
            rows.iter().for_each(|row| states.observe(&leaves, *row));
            states
        };
        let rows: Vec<Row<'_>> = person.rows().collect();
        let mut rest = rows.clone();
        let mut shuffled = Vec::new();
        for index in seed.iter().take(rows.len()) {
            shuffled.push(rest.remove(index.index(rest.len())));
        }
        let json = |mut states: LeafStates, pruned: bool| {
            if pruned {
                states.prune(&leaves, life.asked[0]);
            }
            serde_json::to_string(&states).unwrap()
        };
        for pruned in [false, true] {
            prop_assert_eq!(json(observed(&rows), pruned), json(observed(&shuffled), pruned));
        }
    }

    #[test]
    fn a_tree_is_the_tree_of_its_text(text in conditions()) {
        let schema = schema(Scope::Member);
        let first = condition(&text, &schema);
        let written = Condition::to_text(first.tree());
        let second = condition(&written, &schema);
        prop_assert_eq!(first.tree(), second.tree());
        prop_assert_eq!(&written, &Condition::to_text(second.tree()));
        let json = serde_json::to_string(first.tree()).unwrap();
        let third = Condition::from_tree(&serde_json::from_str(&json).unwrap(), &schema).unwrap();
        prop_assert_eq!(first.tree(), third.tree());
    }

    #[test]
    fn any_text_is_a_condition_or_has_a_problem_within_it(text in "\\PC{0,60}") {
        if let Err(problems) = Condition::check(&text, &schema(Scope::Event)) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!((1..=text.chars().count() + 1).contains(&problem.column), "{}", problem);
            }
        }
    }

    #[test]
    fn words_in_any_order_are_a_condition_or_have_a_problem(
        words in vec(select(&WORDS[..]), 0..24),
    ) {
        let text = words.join(" ");
        if let Err(problems) = Condition::check(&text, &schema(Scope::Event)) {
            for problem in problems {
                prop_assert!((1..=text.chars().count() + 1).contains(&problem.column), "{}", problem);
            }
        }
    }
}

const WORDS: [&str; 40] = [
    "orders",
    "items",
    "tags",
    "attr",
    ".",
    "(",
    ")",
    "[",
    "]",
    ",",
    "&&",
    "||",
    "!",
    "-",
    "+",
    "/",
    "%",
    "==",
    "<",
    "in",
    "?",
    ":",
    "1",
    "2.5",
    "\"gold\"",
    "\"7d\"",
    "tier",
    "last",
    "size",
    "sum",
    "within",
    "filter",
    "map",
    "exists",
    "x",
    "x.paid",
    "order.items",
    "event.properties",
    "null",
    "days_since",
];
