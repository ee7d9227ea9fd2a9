//! A home that is served, and the platform simulator that tells it what happens: each speaks to the other over HTTP, and the simulator owns
//! the time of both.
//!
//! The time of a home is its process's, so of the stages of a program there is one at a time: the next waits until it is gone.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on should stop where it is"
)]

pub mod market;
pub mod pay;
pub mod same;
pub mod sms;
pub mod wechat;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tokio::task::JoinHandle;
use zhiyin_engine::accept::{Source, Ties};
use zhiyin_engine::arrivals::{Errands, NEWS, WELCOME};
use zhiyin_engine::platforms::At;
use zhiyin_engine::sends::settings::{self, Platforms, SecretAt};
use zhiyin_engine::{Engine, clock, platforms};
use zhiyin_model::event::Identifier;
use zhiyin_model::id::IdKey;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::{self, shipped};
use zhiyin_platform_sim::{Options, Running, start};
use zhiyin_server::{Api, Bounds, HomeReadings, serve};
use zhiyin_store::{Store, Wanted, seal};
use zhiyin_store_pg::PgStore;
use zhiyin_store_sqlite::SqliteStore;

/// The app of the home.
pub const AGENT: i64 = 1_000_002;
/// Its secret.
pub const SECRET: &str = "s3cret";
/// What callbacks are signed and sealed with.
const TOKEN: &str = "sign";
const AES_KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";
/// The corp.
pub const CORP: &str = "ww5f1a2b3c4d5e6f70";
/// What a brand promises: who comes is welcomed, and two tags of its are seen on the platform.
pub const WELCOMES: &str = "
playbook: brand
extends: variety-store
messages:
  welcome: { text: { zh: 您好，欢迎您。, en: Welcome. }, sells: false }
tags:
  vip: { name: { zh: 贵宾, en: VIP }, platform: 会员 }
  tea: { name: { zh: 茶友, en: Tea }, platform: 会员 }
";

/// Goes with its home.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Where a home lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// In a file.
    Sqlite,
    /// On the server that `ZHIYIN_TEST_POSTGRES` names.
    Postgres,
}

/// A platform and a home.
pub struct Stage {
    sim: Running,
    /// Where the home is served.
    pub home: SocketAddr,
    /// The home.
    pub engine: Arc<Engine>,
    /// Its platforms.
    pub all: Vec<At>,
    /// Who asks them.
    pub errands: Arc<dyn Errands>,
    on: On,
    name: String,
    rounds: usize,
    stop: Vec<oneshot::Sender<()>>,
    ended: Vec<JoinHandle<()>>,
    n: u64,
    folder: Folder,
    _alone: OwnedMutexGuard<u32>,
}

/// A text of JSON; empty where it is none.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Rows of JSON.
pub fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// A future that is dropped once it was looked at so often: a process that is killed there.
pub struct Cut<F> {
    of: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Cut<F> {
    /// Killed after so many looks.
    pub fn after(left: usize, of: F) -> Self {
        Self { of: Box::pin(of), left }
    }
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.of.as_mut().poll(context).map(Some)
    }
}

/// One request; its status and its answer.
pub async fn send(to: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    send_with(to, method, path, "", body).await
}

/// The same with more lines of the head.
pub async fn send_with(to: SocketAddr, method: &str, path: &str, heads: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n{heads}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _n = stream.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

pub(crate) async fn store(on: On, folder: &std::path::Path, name: &str) -> Arc<dyn Store> {
    let key = IdKey::from_bytes([9; 32]);
    match on {
        On::Sqlite => Arc::new(SqliteStore::open(&folder.join("home.db"), &key).unwrap()),
        On::Postgres => {
            let server = std::env::var("ZHIYIN_TEST_POSTGRES").unwrap();
            let joint = if server.contains('?') { '&' } else { '?' };
            let name = format!("test_reach_{name}");
            let address =
                format!("{server}{joint}home={name}&shards=2&connections=8&application_name={name}");
            Arc::new(PgStore::open(&address, &key).await.unwrap())
        }
    }
}

/// What the file of channels says: the simulator, and a home at an address.
pub fn channels(sim: SocketAddr, home: SocketAddr, accounts: &Value) -> Value {
    json!({"public_url": format!("http://{home}"), "wecom": {"main": {
        "corp_id": CORP, "agent_id": AGENT, "secret_env": "SECRET", "api": format!("http://{sim}"), "accounts": accounts,
        "callback": {"token_env": "TOKEN", "aes_key_env": "KEY"},
    }}})
}

/// The platforms of such a file, by a clock that is so many seconds ahead of the process's.
pub fn platforms_of(told: &Value, secret: &'static str, ahead_s: i64) -> Platforms {
    let secret = move |at: &SecretAt| match at {
        SecretAt::Environment(name) => Ok(match name.as_str() {
            "SECRET" => secret.as_bytes().to_vec(),
            "TOKEN" => TOKEN.as_bytes().to_vec(),
            _ => AES_KEY.as_bytes().to_vec(),
        }),
        SecretAt::File(file) => Err(format!("{file}: no file is read here")),
    };
    let time: settings::Clock = Arc::new(move || clock::wall().0.div_euclid(1_000) + ahead_s * 1_000);
    settings::platforms(&told.to_string(), secret, &time).unwrap()
}

/// How a stage is set.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where the home lies.
    pub on: On,
    /// What the platform's choices are drawn from.
    pub seed: u64,
    /// Whether its time goes with the wall.
    pub real: bool,
    /// What the brand promises.
    pub playbook: &'static str,
    /// Who speaks as which persona.
    pub accounts: Value,
    /// Numbers of the platform that are otherwise than it publishes.
    pub limits: Value,
    /// How often rounds are made at each step.
    pub rounds: usize,
}

impl Setting {
    /// A home there, of a brand that promises this.
    pub fn new(on: On, playbook: &'static str) -> Self {
        Self { on, seed: 1, real: false, playbook, accounts: json!([]), limits: json!([]), rounds: 1 }
    }
}

impl Stage {
    /// A platform, and an empty home that it calls.
    pub async fn new(setting: Setting) -> Self {
        let Setting { on, seed, real, playbook, accounts, limits, rounds } = setting;
        static ALONE: LazyLock<Arc<Mutex<u32>>> = LazyLock::new(Arc::default);
        let mut alone = Arc::clone(&ALONE).lock_owned().await;
        *alone += 1;
        let name = format!("{}_{}", std::process::id(), *alone);
        let folder = std::env::temp_dir().join(format!("zhiyin-reach-sim-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        // One for all stages: which file is followed is said once.
        let clock_file = std::env::temp_dir().join(format!("zhiyin-reach-sim-{}.clock", std::process::id()));
        let options = Options {
            seed,
            clock_file: Some(clock_file.clone()),
            real_speed: real.then_some(1),
            ..Options::default()
        };
        let sim = start(options).await.unwrap();
        clock::follow(&clock_file);
        let engine = Arc::new(Engine::open(store(on, &folder, &name).await).await.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = listener.local_addr().unwrap();
        let mut told = channels(sim.address, home, &accounts);
        told["wecom"]["main"]["limits"] = limits;
        let platforms = platforms_of(&told, SECRET, 0);
        let all = platforms::all(&platforms);
        let errands = platforms::errands(&engine, &all).unwrap();
        let api = Api::receiving(Arc::clone(&engine), 5_000, false, Bounds::default(), platforms.doors);
        let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            serve(listener, readings, Some(api), async { drop(stopped.await) }).await.unwrap();
        });
        let (stop, ended) = (vec![stop], vec![serving]);
        let folder = Folder(folder);
        let stage = Self {
            sim,
            home,
            engine,
            all,
            errands,
            on,
            rounds,
            stop,
            ended,
            n: 0,
            folder,
            name,
            _alone: alone,
        };
        stage.applies(playbook).await;
        stage.engine.go_live().await.unwrap();
        stage.app(SECRET, &json!({})).await;
        let verified = stage.act("apps/verify", json!({"agentid": AGENT})).await;
        assert_eq!(verified["verified"], true, "{verified}");
        stage
    }

    /// Another process on the same home, and what it asks platforms by.
    pub async fn another(&self) -> (Arc<Engine>, Vec<At>, Arc<dyn Errands>) {
        let engine = Arc::new(Engine::open(store(self.on, &self.folder.0, &self.name).await).await.unwrap());
        let platforms = platforms_of(&channels(self.sim.address, self.home, &json!([])), SECRET, 0);
        let all = platforms::all(&platforms);
        let errands = platforms::errands(&engine, &all).unwrap();
        (engine, all, errands)
    }

    /// Makes or replaces the app that the home is.
    pub async fn app(&self, secret: &str, more: &Value) {
        let callback = json!({
            "url": format!("http://{}/v1/callbacks/wecom/main", self.home), "token": TOKEN, "aes_key": AES_KEY,
        });
        let mut app = json!({"agentid": AGENT, "secret": secret, "name": "知音", "callback": callback});
        for (name, value) in more.as_object().into_iter().flatten() {
            app[name] = value.clone();
        }
        self.act("apps", app).await;
    }

    /// Where the platform listens.
    pub fn platform(&self) -> SocketAddr {
        self.sim.address
    }

    /// Makes a playbook live.
    pub async fn applies(&self, text: &str) {
        let playbook = playbook::parse("brand.yaml", text, &shipped::load);
        self.engine.apply(&playbook.unwrap_or_else(|problems| panic!("{problems:#?}"))).await.unwrap();
    }

    /// What the platform's people do, which is right.
    pub async fn act(&self, what: &str, body: Value) -> Value {
        let (status, told) = self.tries(what, body).await;
        assert_eq!(status, 200, "{what}: {told}");
        told
    }

    /// What they do, be it right or not.
    pub async fn tries(&self, what: &str, body: Value) -> (u16, Value) {
        send(self.sim.address, "POST", &format!("/sim/{what}"), &body.to_string()).await
    }

    /// What is so on the platform.
    pub async fn truth(&self, part: &str) -> Value {
        send(self.sim.address, "GET", &format!("/sim/truth?part={part}"), "").await.1
    }

    /// Lets so many milliseconds go by, in which callbacks come, and then lets the home do what it can.
    pub async fn goes_on(&self, ms: i64) {
        self.act("clock/advance", json!({"ms": ms})).await;
        self.works().await;
    }

    /// Lets the home do what it can now.
    pub async fn works(&self) {
        let wall = clock::wall();
        for lane in [WELCOME, NEWS] {
            let mut left = 20;
            while left > 0 {
                let worked = self.engine.work_on_lane(Some(self.errands.as_ref()), lane, wall).await.unwrap();
                left = if worked.all() == 0 { 0 } else { left - 1 };
            }
        }
        for _ in 0..self.rounds {
            self.engine.round_of_platforms(&self.all, wall).await;
        }
        self.engine.drain(512, None, |_| ()).await.unwrap();
    }

    /// As `serve` does it, all at the same time, until this ends.
    pub fn serves(&mut self) {
        let (stop, stopped) = oneshot::channel::<()>();
        let (stop_too, stopped_too) = oneshot::channel::<()>();
        let (stop_last, stopped_last) = oneshot::channel::<()>();
        self.stop.extend([stop, stop_too, stop_last]);
        let (engine, errands) = (Arc::clone(&self.engine), Arc::clone(&self.errands));
        self.ended.push(tokio::spawn(async move {
            engine.work_arrivals(Some(errands), async { drop(stopped.await) }).await;
        }));
        let (engine, all) = (Arc::clone(&self.engine), self.all.clone());
        self.ended.push(tokio::spawn(async move {
            engine.work_platforms(all, async { drop(stopped_too.await) }).await;
        }));
        let engine = Arc::clone(&self.engine);
        self.ended.push(tokio::spawn(async move {
            engine.run(512, async { drop(stopped_last.await) }).await.unwrap();
        }));
    }

    /// Puts a tag of the brand's on whoever is known by a customer's id, or takes it off.
    pub async fn tags(&mut self, customer: &str, tag: &str, on: bool) {
        self.n += 1;
        let event = if on { "Tag Put On" } else { "Tag Taken Off" };
        let item = json!({
            "type": "track", "event": event, "messageId": format!("tag-{}", self.n), "properties": {"tag": tag},
            "context": {"externalIds": [{"id": customer, "type": "wecom_external"}]},
        });
        let source = Source {
            name: "till".to_owned(),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Keep,
        };
        self.engine.accept(&source, &[item.to_string().into_bytes()], None).await.unwrap();
    }

    /// A customer with a phone.
    pub async fn customer(&self, more: Value) -> String {
        let told = self.act("customers", more).await;
        told["external_userid"].as_str().unwrap().to_owned()
    }

    /// The codes of one touchpoint as people see them.
    pub async fn way(&self, touchpoint: &str) -> Option<platforms::WayView> {
        let asked = platforms::WaysAsked { touchpoint: Some(touchpoint.to_owned()) };
        self.engine.ways(&asked).await.unwrap().into_iter().next()
    }

    /// The member who bears a name.
    pub async fn member(&self, namespace: &str, value: &str) -> Option<Member> {
        self.members(namespace, &BTreeSet::from([value.to_owned()])).await.remove(value)
    }

    /// Members by names of a namespace.
    pub async fn members(&self, namespace: &str, values: &BTreeSet<String>) -> BTreeMap<String, Member> {
        let key = self.engine.home().await.unwrap().id_key;
        let hash = |value: &String| {
            seal::lookup(&key, &Identifier { namespace: namespace.to_owned(), value: value.clone() })
        };
        let mut found = BTreeMap::new();
        let all: Vec<&String> = values.iter().collect();
        for some in all.chunks(200) {
            let wanted =
                Wanted { identifiers: some.iter().map(|one| hash(one)).collect(), ..Wanted::default() };
            let loaded = self.engine.store().load(wanted).await.unwrap();
            let ids: BTreeMap<_, _> = loaded.identifiers.into_iter().collect();
            let members: BTreeMap<_, _> =
                loaded.members.into_iter().map(|one| (one.member.id, one.member)).collect();
            for value in some {
                if let Some(member) = ids.get(&hash(value)).and_then(|id| members.get(id)) {
                    found.insert((*value).clone(), member.clone());
                }
            }
        }
        found
    }

    /// Ends what runs.
    pub async fn ends(self) {
        for stop in self.stop {
            let _gone = stop.send(());
        }
        for ended in self.ended {
            ended.await.unwrap();
        }
    }
}

/// Chance that is the same each time, of a seed.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    /// A number below `n`, which is not 0 (SplitMix64).
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }

    /// One of them.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
