//! A home that official accounts and a mini program of WeChat tell, and that sends through them: each speaks to the other over HTTP, and
//! the simulator owns the time of both.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard, oneshot};
use tokio::task::JoinHandle;
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_engine::apps::{self, Apps};
use zhiyin_engine::sends::settings::{self, Platforms, SecretAt};
use zhiyin_engine::sends::{Dispatched, Lane};
use zhiyin_engine::{Engine, clock};
use zhiyin_model::event::Identifier;
use zhiyin_model::id::IdKey;
use zhiyin_model::identifier::normalise;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::{self, shipped};
use zhiyin_platform_sim::{Options, Running, start};
use zhiyin_reach::channel::Permit;
use zhiyin_server::{Api, Bounds, HomeReadings, serve};
use zhiyin_store::campaigns::sends::{SendLog, SendRow};
use zhiyin_store::{Wanted, seal};
use zhiyin_store_sqlite::SqliteStore;

/// The brand's apps: an official account, another one whose callbacks are plain, a mini program.
pub const MAIN: &str = "wx1a2b3c4d5e6f7081";
/// The second account.
pub const SECOND: &str = "wx1a2b3c4d5e6f7082";
/// The mini program.
pub const MINI: &str = "wx1a2b3c4d5e6f7083";
/// Templates of the account: to whoever follows; allowed once each; allowed until they say no.
pub const TEMPLATES: [&str; 3] = ["T-always", "T-once", "T-standing"];
/// A template of the mini program.
pub const MINI_TEMPLATE: &str = "T-mini";
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const TOKEN: &str = "QDG6eK";
const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
/// What the brand promises: a message of each kind to whoever is told of an order, and codes at its doors.
const PLAYBOOK: &str = "
playbook: brand
extends: variety-store
touchpoints:
  door: { kind: store_poster, name: { zh: 门口, en: The door }, follow: main }
consent:
  purposes:
    service: { channels: [inbox, wechat, wechat_mini], needed: false }
messages:
  always:
    text: { zh: 您的订单已发货, en: Your order is on its way }
    sells: false
    wechat: { template: T-always, fields: { thing1: 您的订单已发货, character_string2: A-1 }, page: 'https://m.shop.example/o' }
  once:
    text: { zh: 到货了, en: It is back }
    sells: false
    wechat: { template: T-once, allows: once, fields: { thing1: { zh: 到货了, en: It is back } } }
  standing:
    text: { zh: 您的号到了, en: It is your turn }
    sells: false
    wechat: { template: T-standing, allows: standing, fields: { thing1: 您的号到了 } }
  mini:
    text: { zh: 预约提醒, en: Your appointment }
    sells: false
    wechat_mini: { template: T-mini, fields: { thing1: 预约提醒 }, page: pages/visit }
campaigns:
  always: { purpose: service, promised: true, on: event Told Always, again: per told, steps: [{ send: always, by: [wechat] }] }
  once: { purpose: service, promised: true, on: event Told Once, again: per told, steps: [{ send: once, by: [wechat, inbox] }] }
  standing: { purpose: service, promised: true, on: event Told Standing, again: per told, steps: [{ send: standing, by: [wechat] }] }
  mini: { purpose: service, promised: true, on: event Told Mini, again: per told, steps: [{ send: mini, by: [wechat_mini] }] }
";

/// Goes with its home.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A platform and a home. Of one program there is one at a time: its time is the process's.
pub struct Brand {
    sim: Running,
    /// Where the home listens.
    pub home: SocketAddr,
    /// The home.
    pub engine: Arc<Engine>,
    /// Its apps.
    pub apps: Apps,
    /// What the file says.
    pub platforms: Platforms,
    lanes: Vec<Lane>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    n: u64,
    _folder: Folder,
    _one: MutexGuard<'static, ()>,
}

fn clock_file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = std::env::temp_dir().join(format!("zhiyin-wechat-sim-{}.clock", std::process::id()));
        std::fs::write(&file, zhiyin_platform_sim::START_MS.to_le_bytes()).unwrap();
        clock::follow(&file);
        file
    })
}

fn secret(at: &SecretAt) -> Result<Vec<u8>, String> {
    match at {
        SecretAt::Environment(name) => Ok(match name.as_str() {
            "SECRET" => SECRET,
            "TOKEN" => TOKEN,
            _ => AES_KEY,
        }
        .as_bytes()
        .to_vec()),
        SecretAt::File(file) => Err(format!("{file}: no file is read here")),
    }
}

impl Brand {
    /// Apps whose addresses are checked, and a home with nobody in it.
    pub async fn new(seed: u64) -> Self {
        static ONE: Mutex<()> = Mutex::const_new(());
        let one = ONE.lock().await;
        let options = Options { seed, clock_file: Some(clock_file().clone()), ..Options::default() };
        let sim = start(options).await.unwrap();
        let folder = std::env::temp_dir().join(format!("zhiyin-wechat-sim-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let store = SqliteStore::open(&folder.join("home.db"), &IdKey::from_bytes([9; 32])).unwrap();
        let engine = Arc::new(Engine::open(Arc::new(store)).await.unwrap());
        let playbook = playbook::parse("brand.yaml", PLAYBOOK, &shipped::load);
        engine.apply(&playbook.unwrap_or_else(|problems| panic!("{problems:#?}"))).await.unwrap();
        engine.go_live().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = listener.local_addr().unwrap();
        let api = format!("http://{}/wechat", sim.address);
        let sealed = json!({"token_env": "TOKEN", "aes_key_env": "KEY"});
        let file = json!({"public_url": format!("http://{home}"), "wechat": {
            "main": {
                "kind": "official", "appid": MAIN, "original_id": "gh_main", "secret_env": "SECRET", "callback": sealed,
                "domains": [home.to_string()], "api": api,
            },
            "second": {
                "kind": "official", "appid": SECOND, "secret_env": "SECRET", "callback": {"token_env": "TOKEN"}, "persona": "小顾问", "api": api,
            },
            "mini": {"kind": "mini", "appid": MINI, "secret_env": "SECRET", "callback": sealed, "persona": "小顾问", "api": api},
        }})
        .to_string();
        let time: settings::Clock = Arc::new(|| clock::wall().0.div_euclid(1_000));
        let platforms = settings::platforms(&file, secret, &time).unwrap();
        let lanes = settings::read(&file, secret).unwrap();
        let apps = apps::all(&platforms);
        let api =
            Api::receiving(Arc::clone(&engine), 5_000, true, Bounds::default(), platforms.doors.clone());
        api.knows_apps(apps.clone());
        let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            serve(listener, readings, Some(api), async { drop(stopped.await) }).await.unwrap();
        });
        let (stop, served) = (Some(stop), Some(served));
        let _folder = Folder(folder);
        let brand =
            Self { sim, home, engine, apps, platforms, lanes, stop, served, n: 0, _folder, _one: one };
        let callback = |name: &str, key: Value| json!({"url": format!("http://{home}/v1/callbacks/wechat/{name}"), "token": TOKEN, "aes_key": key});
        let templates = json!({"T-always": "template", "T-once": "once", "T-standing": "standing"});
        for (appid, kind, original, name, key, templates) in [
            (MAIN, "official", "gh_main", "main", json!(AES_KEY), templates),
            (SECOND, "official", "gh_second", "second", Value::Null, json!({})),
            (MINI, "mini", "gh_mini", "mini", json!(AES_KEY), json!({"T-mini": "once"})),
        ] {
            let app = json!({
                "appid": appid, "kind": kind, "secret": SECRET, "original_id": original, "callback": callback(name, key),
                "templates": templates,
            });
            brand.act("wechat/app", app).await;
            let verified = brand.act("wechat/verify", json!({"appid": appid})).await;
            assert_eq!(verified["verified"], true, "{name}");
        }
        brand
    }

    /// What people and the platform do, which is right.
    pub async fn act(&self, what: &str, body: Value) -> Value {
        let (status, told) =
            crate::send(self.sim.address, "POST", &format!("/sim/{what}"), &body.to_string()).await;
        assert_eq!(status, 200, "{what}: {told}");
        told
    }

    /// So many people.
    pub async fn people(&self, n: usize) -> Vec<String> {
        let told = self.act("wechat/people", json!({ "n": n })).await;
        told["people"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    /// What is so on the platform.
    pub async fn truth(&self) -> Value {
        crate::send(self.sim.address, "GET", "/sim/truth?part=wechat", "").await.1
    }

    /// Lets so many milliseconds go by, in which callbacks come, and then lets the home do what it can; what was handed over.
    pub async fn goes_on(&mut self, ms: i64) -> Dispatched {
        self.act("clock/advance", json!({"ms": ms})).await;
        self.works().await
    }

    /// Lets the home do what it can now.
    pub async fn works(&mut self) -> Dispatched {
        let mut all = Dispatched::default();
        for _ in 0..3 {
            let wall = clock::wall();
            while self.engine.work_on_arrivals(None, wall).await.unwrap().done > 0 {}
            self.engine.round_of_apps(&self.apps, wall).await;
            self.engine.drain(512, None, |_| ()).await.unwrap();
            for lane in &mut self.lanes {
                let handed = self.engine.hand_over(lane, wall).await.unwrap();
                all.sent += handed.sent;
                all.later += handed.later;
                all.failed += handed.failed;
                all.stopped += handed.stopped;
                all.unknown += handed.unknown;
            }
            while self.engine.tell_sends(200).await.unwrap() > 0 {}
            self.engine.drain(512, None, |_| ()).await.unwrap();
        }
        all
    }

    /// Something happens to whoever is known by an openid in an app, which sets a campaign off.
    pub async fn happens(&mut self, (appid, openid): (&str, &str), event: &str) {
        self.n += 1;
        let item = json!({
            "type": "track", "event": event, "messageId": format!("told-{}", self.n),
            "properties": {"told": self.n.to_string()},
            "context": {"externalIds": [{"id": openid, "type": format!("openid:{appid}")}]},
        });
        let source = Source {
            name: "shop".to_owned(),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Keep,
        };
        let verdicts = self.engine.accept(&source, &[item.to_string().into_bytes()], None).await.unwrap();
        assert_eq!(verdicts, [Verdict::Accepted]);
    }

    /// Whoever is known by a name.
    pub async fn member(&self, namespace: &str, value: &str) -> Option<Member> {
        let key = self.engine.home().await.unwrap().id_key;
        let value = normalise(namespace, value).unwrap();
        let named = Identifier { namespace: namespace.to_owned(), value };
        let wanted = Wanted { identifiers: vec![seal::lookup(&key, &named)], ..Wanted::default() };
        self.engine.store().load(wanted).await.unwrap().members.pop().map(|stored| stored.member)
    }

    /// Whoever an app knows by an openid.
    pub async fn known(&self, appid: &str, openid: &str) -> Option<Member> {
        self.member(&format!("openid:{appid}"), openid).await
    }

    /// How many messages of a template somebody allows, as the home counts.
    pub async fn left(&self, appid: &str, openid: &str, template: &str) -> usize {
        let permit = Permit {
            account: String::new(),
            whom: (format!("openid:{appid}"), openid.to_owned()),
            template: template.to_owned(),
            once: true,
        };
        self.engine.permits_left(&permit).await.unwrap()
    }

    /// What was sent, or was to be.
    pub async fn sends(&self) -> Vec<SendRow> {
        let log = SendLog { member: None, channel: None, state: None, before: None, limit: 1_000 };
        self.engine.store().coupons().campaigns().sends().log(log).await.unwrap()
    }

    /// What is measured, as (name with its labels, number).
    pub async fn measured(&self, begins: &str) -> Vec<(String, u64)> {
        let text = self.engine.metrics().await;
        let lines = text.lines().filter(|line| line.starts_with(begins));
        let split = lines.filter_map(|line| line.rsplit_once(' '));
        split.filter_map(|(name, n)| Some((name.to_owned(), n.parse().ok()?))).collect()
    }

    /// Ends what runs.
    pub async fn ends(mut self) {
        drop(self.stop.take());
        if let Some(served) = self.served.take() {
            served.await.unwrap();
        }
    }
}
