//! What a pod may do: never anything to the node, and only what *restricted* allows unless asked.

use serde_json::{Value, json};

use super::{View, at, containers_of, list, text};

/// Volumes that *restricted* allows and that are not the node's.
const VOLUMES: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// What no instance can ask for.
pub(super) fn check_node(view: &View<'_>, found: &mut Vec<String>) {
    for pod in view.pods() {
        check_node_of(pod, found);
    }
}

fn check_node_of(pod: &Value, found: &mut Vec<String>) {
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if at(pod, &format!("/{field}")) == true {
            found.push(format!("pod: {field} is on"));
        }
    }
    for volume in list(pod, "/volumes") {
        let kinds = volume.as_object().into_iter().flatten().filter(|(key, _)| *key != "name");
        for (kind, _) in kinds.filter(|(kind, _)| !VOLUMES.contains(&kind.as_str())) {
            found.push(format!("volume {}: is a {kind}", text(volume, "/name")));
        }
    }
    if at(pod, "/automountServiceAccountToken") != false {
        found.push("pod: every container gets a service account token".to_owned());
    }
    for container in containers_of(pod) {
        let name = text(container, "/name");
        if at(container, "/securityContext/privileged") == true {
            found.push(format!("container {name}: is privileged"));
        }
        if list(container, "/ports").iter().any(|port| !at(port, "/hostPort").is_null()) {
            found.push(format!("container {name}: takes a port of the node"));
        }
    }
}

/// The *restricted* standard, and a user that is not root.
pub(super) fn check_restricted(view: &View<'_>, found: &mut Vec<String>) {
    for pod in view.pods() {
        check_restricted_of(pod, found);
    }
}

fn check_restricted_of(pod: &Value, found: &mut Vec<String>) {
    for container in containers_of(pod) {
        let name = text(container, "/name");
        let mut say = |what: &str| found.push(format!("container {name}: {what}"));
        let own = at(container, "/securityContext");
        // A container's value wins over the pod's.
        let effective = |field: &str| {
            let value = at(own, field);
            if value.is_null() { at(pod, &format!("/securityContext{field}")) } else { value }
        };
        if at(own, "/allowPrivilegeEscalation") != false {
            say("may gain privileges");
        }
        if !list(own, "/capabilities/drop").contains(&json!("ALL")) {
            say("keeps capabilities");
        }
        let added = list(own, "/capabilities/add");
        if added.iter().any(|capability| capability != "NET_BIND_SERVICE") {
            say("adds capabilities");
        }
        if effective("/runAsNonRoot") != true {
            say("may run as root");
        }
        if effective("/runAsUser") == 0 {
            say("runs as root");
        }
        let profile = text(effective("/seccompProfile"), "/type");
        if !matches!(profile, "RuntimeDefault" | "Localhost") {
            say("has no seccomp profile");
        }
    }
}
