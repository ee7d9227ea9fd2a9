//! What a brand says of names goes over the house's rules, and says nothing where it is not there.

use super::malformed::SMALL;
use super::*;
use crate::identifier::{self, Window};

fn with(section: &str) -> Playbook {
    let text = format!("{SMALL}{section}");
    parse("small", &text, &shipped::load).unwrap_or_else(|problems| panic!("{}\n{text}", problems[0]))
}

const SAID: &str = "identity:
  namespaces:
    phone: { limit: 2 monthly, priority: 20, blocked: [\"+8613911111111\", 139 2222 2222, 13933333333], valid: 90d }
    openid: { unique: false }
    openid:wxTablet: { limit: 500 }
  merge: { trusted_sources: [crm, till] }
";

#[test]
fn what_is_said_goes_over_the_house_rules() {
    let identity = with(SAID).identity;
    let phone = identity.rule("phone");
    assert_eq!((phone.limit, phone.window, phone.priority), (2, Window::Monthly, 20));
    assert_eq!((phone.valid_days, phone.unique), (Some(90), false));
    assert_eq!((identity.rule("openid:wx1").limit, identity.rule("openid:wx1").unique), (1, false));
    assert_eq!(
        (identity.rule("openid:wxTablet").limit, identity.rule("openid:wxTablet").unique),
        (500, false)
    );
    assert_eq!(identity.rule("card"), identifier::rule("card"));
    for value in ["+8613911111111", "+8613922222222", "+8613933333333", "+8613800000000"] {
        assert!(identity.is_blocked("phone", value), "{value}");
    }
    assert!(
        !identity.is_blocked("phone", "+8613944444444") && !identity.is_blocked("card", "+8613911111111")
    );
    assert!(identity.is_trusted("crm") && !identity.is_trusted("shop"));
}

#[test]
fn a_playbook_that_says_nothing_of_names_keeps_its_name() {
    let small = with("");
    assert!(small.identity.is_default() && !small.canonical_json().contains("identity"));
    for empty in [
        "identity: {}\n",
        "identity: { namespaces: { phone: {} } }\n",
        "identity: { merge: { trusted_sources: [] } }\n",
        "identity: { names: 1500 }\n",
    ] {
        assert_eq!(with(empty).hash(), small.hash(), "{empty}");
    }
    assert_ne!(with(SAID).hash(), small.hash());
    let again = parse("again", with(SAID).source(), &shipped::load).unwrap();
    assert_eq!(again.hash(), with(SAID).hash());
}

#[test]
fn changes_of_names_are_said_in_both_languages() {
    let limit = |text: &str| with(&format!("identity: {{ namespaces: {{ phone: {text} }} }}\n"));
    for (new, id, zh, en) in [
        (
            limit("{ limit: 2 monthly }"),
            "identity.namespaces.phone",
            "身份标识 phone 的数量上限由「终身 3 个」改为「每 30 天 2 个」。",
            "The limit of the identifier `phone` becomes 2 in 30 days (was 3 ever).",
        ),
        (
            limit("{ valid: 90d }"),
            "identity.namespaces.phone",
            "身份标识 phone 的有效期由「长期」改为 90 天。",
            "The validity of the identifier `phone` becomes 90 days (was without end).",
        ),
        (
            limit("{ unique: true }"),
            "identity.namespaces.phone",
            "身份标识 phone 的归属由「可多人共用」改为「一值一人」。",
            "The reach of the identifier `phone` becomes one person a value (was shared by people).",
        ),
        (
            limit("{ blocked: [13912345678] }"),
            "identity.namespaces.phone",
            "身份标识 phone 新增 1 个不予识别的值。",
            "1 more value of the identifier `phone` names nobody.",
        ),
        (
            limit("{ limit: 3 ever }"),
            "identity.namespaces.phone",
            "身份标识 phone 的规则写法有变，含义不变。",
            "The rule of the identifier `phone` is written otherwise and means the same.",
        ),
        (
            with("identity: { merge: { trusted_sources: [crm] } }\n"),
            "identity.merge.trusted_sources",
            "合并时采信的来源由「无」改为「crm」。",
            "Whose word is taken for a merge becomes crm (was nothing).",
        ),
        (
            with("identity: { names: 40 }\n"),
            "identity.names",
            "每人身份标识的总数上限由「1,500 个」改为「40 个」。",
            "How many identifiers one person may have becomes 40 (was 1,500).",
        ),
    ] {
        let changes = diff(&with(""), &new);
        let [change] = changes.as_slice() else { panic!("{changes:#?}") };
        assert_eq!((change.id.as_str(), change.zh.as_str(), change.en.as_str()), (id, zh, en));
        assert_eq!(diff(&new, &with("")).len(), 1);
    }
    assert_eq!(diff(&with(SAID), &with(SAID)), []);
}
