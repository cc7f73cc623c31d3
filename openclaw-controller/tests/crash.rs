//! Wherever the operator is killed, the next one leads to the same end.
//!
//! In every scene it is killed after its first write, in another run after its second, and so on
//! until it comes to rest unharmed. The write has reached the API server, its answer has not reached
//! the operator.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets nothing there fails"
)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use openclaw_render::Kind;
use serde_json::json;
use support::cluster::{Cluster, condition_of};
use support::dump;
use support::ends::{End, assert_same, end};
use support::fixtures::{self, Fixture};
use support::operator::Operator;
use support::pods::Pods;
use support::proxy::Proxy;
use support::rest::at_rest;

/// Runs of a scene that are under way at the same time, each in a namespace of its own.
const ABREAST: usize = 3;

/// Something that happens, after which the operator is killed.
#[derive(Clone, Copy, Debug)]
enum Scene {
    /// A user creates an instance that uses much.
    Create,
    /// A user changes the environment and the configuration, and turns off two objects.
    Change,
    /// The operator takes over from the Go operator.
    Adopt,
    /// The user approves the roll-out of what was taken over.
    Approve,
    /// A user deletes an instance that the Go operator left, and whose volume is still tied to it.
    Delete,
    /// A user deletes an instance whose volume goes with it.
    DeleteWithVolume,
}

/// How a run ended.
struct Run {
    end: End,
    pods: usize,
    killed: bool,
    /// Every write, for whoever looks for what went wrong.
    writes: Vec<String>,
}

impl Scene {
    fn instance(self) -> &'static str {
        match self {
            Self::Adopt | Self::Approve | Self::Delete => "plain",
            Self::Create | Self::Change | Self::DeleteWithVolume => "ada",
        }
    }

    /// Until the scene begins: everything before, with an operator that is left alone.
    async fn prepare(self, cluster: &Cluster, proxy: &Proxy) -> Option<Operator> {
        match self {
            Self::Create => return None,
            Self::Adopt | Self::Approve | Self::Delete => {
                dump::restore(cluster, "0.38.3", self.instance()).await;
            }
            Self::Change | Self::DeleteWithVolume => {
                let mut instance = Fixture::named("minimal").instance().clone();
                let orphan = !matches!(self, Self::DeleteWithVolume);
                instance["spec"]["storage"] = json!({"persistence": {"orphan": orphan}});
                cluster.apply(&instance).await.expect("the instance is taken");
            }
        }
        if matches!(self, Self::Adopt | Self::Delete) {
            return None;
        }
        let operator = Operator::with(cluster, Some(proxy.address()), &[]).await;
        if matches!(self, Self::Approve) {
            cluster.until_condition(self.instance(), "RolloutPending", "True").await;
        } else {
            cluster.until_ready(self.instance()).await;
        }
        Some(operator)
    }

    async fn begin(self, cluster: &Cluster) {
        match self {
            Self::Create => {
                for object in fixtures::rich() {
                    cluster.apply(&object).await.expect("the object is taken");
                }
            }
            Self::Change => {
                cluster.merge_instance("ada", &fixtures::change()).await;
            }
            Self::Adopt => {}
            Self::Approve => cluster.approve_rollout(self.instance()).await,
            Self::Delete | Self::DeleteWithVolume => cluster.delete_instance(self.instance()).await,
        }
    }

    /// Waits until nothing is left to be done, for the operator and for Kubernetes.
    async fn finish(self, cluster: &Cluster, operator: &Operator, proxy: &Proxy) {
        let name = self.instance();
        let held = async |status: &str| {
            let live = cluster.instance(name).await.unwrap_or_default();
            let pending = condition_of(&live, "RolloutPending");
            pending.map_or(status == "False", |pending| pending["status"] == status)
        };
        let ready = async || {
            let live = cluster.instance(name).await.unwrap_or_default();
            condition_of(&live, "Ready").is_some_and(|ready| ready["status"] == "True")
        };
        let gone = async |volume: bool| {
            let left: Vec<Kind> =
                cluster.objects().await.into_iter().map(|(key, _)| key.kind).collect();
            left.iter().all(|kind| volume && *kind == Kind::PersistentVolumeClaim)
                && cluster.instance(name).await.is_none()
                && cluster.pod(&format!("{name}-0")).await.is_none()
        };
        cluster
            .until(&format!("{self:?} is finished"), async || {
                at_rest(cluster, operator, proxy, name).await;
                match self {
                    Self::Create | Self::Change => ready().await,
                    Self::Adopt => held("True").await,
                    Self::Approve => held("False").await && ready().await,
                    Self::Delete => gone(true).await,
                    Self::DeleteWithVolume => gone(false).await,
                }
            })
            .await;
    }

    /// Plays it, with a kill after that many writes or without.
    async fn play(self, kill_after: Option<usize>) -> Run {
        let cluster = Cluster::namespace("crash").await;
        let proxy = Proxy::counting(&cluster).await;
        let operator = self.prepare(&cluster, &proxy).await;
        let pods = Pods::watch(&cluster);
        proxy.stop_after_write(kill_after);
        self.begin(&cluster).await;
        let start = async || Operator::with(&cluster, Some(proxy.address()), &[]).await;
        let mut operator = match operator {
            Some(operator) => operator,
            None => start().await,
        };
        let killed = tokio::select! {
            biased;
            () = proxy.stopped() => true,
            () = self.finish(&cluster, &operator, &proxy) => false,
        };
        if killed {
            operator.kill();
            proxy.stop_after_write(None);
            operator = start().await;
            self.finish(&cluster, &operator, &proxy).await;
        }
        let end = end(&cluster, self.instance()).await;
        let writes = proxy.writes().iter().map(|it| format!("{} {}", it.method, it.path)).collect();
        operator.kill();
        cluster.abandon(self.instance()).await;
        Run { end, pods: pods.count(), killed, writes }
    }

    /// The law of this file.
    async fn check(self) {
        let unharmed = self.play(None).await;
        let survived = AtomicBool::new(false);
        let kills = (1..).take_while(|_| !survived.load(Ordering::Relaxed));
        let runs = futures::stream::iter(kills).map(async |write| {
            let run = self.play(Some(write)).await;
            if !run.killed {
                survived.store(true, Ordering::Relaxed);
            }
            let what = format!("{self:?}, killed after write {write}");
            assert_same(&run.end, &unharmed.end, &what);
            assert_eq!(run.pods, unharmed.pods, "{what}: pods, {:#?}", run.writes);
            run.killed
        });
        let kills =
            runs.buffered(ABREAST).filter(|killed| std::future::ready(*killed)).count().await;
        assert!(kills > 0, "{self:?}: the operator wrote nothing");
    }
}

#[tokio::test]
async fn a_kill_while_an_instance_is_created_changes_nothing() {
    Scene::Create.check().await;
}

#[tokio::test]
async fn a_kill_while_an_instance_is_changed_changes_nothing() {
    Scene::Change.check().await;
}

#[tokio::test]
async fn a_kill_while_an_agent_is_adopted_changes_nothing() {
    Scene::Adopt.check().await;
}

#[tokio::test]
async fn a_kill_while_an_approved_roll_out_is_under_way_changes_nothing() {
    Scene::Approve.check().await;
}

#[tokio::test]
async fn a_kill_while_an_inherited_instance_is_deleted_keeps_its_volume() {
    Scene::Delete.check().await;
}

#[tokio::test]
async fn a_kill_while_an_instance_is_deleted_takes_the_volume_that_goes_with_it() {
    Scene::DeleteWithVolume.check().await;
}
