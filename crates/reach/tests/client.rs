//! Speaking to real servers on this machine: what is sent, what is heard, and what is refused before anything is sent.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zhiyin_reach::address::Target;
use zhiyin_reach::client::{Client, Failed, Found, Lane};
use zhiyin_reach::retry::RetryAfter;

/// A certificate for localhost, good for a hundred years, and its key: of no use anywhere else.
const CERTIFICATE: &[u8] = include_bytes!("localhost.der");
const CERTIFICATE_KEY: &[u8] = include_bytes!("localhost-key.der");

/// What a server heard, request by request, and over how many connections.
#[derive(Default)]
struct Heard {
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
}

/// Reads one request; `None` where the other side has gone.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, heard: &Heard, answer: &str) {
    while let Some(said) = request(&mut stream).await {
        heard.requests.lock().unwrap().push(said);
        if stream.write_all(answer.as_bytes()).await.is_err() || answer.contains("connection: close") {
            return;
        }
    }
}

/// A server that answers everything alike.
async fn server(answer: String, encrypted: bool) -> (SocketAddr, Arc<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heard) = (listener.local_addr().unwrap(), Arc::new(Heard::default()));
    let tells = Arc::clone(&heard);
    let certificate = CertificateDer::from(CERTIFICATE);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(CERTIFICATE_KEY));
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(tls));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tells.connections.fetch_add(1, Ordering::SeqCst);
            let (heard, answer, tls) = (Arc::clone(&tells), answer.clone(), tls.clone());
            tokio::spawn(async move {
                match encrypted {
                    false => converse(stream, &heard, &answer).await,
                    true => {
                        if let Ok(stream) = tls.accept(stream).await {
                            converse(stream, &heard, &answer).await;
                        }
                    }
                }
            });
        }
    });
    (address, heard)
}

fn answer(status: &str, head: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{head}content-length: {}\r\n\r\n{body}", body.len())
}

fn lane(client: &Client, url: &str) -> Lane {
    client.lane(Target::parse(url, true).unwrap())
}

#[tokio::test]
async fn a_message_arrives_as_it_was_said_and_connections_are_kept() {
    let (address, heard) = server(answer("200 OK", "", "thanks"), false).await;
    let mut lane = lane(&Client::new(), &format!("http://localhost:{}/in?a=b", address.port()));
    let headers = [("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", "7".to_owned())];
    for _ in 0..3 {
        let answer = lane.post(&headers, b"{\"x\":1}").await.unwrap();
        assert!(answer.is_taken());
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"thanks".as_slice()));
    }
    let said = heard.requests.lock().unwrap().clone();
    assert_eq!((said.len(), heard.connections.load(Ordering::SeqCst)), (3, 1));
    let (head, body) = said[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "{\"x\":1}");
    for line in [
        "POST /in?a=b HTTP/1.1",
        &format!("host: localhost:{}", address.port()),
        "content-type: application/json",
        "webhook-id: msg_1",
        "webhook-timestamp: 7",
    ] {
        assert!(head.lines().any(|one| one == line), "{line} in {head}");
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_opened_anew() {
    let (address, heard) = server(answer("204 No Content", "connection: close\r\n", ""), false).await;
    let mut lane = lane(&Client::new(), &format!("http://127.0.0.1:{}/", address.port()));
    for _ in 0..3 {
        assert_eq!(lane.post(&[], b"{}").await.unwrap().status, 204);
    }
    assert_eq!(heard.connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_is_answered_is_heard_within_limits() {
    let long = "x".repeat(100_000);
    let head = format!("x-long: {}\r\n", "y".repeat(60_000));
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    for (said, status, kept) in [
        (answer("503 Busy", "retry-after: 120\r\n", "later"), Ok(503), 5),
        (answer("410 Gone", "", ""), Ok(410), 0),
        // Where it leads is not looked at.
        (answer("302 Found", "location: http://127.0.0.1:1/\r\n", ""), Ok(302), 0),
        (answer("200 OK", "", &long), Ok(200), 1_024),
        (answer("200 OK", &head, ""), Err(Failed::AnswerBroken), 0),
        (answer("200 OK", &many, ""), Err(Failed::AnswerBroken), 0),
        ("SSH-2.0-OpenSSH\r\n".to_owned(), Err(Failed::AnswerBroken), 0),
    ] {
        let (address, heard) = server(said.clone(), false).await;
        let mut lane = lane(&Client::new(), &format!("http://127.0.0.1:{}/", address.port()));
        let heard_back = lane.post(&[], b"{}").await;
        let short: String = said.chars().take(60).collect();
        assert_eq!(
            heard_back.as_ref().map(|answer| answer.status).map_err(|failed| *failed),
            status,
            "{short}"
        );
        if let Ok(answer) = heard_back {
            assert_eq!(answer.body.len(), kept, "{short}");
            let asks = (answer.status == 503).then_some(RetryAfter::In(std::time::Duration::from_secs(120)));
            assert_eq!(answer.retry_after, asks);
        }
        assert_eq!(heard.requests.lock().unwrap().len(), 1, "{short}");
    }
}

#[tokio::test]
async fn who_cannot_be_reached_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap().port();
    drop(listener);
    let nobody: Client = Client::looking_up(Arc::new(|_, _| -> Found {
        Box::pin(async { Err(std::io::Error::other("no")) })
    }));
    for (client, url, failed) in [
        (Client::new(), format!("http://127.0.0.1:{closed}/"), Failed::ConnectFailed),
        (nobody, "http://nobody.example/".to_owned(), Failed::NameUnknown),
    ] {
        assert_eq!(lane(&client, &url).post(&[], b"{}").await.unwrap_err(), failed, "{url}");
    }
}

/// A name that leads to this machine, whatever it is asked for; how often it was asked.
fn leads_to(addresses: Vec<SocketAddr>) -> (Client, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let lookup = move |_: String, _: u16| -> Found {
        counted.fetch_add(1, Ordering::SeqCst);
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    };
    (Client::looking_up(Arc::new(lookup)), asked)
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_refused() {
    let (address, heard) = server(answer("200 OK", "", ""), false).await;
    for host in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]"] {
        let leads: SocketAddr = format!("{host}:{}", address.port()).parse().unwrap();
        let (client, _) = leads_to(vec![leads]);
        let target = Target::parse("https://hooks.example.com:8443/", false).unwrap();
        assert_eq!(client.lane(target).post(&[], b"{}").await.unwrap_err(), Failed::AddressPrivate, "{host}");
    }
    assert_eq!(heard.connections.load(Ordering::SeqCst), 0);
}

/// The address that was checked is the one that is spoken to: the name is looked up once for a connection, so it cannot
/// lead elsewhere in between.
#[tokio::test]
async fn a_name_is_looked_up_once_and_addresses_that_may_not_be_reached_are_passed_over() {
    let (address, heard) = server(answer("200 OK", "", ""), false).await;
    let metadata = SocketAddr::from(([169, 254, 169, 254], address.port()));
    let (client, asked) = leads_to(vec![metadata, address]);
    let mut lane = lane(&client, &format!("http://hooks.example.com:{}/", address.port()));
    for _ in 0..2 {
        assert_eq!(lane.post(&[], b"{}").await.unwrap().status, 200);
    }
    assert_eq!((asked.load(Ordering::SeqCst), heard.connections.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn tls_is_spoken_with_who_is_trusted_under_that_name() {
    let (address, heard) = server(answer("200 OK", "", ""), true).await;
    let (client, _) = leads_to(vec![address]);
    let trusting = client.clone().trusting(vec![CertificateDer::from(CERTIFICATE)]);
    let strange = client.trusting(Vec::new());
    let url = |host: &str| format!("https://{host}:{}/", address.port());
    for (client, host, expected) in [
        (&trusting, "localhost", Ok(200)),
        (&trusting, "hooks.example.com", Err(Failed::TlsFailed)),
        (&strange, "localhost", Err(Failed::TlsFailed)),
    ] {
        let answered = lane(client, &url(host)).post(&[], b"{}").await;
        assert_eq!(answered.map(|answer| answer.status), expected, "{host}");
    }
    assert_eq!(heard.requests.lock().unwrap().len(), 1);
    // Where TLS is expected and is not spoken, nothing is said in the clear.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = listener.local_addr().unwrap();
    let said = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail.example.com\r\n").await.unwrap();
        let mut said = Vec::new();
        // It may be cut off: what came until then counts.
        drop(stream.read_to_end(&mut said).await);
        said
    });
    let (client, _) = leads_to(vec![plain]);
    let answered = lane(&client, &format!("https://localhost:{}/", plain.port())).post(&[], b"{}").await;
    assert_eq!(answered.unwrap_err(), Failed::TlsFailed);
    assert!(!String::from_utf8_lossy(&said.await.unwrap()).contains("POST"));
}

/// Time is stopped, and goes on by itself when everybody waits: who does not answer is given up without the test waiting.
#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut lane = lane(&Client::new(), &format!("http://127.0.0.1:{}/", address.port()));
    assert_eq!(lane.post(&[], b"{}").await.unwrap_err(), Failed::Timeout);
    let never = Client::looking_up(Arc::new(|_, _| -> Found { Box::pin(std::future::pending()) }));
    let mut lane = never.lane(Target::parse("http://slow.example/", true).unwrap());
    assert_eq!(lane.post(&[], b"{}").await.unwrap_err(), Failed::ConnectTimeout);
}
