//! Containers of the user's: what the API server would refuse of them, and what they may do.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, ContainerPort};

use super::{amounts, check_label, handlers, mounts, rights};
use crate::hash;
use crate::resolve::context::Resolving;
use crate::resolve::{environment, sources};
use crate::vocab::grammar::{is_env_name, is_image, is_port_name};
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
    let mut of_nodes = BTreeSet::new();
    for (path, is_init, container) in with_paths(init_containers, sidecars) {
        check_name(&path, &container.name, cx);
        if !taken.insert(container.name.as_str()) {
            cx.error(
                format!("{path}.name"),
                format!("{:?} names another container already: rename one", container.name),
            );
        }
        check_image(&path, container, cx);
        if is_init {
            check_init(&path, container, cx);
        } else {
            check_restarts(&path, container, cx);
            handlers::check(&path, container, cx);
        }
        check_env(&path, container, cx);
        let listening = container.ports.as_deref().unwrap_or_default();
        check_ports(&path, &container.name, listening, &mut listeners, cx);
        check_host_ports(&path, listening, &mut of_nodes, cx);
        if is_init {
            // It has ended before the next one starts.
            of_nodes.clear();
        }
        amounts::check(&path, container.resources.as_ref(), cx);
        check_words(&path, container, cx);
        let mounted = container.volume_mounts.as_deref().unwrap_or_default();
        let rights = container.security_context.as_ref();
        let is_privileged = rights.is_some_and(|rights| rights.privileged == Some(true));
        mounts::check(&format!("{path}.volumeMounts"), mounted, known, is_privileged, cx);
        for (index, device) in container.volume_devices.iter().flatten().enumerate() {
            if !known.contains(device.name.as_str()) {
                cx.error(
                    format!("{path}.volumeDevices[{index}].name"),
                    format!("{:?} is no volume of this spec", device.name),
                );
            }
        }
        rights::check(&path, container, cx);
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

/// The API server refuses space around it, and the kubelet whatever no runtime can pull.
fn check_image(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    let image = container.image.as_deref().unwrap_or_default();
    let path = format!("{path}.image");
    if image.trim().is_empty() {
        cx.error(path, "is missing: name the container's image");
    } else if !is_image(image) {
        cx.error(
            path,
            format!(
                "{image:?} is no reference of an image: write for example `ghcr.io/team/tool:1.0`, \
                 the path in lower case, without a scheme and without spaces"
            ),
        );
    }
}

fn check_init(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    if container.restart_policy.as_deref() == Some(ALWAYS) {
        handlers::check(path, container, cx);
        return;
    }
    check_restarts(path, container, cx);
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

/// Kubernetes 1.34 and earlier know of native sidecars alone.
fn check_restarts(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    let path = format!("{path}.restartPolicy");
    match container.restart_policy.as_deref() {
        None => {}
        Some(ALWAYS | "Never" | "OnFailure") => cx.ineffective(
            path,
            "is refused with the pod by Kubernetes 1.34 and earlier, which know it of init \
             containers, as `Always`, alone",
        ),
        Some(other) => cx.error(
            path,
            format!(
                "{other:?} is no policy: write `{ALWAYS}`, `Never` or `OnFailure`, or remove it"
            ),
        ),
    }
}

/// Fields of which only some values exist.
fn check_words(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    let fields = [
        ("imagePullPolicy", &container.image_pull_policy, &["Always", "IfNotPresent", "Never"][..]),
        (
            "terminationMessagePolicy",
            &container.termination_message_policy,
            &["File", "FallbackToLogsOnError"][..],
        ),
    ];
    for (field, value, choices) in fields {
        let value = value.as_deref().unwrap_or_default();
        if !value.is_empty() && !choices.contains(&value) {
            cx.error(
                format!("{path}.{field}"),
                format!("{value:?} is not a choice: use one of {}", choices.join(", ")),
            );
        }
    }
}

fn check_env(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    let mut taken = BTreeSet::new();
    for (index, entry) in container.env.iter().flatten().enumerate() {
        let path = format!("{path}.env[{index}]");
        let name = &entry.name;
        if !is_env_name(name) {
            cx.error(format!("{path}.name"), format!("{name:?} cannot name a variable"));
        } else if !taken.insert(name.as_str()) {
            cx.error(format!("{path}.name"), format!("{name} is set twice: remove one"));
        }
        sources::check(&path, entry, cx);
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
        let protocol = protocol(port);
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
    }
}

/// A port of the node, with its protocol and address.
type HostPort = (i32, String, String);

fn check_host_ports(
    path: &str,
    listening: &[ContainerPort],
    taken: &mut BTreeSet<HostPort>,
    cx: &mut Resolving<'_>,
) {
    for (index, port) in listening.iter().enumerate() {
        let path = format!("{path}.ports[{index}].hostPort");
        let number = port.host_port.unwrap_or_default();
        if number == 0 {
            continue;
        }
        if !(1..=65_535).contains(&number) {
            cx.error(path, format!("{number} is no port: write 1 to 65535, or remove it"));
            continue;
        }
        cx.risk(
            path.as_str(),
            "takes a port of the node: only one such pod fits on each, and whoever reaches the \
             node reaches it past the NetworkPolicy",
        );
        let address = port.host_ip.clone().unwrap_or_default();
        if !taken.insert((number, protocol(port), address)) {
            cx.error(path, format!("{number} is taken by another port of the pod: remove one"));
        }
    }
}

fn protocol(port: &ContainerPort) -> String {
    let given = port.protocol.clone().filter(|protocol| !protocol.is_empty());
    given.unwrap_or_else(|| "TCP".to_owned())
}
