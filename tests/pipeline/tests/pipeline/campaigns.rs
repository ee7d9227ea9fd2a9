//! Campaigns through the pipeline, under a clock that tests set: what sets them off, what they do when, and what stops them.

mod budget;
mod effects;
mod goals;
mod hours;
mod shipped;
mod texts;
mod told;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::campaigns::{NoteView, RunMoveView, WhyView};
use zhiyin_engine::command::Whom;
use zhiyin_model::event::Identifier;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Filter, Grant, Operation};
use zhiyin_model::time::{DAY_US, HOUR_US, Ts, Zone};

use crate::home::{Home, at};
use crate::items::{identify, order, track};

/// Noon of a Wednesday in Shanghai.
const NOW: &str = "2024-05-01T04:00:00Z";

/// A brand that asks for consent and sends; campaigns and what bounds them are a test's own.
fn brand(sending: &str, campaigns: &str) -> String {
    format!(
        "playbook: brand
extends: variety-store
consent:
  purposes:
    marketing: {{ channels: [inbox, till] }}
    service: {{ channels: [inbox, till, advisor], needed: false }}
tags:
  do_not_disturb: {{ name: 免打扰 }}
  complaining: {{ name: 投诉 }}
  reached: {{ name: 到达 }}
audiences:
  buyers: {{ who: size(orders) >= 1, standing: true }}
messages:
  hi: {{ text: '你好 {{{{ member.name }}}} {{{{ points }}}}' }}
  care: {{ text: 保重, sells: false }}
  call: {{ text: 请回访, sells: false }}
offers:
  five: {{ lane: coupon, off: 5, coupon: {{ valid: 7d }} }}
  one: {{ lane: coupon, off: 5, coupon: {{ valid: 7d }}, stock: 1 }}
sending:
{sending}
campaigns:
{campaigns}"
    )
}

/// A home that is live since [`NOW`], with members who bought nothing yet and said yes to marketing.
async fn live(playbook: &str, members: usize) -> Home {
    let home = Home::new(playbook).await;
    let hello: Vec<Value> = (0..members)
        .flat_map(|n| {
            let who = format!("m{n}");
            let known =
                identify(&format!("k{n}"), &who, "2024-04-01T04:00:00Z", json!({"name": format!("N{n}")}));
            [known, consent(&format!("c{n}"), &who, "2024-04-01T04:00:00Z", true)]
        })
        .collect();
    home.live_through(&hello).await;
    home.now_is(at(NOW)).await;
    home
}

fn consent(id: &str, who: &str, when: &str, given: bool) -> Value {
    let name = if given { "Consent Given" } else { "Consent Withdrawn" };
    track(id, who, name, when, json!({"purpose": "marketing"}))
}

async fn happens(home: &Home, items: &[Value], now: &str) {
    let verdicts = home.accept_live("till", items, at(now)).await;
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
    home.until(at(now)).await;
}

async fn everything(home: &Home) -> Filter {
    home.engine().filter(&Grant::system("test"), Operation::MemberRead).await.unwrap()
}

async fn whom(home: &Home, who: &str) -> Whom {
    Whom::Id(home.member(who).await.member.id)
}

/// What happened to a member, oldest first.
async fn moves(home: &Home, who: &str) -> Vec<RunMoveView> {
    let whom = whom(home, who).await;
    let view = home.engine().runs_of(&everything(home).await, &whom, "id").await.unwrap().unwrap();
    let mut moves = view.moves;
    moves.reverse();
    moves
}

/// The same as words: `began sent ended`.
async fn story(home: &Home, who: &str) -> String {
    let moves = moves(home, who).await;
    let words = moves.iter().map(|one| match one.kind.as_str() {
        "ended" => one.why.clone(),
        kind => kind.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

async fn notes(home: &Home, who: &str, channel: &str) -> Vec<NoteView> {
    let whom = whom(home, who).await;
    let filter = everything(home).await;
    home.engine().notes_of(&filter, (&whom, "id"), channel, false).await.unwrap().unwrap()
}

async fn why(home: &Home, who: &str, campaign: &str) -> WhyView {
    let whom = whom(home, who).await;
    let filter = everything(home).await;
    home.engine().why_sent(&filter, (&whom, "id"), campaign).await.unwrap().unwrap()
}

const THANKS: &str = "  thanks:
    purpose: marketing
    on: event Order Completed
    again: per order_id
    holdout: 0%
    steps:
      - wait: 2h
      - coupon: five
      - { send: hi, by: inbox }
";

#[tokio::test]
async fn an_event_sets_a_campaign_off_whose_steps_follow_the_clock_once_for_a_key() {
    let home = live(&brand("  {}", THANKS), 1).await;
    happens(&home, &[order("o1", "m0", "1", NOW, "50")], NOW).await;
    assert_eq!(story(&home, "m0").await, "began");
    // The shop reports the same order once more: it is no news.
    happens(&home, &[order("o1b", "m0", "1", NOW, "50")], "2024-05-01T05:00:00Z").await;
    home.until(at("2024-05-01T05:59:00Z")).await;
    assert_eq!(story(&home, "m0").await, "began");
    home.until(at("2024-05-01T06:00:00Z")).await;
    assert_eq!(story(&home, "m0").await, "began coupon sent end");
    let [note] = notes(&home, "m0", "inbox").await.try_into().unwrap();
    assert_eq!((note.text.as_str(), note.state.as_str()), ("你好 N0 50", "open"));
    assert_eq!(note.at, "2024-05-01T06:00:00Z");
    happens(&home, &[order("o2", "m0", "2", "2024-05-02T04:00:00Z", "50")], "2024-05-02T04:00:00Z").await;
    assert_eq!(story(&home, "m0").await, "began coupon sent end began");
    home.healthy().await;
}

#[tokio::test]
async fn history_sets_no_campaign_off_nor_does_what_is_told_late_of_it() {
    let home = live(&brand("  {}", THANKS), 1).await;
    home.accept(&[order("o1", "m0", "1", "2024-04-20T04:00:00Z", "50")]).await;
    home.settle().await;
    happens(&home, &[order("o2", "m0", "2", "2024-04-21T04:00:00Z", "50")], NOW).await;
    home.until(at("2024-06-01T00:00:00Z")).await;
    assert_eq!(story(&home, "m0").await, "");
}

/// Each guard-rail alone: what bounds sending, what the member did before, and what is said of the message.
#[tokio::test]
async fn every_guard_rail_stops_a_message_by_its_name() {
    let now = "2024-05-01T04:30:00Z";
    let tag = |tag: &str| track("t1", "m0", "Tag Put On", now, json!({"tag": tag}));
    let none: Vec<Value> = Vec::new();
    for (sending, before, kind, says) in [
        ("  {}", none.clone(), "sent", "consent: given"),
        ("  never: '\"do_not_disturb\" in tags'", vec![tag("do_not_disturb")], "not_sent", "blocked: yes"),
        ("  {}", vec![consent("w", "m0", now, false)], "not_sent", "consent: withdrawn"),
        ("  complaint: '\"complaining\" in tags'", vec![tag("complaining")], "not_sent", "complaint: open"),
        ("  first_touch: true", none.clone(), "not_sent", "first_touch: nothing was seen yet"),
        ("  holdout: 100%", none.clone(), "held_out", "holdout: held out"),
        ("  quiet: { inbox: 12:00-20:00 }", none.clone(), "delayed", "quiet: until 2024-05-01T12:00:00Z"),
        ("  quiet: { till: 12:00-20:00 }", none.clone(), "sent", "quiet: none"),
    ] {
        let campaign = "  one: { purpose: marketing, on: event Order Completed, holdout: 0%, steps: [{ send: hi, by: inbox }] }\n";
        let home = live(&brand(sending, campaign), 1).await;
        happens(&home, &before, now).await;
        happens(&home, &[order("o1", "m0", "1", "2024-05-01T05:00:00Z", "50")], "2024-05-01T05:00:00Z").await;
        let moves = moves(&home, "m0").await;
        let last = moves
            .iter()
            .find(|one| one.place == "1" && one.kind != "ended")
            .unwrap_or_else(|| panic!("{sending}: {moves:?}"));
        assert_eq!(last.kind, kind, "{sending}: {}", last.why);
        assert!(last.why.contains(says), "{sending}: {}", last.why);
        assert_eq!(notes(&home, "m0", "inbox").await.len(), usize::from(kind == "sent"), "{sending}");
        home.healthy().await;
    }
}

#[tokio::test]
async fn what_was_promised_passes_holdout_caps_and_complaints_but_neither_consent_nor_quiet_hours() {
    let sending = "  holdout: 100%
  first_touch: true
  complaint: 'true'
  caps: [1 per member per day]
  quiet: { inbox: 12:00-13:30 }";
    let campaign = "  one: { purpose: marketing, on: event Order Completed, again: per order_id, promised: true, steps: [{ send: hi, by: inbox }] }\n";
    let home = live(&brand(sending, campaign), 1).await;
    let orders = ["1", "2", "3"].map(|n| order(&format!("o{n}"), "m0", n, NOW, "50"));
    happens(&home, &orders, NOW).await;
    assert_eq!(story(&home, "m0").await, "began delayed began delayed began delayed");
    home.until(at("2024-05-01T05:30:00Z")).await;
    assert_eq!(notes(&home, "m0", "inbox").await.len(), 3);
    happens(&home, &[consent("w", "m0", "2024-05-01T06:00:00Z", false)], "2024-05-01T06:00:00Z").await;
    happens(&home, &[order("o4", "m0", "4", "2024-05-01T06:00:00Z", "50")], "2024-05-01T06:00:00Z").await;
    assert!(story(&home, "m0").await.ends_with("began not_sent end"));
}

#[tokio::test]
async fn caps_wait_for_the_next_time_and_give_up_after_a_week() {
    let sending = "  caps: [1 inbox per member per day, 2 per member per 7d]";
    let campaign = "  one: { purpose: marketing, on: event Order Completed, again: per order_id, holdout: 0%, steps: [{ send: hi, by: inbox }] }\n";
    let home = live(&brand(sending, campaign), 1).await;
    let orders: Vec<Value> =
        (1..=4).map(|n| order(&format!("o{n}"), "m0", &n.to_string(), NOW, "50")).collect();
    happens(&home, &orders, NOW).await;
    home.until(at("2024-05-20T00:00:00Z")).await;
    let sent: Vec<String> = notes(&home, "m0", "inbox").await.into_iter().map(|note| note.at).rev().collect();
    // The first at once, the second when the day is over, then a week after each.
    assert_eq!(sent[..2], [NOW.to_owned(), "2024-05-01T16:00:00Z".to_owned()]);
    let times: Vec<Ts> = sent.iter().map(|at| Ts::parse(at).unwrap()).collect();
    assert!(times.windows(3).all(|three| three[2].0 - three[0].0 >= 7 * DAY_US), "{sent:?}");
    home.healthy().await;
}

#[tokio::test]
async fn a_channel_takes_no_more_than_its_quota_and_a_campaign_sends_no_more_than_its_ceiling() {
    let campaign = "  one: { purpose: marketing, on: event Order Completed, holdout: 0%, at_most: 5, steps: [{ send: hi, by: inbox }] }\n";
    let home = live(&brand("  quota: { inbox: 3 per day }", campaign), 10).await;
    let orders: Vec<Value> =
        (0..10).map(|n| order(&format!("o{n}"), &format!("m{n}"), &n.to_string(), NOW, "50")).collect();
    home.accept_live("till", &orders, at(NOW)).await;
    let second = home.second_engine().await;
    let (one, two) =
        tokio::join!(home.engine().drain(3, Some(at(NOW)), |_| ()), second.drain(4, Some(at(NOW)), |_| ()));
    one.unwrap();
    two.unwrap();
    let count = async |day: &str| {
        let mut n = 0;
        for member in 0..10 {
            let notes = notes(&home, &format!("m{member}"), "inbox").await;
            n += notes.iter().filter(|note| note.at.starts_with(day)).count();
        }
        n
    };
    assert_eq!(count("2024-05-01").await, 3);
    home.until(at("2024-05-03T04:00:00Z")).await;
    assert_eq!(count("2024-05").await, 5);
    let view = home.engine().campaign("one").await.unwrap().unwrap();
    assert_eq!((view.counts["began"], view.counts["sent"], view.counts["not_sent"]), (10, 5, 5));
    home.healthy().await;
}

const BACK: &str = "  back:
    purpose: marketing
    on: enters buyers
    holdout: 0%
    goal: Order Completed within 20d
    waves:
      - { coupon: five, send: hi, by: inbox }
      - { after: 7d, coupon: five, send: hi, by: inbox }
      - { after: 7d, coupon: five, send: hi, by: [till, inbox] }
";

#[tokio::test]
async fn waves_come_one_after_the_other_and_who_has_come_back_leaves() {
    let home = live(&brand("  {}", BACK), 2).await;
    happens(&home, &[order("o0", "m0", "1", NOW, "50"), order("o1", "m1", "2", NOW, "50")], NOW).await;
    home.until(at("2024-05-08T04:00:00Z")).await;
    assert_eq!(story(&home, "m0").await, "began coupon sent coupon sent");
    happens(&home, &[order("o2", "m0", "3", "2024-05-10T04:00:00Z", "50")], "2024-05-10T04:00:00Z").await;
    home.until(at("2024-05-20T04:00:00Z")).await;
    assert_eq!(story(&home, "m0").await, "began coupon sent coupon sent goal goal");
    assert_eq!(story(&home, "m1").await, "began coupon sent coupon sent coupon sent end");
    assert_eq!(notes(&home, "m1", "till").await.len(), 1);
    home.healthy().await;
}

#[tokio::test]
async fn steps_wait_branch_split_mark_and_end() {
    let campaign = "  flow:
    purpose: service
    on: event Order Completed
    holdout: 0%
    steps:
      - { await: Page Viewed, when: event.properties.page == \"a\", within: 3d, then: [{ points: 7 }], else: [{ tag: reached }, { exit: true }] }
      - { until: points >= 100, within: 10d, then: [{ send: care, by: inbox }] }
      - if: '\"complaining\" in tags'
        then: [{ task: call }]
        else: [{ set: city, to: 上海 }]
      - { wait: until fri 18:00 }
      - split: [{ share: 50%, steps: [{ tag: reached }] }, { share: 50%, steps: [{ tag: reached }] }]
";
    let home = live(&brand("  {}", campaign), 2).await;
    happens(&home, &[order("o0", "m0", "1", NOW, "50"), order("o1", "m1", "2", NOW, "50")], NOW).await;
    let view = |id, page| track(id, "m0", "Page Viewed", "2024-05-02T04:00:00Z", json!({"page": page}));
    happens(&home, &[view("v1", "b")], "2024-05-02T04:00:00Z").await;
    assert_eq!(story(&home, "m0").await, "began");
    happens(&home, &[view("v2", "a")], "2024-05-02T04:00:00Z").await;
    assert_eq!(story(&home, "m0").await, "began points");
    home.until(at("2024-05-05T04:00:00Z")).await;
    assert_eq!(story(&home, "m1").await, "began marked exit");
    happens(&home, &[order("o3", "m0", "3", "2024-05-06T04:00:00Z", "50")], "2024-05-06T04:00:00Z").await;
    assert_eq!(story(&home, "m0").await, "began points sent marked");
    home.until(at("2024-05-10T09:59:00Z")).await;
    assert_eq!(story(&home, "m0").await, "began points sent marked");
    home.until(at("2024-05-10T10:00:00Z")).await;
    assert_eq!(story(&home, "m0").await, "began points sent marked arm marked end");
    let member = home.member("m0").await.member;
    assert!(member.tags.contains_key("reached") && member.attributes.contains_key("city"));
    home.healthy().await;
}

#[tokio::test]
async fn dates_and_weekdays_set_campaigns_off_and_imported_members_are_found_when_business_begins() {
    let campaigns = "  birthday: { purpose: service, on: 3d before birthday at 10:00, again: after 300d, promised: true, steps: [{ send: care, by: inbox }] }
  weekly: { purpose: service, on: every fri at 19:00 in buyers, again: after exit, holdout: 0%, steps: [{ send: care, by: inbox }] }
";
    let home = Home::new(&brand("  {}", campaigns)).await;
    let history = [
        // Silent since long before business begins.
        order("o1", "m1", "1", "2024-02-20T04:00:00Z", "50"),
        identify("k0", "m0", "2024-02-21T04:00:00Z", json!({"birthday": "1990-05-09"})),
        order("o2", "m2", "2", "2024-03-01T04:00:00Z", "50"),
    ];
    home.live_through(&history).await;
    home.engine().begin_business().await.unwrap();
    home.until(at("2024-05-20T04:00:00Z")).await;
    let times = |notes: Vec<NoteView>| notes.into_iter().map(|note| note.at).rev().collect::<Vec<_>>();
    assert_eq!(times(notes(&home, "m0", "inbox").await), ["2024-05-06T02:00:00Z"]);
    let weekly = times(notes(&home, "m1", "inbox").await);
    assert_eq!(weekly.first().map(String::as_str), Some("2024-03-01T11:00:00Z"));
    assert_eq!(weekly.len(), 12, "{weekly:?}");
    home.healthy().await;
}

#[tokio::test]
async fn a_first_touch_that_was_seen_lets_something_be_sold() {
    let campaigns = "  hello: { purpose: service, on: event Order Completed, holdout: 0%, steps: [{ send: care, by: inbox }] }
  sell: { purpose: marketing, on: event Order Completed, again: per order_id, holdout: 0%, steps: [{ send: hi, by: inbox }] }
";
    let home = live(&brand("  first_touch: true", campaigns), 1).await;
    happens(&home, &[order("o1", "m0", "1", NOW, "50")], NOW).await;
    let [note] = notes(&home, "m0", "inbox").await.try_into().unwrap();
    assert_eq!(note.message, "care");
    let seen = track("s1", "m0", "Message Seen", "2024-05-01T05:00:00Z", json!({"message": note.id}));
    happens(&home, &[seen], "2024-05-01T05:00:00Z").await;
    assert_eq!(notes(&home, "m0", "inbox").await[0].state, "seen");
    happens(&home, &[order("o2", "m0", "2", "2024-05-01T06:00:00Z", "50")], "2024-05-01T06:00:00Z").await;
    assert_eq!(notes(&home, "m0", "inbox").await[0].message, "hi");
}

#[tokio::test]
async fn a_command_begins_a_campaign_whose_task_an_advisor_does() {
    let campaign = "  ring: { purpose: service, on: command, again: after exit, holdout: 0%, steps: [{ task: call }] }\n";
    let home = live(&brand("  {}", campaign), 1).await;
    let asked = |id, campaign| track(id, "m0", "Campaign Begun", NOW, json!({"campaign": campaign}));
    home.accept_live("desk", &[asked("a1", "ring"), asked("a2", "nothing")], at(NOW)).await;
    home.until(at(NOW)).await;
    assert_eq!(home.dead().await[0].code, "campaign_unknown");
    let filter = everything(&home).await;
    let [task] = home.engine().tasks(&filter).await.unwrap().try_into().unwrap();
    assert_eq!((task.text.as_str(), task.channel.as_str()), ("请回访", "advisor"));
    happens(&home, &[track("d1", "m0", "Task Done", NOW, json!({"task": task.id}))], NOW).await;
    assert_eq!(home.engine().tasks(&filter).await.unwrap(), []);
    assert_eq!(notes(&home, "m0", "advisor").await[0].state, "done");
}

#[tokio::test]
async fn a_campaign_gives_the_last_piece_and_the_last_code_and_no_more() {
    let of_partner = "partners:
  cinema: { name: { zh: 影院, en: Cinema }, ours: { zh: 样品, en: A sample }, theirs: { zh: 电影票, en: A ticket } }
offers:
  film: { name: { zh: 电影票, en: Film }, service: { zh: 电影票, en: A ticket }, coupon: { valid: 30d, codes: cinema } }
  two: { lane: coupon, off: 5, coupon: { valid: 7d }, stock: 2 }
";
    for offer in ["two", "film"] {
        let campaign = format!(
            "  one: {{ purpose: service, on: event Order Completed, again: per order_id, holdout: 0%, steps: [{{ coupon: {offer} }}, {{ coupon: {offer} }}] }}\n"
        );
        let home = live(&brand("  {}", &campaign).replace("offers:\n", of_partner), 1).await;
        let (engine, grant) = (home.engine(), Grant::system("test"));
        engine.begin_code_upload(&grant, ("film", "film"), None).await.unwrap().unwrap();
        let codes = vec![(1, "FILM-1".to_owned()), (2, "FILM-2".to_owned())];
        engine.put_codes("film", 0, codes).await.unwrap().unwrap();
        engine.end_code_upload(&grant, "film", 1).await.unwrap().unwrap();
        happens(&home, &[order("o1", "m0", "1", NOW, "50"), order("o2", "m0", "2", NOW, "50")], NOW).await;
        assert_eq!(
            story(&home, "m0").await,
            "began coupon coupon end began no_coupon no_coupon end",
            "{offer}: {:?}",
            moves(&home, "m0").await
        );
        home.healthy().await;
    }
}

#[tokio::test]
async fn a_paused_campaign_sends_nothing_until_it_goes_on_and_a_stopped_one_never_again() {
    let mut home = live(&brand("  {}", BACK), 2).await;
    let grant = Grant::system("test");
    happens(&home, &[order("o0", "m0", "1", NOW, "50")], NOW).await;
    let paused = home.engine().halt_campaign(&grant, "back", "paused").await.unwrap().unwrap();
    assert_eq!(paused.state, "paused");
    // A program of before said so of the campaign alone: who opens the home finds it.
    home.engine().store().coupons().campaigns().set_pool("campaigns/halted", 0, 2).await.unwrap();
    home.reopen().await;
    home.until(at("2024-05-12T04:00:00Z")).await;
    happens(&home, &[order("o1", "m1", "2", "2024-05-12T04:00:00Z", "50")], "2024-05-12T04:00:00Z").await;
    assert_eq!(
        (story(&home, "m0").await.as_str(), story(&home, "m1").await.as_str()),
        ("began coupon sent", "not_begun")
    );
    assert_eq!(why(&home, "m1", "back").await.cannot_begin.as_deref(), Some("campaign_paused"));
    home.engine().halt_campaign(&grant, "back", "running").await.unwrap().unwrap();
    home.until(at("2024-05-13T04:00:00Z")).await;
    assert_eq!(story(&home, "m0").await, "began coupon sent coupon sent");
    home.engine().halt_campaign(&grant, "back", "stopped").await.unwrap().unwrap();
    home.until(at("2024-06-13T04:00:00Z")).await;
    assert_eq!(story(&home, "m0").await, "began coupon sent coupon sent campaign_stopped");
    assert_eq!(
        home.engine().halt_campaign(&grant, "back", "running").await.unwrap().unwrap_err().code,
        "campaign_stopped"
    );
}

#[tokio::test]
async fn runs_go_with_who_turns_out_to_be_one_and_a_version_without_their_step_ends_them() {
    let home = live(&brand("  {}", BACK), 2).await;
    happens(&home, &[order("o0", "m0", "1", NOW, "50"), order("o1", "m1", "2", NOW, "50")], NOW).await;
    let names = ["m0", "m1"].map(|who| Identifier { namespace: "user".to_owned(), value: who.to_owned() });
    assert_eq!(home.engine().merge(&names, "one person").await.unwrap(), Verdict::Accepted);
    home.settle().await;
    let whole = home.member("m0").await.member;
    assert_eq!((whole.runs.open.len(), whole.runs.sent.len()), (1, 2));
    let began = moves(&home, "m0").await.into_iter().filter(|one| one.kind == "began").count();
    assert_eq!(began, 2, "of both");
    assert_eq!(notes(&home, "m0", "inbox").await.len(), 2);
    home.healthy().await;
    home.apply(&brand("  {}", BACK.split("      - { after").next().unwrap()), at("2024-05-02T04:00:00Z"))
        .await;
    home.until(at("2024-05-09T04:00:00Z")).await;
    assert!(story(&home, "m0").await.ends_with("step_gone"), "{}", story(&home, "m0").await);
    home.healthy().await;
}

#[tokio::test]
async fn who_is_held_out_walks_the_same_way_and_gets_nothing() {
    let campaign = BACK.replace("holdout: 0%", "holdout: 50%");
    let home = live(&brand("  caps: [1 per member per 7d]", &campaign), 40).await;
    let orders: Vec<Value> =
        (0..40).map(|n| order(&format!("o{n}"), &format!("m{n}"), &n.to_string(), NOW, "50")).collect();
    happens(&home, &orders, NOW).await;
    home.until(at("2024-05-30T04:00:00Z")).await;
    let (mut out, mut times) = (0, BTreeSet::new());
    for n in 0..40 {
        let who = format!("m{n}");
        let story = story(&home, &who).await;
        let held = story.contains("held_out");
        out += usize::from(held);
        assert_eq!(notes(&home, &who, "inbox").await.is_empty(), held, "{story}");
        assert_eq!(story.contains("coupon"), !held, "{story}");
        let sends = moves(&home, &who)
            .await
            .into_iter()
            .filter(|one| ["sent", "held_out"].contains(&one.kind.as_str()));
        times.insert(sends.map(|one| one.at).collect::<Vec<_>>());
    }
    assert!((10..=30).contains(&out), "{out} of 40 were held out");
    assert_eq!(times.len(), 1, "both arms at the same times: {times:?}");
}

#[tokio::test]
async fn what_is_erased_says_nothing_and_nothing_is_sent_any_more() {
    let home = live(&brand("  {}", BACK), 1).await;
    happens(&home, &[order("o0", "m0", "1", NOW, "50")], NOW).await;
    let member: MemberId = home.member("m0").await.member.id;
    home.engine().store().personal().unwrap().erase(member).await.unwrap();
    home.until(at("2024-06-30T04:00:00Z")).await;
    let left = home.engine().store().coupons().campaigns().notes_of(member, None, 10).await.unwrap();
    assert_eq!(left.len(), 1);
    assert!(zhiyin_store::seal::open(&left[0].body).is_err());
}

/// A small generator: what a seed draws stays the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// A month of what members may do, in the order of time; never at the instant at which anything of before falls due, where what is
/// due comes first.
fn month(seed: u64) -> Vec<(Ts, Value)> {
    let mut chance = Chance(seed.wrapping_add(1));
    let mut now = at(NOW);
    (0..60)
        .map(|n| {
            now = now.plus_us(i64::try_from(chance.below(20)).unwrap() * HOUR_US / 2 + 7_000_000);
            let (who, when, id) = (format!("m{}", chance.below(3)), now.rfc3339(), format!("e{n}"));
            let item = match chance.below(6) {
                0 => consent(&id, &who, &when, false),
                1 => consent(&id, &who, &when, true),
                // The same order is told of twice now and then.
                _ => order(&id, &who, &chance.below(40).to_string(), &when, "50"),
            };
            (now, item)
        })
        .collect()
}

/// A campaign whose text, hour and webhook are decided by whom it is for; it is set off by what others may reach, too.
const NIGHT: &str = "  night:
    purpose: marketing
    on: event Order Completed
    again: after exit
    holdout: 20%
    goal: Order Completed within 3d
    steps:
      - { send: dear, by: inbox, at: best_hour within 19:30-00:30 }
      - { webhook: sent, with: { level: '{{ tier }}' } }
";

/// How a month is decided.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Goes {
    /// Each event as it comes.
    Each,
    /// All at the end.
    AtOnce,
    /// Each as it comes, by two processes at once, of which one is opened anew now and then.
    Torn,
}

/// Plays a month in batches of a size; the digest, and what was said.
async fn play(seed: u64, batch: usize, goes: Goes) -> (String, Vec<(String, NoteView)>) {
    let sending = "  caps: [1 inbox per member per day, 3 per member per 7d]
  quiet: { inbox: 21:00-09:00 }";
    let back = BACK.replace("holdout: 0%", "again: after exit\n    holdout: 30%");
    let campaigns = format!("{THANKS}{back}{NIGHT}");
    let messages = "messages:\n  dear: { text: '{% if points | int > 400 %}{{ abort_message(\"rich\") }}{% endif %}您好' }\n";
    let mut home = live(&brand(sending, &campaigns).replace("messages:\n", messages), 3).await;
    let other = home.second_engine().await;
    let month = month(seed);
    for (n, (now, item)) in month.iter().enumerate() {
        home.accept_live("till", std::slice::from_ref(item), *now).await;
        if goes == Goes::Torn {
            let (one, two) = tokio::join!(
                home.engine().drain(batch, Some(*now), |_| ()),
                other.drain(batch + 1, Some(*now), |_| ())
            );
            one.unwrap();
            two.unwrap();
            if n % 7 == 0 {
                home.reopen().await;
            }
        }
        if goes != Goes::AtOnce {
            home.engine().drain(batch, Some(*now), |_| ()).await.unwrap();
        }
    }
    let end = month.last().map_or(Ts::MIN, |(now, _)| now.plus_us(30 * DAY_US));
    home.engine().drain(batch, Some(end), |_| ()).await.unwrap();
    home.healthy().await;
    let mut said = Vec::new();
    for n in 0..3 {
        let who = format!("m{n}");
        said.extend(notes(&home, &who, "inbox").await.into_iter().map(|note| (who.clone(), note)));
    }
    (home.engine().store().digest().await.unwrap(), said)
}

#[tokio::test]
async fn no_member_is_over_a_cap_in_quiet_hours_without_consent_or_twice_for_a_key_in_any_batches() {
    let zone = Zone::named("Asia/Shanghai").unwrap();
    for seed in 0..12 {
        let (digest, said) = play(seed, 1, Goes::Each).await;
        for (batch, goes) in [(64, Goes::Each), (7, Goes::AtOnce), (2, Goes::Torn)] {
            let (other, _) = play(seed, batch, goes).await;
            if goes != Goes::AtOnce {
                assert_eq!(other, digest, "seed {seed}, batches of {batch}, {goes:?}");
            }
        }
        let month = month(seed);
        for who in ["m0", "m1", "m2"] {
            let mut times: Vec<Ts> = said
                .iter()
                .filter(|(of, _)| of == who)
                .map(|(_, note)| Ts::parse(&note.at).unwrap())
                .collect();
            times.sort_unstable();
            let days: BTreeSet<i32> = times.iter().map(|at| zone.day(*at).0).collect();
            assert_eq!(days.len(), times.len(), "seed {seed}, {who}: two a day, {times:?}");
            assert!(
                times.windows(4).all(|four| four[3].0 - four[0].0 >= 7 * DAY_US),
                "seed {seed}, {who}: {times:?}"
            );
            for at in times {
                let minute = zone.time_of_day_us(at) / 60_000_000;
                assert!((9 * 60..21 * 60).contains(&minute), "seed {seed}, {who}: at {at}");
                let mut words = month.iter().filter(|(when, item)| {
                    *when <= at
                        && item["userId"] == who
                        && item["event"].as_str().is_some_and(|name| name.starts_with("Consent"))
                });
                let given = words.next_back().is_none_or(|(_, item)| item["event"] == "Consent Given");
                assert!(given, "seed {seed}, {who}: without consent at {at}");
            }
        }
        let ids: BTreeSet<&str> = said.iter().map(|(_, note)| note.id.as_str()).collect();
        assert_eq!(ids.len(), said.len());
    }
}
