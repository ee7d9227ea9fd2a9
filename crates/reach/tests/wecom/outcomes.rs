//! What comes of a call, whatever goes wrong; places among others; pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use zhiyin_reach::wecom::attachments::Text;
use zhiyin_reach::wecom::mass::{MassRecord, MassSend, To};
use zhiyin_reach::wecom::pages::{self, Page};
use zhiyin_reach::wecom::welcome::{Welcome, Welcomed};
use zhiyin_reach::wecom::{Fault, Trouble, Wecom};

use crate::server::{Asked, Home, NOW_MS, Reply, app, home, home_with};

fn text(content: &str) -> Option<Text> {
    Some(Text { content: content.to_owned() })
}

fn mass() -> MassSend {
    let to = To::Customers {
        external_userids: vec!["wm1".to_owned()],
        sender: Some("zhangsan".to_owned()),
        may_select: false,
    };
    MassSend { to, text: text("文本消息内容"), attachments: Vec::new() }
}

/// A call that may be said twice, and one that must not.
async fn both(wecom: &Wecom) -> (Trouble, Trouble) {
    (wecom.follow_users().await.unwrap_err(), wecom.mass_send(&mass()).await.unwrap_err())
}

async fn answering(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Home {
    home(move |asked: &Asked| (asked.path != "gettoken").then(&reply)).await
}

#[tokio::test]
async fn a_number_of_the_platform_is_what_counts() {
    for (code, name, kind) in [
        (-1, "busy", "later 1000"),
        (45_009, "calls_at_most", "later 60000"),
        (45_033, "calls_at_once_at_most", "later 1000"),
        (41_063, "mass_send_being_handed_out", "later 5000"),
        (40_058, "parameter_invalid", "refused Ours"),
        (40_096, "external_userid_wrong", "refused Customer"),
        (40_003, "userid_wrong", "refused Staff"),
        (40_050, "chat_missing", "refused Thing"),
        (60_020, "ip_not_trusted", "refused Settings"),
        (60_111, "staff_missing", "refused Staff"),
        (81_017, "too_many_asked", "refused Content"),
        (84_061, "no_relation", "refused Customer"),
        (301_002, "of_another_app", "refused Thing"),
        (41_055, "group_welcomes_at_most", "refused Spent"),
        (123_456, "errcode_unknown", "refused Unnamed"),
    ] {
        let said = json!({"errcode": code, "errmsg": "woAJ2GCAAA is nobody's, hint: [1]"});
        let home = answering(move || Reply::Json(said.clone())).await;
        let (safe, never) = both(&home.wecom).await;
        assert_eq!(safe, never, "{code}");
        assert_eq!((safe.name(), safe.code()), (name, Some(code)));
        let is = match &safe {
            Trouble::Later { rest, .. } => format!("later {}", rest.as_millis()),
            Trouble::Refused { fault, .. } => format!("refused {fault:?}"),
            other => format!("{other:?}"),
        };
        assert_eq!(is, kind, "{code}");
        // Words of the platform may name people.
        assert!(!format!("{safe} {safe:?}").contains("woAJ"));
        assert_eq!(home.count("externalcontact/add_msg_template"), 1, "{code}");
    }
}

fn raw(status: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{head}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn an_answer_that_is_lost_is_a_delay_or_nobody_knows() {
    let later = |name, ms| Trouble::Later { code: 0, name, rest: Duration::from_millis(ms) };
    let unknown = |name| Trouble::Unknown { name };
    let refused = |code, name, fault| Trouble::Refused { code, name, fault };
    let long = vec![b' '; (8 << 20) + 1];
    let lost = |name| (later(name, 1_000), unknown(name));
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"errcode\":0".to_vec();
    let alike = |trouble: Trouble| (trouble.clone(), trouble);
    for (bytes, (safe, never)) in [
        // Nothing at all, and half of something.
        (Vec::new(), lost("answer_broken")),
        (cut, lost("answer_broken")),
        (b"SSH-2.0-OpenSSH\r\n".to_vec(), lost("answer_broken")),
        (raw("200 OK", "", b"<html>"), lost("answer_broken")),
        (raw("200 OK", "", b""), lost("answer_broken")),
        (raw("200 OK", "", b"[]"), lost("answer_broken")),
        (raw("200 OK", "", b"{}"), lost("answer_broken")),
        (raw("200 OK", "", br#"{"errcode":"0"}"#), lost("answer_broken")),
        (raw("200 OK", "", br#"{"errcode":0,"msgid":7,"follow_user":7}"#), lost("answer_broken")),
        (raw("200 OK", "", b"{\"errcode\":0,\"x\":\"\xff\"}"), lost("answer_broken")),
        (raw("200 OK", "", "[".repeat(100_000).as_bytes()), lost("answer_broken")),
        // Whoever is in between does not know.
        (raw("502 Bad Gateway", "", b""), lost("http_failed")),
        (
            raw("504 Gateway Timeout", "retry-after: 7\r\n", b""),
            (later("http_failed", 7_000), unknown("http_failed")),
        ),
        // It has not begun.
        (raw("503 Busy", "retry-after: 30\r\n", b""), alike(later("http_busy", 30_000))),
        (raw("429 Too Many", "", b""), alike(later("http_busy", 1_000))),
        // It is not the platform who answers.
        (raw("404 Not Found", "", b""), alike(refused(404, "http_refused", Fault::Settings))),
        (
            raw("302 Found", "location: http://127.0.0.1:1/\r\n", b""),
            alike(refused(302, "http_refused", Fault::Settings)),
        ),
        (raw("200 OK", "", &long), (refused(0, "answer_too_long", Fault::Ours), unknown("answer_too_long"))),
    ] {
        let short = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        let home = answering(move || Reply::Raw(bytes.clone())).await;
        assert_eq!(both(&home.wecom).await, (safe, never), "{short}");
        // Nothing is said twice by itself.
        let n_said = (
            home.count("externalcontact/get_follow_user_list"),
            home.count("externalcontact/add_msg_template"),
        );
        assert_eq!(n_said, (1, 1), "{short}");
    }
}

#[tokio::test]
async fn what_never_left_may_be_said_later_whatever_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let wecom = app(port, json!([]), &Arc::new(AtomicI64::new(NOW_MS)));
    let later = Trouble::Later { code: 0, name: "connect_failed", rest: Duration::from_secs(1) };
    assert_eq!(both(&wecom).await, (later.clone(), later));
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_opened_anew() {
    let home = answering(|| Reply::Last).await;
    for _ in 0..5 {
        home.wecom.remind_mass_send("msgGCAAAXtWyujaWJHDDGi0mACas1w").await.unwrap();
    }
    assert_eq!(home.count("externalcontact/remind_groupmsg_send"), 5);
}

/// Time is stopped, and goes on by itself when everybody waits.
#[tokio::test]
async fn who_does_not_answer_is_given_up() {
    let home = answering(|| Reply::Silence).await;
    home.wecom.sign_in().await.unwrap();
    tokio::time::pause();
    let later = Trouble::Later { code: 0, name: "timeout", rest: Duration::from_secs(1) };
    assert_eq!(both(&home.wecom).await, (later, Trouble::Unknown { name: "timeout" }));
}

#[tokio::test]
async fn a_code_that_was_used_says_after_a_lost_answer_that_the_welcome_arrived() {
    let welcome = Welcome { welcome_code: "CODE".to_owned(), text: text("您好"), attachments: Vec::new() };
    for used in [41_051, 41_096] {
        let n_said = AtomicUsize::new(0);
        let home = home(move |asked| {
            if asked.path == "gettoken" {
                return None;
            }
            Some(match n_said.fetch_add(1, Ordering::SeqCst) {
                0 => Reply::Gone,
                _ => Reply::Json(json!({"errcode": used, "errmsg": "used"})),
            })
        })
        .await;
        assert!(home.wecom.welcome(&welcome, false).await.unwrap_err().is_unknown());
        assert_eq!(home.wecom.welcome(&welcome, true).await, Ok(Welcomed::Before), "{used}");
        // Who did not lose an answer was not the first.
        assert!(home.wecom.welcome(&welcome, false).await.unwrap_err().is_done_already());
    }
    let home = answering(|| Reply::Json(json!({"errcode": 41_050, "errmsg": "expired"}))).await;
    assert_eq!(home.wecom.welcome(&welcome, true).await.unwrap_err().name(), "welcome_code_expired");
}

#[test]
fn a_task_whose_answer_was_lost_is_found_by_its_text() {
    let record = |msgid: &str, content: &str, create_time, create_type| MassRecord {
        msgid: msgid.to_owned(),
        create_time,
        create_type,
        text: text(content).unwrap(),
        ..MassRecord::default()
    };
    let records = [
        record("before", "文本消息内容", 99, 0),
        record("this", "文本消息内容", 100, 0),
        record("other", "别的", 101, 0),
        record("by hand", "文本消息内容", 102, 1),
    ];
    let found: Vec<_> = mass().among(&records, 100).iter().map(|record| record.msgid.clone()).collect();
    assert_eq!(found, ["this"]);
    assert!(mass().among(&records, 103).is_empty());
}

#[tokio::test]
async fn of_a_call_so_many_go_at_once_as_the_platform_lets() {
    let own = json!([{"subject": "calls.at_once", "number": 7, "window": "at_once", "source": "a letter"}]);
    for (path, most) in [
        ("externalcontact/mark_tag", 5),
        ("externalcontact/batch/get_by_user", 5),
        ("externalcontact/get_follow_user_list", 7),
    ] {
        let leave = Arc::new(Semaphore::new(0));
        let gives = Arc::clone(&leave);
        let mut home = home_with(own.clone(), move |asked| {
            (asked.path != "gettoken").then(|| Reply::When(Arc::clone(&gives)))
        })
        .await;
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let wecom = home.wecom.clone();
                tokio::spawn(async move {
                    let one = ["a".to_owned()];
                    match path {
                        "externalcontact/mark_tag" => wecom.mark_tags("zhangsan", "wm1", &one, &[]).await,
                        "externalcontact/batch/get_by_user" => {
                            wecom.customers_of_many(&one, None).await.map(drop)
                        }
                        _ => wecom.follow_users().await.map(drop),
                    }
                })
            })
            .collect();
        assert_eq!(home.arrivals.recv().await.as_deref(), Some("gettoken"));
        for n in 0..20 {
            assert_eq!(home.arrivals.recv().await.as_deref(), Some(path));
            // All that may be there are there before one goes.
            if n + 1 >= most {
                leave.add_permits(1);
            }
        }
        leave.add_permits(most);
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(home.seen.peak.load(Ordering::SeqCst), most, "{path}");
    }
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_not_beyond_a_bound() {
    let home = home(|asked| {
        let at = asked.json()["cursor"].as_str().unwrap_or_default().to_owned();
        (asked.path == "user/list_id").then(|| {
            let (n, next) = match at.as_str() {
                "" => (1, json!("C1")),
                // A page may be empty in the middle, and its cursor null at the end.
                "C1" => (0, json!("C2")),
                _ => (2, Value::Null),
            };
            let users: Vec<_> =
                (0..n).map(|i| json!({"userid": format!("u{at}{i}"), "department": 1})).collect();
            Reply::Json(json!({"errcode": 0, "dept_user": users, "next_cursor": next}))
        })
    })
    .await;
    let page = |at: Option<String>| {
        let wecom = home.wecom.clone();
        async move { wecom.staff_ids(at.as_deref()).await }
    };
    let all = pages::all(3, page).await.unwrap();
    assert_eq!(all.iter().map(|one| one.userid.as_str()).collect::<Vec<_>>(), ["u0", "uC20", "uC21"]);
    assert_eq!(pages::all(2, page).await.unwrap_err().name(), "pages_at_most");
    let stuck = |_| async { Ok(Page { items: vec![1], next: Some("C".to_owned()) }) };
    assert_eq!(pages::all(9, stuck).await.unwrap_err().name(), "cursor_stuck");
}

#[tokio::test]
async fn a_customer_with_more_than_five_hundred_followers_is_read_whole() {
    let home = home(|asked| {
        (asked.path == "externalcontact/get").then(|| {
            let second = asked.query.contains("cursor=NEXT");
            let n = if second { 1 } else { 500 };
            let followers: Vec<_> = (0..n).map(|i| json!({"userid": format!("u{second}{i}")})).collect();
            let next = if second { "" } else { "NEXT" };
            let contact = json!({"external_userid": "wm1", "name": "李四", "type": 1});
            Reply::Json(json!({
                "errcode": 0, "external_contact": contact, "follow_user": followers, "next_cursor": next,
            }))
        })
    })
    .await;
    let customer = home.wecom.customer("wm1").await.unwrap();
    assert_eq!(
        (customer.followers.len(), customer.next, customer.contact.name.as_str()),
        (501, None, "李四")
    );
    let queries: Vec<_> = home.seen.asked.lock().unwrap().iter().map(|asked| asked.query.clone()).collect();
    assert_eq!(queries[1..], ["external_userid=wm1", "external_userid=wm1&cursor=NEXT"]);
}

#[tokio::test]
async fn who_has_no_customers_has_an_empty_list() {
    let home = answering(|| Reply::Json(json!({"errcode": 84_061, "errmsg": "not external contact"}))).await;
    assert_eq!(home.wecom.customers_of("zhangsan").await, Ok(Vec::new()));
}
