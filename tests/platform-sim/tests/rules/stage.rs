//! A platform with one app, somebody who takes its callbacks, and the means to speak to both.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use zhiyin_platform_sim::crypto::{Key, signature};
use zhiyin_platform_sim::{Options, Running, start};

pub const AGENT: i64 = 1_000_002;
pub const TOKEN: &str = "sign";
pub const AES_KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";
const CORP: &str = "ww5f1a2b3c4d5e6f70";

/// How a callback is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    Status(u16),
    Never,
}

/// Who takes callbacks.
#[derive(Default)]
pub struct Taken {
    pub events: Vec<String>,
    /// How the next ones are answered; by 200 when empty.
    pub answers: VecDeque<Answers>,
    /// Whether the address is confirmed wrongly.
    pub lies: bool,
}

pub struct Stage {
    running: Running,
    pub taken: Arc<Mutex<Taken>>,
    pub came: watch::Receiver<usize>,
    pub token: String,
}

/// The value of a tag in an event.
pub fn field<'a>(xml: &'a str, name: &str) -> &'a str {
    let start = xml.find(&format!("<{name}>")).map(|at| at + name.len() + 2).unwrap_or(xml.len());
    let end = xml[start..].find(&format!("</{name}>")).map_or(start, |at| start + at);
    xml[start..end].trim_start_matches("<![CDATA[").trim_end_matches("]]>")
}

impl Stage {
    pub async fn new(seed: u64) -> Self {
        let running = start(Options { seed, ..Options::default() }).await.unwrap();
        let taken = Arc::new(Mutex::new(Taken::default()));
        let (tell, came) = watch::channel(0);
        let port = receive(Arc::clone(&taken), tell).await.port();
        let mut stage = Self { running, taken, came, token: String::new() };
        let callback =
            json!({"url": format!("http://127.0.0.1:{port}/wecom"), "token": TOKEN, "aes_key": AES_KEY});
        stage
            .act("apps", json!({"agentid": AGENT, "secret": "s", "name": "知音", "callback": callback}))
            .await;
        stage.token = stage.token_of("s").await;
        stage
    }

    pub async fn token_of(&self, secret: &str) -> String {
        let got = self.get(&format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret={secret}")).await;
        assert_eq!(got["errcode"], 0, "{got}");
        got["access_token"].as_str().unwrap().to_owned()
    }

    /// What the control interface answers to a request that is right.
    pub async fn act(&self, what: &str, body: Value) -> Value {
        let (status, told) =
            self.send("POST", &format!("/sim/{what}"), body.to_string().into()).await.unwrap();
        assert_eq!(status, 200, "{what}: {told}");
        told
    }

    pub async fn truth(&self, part: &str) -> Value {
        self.get(&format!("/sim/truth?part={part}")).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.send("GET", path, Bytes::new()).await.unwrap().1
    }

    /// What the server API answers by POST.
    pub async fn api(&self, path: &str, body: Value) -> Value {
        self.api_as(&self.token, path, body).await
    }

    pub async fn api_as(&self, token: &str, path: &str, body: Value) -> Value {
        let path = format!("/cgi-bin/{path}?access_token={token}");
        self.send("POST", &path, body.to_string().into()).await.unwrap().1
    }

    /// What the server API answers by GET.
    pub async fn ask(&self, path: &str, query: &str) -> Value {
        self.get(&format!("/cgi-bin/{path}?access_token={}&{query}", self.token)).await
    }

    /// A call that must succeed.
    pub async fn done(&self, path: &str, body: Value) -> Value {
        let told = self.api(path, body).await;
        assert_eq!(told["errcode"], 0, "{path}: {told}");
        told
    }

    /// A call that must be refused by a number.
    pub async fn refused(&self, path: &str, body: Value, code: i64) {
        let told = self.api(path, body).await;
        assert_eq!(told["errcode"], code, "{path}: {told}");
    }

    pub async fn advance(&self, ms: i64) {
        self.act("clock/advance", json!({"ms": ms})).await;
    }

    /// The events that came, by `Event/ChangeType`, since the last time.
    pub fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.taken.lock().unwrap().events)
    }

    /// Events as they are called.
    pub fn kinds(&self) -> Vec<String> {
        self.events().iter().map(|xml| field(xml, "ChangeType").to_owned()).collect()
    }

    /// Waits until so many callbacks came in all.
    pub async fn until_came(&self, n: usize) {
        self.came.clone().wait_for(|came| *came >= n).await.unwrap();
    }

    pub async fn send(&self, method: &str, path: &str, body: Bytes) -> Option<(u16, Value)> {
        self.send_as(method, path, body, "application/json").await
    }

    pub async fn send_as(
        &self,
        method: &str,
        path: &str,
        body: Bytes,
        content_type: &str,
    ) -> Option<(u16, Value)> {
        let stream = TcpStream::connect(self.running.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header("host", "sim");
        let request = request.header("content-type", content_type).body(Full::new(body)).unwrap();
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    pub async fn staff(&self, userid: &str) {
        self.act("staff", json!({"userid": userid})).await;
    }

    pub async fn phone(&self, name: &str) -> String {
        let made = self.act("customers", json!({"name": name})).await;
        made["external_userid"].as_str().unwrap().to_owned()
    }

    /// A member of staff with a customer.
    pub async fn pair(&self) -> (String, String) {
        self.staff("he").await;
        let phone = self.phone("伯牙").await;
        self.act("add", json!({"userid": "he", "customer": phone})).await;
        ("he".to_owned(), phone)
    }
}

/// Takes callbacks: checks their signature, opens them and keeps them.
async fn receive(taken: Arc<Mutex<Taken>>, tell: watch::Sender<usize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tell = Arc::new(tell);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (taken, tell) = (Arc::clone(&taken), Arc::clone(&tell));
            let service = service_fn(move |request| take(Arc::clone(&taken), Arc::clone(&tell), request));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    address
}

async fn take(
    taken: Arc<Mutex<Taken>>,
    tell: Arc<watch::Sender<usize>>,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let query: Vec<(String, String)> =
        form_urlencoded::parse(parts.uri.query().unwrap().as_bytes()).into_owned().collect();
    let of = |name: &str| {
        query.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let is_check = parts.method == "GET";
    let sealed = if is_check { of("echostr") } else { field(&body, "Encrypt").to_owned() };
    assert_eq!(of("msg_signature"), signature(&[TOKEN, &of("timestamp"), &of("nonce"), &sealed]));
    let (message, receiver) = Key::read(AES_KEY).unwrap().decrypt(&sealed).unwrap();
    assert_eq!(receiver, CORP);
    let message = String::from_utf8(message).unwrap();
    if is_check {
        let lies = taken.lock().unwrap().lies;
        return Ok(Response::new(Full::new(if lies { "no".into() } else { message.into() })));
    }
    assert_eq!(field(&body, "AgentID"), AGENT.to_string());
    let answers = {
        let mut taken = taken.lock().unwrap();
        taken.events.push(message);
        taken.answers.pop_front().unwrap_or(Answers::Status(200))
    };
    tell.send_modify(|n| *n += 1);
    match answers {
        Answers::Never => std::future::pending().await,
        Answers::Status(status) => {
            Ok(Response::builder().status(status).body(Full::new("success".into())).unwrap())
        }
    }
}
