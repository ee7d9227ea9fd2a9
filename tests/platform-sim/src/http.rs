//! HTTP: what comes in, bounded, and where it goes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::{Sim, control, door, pay, shops, sms, wechat};

/// The largest body: a file of 20 MB in its envelope.
const BODY_BYTES_MAX: usize = 21 * 1_024 * 1_024;
/// The largest body of what is no file.
const JSON_BYTES_MAX: usize = 2 * 1_024 * 1_024;
/// How many connections there may be.
const CONNECTIONS_MAX: usize = 2_048;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

const PAGE: &str = include_str!("page.html");

/// What goes back.
pub enum Reply {
    /// An answer.
    Answer(StatusCode, &'static str, Bytes),
    /// JSON, with lines of a head that say who answers; nothing where it is empty.
    Signed(StatusCode, Vec<(&'static str, String)>, Bytes),
    /// None: the connection ends.
    Cut,
}

impl Reply {
    /// JSON.
    pub fn json(status: StatusCode, value: &Value) -> Self {
        Self::Answer(status, "application/json; charset=UTF-8", Bytes::from(value.to_string()))
    }

    /// A few words.
    pub fn text(status: StatusCode, text: &'static str) -> Self {
        Self::Answer(status, "text/html; charset=utf-8", Bytes::from_static(text.as_bytes()))
    }
}

/// Takes connections until it is dropped.
pub async fn serve(sim: Arc<Sim>, listener: TcpListener) -> Infallible {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return std::future::pending().await;
        };
        // A connection that fails is its client's matter; the door stays open.
        let Ok((stream, peer)) = listener.accept().await else {
            continue;
        };
        let sim = Arc::clone(&sim);
        tokio::spawn(async move {
            connection(sim, stream, peer).await;
            drop(place);
        });
    }
}

async fn connection(sim: Arc<Sim>, stream: TcpStream, peer: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&sim), request, peer));
    // How a connection ends is of no interest here.
    let _ = Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    sim: Arc<Sim>,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> io::Result<Response<Full<Bytes>>> {
    match route(&sim, request, peer).await {
        Reply::Answer(status, content_type, body) => {
            let mut response = Response::new(Full::new(body));
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            Ok(response)
        }
        Reply::Signed(status, heads, body) => {
            let mut response = Response::new(Full::new(body));
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            for (name, value) in heads {
                let value = HeaderValue::try_from(value).map_err(io::Error::other)?;
                response.headers_mut().insert(name, value);
            }
            Ok(response)
        }
        Reply::Cut => Err(io::Error::other("a fault cuts the connection")),
    }
}

async fn route(sim: &Arc<Sim>, request: Request<Incoming>, peer: SocketAddr) -> Reply {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let content_type =
        parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = content_type.to_owned();
    let bytes_max = if content_type.starts_with("multipart/") { BODY_BYTES_MAX } else { JSON_BYTES_MAX };
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, bytes_max).collect()).await;
    let Ok(Ok(body)) = collected else {
        return Reply::json(
            StatusCode::PAYLOAD_TOO_LARGE,
            &json!({"errcode": 45029, "errmsg": "the body is too large"}),
        );
    };
    let body = body.to_bytes();
    let query: BTreeMap<String, String> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    if let Some(api) = path.strip_prefix("/cgi-bin/") {
        let request = door::Request {
            ip: peer.ip(),
            method: parts.method,
            path: api.to_owned(),
            query,
            content_type,
            body,
        };
        return door::call(sim, request).await;
    }
    if parts.method == Method::POST && path == "/" {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let asked = sms::signed::Asked { target, headers: &parts.headers, body: &body };
        if parts.headers.contains_key("x-acs-action") {
            return sms::aliyun::call(sim, &asked);
        }
        return sms::tencent::call(sim, &asked);
    }
    if let Some(asked) = path.strip_prefix("/wechat").filter(|rest| rest.starts_with('/')) {
        return wechat::api::call(sim, &wechat::api::Asked { path: asked, query: &query, body: &body });
    }
    if path.starts_with("/v3/") {
        let target = parts.uri.path_and_query().map_or(path.as_str(), |target| target.as_str());
        let asked = pay::api::Asked { method: &parts.method, target, headers: &parts.headers, body: &body };
        return pay::api::call(sim, &asked);
    }
    if shops::api::is_theirs(&path) {
        return shops::api::call(sim, &path, &query, &parts.headers, &body);
    }
    if let Some(what) = path.strip_prefix("/sim/") {
        return control::answer(sim, &parts.method, what, &query, &body).await;
    }
    match path.as_str() {
        "/" => Reply::text(StatusCode::OK, PAGE),
        _ => Reply::json(StatusCode::NOT_FOUND, &json!({"error": "nothing is here: see the README"})),
    }
}
