//! `/healthz`, `/readyz` and `/metrics`, in plain HTTP.
//!
//! Whoever reaches the pod may connect, so nobody gets much: one request, soon, and the newest
//! connections are served before those that linger.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::metrics::{Metrics, Now};
use crate::queue::Queue;
use crate::watches::Synced;

/// What a server grants.
#[derive(Clone, Copy)]
struct Limits {
    /// Connections at a time. One more ends the oldest.
    connections: usize,
    /// Within which the head of the request must be there.
    head: Duration,
    /// Within which the answer must be taken.
    whole: Duration,
}

/// Of the kubelet, which gives up sooner, and of Prometheus, which comes once in a while.
const LIMITS: Limits =
    Limits { connections: 64, head: Duration::from_secs(5), whole: Duration::from_secs(30) };
/// Between two attempts to take a connection where that fails, for want of file descriptors mostly.
const RETRY: Duration = Duration::from_millis(100);

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The address is taken or not ours.
    #[error("failed to listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// `/healthz`: passes are handed out, where this replica acts. `/readyz`: every watch has delivered
/// its first list.
pub(crate) async fn health(
    address: SocketAddr,
    synced: Arc<Synced>,
    queue: Arc<Queue>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let ready = move || async move {
        match synced.missing() {
            missing if missing.is_empty() => (StatusCode::OK, "ok".to_owned()),
            missing => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("waiting for the first list of {}", missing.join(", ")),
            ),
        }
    };
    let healthy = move || async move {
        match queue.ails() {
            None => (StatusCode::OK, "ok".to_owned()),
            Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
        }
    };
    let router = Router::new().route("/healthz", get(healthy)).route("/readyz", get(ready));
    serve("health", address, router, stop).await
}

/// `/metrics`.
pub(crate) async fn metrics(
    address: SocketAddr,
    metrics: Arc<Metrics>,
    now: impl Fn() -> Now + Clone + Send + Sync + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let encode = move || async move {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        ([(header::CONTENT_TYPE, kind)], metrics.encode(&now()))
    };
    serve("metrics", address, Router::new().route("/metrics", get(encode)), stop).await
}

/// Logs where it listens, which a port of 0 leaves open.
async fn serve(
    server: &str,
    address: SocketAddr,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        // No IPv6 here: all addresses are the IPv4 ones.
        Err(_) if address.ip() == std::net::Ipv6Addr::UNSPECIFIED => {
            TcpListener::bind((std::net::Ipv4Addr::UNSPECIFIED, address.port()))
                .await
                .map_err(|source| ServeError::Listen { address, source })?
        }
        Err(source) => return Err(ServeError::Listen { address, source }),
    };
    let bound = listener.local_addr().map_err(|source| ServeError::Listen { address, source })?;
    tracing::info!(server, address = %bound, "listening");
    accept(&listener, &router, LIMITS, stop).await;
    Ok(())
}

/// Serves until it is told to stop; whoever is being answered then is answered no further.
async fn accept(
    listener: &TcpListener,
    router: &Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let mut connections = JoinSet::new();
    let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => return,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(RETRY).await;
            continue;
        };
        oldest_first.retain(|connection| !connection.is_finished());
        if oldest_first.len() >= limits.connections
            && let Some(oldest) = oldest_first.pop_front()
        {
            oldest.abort();
        }
        oldest_first.push_back(connections.spawn(answer(stream, router.clone(), limits)));
    }
}

/// One request, and that soon.
async fn answer(stream: TcpStream, router: Router, limits: Limits) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // Whoever gives up or is cut off has no answer to complain of.
    let _ = tokio::time::timeout(limits.whole, connection).await;
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream as Client;

    use super::*;

    const ASKS: &str = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    const PATIENT: Limits =
        Limits { connections: 4, head: Duration::from_hours(1), whole: Duration::from_hours(1) };

    /// What somebody does who does not wait for the runtime, to a server that grants so much.
    async fn with_server(limits: Limits, visits: impl FnOnce(SocketAddr) + Send + 'static) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/healthz", get(async || "ok".repeat(1 << 23)));
        tokio::select! {
            () = accept(&listener, &router, limits, std::future::pending()) => {}
            visited = tokio::task::spawn_blocking(move || visits(address)) => visited.expect("heard"),
        }
    }

    fn connect(address: SocketAddr, says: &str) -> Client {
        let mut client = Client::connect(address).expect("a connection");
        client.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
        client.write_all(says.as_bytes()).expect("it listens");
        client
    }

    /// Everything until the server ends the connection, which it does.
    fn heard(client: &mut Client) -> String {
        let mut heard = Vec::new();
        if let Err(error) = client.read_to_end(&mut heard) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
        String::from_utf8_lossy(&heard).into_owned()
    }

    #[tokio::test]
    async fn who_holds_connections_keeps_nobody_else_from_an_answer() {
        let visits = |address| {
            let mut idle: Vec<Client> =
                (0..40).map(|_| connect(address, "GET /healthz HTT")).collect();
            for _ in 0..3 {
                assert!(heard(&mut connect(address, ASKS)).starts_with("HTTP/1.1 200"));
            }
            assert_eq!(heard(&mut idle[0]), "", "the oldest is cut off");
        };
        with_server(PATIENT, visits).await;
    }

    #[tokio::test]
    async fn who_does_not_ask_is_cut_off() {
        let limits = Limits { head: Duration::from_millis(100), ..PATIENT };
        let visits = |address| {
            assert!(!heard(&mut connect(address, "GET /healthz HTTP/1.1\r\n")).contains("200"));
        };
        with_server(limits, visits).await;
    }

    #[tokio::test]
    async fn who_does_not_listen_is_cut_off() {
        let limits = Limits { whole: Duration::from_millis(100), ..PATIENT };
        let visits = |address| {
            let mut deaf = connect(address, ASKS);
            std::thread::sleep(Duration::from_secs(1));
            let heard = heard(&mut deaf).len();
            assert!(heard < 2 << 23, "{heard}");
        };
        with_server(limits, visits).await;
    }

    #[tokio::test]
    async fn a_connection_serves_one_request() {
        let visits = |address| {
            let heard = heard(&mut connect(address, &ASKS.repeat(2)));
            assert_eq!(heard.matches("HTTP/1.1 200").count(), 1);
        };
        with_server(PATIENT, visits).await;
    }
}
