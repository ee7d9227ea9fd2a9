//! A home and a platform that owns the time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use zhiyin_engine::Engine;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::campaigns::NoteView;
use zhiyin_engine::clock;
use zhiyin_engine::command::Whom;
use zhiyin_engine::platforms::{At, Round, all};
use zhiyin_engine::sends::log::{SendView, SendsAsked};
use zhiyin_engine::sends::settings::{Clock, platforms};
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_platform_sim::{Options, Running, START_MS, start};

use crate::home::Home;
use crate::items::{order, track};

/// A brand that writes after each order through whoever knows the member, and says it in the app where that fails.
pub const BRAND: &str = "playbook: brand
extends: variety-store
consent:
  purposes:
    marketing: { channels: [inbox, till, wecom, advisor] }
messages:
  new-in: { text: { zh: '新品到店，来看看' } }
  each: { text: { zh: '订单 {{ key }} 谢谢您' } }
  call-them: { text: { zh: '请回访这位会员' } }
campaigns:
  new-in:
    purpose: marketing
    on: event Order Completed
    again: per order_id
    holdout: 0%
    steps: [{ send: new-in, by: [wecom, inbox] }]
  each:
    purpose: marketing
    on: event Wish Made
    again: per order_id
    holdout: 0%
    steps: [{ send: each, by: [wecom, inbox] }]
  call-them:
    purpose: marketing
    on: event Help Wanted
    again: after exit
    holdout: 0%
    steps: [{ task: call-them }]
";

pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The pipeline's time stands where the platform's begins: so it never depends on the machine's.
fn stand_still() {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let file = std::env::temp_dir().join(format!("zhiyin-wecom-sends-{}.clock", std::process::id()));
        std::fs::write(&file, START_MS.to_le_bytes()).unwrap();
        file
    });
    clock::follow(file);
}

pub struct Stage {
    pub home: Home,
    running: Running,
    pub at: Vec<At>,
    pub now_ms: Arc<AtomicI64>,
    n: AtomicI64,
    /// Members and their customers.
    pub customers: BTreeMap<String, String>,
}

/// A call to the simulator's own side.
async fn sim(running: &Running, method: &str, path: &str, body: &Value) -> Value {
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let _connection = tokio::spawn(connection);
    let request = Request::builder().method(method).uri(format!("/sim/{path}")).header("host", "sim");
    let request = request.header("content-type", "application/json");
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = request.body(Full::new(body)).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let told = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    assert_eq!(status, 200, "{path}: {told}");
    told
}

fn desk(running: &Running, limits: &Value, now_ms: &Arc<AtomicI64>) -> Vec<At> {
    let file = json!({"public_url": "http://127.0.0.1:1", "wecom": {"main": {
        "corp_id": "ww5f1a2b3c4d5e6f70", "agent_id": 1_000_002, "secret_env": "S",
        "api": format!("http://{}", running.address),
        "accounts": [{"userid": "he", "persona": "little_advisor"}, {"userid": "li", "persona": "other"}],
        "limits": limits,
    }}});
    let told = Arc::clone(now_ms);
    let clock: Clock = Arc::new(move || told.load(Ordering::Relaxed));
    all(&platforms(&file.to_string(), |_| Ok(b"s".to_vec()), &clock).unwrap())
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(BRAND, &json!([])).await
    }

    pub async fn with(brand: &str, limits: &Value) -> Self {
        stand_still();
        let running = start(Options::default()).await.unwrap();
        let now_ms = Arc::new(AtomicI64::new(START_MS));
        let at = desk(&running, limits, &now_ms);
        let home = Home::new(brand).await;
        home.now_is(Ts(START_MS * 1_000)).await;
        let stage = Self { home, running, at, now_ms, n: AtomicI64::new(0), customers: BTreeMap::new() };
        stage
            .act("apps", json!({"agentid": 1_000_002, "secret": "s", "name": "知音", "contact": true}))
            .await;
        stage
    }

    pub async fn act(&self, what: &str, body: Value) -> Value {
        sim(&self.running, "POST", what, &body).await
    }

    pub async fn truth(&self, part: &str) -> Value {
        sim(&self.running, "GET", &format!("truth?part={part}"), &Value::Null).await
    }

    pub fn wall(&self) -> Ts {
        Ts(self.now_ms.load(Ordering::Relaxed) * 1_000)
    }

    /// One of the staff, who confirms so many minutes after they are asked; never, where nothing is said.
    pub async fn staff(&self, userid: &str, minutes: Option<i64>) {
        let habit = json!({"mass_minutes": minutes, "moment_minutes": minutes, "accept_minutes": 1});
        self.act("staff", json!({"userid": userid, "name": userid, "follower": true, "habit": habit})).await;
    }

    /// A member who is a customer of one of the staff, there and in the record, and wants to hear of things.
    pub async fn member(&mut self, who: &str, userid: &str) -> String {
        let made = self.act("customers", json!({"name": who})).await;
        let customer = made["external_userid"].as_str().unwrap().to_owned();
        self.act("add", json!({"userid": userid, "customer": customer})).await;
        let when = self.wall().rfc3339();
        let mut hello = track(
            &format!("k{who}"),
            who,
            "Contact Added",
            &when,
            json!({"channel": "wecom", "account": userid}),
        );
        hello["context"] = json!({"externalIds": [{"id": customer, "type": "wecom_external"}]});
        let yes = track(&format!("c{who}"), who, "Consent Given", &when, json!({"purpose": "marketing"}));
        self.happens(&[hello, yes]).await;
        self.customers.insert(who.to_owned(), customer.clone());
        customer
    }

    pub async fn happens(&self, items: &[Value]) {
        let now = self.wall();
        let verdicts = self.home.accept_live("till", items, now).await;
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
        self.home.until(now).await;
    }

    /// Orders, after each of which a message waits that says the same to all.
    pub async fn buy(&self, who: &[&str]) {
        let when = self.wall().rfc3339();
        let n = self.n.fetch_add(1, Ordering::Relaxed);
        let orders =
            who.iter().map(|who| order(&format!("o{who}{n}"), who, &format!("{who}-{n}"), &when, "50"));
        self.happens(&orders.collect::<Vec<_>>()).await;
    }

    /// Something after which a message waits that says something of its own.
    pub async fn wish(&self, who: &str) -> String {
        let when = self.wall().rfc3339();
        let key = format!("{who}-{}", self.n.fetch_add(1, Ordering::Relaxed));
        self.happens(&[track(&format!("w{key}"), who, "Wish Made", &when, json!({"order_id": key}))]).await;
        format!("订单 {key} 谢谢您")
    }

    pub async fn round(&self) -> Round {
        self.round_of(self.home.engine()).await
    }

    pub async fn round_of(&self, engine: &Engine) -> Round {
        engine.round_of_platforms(&self.at, self.wall()).await
    }

    /// Time goes on, and whatever is due is done on the way.
    pub async fn goes_on(&self, ms: i64, step_ms: i64) {
        let end = self.now_ms.load(Ordering::Relaxed) + ms;
        loop {
            while self.round().await.done > 0 {}
            while self.home.engine().tell_sends(100).await.unwrap() > 0 {}
            self.home.settle().await;
            let now = self.now_ms.load(Ordering::Relaxed);
            if now >= end {
                return;
            }
            self.passes(step_ms.min(end - now)).await;
        }
    }

    /// Time goes on, and nothing is done.
    pub async fn passes(&self, ms: i64) {
        self.act("clock/advance", json!({"ms": ms})).await;
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub async fn sends(&self) -> Vec<SendView> {
        let asked = SendsAsked { limit: 200, ..SendsAsked::default() };
        self.home.engine().sends(&asked).await.unwrap().unwrap()
    }

    /// What each send of a member came to, as `state: error`, the oldest first.
    pub async fn came(&self, who: &str) -> Vec<String> {
        let member = self.home.member(who).await.member.id.to_string();
        let mut came: Vec<String> = self
            .sends()
            .await
            .into_iter()
            .filter(|send| send.member == member)
            .map(|send| {
                send.error.map_or_else(|| send.state.clone(), |error| format!("{}: {error}", send.state))
            })
            .collect();
        came.reverse();
        came
    }

    pub async fn inbox(&self, who: &str) -> Vec<NoteView> {
        let whom = Whom::Id(self.home.member(who).await.member.id);
        let filter = self.home.engine().filter(&Grant::system("test"), Operation::MemberRead).await.unwrap();
        self.home.engine().notes_of(&filter, (&whom, "id"), "inbox", false).await.unwrap().unwrap()
    }

    /// What arrived on a phone, as texts.
    pub async fn phone(&self, customer: &str) -> Vec<String> {
        let phones = self.truth("phones").await;
        let mine = phones.as_array().unwrap().iter().find(|phone| phone["external_userid"] == customer);
        let got = mine.unwrap()["inbox"].as_array().unwrap().clone();
        let got = got.iter().filter(|one| one["kind"] == "mass");
        got.map(|one| one["content"]["text"]["content"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Tasks that the platform has and that were not stopped, as (text, who sends it to how many).
    pub async fn tasks(&self) -> Vec<(String, BTreeMap<String, usize>)> {
        let masses = self.truth("masses").await;
        let each = masses.as_array().unwrap().iter().map(|mass| {
            let tasks = mass["tasks"].as_object().unwrap().iter();
            let tasks = tasks.map(|(who, task)| (who.clone(), task["targets"].as_array().unwrap().len()));
            (mass["content"]["text"]["content"].as_str().unwrap().to_owned(), tasks.collect())
        });
        each.collect()
    }

    /// Words of the app to one of the staff.
    pub async fn staff_inbox(&self, userid: &str) -> Vec<Value> {
        let staff = self.truth("staff").await;
        let mine = staff.as_array().unwrap().iter().find(|one| one["userid"] == userid).unwrap().clone();
        let of_app =
            |one: &&Value| one["content"]["msgtype"].as_str().is_some_and(|kind| kind.starts_with("text"));
        mine["inbox"].as_array().unwrap().iter().filter(of_app).cloned().collect()
    }

    /// What is so at the end, here and there: whoever the record says got a message did, and nobody else, and nobody twice.
    pub async fn equals_truth(&self) {
        let mut wrong = BTreeSet::new();
        for (who, customer) in &self.customers {
            let sent = self.came(who).await.iter().filter(|came| *came == "sent").count();
            let got = self.phone(customer).await.len();
            if sent != got {
                wrong.insert(format!("{who}: {sent} sent, {got} got"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
