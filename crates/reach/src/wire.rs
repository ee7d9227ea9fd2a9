//! Connections to a platform, and one exchange over one of them. What matters is told apart here: a request that never left from one
//! whose answer was lost.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::{HeaderMap, Method, Request, Response};
use tokio::time::timeout;

use crate::address::Target;
use crate::client::{AGENT, CONNECT_TIMEOUT, Client, Driver, Failed};
use crate::retry::RetryAfter;

/// How many connections are kept open while nobody needs them.
const IDLE_MAX: usize = 64;

/// What is said.
pub(crate) struct Said {
    pub(crate) method: Method,
    /// Path and query. It bears the token, so it is shown nowhere.
    pub(crate) path: String,
    /// What the body is; nothing where there is none.
    pub(crate) content_type: Option<String>,
    /// What else the head says.
    pub(crate) heads: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

/// What was answered.
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<RetryAfter>,
    /// What time it was there, in seconds since 1970, where it says so.
    pub(crate) date: Option<i64>,
    pub(crate) heads: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why nothing was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It never left.
    NotSaid(Failed),
    /// It left, or may have.
    NoAnswer(Failed),
    /// The answer is longer than is put up with.
    TooLong,
}

type Open = (SendRequest<Full<Bytes>>, Driver);

pub(crate) struct Wire {
    client: Client,
    target: Target,
    idle: Mutex<Vec<Open>>,
}

impl Wire {
    pub(crate) fn new(client: Client, target: Target) -> Self {
        Self { client, target, idle: Mutex::default() }
    }

    /// What comes before the path of a call.
    pub(crate) fn base(&self) -> &str {
        self.target.path.trim_end_matches('/')
    }

    /// Says one thing and hears its answer, of at most so many bytes. How long it may take counts from when there is a connection.
    pub(crate) async fn exchange(
        &self,
        said: Said,
        within: Duration,
        bytes_max: usize,
    ) -> Result<Heard, Lost> {
        let mut request = self.request(said).map_err(Lost::NotSaid)?;
        if let Some(open) = self.kept().await {
            request = match self.over(open, request, within, bytes_max).await {
                // The other side had closed it before anything was said.
                Err((_, Some(back))) => *back,
                Err((lost, None)) => return Err(lost),
                Ok(heard) => return Ok(heard),
            };
        }
        let begun = timeout(CONNECT_TIMEOUT, self.client.begin(&self.target)).await;
        let open = begun.unwrap_or(Err(Failed::ConnectTimeout)).map_err(Lost::NotSaid)?;
        self.over(open, request, within, bytes_max).await.map_err(|(lost, _)| lost)
    }

    /// One exchange over one connection; of what was not said the request comes back.
    async fn over(
        &self,
        mut open: Open,
        request: Request<Full<Bytes>>,
        within: Duration,
        bytes_max: usize,
    ) -> Result<Heard, (Lost, Option<Box<Request<Full<Bytes>>>>)> {
        let exchanged = async {
            match open.0.try_send_request(request).await {
                Ok(response) => heard(response, bytes_max).await.map_err(|lost| (lost, None)),
                Err(mut error) => Err(match error.take_message() {
                    Some(back) => (Lost::NotSaid(Failed::ConnectFailed), Some(Box::new(back))),
                    None => (Lost::NoAnswer(Failed::AnswerBroken), None),
                }),
            }
        };
        let heard =
            timeout(within, exchanged).await.unwrap_or(Err((Lost::NoAnswer(Failed::Timeout), None)))?;
        self.keep(open);
        Ok(heard)
    }

    fn request(&self, said: Said) -> Result<Request<Full<Bytes>>, Failed> {
        let mut request = Request::builder()
            .method(said.method)
            .uri(said.path)
            .header("host", &self.target.authority)
            .header("user-agent", AGENT)
            .header("accept", "application/json");
        if let Some(content_type) = said.content_type {
            request = request.header("content-type", content_type);
        }
        for (name, value) in said.heads {
            request = request.header(name, value);
        }
        request.body(Full::new(said.body)).map_err(|_| Failed::AnswerBroken)
    }

    /// A connection that was kept and that nobody closed as far as can be seen.
    async fn kept(&self) -> Option<Open> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut open = kept?;
            if open.0.ready().await.is_ok() {
                return Some(open);
            }
        }
    }

    fn keep(&self, open: Open) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(open);
        }
    }
}

/// Reads an answer to its end.
async fn heard(response: Response<Incoming>, bytes_max: usize) -> Result<Heard, Lost> {
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()).and_then(RetryAfter::parse);
    let date = response.headers().get("date").and_then(|value| value.to_str().ok());
    let date =
        date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|at| at.timestamp().as_second());
    let (parts, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| Lost::NoAnswer(Failed::AnswerBroken))?;
        let Some(data) = frame.data_ref() else { continue };
        if body.len() + data.len() > bytes_max {
            return Err(Lost::TooLong);
        }
        body.extend_from_slice(data);
    }
    Ok(Heard { status, retry_after, date, heads: parts.headers, body })
}
