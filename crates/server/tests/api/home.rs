//! A home that is served, keys for every role, and a client that says exactly what it is told to.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zhiyin_engine::keys::{self, NewKey};
use zhiyin_engine::{Engine, playbooks};
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Grant, Operation, Role};
use zhiyin_server::{Api, Bounds, HomeReadings, Limits, serve_within};
use zhiyin_store_sqlite::SqliteStore;

/// Goes with its home.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A home that decides and serves.
pub struct Home {
    pub engine: Arc<Engine>,
    pub api: Arc<Api>,
    pub address: SocketAddr,
    pub owner: String,
    stop: Vec<oneshot::Sender<()>>,
    ended: Vec<JoinHandle<()>>,
    _folder: Folder,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(named, _)| named.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

static HOMES: AtomicU64 = AtomicU64::new(0);

impl Home {
    pub async fn new() -> Self {
        Self::with(5_000, true).await
    }

    /// A home whose keys are answered so often, and in which something is decided or nothing is.
    pub async fn with(requests_per_second: u32, decides: bool) -> Self {
        Self::within(requests_per_second, decides, Bounds::default()).await
    }

    /// The same, where it is said how what programs send is taken.
    pub async fn within(requests_per_second: u32, decides: bool, bounds: Bounds) -> Self {
        let n = HOMES.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("zhiyin-api-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = SqliteStore::open(&folder.join("home.db"), &IdKey::from_bytes([1; 32])).unwrap();
        let engine = Arc::new(Engine::open(Arc::new(store)).await.unwrap());
        let (playbook, _) = playbooks::read_shipped("variety-store").unwrap().unwrap();
        engine.apply(&playbook).await.unwrap();
        engine.go_live().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mut stop, mut ended) = (Vec::new(), Vec::new());
        let (stop_serving, stopped) = oneshot::channel::<()>();
        stop.push(stop_serving);
        let api = Api::with(Arc::clone(&engine), requests_per_second, false, bounds);
        let served = Arc::clone(&api);
        let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
        ended.push(tokio::spawn(async move {
            serve_within(Limits::default(), listener, readings, Some(served), stopped).await.unwrap();
        }));
        if decides {
            let (stop_deciding, stopped) = oneshot::channel::<()>();
            stop.push(stop_deciding);
            let engine = Arc::clone(&engine);
            ended.push(tokio::spawn(async move {
                engine.run(512, async { drop(stopped.await) }).await.unwrap();
            }));
        }
        let mut home =
            Self { engine, api, address, owner: String::new(), stop, ended, _folder: Folder(folder) };
        home.owner = home.key(Role::Owner, None, None).await;
        home
    }

    /// A new key's secret.
    pub async fn key(&self, role: Role, place: Option<&str>, staff: Option<&str>) -> String {
        self.key_only(role, place, staff, None).await
    }

    /// The same, narrowed to some operations.
    pub async fn key_only(
        &self,
        role: Role,
        place: Option<&str>,
        staff: Option<&str>,
        scopes: Option<BTreeSet<Operation>>,
    ) -> String {
        static DRAWN: AtomicU64 = AtomicU64::new(1);
        let mut chance = [7; 40];
        chance[..8].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let new = NewKey {
            role,
            place: place.map(str::to_owned),
            staff: staff.map(str::to_owned),
            name: String::new(),
            scopes,
            expires_at: None,
        };
        let made = keys::make(self.engine.store().as_ref(), &Grant::system("test"), new, &chance).await;
        made.unwrap().1.reveal().to_owned()
    }

    /// Sends bytes as they are and reads until the server closes.
    pub async fn raw(&self, sent: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that refuses before all is sent may reset what is still under way.
        let _ = stream.write_all(sent).await;
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got).await;
        let head = got.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(got.len());
        let status = String::from_utf8_lossy(&got[..head]).into_owned();
        let body = got.get(head + 4..).unwrap_or_default().to_vec();
        let number = status.split(' ').nth(1).and_then(|number| number.parse().ok()).unwrap_or(0);
        Answer { status: number, head: status, body }
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut sent =
            format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\naccept-language: en\r\n");
        for (name, value) in headers {
            sent += &format!("{name}: {value}\r\n");
        }
        sent += &format!("content-length: {}\r\n\r\n", body.len());
        self.raw(&[sent.as_bytes(), body].concat()).await
    }

    /// As whoever holds a key.
    pub async fn as_key(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        let drawn = format!("test-{}", HOMES.fetch_add(1, Ordering::Relaxed));
        headers.push(("idempotency-key", &drawn));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.ask(method, path, &headers, &body).await
    }

    /// A command of the owner, under an idempotency key.
    pub async fn command(&self, name: &str, idempotency_key: &str, body: Value) -> Answer {
        self.command_as(&self.owner, name, idempotency_key, body).await
    }

    pub async fn command_as(&self, key: &str, name: &str, idempotency_key: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", idempotency_key),
        ];
        let path = format!("/v1/commands/{name}");
        self.ask("POST", &path, &headers, body.to_string().as_bytes()).await
    }

    /// Somebody who signs in, as the record has them.
    pub async fn api_person(&self, name: &str) -> zhiyin_store::access::people::Person {
        self.engine.store().access().people().named(name).await.unwrap().unwrap()
    }

    /// Somebody with so many points, known by a phone; their id.
    pub async fn member(&self, phone: &str, points: i64) -> String {
        let identifiers = json!([{"namespace": "phone", "value": phone}]);
        let body = json!({"identifiers": identifiers, "attributes": {"name": "张伟"}, "store": "330"});
        let done = self.command("members/enrol", &format!("enrol-{phone}"), body).await;
        assert_eq!(done.status, 200, "{}", done.text());
        if points > 0 {
            let body =
                json!({"member": {"namespace": "phone", "value": phone}, "amount": points, "reason": "test"});
            let given = self.command("points/adjust", &format!("give-{phone}"), body).await;
            assert_eq!(given.status, 200, "{}", given.text());
        }
        done.json()["member"].as_str().unwrap().to_owned()
    }

    /// Stops, and waits for the end of all that runs.
    pub async fn end(self) {
        for stop in self.stop {
            let _already_over = stop.send(());
        }
        for ended in self.ended {
            ended.await.unwrap();
        }
    }
}
