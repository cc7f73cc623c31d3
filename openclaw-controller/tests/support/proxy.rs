//! A proxy between the operator and the API server that counts, fails and cuts.
//!
//! It is a real server in front of the real one: the operator sees what an overloaded or broken
//! API server, or a network that loses connections, would show it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use kube::client::Body;
use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use openclaw_render::Kind;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::cluster::Cluster;

/// What happens to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered by the API server.
    Pass,
    /// It is answered with a failure and does not reach the API server.
    Refuse(u16),
    /// Nobody answers, for a while; then the connection breaks. It does not reach the API server.
    Ignore(Duration),
    /// It reaches the API server, and the connection breaks before the answer comes back.
    LoseAnswer,
    /// For a watch: it breaks off after so many events.
    CutAfter(usize),
    /// For a watch: the server says that the version is too old.
    Gone,
}

/// A request as the proxy tells it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// Path without query.
    pub path: String,
    pub query: String,
}

impl Seen {
    pub fn is_watch(&self) -> bool {
        self.method == "GET" && self.query.split('&').any(|each| each == "watch=true")
    }

    /// Whether it lists a kind that a cluster may lack.
    pub fn looks_for_a_kind(&self) -> bool {
        let optional = Kind::ALL.iter().filter(|kind| kind.project().is_some());
        self.query.contains("limit=")
            && optional.map(|kind| kind.plural()).any(|plural| self.path.ends_with(plural))
    }

    /// Whether it changes something other than the Lease and events.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.path.contains("/leases") && !self.path.contains("/events")
    }
}

type Decide = dyn FnMut(&Seen) -> Fate + Send;

/// A running proxy; it ends with this value.
pub struct Proxy {
    address: String,
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    client: Client,
    decide: Mutex<Box<Decide>>,
    seen: Mutex<Vec<Seen>>,
    /// The write after which nothing is answered any more.
    last_write: Mutex<Option<usize>>,
    writes: Mutex<usize>,
    reached: Notify,
    cut: Notify,
}

type Answer = Response<UnsyncBoxBody<Bytes, std::io::Error>>;

impl Proxy {
    /// Between the operator of a cluster and its API server.
    pub async fn start(
        cluster: &Cluster,
        decide: impl FnMut(&Seen) -> Fate + Send + 'static,
    ) -> Self {
        let kubeconfig = cluster.kubeconfig_of_operator(None).await;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .expect("a client configuration");
        let state = Arc::new(State {
            client: Client::try_from(config).expect("a client"),
            decide: Mutex::new(Box::new(decide)),
            seen: Mutex::default(),
            last_write: Mutex::default(),
            writes: Mutex::default(),
            reached: Notify::new(),
            cut: Notify::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, server }
    }

    /// A proxy that only counts.
    pub async fn counting(cluster: &Cluster) -> Self {
        Self::start(cluster, |_| Fate::Pass).await
    }

    /// For the operator's kubeconfig.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on, another decision.
    pub fn decide(&self, decide: impl FnMut(&Seen) -> Fate + Send + 'static) {
        *self.state.decide.lock().expect("no panic") = Box::new(decide);
    }

    /// Breaks every connection, those of watches too.
    pub fn cut(&self) {
        self.state.cut.notify_waiters();
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("no panic").clone()
    }

    /// Forgets what was seen.
    pub fn clear(&self) {
        self.state.seen.lock().expect("no panic").clear();
        *self.state.writes.lock().expect("no panic") = 0;
    }

    pub fn writes(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(Seen::is_write).collect()
    }

    /// How often which method and resource was asked for. Now and then the operator looks for kinds
    /// of other projects.
    pub fn tally(&self) -> BTreeMap<String, usize> {
        let mut tally = BTreeMap::new();
        for seen in self.seen().into_iter().filter(|seen| !seen.looks_for_a_kind()) {
            let verb = if seen.is_watch() { "WATCH" } else { seen.method.as_str() };
            *tally.entry(format!("{verb} {}", seen.path)).or_default() += 1;
        }
        tally
    }

    /// The n-th write from now reaches the API server, and neither it nor anything later is
    /// answered. `None` lets everything through again.
    pub fn stop_after_write(&self, write: Option<usize>) {
        *self.state.writes.lock().expect("no panic") = 0;
        *self.state.last_write.lock().expect("no panic") = write;
    }

    /// Waits until the write of [`Self::stop_after_write`] has reached the API server.
    pub async fn stopped(&self) {
        self.state.reached.notified().await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let shared = Arc::clone(&state);
            let service = service_fn(move |request| {
                let state = Arc::clone(&shared);
                async move { answer(&state, request).await.ok_or(Cut) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                // A connection that is cut is what this is for.
                _ = connection => {}
                () = state.cut.notified() => {}
            }
        });
    }
}

/// Makes hyper close the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut;

async fn answer(state: &State, request: Request<Incoming>) -> Option<Answer> {
    let seen = Seen {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
    };
    let is_last = count(state, &seen)?;
    let fate = (state.decide.lock().expect("no panic"))(&seen);
    match fate {
        Fate::Refuse(code) => return Some(refusal(code)),
        Fate::Ignore(time) => {
            tokio::time::sleep(time).await;
            return None;
        }
        Fate::Gone => return Some(gone()),
        Fate::Pass | Fate::LoseAnswer | Fate::CutAfter(_) => {}
    }
    let answer = forward(state, request).await?;
    if is_last {
        state.reached.notify_one();
        // The operator is killed while it waits for this answer.
        std::future::pending::<()>().await;
    }
    match fate {
        Fate::LoseAnswer => None,
        Fate::CutAfter(events) => Some(cut_after(answer, events)),
        Fate::Pass | Fate::Refuse(_) | Fate::Ignore(_) | Fate::Gone => Some(answer),
    }
}

/// Notes a request. Whether it is the last that the API server sees; `None` if it comes later.
fn count(state: &State, seen: &Seen) -> Option<bool> {
    state.seen.lock().expect("no panic").push(seen.clone());
    let last = *state.last_write.lock().expect("no panic");
    let mut writes = state.writes.lock().expect("no panic");
    let Some(last) = last else {
        *writes += usize::from(seen.is_write());
        return Some(false);
    };
    if *writes >= last && seen.method != "GET" {
        return None;
    }
    *writes += usize::from(seen.is_write());
    Some(seen.is_write() && *writes == last)
}

async fn forward(state: &State, request: Request<Incoming>) -> Option<Answer> {
    let (mut parts, body) = request.into_parts();
    // The proxy's own credentials are the operator's.
    for name in ["authorization", "host", "connection"] {
        parts.headers.remove(name);
    }
    let body = body.collect().await.ok()?.to_bytes();
    let request = Request::from_parts(parts, Body::from(body.to_vec()));
    let answer = state.client.send(request).await.ok()?;
    let (mut parts, body) = answer.into_parts();
    // hyper frames the answer anew.
    for name in ["transfer-encoding", "content-length", "connection"] {
        parts.headers.remove(name);
    }
    let body = body.map_err(std::io::Error::other).boxed_unsync();
    Some(Response::from_parts(parts, body))
}

/// A watch sends an event a line.
fn cut_after(answer: Answer, events: usize) -> Answer {
    let (parts, body) = answer.into_parts();
    let mut left = events;
    let frames = body.into_data_stream().map(move |chunk| {
        let chunk = chunk?;
        let lines = chunk.split(|byte| *byte == b'\n').skip(1).count();
        if left == 0 {
            return Err(std::io::Error::other("cut"));
        }
        left = left.saturating_sub(lines);
        Ok(Frame::data(chunk))
    });
    Response::from_parts(parts, BodyExt::boxed_unsync(StreamBody::new(frames)))
}

fn status(code: u16, reason: &str) -> Bytes {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "injected by the test's proxy", "reason": reason, "code": code,
    });
    Bytes::from(status.to_string())
}

fn refusal(code: u16) -> Answer {
    let reason = match code {
        409 => "Conflict",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    let mut answer = full(StatusCode::from_u16(code).expect("a code"), status(code, reason));
    if code == 429 {
        answer.headers_mut().insert("retry-after", "1".parse().expect("a header"));
    }
    answer
}

/// How an API server tells a watch that its version is too old.
fn gone() -> Answer {
    let object: serde_json::Value = serde_json::from_slice(&status(410, "Expired")).expect("JSON");
    let event = json!({"type": "ERROR", "object": object}).to_string() + "\n";
    full(StatusCode::OK, Bytes::from(event))
}

fn full(code: StatusCode, body: Bytes) -> Answer {
    let body = Full::new(body).map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut answer = Response::new(body);
    *answer.status_mut() = code;
    answer.headers_mut().insert("content-type", "application/json".parse().expect("a header"));
    answer
}
