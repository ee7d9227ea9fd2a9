//! What counts of a message that somebody got, and of one that nobody did: caps, what a campaign sends at most, its effect, the best
//! hour.

use std::sync::Arc;

use zhiyin_engine::effects::EffectAsked;
use zhiyin_engine::links::follow::Follower;
use zhiyin_engine::simulate::{Sample, Simulation};
use zhiyin_model::link::{Followed, LinkCode};
use zhiyin_model::time::Day;

use super::*;
use crate::playbooks;

/// The slot of the day in which noon is.
const NOON: usize = 6;

async fn counts(home: &Home) -> (i64, i64) {
    let view = home.engine().campaign("thanks").await.unwrap().unwrap();
    let effect = home.engine().effect("thanks", &EffectAsked::default()).await.unwrap().unwrap();
    let sent = effect.arms.iter().find(|arm| arm.arm == "treated").map_or(0, |arm| arm.sent);
    (view.counts.get("sent").copied().unwrap_or(0), sent)
}

#[tokio::test]
async fn what_nobody_got_counts_for_nothing_so_what_falls_back_was_sent_once() {
    let brand = BRAND.replace("    holdout: 0%\n", "    holdout: 0%\n    at_most: 2\n")
        + "sending: { caps: [1 per member per 7d] }\n";
    for how in ["refused", "bounced"] {
        let (home, server) = (live_as(&brand, 3).await, MailServer::start().await);
        let mut lane = lane(&server);
        if how == "refused" {
            server.answers("RCPT", "550 5.1.1 no such user");
        }
        buys(&home, "m0", 1).await;
        assert_eq!(counts(&home).await, (1, 1), "{how}");
        hands_over(&home, &mut lane, 0).await;
        if how == "bounced" {
            let gone = "Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x\r\nAction: failed\r\nStatus: 5.1.1\r\n";
            let to = server.take()[0].from.clone();
            let raw = report("delivery-status", &to, gone);
            home.engine().came_back(&Grant::system("test"), raw.as_bytes()).await.unwrap().unwrap();
        }
        assert_eq!(hears(&home).await, 1, "{how}");
        // One is allowed in a week: the one in the app is the only one.
        assert_eq!(inbox(&home, "m0").await.len(), 1, "{how}");
        assert_eq!(counts(&home).await, (1, 1), "{how}");
        let hours = home.member("m0").await.member.runs.hours;
        assert_eq!(hours.of(NOON), (1, 0), "{how}: only the app tells whether it was seen");
        assert_eq!(home.engine().campaign_hours().await.unwrap()[NOON], (0, 1), "{how}");
        // Of two in all there is one left, and not one more.
        for who in ["m1", "m2"] {
            buys(&home, who, 1).await;
        }
        assert_eq!(counts(&home).await, (2, 2), "{how}");
        home.healthy().await;
    }
}

#[tokio::test]
async fn e_mail_says_nothing_of_its_hour_until_a_link_in_it_is_followed() {
    let brand = BRAND.replace("订单 {{ key }}", "{{ link.member_day }}");
    let home = live_as(&brand, 1).await;
    buys(&home, "m0", 1).await;
    let hours = async || home.member("m0").await.member.runs.hours.of(NOON);
    assert_eq!(hours().await, (0, 0));
    let sent = home.member("m0").await.member.runs.sent;
    let key = home.engine().home().await.unwrap().id_key;
    let code = LinkCode::of_note(&key, sent[0].id, "member_day");
    let follower = Follower::new(Arc::new(home.second_engine().await), 7);
    assert!(follower.leads(&code).await.unwrap().is_ok());
    for _ in 0..2 {
        follower.followed(&code, Followed::Clicked);
        follower.tell_all(true).await;
        home.until(at("2024-05-01T05:00:00Z")).await;
        assert_eq!(hours().await, (1, 1), "once");
    }
    assert_eq!(home.engine().campaign_hours().await.unwrap()[NOON], (1, 1));
    assert!(home.member("m0").await.member.runs.sent[0].seen);
    home.healthy().await;
}

#[tokio::test]
async fn a_failure_of_what_another_playbook_never_sent_says_nothing_elsewhere() {
    let (home, server) = (live(1).await, MailServer::start().await);
    let mut lane = lane(&server);
    server.answers("RCPT", "550 5.7.1 not from you");
    buys(&home, "m0", 1).await;
    hands_over(&home, &mut lane, 0).await;
    assert_eq!(hears(&home).await, 1);
    assert_eq!(inbox(&home, "m0").await.len(), 1);
    let asked = || Simulation { from: None, to: Day::parse("2024-05-02"), sample: Sample::All };
    let nobody = BRAND.replace("on: event Order Completed", "on: event Order Cancelled");
    let found = home.engine().simulate(&playbooks::parse(&nobody), asked()).await.unwrap();
    let told = found.campaigns.iter().find(|told| told.campaign == "thanks").unwrap();
    assert_eq!((told.changed.began, told.changed.sent), (0, 0));
}

#[tokio::test]
async fn what_was_said_is_let_go_in_time_and_counts_all_the_same() {
    let kept = "retention: { Message Texts: 30d, Message Rows: 60d }\n";
    let (home, server) = (live_as(&format!("{BRAND}{kept}"), 2).await, MailServer::start().await);
    let mut lane = lane(&server);
    buys(&home, "m0", 1).await;
    assert_eq!(hands_over(&home, &mut lane, 0).await.sent, 1);
    buys(&home, "m1", 1).await;
    let (story_of, counted) = (story(&home, "m0").await, counts(&home).await);
    let body = async || {
        let id = home.member("m0").await.member.runs.sent[0].id;
        home.engine().store().coupons().campaigns().note(id).await.unwrap().map(|note| note.body)
    };
    let let_go = async |when: &str| {
        home.until(at(when)).await;
        home.now_is(at(when)).await;
        let gone = home.engine().retain().await.unwrap();
        (gone.texts, gone.messages)
    };
    assert_eq!(let_go("2024-05-30T04:00:00Z").await, (0, 0));
    assert!(body().await.is_some_and(|body| !zhiyin_store::seal::is_erased(&body)));
    // The other one was not handed over yet: it stays whole.
    assert_eq!(let_go("2024-06-01T03:00:00Z").await, (1, 0));
    assert!(body().await.is_some_and(|body| zhiyin_store::seal::is_erased(&body)));
    assert_eq!(sends(&home).await.len(), 2);
    assert_eq!(let_go("2024-07-10T04:00:00Z").await, (0, 1));
    assert_eq!(sends(&home).await.len(), 1);
    assert_eq!((story(&home, "m0").await, counts(&home).await), (story_of, counted));
    assert_eq!(let_go("2024-07-10T04:00:01Z").await, (0, 0), "it is done once");
    home.healthy().await;
}
