//! The whole process: start, act while the Lease is held, stop.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, select_all};
use futures::{FutureExt, StreamExt};
use kube::api::DynamicObject;
use kube::runtime::controller::{Config, Error, applier};
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::Store;
use kube::{Client, Config as ClientConfig};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{debug, info};

use crate::answer::Reader;
use crate::cache::{Cache, InstanceKey};
use crate::cluster::Cluster;
use crate::context::{Context, Failures, Unreported};
use crate::http::{self, ServeError};
use crate::instance;
use crate::instances::Instances;
use crate::leader::{Leader, Lost};
use crate::metrics::Metrics;
use crate::observe::ConfigSyncClient;
use crate::queue::Queue;
use crate::settings::Settings;
use crate::watches::{Synced, Watches};

/// Passes mostly wait for the API server: more threads would only cost memory.
pub(crate) const THREADS: usize = 2;
/// What happens within it is one piece of news: an apply is followed by several events.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// Passes that are under way when the process is told to stop may take so long.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// Why the process failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// No threads.
    #[error("failed to start the runtime")]
    Runtime(#[source] std::io::Error),
    /// No signals.
    #[error("failed to listen to signals")]
    Signals(#[source] std::io::Error),
    /// No cluster.
    #[error("failed to find a cluster: set KUBECONFIG or run in a pod")]
    Configuration(#[source] kube::config::InferConfigError),
    /// No client.
    #[error("failed to make a client")]
    Client(#[source] kube::Error),
    /// A server.
    #[error("failed to serve")]
    Serve(#[source] ServeError),
    /// The Lease.
    #[error("stopped acting")]
    Lease(#[source] Lost),
    /// A task that should run for ever ended.
    #[error("a watch ended")]
    Watch,
}

pub(crate) async fn run(settings: Settings) -> Result<(), RunError> {
    let mut stop = on_signal()?;
    let configuration = ClientConfig::infer().await.map_err(RunError::Configuration)?;
    let client = Client::try_from(configuration).map_err(RunError::Client)?;
    let identity = settings.identity.clone().unwrap_or_else(host_name);

    let (cache, queue) = (Arc::<Cache>::default(), Arc::<Queue>::default());
    let (instances, synced) = (Arc::<Instances>::default(), Arc::<Synced>::default());
    let reader = Reader::new(client.clone());
    let metrics = Arc::new(Metrics::new());
    let watches = Watches {
        reader: reader.clone(),
        cache: Arc::clone(&cache),
        queue: Arc::clone(&queue),
        metrics: Arc::clone(&metrics),
        instances: Arc::clone(&instances),
        synced: Arc::clone(&synced),
    };
    let scopes = settings.scopes();
    let mut servers = JoinSet::new();
    if let Some(address) = settings.health_probe_bind_address.0 {
        servers.spawn(http::health(address, Arc::clone(&synced), stopped(stop.clone())));
    }
    if let Some(address) = settings.metrics_bind_address.0 {
        let (metrics, queue, cache) =
            (Arc::clone(&metrics), Arc::clone(&queue), Arc::clone(&cache));
        servers.spawn(http::metrics(address, metrics, queue, cache, stopped(stop.clone())));
    }
    let queues: Vec<_> = scopes.iter().map(|scope| queue.scope(scope.clone())).collect();
    let (stores, mut watching) = watches.start(scopes);
    let reporter =
        Reporter { controller: "openclaw-operator".to_owned(), instance: Some(identity.clone()) };
    let context = Arc::new(Context {
        cluster: Cluster::new(reader),
        cache,
        queue: Arc::clone(&queue),
        metrics: Arc::clone(&metrics),
        config_sync: ConfigSyncClient::new(),
        recorder: Recorder::new(client.clone(), reporter),
        instances,
        failures: Failures::default(),
        unreported: Unreported::default(),
        settings: settings.render(),
    });

    let mut leader =
        settings.leader_elect.then(|| Leader::new(client, &settings.operator_namespace, identity));
    let mut ended = std::pin::pin!(async {
        tokio::select! {
            Some(server) = servers.join_next() => match server {
                Ok(Err(failed)) => RunError::Serve(failed),
                // It stops with the process.
                Ok(Ok(())) | Err(_) => std::future::pending().await,
            },
            _ = watching.join_next() => RunError::Watch,
        }
    });
    let prepared = async {
        if let Some(leader) = &mut leader {
            leader.acquire().await;
        }
        synced.wait().await;
    };
    tokio::select! {
        () = prepared => {}
        () = stopped(stop.clone()) => return Ok(()),
        failed = &mut ended => return Err(failed),
    }
    metrics.leads(true);
    info!("acting");

    let mut acting = std::pin::pin!(act(stores, queues, context, settings.workers));
    let result = tokio::select! {
        () = &mut acting => Ok(()),
        lost = hold(&mut leader) => return Err(RunError::Lease(lost)),
        failed = &mut ended => return Err(failed),
        _ = stop.changed() => Ok(()),
    };
    info!("stopping: passes under way end first");
    queue.close();
    // The Lease is kept as long as anything is under way.
    tokio::select! {
        _ = tokio::time::timeout(STOP_DEADLINE, acting) => {}
        lost = hold(&mut leader) => return Err(RunError::Lease(lost)),
    }
    if let Some(leader) = &mut leader {
        leader.release().await;
    }
    result
}

/// Passes over all instances, until nobody can wake them any more.
async fn act(
    stores: Vec<Store<DynamicObject>>,
    queues: Vec<impl futures::Stream<Item = crate::queue::Request> + Send + 'static>,
    context: Arc<Context>,
    workers: u16,
) {
    let config = || Config::default().concurrency(workers).debounce(DEBOUNCE);
    join_all(stores.into_iter().zip(queues).map(|(store, queue)| {
        applier(
            |object, context| instance::reconcile(object, context).boxed(),
            |object, error, context| instance::retry(&object, error, &context),
            Arc::clone(&context),
            store,
            queue.map(Ok::<_, std::convert::Infallible>),
            config(),
        )
        .for_each(|result| {
            // Failures are logged where they are classed.
            if let Err(error) = result {
                debug!(%error, "a pass ended");
                // What an instance leaves wakes it once more: it does not wait for ever.
                if let Error::ObjectNotFound(gone) = error {
                    context.queue.started(&InstanceKey {
                        namespace: gone.namespace.unwrap_or_default(),
                        name: gone.name,
                    });
                }
            }
            std::future::ready(())
        })
    }))
    .await;
}

async fn hold(leader: &mut Option<Leader>) -> Lost {
    match leader {
        Some(leader) => leader.hold().await,
        None => std::future::pending().await,
    }
}

/// Turns true when the process is told to stop.
fn on_signal() -> Result<watch::Receiver<bool>, RunError> {
    let mut signals = Vec::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        signals.push(signal(kind).map_err(RunError::Signals)?);
    }
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let _ = select_all(signals.iter_mut().map(|each| each.recv().boxed())).await;
        sender.send_replace(true);
        // A dropped sender would look like a signal.
        std::future::pending::<()>().await;
    });
    Ok(receiver)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // The sender lives as long as the process.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// In a pod, the pod's name.
fn host_name() -> String {
    hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_default()
}
