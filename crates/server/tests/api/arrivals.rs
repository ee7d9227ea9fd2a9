//! What a platform tells: kept once, made events once, welcomed first; contacts of a member as people see them; dead letters.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use zhiyin_engine::arrivals::door::ArrivalDoor;
use zhiyin_engine::arrivals::{Ask, Brought, Door, Doors, Errand, Errands, Welcome, Worked};
use zhiyin_engine::clock;
use zhiyin_model::event::Identifier;
use zhiyin_model::role::Role;
use zhiyin_model::time::Ts;
use zhiyin_reach::wecom::callback::{CallbackSettings, Callbacks};
use zhiyin_store::{Wanted, seal};

use crate::home::Home;

/// Who tells a home something, as WeCom does.
struct Platform {
    callbacks: Callbacks,
    door: ArrivalDoor,
    now: i64,
}

impl Platform {
    fn of(home: &Home) -> Self {
        let settings = CallbackSettings {
            token: "QDG6eK".to_owned(),
            aes_key: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".to_owned(),
            corp_id: "wx5823bf96d3bd56c7".to_owned(),
            agent_id: None,
        };
        let callbacks = Callbacks::new(&settings).unwrap();
        let door: Arc<dyn Door> = Arc::new(callbacks.clone());
        let doors = Doors::from([(("wecom".to_owned(), "main".to_owned()), door)]);
        let door = ArrivalDoor::new(Arc::clone(&home.engine), doors);
        Self { callbacks, door, now: clock::wall().0 / 1_000_000 }
    }

    /// Tells it; whether it was new.
    async fn tell(&self, text: &str) -> bool {
        let stamp = self.now.to_string();
        let (body, signature) = self.callbacks.sealed(text, [3; 16], &stamp, "n");
        let said = [("msg_signature", signature.as_str()), ("timestamp", &stamp), ("nonce", "n")];
        let query = said.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let brought = Brought { query: &query, heads: &[], body: body.as_bytes() };
        self.door.receive(("wecom", "main"), brought).await.unwrap().unwrap()
    }

    /// News of a contact, so many seconds after the first.
    async fn contact(&self, change: &str, staff: &str, customer: &str, after: i64, more: &str) -> bool {
        let at = self.now - 1_000 + after;
        let text = format!(
            "<xml><CreateTime>{at}</CreateTime><Event>change_external_contact</Event><ChangeType>{change}</ChangeType>\
             <UserID>{staff}</UserID><ExternalUserID>{customer}</ExternalUserID>{more}</xml>"
        );
        self.tell(&text).await
    }
}

async fn worked(home: &Home, errands: Option<&dyn Errands>) -> Worked {
    let worked = home.engine.work_on_arrivals(errands, clock::wall()).await.unwrap();
    home.engine.drain(64, None, |_| ()).await.unwrap();
    worked
}

async fn member(home: &Home, customer: &str) -> Value {
    let named = Identifier { namespace: "wecom_external".to_owned(), value: customer.to_owned() };
    let hash = seal::lookup(&home.engine.home().await.unwrap().id_key, &named);
    let wanted = Wanted { identifiers: vec![hash], ..Wanted::default() };
    let found = home.engine.store().load(wanted).await.unwrap();
    let [(_, id)] = found.identifiers.as_slice() else { panic!("{customer} is nobody") };
    home.as_key(&home.owner, "GET", &format!("/v1/members/{id}"), &Value::Null).await.json()
}

fn contacts(member: &Value) -> Vec<(String, String, Option<String>)> {
    let text = |one: &Value, name: &str| one[name].as_str().map(str::to_owned);
    let of = |one: &Value| {
        let named = |name| text(one, name).unwrap_or_default();
        (named("account"), named("state"), text(one, "ended_by"))
    };
    member["contacts"].as_array().unwrap().iter().map(of).collect()
}

fn row(account: &str, state: &str, by: Option<&str>) -> (String, String, Option<String>) {
    (account.to_owned(), state.to_owned(), by.map(str::to_owned))
}

#[tokio::test]
async fn news_is_kept_once_and_becomes_an_event_once() {
    let home = Home::with(5_000, false).await;
    let platform = Platform::of(&home);
    assert!(platform.contact("add_external_contact", "li", "wm1", 1, "<State>wecom</State>").await);
    assert!(!platform.contact("add_external_contact", "li", "wm1", 1, "<State>wecom</State>").await);
    assert_eq!(worked(&home, None).await, Worked { done: 1, ..Worked::default() });
    assert_eq!(worked(&home, None).await, Worked::default());
    // Worked on again, as after a crash between the event and the note: nothing more comes of it.
    let listed = home.as_key(&home.owner, "GET", "/v1/arrivals", &Value::Null).await.json();
    assert_eq!(listed["items"][0]["state"], "done");
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let member = member(&home, "wm1").await;
    assert_eq!(contacts(&member), [row("li", "current", None)]);
    assert_eq!(member["contacts"][0]["way"], "wecom");
    assert_eq!(member["touches"]["first"]["touchpoint"], "wecom");
}

#[tokio::test]
async fn who_lost_one_of_several_is_not_lost_and_who_is_handed_over_is_no_churn() {
    let home = Home::with(5_000, false).await;
    let platform = Platform::of(&home);
    let by_transfer = "<Source>DELETE_BY_TRANSFER</Source>";
    // In no order: the latest word of each account stands.
    platform.contact("del_follow_user", "li", "wm1", 30, "").await;
    platform.contact("add_half_external_contact", "wang", "wm1", 20, "").await;
    platform.contact("add_external_contact", "li", "wm1", 10, "").await;
    platform.contact("del_external_contact", "zhao", "wm1", 50, by_transfer).await;
    platform.contact("add_external_contact", "zhao", "wm1", 40, "").await;
    assert_eq!(worked(&home, None).await.done, 5);
    let wanted = [
        row("li", "ended", Some("customer")),
        row("wang", "half", None),
        row("zhao", "ended", Some("handed_over")),
    ];
    assert_eq!(contacts(&member(&home, "wm1").await), wanted);
    platform.contact("add_external_contact", "wang", "wm1", 60, "").await;
    platform.contact("del_external_contact", "wang", "wm1", 70, "").await;
    platform.contact("transfer_fail", "li", "wm1", 80, "<FailReason>customer_refused</FailReason>").await;
    assert_eq!(worked(&home, None).await.done, 3);
    assert_eq!(contacts(&member(&home, "wm1").await)[1], row("wang", "ended", Some("staff")));
}

/// Whoever asks the platform, and keeps what they were asked to do.
#[derive(Default)]
struct Doing {
    did: Mutex<Vec<String>>,
    answers: Mutex<Vec<Errand>>,
}

#[async_trait]
impl Errands for Doing {
    async fn welcome(&self, of: &str, welcome: &Welcome, _again: bool) -> Errand {
        self.did
            .lock()
            .unwrap()
            .push(format!("welcome {of} {} {} {}", welcome.account, welcome.customer, welcome.code));
        self.answers.lock().unwrap().pop().unwrap_or(Errand::Done)
    }

    async fn ask(&self, of: &str, ask: &Ask) -> Errand {
        self.did.lock().unwrap().push(format!("ask {of} {}", ask.name()));
        self.answers.lock().unwrap().pop().unwrap_or(Errand::Done)
    }
}

#[tokio::test]
async fn welcomes_come_first_and_what_only_the_platform_knows_waits_for_whoever_asks() {
    let home = Home::with(5_000, false).await;
    let platform = Platform::of(&home);
    platform.contact("edit_external_contact", "li", "wm1", 1, "").await;
    let now = "<WelcomeCode>CODE</WelcomeCode>";
    platform.contact("add_external_contact", "li", "wm1", 995, now).await;
    platform.contact("add_external_contact", "li", "wm2", 1, now).await;
    let doing = Doing { answers: Mutex::new(vec![Errand::Later(Ts(0), "busy")]), ..Doing::default() };
    let worked_on = worked(&home, Some(&doing)).await;
    assert_eq!(
        worked_on,
        Worked { done: 3, waiting: 1, dropped: 1, failed: 0 },
        "whose time is over is not welcomed"
    );
    assert_eq!(*doing.did.lock().unwrap(), ["welcome main li wm1 CODE", "ask main customer"]);
    assert_eq!(worked(&home, Some(&doing)).await, Worked { done: 1, ..Worked::default() });
    assert_eq!(doing.did.lock().unwrap().len(), 3, "what was to be later was done then");
    let shown = home.as_key(&home.owner, "GET", "/v1/arrivals?limit=200", &Value::Null).await.text();
    assert!(!shown.contains("CODE") && shown.contains("too_late"), "{shown}");
    // Until somebody asks it waits, where people see it.
    platform.contact("edit_external_contact", "li", "wm3", 2, "").await;
    assert_eq!(worked(&home, None).await, Worked { waiting: 1, ..Worked::default() });
    let waits = home.as_key(&home.owner, "GET", "/v1/arrivals?state=waiting", &Value::Null).await.json();
    assert_eq!(waits["items"][0]["why"], "needs_errand: customer");
    let id = waits["items"][0]["arrival"].as_str().unwrap();
    let retried = home.as_key(&home.owner, "POST", &format!("/v1/arrivals/{id}/retry"), &json!({})).await;
    assert_eq!(retried.status, 200, "{}", retried.text());
    assert_eq!(worked(&home, Some(&doing)).await.done, 1);
    let dropped = home.as_key(&home.owner, "POST", &format!("/v1/arrivals/{id}/drop"), &json!({})).await;
    assert_eq!((dropped.status, dropped.code().as_str()), (409, "arrival_settled"));
    let clerk = home.key(Role::Cashier, Some("330"), None).await;
    assert_eq!(home.as_key(&clerk, "GET", "/v1/arrivals", &Value::Null).await.status, 403);
}

#[tokio::test]
async fn who_came_into_a_group_is_told_of_each_customer() {
    let home = Home::with(5_000, false).await;
    let platform = Platform::of(&home);
    let text = format!(
        "<xml><CreateTime>{}</CreateTime><Event>change_external_chat</Event><ChangeType>update</ChangeType><ChatId>wr1</ChatId>\
         <UpdateDetail>add_member</UpdateDetail><JoinScene>3</JoinScene><MemChangeList><Item>wm1</Item><Item>wm2</Item><Item>li</Item>\
         </MemChangeList><LastMemVer>a</LastMemVer><CurMemVer>b</CurMemVer></xml>",
        platform.now
    );
    assert!(platform.tell(&text).await);
    let doing = Doing::default();
    assert_eq!(worked(&home, Some(&doing)).await.done, 1);
    assert_eq!(*doing.did.lock().unwrap(), ["ask main group"]);
    for customer in ["wm1", "wm2"] {
        assert_eq!(contacts(&member(&home, customer).await), []);
    }
}
