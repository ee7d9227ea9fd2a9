//! Short links through the pipeline (C1, S1): one for each member and message, told when it is followed, and posters with codes.

use std::sync::Arc;

use serde_json::{Value, json};
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::command::Whom;
use zhiyin_engine::links::follow::Follower;
use zhiyin_engine::links::{Asked, LinkView};
use zhiyin_model::event::Identifier;
use zhiyin_model::link::{Followed, LinkCode};
use zhiyin_model::mask::Mask;
use zhiyin_model::role::{Filter, Grant, Operation};

use crate::home::{Home, KEY, at};
use crate::items::{identify, order, track};

/// Noon of a Wednesday in Shanghai, and a little later.
const NOW: &str = "2024-05-01T04:00:00Z";
const LATER: &str = "2024-05-01T04:30:00Z";

const BRAND: &str = "playbook: brand
extends: variety-store
consent:
  purposes:
    service: { channels: [inbox], needed: false }
links:
  address: https://s.example.com
  hosts: [shop.example.com]
  pages:
    snacks: { to: 'https://shop.example.com/snacks', touchpoint: sms-1, expires: 30d }
    invite: { to: /card, shared: true, with_code: true }
messages:
  hi: { text: '{{ link.snacks }} {{ link.invite }}', sells: false }
  plain: { text: 您好, sells: false }
posters:
  friends:
    link: invite
    svg: '<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"200\" height=\"300\"><rect width=\"200\" height=\"300\" fill=\"#2B7A69\"/>
      <rect id=\"qr\" x=\"20\" y=\"20\" width=\"160\" height=\"160\"/></svg>'
campaigns:
  one:
    purpose: service
    on: event Order Completed
    promised: true
    steps: [{ send: hi, by: inbox }, { send: plain, by: inbox }]
";

/// A home that is live since [`NOW`], in which two members bought something and were told so.
async fn told() -> Home {
    let home = Home::new(BRAND).await;
    let known = ["ann", "bob"].map(|who| identify(who, who, "2024-04-01T04:00:00Z", json!({"name": who})));
    home.live_through(&known).await;
    home.now_is(at(NOW)).await;
    let bought: Vec<Value> =
        ["ann", "bob"].iter().map(|who| order(&format!("o-{who}"), who, who, NOW, "50")).collect();
    let verdicts = home.accept_live("till", &bought, at(NOW)).await;
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
    home.until(at(NOW)).await;
    home
}

async fn everything(home: &Home) -> Filter {
    home.engine().filter(&Grant::system("test"), Operation::MemberRead).await.unwrap()
}

/// Codes of the links in what was said to a member.
async fn codes(home: &Home, who: &str) -> Vec<LinkCode> {
    let (filter, whom) = (everything(home).await, Whom::Id(home.member(who).await.member.id));
    let notes = home.engine().notes_of(&filter, (&whom, "id"), "inbox", false).await.unwrap().unwrap();
    let texts = notes.iter().flat_map(|note| note.text.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let codes = texts.filter_map(|text| LinkCode::read(text.strip_prefix("https://s.example.com/l/")?));
    codes.collect()
}

async fn link(home: &Home, code: &LinkCode) -> LinkView {
    home.engine().link(&everything(home).await, code.as_str()).await.unwrap().unwrap()
}

async fn follower(home: &Home) -> Follower {
    Follower::new(Arc::new(home.second_engine().await), 7)
}

/// What happened to a member with links, the latest first.
async fn happened(home: &Home, who: &str) -> Vec<String> {
    let timeline = home.member(who).await.timeline;
    let names = timeline.into_iter().map(|(_, name, _)| name);
    names.filter(|name| name.starts_with("Link") || name.starts_with("Share")).collect()
}

#[tokio::test]
async fn a_link_in_a_message_is_one_for_each_member_and_send() {
    let home = told().await;
    let (ann, bob) = (codes(&home, "ann").await, codes(&home, "bob").await);
    assert_eq!((ann.len(), bob.len()), (2, 2));
    assert!(ann.iter().all(|code| !bob.contains(code)));
    let id = home.member("ann").await.member.id.to_string();
    let snacks = link(&home, &ann[0]).await;
    assert_eq!(
        (snacks.page.as_deref(), snacks.to.as_deref(), snacks.touchpoint.as_deref()),
        (Some("snacks"), Some("https://shop.example.com/snacks"), Some("sms-1"))
    );
    assert_eq!((snacks.campaign.as_deref(), snacks.message.as_deref()), (Some("one"), Some("hi")));
    assert_eq!((snacks.member.as_deref(), snacks.sharer.as_deref()), (Some(id.as_str()), None));
    assert_eq!(snacks.until.as_deref(), Some("2024-05-31T04:00:00Z"));
    let invite = link(&home, &ann[1]).await;
    assert_eq!((invite.member.as_deref(), invite.sharer.as_deref()), (None, Some(id.as_str())));
    let told = format!("/card?zy={}", ann[1]);
    assert_eq!((invite.to.as_deref(), invite.until), (Some(told.as_str()), None));
    // They are not among those made by hand.
    let listed = home.engine().links(&everything(&home).await, (None, None), 9).await.unwrap().unwrap();
    assert_eq!(listed, []);
    home.healthy().await;
}

#[tokio::test]
async fn c1_who_follows_a_link_is_told_of_once_with_how_often_and_where() {
    let home = told().await;
    let (codes, follower) = (codes(&home, "ann").await, follower(&home).await);
    let leads = follower.leads(&codes[0]).await.unwrap();
    assert_eq!(leads.as_deref(), Ok("https://shop.example.com/snacks"));
    assert_eq!(follower.known(&codes[0]), Some(leads));
    for _ in 0..1_000 {
        follower.followed(&codes[0], Followed::Clicked);
    }
    follower.followed(&codes[0], Followed::Scanned);
    follower.followed(&codes[1], Followed::Clicked);
    assert!(!follower.tell(false).await.unwrap());
    home.until(at(LATER)).await;
    let mut names = happened(&home, "ann").await;
    names.sort();
    assert_eq!(names, ["Link Clicked", "Link Scanned", "Share Clicked"]);
    assert_eq!(happened(&home, "bob").await, Vec::<String>::new());
    let touches = home.member("ann").await.member.touches;
    assert_eq!(touches.last.map(|touch| touch.code).as_deref(), Some("sms-1"));
    let snacks = link(&home, &codes[0]).await;
    assert_eq!((snacks.clicks, snacks.scans), (1_000, 1));
    // What comes right after waits, and is not lost.
    follower.followed(&codes[0], Followed::Clicked);
    follower.tell(false).await.unwrap();
    assert_eq!(link(&home, &codes[0]).await.clicks, 1_000);
    follower.tell_all(true).await;
    assert_eq!(link(&home, &codes[0]).await.clicks, 1_001);
    home.until(at(LATER)).await;
    assert_eq!(happened(&home, "ann").await.len(), 4);
    assert_eq!((home.refusals().await, follower.lost()), (Vec::new(), 0));
    home.healthy().await;
}

#[tokio::test]
async fn only_the_home_says_that_a_link_was_followed() {
    let home = told().await;
    let names = ["Link Clicked", "Link Scanned", "Share Clicked", "Share Scanned"];
    let items: Vec<Value> =
        names.iter().map(|name| track(name, "ann", name, NOW, json!({"link": "x"}))).collect();
    for verdict in home.accept_live("till", &items, at(NOW)).await {
        let Verdict::Refused(refusal) = verdict else { panic!("{verdict:?}") };
        assert_eq!((refusal.code, refusal.field.as_str()), ("event_reserved", "event"));
    }
}

#[tokio::test]
async fn a_link_made_of_the_same_is_the_same_and_leads_to_the_brand_only() {
    let home = told().await;
    let (by, filter) = (Grant::system("test"), everything(&home).await);
    let of =
        |name: &str| Some(Whom::Named(Identifier { namespace: "user".to_owned(), value: name.to_owned() }));
    let make = async |asked: Asked| home.engine().make_link(&by, &filter, &asked).await.unwrap();
    let till =
        || Asked { to: Some("/card".to_owned()), touchpoint: Some("till-1".to_owned()), ..Asked::default() };
    let first = make(till()).await.unwrap();
    assert_eq!((first.to.as_deref(), first.touchpoint.as_deref()), (Some("/card"), Some("till-1")));
    assert_eq!(make(till()).await.unwrap().code, first.code);
    let shared = make(Asked { sharer: of("bob"), ..till() }).await.unwrap();
    assert_eq!(shared.sharer, Some(home.member("bob").await.member.id.to_string()));
    let again = make(Asked { key: Some("2".to_owned()), days: Some(1), ..till() }).await.unwrap();
    let listed = home.engine().links(&filter, (None, None), 9).await.unwrap().unwrap();
    let codes: Vec<&str> = listed.iter().map(|link| link.code.as_str()).collect();
    assert_eq!(codes.len(), 3);
    assert!([&first, &shared, &again].iter().all(|link| codes.contains(&link.code.as_str())));
    let none = Asked::default;
    for (asked, code, field) in [
        (none(), "link_target", "page"),
        (Asked { page: Some("snacks".to_owned()), ..till() }, "link_target", "page"),
        (Asked { page: Some("gone".to_owned()), ..none() }, "page_unknown", "page"),
        (Asked { to: Some("https://evil.example/".to_owned()), ..none() }, "link_not_ours", "to"),
        (Asked { to: Some("//evil.example/".to_owned()), ..none() }, "link_not_ours", "to"),
        (Asked { days: Some(0), ..till() }, "out_of_range", "days"),
        (Asked { member: of("nobody"), ..till() }, "member_unknown", "member"),
    ] {
        let refusal = make(asked).await.unwrap_err();
        assert_eq!((refusal.code, refusal.field.as_str()), (code, field));
    }
    home.healthy().await;
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_with_the_hosts_it_may_lead_to() {
    let home = told().await;
    let (code, by) = (codes(&home, "ann").await.remove(0), Grant::system("test"));
    let to = Some("https://shop.example.com/a".to_owned());
    let filter = everything(&home).await;
    let made =
        home.engine().make_link(&by, &filter, &Asked { to, ..Asked::default() }).await.unwrap().unwrap();
    let made = LinkCode::read(&made.code).unwrap();
    let leads = async |code: &LinkCode| {
        let leads = follower(&home).await.leads(code).await.unwrap();
        leads.map_err(|refusal| refusal.code)
    };
    assert!(leads(&code).await.is_ok() && leads(&made).await.is_ok());
    home.now_is(at("2024-05-31T04:00:00Z")).await;
    assert_eq!((leads(&code).await, leads(&made).await.is_ok()), (Err("link_ended"), true));
    // The brand takes a host back: what led there leads nowhere, whoever made it.
    let other = BRAND
        .replace("hosts: [shop.example.com]", "hosts: [other.example.com]")
        .replace("https://shop.example.com/snacks", "https://other.example.com/");
    home.apply(&other, at("2024-05-31T04:00:00Z")).await;
    assert_eq!(leads(&made).await, Err("link_ended"));
    let nobody = LinkCode::of(&KEY, &[b"nobody"]);
    assert_eq!(leads(&nobody).await, Err("link_unknown"));
}

#[tokio::test]
async fn s1_a_poster_bears_a_code_of_its_members_own() {
    let home = told().await;
    let (filter, ann) = (everything(&home).await, home.member("ann").await.member.id);
    let draw = async |filter: &Filter, name: &str| {
        home.engine().draw_poster(filter, (&Whom::Id(ann), "member"), name).await.unwrap()
    };
    let drawn = draw(&filter, "friends").await.unwrap();
    assert_eq!(&drawn[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(draw(&filter, "friends").await.unwrap(), drawn, "drawn again it is the same");
    let code = LinkCode::of(&KEY, &[b"poster", b"friends", b"invite", ann.bytes()]);
    let found = link(&home, &code).await;
    assert_eq!((found.sharer, found.message.as_deref()), (Some(ann.to_string()), Some("poster friends")));
    let bob = home.member("bob").await.member.id;
    let other =
        home.engine().draw_poster(&filter, (&Whom::Id(bob), "member"), "friends").await.unwrap().unwrap();
    assert_ne!(other, drawn);
    let masked = Filter { mask: Mask::Masked, ..filter.clone() };
    for (filter, name, code) in
        [(&filter, "gone", "poster_unknown"), (&masked, "friends", "poster_shows_people")]
    {
        assert_eq!(draw(filter, name).await.unwrap_err().code, code);
    }
    let follower = follower(&home).await;
    follower.followed(&code, Followed::Scanned);
    follower.tell_all(true).await;
    home.until(at(LATER)).await;
    assert_eq!(happened(&home, "ann").await, ["Share Scanned"]);
    home.healthy().await;
}
