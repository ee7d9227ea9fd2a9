//! `extends`: what a file says over another.

use super::malformed::SMALL;
use super::*;

/// Files by name.
fn files<'a>(
    files: &'a [(&'a str, &'a str)],
) -> impl Fn(&str, &str) -> Result<(String, String), String> + 'a {
    move |name, _from| {
        let file = files.iter().find(|(file, _)| *file == name);
        file.map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
            .ok_or_else(|| format!("no file `{name}`"))
    }
}

fn child(text: &str) -> Result<Playbook, Vec<String>> {
    let base = [("base", SMALL)];
    let loader = files(&base);
    parse("child.yaml", &format!("extends: base\n{text}"), &loader)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_child_says_only_what_differs() {
    let base = parse("base", SMALL, &shipped::load).unwrap();
    let same = child("").unwrap();
    assert_eq!(same, base);
    let other = child("playbook: other\ncurrency: USD\npoints: { expire: end of calendar year }\n").unwrap();
    assert_eq!((other.id.as_str(), other.currency.code.as_str()), ("other", "USD"));
    assert_eq!(other.points.expire, Expiry::EndOfCalendarYear);
    assert_eq!(other.points.times, base.points.times);
}

#[test]
fn maps_merge_lists_and_scalars_replace_nothing_removes() {
    let merged = child(
        "points: { earn: [2 per 1 paid] }\ntiers: { levels: { gold: { from: 5000 } } }\ntags: { loyal: ~, new: { who: true } }\n",
    )
    .unwrap();
    assert_eq!((merged.points.earn.len(), merged.points.times.len()), (1, 0));
    assert_eq!(merged.points.earn[0].points, 2);
    let gold = merged.tiers.level("gold").unwrap();
    assert_eq!((gold.from, gold.name.zh.as_deref()), (5000, Some("金卡")));
    assert_eq!(merged.tags.keys().collect::<Vec<_>>(), ["new"]);
    assert!(child("tags:\n").unwrap().tags.is_empty());
}

#[test]
fn a_new_level_or_stage_stands_before_the_next_one_the_base_has() {
    let merged = child(
        "tiers: { levels: { silver: { from: 3000 }, gold: { from: 7000 }, jade: { from: 9000 } } }\nlifecycle:\n  sleeper: { phase: win back, when: days_since(last(orders)) > 90 }\n  buyer: { phase: grow }\n  fan: { phase: grow, when: size(orders) > 9 }\n  stranger: { phase: win }\n",
    )
    .unwrap();
    let levels: Vec<&str> = merged.tiers.levels.iter().map(|level| level.id.as_str()).collect();
    assert_eq!(levels, ["regular", "silver", "gold", "jade"]);
    let stages: Vec<&str> = merged.lifecycle.iter().map(|stage| stage.id.as_str()).collect();
    assert_eq!(stages, ["sleeper", "buyer", "fan", "stranger"]);
}

#[test]
fn problems_point_into_the_file_the_value_came_from() {
    let lines = |found: Result<Playbook, Vec<String>>| found.unwrap_err();
    let found = lines(child("tiers:\n  levels:\n    gold: { from: -1 }\n"));
    assert!(found[0].starts_with("child.yaml:4:19: tiers.levels.gold.from: -1 is out of range"), "{found:?}");
    let found = lines(child("points:\n  debt: ~\n"));
    assert!(found[0].starts_with("child.yaml:3:3: points.debt: `debt` is missing"), "{found:?}");
    let found = lines(child("tags: { loyl: ~ }\n"));
    let expected = "child.yaml:2:9: tags.loyl: a key without a value removes it, but there is none to remove; did you mean `loyal`? (allowed: loyal)";
    assert_eq!(found, [expected]);
    let wrong = SMALL.replace("who: size(orders) >= 10", "who: 3");
    let base = [("base", wrong.as_str())];
    let found = parse("child.yaml", "extends: base\ncurrency: euro\n", &files(&base)).unwrap_err();
    let places: Vec<(&str, usize)> = found.iter().map(|p| (p.file.as_str(), p.line)).collect();
    assert_eq!(places, [("base", 21), ("child.yaml", 2)]);
}

#[test]
fn chains_end() {
    let circle = [("a", "extends: b\n"), ("b", "playbook: b\nextends: a\n")];
    let found = parse("a", "extends: b\n", &files(&circle)).unwrap_err();
    assert_eq!(found[0].to_string(), "b:2:10: extends: extends itself: a → b → a");
    let found = parse("a", "extends: a\n", &files(&[("a", "extends: a\n")])).unwrap_err();
    assert_eq!(found[0].to_string(), "a:1:10: extends: extends itself: a → a");
    let found = parse("a", "extends: nobody\n", &files(&[])).unwrap_err();
    assert_eq!(found[0].to_string(), "a:1:10: extends: cannot be had: no file `nobody`");
    let found = parse("a", "extends: [b, c]\n", &files(&[])).unwrap_err();
    assert!(
        found[0].to_string().starts_with("a:1:10: extends: expected the name of a playbook"),
        "{}",
        found[0]
    );
    let endless = |name: &str, _: &str| {
        let n: u32 = name.parse().unwrap();
        Ok((name.to_owned(), format!("extends: {}\n", n + 1)))
    };
    let found = parse("0", "extends: 1\n", &endless).unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "8:1:10: extends: too many playbooks extend one another (allowed: at most 8)"
    );
}

#[test]
fn a_source_stands_alone_and_gives_the_same_playbook() {
    let no_loader = |name: &str, _: &str| Err(format!("nothing should be loaded, but {name} is"));
    let small = parse("small", SMALL, &shipped::load).unwrap();
    assert_eq!(small.source(), SMALL);
    let tricky = child(
        "tags:\n  a: { who: \"true\", name: { zh: 'yes', en: 'it''s: \\\"x\\\" # no\\t😀' } }\n  b: { who: 'attr.x == \"é\\n\"', name: 'null' }\n  c: { who: '- x', name: '7' }\n",
    )
    .unwrap();
    for playbook in [small, tricky, shipped_playbook("variety-store"), shipped_playbook("demo")] {
        let again = parse("source", playbook.source(), &no_loader)
            .unwrap_or_else(|problems| panic!("{}\n{}", problems[0], playbook.source()));
        assert_eq!(again, playbook);
        assert_eq!(again.canonical_json(), playbook.canonical_json());
        assert_eq!((again.hash(), again.source()), (playbook.hash(), playbook.source()));
    }
}

#[test]
fn two_files_together_are_no_larger_than_one_may_be() {
    let stores = |prefix: &str| -> String {
        (0..8000).map(|i| format!("  {prefix}{i}: {{ kind: store }}\n")).collect()
    };
    let base = format!("{SMALL}touchpoints:\n{}", stores("a"));
    let files = [("base", base.as_str())];
    let text = format!("extends: base\ntouchpoints:\n{}", stores("b"));
    let found = parse("child.yaml", &text, &&super::merging::files(&files)).unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "child.yaml:1:1: with what it extends, the playbook is too large (allowed: at most 1 MiB and 50000 values)"
    );
}

#[test]
fn a_hash_names_what_is_promised_not_how_it_is_written() {
    let small = parse("small", SMALL, &shipped::load).unwrap();
    let otherwise = SMALL
        .replace("playbook: small\ntimezone: UTC", "# a comment\ntimezone: 'UTC'\nplaybook: small")
        .replace(
            "currency: CNY",
            "currency: CNY\nlanguages: [zh, en]\norders: { paid: total less shipping and tax }",
        )
        .replace("times: 2", "times: 2.000");
    let otherwise = parse("other", &otherwise, &shipped::load).unwrap();
    assert_eq!((&otherwise, otherwise.hash()), (&small, small.hash()));
    assert_eq!(small.hash().len(), 64);
    let json = small.canonical_json();
    assert!(
        json.starts_with(
            r#"{"attributes":{},"currency":"CNY","growth":{"earn":[{"per_major":1,"points":10}]"#
        ),
        "{json}"
    );
    assert!(!json.contains("null"), "{json}");
}
