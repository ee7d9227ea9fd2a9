//! A home and the platform simulator, which owns the time of both. The time of a home is its process's, so what is told one after the other
//! is one test.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on should stop where it is"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
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
pub const TOKEN: &str = "sign";
/// The key of callbacks.
pub const AES_KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";
/// The corp.
pub const CORP: &str = "ww5f1a2b3c4d5e6f70";

/// Where a home lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// In a file.
    Sqlite,
    /// On the server that `ZHIYIN_TEST_POSTGRES` names.
    Postgres,
}

/// Goes with its home.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// One request; its status and its answer.
pub async fn send(to: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
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

async fn store(on: On, folder: &Path) -> Arc<dyn Store> {
    let key = IdKey::from_bytes([9; 32]);
    match on {
        On::Sqlite => Arc::new(SqliteStore::open(&folder.join("home.db"), &key).unwrap()),
        On::Postgres => {
            let server = std::env::var("ZHIYIN_TEST_POSTGRES").unwrap();
            let joint = if server.contains('?') { '&' } else { '?' };
            let name = format!("test_ways_{}", std::process::id());
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

/// A platform and a home.
pub struct Stage {
    sim: Running,
    /// Where the home is served.
    pub home: SocketAddr,
    /// The home.
    pub engine: Arc<Engine>,
    /// Its platforms.
    pub all: Vec<At>,
    errands: Arc<dyn Errands>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    _folder: Folder,
}

impl Stage {
    /// A platform, and an empty home that calls it. `accounts`: who speaks as which persona.
    pub async fn new(on: On, playbook: &str, accounts: &Value) -> Self {
        let folder = std::env::temp_dir().join(format!("zhiyin-ways-sim-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let clock_file = folder.join("clock");
        let sim =
            start(Options { clock_file: Some(clock_file.clone()), ..Options::default() }).await.unwrap();
        clock::follow(&clock_file);
        let engine = Arc::new(Engine::open(store(on, &folder).await).await.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = listener.local_addr().unwrap();
        let platforms = platforms_of(&channels(sim.address, home, accounts), SECRET, 0);
        let all = platforms::all(&platforms);
        let errands = platforms::errands(&engine, &all).unwrap();
        let api = Api::receiving(Arc::clone(&engine), 5_000, false, Bounds::default(), platforms.doors);
        let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            serve(listener, readings, Some(api), async { drop(stopped.await) }).await.unwrap();
        });
        let stage = Self { sim, home, engine, all, errands, stop, serving, _folder: Folder(folder) };
        stage.applies(playbook).await;
        stage.engine.go_live().await.unwrap();
        stage.app(SECRET, &json!({})).await;
        stage
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

    /// What the platform's people do.
    pub async fn act(&self, what: &str, body: Value) -> Value {
        let (status, told) = send(self.sim.address, "POST", &format!("/sim/{what}"), &body.to_string()).await;
        assert_eq!(status, 200, "{what}: {told}");
        told
    }

    /// What is so on the platform.
    pub async fn truth(&self, part: &str) -> Value {
        send(self.sim.address, "GET", &format!("/sim/truth?part={part}"), "").await.1
    }

    /// Lets so many milliseconds go by, and the home do what it can at their end.
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
        for _ in 0..3 {
            self.engine.round_of_platforms(&self.all, wall).await;
        }
        self.engine.drain(512, None, |_| ()).await.unwrap();
    }

    /// A customer with a phone.
    pub async fn customer(&self, more: Value) -> String {
        let told = self.act("customers", more).await;
        told["external_userid"].as_str().unwrap().to_owned()
    }

    /// The member whom a customer is.
    pub async fn member(&self, namespace: &str, value: &str) -> Option<Member> {
        let key = self.engine.home().await.unwrap().id_key;
        let name = Identifier { namespace: namespace.to_owned(), value: value.to_owned() };
        let wanted = Wanted { identifiers: vec![seal::lookup(&key, &name)], ..Wanted::default() };
        self.engine.store().load(wanted).await.unwrap().members.into_iter().next().map(|one| one.member)
    }

    /// The codes of one touchpoint as people see them.
    pub async fn way(&self, touchpoint: &str) -> Option<platforms::WayView> {
        let asked = platforms::WaysAsked { touchpoint: Some(touchpoint.to_owned()) };
        self.engine.ways(&asked).await.unwrap().into_iter().next()
    }

    /// Ends what runs.
    pub async fn ends(self) {
        let _nobody_left = self.stop.send(()).is_err();
        self.serving.await.unwrap();
    }
}
