//! How connections are taken, held within bounds, and let go.
//!
//! `axum::serve` gives a connection all the time in the world; a hundred sockets that send a byte a minute
//! would then hold the house. So connections are counted, a request's head must arrive in time, a connection
//! has a greatest age (which also bounds a reader who never reads), and stopping has an end.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::api::Api;
use crate::readings::Readings;
use crate::routes::router;
use crate::sign_in::Peer;

/// The bounds of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections held at once; more wait in the system's queue.
    pub connections_max: usize,
    /// Time for the whole head of a request to arrive, and for an idle connection to send its next.
    pub head: Duration,
    /// Time for an answer.
    pub request: Duration,
    /// Time for the store to say that work can be taken.
    pub ready: Duration,
    /// Greatest age of a connection.
    pub connection: Duration,
    /// Time for open requests to end once the server stops.
    pub drain: Duration,
    /// Largest body taken.
    pub body_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            head: Duration::from_secs(10),
            request: Duration::from_secs(30),
            ready: Duration::from_secs(2),
            connection: Duration::from_secs(600),
            drain: Duration::from_secs(10),
            body_bytes_max: 1024 * 1024,
        }
    }
}

/// Serves until `shutdown` ends, then lets open requests finish for at most ten seconds. Without an API it only shows.
pub async fn serve<F: Future>(
    listener: TcpListener,
    readings: Arc<dyn Readings>,
    api: Option<Arc<Api>>,
    shutdown: F,
) -> io::Result<()> {
    serve_within(Limits::default(), listener, readings, api, shutdown).await
}

/// As [`serve`], within other bounds.
pub async fn serve_within<F: Future>(
    limits: Limits,
    listener: TcpListener,
    readings: Arc<dyn Readings>,
    api: Option<Arc<Api>>,
    shutdown: F,
) -> io::Result<()> {
    let routes = router(readings, api, &limits);
    let (stop, stopping) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let has_room = open.len() < limits.connections_max;
        tokio::select! {
            _ = &mut shutdown => break,
            ended = open.join_next(), if !open.is_empty() => report(ended),
            accepted = listener.accept(), if has_room => match accepted {
                Ok((stream, peer)) => {
                    let answers = Answers { routes: TowerToHyperService::new(routes.clone()), peer: Peer(peer.ip()) };
                    open.spawn(connection(stream, answers, limits, stopping.clone()));
                }
                Err(error) => after_refusal(&error).await,
            },
        }
    }
    drop(listener);
    // No receiver is no fault: it only means that nothing is open.
    let _ = stop.send(true);
    let drained = timeout(limits.drain, async {
        while let Some(ended) = open.join_next().await {
            report(Some(ended))
        }
    });
    if drained.await.is_err() {
        tracing::warn!(connections = open.len(), "cut off: still open when the time to drain was over");
        open.shutdown().await;
    }
    Ok(())
}

/// The routes, which are told who is at the other end.
struct Answers {
    routes: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<Request<Incoming>> for Answers {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.routes.call(request)
    }
}

/// One connection, from its first request to its last.
async fn connection(
    stream: TcpStream,
    answers: Answers,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    // Answers are small and whole; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(stream), answers);
    let mut serving = pin!(serving);
    let must_end = async {
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => {}
            () = sleep(limits.connection) => {}
        }
    };
    tokio::select! {
        ended = &mut serving => return closed(ended),
        () = must_end => serving.as_mut().graceful_shutdown(),
    }
    // What it is answering now may be finished, within the same bound as when the server stops.
    if let Ok(ended) = timeout(limits.drain, serving).await {
        closed(ended);
    }
}

fn closed(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        // The other side's business in most cases: a reset, a time-out, a head that is not HTTP.
        tracing::debug!(%error, "connection");
    }
}

/// A connection ends with nothing to say, unless a route panicked.
fn report(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a route panicked; its connection was closed");
    }
}

/// A caller who left before being taken is no reason to pause; a system out of descriptors is.
async fn after_refusal(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!(%error, "accept");
    sleep(Duration::from_millis(200)).await;
}
