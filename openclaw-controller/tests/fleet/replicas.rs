//! Replicas of the operator, of which the one with the Lease acts.

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::agents::{ALONE, MUCH_PATIENCE, clear, forget_others, named};
use crate::support::cluster::{Cluster, OPERATOR_NAMESPACE};
use crate::support::operator::Operator;
use crate::support::proxy::{Fate, Proxy};

const LEASE: &str = "openclaw-operator.openclaw.rocks";
/// How long it holds that is not renewed.
const LEASE_SECONDS: i64 = 15;

pub(crate) async fn lease(cluster: &Cluster) -> Option<Lease> {
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
    leases.get_opt(LEASE).await.expect("an answer")
}

pub(crate) async fn holder(cluster: &Cluster) -> Option<String> {
    lease(cluster).await?.spec?.holder_identity
}

#[tokio::test]
async fn one_replica_acts_and_the_next_takes_over() {
    let _alone = ALONE.lock().await;
    let cluster = Cluster::namespace("leader").await;
    let leads = async |operator: &Operator| operator.metric("openclaw_leader").await > 0.0;
    let mut first = Operator::elected(&cluster, None, "first").await;
    cluster.until("the first one acts", async || leads(&first).await).await;
    let mut second = Operator::elected(&cluster, None, "second").await;
    // Ready all the same, or an upgrade would wait for ever.
    assert_eq!(second.readiness().await, Some(200));
    assert!(!leads(&second).await);
    assert_eq!(holder(&cluster).await.as_deref(), Some("first"));
    first.kill();
    cluster.until("the second one acts", async || leads(&second).await).await;
    assert_eq!(holder(&cluster).await.as_deref(), Some("second"));
    cluster.apply(&named("ada")).await.expect("the instance is taken");
    cluster.until_ready("ada").await;

    // Whoever loses the Lease stops acting, and says so by its exit code.
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
    let stolen = json!({"spec": {"holderIdentity": "a-thief", "leaseDurationSeconds": 3600}});
    leases.patch(LEASE, &PatchParams::default(), &Patch::Merge(stolen)).await.expect("stolen");
    assert_eq!(second.wait(), Some(1));
    leases.delete(LEASE, &DeleteParams::default()).await.expect("the Lease is given up");
    let third = Operator::elected(&cluster, None, "third").await;
    cluster.until("the third one acts", async || leads(&third).await).await;
    clear(&cluster).await;
    cluster.end().await;
}

/// As long as a Lease lasts, and a while more, one list is not answered.
#[tokio::test]
async fn the_lease_is_held_while_the_first_lists_are_waited_for() {
    let _alone = ALONE.lock().await;
    let cluster = Cluster::namespace("lists").await;
    let proxy = Proxy::start(&cluster, |seen| {
        let is_list = !seen.is_watch() && seen.path.ends_with("/networkpolicies");
        if is_list { Fate::Ignore(2 * MUCH_PATIENCE) } else { Fate::Pass }
    })
    .await;
    let kubeconfig = cluster.kubeconfig_of_operator(Some(proxy.address())).await;
    let mut first = Operator::spawn(&kubeconfig, &["--leader-elect", "--identity", "first"]);
    let is_firsts = async || holder(&cluster).await.as_deref() == Some("first");
    cluster.until("the first one has the Lease", is_firsts).await;
    let second = Operator::elected(&cluster, None, "second").await;
    let held_for = async || {
        let spec = lease(&cluster).await?.spec?;
        Some(spec.renew_time?.0.as_second() - spec.acquire_time?.0.as_second())
    };
    let long = async || held_for().await.is_some_and(|seconds| seconds > LEASE_SECONDS + 5);
    cluster.until("the Lease was held for long", long).await;
    assert_eq!(holder(&cluster).await.as_deref(), Some("first"));
    assert_eq!(first.readiness().await, Some(503));
    assert!(first.metric("openclaw_leader").await < 1.0);
    assert!(second.metric("openclaw_leader").await < 1.0);

    // Whoever loses it before he could act does not begin to.
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
    let stolen = json!({"spec": {"holderIdentity": "a-thief", "leaseDurationSeconds": 3600}});
    leases.patch(LEASE, &PatchParams::default(), &Patch::Merge(stolen)).await.expect("stolen");
    assert_eq!(first.wait(), Some(1));
    leases.delete(LEASE, &DeleteParams::default()).await.expect("the Lease is given up");
    let leads = async || second.metric("openclaw_leader").await > 0.0;
    cluster.until("the second one acts", leads).await;
    forget_others(&cluster).await;
    cluster.end().await;
}
