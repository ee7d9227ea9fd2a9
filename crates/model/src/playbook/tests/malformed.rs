//! What is wrong with a file is told with its line, its column, its path and what is allowed.

use super::*;

/// A playbook with as little in it as may be.
pub(super) const SMALL: &str = r#"playbook: small
timezone: UTC
currency: CNY
points:
  expire: never
  debt: allowed
  earn:
    - 1 per 1 paid
    - { times: 2, who: tier == "gold" }
growth:
  earn: [10 per 1 paid]
tiers:
  over: 365d
  levels:
    regular: { from: 0 }
    gold: { from: 6000, name: { zh: 金卡, en: Gold } }
lifecycle:
  buyer: { phase: grow, when: size(orders) >= 1 }
  stranger: { phase: win, when: true }
tags:
  loyal: { who: size(orders) >= 10, name: Loyal }
"#;

fn problems(text: &str) -> Vec<String> {
    match parse("small.yaml", text, &shipped::load) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// Edits the small playbook once and expects one problem, whose text begins so.
fn check(old: &str, new: &str, expected: &str) {
    assert!(SMALL.contains(old), "no {old:?} in the small playbook");
    let found = problems(&SMALL.replacen(old, new, 1));
    let expected = format!("small.yaml:{expected}");
    let as_expected = found.len() == 1 && found[0].starts_with(&expected);
    assert!(as_expected, "{old:?} → {new:?}\nexpected {expected}\nfound    {}", found.join("\n         "));
}

#[test]
fn each_malformed_playbook_is_told_with_its_place() {
    let rows = include_str!("malformed.rows").lines().filter(|row| !row.is_empty() && !row.starts_with('#'));
    let mut n_rows = 0;
    for row in rows {
        let parts: Vec<String> = row.split(" ⇒ ").map(|part| part.replace("\\n", "\n")).collect();
        let [old, new, expected] = parts.as_slice() else { panic!("a row has three parts: {row}") };
        check(old, new, expected);
        n_rows += 1;
    }
    assert!(n_rows >= 100, "{n_rows} rows");
}

#[test]
fn the_small_playbook_is_sound() {
    assert_eq!(problems(SMALL), Vec::<String>::new());
}

#[test]
fn files_that_are_no_playbook() {
    let deep_list = format!("{}1", "- ".repeat(500));
    let deep_flow = format!("a: {}", "[".repeat(5000));
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n";
    let large = format!("playbook: {}", "x".repeat(1 << 20));
    let many = format!("a: [{}]", "1,".repeat(200_000));
    for (text, expected) in [
        ("", "1:1: the file is empty (allowed: a map of keys)"),
        ("# nothing\n", "1:1: the file is empty"),
        ("\u{feff}", "1:1: the file is empty"),
        ("just a text", "1:1: a playbook is a map of keys"),
        ("- a\n- b\n", "1:1: a playbook is a map of keys"),
        ("a: 1\n---\nb: 2\n", "2:1: a file holds one playbook; this begins a second document"),
        ("points:\n\texpire: never\n", "2:1: points: a tab indents this line (allowed: spaces)"),
        ("points: {\n", "2:1: points: this is not YAML"),
        ("a: \"open\n", "1:4: a: this is not YAML"),
        ("a: *nobody\n", "1:4: a: this is not YAML"),
        ("a: &a [1, *a]\n", "1:11: a[1]: an alias inside the value it names"),
        ("a: !!str 1\n", "1:4: a: tags such as `!!str` are not used in a playbook"),
        ("a: !include x\n", "1:4: a: tags such as"),
        (&deep_list, "1:129: maps and lists are nested too deep (allowed: at most 64 levels)"),
        (&deep_flow, "1:259: a[0]: maps and lists are nested too deep (allowed: at most 64 levels)"),
        (bomb, "4:"),
        (&large, "1:1: the file is too large (allowed: at most 1 MiB)"),
        (&many, "1:"),
    ] {
        let found = problems(text);
        let first = found.first().cloned().unwrap_or_default();
        let shown: String = text.chars().take(40).collect();
        assert!(
            first.starts_with(&format!("small.yaml:{expected}")),
            "{shown:?}\nexpected {expected}\nfound    {}",
            found.join("\n")
        );
    }
    assert!(problems(bomb)[0].contains("aliases repeat too much (allowed: at most 2000 values in all)"));
    assert!(problems(&many)[0].contains("the file has too many values"));
}

#[test]
fn many_problems_are_told_at_once() {
    let text = SMALL
        .replace("UTC", "Mars/Olympus")
        .replace("expire: never", "expire: soon")
        .replace("debt: allowed", "debt: 7\n  colour: red")
        .replace("from: 6000", "from: many")
        .replace("phase: win,", "phase: lose,")
        .replace("who: size(orders) >= 10", "who: [1]");
    let found = problems(&text);
    let places: Vec<&str> = found.iter().map(|p| p.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "small.yaml:2:11",
            "small.yaml:5:11",
            "small.yaml:6:9",
            "small.yaml:7:3",
            "small.yaml:17:19",
            "small.yaml:20:22",
            "small.yaml:22:17"
        ],
        "{found:#?}"
    );
    let keys: String = (0..200).map(|i| format!("k{i}: 1\n")).collect();
    assert_eq!(problems(&format!("{SMALL}{keys}")).len(), 50);
}

#[test]
fn aliases_within_bounds_may_be_used() {
    let text = SMALL.replace("name: Loyal", "name: &n { zh: 常客 }");
    let text = format!("{text}  other: {{ who: true, name: *n }}\n");
    let playbook = parse("small.yaml", &text, &shipped::load).unwrap();
    assert_eq!(playbook.tags["other"].name, playbook.tags["loyal"].name);
}

#[test]
fn a_condition_knows_where_each_of_its_characters_stands() {
    let text = "  a: { who: 'it''s' }\n  b: { who: \"x\\\"y z\" }\n  c:\n    who: >-\n      size(orders)\n      >= 10\n  d: { who: plain }\n  e:\n    who: |\n      one\n        two\n";
    let text = format!("{SMALL}{text}");
    let playbook = parse("small.yaml", &text, &shipped::load).unwrap();
    for (tag, word, line, column) in [
        ("a", "s", 22, 18),
        ("b", "z", 23, 19),
        ("c", "orders", 26, 12),
        ("c", "10", 27, 10),
        ("d", "plain", 28, 13),
        ("e", "two", 32, 9),
    ] {
        let who = playbook.tags[tag].who.as_ref().unwrap();
        let at = who.text.find(word).unwrap();
        let column_in_text = who.text[..at].chars().count() + 1;
        let problem = who.at.problem(column_in_text, "here", None);
        assert_eq!((problem.line, problem.column), (line, column), "{tag}: {word} in {:?}", who.text);
        assert_eq!(problem.path, format!("tags.{tag}.who"));
    }
}
