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

use crate::error::shortened;

/// It answers from memory: a pod that takes longer is not there.
const DEADLINE: Duration = Duration::from_secs(2);
/// A status is a few hundred bytes; whoever sends more is not config-sync.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Longer than any hash; what is longer is none.
const LONGEST_HASH: usize = 64;
/// Longer than any reason that config-sync gives; a condition has room for it.
const LONGEST_MESSAGE: usize = 4096;

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
        Ok(bounded(serde_json::from_slice(&body)?)?)
    }
}

/// What is taken of an answer. Whoever answers is the agent's, and what he says goes into status.
fn bounded(status: SyncStatus) -> Result<ConfigSync, &'static str> {
    let SyncStatus {
        applied_hash, migrated, rejected_hash, set_aside, message, free_bytes, ..
    } = status;
    if [&applied_hash, &rejected_hash].into_iter().flatten().any(|it| it.len() > LONGEST_HASH) {
        return Err("the answer has a hash that is none");
    }
    let [set_aside, message] =
        [set_aside, message].map(|text| text.map(|text| shortened(&text, LONGEST_MESSAGE)));
    Ok(ConfigSync { applied_hash, migrated, rejected_hash, set_aside, message, free_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_no_more_than_status_has_room_for() {
        let long = Some("x".repeat(50_000));
        let message = SyncStatus { message: long.clone(), ..SyncStatus::default() };
        let taken = bounded(message).expect("a long reason is cut");
        assert_eq!(taken.message.map(|message| message.len()), Some(LONGEST_MESSAGE));
        let hash = SyncStatus { applied_hash: long, ..SyncStatus::default() };
        assert!(bounded(hash).is_err());
    }
}
