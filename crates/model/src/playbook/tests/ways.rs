//! Ways in: what may be written, what is told when it may not, what a change is called.

use super::malformed::SMALL;
use super::*;

const WAYS: &str = "touchpoints:
  window:
    kind: store_poster
    name: { zh: 橱窗, en: Window }
    way:
      staff: [LiSi, WangWu]
      store: s1
      hours:
        - { during: 'Mo-Fr 09:00-18:00', welcome: { message: by_day, link: shop, poster: card } }
        - { during: 'Sa,Su 10:00-02:00', staff: [ZhaoLiu] }
      turn: daily
      at_most: 100
      spare: [SunQi]
      tags: [met]
      remark: 橱窗
      welcome: { message: hello }
  table: { kind: community_group, group_way: { account: east, groups: [wr1], owners: [LiSi], named: 徐汇, next: { name: 徐汇会员, from: 3 } } }
  card: { kind: staff_card, way: { persona: 小顾问, asks: true } }
tags:
  met: { group: place }
  ruled: { who: size(orders) > 3 }
messages:
  hello: { text: 你好，%NICKNAME% }
  by_day: { text: 早上好 }
links: { address: https://s.example.com, hosts: [shop.example.com], pages: { shop: { to: 'https://shop.example.com/' } } }
posters: { card: { svg: '<svg xmlns=\"http://www.w3.org/2000/svg\"><rect/></svg>' } }
";

fn read(ways: &str) -> Result<Playbook, Vec<Problem>> {
    let (small, _) = SMALL.split_once("tags:").unwrap();
    parse("small.yaml", &format!("{small}{ways}"), &shipped::load)
}

#[test]
fn ways_may_be_written_and_are_said_in_words() {
    let playbook = read(WAYS).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(playbook.ways().map(|(code, _)| code).collect::<Vec<_>>(), ["card", "window"]);
    assert_eq!(
        playbook.group_ways().map(|(code, way)| (code, way.account.as_str())).collect::<Vec<_>>(),
        [("table", "east")]
    );
    let again = parse("again", playbook.source(), &shipped::load).unwrap();
    assert_eq!(again.hash(), playbook.hash());
    let plain = WAYS.replace(
        "  card: { kind: staff_card, way: { persona: 小顾问, asks: true } }\n",
        "  card: { kind: staff_card }\n",
    );
    let plain = read(&plain).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert!(!format!("{:?}", plain.touchpoints.get("card")).contains("小顾问"));
    let changes = diff(&plain, &playbook);
    let [change] = changes.as_slice() else { panic!("{changes:#?}") };
    assert_eq!(
        (change.id.as_str(), change.zh.as_str(), change.en.as_str()),
        (
            "touchpoints.card",
            "触点「card」的活码由「无」改为「由 小顾问 接待，需员工通过」。",
            "The code at card that leads to staff becomes \"to 小顾问, after staff says yes\" (was nothing).",
        )
    );
    let other = read(&WAYS.replace("at_most: 100", "at_most: 80").replace("from: 3", "from: 4")).unwrap();
    let changes = diff(&playbook, &other);
    assert_eq!(
        changes.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(),
        ["touchpoints.table", "touchpoints.window"]
    );
    assert!(changes.iter().all(|change| !change.zh.is_empty() && !change.en.is_empty()));
}

#[test]
fn what_is_no_way_is_told_with_its_place() {
    let whole = |from: &str, to: &str| {
        assert!(WAYS.contains(from), "{from}");
        WAYS.replace(from, to)
    };
    for (ways, path, message) in [
        (
            whole("staff: [LiSi, WangWu]", "persona: 小顾问\n      staff: [LiSi]"),
            "touchpoints.window.way",
            "said twice",
        ),
        (whole("persona: 小顾问, ", ""), "touchpoints.card.way", "nobody is met"),
        (
            whole("staff: [ZhaoLiu]", "welcome: { message: by_dya }"),
            "touchpoints.window.way.hours[1].welcome.message",
            "did you mean",
        ),
        (
            whole("message: hello", "message: helo"),
            "touchpoints.window.way.welcome.message",
            "there is no message",
        ),
        (
            whole("link: shop", "link: shoop"),
            "touchpoints.window.way.hours[0].welcome.link",
            "there is no page",
        ),
        (
            whole("poster: card", "poster: cart"),
            "touchpoints.window.way.hours[0].welcome.poster",
            "there is no poster",
        ),
        (
            whole("tags: [met]", "tags: [ruled]"),
            "touchpoints.window.way.tags",
            "there is no tag given by hand",
        ),
        (
            whole("Mo-Fr 09:00-18:00", "Mo-Fr 9-18"),
            "touchpoints.window.way.hours[0].during",
            "no time of day",
        ),
        (whole(", staff: [ZhaoLiu]", ""), "touchpoints.window.way.hours[1]", "nothing is other"),
        (whole("      at_most: 100\n", ""), "touchpoints.window.way.spare", "nobody is spare"),
        (whole("at_most: 100", "at_most: 0"), "touchpoints.window.way.at_most", "out of range"),
        (whole("[LiSi, WangWu]", "[LiSi, LiSi]"), "touchpoints.window.way.staff", "named twice"),
        (whole("[LiSi, WangWu]", "['Li Si']"), "touchpoints.window.way.staff", "no id"),
        (
            whole("remark: 橱窗", "remark: 一二三四五六七八九十一"),
            "touchpoints.window.way.remark",
            "cannot be said here",
        ),
        (whole("groups: [wr1], owners: [LiSi], ", ""), "touchpoints.table.group_way", "into no group"),
        (whole("owners: [LiSi], ", ""), "touchpoints.table.group_way.named", "chooses among"),
        (
            whole("  window:", "  a-window-of-a-store-in-xuhui-by-the-river:"),
            "touchpoints.a-window-of-a-store-in-xuhui-by-the-river",
            "too long",
        ),
        (
            whole("kind: staff_card, way", "kind: staff_card, group_way: { groups: [x] }, way"),
            "touchpoints.card.group_way",
            "to staff or into groups",
        ),
    ] {
        let problems = read(&ways).expect_err(path);
        let found = problems.iter().any(|problem| problem.path == path && problem.message.contains(message));
        assert!(found, "{path}: {message}: {problems:#?}");
    }
}
