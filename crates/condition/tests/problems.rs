//! What is no condition, and how it is said: the column, the sentence, and the name that was meant.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

mod support;

use support::schema;
use zhiyin_condition::bounds::{DEPTH_MAX, NODES_MAX, TEXT_CHARS_MAX};
use zhiyin_condition::{Condition, Schema, Scope};

/// Each row: a text, and its first problem as `column: message` with `; did you mean …` where a name is near.
fn check(scope: Scope, table: &[(&str, &str)]) {
    let schema = schema(scope);
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let found = match Condition::check(text, &schema) {
            Ok(_) => "right".to_owned(),
            Err(problems) => problems[0].to_string(),
        };
        if found.strip_prefix("column ").unwrap_or(&found) != *expected {
            wrong.push(format!("{text}\n    expected: {expected}\n       found: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unknown_names_suggest_the_nearest() {
    check(
        Scope::Member,
        &[
            ("teir == \"gold\"", "1: nothing is called `teir`; did you mean `tier`?"),
            ("  points > 1 && ordres", "17: nothing is called `ordres`; did you mean `orders`?"),
            ("xyzzy > 1", "1: nothing is called `xyzzy`"),
            ("city == \"a\"", "1: nothing is called `city`; did you mean `attr.city`?"),
            ("attr.ctiy == \"a\"", "6: no attribute is called `ctiy`; did you mean `city`?"),
            ("attr . ctiy == \"a\"", "8: no attribute is called `ctiy`; did you mean `city`?"),
            ("attr.nothing_like_it == 1", "6: no attribute is called `nothing_like_it`"),
            ("attr == 1", "1: attr needs a name: attr.city"),
            (
                "orders.exists(order1, order2.paid > 1)",
                "23: nothing is called `order2`; did you mean `order1`?",
            ),
            ("orders.exists(o, o.piad > 1)", "20: an order has no field `piad`; did you mean `paid`?"),
            ("items.exists(i, i.amount > 1)", "19: an item has no field `amount`"),
            ("\"快乐\" == store && teir == \"gold\"", "18: nothing is called `teir`; did you mean `tier`?"),
            ("\"😀\" == store && teir == \"gold\"", "17: nothing is called `teir`; did you mean `tier`?"),
            ("true &&\n  teir == \"gold\"", "11: nothing is called `teir`; did you mean `tier`?"),
            ("siez(orders) > 1", "1: there is no function `siez`; did you mean `size`?"),
            ("points > 1 || sze ( orders ) > 1", "15: there is no function `sze`; did you mean `size`?"),
            ("store.startswith(\"a\")", "7: there is no method `startswith`; did you mean `startsWith`?"),
            (
                "orders.fliter(o, o.paid > 1).exists(o, true)",
                "8: there is no method `fliter`; did you mean `filter`?",
            ),
            ("store.matches(\"a.*\")", "7: there is no method `matches`"),
            (
                "order.paid > 1",
                "1: `order` is there only where something happens: in triggers, earning and offers; did you mean `orders`?",
            ),
            (
                "event.name == \"a\"",
                "1: `event` is there only where something happens: in triggers, earning and offers",
            ),
        ],
    );
    check(
        Scope::Event,
        &[
            ("event.propertys.a == 1", "7: an event has no field `propertys`; did you mean `properties`?"),
            ("event.properties == 1", "7: properties needs a name: event.properties.amount"),
            ("order.properties.a == 1", "7: an order has no properties"),
        ],
    );
}

#[test]
fn texts_that_name_something_are_known() {
    check(
        Scope::Member,
        &[
            ("tier == \"glod\"", "9: no tier is called \"glod\"; did you mean `gold`?"),
            ("tier >= \"platinum\"", "9: no tier is called \"platinum\""),
            ("tier in [\"gold\", \"sliver\"]", "18: no tier is called \"sliver\"; did you mean `silver`?"),
            ("\"glod\" == tier", "1: no tier is called \"glod\"; did you mean `gold`?"),
            (
                "lifecycle == \"growht\"",
                "14: no stage of the lifecycle is called \"growht\"; did you mean `growth`?",
            ),
            ("\"snack_lovers\" in tags", "1: no tag is called \"snack_lovers\"; did you mean `snack_lover`?"),
            ("weekday == \"wednesday\"", "12: \"wednesday\" is no day of the week"),
            ("weekday == \"Wed\"", "12: \"Wed\" is no day of the week; did you mean `wed`?"),
            ("attr.due > \"2024-13-01\"", "12: \"2024-13-01\" is no date; one is written \"2020-05-23\""),
            ("attr.due > \"10 June\"", "12: \"10 June\" is no date; one is written \"2020-05-23\""),
            (
                "enrolled_at > \"soon\"",
                "15: \"soon\" is no time; one is written \"2020-05-23\" or \"2020-05-23T19:30:00+08:00\"",
            ),
            ("clock > \"7:30\"", "9: \"7:30\" is no time of day; one is written \"19:30\""),
            ("days_since(\"yesterday\") > 1", "12: \"yesterday\" is no date; one is written \"2020-05-23\""),
        ],
    );
}

#[test]
fn kinds_must_fit() {
    check(
        Scope::Event,
        &[
            ("tier >= 3", "6: a tier cannot be compared with a number"),
            ("points == \"120\"", "8: a number cannot be compared with a text"),
            ("attr.city == attr.children", "11: a text cannot be compared with a number"),
            ("attr.vip > false", "10: a yes or no has no order; ask `==` or `in`"),
            ("lifecycle > \"growth\"", "11: a stage of the lifecycle has no order; ask `==` or `in`"),
            ("weekday >= \"wed\"", "9: a day of the week has no order; ask `==` or `in`"),
            ("tier > attr.wish", "6: a tier has an order only beside a tier as it is written"),
            ("points > null", "8: null has no order; ask `== null` or `!= null`"),
        ],
    );
}

#[test]
fn lists_are_asked_as_lists() {
    check(
        Scope::Event,
        &[
            ("orders == null", "8: a list of orders is never null; ask size(…) == 0"),
            ("size(3) > 1", "6: size counts a list; this is a number"),
            (
                "size(orders.map(o, o.paid)[0]) > 1",
                "27: elements are not reached by number; use first or last",
            ),
            (
                "sum(orders) > 1",
                "5: sum needs a list of numbers; this is a list of orders; map it: xs.map(x, x.paid)",
            ),
            (
                "sum(orders.map(o, o.store)) > 1",
                "12: sum needs a list of numbers; this is a list of texts; map it: xs.map(x, x.paid)",
            ),
            (
                "max(tags) > 1",
                "5: max needs a list of numbers; this is a list of texts; map it: xs.map(x, x.paid)",
            ),
            ("orders > 1", "1: a single value is needed here; this is a list of orders"),
            ("last(orders) > 1", "1: a single value is needed here; this is an order"),
            ("order > 1", "1: a single value is needed here; this is an order"),
            ("size(orders)", "1: a yes or no is needed here; this is a number"),
            ("points", "1: a yes or no is needed here; this is a number"),
            ("null", "1: a yes or no is needed here; this is null"),
            ("orders", "1: a single value is needed here; this is a list of orders"),
            ("!points", "2: a yes or no is needed here; this is a number"),
            ("points && true", "1: a yes or no is needed here; this is a number"),
            ("store + \"a\" == \"b\"", "1: a number is needed here; this is a text"),
            ("-store == 1", "2: a number is needed here; this is a text"),
            ("points ? true : false", "1: a yes or no is needed here; this is a number"),
            ("(attr.vip ? 1 : \"a\") == 1", "11: both answers must be of one kind, not a number and a text"),
            ("store in \"S1 S2\"", "10: `in` needs a list; this is a text; did you mean `contains`?"),
            ("store in orders", "10: `in` needs a list of values; this is a list of orders; use exists"),
            ("points in [\"a\"]", "12: a text cannot be compared with a number"),
            ("points in tags", "1: a number cannot be compared with a text"),
            ("[1, \"a\"].exists(x, x == 1)", "5: the elements of a list must be of one kind"),
            ("store.exists(s, s == \"a\")", "1: exists needs a list; this is a text"),
            ("orders.map(o, null).exists(x, true)", "15: map needs a value; null is none"),
            (
                "orders.map(o, o.items).exists(x, true)",
                "17: a single value is needed here; this is a list of items",
            ),
            ("points.startsWith(\"1\")", "1: a text is needed here; this is a number"),
            ("days_since(points) > 1", "12: a time is needed here; this is a number"),
            ("hour(attr.due) > 1", "11: a time is needed here; this is a date"),
            (
                "first(order.items) != null",
                "13: first needs rows of history (orders, items, events(…)); this is a list of items",
            ),
            (
                "within(tags, \"1d\").exists(t, true)",
                "8: within needs rows of history (orders, items, events(…)); this is a list of texts",
            ),
            (
                "size(within(orders.map(o, o.paid), \"1d\")) > 1",
                "20: within needs rows, which have a time; map them after it",
            ),
            ("points.paid > 1", "8: a number has no field `paid`"),
            ("size(orders, items) > 1", "1: size is called so: size(list)"),
            (
                "events(store).exists(e, true)",
                "8: events needs a name as it is written: events(\"Coupon Redeemed\")",
            ),
            ("size(events) > 1", "6: events needs a name: events(\"Coupon Redeemed\")"),
        ],
    );
}

#[test]
fn windows_are_written_and_bounded() {
    let form = "a window is written \"365d\" or \"12h\"";
    let column = 21;
    let table = [
        ("3660d", "right".to_owned()),
        ("0d", "right".to_owned()),
        ("720h", "right".to_owned()),
        ("3661d", format!("{column}: a window may have 3660 days")),
        ("721h", format!("{column}: a window may have 720 hours")),
        ("99999999999999999999d", format!("{column}: a window may have 3660 days")),
        ("", format!("{column}: {form}")),
        ("d", format!("{column}: {form}")),
        ("7", format!("{column}: {form}")),
        ("-7d", format!("{column}: {form}")),
        ("1.5d", format!("{column}: {form}")),
        ("7 days", format!("{column}: {form}")),
        ("7日", format!("{column}: {form}")),
    ];
    for (window, expected) in table {
        let text = format!("size(within(orders, \"{window}\")) >= 0");
        check(Scope::Member, &[(&text, &expected)]);
    }
    check(Scope::Member, &[("size(within(orders, 7)) > 0", "21: a window is written \"365d\" or \"12h\"")]);
}

#[test]
fn history_is_asked_in_ways_that_can_be_kept() {
    check(
        Scope::Event,
        &[
            (
                "orders.exists(o, orders.exists(p, p.paid > o.paid))",
                "18: what is asked of history here may not use the element of a macro around it",
            ),
            (
                "order.items.exists(i, items.exists(j, j.product == i.product))",
                "23: what is asked of history here may not use the element of a macro around it",
            ),
            (
                "orders.exists(o, o.items.exists(i, i.category == attr.wish))",
                "1: what is asked of the items of an order may speak of the item only; use `items`",
            ),
            (
                "last(orders).items.exists(i, i.paid > points)",
                "20: what is asked of last(…) may speak of that row only",
            ),
            (
                "\"a\" in last(orders).items.map(i, i.category)",
                "27: a list of texts of a first or last row must be counted, summed or asked at once",
            ),
        ],
    );
}

#[test]
fn what_the_grammar_refuses() {
    check(
        Scope::Event,
        &[
            ("", "1: a condition is needed; `true` always holds"),
            ("  ", "3: a condition is needed; `true` always holds"),
            ("tier = \"gold\"", "6: `=` compares nothing; did you mean `==`?"),
            ("true & true", "6: `&` joins nothing; did you mean `&&`?"),
            ("true | true", "6: `|` joins nothing; did you mean `||`?"),
            ("tier == \"gold", "9: this text has no closing quote"),
            ("(true", "6: `)` is missing"),
            ("true)", "5: `)` cannot stand here"),
            ("true &&", "8: something is missing here"),
            ("true && && true", "9: `&&` cannot stand here"),
            ("true true", "6: `true` cannot stand here"),
            ("tier == 金", "9: `金` cannot stand here; a text needs quotes"),
            ("points > 99999999999999999999", "10: this number is too large"),
            ("points > 1e400", "10: this number is too large"),
            ("points > 1e40", "10: this number is too large"),
            ("points > 1u", "10: a number is written without `u`"),
            ("store == b\"a\"", "10: bytes are not part of the language"),
            ("{\"a\": 1} == null", "1: maps and structures are not part of the language"),
            ("Tier{a: 1} == null", "5: maps and structures are not part of the language"),
            ("tags[0] == \"a\"", "5: elements are not reached by number; use first or last"),
            (".points > 1", "2: a name cannot start with a point"),
            ("for == 1", "1: `for` is a reserved word"),
            ("has(points)", "1: has() asks for a field, such as has(attr.city)"),
            ("has()", "1: has is called so: has(attr.city)"),
            ("orders.exists(o.paid > 1)", "8: exists needs a name and what is asked of it: exists(x, …)"),
            ("orders.exists(1, true)", "8: exists needs a name first: exists(x, …)"),
            ("orders.exists(o, p, true)", "8: exists needs a name and what is asked of it: exists(x, …)"),
            ("dyn(points) > 1", "1: there is no function `dyn`"),
            ("true // and a comment", "right"),
        ],
    );
}

#[test]
fn all_problems_are_reported_by_column() {
    let problems =
        Condition::check("teir == \"gold\" && points > \"a\" || siez(orders) > 1", &schema(Scope::Member))
            .unwrap_err();
    let columns: Vec<usize> = problems.iter().map(|problem| problem.column).collect();
    assert_eq!(columns, [1, 26, 35]);
}

#[test]
fn bounds_are_checked_before_anything_else() {
    let nest = |n: usize| format!("{}true{}", "(".repeat(n), ")".repeat(n));
    let many = |n: usize| vec!["points > 1"; n].join(" && ");
    let too_deep = |column: usize| format!("{column}: a condition may nest {DEPTH_MAX} levels deep");
    let nots = |n: usize| format!("{}true{}", "!(".repeat(n), ")".repeat(n));
    let long = format!("store == \"{}\"", "a".repeat(TEXT_CHARS_MAX));
    let table = [
        (nest(DEPTH_MAX), "right".to_owned()),
        (nest(DEPTH_MAX + 1), too_deep(DEPTH_MAX + 1)),
        (nest(2_000), too_deep(DEPTH_MAX + 1)),
        (nots(DEPTH_MAX - 1), "right".to_owned()),
        (nots(DEPTH_MAX), too_deep(DEPTH_MAX * 2 + 1)),
        (format!("{} > 1", vec!["1"; 29].join(" + ")), "right".to_owned()),
        (format!("{} > 1", vec!["1"; 40].join(" + ")), too_deep(31)),
        (many(170), "right".to_owned()),
        (many(171), format!("{}: a condition may have {NODES_MAX} parts; split it", 171 * 14 - 13)),
        (
            long,
            format!(
                "{}: a condition may have {TEXT_CHARS_MAX} characters; this has 4107",
                TEXT_CHARS_MAX + 1
            ),
        ),
    ];
    for (text, expected) in &table {
        check(Scope::Member, &[(text, expected)]);
    }
}

#[test]
fn a_hostile_text_is_refused_at_once() {
    // Threads of servers have small stacks.
    let hostile = || {
        let texts = [
            "(".repeat(10_000),
            "(".repeat(4_096),
            "[".repeat(4_096),
            "{".repeat(4_096),
            "!".repeat(4_096),
            "-".repeat(4_096),
            "a.".repeat(2_048),
            "a+".repeat(2_048),
            "a?".repeat(2_048),
            "a?b:".repeat(200) + "c",
            "f(".repeat(2_048),
            "a.b(".repeat(1_024),
            "\"".repeat(4_096),
            "\\".repeat(4_096),
            "'''".repeat(1_000),
            "`".repeat(4_096),
            "😀".repeat(4_096),
            "\u{0}".repeat(100),
            "a in ".repeat(500) + "a",
            "a==".repeat(500) + "a",
            vec!["a"; 512].join("+"),
            vec!["a"; 512].join("&&"),
            "!(".repeat(31) + &vec!["a"; 400].join("-") + &")".repeat(31),
            "orders.map(o, o.paid)".to_owned() + &".map(p, p + p)".repeat(40),
            "(a&&!(b?c:".repeat(15) + "d" + &"))".repeat(15),
            "\u{feff}true".to_owned(),
            "x.exists(".repeat(30),
        ];
        for text in texts {
            let shown: String = text.chars().take(20).collect();
            assert!(Condition::check(&text, &schema(Scope::Event)).is_err(), "{shown}…");
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(hostile).unwrap().join().unwrap();
}

#[test]
fn audiences_are_known_and_turn_in_no_circle() {
    check(
        Scope::Event,
        &[
            ("audience(\"local\")", "10: no audience is called \"local\"; did you mean `locals`?"),
            ("points > 1 && audience(\"pres\")", "24: no audience is called \"pres\"; did you mean `press`?"),
            ("audience(store)", "10: an audience is named as it is written: audience(\"evening\")"),
            ("audience()", "1: audience is called so: audience(\"evening\")"),
            ("bucket(\"\") < 10", "8: bucket needs a text as it is written: bucket(\"spring test\")"),
            ("bucket(1) < 10", "8: bucket needs a text as it is written: bucket(\"spring test\")"),
            ("bucket(\"a\") == \"b\"", "13: a number cannot be compared with a text"),
        ],
    );
    // What is saved, what is asked, and what is wrong with it.
    let nested: Vec<(String, String)> = (0..9)
        .map(|n| (format!("n{n}"), format!("audience(\"n{}\") || audience(\"n{}\")", n + 1, n + 1)))
        .chain([("n9".to_owned(), "points > 1".to_owned())])
        .collect();
    let saved = [
        ("a", "points > 1 && audience(\"b\")"),
        ("b", "audience(\"c\")"),
        ("c", "audience(\"a\") || audience(\"d\")"),
        ("d", "audience(\"d\")"),
        ("unread", "points >"),
        ("misspelt", "points > 1 && atr.city == \"a\""),
        ("misled", "true && audience(\"misspelt\")"),
        ("of the event", "event.name == \"a\""),
        ("no yes", "points"),
        ("listed", "audience(\"press\")"),
    ];
    let saved = saved.map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter().chain(nested);
    let mut schema = Schema { audiences: saved.collect(), ..schema(Scope::Event) };
    for (decides, text, expected) in [
        (false, "audience(\"a\")", "column 1: audiences turn in a circle: a → b → c → a"),
        (false, "true || audience(\"d\")", "column 9: audiences turn in a circle: d → d"),
        (
            false,
            "audience(\"unread\")",
            "column 1: in the audience \"unread\", column 9: something is missing here",
        ),
        (
            false,
            "true && audience(\"misled\")",
            "column 9: in the audience \"misled\", column 9: in the audience \"misspelt\", column 15: nothing is called `atr`; did you mean `attr`?",
        ),
        (
            false,
            "event.name == \"a\" && audience(\"of the event\")",
            "column 22: in the audience \"of the event\", column 1: `event` is there only where something happens: in triggers, earning and offers",
        ),
        (
            false,
            "audience(\"no yes\")",
            "column 1: in the audience \"no yes\", column 1: a yes or no is needed here; this is a number",
        ),
        (
            false,
            "audience(\"n0\")",
            "column 1: a condition may have 512 parts, those of the audiences it names included",
        ),
        (false, "audience(\"n5\")", "right"),
        (false, "audience(\"listed\")", "right"),
        (
            true,
            "audience(\"listed\")",
            "column 1: in the audience \"listed\", column 10: \"press\" is a list that was uploaded by hand: what the pipeline decides cannot ask it; put a tag on its members instead",
        ),
        (true, "audience(\"pres\")", "column 10: no audience is called \"pres\""),
    ] {
        schema.decides = decides;
        let found = match Condition::check(text, &schema) {
            Ok(_) => "right".to_owned(),
            Err(problems) => problems[0].to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn atoms_are_the_smallest_parts_that_are_yes_or_no_by_themselves() {
    let schema = schema(Scope::Member);
    for (text, atoms) in [
        ("points > 1", vec!["points > 1"]),
        (
            "points > 1 && !(store == \"a\" || attr.job == null)",
            vec!["points > 1", "store == \"a\"", "attr.job == null"],
        ),
        (
            "attr.vip ? audience(\"local snackers\") : audience(\"press\")",
            vec![
                "attr.vip",
                "attr.city == \"上海\"",
                "sum(items.filter(i, i.category == \"snacks\").map(i, i.quantity)) >= 5",
                "audience(\"press\")",
            ],
        ),
        (
            "orders.all(o, o.paid > 1 && o.store == \"a\")",
            vec!["orders.all(o, o.paid > 1 && o.store == \"a\")"],
        ),
    ] {
        let condition = Condition::check(text, &schema).unwrap();
        let found: Vec<String> = condition.atoms().iter().map(zhiyin_condition::Atom::text).collect();
        assert_eq!(found, atoms, "{text}");
    }
}
