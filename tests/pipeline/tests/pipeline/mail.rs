//! E-mail through the pipeline to a server that speaks SMTP: what goes out, what may be sent again and what never (semantics 17), what
//! comes back, and what stops a message at the last moment.

mod counts;
mod mjml;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Notify;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::campaigns::NoteView;
use zhiyin_engine::clock;
use zhiyin_engine::command::Whom;
use zhiyin_engine::sends::log::{SendView, SendsAsked};
use zhiyin_engine::sends::{
    Again, Channel, Dispatched, Email, EmailSettings, Handed, Lane, Limit, Parcel, Tls,
};
use zhiyin_model::role::{Filter, Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_reach::pace::Pace;

use crate::home::{Home, at};
use crate::items::{order, track};
use crate::mail_server::MailServer;

/// Noon of a Wednesday in Shanghai.
const NOW: &str = "2024-05-01T04:00:00Z";
const MINUTE_US: i64 = 60_000_000;

/// A brand that writes e-mail after each order, and says it in the app where that fails.
const BRAND: &str = "playbook: brand
extends: variety-store
consent:
  purposes:
    marketing: { channels: [inbox, till, email] }
messages:
  thanks:
    subject: { zh: '谢谢 {{ member.name }}', en: 'Thank you {{ member.name }}' }
    text: { zh: '您好 {{ member.name }}，订单 {{ key }}', en: 'Hello {{ member.name }}, order {{ key }}' }
    html: { zh: '<p>您好 <b>{{ member.name }}</b></p>', en: '<p>Hello <b>{{ member.name }}</b></p>' }
campaigns:
  thanks:
    purpose: marketing
    on: event Order Completed
    again: per order_id
    holdout: 0%
    steps: [{ send: thanks, by: [email, inbox] }]
";

fn channel(server: &MailServer) -> Email {
    Email::new(EmailSettings {
        host: "127.0.0.1".to_owned(),
        port: server.port,
        tls: Tls::None,
        sign_in: None,
        hello: "shop.example".to_owned(),
        from: "好物 <hello@shop.example>".to_owned(),
        reply_to: None,
        bounces: "bounce@shop.example".to_owned(),
        at_once: 2,
        trusted: None,
    })
    .unwrap()
}

fn lane(server: &MailServer) -> Lane {
    Lane::new(Box::new(channel(server)), Some("https://vip.shop.example".to_owned()))
}

/// A home that is live since [`NOW`], with members who said yes to marketing; every one has an e-mail address.
async fn live(members: usize) -> Home {
    live_as(BRAND, members).await
}

async fn live_as(brand: &str, members: usize) -> Home {
    let home = Home::new(brand).await;
    let mut hello: Vec<Value> = Vec::new();
    for n in 0..members {
        let (who, when) = (format!("m{n}"), "2024-04-01T04:00:00Z");
        hello.push(
            json!({"type": "identify", "messageId": format!("k{n}"), "userId": who, "timestamp": when,
            "traits": {"name": format!("<N{n}>")},
            "context": {"externalIds": [{"id": format!("m{n}@example.com"), "type": "email"}]}}),
        );
        hello.push(track(&format!("c{n}"), &who, "Consent Given", when, json!({"purpose": "marketing"})));
    }
    home.live_through(&hello).await;
    home.now_is(at(NOW)).await;
    home
}

async fn happens(home: &Home, items: &[Value], now: &str) {
    let verdicts = home.accept_live("till", items, at(now)).await;
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
    home.until(at(now)).await;
}

/// An order, after which a message waits to be sent.
async fn buys(home: &Home, who: &str, n: usize) {
    happens(home, &[order(&format!("{who}-o{n}"), who, &format!("{who}{n}"), NOW, "50")], NOW).await;
}

/// Hands over what is due, so many minutes later by the wall clock.
async fn hands_over(home: &Home, lane: &mut Lane, minutes: i64) -> Dispatched {
    home.engine().hand_over(lane, clock::wall().plus_us(minutes * MINUTE_US)).await.unwrap()
}

/// The pipeline is told what failed, and decides it.
async fn hears(home: &Home) -> usize {
    let told = home.engine().tell_sends(100).await.unwrap();
    home.settle().await;
    told
}

async fn sends(home: &Home) -> Vec<SendView> {
    let asked = SendsAsked { limit: 100, ..SendsAsked::default() };
    home.engine().sends(&asked).await.unwrap().unwrap()
}

async fn only(home: &Home) -> SendView {
    let [only] = sends(home).await.try_into().unwrap();
    only
}

async fn everything(home: &Home) -> Filter {
    home.engine().filter(&Grant::system("test"), Operation::MemberRead).await.unwrap()
}

async fn inbox(home: &Home, who: &str) -> Vec<NoteView> {
    let whom = Whom::Id(home.member(who).await.member.id);
    let filter = everything(home).await;
    home.engine().notes_of(&filter, (&whom, "id"), "inbox", false).await.unwrap().unwrap()
}

/// What happened to a member in campaigns, oldest first, as `kind: why`.
async fn story(home: &Home, who: &str) -> Vec<String> {
    let whom = Whom::Id(home.member(who).await.member.id);
    let filter = everything(home).await;
    let mut moves = home.engine().runs_of(&filter, &whom, "id").await.unwrap().unwrap().moves;
    moves.reverse();
    moves.into_iter().map(|one| format!("{}: {}", one.kind, one.why)).collect()
}

#[tokio::test]
async fn an_e_mail_goes_out_once_with_its_subject_its_html_and_a_way_to_want_no_more() {
    let (home, server) = (live(1).await, MailServer::start().await);
    let mut lane = lane(&server);
    assert_eq!(hands_over(&home, &mut lane, 0).await, Dispatched::default());
    buys(&home, "m0", 1).await;
    assert_eq!(only(&home).await.state, "waiting");
    assert_eq!(hands_over(&home, &mut lane, 0).await, Dispatched { sent: 1, ..Dispatched::default() });
    let [got] = server.take().try_into().unwrap();
    assert_eq!(got.to, "m0@example.com");
    assert!(got.from.starts_with("bounce+") && got.from.ends_with("@shop.example"), "{}", got.from);
    assert!(got.header("List-Unsubscribe").unwrap().starts_with("<https://vip.shop.example/v1/unsubscribe/"));
    assert_eq!(got.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    assert!(got.text.contains("multipart/alternative"), "{}", got.text);
    let send = only(&home).await;
    assert_eq!((send.state.as_str(), send.attempts, send.error.as_deref()), ("sent", 1, None));
    assert!(send.receipt.unwrap().contains("queued as 7"));
    for minutes in [0, 5, 60 * 24] {
        assert_eq!(hands_over(&home, &mut lane, minutes).await, Dispatched::default());
    }
    assert!(server.take().is_empty() && inbox(&home, "m0").await.is_empty());
    home.healthy().await;
}

/// Semantics 17, against a server: what is answered, where it stands then, whether the server got it, whether it is sent again by
/// itself, and whether the member reads it in the app instead.
#[tokio::test]
async fn what_certainly_was_not_taken_is_sent_again_or_elsewhere_and_what_may_have_been_never() {
    for (command, answer, state, error, got, again, elsewhere) in [
        ("hello", "gone", "waiting", "connect_", 0, true, false),
        ("hello", "421 busy", "waiting", "connect_", 0, true, false),
        ("MAIL", "451 4.7.1 later", "waiting", "sender_451", 0, true, false),
        ("RCPT", "450 4.2.1 greylisted", "waiting", "recipient_450", 0, true, false),
        (
            "RCPT",
            "550 5.1.1 no such user",
            "failed",
            "unreachable: recipient_refused 550 5.1.1",
            0,
            false,
            true,
        ),
        ("RCPT", "550 5.7.1 not from you", "failed", "recipient_refused 550 5.7.1", 0, false, true),
        ("DATA", "gone", "waiting", "data_", 0, true, false),
        ("text", "452 4.3.1 full", "waiting", "message_452", 0, true, false),
        ("text", "554 5.6.0 no", "failed", "message_refused 554", 0, false, true),
        ("text", "gone", "unknown", "no_answer", 1, false, false),
    ] {
        let (home, server) = (live(1).await, MailServer::start().await);
        let mut lane = lane(&server);
        server.answers(command, answer);
        buys(&home, "m0", 1).await;
        hands_over(&home, &mut lane, 0).await;
        let send = only(&home).await;
        let case = format!("{command} {answer}: {send:?}");
        assert_eq!(send.state, state, "{case}");
        assert!(send.error.as_deref().unwrap_or_default().starts_with(error), "{case}");
        assert_eq!(server.take().len(), got, "{case}");
        // A year of trying makes nothing of what may have arrived.
        for minutes in [0, 2, 60, 60 * 20] {
            hands_over(&home, &mut lane, minutes).await;
        }
        assert_eq!(server.take().len(), usize::from(again), "{case}");
        hears(&home).await;
        assert_eq!(inbox(&home, "m0").await.len(), usize::from(elsewhere), "{case}");
        let member = home.member("m0").await.member;
        assert_eq!(
            member.personal.unreachable.contains_key("email"),
            error.starts_with("unreachable"),
            "{case}"
        );
        // Nobody is counted twice, and whoever may have got it is counted.
        assert_eq!(member.runs.sent.len(), 1, "{case}");
        home.healthy().await;
    }
}

#[tokio::test]
async fn what_failed_goes_on_the_next_channel_in_the_same_words_and_the_story_tells_both() {
    let (home, server) = (live(1).await, MailServer::start().await);
    let mut lane = lane(&server);
    server.answers("RCPT", "550 5.1.1 no such user");
    buys(&home, "m0", 1).await;
    hands_over(&home, &mut lane, 0).await;
    assert_eq!(hears(&home).await, 1);
    assert_eq!(hears(&home).await, 0, "it is told once");
    let [note] = inbox(&home, "m0").await.try_into().unwrap();
    assert_eq!(note.text, "您好 <N0>，订单 m01");
    let story = story(&home, "m0").await;
    let kinds: Vec<&str> = story.iter().map(|one| one.split(':').next().unwrap()).collect();
    assert_eq!(kinds, ["began", "sent", "ended", "not_sent", "sent"], "{story:?}");
    assert!(story[3].contains("email: unreachable: recipient_refused"), "{}", story[3]);
    assert!(story[3].ends_with("; nobody got it"), "{}", story[3]);
    // The next message goes straight to the app: nothing reaches them by e-mail.
    buys(&home, "m0", 2).await;
    assert_eq!(inbox(&home, "m0").await.len(), 2);
    assert_eq!(sends(&home).await.len(), 1);
    let refused =
        home.engine().retry_send(&Grant::system("test"), &only(&home).await.send, false).await.unwrap();
    assert_eq!(refused.unwrap_err().code, "send_went_elsewhere");
    // Somebody corrected the address.
    let again = track("again", "m0", "Channel Reachable", NOW, json!({"channel": "email"}));
    happens(&home, &[again], NOW).await;
    buys(&home, "m0", 3).await;
    assert_eq!(hands_over(&home, &mut lane, 0).await.sent, 1);
    home.healthy().await;
}

/// Between decision and hand-over: consent, a campaign's end, an address.
#[tokio::test]
async fn guard_rails_are_asked_once_more_when_it_is_handed_over() {
    let no = track("w", "m0", "Consent Withdrawn", NOW, json!({"purpose": "marketing", "channel": "email"}));
    for (before, halt, state, error, elsewhere) in [
        (Some(no), "", "stopped", "consent: withdrawn", 1),
        (None, "stopped", "stopped", "campaign: stopped", 0),
        (None, "paused", "waiting", "campaign: paused", 0),
    ] {
        let (home, server) = (live(1).await, MailServer::start().await);
        let mut lane = lane(&server);
        buys(&home, "m0", 1).await;
        if let Some(item) = &before {
            happens(&home, std::slice::from_ref(item), NOW).await;
        }
        if !halt.is_empty() {
            home.engine().halt_campaign(&Grant::system("test"), "thanks", halt).await.unwrap().unwrap();
        }
        hands_over(&home, &mut lane, 0).await;
        let send = only(&home).await;
        assert_eq!((send.state.as_str(), send.error.as_deref()), (state, Some(error)));
        assert_eq!(send.attempts, i64::from(state == "stopped"), "who was not asked was not tried");
        assert!(server.take().is_empty(), "{error}");
        hears(&home).await;
        assert_eq!(inbox(&home, "m0").await.len(), elsewhere, "{error}");
    }
}

#[tokio::test]
async fn whoever_has_no_address_is_told_on_the_next_channel() {
    let (home, server) = (live(0).await, MailServer::start().await);
    let mut lane = lane(&server);
    let yes = track("c", "x", "Consent Given", NOW, json!({"purpose": "marketing"}));
    happens(&home, &[yes], NOW).await;
    buys(&home, "x", 1).await;
    assert_eq!(hands_over(&home, &mut lane, 0).await.stopped, 1);
    assert_eq!(only(&home).await.error.as_deref(), Some("address: none"));
    hears(&home).await;
    assert_eq!(inbox(&home, "x").await.len(), 1);
    // It counts once, where it went.
    let sent = home.member("x").await.member.runs.sent;
    assert_eq!(sent.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>(), ["inbox"]);
}

/// The word of the way out, from a message's head.
fn way_out(header: &str) -> String {
    header.trim_end_matches('>').rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn one_click_withdraws_consent_on_the_channel_and_a_word_of_somebody_else_does_nothing() {
    let (home, server) = (live(2).await, MailServer::start().await);
    let mut lane = lane(&server);
    buys(&home, "m0", 1).await;
    hands_over(&home, &mut lane, 0).await;
    let [got] = server.take().try_into().unwrap();
    let word = way_out(got.header("List-Unsubscribe").unwrap());
    let engine = home.engine();
    for wrong in [
        "",
        "0123",
        got.word().as_str(),
        &word.replace(&word[..1], if word.starts_with('0') { "1" } else { "0" }),
    ] {
        assert!(!engine.leave(wrong).await.unwrap(), "{wrong}");
        assert_eq!(engine.leaver(wrong).await.unwrap(), None, "{wrong}");
    }
    assert!(!engine.leaver(&word).await.unwrap().unwrap().english, "to look changes nothing");
    for _ in 0..2 {
        assert!(engine.leave(&word).await.unwrap());
        home.settle().await;
    }
    buys(&home, "m0", 2).await;
    assert_eq!(sends(&home).await.len(), 1, "no e-mail any more");
    assert_eq!(inbox(&home, "m0").await.len(), 1, "in the app they said nothing against it");
    buys(&home, "m1", 1).await;
    assert_eq!(hands_over(&home, &mut lane, 0).await.sent, 1, "others go on");
    assert!(home.dead().await.is_empty());
}

fn report(kind: &str, to: &str, part: &str) -> String {
    format!(
        "From: mailer@mx.example\r\nTo: <{to}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type={kind}; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: message/{kind}\r\n\r\n{part}\r\n--b--\r\n"
    )
}

#[tokio::test]
async fn a_bounce_makes_unreachable_by_name_a_complaint_withdraws_consent_and_neither_without_a_word_of_ours()
{
    let (home, server) = (live(3).await, MailServer::start().await);
    let mut lane = lane(&server);
    let by = Grant::system("test");
    let gone =
        "Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    let full =
        "Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x\r\nAction: failed\r\nStatus: 5.2.2\r\n";
    for who in ["m0", "m1", "m2"] {
        buys(&home, who, 1).await;
        hands_over(&home, &mut lane, 0).await;
    }
    let got = server.take();
    let of = |who: &str| got.iter().find(|one| one.to.starts_with(who)).unwrap().from.clone();
    let engine = home.engine();
    let strange = of("m0").replace(|c: char| c.is_ascii_hexdigit(), "0");
    for (raw, kind, did) in [
        (report("delivery-status", &strange, gone), "gone", "nothing"),
        (report("delivery-status", &of("m0"), gone), "gone", "bounced"),
        (report("delivery-status", &of("m0"), gone), "gone", "nothing"),
        (report("delivery-status", &of("m1"), full), "failed", "bounced"),
        (report("feedback-report", &of("m2"), "Feedback-Type: abuse\r\n"), "complaint", "withdrawn"),
    ] {
        let view = engine.came_back(&by, raw.as_bytes()).await.unwrap().unwrap();
        assert_eq!((view.kind.as_str(), view.did.as_str()), (kind, did), "{raw}");
    }
    assert_eq!(engine.came_back(&by, b"").await.unwrap().unwrap_err().code, "message_malformed");
    assert_eq!(hears(&home).await, 2);
    home.settle().await;
    let unreachable = async |who: &str| {
        let gone = home.member(who).await.member.personal.unreachable;
        gone.get("email").map(|gone| gone.why.clone())
    };
    assert_eq!(unreachable("m0").await.as_deref(), Some("unreachable: bounced 5.1.1"));
    assert_eq!(unreachable("m1").await, None);
    for (who, notes) in [("m0", 1), ("m1", 1), ("m2", 0)] {
        assert_eq!(inbox(&home, who).await.len(), notes, "{who}: what did not arrive is said in the app");
    }
    for (who, mails) in [("m0", 0), ("m1", 1), ("m2", 0)] {
        buys(&home, who, 2).await;
        hands_over(&home, &mut lane, 0).await;
        assert_eq!(server.take().len(), mails, "{who}");
    }
    home.healthy().await;
}

#[tokio::test]
async fn no_more_go_out_than_the_limit_of_the_day_lets_through() {
    let (home, server) = (live(4).await, MailServer::start().await);
    for n in 0..4 {
        buys(&home, &format!("m{n}"), 1).await;
    }
    let limit = Limit { from: None, pace: Pace { per_minute: 1, burst: 1 } };
    let later =
        Limit { from: Some(zhiyin_model::time::Day(1_000_000)), pace: Pace { per_minute: 600, burst: 9 } };
    let mut lane = lane(&server).limited(vec![limit, later]);
    let begun = clock::wall();
    let mut went = Vec::new();
    for seconds in [0, 1, 59, 61, 90, 122] {
        let now = begun.plus_us(seconds * 1_000_000);
        went.push(home.engine().hand_over(&mut lane, now).await.unwrap().sent);
    }
    assert_eq!(went, [1, 0, 0, 1, 0, 1]);
    assert_eq!(server.take().len(), 3);
    // Another dispatcher of this home goes by the same pace.
    let mut other = self::lane(&server).limited(vec![limit]);
    let now = begun.plus_us(130 * 1_000_000);
    assert_eq!(home.engine().hand_over(&mut other, now).await.unwrap(), Dispatched::default());
    assert!(sends(&home).await.iter().all(|one| one.attempts <= 1), "who waits for the pace was not tried");
}

/// A channel that says it has something and never answers.
struct Silent {
    again: Again,
    reached: std::sync::Arc<Notify>,
}

#[async_trait]
impl Channel for Silent {
    fn name(&self) -> &'static str {
        "email"
    }

    fn namespaces(&self) -> &'static [&'static str] {
        &["email"]
    }

    fn again(&self) -> Again {
        self.again
    }

    fn at_once(&self) -> usize {
        1
    }

    fn within(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn hand_over(&self, _: &Parcel) -> Handed {
        self.reached.notify_one();
        std::future::pending().await
    }
}

/// A process that ends while a channel has the message: by SMTP nobody knows, and it is never sent again by itself; a channel that knows
/// the key of a message is asked again.
#[tokio::test]
async fn a_crash_after_the_hand_over_leaves_unknown_what_no_key_protects() {
    for (again, state, sent) in [(Again::Never, "unknown", 0), (Again::ByKey, "sent", 1)] {
        let (mut home, server) = (live(1).await, MailServer::start().await);
        buys(&home, "m0", 1).await;
        let reached = std::sync::Arc::new(Notify::new());
        let silent = Silent { again, reached: std::sync::Arc::clone(&reached) };
        let mut lane = Lane::new(Box::new(silent), None);
        let begun = clock::wall();
        tokio::select! {
            _ = home.engine().hand_over(&mut lane, begun) => panic!("it answered"),
            () = reached.notified() => {}
        }
        assert_eq!(only(&home).await.state, "handed");
        home.reopen().await;
        // Somebody else comes while it may still be on its way, and then when that is over.
        struct Known(Email, Again);
        #[async_trait]
        impl Channel for Known {
            fn name(&self) -> &'static str {
                "email"
            }
            fn namespaces(&self) -> &'static [&'static str] {
                &["email"]
            }
            fn again(&self) -> Again {
                self.1
            }
            fn at_once(&self) -> usize {
                1
            }
            fn within(&self) -> Duration {
                self.0.within()
            }
            async fn hand_over(&self, parcel: &Parcel) -> Handed {
                self.0.hand_over(parcel).await
            }
        }
        let mut lane = Lane::new(Box::new(Known(channel(&server), again)), None);
        for (minutes, over) in [(1, false), (3, true)] {
            let now = begun.plus_us(minutes * MINUTE_US);
            home.engine().hand_over(&mut lane, now).await.unwrap();
            let expected = if over { state } else { "handed" };
            assert_eq!(only(&home).await.state, expected, "{again:?} after {minutes} minutes");
        }
        assert_eq!(server.take().len(), sent, "{again:?}");
        assert_eq!(home.member("m0").await.member.runs.sent.len(), 1, "it counts");
        if state == "unknown" {
            let (by, send) = (Grant::system("test"), only(&home).await.send);
            let refused = home.engine().retry_send(&by, &send, false).await.unwrap();
            assert_eq!(refused.unwrap_err().code, "send_unknown_whether_sent");
            assert_eq!(home.engine().retry_send(&by, &send, true).await.unwrap().unwrap().state, "waiting");
            assert_eq!(hands_over(&home, &mut lane, 4).await.sent, 1);
        }
    }
}

#[tokio::test]
async fn what_a_person_drops_is_sent_to_nobody_and_counts_no_more() {
    let (home, server) = (live(1).await, MailServer::start().await);
    let mut lane = lane(&server);
    buys(&home, "m0", 1).await;
    let (by, send) = (Grant::system("test"), only(&home).await.send);
    assert_eq!(home.engine().drop_send(&by, &send).await.unwrap().unwrap().state, "dropped");
    assert_eq!(home.engine().drop_send(&by, &send).await.unwrap().unwrap_err().code, "send_settled");
    assert_eq!(hands_over(&home, &mut lane, 60).await, Dispatched::default());
    assert_eq!(hears(&home).await, 1);
    assert!(home.member("m0").await.member.runs.sent.is_empty());
    assert!(inbox(&home, "m0").await.is_empty(), "nor is it said elsewhere");
    let unknown = home.engine().send("00000000000000000000000000000000").await.unwrap();
    assert_eq!(unknown.unwrap_err().code, "send_unknown");
}

#[tokio::test]
async fn a_channel_that_is_down_is_left_alone_and_no_message_is_given_up_for_it() {
    let (home, server) = (live(1).await, MailServer::start().await);
    let mut lane = lane(&server);
    for _ in 0..5 {
        server.answers("hello", "421 down");
    }
    buys(&home, "m0", 1).await;
    let begun = clock::wall();
    let mut tried = 0;
    for seconds in [0, 31, 62, 93, 124] {
        let now = begun.plus_us(seconds * 1_000_000);
        tried += home.engine().hand_over(&mut lane, now).await.unwrap().later;
    }
    assert_eq!(tried, 5);
    let send = only(&home).await;
    assert_eq!((send.state.as_str(), send.attempts), ("waiting", 0));
    // After five failures in a row it rests; then it is tried with one message, which goes well.
    let resting = begun.plus_us(125 * 1_000_000);
    assert_eq!(home.engine().hand_over(&mut lane, resting).await.unwrap(), Dispatched::default());
    let after = begun.plus_us(160 * 1_000_000);
    assert_eq!(home.engine().hand_over(&mut lane, after).await.unwrap().sent, 1);
    assert!(after > Ts::MIN);
}
