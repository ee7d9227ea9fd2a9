//! The door of the server API: who calls, from where, how often, how many at once; and what faults make of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::Sim;
use crate::api::{self, Call, Endpoint};
use crate::calendar::Period;
use crate::faults::CallFate;
use crate::http::Reply;
use crate::limits::Rule;
use crate::world::{LOG_MAX, Refusal, World, keep, refuse};

/// How long a call of an API that counts concurrent calls is under way at least, in real time: without it two never meet.
const UNDER_WAY: Duration = Duration::from_millis(2);
/// How long a call that hangs may hang at most, in real time.
const HANGS_AT_MOST: Duration = Duration::from_secs(120);

/// What was called.
#[derive(Default)]
pub struct Calls {
    in_flight: BTreeMap<&'static str, i64>,
    /// The most at one time, by API.
    worst: BTreeMap<&'static str, i64>,
    /// APIs that let nobody through for now, for tests of concurrency.
    pub gates: BTreeSet<String>,
    blocked_until_ms: BTreeMap<String, i64>,
    counts: BTreeMap<(&'static str, i64), u64>,
    log: VecDeque<Value>,
}

impl Calls {
    /// How many are under way.
    pub fn n_in_flight(&self) -> i64 {
        self.in_flight.values().sum()
    }

    fn note(&mut self, at_ms: i64, agent: i64, api: &'static str, code: i64, fault: Option<&str>) {
        *self.counts.entry((api, code)).or_default() += 1;
        let noted = json!({"at_ms": at_ms, "agentid": agent, "api": api, "errcode": code, "fault": fault});
        keep(&mut self.log, noted, LOG_MAX);
    }

    /// Counts by API and code, the most at one time, and the latest of the log.
    pub fn told(&self) -> Value {
        let counts: Vec<Value> =
            self.counts.iter().map(|((api, code), n)| json!({"api": api, "errcode": code, "n": n})).collect();
        json!({"counts": counts, "most_at_once": self.worst, "log": self.log})
    }
}

/// What came in.
pub struct Request {
    /// From where.
    pub ip: IpAddr,
    /// GET or POST.
    pub method: Method,
    /// After `/cgi-bin/`.
    pub path: String,
    /// After `?`.
    pub query: BTreeMap<String, String>,
    /// How the body is written.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// A call that is under way, until it is dropped.
struct UnderWay {
    sim: Arc<Sim>,
    api: &'static str,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.sim.with(|world| {
            world.calls.in_flight.entry(self.api).and_modify(|n| *n -= 1);
        });
    }
}

/// Takes a call through the door.
pub async fn call(sim: &Arc<Sim>, request: Request) -> Reply {
    let Some(endpoint) = api::find(&request.path) else {
        return Reply::json(StatusCode::NOT_FOUND, &json!({"errcode": -1, "errmsg": "no such API here"}));
    };
    if request.method != endpoint.method() {
        let code = if endpoint.is_get { 43001 } else { 43002 };
        let says = format!("require {} method", endpoint.method());
        return Reply::json(StatusCode::OK, &answer(Err(Refusal { code, says }), request.ip));
    }
    let fate = sim.with(|world| {
        let fate = world.faults.call_fate(endpoint.path);
        if let Some(fault) = told_before(fate) {
            world.calls.note(world.now_ms, 0, endpoint.path, 0, Some(fault));
        }
        fate
    });
    match fate {
        CallFate::FailsBefore => return Reply::Cut,
        CallFate::ServerError => return Reply::text(StatusCode::BAD_GATEWAY, "<html>502 Bad Gateway</html>"),
        CallFate::Busy => {
            return Reply::json(StatusCode::OK, &json!({"errcode": -1, "errmsg": "system busy"}));
        }
        CallFate::TimesOut => {
            hang(sim).await;
            return Reply::Cut;
        }
        CallFate::Fine | CallFate::ReplyLost => {}
    }
    let admitted = sim.with(|world| {
        let admitted = world.admit(endpoint, &request);
        match &admitted {
            Ok(_) => world.enters(endpoint.path),
            Err(refusal) => world.refused(endpoint.path, 0, refusal),
        }
        admitted
    });
    let answered = match admitted {
        Err(refusal) => Err(refusal),
        Ok(agent) => {
            let under_way = UnderWay { sim: Arc::clone(sim), api: endpoint.path };
            if endpoint.at_once.is_some() {
                tokio::time::sleep(UNDER_WAY).await;
                sim.until(|world| !world.calls.gates.contains(endpoint.path)).await;
            }
            let answered = run(sim, endpoint, agent, &request, fate);
            drop(under_way);
            answered
        }
    };
    match fate {
        CallFate::ReplyLost => Reply::Cut,
        _ => Reply::json(StatusCode::OK, &answer(answered, request.ip)),
    }
}

const fn told_before(fate: CallFate) -> Option<&'static str> {
    match fate {
        CallFate::FailsBefore => Some("fails_before"),
        CallFate::TimesOut => Some("times_out"),
        CallFate::ServerError => Some("server_error"),
        CallFate::Busy => Some("busy"),
        CallFate::Fine | CallFate::ReplyLost => None,
    }
}

fn run(
    sim: &Sim,
    endpoint: &Endpoint,
    agent: i64,
    request: &Request,
    fate: CallFate,
) -> Result<Value, Refusal> {
    let is_file = request.content_type.starts_with("multipart/");
    let body = match request.body.as_ref() {
        bytes if bytes.is_empty() || is_file => Ok(Value::Object(Map::new())),
        bytes => serde_json::from_slice::<Value>(bytes)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Refusal { code: 47001, says: "data format error".to_owned() }),
    };
    sim.with(|world| {
        let answered = body.and_then(|body| {
            let call = Call {
                agent,
                query: &request.query,
                body: &body,
                content_type: &request.content_type,
                raw: &request.body,
            };
            (endpoint.run)(world, &call)
        });
        let fault = (fate == CallFate::ReplyLost).then_some("reply_lost");
        match &answered {
            Ok(_) => world.calls.note(world.now_ms, agent, endpoint.path, 0, fault),
            Err(refusal) => world.refused(endpoint.path, agent, refusal),
        }
        answered
    })
}

/// Waits as somebody does who is never answered.
async fn hang(sim: &Sim) {
    let (until_ms, real) = {
        let world = sim.lock();
        let real =
            if world.is_real() { HANGS_AT_MOST } else { Duration::from_millis(world.faults.timeout_real_ms) };
        (world.now_ms + world.faults.timeout_ms, real)
    };
    let _ = tokio::time::timeout(real, sim.until(|world| world.now_ms >= until_ms)).await;
}

/// What the platform answers: its fields, or its number and words.
fn answer(answered: Result<Value, Refusal>, ip: IpAddr) -> Value {
    match answered {
        Ok(mut fields) => {
            fields["errcode"] = json!(0);
            fields["errmsg"] = json!("ok");
            fields
        }
        Err(Refusal { code, says }) => {
            let more = format!("more info at https://open.work.weixin.qq.com/devtool/query?e={code}");
            json!({"errcode": code, "errmsg": format!("{says}, from ip: {ip}, {more}")})
        }
    }
}

impl World {
    fn enters(&mut self, api: &'static str) {
        let n = self.calls.in_flight.entry(api).or_default();
        *n += 1;
        let worst = self.calls.worst.entry(api).or_default();
        *worst = (*worst).max(*n);
    }

    fn refused(&mut self, api: &'static str, agent: i64, refusal: &Refusal) {
        self.calls.note(self.now_ms, agent, api, refusal.code, None);
        if matches!(refusal.code, 45009 | 45033 | 60020 | 301002) {
            self.violate(
                "call_refused",
                refusal.code,
                json!({"api": api, "agentid": agent, "says": refusal.says}),
            );
        }
    }

    /// Who calls, where they may; the app's id.
    fn admit(&mut self, endpoint: &Endpoint, request: &Request) -> Result<i64, Refusal> {
        self.counts_call(endpoint.path, request.ip)?;
        if endpoint.path == "gettoken" {
            return Ok(0);
        }
        let Some(token) = request.query.get("access_token").filter(|token| !token.is_empty()) else {
            return refuse(41001, "access_token missing");
        };
        let Some(token) = self.tokens.get(token).cloned() else {
            return refuse(40014, "invalid access_token");
        };
        if self.now_ms >= token.until_ms {
            return refuse(42001, "access_token expired");
        }
        let Some(app) = self.apps.get(&token.agent) else {
            return refuse(40014, "invalid access_token");
        };
        if !app.ips.is_empty() && !app.ips.contains(&request.ip.to_string()) {
            return refuse(60020, "not allow to access from your ip");
        }
        if endpoint.is_of_contact && !app.is_contact {
            return refuse(48002, "api forbidden");
        }
        if let Some(rule) = endpoint.at_once {
            let at_once = self.calls.in_flight.get(endpoint.path).copied().unwrap_or_default();
            if at_once >= self.limits.of(rule) {
                return refuse(45033, "api concurrent out of limit");
            }
        }
        Ok(token.agent)
    }

    fn counts_call(&mut self, api: &'static str, ip: IpAddr) -> Result<(), Refusal> {
        let ip = format!("ip {ip}");
        let now_ms = self.now_ms;
        let rules = [
            ("calls_per_api", api, Period::Minute, Rule::CallsPerApiMinute, Rule::PenaltyMinuteMs),
            ("calls_per_api", api, Period::Hour, Rule::CallsPerApiHour, Rule::PenaltyHourMs),
            ("calls_per_ip", ip.as_str(), Period::Minute, Rule::CallsPerIpMinute, Rule::PenaltyMinuteMs),
            ("calls_per_ip", ip.as_str(), Period::Hour, Rule::CallsPerIpHour, Rule::PenaltyHourMs),
        ];
        for (_, of, ..) in rules {
            if self.calls.blocked_until_ms.get(of).is_some_and(|until_ms| now_ms < *until_ms) {
                return refuse(45009, "api freq out of limit");
            }
        }
        for (name, of, period, rule, penalty) in rules {
            if !self.meters.take(name, of, period, self.limits.of(rule), now_ms, 1) {
                self.calls.blocked_until_ms.insert(of.to_owned(), now_ms + self.limits.of(penalty));
                return refuse(45009, "api freq out of limit");
            }
        }
        Ok(())
    }
}
