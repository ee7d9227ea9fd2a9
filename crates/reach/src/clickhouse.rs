//! Speaking to servers of ClickHouse, by HTTP: statements and their answers, lines that go in.
//!
//! What is said is text that somebody else wrote; here it is sent with limits on everything that the other side decides: how
//! long it takes, how long an answer is, how often it is tried. A server answers when all of an answer is there
//! (`wait_end_of_query`), so that half of one is never taken for the whole. All that is said may be said again
//! (rows bear versions, tables are made if they are not there), so what failed on its way is tried again.
//!
//! What a server says of an error may quote rows, so of it only the number is kept, and the name that goes with it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use tokio::time::timeout;

use crate::address::Target;
use crate::client::{AGENT, CONNECT_TIMEOUT, Client, Driver, Failed};

/// The most bytes of lines that are sent at a time; a longer line is sent by itself.
pub const BATCH_BYTES_MAX: usize = 8 << 20;
/// How many connections are kept open while nobody needs them.
const IDLE_MAX: usize = 4;
/// How much of what a server says of an error is read.
const ERROR_BYTES_MAX: usize = 4_096;

/// Who asks.
#[derive(Clone)]
pub struct Access {
    /// The user.
    pub user: String,
    /// Their password; it is shown nowhere.
    pub password: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What is put up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a statement may take, its answer included. The server is told, and gives up by itself.
    pub whole: Duration,
    /// How long an answer may be, in bytes.
    pub answer_bytes_max: usize,
    /// How often something is tried.
    pub attempts: u32,
    /// The pause after the first attempt that failed; each later one is twice as long.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            whole: Duration::from_secs(60),
            // The ids of 60 million members.
            answer_bytes_max: 2 << 30,
            attempts: 4,
            pause: Duration::from_millis(250),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The server itself cannot be reached.
    #[error("ClickHouse cannot be reached: {0}")]
    Unreachable(Failed),
    /// The server does not reach another one that holds a part of the members.
    #[error(
        "ClickHouse does not reach one of its shards (its error {0}): an answer without that part is none"
    )]
    ShardUnavailable(u32),
    /// The user or the password is not good.
    #[error("ClickHouse does not let this user in (its error {0})")]
    NotLetIn(u32),
    /// The database or a table or a column is not there.
    #[error(
        "ClickHouse has no such table or column (its error {0}): the tables were not made, or by another release"
    )]
    TablesMissing(u32),
    /// It has not enough memory, or may not use it.
    #[error("ClickHouse has not enough memory for this (its error {0})")]
    MemoryExceeded(u32),
    /// It took too long.
    #[error("ClickHouse took too long (its error {0})")]
    TookTooLong(u32),
    /// It has too much to do.
    #[error("ClickHouse has too much to do (its error {0})")]
    TooBusy(u32),
    /// It may not be written to now.
    #[error("ClickHouse takes no rows now (its error {0})")]
    ReadOnly(u32),
    /// The answer is longer than is put up with.
    #[error("the answer of ClickHouse is too long")]
    AnswerTooLong,
    /// It says no for another reason; 0 where it gives none.
    #[error("ClickHouse refuses this (its error {0})")]
    Refused(u32),
}

impl Trouble {
    /// A name that stays, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable(_) => "clickhouse_unreachable",
            Self::ShardUnavailable(_) => "clickhouse_shard_unavailable",
            Self::NotLetIn(_) => "clickhouse_not_let_in",
            Self::TablesMissing(_) => "clickhouse_tables_missing",
            Self::MemoryExceeded(_) => "clickhouse_memory_exceeded",
            Self::TookTooLong(_) => "clickhouse_took_too_long",
            Self::TooBusy(_) => "clickhouse_too_busy",
            Self::ReadOnly(_) => "clickhouse_read_only",
            Self::AnswerTooLong => "clickhouse_answer_too_long",
            Self::Refused(_) => "clickhouse_refused",
        }
    }

    /// Whether trying again may help.
    const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Unreachable(Failed::ConnectFailed | Failed::ConnectTimeout | Failed::AnswerBroken)
                | Self::ShardUnavailable(_)
                | Self::TooBusy(_)
        )
    }

    /// By the number of an error.
    const fn of(number: u32) -> Self {
        match number {
            209 | 210 | 279 | 519 | 574 => Self::ShardUnavailable(number),
            192..=195 | 497 | 516 => Self::NotLetIn(number),
            16 | 47 | 60 | 81 => Self::TablesMissing(number),
            241 | 307 | 396 => Self::MemoryExceeded(number),
            159 | 160 => Self::TookTooLong(number),
            202 | 252 | 439 => Self::TooBusy(number),
            164 | 242 => Self::ReadOnly(number),
            _ => Self::Refused(number),
        }
    }
}

type Open = (SendRequest<Full<Bytes>>, Driver);

/// One server.
#[derive(Clone)]
pub struct ClickHouse {
    client: Client,
    target: Target,
    access: Access,
    /// Settings of each statement, as a query of an address.
    settings: String,
    limits: Limits,
    idle: Arc<Mutex<Vec<Open>>>,
}

impl fmt::Debug for ClickHouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, access, limits) = (&self.target, &self.access, &self.limits);
        f.debug_struct("ClickHouse")
            .field("target", target)
            .field("access", access)
            .field("limits", limits)
            .finish_non_exhaustive()
    }
}

/// A text as a part of an address.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out
}

impl ClickHouse {
    /// A server at an address; `settings` go with every statement.
    pub fn at(
        client: Client,
        target: Target,
        access: Access,
        settings: &[(&str, &str)],
        limits: Limits,
    ) -> Self {
        let mut query = String::from("wait_end_of_query=1");
        for (name, value) in settings {
            query.push_str(&format!("&{}={}", encoded(name), encoded(value)));
        }
        Self { client, target, access, settings: query, limits, idle: Arc::default() }
    }

    /// Says a statement and hears its answer.
    pub async fn ask(&self, statement: &str) -> Result<Vec<u8>, Trouble> {
        self.ask_within(self.limits.whole, statement).await
    }

    /// The same, of somebody who waits for so long: the server is told, and gives up by itself. Whoever waits no longer drops
    /// this, by which the connection is closed.
    pub async fn ask_within(&self, whole: Duration, statement: &str) -> Result<Vec<u8>, Trouble> {
        self.said(whole, "", Bytes::copy_from_slice(statement.as_bytes())).await
    }

    /// Says statements, one after the other.
    pub async fn tell(&self, statements: &[String]) -> Result<(), Trouble> {
        for statement in statements {
            self.ask(statement).await?;
        }
        Ok(())
    }

    /// Sends lines after an `INSERT … FORMAT JSONEachRow`, some at a time; how many. Where it fails, those before may have
    /// gone in: all of them may be sent again.
    pub async fn send(
        &self,
        insertion: &str,
        lines: impl IntoIterator<Item = String>,
    ) -> Result<u64, Trouble> {
        let (whole, query) = (self.limits.whole, format!("&query={}", encoded(insertion)));
        let (mut batch, mut n_sent) = (Vec::new(), 0u64);
        for line in lines {
            if !batch.is_empty() && batch.len() + line.len() > BATCH_BYTES_MAX {
                self.said(whole, &query, Bytes::from(std::mem::take(&mut batch))).await?;
            }
            batch.extend_from_slice(line.as_bytes());
            batch.push(b'\n');
            n_sent += 1;
        }
        if !batch.is_empty() {
            self.said(whole, &query, Bytes::from(batch)).await?;
        }
        Ok(n_sent)
    }

    /// Says something until it is answered, or there is no use in it.
    async fn said(&self, whole: Duration, query: &str, body: Bytes) -> Result<Vec<u8>, Trouble> {
        // Seconds are counted whole there: a part of one is one.
        let seconds = whole.as_millis().div_ceil(1_000).max(1);
        let path = format!("/?{}&max_execution_time={seconds}{query}", self.settings);
        let mut pause = self.limits.pause;
        for _ in 1..self.limits.attempts.max(1) {
            match self.once(whole, &path, body.clone()).await {
                Err(trouble) if trouble.may_pass() => {
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
                answered => return answered,
            }
        }
        self.once(whole, &path, body).await
    }

    async fn once(&self, whole: Duration, path: &str, body: Bytes) -> Result<Vec<u8>, Trouble> {
        // A little longer than the server is given, so that it can say so itself.
        let whole = whole.saturating_add(Duration::from_secs(2));
        timeout(whole, self.exchanged(path, body)).await.unwrap_or(Err(Trouble::Unreachable(Failed::Timeout)))
    }

    async fn exchanged(&self, path: &str, body: Bytes) -> Result<Vec<u8>, Trouble> {
        let mut open = self.opened().await.map_err(Trouble::Unreachable)?;
        let request = Request::post(path)
            .header("host", &self.target.authority)
            .header("user-agent", AGENT)
            .header("x-clickhouse-user", &self.access.user)
            .header("x-clickhouse-key", &self.access.password)
            .body(Full::new(body))
            .map_err(|_| Trouble::Unreachable(Failed::AnswerBroken))?;
        let broken = |_| Trouble::Unreachable(Failed::AnswerBroken);
        let response = open.0.send_request(request).await.map_err(broken)?;
        let is_good = response.status().is_success();
        let number = response.headers().get("x-clickhouse-exception-code");
        let number: Option<u32> = number.and_then(|number| number.to_str().ok()?.parse().ok());
        if is_good && number.is_none() {
            let answer = heard(response.into_body(), self.limits.answer_bytes_max).await?;
            self.keep(open);
            return Ok(answer);
        }
        if let Some(number) = number {
            return Err(Trouble::of(number));
        }
        let said = heard_error(response.into_body()).await;
        Err(Trouble::of(error_number(&said).unwrap_or(0)))
    }

    /// A connection that was kept and is still good, or a new one.
    async fn opened(&self) -> Result<Open, Failed> {
        while let Some(mut open) = self.kept() {
            if open.0.ready().await.is_ok() {
                return Ok(open);
            }
        }
        timeout(CONNECT_TIMEOUT, self.client.begin(&self.target)).await.unwrap_or(Err(Failed::ConnectTimeout))
    }

    fn kept(&self) -> Option<Open> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, open: Open) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(open);
        }
    }
}

/// Reads an answer that is no longer than this.
async fn heard(mut incoming: Incoming, bytes_max: usize) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| Trouble::Unreachable(Failed::AnswerBroken))?;
        let Some(data) = frame.data_ref() else { continue };
        if body.len() + data.len() > bytes_max {
            return Err(Trouble::AnswerTooLong);
        }
        body.extend_from_slice(data);
    }
    Ok(body)
}

/// What an error's text begins with.
async fn heard_error(mut incoming: Incoming) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(Ok(frame)) = incoming.frame().await {
        let Some(data) = frame.data_ref() else { continue };
        let room = ERROR_BYTES_MAX - body.len();
        body.extend_from_slice(&data[..data.len().min(room)]);
        if body.len() == ERROR_BYTES_MAX {
            break;
        }
    }
    body
}

/// The number of `Code: 60. DB::Exception: …`.
fn error_number(said: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(said);
    let after = text.split_once("Code: ")?.1;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_known_by_its_number_and_nothing_else_of_it_is_kept() {
        for (said, expected) in [
            ("Code: 60. DB::Exception: Table a.b doesn't exist. (UNKNOWN_TABLE)", Trouble::TablesMissing(60)),
            (
                "Code: 279, e.displayText() = DB::NetException: All connection tries failed.",
                Trouble::ShardUnavailable(279),
            ),
            ("Code: 241. DB::Exception: Memory limit", Trouble::MemoryExceeded(241)),
            ("Code: 516. DB::Exception: zhiyin: Authentication failed", Trouble::NotLetIn(516)),
            ("Code: 62. DB::Exception: Syntax error: 'Alice'", Trouble::Refused(62)),
            ("nothing", Trouble::Refused(0)),
        ] {
            let trouble = Trouble::of(error_number(said.as_bytes()).unwrap_or(0));
            assert_eq!(trouble, expected, "{said}");
            assert!(!trouble.to_string().contains("Alice"));
        }
    }

    #[test]
    fn what_goes_into_an_address_is_written_so_that_it_stays_one_part() {
        assert_eq!(encoded("INSERT INTO `a b`.c"), "INSERT%20INTO%20%60a%20b%60.c");
        assert_eq!(encoded("a=1&b=é"), "a%3D1%26b%3D%C3%A9");
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let access = Access { user: "zhiyin".to_owned(), password: "secret".to_owned() };
        let limits = Limits::default();
        let target = Target::parse("http://127.0.0.1:8123/", true).unwrap();
        let server = ClickHouse::at(Client::new(), target, access, &[], limits);
        assert!(!format!("{server:?}").contains("secret"));
    }
}
