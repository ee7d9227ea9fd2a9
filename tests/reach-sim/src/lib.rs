//! A home that is served, and the platform simulator that tells it what happens: each speaks to the other over HTTP, and the simulator owns
//! the time of both.
//!
//! The time of a home is its process's, so a test that has a simulator is a program of its own.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on should stop where it is"
)]

pub mod pay;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zhiyin_engine::accept::{Source, Ties};
use zhiyin_engine::arrivals::{Errands, NEWS, WELCOME};
use zhiyin_engine::platforms::At;
use zhiyin_engine::{Engine, clock, platforms, sends};
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
const AGENT: i64 = 1_000_002;
/// What callbacks are signed and sealed with.
const TOKEN: &str = "sign";
const AES_KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";
/// The corp.
const CORP: &str = "ww5f1a2b3c4d5e6f70";
/// What the brand promises here: who comes is welcomed, and two tags of its are seen on the platform.
const PLAYBOOK: &str = "
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
    /// The home.
    pub engine: Arc<Engine>,
    /// Its platforms.
    pub all: Vec<At>,
    /// Who asks them.
    pub errands: Arc<dyn Errands>,
    stop: Vec<oneshot::Sender<()>>,
    ended: Vec<JoinHandle<()>>,
    n: u64,
    _folder: Folder,
}

/// One request; its status and its answer.
async fn send(to: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
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

async fn store(on: On, folder: &std::path::Path) -> Arc<dyn Store> {
    let key = IdKey::from_bytes([9; 32]);
    match on {
        On::Sqlite => Arc::new(SqliteStore::open(&folder.join("home.db"), &key).unwrap()),
        On::Postgres => {
            let server = std::env::var("ZHIYIN_TEST_POSTGRES").unwrap();
            let joint = if server.contains('?') { '&' } else { '?' };
            let name = format!("test_reach_{}", std::process::id());
            let address =
                format!("{server}{joint}home={name}&shards=2&connections=8&application_name={name}");
            Arc::new(PgStore::open(&address, &key).await.unwrap())
        }
    }
}

impl Stage {
    /// A platform whose choices are drawn from a seed, and an empty home that it calls. `real`: whose time goes with the wall.
    pub async fn new(on: On, seed: u64, real: bool) -> Self {
        let folder = std::env::temp_dir().join(format!("zhiyin-reach-sim-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let clock_file = folder.join("clock");
        let options = Options {
            seed,
            clock_file: Some(clock_file.clone()),
            real_speed: real.then_some(1),
            ..Options::default()
        };
        let sim = start(options).await.unwrap();
        clock::follow(&clock_file);
        let engine = Arc::new(Engine::open(store(on, &folder).await).await.unwrap());
        let playbook = playbook::parse("brand.yaml", PLAYBOOK, &shipped::load);
        engine.apply(&playbook.unwrap_or_else(|problems| panic!("{problems:#?}"))).await.unwrap();
        engine.go_live().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let told = json!({"public_url": format!("http://{address}"), "wecom": {"main": {
            "corp_id": CORP, "agent_id": AGENT, "secret_env": "SECRET", "api": format!("http://{}", sim.address),
            "callback": {"token_env": "TOKEN", "aes_key_env": "KEY"},
        }}});
        let secret = |at: &sends::settings::SecretAt| match at {
            sends::settings::SecretAt::Environment(name) => Ok(match name.as_str() {
                "SECRET" => b"s3cret".to_vec(),
                "TOKEN" => TOKEN.as_bytes().to_vec(),
                _ => AES_KEY.as_bytes().to_vec(),
            }),
            sends::settings::SecretAt::File(file) => Err(format!("{file}: no file is read here")),
        };
        let time: sends::settings::Clock = Arc::new(|| clock::wall().0.div_euclid(1_000));
        let platforms = sends::settings::platforms(&told.to_string(), secret, &time).unwrap();
        let all = platforms::all(&platforms);
        let errands = platforms::errands(&engine, &all).unwrap();
        let api = Api::receiving(Arc::clone(&engine), 5_000, false, Bounds::default(), platforms.doors);
        let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            serve(listener, readings, Some(api), async { drop(stopped.await) }).await.unwrap();
        });
        let (stop, ended) = (vec![stop], vec![serving]);
        let stage = Self { sim, engine, all, errands, stop, ended, n: 0, _folder: Folder(folder) };
        let callback = json!({
            "url": format!("http://{address}/v1/callbacks/wecom/main"), "token": TOKEN, "aes_key": AES_KEY,
        });
        stage
            .act("apps", json!({"agentid": AGENT, "secret": "s3cret", "name": "知音", "callback": callback}))
            .await;
        let verified = stage.act("apps/verify", json!({"agentid": AGENT})).await;
        assert_eq!(verified["verified"], true, "{verified}");
        stage
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
        self.engine.round_of_platforms(&self.all, wall).await;
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
