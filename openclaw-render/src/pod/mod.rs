//! The pod template: which containers, in which order, and what replaces the pod.
//!
//! Containers start in this order: `init-config` lays out the volumes; `config-sync` serves the
//! first configuration, and its startup probe keeps everything after it waiting; the sidecars;
//! `migrate-state` brings the state up to the version that runs; skills and plugins are installed
//! into it; the agent. Native sidecars
//! outlive the agent's container when the pod ends, so that it can finish its turns.

mod agent;
mod api_access;
pub(crate) mod backup;
mod ca_bundle;
pub(crate) mod egress;
mod env;
mod environment_md;
mod extras;
mod home;
mod init;
pub(crate) mod part;
mod probes;
pub(crate) mod restore;
pub(crate) mod seed_plan;
mod self_config;
mod sidecar;
mod volumes;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
pub(crate) use part::Part;
use part::{OnChange, Port, Start};

use crate::hash;
use crate::resolve::Resolved;
use crate::vocab::{annotations, labels};

/// The application drains for up to 315 s and then takes 10 s to close; its own service unit waits
/// for 330 s. The rest is for the sidecars.
const TERMINATION_GRACE_SECONDS: i64 = 360;

/// Returns everything that the pod is made of.
///
/// Volumes, variables and mounts follow this order. Append only: another order is another template,
/// and replaces every pod. When a container starts, its part says by [`Start`].
pub(crate) fn parts(instance: &Resolved) -> Vec<Part> {
    let mut parts = vec![agent::part(instance)];
    parts.push(sidecar::config_sync::part(instance));
    parts.push(init::seed::part(instance));
    parts.extend(sidecar::gateway_proxy::part(instance));
    parts.push(init::migrate_state::part(instance));
    parts.extend(sidecar::chromium::part(instance));
    parts.extend(sidecar::otel_collector::part(instance));
    parts.extend(init::runtimes::pnpm(instance));
    parts.extend(init::runtimes::python(instance));
    parts.extend(sidecar::tailscale::part(instance));
    parts.extend(sidecar::web_terminal::part(instance));
    parts.extend(init::extensions::skills(instance));
    parts.extend(init::extensions::plugins(instance));
    parts.extend(sidecar::ollama::part(instance));
    parts.extend(init::models::part(instance));
    parts.extend(sidecar::netbird::part(instance));
    extras::giving_way(parts, &instance.extras)
}

/// Returns the template, of which all that the parts have for the pod becomes a piece.
pub(crate) fn template(instance: &Resolved, parts: Vec<Part>) -> PodTemplateSpec {
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            annotations: Some(restarting(instance, &parts)).filter(|each| !each.is_empty()),
            labels: Some(labels::common(&instance.name)),
            ..Default::default()
        }),
        spec: Some(spec(instance, parts)),
    }
}

/// The user's annotations, and a hash of each input that a running process cannot load again.
fn restarting(instance: &Resolved, parts: &[Part]) -> BTreeMap<String, String> {
    let mut all = instance.pod_annotations.clone();
    let environment = instance.environment.hash.as_deref().into_iter();
    let inputs: Vec<&str> = environment.chain(instance.further_inputs()).collect();
    let inputs = match inputs.as_slice() {
        [] => None,
        [only] => Some((*only).to_owned()),
        several => Some(hash::of_all(several)),
    };
    if let Some(hash) = inputs {
        all.insert(annotations::SECRET_HASH.to_owned(), hash);
    }
    for file in parts.iter().flat_map(|part| &part.files) {
        if let OnChange::RestartsPod(annotation) = file.on_change {
            all.insert(annotation.to_owned(), hash::of(&file.content));
        }
    }
    all
}

fn spec(instance: &Resolved, mut parts: Vec<Part>) -> PodSpec {
    let placement = &instance.placement;
    let (containers, init_containers) = containers(instance, &mut parts);
    let (mut host_aliases, mut volumes) = (Vec::new(), Vec::new());
    for mut part in parts {
        host_aliases.append(&mut part.host_aliases);
        volumes.append(&mut part.volumes);
    }
    volumes.extend(instance.extras.volumes.iter().cloned());
    volumes.extend(ca_bundle::volume(instance));
    PodSpec {
        affinity: placement.affinity.clone(),
        // Even an account of the user's that mounts its token everywhere does not do so here.
        automount_service_account_token: Some(false),
        containers,
        // A Service called `openclaw-gateway` would set OPENCLAW_GATEWAY_PORT to a URL.
        enable_service_links: Some(false),
        host_aliases: Some(host_aliases).filter(|aliases| !aliases.is_empty()),
        image_pull_secrets: Some(instance.image.pull_secrets.clone())
            .filter(|secrets| !secrets.is_empty()),
        init_containers: Some(init_containers),
        node_selector: placement.node_selector.clone(),
        runtime_class_name: placement.runtime_class_name.clone(),
        security_context: Some(instance.security.pod.clone()),
        service_account_name: Some(instance.security.service_account.name.clone()),
        share_process_namespace: Some(instance.share_process_namespace),
        termination_grace_period_seconds: Some(TERMINATION_GRACE_SECONDS),
        tolerations: placement.tolerations.clone(),
        topology_spread_constraints: placement.topology_spread_constraints.clone(),
        volumes: Some(volumes),
        ..Default::default()
    }
}

/// Returns the agent's container and those beside it, and those that start before it, in the order
/// in which they do. The user's init containers find the volume as the agent will.
fn containers(instance: &Resolved, parts: &mut [Part]) -> (Vec<Container>, Vec<Container>) {
    let mut shares: Vec<_> = parts.iter_mut().map(|part| std::mem::take(&mut part.agent)).collect();
    let mut by_start: Vec<_> = parts.iter_mut().map(|part| (part.start, finished(part))).collect();
    by_start.sort_by_key(|(start, _)| *start);
    let (mut first, mut last, mut agents) = (Vec::new(), Vec::new(), Vec::new());
    for (start, container) in by_start {
        let container = if start == Start::Agent {
            agent::completed(container, instance, std::mem::take(&mut shares))
        } else {
            container
        };
        let place = match start {
            Start::First | Start::InTurn => &mut first,
            Start::Last => &mut last,
            Start::Agent | Start::Beside => &mut agents,
        };
        place.push(ca_bundle::trusted(container, instance));
    }
    agents.extend(extras::sidecars(instance));
    first.extend(extras::init_containers(instance));
    first.append(&mut last);
    (agents, first)
}

/// Takes the container of a part, with its ports and what every container has.
fn finished(part: &mut Part) -> Container {
    let ports: Vec<_> = part.ports.iter().map(Port::of_container).collect();
    keep_last_log_lines(Container {
        ports: Some(ports).filter(|ports| !ports.is_empty()),
        ..std::mem::take(&mut part.container)
    })
}

/// The pod's status, and so ours, says why a container ended: by what it left for that, or else by
/// the end of its log.
fn keep_last_log_lines(container: Container) -> Container {
    let policy = Some("FallbackToLogsOnError".to_owned());
    Container { termination_message_policy: policy, ..container }
}
