//! `/healthz`, `/readyz` and `/metrics`, in plain HTTP.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::cache::Cache;
use crate::metrics::{Metrics, Now};
use crate::questions::Questions;
use crate::queue::Queue;
use crate::watches::Synced;

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
    /// It broke down later.
    #[error("failed to serve on {address}")]
    Serve {
        /// Where.
        address: SocketAddr,
        /// Why.
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
    queue: Arc<Queue>,
    questions: Arc<Questions>,
    cache: Arc<Cache>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let encode = move || async move {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        let now = Now {
            queue_depth: queue.depth(),
            queue_oldest: queue.oldest(),
            config_syncs_silent: questions.unanswered(),
            cache_objects: cache.size(),
        };
        ([(header::CONTENT_TYPE, kind)], metrics.encode(&now))
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
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
        .map_err(|source| ServeError::Serve { address, source })
}
