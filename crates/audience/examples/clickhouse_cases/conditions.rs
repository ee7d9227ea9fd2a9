//! Conditions at random, as texts: of everything that the language can say of members.

use crate::chance::Chance;

/// A yes or no.
pub fn truth(chance: &mut Chance, depth: usize) -> String {
    if depth > 0 && chance.in_hundred(40) {
        let mut part = || truth(chance, depth - 1);
        let (a, b, c) = (part(), part(), part());
        return match chance.below(5) {
            0 => format!("({a} && {b})"),
            1 => format!("({a} || {b} || {c})"),
            2 => format!("!({a})"),
            3 => format!("(({a}) ? ({b}) : ({c}))"),
            _ => format!("({a} || {b})"),
        };
    }
    match chance.below(20) {
        0..=8 => compared(chance),
        9..=10 => texts(chance),
        11..=13 => asked_of_rows(chance),
        14 => dependants(chance),
        15 => chance.one(&CONSENTS).to_owned(),
        16 => lists(chance),
        _ => chance.one(&PLAIN).to_owned(),
    }
}

/// What may be done by what somebody said.
pub fn consent(chance: &mut Chance) -> String {
    chance.one(&CONSENTS).to_owned()
}

/// Of histories longer than is kept: what depends on where they are cut.
pub fn of_long_histories(chance: &mut Chance) -> String {
    let (rows, kind) = match chance.below(4) {
        0..=1 => ("orders", "order"),
        2 => ("items", "item"),
        _ => ("within(orders, \"3660d\")", "order"),
    };
    // It asks more than the row, and passes or leaves out what it may.
    let late =
        chance.one(&["points == points", "x.store == store || x.channel == null", "days_since(x) >= -5"]);
    let early =
        if chance.in_hundred(30) { format!(".filter(x, {})", of_row(chance, kind)) } else { String::new() };
    let kept = format!("{rows}{early}.filter(x, {late})");
    match chance.below(8) {
        0..=1 => format!("size({kept}) {} {}", operator(chance), chance.one(&["1000", "999", "500", "1001"])),
        2 => format!("size({kept}) < size({rows}{early})"),
        3 => {
            format!("days_since(first({kept})) {} days_since(first({rows}{early}))", chance.one(&["==", "<"]))
        }
        4 => format!("sum({kept}.map(x, x.paid)) < sum({rows}{early}.map(x, x.paid))"),
        5 => format!("median_gap({rows}) {} {}", operator(chance), chance.between(1, 4)),
        6 => format!("median_gap({kept}) {} {}", operator(chance), chance.between(1, 4)),
        _ => format!("first({kept}).store {} first({rows}).store", chance.one(&["==", "!="])),
    }
}

const CONSENTS: [&str; 7] = [
    "consent(\"marketing\", \"sms\")",
    "consent(\"marketing\", \"email\")",
    "consent(\"marketing\")",
    "consent(\"profiling\")",
    "consent(\"service\", \"wecom\")",
    "consent(\"service\", \"sms\")",
    "!consent(\"service\")",
];

const PLAIN: [&str; 40] = [
    "bucket(\"spring\") < 50",
    "bucket(\"it's é\") >= 12.5",
    "audience(\"locals\")",
    "audience(\"local snackers\") || audience(\"evening\")",
    "!audience(\"shoppers of a store\")",
    "audience(\"often\") && bucket(\"a\") % 10 < 5",
    "is_birthday",
    "is_birthday == null",
    "weekday == \"wed\"",
    "weekday in [\"sat\", \"sun\"]",
    "hour >= 9",
    "clock < \"09:30\"",
    "tier >= \"silver\"",
    "tier < \"gold\"",
    "tier == \"silver\"",
    "tier != \"silver\"",
    "tier in [\"regular\", \"gold\"]",
    "lifecycle == \"growth\"",
    "lifecycle != \"lost\"",
    "attr.vip",
    "!attr.vip",
    "attr.vip == true",
    "attr.vip != attr.quiet",
    "attr.job == null",
    "has(attr.due)",
    "attr.due >= \"2024-02-29\"",
    "attr.due == attr.moved",
    "attr.due < attr.moved",
    "enrolled_at >= \"2024-02-29T05:00:00Z\"",
    "enrolled_at == \"2024-03-01\"",
    "enrolled_at < attr.due",
    "weekday(enrolled_at) == \"fri\"",
    "weekday(attr.due) in [\"mon\", \"sun\"]",
    "clock(enrolled_at) >= \"12:00\"",
    "\"vip\" in tags",
    "tags.exists(t, t.startsWith(\"s\"))",
    "store in tags",
    "tier in tags",
    "attr.city in [attr.job, \"上海\", \"O'Neill\\\\\"]",
    "(attr.vip ? attr.city : attr.job) == \"上海\"",
];

fn operator(chance: &mut Chance) -> &'static str {
    chance.one(&["==", "!=", "<", "<=", ">", ">=", ">=", ">"])
}

fn literal(chance: &mut Chance) -> String {
    match chance.below(10) {
        0..=5 => chance.between(-1, 40).to_string(),
        6 => chance.one(&["1.5", "0.1", "-2.75", "0.000001", "12.5", "0", "365"]).to_owned(),
        7 => chance.one(&["0.3333333333333333333333333333", "1e3", "99999.99"]).to_owned(),
        _ => chance.between(0, 4).to_string(),
    }
}

fn compared(chance: &mut Chance) -> String {
    let a = number(chance, 2);
    if chance.in_hundred(4) {
        return format!("{a} {} null", chance.one(&["==", "!="]));
    }
    let b = if chance.in_hundred(60) { literal(chance) } else { number(chance, 1) };
    if chance.in_hundred(6) {
        return format!("{a} in [{b}, {}, {}]", literal(chance), literal(chance));
    }
    format!("{a} {} {b}", operator(chance))
}

/// A number.
fn number(chance: &mut Chance, depth: usize) -> String {
    if depth > 0 && chance.in_hundred(30) {
        let (a, b) = (number(chance, depth - 1), number(chance, depth - 1));
        return match chance.below(7) {
            0 => format!("({a} + {b})"),
            1 => format!("({a} - {b})"),
            2 => format!("({a} * {b})"),
            3 => format!("({a} / {b})"),
            4 => format!("({a} % {b})"),
            5 => format!("(-{a})"),
            _ => format!("({} ? {a} : {b})", truth(chance, 0)),
        };
    }
    match chance.below(14) {
        0 => literal(chance),
        1 => chance.one(&["points", "age", "attr.spend", "attr.children", "hour"]).to_owned(),
        2 => chance
            .one(&[
                "attr.spend",
                "attr.children",
                "points",
                "days_since(enrolled_at)",
                "days_since(attr.due)",
            ])
            .to_owned(),
        3 => chance
            .one(&[
                "size(tags)",
                "size(attr.brands)",
                "size(dependants)",
                "min(dependants.map(d, d.age_months))",
                "max(dependants.map(d, d.weeks_to_due))",
                "sum(dependants.map(d, d.age_years))",
                "sum([points, 2, attr.spend].filter(n, n > 1))",
                "max([points, attr.children, 3])",
                "avg([points, attr.children, age])",
                "size([attr.city, attr.job, store].filter(t, t != null))",
            ])
            .to_owned(),
        _ => of_rows(chance),
    }
}

/// Rows of history, their kind, and whether they may still be windowed.
fn rows(chance: &mut Chance, late: bool) -> (String, &'static str) {
    let (source, kind) = match chance.below(6) {
        0..=1 => ("orders", "order"),
        2..=3 => ("items", "item"),
        4 => ("events(\"E\")", "event"),
        _ => ("events(\"F\")", "event"),
    };
    let mut made = source.to_owned();
    for _ in 0..chance.below(3) {
        made = match chance.below(5) {
            0..=1 => {
                let window = chance.one(&["0d", "1d", "7d", "30d", "365d", "30d", "3660d"]);
                format!("within({made}, \"{window}\")")
            }
            2 if late => format!("within({made}, \"{}\")", chance.one(&["1h", "24h", "100h", "720h"])),
            3 if late && chance.in_hundred(50) => format!("{made}.filter(x, {})", late_of_row(chance, kind)),
            _ => format!("{made}.filter(x, {})", of_row(chance, kind)),
        };
    }
    (made, kind)
}

/// What may be asked of a row by itself.
fn of_row(chance: &mut Chance, kind: &str) -> String {
    match kind {
        "order" => chance
            .one(&[
                "x.paid > 1.5",
                "x.paid * 3 >= 4.5",
                "x.store == \"S1\"",
                "x.store != \"S2\" && x.paid <= 2",
                "x.items.exists(i, i.category == \"a\")",
                "x.items.all(i, i.quantity >= 1)",
                "size(x.items) > 1",
                "sum(x.items.map(i, i.quantity)) >= 2",
                "max(x.items.map(i, i.paid)) > 1",
                "x.items.exists(i, i.store == x.store && i.paid >= x.paid / 2)",
                "weekday(x) in [\"sat\", \"sun\", \"mon\"]",
                "clock(x) >= \"12:00\" || hour(x) == 0",
                "x.time >= \"2024-03-01\"",
                "x.time < \"2024-10-27T00:30:00Z\"",
                "x.channel == null",
                "x.store in [\"S1\", \"店\"]",
                "x.store.contains(\"\")",
                "x.store > \"S1\"",
            ])
            .to_owned(),
        "item" => chance
            .one(&[
                "x.category == \"a\"",
                "x.category != \"a\"",
                "x.category == null",
                "x.category in [\"a\", \"b\"]",
                "x.quantity * 2 > 3",
                "x.quantity == 0.1",
                "x.paid / x.quantity > 1",
                "x.product.startsWith(\"p\") && x.store in [\"S1\"]",
                "x.product.endsWith(x.category)",
                "x.paid % 0.5 == 0",
                "x.department == \"grocery\"",
                "hour(x) < 12",
            ])
            .to_owned(),
        _ => chance
            .one(&[
                "x.properties.amount > 1",
                "x.properties.amount * 2 >= 2.5",
                "x.properties.amount != null",
                "x.properties.amount == \"two\"",
                "has(x.properties.amount) || x.store == \"S1\"",
                "x.properties.flag",
                "x.properties.flag == true",
                "x.properties.amount == x.properties.other",
                "x.properties.amount < x.properties.other",
                "x.properties.other in [1.25, 3]",
                "x.properties.day == x.time",
                "x.time >= x.properties.day",
                "clock(x) > x.properties.day",
                "days_since(x.properties.day) >= 5",
                "x.name == \"E\"",
                "x.properties.amount.contains(\"w\")",
            ])
            .to_owned(),
    }
}

/// What asks more than the row.
fn late_of_row(chance: &mut Chance, kind: &str) -> String {
    if kind == "event" && chance.in_hundred(40) {
        return chance
            .one(&[
                "x.properties.day > attr.due",
                "days_since(x.properties.day) < days_since(x)",
                "x.properties.amount in [points, attr.spend]",
                "x.properties.amount in tags",
            ])
            .to_owned();
    }
    chance
        .one(&[
            "x.store == store",
            "days_since(x) <= 20",
            "x.time >= enrolled_at",
            "days_since(x) > median_gap(orders)",
            "x.store in [store, \"S9\"] || weekday == \"sun\"",
            "tags.exists(t, t == x.store)",
            "size(orders) > 2",
            "x.time > attr.due",
            "last(orders).paid > 1 && x.channel != null",
        ])
        .to_owned()
}

/// A number of history.
fn of_rows(chance: &mut Chance) -> String {
    let (rows, kind) = rows(chance, true);
    let amount = match (kind, chance.below(3)) {
        ("order", 0) => "x.paid",
        ("order", 1) => "size(x.items)",
        ("order", _) => "sum(x.items.map(i, i.paid))",
        ("item", 0) => "x.paid",
        ("item", 1) => "x.quantity * x.paid",
        ("item", _) => "x.quantity",
        (_, 0) => "x.properties.other",
        _ => "x.properties.amount",
    };
    let mapped = format!("{rows}.map(x, {amount})");
    match chance.below(22) {
        0..=2 => format!("size({rows})"),
        3..=5 => format!("sum({mapped})"),
        6 => format!("min({mapped})"),
        7 => format!("max({mapped})"),
        8 => format!("avg({mapped})"),
        9 => format!("first({mapped})"),
        10 => format!("last({mapped})"),
        11 => format!("sum({mapped}.filter(n, n < 3).map(n, n * 2))"),
        12 => format!("max({mapped}.map(n, n + points))"),
        13 => format!("days_since(first({rows}))"),
        14 => format!("days_since(last({rows}))"),
        15 | 16 => format!("median_gap({rows})"),
        17 => format!("hour(last({rows}))"),
        18 => format!("days_since(max({rows}.map(x, x.time)))"),
        19 => format!("days_since(min({rows}.map(x, x.time)))"),
        20 => format!("sum({rows}.map(x, points / 3 + hour(x)))"),
        _ => format!("sum({rows}.map(x, {amount} / 3))"),
    }
}

fn asked_of_rows(chance: &mut Chance) -> String {
    let (rows, kind) = rows(chance, true);
    match chance.below(10) {
        0..=2 => format!("{rows}.exists(x, {})", of_row(chance, kind)),
        3..=4 => format!("{rows}.all(x, {})", of_row(chance, kind)),
        5 => format!("{rows}.exists(x, {})", late_of_row(chance, kind)),
        6 => format!("last({rows}) {} null", chance.one(&["==", "!="])),
        7 => format!("store in {rows}.map(x, x.store)"),
        8 => format!("\"S2\" in {rows}.map(x, x.store)"),
        _ => format!("{}({rows}) {} \"2024-03-01\"", chance.one(&["first", "last"]), operator(chance)),
    }
}

fn texts(chance: &mut Chance) -> String {
    let (rows, kind) = rows(chance, chance.0.is_multiple_of(3));
    let of_history = match (kind, chance.below(4)) {
        ("order", 0) => format!("last({rows}).items.exists(i, i.category == \"b\")"),
        ("order", 1) => format!("size(last({rows}).items) {} 1", operator(chance)),
        ("order", 2) => format!("sum(first({rows}).items.map(i, i.quantity)) >= 1"),
        ("item", 0) => format!("last({rows}).product == \"p1\""),
        ("item", 1) => format!("first({rows}).category < \"b\""),
        ("event", 0) => format!("last({rows}).properties.amount == \"two\""),
        ("event", 1) => format!("first({rows}).properties.flag"),
        ("event", 2) => format!("last({rows}).properties.amount >= 1.25"),
        (_, 3) => format!("weekday(last({rows})) == weekday"),
        _ => format!(
            "{}({rows}).store {} store",
            chance.one(&["first", "last"]),
            chance.one(&["==", "!=", "<"])
        ),
    };
    match chance.below(3) {
        0 => {
            let test = chance.one(&["startsWith", "endsWith", "contains"]);
            let with = chance.one(&["\"上\"", "\"a\"", "\"\"", "attr.job", "store", "\"\\\\\"", "\"'\""]);
            format!("{}.{test}({with})", chance.one(&["attr.city", "attr.job", "store", "attr.wish"]))
        }
        1 => format!(
            "{} {} {}",
            chance.one(&["attr.city", "attr.job", "store"]),
            operator(chance),
            chance.one(&[
                "\"上海\"",
                "\"Z\"",
                "\"\u{1f600}\"",
                "\"\u{e000}\"",
                "attr.job",
                "attr.wish",
                "\"\""
            ])
        ),
        _ => of_history,
    }
}

fn dependants(chance: &mut Chance) -> String {
    let asked = match chance.below(9) {
        0 => format!("d.age_months >= {}", chance.between(0, 24)),
        1 => format!("d.age_weeks < {}", chance.between(0, 100)),
        2 => format!("d.weeks_to_due <= {}", chance.between(-4, 30)),
        3 => format!("d.pregnancy_week > {}", chance.between(0, 40)),
        4 => "d.kind == \"child\" && d.gender != \"female\"".to_owned(),
        5 => "d.birthday == null".to_owned(),
        6 => "d.due_on > \"2024-03-01\"".to_owned(),
        7 => "d.birthday < enrolled_at".to_owned(),
        _ => format!("d.age_years == {}", chance.between(0, 3)),
    };
    format!("dependants.{}(d, {asked})", chance.one(&["exists", "all"]))
}

fn lists(chance: &mut Chance) -> String {
    chance
        .one(&[
            "\"lego\" in attr.brands",
            "attr.brands.exists(b, b.contains(\"e\"))",
            "attr.brands.all(b, b != attr.wish)",
            "attr.wish in attr.brands",
            "attr.brands.exists(b, tags.exists(t, t == b))",
            "size(attr.brands.filter(b, b > \"m\")) >= 1",
            "[attr.city, attr.job].exists(t, t == \"上海\")",
            "[1, points, attr.spend].exists(n, n * 2 == 30)",
            "[attr.due, attr.moved].exists(d, days_since(d) > 3)",
            "days_since(max([attr.due, attr.moved])) >= 0",
            "tags.map(t, t.startsWith(\"v\")).exists(b, b)",
            "size(tags.map(t, t == \"vip\" ? 1 : 2).filter(n, n > 1)) == 1",
        ])
        .to_owned()
}
