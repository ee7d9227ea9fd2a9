//! A home whose brand sells in shops and at tills and is paid by WeChat: each platform tells the home over HTTP and is asked by it, and the
//! simulator owns the time of all.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard, oneshot};
use tokio::task::JoinHandle;
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_engine::arrivals::log::{ArrivalView, ArrivalsAsked};
use zhiyin_engine::pays::{self, Merchant};
use zhiyin_engine::sends::settings::{self, Platforms, SecretAt};
use zhiyin_engine::shops::{self, ShopAt};
use zhiyin_engine::{Engine, clock};
use zhiyin_model::effect::Order;
use zhiyin_model::event::Identifier;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::{self, shipped};
use zhiyin_platform_sim::merchant::{MERCHANT_SERIAL, PUBLIC_KEY_ID, PUBLIC_KEY_PEM, merchant_key_pem};
use zhiyin_platform_sim::{Options, Running, start};
use zhiyin_server::{Api, Bounds, HomeReadings, serve};
use zhiyin_store::{Wanted, seal};

use crate::On;
use crate::pay::{APPID, MCHID};

const API_V3_KEY: &str = "0123456789abcdefghijABCDEFGHIJ!@";
/// What shops sign by.
pub const SECRET: &str = "hush";
const PLAYBOOK: &str = "playbook: brand\nextends: variety-store\n";

/// Goes with its home.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Platforms and a home. Of one program there is one at a time: its time is the process's.
pub struct Market {
    sim: Running,
    /// The home.
    pub engine: Arc<Engine>,
    /// Its shops that are asked.
    pub shops: Vec<ShopAt>,
    /// All that the file of channels names.
    pub platforms: Platforms,
    merchants: Vec<Merchant>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    n: u64,
    _folder: Folder,
    _one: MutexGuard<'static, u32>,
}

fn clock_file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = std::env::temp_dir().join(format!("zhiyin-market-sim-{}.clock", std::process::id()));
        std::fs::write(&file, zhiyin_platform_sim::START_MS.to_le_bytes()).unwrap();
        clock::follow(&file);
        file
    })
}

fn file(sim: std::net::SocketAddr, home: std::net::SocketAddr, changes: &Value) -> Value {
    let api = format!("http://{sim}");
    let mut file = json!({
        "public_url": format!("http://{home}"),
        "wxpay": {"main": {
            "mchid": MCHID, "appids": [APPID], "api_v3_key_env": "V3", "serial": MERCHANT_SERIAL,
            "private_key_file": "private.pem", "public_key_id": PUBLIC_KEY_ID, "public_key_file": "public.pem", "api": api,
        }},
        "shopify": {"main": {
            "shop": "brand.myshopify.com", "secret_env": "SECRET", "token_env": "TOKEN", "api": api,
        }},
        "woocommerce": {"main": {
            "url": api, "secret_env": "SECRET", "consumer_key_env": "CK", "consumer_secret_env": "CS",
        }},
        "youzan": {"main": {
            "client_id": "c0ffee", "kdt_id": "160", "client_secret_env": "SECRET", "api": api,
        }},
        "webhook": {"mall": {
            "signature": {
                "header": "X-Mall-Signature", "prefix": "v1=", "secret_env": "SECRET", "timestamp_header": "X-Mall-At",
            },
            "kind": {"path": "event", "orders": ["order"], "refunds": ["refund"]},
            "order": {
                "number": "data.no", "at": "data.created", "changed_at": "data.changed", "total": "data.amount.total",
                "shipping": "data.amount.freight",
                "status": {"path": "data.status", "paid": ["paid"], "cancelled": ["closed"]},
                "lines": {"list": "data.items", "product": "sku", "quantity": "qty", "paid": "amount"},
            },
            "refund": {"order": "data.order_no", "number": "data.id", "at": "data.at", "total": "data.amount"},
            "names": {"phone": "data.buyer.mobile", "mall": "data.buyer.uid"},
            "amount_digits": 2, "times": "milliseconds",
        }},
    });
    for (path, value) in changes.as_object().into_iter().flatten() {
        let (above, name) = path.rsplit_once('/').unwrap();
        file.pointer_mut(above).unwrap()[name] = value.clone();
    }
    file
}

fn secret(at: &SecretAt) -> Result<Vec<u8>, String> {
    Ok(match at {
        SecretAt::Environment(name) if name == "V3" => API_V3_KEY.as_bytes().to_vec(),
        SecretAt::Environment(name) if name == "SECRET" => SECRET.as_bytes().to_vec(),
        SecretAt::Environment(name) => name.as_bytes().to_vec(),
        SecretAt::File(name) if name == "public.pem" => PUBLIC_KEY_PEM.as_bytes().to_vec(),
        SecretAt::File(_) => merchant_key_pem().into_bytes(),
    })
}

impl Market {
    /// Shops and a merchant that tell at once, and a home with nobody in it. `changes` is what the file says otherwise, by paths.
    pub async fn new(on: On, seed: u64, changes: Value) -> Self {
        static ONE: Mutex<u32> = Mutex::const_new(0);
        let mut one = ONE.lock().await;
        *one += 1;
        let name = format!("market_{}_{}", std::process::id(), *one);
        let options = Options { seed, clock_file: Some(clock_file().clone()), ..Options::default() };
        let sim = start(options).await.unwrap();
        let folder = std::env::temp_dir().join(format!("zhiyin-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let engine = Arc::new(Engine::open(crate::store(on, &folder, &name).await).await.unwrap());
        let playbook = playbook::parse("brand.yaml", PLAYBOOK, &shipped::load);
        engine.apply(&playbook.unwrap_or_else(|problems| panic!("{problems:#?}"))).await.unwrap();
        engine.go_live().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = listener.local_addr().unwrap();
        let time: settings::Clock = Arc::new(|| clock::wall().0.div_euclid(1_000));
        let told = file(sim.address, home, &changes);
        let platforms = settings::platforms(&told.to_string(), secret, &time).unwrap();
        let (merchants, shops) = (pays::all(&platforms), shops::all(&platforms));
        let doors = platforms.doors.clone();
        let api = Api::receiving(Arc::clone(&engine), 5_000, true, Bounds::default(), doors);
        let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            serve(listener, readings, Some(api), async { drop(stopped.await) }).await.unwrap();
        });
        let (stop, served) = (Some(stop), Some(served));
        let (_folder, _one) = (Folder(folder), one);
        let market = Self { sim, engine, shops, platforms, merchants, stop, served, n: 0, _folder, _one };
        let at = |channel: &str, account: &str| format!("http://{home}/v1/callbacks/{channel}/{account}");
        market
            .act(
                "pay/merchant",
                json!({
                    "mchid": MCHID, "api_v3_key": API_V3_KEY, "appids": [APPID], "notice_url": at("wxpay", "main"),
                    "public_key": true,
                }),
            )
            .await;
        for (platform, name, key, url) in [
            ("shopify", "brand.myshopify.com", "TOKEN", at("shopify", "main")),
            ("woocommerce", "shop", "CK:CS", at("woocommerce", "main")),
            ("youzan", "160", "c0ffee", at("youzan", "main")),
            ("mall", "mall", "none", at("webhook", "mall")),
        ] {
            let open = json!({"on": platform, "name": name, "secret": SECRET, "key": key, "notice_url": url});
            market.act("shops/open", open).await;
        }
        // From now on shops are looked at.
        market.works().await;
        market
    }

    /// What people and the platforms do, which is right.
    pub async fn act(&self, what: &str, body: Value) -> Value {
        let (status, told) = self.tries(what, body).await;
        assert_eq!(status, 200, "{what}: {told}");
        told
    }

    /// What they do, be it right or not.
    pub async fn tries(&self, what: &str, body: Value) -> (u16, Value) {
        crate::send(self.sim.address, "POST", &format!("/sim/{what}"), &body.to_string()).await
    }

    /// What is so in the shops.
    pub async fn truth(&self) -> Value {
        crate::send(self.sim.address, "GET", "/sim/truth?part=shops", "").await.1
    }

    /// Lets so many milliseconds go by, in which notices come, and then lets the home do what it can.
    pub async fn goes_on(&self, ms: i64) {
        self.act("clock/advance", json!({"ms": ms})).await;
        self.works().await;
    }

    /// Lets the home do what it can now.
    pub async fn works(&self) {
        for _ in 0..2 {
            self.engine.round_of_pays(&self.merchants, clock::wall()).await;
            while self.engine.round_of_shops(&self.shops, clock::wall()).await.done > 0 {}
            while self.engine.work_on_arrivals(None, clock::wall()).await.unwrap().done > 0 {}
            self.engine.drain(512, None, |_| ()).await.unwrap();
        }
    }

    /// Somebody orders in a shop: one thing, of so many hundredths.
    pub async fn orders(&self, on: &str, number: &str, (customer, phone): (u64, &str), cents: i64) {
        let lines = json!([{"product": "bag", "pieces": 1, "cents": cents}]);
        let order = json!({"on": on, "number": number, "customer": customer, "phone": phone, "lines": lines});
        self.act("shops/order", order).await;
    }

    /// An order at the till of whoever bears a phone.
    pub async fn rings_up(&mut self, phone: &str, number: &str, yuan: i64) {
        self.n += 1;
        let line = json!({"product_id": "bag", "quantity": 1, "price": yuan});
        let properties = json!({
            "order_id": number, "total": yuan, "currency": "CNY", "channel": "store", "products": [line],
        });
        let item = json!({
            "type": "track", "event": "Order Completed", "messageId": format!("till-{}", self.n), "properties": properties,
            "context": {"externalIds": [{"id": phone, "type": "phone"}]},
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

    /// Somebody pays by WeChat, so many yuan.
    pub async fn pays(&self, openid: &str, number: &str, yuan: i64) {
        let asked = json!({"appid": APPID, "openid": openid, "out_trade_no": number, "total": yuan * 100});
        self.act("pay/pay", asked).await;
    }

    /// Whoever is known by a name.
    pub async fn member(&self, namespace: &str, value: &str) -> Option<Member> {
        let key = self.engine.home().await.unwrap().id_key;
        let value = zhiyin_model::identifier::normalise(namespace, value).unwrap();
        let named = Identifier { namespace: namespace.to_owned(), value };
        let wanted = Wanted { identifiers: vec![seal::lookup(&key, &named)], ..Wanted::default() };
        self.engine.store().load(wanted).await.unwrap().members.pop().map(|stored| stored.member)
    }

    /// An order.
    pub async fn placed(&self, number: &str) -> Option<Order> {
        let key = self.engine.home().await.unwrap().id_key;
        let id = key.derive("order", &[b"", number.as_bytes()]);
        self.engine.store().load(Wanted { orders: vec![id], ..Wanted::default() }).await.unwrap().orders.pop()
    }

    /// What came from a channel and stands in a state.
    pub async fn came(&self, channel: &str, state: &str) -> Vec<ArrivalView> {
        let asked = ArrivalsAsked {
            channel: Some(channel.to_owned()),
            state: Some(state.to_owned()),
            before: None,
            limit: 200,
        };
        self.engine.arrivals(&asked).await.unwrap().unwrap()
    }

    /// How many decisions were refused.
    pub async fn refused(&self) -> Vec<(String, u64)> {
        self.measured("zhiyin_dead_letters").await
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
