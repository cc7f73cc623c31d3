//! The agents of a test, which has the cluster to itself.

use std::time::Duration;

use kube::api::ListParams;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::support::cluster::Cluster;
use crate::support::fixtures::Fixture;

pub(crate) static ALONE: Mutex<()> = Mutex::const_new(());

pub(crate) const MUCH_PATIENCE: Duration = Duration::from_mins(5);

pub(crate) fn named(name: &str) -> Value {
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["metadata"]["name"] = json!(name);
    instance
}

/// Takes away every agent, while an operator runs that lets them go.
pub(crate) async fn clear(cluster: &Cluster) {
    let list = cluster.instances().list(&ListParams::default()).await.expect("a list");
    for instance in list {
        cluster.delete_instance(&instance.metadata.name.expect("a name")).await;
    }
    cluster
        .until("every instance is gone", async || {
            let list = cluster.instances().list(&ListParams::default()).await.expect("a list");
            list.items.is_empty()
        })
        .await;
}

/// Waits until the agents of earlier tests are gone, while an operator runs that lets them go: their
/// namespaces are being deleted.
pub(crate) async fn forget_others(cluster: &Cluster) {
    let all =
        cluster.everywhere("openclaw.rocks/v1alpha1", "OpenClawInstance", "openclawinstances");
    cluster
        .until("no agent of another test is left", async || {
            let list = all.list(&ListParams::default()).await.expect("a list");
            list.items
                .iter()
                .all(|each| each.metadata.namespace.as_ref() == Some(&cluster.namespace))
        })
        .await;
}
