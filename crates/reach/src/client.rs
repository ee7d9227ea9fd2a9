//! Speaking to somebody else's server: one POST, with limits on everything that the other side decides.
//!
//! A name is looked up here, what it leads to is checked ([`crate::address`]), and the connection goes to the very
//! address that was checked. No redirect is followed, no proxy is used, no more of an answer is read than is kept. A
//! [`Lane`] keeps its connection open between messages as long as the other side does.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::address::{Target, may_be_reached};
use crate::retry::RetryAfter;

/// How long looking up, connecting and TLS may take together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long all of it may take.
pub const WHOLE_TIMEOUT: Duration = Duration::from_secs(15);
/// How much of an answer's body is read.
pub const BODY_BYTES_MAX: usize = 1_024;
/// The most bytes, and lines, of an answer's head.
const HEAD_BYTES_MAX: usize = 16 * 1_024;
const HEAD_LINES_MAX: usize = 64;
/// How many of the addresses of a name are tried.
const ADDRESSES_MAX: usize = 4;

/// Who we say we are.
pub(crate) const AGENT: &str = concat!("zhiyin/", env!("CARGO_PKG_VERSION"));

/// Addresses of a name.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
/// Looks names up.
pub type Lookup = Arc<dyn Fn(String, u16) -> Found + Send + Sync>;

/// Why nothing was answered. What the other side says comes into none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The name is not known.
    #[error("the name leads nowhere")]
    NameUnknown,
    /// The name leads into a private network.
    #[error("the name leads to private addresses only")]
    AddressPrivate,
    /// Nobody takes the connection.
    #[error("nobody takes the connection")]
    ConnectFailed,
    /// It took too long to connect.
    #[error("connecting took too long")]
    ConnectTimeout,
    /// The certificate is not good, or TLS does not come about.
    #[error("TLS does not come about: the certificate, or who vouches for it")]
    TlsFailed,
    /// It took too long to answer.
    #[error("the answer took too long")]
    Timeout,
    /// What came is no answer, or too large a one.
    #[error("what came is no answer of HTTP, or its head is too large")]
    AnswerBroken,
}

impl Failed {
    /// A name that stays, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NameUnknown => "name_unknown",
            Self::AddressPrivate => "address_private",
            Self::ConnectFailed => "connect_failed",
            Self::ConnectTimeout => "connect_timeout",
            Self::TlsFailed => "tls_failed",
            Self::Timeout => "timeout",
            Self::AnswerBroken => "answer_broken",
        }
    }
}

/// What the other side answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// For how long it asks for a rest.
    pub retry_after: Option<RetryAfter>,
    /// What its body begins with.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether it took what it was sent.
    pub fn is_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Speaks to other servers.
#[derive(Clone)]
pub struct Client {
    lookup: Lookup,
    /// Whom it trusts, once it was asked to speak to anybody by TLS.
    trusts: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client that looks names up as this machine does, and trusts whom it trusts.
    pub fn new() -> Self {
        let lookup = |host: String, port: u16| -> Found {
            Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
        };
        Self::looking_up(Arc::new(lookup))
    }

    /// A client that looks names up in its own way.
    pub fn looking_up(lookup: Lookup) -> Self {
        Self { lookup, trusts: Arc::new(OnceLock::new()) }
    }

    /// The same that trusts only these certificates.
    pub fn trusting(self, certificates: Vec<CertificateDer<'static>>) -> Self {
        let trusts = OnceLock::from(config(certificates));
        Self { trusts: Arc::new(trusts), ..self }
    }

    /// A way to one server.
    pub fn lane(&self, target: Target) -> Lane {
        Lane { client: self.clone(), target, open: None }
    }

    fn tls(&self) -> Arc<ClientConfig> {
        let system = || config(rustls_native_certs::load_native_certs().certs);
        Arc::clone(self.trusts.get_or_init(system))
    }

    /// Connects to an address that may be reached.
    pub(crate) async fn begin(&self, target: &Target) -> Result<(SendRequest<Full<Bytes>>, Driver), Failed> {
        let found = match target.host.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, target.port)],
            Err(_) => {
                (self.lookup)(target.host.clone(), target.port).await.map_err(|_| Failed::NameUnknown)?
            }
        };
        if found.is_empty() {
            return Err(Failed::NameUnknown);
        }
        let may = |address: &SocketAddr| may_be_reached(address.ip(), target.allow_private);
        let mut stream = Err(Failed::AddressPrivate);
        for address in found.into_iter().filter(may).take(ADDRESSES_MAX) {
            stream = TcpStream::connect(address).await.map_err(|_| Failed::ConnectFailed);
            if stream.is_ok() {
                break;
            }
        }
        let stream = stream?;
        // What is sent is sent at once; that it is not is no reason to send nothing.
        let _slower = stream.set_nodelay(true);
        if !target.encrypted {
            return speak(TokioIo::new(stream)).await;
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| Failed::TlsFailed)?;
        let stream =
            TlsConnector::from(self.tls()).connect(name, stream).await.map_err(|_| Failed::TlsFailed)?;
        speak(TokioIo::new(stream)).await
    }
}

fn config(certificates: Vec<CertificateDer<'static>>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows the versions that are safe")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// What moves bytes of a connection; it ends when nobody needs it any more.
pub(crate) struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn speak<S>(stream: S) -> Result<(SendRequest<Full<Bytes>>, Driver), Failed>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEAD_LINES_MAX)
        .handshake(stream)
        .await
        .map_err(|_| Failed::ConnectFailed)?;
    // How it ended, whoever waits for an answer hears.
    let driver = Driver(tokio::spawn(async move { drop(connection.await) }));
    Ok((sender, driver))
}

/// A way to one server, which stays open between messages as long as the other side lets it.
pub struct Lane {
    client: Client,
    target: Target,
    open: Option<(SendRequest<Full<Bytes>>, Driver)>,
}

impl Lane {
    /// Sends one message with these headers beside the usual ones, and hears the answer.
    pub async fn post(&mut self, headers: &[(&'static str, String)], body: &[u8]) -> Result<Answer, Failed> {
        let answered = timeout(WHOLE_TIMEOUT, self.posted(headers, body)).await;
        let answer = answered.unwrap_or(Err(Failed::Timeout));
        if answer.is_err() {
            self.open = None;
        }
        answer
    }

    async fn posted(&mut self, headers: &[(&'static str, String)], body: &[u8]) -> Result<Answer, Failed> {
        let was_open = self.is_open().await;
        if !was_open {
            self.open = Some(self.connected().await?);
        }
        match self.asked(headers, body).await {
            // The other side closed it while nothing was said: that says nothing of what was to be said now.
            Err(_) if was_open => {
                self.open = Some(self.connected().await?);
                self.asked(headers, body).await
            }
            answered => answered,
        }
    }

    async fn is_open(&mut self) -> bool {
        match &mut self.open {
            Some((sender, _)) => sender.ready().await.is_ok(),
            None => false,
        }
    }

    async fn connected(&self) -> Result<(SendRequest<Full<Bytes>>, Driver), Failed> {
        let begun = timeout(CONNECT_TIMEOUT, self.client.begin(&self.target)).await;
        begun.unwrap_or(Err(Failed::ConnectTimeout))
    }

    async fn asked(&mut self, headers: &[(&'static str, String)], body: &[u8]) -> Result<Answer, Failed> {
        let (sender, _) = self.open.as_mut().ok_or(Failed::ConnectFailed)?;
        let mut request = Request::post(&self.target.path)
            .header("host", &self.target.authority)
            .header("user-agent", AGENT)
            .header("accept", "*/*")
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request =
            request.body(Full::new(Bytes::copy_from_slice(body))).map_err(|_| Failed::AnswerBroken)?;
        let response = sender.send_request(request).await.map_err(|_| Failed::AnswerBroken)?;
        let (answer, whole) = heard(response).await;
        if !whole {
            // The rest is not waited for.
            self.open = None;
        }
        Ok(answer)
    }
}

/// Reads an answer as far as it is kept; whether that was all of it.
async fn heard(response: Response<Incoming>) -> (Answer, bool) {
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(RetryAfter::parse);
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    let whole = loop {
        match incoming.frame().await {
            None => break true,
            // The status is the answer, whatever becomes of its body.
            Some(Err(_)) => break false,
            Some(Ok(frame)) => {
                let Some(data) = frame.data_ref() else { continue };
                let room = BODY_BYTES_MAX - body.len();
                body.extend_from_slice(&data[..data.len().min(room)]);
                if data.len() > room {
                    break false;
                }
            }
        }
    };
    (Answer { status, retry_after, body }, whole)
}
