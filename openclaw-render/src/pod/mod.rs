//! The pod template: which containers, in which order, and what replaces the pod.
//!
//! Order: `init-config` lays out the volumes; `config-sync` then serves the first configuration,
//! and its startup probe keeps everything after it waiting; the proxy; `migrate-state` brings the
//! state up to the version that runs; the agent. The two native sidecars outlive the agent's
//! container when the pod ends, so that it can finish its turns.

mod agent;
mod env;
mod init;
mod probes;
mod sidecar;
mod volumes;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::hash;
use crate::resolve::Resolved;
use crate::vocab::{annotations, labels, names};

/// The application drains for up to 315 s and then takes 10 s to close; its own service unit waits
/// for 330 s. The rest is for the sidecars.
const TERMINATION_GRACE_SECONDS: i64 = 360;

pub(crate) fn template(instance: &Resolved, config: &ConfigMap) -> PodTemplateSpec {
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            annotations: Some(restarting(instance, config)).filter(|each| !each.is_empty()),
            labels: Some(labels::common(&instance.name)),
            ..Default::default()
        }),
        spec: Some(spec(instance)),
    }
}

/// The user's annotations, and a hash of each input that a running process cannot load again.
fn restarting(instance: &Resolved, config: &ConfigMap) -> BTreeMap<String, String> {
    let mut all = instance.pod_annotations.clone();
    if let Some(hash) = &instance.environment.hash {
        all.insert(annotations::SECRET_HASH.to_owned(), hash.clone());
    }
    if let Some(conf) = config.data.as_ref().and_then(|data| data.get(names::PROXY_KEY)) {
        all.insert(annotations::PROXY_HASH.to_owned(), hash::of(conf));
    }
    all
}

fn spec(instance: &Resolved) -> PodSpec {
    let placement = &instance.placement;
    PodSpec {
        affinity: placement.affinity.clone(),
        // Even an account of the user's that mounts its token everywhere does not do so here.
        automount_service_account_token: Some(false),
        containers: vec![with_last_words(agent::container(instance))],
        // A Service called `openclaw-gateway` would set OPENCLAW_GATEWAY_PORT to a URL.
        enable_service_links: Some(false),
        host_aliases: sidecar::gateway_proxy::host_aliases(instance),
        image_pull_secrets: Some(instance.image.pull_secrets.clone())
            .filter(|secrets| !secrets.is_empty()),
        init_containers: Some(init_containers(instance)),
        node_selector: placement.node_selector.clone(),
        runtime_class_name: placement.runtime_class_name.clone(),
        security_context: Some(instance.security.pod.clone()),
        service_account_name: Some(instance.security.service_account.name.clone()),
        share_process_namespace: Some(instance.share_process_namespace),
        termination_grace_period_seconds: Some(TERMINATION_GRACE_SECONDS),
        tolerations: placement.tolerations.clone(),
        topology_spread_constraints: placement.topology_spread_constraints.clone(),
        volumes: Some(volumes::all(instance)),
        ..Default::default()
    }
}

fn init_containers(instance: &Resolved) -> Vec<Container> {
    let mut containers =
        vec![init::config::container(instance), sidecar::config_sync::container(instance)];
    containers.extend(sidecar::gateway_proxy::container(instance));
    containers.push(init::migrate_state::container(instance));
    containers.into_iter().map(with_last_words).collect()
}

/// The pod's status, and so ours, says why a container ended: by what it left for that, or else by
/// the end of its log.
fn with_last_words(container: Container) -> Container {
    let policy = Some("FallbackToLogsOnError".to_owned());
    Container { termination_message_policy: policy, ..container }
}
