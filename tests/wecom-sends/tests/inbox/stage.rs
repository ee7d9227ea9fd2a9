//! A home that is served, and a platform that owns the time of both.

use std::sync::{Arc, OnceLock};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, MutexGuard, oneshot};
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::arrivals::{Errands, NEWS};
use zhiyin_engine::platforms::inbox::asked::ReplyAsked;
use zhiyin_engine::platforms::inbox::{ConversationView, InboxAsked, TalkState, WordView};
use zhiyin_engine::platforms::{self, At};
use zhiyin_engine::sends::settings::{self, Clock, SecretAt};
use zhiyin_engine::{Engine, clock};
use zhiyin_model::role::{Grant, Role};
use zhiyin_model::time::Ts;
use zhiyin_platform_sim::{Options, Running, START_MS, start};
use zhiyin_server::{Api, Bounds, HomeReadings, serve};

use crate::home::Home;

/// A brand that has tags for who is not to be disturbed and for complaints.
pub const BRAND: &str = "playbook: brand\nextends: variety-store-campaigns\n";
/// The persona of two desks.
pub const PERSONA: &str = "小顾问";
/// Two desks of it, and one of another.
pub const DESKS: [&str; 3] = ["wkOne", "wkTwo", "wkOther"];

pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;

const AGENT: i64 = 1_000_002;
const TOKEN: &str = "sign";
const AES_KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";

/// One at a time.
static TURN: OnceLock<Mutex<()>> = OnceLock::new();

pub struct Stage {
    pub home: Home,
    running: Running,
    pub at: Vec<At>,
    engine: Arc<Engine>,
    errands: Arc<dyn Errands>,
    stop: Option<oneshot::Sender<()>>,
    _turn: MutexGuard<'static, ()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _gone = stop.send(());
        }
    }
}

/// A call to the simulator's own side.
async fn sim(running: &Running, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let _connection = tokio::spawn(connection);
    let request = Request::builder().method(method).uri(format!("/sim/{path}")).header("host", "sim");
    let request = request.header("content-type", "application/json");
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let response = sender.send_request(request.body(Full::new(body)).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// Somebody with a key.
pub fn person(role: Role, staff: &str) -> Grant {
    Grant { who: format!("staff:{staff}"), role, place: None, staff: Some(staff.to_owned()), scopes: None }
}

/// Whoever runs the home.
pub fn owner() -> Grant {
    Grant::system("test")
}

impl Stage {
    pub async fn new() -> Self {
        let turn = TURN.get_or_init(Mutex::default).lock().await;
        let clock_file = std::env::temp_dir().join(format!("zhiyin-inbox-{}.clock", std::process::id()));
        let options = Options { clock_file: Some(clock_file.clone()), ..Options::default() };
        let running = start(options).await.unwrap();
        clock::follow(&clock_file);
        assert_eq!(clock::wall(), Ts(START_MS * 1_000));
        let home = Home::new(BRAND).await;
        home.now_is(Ts(START_MS * 1_000)).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service: Vec<Value> =
            DESKS[..2].iter().map(|desk| json!({"open_kfid": desk, "persona": PERSONA})).collect();
        let told = json!({"public_url": format!("http://{address}"), "wecom": {"main": {
            "corp_id": "ww5f1a2b3c4d5e6f70", "agent_id": AGENT, "secret_env": "SECRET",
            "api": format!("http://{}", running.address), "service": service,
            "callback": {"token_env": "TOKEN", "aes_key_env": "KEY"},
        }}});
        let secret = |at: &SecretAt| match at {
            SecretAt::Environment(name) => Ok(match name.as_str() {
                "SECRET" => b"s".to_vec(),
                "TOKEN" => TOKEN.as_bytes().to_vec(),
                _ => AES_KEY.as_bytes().to_vec(),
            }),
            SecretAt::File(file) => Err(format!("{file}: no file is read here")),
        };
        let time: Clock = Arc::new(|| clock::wall().0.div_euclid(1_000));
        let platforms = settings::platforms(&told.to_string(), secret, &time).unwrap();
        let at = platforms::all(&platforms);
        let engine = Arc::new(home.second_engine().await);
        let errands = platforms::errands(&engine, &at).unwrap();
        let api = Api::receiving(Arc::clone(&engine), 5_000, false, Bounds::default(), platforms.doors);
        let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
        let (stop, stopped) = oneshot::channel::<()>();
        let _serving = tokio::spawn(async move {
            serve(listener, readings, Some(api), async { drop(stopped.await) }).await.unwrap();
        });
        let stage = Self { home, running, at, engine, errands, stop: Some(stop), _turn: turn };
        let callback = json!({
            "url": format!("http://{address}/v1/callbacks/wecom/main"), "token": TOKEN, "aes_key": AES_KEY,
        });
        let app =
            json!({"agentid": AGENT, "secret": "s", "name": "知音", "contact": true, "callback": callback});
        stage.act("apps", app).await;
        for desk in DESKS {
            stage.act("kf", json!({"open_kfid": desk, "name": format!("{desk} 的客服")})).await;
        }
        stage.works().await;
        stage
    }

    pub async fn act(&self, what: &str, body: Value) -> Value {
        let (status, told) = sim(&self.running, "POST", what, &body).await;
        assert_eq!(status, 200, "{what}: {told}");
        told
    }

    pub async fn truth(&self, part: &str) -> Value {
        sim(&self.running, "GET", &format!("truth?part={part}"), &Value::Null).await.1
    }

    /// A phone.
    pub async fn phone(&self, name: &str) -> String {
        let made = self.act("customers", json!({"name": name})).await;
        made["external_userid"].as_str().unwrap().to_owned()
    }

    /// Somebody says something at a desk; what the platform calls it.
    pub async fn says(&self, customer: &str, desk: &str, words: &str) -> String {
        let said = self.act("say", json!({"customer": customer, "open_kfid": desk, "text": words})).await;
        said["msgid"].as_str().unwrap().to_owned()
    }

    /// Time goes on, and callbacks come.
    pub async fn passes(&self, ms: i64) {
        self.act("clock/advance", json!({"ms": ms})).await;
    }

    /// The same, and then the home does what it can.
    pub async fn goes_on(&self, ms: i64) {
        self.passes(ms).await;
        self.works().await;
    }

    /// Callbacks become what is to be pulled.
    pub async fn hears(&self) {
        let wall = clock::wall();
        while self.engine.work_on_lane(Some(self.errands.as_ref()), NEWS, wall).await.unwrap().all() > 0 {}
    }

    /// The home does what it can now.
    pub async fn works(&self) {
        self.hears().await;
        let wall = clock::wall();
        while self.home.engine().round_of_platforms(&self.at, wall).await.done > 0 {}
        self.home.until(wall).await;
    }

    pub async fn happens(&self, items: &[Value]) {
        let now = clock::wall();
        let verdicts = self.home.accept_live("till", items, now).await;
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
        self.home.until(now).await;
    }

    /// Conversations, with all that stand so.
    pub async fn inbox(&self, grant: &Grant, state: Option<TalkState>) -> Vec<ConversationView> {
        let asked = InboxAsked { state, limit: 100, ..InboxAsked::default() };
        self.home.engine().inbox(grant, &asked).await.unwrap().items
    }

    /// The only one.
    pub async fn talk(&self) -> ConversationView {
        let mut all = self.inbox(&owner(), None).await;
        all.extend(self.inbox(&owner(), Some(TalkState::Closed)).await);
        assert_eq!(all.len(), 1, "{all:#?}");
        all.pop().unwrap()
    }

    /// What was said in one, the oldest first.
    pub async fn words(&self, conversation: &str) -> Vec<WordView> {
        let engine = self.home.engine();
        let (mut words, mut cursor) = (Vec::new(), None);
        loop {
            let part = engine.conversation(&owner(), conversation, 3, cursor.as_deref()).await.unwrap();
            words.extend(part.messages.items);
            cursor = part.messages.next;
            if cursor.is_none() {
                break;
            }
        }
        words.reverse();
        words
    }

    /// The same as texts, each with who said it where it was the brand.
    pub async fn texts(&self, conversation: &str) -> Vec<String> {
        let words = self.words(conversation).await.into_iter();
        let told = words.map(|word| {
            let text = word.text.unwrap_or_default();
            match word.who {
                Some(who) => format!("{who}: {text} ({})", word.why.unwrap_or(word.state)),
                None => text,
            }
        });
        told.collect()
    }

    pub async fn reply(
        &self,
        grant: &Grant,
        talk: &str,
        key: &str,
        text: &str,
    ) -> Result<WordView, &'static str> {
        let asked = ReplyAsked { reply: key.to_owned(), text: text.to_owned() };
        let engine = self.home.engine();
        engine.reply_in(grant, talk, &asked).await.unwrap().map_err(|refusal| refusal.code)
    }

    /// What arrived on a phone of customer service.
    pub async fn heard(&self, customer: &str) -> Vec<String> {
        let phones = self.truth("phones").await;
        let mine = phones.as_array().unwrap().iter().find(|phone| phone["external_userid"] == customer);
        let got = mine.unwrap()["inbox"].as_array().unwrap().clone();
        let got = got.iter().filter(|one| one["kind"] == "kf");
        got.map(|one| one["content"]["text"]["content"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Events of a member by their id, the oldest first.
    pub async fn events(&self, member: &str) -> Vec<String> {
        let asked = zhiyin_engine::members::TimelineAsked { limit: 200, ..Default::default() };
        let page = self.home.engine().member_timeline(&owner(), member, &asked).await.unwrap();
        let mut events: Vec<String> =
            page.items.into_iter().map(|one| one.event).filter(|name| name.starts_with("Message")).collect();
        events.reverse();
        events
    }
}
