//! Forms of platforms that messages fill in: what may be written, what is told when it may not, what a change is called.

use super::malformed::SMALL;
use super::*;
use crate::playbook::campaign::Allows;

const FORMS: &str = "touchpoints:
  door: { kind: store_poster, follow: main }
consent: { purposes: { service: { channels: [wechat, wechat_mini], needed: false } } }
messages:
  sent:
    text: 已发货
    wechat: { template: T-1, fields: { thing1: '{{ member.name }}', time2: { zh: 今天, en: today } }, page: 'https://m.shop.example/' }
    wechat_mini: { template: T-2, fields: { thing1: 已发货 } }
campaigns:
  sent: { purpose: service, promised: true, on: event Order Shipped, steps: [{ send: sent, by: [wechat, wechat_mini] }] }
";

fn read(forms: &str) -> Result<Playbook, Vec<Problem>> {
    let (small, _) = SMALL.split_once("tags:").unwrap();
    parse("small.yaml", &format!("{small}{forms}"), &shipped::load)
}

#[test]
fn a_message_fills_in_a_form_of_each_channel_that_takes_no_texts() {
    let playbook = read(FORMS).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(playbook.touchpoints["door"].follow.as_deref(), Some("main"));
    let sent = &playbook.messages["sent"];
    let (always, once) = (sent.form("wechat").unwrap(), sent.form("wechat_mini").unwrap());
    assert_eq!((always.account.as_str(), always.allows), ("main", Allows::Always));
    assert_eq!((once.account.as_str(), once.allows), ("mini", Allows::Once));
    assert!(sent.form("email").is_none());
    let names: Vec<&str> = always.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["thing1", "time2"]);
    let again = parse("again", playbook.source(), &shipped::load).unwrap();
    assert_eq!(again.hash(), playbook.hash());
    let changed = read(&FORMS.replace("T-1", "T-9").replace("follow: main", "follow: second")).unwrap();
    let ids: Vec<String> = diff(&playbook, &changed).into_iter().map(|change| change.id).collect();
    assert!(
        ids.contains(&"messages.sent".to_owned()) && ids.contains(&"touchpoints.door".to_owned()),
        "{ids:?}"
    );
}

#[test]
fn what_cannot_work_is_told_where_it_stands() {
    let whole = |from: &str, to: &str| {
        assert!(FORMS.contains(from), "{from}");
        FORMS.replace(from, to)
    };
    for (forms, path, message) in [
        (whole("template: T-1, ", ""), "messages.sent.wechat.template", "is missing"),
        (whole("T-1", "'T 1'"), "messages.sent.wechat.template", "no template's id"),
        (whole("{ thing1: 已发货 }", "{}"), "messages.sent.wechat_mini.fields", "too few or too many"),
        (whole(", fields: { thing1: 已发货 }", ""), "messages.sent.wechat_mini.fields", "is missing"),
        (
            whole("thing1: 已发货", "Thing1: 已发货"),
            "messages.sent.wechat_mini.fields.Thing1",
            "cannot be an id",
        ),
        (whole("T-2,", "T-2, allows: always,"), "messages.sent.wechat_mini.allows", "writes to nobody"),
        (
            whole("    wechat_mini: { template: T-2, fields: { thing1: 已发货 } }\n", ""),
            "campaigns.sent.steps[0].by[1]",
            "names no template of wechat_mini",
        ),
        (whole("follow: main", "follow: 'Main account'"), "touchpoints.door.follow", "cannot be an id"),
    ] {
        let problems = read(&forms).expect_err(path);
        let found = problems.iter().any(|problem| problem.path == path && problem.message.contains(message));
        assert!(found, "{path}: {message}: {problems:#?}");
    }
}
