//! config-sync of pods that only claim to run: their addresses are of this machine, and here is who
//! answers there.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use kube::runtime::watcher::{self, Event, watcher};
use openclaw_render::Kind;
use openclaw_render::seed::{POD_PROTOCOL, SyncStatus, content_hash};
use openclaw_render::vocab::ports;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use super::cluster::Cluster;

/// Until a pod that had the address before is seen to be gone.
const GLANCE: Duration = Duration::from_millis(100);

/// How an agent's config-sync behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It says that the newest configuration is applied.
    Answers,
    /// What is sent to it vanishes, as behind a network that keeps the operator out.
    SwallowsPackets,
    /// It takes the connection and says nothing, as a program that hangs.
    SaysNothing,
}

/// Behaves for every pod of a namespace until it is dropped.
pub struct ConfigSyncs {
    task: JoinHandle<()>,
}

impl ConfigSyncs {
    /// By the name of the instance.
    pub fn of(cluster: &Cluster, manner: impl Fn(&str) -> Manner + Send + 'static) -> Self {
        Self { task: tokio::spawn(serve_pods(cluster.clone(), manner)) }
    }
}

impl Drop for ConfigSyncs {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve_pods(cluster: Cluster, manner: impl Fn(&str) -> Manner) {
    let mut events = watcher(cluster.pods(), watcher::Config::default()).boxed();
    let mut servers = JoinSet::new();
    let mut serving: BTreeMap<String, (IpAddr, AbortHandle)> = BTreeMap::new();
    while let Some(event) = events.next().await {
        let (pod, is_gone) = match event.expect("the API server is there") {
            Event::Apply(pod) | Event::InitApply(pod) => (pod, false),
            Event::Delete(pod) => (pod, true),
            Event::Init | Event::InitDone => continue,
        };
        let uid = pod.metadata.uid.expect("a uid");
        if is_gone {
            if let Some((_, server)) = serving.remove(&uid) {
                server.abort();
            }
            continue;
        }
        let labels = pod.metadata.labels.unwrap_or_default();
        let instance = labels.get("app.kubernetes.io/instance");
        let address = pod.data["status"]["podIP"].as_str().map(|it| it.parse().expect("an IP"));
        let (Some(instance), Some(address)) = (instance, address) else { continue };
        if serving.contains_key(&uid) {
            continue;
        }
        assert!(
            IpAddr::is_loopback(&address),
            "pod {instance}-0 is not of this machine: {address}"
        );
        let server = serve(cluster.clone(), instance.clone(), address, manner(instance));
        serving.insert(uid, (address, servers.spawn(server)));
    }
}

async fn serve(cluster: Cluster, instance: String, address: IpAddr, manner: Manner) {
    let port = u16::try_from(ports::CONFIG_SYNC).expect("a port");
    let address = SocketAddr::new(address, port);
    // Of connections that nobody takes.
    let backlog = if manner == Manner::SwallowsPackets { 0 } else { 128 };
    let listener = loop {
        match listen(address, backlog) {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(GLANCE).await,
        }
    };
    match manner {
        Manner::Answers => answer_all(listener, Arc::new((cluster, instance))).await,
        Manner::SwallowsPackets => {
            // The kernel drops what comes when nobody takes the connections that are there.
            let _one = TcpStream::connect(address).await.expect("the first one gets in");
            std::future::pending::<()>().await;
        }
        Manner::SaysNothing => {
            let mut taken = Vec::new();
            while let Ok(connection) = listener.accept().await {
                taken.push(connection);
            }
        }
    }
}

fn listen(address: SocketAddr, backlog: u32) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

async fn answer_all(listener: TcpListener, of: Arc<(Cluster, String)>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let of = Arc::clone(&of);
        let service = service_fn(move |_: Request<hyper::body::Incoming>| {
            let of = Arc::clone(&of);
            async move { Ok::<_, Infallible>(status(&of.0, &of.1).await) }
        });
        connections.spawn(async move {
            // Whoever asks may have gone.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// What config-sync says that has just applied what the operator rendered.
async fn status(cluster: &Cluster, instance: &str) -> Response<Full<Bytes>> {
    let config = cluster.get(Kind::ConfigMap, &format!("{instance}-config")).await;
    let content = config.as_ref().and_then(|map| map["data"]["openclaw.json"].as_str());
    let hash = content.map(|content| content_hash(content.as_bytes()));
    let status = SyncStatus {
        protocol: POD_PROTOCOL,
        source_hash: hash.clone(),
        applied_hash: hash,
        ..SyncStatus::default()
    };
    Response::new(Full::new(Bytes::from(serde_json::to_vec(&status).expect("JSON"))))
}
