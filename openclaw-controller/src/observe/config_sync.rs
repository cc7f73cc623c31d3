//! Asks config-sync in an agent's pod what became of the configuration.

use std::net::IpAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openclaw_render::ConfigSync;
use openclaw_render::seed::SyncStatus;
use openclaw_render::vocab::ports;

/// It answers from memory: a pod that takes longer is not there.
const DEADLINE: Duration = Duration::from_secs(2);
/// A status is a few hundred bytes; whoever sends more is not config-sync.
const LONGEST_ANSWER: usize = 64 * 1024;

/// See the module.
#[derive(Clone)]
pub(crate) struct ConfigSyncClient {
    http: Client<HttpConnector, Empty<Bytes>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Not an address.
    #[error("{0:?} is no address")]
    Address(String),
    /// Nobody is there.
    #[error("failed to ask {url}")]
    Ask {
        /// Where.
        url: String,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("failed to ask {url}: no answer within {} s", DEADLINE.as_secs())]
    TimedOut {
        /// Where.
        url: String,
    },
}

impl ConfigSyncClient {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(DEADLINE));
        let mut builder = Client::builder(TokioExecutor::new());
        // One question per change of a pod: a connection is not worth keeping.
        builder.pool_max_idle_per_host(0);
        Self { http: builder.build(connector) }
    }

    pub(crate) async fn status(&self, address: &str) -> Result<ConfigSync, AskError> {
        let address: IpAddr = address.parse().map_err(|_| AskError::Address(address.to_owned()))?;
        let host = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let url = format!("http://{host}:{}/status", ports::CONFIG_SYNC);
        match tokio::time::timeout(DEADLINE, self.ask(&url)).await {
            Ok(Ok(status)) => Ok(status),
            Ok(Err(source)) => Err(AskError::Ask { url, source }),
            Err(_) => Err(AskError::TimedOut { url }),
        }
    }

    async fn ask(&self, url: &str) -> Result<ConfigSync, Box<dyn std::error::Error + Send + Sync>> {
        let answer = self.http.get(url.parse()?).await?;
        if !answer.status().is_success() {
            return Err(format!("the answer is {}", answer.status()).into());
        }
        let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await?.to_bytes();
        let SyncStatus { applied_hash, migrated, rejected_hash, message, free_bytes, .. } =
            serde_json::from_slice(&body)?;
        Ok(ConfigSync { applied_hash, migrated, rejected_hash, message, free_bytes })
    }
}
