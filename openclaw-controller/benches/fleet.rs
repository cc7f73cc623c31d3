//! What a fleet costs: the operator, next to a bare loop that applies the same objects with the
//! same concurrency and waits for the same StatefulSets. Run by `scripts/bench fleet N`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on says so by failing"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use openclaw_render::Kind;
use openclaw_render::vocab::FIELD_MANAGER;
use serde_json::{Value, json};
use support::cluster::Cluster;
use support::fixtures::Fixture;
use support::operator::Operator;

/// Instances that the operator works on at the same time, see `--workers`.
const WORKERS: usize = 8;
/// Long after the last agent is ready.
const PATIENCE: Duration = Duration::from_mins(30);

/// Ratios and counts that must hold. Seconds would say more of the machine than of the operator.
const MOST_TIMES_BARE: f64 = 1.3;
const MOST_REQUESTS: f64 = 26.0;
/// For two hundred agents; for more, no more than as many times.
const MOST_MEGABYTES: f64 = 30.0;
const FOR_AGENTS: f64 = 200.0;

fn agent(number: usize) -> Fixture {
    let mut fixture = Fixture::named("minimal");
    for document in &mut fixture.documents {
        document["metadata"] = json!({"name": format!("agent-{number}")});
    }
    fixture
}

/// Applies everything, `WORKERS` agents at a time, and waits for the pods.
async fn bare(agents: usize) -> f64 {
    let cluster = Cluster::namespace("bare").await;
    let began = Instant::now();
    stream::iter(0..agents)
        .for_each_concurrent(WORKERS, |number| {
            let cluster = cluster.clone();
            async move {
                for object in agent(number).in_namespace(&cluster.namespace).render().0 {
                    let parameters = PatchParams::apply(FIELD_MANAGER).force();
                    cluster
                        .of(object.kind())
                        .patch(object.name(), &parameters, &Patch::Apply(object.to_value()))
                        .await
                        .expect("the object is taken");
                }
            }
        })
        .await;
    let ready = |set: &DynamicObject| set.data["status"]["readyReplicas"] == 1;
    until(cluster.of(Kind::StatefulSet), agents, ready).await;
    let took = began.elapsed().as_secs_f64();
    remove(cluster).await;
    took
}

/// Waits until so many objects are as they should be. By a watch: lists of a fleet, asked for again
/// and again, would be a load of their own.
async fn until(api: Api<DynamicObject>, number: usize, holds: impl Fn(&DynamicObject) -> bool) {
    let mut done = BTreeSet::new();
    let mut changes = watcher(api, watcher::Config::default()).applied_objects().boxed();
    let all = async {
        while done.len() < number {
            let object = changes.next().await.expect("it goes on").expect("a change");
            if holds(&object) {
                done.insert(object.metadata.name);
            } else {
                done.remove(&object.metadata.name);
            }
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, all).await;
    assert!(in_time.is_ok(), "only {} of {number} are ready", done.len());
}

async fn remove(cluster: Cluster) {
    let namespaces = cluster.everywhere("v1", "Namespace", "namespaces");
    let name = cluster.namespace.clone();
    cluster.clone().end().await;
    cluster
        .until_within(PATIENCE, "the namespace is gone", async || {
            namespaces.get_opt(&name).await.expect("an answer").is_none()
        })
        .await;
}

struct Cost {
    seconds: f64,
    /// Requests to the API server by verb and resource, watches and the Lease aside.
    requests: BTreeMap<String, usize>,
    passes: f64,
    cpu_seconds: f64,
    megabytes: f64,
}

async fn operated(agents: usize) -> Cost {
    let cluster = Cluster::namespace("operated").await;
    let mut operator = Operator::start(&cluster).await;
    operator.until_synced().await;
    let skip = audited().len();
    let began = Instant::now();
    stream::iter(0..agents)
        .for_each_concurrent(WORKERS, |number| {
            let cluster = cluster.clone();
            async move {
                cluster.apply(agent(number).instance()).await.expect("the instance is taken");
            }
        })
        .await;
    let ready = |instance: &DynamicObject| instance.data["status"]["phase"] == "Running";
    until(cluster.instances(), agents, ready).await;
    let seconds = began.elapsed().as_secs_f64();
    let passes = operator.metric("openclaw_reconcile_total").await;
    let (cpu_seconds, megabytes) = (operator.cpu_seconds(), operator.peak_megabytes());
    let mut requests = BTreeMap::new();
    for request in audited().into_iter().skip(skip) {
        *requests.entry(request).or_default() += 1;
    }
    // While the operator runs: it lets the instances go.
    remove(cluster).await;
    operator.stop();
    Cost { seconds, requests, passes, cpu_seconds, megabytes }
}

/// Verb and resource of every request of the operator's so far, watches and the Lease aside.
fn audited() -> Vec<String> {
    let path = std::env::var("OPENCLAW_AUDIT_LOG").expect("scripts/bench sets it");
    let text = std::fs::read_to_string(path).expect("the audit log is read");
    let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    entries
        .filter(|entry| {
            let user = entry["user"]["username"].as_str().unwrap_or_default();
            user.ends_with(":openclaw-operator")
                && entry["stage"] == "ResponseComplete"
                && entry["verb"] != "watch"
                && entry["objectRef"]["resource"] != "leases"
        })
        .map(|entry| {
            let part = |pointer| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let (resource, subresource) =
                (part("/objectRef/resource"), part("/objectRef/subresource"));
            format!("{} {resource} {subresource}", part("/verb")).trim_end().to_owned()
        })
        .collect()
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("few enough"))
}

#[tokio::main]
async fn main() {
    // Cargo adds flags of its own.
    let agents = std::env::args().skip(1).find_map(|each| each.parse::<usize>().ok());
    let agents = agents.expect("scripts/bench fleet N");
    let bare = bare(agents).await;
    let Cost { seconds, requests, passes, cpu_seconds, megabytes } = operated(agents).await;
    let each = count(requests.values().sum()) / count(agents);
    println!("agents                     {agents}");
    println!("bare loop, s               {bare:.1}");
    println!("operator, s                {seconds:.1}");
    println!("operator / bare loop       {:.2}", seconds / bare);
    println!("requests per agent         {each:.1}");
    for (request, times) in &requests {
        println!("  {request:<40} {:5.2}", count(*times) / count(agents));
    }
    println!("passes per agent           {:.1}", passes / count(agents));
    println!("CPU of the operator, s     {cpu_seconds:.1}");
    println!("peak memory, MB            {megabytes:.0}");
    let mut missed = Vec::new();
    for (what, is, most) in [
        ("operator / bare loop", seconds / bare, MOST_TIMES_BARE),
        ("requests per agent", each, MOST_REQUESTS),
        ("peak memory, MB", megabytes, MOST_MEGABYTES * (count(agents) / FOR_AGENTS).max(1.0)),
    ] {
        if is > most {
            missed.push(format!("{what}: {is:.2} is more than {most}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("; "));
}
