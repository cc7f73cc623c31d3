//! The whole process: start, act while the Lease is held, stop.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_all;
use kube::runtime::events::{Recorder, Reporter};
use kube::{Client, Config as ClientConfig};
use openclaw_render::pacing::CauseKind;
use openclaw_render::vocab::FIELD_MANAGER;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::answer::Reader;
use crate::cluster::Cluster;
use crate::config_sync::ConfigSyncClient;
use crate::context::Context;
use crate::github::GitHub;
use crate::http::{self, ServeError};
use crate::leader::{Leader, Lost};
use crate::metrics::{Metrics, Now};
use crate::otlp::Pusher;
use crate::queue::Queue;
use crate::registry::RegistryClient;
use crate::settings::Settings;
use crate::turns::Turns;
use crate::watches::{Synced, Watches};
use crate::workers::work;

/// Passes mostly wait for the API server: more threads would only cost memory.
pub(crate) const THREADS: usize = 2;
/// Passes that are under way when the process is told to stop may take so long. With what it takes
/// to let go of the Lease, it is well within the chart's `terminationGracePeriodSeconds`.
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
    let stop = on_signal()?;
    let configuration = ClientConfig::infer().await.map_err(RunError::Configuration)?;
    let client = Client::try_from(configuration).map_err(RunError::Client)?;
    let identity = settings.identity.clone().unwrap_or_else(host_name);

    let github = GitHub::new(&settings.skill_pack_api, settings.skill_pack_token());

    let (watches, context) = assemble(&settings, &client, &identity);
    let synced = Arc::clone(&watches.synced);
    let mut servers = serve(&settings, &context, &synced, &stop);
    let mut watching = watches.start(&settings.scopes());

    let mut leader =
        settings.leader_elect.then(|| Leader::new(client, &settings.operator_namespace, identity));
    let mut failed = std::pin::pin!(async {
        tokio::select! {
            Some(server) = servers.join_next() => match server {
                Ok(Err(failed)) => RunError::Serve(failed),
                // It stops with the process.
                Ok(Ok(())) | Err(_) => std::future::pending().await,
            },
            _ = watching.join_next() => RunError::Watch,
        }
    });
    if let Some(leader) = &mut leader {
        tokio::select! {
            () = leader.acquire() => {}
            () = stopped(stop.clone()) => return Ok(()),
            failed = &mut failed => return Err(failed),
        }
    }
    // From here to its end the Lease is held, and nothing goes on that has lost it.
    tokio::select! {
        biased;
        lost = hold(leader.as_mut()) => return Err(RunError::Lease(lost)),
        result = lead(context, &github, &synced, stop, failed) => result?,
    }
    if let Some(leader) = &mut leader {
        leader.release().await;
    }
    Ok(())
}

/// Returns what reads the cluster and what acts on it.
fn assemble(settings: &Settings, client: &Client, identity: &str) -> (Watches, Arc<Context>) {
    let reader = Reader::new(client.clone());
    let reporter =
        Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(identity.to_owned()) };
    let context = Arc::new(Context {
        cluster: Cluster::new(reader.clone()),
        cache: Arc::default(),
        queue: Arc::new(Queue::new(settings.workers)),
        metrics: Arc::new(Metrics::new()),
        questions: Arc::default(),
        registries: Arc::default(),
        packs: Arc::default(),
        turns: Arc::new(Turns::new(settings.pacing())),
        shared_storage: Arc::default(),
        recorder: Recorder::new(client.clone(), reporter),
        instances: Arc::default(),
        agents: Arc::default(),
        requests: Arc::default(),
        settings: settings.render(),
    });
    (Watches { reader, context: Arc::clone(&context), synced: Arc::default() }, context)
}

/// Returns what measures now what nobody counts.
fn measure(context: &Context) -> impl Fn() -> Now + Clone + Send + Sync + 'static {
    let (questions, cache) = (Arc::clone(&context.questions), Arc::clone(&context.cache));
    let (turns, queue) = (Arc::clone(&context.turns), Arc::clone(&context.queue));
    move || Now {
        queue_depth: queue.depth(),
        queue_oldest: queue.oldest(),
        config_syncs_silent: questions.unanswered(),
        cache_objects: cache.size(),
        rollouts: CauseKind::ALL.iter().map(|kind| (*kind, turns.waiting(*kind))).collect(),
    }
}

/// Starts the endpoints that are asked for, and what pushes.
fn serve(
    settings: &Settings,
    context: &Context,
    synced: &Arc<Synced>,
    stop: &watch::Receiver<bool>,
) -> JoinSet<Result<(), ServeError>> {
    let mut servers = JoinSet::new();
    if let Some(address) = settings.health_probe_bind_address.0 {
        let (queue, stop) = (Arc::clone(&context.queue), stopped(stop.clone()));
        servers.spawn(http::health(address, Arc::clone(synced), queue, stop));
    }
    let now = measure(context);
    if let Some(address) = settings.metrics_bind_address.0 {
        let metrics = Arc::clone(&context.metrics);
        servers.spawn(http::metrics(address, metrics, now.clone(), stopped(stop.clone())));
    }
    let otlp = settings.otlp().unwrap_or_else(|problem| {
        warn!(problem, "the address of the collector is wrong: no metrics are pushed");
        None
    });
    if let Some(pusher) = otlp.and_then(Pusher::new) {
        let metrics = Arc::clone(&context.metrics);
        servers.spawn(async move {
            pusher.push_all(&metrics, now).await;
            Ok(())
        });
    }
    servers
}

/// Acts as soon as every watch has delivered its first list, and until it is told to stop.
async fn lead(
    context: Arc<Context>,
    github: &GitHub,
    synced: &Synced,
    stop: watch::Receiver<bool>,
    failed: impl Future<Output = RunError>,
) -> Result<(), RunError> {
    let mut failed = std::pin::pin!(failed);
    tokio::select! {
        () = synced.wait() => {}
        () = stopped(stop.clone()) => return Ok(()),
        failed = &mut failed => return Err(failed),
    }
    context.metrics.leads(true);
    info!("acting");
    let client = ConfigSyncClient::new();
    let mut asking = std::pin::pin!(context.questions.put_all(&client, &context.queue));
    let registry = RegistryClient::new();
    let mut looking =
        std::pin::pin!(context.registries.look_all(&registry, &context.queue, &context.metrics));
    let mut fetching = std::pin::pin!(context.packs.fetch_all(github, &context.queue));
    let mut giving = std::pin::pin!(context.turns.give_all(&context.queue));
    let mut sharing = std::pin::pin!(context.shared_storage.keep_all(&context));
    let mut working = std::pin::pin!(work(Arc::clone(&context)));
    tokio::select! {
        () = &mut working => {}
        () = &mut asking => {}
        () = &mut looking => {}
        () = &mut fetching => {}
        () = &mut giving => {}
        () = &mut sharing => {}
        failed = &mut failed => return Err(failed),
        () = stopped(stop) => {}
    }
    info!("stopping: passes under way end first");
    context.queue.close();
    if tokio::time::timeout(STOP_DEADLINE, working).await.is_err() {
        warn!("stopping: passes that take too long are broken off");
    }
    Ok(())
}

async fn hold(leader: Option<&mut Leader>) -> Lost {
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::leader::RELEASE_DEADLINE;

    /// Whoever is killed before holds the Lease for a while, and nobody acts.
    #[test]
    fn the_chart_leaves_time_for_passes_under_way_to_end_and_for_the_lease() {
        let values = include_str!("../../charts/openclaw-operator/values.yaml");
        let values: Value = serde_saphyr::from_str(values).expect("YAML");
        let grace = values["terminationGracePeriodSeconds"].as_u64().expect("a number");
        assert!(STOP_DEADLINE + RELEASE_DEADLINE < Duration::from_secs(grace), "{grace} s");
    }
}
