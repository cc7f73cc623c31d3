//! What goes with an instance and what outlives it.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

mod support;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use openclaw_render::Kind;
use serde_json::{Value, json};
use support::backups::{SECRET, ended_well, job, secret};
use support::cluster::Cluster;
use support::fixtures::Fixture;
use support::operator::Operator;
use support::proxy::{Fate, Proxy, Seen};
use support::rest::at_rest;

fn with_persistence(persistence: &Value) -> Value {
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["spec"]["storage"] = json!({"persistence": persistence});
    instance
}

fn claim(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    })
}

/// Names of what is left when the instance is gone and Kubernetes has cleaned up.
async fn left_after_deletion(persistence: Value) -> Vec<String> {
    let cluster = Cluster::namespace("deletion").await;
    let _operator = Operator::start(&cluster).await;
    if let Some(name) = persistence.get("existingClaim").and_then(Value::as_str) {
        cluster.apply(&claim(name)).await.expect("the claim is taken");
    }
    cluster.apply(&with_persistence(&persistence)).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    let before = cluster.objects().await;
    cluster.delete_instance("ada").await;
    cluster.until_gone("ada").await;
    cluster
        .until("what the instance owned is gone", async || {
            let owned = |live: &Value| live["metadata"].get("ownerReferences").is_some();
            !cluster.objects().await.iter().any(|(_, live)| owned(live))
                && cluster.pod("ada-0").await.is_none()
        })
        .await;
    let left = cluster.objects().await;
    for (key, live) in &left {
        let old = before.iter().find(|(old, _)| old == key).expect("nothing new is made");
        assert_eq!(old.1["metadata"]["uid"], live["metadata"]["uid"], "{key} is the same one");
        assert!(live["metadata"].get("deletionTimestamp").is_none(), "{key} stays");
    }
    cluster.end().await;
    left.into_iter().map(|(key, _)| key.to_string()).collect()
}

/// The claim of the agent has no owner to go with.
async fn assert_claim_stays(cluster: &Cluster) {
    let claim = cluster.get(Kind::PersistentVolumeClaim, "ada-data").await;
    let metadata = &claim.expect("the claim is there")["metadata"];
    assert_eq!(metadata.get("ownerReferences"), None);
    assert_eq!(metadata.get("deletionTimestamp"), None);
}

/// The namespace goes, whatever is in it.
async fn assert_ends(cluster: &Cluster) {
    let namespaces = Api::<Namespace>::all(cluster.client.clone());
    let name = cluster.namespace.clone();
    cluster.clone().end().await;
    cluster
        .until("the namespace is gone", async || {
            namespaces.get_opt(&name).await.expect("an answer").is_none()
        })
        .await;
}

const NOTHING: [&str; 0] = [];
/// Where a backup lies.
const PATH: &str = "backups/x/ada/1";

#[tokio::test]
async fn by_default_the_claim_outlives_its_instance() {
    assert_eq!(left_after_deletion(json!({})).await, ["PersistentVolumeClaim/ada-data"]);
}

#[tokio::test]
async fn an_orphaned_claim_outlives_its_instance() {
    let left = left_after_deletion(json!({"orphan": true})).await;
    assert_eq!(left, ["PersistentVolumeClaim/ada-data"]);
}

#[tokio::test]
async fn a_claim_that_is_not_orphaned_goes_with_its_instance() {
    assert_eq!(left_after_deletion(json!({"orphan": false})).await, NOTHING);
}

#[tokio::test]
async fn a_claim_of_the_users_outlives_the_instance_whatever_orphan_says() {
    for orphan in [true, false] {
        let existing = json!({"existingClaim": "mine", "orphan": orphan});
        assert_eq!(left_after_deletion(existing).await, ["PersistentVolumeClaim/mine"]);
    }
}

#[tokio::test]
async fn without_persistence_nothing_is_left() {
    assert_eq!(left_after_deletion(json!({"enabled": false})).await, NOTHING);
}

/// Another leader, or a call of ours whose answer was lost, has tied the claim to the instance, and
/// no watch has told of it.
#[tokio::test]
async fn a_claim_of_which_the_cache_knows_no_owner_outlives_its_instance() {
    let cluster = Cluster::namespace("unseen").await;
    let proxy = Proxy::counting(&cluster).await;
    let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    cluster.apply(&with_persistence(&json!({}))).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    at_rest(&cluster, &operator, &proxy, "ada").await;
    let listed =
        |seen: &Seen| seen.method == "GET" && seen.path.ends_with("/persistentvolumeclaims");
    proxy.decide(move |seen| if listed(seen) { Fate::Refuse(503) } else { Fate::Pass });
    proxy.clear();
    proxy.cut();
    cluster.until("the claims cannot be watched", async || proxy.seen().iter().any(listed)).await;
    let instance = cluster.instance("ada").await.expect("the instance is there");
    let owner = json!({
        "apiVersion": instance["apiVersion"], "kind": instance["kind"], "name": "ada",
        "uid": instance["metadata"]["uid"], "controller": true,
    });
    let tied = json!({"metadata": {"ownerReferences": [owner]}});
    cluster.merge(Kind::PersistentVolumeClaim, "ada-data", &tied).await;
    cluster.delete_instance("ada").await;
    cluster.until_gone("ada").await;
    assert_claim_stays(&cluster).await;
    cluster.end().await;
}

#[tokio::test]
async fn a_claim_follows_orphan_while_the_instance_lives() {
    let cluster = Cluster::namespace("orphan").await;
    let _operator = Operator::start(&cluster).await;
    cluster.apply(&with_persistence(&json!({}))).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    for (orphan, owned) in [(false, true), (true, false)] {
        let change = json!({"spec": {"storage": {"persistence": {"orphan": orphan}}}});
        cluster.merge_instance("ada", &change).await;
        cluster
            .until(&format!("orphan {orphan} is followed"), async || {
                let kind = Kind::PersistentVolumeClaim;
                let claim = cluster.get(kind, "ada-data").await.expect("the claim stays");
                claim["metadata"].get("ownerReferences").is_some() == owned
            })
            .await;
    }
    cluster.end().await;
}

#[tokio::test]
async fn a_suspended_instance_keeps_its_volume() {
    let cluster = Cluster::namespace("suspended").await;
    let _operator = Operator::start(&cluster).await;
    cluster.apply(&with_persistence(&json!({}))).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    let uid = async || {
        let claim = cluster.get(Kind::PersistentVolumeClaim, "ada-data").await;
        claim.expect("the claim is there")["metadata"]["uid"].clone()
    };
    let before = uid().await;
    cluster.merge_instance("ada", &json!({"spec": {"suspended": true}})).await;
    cluster
        .until("the instance is suspended", async || {
            let live = cluster.instance("ada").await.expect("there");
            live["status"]["phase"] == "Suspended" && cluster.pod("ada-0").await.is_none()
        })
        .await;
    assert_eq!(uid().await, before);
    cluster.merge_instance("ada", &json!({"spec": {"suspended": false}})).await;
    cluster.until_ready("ada").await;
    assert_eq!(uid().await, before);
    cluster.end().await;
}

#[tokio::test]
async fn the_deletion_of_a_namespace_does_not_hang() {
    let cluster = Cluster::namespace("ending").await;
    let _operator = Operator::start(&cluster).await;
    cluster.apply(&with_persistence(&json!({}))).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    assert_ends(&cluster).await;
}

#[tokio::test]
async fn a_claim_grows_and_never_shrinks() {
    let cluster = Cluster::namespace("growth").await;
    let _operator = Operator::start(&cluster).await;
    cluster.apply(&with_persistence(&json!({"size": "1Gi"}))).await.expect("taken");
    cluster.until_ready("ada").await;
    let size = async || {
        let claim = cluster.get(Kind::PersistentVolumeClaim, "ada-data").await.expect("there");
        claim["spec"]["resources"]["requests"]["storage"].clone()
    };
    let resize = |size: &str| json!({"spec": {"storage": {"persistence": {"size": size}}}});
    cluster.merge_instance("ada", &resize("2Gi")).await;
    cluster.until("the claim grows", async || size().await == "2Gi").await;
    cluster.merge_instance("ada", &resize("1Gi")).await;
    cluster.until_observed("ada").await;
    assert_eq!(size().await, "2Gi");
    cluster.end().await;
}

/// An instance whose volume goes with it, and the Secret of a bucket.
fn with_bucket() -> [Value; 2] {
    let mut instance = with_persistence(&json!({"orphan": false}));
    instance["spec"]["backup"] = json!({"storage": {"secretRef": {"name": SECRET}}});
    [secret(), instance]
}

#[tokio::test]
async fn an_agent_is_stopped_and_backed_up_before_its_volume_goes() {
    for how in ["Background", "Foreground"] {
        let cluster = Cluster::namespace("last-backup").await;
        let _operator = Operator::start(&cluster).await;
        for object in with_bucket() {
            cluster.apply(&object).await.expect("it is taken");
        }
        // What is owned goes first in the foreground, so this volume is not.
        if how == "Foreground" {
            let orphan = json!({"spec": {"storage": {"persistence": {"orphan": true}}}});
            cluster.merge_instance("ada", &orphan).await;
        }
        cluster.until_ready("ada").await;
        let parameters = if how == "Foreground" {
            DeleteParams::foreground()
        } else {
            DeleteParams::background()
        };
        cluster.instances().delete("ada", &parameters).await.expect("the instance is deleted");
        let made = async || job(&cluster, "ada-last-backup-").await;
        cluster.until("the Job is made", async || made().await.is_some()).await;
        let job = made().await.expect("the Job");
        assert!(cluster.pod("ada-0").await.is_none(), "the agent is gone by then");
        let live = cluster.instance("ada").await.expect("it waits");
        assert_eq!(live["status"]["phase"], "BackingUp");
        assert_eq!(live["status"]["backupJobName"], job["metadata"]["name"]);
        ended_well(&cluster, &job, PATH).await;
        cluster.until_gone("ada").await;
        let told = cluster.events().await;
        let path = format!("the last backup is {PATH}");
        assert!(told.iter().any(|it| it.contains(&path)), "{how}: {told:?}");
        let claim = cluster.get(Kind::PersistentVolumeClaim, "ada-data").await;
        assert_eq!(
            claim.is_some_and(|claim| claim["metadata"].get("deletionTimestamp").is_none()),
            how == "Foreground"
        );
        cluster.end().await;
    }
}

#[tokio::test]
async fn without_a_last_backup_the_volume_stays_unless_none_is_wanted() {
    for skips in [false, true] {
        let cluster = Cluster::namespace("no-backup").await;
        let _operator = Operator::start(&cluster).await;
        let [_, instance] = with_bucket();
        cluster.apply(&instance).await.expect("the instance is taken");
        cluster.until_ready("ada").await;
        if skips {
            let skip = json!({"metadata": {"annotations": {"openclaw.rocks/skip-backup": "true"}}});
            cluster.merge_instance("ada", &skip).await;
        }
        cluster.delete_instance("ada").await;
        cluster.until_gone("ada").await;
        if skips {
            cluster
                .until("the claim goes", async || {
                    cluster.get(Kind::PersistentVolumeClaim, "ada-data").await.is_none()
                })
                .await;
        } else {
            assert_claim_stays(&cluster).await;
        }
        cluster.end().await;
    }
}

/// In a namespace that goes nothing can be made, and nothing is waited for.
#[tokio::test]
async fn a_last_backup_does_not_hold_a_namespace_back() {
    let cluster = Cluster::namespace("ending-backup").await;
    let _operator = Operator::start(&cluster).await;
    for object in with_bucket() {
        cluster.apply(&object).await.expect("it is taken");
    }
    cluster.until_ready("ada").await;
    assert_ends(&cluster).await;
}
