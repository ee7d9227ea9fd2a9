//! A home whose merchant is told by WeChat Pay what people paid: each speaks to the other over HTTP, and the simulator owns the time of both.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard, oneshot};
use tokio::task::JoinHandle;
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_engine::channels::Channels;
use zhiyin_engine::command::Whom;
use zhiyin_engine::keys::{self, NewKey};
use zhiyin_engine::pays::{self, Merchant};
use zhiyin_engine::sends::settings::{self, SecretAt};
use zhiyin_engine::{Engine, clock};
use zhiyin_model::coupon::CouponAccount;
use zhiyin_model::effect::Order;
use zhiyin_model::event::Identifier;
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::playbook::{self, shipped};
use zhiyin_model::role::{Grant, Operation, Role};
use zhiyin_platform_sim::merchant::{MERCHANT_SERIAL, PUBLIC_KEY_ID, PUBLIC_KEY_PEM, merchant_key_pem};
use zhiyin_platform_sim::{Options, Running, start};
use zhiyin_server::{Api, Bounds, HomeReadings, serve};
use zhiyin_store::{Wanted, seal};
use zhiyin_store_sqlite::SqliteStore;

/// The merchant's number.
pub const MCHID: &str = "1900000001";
/// The brand's app.
pub const APPID: &str = "wx1a2b3c4d5e6f7081";
const API_V3_KEY: &str = "0123456789abcdefghijABCDEFGHIJ!@";
/// What the brand promises here: R7 in the simulator's first week, and a word to whoever got the coupon.
const PLAYBOOK: &str = "
playbook: brand
extends: variety-store
consent:
  purposes:
    service: { channels: [inbox], needed: false }
offers:
  pay-and-get:
    name: { zh: 支付有礼, en: A coupon for paying }
    from: 2026-01-05
    until: 2026-01-11
    who: tier >= \"regular\"
    when: cart.payment == \"wechat\" && cart.channel == \"store\"
    give: paid-88
    spend: 35
messages:
  paid-thanks: { text: { zh: 谢谢惠顾，送您一张88折券。, en: 'Thank you: 12% off next time.' }, sells: false }
campaigns:
  paid-thanks:
    purpose: service
    promised: true
    on: event Coupon Issued
    again: per coupon
    steps: [{ send: paid-thanks, by: [inbox] }]
";

/// Goes with its home.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// By what the platform is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Its certificates, which are fetched.
    Certificates,
    /// Its public key.
    PublicKey,
}

/// A platform and a home. Of one program there is one at a time: its time is the process's.
pub struct Till {
    sim: Running,
    /// Where the home listens.
    pub home: SocketAddr,
    /// The home.
    pub engine: Arc<Engine>,
    /// Its merchant, who asks.
    pub merchants: Vec<Merchant>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    n: u64,
    _folder: Folder,
    _one: MutexGuard<'static, ()>,
}

fn clock_file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = std::env::temp_dir().join(format!("zhiyin-pay-sim-{}.clock", std::process::id()));
        std::fs::write(&file, zhiyin_platform_sim::START_MS.to_le_bytes()).unwrap();
        clock::follow(&file);
        file
    })
}

impl Till {
    /// A merchant that is told at once, and a home with nobody in it. `orders` is what payments mean for orders.
    pub async fn new(by: By, seed: u64, orders: Value) -> Self {
        Self::with(by, seed, orders, json!({})).await
    }

    /// The same, with stocks of coupons that go with offers.
    pub async fn with(by: By, seed: u64, orders: Value, stocks: Value) -> Self {
        Self::of(by, seed, json!({"orders": orders, "stocks": stocks})).await
    }

    /// The same, where more is said of the merchant.
    pub async fn of(by: By, seed: u64, more: Value) -> Self {
        static ONE: Mutex<()> = Mutex::const_new(());
        let one = ONE.lock().await;
        let options = Options { seed, clock_file: Some(clock_file().clone()), ..Options::default() };
        let sim = start(options).await.unwrap();
        let folder = std::env::temp_dir().join(format!("zhiyin-pay-sim-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let store = SqliteStore::open(&folder.join("home.db"), &IdKey::from_bytes([9; 32])).unwrap();
        let engine = Arc::new(Engine::open(Arc::new(store)).await.unwrap());
        let playbook = playbook::parse("brand.yaml", PLAYBOOK, &shipped::load);
        engine.apply(&playbook.unwrap_or_else(|problems| panic!("{problems:#?}"))).await.unwrap();
        engine.go_live().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = listener.local_addr().unwrap();
        let mut merchant = json!({
            "mchid": MCHID, "appids": [APPID], "api_v3_key_env": "KEY", "serial": MERCHANT_SERIAL,
            "private_key_file": "private.pem", "api": format!("http://{}", sim.address),
            "transfer_scene": "1005", "transfer_reports": {"岗位类型": "推广员", "报酬说明": "推荐奖励"},
        });
        for (name, value) in more.as_object().unwrap() {
            merchant[name] = value.clone();
        }
        if by == By::PublicKey {
            merchant["public_key_id"] = json!(PUBLIC_KEY_ID);
            merchant["public_key_file"] = json!("public.pem");
        }
        let file = json!({"public_url": format!("http://{home}"), "wxpay": {"main": merchant}});
        let secret = |at: &SecretAt| match at {
            SecretAt::Environment(_) => Ok(API_V3_KEY.as_bytes().to_vec()),
            SecretAt::File(name) if name == "public.pem" => Ok(PUBLIC_KEY_PEM.as_bytes().to_vec()),
            SecretAt::File(_) => Ok(merchant_key_pem().into_bytes()),
        };
        let time: settings::Clock = Arc::new(|| clock::wall().0.div_euclid(1_000));
        let platforms = settings::platforms(&file.to_string(), secret, &time).unwrap();
        let merchants = pays::all(&platforms);
        let doors = platforms.doors.clone();
        let api = Api::receiving(Arc::clone(&engine), 5_000, true, Bounds::default(), doors);
        api.knows_channels(Channels::of(platforms, [], &format!("http://{home}")));
        let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            serve(listener, readings, Some(api), async { drop(stopped.await) }).await.unwrap();
        });
        let (stop, served) = (Some(stop), Some(served));
        let _folder = Folder(folder);
        let till = Self { sim, home, engine, merchants, stop, served, n: 0, _folder, _one: one };
        let notice_url = format!("http://{home}/v1/callbacks/wxpay/main");
        till.act(
            "pay/merchant",
            json!({
                "mchid": MCHID, "api_v3_key": API_V3_KEY, "appids": [APPID], "notice_url": notice_url,
                "public_key": by == By::PublicKey, "sub_mchid": more["sub_mchid"],
            }),
        )
        .await;
        // Bills of days from today on are looked at.
        till.works().await;
        till
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
        crate::send(self.sim.address, "GET", "/sim/truth?part=pay", "").await.1
    }

    /// A new key of a role, of somebody of the staff or of a program.
    pub async fn key(&mut self, role: Role, staff: Option<&str>) -> String {
        self.n += 1;
        let mut chance = [7; 40];
        chance[..8].copy_from_slice(&self.n.to_be_bytes());
        let new = NewKey {
            role,
            place: None,
            staff: staff.map(str::to_owned),
            name: String::new(),
            scopes: None,
            expires_at: None,
        };
        let made = keys::make(self.engine.store().as_ref(), &Grant::system("test"), new, &chance).await;
        made.unwrap().1.reveal().to_owned()
    }

    /// Asks the home as whoever holds a key, under an idempotency key.
    pub async fn asks(&self, key: (&str, &str), method: &str, path: &str, body: Value) -> (u16, Value) {
        let (key, once) = key;
        let heads = format!(
            "authorization: Bearer {key}\r\nidempotency-key: {once}\r\ncontent-type: application/json\r\n"
        );
        let body = if body.is_null() { String::new() } else { body.to_string() };
        crate::send_with(self.home, method, path, &heads, &body).await
    }

    /// Lets so many milliseconds go by, in which notices come, and then lets the home do what it can.
    pub async fn goes_on(&self, ms: i64) {
        self.act("clock/advance", json!({"ms": ms})).await;
        self.works().await;
    }

    /// Lets the home do what it can now.
    pub async fn works(&self) {
        for _ in 0..3 {
            self.engine.round_of_pays(&self.merchants, clock::wall()).await;
            while self.engine.work_on_arrivals(None, clock::wall()).await.unwrap().done > 0 {}
            self.engine.drain(512, None, |_| ()).await.unwrap();
        }
    }

    /// Takes an item in from a source.
    pub async fn takes(&mut self, source: &str, item: Value) {
        self.n += 1;
        let mut item = item;
        item["messageId"] = json!(format!("{source}-{}", self.n));
        item["type"] = json!("track");
        let source = Source {
            name: source.to_owned(),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Keep,
        };
        let verdicts = self.engine.accept(&source, &[item.to_string().into_bytes()], None).await.unwrap();
        assert_eq!(verdicts, [Verdict::Accepted], "{item}");
    }

    /// An order of somebody at a till or a shop, of so many yuan.
    pub async fn order(&mut self, source: &str, who: &str, number: &str, yuan: i64) {
        let line = json!({"product_id": "bag", "quantity": 1, "price": yuan});
        let properties = json!({
            "order_id": number, "total": yuan, "currency": "CNY", "channel": "store", "products": [line],
        });
        self.takes(source, json!({"event": "Order Completed", "userId": who, "properties": properties}))
            .await;
    }

    /// Somebody pays by WeChat in a store, so many yuan.
    pub async fn pays(&self, openid: &str, number: &str, yuan: i64) {
        let asked = json!({"appid": APPID, "openid": openid, "out_trade_no": number, "total": yuan * 100});
        self.act("pay/pay", asked).await;
    }

    async fn find(&self, namespace: &str, value: &str) -> Option<Member> {
        let key = self.engine.home().await.unwrap().id_key;
        let named = Identifier { namespace: namespace.to_owned(), value: value.to_owned() };
        let wanted = Wanted { identifiers: vec![seal::lookup(&key, &named)], ..Wanted::default() };
        self.engine.store().load(wanted).await.unwrap().members.pop().map(|stored| stored.member)
    }

    /// Whoever is known by a name.
    pub async fn member(&self, namespace: &str, value: &str) -> Member {
        self.find(namespace, value).await.unwrap()
    }

    /// An order.
    pub async fn placed(&self, number: &str) -> Option<Order> {
        let key = self.engine.home().await.unwrap().id_key;
        let id = key.derive("order", &[b"", number.as_bytes()]);
        self.engine.store().load(Wanted { orders: vec![id], ..Wanted::default() }).await.unwrap().orders.pop()
    }

    /// How many coupons somebody has in each account, and how many messages.
    pub async fn had(&self, who: &str) -> (Vec<CouponAccount>, usize) {
        let id = self.member("user", who).await.id;
        let coupons = self.engine.store().coupons().coupons_of(id, 9).await.unwrap();
        (coupons.iter().map(|coupon| coupon.account).collect(), self.notes(id).await)
    }

    async fn notes(&self, id: MemberId) -> usize {
        let filter = self.engine.filter(&Grant::system("test"), Operation::MemberRead).await.unwrap();
        let notes = self.engine.notes_of(&filter, (&Whom::Id(id), "id"), "inbox", false).await;
        notes.unwrap().unwrap().len()
    }

    /// Somebody buys at the till, where their coupon is taken; what is to be paid, in fen.
    pub async fn uses(&mut self, who: &str, checkout: &str) -> i64 {
        let cart = json!({"channel": "store", "lines": [{"product": "cup", "price": 10_000, "quantity": 1}]});
        let properties = json!({"checkout": checkout, "cart": cart});
        self.takes("till", json!({"event": "Checkout Locked", "userId": who, "properties": properties}))
            .await;
        let properties = json!({ "checkout": checkout });
        self.takes("till", json!({"event": "Checkout Redeemed", "userId": who, "properties": properties}))
            .await;
        self.engine.drain(512, None, |_| ()).await.unwrap();
        let filter = self.engine.filter(&Grant::system("test"), Operation::Checkout).await.unwrap();
        let view = self.engine.checkout_view(&filter, "", checkout).await.unwrap().unwrap();
        assert_eq!(view.state, "redeemed");
        view.quote.payable
    }

    /// What is measured of arrivals, as (name with its labels, number).
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
