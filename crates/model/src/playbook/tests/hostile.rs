//! Whatever a file holds, the answer is a playbook or a list of problems.

use proptest::prelude::*;

use super::*;

fn survives(text: &str) {
    match parse("any.yaml", text, &shipped::load) {
        Ok(playbook) => {
            let again =
                parse("source", playbook.source(), &shipped::load).expect("a source can be read again");
            assert_eq!(again, playbook);
        }
        Err(problems) => {
            assert!((1..=50).contains(&problems.len()));
            assert!(problems.iter().all(|problem| problem.line >= 1 && problem.column >= 1));
        }
    }
}

#[test]
fn a_file_of_nothing_but_keys_is_told_like_any_other() {
    let keys: String = (0..20_000).map(|i| format!("k{i}: 1\n")).collect();
    survives(&keys);
    let touchpoints: String = (0..5000).map(|i| format!("  s{i}: {{ kind: store }}\n")).collect();
    let text = format!("playbook: many\nextends: variety-store\ntouchpoints:\n{touchpoints}");
    let playbook = parse("many.yaml", &text, &shipped::load).unwrap();
    assert!(playbook.touchpoints.len() > 5000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "[ -~\n\t\u{e9}\u{4e2d}\u{1f600}\u{2028}]{0,200}") {
        survives(&text);
    }

    #[test]
    fn any_text_of_yaml_marks(text in "[-:?,\\[\\]{}#&*!|>'\"%@` \nab1~]{0,80}") {
        survives(&text);
    }

    #[test]
    fn a_playbook_with_a_part_cut_out_or_put_in(
        from in 0usize..1400, length in 0usize..12, inserted in "[-:?,\\[\\]{}#&*!|>'\"~ \n\t019ad]{0,6}", of_demo in any::<bool>(),
    ) {
        let text: Vec<char> = if of_demo { shipped::DEMO } else { super::malformed::SMALL }.chars().collect();
        let from = from.min(text.len());
        let to = (from + length).min(text.len());
        let edited: String = text[..from].iter().copied().chain(inserted.chars()).chain(text[to..].iter().copied()).collect();
        survives(&edited);
    }
}
