//! A home that sends short messages by one of two platforms: each speaks to the other over HTTP, and the simulator owns the time of both.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard, oneshot};
use tokio::task::JoinHandle;
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_engine::sends::Lane;
use zhiyin_engine::sends::log::{SendView, SendsAsked};
use zhiyin_engine::sends::receipts::{self, Sender};
use zhiyin_engine::sends::settings::{self, SecretAt};
use zhiyin_engine::{Engine, clock};
use zhiyin_model::event::Identifier;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::{self, shipped};
use zhiyin_platform_sim::{Options, Running, start};
use zhiyin_server::{Api, Bounds, HomeReadings, serve};
use zhiyin_store::{Wanted, seal};

use crate::On;

/// By which key the account is asked.
pub const KEY_ID: &str = "LTAI5tSimulated";
/// The key's secret.
pub const SECRET: &str = "s1mulated-secret-of-an-account";
const CALLBACK_SECRET: &str = "nobody-guesses-this-one";
const APP_ID: &str = "1400006666";
/// The signature of the brand.
pub const SIGN: &str = "好物集合";
/// What a part costs, in ten-thousandths of a yuan.
pub const PER_PART: i64 = 450;
/// What the brand promises here: whoever buys is thanked by SMS, which is advertising, and gets a receipt, which is not.
const PLAYBOOK: &str = "
playbook: brand
extends: variety-store
consent:
  purposes:
    promotion: { channels: [sms, inbox], needed: false }
    service: { channels: [sms, inbox], needed: false }
messages:
  thanks:
    text: { zh: '{{ key }} 号订单已收到，感谢惠顾。会员日再来，满68元减10元，全场通用，金银卡会员另有惊喜，详情请到店咨询店员，期待您的光临。', en: 'Thank you for {{ key }}.' }
    sms: { zh: '{{ key }}号订单已收到，感谢惠顾。会员日再来，满68元减10元，全场通用，金银卡会员另有惊喜，详情请到店咨询店员，期待您的光临，祝您生活愉快。' }
  short: { text: { zh: '{{ key }}号订单已送达。', en: 'Your order {{ key }} is here.' }, sells: false }
campaigns:
  thanks:
    purpose: promotion
    holdout: 0%
    on: event Order Completed
    again: per order_id
    steps: [{ send: thanks, by: [sms, inbox] }]
  delivered:
    purpose: service
    promised: true
    on: event Order Delivered
    again: per order_id
    steps: [{ send: short, by: sms }]
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
pub struct Shop {
    sim: Running,
    /// The platform's name.
    pub platform: &'static str,
    /// The home.
    pub engine: Arc<Engine>,
    /// Its accounts.
    pub senders: Vec<Sender>,
    lanes: Vec<Lane>,
    /// Where it is told what happens.
    pub callbacks: String,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    n: u64,
    _folder: Folder,
    _one: MutexGuard<'static, ()>,
}

fn clock_file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = std::env::temp_dir().join(format!("zhiyin-sms-sim-{}.clock", std::process::id()));
        std::fs::write(&file, zhiyin_platform_sim::START_MS.to_le_bytes()).unwrap();
        clock::follow(&file);
        file
    })
}

/// The texts of the templates as the platform has them, by id.
fn templates(platform: &str) -> [(&'static str, String); 2] {
    let variable = if platform == "aliyun" { "${order}" } else { "{1}" };
    let thanks = "号订单已收到，感谢惠顾。会员日再来，满68元减10元，全场通用，金银卡会员另有惊喜，详情请到店咨询店员，期待您的光临，祝您生活愉快。拒收请回复R";
    let ids = if platform == "aliyun" { ["SMS_460000001", "SMS_460000002"] } else { ["1110", "1111"] };
    [(ids[0], format!("{variable}{thanks}")), (ids[1], format!("{variable}号订单已送达。"))]
}

impl Shop {
    /// An account that is told at once, and a home with nobody in it.
    pub async fn new(on: On, platform: &'static str, seed: u64, more: Value) -> Self {
        static ONE: Mutex<()> = Mutex::const_new(());
        let one = ONE.lock().await;
        let options = Options { seed, clock_file: Some(clock_file().clone()), ..Options::default() };
        let sim = start(options).await.unwrap();
        let folder = std::env::temp_dir().join(format!("zhiyin-sms-sim-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        // Of this run: a cluster may be asked more than once.
        let name = format!("sms_{platform}_{seed}_{}", std::process::id());
        let store = crate::store(on, &folder, &name).await;
        let engine = Arc::new(Engine::open(store).await.unwrap());
        let playbook = playbook::parse("brand.yaml", PLAYBOOK, &shipped::load);
        engine.apply(&playbook.unwrap_or_else(|problems| panic!("{problems:#?}"))).await.unwrap();
        engine.go_live().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = listener.local_addr().unwrap();
        let templates = templates(platform);
        let written: Vec<Value> =
            templates.iter().map(|(id, text)| json!({"id": id, "text": text})).collect();
        let mut account = json!({
            "provider": platform, "key_id": KEY_ID, "key_secret_env": "SECRET", "sign": SIGN, "templates": written,
            "prices": [{"per_part": "0.045"}], "callback_secret_env": "CALLBACK", "api": format!("http://{}", sim.address),
        });
        if platform == "tencent" {
            account["app_id"] = json!(APP_ID);
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            account[name] = value.clone();
        }
        let file = json!({"public_url": format!("http://{home}"), "sms": {"main": account}}).to_string();
        let secret = |at: &SecretAt| match at {
            SecretAt::Environment(name) if name == "SECRET" => Ok(SECRET.as_bytes().to_vec()),
            SecretAt::Environment(_) => Ok(CALLBACK_SECRET.as_bytes().to_vec()),
            SecretAt::File(name) => Err(name.clone()),
        };
        let time: settings::Clock = Arc::new(|| clock::wall().0.div_euclid(1_000));
        let lanes = settings::read(&file, secret).unwrap();
        let platforms = settings::platforms(&file, secret, &time).unwrap();
        let senders = receipts::all(&platforms);
        let api = Api::receiving(Arc::clone(&engine), 5_000, true, Bounds::default(), platforms.doors);
        let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            serve(listener, readings, Some(api), async { drop(stopped.await) }).await.unwrap();
        });
        let callbacks = format!("http://{home}/v1/callbacks/sms/main?secret={CALLBACK_SECRET}");
        let (stop, served, _folder) = (Some(stop), Some(served), Folder(folder));
        let shop = Self {
            sim,
            platform,
            engine,
            senders,
            lanes,
            callbacks: callbacks.clone(),
            stop,
            served,
            n: 0,
            _folder,
            _one: one,
        };
        shop.act(
            "sms/account",
            json!({
                "platform": platform, "key_id": KEY_ID, "secret": SECRET, "app_id": APP_ID, "sign": SIGN, "url": callbacks,
            }),
        )
        .await;
        for (id, text) in templates {
            shop.act("sms/template", json!({"platform": platform, "id": id, "text": text})).await;
        }
        shop
    }

    /// What people and the platform do, which is right.
    pub async fn act(&self, what: &str, body: Value) -> Value {
        let (status, told) =
            crate::send(self.sim.address, "POST", &format!("/sim/{what}"), &body.to_string()).await;
        assert_eq!(status, 200, "{what}: {told}");
        told
    }

    /// What is so on the platform.
    pub async fn truth(&self) -> Value {
        crate::send(self.sim.address, "GET", "/sim/truth?part=sms", "").await.1
    }

    /// Lets so many milliseconds go by, in which receipts come, and then lets the home do what it can.
    pub async fn goes_on(&mut self, ms: i64) {
        self.act("clock/advance", json!({"ms": ms})).await;
        self.works().await;
    }

    /// Lets the home do what it can now.
    pub async fn works(&mut self) {
        for _ in 0..3 {
            self.engine.drain(512, None, |_| ()).await.unwrap();
            for lane in &mut self.lanes {
                while self.engine.hand_over(lane, clock::wall()).await.unwrap().moved() > 0 {}
            }
            self.engine.round_of_receipts(&self.senders, clock::wall()).await.unwrap();
            while self.engine.work_on_arrivals(None, clock::wall()).await.unwrap().done > 0 {}
            while self.engine.tell_sends(200).await.unwrap() > 0 {}
        }
        self.engine.drain(512, None, |_| ()).await.unwrap();
    }

    /// Takes an item of somebody in.
    pub async fn takes(&mut self, event: &str, phone: &str, properties: Value) {
        self.n += 1;
        let item = json!({
            "type": "track", "event": event, "messageId": format!("till-{}", self.n),
            "context": {"externalIds": [{"type": "phone", "id": phone}]}, "properties": properties,
        });
        let source = Source {
            name: "till".to_owned(),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Keep,
        };
        let verdicts = self.engine.accept(&source, &[item.to_string().into_bytes()], None).await.unwrap();
        assert_eq!(verdicts, [Verdict::Accepted], "{item}");
    }

    /// Somebody buys.
    pub async fn buys(&mut self, phone: &str, order: &str) {
        let line = json!({"product_id": "bag", "quantity": 1, "price": 30});
        let properties = json!({
            "order_id": order, "total": 30, "currency": "CNY", "channel": "store", "products": [line],
        });
        self.takes("Order Completed", phone, properties).await;
    }

    /// Somebody answers.
    pub async fn answers(&self, phone: &str, text: &str) {
        self.act("sms/answer", json!({"platform": self.platform, "phone": phone, "text": text})).await;
    }

    /// Whoever has a number.
    pub async fn member(&self, phone: &str) -> Member {
        let key = self.engine.home().await.unwrap().id_key;
        let named = Identifier { namespace: "phone".to_owned(), value: phone.to_owned() };
        let wanted = Wanted { identifiers: vec![seal::lookup(&key, &named)], ..Wanted::default() };
        self.engine.store().load(wanted).await.unwrap().members.pop().unwrap().member
    }

    /// Whether somebody may still be sent advertising by SMS.
    pub async fn may_be_sent(&self, phone: &str) -> bool {
        let live = self.engine.live().unwrap();
        let member = self.member(phone).await;
        let now = clock::wall().max(member.decided_until);
        zhiyin_decide::consent::ask(&live.rules, &member, "promotion", "sms", now).allowed.is_ok()
    }

    /// All that left by SMS, the oldest first.
    pub async fn sends(&self) -> Vec<SendView> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let asked =
                SendsAsked { channel: Some("sms".to_owned()), before, limit: 200, ..SendsAsked::default() };
            let some = self.engine.sends(&asked).await.unwrap().unwrap();
            before = some.last().map(|view| view.send.clone());
            all.extend(some);
            if before.is_none() {
                all.reverse();
                return all;
            }
        }
    }

    /// What is told at the home's own address by somebody: the status, and what goes with it.
    pub async fn told(&self, query: &str, body: &str) -> (u16, Value) {
        let (address, _) = self.callbacks.split_once('?').unwrap();
        let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
        crate::send(host.parse().unwrap(), "POST", &format!("/{path}?{query}"), body).await
    }

    /// Ends what runs.
    pub async fn ends(mut self) {
        drop(self.stop.take());
        if let Some(served) = self.served.take() {
            served.await.unwrap();
        }
    }
}
