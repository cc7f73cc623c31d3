//! Pushes the metrics to a collector by OTLP/HTTP, every half minute.
//!
//! Nothing waits for it and nothing depends on it: what fails is counted, and said once until it
//! succeeds again. Whoever answers is a stranger: answers are bounded in time and bytes, and no redirect
//! is followed. See ADR 0026.

mod endpoint;
mod payload;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::Value;
use tracing::{info, warn};

use crate::error::{chain, shortened};
use crate::github::connector;
use crate::metrics::{Metrics, Now};
pub(crate) use endpoint::{Endpoint, Headers};
use payload::{Requests, Times};

/// Between the beginnings of two pushes.
const EVERY: Duration = Duration::from_secs(30);
/// A collector's answer is a few bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Of what a collector says.
const LONGEST_WORDS: usize = 300;

/// Where metrics are pushed to, and how.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) endpoint: Endpoint,
    pub(crate) headers: Headers,
    /// For all requests of one push.
    pub(crate) timeout: Duration,
}

/// See the module.
pub(crate) struct Pusher {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    destination: Destination,
    began: SystemTime,
    /// Between the beginnings of two pushes.
    every: Duration,
    /// How the last push ended.
    succeeded: Option<bool>,
}

/// Why metrics did not arrive.
#[derive(Debug, thiserror::Error)]
enum PushError {
    #[error("failed to build the request")]
    Request(#[source] http::Error),
    #[error("failed to write the request")]
    Write(#[source] serde_json::Error),
    #[error("failed to reach the collector")]
    Reach(#[source] hyper_util::client::legacy::Error),
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("the collector answers {0}: {1}")]
    Refused(StatusCode, String),
    #[error("the collector took not all: {0}")]
    Partial(String),
}

/// What a collector says that took a request.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    partial_success: Option<Partial>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Partial {
    /// A number, or a text that is one.
    rejected_data_points: Value,
    error_message: String,
}

impl Partial {
    fn is_failure(&self) -> bool {
        let count = &self.rejected_data_points;
        let text = count.as_str().and_then(|text| text.parse().ok());
        text.or_else(|| count.as_u64()).is_some_and(|count| count > 0)
    }
}

impl Pusher {
    /// Returns nothing where this machine has no certificates to trust.
    pub(crate) fn new(destination: Destination) -> Option<Self> {
        let connector = connector()
            .inspect_err(|error| {
                warn!(%error, "no certificates on this machine: no metrics are pushed");
            })
            .ok()?;
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(1);
        let began = SystemTime::now();
        let http = builder.build(connector);
        Some(Self { http, destination, began, every: EVERY, succeeded: None })
    }

    /// Pushes again and again. Never returns.
    pub(crate) async fn push_all(mut self, metrics: &Metrics, now: impl Fn() -> Now) {
        let mut turns = tokio::time::interval(self.every);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            turns.tick().await;
            let pushed = self.push(&metrics.encode(&now())).await;
            metrics.pushed(pushed.is_ok());
            self.say(&pushed);
        }
    }

    /// Says it where it is not as before.
    fn say(&mut self, pushed: &Result<(), PushError>) {
        if !self.is_news(pushed.is_ok()) {
            return;
        }
        let endpoint = &self.destination.endpoint;
        match pushed {
            Ok(()) => info!(%endpoint, "metrics are pushed"),
            Err(error) => warn!(
                %endpoint,
                error = %chain(error),
                "metrics are not pushed: it is tried again, and said when it has worked"
            ),
        }
    }

    /// Takes in how a push ended. Whether the last one ended in another way.
    fn is_news(&mut self, succeeded: bool) -> bool {
        self.succeeded.replace(succeeded) != Some(succeeded)
    }

    async fn push(&self, text: &str) -> Result<(), PushError> {
        let timeout = self.destination.timeout;
        let since =
            |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let times = Times { start: since(self.began), now: since(SystemTime::now()) };
        let all = async {
            for request in Requests::new(text, times) {
                self.send(&request).await?;
            }
            Ok(())
        };
        tokio::time::timeout(timeout, all).await.unwrap_or(Err(PushError::TimedOut(timeout)))
    }

    async fn send(&self, request: &Value) -> Result<(), PushError> {
        let body = serde_json::to_vec(request).map_err(PushError::Write)?;
        let mut request = Request::post(self.destination.endpoint.uri().clone())
            .header(USER_AGENT, concat!("openclaw-operator/", env!("CARGO_PKG_VERSION")));
        for (name, value) in self.destination.headers.iter() {
            request = request.header(name, value);
        }
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(PushError::Request)?;
        let answer = self.http.request(request).await.map_err(PushError::Reach)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        if status != StatusCode::OK {
            let words = String::from_utf8_lossy(&body).trim().to_owned();
            return Err(PushError::Refused(status, shortened(&words, LONGEST_WORDS)));
        }
        let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
        match answer.partial_success.filter(Partial::is_failure) {
            Some(partial) => {
                Err(PushError::Partial(shortened(&partial.error_message, LONGEST_WORDS)))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
