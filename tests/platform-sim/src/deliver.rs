//! Callbacks leave: signed, encrypted, by HTTP to loopback addresses only; 5 seconds for an answer, three more tries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::Sim;
use crate::crypto::signature;
use crate::limits::Rule;
use crate::pay;
use crate::pay::notices::{RETRIES_S, is_well};
use crate::queue::{Delivery, Outcome};
use crate::shops;
use crate::shops::tell::retries_s;
use crate::sms;
use crate::wechat::{self, tell};
use crate::world::World;
use crate::world::types::{Callback, Due};

/// How many callbacks are sent at one time.
const AT_ONCE: usize = 64;
/// How long an answer may take in real time, where time is not: only who hangs for good meets it.
const REAL_AT_MOST: Duration = Duration::from_secs(30);
/// How much of an answer is read.
const ANSWER_BYTES_MAX: usize = 64 * 1_024;

/// Whether callbacks may go there: by HTTP, to this machine only.
pub fn may_go_to(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let is_here = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    uri.scheme_str() == Some("http") && is_here && uri.port_u16().is_some() && uri.query().is_none()
}

/// Connections that are open and idle, by authority.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<BTreeMap<String, Vec<SendRequest<Full<Bytes>>>>>,
}

impl Pool {
    fn take(&self, authority: &str) -> Option<SendRequest<Full<Bytes>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(authority)?.pop()
    }

    fn give_back(&self, authority: &str, sender: SendRequest<Full<Bytes>>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let of_authority = idle.entry(authority.to_owned()).or_default();
        if of_authority.len() < AT_ONCE {
            of_authority.push(sender);
        }
    }

    /// Sends a request and reads its answer: the status, and what the body begins with.
    pub(crate) async fn send(
        &self,
        method: &str,
        url: &str,
        heads: &[(&'static str, String)],
        body: Bytes,
    ) -> Option<(StatusCode, Bytes)> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?.to_string();
        let target = uri.path_and_query()?.as_str().to_owned();
        // Who closed an idle connection meanwhile did not read the request, so it is sent once more on a new one.
        if let Some(mut sender) = self.take(&authority)
            && sender.ready().await.is_ok()
            && let Some(answer) =
                exchange(&mut sender, method, (&authority, &target), heads, body.clone()).await
        {
            self.give_back(&authority, sender);
            return Some(answer);
        }
        let stream = TcpStream::connect(&authority).await.ok()?;
        let _ = stream.set_nodelay(true);
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let answer = exchange(&mut sender, method, (&authority, &target), heads, body).await?;
        self.give_back(&authority, sender);
        Some(answer)
    }
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    method: &str,
    (authority, target): (&str, &str),
    heads: &[(&'static str, String)],
    body: Bytes,
) -> Option<(StatusCode, Bytes)> {
    let mut request = Request::builder().method(method).uri(target).header(HOST, authority);
    for (name, value) in heads {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(body)).ok()?;
    let response = sender.send_request(request).await.ok()?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.ok()?.to_bytes();
    Some((status, body))
}

/// Sends what is due, for good.
pub async fn run(sim: Arc<Sim>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut changes = sim.changes();
    loop {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let taken = {
                let mut world = sim.lock();
                let taken = world.queue.take();
                if taken.is_some() {
                    world.delivery_begins();
                }
                taken
            };
            let Some(delivery) = taken else {
                break;
            };
            let sim = Arc::clone(&sim);
            tokio::spawn(async move {
                deliver(&sim, delivery).await;
                drop(place);
            });
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// What WeCom says of a body.
fn xml() -> Vec<(&'static str, String)> {
    vec![("content-type", "text/xml".to_owned())]
}

async fn deliver(sim: &Arc<Sim>, delivery: Delivery) {
    let prepared = {
        let mut world = sim.lock();
        // Programs do not answer faster because time does.
        let late_ms = world.now_ms + world.limits.of(Rule::CallbackAnswerMs) * world.speed();
        if delivery.agent == sms::AGENT {
            let request = world.sms_request(&delivery);
            request.map(|(url, heads, body)| (url, heads, body, late_ms))
        } else if delivery.agent == pay::AGENT {
            world.pay_request(&delivery).map(|(url, heads, body)| (url, heads, Bytes::from(body), late_ms))
        } else if delivery.agent == wechat::AGENT {
            world.wechat_request(&delivery).map(|(url, body)| (url, xml(), Bytes::from(body), late_ms))
        } else if delivery.agent == shops::AGENT {
            world.shop_request(&delivery).map(|(url, heads, body)| (url, heads, Bytes::from(body), late_ms))
        } else {
            let callback = world.apps.get(&delivery.agent).and_then(|app| app.callback.clone());
            callback.map(|callback| {
                let (url, body) = world.sealed(&callback, delivery.agent, &delivery.xml);
                (url, xml(), Bytes::from(body), late_ms)
            })
        }
    };
    let outcome = match prepared {
        // The app takes callbacks no longer.
        None => Outcome::Broken,
        Some((url, heads, body, late_ms)) => {
            tokio::select! {
                answer = sim.pool.send("POST", &url, &heads, body) => match answer {
                    None => Outcome::Broken,
                    Some((status, body)) if delivery.agent == wechat::AGENT && !tell::is_well(status, &body) => {
                        Outcome::Status(status.as_u16())
                    }
                    Some((StatusCode::OK, _)) => Outcome::Taken,
                    Some((status, _)) if delivery.agent == pay::AGENT && is_well(status) => Outcome::Taken,
                    Some((status, _)) => Outcome::Status(status.as_u16()),
                },
                () = sim.until(|world| world.now_ms >= late_ms) => Outcome::Late,
                () = tokio::time::sleep(REAL_AT_MOST) => Outcome::Late,
            }
        }
    };
    sim.with(|world| world.delivered(&delivery, outcome));
}

impl World {
    /// The address with its signature, and the body.
    fn sealed(&mut self, callback: &Callback, agent: i64, xml: &str) -> (String, String) {
        let (random, query) = self.signs();
        let sealed = callback.key.encrypt(&random, xml.as_bytes(), &self.corpid);
        let signed = signature(&[&callback.token, &query.0, &query.1, &sealed]);
        let url = format!("{}?msg_signature={signed}&timestamp={}&nonce={}", callback.url, query.0, query.1);
        let body = format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt>\
             <AgentID><![CDATA[{agent}]]></AgentID></xml>",
            self.corpid
        );
        (url, body)
    }

    /// Sixteen letters of chance, the time in seconds, a nonce.
    fn signs(&mut self) -> ([u8; 16], (String, String)) {
        let mut random = [0; 16];
        for (to, from) in random.iter_mut().zip(self.queue.chance.letters(16).bytes()) {
            *to = from;
        }
        let nonce = self.queue.chance.below(10_000_000_000).to_string();
        (random, (self.now_ms.div_euclid(1_000).to_string(), nonce))
    }

    fn delivered(&mut self, delivery: &Delivery, outcome: Outcome) {
        let now_ms = self.now_ms;
        if outcome == Outcome::Taken
            && let Some(welcome) = delivery.welcome.as_ref().and_then(|code| self.welcomes.get_mut(code))
        {
            welcome.arrived_ms.get_or_insert(now_ms);
        }
        let (n_retries, gap_ms) = if delivery.agent == pay::AGENT {
            let gap_s = usize::try_from(delivery.n_tries - 1).ok().and_then(|n| RETRIES_S.get(n));
            (RETRIES_S.len() as i64, gap_s.copied().unwrap_or_default() * 1_000)
        } else if delivery.agent == sms::AGENT {
            let gap_s = usize::try_from(delivery.n_tries - 1).ok().and_then(|n| sms::told::RETRIES_S.get(n));
            (sms::told::RETRIES_S.len() as i64, gap_s.copied().unwrap_or_default() * 1_000)
        } else if delivery.agent == wechat::AGENT {
            (tell::RETRIES, tell::RETRY_GAP_MS)
        } else if delivery.agent == shops::AGENT {
            let all = retries_s(&delivery.label);
            let gap_s = usize::try_from(delivery.n_tries - 1).ok().and_then(|n| all.get(n));
            (all.len() as i64, gap_s.copied().unwrap_or_default() * 1_000)
        } else {
            (self.limits.of(Rule::CallbackRetries), self.limits.of(Rule::CallbackRetryGapMs))
        };
        if self.queue.finish(now_ms, delivery, outcome, n_retries) {
            self.at(now_ms + gap_ms, Due::Deliver(delivery.id));
        }
    }
}

/// Checks an app's address as the console does when it is entered: a signed GET that must be answered by what was encrypted.
///
/// # Errors
/// Says what is wrong with the answer.
pub async fn verify(sim: &Arc<Sim>, agent: i64) -> Result<(), String> {
    let (url, echo) = {
        let mut world = sim.lock();
        let callback =
            world.apps.get(&agent).and_then(|app| app.callback.clone()).ok_or("the app has no callback")?;
        let echo = world.queue.chance.below(u64::MAX).to_string();
        let (random, query) = world.signs();
        let sealed = callback.key.encrypt(&random, echo.as_bytes(), &world.corpid);
        let signed = signature(&[&callback.token, &query.0, &query.1, &sealed]);
        let encoded: String = form_urlencoded::byte_serialize(sealed.as_bytes()).collect();
        let signs = format!("msg_signature={signed}&timestamp={}&nonce={}", query.0, query.1);
        (format!("{}?{signs}&echostr={encoded}", callback.url), echo)
    };
    let answer = tokio::time::timeout(REAL_AT_MOST, sim.pool.send("GET", &url, &xml(), Bytes::new())).await;
    match answer {
        Err(_) => Err("no answer in time".to_owned()),
        Ok(None) => Err("no connection, or no answer of HTTP".to_owned()),
        Ok(Some((status, _))) if status != StatusCode::OK => Err(format!("answered by {status}")),
        Ok(Some((_, body))) if body != echo.as_bytes() => {
            Err("answered by something else than was sent".to_owned())
        }
        Ok(Some(_)) => Ok(()),
    }
}
