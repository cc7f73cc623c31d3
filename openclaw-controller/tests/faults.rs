//! An API server that fails, and a network that breaks: late, but the same end.
//!
//! What fails is chance. A failed test prints its seed; `OPENCLAW_SEED` repeats the choices, though
//! not the order in which the operator's requests come.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets nothing there fails"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kube::api::DeleteParams;
use openclaw_render::Kind;
use serde_json::{Value, json};
use support::cluster::{Cluster, condition_of};
use support::ends::{End, assert_same, end};
use support::fixtures::{self, Fixture};
use support::operator::Operator;
use support::pods::Pods;
use support::proxy::{Fate, Proxy, Seen};
use support::random::{Random, seed};
use support::rest::at_rest;

/// Stories with faults, side by side.
const STORIES: u64 = 4;
/// Faults in each act of a story, at most.
const FAULTS: u64 = 40;
/// How long an act is disturbed, at most.
const DISTURBED: Duration = Duration::from_secs(8);
/// After the last fault, everything must be well. The operator waits up to a minute before it asks a
/// server again that has failed many times in a row.
const RECOVERY: Duration = Duration::from_secs(75);
const GLANCE: Duration = Duration::from_millis(100);

/// What a user does, one after the other.
#[derive(Clone, Copy, Debug)]
enum Act {
    Create,
    Change,
    Delete,
}

const ACTS: [Act; 3] = [Act::Create, Act::Change, Act::Delete];

/// What an act left.
struct Outcome {
    end: End,
    pods: usize,
    volume: Option<Value>,
}

impl Act {
    async fn begin(self, cluster: &Cluster) {
        match self {
            Self::Create => {
                for object in fixtures::rich() {
                    cluster.apply(&object).await.expect("the object is taken");
                }
            }
            Self::Change => cluster.merge_instance("ada", &fixtures::change()).await,
            Self::Delete => cluster.delete_instance("ada").await,
        }
    }
}

async fn outcome(cluster: &Cluster, pods: &Pods) -> Outcome {
    let volume = cluster.get(Kind::PersistentVolumeClaim, "ada-data").await;
    Outcome {
        end: end(cluster, "ada").await,
        pods: pods.count(),
        volume: volume.map(|claim| claim["metadata"]["uid"].clone()),
    }
}

/// What should happen to a request, by chance.
fn fate(random: &mut Random, seen: &Seen) -> Fate {
    let refused = [409, 429, 500, 503];
    let refused = if seen.method == "GET" { &refused[1..] } else { &refused[..] };
    let refuse = |random: &mut Random| {
        let count = u64::try_from(refused.len()).expect("few");
        Fate::Refuse(refused[usize::try_from(random.below(count)).expect("an index")])
    };
    match random.below(100) {
        0..15 => refuse(random),
        15..25 => Fate::LoseAnswer,
        25..30 => Fate::Ignore(Duration::from_millis(100 + random.below(900))),
        30..60 if seen.is_watch() => Fate::CutAfter(usize::try_from(random.below(4)).expect("few")),
        60..70 if seen.is_watch() => Fate::Gone,
        _ => Fate::Pass,
    }
}

/// Lets requests fail from now on. The number of faults so far.
fn disturb(proxy: &Proxy, mut random: Random) -> Arc<AtomicU64> {
    let faults = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&faults);
    proxy.decide(move |seen| {
        if counted.load(Ordering::Relaxed) >= FAULTS {
            return Fate::Pass;
        }
        let fate = fate(&mut random, seen);
        counted.fetch_add(u64::from(fate != Fate::Pass), Ordering::Relaxed);
        fate
    });
    faults
}

/// Waits until there were enough faults, and ends them.
async fn appease(proxy: &Proxy, faults: &AtomicU64) {
    let began = Instant::now();
    while faults.load(Ordering::Relaxed) < FAULTS && began.elapsed() < DISTURBED {
        tokio::time::sleep(GLANCE).await;
    }
    proxy.decide(|_| Fate::Pass);
}

/// The story, undisturbed.
async fn calm() -> Vec<Outcome> {
    let cluster = Cluster::namespace("calm").await;
    let proxy = Proxy::counting(&cluster).await;
    let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    let pods = Pods::watch(&cluster);
    let mut outcomes = Vec::new();
    for act in ACTS {
        act.begin(&cluster).await;
        match act {
            Act::Create | Act::Change => {
                at_rest(&cluster, &operator, &proxy, "ada").await;
                cluster.until_ready("ada").await;
            }
            Act::Delete => {
                cluster.until_gone("ada").await;
                cluster
                    // The claim, and what the user made.
                    .until("all else is gone", async || cluster.objects().await.len() == 3)
                    .await;
            }
        }
        at_rest(&cluster, &operator, &proxy, "ada").await;
        outcomes.push(outcome(&cluster, &pods).await);
    }
    cluster.end().await;
    outcomes
}

/// The story, disturbed. Each act is over when everything is as it is without faults.
async fn stormy(seed: u64, calm: &[Outcome]) {
    let mut random = Random::new(seed);
    let cluster = Cluster::namespace("storm").await;
    let proxy = Proxy::counting(&cluster).await;
    let pods = Pods::watch(&cluster);
    let mut operator = None;
    let mut volume = None;
    for (act, calm) in ACTS.iter().zip(calm) {
        let faults = disturb(&proxy, Random::new(random.next()));
        act.begin(&cluster).await;
        if operator.is_none() {
            operator = Some(Operator::with(&cluster, Some(proxy.address()), &[]).await);
        }
        let running = operator.as_ref().expect("it was started");
        appease(&proxy, &faults).await;
        let began = Instant::now();
        let found = loop {
            at_rest(&cluster, running, &proxy, "ada").await;
            let found = outcome(&cluster, &pods).await;
            if found.end == calm.end || began.elapsed() > RECOVERY {
                break found;
            }
        };
        let what = format!("{act:?}, seed {seed}");
        assert_same(&found.end, &calm.end, &what);
        assert_eq!(found.pods, calm.pods, "{what}: pods");
        assert!(found.volume.is_some(), "{what}: the volume is lost");
        assert_eq!(*volume.get_or_insert_with(|| found.volume.clone()), found.volume, "{what}");
    }
    cluster.end().await;
}

#[tokio::test]
async fn a_story_with_faults_ends_as_without() {
    let seed = seed();
    eprintln!("OPENCLAW_SEED={seed}");
    let calm = calm().await;
    let mut random = Random::new(seed);
    let stories = (0..STORIES).map(|_| stormy(random.next(), &calm));
    futures::future::join_all(stories).await;
}

/// An instance that is at rest, and everything around it.
struct Stage {
    cluster: Cluster,
    proxy: Proxy,
    operator: Operator,
    end: End,
}

impl Stage {
    async fn set(purpose: &str) -> Self {
        let cluster = Cluster::namespace(purpose).await;
        let proxy = Proxy::counting(&cluster).await;
        let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
        for object in fixtures::rich() {
            cluster.apply(&object).await.expect("the object is taken");
        }
        cluster.until_ready("ada").await;
        at_rest(&cluster, &operator, &proxy, "ada").await;
        let end = end(&cluster, "ada").await;
        Self { cluster, proxy, operator, end }
    }

    /// Somebody changes what the operator owns, and deletes some of it.
    async fn disarrange(&self) {
        let cluster = &self.cluster;
        let selector = json!({"spec": {"selector": {"app.kubernetes.io/instance": "bob"}}});
        cluster.merge(Kind::Service, "ada", &selector).await;
        let budget = json!({"spec": {"maxUnavailable": 0}});
        cluster.merge(Kind::PodDisruptionBudget, "ada", &budget).await;
        cluster
            .merge(Kind::ConfigMap, "ada-config", &json!({"data": {"openclaw.json": "{}"}}))
            .await;
        cluster.delete(Kind::NetworkPolicy, "ada").await;
        cluster.delete(Kind::ConfigMap, "ada-workspace").await;
    }

    async fn strike(self) {
        drop(self.operator);
        self.cluster.abandon("ada").await;
    }

    async fn is_healed(&self) {
        let began = Instant::now();
        let found = loop {
            at_rest(&self.cluster, &self.operator, &self.proxy, "ada").await;
            let found = end(&self.cluster, "ada").await;
            if found == self.end || began.elapsed() > RECOVERY {
                break found;
            }
        };
        assert_same(&found, &self.end, "after the gap");
    }
}

#[tokio::test]
async fn what_changes_while_all_watches_are_cut_is_healed() {
    let stage = Stage::set("cut").await;
    stage.proxy.decide(|seen| if seen.is_watch() { Fate::Refuse(503) } else { Fate::Pass });
    stage.proxy.cut();
    stage.disarrange().await;
    stage.proxy.decide(|_| Fate::Pass);
    stage.is_healed().await;
    stage.strike().await;
}

#[tokio::test]
async fn what_changes_while_all_watches_are_too_old_is_listed_and_healed() {
    let stage = Stage::set("gone").await;
    stage.proxy.clear();
    stage.proxy.decide(|seen| if seen.is_watch() { Fate::Gone } else { Fate::Pass });
    stage.proxy.cut();
    stage.disarrange().await;
    let watched = |seen: &Seen| seen.query.contains("limit=");
    let kinds = Kind::ALL.iter().filter(|kind| kind.project().is_none()).count();
    stage
        .cluster
        .until("everything is listed again", async || {
            stage.proxy.seen().iter().filter(|seen| watched(seen)).count() >= kinds
        })
        .await;
    stage.proxy.decide(|_| Fate::Pass);
    stage.is_healed().await;
    stage.strike().await;
}

/// A quota of the namespace, which users of a cluster do not write.
fn quota() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-policies"},
        "spec": {"hard": {"count/networkpolicies.networking.k8s.io": "0"}},
    })
}

#[tokio::test]
async fn no_pod_is_made_while_the_api_server_refuses_the_policy_that_it_asks_for() {
    let cluster = Cluster::namespace("quota").await;
    let quotas = cluster.api("v1", "ResourceQuota", "resourcequotas");
    cluster.apply(&quota()).await.expect("the quota is taken");
    cluster
        .until("the quota counts", async || {
            let live = cluster.find("v1", "ResourceQuota", "resourcequotas", "no-policies").await;
            live.is_some_and(|live| live["status"]["hard"].is_object())
        })
        .await;
    let proxy = Proxy::counting(&cluster).await;
    let _operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    cluster.apply(Fixture::named("minimal").instance()).await.expect("the instance is taken");
    cluster
        .until("what is waited for is told", async || {
            let live = cluster.instance("ada").await.expect("there");
            let waiting = "StatefulSet/ada waits for NetworkPolicy/ada (could not be written)";
            condition_of(&live, "StatefulSetReady").is_some_and(|it| it["message"] == waiting)
        })
        .await;
    let live = cluster.instance("ada").await.expect("there");
    let policy = condition_of(&live, "NetworkPolicyReady").expect("it is told");
    assert_eq!(policy["reason"], "ApplyRefused");
    assert!(policy["message"].as_str().is_some_and(|said| said.contains("quota")), "{policy}");
    assert!(cluster.get(Kind::NetworkPolicy, "ada").await.is_none());
    let sent = |seen: &Seen| seen.is_write() && seen.path.ends_with("/statefulsets/ada");
    assert!(!proxy.seen().iter().any(sent), "the StatefulSet was sent");
    quotas.delete("no-policies", &DeleteParams::default()).await.expect("the quota goes");
    cluster.until_ready("ada").await;
    assert!(cluster.get(Kind::NetworkPolicy, "ada").await.is_some());
    cluster.end().await;
}

/// The deadline of a call is 20 s.
#[tokio::test]
async fn a_call_that_nobody_answers_is_given_up_and_made_again() {
    let cluster = Cluster::namespace("silent").await;
    let proxy = Proxy::counting(&cluster).await;
    let mut silent = true;
    proxy.decide(move |seen| {
        let chosen = seen.is_write() && seen.path.ends_with("/configmaps/ada-config");
        if chosen && std::mem::take(&mut silent) {
            Fate::Ignore(Duration::from_mins(5))
        } else {
            Fate::Pass
        }
    });
    let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    for object in fixtures::rich() {
        cluster.apply(&object).await.expect("the object is taken");
    }
    cluster.until_ready("ada").await;
    at_rest(&cluster, &operator, &proxy, "ada").await;
    drop(operator);
    cluster.abandon("ada").await;
}
