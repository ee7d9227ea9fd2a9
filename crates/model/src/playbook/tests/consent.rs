//! What consent is asked for: read, bounded, named, and compared in both languages.

use super::malformed::SMALL;
use super::*;

fn read(section: &str) -> Result<Playbook, Vec<Problem>> {
    parse("small", &format!("{SMALL}{section}"), &shipped::load)
}

fn with(section: &str) -> Playbook {
    read(section).unwrap_or_else(|problems| panic!("{}\n{section}", problems[0]))
}

const SAID: &str = "consent:
  minors_under: 16
  purposes:
    marketing: { channels: [sms, wecom], versions: [2025-01, '2'], name: { zh: 营销, en: Marketing } }
    profiling: { category: Analytics }
    membership: { needed: false }
";

#[test]
fn purposes_have_channels_and_texts_with_versions() {
    let consent = with(SAID).consent;
    assert_eq!(consent.minors_under, 16);
    let marketing = &consent.purposes["marketing"];
    assert!(marketing.needed && marketing.channels.contains("wecom"));
    assert_eq!(marketing.versions.iter().collect::<Vec<_>>(), ["2", "2025-01"]);
    assert_eq!(consent.purposes["profiling"].category.as_deref(), Some("Analytics"));
    assert!(!consent.purposes["membership"].needed);
    assert_eq!(consent.channels().into_iter().collect::<Vec<_>>(), ["sms", "wecom"]);
}

#[test]
fn a_playbook_that_asks_no_consent_keeps_its_name() {
    let small = with("");
    assert!(small.consent.is_default() && !small.canonical_json().contains("consent"));
    assert_eq!(small.consent.minors_under, 14);
    for empty in ["consent: {}\n", "consent: { purposes: {} }\n", "consent: { minors_under: 14 }\n"] {
        assert_eq!(with(empty).hash(), small.hash(), "{empty}");
    }
    assert_ne!(with(SAID).hash(), small.hash());
    assert_eq!(parse("again", with(SAID).source(), &shipped::load).unwrap().hash(), with(SAID).hash());
}

#[test]
fn what_is_written_wrong_of_retention_is_said_with_its_place() {
    assert_eq!(with("retention: { Product Viewed: 90d }\n").retention["Product Viewed"], 90);
    assert_eq!(with("retention: { Message Texts: 90d, Message Rows: 90d }\n").retention["Message Rows"], 90);
    for (section, message) in [
        ("retention: { Order Completed: 90d }", "`Order Completed` is never let go"),
        ("retention: { Consent Withdrawn: 90d }", "is never let go"),
        ("retention: { Product Viewed: 29d }", "30 to 3660"),
        ("retention: { Message Texts: 29d }", "30 to 3660"),
        ("retention: { Message Rows: 59d }", "60 to 3660"),
        ("retention: { Message Texts: 90d, Message Rows: 89d }", "`Message Rows` go before `Message Texts`"),
        ("retention: { Product Viewed: 90 }", "needs its unit"),
        ("retention: { ' Product Viewed': 90d }", "cannot be an event"),
    ] {
        let problems = read(&format!("{section}\n")).unwrap_err();
        assert!(problems[0].to_string().contains(message), "{section}: {problems:?}");
    }
}

#[test]
fn what_is_written_wrong_of_consent_is_said_with_its_place() {
    let many = |n: usize, each: fn(usize) -> String| (0..n).map(each).collect::<Vec<_>>().join(", ");
    for (section, message) in [
        ("consent: { purpose: {} }".to_owned(), "did you mean `purposes`?"),
        ("consent: { minors_under: 30 }".to_owned(), "30 is out of range"),
        ("consent: { purposes: { all: {} } }".to_owned(), "`all` means every purpose"),
        ("consent: { purposes: { M: {} } }".to_owned(), "cannot be an id"),
        ("consent: { purposes: { m: { channels: [all] } } }".to_owned(), "`all` means every channel"),
        ("consent: { purposes: { m: { channels: [sms, sms] } } }".to_owned(), "the channel is given twice"),
        ("consent: { purposes: { m: { versions: ['1', '1'] } } }".to_owned(), "the version is given twice"),
        ("consent: { purposes: { m: { versions: [' '] } } }".to_owned(), "this cannot be a version"),
        ("consent: { purposes: { m: { category: '' } } }".to_owned(), "this cannot be a category"),
        ("consent: { purposes: { m: { category: A, versions: [1] } } }".to_owned(), "one or the other"),
        ("consent: { purposes: { m: { category: A }, n: { category: A } } }".to_owned(), "another purpose's"),
        ("consent: { purposes: { m: { needed: maybe } } }".to_owned(), "expected true or false"),
        (
            format!("consent: {{ purposes: {{ {} }} }}", many(21, |n| format!("p{n}: {{}}"))),
            "too many purposes",
        ),
        (
            format!("consent: {{ purposes: {{ m: {{ channels: [{}] }} }} }}", many(21, |n| format!("c{n}"))),
            "too many channels",
        ),
    ] {
        let problems = read(&format!("{section}\n")).unwrap_err();
        assert!(problems[0].to_string().contains(message), "{section}: {problems:?}");
        assert!(problems[0].to_string().contains("consent"), "{section}: {problems:?}");
    }
}

#[test]
fn changes_of_consent_are_said_in_both_languages() {
    let small = with("consent: { purposes: { m: { name: M, channels: [sms] } } }\n");
    for (new, id, zh, en) in [
        (
            "consent: { purposes: { m: { name: M, channels: [sms, email] } } }\n",
            "consent.purposes.m",
            "同意事项「M」的渠道由「sms」改为「email、sms」。",
            "The channels of the purpose M becomes email, sms (was sms).",
        ),
        (
            "consent: { purposes: { m: { name: M, channels: [sms], needed: false } } }\n",
            "consent.purposes.m",
            "同意事项「M」的同意要求由「须先取得同意」改为「可随时拒绝」。",
            "The need for consent of the purpose M becomes may be refused at any time (was needs consent first).",
        ),
        (
            "consent: { purposes: { m: { name: M, channels: [sms] }, n: { name: N } } }\n",
            "consent.purposes.n",
            "新增同意事项「N」（须先取得同意）。",
            "The purpose N (needs consent first) is new.",
        ),
        (
            "consent: { minors_under: 16, purposes: { m: { name: M, channels: [sms] } } }\n",
            "consent.minors_under",
            "须由监护人同意的年龄上限由 14 周岁改为 16 周岁。",
            "The age below which a guardian consents becomes 16 years (was 14 years).",
        ),
    ] {
        let changes = diff(&small, &with(new));
        let [change] = changes.as_slice() else { panic!("{changes:#?}") };
        assert_eq!((change.id.as_str(), change.zh.as_str(), change.en.as_str()), (id, zh, en));
        assert_eq!(diff(&with(new), &small).len(), 1);
    }
    assert_eq!(diff(&with(SAID), &with(SAID)), []);
}
