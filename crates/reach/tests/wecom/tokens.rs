//! One token for however many want it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use zhiyin_reach::wecom::{Fault, Trouble};

use crate::server::{Home, NOW_MS, Reply, home};

async fn many(home: &Home, n: usize) -> Vec<Result<Vec<String>, Trouble>> {
    let calls: Vec<_> = (0..n)
        .map(|_| {
            let wecom = home.wecom.clone();
            tokio::spawn(async move { wecom.follow_users().await })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn a_thousand_calls_at_once_ask_for_one_token() {
    let home = home(|_| None).await;
    assert!(many(&home, 1_000).await.iter().all(Result::is_ok));
    assert_eq!((home.count("gettoken"), home.count("externalcontact/get_follow_user_list")), (1, 1_000));
    let asked = home.seen.asked.lock().unwrap()[0].clone();
    assert_eq!((asked.verb.as_str(), asked.query.as_str()), ("GET", "corpid=wwcorp&corpsecret=s3cret"));
    assert!(home.seen.connections.load(Ordering::SeqCst) <= 32);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_goes_on_where_that_fails() {
    let n_asked = AtomicUsize::new(0);
    let home = home(move |asked| {
        // The second time nobody gives one.
        (asked.path == "gettoken" && n_asked.fetch_add(1, Ordering::SeqCst) == 1)
            .then(|| Reply::Json(json!({"errcode": -1, "errmsg": "system busy"})))
    })
    .await;
    let at = |seconds: i64| home.clock.store(NOW_MS + seconds * 1_000, Ordering::SeqCst);
    for (seconds, token, n_asked) in [
        (0, "T1", 1),
        (7_200 - 301, "T1", 1),
        // Five minutes before its end another is asked for; it fails, and the old one is still good.
        (7_200 - 300, "T1", 2),
        // Not at once again.
        (7_200 - 300, "T1", 2),
        (7_200 - 298, "T3", 3),
        (7_200, "T3", 3),
    ] {
        at(seconds);
        home.wecom.follow_users().await.unwrap();
        assert_eq!((home.last().token.as_str(), home.count("gettoken")), (token, n_asked), "{seconds}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_renewed_once_for_all_and_each_call_said_once_more() {
    for code in [40_014, 42_001] {
        let home = home(move |asked| {
            (asked.token == "T1").then(|| Reply::Json(json!({"errcode": code, "errmsg": "token"})))
        })
        .await;
        assert!(many(&home, 50).await.iter().all(Result::is_ok));
        assert_eq!(home.count("gettoken"), 2, "{code}");
        let n_said = home.count("externalcontact/get_follow_user_list");
        assert!((51..=100).contains(&n_said), "{n_said}");
    }
}

#[tokio::test]
async fn a_second_token_that_is_not_taken_either_ends_it() {
    let home = home(|asked| {
        (!asked.token.is_empty()).then(|| Reply::Json(json!({"errcode": 40_014, "errmsg": "token"})))
    })
    .await;
    let refused = Trouble::Refused { code: 40_014, name: "token_wrong", fault: Fault::Settings };
    assert_eq!(home.wecom.follow_users().await, Err(refused));
    assert_eq!((home.count("gettoken"), home.count("externalcontact/get_follow_user_list")), (2, 2));
}

#[tokio::test]
async fn a_wrong_secret_is_asked_with_once_a_minute_however_many_want_it() {
    let home = home(|asked| {
        (asked.path == "gettoken")
            .then(|| Reply::Json(json!({"errcode": 40_001, "errmsg": "invalid credential"})))
    })
    .await;
    let refused = Trouble::Refused { code: 40_001, name: "secret_wrong", fault: Fault::Settings };
    assert!(many(&home, 100).await.iter().all(|answer| *answer == Err(refused.clone())));
    assert_eq!(home.count("gettoken"), 1);
    for (ms, n_asked) in [(59_999, 1), (60_000, 2), (60_001, 2)] {
        home.clock.store(NOW_MS + ms, Ordering::SeqCst);
        assert_eq!(home.wecom.sign_in().await, Err(refused.clone()));
        assert_eq!(home.count("gettoken"), n_asked, "{ms}");
    }
    assert!(!format!("{:?} {refused}", home.wecom).contains("s3cret"));
}

#[tokio::test]
async fn a_question_for_a_token_that_is_lost_is_only_a_delay() {
    for reply in
        [json!({"errcode": 0, "errmsg": "ok"}), json!({"errcode": 0, "access_token": "", "expires_in": 1})]
    {
        let home = home(move |asked| (asked.path == "gettoken").then(|| Reply::Json(reply.clone()))).await;
        let trouble = home.wecom.sign_in().await.unwrap_err();
        assert!(matches!(trouble, Trouble::Later { name: "answer_broken", .. }), "{trouble:?}");
    }
    let home = home(|asked| (asked.path == "gettoken").then_some(Reply::Gone)).await;
    assert_eq!(home.wecom.sign_in().await.unwrap_err().name(), "answer_broken");
}
