//! Containers of the user's: what the API server would refuse of them, and what they may do.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, ContainerPort, EnvVar, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{check_label, mounts};
use crate::hash;
use crate::quantity;
use crate::resolve::context::Resolving;
use crate::resolve::environment;
use crate::vocab::grammar::{is_env_name, is_port_name};
use crate::vocab::{names, ports};

const INIT_CONTAINERS: &str = "spec.initContainers";
const SIDECARS: &str = "spec.sidecars";
/// Restart policy that makes an init container a native sidecar.
const ALWAYS: &str = "Always";

/// The containers with their paths.
fn with_paths<'a>(
    init_containers: &'a [Container],
    sidecars: &'a [Container],
) -> impl Iterator<Item = (String, bool, &'a Container)> {
    let list = |field: &'static str, is_init: bool, list: &'a [Container]| {
        list.iter()
            .enumerate()
            .map(move |(index, container)| (format!("{field}[{index}]"), is_init, container))
    };
    list(INIT_CONTAINERS, true, init_containers).chain(list(SIDECARS, false, sidecars))
}

pub(super) fn check(
    init_containers: &[Container],
    sidecars: &[Container],
    known: &BTreeSet<&str>,
    metrics_port: Option<i32>,
    cx: &mut Resolving<'_>,
) {
    let mut taken = BTreeSet::new();
    let metrics = metrics_port.map(|port| (port, "otel-collector"));
    let ours = ports::OF_THE_POD.iter().copied().chain(metrics);
    let mut listeners: BTreeMap<(i32, String), String> = ours
        .map(|(port, who)| ((port, "TCP".to_owned()), format!("the operator's container `{who}`")))
        .collect();
    for (path, is_init, container) in with_paths(init_containers, sidecars) {
        check_name(&path, &container.name, cx);
        if !taken.insert(container.name.as_str()) {
            cx.error(
                format!("{path}.name"),
                format!("{:?} names another container already: rename one", container.name),
            );
        }
        if container.image.as_deref().is_none_or(|image| image.trim().is_empty()) {
            cx.error(format!("{path}.image"), "is missing: name the container's image");
        }
        if is_init {
            check_init(&path, container, cx);
        } else if container.restart_policy.is_some() {
            cx.error(
                format!("{path}.restartPolicy"),
                "is for init containers: remove it, or move the container to `spec.initContainers`",
            );
        }
        check_env(&path, container, cx);
        let listening = container.ports.as_deref().unwrap_or_default();
        check_ports(&path, &container.name, listening, &mut listeners, cx);
        check_resources(&path, container.resources.as_ref(), cx);
        let mounted = container.volume_mounts.as_deref().unwrap_or_default();
        mounts::check(&format!("{path}.volumeMounts"), mounted, known, cx);
        for (index, device) in container.volume_devices.iter().flatten().enumerate() {
            if !known.contains(device.name.as_str()) {
                cx.error(
                    format!("{path}.volumeDevices[{index}].name"),
                    format!("{:?} is no volume of this spec", device.name),
                );
            }
        }
        check_rights(&path, container, cx);
    }
}

/// Returns a hash of what the environments of the sidecars refer to. Init containers have ended by
/// the time a value changes; the next pod has the new one.
pub(super) fn environment_hash(
    init_containers: &[Container],
    sidecars: &[Container],
    cx: &mut Resolving<'_>,
) -> Option<String> {
    let mut hashes: Vec<String> = Vec::new();
    for (path, is_init, container) in with_paths(init_containers, sidecars) {
        let hash = environment::of_container(&path, container, cx);
        hashes.extend(hash.filter(|_| !is_init));
    }
    (!hashes.is_empty()).then(|| hash::of(&hashes.join("\n")))
}

fn check_name(path: &str, name: &str, cx: &mut Resolving<'_>) {
    if names::CONTAINERS.contains(&name) {
        cx.error(
            format!("{path}.name"),
            format!("{name:?} is reserved for a container of the operator: rename yours"),
        );
    } else {
        check_label(path, "container", name, cx);
    }
}

fn check_init(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    match container.restart_policy.as_deref() {
        Some(ALWAYS) => return,
        None => {}
        Some(other) => cx.error(
            format!("{path}.restartPolicy"),
            format!("{other:?} is no policy of an init container: write `{ALWAYS}`, or remove it"),
        ),
    }
    let unused = [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ];
    for (field, _) in unused.into_iter().filter(|(_, is_set)| *is_set) {
        cx.error(
            format!("{path}.{field}"),
            "is not for a container that ends: remove it, or set `restartPolicy: Always`",
        );
    }
}

fn check_env(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    let mut taken = BTreeSet::new();
    for (index, entry) in container.env.iter().flatten().enumerate() {
        let EnvVar { name, value, value_from } = entry;
        let path = format!("{path}.env[{index}]");
        if !is_env_name(name) {
            cx.error(format!("{path}.name"), format!("{name:?} cannot name a variable"));
        } else if !taken.insert(name.as_str()) {
            cx.error(format!("{path}.name"), format!("{name} is set twice: remove one"));
        }
        if value.as_ref().is_some_and(|value| !value.is_empty()) && value_from.is_some() {
            cx.error(path, "has `value` and `valueFrom`: remove one of the two");
        }
    }
}

fn check_ports(
    path: &str,
    container: &str,
    listening: &[ContainerPort],
    listeners: &mut BTreeMap<(i32, String), String>,
    cx: &mut Resolving<'_>,
) {
    let mut names = BTreeSet::new();
    for (index, port) in listening.iter().enumerate() {
        let path = format!("{path}.ports[{index}]");
        let number = port.container_port;
        if !(1..=65_535).contains(&number) {
            cx.error(
                format!("{path}.containerPort"),
                format!("{number} is no port: write 1 to 65535"),
            );
        }
        let protocol = port.protocol.clone().filter(|protocol| !protocol.is_empty());
        let protocol = protocol.unwrap_or_else(|| "TCP".to_owned());
        if !matches!(protocol.as_str(), "TCP" | "UDP" | "SCTP") {
            cx.error(format!("{path}.protocol"), "is none of TCP, UDP and SCTP");
        }
        let who = format!("container `{container}`");
        if let Some(other) = listeners.insert((number, protocol), who) {
            cx.error(
                format!("{path}.containerPort"),
                format!(
                    "{number} belongs to {other}, and all containers of a pod share their ports"
                ),
            );
        }
        if let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            if !is_port_name(name) {
                cx.error(
                    format!("{path}.name"),
                    format!(
                        "{name:?} cannot name a port: write at most 15 lower-case letters, digits \
                         and `-`, with a letter among them"
                    ),
                );
            } else if !names.insert(name) {
                cx.error(format!("{path}.name"), format!("{name:?} names two ports: rename one"));
            }
        }
        if port.host_port.is_some_and(|port| port != 0) {
            cx.risk(
                format!("{path}.hostPort"),
                "takes a port of the node: only one such pod fits on each, and whoever reaches the \
                 node reaches it past the NetworkPolicy",
            );
        }
    }
}

fn check_resources(path: &str, resources: Option<&ResourceRequirements>, cx: &mut Resolving<'_>) {
    let Some(resources) = resources else { return };
    let amount = |amount: &Quantity| quantity::parse(&amount.0).ok();
    for (field, amounts) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        for (resource, value) in amounts.iter().flatten() {
            let path = format!("{path}.resources.{field}.{resource}");
            match amount(value) {
                None => cx.error(path, format!("{:?} is no quantity: write 500m or 2Gi", value.0)),
                Some(parsed) if parsed.is_negative() => {
                    cx.error(path, format!("{:?} is negative", value.0));
                }
                Some(_) => {}
            }
        }
    }
    for (resource, request) in resources.requests.iter().flatten() {
        let limit = resources.limits.as_ref().and_then(|limits| limits.get(resource));
        if let (Some(asked), Some(limit)) = (amount(request), limit)
            && amount(limit).is_some_and(|limit| asked > limit)
        {
            cx.error(
                format!("{path}.resources.requests.{resource}"),
                format!("{} is more than the limit {}", request.0, limit.0),
            );
        }
    }
}

/// Says what the container may do that the agent may not.
fn check_rights(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    let rights = container.security_context.clone().unwrap_or_default();
    let path = format!("{path}.securityContext");
    if rights.privileged == Some(true) {
        cx.risk(path, "is privileged: what runs in it owns the node");
        return;
    }
    let capabilities = rights.capabilities.unwrap_or_default();
    let keeps = !capabilities.drop.iter().flatten().any(|each| each == "ALL");
    let adds = capabilities.add.iter().flatten().any(|each| each != "NET_BIND_SERVICE");
    let lacks: Vec<&str> = [
        (rights.allow_privilege_escalation != Some(false), "`allowPrivilegeEscalation: false`"),
        (keeps, "`capabilities.drop: [ALL]`"),
        (adds, "no added capability"),
        (rights.run_as_non_root == Some(false), "`runAsNonRoot: true`"),
        (rights.run_as_user == Some(0), "a user other than root"),
    ]
    .into_iter()
    .filter_map(|(is_lacking, what)| is_lacking.then_some(what))
    .collect();
    if !lacks.is_empty() {
        cx.risk(
            path,
            format!(
                "lacks {}: a namespace that enforces the restricted Pod Security Standard refuses \
                 the pod",
                lacks.join(", ")
            ),
        );
    }
}
