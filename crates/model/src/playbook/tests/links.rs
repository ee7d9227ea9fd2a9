//! Short links and posters: what may be written, what is told when it may not, what a change is called.

use super::malformed::SMALL;
use super::*;

const PAGES: &str = "links:
  address: https://s.example.com
  hosts: [shop.example.com, '*.brand.example']
  pages:
    snacks: { name: { zh: 零食, en: Snacks }, to: 'https://shop.example.com/s', touchpoint: sms-1, expires: 30d }
    invite: { to: /card, shared: true, with_code: true }
posters:
  friends: { link: invite, svg: '<svg xmlns=\"http://www.w3.org/2000/svg\"><rect/></svg>' }
";

fn read(links: &str) -> Result<Playbook, Vec<Problem>> {
    parse("small.yaml", &format!("{SMALL}{links}"), &shipped::load)
}

#[test]
fn links_and_posters_may_be_written_and_are_said_in_words() {
    let playbook = read(PAGES).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let pages = &playbook.links.pages;
    assert_eq!(
        (pages["snacks"].days, pages["invite"].shared, pages["invite"].with_code),
        (Some(30), true, true)
    );
    assert_eq!(playbook.posters["friends"].link.as_deref(), Some("invite"));
    let again = parse("again", playbook.source(), &shipped::load).unwrap();
    assert_eq!(again.hash(), playbook.hash());
    let without = read("").unwrap();
    let json = without.canonical_json();
    assert!(!json.contains("\"links\"") && !json.contains("posters"), "who has none has the name they had");
    let changes = diff(&without, &playbook);
    let ids: Vec<&str> = changes.iter().map(|change| change.id.as_str()).collect();
    let wanted =
        ["links.address", "links.hosts", "links.pages.invite", "links.pages.snacks", "posters.friends"];
    assert_eq!(ids, wanted);
    let snacks = &changes[3];
    assert_eq!(
        (snacks.zh.as_str(), snacks.en.as_str()),
        (
            "新增链接页「零食」：跳转到 https://shop.example.com/s，触点 sms-1，30 天后失效。",
            "The page Snacks is new: leads to https://shop.example.com/s, touchpoint sms-1, for 30 days."
        )
    );
    let other = read(&PAGES.replace("<rect/>", "<g/>")).unwrap();
    let changes = diff(&playbook, &other);
    let [change] = changes.as_slice() else { panic!("{changes:#?}") };
    assert_eq!((change.id.as_str(), change.kind), ("posters.friends", ChangeKind::Changed));
    assert!(!change.zh.is_empty() && !change.en.is_empty());
}

#[test]
fn what_is_no_link_is_told_with_its_place() {
    let mut wrong = Vec::new();
    for (links, expected) in [
        ("links: { address: 'http://s.example.com' }", "links.address: this is not how a home is reached"),
        ("links: { address: 'https://s.example.com/' }", "links.address: this is not how a home is reached"),
        ("links: { address: 'https://s' }", "links.address: this is not how a home is reached"),
        ("links: { hosts: ['https://a.example'] }", "links.hosts: \"https://a.example\" is no host"),
        ("links: { hosts: ['*'] }", "links.hosts: \"*\" is no host"),
        ("links: { pages: { a: { touchpoint: x } } }", "links.pages.a.to: `to` is missing"),
        ("links: { pages: { a: { to: 'https://a.example/' } } }", "links.pages.a.to: no link may lead there"),
        ("links: { pages: { a: { to: //a.example/ } } }", "links.pages.a.to: no link may lead there"),
        ("links: { pages: { a-b: { to: /a } } }", "links.pages.a-b: \"a-b\" cannot be an id"),
        ("links: { pages: { a: { to: /a, expires: 0d } } }", "links.pages.a.expires: "),
        ("links: { pages: { a: { to: /a, open: true } } }", "links.pages.a.open: there is no such key here"),
        ("posters: { p: { link: a } }", "posters.p.svg: `svg` is missing"),
        (
            "links: { address: 'https://s.example.com', pages: { page: { to: /a } } }\nposters: { p: { svg: x, link: pge } }",
            "posters.p.link: there is no page `pge`; did you mean `page`?",
        ),
        (
            "links: { pages: { page: { to: /a } } }\nposters: { p: { svg: x, link: page } }",
            "posters.p: its code needs `links.address`",
        ),
    ] {
        let problems: Vec<String> = read(links).unwrap_err().iter().map(ToString::to_string).collect();
        if problems.len() != 1 || !problems[0].contains(expected) {
            wrong.push(format!("{links}\nexpected {expected}\nfound    {problems:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
